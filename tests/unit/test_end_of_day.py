"""Days end once, dated when they ended, and say what they came to; equity points keep peaks and lows."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.pages import EquityPoint
from papertrade.errors import InvalidValueError, UnknownDayError
from papertrade.hosting.daily import thinned
from papertrade.testing.invariants import check_account

FOUR_DAYS = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08")


def trade(broker: pt.PaperBroker) -> None:
    """A day with a buy and a part of it sold."""
    broker.on_quote("ABC", "99", "100", at="2026-01-05T10:00:00Z")
    broker.buy("ABC", 10)
    broker.on_quote("ABC", "109", "110", at="2026-01-05T11:00:00Z")
    broker.sell("ABC", 4)


def opened(**options: Any) -> pt.PaperBroker:
    return pt.open_paper_broker(cash=10_000, clock="data", **options)


def days(broker: pt.PaperBroker) -> list[tuple[str, str]]:
    """Each closed day, and when it was closed."""
    return [(d.day, d.closed_at.isoformat()) for d in broker.day_summaries() if d.is_final]


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("points", ["off", "on change", "1h"])
def test_stepped_jumped_and_restarted_are_the_same(held: bool, points: str) -> None:
    """Days that were held through are closed one by one, an idle one once; each is dated when it ended."""

    def run(steps: list[str], restart: bool = False) -> pt.PaperBroker:
        store = MemoryStore()
        broker = opened(store=store, equity_points=points)
        trade(broker)
        if not held:
            broker.close_position("ABC")
        if restart and not held:  # with something held the prices would be gone, and said to be
            broker = opened(store=store, equity_points=points)
        for at in steps:
            broker.advance(at)
            broker.exchange.end_of_day()
        check_account(broker)
        return broker

    leap = run(["2026-01-08T12:00:00Z"])
    hours = [f"2026-01-0{day}T{hour:02}:00:00Z" for day in (6, 7, 8) for hour in range(0, 13, 4)]
    assert run(hours).digest() == leap.digest() == run(["2026-01-08T12:00:00Z"], restart=True).digest()
    wanted = FOUR_DAYS[:3] if held else FOUR_DAYS[:1]
    ends = [f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00+00:00" for day in wanted]
    assert days(leap) == list(zip(wanted, ends, strict=True))


FORGOTTEN = ("stale_marks", "mark_is_stale", "last_is_stale")


@pytest.mark.parametrize("known_by", ["fill", "close"])
def test_a_day_that_a_new_process_closes_is_the_same_but_for_what_is_stale(known_by: str) -> None:
    """The last price was that of a fill, or of the close before: killed and opened again before midnight or not."""

    def lived(restart: bool) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        store = MemoryStore()
        broker = opened(store=store, trading_day="America/New_York")
        trade(broker)
        if known_by == "fill":
            broker.on_quote("ABC", "112", "112", at="2026-01-05T20:00:00Z")
            broker.buy("ABC", 1)
        now = "2026-01-05T23:00:00Z" if known_by == "fill" else "2026-01-06T23:00:00Z"
        broker.advance(now)
        if restart:
            broker = opened(store=store, trading_day="America/New_York")
            broker.advance(now)
        looks = broker.account().to_dict(), broker.position("ABC").to_dict(), broker.day_positions()[0].to_dict()
        broker.advance("2026-01-07T05:00:00Z")
        check_account(broker)
        days = [day.to_dict() for day in broker.day_summaries() if day.is_final]
        return (*looks, days)  # type: ignore[return-value]

    one, other = lived(False), lived(True)
    for whole, again in zip(one[:3], other[:3], strict=True):
        assert {name for name in whole if whole[name] != again[name]} <= {*FORGOTTEN, "marked_at"}
    assert [{**day, "stale_marks": 0} for day in other[3]] == [{**day, "stale_marks": 0} for day in one[3]]
    assert other[3][-1]["stale_marks"] == 1
    assert (other[0]["stale_marks"], other[0]["missing_marks"], other[1]["mark_is_stale"]) == (1, 0, True)


def test_what_was_due_while_closed_happens_first() -> None:
    """Opening decides nothing; the first command finds the day closed when it ended, and opens its own."""
    store = MemoryStore()
    broker = opened(store=store)
    trade(broker)
    broker.close_position("ABC")
    version = broker.account().version
    again = opened(store=store)
    assert again.account().version == version
    again.advance("2026-01-07T09:00:00Z")
    again.deposit(5)
    kinds = [(e.kind, e.at.isoformat()[:16]) for e in again.events(after=version)]
    assert kinds == [("day_closed", "2026-01-06T00:00"), ("day_opened", "2026-01-07T09:00"),
                     ("cash_deposited", "2026-01-07T09:00")]  # fmt: skip
    assert again.day_summary().deposits == 5
    check_account(again)


def test_the_first_deposit_opens_no_day() -> None:
    """An account that never traded has no day to close, however long it waits."""
    broker = opened()
    broker.advance("2026-01-05T10:00:00Z")
    broker.deposit(1)
    broker.advance("2026-02-05T10:00:00Z")
    assert [e.kind for e in broker.events()] == ["account_opened", "cash_deposited", "cash_deposited"]
    with pytest.raises(UnknownDayError, match="no day is open"):
        broker.day_summary()
    assert broker.day_summaries().items == ()


def test_end_of_day_closes_for_all_accounts_and_only_once() -> None:
    """It answers what it closed; again, or too early, nothing happens."""
    clock = pt.ManualClock("2026-01-05T10:00:00Z")
    exchange = pt.Exchange(clock=clock)
    exchange.list_unknown_in("USD")
    alice, bob = (exchange.open_account(name, cash=1_000) for name in ("alice", "bob"))
    exchange.on_quote("ABC", "99", "100", at="2026-01-05T10:00:00Z")
    alice.buy("ABC", 1)
    bob.buy("ABC", 2)
    bob.close_position("ABC")
    assert exchange.end_of_day() == []
    clock.set("2026-01-06T10:00:00Z")
    found = exchange.end_of_day()
    assert [(d.account, d.day, d.closed_at.isoformat()) for d in found] == [
        ("alice", "2026-01-05", "2026-01-06T00:00:00+00:00"), ("bob", "2026-01-05", "2026-01-06T00:00:00+00:00")
    ]  # fmt: skip
    versions = alice.account().version, bob.account().version
    assert exchange.end_of_day() == []
    assert (alice.account().version, bob.account().version) == versions
    assert alice.day_summary("2026-01-05") == found[0]


def test_a_reset_begins_the_day_again() -> None:
    """The day that is closed counts from the reset, once."""
    broker = opened(fees=pt.PercentFee("0.01"))
    trade(broker)
    broker.reset(500)
    broker.advance("2026-01-06T00:00:00Z")
    (day,) = [d for d in broker.day_summaries() if d.is_final]
    assert (day.opening_cash, day.closing_cash, day.fees, day.fills, day.profit) == (500, 500, {}, 0, 0)
    check_account(broker)


@pytest.mark.parametrize("sqlite", [True, False])
def test_days_come_in_pages_from_tables_and_from_journals(sqlite: bool, tmp_path: Path) -> None:
    """From both ends, of any size, between a first and a last; the open day is the last there is."""
    broker = opened(store=str(tmp_path / "paper.db") if sqlite else None)
    trade(broker)
    broker.advance("2026-01-08T12:00:00Z")
    for limit in (1, 2, 3, 100):
        for newest_first, wanted in ((False, list(FOUR_DAYS)), (True, list(FOUR_DAYS)[::-1])):
            found, after = [], None
            while True:
                page = broker.day_summaries(limit=limit, newest_first=newest_first, after=after)
                found += [d.day for d in page]
                if page.next is None:
                    break
                after = page.next
            assert found == wanted
    part = broker.day_summaries(first=date(2026, 1, 6), last="2026-01-07")
    assert [(d.day, d.is_final) for d in part] == [("2026-01-06", True), ("2026-01-07", True)]
    assert [d.day for d in broker.day_summaries(first="2026-01-07", limit=1, newest_first=True)] == ["2026-01-08"]
    assert broker.day_summary("2026-01-07") == part.items[1]
    for wrong in ("2026-1-5", "2026-02-30", 5, ""):
        with pytest.raises(InvalidValueError):
            broker.day_summary(wrong)  # type: ignore[arg-type]
    with pytest.raises(UnknownDayError, match="2025-12-31"):
        broker.day_summary("2025-12-31")
    broker.close()


def test_the_async_broker_answers_the_same() -> None:
    """With awaits."""

    async def run() -> tuple[Any, Any]:
        broker = pt.open_async_paper_broker(cash=10_000, clock="data")
        broker = await broker if asyncio.iscoroutine(broker) else broker
        await broker.on_quote("ABC", "99", "100", at="2026-01-05T10:00:00Z")
        await broker.buy("ABC", 10)
        await broker.advance("2026-01-06T10:00:00Z")
        assert await broker.exchange.end_of_day() == []
        return await broker.day_summary("2026-01-05"), (await broker.day_summaries()).items

    day, all_days = asyncio.run(run())
    assert (day.day, day.turnover, day.is_final) == ("2026-01-05", Decimal(1000), True)
    assert [d.is_final for d in all_days] == [True, False]


@pytest.mark.parametrize(
    "wrong", ["", "5", "sessions", "m", "0m", "25h", "1d", "-5m", 5, None, timedelta(0), timedelta(days=2)]
)
def test_equity_points_that_nobody_understands(wrong: Any) -> None:
    """They are refused, with what is accepted."""
    with pytest.raises(InvalidValueError, match="on change"):
        opened(equity_points=wrong)


def test_points_at_an_interval_are_taken_where_equity_changed() -> None:
    """At full multiples while something is held, dated then, and not twice the same."""
    broker = opened(equity_points=timedelta(minutes=30))
    trade(broker)
    broker.on_quote("ABC", "108", "109", at="2026-01-05T11:31:00Z")
    broker.advance("2026-01-05T15:00:00Z")
    points = [(p.at.isoformat()[11:16], p.cause) for p in broker.equity_points()]
    assert points == [("10:00", "day_opened"), ("10:30", "equity_marked"), ("11:30", "equity_marked"),
                      ("12:00", "equity_marked")]  # fmt: skip


@pytest.mark.parametrize("stepped", [False, True])
def test_a_fill_on_the_way_of_a_leap_is_followed_by_a_point(stepped: bool) -> None:
    """What a closing order got by the clock changes the equity: the next full hour says so, however the clock moves."""
    broker = opened(calendar="XNYS", equity_points="1h")
    broker.on_quote("ABC", "99.98", "100.00", at="2026-01-05T17:00:00Z")
    broker.buy("ABC", 10, time_in_force="cls")
    for hour in range(18, 24) if stepped else ():
        broker.advance(f"2026-01-05T{hour}:30:00Z")
    broker.advance("2026-01-06T03:30:00Z")
    filled, marked, *days_turned = [(event.kind, event.at.isoformat()[11:16]) for event in broker.events()][-4:]
    assert (filled, marked) == (("order_filled", "21:15"), ("equity_marked", "22:00"))
    assert [kind for kind, _ in days_turned] == ["day_closed", "day_opened"]


def test_a_peak_that_the_clock_noted_is_where_the_next_fall_begins() -> None:
    """The first datum that is too far below a peak latches the limit, though nothing but the clock saw the peak."""
    broker = opened(equity_points="1h", margin=pt.FlatMargin("0.5"), limits=pt.RiskLimits(max_drawdown=100))
    broker.on_quote("ABC", "100", "100", at="2026-01-05T10:10:00Z")
    broker.buy("ABC", 10)
    broker.on_quote("ABC", "120", "120", at="2026-01-05T10:50:00Z")
    broker.on_quote("ABC", "111", "111", at="2026-01-05T11:10:00Z")
    assert not broker.account().latched
    broker.on_quote("ABC", "110", "110", at="2026-01-05T11:11:00Z")
    assert broker.account().latched == ("max_drawdown",)


def test_bookends_of_a_session_stand_before_its_open_and_after_its_close() -> None:
    """Once each, at the open before its data and a minute after the close with them, changed or not; also half days.

    The account's calendar is enough: nothing has to be held, only a day has to be open.
    """
    broker = opened(equity_points="session", trading_day=pt.TradingDay("America/New_York", calendar="XNYS"))
    broker.on_quote("ABC", "99", "100", at="2026-11-25T15:00:00Z")
    broker.buy("ABC", 10)
    broker.on_quote("ABC", "109", "110", at="2026-11-25T21:00:00Z")  # with the close, and still before the point
    broker.on_quote("ABC", "119", "120", at="2026-11-27T14:30:00Z")  # with the open, and already after the point
    broker.close_position("ABC")
    broker.advance("2026-12-01T12:00:00Z")
    points = [(p.at.isoformat()[5:16], p.equity) for p in broker.equity_points() if p.cause == "equity_marked"]
    assert points == [("11-25T21:01", 10_095), ("11-27T14:30", 10_095), ("11-27T18:01", 10_190)]
    assert "and as each regular session opens and a minute after it closes" in "".join(broker.assumptions())
    check_account(broker)


def test_bookends_of_what_is_held() -> None:
    """Without a calendar of its own an account has those of the markets on which it holds or wants something."""
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("US", calendar="XNYS")
    exchange.add_instrument("IN", calendar="XNSE")
    exchange.add_instrument("COIN")
    broker = exchange.open_account("main", cash=10_000, equity_points="session")
    for symbol in ("US", "IN", "COIN"):
        exchange.on_quote(symbol, "99", "100", at="2026-01-05T03:00:00Z")

    def noted(since: str) -> list[str]:
        broker.advance(since[:8] + f"{int(since[8:10]) + 1:02}" + since[10:])
        points = broker.equity_points(since=since)
        return [p.at.isoformat()[8:16] for p in points if p.cause == "equity_marked"]

    broker.buy("COIN", 1)
    assert noted("2026-01-05T03:00:00Z") == []  # it never closes, and nothing else is at stake
    waiting = broker.buy("US", 1, limit_price=1)
    assert noted("2026-01-06T03:00:00Z") == ["06T14:30", "06T21:01"]
    broker.buy("IN", 1, limit_price=1)
    assert noted("2026-01-07T03:00:00Z") == ["07T03:45", "07T10:01", "07T14:30", "07T21:01"]
    broker.cancel_order(waiting)
    exchange.use_calendar(pt.calendar("XNSE").with_days({"2026-01-08": "10:00-11:00"}))
    assert noted("2026-01-08T03:00:00Z") == ["08T04:30", "08T05:31"]
    check_account(broker)


def test_bookends_of_a_mended_calendar() -> None:
    """A half day that is announced late is one for the account whose trading day has that calendar."""
    exchange = pt.Exchange(clock="data")
    exchange.list_unknown_in("INR")
    day = pt.TradingDay("Asia/Kolkata", calendar="XNSE")
    broker = exchange.open_account("main", cash=10_000, currency="INR", trading_day=day, equity_points="session")
    exchange.on_quote("ABC", "99", "100", at="2026-01-08T04:00:00Z")
    broker.buy("ABC", 1)
    exchange.use_calendar(pt.calendar("XNSE").with_days({"2026-01-08": "09:15-11:00"}))
    broker.advance("2026-01-08T18:00:00Z")
    assert [p.at.isoformat()[8:16] for p in broker.equity_points()][1:] == ["08T05:31"]


def test_bookends_end_with_the_calendar() -> None:
    """After its last known close there is none, and nothing is wrong with that."""
    desk = pt.Calendar(name="desk", zone="UTC", hours="09:00-17:00", known=("2026-01-05", "2026-01-06"))
    exchange = pt.Exchange(clock="data")
    exchange.use_calendar(desk)
    exchange.add_instrument("ABC", calendar="desk")
    broker = exchange.open_account("main", cash=10_000, equity_points="session")
    exchange.on_quote("ABC", "99", "100", at="2026-01-05T10:00:00Z")
    broker.buy("ABC", 1)
    broker.advance("2026-02-01T10:00:00Z")
    points = [p.at.isoformat()[5:16] for p in broker.equity_points() if p.cause == "equity_marked"]
    assert points == ["01-05T17:01", "01-06T09:00", "01-06T17:01"]


def test_a_bookend_without_a_price_is_not_noted_later_with_one_that_came_late() -> None:
    """Nobody knew the equity when the session closed: a late datum does not bring that instant back."""
    broker = opened(calendar="XNYS", equity_points="session", limits=pt.RiskLimits(max_daily_loss=5_000))
    broker.on_quote("XYZ", "99", "100", at="2026-01-05T16:00:00Z")
    broker.import_positions([{"symbol": "ABC", "quantity": 5, "average_price": 90}])
    broker.advance("2026-01-05T21:30:00Z")
    broker.on_quote("ABC", "99", "100", at="2026-01-05T20:00:00Z")
    broker.advance("2026-01-05T22:00:00Z")
    kinds = [(event.kind, str(event.at)[11:16]) for event in broker.events()][-2:]
    assert kinds == [("position_imported", "16:00"), ("day_revalued", "20:00")]


@given(st.lists(st.integers(-1000, 1000), max_size=200), st.integers(4, 60))
def test_thinning_loses_no_peak_and_no_low(equities: list[int], most: int) -> None:
    """At most so many points, in order, with the first, the last, the highest and the lowest of all."""
    points = [EquityPoint("main", n + 1, n, units, "equity_marked") for n, units in enumerate(equities)]
    kept = thinned(points, most)
    assert len(kept) <= most
    assert [p for p in points if p in kept] == kept
    if points:
        assert (kept[0], kept[-1]) == (points[0], points[-1])
        assert {max(kept_units := [p.equity_units for p in kept]), min(kept_units)} == {max(equities), min(equities)}
