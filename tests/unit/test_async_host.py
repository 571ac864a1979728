"""The asynchronous host decides what the synchronous one decides, in the order of arrival, whoever is canceled when."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event, OrderFilled
from papertrade.errors import InvalidValueError, OutcomeUnknownError, StoreError, StoreUnavailableError

T = TypeVar("T")
START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def log() -> ModuleType:
    """The command log of the determinism tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "properties"))
        import command_log

    return command_log


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; what hangs is stopped and reported. Nothing may go wrong behind anybody's back."""
    unheard: list[dict[str, Any]] = []

    async def guarded() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        return await asyncio.wait_for(main, 30)

    gc.freeze()  # what was there before need not be looked through each time
    try:
        answer = asyncio.run(guarded())
        gc.collect()  # what was dropped unheard is reported when it is collected
    finally:
        gc.unfreeze()
    assert not unheard
    return answer


class SlowStore:
    """A memory store at the end of a wire: every call suspends, and may be told to fail."""

    def __init__(self, pauses: int = 1) -> None:
        self.inner = MemoryStore()
        self.pauses = pauses
        self.began = 0  # appends that reached the store
        self.ended = 0
        self.before: Callable[[Any], None] = lambda batch: None
        self.after: Callable[[Any], None] = lambda batch: None

    async def pause(self) -> None:
        for _ in range(self.pauses):
            await asyncio.sleep(0)

    async def append(self, batch: Any) -> Any:
        self.began += 1
        await self.pause()
        self.before(batch)
        answer = self.inner.append(batch)
        await self.pause()
        self.after(batch)
        self.ended += 1
        return answer

    async def append_many(self, batches: Any) -> Any:
        self.began += 1
        await self.pause()
        found: list[Any] = []
        for batch in batches:
            try:
                self.before(batch)
                found.append(self.inner.append(batch))
                self.after(batch)
            except StoreError as why:
                found.append(why)
        await self.pause()
        self.ended += 1
        return found

    async def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        await self.pause()
        return self.inner.load(stream, start, stop)

    async def find(self, stream: str, commit_id: str) -> Any:
        await self.pause()
        return self.inner.find(stream, commit_id)

    async def head(self, stream: str) -> int:
        await self.pause()
        return self.inner.head(stream)

    async def get_snapshot(self, stream: str) -> Any:
        await self.pause()
        return self.inner.get_snapshot(stream)

    async def close(self) -> None:
        await self.pause()
        self.inner.close()


async def open_exchange(store: Any = None, *names: str) -> tuple[pt.AsyncExchange, list[pt.AsyncPaperBroker]]:
    exchange = pt.AsyncExchange(store, clock="data")
    exchange.add_instrument("AAPL")
    await exchange.on_quote("AAPL", "100.00", "100.02", at=START)
    return exchange, [await exchange.open_account(name, cash=100_000) for name in names or ("main",)]


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def check(exchange: pt.AsyncExchange, store: SlowStore, *names: str) -> None:
    """Each account is the fold of its journal, its versions have no gap, and it still works."""
    for name in names or ("main",):
        events = list(store.inner.load(name))
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        broker = await exchange.account(name)
        fresh = pt.Exchange(store.inner, clock="data")
        fresh.add_instrument("AAPL")
        assert await broker.digest() == fresh.open_account(name).digest()
        assert (await broker.deposit(1)).total_units == (await broker.account()).total_units


# ---------------------------------------------------------------- same decisions


async def play(log: ModuleType, store: Any) -> dict[str, tuple[list[bytes], str]]:
    exchange = pt.AsyncExchange(store, clock="data")
    for listed in log.INSTRUMENTS:
        exchange.add_instrument(**listed)
    await exchange.advance(to=log.START)
    brokers = {name: await exchange.open_account(name, **how) for name, how in log.accounts().items()}
    placed: dict[str, str] = {}
    for who, method, fields in log.commands():
        target: Any = exchange if who == log.MARKET else brokers[who]
        meant = {}
        for name, value in fields.items():
            if isinstance(value, str) and value.startswith("@"):
                value = placed[f"{who}{value[1:]}"]
            meant[name] = pt.OrderRequest(**value) if isinstance(value, dict) and "side" in value else value
        if method == "clone":
            brokers[meant["target"]] = await exchange.clone_account(who, **meant)
            continue
        answer = await getattr(target, method)(**meant)
        if fields.get("client_order_id") and isinstance(answer, pt.Order):
            placed[f"{who}{fields['client_order_id']}"] = answer.id
    found = {}
    for name, broker in brokers.items():
        found[name] = ([encode_event(event) for event in await broker.events()], await broker.digest())
    return found


@pytest.mark.parametrize("slow", [False, True])
def test_the_same_log_gives_the_same_bytes(log: ModuleType, slow: bool) -> None:
    """Both hosts, over a store that answers at once and over one that suspends: identical journals and digests."""
    sync = log.play()
    wanted = {name: (sync.journal(name), broker.digest()) for name, broker in sync.brokers.items()}
    assert run(play(log, SlowStore() if slow else MemoryStore())) == wanted


def test_both_faces_offer_the_same() -> None:
    """Whatever can be asked of one broker can be asked of the other."""
    sync, aio = ({n for n in dir(cls) if not n.startswith("_")} for cls in (pt.PaperBroker, pt.AsyncPaperBroker))
    assert aio - sync == {"stream"}
    assert sync - aio == set()


# --------------------------------------------------------------- order of arrival


def test_inputs_are_served_in_order_of_arrival() -> None:
    """Fifty orders and quotes at once: each order meets the quote that arrived before it, in the order of arrival."""

    async def main() -> None:
        exchange, (broker,) = await open_exchange(SlowStore(pauses=2), "main")
        work: list[Coroutine[Any, Any, Any]] = []
        for number in range(50):
            price = 90 + number % 13
            work.append(exchange.on_quote("AAPL", price, price, at=START + number + 1))
            work.append(broker.buy("AAPL", 1 + number % 3, client_order_id=f"k{number}"))
        await asyncio.gather(*work)
        orders = await broker.orders()
        assert [order.client_order_id for order in orders] == [f"k{number}" for number in range(50)]
        assert [order.average_price for order in orders] == [90 + number % 13 for number in range(50)]

    run(main())


def test_time_moves_when_its_turn_comes() -> None:
    """An advance that arrives while something is being stored does not move time in the middle of it."""

    async def main() -> None:
        exchange, (broker,) = await open_exchange(SlowStore(pauses=3), "main")
        await broker.buy("AAPL", 5)
        await broker.buy("AAPL", 1, limit_price=90)
        closing = asyncio.ensure_future(broker.close_all_positions())
        await turns(2)
        await exchange.advance(to=START + 3_600 * SECOND)
        (order,) = await closing
        assert order.placed_at == order.updated_at == (await broker.orders())[0].placed_at

    run(main())


# ------------------------------------------------------------------- no suspension


class Counter:
    """Counts the turns of the loop while it runs."""

    def __init__(self) -> None:
        self.count = 0
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self.count += 1
        self._next = self._loop.call_soon(self._turn)

    def stop(self) -> None:
        self._next.cancel()


def test_quiet_data_does_not_suspend() -> None:
    """Data that touches no account takes no turn of the loop, whatever its kind; data that fills does."""

    async def main() -> None:
        exchange, (broker,) = await open_exchange(SlowStore(), "main")
        await broker.buy("AAPL", 5, limit_price="90.00")
        counter = Counter()
        for number in range(1, 200):
            at = START + number * 10
            await exchange.on_quote("AAPL", 100 + number, 101 + number, at=at)
            await exchange.on_trade("AAPL", 100, 5, at=at + 1)
            await exchange.on_price("AAPL", 100, at=at + 2)
            await exchange.on_bar("AAPL", 100, 101, 99, 100, end=at + 3)
            await exchange.on_depth("AAPL", [(100, 5)], [(101, 5)], at=at + 4)
            await exchange.on_halt("AAPL")
            await exchange.on_resume("AAPL")
        assert counter.count == 0
        await exchange.on_quote("AAPL", "89.00", "89.02", at=START + SECOND)
        assert counter.count > 0
        assert await broker.orders("open") == []
        counter.stop()

    run(main())


def test_a_store_that_answers_at_once_never_suspends() -> None:
    """Over the memory store no call suspends at all, orders included."""

    async def main() -> None:
        exchange, (broker,) = await open_exchange(None, "main")
        counter = Counter()
        for number in range(1, 50):
            await broker.buy("AAPL", 1, limit_price=100)
            await exchange.on_quote("AAPL", 99, 100 - number % 3, at=START + number)
            await broker.close_all_positions()
        assert counter.count == 0
        counter.stop()

    run(main())


# -------------------------------------------------------------------- cancellation

Command = Callable[[pt.AsyncExchange, pt.AsyncPaperBroker], Awaitable[Any]]
COMMANDS: dict[str, Command] = {
    "buy": lambda exchange, broker: broker.buy("AAPL", 3, client_order_id="k"),
    "rest": lambda exchange, broker: broker.buy("AAPL", 3, limit_price=90),
    "modify": lambda exchange, broker: broker.modify_order("main-1", quantity=9, command_id="m"),
    "close all": lambda exchange, broker: broker.close_all_positions(),
    "deposit": lambda exchange, broker: broker.deposit(7, command_id="d"),
    "reset": lambda exchange, broker: broker.reset(70, command_id="r"),
    "import": lambda exchange, broker: broker.import_positions(
        [{"symbol": "AAPL", "quantity": 3, "average_price": 90}], command_id="i"
    ),
    "clone": lambda exchange, broker: exchange.clone_account("main", "third", command_id="c"),
    "quote that fills": lambda exchange, broker: exchange.on_quote("AAPL", 89, 89, at=START + SECOND),
    "open": lambda exchange, broker: exchange.open_account("second", cash=5),
    "advance": lambda exchange, broker: exchange.advance(to=START + 90_000 * SECOND),
}


async def cancel_after(command: Command, count: int) -> tuple[bool, int]:
    """Cancel the caller after so many turns; answers whether that was in time, and how many appends had begun."""
    store = SlowStore(pauses=2)
    exchange, (broker, _) = await open_exchange(store, "main", "other")
    await broker.buy("AAPL", 2, limit_price=95, time_in_force="day")
    await broker.buy("AAPL", 2)
    heard: list[Event] = []
    exchange.subscribe(heard.append, account="main")
    done = len(list(store.inner.load("main")))
    caller = asyncio.ensure_future(command(exchange, broker))
    await turns(count)
    in_time = not caller.done()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    began = store.began
    await turns(200)  # whatever went on without its caller
    assert store.began == store.ended >= began
    assert heard == list(store.inner.load("main"))[done:]
    await check(exchange, store, "main", "other")
    return in_time, began


@pytest.mark.parametrize("name", COMMANDS)
def test_a_canceled_caller_leaves_no_half_work(name: str) -> None:
    """Canceled at any of its await points: an append that began is finished, published and consistent."""
    count = 0
    while run(cancel_after(COMMANDS[name], count))[0]:
        count += 1
        assert count < 100
    assert count > 4


def test_a_canceled_key_is_answered_on_retry() -> None:
    """The caller that was dropped in the middle retries with its key, and is answered: one order, whenever it was."""

    async def once(count: int) -> bool:
        store = SlowStore()
        _, (broker,) = await open_exchange(store, "main")
        caller = asyncio.ensure_future(broker.buy("AAPL", 3, client_order_id="k"))
        await turns(count)
        in_time = caller.cancel()
        order = await broker.buy("AAPL", 3, client_order_id="k")
        assert order.id == "main-1"
        assert len(await broker.orders()) == 1
        assert (await broker.position("AAPL")).quantity == 3
        return in_time

    assert [run(once(count)) for count in (0, 1, 2, 3, 4, 5, 50)][-2:] in ([True, False], [False, False])


def test_waiting_for_its_turn_can_be_canceled() -> None:
    """A caller that is canceled while it waits for its turn did nothing, and the next in line is served."""

    async def main() -> None:
        _, (broker,) = await open_exchange(SlowStore(pauses=3), "main")
        callers = [asyncio.ensure_future(broker.buy("AAPL", 1, client_order_id=f"k{n}")) for n in range(6)]
        await turns(2)
        for number in (1, 3, 4):
            callers[number].cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert [order.client_order_id for order in await broker.orders()] == ["k0", "k2", "k5"]

    run(main())


def test_a_failure_after_its_caller_left_is_no_leak() -> None:
    """The caller is gone, the store fails: nobody is told twice, nothing is left behind, the account works."""

    async def main() -> None:
        store = SlowStore(pauses=3)
        exchange, (broker,) = await open_exchange(store, "main")
        caller = asyncio.ensure_future(broker.buy("AAPL", 1))
        await turns(2)

        def fail(batch: Any) -> None:
            raise StoreUnavailableError("no")

        store.before = fail
        caller.cancel()
        await turns(50)
        store.before = lambda batch: None
        store.ended = store.began
        assert await broker.orders() == []
        await check(exchange, store)

    run(main())


def test_work_without_a_caller_is_not_collected() -> None:
    """An append that waits for something that nobody else holds is finished, garbage collection or not."""

    class Parked(SlowStore):
        line: Any = None

        async def append(self, batch: Any) -> Any:
            if self.inner.head(batch.stream):
                answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self.line = weakref.ref(answer)
                await answer
            return await super().append(batch)

    async def main() -> None:
        store = Parked()
        store.inner.head = lambda stream: 0  # type: ignore[method-assign]
        _, (broker,) = await open_exchange(store, "main")
        del store.inner.head
        caller = asyncio.ensure_future(broker.buy("AAPL", 1))
        await turns(5)
        caller.cancel()
        await turns(3)
        del caller  # nor its error, whose traceback would hold what we want to see let go
        gc.collect()
        store.line().set_result(None)
        assert (await broker.position("AAPL")).quantity == 1

    run(main())


# ------------------------------------------------------------------------ handlers


def test_async_handlers_are_awaited_in_order() -> None:
    """One event after another: the next is delivered when the handler of the one before has finished."""

    async def main() -> None:
        exchange, (broker,) = await open_exchange(SlowStore(), "main")
        begun: list[int] = []
        ended: list[int] = []

        async def slowly(event: Event) -> None:
            assert begun == ended
            begun.append(event.version)
            await turns(event.version % 4)
            ended.append(event.version)

        plain: list[int] = []
        exchange.subscribe(slowly)
        exchange.subscribe(lambda event: plain.append(event.version))
        await asyncio.gather(*(broker.buy("AAPL", 1) for _ in range(10)))
        await turns(100)
        stored = [event.version for event in await broker.events(after=2)]
        assert begun == ended == plain == stored

    run(main())


def test_an_order_from_a_handler_is_answered_at_once() -> None:
    """A handler awaits its own order and has the answer; the events of that order come after those in line."""

    async def main() -> None:
        _, (broker,) = await open_exchange(SlowStore(), "main")
        heard: list[int] = []
        answers: list[pt.Order] = []

        async def on_event(event: Event) -> None:
            heard.append(event.version)
            if isinstance(event, OrderFilled) and len(answers) < 20:
                order = await broker.buy("AAPL", 1)
                assert order.status == "filled"
                assert (await broker.position("AAPL")).quantity == len(answers) + 2
                answers.append(order)

        broker.subscribe(on_event)
        await broker.buy("AAPL", 1)
        assert len(answers) == 20
        assert heard == [event.version for event in await broker.events(after=2)]

    run(main())


def test_a_market_handler_is_awaited() -> None:
    """Whoever watches a market is called after each of its data, awaited, and may trade."""

    async def main() -> None:
        exchange, (broker,) = await open_exchange(SlowStore(), "main")
        seen: list[object] = []

        async def on_market(market: Any) -> None:
            await asyncio.sleep(0)
            seen.append(market.bid)
            await broker.buy("AAPL", 1)

        stop = broker.subscribe_market("AAPL", on_market)
        await exchange.on_quote("AAPL", 98, 99, at=START + 1)
        await exchange.on_quote("AAPL", 97, 98, at=START + 2)
        stop()
        await exchange.on_quote("AAPL", 96, 97, at=START + 3)
        assert seen == [98, 97]
        assert [order.average_price for order in await broker.orders()] == [99, 98]

    run(main())


def test_a_handler_that_raises_loses_nothing() -> None:
    """Its error goes to whoever caused the event; the events behind it arrive with the next input."""

    async def main() -> None:
        _, (broker,) = await open_exchange(SlowStore(), "main")
        heard: list[int] = []
        fails = [True]

        async def on_event(event: Event) -> None:
            if fails and fails.pop():
                raise ZeroDivisionError
            heard.append(event.version)

        broker.subscribe(on_event)
        with pytest.raises(ZeroDivisionError):
            await broker.buy("AAPL", 1)
        assert len(await broker.orders()) == 1
        await broker.deposit(1)
        stored = [event.version for event in await broker.events(after=2)]
        assert heard == stored[1:]

    run(main())


@pytest.mark.parametrize("store", [MemoryStore, SlowStore])
def test_a_canceled_caller_does_not_keep_events_from_others(store: type[Any]) -> None:
    """Canceled while a handler is at work: that handler finishes, and every event is handed over all the same."""

    async def main(count: int) -> bool:
        _, (broker,) = await open_exchange(store(), "main")
        begun: list[int] = []
        ended: list[int] = []

        async def slowly(event: Event) -> None:
            begun.append(event.version)
            await turns(3)
            ended.append(event.version)

        broker.subscribe(slowly)
        caller = asyncio.ensure_future(broker.buy("AAPL", 1))
        await turns(count)
        in_time = caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        await turns(100)
        assert begun == ended == [event.version for event in await broker.events(after=2)]
        return in_time

    count = 0
    while run(main(count)):
        count += 1
    assert count > 6


def test_a_handler_that_fails_unwatched_is_said_aloud() -> None:
    """Its caller is gone: the error of a handler goes to the loop's own handler instead of nowhere."""
    said: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        _, (broker,) = await open_exchange(None, "main")

        async def fails(event: Event) -> None:
            await turns(3)
            raise ZeroDivisionError("unwatched")

        broker.subscribe(fails, kinds="order_filled")
        caller = asyncio.ensure_future(broker.buy("AAPL", 1))
        await turns(1)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        await turns(20)

    asyncio.run(asyncio.wait_for(main(), 30))
    assert [str(context["exception"]) for context in said] == ["unwatched"]
    assert "handler" in said[0]["message"]


def test_stream() -> None:
    """A stream yields what is stored from its first step on, by kind and account, and ends with its generator."""

    async def main() -> None:
        exchange, (broker, other) = await open_exchange(SlowStore(), "main", "other")
        stream = broker.stream(kinds="order_filled")
        first = asyncio.ensure_future(anext(stream))
        await turns(1)
        await other.buy("AAPL", 7)
        await asyncio.gather(*(broker.buy("AAPL", 1 + n) for n in range(3)))
        found = [await first, await anext(stream), await anext(stream)]
        assert [(e.kind, e.account, e.quantity) for e in found] == [("order_filled", "main", n) for n in (1, 2, 3)]
        assert len(exchange._desk.outbox.subscriptions) == 1
        await stream.aclose()
        assert not exchange._desk.outbox.subscriptions
        with pytest.raises(InvalidValueError, match="event kinds"):
            await anext(broker.stream(kinds="nonsense"))

    run(main())


# ---------------------------------------------------------------------------- wait


def test_wait() -> None:
    """wait answers when the order ends, or as it is when the time is up, and leaves no subscription behind."""

    async def main() -> None:
        exchange, (broker,) = await open_exchange(SlowStore(), "main")
        order = await broker.buy("AAPL", 1, limit_price=90)
        assert (await broker.wait(order, 0)).is_open
        waiting = asyncio.ensure_future(broker.wait(order, 3_600))
        await turns(5)
        await broker.deposit(1)
        await turns(20)
        assert not waiting.done()
        await exchange.on_quote("AAPL", 89, 89, at=START + 1)
        assert (await waiting).status == "filled"
        canceled = asyncio.ensure_future(broker.wait(await broker.buy("AAPL", 1, limit_price=50), 3_600))
        await turns(20)
        canceled.cancel()
        await asyncio.gather(canceled, return_exceptions=True)
        assert not exchange._desk.outbox.subscriptions
        with pytest.raises(InvalidValueError, match="timeout_s"):
            await broker.wait(order, -1)

    run(main())


# ------------------------------------------------------------------- store failures


def test_a_failed_append_reloads_the_account() -> None:
    """The typed error reaches the caller, the account is as its journal says, and the same command then works."""

    async def main() -> None:
        store = SlowStore()
        exchange, (broker,) = await open_exchange(store, "main")
        heard: list[Event] = []
        broker.subscribe(heard.append)

        def fail(batch: Any) -> None:
            raise StoreUnavailableError("not now")

        store.before = fail
        for call in (lambda: broker.buy("AAPL", 1, client_order_id="k"), lambda: broker.deposit(5)):
            with pytest.raises(StoreUnavailableError, match="not now"):
                await call()
        assert not heard
        store.before = lambda batch: None
        assert (await broker.account()).total == 100_000
        assert (await broker.buy("AAPL", 1, client_order_id="k")).id == "main-1"
        await check(exchange, store)

    run(main())


def test_an_unknown_outcome_is_found_out() -> None:
    """Stored, but the answer was lost: the account has it after reloading, and the retry is answered with it."""

    async def main() -> None:
        store = SlowStore()
        exchange, (broker,) = await open_exchange(store, "main")

        def lose(batch: Any) -> None:
            store.after = lambda batch: None
            raise OutcomeUnknownError("line dropped")

        store.after = lose
        with pytest.raises(OutcomeUnknownError):
            await broker.buy("AAPL", 4, client_order_id="k")
        order = await broker.buy("AAPL", 4, client_order_id="k")
        assert order.id == "main-1"
        assert (await broker.position("AAPL")).quantity == 4
        await check(exchange, store)

    run(main())


class AtOnce(SlowStore):
    """The same store, answering at once."""

    append = append_many = load = head = find = get_snapshot = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        return getattr(self, f"{name}_now", None) or getattr(self.inner, name) if found is None else found

    def append_many_now(self, batches: Any) -> Any:
        found: list[Any] = []
        for batch in batches:
            try:
                self.before(batch)
                found.append(self.inner.append(batch))
            except StoreError as why:
                found.append(why)
        return found


@pytest.mark.parametrize("kind", [SlowStore, AtOnce])
def test_a_fault_stops_one_account_only(kind: type[SlowStore]) -> None:
    """A datum fills two accounts, the store fails for one: the other has its fill, and its events are delivered."""

    async def main() -> None:
        store = kind()
        exchange, (one, two) = await open_exchange(store, "one", "two")
        for broker in (one, two):
            await broker.buy("AAPL", 1, limit_price=95)
        heard: list[str] = []
        exchange.subscribe(lambda event: heard.append(event.account), kinds="order_filled")

        def fail(batch: Any) -> None:
            if batch.stream == "one":
                raise StoreUnavailableError("not now")

        store.before = fail
        with pytest.raises(StoreUnavailableError):
            await exchange.on_quote("AAPL", 94, 94, at=START + 1)
        assert heard == ["two"]
        store.before = lambda batch: None
        assert (await one.position("AAPL")).quantity == 0
        assert (await two.position("AAPL")).quantity == 1
        await check(exchange, store, "one", "two")

    run(main())


# --------------------------------------------------------------------------- misuse


def test_misuse_is_told_as_by_the_other_face() -> None:
    """Misuse is a UsageError and leaves no trace, here as there."""

    async def main() -> None:
        broker = await pt.open_async_paper_broker(cash=1_000, clock="data")
        with pytest.raises(pt.UsageError, match="option"):
            await broker.buy("AAPL", 1, nonsense=5)  # type: ignore[call-arg]
        with pytest.raises(pt.UsageError):
            await broker.on_quote("AAPL", 0, 5, at=START)
        assert broker.exchange.instruments() == []
        with pytest.raises(pt.UsageError):
            broker.exchange.subscribe(print, account=5)  # type: ignore[arg-type]
        with pytest.raises(pt.UsageError, match="clock='data'"):
            await pt.AsyncExchange(clock=pt.ManualClock()).advance(to=START)
        assert len(await broker.events()) == 2

    run(main())


def test_deadlines_and_closing() -> None:
    """The host can ask when to call again; closing waits for what is being stored."""

    async def main() -> None:
        store = SlowStore(pauses=3)
        exchange, (broker,) = await open_exchange(store, "main")
        assert exchange.next_deadline() is None
        await broker.buy("AAPL", 1, limit_price=90, time_in_force="gtd", expires_at=START + SECOND)
        deadline = exchange.next_deadline()
        assert deadline is not None
        assert deadline.isoformat() == "2026-01-05T14:30:01+00:00"
        order = asyncio.ensure_future(broker.buy("AAPL", 1))
        await turns(1)
        await exchange.close()
        assert (await order).status == "filled"
        with pytest.raises(StoreError, match="closed"):
            await broker.events()

    run(main())
