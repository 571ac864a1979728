"""The New York Stock Exchange, and every other exchange for US shares: by rules, with the closures that no rule knows.

dateutil works out the movable days; it is imported when the calendar is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from papertrade.calendars.calendar import Calendar
from papertrade.calendars.hours import AuctionTimes, Hours

FIRST_YEAR, LAST_YEAR = 2000, 2049
PUBLISHED_THROUGH = 2027  # the exchange announces its holidays some years ahead; later years follow from the same rules

FULL_DAY: Final = Hours(
    "pre_market 04:00-09:30, 09:30-16:00, after_hours 16:00-20:00",
    auctions=(
        AuctionTimes("open", at="09:30", accepts_until="09:28"),
        AuctionTimes("close", at="16:00", accepts_until="15:50"),
    ),
)
HALF_DAY: Final = Hours(
    "pre_market 04:00-09:30, 09:30-13:00, after_hours 13:00-17:00",
    auctions=(
        AuctionTimes("open", at="09:30", accepts_until="09:28"),
        AuctionTimes("close", at="13:00", accepts_until="12:50"),
    ),
)

CLOSED_ONCE: Final = (
    *((f"2001-09-{day}", "attacks of September 11") for day in (11, 12, 13, 14)),
    ("2004-06-11", "mourning for President Reagan"),
    ("2007-01-02", "mourning for President Ford"),
    *((f"2012-10-{day}", "Hurricane Sandy") for day in (29, 30)),
    ("2018-12-05", "mourning for President George H. W. Bush"),
    ("2025-01-09", "mourning for President Carter"),
)
HALF_ONCE: Final = (
    ("2002-07-05", "day after Independence Day"),
    ("2003-12-26", "day after Christmas"),
)


def new_york() -> Calendar:
    """US shares: regular 09:30-16:00, with pre-market from 04:00 and after-hours trading to 20:00."""
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    halves: list[tuple[date | str, str]] = [*HALF_ONCE, *(half for year in years for half in _half_days(year))]
    return Calendar(
        name="XNYS",
        zone="America/New_York",
        hours=FULL_DAY,
        closed=[*(holiday for year in years for holiday in _holidays(year)), *CLOSED_ONCE],
        special=[(day, HALF_DAY, why) for day, why in halves],
        known=(f"{FIRST_YEAR}-01-01", f"{LAST_YEAR}-12-31"),
        tentative_from=f"{PUBLISHED_THROUGH + 1}-01-01",
        source="holidays and early closings by the rules of the New York Stock Exchange, one-off closures as they were",
    )


def _holidays(year: int) -> Iterator[tuple[date, str]]:
    from dateutil.easter import easter
    from dateutil.relativedelta import MO, TH, relativedelta, weekday

    def nth(month: int, which: weekday, day: int = 1) -> date:
        return date(year, month, day) + relativedelta(weekday=which)

    # A Saturday New Year is not made up for: the Friday before is the last day of the old year's books.
    if (new_year := date(year, 1, 1)).weekday() != 5:
        yield _observed(new_year), "New Year's Day"
    yield nth(1, MO(3)), "Martin Luther King Jr. Day"
    yield nth(2, MO(3)), "Washington's Birthday"
    yield easter(year) - timedelta(days=2), "Good Friday"
    yield nth(5, MO(-1), 31), "Memorial Day"
    if year >= 2022:
        yield _observed(date(year, 6, 19)), "Juneteenth"
    yield _observed(date(year, 7, 4)), "Independence Day"
    yield nth(9, MO(1)), "Labor Day"
    yield nth(11, TH(4)), "Thanksgiving Day"
    yield _observed(date(year, 12, 25)), "Christmas Day"


def _observed(day: date) -> date:
    """A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _half_days(year: int) -> Iterator[tuple[date, str]]:
    from dateutil.relativedelta import TH, relativedelta

    # On a Friday July 3 is the holiday itself; on a Wednesday it has been a half day since 2013.
    if (third := date(year, 7, 3)).weekday() in ((0, 1, 2, 3) if year >= 2013 else (0, 1, 3)):
        yield third, "day before Independence Day"
    yield date(year, 11, 1) + relativedelta(weekday=TH(4)) + timedelta(days=1), "day after Thanksgiving"
    if (eve := date(year, 12, 24)).weekday() < 4:
        yield eve, "Christmas Eve"
