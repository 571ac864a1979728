"""How long the shipped calendars still know. The one test that reads the real clock: it is there to fail in time.

What to do when it fails: put the year that the exchanges have announced (NSE does in mid-December) into
``papertrade/calendars/india_days.py``, move ``TENTATIVE_FROM`` to the year after and expect that one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

import papertrade as pt
from papertrade.calendars.builtin import BUILDERS

LEAST = timedelta(days=60)


def stale(calendar: pt.Calendar, today: date) -> str | None:
    """What is wrong with a calendar on a day: it ends soon, or what it only expected has begun."""
    if calendar.known[1] - today < LEAST:
        return f"{calendar.name} is known to {calendar.known[1]} only"
    if calendar.tentative_from is not None and calendar.tentative_from <= today:
        return f"{calendar.name} has only expectations since {calendar.tentative_from}"
    return None


@pytest.mark.parametrize("name", BUILDERS)
def test_shipped_calendars_are_good_for_sixty_days(name: str) -> None:
    """Each calendar knows sixty more days, and today is not one of those that it only expects."""
    assert stale(pt.calendar(name), datetime.now(UTC).date()) is None


def test_a_calendar_that_has_run_out_is_found() -> None:
    """Fifty-nine days are too few, and so is a year that was expected and never confirmed."""
    nse = pt.calendar("XNSE")
    assert stale(nse, date(2026, 11, 21)) is None
    assert stale(nse, date(2027, 1, 1)) == "XNSE has only expectations since 2027-01-01"
    assert stale(nse, date(2027, 11, 2)) == "XNSE is known to 2027-12-31 only"
