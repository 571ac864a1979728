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


# What the reference has otherwise, and why ours stands.
OURS_ALONE = {
    **dict.fromkeys(
        ("2016-10-30", "2019-10-27", "2020-11-14", "2023-11-12", "2026-11-08"),
        "muhurat trading on a weekend: the library has no sessions outside its weekdays (its issue 480)",
    ),
    **dict.fromkeys(
        ("2015-02-28", "2020-02-01", "2025-02-01", "2026-02-01"),
        "Union Budget on a weekend, announced by circular (2026: NSE/CMTR/72349); the same issue",
    ),
    "2024-01-20": "full Saturday session before the closure of Monday 22 January; the same issue",
    **dict.fromkeys(("2024-03-02", "2024-05-18"), "drill on a Saturday in two short sessions; the same issue"),
}


def test_india_is_the_reference_but_for_what_is_listed() -> None:
    """From 2015 to 2026 NSE's sessions are those of pandas_market_calendars; the listed days alone are ours."""
    ours = {s.day: (s.opens, s.closes) for s in pt.calendar("XNSE").sessions("2015-01-01", "2026-12-31")}
    golden = read("xnse.txt")
    assert len(golden) > 2900
    assert {day.isoformat() for day in ours.keys() - golden.keys()} == set(OURS_ALONE)
    assert {day: ours.get(day) for day in golden} == golden
