"""Sessions and instants agree: over fifty years, across clock changes, and for hours of every shape."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import papertrade as pt
from papertrade.domain.instants import DAY_NS, SECOND_NS, parse_instant

NEW_YORK = ZoneInfo("America/New_York")


def ns(text: str) -> int:
    return parse_instant(text, "at")


def tiles(calendar: pt.Calendar, begin: int, end: int) -> list[tuple[pt.Phase, int, int]]:
    """The phases of a stretch of time, one after the other, walked by ``phase_at`` alone."""
    found, at = [], begin
    while at < end:
        phase, until = calendar.phase_at(at)
        assert until > at
        assert calendar.phase_at(until - 1) == (phase, until)
        found.append((phase, at, until))
        at = until
    return found


# ------------------------------------------------------------------ fifty years


def test_fifty_years_have_no_gap_and_no_overlap() -> None:
    """From 2000 to 2049 each session opens and closes once, in order, and the phases tile time from end to end."""
    nyse = pt.calendar("XNYS")
    sessions = nyse.sessions("2000-01-01", "2049-12-31")
    assert all(s.begins_ns < s.opens_ns < s.closes_ns < s.ends_ns for s in sessions)
    assert all(one.ends_ns < other.begins_ns for one, other in pairwise(sessions))
    walked = tiles(nyse, ns("2000-01-01T05:00:00Z"), ns("2050-01-01T05:00:00Z"))
    assert [(begin, end) for phase, begin, end in walked if phase is pt.Phase.REGULAR] == [
        (s.opens_ns, s.closes_ns) for s in sessions
    ]
    assert all(one[0] is not other[0] for one, other in pairwise(walked))


def test_next_open_and_next_close_are_those_of_the_sessions() -> None:
    """Asked at an opening or a close and just before it, over fifty years, the next ones are the next ones."""
    nyse = pt.calendar("XNYS")
    sessions = nyse.sessions("2000-01-01", "2049-12-31")[::7]
    for s in sessions[:-1]:
        following = nyse.offset(s.day, 1)
        assert nyse.next_open(s.opens_ns - 1) == s.opens
        assert nyse.next_open(s.opens_ns) == following.opens
        assert nyse.next_close(s.closes_ns - 1) == s.closes
        assert nyse.next_close(s.closes_ns) == following.closes
        assert nyse.day_close(s.opens_ns - 1) == nyse.day_close(s.opens_ns) == s.closes_ns
        assert nyse.day_close(s.closes_ns) == following.closes_ns
        assert nyse.day_close(s.closes_ns, extended=True) == s.ends_ns
        assert nyse.session_at_or_after(s.closes_ns - 1).day == s.day
        assert nyse.session_at_or_after(s.closes_ns).day == following.day


@given(st.integers(ns("2000-01-01T05:00:00Z"), ns("2049-12-30T05:00:00Z")))
def test_each_instant_is_in_the_phase_of_its_session(at: int) -> None:
    """An instant is in a session's phase exactly if the session has a segment there."""
    nyse = pt.calendar("XNYS")
    phase, until = nyse.phase_at(at)
    found = [(p.phase, p.ends_ns) for s in _around(nyse, at) for p in s.segments if p.begins_ns <= at < p.ends_ns]
    assert found == ([] if phase is pt.Phase.CLOSED else [(phase, until)])
    assert nyse.next_change(at) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=until // 1000)


def _around(calendar: pt.Calendar, at: int) -> list[pt.Session]:
    day = date(1970, 1, 1) + timedelta(days=at // DAY_NS)
    first, last = max(day - timedelta(days=2), calendar.known[0]), min(day + timedelta(days=2), calendar.known[1])
    return calendar.sessions(first, last)


# ------------------------------------------------------------------ clock changes


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        ("2026-03-06", "14:30"),  # the last Friday of winter time
        ("2026-03-09", "13:30"),  # the first Monday of summer time; Europe changes on 29 March
        ("2026-03-30", "13:30"),
        ("2026-10-30", "13:30"),  # Europe changed on 25 October
        ("2026-11-02", "14:30"),
    ],
)
def test_new_york_opens_at_half_past_nine_of_its_own_clock(day: str, opens: str) -> None:
    """The opening moves in UTC with the clocks of New York, also in the weeks in which Europe's are elsewhere."""
    session = pt.calendar("XNYS").session(day)
    assert session is not None
    assert f"{session.opens:%H:%M}" == opens
    assert f"{session.opens.astimezone(NEW_YORK):%H:%M}" == "09:30"


def around_the_clock(zone: str, **more: object) -> pt.Calendar:
    known = ("2026-01-01", "2026-12-31")
    return pt.Calendar(name="test", zone=zone, weekdays="Mon-Sun", known=known, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hours", "day", "minutes"),
    [
        ("01:30-04:00", "2026-03-08", 90),  # 02:00 to 03:00 is skipped
        ("02:15-03:05", "2026-03-08", 5),  # it begins in the hour that is not there
        ("01:30-02:30", "2026-11-01", 120),  # 01:00 to 02:00 is there twice; it begins with the first
        ("01:15-01:45", "2026-11-01", 30),
        ("00:00-24:00", "2026-03-08", 23 * 60),
        ("00:00-24:00", "2026-11-01", 25 * 60),
        ("previous 18:00-17:00", "2026-03-08", 22 * 60),
        ("18:00-next 02:00", "2026-10-31", 8 * 60),  # 02:00 of 1 November, after the repeated hour's end
    ],
)
def test_a_session_opens_and_closes_once_when_clocks_change(hours: str, day: str, minutes: int) -> None:
    """The wall clock decides: a skipped hour is not traded, a repeated one is; one opening, one close."""
    calendar = around_the_clock("America/New_York", hours=hours)
    session = calendar.session(day)
    assert session is not None
    expected = minutes + 60 * (hours == "18:00-next 02:00")  # that night has an hour more than the wall clock shows
    assert session.closes - session.opens == timedelta(minutes=expected)


def test_a_session_within_the_skipped_hour_is_not_there() -> None:
    """Where the clocks jump over all of a session's regular hours, that day has none."""
    calendar = around_the_clock("America/New_York", hours="02:15-02:45")
    assert calendar.session("2026-03-08") is None
    assert calendar.session("2026-03-07") is not None


SHAPES = ["00:00-24:00", "02:10-02:50", "09:00-11:30,12:30-15:00", "previous 18:00-17:00", "22:00-next 03:00"]
ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.sampled_from(ZONES),
    st.sampled_from(["Mon-Fri", "Sun-Thu", "Mon-Sun"]),
    st.lists(st.dates(date(2011, 12, 20), date(2012, 4, 10)), max_size=5),
)
def test_phases_of_any_calendar_tile_time(hours: str, zone: str, weekdays: str, closed: list[date]) -> None:
    """Whatever the hours and the zone, each instant is in one phase, and the sessions are what is not closed."""
    calendar = pt.Calendar(
        name="test", zone=zone, hours=hours, weekdays=weekdays, closed=closed, known=("2011-12-15", "2012-04-15")
    )
    sessions = calendar.sessions("2011-12-15", "2012-04-15")
    assert all(one.ends_ns <= other.begins_ns for one, other in pairwise(sessions))
    begin, end = ns("2011-12-17T00:00:00Z"), ns("2012-04-14T00:00:00Z")
    traded = sum(min(e, end) - b for phase, b, e in tiles(calendar, begin, end) if phase is pt.Phase.REGULAR)
    segments = [p for s in sessions for p in s.segments if p.phase is pt.Phase.REGULAR]
    assert traded == sum(max(min(p.ends_ns, end) - max(p.begins_ns, begin), 0) for p in segments)


# ------------------------------------------------------------------ always open


def test_crypto_never_closes() -> None:
    """24x7 is in its regular session at every instant, in leap years and over their ends; its days are those of UTC."""
    always = pt.calendar("24x7")
    for at in ("1970-01-01T00:00:00Z", "2028-02-29T23:59:59.999999999Z", "2027-01-01T00:00:00Z"):
        assert always.is_open(at)
    assert always.phase_at(0)[1] == ns("2262-04-11T00:00:00Z")
    assert always.day_close(ns("2028-02-29T12:00:00Z")) == ns("2028-03-01T00:00:00Z")
    assert always.day_close(ns("2028-03-01T00:00:00Z")) == ns("2028-03-02T00:00:00Z")
    leap = always.session("2028-02-29")
    assert leap is not None
    assert leap.closes_ns - leap.opens_ns == 86_400 * SECOND_NS
