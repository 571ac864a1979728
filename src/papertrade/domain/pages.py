"""Pages: what a search of history answers, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

import attrs

from papertrade.domain.fields import Amount, Instant
from papertrade.domain.instants import text_of_instant
from papertrade.domain.numbers import text_of

T = TypeVar("T")


@attrs.frozen
class Page(Generic[T]):
    """Some of what was searched for, oldest first (or newest first, if that was asked for), and where to go on.

    ``next`` is None on the last page; else give it as ``after`` to the same search. It names the last item and not a
    count, so that nothing is skipped or seen twice while new items arrive.
    """

    items: tuple[T, ...]
    next: str | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class _EquityPoint(NamedTuple):
    account: str
    version: int
    at_ns: int
    equity_units: int
    cause: str


class EquityPoint(_EquityPoint):
    """The equity of an account at a moment at which its journal notes it; ``cause`` is the kind of that event."""

    __slots__ = ()
    equity = Amount()
    at = Instant()

    def __repr__(self) -> str:
        at = text_of_instant(self.at_ns)
        return f"<EquityPoint {self.account}@{self.version} {at}: {text_of(self.equity_units)} {self.cause}>"
