"""Fee models: what an order owes, how it is bounded and rounded, and what is said of a model that answers nonsense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

import papertrade as pt
from papertrade.domain.numbers import SCALE
from papertrade.errors import InvalidValueError
from papertrade.ledger.fee_models import FeeSchedule, MakerTakerFee, PercentFee, PerUnitFee
from papertrade.ledger.fees import FeeLines, FeeModel, FeeTally, NoFees, charge, lines_owed, parse_fees

CENT = SCALE // 100
NOTHING = FeeTally("X", 1, 0, 0, 0, CENT)


class Own:
    """Somebody's own model that answers what it is told to."""

    name = "own"

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def owed(self, tally: FeeTally) -> FeeLines:
        return self.answer  # type: ignore[return-value]


def filled(quantity: int, value: str, made: str = "0") -> FeeTally:
    return FeeTally("X", 1, quantity * SCALE, pt.units(value), pt.units(made), CENT)


# ------------------------------------------------------------------ amounts


@pytest.mark.parametrize("model", [PerUnitFee("0.01", minimum=1), PercentFee("0.01", minimum=1)])
def test_nothing_filled_owes_nothing_under_its_kind(model: FeeModel) -> None:
    """A minimum is owed by an order that filled; the line is there all the same, so that kinds never change."""
    assert model.owed(NOTHING) == (("commission", 0),)


def test_minimum_and_cap_may_be_the_same_and_are_met_exactly() -> None:
    """A flat fee is a minimum that equals the cap: below, at and above it the order owes the same."""
    flat = PercentFee("0.01", minimum=5, cap=5)
    owed = [flat.owed(filled(1, value))[0][1] for value in ("499", "500", "501")]
    assert owed == [5 * SCALE] * 3


def test_bounds_between_two_cents_stay_inside_themselves() -> None:
    """A minimum between two cents is rounded up and a cap down, so that the fee stays within both."""
    assert PerUnitFee("0.001", minimum="1.005").owed(filled(1, "10")) == (("commission", 101 * CENT),)
    assert PerUnitFee(9, cap="1.005").owed(filled(1, "10")) == (("commission", 100 * CENT),)


def test_maker_and_taker_parts_are_rounded_together() -> None:
    """Half a cent made and half a cent taken are one cent, not two roundings of half a cent."""
    model = MakerTakerFee(maker="0.0001", taker="0.0002")
    assert model.owed(filled(1, "75", made="50")) == (("commission", CENT),)
    assert model.owed(filled(1, "49", made="0")) == (("commission", CENT),)
    assert model.owed(filled(1, "49", made="49")) == (("commission", 0),)


def test_a_schedule_owes_every_part_in_order() -> None:
    """Several fees at once are several lines, in the order given; a list will do."""
    schedule = FeeSchedule([PerUnitFee(1, kind="exchange"), PercentFee("0.01")])  # type: ignore[arg-type]
    assert schedule.owed(filled(3, "100")) == (("exchange", 3 * SCALE), ("commission", SCALE))
    assert type(schedule.lines) is tuple


# ------------------------------------------------------------------ charging


def test_only_the_difference_is_charged_and_unchanged_lines_are_left_out() -> None:
    """What an order owed before is not charged again; a line that did not move is not on the statement."""
    before = (("commission", 5), ("exchange", 2), ("tax", 4))
    after = (("commission", 5), ("exchange", 3), ("tax", 1))
    assert charge(before, after) == (("exchange", 1), ("tax", -3))
    assert charge((), (("commission", 0), ("exchange", 3))) == (("exchange", 3),)


@pytest.mark.parametrize("after", [(("exchange", 3),), (), (("commission", 3), ("tax", 1))])
def test_a_model_that_changes_its_kinds_is_named(after: FeeLines) -> None:
    """Lines are compared one by one, so they have to be of the same kinds each time."""
    with pytest.raises(InvalidValueError) as caught:
        charge((("commission", 2),), after)
    error = caught.value
    assert (error.field, error.found) == ("fees", after)
    assert error.accepted == "always the same kinds in the same order"


def test_whole_cents_are_handed_on_and_others_are_rounded() -> None:
    """What a model says in whole cents is taken as it is; the rest is rounded to the cent, halves away from zero."""
    said = (("commission", 3 * CENT),)
    assert lines_owed(Own(said), NOTHING) is said
    assert lines_owed(Own((("a", CENT // 2), ("b", CENT // 2 - 1), ("c", -CENT))), NOTHING) == (
        ("a", CENT),
        ("b", 0),
        ("c", -CENT),
    )


@pytest.mark.parametrize(
    "said",
    [
        None,
        7,
        (("commission", 1.5),),
        (("commission", True),),
        ((5, CENT),),
        ((5, 1),),
        (("commission", CENT, 3),),
        (("", CENT),),
        (("two\nlines", CENT),),
        (("\ud800", CENT),),
    ],
)
def test_an_answer_that_is_no_fee_names_the_model(said: object) -> None:
    """Whatever is not pairs of a storable kind and a whole number is the model's mistake, and says whose."""
    with pytest.raises(InvalidValueError) as caught:
        lines_owed(Own(said), NOTHING)
    error = caught.value
    assert (error.field, error.found) == ("owed() of fee model 'own'", said)
    assert error.accepted == "a tuple of (kind, whole number of 10⁻⁹)"
    assert error.__suppress_context__


def test_lines_that_can_be_read_only_once_are_all_charged() -> None:
    """A model may yield its lines: looking at them does not use them up, and the fee is charged."""

    class Yielding(Own):
        def owed(self, tally: FeeTally) -> Iterator[tuple[str, int]]:  # type: ignore[override]
            yield "commission", CENT if tally.quantity_units else 0

    assert lines_owed(Yielding(None), filled(1, "10")) == (("commission", CENT),)  # type: ignore[arg-type]
    broker = pt.open_paper_broker(cash=1000, fees=Yielding(None))  # type: ignore[arg-type]
    broker.on_quote("X", bid=1, ask=2)
    assert broker.buy("X", 1).fees == Decimal("0.01")


# ------------------------------------------------------------------ making one


@pytest.mark.parametrize(
    ("make", "field", "found", "accepted"),
    [
        (lambda: PerUnitFee("x"), "rate", "x", None),
        (lambda: PercentFee(None), "rate", None, None),  # type: ignore[arg-type]
        (lambda: MakerTakerFee(maker="0", taker="1e3"), "rate", "1e3", None),
        (lambda: PerUnitFee(1, minimum=-1), "minimum", -1, "0 or more"),
        (lambda: PerUnitFee(1, cap=0), "cap", 0, "a number above 0"),
        (lambda: PerUnitFee(1, kind=""), "kind", "", None),
        (lambda: PercentFee(1, minimum=2, cap="1.5"), "minimum", Decimal(2), "at most the cap (1.5)"),
        (lambda: FeeSchedule("ab"), "lines", "ab", "a tuple of fee models"),  # type: ignore[arg-type]
        (lambda: FeeSchedule(None), "lines", None, "a tuple of fee models"),  # type: ignore[arg-type]
        (lambda: FeeSchedule((7,)), "lines", 7, "a fee model such as PercentFee('0.0003')"),  # type: ignore[arg-type]
    ],
)
def test_mistakes_in_a_fee_are_named(
    make: Callable[[], object], field: str, found: object, accepted: str | None
) -> None:
    """A fee that makes no sense cannot be made: the error says which field, what was found and what is accepted."""
    with pytest.raises(InvalidValueError) as caught:
        make()
    error = caught.value
    assert (error.field, error.found) == (field, found)
    assert accepted is None or error.accepted == accepted


class Silent:
    """A model that forgot to say what it is called."""

    def owed(self, tally: FeeTally) -> FeeLines:
        return ()


class Named:
    """A name and no fee."""

    name = "named"


class Numbered(Silent):
    """A name that is no text."""

    name = 5


@pytest.mark.parametrize("value", [None, "0.0003", Silent(), Named(), Numbered()])
def test_a_fee_model_has_a_name_and_an_answer(value: object) -> None:
    """Only what can be asked for its fee and listed by name among the assumptions is a fee model."""
    with pytest.raises(InvalidValueError) as caught:
        parse_fees(value, "fees")
    error = caught.value
    assert (error.field, error.found) == ("fees", value)
    assert error.accepted == "a fee model such as PercentFee('0.0003')"


def test_own_models_are_taken_as_they_are() -> None:
    """Whatever answers ``owed()`` under a name is used itself, not a copy."""
    own = Own(())
    assert parse_fees(own, "fees") is own


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (NoFees(), "no fees"),
        (PerUnitFee("0.005"), "0.005 a unit"),
        (PerUnitFee("0.005", minimum=1), "0.005 a unit, at least 1 an order"),
        (PerUnitFee("0.005", cap=9), "0.005 a unit, at most 9 an order"),
        (PercentFee("0.0003", minimum=1, cap=20), "0.0300 % of value, at least 1 an order, at most 20 an order"),
        (MakerTakerFee(maker="-0.0001", taker="0.0005"), "maker -0.0100 %, taker 0.0500 %"),
        (FeeSchedule((NoFees(), PerUnitFee(1))), "no fees; 1 a unit"),
    ],
)
def test_a_fee_is_listed_by_what_it_charges(model: FeeModel, name: str) -> None:
    """The list of assumptions says the rate, its bounds, and nothing about bounds that are not there."""
    assert model.name == name
