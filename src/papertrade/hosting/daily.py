"""The days of an account: those that have ended from the store, the one that is open as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, TypedDict

from papertrade.domain.events import DayClosed, Event
from papertrade.domain.pages import EquityPoint, Page
from papertrade.domain.summaries import DaySummary
from papertrade.domain.wall_clock import parse_day
from papertrade.engine.day_end import roll_up
from papertrade.engine.funds import appraise
from papertrade.errors import InvalidValueError, UnknownDayError
from papertrade.hosting.account_reading import AccountReader
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.hosting.searching import Among, of_events
from papertrade.hosting.windows import Window, parse_window, place_text

_CLOSED: Final[Among] = [("cause", (DayClosed.kind,))]
LEAST: Final = 4  # points: the first, the last, and the two ends of one bucket


class DaySearch(TypedDict, total=False):
    """What ``day_summaries`` takes."""

    first: date | str | None
    last: date | str | None
    after: str | None
    limit: int
    newest_first: bool


def day_summary(reader: AccountReader, day: object = None) -> Flow[DaySummary]:
    """One day; without a name the one that is open."""
    name = None if day is None else parse_day(day, "day").isoformat()
    so_far = yield from _so_far(reader)
    if name is None or (so_far is not None and so_far.day == name):
        if so_far is None:
            raise UnknownDayError(None, reader.account)
        return so_far
    window = parse_window(None, None, None, 1, True)
    found = yield from _closed(reader, window, name, name)
    if not found:
        raise UnknownDayError(name, reader.account)
    return found[0]


def day_summaries(
    reader: AccountReader,
    *,
    first: date | str | None = None,
    last: date | str | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Flow[Page[DaySummary]]:
    """Days in their order, from a first to a last one, both included; the one that is open is the last there is."""
    window = parse_window(None, None, after, limit, newest_first)
    low = None if first is None else parse_day(first, "first").isoformat()
    high = None if last is None else parse_day(last, "last").isoformat()
    found = yield from _closed(reader, window, low, high)
    so_far = yield from _so_far(reader)
    if so_far is not None and _within(so_far.day, low, high):
        if not newest_first and len(found) <= limit:
            found.append(so_far)
        elif newest_first and window.after is None:
            found.insert(0, so_far)
    items = tuple(found[:limit])
    more = len(found) > limit
    return Page(items, place_text((items[-1].event.at_ns, items[-1].event.version)) if more else None)


def _within(day: str, low: str | None, high: str | None) -> bool:
    return (low is None or day >= low) and (high is None or day <= high)


def _so_far(reader: AccountReader) -> Flow[DaySummary | None]:
    """What the open day has come to by now."""
    desk = reader.desk
    seat = yield from desk.seat(reader.account)
    step = desk.engine.step(reader.account, desk.now())
    event = roll_up(step, appraise(seat.state, seat.profile, desk.engine.markets))
    return None if event is None else DaySummary(event, False)


def _closed(reader: AccountReader, window: Window, low: str | None, high: str | None) -> Flow[list[DaySummary]]:
    """Days that have ended and are wanted, one more than the limit."""
    found: list[DaySummary] = []
    while True:
        events: list[DayClosed] = yield from of_events(reader, "equity_points", _CLOSED, window, _day_closed)
        for event in events[: window.limit]:
            if _within(event.day, low, high):
                found.append(DaySummary(event, True))
            elif _is_past(event.day, low, high, window.newest_first):
                return found
        if len(events) <= window.limit or len(found) > window.limit:
            return found
        window = window._replace(after=(events[window.limit - 1].at_ns, events[window.limit - 1].version))


def _is_past(day: str, low: str | None, high: str | None, newest_first: bool) -> bool:
    """Is every day that follows outside too?"""
    if newest_first:
        return low is not None and day < low
    return high is not None and day > high


def _day_closed(event: Event) -> DayClosed | None:
    return event if isinstance(event, DayClosed) else None


# ------------------------------------------------------------------- the end of a day


def versions(desk: Desk) -> dict[str, int]:
    """How far each account has come."""
    return {account: seat.state.version for account, seat in sorted(desk.engine.seats.items())}


def closed_since(desk: Desk, before: dict[str, int]) -> Flow[list[DaySummary]]:
    """The days that were closed since the accounts had these versions."""
    found: list[DaySummary] = []
    for account, version in before.items():
        seat = desk.engine.seats.get(account)
        if seat is not None and seat.state.version > version:
            events: Iterator[Event] = yield desk.store.load, (account, version + 1, seat.state.version)
            found.extend(DaySummary(event, True) for event in events if isinstance(event, DayClosed))
    return found


# ------------------------------------------------------------------------ thinning


def parse_thin(thin: object) -> int:
    """At most how many points."""
    if type(thin) is int and LEAST <= thin <= 1_000_000:
        return thin
    raise InvalidValueError("thin", thin, f"a whole number from {LEAST} to 1,000,000")


def thinned(points: Sequence[EquityPoint], most: int) -> list[EquityPoint]:
    """At most so many points: the first, the last, and of each stretch between them the highest and the lowest."""
    if len(points) <= most:
        return list(points)
    inner = points[1:-1]
    buckets = (most - 2) // 2
    kept = [points[0]]
    for number in range(buckets):
        bucket = inner[number * len(inner) // buckets : (number + 1) * len(inner) // buckets]
        ends = {min(bucket, key=_equity), max(bucket, key=_equity)}
        kept.extend(point for point in bucket if point in ends)
    return [*kept, points[-1]]


def _equity(point: EquityPoint) -> int:
    return point.equity_units
