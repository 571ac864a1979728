"""Runs over feeds: what may be one, whose error an error is, and how a run ends."""

from __future__ import annotations

import asyncio
import queue
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import papertrade as pt
from papertrade.engine.engine import Engine
from papertrade.errors import (
    FeedDataError,
    FeedLostError,
    InvalidValueError,
    StoreClosedError,
    StoreUnavailableError,
    UsageError,
)
from papertrade.ports.feed import END, FeedRun, RunEnd
from papertrade.testing import FaultyStore, ScriptedFeed
from papertrade.testing.recorder import open_recording_broker

AT = "2026-01-05T14:30:00Z"


def priced(price: int, second: int = 0, symbol: str = "ABC") -> pt.LastPrice:
    return pt.LastPrice(symbol, price, at=f"2026-01-05T14:30:{second:02}Z")


def exchange(clock: Any = "data", store: Any = None) -> pt.Exchange:
    made = pt.Exchange(store, clock)
    made.add_instrument("ABC")
    return made


def a_run(taken: int = 0, ended: RunEnd = RunEnd.END_OF_FEED, **counts: int) -> FeedRun:
    return FeedRun(ended=ended, taken=taken, **counts)


# ------------------------------------------------------------------- data


def test_every_kind_of_datum_reaches_its_method() -> None:
    """A value and the mapping of the same fields do the same."""
    values = [
        pt.Quote("ABC", "99", "100", 5, 6, at=AT),
        pt.MarketTrade("ABC", "99.5", 3, "buy", at="2026-01-05T14:30:01Z"),
        pt.Bar("ABC", 99, 101, 98, 100, 10, end="2026-01-05T14:30:02Z"),
        pt.Depth("ABC", [(99, 1), (98, 1)], [(100, 2)], at="2026-01-05T14:30:03Z"),
        pt.Halt("ABC"),
        pt.Resume("ABC"),
        priced(97, 5),
    ]
    names = ("symbol", "bid", "ask", "bid_size", "ask_size", "price", "size", "aggressor", "open", "high", "low")
    names += ("close", "volume", "end", "bids", "asks", "at")
    mappings = [{"kind": v.kind, **{n: getattr(v, n) for n in names if hasattr(v, n)}} for v in values]
    markets = []
    for feed in (values, mappings):
        taken: list[tuple[object, ...]] = []
        to = exchange()
        to.subscribe_market("ABC", lambda m, taken=taken: taken.append((m.standing, m.mark, m.halted)))
        assert to.run(feed) == a_run(7)
        markets.append(taken)
    assert markets[0] == markets[1]
    assert len(set(markets[0])) > 3


BAD: list[tuple[Any, str]] = [
    (5, "datum: found 5"),
    ({"symbol": "ABC", "price": 1}, "kind: found None; accepted: one of quote, price, trade, auction, bar, depth"),
    ({"kind": [], "symbol": "ABC"}, "datum"),
    ({"kind": "price", "symbol": "ABC", "price": 1, "size": 2}, "field of a price: found 'size'"),
    ({"kind": "price", "symbol": "ABC"}, "fields of a price: found ['symbol']; accepted: price too"),
    (pt.LastPrice("XYZ", 1, at=AT), "unknown symbol 'XYZ'"),
    (pt.LastPrice("ABC", -1, at=AT), "price: found -1"),
    (pt.LastPrice("ABC", 1), "at: found None"),
    (pt.Depth("ABC", 5, [(1, 1)], at=AT), "bids: found 5"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("datum", "why"), BAD, ids=[text[:30] for _, text in BAD])
def test_a_datum_that_cannot_be_taken(datum: Any, why: str) -> None:
    """It ends the run and says which one it was; or it is left out, said to the host, and the next one is taken."""
    with pytest.raises(FeedDataError) as caught:
        exchange().run([priced(1), datum])
    assert (caught.value.number, caught.value.datum) == (2, datum)
    assert why in str(caught.value)
    assert isinstance(caught.value.__cause__, UsageError)
    heard: list[Exception] = []
    to = exchange()
    assert to.run([priced(1), datum, priced(2, 1)], bad_data="skip", on_error=heard.append) == a_run(2, skipped=1)
    assert [type(why) for why in heard] == [FeedDataError]
    assert to.market("ABC").mark == 2


def test_what_is_no_feed_and_no_option() -> None:
    """The call is refused before anything is taken."""
    to = exchange()
    calls: list[dict[str, Any]] = [
        {"feed": 5}, {"feed": [], "stop": True}, {"feed": [], "bad_data": "ignore"}, {"feed": [], "on_error": 1},
        {"feed": [], "patience_s": 0}, {"feed": [], "patience_s": float("nan")}, {"feed": [], "patience_s": True},
    ]
    for call in calls:
        with pytest.raises(InvalidValueError):
            to.run(**call)
    with pytest.raises(InvalidValueError):
        to.poll(5)  # type: ignore[arg-type]
    for options in ({"symbols": []}, {"symbols": 5}, {"every_s": -1}, {"refresh_s": 0}, {"on_failure": "skip"},
                    {"waiter": 1}):
        with pytest.raises(InvalidValueError):
            to.poll(dict, **options)  # type: ignore[arg-type]


# ------------------------------------------------------------------- whose error it is


def test_a_feed_that_breaks_off() -> None:
    """The error says how far it came, what was taken stays, and a new run goes on."""

    def broken() -> Iterator[pt.LastPrice]:
        yield priced(1)
        raise ConnectionResetError("gone")

    to = exchange()
    with pytest.raises(FeedLostError, match="after 1 data: ConnectionResetError: gone") as caught:
        to.run(broken())
    assert (caught.value.taken, type(caught.value.__cause__)) == (1, ConnectionResetError)
    assert to.run([priced(2, 1)]) == a_run(1)
    market = ScriptedFeed()
    market.say(pt.LastPrice("ABC", 3)).fail(TimeoutError("line")).say(pt.LastPrice("ABC", 4))
    to = exchange(market.clock)
    with pytest.raises(FeedLostError, match="line"):
        to.run(market)
    assert to.run(market) == a_run(1)


def test_an_account_in_trouble_does_not_stop_the_feed() -> None:
    """What goes wrong for its store is said to the host; data go on to everybody else, and to it when it is well."""
    store = FaultyStore(pt.open_store("memory:"))
    to = exchange(store=store)
    alice = to.open_account("alice", cash=1_000)
    to.run([priced(100)])
    alice.buy("ABC", 1, limit_price=95)
    heard: list[Exception] = []
    store.fail("unavailable", calls=("append_many",))
    run = to.run([priced(90, 1), priced(91, 2)], on_error=heard.append)
    assert (run.ended, run.taken, run.faults) == (RunEnd.END_OF_FEED, 2, len(heard))
    assert [type(why) for why in heard] == [StoreUnavailableError]
    assert [order.status.value for order in alice.orders()] == ["filled"]


def test_what_goes_wrong_inside_an_account_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a model of the account raises, even a UsageError, is not taken for a bad datum, and ends no run."""
    to = exchange()
    alice = to.open_account("alice", cash=1_000)
    to.run([priced(100)])
    alice.buy("ABC", 1, limit_price=95)

    def broken(*_: object) -> None:
        raise UsageError("no fee today")

    monkeypatch.setattr(Engine, "meet", broken)
    heard: list[Exception] = []
    assert to.run([priced(90, 1)], on_error=heard.append) == a_run(1, faults=1)
    assert [str(why) for why in heard] == ["no fee today"]


def test_what_a_handler_raises_comes_through() -> None:
    """A strategy's own mistake, a wrong call of the broker included, is neither the feed's nor an account's."""
    to = exchange()
    alice = to.open_account("alice", cash=1_000)
    to.subscribe_market("ABC", lambda _: alice.buy("ABC", -1))
    with pytest.raises(InvalidValueError, match="quantity"):
        to.run([priced(1)], bad_data="skip")
    assert to.market("ABC").mark == 1


def test_errors_nobody_wants_to_hear_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Without ``on_error`` what did not stop the run is a warning."""
    exchange().run([pt.LastPrice("XYZ", 1, at=AT)], bad_data="skip")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "XYZ" in caplog.text


# ------------------------------------------------------------------- how it ends


def test_stop_ends_what_runs_and_nothing_else() -> None:
    """The datum in hand is finished, the next one is left in the feed; a run that begins later is not stopped."""
    to = exchange()
    to.stop()
    feed = iter([priced(1), priced(2, 1), priced(3, 2)])
    end = to.subscribe_market("ABC", lambda _: to.stop())
    assert to.run(feed) == a_run(1, RunEnd.STOPPED)
    end()
    assert next(feed) == priced(2, 1)
    event = threading.Event()
    event.set()
    assert to.run(feed, stop=event) == a_run(0, RunEnd.STOPPED)
    assert to.run(feed) == a_run(1)


def test_a_queue_that_is_waited_on_is_stopped_by_a_signal() -> None:
    """The handler of a signal may stop a run that waits in the thread which the signal interrupts."""
    feed, to = pt.QueueFeed(), exchange()
    feed.put(priced(1))
    before = signal.signal(signal.SIGUSR1, lambda *_: to.stop())
    try:
        to.subscribe_market("ABC", lambda _: signal.raise_signal(signal.SIGUSR1))
        assert to.run(feed, patience_s=60) == a_run(1, RunEnd.STOPPED)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_queue_ends_fails_and_is_woken() -> None:
    """What was put before comes first."""
    feed, to = pt.QueueFeed(), exchange()
    feed.put(priced(1))
    feed.fail(ConnectionError("gone"))
    feed.put(priced(2, 1))
    feed.end()
    with pytest.raises(FeedLostError, match="after 1 data"):
        to.run(feed)
    assert to.run(feed) == a_run(1)
    thread = threading.Thread(target=lambda: (heard.wait(60), to.stop()))
    heard = threading.Event()
    to.subscribe_market("ABC", lambda _: heard.set())
    feed.put(priced(3, 2))
    thread.start()
    assert to.run(feed, patience_s=60) == a_run(1, RunEnd.STOPPED)
    thread.join()
    yours: queue.Queue[Any] = queue.Queue()
    yours.put(priced(4, 3))
    yours.put(END)
    assert to.run(yours) == a_run(1)


def test_events_that_are_queued_are_delivered_before_a_run_is_over() -> None:
    """A handler that raised leaves the others' events waiting; they are not left there."""
    to = exchange()
    alice = to.open_account("alice", cash=1_000)
    to.run([priced(100)])
    alice.buy("ABC", 1, limit_price=95)
    raised = []

    def once(_: object) -> None:
        if not raised:
            raised.append(True)
            raise RuntimeError("mine")

    to.subscribe(once, kinds="order_filled")
    later = to.subscribe(kinds="order_filled")
    with pytest.raises(RuntimeError, match="mine"):
        to.run([priced(90, 1)])
    assert [event.kind for event in later] == ["order_filled"]


def test_a_wait_is_never_longer_than_patience_nor_than_the_next_deadline() -> None:
    """A command may bring a deadline while the feed is waited on, so the clock is looked at again and again."""
    market = ScriptedFeed()
    to = exchange(market.clock)
    alice = to.open_account("alice", cash=1_000)
    market.say(pt.LastPrice("ABC", 100))
    market.do(lambda: alice.buy("ABC", 1, limit_price=90, time_in_force="ttl", ttl_minutes=1)).silence(90)
    to.run(market, patience_s=40)
    assert market.asked == [40, 40, 40, 20, 40, 40]
    assert [order.status.value for order in alice.orders()] == ["expired"]


# ------------------------------------------------------------------- polls


def test_a_poll_gives_what_changed() -> None:
    """Prices, quotes and mappings; what stands is not given again until it would grow stale, what is None never."""
    market = ScriptedFeed()
    to = exchange(market.clock)
    to.add_instrument("XYZ")
    seen: list[tuple[str, object]] = []
    for symbol in ("ABC", "XYZ"):
        to.subscribe_market(symbol, lambda m: seen.append((m.symbol, m.mark)))
    answer: dict[str, Any] = {"ABC": "10", "XYZ": {"bid": 5, "ask": 7}, "NEW": None}
    assert to.poll(lambda: answer) == a_run(2)
    assert to.poll(lambda: answer) == a_run(0)
    answer["XYZ"] = pt.Quote("XYZ", 7, 9)
    assert to.poll(lambda: answer) == a_run(1)
    market.clock.advance(seconds=30)
    assert to.poll(lambda: answer) == a_run(2)
    assert to.poll(lambda symbols: dict.fromkeys(symbols, 11) | {"XYZ": 1}, ["ABC"]) == a_run(1)
    assert seen == [("ABC", 10), ("XYZ", 6), ("XYZ", 8), ("ABC", 10), ("XYZ", 8), ("ABC", 11)]


def test_a_source_that_raises() -> None:
    """It ends the poll, or it is asked again after the usual time; the clock is served meanwhile."""
    market = ScriptedFeed()
    to = exchange(market.clock)
    rounds: list[Any] = [{"ABC": 1}, OSError("down"), 5, {"ABC": 2}]
    asked_at: list[int] = []

    def source() -> Any:
        asked_at.append(market.clock.now_ns())
        found = rounds[len(asked_at) - 1]
        if len(asked_at) == len(rounds):
            to.stop()
        if isinstance(found, Exception):
            raise found
        return found

    heard: list[Exception] = []
    run = to.poll(source, every_s=2.5, on_failure="go_on", on_error=heard.append, waiter=market)
    assert run == a_run(2, RunEnd.STOPPED, failures=2)
    assert [at - asked_at[0] for at in asked_at] == [0, 2_500_000_000, 5_000_000_000, 7_500_000_000]
    assert [type(why) for why in heard] == [FeedLostError] * 2
    with pytest.raises(FeedLostError, match="OSError: down"):
        to.poll(lambda: (_ for _ in ()).throw(OSError("down")))


# ------------------------------------------------------------------- awaits


async def data(*prices: int) -> AsyncIterator[pt.LastPrice]:
    for second, price in enumerate(prices):
        yield priced(price, second)


def async_exchange(clock: Any = "data") -> pt.AsyncExchange:
    made = pt.AsyncExchange(clock=clock)
    made.add_instrument("ABC")
    return made


def test_what_an_event_loop_runs() -> None:
    """Async iterables, plain ones, queues and live feeds; ``arun`` is ``run``."""

    async def main() -> None:
        to = async_exchange()
        assert await to.run(data(1, 2, 3)) == a_run(3)
        assert await to.arun([priced(4, 4)]) == a_run(1)
        waiting: asyncio.Queue[Any] = asyncio.Queue()
        for datum in (priced(5, 5), END):
            waiting.put_nowait(datum)
        assert await to.run(waiting) == a_run(1)
        assert await to.run(ScriptedFeed().say(priced(6, 6))) == a_run(1)
        with pytest.raises(FeedDataError):
            await to.run([5])  # type: ignore[list-item]
        with pytest.raises(FeedLostError, match="AttributeError"):
            await to.run(broken())
        assert to.market("ABC").mark == 7

    async def broken() -> AsyncIterator[pt.LastPrice]:
        yield priced(7, 7)
        raise AttributeError("theirs")

    asyncio.run(main())


def test_a_wait_in_an_event_loop_is_ended_by_stop_by_an_event_and_by_cancellation() -> None:
    """Without patience; and a queue that was waited on has lost nothing."""

    async def main() -> None:
        to = async_exchange()
        waiting: asyncio.Queue[Any] = asyncio.Queue()
        taken = asyncio.Event()
        to.subscribe_market("ABC", lambda _: taken.set())
        for number, way in enumerate(("stop", "event", "thread", "cancel")):
            event = asyncio.Event()
            task = asyncio.ensure_future(to.run(waiting, stop=event, patience_s=60))
            taken.clear()
            waiting.put_nowait(priced(number + 1, number))
            await taken.wait()
            other = threading.Thread(target=to.stop)
            {"stop": to.stop, "event": event.set, "thread": other.start, "cancel": task.cancel}[way]()
            if way == "cancel":
                with pytest.raises(asyncio.CancelledError):
                    await task
            else:
                assert await task == a_run(1, RunEnd.STOPPED)
        waiting.put_nowait(priced(9, 9))
        assert waiting.qsize() == 1
        assert to._floor.runs == []
        assert to._desk.ears == ()
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main(), debug=True)


@pytest.mark.parametrize("cancels", [False, True])
@pytest.mark.parametrize("turns", range(6))
def test_a_datum_that_arrives_while_a_run_ends_is_not_lost(cancels: bool, turns: int) -> None:
    """However many turns of the loop lie between the two, it is taken or still in the queue."""

    async def main() -> None:
        to = async_exchange()
        waiting: asyncio.Queue[Any] = asyncio.Queue()
        task = asyncio.ensure_future(to.run(waiting, patience_s=60))
        for _ in range(10):
            await asyncio.sleep(0)
        waiting.put_nowait(priced(5))
        for _ in range(turns):
            await asyncio.sleep(0)
        if cancels:
            task.cancel()
        else:
            to.stop()
        await asyncio.wait([task])
        assert (to.market("ABC").mark == 5) is waiting.empty()

    asyncio.run(main())


def test_an_exchange_that_is_closed_is_run_no_more() -> None:
    """That is nobody's trouble but the run's own."""
    to = exchange()
    to.subscribe_market("ABC", lambda _: to.close())
    with pytest.raises(StoreClosedError):
        to.run([priced(1), priced(2, 1)])
    assert to._floor.runs == []
    assert to._desk.ears == ()


def test_what_was_due_when_a_feed_ends_is_done() -> None:
    """An iterator may take its time to find that there are no more data."""
    clock = pt.ManualClock(AT)
    to = exchange(clock)
    alice = to.open_account("alice", cash=1_000)

    def until_tomorrow() -> Iterator[pt.LastPrice]:
        yield pt.LastPrice("ABC", 100)
        alice.buy("ABC", 1, limit_price=90, time_in_force="day")
        clock.advance(days=1)

    expired = to.subscribe(kinds="order_expired")
    to.run(until_tomorrow())
    assert [event.order_id for event in expired] == ["alice-1"]


def test_an_account_whose_store_is_well_again_is_found_out_while_the_feed_is_silent() -> None:
    """It does not wait for the next datum."""
    store = FaultyStore(pt.open_store("memory:"))
    to = exchange(store=store)
    alice = to.open_account("alice", cash=1_000)
    to.run([priced(100)])
    alice.buy("ABC", 1, limit_price=95)
    store.fail("unavailable", calls=("append_many",))
    stale: list[bool] = []
    look = lambda: stale.append(bool(to._desk.stale))  # noqa: E731
    market = ScriptedFeed().say(priced(90, 1)).do(look).silence(1).do(look)
    assert to.run(market).faults == 1
    assert stale == [True, False]


def test_a_datum_in_hand_is_finished_when_its_task_is_canceled() -> None:
    """It waits for its turn behind somebody else's work, its task is canceled, and it is taken all the same."""

    async def main() -> None:
        to = async_exchange()
        await to._take_turn()
        pulled = asyncio.Event()

        async def one() -> AsyncIterator[pt.LastPrice]:
            pulled.set()
            yield priced(5)

        task = asyncio.ensure_future(to.run(one()))
        await pulled.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        to._turn.release()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(5):
            await asyncio.sleep(0)
        assert to.market("ABC").mark == 5

    asyncio.run(main())


def test_a_poll_that_waits_in_an_event_loop_is_stopped_by_another_thread() -> None:
    """The wait between two rounds, an hour here, is ended."""

    async def main() -> None:
        to = async_exchange(pt.ManualClock(AT))
        polled = asyncio.Event()
        to.subscribe_market("ABC", lambda _: polled.set())
        task = asyncio.ensure_future(to.poll(lambda: {"ABC": 1}, every_s=3_600, patience_s=3_600))
        await polled.wait()
        await asyncio.sleep(0)
        threading.Thread(target=to.stop).start()
        assert await task == a_run(1, RunEnd.STOPPED)

    asyncio.run(main())


def test_a_poll_that_waits_is_stopped_by_another_thread() -> None:
    """The same without a loop: the thread that polls is woken."""
    to = exchange(pt.ManualClock(AT))
    rounds: list[int] = []

    def source() -> dict[str, int]:
        rounds.append(1)
        threading.Thread(target=to.stop).start()
        return {"ABC": 1}

    run = to.poll(source, every_s=3_600, patience_s=3_600)
    assert (run.ended, run.taken <= 1, rounds) == (RunEnd.STOPPED, True, [1])


def test_every_account_in_trouble_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two accounts fail at one datum, a third one trades: the host hears of both."""
    to = exchange()
    brokers = [to.open_account(name, cash=1_000) for name in ("alice", "bob", "carol")]
    to.run([priced(100)])
    for broker in brokers:
        broker.buy("ABC", 1, limit_price=95)
    meet = Engine.meet

    def broken(engine: Engine, account: str, *rest: Any) -> Any:
        if account != "carol":
            raise ArithmeticError(account)
        return meet(engine, account, *rest)

    monkeypatch.setattr(Engine, "meet", broken)
    heard: list[Exception] = []
    assert to.run([priced(90, 1)], on_error=heard.append) == a_run(1, faults=1)
    assert [str(why) for why in heard] == ["alice", "bob"]
    assert brokers[2].position("ABC").quantity == 1


def test_a_recording_exchange_records_what_a_run_gives() -> None:
    """A run is its data, so a replay of the record makes the same journals."""
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=1_000, clock="data")
    assert broker.exchange.run([priced(100), priced(90, 1)]) == a_run(2)
    assert sum('"on_price"' in line for line in lines) == 2


def test_a_replay_leaves_other_tasks_their_turns() -> None:
    """A feed that never waits does not keep the loop to itself, so that it can be stopped."""

    async def main() -> None:
        to = async_exchange()
        task = asyncio.ensure_future(to.run(pt.LastPrice("ABC", 1 + n % 5, at=n) for n in range(1, 10_000)))
        await asyncio.sleep(0)
        to.stop()
        run = await task
        assert run.ended is RunEnd.STOPPED
        assert 0 < run.taken < 200

    asyncio.run(main())


def test_an_async_source_is_awaited() -> None:
    """And a plain one is called."""

    async def main() -> None:
        market = ScriptedFeed()
        to = async_exchange(market.clock)

        async def source(symbols: tuple[str, ...]) -> dict[str, int]:
            await asyncio.sleep(0)
            if market.clock.now_ns() > started:
                to.stop()
            return dict.fromkeys(symbols, 3)

        started = market.clock.now_ns()
        assert await to.poll(source, "ABC", every_s=5, waiter=market) == a_run(1, RunEnd.STOPPED)
        assert await to.poll(lambda: {"ABC": 4}) == a_run(1)

    asyncio.run(main())
