"""A blocking store under the asynchronous host: the loop keeps running, and what began is finished."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.aio_store import ThreadedStore
from papertrade.errors import InvalidValueError, OutcomeUnknownError, StoreFencedError, StoreMisconfiguredError
from papertrade.ports.store import Append, Outcome
from papertrade.ports.store_extras import EXTRAS, Comparing, Fencing, Moving, Tabled, Trimming, Waiting
from papertrade.testing import FaultyStore

START = "2026-01-05T14:30:00Z"


class Gated(MemoryStore):
    """Blocks whoever appends until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.threads: set[int] = set()
        self.fault: Exception | None = None

    def describe(self) -> Mapping[str, str]:
        return {"kind": "gated", "durability": "none"}

    def append(self, batch: Append) -> Outcome:
        self.threads.add(threading.get_ident())
        self.entered.set()
        if not self.gate.wait(20):
            raise TimeoutError("the gate never opened")
        answer = super().append(batch)
        if self.fault is not None:
            raise self.fault
        return answer


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 30))


async def opened(store: Any) -> tuple[pt.AsyncExchange, pt.AsyncPaperBroker]:
    exchange = pt.AsyncExchange(store, clock="data")
    exchange.add_instrument("AAPL")
    await exchange.on_quote("AAPL", "100.00", "100.02", at=START)
    return exchange, await exchange.open_account("main", cash=100_000)


def test_the_loop_runs_while_the_store_blocks() -> None:
    """Others go on while a command waits for its append; it is answered once the store answered."""
    store = Gated()

    async def main() -> None:
        _, broker = await opened(store)
        store.gate.clear()
        store.entered.clear()
        buying = asyncio.ensure_future(broker.buy("AAPL", 1))
        while not store.entered.is_set():
            await asyncio.sleep(0)  # the loop turns, or this test never ends
        for _ in range(100):
            await asyncio.sleep(0)
        assert not buying.done()
        store.gate.set()
        assert (await buying).status == "filled"
        assert threading.get_ident() not in store.threads

    run(main)


def test_an_append_that_began_is_finished_whoever_is_canceled() -> None:
    """C37: canceled while the store has its append: stored, published, and the next reader sees it."""
    store = Gated()

    async def main() -> None:
        exchange, broker = await opened(store)
        heard: list[str] = []
        exchange.subscribe(lambda event: heard.append(event.kind), kinds="order_filled")
        store.gate.clear()
        store.entered.clear()
        buying = asyncio.ensure_future(broker.buy("AAPL", 1, client_order_id="k"))
        while not store.entered.is_set():
            await asyncio.sleep(0)
        buying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await buying
        store.gate.set()
        assert (await broker.position("AAPL")).quantity == 1
        assert heard == ["order_filled"]
        assert (await broker.buy("AAPL", 1, client_order_id="k")).id == "main-1"
        assert (await broker.position("AAPL")).quantity == 1

    run(main)


def test_errors_come_through_from_the_thread() -> None:
    """An unknown outcome is what it is, and the same command again finds its first answer."""
    store = Gated()

    async def main() -> None:
        _, broker = await opened(store)
        store.fault = OutcomeUnknownError("planned")
        with pytest.raises(OutcomeUnknownError):
            await broker.buy("AAPL", 1, client_order_id="k")
        store.fault = None
        assert (await broker.buy("AAPL", 1, client_order_id="k")).id == "main-1"
        assert len(await broker.orders()) == 1

    run(main)


def test_a_file_is_used_in_threads(tmp_path: Path) -> None:
    """By its address or as an object: every call the exchange makes goes through a thread, and works."""
    path = tmp_path / "paper.db"

    async def main() -> None:
        broker = await pt.open_async_paper_broker(cash=100_000, store=str(path), clock="data")
        assert broker.exchange.describe()["waiting"].startswith("in threads")
        await broker.on_quote("AAPL", "100.00", "100.02", at=START)
        for _ in range(3):
            await broker.buy("AAPL", 1, client_order_id="once")
        await broker.buy("AAPL", 1)
        assert await broker.snapshot() == (await broker.account()).version
        digest = await broker.digest()
        await broker.exchange.close()
        exchange = pt.AsyncExchange(SQLiteStore(path), clock="data")
        exchange.add_instrument("AAPL")
        again = await exchange.open_account("main", exclusive=True)
        assert await again.digest() == digest
        assert [order.id for order in await again.orders()] == ["main-1", "main-2"]
        assert (await again.order("main-1")).status == "filled"
        assert len(await again.fills()) == 2
        late = await pt.open_async_paper_broker(store=SQLiteStore(path), clock="data")
        with pytest.raises(StoreFencedError):
            await late.deposit(1)
        await late.exchange.close()
        await exchange.close()

    run(main)


def test_memory_is_used_directly() -> None:
    """What never blocks needs no thread: a command on it never suspends."""

    async def main() -> None:
        exchange, broker = await opened(MemoryStore())
        assert isinstance(exchange._desk.store, MemoryStore)
        waiting = broker.buy("AAPL", 1)
        with pytest.raises(StopIteration):
            waiting.send(None)

    run(main)


@pytest.mark.parametrize("wrong", [None, "paper.db", ThreadedStore(MemoryStore())], ids=["none", "address", "twice"])
def test_only_stores_that_block_are_threaded(wrong: Any) -> None:
    """Misuse is refused where it happens."""
    with pytest.raises(InvalidValueError, match="store"):
        ThreadedStore(wrong)


def test_what_the_store_can_do_is_an_attribute(tmp_path: Path) -> None:
    """From Python 3.12 on isinstance does not ask __getattr__: a store in front of another would seem to do nothing."""
    asked = {
        name
        for protocol in (Fencing, Moving, Waiting, Trimming, Tabled, Comparing)
        for name in [*vars(protocol), *protocol.__annotations__]
        if not name.startswith("_")
    }
    assert asked == set(EXTRAS)
    real = SQLiteStore(tmp_path / "paper.db")
    for front in (ThreadedStore(real), FaultyStore(real)):
        for name in EXTRAS:
            missing = object()
            found = inspect.getattr_static(front, name, missing)
            assert (found is not missing) == hasattr(real, name), (front, name)
    assert ThreadedStore(real).wants_rows is True
    real.close()


def test_records_are_read_in_the_thread(tmp_path: Path) -> None:
    """What is iterated over afterwards is here already, so that the loop does not wait for the file."""

    async def main() -> None:
        store: Any = ThreadedStore(SQLiteStore(tmp_path / "paper.db", durability="memory"))
        await opened(store)
        records, commits = await store.records("main"), await store.commits("main")
        await store.close()
        assert [record.version for record in records] == [1, 2]
        assert list(commits) == []

    run(main)


def test_an_address_is_opened_in_a_thread_at_the_first_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making the exchange touches no file; the first call opens it, once, beside the loop; closing lets go of it."""
    path, opened_in = tmp_path / "paper.db", list[int]()
    opening = SQLiteStore.__init__

    def noted(store: SQLiteStore, *args: Any, **kwargs: Any) -> None:
        opened_in.append(threading.get_ident())
        opening(store, *args, **kwargs)

    monkeypatch.setattr(SQLiteStore, "__init__", noted)

    async def main() -> None:
        async with pt.AsyncExchange(f"{path}?durability=batched", clock="data") as exchange:
            exchange.add_instrument("AAPL")
            await exchange.on_quote("AAPL", "100.00", "100.02", at=START)
            told = exchange.describe()
            assert (told["kind"], told["durability"], path.exists(), opened_in) == ("sqlite", "batched", False, [])
            alice, bob = await asyncio.gather(
                exchange.open_account("alice", cash=1_000, exclusive=True), exchange.open_account("bob", cash=1_000)
            )
            await asyncio.gather(alice.buy("AAPL", 1), bob.buy("AAPL", 2))
            assert len((await bob.search_orders()).items) == 1
            assert exchange.describe()["durability"].startswith("batched")
            assert len(opened_in) == 1
            assert threading.get_ident() not in opened_in
        assert [beside.name for beside in tmp_path.iterdir()] == ["paper.db"]
        async with pt.AsyncExchange(str(tmp_path / "never.db")):
            pass
        assert not (tmp_path / "never.db").exists()

    run(main)


def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    """What is wrong with the address is said at once; what is wrong with the place, by the call that needs it."""
    for wrong in ("paper.db?timeout=5", "paper.db?durability=never", "paper.txt"):
        with pytest.raises(InvalidValueError):
            pt.AsyncExchange(str(tmp_path / wrong))

    async def main() -> None:
        exchange = pt.AsyncExchange(str(tmp_path / "later" / "paper.db"), clock="data")
        with pytest.raises(StoreMisconfiguredError, match="does not exist"):
            await exchange.open_account("main", cash=1)
        (tmp_path / "later").mkdir()
        await exchange.open_account("main", cash=1)
        await exchange.close()

    run(main)
