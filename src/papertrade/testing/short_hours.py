"""A market that opens and closes many times a day, so that drawn commands meet every change of phase."""

from __future__ import annotations

from typing import Final

from papertrade.domain.hours import Bell, Phase, Span, WallTimes
from papertrade.domain.instants import SECOND_NS, to_datetime

MINUTE: Final = 60 * SECOND_NS
CYCLE: Final = (
    (Phase.PRE_MARKET, 7),
    (Phase.PRE_OPEN, 2),
    (Phase.REGULAR, 31),
    (Phase.BREAK, 3),
    (Phase.REGULAR, 22),
    (Phase.CLOSING_AUCTION, 4),
    (Phase.AFTER_HOURS, 9),
    (Phase.POST_CLOSE, 2),
    (Phase.CLOSED, 13),
)
"""The phases of a session in order, each with its minutes."""
AUCTIONS: Final = {"open": (0, 8, 9), "close": (9, 67, 69)}
"""In which minute of a session an auction begins to take orders, stops to, and has its price."""
LENGTH: Final = sum(minutes for _, minutes in CYCLE) * MINUTE


class ShortHours:
    """Sessions of an hour and a half, one after the other since 1970."""

    name = "short"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShortHours)

    def __hash__(self) -> int:
        return hash(self.name)

    def span_at(self, ns: int) -> Span:
        """The phase that an instant is in."""
        begins = ns - ns % LENGTH
        for phase, minutes in CYCLE:
            ends = begins + minutes * MINUTE
            if ns < ends:
                return Span(phase, begins, ends)
            begins = ends
        return self.span_at(begins)

    def day_close(self, ns: int, extended: bool) -> int:
        """The end of the last phase in which an order placed now may trade in its session."""
        last = Phase.AFTER_HOURS if extended else Phase.REGULAR
        begins = ns - ns % LENGTH
        close = begins
        for phase, minutes in CYCLE:
            begins += minutes * MINUTE
            close = begins if phase is last else close
        return close if close > ns else close + LENGTH

    def trade_day(self, ns: int) -> str:
        """The UTC day on which the session that began last began."""
        return to_datetime(ns - ns % LENGTH).date().isoformat()

    def begins_after(self, ns: int, sessions: int) -> int:
        """The first instant of a later session."""
        return ns - ns % LENGTH + sessions * LENGTH

    def wall_ns(self, close_ns: int, times: WallTimes) -> int | None:
        """There is no wall with a clock here."""
        return None

    def auction(self, kind: str, ns: int) -> Bell | None:
        """The first auction whose price is made after an instant."""
        first, until, at = (minutes * MINUTE for minutes in AUCTIONS[kind])
        begins = ns - ns % LENGTH
        if begins + at <= ns:
            begins += LENGTH
        return Bell(begins + first, begins + until, begins + at, begins + 9 * MINUTE, begins + 65 * MINUTE)

    def next_regular(self, ns: int) -> int:
        """The first instant at or after this one in regular hours."""
        span = self.span_at(ns)
        while span.phase is not Phase.REGULAR:
            ns = span.until_ns
            span = self.span_at(ns)
        return ns
