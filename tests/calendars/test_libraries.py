"""Calendars of two public libraries as ours. Without the library its tests are skipped; ``.ci/run`` installs both."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec

import pytest

import papertrade as pt
from papertrade.adapters.calendar_rows import calendar_of_rows
from papertrade.errors import CalendarRangeError, InvalidValueError, UnknownCalendarError, UsageError

from .reading import read

pytestmark = pytest.mark.filterwarnings("ignore")  # what the libraries warn of is not ours
needs_xcals = pytest.mark.skipif(find_spec("exchange_calendars") is None, reason="exchange_calendars is not installed")
needs_mcal = pytest.mark.skipif(
    find_spec("pandas_market_calendars") is None, reason="pandas_market_calendars is not installed"
)


@needs_xcals
def test_new_york_is_the_same_both_ways() -> None:
    """XNYS from the library opens and closes when ours does, and knows no day beyond what was built."""
    from papertrade.adapters.exchange_calendars import from_exchange_calendars

    theirs = from_exchange_calendars("XNYS", "2024-01-02", "2026-12-31")
    ours = pt.calendar("XNYS").sessions("2024-01-02", "2026-12-31")
    found = theirs.sessions(*theirs.known)
    assert [(s.day, s.opens, s.closes, s.is_half_day) for s in found] == [
        (s.day, s.opens, s.closes, s.is_half_day) for s in ours
    ]
    with pytest.raises(CalendarRangeError):
        theirs.session("2027-01-04")


@needs_xcals
def test_breaks_and_evenings_before_come_along() -> None:
    """Hong Kong has its lunch, and the futures of Chicago open on the evening before."""
    from papertrade.adapters.exchange_calendars import from_exchange_calendars

    hong_kong = from_exchange_calendars("XHKG", "2026-01-02", "2026-03-31")
    assert hong_kong.phase("2026-01-05T04:30:00Z") is pt.Phase.BREAK
    chicago = from_exchange_calendars("CMES", "2026-01-02", "2026-03-31")
    monday = chicago.session("2026-01-12")
    assert monday is not None
    assert monday.opens.date() == date(2026, 1, 11)


@needs_xcals
def test_lost_weekend_sessions_are_found() -> None:
    """Where the library loses the sessions of its special weekmasks (pandas 3) it is refused, until they are given."""
    from papertrade.adapters.exchange_calendars import LostSessionsError, from_exchange_calendars

    days = {"2024-01-20": "09:15-15:30", "2025-02-01": None}
    given = from_exchange_calendars("XBOM", "2023-01-02", "2025-12-31", days=days)
    saturday = given.session("2024-01-20")
    assert saturday is not None
    assert given.session("2025-02-01") is None
    lost: tuple[str, ...] = ()
    try:
        given = from_exchange_calendars("XBOM", "2023-01-02", "2025-12-31")
    except LostSessionsError as error:
        lost = error.days
    assert lost == ("2024-01-20", "2025-02-01") or given.session("2025-02-01") is not None


@needs_mcal
def test_india_of_the_library_is_the_golden_file() -> None:
    """NSE from the library has the sessions of the golden file, and ends with the last year that has a holiday."""
    from papertrade.adapters.pandas_market_calendars import from_pandas_market_calendars

    nse = from_pandas_market_calendars("NSE", "2015-01-01", "2026-12-31")
    assert {s.day: (s.opens, s.closes) for s in nse.sessions(*nse.known)} == read("xnse.txt")
    latest = from_pandas_market_calendars("NSE", "2025-01-01").known[1]
    with pytest.raises(InvalidValueError, match="no holidays recorded"):
        from_pandas_market_calendars("NSE", last=latest.replace(year=latest.year + 1))


@needs_mcal
def test_rules_go_on_and_tables_do_not() -> None:
    """New York's rules are good for years, with pre-market and after-hours; a table of the moon's days is not."""
    from papertrade.adapters.pandas_market_calendars import _last_year, from_pandas_market_calendars

    nyse = from_pandas_market_calendars("NYSE", "2026-01-01", "2027-12-31")
    assert [(s.opens, s.closes) for s in nyse.sessions(*nyse.known)] == [
        (s.opens, s.closes) for s in pt.calendar("XNYS").sessions("2026-01-01", "2027-12-31")
    ]
    assert nyse.phase("2026-11-25T09:00:00Z") is pt.Phase.PRE_MARKET
    import pandas_market_calendars as library

    assert _last_year(library.get_calendar("NYSE")) == 2049
    assert _last_year(library.get_calendar("SSE")) < 2040


@pytest.mark.parametrize("which", ["exchange_calendars", "pandas_market_calendars"])
def test_a_wrong_name_says_what_was_meant(which: str) -> None:
    """A name that the library does not have is our error, with near names."""
    library = pytest.importorskip(which, reason=f"{which} is not installed")
    adapter = __import__(f"papertrade.adapters.{which}", fromlist=["x"])
    assert library
    with pytest.raises(UnknownCalendarError, match=r"XLON|LSE|XNYS"):
        getattr(adapter, f"from_{which}")("XNYZ")


def test_a_calendar_without_sessions_is_refused() -> None:
    """Rows are checked, whatever library they are from."""
    with pytest.raises(UsageError, match="with sessions between"):
        calendar_of_rows("empty", "UTC", [], (date(2026, 1, 1), date(2026, 1, 2)), "nowhere")
