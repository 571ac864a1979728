"""Indian markets: phases, auctions, special sessions, New York's clock in Mumbai, and what is tentative."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

import papertrade as pt

INDIA = ZoneInfo("Asia/Kolkata")
SHARES = ("XNSE", "XNSE-CAS", "XBOM", "XBOM-CAS", "NFO", "BFO")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=INDIA)


def hours(name: str, day: str) -> str:
    """The regular segments and the closing auction of a day as the wall clock shows them."""
    session = pt.calendar(name).session(day)
    if session is None:
        return "closed"
    kept = [p for p in session.segments if p.phase in (pt.Phase.REGULAR, pt.Phase.CLOSING_AUCTION)]
    return ",".join(f"{p.begins.astimezone(INDIA):%H:%M}-{p.ends.astimezone(INDIA):%H:%M}" for p in kept)


@pytest.mark.parametrize(
    ("name", "day", "shown"),
    [
        ("XNSE", "2026-07-31", "09:15-15:30"),
        ("XNSE", "2026-08-03", "09:15-15:30"),
        ("XNSE-CAS", "2026-07-31", "09:15-15:30"),
        ("XNSE-CAS", "2026-08-03", "09:15-15:15,15:15-15:35"),
        ("XBOM-CAS", "2026-08-03", "09:15-15:15,15:15-15:35"),
        ("NFO", "2026-07-31", "09:15-15:30"),
        ("NFO", "2026-08-03", "09:15-15:40"),
        ("BFO", "2026-08-03", "09:15-15:40"),
        ("CDS", "2026-08-03", "09:00-17:00"),
        ("CDS", "2026-04-01", "closed"),
        ("XNSE", "2026-04-01", "09:15-15:30"),
        ("XNSE", "2021-02-24", "09:15-11:40,15:45-17:00"),
        ("XBOM", "2021-02-24", "09:15-17:00"),
        ("XNSE", "2024-03-02", "09:15-10:00,11:30-12:30"),
        ("XNSE", "2025-10-21", "13:45-14:45"),
        ("XNSE", "2026-02-01", "09:15-15:30"),
        ("XNSE", "2026-01-15", "closed"),
    ],
)
def test_hours_of_a_day(name: str, day: str, shown: str) -> None:
    """Each market has the hours that were in force that day, special sessions included."""
    assert hours(name, day) == shown


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        ("2026-03-06", "09:00-23:55"),  # New York puts its clocks forward on 8 March
        ("2026-03-09", "09:00-23:30"),
        ("2026-10-30", "09:00-23:30"),  # and back on 1 November
        ("2026-11-02", "09:00-23:55"),
        ("2026-03-03", "17:00-23:55"),  # Holi closes the morning only
        ("2026-10-20", "17:00-23:30"),
        ("2026-01-15", "17:00-23:55"),
        ("2026-01-01", "09:00-17:00"),
        ("2026-01-26", "closed"),
        ("2026-04-03", "closed"),
        ("2026-10-02", "closed"),
        ("2026-12-25", "closed"),
    ],
)
def test_commodities_follow_the_clock_of_new_york(day: str, shown: str) -> None:
    """Evenings end at 23:30 while New York has daylight time, else at 23:55; four days are closed throughout."""
    assert hours("MCX", day) == shown


def test_phases_of_a_share_with_derivatives() -> None:
    """Pre-open, continuous trading, closing auction, a pause, trades at the close: each from its minute on."""
    nse = pt.calendar("XNSE-CAS")
    shown = {
        text: nse.phase(at(f"2026-11-20T{text}"))
        for text in ("08:59:59", "09:00", "09:14:59", "09:15", "15:15", "15:34:59", "15:35", "15:50", "16:00")
    }
    auction = "closing_auction"
    expected = ["closed", "pre_open", "pre_open", "regular", auction, auction, "break", "post_close", "closed"]
    assert list(shown.values()) == expected
    session = nse.session("2026-11-20")
    assert session is not None
    close = session.auction("close")
    assert close is not None
    assert close.accepts_from == at("2026-11-20T15:20")
    assert (close.accepts_until, close.at) == (at("2026-11-20T15:30"), at("2026-11-20T15:35"))
    assert session.closes == at("2026-11-20T15:35")


def test_before_the_closing_auction_there_was_none() -> None:
    """Until 31 July 2026 shares with derivatives closed without an auction."""
    session = pt.calendar("XNSE-CAS").session("2026-07-31")
    assert session is not None
    assert session.auction("close") is None
    assert session.auction("open") is not None


@pytest.mark.parametrize("name", [*SHARES, "CDS", "MCX"])
def test_what_is_uncertain_says_so(name: str) -> None:
    """The muhurat minutes of 2026 carry a note; every session and holiday of 2027 is marked as tentative."""
    market = pt.calendar(name)
    muhurat = market.session("2026-11-08")
    assert muhurat is not None
    assert "uncertain" in muhurat.note
    assert all(session.is_tentative for session in market.sessions("2027-01-01", "2027-12-31"))
    assert not any(session.is_tentative for session in market.sessions("2026-01-01", "2026-12-31"))
    expected = [day for day, *_ in (*market.closed, *market.special) if day.year == 2027]
    assert len(expected) > 8
    assert all("tentative" in market.note(day) or "no evening" in market.note(day) for day in expected)


def test_settlement_skips_holidays_and_weekends() -> None:
    """T+1 of a trade is the next session's day, a muhurat Sunday counting as one."""
    nse = pt.calendar("XNSE")
    assert str(nse.offset("2026-11-06", 1).day) == "2026-11-08"
    assert str(nse.offset("2026-11-09", 1).day) == "2026-11-11"
    assert str(nse.offset("2026-11-11", -1).day) == "2026-11-09"
    assert str(nse.offset("2026-11-10", 0).day) == "2026-11-11"
    assert str(nse.session_on_or_before("2026-11-10").day) == "2026-11-09"
