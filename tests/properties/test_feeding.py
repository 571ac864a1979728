"""However data reach an exchange (run, poll, by hand), and wherever a run is stopped, the journals are the same."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import Event
from papertrade.domain.instants import parse_instant
from papertrade.ports.feed import Datum, RunEnd
from papertrade.testing import ScriptedFeed

NOON = parse_instant("2026-01-05T12:00:00Z", "start")
SYMBOLS = ("ABC", "XYZ")
ACCOUNTS = ("alice", "bob")
DAY_S = 86_400


class Turn(NamedTuple):
    """Silence, then perhaps an order, then a datum."""

    silence_s: int
    order: tuple[str, str, dict[str, Any]] | None  # account, symbol, how it is placed
    datum: Datum


def orders() -> st.SearchStrategy[tuple[str, str, dict[str, Any]] | None]:
    ttl = {"time_in_force": "ttl", "ttl_minutes": 95}
    lives = st.sampled_from([{"time_in_force": "day"}, {"time_in_force": "gtc"}, ttl])
    placed = st.builds(
        lambda limit, life, side: {"limit_price": limit, "side": side, **life},
        st.integers(96, 104),
        lives,
        st.sampled_from(["buy", "sell"]),
    )
    return st.none() | st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(SYMBOLS), placed)


def data() -> st.SearchStrategy[Datum]:
    symbol, price = st.sampled_from(SYMBOLS), st.integers(95, 105)
    return st.one_of(
        st.builds(lambda s, p: pt.Quote(s, p, p + 1, 10, 10), symbol, price),
        st.builds(pt.LastPrice, symbol, price),
        st.builds(lambda s, p: pt.MarketTrade(s, p, 20), symbol, price),
        st.builds(lambda s, p: pt.Bar(s, p, p + 2, p - 2, p + 1, 50), symbol, price),
        st.builds(lambda s, p: pt.Depth(s, [(p, 5), (p - 1, 5)], [(p + 1, 5)]), symbol, price),
        st.builds(pt.Halt, symbol),
        st.builds(pt.Resume, symbol),
        st.builds(lambda s, p: {"kind": "price", "symbol": s, "price": p}, symbol, price),
    )


SILENCES = st.one_of(st.integers(0, 600), st.integers(0, 3 * DAY_S))
TURNS = st.lists(st.builds(Turn, SILENCES, orders(), data()), min_size=1, max_size=12)
Journals = dict[str, list[Event]]


class World:
    """An exchange with two accounts, its store and the feed whose clock it reads."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.feed = ScriptedFeed(NOON)
        self.exchange = pt.Exchange(self.store, self.feed.clock)
        for symbol in SYMBOLS:
            self.exchange.add_instrument(symbol)
        self.brokers = {name: self.exchange.open_account(name, cash=2_000, kind="margin",
                        margin=pt.FlatMargin(initial="0.2", maintenance="0.1")) for name in ACCOUNTS}

    def place(self, turn: Turn) -> None:
        if turn.order is not None:
            name, symbol, fields = turn.order
            self.brokers[name].place_order(symbol=symbol, quantity=5, **fields)

    def journals(self) -> Journals:
        return {name: list(self.store.load(name)) for name in ACCOUNTS}


def script(world: World, turns: list[Turn], leap: bool, stops: frozenset[int] = frozenset()) -> ScriptedFeed:
    for number, turn in enumerate(turns):
        (world.feed.gap if leap else world.feed.silence)(turn.silence_s)
        world.feed.do(lambda turn=turn: world.place(turn))
        if number in stops:
            world.feed.do(world.exchange.stop)
        world.feed.say(turn.datum)
    return world.feed


def by_hand(turns: list[Turn]) -> Journals:
    """Serve the clock at every deadline, then give the datum."""
    world = World()
    clock, exchange = world.feed.clock, world.exchange
    for turn in turns:
        target = clock.now_ns() + turn.silence_s * 10**9
        while (deadline := exchange.next_deadline()) is not None and parse_instant(deadline, "deadline") <= target:
            clock.set(deadline)
            exchange.advance()
        clock.set(target)
        world.place(turn)
        datum = turn.datum
        if isinstance(datum, dict):
            exchange.on_price(datum["symbol"], datum["price"])
        else:
            fields = {name: getattr(datum, name) for name in datum.__slots__ if name != "__weakref__"}
            getattr(exchange, f"on_{datum.kind}")(**fields)
    return world.journals()


def by_run(turns: list[Turn], leap: bool = False, stops: frozenset[int] = frozenset()) -> Journals:
    world = World()
    feed = script(world, turns, leap, stops)
    taken, stopped = 0, -1
    ended = None
    while ended is not RunEnd.END_OF_FEED:
        run = world.exchange.run(feed, patience_s=DAY_S)
        taken, stopped, ended = taken + run.taken, stopped + 1, run.ended
    assert (taken, stopped) == (len(turns), len(stops))
    return world.journals()


async def by_arun(turns: list[Turn]) -> Journals:
    store, feed = MemoryStore(), ScriptedFeed(NOON)
    exchange = pt.AsyncExchange(store, feed.clock)
    for symbol in SYMBOLS:
        exchange.add_instrument(symbol)
    brokers = {name: await exchange.open_account(name, cash=2_000, kind="margin",
               margin=pt.FlatMargin(initial="0.2", maintenance="0.1")) for name in ACCOUNTS}
    for turn in turns:
        feed.silence(turn.silence_s)
        if turn.order is not None:
            name, symbol, fields = turn.order
            feed.do(lambda n=name, s=symbol, f=fields: brokers[n].place_order(symbol=s, quantity=5, **f))
        feed.say(turn.datum)
    assert (await exchange.arun(feed, patience_s=DAY_S)).taken == len(turns)
    return {name: list(store.load(name)) for name in ACCOUNTS}


@settings(max_examples=60)
@given(TURNS, st.data())
def test_every_way_of_giving_data_makes_the_same_journals(turns: list[Turn], drawn: st.DataObject) -> None:
    """A run, a run whose machine slept through every silence, one with awaits, one that is stopped: all as by hand."""
    stops = drawn.draw(st.frozensets(st.integers(0, len(turns) - 1)))
    expected = by_hand(turns)
    assert by_run(turns) == expected
    assert by_run(turns, leap=True) == expected
    assert by_run(turns, stops=stops) == expected
    assert asyncio.run(by_arun(turns)) == expected


def test_the_ways_are_not_equal_because_nothing_happens() -> None:
    """The drawn turns do reach fills, expiries and new days."""
    day = {"limit_price": 99, "side": "buy", "time_in_force": "day"}
    turns = [
        Turn(5, ("alice", "ABC", {"limit_price": 104, "side": "buy"}), pt.Quote("ABC", 100, 101)),
        Turn(5, ("bob", "ABC", day), pt.LastPrice("XYZ", 100)),
        Turn(2 * DAY_S, None, pt.LastPrice("ABC", 100)),
    ]
    kinds = {event.kind for events in by_run(turns).values() for event in events}
    assert {"order_filled", "order_expired", "day_opened"} <= kinds


POLLED = st.lists(st.tuples(orders(), st.integers(95, 105)), min_size=1, max_size=10)


@settings(max_examples=40)
@given(POLLED, st.sampled_from([60, 3_600, DAY_S]))
def test_a_poll_makes_the_journals_of_prices_given_by_hand(rounds: list[Any], every_s: int) -> None:
    """Round after round the prices that changed are given, and every deadline in between is served."""
    turns = [
        Turn(every_s if number else 0, order, pt.LastPrice("ABC", price))
        for number, (order, price) in enumerate(rounds)
    ]

    def by_poll() -> Journals:
        world = World()
        left = list(turns)

        def source(symbols: tuple[str, ...]) -> dict[str, object]:
            assert symbols == ("ABC",)
            turn = left.pop(0)
            world.place(turn)
            if not left:
                world.exchange.stop()
            return {"ABC": turn.datum.price}  # type: ignore[union-attr]

        run = world.exchange.poll(source, ["ABC"], every_s, patience_s=DAY_S, refresh_s=None, waiter=world.feed)
        prices = [turn.datum.price for turn in turns]  # type: ignore[union-attr]
        changed = 1 + sum(one != two for one, two in pairwise(prices))
        assert (run.ended, run.taken) == (RunEnd.STOPPED, changed)
        return world.journals()

    def only_changes() -> list[Turn]:
        found: list[Turn] = []
        said = None
        for turn in turns:
            price = turn.datum.price  # type: ignore[union-attr]
            found.append(turn if price != said else turn._replace(datum={}))
            said = price
        return found

    assert by_poll() == by_hand_of_polls(only_changes())


def by_hand_of_polls(turns: list[Turn]) -> Journals:
    world = World()
    clock, exchange = world.feed.clock, world.exchange
    for turn in turns:
        target = clock.now_ns() + turn.silence_s * 10**9
        while (deadline := exchange.next_deadline()) is not None and parse_instant(deadline, "deadline") <= target:
            clock.set(deadline)
            exchange.advance()
        clock.set(target)
        world.place(turn)
        if turn.datum:
            exchange.on_price("ABC", turn.datum.price)  # type: ignore[union-attr]
        exchange.advance()
    return world.journals()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2 * DAY_S), st.integers(95, 105)), min_size=1, max_size=15), st.data())
def test_an_iterator_that_was_stopped_is_gone_on_with(steps: list[tuple[int, int]], drawn: st.DataObject) -> None:
    """Under ``clock="data"`` a replay that stops after any data and goes on is the replay that did not stop."""
    stops = drawn.draw(st.frozensets(st.integers(0, len(steps) - 1)))

    def replay(stops: frozenset[int]) -> list[Event]:
        store = MemoryStore()
        exchange = pt.Exchange(store, "data")
        exchange.add_instrument("ABC")
        alice = exchange.open_account("alice", cash=100_000)
        seen = 0

        def strategy(_: object) -> None:
            nonlocal seen
            alice.buy("ABC", 1, limit_price=98, time_in_force="day")
            if seen in stops:
                exchange.stop()
            seen += 1

        exchange.subscribe_market("ABC", strategy)
        at, data = NOON, []
        for number, (pause, price) in enumerate(steps):
            at += pause * 10**9 + 1
            data.append(pt.Quote("ABC", price, price + 1, 10 + number, 10, at=at))
        feed = iter(data)
        while exchange.run(feed).ended is RunEnd.STOPPED:
            pass
        assert seen == len(steps)
        return list(store.load("alice"))

    assert replay(stops) == replay(frozenset())


def test_a_silent_feed_does_exactly_the_work_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three days without data: each expiry and each day when it is due, no wake-up too many, and nobody sleeps."""
    def slept(_: float) -> None:
        raise AssertionError("somebody sleeps")

    monkeypatch.setattr(time, "sleep", slept)
    world = World()
    alice = world.brokers["alice"]
    world.exchange.on_price("ABC", 100)
    alice.buy("ABC", 1)
    alice.buy("ABC", 1, limit_price=90, time_in_force="ttl", ttl_minutes=30)
    alice.buy("ABC", 1, limit_price=90, time_in_force="day")
    before = len(world.journals()["alice"])
    run = world.exchange.run(world.feed.silence(3 * DAY_S), patience_s=DAY_S)
    events = world.journals()["alice"][before:]
    assert run.taken == 0
    assert [(event.kind, event.at.isoformat()) for event in events] == [
        ("order_expired", "2026-01-05T12:30:00+00:00"),
        ("order_expired", "2026-01-06T00:00:00+00:00"),
        ("day_closed", "2026-01-06T00:00:00+00:00"),
        ("day_opened", "2026-01-06T00:00:00+00:00"),
        ("day_closed", "2026-01-07T00:00:00+00:00"),
        ("day_opened", "2026-01-07T00:00:00+00:00"),
        ("day_closed", "2026-01-08T00:00:00+00:00"),
        ("day_opened", "2026-01-08T00:00:00+00:00"),
    ]
    assert world.feed.asked == [1800, 41_400, DAY_S, DAY_S, DAY_S, 43_200]


