"""The calendars that ship, day for day beside what public libraries have."""

from __future__ import annotations

import papertrade as pt

from .reading import read


def test_new_york_is_the_reference_day_for_day() -> None:
    """Each session from 2000 to 2027 opens and closes when exchange_calendars says, and there are no others."""
    ours = {s.day: (s.opens, s.closes) for s in pt.calendar("XNYS").sessions("2000-01-01", "2027-12-31")}
    golden = read("xnys.txt")
    assert len(golden) == 7041
    assert ours == golden
