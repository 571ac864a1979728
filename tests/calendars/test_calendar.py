"""What people type: names, days of their own, mended days, and what is refused."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, time, timedelta

import pytest

import papertrade as pt
from papertrade.errors import CalendarRangeError, InvalidValueError, NaiveDatetimeError, UnknownCalendarError

KNOWN = ("2026-01-01", "2026-12-31")


def desk(hours: object = "09:00-17:30", **more: object) -> pt.Calendar:
    made = {"name": "desk", "zone": "Europe/Berlin", "hours": hours, "known": KNOWN, **more}
    return pt.Calendar(**made)  # type: ignore[arg-type]


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("typed", "name"),
    [("NYSE", "XNYS"), ("nasdaq", "XNYS"), ("US", "XNYS"), ("nse", "XNSE"), ("24/7", "24x7"), ("bcd", "CDS")],
)
def test_calendars_are_found_by_what_people_call_them(typed: str, name: str) -> None:
    """Aliases and the case of letters do not matter, and one calendar is built once."""
    assert pt.calendar(typed).name == name
    assert pt.calendar(typed) is pt.calendar(name)


def test_a_wrong_name_says_what_was_meant() -> None:
    """A name that does not ship is a LookupError with near names."""
    with pytest.raises(UnknownCalendarError, match="did you mean 'XNYS'") as caught:
        pt.calendar("XNY")
    assert "XNYS" in caught.value.near
    assert isinstance(caught.value, LookupError)
    with pytest.raises(InvalidValueError):
        pt.calendar(None)  # type: ignore[arg-type]


# ------------------------------------------------------------------ the half day after Thanksgiving


def test_the_day_after_thanksgiving() -> None:
    """A half day closes at 13:00, its auction takes orders until 12:50, and after-hours trading ends at 17:00."""
    nyse = pt.calendar("XNYS")
    half = nyse.session("2026-11-27")
    assert half is not None
    assert half.is_half_day
    assert half.note == "day after Thanksgiving"
    assert repr(half) == "<Session XNYS 2026-11-27: 09:30-13:00 America/New_York, half day>"
    close = half.auction("close")
    assert close is not None
    assert close.accepts_until == datetime(2026, 11, 27, 17, 50, tzinfo=UTC)
    times = ("08:59", "09:00", "14:30", "17:59:59", "18:00", "21:59:59", "22:00")
    shown = [nyse.phase(f"2026-11-27T{time}Z") for time in times]
    assert shown == ["closed", "pre_market", "regular", "regular", "after_hours", "after_hours", "closed"]
    assert not nyse.is_open("2026-11-27T18:00:00Z")
    assert nyse.is_open("2026-11-27T18:00:00Z", extended=True)
    assert nyse.next_open("2026-11-27T18:00:00Z") == datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    assert nyse.next_change("2026-11-27T18:00:00Z") == datetime(2026, 11, 27, 22, tzinfo=UTC)
    assert nyse.session("2026-11-26") is None
    assert nyse.note("2026-11-26") == "Thanksgiving Day"


# ------------------------------------------------------------------ mending


def test_a_day_is_mended_in_one_line() -> None:
    """Hours for a day, several segments too, or None to close it; the calendar that was there stays as it is."""
    nse = pt.calendar("XNSE")
    mended = nse.with_days(
        {"2026-11-08": "18:00-19:00", "2026-12-31": None, "2026-12-05": "09:15-10:00,11:30-12:30"}, note="circular 1"
    )
    evening = mended.session("2026-11-08")
    assert evening is not None
    assert (evening.note, evening.opens) == ("circular 1", datetime(2026, 11, 8, 12, 30, tzinfo=UTC))
    assert mended.session("2026-12-31") is None
    assert mended.phase("2026-12-05T05:00:00Z") is pt.Phase.BREAK
    assert "2026-12-31: circular 1" in mended.source
    assert nse.session("2026-12-31") is not None
    assert mended.with_days({date(2026, 12, 31): "09:15-15:30"}).session("2026-12-31") is not None


def test_an_announced_year_is_confirmed() -> None:
    """What the circular says is mended, ``usual`` has the hours in force with their auctions, nothing is tentative."""
    nse = pt.calendar("XNSE")
    announced = nse.with_days(
        {"2027-03-22": "usual", "2027-03-23": None, "2027-02-06": "usual"}, confirmed_through="2027-12-31"
    )
    assert not any(session.is_tentative for session in announced.sessions("2027-01-01", "2027-12-31"))
    monday, saturday = announced.session("2027-03-22"), announced.session("2027-02-06")
    assert monday is not None
    assert saturday is not None
    assert monday.auction("open") is not None
    assert not saturday.is_half_day
    assert announced.session("2027-03-23") is None
    half = nse.with_days({}, confirmed_through="2027-06-30")
    assert half.tentative_from == date(2027, 7, 1)
    assert half.source == nse.source


def test_a_calendar_is_made_to_know_more() -> None:
    """``known_through`` adds ordinary days; without it a day beyond is refused with what is known."""
    small = desk()
    assert small.with_days({"2027-01-01": None}, known_through="2027-12-31").session("2027-01-04") is not None
    with pytest.raises(CalendarRangeError, match=r"known from 2026-01-01 to 2026-12-31 .* 2027-01-01.*with_days"):
        small.with_days({"2027-01-01": None})


# ------------------------------------------------------------------ the edges of knowledge


def test_outside_of_what_is_known_is_an_error() -> None:
    """Every question about an unknown time raises, and the error says what is known and the remedy."""
    small = desk()
    inside, after = "2026-12-31T20:00:00Z", "2026-12-31T23:00:00Z"  # 23:00 UTC is midnight in Berlin
    assert small.phase(inside) is pt.Phase.CLOSED
    assert small.phase_at(1_798_745_400_000_000_000)[1] == 1_798_758_000_000_000_000  # up to the end of knowledge
    for ask in (
        lambda: small.phase(after),
        lambda: small.phase("2025-12-31T22:59:59Z"),
        lambda: small.next_open(inside),
        lambda: small.next_close(inside),
        lambda: small.next_change(inside),
        lambda: small.day_close(1_798_745_400_000_000_000),
        lambda: small.session("2027-01-01"),
        lambda: small.sessions("2025-12-31", "2026-01-05"),
        lambda: small.offset("2026-12-31", 1),
        lambda: small.offset("2026-01-01", -1),
    ):
        with pytest.raises(CalendarRangeError, match="known from 2026-01-01 to 2026-12-31"):
            ask()


def test_sessions_over_midnight_end_knowledge_where_the_unknown_day_begins() -> None:
    """A market that opens the evening before is not known on the last evening."""
    futures = desk("previous 18:00-17:00", weekdays="Mon-Sun")
    assert futures.is_open("2026-12-31T15:59:00Z")
    with pytest.raises(CalendarRangeError):
        futures.phase("2026-12-31T17:00:00Z")  # 18:00 in Berlin, when the session of 2027-01-01 would begin
    late = desk("18:00-next 02:00", weekdays="Mon-Sun")
    with pytest.raises(CalendarRangeError):
        late.phase("2026-01-01T00:30:00Z")  # 01:30 in Berlin, where the session of 2025-12-31 may still be on
    assert late.phase("2026-01-01T01:00:00Z") is pt.Phase.CLOSED


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    "hours",
    [
        "", "9-17", "09:00", "09:00-09:00", "17:00-09:00", "09:00-25:00", "09:61-10:00", "09:00-12:00,11:00-13:00",
        "12:30-13:00,09:00-11:00", "pre_market 04:00-09:30", "lunch 09:00-10:00", "closed 09:00-10:00",
        "previous 01:00-02:00", "09:00-12:00;13:00-17:00", None, 9,
    ],
)  # fmt: skip
def test_hours_that_make_no_sense_are_refused(hours: object) -> None:
    """Hours have to be in order, within a day of each other, and to have a regular session."""
    with pytest.raises(InvalidValueError):
        desk(hours)


@pytest.mark.parametrize(
    "more",
    [
        {"weekdays": "Mon-Funday"},
        {"weekdays": [7]},
        {"closed": ["20260101"]},
        {"closed": [datetime(2026, 1, 1, tzinfo=UTC)]},
        {"known": ("2026-12-31", "2026-01-01")},
        {"known": ("2026-01-01",)},
        {"hours": {"2026-02-01": "09:00-17:00"}},  # nothing holds in January
        {"special": {"2026-05-04": "20:00-next 10:00"}},  # it would reach into the hours of the next day
        {"tentative_from": "soon"},
    ],
)
def test_calendars_that_contradict_themselves_are_refused(more: dict[str, object]) -> None:
    """Days are days, weekdays weekdays, and no session reaches into the next."""
    with pytest.raises(InvalidValueError):
        desk(**{"hours": "09:00-17:30", **more})


def test_naive_datetimes_are_refused() -> None:
    """An instant without a zone means nothing."""
    with pytest.raises(NaiveDatetimeError):
        pt.calendar("XNYS").is_open(datetime(2026, 1, 5, 10, 0))  # noqa: DTZ001


@pytest.mark.parametrize(
    "times",
    [
        {"at": "09:00", "accepts_until": "09:30"},
        {"at": "10:00", "accepts_until": "09:00", "accepts_from": "09:30"},
    ],
)
def test_auctions_take_orders_before_their_price(times: dict[str, str]) -> None:
    """Orders are taken from, until, and the price is made at: in this order."""
    with pytest.raises(InvalidValueError):
        pt.AuctionTimes("close", **times)


# ------------------------------------------------------------------ values


def test_calendars_are_values() -> None:
    """Two calendars of the same data are equal, also after a copy or a trip to another process."""
    first, second = desk(closed={"2026-05-01": "Labor Day"}), desk(closed=[date(2026, 5, 1)])
    assert first != second
    assert first == desk(closed=[("2026-05-01", "Labor Day")])
    assert hash(first) == hash(desk(closed=[("2026-05-01", "Labor Day")]))
    for again in (pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):  # noqa: S301
        assert again == first
        assert again.sessions(*KNOWN) == first.sessions(*KNOWN)
    with pytest.raises(AttributeError):
        first.name = "other"  # type: ignore[misc]


def test_hours_change_on_a_day() -> None:
    """Hours by the day from which they hold: the day itself has the new ones."""
    moved = desk({"2026-01-01": "09:00-17:00", "2026-07-01": pt.Hours("08:00-20:00")})
    before, after = moved.session("2026-06-30"), moved.session("2026-07-01")
    assert before is not None
    assert after is not None
    assert (before.closes - before.opens, after.closes - after.opens) == (timedelta(hours=8), timedelta(hours=12))


def test_special_days_win_over_weekday_and_closed() -> None:
    """A day with hours of its own has a session, whatever else is said of it."""
    odd = desk(closed=["2026-05-01"], special={"2026-05-01": "10:00-12:00", "2026-05-02": "10:00-11:00"})
    assert [str(s.day) for s in odd.sessions("2026-05-01", "2026-05-03")] == ["2026-05-01", "2026-05-02"]


def test_a_session_is_told_as_plain_values() -> None:
    """``to_dict`` has every instant as text."""
    session = desk().session("2026-01-05")
    assert session is not None
    told = session.to_dict()
    assert (told["opens"], told["closes"]) == ("2026-01-05T08:00:00Z", "2026-01-05T16:30:00Z")
    assert told["segments"] == [["regular", "2026-01-05T08:00:00Z", "2026-01-05T16:30:00Z"]]


def test_times_of_day_may_be_time_objects() -> None:
    """A segment takes bare times as well as text."""
    from papertrade.calendars.hours import Segment

    assert Segment("regular", time(9), time(17, 30)) == Segment("regular", "09:00", "17:30")


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("XNYS", "2026-03-06", "2026-03-10"), ("XNSE", "2026-11-06", "2026-11-10"), ("MCX", "2026-10-30", "2026-11-04")],
)
def test_spans_follow_each_other_whoever_asks_and_when(name: str, first: str, last: str) -> None:
    """Over a weekend each span begins where the one before it ends, at whichever of its instants it is asked for."""
    hours = pt.calendar(name)
    at, end = (int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()) * 10**9 for day in (first, last))
    span = hours.span_at(at)
    while at < end:
        for ns in range(at, min(end, span.until_ns), 3 * 3_600 * 10**9):
            assert hours.span_at(ns) == span
        before, at = span, span.until_ns
        span = hours.span_at(at)
        assert (span.from_ns, span.phase != before.phase) == (at, True)


def test_before_its_first_session_a_calendar_has_been_closed_since_it_is_known() -> None:
    """New York in the night to January 3, 2000: nothing that ended is known."""
    hours = pt.calendar("XNYS")
    at = int(datetime.fromisoformat("2000-01-02T12:00:00+00:00").timestamp()) * 10**9
    assert hours.span_at(at).from_ns == int(datetime.fromisoformat("2000-01-01T05:00:00+00:00").timestamp()) * 10**9
