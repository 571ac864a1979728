"""Entries: every money fact balances, and what does not balance is stopped by name."""

from __future__ import annotations

import pytest

import papertrade as pt
from papertrade.domain.events import Evidence, OrderFilled, OrderTriggered
from papertrade.domain.numbers import SCALE
from papertrade.errors import InvariantError
from papertrade.ledger.entries import Postings, book, check_balanced, entry_of, trial_balance
from papertrade.ledger.postings import postings_of

EVIDENCE = Evidence("quote", 1, 0, ())


def a_fill(value: int, closed: int = 0, released: int = 0, realized: int = 0, sign: int = 1) -> OrderFilled:
    """A fill of one piece that moved this much money, without fees or holds."""
    return OrderFilled(
        "main", 7, 5, 1, 1, "X", sign, SCALE, value, value, value, closed and SCALE, closed, released, realized, (), 0,
        0, "taker", "Q1", EVIDENCE, "m",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ([("assets:cash", 5 * SCALE), ("equity:deposits", -4 * SCALE)], "1"),
        ([("assets:cash", -1)], "-0.000000001"),
        ([("assets:cash", SCALE), ("equity:deposits", 0)], "1"),
    ],
)
def test_an_entry_that_does_not_balance_stops_the_account_by_name(lines: Postings, total: str) -> None:
    """The error says which account and version, what the lines sum to, and that it had to be zero."""
    for check in (lambda: check_balanced(lines, "main", 3), lambda: book({}, lines, "main", 3)):
        with pytest.raises(InvariantError) as caught:
            check()
        error = caught.value
        assert (error.check, error.account, error.expected) == ("L1 balanced entry", "main", 0)
        assert error.found == f"a sum of {total} at version 3"


def test_booking_adds_to_what_is_there() -> None:
    """Balances are sums over all entries, and all of them together are zero."""
    books = {"assets:cash": 7, "equity:deposits": -7}
    book(books, [("assets:cash", -2), ("assets:holds", 2)], "main", 4)
    assert books == {"assets:cash": 5, "assets:holds": 2, "equity:deposits": -7}
    assert trial_balance(books) == 0
    assert trial_balance({"assets:cash": 5, "assets:holds": 2}) == 7


def test_an_entry_says_whose_it_is_and_what_it_comes_from() -> None:
    """Account, version, instant, kind, currency and lines of an entry are those of its event."""
    broker = pt.open_paper_broker(cash=100, clock="data", currency="EUR")
    broker.on_quote("X", bid=10, ask=10, at="2026-01-05T10:00:00Z")
    broker.buy("X", 2)
    entry = broker.entries()[-1]
    fill = broker.events(kinds="order_filled")[-1]
    assert (entry.account, entry.version, entry.at, entry.kind, entry.currency) == (
        "main", fill.version, fill.at, "order_filled", "EUR",
    )  # fmt: skip
    assert [(p.ledger_account, p.amount) for p in entry.postings] == [("assets:positions", 20), ("assets:cash", -20)]
    assert repr(entry) == f"<Entry main@{fill.version} order_filled: assets:positions 20, assets:cash -20 EUR>"


def test_an_event_that_moves_no_money_has_no_entry() -> None:
    """A trigger, a fill worth nothing, or an order that holds nothing is not a money fact."""
    assert entry_of(OrderTriggered("main", 1, 0, 1, "Q5", EVIDENCE), "USD") is None
    assert postings_of(a_fill(0)) == []
    broker = pt.open_paper_broker(cash=100)
    broker.on_quote("X", bid=10, ask=10)
    broker.buy("X", 2)
    broker.sell("X", 2, limit_price=11)
    assert broker.events()[-1].kind == "order_accepted"
    assert postings_of(broker.events()[-1]) == []
    assert broker.entries()[-1].kind == "order_filled"


def test_a_sale_at_cost_has_no_profit_line() -> None:
    """Only what changed is on the entry: cost out, cash in, and no line of zero."""
    assert postings_of(a_fill(SCALE, closed=SCALE, released=SCALE, sign=-1)) == [
        ("assets:positions", -SCALE),
        ("assets:cash", SCALE),
    ]


def test_an_unbalanced_event_cannot_become_an_entry() -> None:
    """A fill whose figures contradict each other is named with its account and version."""
    with pytest.raises(InvariantError) as caught:
        entry_of(a_fill(SCALE, released=1), "USD")
    assert caught.value.account == "main"
    assert str(caught.value.found) == "a sum of -0.000000001 at version 7"
