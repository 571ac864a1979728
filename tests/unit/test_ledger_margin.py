"""Margin models: what must stand behind a position, and what is said of a model that answers nonsense."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

import papertrade as pt
from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import SCALE
from papertrade.errors import InvalidValueError
from papertrade.ledger.margin import CashModel, CheckedMargin, FlatMargin, MarginModel, parse_margin

X = Instrument("X")
CENT = SCALE // 100


class Own:
    """Somebody's own model: a fixed sum for any size, and remembers what it was asked."""

    name = "own"
    may_short = True
    marked_to_market = False
    answer: object = 5 * SCALE

    def initial(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        self.asked = ("initial", instrument, quantity_units, price_units)
        return self.answer  # type: ignore[return-value]

    def maintenance(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        self.asked = ("maintenance", instrument, quantity_units, price_units)
        return self.answer  # type: ignore[return-value]


def without(name: str, instead: object = None) -> Own:
    """An own model in which one thing is something else."""
    model = Own()
    setattr(model, name, instead)
    return model


def test_what_is_paid_in_full_needs_its_value_and_nothing_to_keep_it() -> None:
    """A cash account pays the whole value when it buys, and can never get a margin call."""
    model = CashModel()
    assert model.initial(X, 3 * SCALE, 7 * SCALE) == 21 * SCALE
    assert model.maintenance(X, 3 * SCALE, 7 * SCALE) == 0


def test_a_flat_fraction_is_rounded_up_to_the_cent_for_longs_and_shorts() -> None:
    """A requirement is never a cent short: a fifth of 1.01 is 0.21, long and short."""
    model = FlatMargin(initial="0.2", maintenance="0.1")
    assert [model.initial(X, sign * SCALE, 101 * CENT) for sign in (1, -1)] == [21 * CENT] * 2
    assert [model.maintenance(X, sign * SCALE, 101 * CENT) for sign in (1, -1)] == [11 * CENT] * 2


def test_the_whole_value_is_a_fraction_and_both_may_be_the_same() -> None:
    """A fraction of 1 is no leverage; maintenance may be as high as initial."""
    model = FlatMargin(initial=1, maintenance=1)
    assert model.initial(X, SCALE, 101 * CENT) == model.maintenance(X, SCALE, 101 * CENT) == 101 * CENT


@pytest.mark.parametrize(
    ("make", "field", "found", "accepted"),
    [
        (lambda: FlatMargin(initial="1.1"), "initial", "1.1", "more than 0 and at most 1"),
        (lambda: FlatMargin(initial=0), "initial", 0, "a number above 0"),
        (lambda: FlatMargin(maintenance="x"), "maintenance", "x", None),
        (lambda: FlatMargin(initial="0.1", maintenance="0.2"), "maintenance", Decimal("0.2"), "at most initial (0.1)"),
    ],
)
def test_mistakes_in_a_margin_model_are_named(
    make: Callable[[], object], field: str, found: object, accepted: str | None
) -> None:
    """Fractions that make no sense cannot be set: the error says which, what was found and what is accepted."""
    with pytest.raises(InvalidValueError) as caught:
        make()
    error = caught.value
    assert (error.field, error.found) == (field, found)
    assert accepted is None or error.accepted == accepted


@pytest.mark.parametrize("model", [CashModel(), FlatMargin()])
def test_the_models_of_the_house_are_used_themselves(model: MarginModel) -> None:
    """What is known to answer rightly is not checked at every question."""
    assert parse_margin(model, "margin") is model


def test_an_own_model_is_asked_what_was_asked() -> None:
    """Name, permissions and requirements of an own model reach the account as the model says them."""
    own = Own()
    checked = parse_margin(own, "margin")
    assert type(checked) is CheckedMargin
    assert (checked.name, checked.may_short, checked.marked_to_market) == ("own", True, False)
    assert checked.initial(X, -3, 7) == 5 * SCALE
    assert own.asked == ("initial", X, -3, 7)
    assert checked.maintenance(X, 4, 8) == 5 * SCALE
    assert own.asked == ("maintenance", X, 4, 8)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.2",
        *(without(name) for name in ("name", "may_short", "marked_to_market", "initial", "maintenance")),
        without("name", 5),
        without("may_short", 1),
        without("marked_to_market", "yes"),
        type("Bare", (), {})(),
    ],
)
def test_a_margin_model_answers_all_its_questions(value: object) -> None:
    """A model without a name, without a yes or no to a permission, or that cannot be asked, is none."""
    with pytest.raises(InvalidValueError) as caught:
        parse_margin(value, "margin")
    error = caught.value
    assert (error.field, error.found) == ("margin", value)
    assert error.accepted == "a margin model such as FlatMargin(initial='0.2', maintenance='0.1')"


@pytest.mark.parametrize("answer", [-1, 1.5, True, None, Decimal(1)])
@pytest.mark.parametrize("question", ["initial", "maintenance"])
def test_only_whole_units_of_nothing_or_more_reach_the_books(question: str, answer: object) -> None:
    """An own model that answers with anything else is named with its answer."""
    own = Own()
    own.answer = answer
    checked = parse_margin(own, "margin")
    with pytest.raises(InvalidValueError) as caught:
        getattr(checked, question)(X, SCALE, SCALE)
    error = caught.value
    assert (error.field, error.found) == (f"{question}() of margin model 'own'", answer)
    assert error.accepted == "units of money: an int of 0 or more"


def test_a_model_may_ask_for_nothing() -> None:
    """Zero is an answer: a position that needs no margin."""
    own = Own()
    own.answer = 0
    assert parse_margin(own, "margin").initial(X, SCALE, SCALE) == 0


def test_an_own_model_stands_behind_an_account() -> None:
    """An account under an own model shows the margin that the model asks for, and its name."""
    broker = pt.open_paper_broker(cash=100, kind="margin", margin=without("marked_to_market", True))
    broker.on_quote("X", bid="10", ask="10")
    broker.buy("X", 2)
    account = broker.account()
    assert (account.margin_model, account.initial_margin, account.maintenance_margin) == ("own", 5, 5)
