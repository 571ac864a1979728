"""Sessions from other libraries as a calendar of ours: every session is a day with its own hours, and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from papertrade.calendars.calendar import Calendar
from papertrade.calendars.hours import Hours, Segment
from papertrade.domain.hours import Phase
from papertrade.errors import InvalidValueError, UnknownCalendarError

Row = tuple[date, tuple[tuple[Phase, datetime, datetime], ...]]
_DAY_S = 86_400


def known_name(name: str, names: Iterable[str]) -> str:
    """A name that the library has, or the error that says which it may have been."""
    from difflib import get_close_matches  # only mistakes need it

    known = sorted(map(str, names))
    if type(name) is not str or name not in known:
        raise UnknownCalendarError(str(name), get_close_matches(str(name)[:40], known, n=2), ())
    return name


def rows_of(schedule: Any, columns: Mapping[str, str]) -> list[Row]:
    """The rows of a schedule table; ``columns`` names its opens, closes, break_start, break_end, pre and post."""
    rows = []
    for stamp, cells in schedule.iterrows():
        # NaT, a time that is not there, is the one value that differs from itself.
        found = {
            ours: cells[theirs].to_pydatetime()
            for ours, theirs in columns.items()
            if theirs in cells.index and cells[theirs] == cells[theirs]
        }
        opens, closes = found["opens"], found["closes"]
        pauses = (found["break_start"], found["break_end"]) if {"break_start", "break_end"} <= set(found) else None
        pieces = [(Phase.PRE_MARKET, found.get("pre", opens), opens)]
        if pauses is None or pauses[0] >= pauses[1]:
            pieces.append((Phase.REGULAR, opens, closes))
        else:
            pieces += [(Phase.REGULAR, opens, pauses[0]), (Phase.REGULAR, pauses[1], closes)]
        pieces.append((Phase.AFTER_HOURS, closes, found.get("post", closes)))
        rows.append((stamp.date(), tuple(piece for piece in pieces if piece[1] < piece[2])))
    return rows


def calendar_of_rows(name: str, zone: str, rows: list[Row], known: tuple[date, date], source: str) -> Calendar:
    """A calendar of these sessions and no others; its usual hours are the most frequent ones."""
    if not rows:
        raise InvalidValueError("name", name, f"a calendar with sessions between {known[0]} and {known[1]}")
    place = ZoneInfo(zone)
    made: dict[tuple[tuple[Phase, int, int], ...], Hours] = {}
    special, seen = [], Counter[str]()
    for day, pieces in rows:
        walls = tuple((phase, _wall(day, begins, place), _wall(day, ends, place)) for phase, begins, ends in pieces)
        hours = made.get(walls)
        if hours is None:
            hours = made[walls] = Hours([Segment(*wall) for wall in walls])
        special.append((day, hours, ""))
        seen[str(hours)] += 1
    found = Calendar(
        name=name, zone=place, hours=seen.most_common(1)[0][0], weekdays=(), special=special, known=known, source=source
    )
    for day, pieces in rows:
        session = found.session(day)
        ours = () if session is None else tuple((piece.phase, piece.begins, piece.ends) for piece in session.segments)
        if ours != pieces:
            raise InvalidValueError("name", name, f"a calendar whose session of {day} fits the clock of {zone}")
    return found


def _wall(day: date, at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    days = (local.date() - day).days
    return days * _DAY_S + local.hour * 3600 + local.minute * 60 + local.second
