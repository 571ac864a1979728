"""Wall-clock times of a session's day and the instants they stand for: text, clock changes.

A wall-clock time is whole seconds from the local midnight at which the session's day begins: 34,200 is 09:30, -21,600
is 18:00 of the evening before, 93,600 is 02:00 of the morning after.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from papertrade.domain.instants import SECOND_NS
from papertrade.errors import InvalidValueError

DAY_S = 86_400
EPOCH_DAY = date(1970, 1, 1).toordinal()
_WALL = re.compile(r"(?:(previous|next) )?(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
_SHIFTS = {"previous": -DAY_S, "next": DAY_S, None: 0}
_ACCEPTED_WALL = "a wall-clock time such as '09:30', '24:00', 'previous 18:00' or 'next 02:00'"


def wall_of(value: str | time | int, field: str) -> int:
    """Seconds from the day's midnight: of text, of a bare time, or as they are."""
    if isinstance(value, time) and value.tzinfo is None and not value.microsecond:
        return value.hour * 3600 + value.minute * 60 + value.second
    if type(value) is int and -DAY_S <= value <= 2 * DAY_S:
        return value
    if type(value) is str and (found := _WALL.fullmatch(value)):
        hour, minute, second = (int(part or 0) for part in found.groups()[1:])
        seconds = hour * 3600 + minute * 60 + second
        if minute < 60 and second < 60 and seconds <= DAY_S:
            return seconds + _SHIFTS[found[1]]
    raise InvalidValueError(field, value, _ACCEPTED_WALL)


def wall_text(seconds: int) -> str:
    """A wall-clock time as it is typed."""
    word = "previous " if seconds < 0 else "next " if seconds > DAY_S else ""
    hour, rest = divmod(seconds - _SHIFTS[word.strip() or None], 3600)
    minute, second = divmod(rest, 60)
    return f"{word}{hour:02d}:{minute:02d}" + (f":{second:02d}" if second else "")


def instant_of_wall(zone: ZoneInfo, ordinal: int, seconds: int) -> int:
    """The instant at which the clocks of a zone show this time of this day.

    Never earlier for a later wall clock, also where clocks change: a time that is shown twice is its first showing, and
    one that is skipped is the instant of the change.
    """
    before, after = _offsets(zone, ordinal, seconds)
    wall = (ordinal - EPOCH_DAY) * DAY_S + seconds
    if before >= after:
        return (wall - before) * SECOND_NS
    low, high = wall - after, wall - before  # the clocks are put forward after the first, by the second at the latest
    while high - low > 1:
        middle = (low + high) // 2
        if _offset((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=middle)).astimezone(zone)) == before:
            low = middle
        else:
            high = middle
    return high * SECOND_NS


def clock_of_day(zone: ZoneInfo, ordinal: int, first: int, last: int) -> Callable[[int], int]:
    """``instant_of_wall`` for the times of one day between two of them; most days have one offset throughout."""
    found = {*_offsets(zone, ordinal, first), *_offsets(zone, ordinal, last)}
    if len(found) > 1:
        return lambda seconds: instant_of_wall(zone, ordinal, seconds)
    base = (ordinal - EPOCH_DAY) * DAY_S - found.pop()
    return lambda seconds: (base + seconds) * SECOND_NS


def _offsets(zone: ZoneInfo, ordinal: int, seconds: int) -> tuple[int, int]:
    """The offset by which a wall-clock time is read before and after a change of the clocks; mostly they are one."""
    days, second = divmod(seconds, DAY_S)
    local = datetime.fromordinal(ordinal + days).replace(tzinfo=zone) + timedelta(seconds=second)
    return _offset(local), _offset(local.replace(fold=1))


def _offset(local: datetime) -> int:
    offset = local.utcoffset() or timedelta(0)
    return offset.days * DAY_S + offset.seconds
