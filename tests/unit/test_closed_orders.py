"""Closed orders leave memory, and everything about them is read from the store, as if nobody had forgotten anything."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path
from random import Random
from weakref import ref

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.engine.order_moves import fold_order
from papertrade.errors import StoreTrimmedError, UnknownOrderError
from papertrade.hosting.flow import drive
from papertrade.hosting.history import History, numbers_of
from papertrade.testing.store_saboteurs.trimmed import TrimmedStore

NOON = 1_767_614_400_000_000_000


def opened(store: object) -> tuple[pt.Exchange, pt.PaperBroker]:
    exchange = pt.Exchange(store, "data", snapshots="off")  # type: ignore[arg-type]
    exchange.add_instrument("AAPL")
    exchange.on_quote("AAPL", "100.00", "100.02", at=NOON)
    return exchange, exchange.open_account("main", cash=10_000_000)


def trade(broker: pt.PaperBroker, count: int) -> None:
    """Orders that fill at once, and orders that rest and are canceled."""
    for number in range(count):
        if number % 3:
            broker.buy("AAPL", 1) if number % 2 else broker.sell("AAPL", 1)
        else:
            broker.cancel_order(broker.buy("AAPL", 1, limit_price="90.00"))


def ask(broker: pt.PaperBroker) -> None:
    """Everything that can be asked about the past."""
    orders = broker.orders()
    assert broker.orders("closed") == orders
    assert len(broker.fills()) == sum(order.status == "filled" for order in orders)
    for order in (orders[0], orders[len(orders) // 2], orders[-1]):
        assert broker.order(order) == order
        assert broker.order_history(order)
        assert str(broker.explain(order))


@pytest.mark.parametrize("asked", [False, True], ids=["nobody asks", "somebody asks"])
def test_memory_stays_flat_over_closed_orders(asked: bool, tmp_path: Path) -> None:
    """D14: hundreds of closed orders more leave nothing in memory, asked about or not."""
    _, broker = opened(SQLiteStore(tmp_path / "paper.db", durability="memory"))

    def so_many_later() -> tuple[int, int]:
        trade(broker, 150)
        if asked:
            ask(broker)
        gc.collect()
        # The driver of SQLite keeps weak references to its cursors, and lets go of them two hundred at a time.
        objects = sum(not isinstance(found, ref) for found in gc.get_objects())
        return tracemalloc.get_traced_memory()[0], objects

    trade(broker, 300)  # tables of values fill up
    gc.collect()
    gc.freeze()  # what other tests left is neither looked through nor counted, however much it is
    tracemalloc.start()
    try:
        so_many_later()
        warm = so_many_later()
        so_many_later()
        late = so_many_later()
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    assert len(broker.orders()) == 900
    assert late[1] - warm[1] < 100, "objects"
    assert late[0] - warm[0] < 28_000, "bytes: 93 for each order, where an index of its events takes more than 200"


def test_the_past_is_what_the_journal_says() -> None:
    """Every order, in its whole history and as it ended, wherever in the journal it is; and none that is not there."""
    store, rng = MemoryStore(), Random(5)
    _, broker = opened(store)
    for _ in range(400):
        deed = rng.randrange(8)
        working = broker.orders("open")
        if deed == 0 and working:
            broker.cancel_order(rng.choice(working))
        elif deed == 1 and working:
            broker.modify_order(rng.choice(working), quantity=rng.randrange(1, 5))
        elif deed == 2:
            broker.deposit(1)
        elif deed == 3:
            one = pt.OrderRequest(symbol="AAPL", side="buy", quantity=2, type="limit", limit_price="80")
            broker.place_oco(one, pt.OrderRequest(symbol="AAPL", side="buy", quantity=2, type="stop", stop_price="120"))
        elif deed == 4:
            broker.buy("AAPL", 10**9)  # refused
        elif deed == 5 and broker.orders("closed"):
            broker.modify_order(rng.choice(broker.orders("closed")), quantity=7)  # refused, long after its end
        else:
            broker.buy("AAPL", 1, limit_price=rng.choice(("100.02", "99.00", "98.00")))
    events = list(store.load("main"))
    count = sum(event.kind in ("order_accepted", "order_rejected") for event in events)
    assert count > 150
    history = History(store, "main")
    for number in range(1, count + 1):
        about = [event for event in events if number in numbers_of(event)]
        assert drive(history.events_of(number)) == broker.order_history(f"main-{number}") == about
        assert drive(history.order(number)) == broker.order(f"main-{number}") == fold_order(about, number)
    assert broker.orders() == [broker.order(f"main-{number}") for number in range(1, count + 1)]
    assert broker.orders("closed") == [order for order in broker.orders() if order.is_final]
    for unknown in ("main-0", f"main-{count + 1}", "main-999999"):
        with pytest.raises(UnknownOrderError):
            broker.order_history(unknown)


def test_one_order_is_found_without_reading_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed order of a long journal costs a few short looks, wherever it stands."""
    store = MemoryStore()
    _, broker = opened(store)
    trade(broker, 6000)
    read: list[int] = []
    load = store.load

    def counted(stream: str, start: int = 1, stop: int | None = None):  # type: ignore[no-untyped-def]
        events = list(load(stream, start, stop))
        read.append(len(events))
        return iter(events)

    monkeypatch.setattr(store, "load", counted)
    for number in (1, 2, 777, 3000, 5999, 6000):
        read.clear()
        assert broker.order(f"main-{number}").number == number
        assert sum(read) < store.head("main") / 20
        assert len(read) < 30


def test_long_journals_are_read_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """No question makes the store hand over more than a page at a time, and pages lose nothing at their seams."""
    from papertrade.hosting import history

    store = MemoryStore()
    _, broker = opened(store)
    trade(broker, 60)
    broker.buy("AAPL", 1, limit_price="90.00")
    expected = broker.orders(), broker.fills(), [broker.order_history(order) for order in broker.orders()]
    for page in (1, 2, 3, 7):
        monkeypatch.setattr(history, "PAGE", page)
        monkeypatch.setattr(history, "NEAR", min(page, 2))
        monkeypatch.setattr(History._page, "__defaults__", (page,))
        assert (broker.orders(), broker.fills(), [broker.order_history(o) for o in broker.orders()]) == expected


@pytest.mark.parametrize("cut", [1, 40, 120, 199])
def test_orders_after_what_was_archived_are_found(cut: int) -> None:
    """On a day store alone, orders that began after its base are read as ever; of the others it is said."""
    store, whole = TrimmedStore(":memory:"), MemoryStore()
    for kept in (store, whole):
        exchange, broker = opened(kept)
        trade(broker, cut)
        version = broker.account().version
        exchange.on_quote("AAPL", "100.00", "100.02", at=NOON + 10**9)
        trade(broker, 200 - cut)
        exchange.on_quote("AAPL", "100.00", "100.02", at=NOON + 2 * 10**9)
        trade(broker, 3)
    full = broker.orders()
    chain = store.chain_at("main", version)
    assert chain == whole.chain_at("main", version)
    opened(store)[1].snapshot()
    store.trim("main", version)
    _, broker = opened(store)
    for order in full[cut : cut + 3] + full[cut::37] + full[-4:]:  # at the cut, at the end, and between
        assert broker.order(order) == order
        assert broker.order_history(order)[-1].kind.removeprefix("order_") == order.status
        assert str(broker.explain(order))
    for order in full[:cut]:
        with pytest.raises(StoreTrimmedError, match=f"order {order.number} .*after version {version};.*TieredStore"):
            broker.order(order)
    with pytest.raises(UnknownOrderError):
        broker.order("main-204")
    for what, ask_for in (("orders", broker.orders), ("fills", broker.fills)):
        with pytest.raises(StoreTrimmedError, match=f"some {what} .* after version {version};"):
            ask_for()
    assert list(broker.search_orders(since=NOON + 2 * 10**9).items) == full[200:]
    page = broker.search_orders(newest_first=True, limit=202 - cut)
    assert list(page.items) == full[:cut:-1]
    with pytest.raises(StoreTrimmedError, match=f"some of what is searched .* after version {version};"):
        broker.search_orders(newest_first=True, limit=203 - cut)  # is there one more?
    for since in (None, NOON, NOON + 10**9):  # nothing that is here is from before: there may be more of that instant
        with pytest.raises(StoreTrimmedError, match=f"after version {version};"):
            broker.search_orders(since=since)
