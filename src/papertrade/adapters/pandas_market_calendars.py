"""Calendars of the package pandas_market_calendars (extra ``calendars``), as far as it has holidays for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from importlib import import_module
from typing import Any

from papertrade.adapters.calendar_rows import calendar_of_rows, known_name, rows_of
from papertrade.calendars.calendar import Calendar
from papertrade.domain.wall_clock import parse_day
from papertrade.errors import InvalidValueError

_COLUMNS = {"opens": "market_open", "closes": "market_close"}
_COLUMNS |= {name: name for name in ("break_start", "break_end", "pre", "post")}
LATEST_YEAR = 2049
_TABLE_YEARS, _TABLE_FED = 10, 5


def from_pandas_market_calendars(
    name: str, first: date | str = "2015-01-01", last: date | str | None = None
) -> Calendar:
    """A calendar of pandas_market_calendars as one of ours.

    The package answers for every year, also for those whose holidays it does not have: then each weekday is a session.
    So it is asked up to the end of the last year with a recorded holiday only, and a later ``last`` is refused.

    Args:
        name: what the package calls it, such as ``"NSE"``.
        first, last: the days between which it is built; ``last`` is as late as can be unless given.
    """
    package = import_module("pandas_market_calendars")
    known_name(name, package.get_calendar_names())
    found = package.get_calendar(name)
    latest = date(_last_year(found), 12, 31)
    begin, end = parse_day(first, "first"), latest if last is None else parse_day(last, "last")
    if end > latest:
        raise InvalidValueError("last", last, f"at most {latest}: {name} has no holidays recorded after that year")
    if begin > end:
        raise InvalidValueError("first", first, f"a day not after {end}")
    times = "all" if "pre" in found.regular_market_times else None
    schedule = found.schedule(begin.isoformat(), end.isoformat(), **({"market_times": times} if times else {}))
    source = f"pandas_market_calendars {package.__version__}"
    return calendar_of_rows(name, str(found.tz), rows_of(schedule, _COLUMNS), (begin, end), source)


def _last_year(found: Any) -> int:
    """The last year in which any holiday is recorded.

    Rules go on for ever. But where one-off days are listed in most years, they are the table that makes the calendar
    (holidays of the moon), and the rules beside it know only the rest: then the table decides.
    """
    listed = _years(found.adhoc_holidays)
    ruled = _years(found.holidays().holidays)
    if not ruled:
        return LATEST_YEAR  # no holiday at all, such as a market that never closes
    recent = {year for year in listed if year > max(listed) - _TABLE_YEARS}
    return min(max(listed) if len(recent) >= _TABLE_FED else max(ruled), LATEST_YEAR)


def _years(days: Iterable[object]) -> set[int]:
    return {int(str(day)[:4]) for day in days}
