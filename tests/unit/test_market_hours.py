"""Orders and the hours of their market: they wait for the open, stand for a session, or trade before and after it."""

from __future__ import annotations

from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.hours import MarketHours
from papertrade.errors import CalendarRangeError, InvalidValueError, UnknownCalendarError
from papertrade.hosting.listing import _ASKED
from papertrade.testing.chance import draw_setup, with_hours
from papertrade.testing.differential import SideBySide
from papertrade.testing.drawing import Drawer
from papertrade.testing.invariants import check_account
from papertrade.testing.short_hours import ShortHours

DAY = "2026-01-05T"  # a Monday; New York opens at 14:30 UTC and closes at 21:00
EARLY, BEFORE, OPEN, NOON = f"{DAY}08:00:00Z", f"{DAY}14:29:00Z", f"{DAY}14:30:00Z", f"{DAY}17:00:00Z"
CLOSE, LATE, NIGHT = f"{DAY}21:00:00Z", f"{DAY}22:00:00Z", "2026-01-06T03:00:00Z"
NEXT_OPEN = "2026-01-06T14:30:00Z"
JUST_AFTER = "2026-01-05T21:00:00.000001+00:00"


def opened(at: str, **options: Any) -> pt.PaperBroker:
    """A broker on New York hours that has seen one quote."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar="XNYS", **options)
    quote(broker, at)
    return broker


def quote(broker: pt.PaperBroker, at: str, ask: str = "100.00") -> None:
    """A quote a cent wide."""
    broker.on_quote("ABC", str(pt.units(ask) / 10**9 - 0.01), ask, at=at)


def test_a_market_order_waits_for_the_open() -> None:
    """Placed before the open it fills on the first quote of the session, and not on those before it."""
    broker = opened(EARLY)
    order = broker.buy("ABC", 10)
    quote(broker, BEFORE, "99.00")
    assert broker.order(order).status == "accepted"
    assert broker.explain(order).reason == "market_closed"
    assert str(broker.explain(order)) == "It waits for ABC to open at 2026-01-05T14:30:00Z."
    quote(broker, OPEN, "101.00")
    assert broker.order(order).average_price == 101


def test_a_quote_of_before_the_open_fills_no_order_after_it() -> None:
    """What stood before the open is not what stands after it: an arriving order waits for the next quote."""
    broker = opened(BEFORE)
    broker.advance(OPEN)
    order = broker.buy("ABC", 10)
    assert order.status == "accepted"
    quote(broker, f"{DAY}14:30:01Z", "100.50")
    assert broker.order(order).average_price == pt.units("100.50") / 10**9


def test_an_order_says_when_its_market_opens_before_anybody_has_told_the_time() -> None:
    """Under the data clock a process that has just started counts from the last time that the account knew."""
    store = MemoryStore()
    opened(BEFORE, store=store).buy("ABC", 10)
    again = pt.open_paper_broker(cash=100_000, clock="data", calendar="XNYS", store=store)
    assert str(again.explain(again.orders()[0])) == "It waits for ABC to open at 2026-01-05T14:30:00Z."


@pytest.mark.parametrize("at", [BEFORE, CLOSE, LATE, NIGHT])
def test_nothing_fills_outside_the_session(at: str) -> None:
    """A resting limit, a stop and a market order stand through quotes, prints and bars of closed hours."""
    broker = opened(EARLY)
    asked: list[dict[str, Any]] = [{}, {"limit_price": "99.00"}, {"stop_price": "102.00"}]
    orders = [broker.buy("ABC", 1, **options) for options in asked]
    quote(broker, at, "98.00")
    broker.on_trade("ABC", "103.00", 100, at=at)
    broker.on_price("ABC", "98.00", at=at)
    assert [broker.order(order).status for order in orders] == ["accepted"] * 3



def test_the_close_of_an_earlier_session_fills_no_order() -> None:
    """With bar_entry="close" an order at the instant of the close has it; later, or on the next day, it waits."""
    broker = pt.open_paper_broker(
        cash=100_000, clock="data", calendar="XNYS", fill=pt.FillSettings(bar_entry="close")
    )
    bar = {"open": 99, "high": 101, "low": 98, "close": 100}
    broker.on_bar("ABC", **bar, start=f"{DAY}20:00:00Z", end=CLOSE)
    assert broker.buy("ABC", 1).average_price == 100
    for at in (f"{DAY}21:00:01Z", NIGHT, NEXT_OPEN, "2026-01-06T14:31:00Z"):
        broker.advance(at)
        assert broker.buy("ABC", 1).status == "accepted", at
    broker.on_bar("ABC", **bar, start=NEXT_OPEN, end="2026-01-06T14:35:00Z")
    broker.advance("2026-01-06T14:36:00Z")
    assert broker.buy("ABC", 1).status == "filled"


def test_an_order_of_after_the_close_meets_no_bar_that_began_before_it() -> None:
    """To an order of after the close a bar over it tells of after-hours prices only; one that was there meets it."""
    broker = opened(NOON)
    there = broker.buy("ABC", 1, limit_price=90)
    broker.advance(f"{DAY}21:10:00Z")
    late = broker.buy("ABC", 1, limit_price=90)
    broker.on_bar("ABC", open=100, high=101, low=80, close=85, start=f"{DAY}20:30:00Z", end=f"{DAY}21:30:00Z")
    assert [broker.order(order).status for order in (there, late)] == ["filled", "accepted"]


def test_an_order_is_explained_before_the_first_datum_after_a_restart() -> None:
    """A clock that follows data has no time yet; what the account did last says when it is at the earliest."""
    store = MemoryStore()
    order = opened(LATE, store=store).buy("ABC", 10)
    again = pt.open_paper_broker(clock="data", calendar="XNYS", store=store)
    assert str(again.explain(order)) == "It waits for ABC to open at 2026-01-06T14:30:00Z."


def test_a_position_that_cannot_be_closed_now_keeps_its_stop() -> None:
    """Where orders are refused while the market is closed, close_position is refused whole: nothing is canceled."""
    broker = opened(NOON, outside_hours="reject")
    broker.buy("ABC", 10)
    stop = broker.sell("ABC", 10, stop_price=90)
    broker.advance(NIGHT)
    refused = broker.close_position("ABC")
    assert refused is not None
    assert refused.reason == "market_closed"
    assert broker.order(stop).status == "accepted"


@pytest.mark.parametrize("name", ["XNYS", "NYSE", "nasdaq"])
@pytest.mark.parametrize("given", ["at once", "later"])
def test_a_mended_calendar_is_meant_by_all_its_names(name: str, given: str) -> None:
    """An instrument that names a calendar has the hours that were given under that name, and not those that ship."""
    mended = pt.calendar("XNYS").with_days({"2026-01-05": None}, note="mourning")
    exchange = pt.Exchange(clock="data", calendar=mended if given == "at once" else None)
    if given == "later":
        exchange.use_calendar(mended)
    exchange.add_instrument("ABC", calendar=name)
    assert exchange.market("ABC").hours is mended


def test_a_day_order_stands_for_its_session() -> None:
    """It is there until the first microsecond after the close; placed after the close it is of the next session."""
    broker = opened(NOON)
    today = broker.buy("ABC", 1, limit_price="90", time_in_force="day")
    assert today.expires_at is not None
    assert today.expires_at.isoformat() == JUST_AFTER
    broker.advance(CLOSE)
    assert broker.order(today).is_open
    broker.advance("2026-01-05T21:00:00.000001Z")
    assert broker.order(today).status == "expired"
    tomorrow = broker.buy("ABC", 1, limit_price="90", time_in_force="day")
    assert tomorrow.expires_at is not None
    assert tomorrow.expires_at.isoformat() == "2026-01-06T21:00:00.000001+00:00"


def test_the_last_bar_of_a_session_meets_its_orders() -> None:
    """A bar that ends at the close tells of the session: day orders of every symbol meet it, whoever comes first."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar="XNYS")
    bar = {"open": 100, "high": 101, "low": 95, "close": 100, "start": OPEN, "end": CLOSE}
    for symbol in ("ABC", "XYZ"):
        broker.on_quote(symbol, "99.99", "100.00", at=EARLY)
    orders = [broker.buy(symbol, 1, limit_price="98", time_in_force="day") for symbol in ("ABC", "XYZ")]
    broker.on_bar("ABC", **bar)
    late = broker.buy("ABC", 1)  # a strategy that acts on the bar
    broker.on_bar("XYZ", **bar)
    assert [broker.order(order).status for order in orders] == ["filled", "filled"]
    assert broker.order(late).status == "accepted"
    broker.on_bar("ABC", 102, 103, 101, 102, start=NEXT_OPEN, end="2026-01-06T21:00:00Z")
    assert broker.order(late).average_price == 102  # at the next open


def test_a_bar_that_only_touches_closed_hours_fills_nothing() -> None:
    """A bar of the evening is not of the session; one that begins in the session is."""
    broker = opened(NOON)
    order = broker.buy("ABC", 1, limit_price="98")
    broker.on_bar("ABC", 100, 100, 90, 95, start=CLOSE, end=LATE)
    assert broker.order(order).is_open
    broker.on_bar("ABC", 100, 100, 90, 95, start="2026-01-06T20:59:00Z", end="2026-01-06T22:00:00Z")
    assert broker.order(order).status == "filled"


def test_extended_hours_are_for_those_who_ask() -> None:
    """A limit order that asks for them fills before the open and after the close, and stands until trading ends."""
    broker = opened(BEFORE)
    asks = broker.buy("ABC", 1, limit_price="100", extended_hours=True, time_in_force="day")
    waits = broker.buy("ABC", 1, limit_price="100", time_in_force="day")
    assert (asks.status, waits.status) == ("filled", "accepted")
    resting = broker.buy("ABC", 1, limit_price="95", extended_hours=True, time_in_force="day")
    assert resting.expires_at is not None
    assert resting.expires_at.isoformat() == "2026-01-06T01:00:00.000001+00:00"
    quote(broker, LATE, "94.00")
    assert broker.order(resting).status == "filled"
    with pytest.raises(InvalidValueError, match="only with a limit order"):
        broker.buy("ABC", 1, extended_hours=True)


def test_policy_reject_takes_after_market_orders_only() -> None:
    """While it is closed: refused, but for after-market orders; while it is open: the other way round."""
    broker = opened(LATE, outside_hours="reject")
    assert broker.buy("ABC", 1).reason == "market_closed"
    waiting = broker.buy("ABC", 1, after_market=True)
    assert waiting.status == "accepted"
    quote(broker, NEXT_OPEN)
    assert broker.order(waiting).status == "filled"
    assert broker.buy("ABC", 1, after_market=True).reason == "market_open"
    assert broker.buy("ABC", 1).status == "filled"


def test_policy_extended_lets_limit_orders_trade_outside_the_session() -> None:
    """Limit orders trade in extended hours without asking; market orders wait for the open, as under the default."""
    broker = opened(BEFORE, outside_hours="extended")
    assert broker.buy("ABC", 1, limit_price="100").status == "filled"
    assert broker.buy("ABC", 1).status == "accepted"
    assert broker.buy("ABC", 1, limit_price="100", after_market=True).status == "accepted"


@pytest.mark.parametrize("word", ["ioc", "fok"])
def test_what_cannot_wait_is_refused_while_it_is_closed(word: str) -> None:
    """An order for now or never finds no market."""
    order = opened(LATE).buy("ABC", 1, time_in_force=word)
    assert order.reason == "market_closed"


def test_a_ttl_order_stands_for_its_minutes() -> None:
    """EX-A30: accepted at 10:00:05 for two minutes, canceled by the clock at 10:02:05 with nothing filled."""
    broker = pt.open_paper_broker(cash=100_000, clock="data")
    quote(broker, f"{DAY}10:00:05Z")
    order = broker.buy("ABC", 10, limit_price="99", time_in_force="ttl", ttl_minutes=2)
    broker.advance(f"{DAY}10:02:04.999999Z")
    assert broker.order(order).is_open
    broker.advance("2026-01-07T00:00:00Z")
    ended = broker.order(order)
    assert (ended.status, ended.filled_quantity) == ("expired", 0)
    assert ended.updated_at.isoformat() == "2026-01-05T10:02:05+00:00"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"time_in_force": "ttl"}, "ttl_minutes"),
        ({"time_in_force": "ttl", "ttl_minutes": 0}, "ttl_minutes"),
        ({"time_in_force": "ttl", "ttl_minutes": True}, "ttl_minutes"),
        ({"ttl_minutes": 5}, "ttl_minutes"),
        ({"extended_hours": 1, "limit_price": 90}, "extended_hours"),
        ({"after_market": True, "time_in_force": "ioc"}, "after_market"),
        ({"after_market": True, "extended_hours": True, "limit_price": 90}, "after_market"),
    ],
)
def test_words_that_do_not_go_together_are_misuse(options: dict[str, Any], found: str) -> None:
    """A typed error that names the field, and nothing in the journal."""
    broker = opened(NOON)
    before = broker.digest()
    with pytest.raises(InvalidValueError) as caught:
        broker.buy("ABC", 1, **options)
    assert caught.value.field == found
    assert broker.digest() == before


def test_each_instrument_has_its_own_calendar() -> None:
    """New York sleeps, crypto does not."""
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("AAPL", calendar="XNYS")
    exchange.add_instrument("BTC", calendar="24x7")
    exchange.add_instrument("ETH")
    broker = exchange.open_account("main", cash=1_000_000)
    for symbol in ("AAPL", "BTC", "ETH"):
        exchange.on_quote(symbol, 99, 100, at=LATE)
    assert [broker.buy(symbol, 1).status for symbol in ("AAPL", "BTC", "ETH")] == ["accepted", "filled", "filled"]


def test_a_mended_calendar_holds_from_now_on() -> None:
    """A day that turns out to be closed is mended in one line, also for what is listed already."""
    broker = opened(BEFORE)
    broker.exchange.use_calendar(pt.calendar("XNYS").with_days({"2026-01-05": None}, note="mourning"))
    order = broker.buy("ABC", 1)
    quote(broker, NOON)
    assert broker.order(order).is_open
    assert "2026-01-06T14:30:00Z" in str(broker.explain(order))


@pytest.mark.parametrize("close", ["09:30-13:00", "09:30-18:00"])
def test_a_day_order_keeps_the_end_that_it_was_accepted_with(close: str) -> None:
    """It is in the journal. After a close that was moved forward it fills nothing, and a later one it does not see."""
    broker = opened(NOON)
    order = broker.buy("ABC", 1, limit_price=90, time_in_force="day")
    broker.exchange.use_calendar(pt.calendar("XNYS").with_days({"2026-01-05": close}))
    if close == "09:30-13:00":
        quote(broker, f"{DAY}19:00:00Z", "89.00")
        assert broker.order(order).status == "accepted"
    quote(broker, f"{DAY}21:30:00Z", "89.00")
    assert (broker.order(order).status, broker.order(order).updated_at.isoformat()) == ("expired", JUST_AFTER)


def test_unknown_calendars_and_unknown_years_change_nothing() -> None:
    """A name that nobody ships, something that is no calendar, and a time beyond what a calendar knows."""
    with pytest.raises(UnknownCalendarError, match="NYSE"):
        pt.open_paper_broker(cash=1, calendar="NYSX")
    with pytest.raises(InvalidValueError, match="a name such as"):
        pt.open_paper_broker(cash=1, calendar=5)  # type: ignore[arg-type]  # that is the point
    exchange = pt.Exchange(clock="data")
    with pytest.raises(UnknownCalendarError):
        exchange.add_instrument("ABC", calendar="XNYX")
    assert exchange.instruments() == []
    broker = opened("2199-01-05T12:00:00Z")
    before = broker.digest()
    with pytest.raises(CalendarRangeError):
        broker.buy("ABC", 1)
    assert broker.digest() == before


class OfAHost(ShortHours):
    """Hours of a host's own."""

    name = "host"


@pytest.mark.parametrize(
    ("calendar", "found"),
    [
        (object(), "a Calendar, or an object with"),
        (pt.Calendar, "this is the class of some"),
        (OfAHost, "this is the class of some"),
        (type("Older", (OfAHost,), {"wall_ns": None})(), "this one lacks wall_ns"),
        (type("Half", (OfAHost,), {"wall_ns": None, "auction": None})(), "this one lacks wall_ns, auction"),
        (type("Nameless", (OfAHost,), {"name": ""})(), "name of the calendar"),
        (type("Umlaut", (OfAHost,), {"name": "Börse"})(), "name of the calendar"),
        (type("Called", (OfAHost,), {"name": lambda self: "host"})(), "name of the calendar"),
    ],
)
def test_an_object_that_is_no_calendar_is_told_what_it_lacks(calendar: Any, found: str) -> None:
    """It is refused where it is given, and not by the first order that would have asked it."""
    with pytest.raises(InvalidValueError, match=found):
        pt.Exchange(calendar=calendar)
    exchange = pt.Exchange(calendar=OfAHost())
    with pytest.raises(InvalidValueError, match=found):
        exchange.use_calendar(calendar)


def test_everything_that_is_asked_of_a_calendar_is_looked_for() -> None:
    """The protocol and the check know the same members."""
    assert sorted((*_ASKED, "name")) == sorted(name for name in vars(MarketHours) if name[0] != "_")


def test_before_any_datum_nobody_knows_whether_a_market_is_open() -> None:
    """Under the data clock it is 1970 until the first datum: an order is misuse that says so, and changes nothing."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar="XNYS")
    before = broker.digest()
    with pytest.raises(InvalidValueError, match="after the first datum"):
        broker.buy("ABC", 1, limit_price=10)
    assert broker.digest() == before
    check_account(broker)


def test_a_position_that_came_in_is_not_closed_before_anybody_knows_the_time() -> None:
    """Closing is an order like any other: before the first datum of a replay it is misuse that says what to do."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar="XNYS")
    broker.import_positions([{"symbol": "ABC", "quantity": 5, "average_price": "10"}], command_id="in")
    before = broker.digest()
    for close in (lambda: broker.close_position("ABC"), broker.close_all_positions):
        with pytest.raises(InvalidValueError, match="after the first datum"):
            close()
    with pytest.raises(InvalidValueError, match="after the first datum"):
        broker.preview_order(pt.OrderRequest(symbol="ABC", side="sell", quantity=5))
    assert broker.digest() == before
    quote(broker, OPEN)
    assert broker.close_position("ABC").status == "filled"


def test_closing_everything_cancels_nothing_where_it_cannot_be_asked_for() -> None:
    """Before the first datum it is misuse as a whole: an order on a market without hours stands where it stood."""
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("ABC", calendar="XNYS")
    exchange.add_instrument("COIN")
    broker = exchange.open_account("main", cash=1_000)
    broker.import_positions([{"symbol": "ABC", "quantity": 5, "average_price": "10"}])
    rests = broker.buy("COIN", 1, limit_price=5)
    with pytest.raises(InvalidValueError, match="after the first datum"):
        broker.close_all_positions()
    assert broker.order(rests).is_open


def test_the_express_lane_keeps_hours_too() -> None:
    """In the session a plain market order takes the short way, and makes the same bytes as the long one."""
    journals = []
    for calendar in ("XNYS", None):
        broker = pt.open_paper_broker(cash=100_000, clock="data", calendar=calendar)
        broker.on_quote("ABC", "99.99", "100.00", 10, 10, at=NOON)
        broker.buy("ABC", 5)
        journals.append([event.to_dict() for event in broker.events()])
    assert journals[0] == journals[1]


def test_exchange_and_oracle_agree_through_every_phase() -> None:
    """Drawn commands on a market that opens and closes all day: the same events, and every invariant."""
    from random import Random

    for seed in range(12):
        rng = Random(seed)
        setup = with_hours(Random(-seed), draw_setup(rng))
        both, drawer = SideBySide(setup), Drawer(rng, setup)
        for _ in range(120):
            both.give(drawer.draw(both.oracle))
        both.check_state()


def test_the_short_hours_of_the_drawn_market_are_hours() -> None:
    """The control of the control: its phases tile time, and a session's close is the end of a phase."""
    hours, at, seen = ShortHours(), 1_767_603_600 * 10**9, set()
    for _ in range(40):
        span = hours.span_at(at)
        assert span.from_ns <= at < span.until_ns == hours.span_at(span.until_ns).from_ns
        assert hours.span_at(hours.day_close(at, False) - 1).phase == "regular"
        assert hours.span_at(hours.day_close(at, True) - 1).phase == "after_hours"
        assert hours.span_at(hours.next_regular(at)).phase == "regular"
        seen.add(span.phase)
        at = span.until_ns
    assert len(seen) == 8
