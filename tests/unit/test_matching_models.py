"""Slippage and fill models: how far, how much, and what is said of a model that answers nonsense."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

import papertrade as pt
from papertrade.domain.numbers import SCALE
from papertrade.errors import InvalidValueError
from papertrade.matching.models import Candidate, NoSlippage, SlippageModel, quantity_units, slip_units
from papertrade.matching.slippage import BasisPointSlippage, SpreadSlippage, TickSlippage

CENT = SCALE // 100


def candidate(bid: int | None = 10 * SCALE, ask: int | None = 10 * SCALE + 3, sign: int = 1) -> Candidate:
    return Candidate("X", sign, "Q1", 12_345 * SCALE + 1, 7 * SCALE, bid, ask, CENT)


class Own:
    """Somebody's own model, which answers what it is told to."""

    name = "own"

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def slip(self, candidate: Candidate) -> int:
        self.seen = candidate
        return self.answer  # type: ignore[return-value]

    def quantity(self, candidate: Candidate) -> int:
        self.seen = candidate
        return self.answer  # type: ignore[return-value]


def test_a_model_sees_the_fill_as_people_read_it() -> None:
    """A candidate gives Decimals and words beside its integers, for both sides."""
    seen = candidate()
    assert (seen.symbol, seen.rule, seen.side, candidate(sign=-1).side) == ("X", "Q1", "buy", "sell")
    assert (seen.price, seen.quantity, seen.tick) == (Decimal("12345.000000001"), 7, Decimal("0.01"))
    assert (seen.bid, seen.ask) == (10, Decimal("10.000000003"))
    assert candidate(bid=None).bid is None


@pytest.mark.parametrize(
    ("model", "units", "name"),
    [
        (NoSlippage(), 0, "none"),
        (TickSlippage(0), 0, "0 ticks"),
        (TickSlippage(3), 3 * CENT, "3 ticks"),
        (BasisPointSlippage("2.5"), 3_086_250_001, "2.5 bp"),
        (SpreadSlippage("0.5"), 2, "0.5 of the spread"),
    ],
)
def test_slippage_is_what_its_name_says_and_never_a_unit_too_small(
    model: SlippageModel, units: int, name: str
) -> None:
    """Ticks of the instrument, basis points of the price, a share of the spread: rounded up, against the trader."""
    assert slip_units(model, candidate()) == units
    assert model.name == name


@pytest.mark.parametrize("sides", [(None, 5), (5, None), (None, None), (7, 5)])
def test_a_share_of_no_spread_is_nothing(sides: tuple[int | None, int | None]) -> None:
    """Where a side is missing or the market is crossed there is no spread to share."""
    assert slip_units(SpreadSlippage(1), candidate(*sides)) == 0


@pytest.mark.parametrize(
    ("make", "field", "found"),
    [
        (lambda: TickSlippage(-1), "ticks", -1),
        (lambda: TickSlippage(1.5), "ticks", 1.5),  # type: ignore[arg-type]
        (lambda: BasisPointSlippage(-1), "slippage", -1),
        (lambda: SpreadSlippage("x"), "slippage", "x"),
    ],
)
def test_slippage_that_makes_no_sense_is_named(make: Callable[[], object], field: str, found: object) -> None:
    """A model with figures that cannot be meant cannot be made."""
    with pytest.raises(InvalidValueError) as caught:
        make()
    assert (caught.value.field, caught.value.found) == (field, found)


@pytest.mark.parametrize("answer", [-1, "much", None, True])
def test_an_answer_that_is_no_amount_names_the_model(answer: object) -> None:
    """Whatever a model says that is not a number of 0 or more is its mistake, by question and name."""
    with pytest.raises(InvalidValueError) as caught:
        slip_units(Own(answer), candidate())
    assert (caught.value.field, caught.value.found) == ("slip() of slippage model 'own'", answer)
    with pytest.raises(InvalidValueError) as caught:
        quantity_units(Own(answer), candidate())
    assert (caught.value.field, caught.value.found) == ("quantity() of fill model 'own'", answer)


def test_a_model_is_asked_about_this_fill() -> None:
    """What a model sees is the fill that is about to happen."""
    fill, own = candidate(), Own(0)
    for ask in (slip_units, quantity_units):
        ask(own, fill)
        assert own.seen is fill


def test_a_fill_model_may_take_all_and_no_more() -> None:
    """A model can only make a fill worse: from nothing up to what was proposed."""
    assert [quantity_units(Own(n), candidate()) for n in (0, 7)] == [0, 7 * SCALE]
    with pytest.raises(InvalidValueError) as caught:
        quantity_units(Own("7.000000001"), candidate())
    error = caught.value
    assert (error.field, error.found, error.accepted) == ("own", Decimal("7.000000001"), "at most 7")


def test_slippage_moves_a_fill_against_both_sides() -> None:
    """A buyer pays the ticks on top, a seller gets them less."""
    fill = pt.FillSettings(slippage=TickSlippage(2))
    broker = pt.open_paper_broker(cash=1000, kind="margin", fill=fill)
    broker.on_quote("X", bid="9.98", ask="10.00")
    assert broker.buy("X", 1).average_price == Decimal("10.02")
    assert broker.sell("X", 1).average_price == Decimal("9.96")
