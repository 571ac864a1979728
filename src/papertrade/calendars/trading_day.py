"""Which trading day an instant belongs to: the single source for everything that is per day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import attrs

from papertrade.domain.hours import MarketHours
from papertrade.domain.instants import SECOND_NS, parse_instant, to_datetime
from papertrade.domain.wall_clock import parse_clock
from papertrade.errors import InvalidValueError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from papertrade.calendars.calendar import Calendar


def zone_of(value: str | ZoneInfo) -> ZoneInfo:
    """A zone of the zone table, by its name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # with the first account, not with the library

    if isinstance(value, ZoneInfo):
        return value
    if type(value) is str and 0 < len(value) <= 64 and value.isascii() and value.isprintable():
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise InvalidValueError("zone", value, "an IANA zone name such as 'Asia/Kolkata' or 'America/New_York'")


def _utc() -> ZoneInfo:
    return zone_of("UTC")  # looked up when first needed, because a zone is a file


def _starts(value: str | time) -> time:
    return parse_clock(value, "starts")


def _calendar(value: Calendar | str | None) -> Calendar | None:
    if value is None:
        return None
    if isinstance(value, str):
        from papertrade.calendars.builtin import calendar

        return calendar(value)
    from papertrade.calendars.calendar import Calendar

    if isinstance(value, Calendar):
        return value
    raise InvalidValueError("calendar", value, "a Calendar, or the name of one that ships, such as 'XNSE'")


@attrs.frozen
class TradingDay:
    """A trading day begins every day at a wall-clock time of one zone; an instant belongs to the day that began last.

    With a calendar, days without a session belong to the next session's day: a weekend is part of its Monday.

    >>> ist = TradingDay("Asia/Kolkata")
    >>> ist.of("2026-01-05T18:29:59Z"), ist.of("2026-01-05T18:30:00Z")
    ('2026-01-05', '2026-01-06')
    >>> TradingDay("Asia/Kolkata", calendar="XNSE").of("2026-01-24T06:00:00Z")
    '2026-01-27'
    """

    zone: ZoneInfo = attrs.field(factory=_utc, converter=zone_of)
    starts: time = attrs.field(default=time(0), converter=_starts)
    calendar: Calendar | None = attrs.field(default=None, converter=_calendar)

    def of(self, at: datetime | str | int) -> str:
        """The day of an instant as ISO text."""
        return self.day_of(parse_instant(at, "at"))

    def day_of(self, ns: int) -> str:
        """The day of an instant in nanoseconds."""
        return self._day(ns).isoformat()

    def ends(self, ns: int) -> int:
        """The first instant of the day after the one that ``ns`` belongs to."""
        return self._start(self._day(ns) + timedelta(days=1))

    def end_of(self, day: str) -> int:
        """The first instant after a day, as ISO text; what was mended in a calendar since it began does not move it."""
        return self._start(date.fromisoformat(day) + timedelta(days=1))

    def with_calendar(self, calendar: MarketHours) -> TradingDay:
        """The same day by another calendar of the same name; itself, if it goes by another one or by none."""
        mine = self.calendar
        if mine is None or not isinstance(calendar, type(mine)) or calendar.name != mine.name:
            return self
        return attrs.evolve(self, calendar=calendar)

    def _day(self, ns: int) -> date:
        day = to_datetime(ns).astimezone(self.zone).date()
        # Around a clock change the wall clock alone can mislead by a day; the starts decide.
        while self._start(day) > ns:
            day -= timedelta(days=1)
        while self._start(day + timedelta(days=1)) <= ns:
            day += timedelta(days=1)
        return day if self.calendar is None else self.calendar.session_on_or_after(day).day

    def _start(self, day: date) -> int:
        local = datetime.combine(day, self.starts, self.zone)
        # Not through the parser: the day of 1970-01-01 began in 1969 west of Greenwich.
        since = local.astimezone(UTC) - to_datetime(0)
        return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000
