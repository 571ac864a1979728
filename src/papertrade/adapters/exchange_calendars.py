"""Calendars of the package exchange_calendars (extra ``calendars``), as far as it knows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module
from typing import Any

from papertrade.adapters.calendar_rows import calendar_of_rows, known_name, rows_of
from papertrade.calendars.calendar import Calendar, MendedDays
from papertrade.errors import UsageError

_COLUMNS = {"opens": "open", "closes": "close", "break_start": "break_start", "break_end": "break_end"}


class LostSessionsError(UsageError):
    """The package announces sessions that it does not have: ``days``. Remedy: an older pandas, or give their hours."""

    def __init__(self, name: str, days: tuple[str, ...]) -> None:
        self.name, self.days = name, days
        super().__init__(
            f"exchange_calendars {name} has special weekmasks for {', '.join(days[:8])} and no sessions on these days: "
            "it loses them with pandas 3. Install pandas<3, or say what they are: days={'2026-02-01': '09:15-15:30'} "
            "(None for a day without a session)"
        )


def from_exchange_calendars(
    name: str,
    first: date | str | None = None,
    last: date | str | None = None,
    *,
    days: MendedDays | None = None,
) -> Calendar:
    """A calendar of exchange_calendars as one of ours.

    It knows from the first to the last session that the package built: twenty years back and one ahead unless told
    otherwise, and never beyond the package's own bounds.

    Args:
        name: what the package calls it, such as ``"XLON"``.
        first, last: the days between which it is built.
        days: days to mend at once, as in ``Calendar.with_days``.
    """
    package = import_module("exchange_calendars")
    known_name(name, package.get_calendar_names())
    try:
        found = package.get_calendar(name, start=first, end=last)
    except ValueError as why:
        raise UsageError(f"exchange_calendars cannot build {name} here: {str(why)[:300]}") from why
    rows = rows_of(found.schedule, _COLUMNS)
    known = (found.first_session.date(), found.last_session.date())
    source = f"exchange_calendars {package.__version__}"
    calendar = calendar_of_rows(name, str(found.tz), rows, known, source)
    if days:
        calendar = calendar.with_days(days, note="given to from_exchange_calendars")
    told = {str(day) for day in days or ()}
    missing = [day for day in _promised(found, *known) if calendar.session(day) is None and day.isoformat() not in told]
    if missing:
        raise LostSessionsError(name, tuple(day.isoformat() for day in missing))
    return calendar


def _promised(found: Any, first: date, last: date) -> Iterator[date]:
    """Days that special weekmasks make sessions of although their weekday is none, and that are no holidays."""
    holidays = {str(stamp)[:10] for stamp in found.adhoc_holidays}
    if found.regular_holidays is not None:
        holidays |= {str(stamp)[:10] for stamp in found.regular_holidays.holidays(first, last)}
    for begins, ends, mask in getattr(found, "special_weekmasks", ()):
        for number in range((ends.date() - begins.date()).days + 1):
            day = begins.date() + timedelta(days=number)
            added = mask[day.weekday()] == "1" and found.weekmask[day.weekday()] == "0"
            if added and first <= day <= last and day.isoformat() not in holidays:
                yield day
