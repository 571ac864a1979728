"""Days and times of day as people give them, each read in one place."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final

from papertrade.errors import InvalidValueError

_DAY: Final = "a day: a date or text such as '2026-11-27'"
_TIME: Final = "a wall-clock time such as '00:00' or '17:00'"


def parse_day(value: object, field: str, accepted: str = _DAY) -> date:
    """A day, from a date or from text as it is written back: no weeks, no shortened forms."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if type(value) is str and len(value) == 10:
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = None
        if found is not None and found.isoformat() == value:
            return found
    raise InvalidValueError(field, value, accepted)


def parse_clock(value: object, field: str, accepted: str = _TIME) -> time:
    """A time of day without a zone, from a time or from text."""
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if type(value) is str and len(value) <= 8:
        try:
            found = time.fromisoformat(value)
        except ValueError:
            found = None
        if found is not None and found.tzinfo is None:
            return found
    raise InvalidValueError(field, value, accepted)
