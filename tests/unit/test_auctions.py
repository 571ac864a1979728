"""Auctions: orders for them alone, orders that are carried into them, and what stands for a price that never comes."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.errors import InvalidValueError, UnsupportedError, UsageError
from papertrade.testing.chance import draw_setup, with_hours
from papertrade.testing.differential import SideBySide
from papertrade.testing.drawing import Drawer
from papertrade.testing.recorder import RecordingExchange, replay
from papertrade.testing.short_hours import ShortHours

DAY = "2026-01-05T"  # a Monday; New York opens at 14:30 UTC and closes at 21:00
EARLY, NOON = f"{DAY}09:30:00Z", f"{DAY}17:00:00Z"
OPEN, CLOSE, DEADLINE = f"{DAY}14:30:00Z", f"{DAY}21:00:00Z", f"{DAY}21:15:00.000001Z"
NEXT_OPEN, NEXT_CLOSE = "2026-01-06T14:30:00Z", "2026-01-06T21:00:00Z"


def opened(at: str = EARLY, **options: Any) -> pt.PaperBroker:
    """A broker on New York hours that has seen one quote."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", **{"calendar": "XNYS", **options})
    broker.on_quote("ABC", "99.98", "100.00", at=at)
    return broker


def statuses(broker: pt.PaperBroker) -> list[str]:
    """The status of each order, oldest first."""
    return [order.status.value for order in broker.orders("all")]


# ------------------------------------------------------------------ being taken


@pytest.mark.parametrize(
    ("word", "at", "status"),
    [
        ("opg", f"{DAY}14:27:59Z", "accepted"),
        ("opg", f"{DAY}14:28:00Z", "rejected"),
        ("opg", f"{DAY}14:29:59Z", "rejected"),
        ("opg", OPEN, "accepted"),  # for the next session
        ("cls", f"{DAY}20:49:59Z", "accepted"),
        ("cls", f"{DAY}20:50:00Z", "rejected"),
        ("cls", CLOSE, "accepted"),
    ],
)
def test_between_cut_off_and_price_an_auction_takes_no_orders(word: str, at: str, status: str) -> None:
    """Later ones are for the next session's, and say so by their expiry."""
    broker = opened(at)
    order = broker.buy("ABC", 1, time_in_force=word)
    assert (order.status, order.reason) == (status, "auction_closed" if status == "rejected" else None)
    if at in (OPEN, CLOSE):
        assert order.expires_at is not None
        assert order.expires_at.date().isoformat() == "2026-01-06"


def test_policy_reject_takes_them_during_their_session_only() -> None:
    """Without queueing there is no order at night for the auction of the morning after."""
    broker = opened(f"{DAY}08:00:00Z", outside_hours="reject")
    assert broker.buy("ABC", 1, time_in_force="opg").reason == "auction_closed"
    broker.advance(f"{DAY}09:00:00Z")  # four in the morning in New York: the session begins
    assert broker.buy("ABC", 1, time_in_force="opg").status == "accepted"


def test_a_market_without_auctions_says_what_it_takes() -> None:
    """Around the clock, or by a calendar without auctions: misuse, and no order."""
    for calendar in (None, "24x7"):
        broker = opened(calendar=calendar)
        for word in ("opg", "cls"):
            with pytest.raises(UnsupportedError, match=f"{word} for ABC, whose market has no such auction; .*gtc"):
                broker.buy("ABC", 1, time_in_force=word)
            with pytest.raises(UnsupportedError, match="no such auction"):
                broker.preview_order(pt.OrderRequest(symbol="ABC", side="buy", quantity=1, time_in_force=word))
        assert broker.orders("all") == []
    with pytest.raises(UnsupportedError, match="an auction of ABC, which never closes"):
        opened(calendar=None).on_auction("ABC", "100", auction="open", at=OPEN)


@pytest.mark.parametrize("word", ["opg", "cls"])
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"stop_price": "101"}, "time_in_force"),
        ({"stop_price": "101", "limit_price": "102"}, "time_in_force"),
        ({"limit_price": "99", "post_only": True}, "post_only"),
        ({"limit_price": "99", "extended_hours": True}, "extended_hours"),
        ({"after_market": True}, "after_market"),
        ({"expires_at": NOON}, "expires_at"),
    ],
)
def test_an_order_for_an_auction_is_a_market_or_a_limit_order(word: str, said: dict[str, Any], field: str) -> None:
    """It says nothing else about when it trades."""
    with pytest.raises(InvalidValueError) as caught:
        opened().buy("ABC", 1, time_in_force=word, **said)
    assert caught.value.field == field


def test_an_order_for_an_auction_is_linked_to_nothing() -> None:
    """Neither when it is placed nor later, by either of the two."""
    broker = opened()
    plain = broker.buy("ABC", 1, limit_price="90")
    auction = broker.buy("ABC", 1, limit_price="90", time_in_force="opg")
    request = pt.OrderRequest(symbol="ABC", side="buy", quantity=1, limit_price="90", time_in_force="cls")
    for act in (
        lambda: broker.link_orders(plain, auction),
        lambda: broker.link_orders(auction, plain),
        lambda: broker.buy("ABC", 1, limit_price="91", oco_with=auction),
        lambda: broker.buy("ABC", 1, limit_price="91", time_in_force="opg", oco_with=plain),
        lambda: broker.place_oco(request, request),
    ):
        with pytest.raises(InvalidValueError, match="oco"):
            act()
    assert statuses(broker) == ["accepted", "accepted"]


@pytest.mark.parametrize("word", ["opg", "cls"])
def test_before_any_datum_nobody_knows_which_auction(word: str) -> None:
    """Under the data clock there is no now before the first datum."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar="XNYS")
    with pytest.raises(InvalidValueError, match=f"{word}, before any datum"):
        broker.buy("ABC", 1, time_in_force=word)


def test_after_the_cut_off_an_order_is_canceled_and_not_changed() -> None:
    """Before it a change is fine; a limit that the standing quote would fill fills nothing."""
    broker = opened()
    order = broker.buy("ABC", 1, limit_price="99", time_in_force="opg")
    assert broker.modify_order(order, limit_price="101").status == "accepted"
    broker.advance(f"{DAY}14:28:00Z")
    assert broker.modify_order(order, limit_price="102").reason == "auction_closed"
    assert broker.cancel_order(order).status == "canceled"


# ------------------------------------------------------------------- the price


def test_orders_that_wait_are_carried_into_the_auction() -> None:
    """Market and limit orders take part whatever they stand for; stops, post-only and late orders do not."""
    broker = opened(kind="margin")
    asked: list[dict[str, Any]] = [
        {},
        {"limit_price": "101", "time_in_force": "day"},
        {"limit_price": "100.50", "time_in_force": "day"},
        {"stop_price": "100.40"},
        {"limit_price": "101", "post_only": True},
        {"time_in_force": "cls"},
    ]
    for options in asked[:4]:
        broker.buy("ABC", 1, **options)
    broker.exchange.on_halt("ABC")  # no quote stands that a post-only order could take
    broker.exchange.on_resume("ABC")
    for options in asked[4:]:
        broker.buy("ABC", 1, **options)
    broker.advance(f"{DAY}14:28:30Z")
    broker.buy("ABC", 1)
    broker.on_auction("ABC", "100.50", 10_000, auction="open", at=OPEN)
    assert [fill.rule for fill in broker.fills()] == ["A2", "A4"]
    assert statuses(broker) == ["filled", "filled", *["accepted"] * 5]
    assert broker.market("ABC").mark == pt.units("100.50") / 10**9


def test_what_an_account_gets_is_its_share_of_the_auction() -> None:
    """Market orders before limits, limits by price; what is left of an opg order is canceled, a day order goes on."""
    broker = opened(kind="margin")
    waiting = broker.buy("ABC", 60, limit_price="102", time_in_force="day")
    limit = broker.buy("ABC", 30, limit_price="103", time_in_force="opg")
    market = broker.buy("ABC", 50, time_in_force="opg")
    broker.on_auction("ABC", "101", 1_000, auction="open", at=OPEN)
    found = {order.id: order for order in broker.orders("all")}
    assert [found[o.id].filled_quantity for o in (market, limit, waiting)] == [50, 30, 20]
    assert found[waiting.id].is_open
    broker.on_auction("ABC", "101", 1_000, auction="open", at=OPEN)  # the same again is no second auction
    assert broker.order(waiting).filled_quantity == 20
    assert broker.market("ABC").counts["duplicate"] == 1
    broker.on_auction("ABC", "90", 1_000, auction="open", at=f"{DAY}14:29:00Z")
    assert broker.market("ABC").counts["late"] == 1


def test_a_price_outside_its_auction_fills_nothing() -> None:
    """Before the cut-off no price was made; after the session the opening is no news; the other auction is another."""
    broker = opened()
    order = broker.buy("ABC", 1, time_in_force="opg")
    waits = broker.buy("ABC", 1, limit_price="110")
    broker.on_auction("ABC", "101", auction="open", at=f"{DAY}14:27:00Z")
    broker.on_auction("ABC", "101", auction="close", at=f"{DAY}14:28:00Z")
    assert statuses(broker) == ["accepted", "accepted"]
    broker.on_auction("ABC", "101", auction="open", at=f"{DAY}14:28:30Z")  # made early: its instant is the latest one
    assert statuses(broker) == ["filled", "filled"]
    assert broker.order(order).average_price == broker.order(waits).average_price == 101


def test_a_halted_market_has_no_auction() -> None:
    """The price fills nothing; the order waits, and its time runs out."""
    broker = opened()
    order = broker.buy("ABC", 1, time_in_force="opg")
    broker.on_halt("ABC")
    broker.on_auction("ABC", "101", auction="open", at=OPEN)
    assert broker.order(order).is_open
    broker.advance(f"{DAY}21:00:00.000001Z")
    assert broker.order(order).status == "expired"


def test_limit_orders_of_the_day_are_carried_into_a_closing_auction() -> None:
    """Where collecting orders for the closing price is a phase, those of the day are in it, and no stops."""
    hours = pt.Hours(
        "09:15-15:15, closing_auction 15:15-15:35",
        auctions=[pt.AuctionTimes("close", at="15:35", accepts_from="15:20", accepts_until="15:28")],
    )
    nse = pt.Calendar(name="CAS", zone="Asia/Kolkata", hours=hours, known=("2026-08-03", "2026-12-31"))
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar=nse)
    broker.on_quote("ABC", "99.95", "100.05", at="2026-08-03T09:40:00Z")  # 15:10 in Mumbai
    limit = broker.buy("ABC", 5, limit_price="99", time_in_force="day")
    stop = broker.buy("ABC", 5, stop_price="101", time_in_force="day")
    broker.on_quote("ABC", "97.95", "98.05", at="2026-08-03T09:46:00Z")  # nobody trades on it in the auction
    assert broker.order(limit).is_open
    late = broker.buy("ABC", 5, limit_price="99", time_in_force="cls")
    broker.on_auction("ABC", "98.50", 100_000, auction="close", at="2026-08-03T10:04:00Z")
    assert broker.order(limit).average_price == broker.order(late).average_price == pt.units("98.5") / 10**9
    assert broker.order(stop).is_open


@pytest.mark.parametrize("word", ["opg", "cls"])
def test_a_waiting_order_holds_what_it_needs(word: str) -> None:
    """The reference price and the collar, from acceptance to the end; then all of it is free again."""
    broker = opened()
    order = broker.buy("ABC", 10, time_in_force=word)
    assert order.hold == 1050
    broker.cancel_order(order)
    assert broker.account().held == 0


def test_one_auction_of_each_kind_a_day() -> None:
    """A session is bought at its open and sold at its close."""
    broker = opened()
    broker.buy("ABC", 10, time_in_force="opg")
    broker.on_auction("ABC", "101", auction="open", at=OPEN)
    broker.sell("ABC", 10, time_in_force="cls")
    broker.on_auction("ABC", "103", auction="close", at=f"{DAY}21:00:02Z")
    assert broker.account().realized == 20
    assert [fill.rule for fill in broker.fills()] == ["A2", "A2"]


# -------------------------------------------------- where no price comes


def test_a_closing_order_never_fills_on_another_day() -> None:
    """Nothing traded at the bell or all day: it expires when its price can no longer come."""
    broker = opened(EARLY)
    order = broker.buy("ABC", 1, time_in_force="cls")
    broker.on_quote("ABC", "99.98", "100.00", at=NEXT_OPEN)
    assert broker.order(order).status == "expired"
    assert broker.fills() == []
    assert broker.order(order).updated_at.isoformat() == "2026-01-05T21:15:00.000001+00:00"


def test_a_bar_as_long_as_the_session_tells_its_opening_and_closing_price() -> None:
    """Daily bars are enough for both."""
    broker = opened()
    broker.buy("ABC", 10, time_in_force="opg")
    broker.on_bar("ABC", 101, 105, 99, 104, start=OPEN, end=CLOSE)
    assert [fill.price for fill in broker.fills()] == [101]
    broker.sell("ABC", 10, time_in_force="cls")
    broker.on_bar("ABC", 103, 105, 99, 102, start=NEXT_OPEN, end=NEXT_CLOSE)
    assert [(fill.rule, fill.price) for fill in broker.fills()] == [("B7", 101), ("B7", 102)]


def test_official_asks_for_the_price_itself() -> None:
    """Quotes, prints and bars fill no order for an auction then."""
    broker = opened(fill=pt.FillSettings(auction_price="official"))
    opening = broker.buy("ABC", 1, time_in_force="opg")
    closing = broker.buy("ABC", 1, time_in_force="cls")
    broker.on_quote("ABC", "99.98", "100.00", at=OPEN)
    broker.on_trade("ABC", "100.00", 100, at=f"{DAY}14:30:01Z")
    broker.on_bar("ABC", 101, 105, 99, 104, start=OPEN, end=CLOSE)
    broker.advance(DEADLINE)
    assert [broker.order(order).status for order in (opening, closing)] == ["expired", "expired"]


def test_what_a_late_closing_price_finds() -> None:
    """Until the grace is over it fills; after it the session's last price did."""
    for at, rule in ((f"{DAY}21:14:59Z", "A2"), (f"{DAY}21:15:01Z", "Q8")):
        broker = opened(NOON)
        broker.buy("ABC", 1, time_in_force="cls")
        broker.on_auction("ABC", "101", auction="close", at=at)
        assert [fill.rule for fill in broker.fills()] == [rule]


def test_the_last_price_slips_by_the_spread_of_its_time() -> None:
    """What is quoted after the close is from the future of the price that the session ended with."""
    fill = pt.FillSettings(slippage=pt.SpreadSlippage("0.5"))
    broker = opened(NOON, fill=fill)
    broker.buy("ABC", 1, time_in_force="cls")
    broker.on_quote("ABC", "99", "101", at=f"{DAY}21:10:00Z")
    broker.advance(DEADLINE)
    assert [(fill.rule, str(fill.price)) for fill in broker.fills()] == [("Q8", "100.01")]


@pytest.mark.parametrize("steps", [[], [CLOSE], [f"{DAY}20:59:00Z", CLOSE, f"{DAY}21:05:00Z", DEADLINE]])
def test_the_clock_does_the_same_stepped_or_jumped(steps: list[str]) -> None:
    """However it comes to the next day, it passed the close and the deadline, each at its instant."""
    broker = opened(NOON)
    broker.buy("ABC", 1, time_in_force="cls")
    broker.buy("ABC", 1, time_in_force="opg")
    for at in steps:
        broker.advance(at)
    broker.on_quote("ABC", "104", "105", at="2026-01-06T15:00:00Z")
    first, second = broker.fills()
    assert (first.rule, first.price, first.filled_at.isoformat()) == ("Q8", 100, "2026-01-05T21:15:00.000001+00:00")
    assert (second.rule, second.price) == ("Q7", 105)


def test_an_order_for_an_auction_outlives_the_process() -> None:
    """Opened again, before or after the bell, it is where it was: asleep, or waiting for its price."""
    for again in (f"{DAY}14:00:00Z", f"{DAY}14:30:05Z"):
        store = MemoryStore()
        exchange = pt.Exchange(store, "data", calendar="XNYS")
        exchange.add_instrument("ABC")
        broker = exchange.open_account("main", cash=100_000)
        exchange.on_quote("ABC", "99.98", "100.00", at=EARLY)
        broker.buy("ABC", 1, time_in_force="opg")
        exchange.advance(again)
        other = pt.Exchange(store, "data", calendar="XNYS")
        other.add_instrument("ABC")
        broker = other.open_account("main", cash=100_000)
        other.on_quote("ABC", "101", "102", at=f"{DAY}14:29:00Z" if again < OPEN else again)
        other.on_quote("ABC", "102", "103", at=f"{DAY}14:30:06Z")
        assert [(fill.rule, fill.price) for fill in broker.fills()] == [("Q7", 103 if again < OPEN else 102)]


def test_it_sleeps_until_its_auction() -> None:
    """Quotes of the day do not look at an order for the close; those after it do."""
    broker = opened(NOON)
    broker.buy("ABC", 1, time_in_force="cls")
    index = broker.market("ABC").index
    assert index.floor < 0
    broker.advance(CLOSE)
    assert index.floor > 10**20
    assert broker.exchange.next_deadline() is not None


# -------------------------------------------------------------- other entrances


def test_the_asynchronous_host_takes_it_too() -> None:
    """The same price by the other exchange and by its broker."""

    async def play() -> list[str]:
        broker = await pt.open_async_paper_broker(cash=100_000, clock="data", calendar="XNYS")
        await broker.on_quote("ABC", "99.98", "100.00", at=EARLY)
        await broker.buy("ABC", 1, time_in_force="opg")
        await broker.on_auction("ABC", "101", 500, auction="open", at=OPEN)
        await broker.sell("ABC", 1, time_in_force="cls")
        await broker.exchange.on_auction("ABC", "102", auction="close", at=CLOSE)
        return [str(fill.price) for fill in await broker.fills()]

    assert asyncio.run(play()) == ["101", "102"]


def test_a_recording_has_it() -> None:
    """Replayed, it makes the same events."""
    lines: list[str] = []
    exchange = RecordingExchange(lines.append, clock="data")
    exchange.add_instrument("ABC", calendar="XNYS")
    broker = exchange.open_account("main", cash=100_000)
    exchange.on_quote("ABC", "99.98", "100.00", at=EARLY)
    broker.buy("ABC", 1, time_in_force="opg")
    exchange.on_auction("ABC", "101", 500, auction="open", at=OPEN)
    broker.sell("ABC", 1, time_in_force="cls", limit_price="100.50")
    exchange.on_auction("ABC", "102", auction="close", at=CLOSE)
    assert replay(lines).account("main").events() == broker.events()
    assert len(broker.fills()) == 2


@pytest.mark.parametrize(("field", "value"), [("price", 0), ("size", -1), ("auction", "noon"), ("auction", None)])
def test_what_is_no_auction_price_is_refused(field: str, value: object) -> None:
    """By the name of the field, and nothing has changed."""
    broker = opened()
    said: dict[str, Any] = {"price": "100", "size": 5, "auction": "open", "at": OPEN, field: value}
    with pytest.raises(InvalidValueError) as caught:
        broker.on_auction("ABC", **said)
    assert caught.value.field == field
    assert broker.market("ABC").auction is None


def test_a_calendar_answers_for_auctions() -> None:
    """One of your own without that answer is none."""

    class Old:
        name = "old"
        span_at = day_close = next_regular = lambda *_: None

    with pytest.raises(UsageError, match="calendar"):
        pt.Exchange(calendar=Old())  # type: ignore[arg-type]
    assert ShortHours().auction("open", 0) is not None


def test_a_feed_may_have_it() -> None:
    """As a value, or as a mapping of the fields of ``on_auction``."""
    broker = opened()
    broker.buy("ABC", 1, time_in_force="opg")
    feed = [
        pt.AuctionPrice("ABC", "101", 500, "open", at=OPEN),
        {"kind": "auction", "symbol": "ABC", "price": "102", "auction": "close", "at": CLOSE},
    ]
    assert broker.exchange.run(iter(feed)).taken == 2
    assert (broker.fills()[0].price, broker.market("ABC").mark) == (101, 102)


# ------------------------------------------------------------------ the oracle


@pytest.mark.parametrize("seed", range(8))
def test_the_oracle_agrees_about_auctions(seed: int) -> None:
    """Many orders for auctions among others: both make the same events, and the checks hold."""
    rng = Random(7_000 + seed)
    setup = with_hours(rng, draw_setup(rng))
    both, drawer = SideBySide(setup), Drawer(rng, setup)
    for _ in range(200):
        both.give(drawer.draw(both.oracle))
    both.check_state()
