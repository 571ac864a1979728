"""Following an account on each store that is shipped: from another connection, by awaits, and until it is erased."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from servers_redis import shared_server

import papertrade as pt
from papertrade import compose
from papertrade.domain.events import Event
from papertrade.errors import StoreClosedError, StoreErasedError
from papertrade.ports.store import Store

DEPOSITS = 20
LAST = DEPOSITS + 2  # the account is opened, and its cash comes in


def write(store: Store, ready: threading.Event) -> None:
    ready.wait(20)
    broker = pt.open_paper_broker(cash=100, store=store, clock="data", snapshots="off")
    for _ in range(DEPOSITS):
        broker.deposit(1)


def test_each_is_seen_once_and_in_order(store: Store) -> None:
    """From before the account exists; who stops goes on after the version that he saw last."""
    ready = threading.Event()
    writing = threading.Thread(target=write, args=(store, ready))
    writing.start()
    seen: list[Event] = []
    for count in (5, LAST):
        follower = pt.follow(store, "main", seen[-1].version if seen else 0, timeout_s=20)
        ready.set()
        for event in follower:
            seen.append(event)
            if event.version == count:
                break
    writing.join()
    assert [event.version for event in seen] == list(range(1, LAST + 1))
    assert seen == list(store.load("main"))
    assert list(pt.follow(store, "main", LAST - 1, kinds="cash_deposited", timeout_s=0)) == seen[-1:]


def test_an_erased_account_ends_who_follows_it(store: Any) -> None:
    """In the middle of waiting: an erasure is not silence."""
    pt.open_paper_broker(cash=100, store=store, clock="data", snapshots="off")
    follower = pt.follow(store, "main", timeout_s=20)
    assert [next(follower).version, next(follower).version] == [1, 2]
    erasing = threading.Timer(0.05, store.erase, ("main",))
    erasing.start()
    with pytest.raises(StoreErasedError):
        next(follower)
    erasing.join()


def test_an_event_loop_follows(store: Store) -> None:
    """The loop is free while it waits, and one that is canceled in between leaves the store as it is."""

    async def main() -> list[int]:
        ready = threading.Event()
        writing = asyncio.ensure_future(asyncio.to_thread(write, store, ready))
        seen: list[int] = []

        async def follow() -> None:
            async for event in pt.follow_async(store, "main"):
                seen.append(event.version)
                if event.version == 1:
                    begun.set()

        begun = asyncio.Event()
        following = asyncio.ensure_future(follow())
        ready.set()
        await begun.wait()
        await writing
        while len(seen) < LAST:
            await asyncio.sleep(0.001)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        return seen

    assert asyncio.run(asyncio.wait_for(main(), 60)) == list(range(1, LAST + 1))
    assert store.head("main") == LAST


def test_a_closed_store_ends_who_follows_it(store: Store) -> None:
    """It says so, and does not wait for ever."""
    pt.open_paper_broker(cash=100, store=store, clock="data", snapshots="off")
    follower = pt.follow(store, "main")
    assert [next(follower).version, next(follower).version] == [1, 2]
    closing = threading.Timer(0.05, store.close)
    closing.start()
    with pytest.raises(StoreClosedError):
        next(follower)
    closing.join()


@pytest.mark.external_service
@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_a_server_is_followed_by_its_address(kind: str, request: pytest.FixtureRequest) -> None:
    """What is opened here is closed at the end; with awaits it is the store that waits by itself."""
    if kind == "postgres":
        address = request.getfixturevalue("postgres_server").dsn
    else:
        address = shared_server(request).url + "?durability=memory"
    name = f"followed-{kind}"
    with pt.Exchange(address, "data") as exchange:
        exchange.open_account(name, cash=100).deposit(1)

    async def main() -> list[Event]:
        return [event async for event in pt.follow_async(address, name, timeout_s=0.01)]

    seen = list(pt.follow(address, name, timeout_s=0.01))
    assert [event.version for event in seen] == [1, 2, 3]
    assert asyncio.run(main()) == seen


def test_a_file_is_opened_when_the_iteration_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the loop, which a file may hold up, and not for somebody who never iterates and so never ends."""
    opened_in: list[int] = []
    opening = compose.open_async_store

    def open_it(address: str) -> Any:
        opened_in.append(threading.get_ident())
        return opening(address)

    async def main() -> None:
        found = pt.follow_async(str(tmp_path / "paper.db"), "main", timeout_s=0)
        assert opened_in == []
        assert [event async for event in found] == []

    monkeypatch.setattr(compose, "open_async_store", open_it)
    asyncio.run(main())
    assert len(opened_in) == 1
    assert opened_in[0] != threading.get_ident()
