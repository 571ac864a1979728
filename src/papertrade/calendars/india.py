"""Indian markets: shares, their derivatives, currencies and commodities, by the tables of ``india_days``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from papertrade.calendars import india_days as days
from papertrade.calendars.calendar import Calendar
from papertrade.calendars.hours import AuctionTimes, Hours

ZONE = "Asia/Kolkata"
CLOSING_AUCTION_SINCE = "2026-08-03"
FUTURES_PRE_OPEN_SINCE = "2025-12-08"
_SHARES_SOURCE = "tables of holidays and special sessions, 2027 as expected (papertrade.calendars.india_days)"

PRE_OPEN: Final = AuctionTimes("open", at="09:12", accepts_from="09:00", accepts_until="09:08")
SHARES: Final = Hours("pre_open 09:00-09:15, 09:15-15:30, post_close 15:40-16:00", auctions=[PRE_OPEN])
SHARES_SINCE_AUCTION: Final = Hours("pre_open 09:00-09:15, 09:15-15:30, post_close 15:50-16:00", auctions=[PRE_OPEN])
SHARES_WITH_AUCTION: Final = Hours(
    "pre_open 09:00-09:15, 09:15-15:15, closing_auction 15:15-15:35, post_close 15:50-16:00",
    auctions=[PRE_OPEN, AuctionTimes("close", at="15:35", accepts_from="15:20", accepts_until="15:30")],
)
DERIVATIVES: Final = Hours("09:15-15:30")
DERIVATIVES_PRE_OPEN: Final = Hours("pre_open 09:00-09:15, 09:15-15:30", auctions=[PRE_OPEN])


def shares(name: str, *, closing_auction: bool) -> Calendar:
    """Shares on NSE or BSE; those with derivatives have had a closing auction since August 2026."""
    since = SHARES_WITH_AUCTION if closing_auction else SHARES_SINCE_AUCTION
    return Calendar(
        name=name,
        zone=ZONE,
        hours={days.FIRST_DAY: SHARES, CLOSING_AUCTION_SINCE: since},
        closed=_closed(),
        special=_special(SHARES, nse=not name.startswith("XBOM")),
        known=(days.FIRST_DAY, days.LAST_DAY),
        tentative_from=days.TENTATIVE_FROM,
        source=f"{_SHARES_SOURCE}; minutes of the pre-open since 2026-09-07 are those from before",
    )


def derivatives(name: str) -> Calendar:
    """Futures and options on shares and indices: to 15:30, to 15:40 since August 2026."""
    if name == "NFO":
        later = Hours("pre_open 09:00-09:15, 09:15-15:40", auctions=[PRE_OPEN])
        hours = {
            days.FIRST_DAY: DERIVATIVES,
            FUTURES_PRE_OPEN_SINCE: DERIVATIVES_PRE_OPEN,
            CLOSING_AUCTION_SINCE: later,
        }
    else:
        hours = {days.FIRST_DAY: DERIVATIVES, CLOSING_AUCTION_SINCE: Hours("09:15-15:40")}
    return Calendar(
        name=name,
        zone=ZONE,
        hours=hours,
        closed=_closed(),
        special=_special(DERIVATIVES, nse=name == "NFO"),
        known=(days.FIRST_DAY, days.LAST_DAY),
        tentative_from=days.TENTATIVE_FROM,
        source=_SHARES_SOURCE,
    )


def currencies() -> Calendar:
    """Currency derivatives, 09:00-17:00; also closed when banks are."""
    return Calendar(
        name="CDS",
        zone=ZONE,
        hours="09:00-17:00",
        closed=[*days.ANNOUNCED, *days.EXPECTED, *days.CURRENCY_TOO],
        special=[row for row in _muhurat() if row[0] >= "2026"],
        known=("2026-01-01", days.LAST_DAY),
        tentative_from=days.TENTATIVE_FROM,
        source="circular NSE/CD/71962 and that of January 2026, 2027 expected (papertrade.calendars.india_days)",
    )


def commodities() -> Calendar:
    """Commodities other than agricultural: 09:00 to 23:30 while New York has daylight time, else to 23:55."""
    first, last = date(2026, 1, 1), date.fromisoformat(days.LAST_DAY)
    ends = {day: end for day, end in _evening_ends(first, last) if day == first or end != _end(day - timedelta(days=1))}
    closed, special = [], [row for row in _muhurat() if row[0] >= "2026"]
    for day, note in (*days.ANNOUNCED, *days.EXPECTED):
        if day[5:] in days.COMMODITIES_CLOSED or day in days.GOOD_FRIDAYS:
            closed.append((day, note))
        else:
            special.append((day, Hours(f"17:00-{_end(date.fromisoformat(day))}"), f"evening only: {note}"))
    special += [(day, Hours("09:00-17:00"), "New Year's Day: no evening") for day in days.EVENING_CLOSED]
    return Calendar(
        name="MCX",
        zone=ZONE,
        hours={day: Hours(f"09:00-{end}") for day, end in ends.items()},
        closed=closed,
        special=special,
        known=(first, last),
        tentative_from=days.TENTATIVE_FROM,
        source="commodity holidays of 2026 by circular, 2027 expected (papertrade.calendars.india_days)",
    )


def _closed() -> Iterator[tuple[str, str]]:
    for year, text in days.SHARES_CLOSED.items():
        yield from ((f"{year}-{day}", "holiday") for day in text.split())
    yield from days.ANNOUNCED
    yield from days.EXPECTED


def _special(full: Hours, *, nse: bool) -> list[tuple[str, Hours, str]]:
    rows = [(day, full, note) for day, note in days.FULL_WEEKEND]
    rows += [(day, Hours(text), note) for day, text, note in days.DRILLS]
    day, text, note = days.NSE_OUTAGE if nse else days.BSE_LONGER
    rows.append((day, Hours(text), note))
    return [*rows, *_muhurat()]


def _muhurat() -> list[tuple[str, Hours, str]]:
    return [(day, Hours(text), f"muhurat trading{note}") for day, text, note in days.MUHURAT]


def _evening_ends(first: date, last: date) -> Iterator[tuple[date, str]]:
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield day, _end(day)


def _end(day: date) -> str:
    """When the evening ends: earlier while the clocks of New York are put forward."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("America/New_York"))
    return "23:30" if noon.dst() else "23:55"
