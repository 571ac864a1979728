"""The closed vocabularies and the one table of legal moves."""

from __future__ import annotations

from itertools import product

import pytest

from papertrade.domain import words
from papertrade.domain.lifecycle import MOVES, next_status
from papertrade.domain.words import OrderStatus, OrderType, Side, TimeInForce
from papertrade.errors import InvalidValueError, InvariantError

HAPPENINGS = (
    "accepted", "rejected", "triggered", "partly_filled", "filled", "modified", "reduced", "canceled", "expired",
)  # fmt: skip

# Written out by hand, so that a change of the table has to be meant twice.
LEGAL = {
    ("pending", "accepted"): "accepted",
    ("pending", "rejected"): "rejected",
    ("accepted", "triggered"): "triggered",
    ("accepted", "partly_filled"): "partially_filled",
    ("accepted", "filled"): "filled",
    ("accepted", "modified"): "accepted",
    ("accepted", "reduced"): "accepted",
    ("accepted", "canceled"): "canceled",
    ("accepted", "expired"): "expired",
    ("triggered", "partly_filled"): "partially_filled",
    ("triggered", "filled"): "filled",
    ("triggered", "modified"): "triggered",
    ("triggered", "reduced"): "triggered",
    ("triggered", "canceled"): "canceled",
    ("triggered", "expired"): "expired",
    ("partially_filled", "partly_filled"): "partially_filled",
    ("partially_filled", "filled"): "filled",
    ("partially_filled", "modified"): "partially_filled",
    ("partially_filled", "reduced"): "partially_filled",
    ("partially_filled", "canceled"): "canceled",
    ("partially_filled", "expired"): "expired",
}


@pytest.mark.parametrize(("status", "what"), [*product(OrderStatus, (*HAPPENINGS, "", "reborn"))])
def test_every_pair_is_legal_or_raises(status: OrderStatus, what: str) -> None:
    """Each (status, happening) is in the table with one outcome, or it is a broken invariant."""
    expected = LEGAL.get((status.value, what))
    if expected is None:
        with pytest.raises(InvariantError, match="O1 order lifecycle"):
            next_status(status, what, "main")
    else:
        assert next_status(status, what, "main") is OrderStatus(expected)


def test_final_is_final_and_table_is_closed() -> None:
    """No move leaves a final status, none returns to pending, and the table holds nothing else."""
    assert {(s.value, w): a.value for (s, w), a in MOVES.items()} == LEGAL
    assert not [key for key in MOVES if key[0].is_final]
    assert OrderStatus.PENDING not in MOVES.values()
    with pytest.raises(TypeError):
        MOVES[OrderStatus.FILLED, "filled"] = OrderStatus.ACCEPTED  # type: ignore[index]


def test_a_trigger_happens_once() -> None:
    """A stop that was triggered cannot be triggered again."""
    assert [status for status, what in MOVES if what == "triggered"] == [OrderStatus.ACCEPTED]


def test_open_and_final_divide_the_statuses() -> None:
    """Every status is open or final, never both."""
    assert {s for s in OrderStatus if s.is_final} == {
        OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED,
    }  # fmt: skip
    assert all(s.is_open is not s.is_final for s in OrderStatus)


# ------------------------------------------------------------------ spelling


class Loud(str):
    """A str whose every answer is an error."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]

    def lower(self) -> str:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError


SPELLED = [
    (words.SIDE_SPELLINGS, "BUY", Side.BUY),
    (words.SIDE_SPELLINGS, "s", Side.SELL),
    (words.SIDE_SPELLINGS, Side.SELL, Side.SELL),
    (words.TYPE_SPELLINGS, "SL-M", OrderType.STOP),
    (words.TYPE_SPELLINGS, "sl", OrderType.STOP_LIMIT),
    (words.TYPE_SPELLINGS, OrderType.LIMIT, OrderType.LIMIT),
    (words.TIF_SPELLINGS, "Day", TimeInForce.DAY),
    (words.STATUS_SPELLINGS, "cancelled", OrderStatus.CANCELED),
]
MISSPELLED: list[object] = [
    "", " buy", "buy ", "buу", "ｂｕｙ", "long", "x" * 33, "x" * 5_000_000, b"buy", 1, None, True, [], Loud("buy"),
    "buy\x00", "\ud800", "ſ", object(), float("nan"),
]  # fmt: skip


@pytest.mark.parametrize(("spellings", "given_", "word"), SPELLED, ids=str)
def test_spelling_is_forgiven_at_the_edge(spellings: object, given_: str, word: str) -> None:
    """Upper case and the brokers' own names are understood."""
    assert words.parse_word(given_, spellings, "word") is word  # type: ignore[arg-type,type-var]


@pytest.mark.parametrize("given_", MISSPELLED, ids=lambda v: type(v).__name__)
def test_other_words_are_refused(given_: object) -> None:
    """Nothing is guessed, folded or trimmed; the accepted words are in the error."""
    with pytest.raises(InvalidValueError, match="buy, b, sell, s"):
        words.parse_word(given_, words.SIDE_SPELLINGS, "side")
    with pytest.raises(InvalidValueError, match="buy, sell"):
        words.parse_enum(given_, Side, "side")


def test_flags_are_true_or_false() -> None:
    """1, "yes" and whatever else looks true is not True."""
    assert words.parse_flag(True, "x") is True
    assert words.parse_flag(False, "x") is False
    for value in (1, 0, "true", None, [], Loud("x"), 1.0):
        with pytest.raises(InvalidValueError, match="True or False"):
            words.parse_flag(value, "x")
