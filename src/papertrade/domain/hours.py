"""When a market is open, as everything outside the calendars sees it: phases, and what answers for them.

The calendars know days and wall clocks; whoever decides about an order asks one of these questions, in nanoseconds.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias


class Phase(StrEnum):
    """What a market is doing. In one phase it does the same thing from beginning to end."""

    CLOSED = "closed"  # between sessions
    PRE_MARKET = "pre_market"  # continuous trading before the regular session, for orders that ask for it
    PRE_OPEN = "pre_open"  # orders are collected for the opening price; nothing trades continuously
    REGULAR = "regular"  # the regular session: continuous trading
    BREAK = "break"  # a pause within a session, such as lunch
    CLOSING_AUCTION = "closing_auction"  # orders are collected for the closing price; continuous trading has ended
    AFTER_HOURS = "after_hours"  # continuous trading after the regular session, for orders that ask for it
    POST_CLOSE = "post_close"  # trades at the closing price, already made

    @property
    def is_extended(self) -> bool:
        """Does it trade for those only who ask for it?"""
        return self is Phase.PRE_MARKET or self is Phase.AFTER_HOURS

    def is_open(self, extended: bool = False) -> bool:
        """Whether there is continuous trading: in the regular session, with ``extended`` also before and after it."""
        return self is Phase.REGULAR or (extended and self.is_extended)


class Span(NamedTuple):
    """A phase with its first instant and the first one after it."""

    phase: Phase
    from_ns: int
    until_ns: int


WallTimes: TypeAlias = tuple[tuple[date, time], ...]
"""Wall-clock times by the day from which they hold, oldest first."""


class Bell(NamedTuple):
    """An auction as an order sees it."""

    from_ns: int  # the first instant at which its session takes orders for it
    until_ns: int  # the first instant at which it is too late for an order
    at_ns: int  # by when its price is made
    opens_ns: int  # when the regular session begins
    closes_ns: int  # the first instant after the regular session, and after its closing auction


class MarketHours(Protocol):
    """What answers when a market is open: a calendar. It raises ``CalendarRangeError`` where it does not know."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def span_at(self, ns: int) -> Span:
        """The phase that an instant is in."""
        ...

    def day_close(self, ns: int, extended: bool) -> int:
        """The close of the session that an order placed now lives in: the one that is not over yet, else the next."""
        ...

    def next_regular(self, ns: int) -> int:
        """The first instant at or after this one in regular hours."""
        ...

    def trade_day(self, ns: int) -> str:
        """The trade date of what is booked at an instant: the day of the session that began last."""
        ...

    def begins_after(self, ns: int, sessions: int) -> int:
        """The first instant of the session so many sessions after the one that began last."""
        ...

    def wall_ns(self, close_ns: int, times: WallTimes) -> int | None:
        """A wall-clock time of the day of the session that ends with this close; None before any of them holds."""
        ...

    def auction(self, kind: str, ns: int) -> Bell | None:
        """The first auction, ``"open"`` or ``"close"``, whose price is made after an instant; None if there is none."""
        ...
