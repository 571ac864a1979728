"""Following an account: every event once, in order, as it is stored, from any version and from another process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import papertrade as pt
from papertrade import following
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.domain.events import Event
from papertrade.errors import InvalidValueError, StoreErasedError, UnsupportedError

WRITER = """
import sys
import papertrade as pt
broker = pt.open_paper_broker(cash=100, store=sys.argv[1], clock="data")
for number in range(int(sys.argv[2])):
    broker.deposit(1)
"""


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[pt.Store]:
    found = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "paper.db", durability="memory")
    yield found
    found.close()


def test_what_is_there_and_then_nothing(store: pt.Store) -> None:
    """Everything after a version, of the kinds asked for; and the end when nothing comes."""
    broker = pt.open_paper_broker(cash=100, store=store, clock="data")
    for _ in range(5):
        broker.deposit(1)
    assert list(pt.follow(store, "main", timeout_s=0)) == broker.events()
    assert list(pt.follow(store, "main", 4, timeout_s=0)) == broker.events(after=4)
    assert list(pt.follow(store, "main", 10**6, timeout_s=0)) == []
    assert list(pt.follow(store, "main", kinds="account_opened", timeout_s=0.01)) == broker.events()[:1]
    assert list(pt.follow(store, "nobody", timeout_s=0)) == []


def test_each_is_seen_as_it_is_stored(store: pt.Store) -> None:
    """One follows while another writes, from before the account exists; who stops in between goes on from there."""
    seen: list[Event] = []
    broker: list[pt.PaperBroker] = []

    def write() -> None:
        broker.append(pt.open_paper_broker(cash=100, store=store, clock="data"))
        for _ in range(50):
            broker[0].deposit(1)

    writing = threading.Thread(target=write)
    follower = pt.follow(store, "main")
    writing.start()
    for event in follower:
        seen.append(event)
        if event.version == 20:
            break
    for event in pt.follow(store, "main", seen[-1].version):
        seen.append(event)
        if event.version == 52:
            break
    writing.join()
    assert seen == broker[0].events()


def test_another_process_is_followed(tmp_path: Path) -> None:
    """By the address of a file, from before the other process begins."""
    path = str(tmp_path / "paper.db")
    pt.open_store(path).close()
    writing = subprocess.Popen([sys.executable, "-c", WRITER, path, "20"])
    try:
        seen = []
        for event in pt.follow(path, "main", timeout_s=60):
            seen.append(event.version)
            if event.version == 22:
                break
    finally:
        assert writing.wait(60) == 0
    assert seen == list(range(1, 23))


def test_it_stops_when_told(store: pt.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """``stop`` is asked before each page and between two waits."""
    broker = pt.open_paper_broker(cash=100, store=store, clock="data")
    monkeypatch.setattr(following, "LOOK_S", 0.001)
    asked: list[int] = []

    def enough() -> bool:
        asked.append(1)
        return len(asked) > 3

    assert list(pt.follow(store, "main", stop=enough)) == broker.events()
    assert len(asked) == 4
    assert list(pt.follow(store, "main", stop=lambda: True)) == []


def test_long_journals_come_in_pages(store: pt.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages lose nothing at their seams."""
    broker = pt.open_paper_broker(cash=100, store=store, clock="data")
    for _ in range(10):
        broker.deposit(1)
    for page in (1, 5, 6, 7):
        monkeypatch.setattr(following, "PAGE", page)
        assert list(pt.follow(store, "main", timeout_s=0)) == broker.events()


def test_a_store_opened_by_its_address_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end, and when its caller breaks off; one that was given stays open."""
    path, closed = str(tmp_path / "paper.db"), []
    monkeypatch.setattr(SQLiteStore, "close", lambda self, real=SQLiteStore.close: (closed.append(1), real(self))[1])
    store = SQLiteStore(path)
    broker = pt.open_paper_broker(cash=100, store=store, clock="data")
    assert len(list(pt.follow(path, "main", timeout_s=0))) == len(closed) + 1 == 2
    broken_off = pt.follow(path, "main")
    next(broken_off)
    broken_off.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(closed) == 2
    list(pt.follow(store, "main", timeout_s=0))
    assert broker.deposit(1).total == 101


def test_who_never_iterates_opens_nothing(tmp_path: Path) -> None:
    """An address is opened by the first ``next``; what cannot be an address is refused before."""
    follower = pt.follow(str(tmp_path / "paper.db"), "main", timeout_s=0)
    assert list(tmp_path.iterdir()) == []
    assert list(follower) == []
    assert [path.name for path in tmp_path.iterdir()] == ["paper.db"]


def test_an_account_that_is_erased_ends_with_its_error(store: pt.Store) -> None:
    """What the store says is passed on."""
    pt.open_paper_broker(cash=100, store=store, clock="data")
    follower = pt.follow(store, "main")
    next(follower)
    next(follower)
    store.erase("main", "asked for")  # type: ignore[attr-defined]
    with pytest.raises(StoreErasedError):
        next(follower)


class NoWait:
    """A store that nobody can wait on."""

    def append_many(self, batches: object) -> None: ...


@pytest.mark.parametrize("follow", [pt.follow, pt.follow_async])
def test_misuse_is_refused_at_once(follow: object) -> None:
    """Before anything is read, and not when the first event is asked for."""
    for fields in ({"after": -1}, {"timeout_s": "x"}, {"kinds": "nothing"}, {"stop": 5}):
        with pytest.raises(InvalidValueError):
            follow(MemoryStore(), "main", **fields)  # type: ignore[operator]
    with pytest.raises(UnsupportedError, match="following"):
        follow(NoWait(), "main")  # type: ignore[operator]
    for address in ("paper.txt", "paper.db?timeout=5", "paper.db?durability=never", "mysql://host/db", ""):
        with pytest.raises(InvalidValueError):
            follow(address, "main")  # type: ignore[operator]


def test_in_an_event_loop(store: pt.Store) -> None:
    """The loop runs on while somebody waits; pages, timeout and stop are those of the other."""

    async def main() -> list[Event]:
        broker = await pt.open_async_paper_broker(cash=100, store=store, clock="data")
        seen: list[Event] = []

        async def listen() -> None:
            async for event in pt.follow_async(store, "main"):
                seen.append(event)
                if event.version == 12:
                    return

        listening = asyncio.create_task(listen())
        for _ in range(10):
            await broker.deposit(1)
            await asyncio.sleep(0)
        await listening
        assert seen == await broker.events()
        assert [e.version async for e in pt.follow_async(store, "main", 10, timeout_s=0)] == [11, 12]
        assert [e async for e in pt.follow_async(store, "main", stop=lambda: True)] == []
        return seen

    assert len(asyncio.run(asyncio.wait_for(main(), 30))) == 12
