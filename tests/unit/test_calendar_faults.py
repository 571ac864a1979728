"""A calendar that raises, or that ends, harms nobody but those who asked it, and takes nothing from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.instants import SECOND_NS
from papertrade.errors import AccountSuspendedError, CalendarRangeError, InvariantError
from papertrade.testing.short_hours import LENGTH, MINUTE, ShortHours

BASE = 20_000 * LENGTH  # a session begins


class Brittle(ShortHours):
    """Hours of a host's own that raise while ``fault`` is set."""

    fault: Exception | None = None

    def day_close(self, ns: int, extended: bool) -> int:
        if self.fault is not None:
            raise self.fault
        return super().day_close(ns, extended)


def when(minutes: int) -> datetime:
    """So many minutes into the session."""
    return datetime.fromtimestamp((BASE + minutes * MINUTE) // SECOND_NS, UTC)


def hosted(hours: Any, **options: Any) -> tuple[pt.Exchange, dict[str, pt.PaperBroker], dict[str, list[Event]]]:
    """Three accounts on one market; the middle one is squared off, so that committing its steps asks the calendar."""
    exchange = pt.Exchange(clock="data", calendar=hours)
    exchange.add_instrument("ABC")
    exchange.on_quote("ABC", 100, 101, at=when(20))
    brokers = {name: exchange.open_account(name, cash=10_000, **options) for name in ("ann", "zoe")}
    brokers["bob"] = exchange.open_account("bob", cash=10_000, square_off=pt.SquareOff(), **options)
    heard: dict[str, list[Event]] = {name: [] for name in brokers}
    for name, broker in brokers.items():
        broker.subscribe(heard[name].append)
    return exchange, brokers, heard


@pytest.mark.parametrize("minutes", [25, 40, 90], ids=["that fills", "in a break", "after the close"])
@pytest.mark.parametrize("fault", [RuntimeError("no table"), InvariantError("hours", "bob", 1, 2)], ids=["", "check"])
def test_a_calendar_that_raises_when_a_step_is_stored_stops_that_account_only(minutes: int, fault: Exception) -> None:
    """Every other account takes the datum and hears of it; of the one that asked no event is lost either.

    Only a broken check stops an account.
    """
    hours = Brittle()
    exchange, brokers, heard = hosted(hours)
    orders = {name: broker.buy("ABC", 10, limit_price=90, extended_hours=True) for name, broker in brokers.items()}
    hours.fault = fault
    with pytest.raises(type(fault)) as caught:
        exchange.on_quote("ABC", 88, 89, at=when(minutes))
    assert caught.value is fault
    hours.fault = None
    filled = "filled" if minutes == 25 else "accepted"
    for name in ("ann", "zoe"):
        assert brokers[name].order(orders[name]).status == filled
    assert brokers["bob"].order(orders["bob"]).status == filled
    if isinstance(fault, InvariantError):
        with pytest.raises(AccountSuspendedError):
            brokers["bob"].buy("ABC", 1)
    else:
        exchange.on_quote("ABC", 88, 89, at=when(minutes + 1))
        assert [encode_event(event) for event in heard["bob"]] == [
            encode_event(event) for event in list(brokers["bob"].events())[2:]
        ]
    for name in ("ann", "zoe"):
        assert len(heard[name]) == len(list(brokers[name].events())) - 2


def test_a_calendar_that_raises_when_an_account_is_opened_leaves_nothing_behind() -> None:
    """The account is not open by half: asked again, it opens as it is stored."""
    hours = Brittle()
    exchange, brokers, _ = hosted(hours)
    order = brokers["bob"].buy("ABC", 10, limit_price=90)
    brokers["bob"].close()
    hours.fault = RuntimeError("no table")
    for _ in range(2):
        with pytest.raises(RuntimeError):
            exchange.open_account("bob", square_off=pt.SquareOff())
    assert exchange.accounts() == ["ann", "zoe"]
    hours.fault = None
    again = exchange.open_account("bob", square_off=pt.SquareOff())
    exchange.on_quote("ABC", 88, 89, at=when(25))
    assert again.order(order).status == "filled"


# ------------------------------------------------------------- where a table ends

KNOWN = ("2026-01-01", "2026-01-05")  # the 5th is a Monday
AFTER = "2026-01-06T"


def ending(**changes: Any) -> pt.Calendar:
    """Ten to four in UTC with both auctions, known to the fifth of January."""
    times = (("open", "10:00", "09:55"), ("close", "16:00", "15:55"))
    auctions = [pt.AuctionTimes(kind, at=at, accepts_until=until) for kind, at, until in times]
    hours = pt.Hours("10:00-16:00", auctions=auctions)
    return pt.Calendar(name="ends", zone="UTC", hours=hours, known=KNOWN, **changes)


def mended() -> pt.Calendar:
    """The same, known for the whole year."""
    return ending().with_days({}, known_through="2026-12-31")


def quoted(hours: pt.Calendar, **options: Any) -> pt.PaperBroker:
    """A broker on these hours that has seen a quote at noon of the last known day."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar=hours, **options)
    broker.on_quote("ABC", 99, 100, at="2026-01-05T12:00:00Z")
    return broker


DATA: dict[str, Any] = {
    "quote": lambda broker, at: broker.on_quote("ABC", 79, 80, at=at),
    "price": lambda broker, at: broker.on_price("ABC", 80, at=at),
    "print": lambda broker, at: broker.on_trade("ABC", 80, 100, at=at),
    "depth": lambda broker, at: broker.on_depth("ABC", [(79, 9)], [(80, 9)], at=at),
    "bar": lambda broker, at: broker.on_bar("ABC", 81, 82, 79, 80, 1000, start=at, end=at.replace(":00Z", ":59Z")),
    "bare bar": lambda broker, at: broker.on_bar("ABC", 81, 82, 79, 80, 1000, end=at),
    "auction": lambda broker, at: broker.on_auction("ABC", 80, 1000, "close", at=at),
}


@pytest.mark.parametrize("kind", DATA)
def test_data_of_a_time_that_no_calendar_knows_fill_nothing_and_fail_nobody(kind: str) -> None:
    """What rests waits until the calendar that goes on is there, and then meets the market again."""
    broker = quoted(ending())
    orders = [broker.buy("ABC", 1, limit_price=90), broker.buy("ABC", 1, stop_price=120)]
    broker.advance(f"{AFTER}11:00:00Z")
    before = broker.digest()
    DATA[kind](broker, f"{AFTER}12:00:00Z")
    assert broker.digest() == before
    assert [broker.order(order).status for order in orders] == ["accepted", "accepted"]
    broker.exchange.use_calendar(mended())
    DATA[kind](broker, f"{AFTER}16:00:00Z" if kind in ("auction", "bare bar") else f"{AFTER}12:01:00Z")
    assert broker.order(orders[0]).status == "filled"


def test_the_first_bar_after_the_last_known_close_fills_nothing() -> None:
    """The next regular session is not known: nobody can say that the bar tells of one."""
    broker = quoted(ending())
    order = broker.buy("ABC", 1, limit_price=90)
    broker.on_bar("ABC", 81, 82, 79, 80, 1000, start="2026-01-05T16:00:00Z", end="2026-01-05T16:30:00Z")
    assert broker.order(order).status == "accepted"
    broker.on_bar("ABC", 81, 82, 79, 80, 1000, start="2026-01-05T17:00:00Z", end=f"{AFTER}16:00:00Z")
    assert broker.order(order).status == "accepted"


def test_who_gives_a_command_hears_what_the_calendar_does_not_know() -> None:
    """Nothing new can be placed or previewed, and nothing changes by asking; what rests can be changed and canceled."""
    broker = quoted(ending())
    broker.buy("ABC", 5)
    order = broker.buy("ABC", 1, limit_price=90)
    broker.on_quote("ABC", 99, 100, at=f"{AFTER}12:00:00Z")
    before = broker.digest()
    for word in ("gtc", "day", "ioc", "opg", "cls"):
        with pytest.raises(CalendarRangeError, match="ends is known from 2026-01-01 to 2026-01-05"):
            broker.buy("ABC", 1, time_in_force=word)
        with pytest.raises(CalendarRangeError):
            broker.preview_order(pt.OrderRequest(symbol="ABC", side="buy", quantity=1, time_in_force=word))
    with pytest.raises(CalendarRangeError):
        broker.close_position("ABC")
    assert broker.digest() == before
    assert str(broker.explain(order)) == "It waits for ABC to open; calendar ends knows no further than 2026-01-05."
    assert broker.modify_order(order, limit_price=150).status == "accepted"
    assert broker.cancel_order(order).status == "canceled"
    broker.exchange.use_calendar(mended())
    assert broker.close_position("ABC").status == "filled"


def test_an_order_for_an_auction_of_an_unknown_day_waits_for_the_calendar() -> None:
    """A calendar that knows less than the one before forgets the auction, and the order stands until one knows it."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar=mended())
    broker.on_quote("ABC", 99, 100, at=f"{AFTER}12:00:00Z")
    order = broker.buy("ABC", 1, time_in_force="cls")
    broker.exchange.use_calendar(ending())
    broker.on_quote("ABC", 98, 99, at=f"{AFTER}15:00:00Z")
    assert broker.order(order).status == "accepted"
    assert broker.explain(order).reason == "waiting_auction"
    broker.exchange.use_calendar(mended())
    assert str(broker.exchange.next_deadline()) == "2026-01-06 16:00:00+00:00"
    broker.on_auction("ABC", 97, 10, "close", at=f"{AFTER}16:00:10Z")
    assert broker.order(order).average_price == 97


# ------------------------------------------------------------- where the days of an account end


def dated(hours: pt.Calendar, store: MemoryStore | None = None, **options: Any) -> tuple[pt.Exchange, pt.PaperBroker]:
    """An account whose days go by a calendar, beside one that needs none; both hold something and wait for more."""
    exchange = pt.Exchange(MemoryStore() if store is None else store, clock="data")
    exchange.add_instrument("ABC")
    ann = exchange.open_account("ann", cash=10_000, trading_day=pt.TradingDay("UTC", calendar=hours), **options)
    zoe = exchange.open_account("zoe", cash=10_000)
    exchange.on_quote("ABC", 99, 100, at="2026-01-05T12:00:00Z")
    for broker in (ann, zoe):
        broker.buy("ABC", 5)
        broker.buy("ABC", 1, limit_price=90)
    return exchange, ann


def told(broker: pt.PaperBroker) -> list[bytes]:
    return [encode_event(event) for event in broker.events()]


def test_an_account_stands_still_where_its_days_end_and_loses_nothing() -> None:
    """The clock says so once; nothing happens to the account, its commands are told, and everybody else goes on."""
    exchange, ann = dated(ending())
    order = ann.orders("open")[0]
    before = ann.digest()
    with pytest.raises(CalendarRangeError, match="ends is known from 2026-01-01 to 2026-01-05"):
        exchange.advance(f"{AFTER}12:00:00Z")
    exchange.advance("2026-01-08T12:00:00Z")
    assert exchange.account("zoe").day_summary().day == "2026-01-08"
    for at in ("2026-01-08T12:00:01Z", "2026-01-08T12:00:02Z"):
        exchange.on_quote("ABC", 88, 89, at=at)
    assert exchange.account("zoe").position("ABC").quantity == 6
    for ask in (
        lambda: ann.buy("ABC", 1),
        lambda: ann.cancel_order(order),
        lambda: ann.deposit(5, command_id="more"),
        lambda: ann.place_oco(
            pt.OrderRequest(symbol="ABC", side="sell", quantity=1, limit_price=120),
            pt.OrderRequest(symbol="ABC", side="sell", quantity=1, stop_price=80),
        ),
    ):
        with pytest.raises(CalendarRangeError):
            ask()
    assert ann.digest() == before
    assert ann.account().equity == 10_000 - 500 + 5 * pt.units("88.5") / 10**9
    assert ann.day_summary().day == "2026-01-05"
    assert str(ann.explain(order)).startswith("It waits for")
    assert exchange.next_deadline() is not None  # of the other account


@pytest.mark.parametrize("way", ["mended while it runs", "opened again"])
@pytest.mark.parametrize("steps", [1, 7, 200])
def test_once_the_calendar_goes_on_the_journal_is_that_of_one_that_always_did(way: str, steps: int) -> None:
    """Days are closed and opened, and orders expire, at the instants at which they were due."""
    last, first = 1_767_960_000, 1_767_614_400  # the 9th, noon; the 5th, noon
    journals = []
    for hours in (mended(), ending()):
        store = MemoryStore()
        exchange, ann = dated(hours, store)
        ann.buy("ABC", 1, limit_price=80, time_in_force="gtd", expires_at=f"{AFTER}10:00:00Z")
        for step in range(1, steps + 1):
            try:
                exchange.advance((first + (last - first) * step // steps) * SECOND_NS)
            except CalendarRangeError:
                assert hours.known[1].isoformat() == KNOWN[1]
        if way == "opened again":
            exchange = pt.Exchange(store, clock="data")
            exchange.add_instrument("ABC")
            ann = exchange.open_account("ann", trading_day=pt.TradingDay("UTC", calendar=mended()))
            exchange.on_quote("ABC", 99, 100, at="2026-01-05T12:00:00Z")
        else:
            exchange.use_calendar(mended())
        exchange.advance("2026-01-10T00:00:00Z")
        assert [day.day for day in ann.day_summaries()] == [*(f"2026-01-0{n}" for n in range(5, 10)), "2026-01-12"]
        assert ann.cancel_all_orders()
        journals.append(told(ann))
    assert journals[0] == journals[1]


def test_a_day_ends_without_knowing_the_next_when_nothing_is_at_stake() -> None:
    """An account with nothing in it, or with nothing but orders that end with the day, needs no next day."""
    broker = pt.open_paper_broker(cash=1000, clock="data", trading_day=pt.TradingDay("UTC", calendar=ending()))
    broker.on_quote("ABC", 99, 100, at="2026-01-05T12:00:00Z")
    order = broker.buy("ABC", 1, limit_price=90, time_in_force="day")
    broker.advance("2026-01-09T12:00:00Z")
    assert broker.order(order).status == "expired"
    assert [day.day for day in broker.day_summaries()] == ["2026-01-05"]
    before = broker.digest()
    with pytest.raises(CalendarRangeError):
        broker.buy("ABC", 1)
    assert broker.digest() == before
    broker.exchange.use_calendar(mended())
    broker.buy("ABC", 1, limit_price=90)
    assert broker.day_summary().day == "2026-01-09"


def test_a_day_that_is_mended_while_it_is_open_keeps_its_name_and_its_end() -> None:
    """Monday began on Saturday, as days without a session do; a session on Sunday is of that Monday."""
    hours = ending().with_days({}, known_through="2026-12-31")
    broker = pt.open_paper_broker(cash=1000, clock="data", trading_day=pt.TradingDay("UTC", calendar=hours))
    broker.on_quote("ABC", 99, 100, at="2026-01-10T12:00:00Z")
    broker.buy("ABC", 1)
    broker.exchange.use_calendar(hours.with_days({"2026-01-11": "10:00-12:00", "2026-01-12": None}))
    broker.advance("2026-01-14T12:00:00Z")
    assert [day.day for day in broker.day_summaries()] == ["2026-01-12", "2026-01-13", "2026-01-14"]


def test_a_run_goes_on_where_the_days_of_an_account_end() -> None:
    """It is one fault, told once, however many data come; whoever holds nothing there trades on."""
    exchange, _ = dated(ending())
    heard: list[Exception] = []
    feed = [pt.Quote("ABC", 88, 89, at=f"{AFTER}12:00:0{second}Z") for second in range(5)]
    run = exchange.run(feed, on_error=heard.append)
    assert (run.taken, run.faults, [type(fault) for fault in heard]) == (5, 1, [CalendarRangeError])
    assert exchange.account("zoe").position("ABC").quantity == 6
