"""Workers on one account: shared, where each append is somebody's; and exclusive, where who woke up late is told so."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.errors import (
    AccountSuspendedError,
    InvalidValueError,
    StoreClosedError,
    StoreConflictError,
    StoreErasedError,
    StoreFencedError,
    StoreUnavailableError,
    UnknownAccountError,
    UnsupportedError,
)
from papertrade.ports.store import Store
from papertrade.testing import FaultyStore

NOON = 1_767_614_400_000_000_000


@pytest.fixture(params=["memory", "sqlite"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the store that both workers use: one object, or one file opened by each."""
    opened: list[Store] = []
    memory = MemoryStore()

    def open_it() -> Store:
        if request.param == "memory":
            return memory
        opened.append(SQLiteStore(tmp_path / "paper.db", durability="memory", wait_s=60))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


def worker(store: Store, **options: object) -> tuple[pt.Exchange, pt.PaperBroker]:
    exchange = pt.Exchange(store, "data")
    exchange.add_instrument("AAPL")
    exchange.on_quote("AAPL", "100.00", "100.02", at=NOON)
    return exchange, exchange.open_account("main", cash=1_000_000, **options)  # type: ignore[arg-type]


def test_who_wakes_up_late_is_fenced_off(shared: Callable[[], Store]) -> None:
    """C18: the first worker's next command is refused, then it takes none, but can be read: as its owner left it."""
    first, one = worker(shared(), exclusive=True)
    one.buy("AAPL", 1, limit_price="99.00")
    second, two = worker(shared(), exclusive=True)
    two.buy("AAPL", 2)
    with pytest.raises(StoreFencedError):
        one.buy("AAPL", 4)
    with pytest.raises(AccountSuspendedError, match="again with exclusive=True to take it back") as suspended:
        one.deposit(1)
    assert suspended.value.check == "StoreFencedError"
    assert suspended.value.digest == two.digest()
    assert one.position("AAPL").quantity == 2
    two.buy("AAPL", 3)
    assert one.position("AAPL").quantity == 5  # as it is by now
    assert one.orders() == two.orders()
    assert one.account().version == two.account().version
    first.on_quote("AAPL", "98.00", "98.02", at=NOON + 1)  # would have filled the order that rests here
    assert first.describe()["suspended"] == "main"
    one = first.open_account("main", exclusive=True)  # taken back
    assert first.describe()["suspended"] == "no account"
    one.buy("AAPL", 1)
    assert one.position("AAPL").quantity == 6
    with pytest.raises(StoreFencedError):
        second.on_quote("AAPL", "98.00", "98.02", at=NOON + 1)  # the other heard of it by a datum
    with pytest.raises(AccountSuspendedError):
        two.buy("AAPL", 1)
    assert [e.version for e in one.events()] == list(range(1, one.account().version + 1))


def test_who_did_not_ask_for_it_is_refused_while_it_is_taken(shared: Callable[[], Store]) -> None:
    """Without a fence nothing is written to an account that somebody owns; when he gives it up, anybody may."""
    first, one = worker(shared(), exclusive=True)
    second, two = worker(shared())
    with pytest.raises(StoreFencedError):
        two.deposit(1)
    first.close_account("main")
    with pytest.raises(UnknownAccountError):
        one.account()
    two = second.open_account("main")
    assert two.deposit(1).total == 1_000_001
    one = first.open_account("main")
    assert one.account() == two.account()


def test_closing_gives_it_up(tmp_path: Path) -> None:
    """Whoever comes after a worker that closed does not have to take anything."""
    path = tmp_path / "paper.db"
    first, one = worker(SQLiteStore(path), exclusive=True)
    one.deposit(1)
    first.close()
    first.close()
    _, two = worker(SQLiteStore(path))
    assert two.deposit(1).total == 1_000_002


def test_one_that_is_open_can_become_exclusive(shared: Callable[[], Store]) -> None:
    """What others wrote until then is read first; nothing is in between."""
    first, one = worker(shared())
    _, two = worker(shared())
    two.deposit(5)
    one = first.open_account("main", exclusive=True)
    assert one.deposit(1).total == 1_000_006
    with pytest.raises(StoreFencedError):
        two.deposit(1)


def test_an_account_that_cannot_be_opened_is_not_kept() -> None:
    """A wrong currency is found after it was taken: it is given up again."""
    store = MemoryStore()
    worker(store)
    exchange = pt.Exchange(store, "data")
    exchange.add_instrument("AAPL")
    with pytest.raises(pt.UsageError, match="USD"):
        exchange.open_account("main", currency="EUR", exclusive=True)
    _, broker = worker(store)
    assert broker.deposit(1).total == 1_000_001


class NoFences:
    """A store that cannot be owned."""

    def __init__(self) -> None:
        self.inner = MemoryStore()

    def __getattr__(self, name: str) -> object:
        if name in ("take", "release"):
            raise AttributeError(name)
        return getattr(self.inner, name)


def test_a_store_without_fences_says_so() -> None:
    """It is misuse to ask for what the store cannot do, and nothing has happened."""
    store = NoFences()
    with pytest.raises(UnsupportedError, match="exclusive"):
        worker(store, exclusive=True)  # type: ignore[arg-type]
    assert store.inner.streams() == []
    with pytest.raises(InvalidValueError):
        worker(store, exclusive=1)  # type: ignore[arg-type]


def test_the_asynchronous_host_does_the_same() -> None:
    """Taken, fenced off, suspended, taken back, closed."""
    store = MemoryStore()

    async def main() -> None:
        one = await pt.open_async_paper_broker(cash=100, store=store, clock="data", exclusive=True)
        two = await pt.open_async_paper_broker(store=store, clock="data", exclusive=True)
        with pytest.raises(StoreFencedError):
            await one.deposit(1)
        with pytest.raises(AccountSuspendedError):
            await one.deposit(1)
        assert (await two.deposit(1)).total == 101
        assert (await one.account()).total == 101
        one = await one.exchange.open_account("main", exclusive=True)
        assert (await one.deposit(1)).total == 102
        await one.exchange.close_account("main")
        with pytest.raises(UnknownAccountError):
            await one.account()

    asyncio.run(main())


# ------------------------------------------------------------------ shared


def insist(command: Callable[[], object]) -> int:
    """Give a command until it was heard; answers how often somebody was there first."""
    conflicts = 0
    while True:
        try:
            command()
        except StoreConflictError:
            conflicts += 1
        else:
            return conflicts


def test_two_workers_race_and_both_win(shared: Callable[[], Store]) -> None:
    """C15, K1: each version is one worker's, who lost it reads again and goes on; no order is lost or made twice."""
    each = 40
    brokers = [worker(shared())[1], worker(shared())[1]]
    start = threading.Barrier(2)
    conflicts = [0, 0]
    faults: list[BaseException] = []

    def work(me: int) -> None:
        try:
            start.wait(20)
            for number in range(each):
                key = f"{me}-{number}"
                conflicts[me] += insist(lambda key=key: brokers[me].buy("AAPL", 1, client_order_id=key))  # type: ignore[misc]
        except BaseException as why:
            faults.append(why)

    threads = [threading.Thread(target=work, args=(me,)) for me in (0, 1)]
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert not faults
    assert insist(lambda: brokers[0].deposit(1)) + insist(lambda: brokers[1].deposit(1)) + sum(conflicts) > 0
    for broker in brokers:
        broker.exchange._desk.spoil("main")
        assert broker.position("AAPL").quantity == 2 * each
        assert len(broker.orders()) == 2 * each
    assert brokers[0].digest() == brokers[1].digest()


def test_another_worker_may_trade_what_is_not_listed_here() -> None:
    """It is said, nothing is seated by half meanwhile, and once the instrument is listed all is as it was."""
    store = MemoryStore()
    first, one = worker(store)
    second, two = worker(store)
    second.add_instrument("MSFT")
    two.buy("AAPL", 1, limit_price="99.00")  # would rest here before the other order is found to be unknown
    two.buy("MSFT", 1, limit_price="90.00")
    with pytest.raises(StoreConflictError):
        one.deposit(1)
    for _ in range(2):
        with pytest.raises(pt.UsageError, match="MSFT"):
            one.deposit(1)
    first.on_quote("AAPL", "98.00", "98.02", at=NOON + 1)
    assert store.head("main") == two.account().version
    first.add_instrument("MSFT")
    assert one.deposit(1).total == 1_000_001
    assert [order.status for order in one.orders("open")] == ["accepted", "accepted"]


def test_a_clone_that_traded_elsewhere_is_asked_for_again() -> None:
    """What it trades by now is not listed here: the same clone is refused in words, and is not seated by half."""
    store = MemoryStore()
    first, _ = worker(store)
    first.clone_account("main", "copy", command_id="c")
    first.close_account("copy")
    second, _ = worker(store)
    second.add_instrument("MSFT")
    copy = second.open_account("copy")
    copy.buy("MSFT", 1, limit_price="90.00")
    with pytest.raises(pt.UsageError, match="MSFT"):
        first.clone_account("main", "copy", command_id="c")
    assert first.accounts() == ["main"]
    first.add_instrument("MSFT")
    assert first.clone_account("main", "copy", command_id="c").digest() == copy.digest()


# ------------------------------------------------------ what taking may not do


@pytest.mark.parametrize("words", [{"currency": "EUR"}, {"kind": "margin"}, {"start": "fresh"}], ids=str)
def test_a_mistake_in_the_words_changes_no_owner(shared: Callable[[], Store], words: dict[str, str]) -> None:
    """Neither does a worker lose what is his own by asking wrongly, nor does another take it from him by that."""
    first, one = worker(shared(), exclusive=True)
    with pytest.raises(pt.UsageError):
        first.open_account("main", cash=1, exclusive=True, **words)  # type: ignore[arg-type]
    _, two = worker(shared())
    with pytest.raises(StoreFencedError):
        two.deposit(1)
    third = pt.Exchange(shared(), "data")
    third.add_instrument("AAPL")
    with pytest.raises(pt.UsageError):
        third.open_account("main", cash=1, exclusive=True, **words)  # type: ignore[arg-type]
    assert one.deposit(1).total == 1_000_001


def test_an_instrument_that_is_not_listed_takes_the_account_from_nobody() -> None:
    """The host that forgot to list it is told so, and the owner trades on."""
    store = MemoryStore()
    _, one = worker(store, exclusive=True)
    one.buy("AAPL", 1)
    with pytest.raises(pt.UsageError, match="not listed"):
        pt.Exchange(store, "data").open_account("main", exclusive=True)
    assert one.buy("AAPL", 1).is_final


@pytest.mark.parametrize("call", ["take", "head"])
@pytest.mark.parametrize("fault", ["unavailable", "unknown, stored", "interrupted, stored"])
def test_taking_that_breaks_off_leaves_an_account_that_works(call: str, fault: str) -> None:
    """An account that was open already is usable as soon as the store is; nobody has to guess who owns it."""
    store = FaultyStore(MemoryStore())
    exchange, broker = worker(store)  # type: ignore[arg-type]
    store.fail(fault, first=1, calls=(call,))
    with pytest.raises((pt.PaperTradeError, KeyboardInterrupt)):
        exchange.open_account("main", exclusive=True)
    store.heal()
    if call == "take" and fault != "unavailable":  # it was taken, and nobody knows with which fence
        broker = exchange.open_account("main", exclusive=True)
    assert broker.deposit(1).total == 1_000_001


def test_what_could_not_be_given_up_can_be_given_up_again() -> None:
    """While the store does not answer, the account stays open and ours; asked again, others get it."""
    store = FaultyStore(MemoryStore())
    exchange, broker = worker(store, exclusive=True)  # type: ignore[arg-type]
    store.fail("unavailable", first=1, calls=("release",))
    with pytest.raises(StoreUnavailableError):
        exchange.close_account("main")
    assert broker.deposit(1).total == 1_000_001
    exchange.close_account("main")
    _, other = worker(store.real)
    assert other.deposit(1).total == 1_000_002


def test_an_erased_account_is_closed_like_any_other(shared: Callable[[], Store]) -> None:
    """Erased while it was open: its commands say so, and closing it has nothing left to give up."""
    store = shared()
    exchange, broker = worker(store, exclusive=True)
    broker.buy("AAPL", 1, limit_price="99.00")
    store.erase("main")  # type: ignore[attr-defined]
    exchange.on_quote("AAPL", "99.50", "99.52", at=NOON + 1)
    with pytest.raises(StoreErasedError):
        broker.deposit(1)
    with pytest.raises(StoreErasedError):
        broker.account()
    exchange.close_account("main")
    assert exchange.accounts() == []
    with pytest.raises(StoreErasedError):
        exchange.open_account("main", exclusive=True)


@pytest.mark.parametrize("fault", ["unavailable", "foreign error", "interrupted"])
def test_closing_closes_whatever_giving_up_comes_to(fault: str, tmp_path: Path) -> None:
    """The file is let go of, also when somebody interrupts; what was not given up is taken by whoever comes next."""
    store = FaultyStore(SQLiteStore(tmp_path / "paper.db"))
    exchange, _ = worker(store, exclusive=True)  # type: ignore[arg-type]
    store.fail(fault, calls=("release",))
    with suppress(ZeroDivisionError, KeyboardInterrupt):
        exchange.close()
    store.heal()
    with pytest.raises(StoreClosedError):
        store.head("main")

    async def main() -> None:
        real = SQLiteStore(tmp_path / "paper.db")
        front = FaultyStore(real)
        broker = await pt.open_async_paper_broker(store=front, clock="data", exclusive=True)  # type: ignore[arg-type]
        if fault == "interrupted":  # canceled before its turn comes
            await broker.exchange._turn.acquire()
            closing = asyncio.ensure_future(broker.exchange.close())
            await asyncio.sleep(0)
            closing.cancel()
            await asyncio.sleep(0)
            broker.exchange._turn.release()
            with pytest.raises(asyncio.CancelledError):
                await closing
        else:
            front.fail(fault, calls=("release",))
            with suppress(ZeroDivisionError):
                await broker.exchange.close()
        with pytest.raises(StoreClosedError):
            real.head("main")

    asyncio.run(main())
