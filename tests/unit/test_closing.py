"""A broker can be closed by whoever opened it, and says so to whoever goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.errors import StoreClosedError, StoreFencedError, UnknownAccountError, UnsupportedError, UsageError
from papertrade.testing.recorder import RecordingExchange, open_recording_broker

CALLS: dict[str, Callable[[pt.PaperBroker], object]] = {
    "account": lambda broker: broker.account(),
    "orders": lambda broker: broker.orders(),
    "buy": lambda broker: broker.buy("AAPL", 1),
    "deposit": lambda broker: broker.deposit(1),
    "on_quote": lambda broker: broker.on_quote("AAPL", "1", "2"),
    "market": lambda broker: broker.market("AAPL"),
    "subscribe": lambda broker: broker.subscribe(print),
    "advance": lambda broker: broker.advance(),
    "snapshot": lambda broker: broker.snapshot(),
    "search_orders": lambda broker: broker.search_orders(),
    "open_account": lambda broker: broker.exchange.open_account("bob"),
}


@pytest.mark.parametrize("threadsafe", [True, False])
@pytest.mark.parametrize("call", CALLS)
def test_what_is_called_after_closing_is_told_so(call: str, threadsafe: bool) -> None:
    """Whatever is called, also what would touch no store."""
    broker = pt.open_paper_broker(cash=1_000, threadsafe=threadsafe)
    broker.on_quote("AAPL", "1", "2")
    broker.close()
    with pytest.raises(StoreClosedError, match="open it again"):
        CALLS[call](broker)


def test_closing_twice_is_fine_and_the_file_is_free(tmp_path: Path) -> None:
    """The five lines on a file: closed, closed again, shown, and opened again as it stood."""
    address = str(tmp_path / "paper.db")
    with pt.open_paper_broker(cash=1_000, store=address) as broker:
        broker.deposit(1)
    broker.close()
    broker.exchange.close()
    assert (repr(broker), repr(broker.exchange)) == ("<PaperBroker 'main'>", "<Exchange: 0 instruments, 1 accounts>")
    assert list(tmp_path.glob("paper.db-*")) == []  # the last one out leaves no log beside the file
    with pt.open_paper_broker(store=address) as again:
        assert again.account().equity == 1_001


def test_a_broker_that_was_not_opened_leaves_no_file_open(tmp_path: Path) -> None:
    """Without cash the account has to be there; the store that was opened to look is closed."""
    address = str(tmp_path / "paper.db")
    with pytest.raises(UsageError):
        pt.open_paper_broker(store=address)
    assert [path.name for path in tmp_path.iterdir()] == ["paper.db"]
    with pytest.raises(UsageError):
        asyncio.run(pt.open_async_paper_broker(store=address))
    assert [path.name for path in tmp_path.iterdir()] == ["paper.db"]
    store = MemoryStore()
    with pytest.raises(UsageError):
        pt.open_paper_broker(store=store)
    assert store.streams() == []  # a store that was handed in stays open for who brought it


def test_one_of_several_accounts_leaves_the_exchange_to_the_others() -> None:
    """Closing alice's broker forgets alice, as ``close_account`` does; bob trades on, and alice can be opened again."""
    with pt.Exchange() as exchange:
        with exchange.open_account("alice", cash=1_000, exclusive=True) as alice:
            bob = exchange.open_account("bob", cash=1_000)
        alice.close()
        with pytest.raises(UnknownAccountError):
            alice.account()
        assert (exchange.accounts(), bob.deposit(1).equity) == (["bob"], 1_001)
        assert exchange.open_account("alice").account().equity == 1_000
    alice.close()
    bob.close()


def test_a_recorded_broker_is_closed_like_any_other() -> None:
    """One of its own with its exchange; one of several stays open, because a replay would go on with it."""
    lines: list[str] = []
    with open_recording_broker(lines.append, cash=1_000) as broker:
        broker.deposit(1)
    with pytest.raises(StoreClosedError):
        broker.account()
    with pytest.raises(UnsupportedError):
        RecordingExchange(lines.append).open_account("alice", cash=1).close()


def test_an_exclusive_account_that_is_closed_belongs_to_nobody() -> None:
    """The exchange that closes gives its accounts up, also when it was closed by its broker."""
    store = MemoryStore()
    given: list[str] = []
    release = store.release

    def noted(stream: str, fence: int) -> None:
        given.append(stream)
        release(stream, fence)

    store.release = noted  # type: ignore[method-assign]
    pt.open_paper_broker(cash=1_000, store=store, exclusive=True).close()
    assert given == ["main"]
    assert not issubclass(StoreClosedError, StoreFencedError)


def test_awaited() -> None:
    """The same with awaits: one of its own closes all, one of several only itself, and twice is fine."""

    async def main() -> None:
        async with await pt.open_async_paper_broker(cash=1_000) as broker:
            await broker.on_quote("AAPL", "1", "2")
        await broker.close()
        for call in (broker.account, broker.orders, broker.advance):
            with pytest.raises(StoreClosedError):
                await call()
        with pytest.raises(StoreClosedError):
            await broker.on_quote("AAPL", "1", "2")
        async with pt.AsyncExchange() as exchange:
            alice = await exchange.open_account("alice", cash=1_000)
            bob = await exchange.open_account("bob", cash=1_000)
            await alice.close()
            await alice.close()
            assert exchange.accounts() == ["bob"]
            waiting = asyncio.gather(bob.deposit(1), exchange.close(), bob.deposit(2), return_exceptions=True)
            first, closed, late = await waiting
            assert (first.equity, closed, type(late)) == (1_001, None, StoreClosedError)
            with pytest.raises(StoreClosedError):  # and again: the turn was given back
                await bob.account()

    asyncio.run(asyncio.wait_for(main(), 10))


@pytest.mark.parametrize("call", ["buy", "deposit", "place_order", "cancel_all_orders", "kill"])
def test_a_broker_that_left_its_exchange_is_unknown_there(call: str) -> None:
    """Every command of one account that was closed says so; the exchange goes on for the others."""
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("AAPL")
    broker = exchange.open_account("alice", cash=1_000)
    exchange.open_account("bob", cash=1_000)
    broker.close()
    commands: dict[str, Callable[[], object]] = {
        "buy": lambda: broker.buy("AAPL", 1),
        "deposit": lambda: broker.deposit(1),
        "place_order": lambda: broker.place_order(symbol="AAPL", side="sell", quantity=1, limit_price=5),
        "cancel_all_orders": broker.cancel_all_orders,
        "kill": broker.kill,
    }
    with pytest.raises(UnknownAccountError, match="alice"):
        commands[call]()
    assert exchange.accounts() == ["bob"]
