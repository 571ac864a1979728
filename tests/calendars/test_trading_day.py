"""Trading days with a calendar: days without a session are part of the next session's day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import papertrade as pt
from papertrade.domain.instants import parse_instant
from papertrade.errors import InvalidValueError
from papertrade.testing.recorded_values import fact, made

FIRST, LAST = (parse_instant(text, "at") for text in ("2015-01-02T00:00:00Z", "2027-12-29T00:00:00Z"))


@given(st.integers(FIRST, LAST), st.sampled_from(["00:00", "17:00"]))
def test_each_instant_has_the_day_of_a_session(ns: int, starts: str) -> None:
    """Days are those of sessions, each ends where the next begins, and without a calendar they are as before."""
    nse = pt.calendar("XNSE")
    day, plain = pt.TradingDay("Asia/Kolkata", starts, calendar=nse), pt.TradingDay("Asia/Kolkata", starts)
    end = day.ends(ns)
    assert end > ns
    assert day.day_of(end - 1) == day.day_of(ns)
    assert nse.session(day.day_of(ns)) is not None
    assert day.day_of(end) == str(nse.offset(day.day_of(ns), 1).day)
    assert day.day_of(ns) == str(nse.session_on_or_after(plain.day_of(ns)).day)
    if nse.session(plain.day_of(ns)) is not None:
        assert (day.day_of(ns), day.ends(ns)) == (plain.day_of(ns), plain.ends(ns))


def test_a_day_order_of_a_saturday_lives_through_monday() -> None:
    """An account whose trading day has a calendar opens one day for a weekend and the session after it."""
    broker = pt.open_paper_broker(
        cash=1_000, clock="data", trading_day=pt.TradingDay("Asia/Kolkata", calendar="XNSE")
    )
    broker.on_quote("ABC", 99, 100, at="2026-01-24T06:00:00Z")  # a Saturday; Monday 26 January is a holiday
    order = broker.buy("ABC", 1, limit_price=90, time_in_force="day")
    for at in ("2026-01-25T06:00:00Z", "2026-01-26T06:00:00Z", "2026-01-27T18:29:59Z"):
        broker.advance(at)
        assert broker.order(order).is_open
    broker.advance("2026-01-27T18:30:00Z")
    assert broker.order(order).status == "expired"
    assert [event.day for event in broker.events(kinds=("day_opened",))] == ["2026-01-27"]  # type: ignore[attr-defined]
    assert any("days without a session of XNSE join the next" in line for line in broker.assumptions())


def test_an_account_is_opened_again_before_its_clock_was_told_the_time(tmp_path: Path) -> None:
    """Before the first datum the clock stands in 1970, which no market's calendar knows; that is no error."""
    day, store = pt.TradingDay("Asia/Kolkata", calendar="XNSE"), str(tmp_path / "paper.db")
    for cash in (1_000, None):
        broker = pt.open_paper_broker(cash=cash, clock="data", store=store, trading_day=day)
        assert broker.account().equity == 1_000
        broker.exchange.close()


@pytest.mark.parametrize("calendar", ["XNSE", pt.calendar("24x7"), None])
def test_a_recorded_trading_day_names_its_calendar(calendar: object) -> None:
    """A recording keeps a shipped calendar by its name; one without is written as it always was."""
    day = pt.TradingDay("UTC", calendar=calendar)  # type: ignore[arg-type]
    written = fact(day)
    assert ("calendar" in written) is (calendar is not None)
    assert made(written, {}) == day


def test_a_mended_calendar_is_recorded_with_its_days() -> None:
    """One that ships is named in a recording; one of one's own is there with every day of it."""
    shipped = pt.TradingDay("UTC", calendar="XNSE")
    mended = pt.TradingDay("UTC", calendar=pt.calendar("XNSE").with_days({"2026-12-31": None}))
    assert fact(shipped)["calendar"] == "XNSE"
    assert [made(json.loads(json.dumps(fact(day))), {}) for day in (shipped, mended)] == [shipped, mended]


@pytest.mark.parametrize("calendar", [1, ["XNSE"], ""])
def test_a_calendar_is_a_calendar_or_a_name(calendar: object) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidValueError):
        pt.TradingDay("UTC", calendar=calendar)  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", ["XNSE", "India", 5, pt.calendar("XNSE")], ids=lambda asked: str(asked)[:10])
def test_a_calendar_alone_is_no_trading_day(asked: Any) -> None:
    """It is a part of one; the error says which field is meant, and where a calendar goes."""
    with pytest.raises(InvalidValueError, match=r"^trading_day: .*TradingDay\('Asia/Kolkata', calendar='XNSE'\)"):
        pt.open_paper_broker(cash=1, trading_day=asked)
