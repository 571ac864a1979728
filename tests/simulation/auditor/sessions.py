"""When markets are open, by the auditor's own tables: the short sessions of tests, and New York around clock changes.

Whatever the library's calendars say, nothing here asks them. A market is a row of edges: from then on, this phase.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .facts import ONE

MINUTE = 60 * ONE
Edge = tuple[int, str]
"""(first instant, phase)"""

# Sessions of 93 minutes since 1970: from which minute on there is which phase.
_CYCLE = (
    (0, "pre_market"),
    (7, "pre_open"),
    (9, "regular"),
    (40, "break"),
    (43, "regular"),
    (65, "closing_auction"),
    (69, "after_hours"),
    (78, "post_close"),
    (80, "closed"),
)
_LENGTH = 93 * MINUTE
_SESSION = ("regular", "break")

# In which minute of a session an auction begins to take orders, stops to, and has its price.
_CALLS = {"open": (0, 8, 9), "close": (9, 67, 69)}

# New York, as the exchange published it; beyond these years the auditor knows nothing and says so.
_CLOSED = {
    2025: ("11-27", "12-25"),  # of its last weeks, to which the first days of 2026 look back
    2026: ("01-01", "01-19", "02-16", "04-03", "05-25", "06-19", "07-03", "09-07", "11-26", "12-25"),
    2027: ("01-01", "01-18", "02-15", "03-26", "05-31", "06-18", "07-05", "09-06", "11-25", "12-24"),
}
_HALF = ("2026-11-27", "2026-12-24", "2027-11-26")
_DAY = ((4, 0, "pre_market"), (9, 30, "regular"), (16, 0, "after_hours"), (20, 0, "closed"))
_HALF_DAY = ((4, 0, "pre_market"), (9, 30, "regular"), (13, 0, "after_hours"), (17, 0, "closed"))
_ZONE = ZoneInfo("America/New_York")
_BEFORE = {"open": 2, "close": 10}  # minutes for which an auction takes no more orders before it has its price


class Call(NamedTuple):
    """An auction: from when on it takes orders, until when, by when it has a price, and the session around it."""

    first: int
    until: int
    at: int
    opens: int
    closes: int


def _short(ns: int) -> Iterator[Edge]:
    """Three sessions before an instant, and three after it."""
    begins = ns - ns % _LENGTH
    for cycle in range(-3, 4):
        for minute, phase in _CYCLE:
            yield begins + cycle * _LENGTH + minute * MINUTE, phase


def _new_york(ns: int) -> Iterator[Edge]:
    """The week before an instant, and the one after it."""
    local = datetime.fromtimestamp(ns // ONE, UTC).astimezone(_ZONE).date()
    for offset in range(-7, 8):
        yield from _edges_of(local + timedelta(days=offset))


def _edges_of(day: date) -> Iterator[Edge]:
    if day.year not in _CLOSED:
        raise LookupError(f"nobody told the auditor when New York is open on {day}")
    if day.weekday() > 4 or f"{day:%m-%d}" in _CLOSED[day.year]:
        return
    for hour, minute, phase in _HALF_DAY if day.isoformat() in _HALF else _DAY:
        at = datetime.combine(day, time(hour, minute), _ZONE).astimezone(UTC)
        yield int(at.timestamp()) * ONE, phase


def _short_calls(kind: str, ns: int) -> Iterator[Call]:
    """The auctions of the session that an instant is in, and of the next one."""
    for begins in (ns - ns % _LENGTH, ns - ns % _LENGTH + _LENGTH):
        yield Call(*(begins + minute * MINUTE for minute in (*_CALLS[kind], 9, 65)))


def _new_york_calls(kind: str, ns: int) -> Iterator[Call]:
    """The auctions of the days around an instant."""
    local = datetime.fromtimestamp(ns // ONE, UTC).astimezone(_ZONE).date()
    for offset in range(-1, 8):
        edges = list(_edges_of(local + timedelta(days=offset)))
        if edges:
            first, opens, closes = (at for at, _ in edges[:3])
            at = opens if kind == "open" else closes
            yield Call(first, at - _BEFORE[kind] * MINUTE, at, opens, closes)


class Sessions:
    """The phases and auctions of one market. Edges around the instant last asked for are kept for the next question."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._around = {"short": _short, "XNYS": _new_york}[name]
        self._calls = {"short": _short_calls, "XNYS": _new_york_calls}[name]
        self._edges: list[Edge] = []
        self._good = (1, 0)

    def _find(self, ns: int) -> tuple[list[Edge], int]:
        """The edges, and the place of the one behind which an instant lies."""
        if not self._good[0] <= ns <= self._good[1]:
            self._edges = list(self._around(ns))
            half = _LENGTH if self.name == "short" else 86_400 * ONE
            self._good = ns - half, ns + half
        return self._edges, bisect_right(self._edges, (ns, "~")) - 1

    def phase(self, ns: int) -> tuple[str, int]:
        """The phase that an instant is in, and since when it is."""
        edges, place = self._find(ns)
        return edges[place][1], edges[place][0]

    def call(self, kind: str, ns: int) -> Call:
        """The first auction, ``open`` or ``close``, that has its price after an instant."""
        return next(call for call in self._calls(kind, ns) if call.at > ns)

    def close(self, ns: int, extended: bool) -> int:
        """The end of trading that comes next: of the regular session, or of the trading after it."""
        edges, place = self._find(ns)
        while True:
            ends = self._end_of(edges, place, "after_hours" if extended else "regular")
            if ends is not None and ends > ns:
                return ends
            place += 1

    def _end_of(self, edges: list[Edge], place: int, phase: str) -> int | None:
        """Where trading of this phase ends for its session, if this edge begins its last part."""
        if edges[place][1] != phase:
            return None
        after = edges[place + 1]
        return None if after[1] == "break" else after[0]

    def bookend(self, ns: int) -> int:
        """The first instant after this one at which a session begins, or a minute after one ended."""
        at = ns - MINUTE
        edges, place = self._find(at)
        while True:
            inside = edges[place][1] in _SESSION
            begins, phase = edges[place + 1]
            if (phase in _SESSION) != inside and begins + (MINUTE if inside else 0) > ns:
                return begins + (MINUTE if inside else 0)
            place += 1

    def trades_within(self, first: int, end: int) -> bool:
        """Is there an instant of the regular session from the first to before the end?"""
        while first < end:
            edges, place = self._find(first)
            if edges[place][1] == "regular":
                return True
            first = edges[place + 1][0]
        return False
