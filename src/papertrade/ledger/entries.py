"""Entries: balanced money facts. An entry that does not balance cannot be built or booked."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from papertrade.domain.events import Event
from papertrade.domain.fields import Amount, Instant
from papertrade.domain.numbers import text_of
from papertrade.errors import InvariantError
from papertrade.ledger.postings import postings_of

Postings: TypeAlias = "list[tuple[str, int]]"
Books: TypeAlias = "dict[str, int]"
"""Balance of each ledger account, in units."""


class _Posting(NamedTuple):
    ledger_account: str
    amount_units: int


class Posting(_Posting):
    """One line of an entry: which ledger account, by how much (debit positive)."""

    __slots__ = ()
    amount = Amount()


class _Entry(NamedTuple):
    account: str
    version: int
    at_ns: int
    kind: str
    currency: str
    postings: tuple[Posting, ...]


class Entry(_Entry):
    """A balanced money fact and the event it comes from."""

    __slots__ = ()
    at = Instant()

    def __repr__(self) -> str:
        lines = ", ".join(f"{p.ledger_account} {text_of(p.amount_units)}" for p in self.postings)
        return f"<Entry {self.account}@{self.version} {self.kind}: {lines} {self.currency}>"


def entry_of(event: Event, currency: str) -> Entry | None:
    """The entry of an event; None when no money moved."""
    lines = postings_of(event)
    if not lines:
        return None
    check_balanced(lines, event.account, event.version)
    postings = tuple(Posting(name, units) for name, units in lines)
    return Entry(event.account, event.version, event.at_ns, event.kind, currency, postings)


def check_balanced(lines: Postings, account: str, version: int) -> None:
    """Raise unless the lines sum to zero."""
    total = sum(units for _, units in lines)
    if total:
        raise InvariantError("L1 balanced entry", account, f"a sum of {text_of(total)} at version {version}", 0)


def book(books: Books, lines: Postings, account: str, version: int) -> None:
    """Add lines to the balances; if they turn out not to balance, the account's books are wrong and it stops."""
    total = 0
    for name, units in lines:
        books[name] = books.get(name, 0) + units
        total += units
    if total:
        check_balanced(lines, account, version)


def trial_balance(books: Books) -> int:
    """The sum of all ledger accounts: zero, always."""
    return sum(books.values())
