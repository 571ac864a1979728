"""Two stores as one: stopped at every call and run again, run by two at once, and wrong archives refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from servers_redis import fresh_redis
from store_cases import batch, chain, event

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.adapters.tiered import CHUNK, TieredStore
from papertrade.errors import (
    OutcomeUnknownError,
    StoreCorruptError,
    StoreFencedError,
    StoreMismatchError,
    StoreUnavailableError,
)
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, StoredSnapshot
from papertrade.ports.store_extras import Commit

if TYPE_CHECKING:
    from papertrade.adapters.redis import RedisStore

pytestmark = pytest.mark.external_service


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made: Any
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "sqlite":
        made = SQLiteStore(tmp_path / "archive.db", durability="memory")
    else:
        server = request.getfixturevalue("postgres_server")
        from papertrade.adapters.postgres import PostgresStore

        made = PostgresStore(server.dsn, schema=server.schema(), durability="memory")
    yield made
    made.close()


def traded(store: Any, start: int = 0) -> None:
    """Seven events, with and without commit ids, and an empty batch."""
    store.append(batch(start, 2, commit=f"one {start}"))
    store.append(batch(start + 2, 3))
    store.append(Append("main", start + 5, [], f"nothing {start}"))
    store.append(batch(start + 5, 2, commit=f"two {start}"))


COMMITS = [Commit("one 0", 1, 2), Commit("nothing 0", 6, 5), Commit("two 0", 6, 7)]


def test_a_day_is_settled(redis_store: RedisStore, archive: Any) -> None:
    """What was settled is in the archive with its hashes and keys, and not in the day store; the head goes on."""
    store = TieredStore(redis_store, archive)
    traded(store)
    store.put_snapshot("main", StoredSnapshot(5, chain(5), b"x"))
    store.append(batch(0, stream="other"))
    assert store.archive_day() == {"main": 7, "other": 1}
    assert store.archive_day() == {"main": 7, "other": 1}
    assert archive.verify("main") == store.verify("main") == ("main", 7, chain(7))
    assert list(archive.commits("main")) == list(store.commits("main")) == COMMITS
    assert (redis_store.base("main"), list(redis_store.commits("main"))) == ((7, chain(7)), [])
    assert store.get_snapshot("main") == archive.get_snapshot("main") == StoredSnapshot(5, chain(5), b"x")
    traded(store, 7)
    assert [e.version for e in store.load("main", 6, 9)] == [6, 7, 8, 9]
    assert list(store.load("main")) == [event(v) for v in range(1, 15)]
    assert [store.chain_at("main", v) for v in (0, 3, 7, 12)] == [chain(v) for v in (0, 3, 7, 12)]
    assert store.settle("main") == 14
    assert archive.verify("main") == ("main", 14, chain(14))
    assert store.streams() == ["main", "other"]


def test_a_key_is_a_key_for_ever(redis_store: RedisStore, archive: Any) -> None:
    """C43: a commit id that was settled is answered as before, whatever version is expected, by any process."""
    traded(TieredStore(redis_store, archive))
    TieredStore(redis_store, archive).archive_day()
    store = TieredStore(redis_store, archive)
    made = batch(0, 2, commit="one 0")
    for expected in (0, 7, 99):
        assert store.append(made._replace(expected=expected)) == AlreadyAppended(1, 2)
        with pytest.raises(StoreMismatchError):
            store.append(batch(expected, 2, commit="two 0", amount=5))
    assert store.find("main", "two 0") == Appended(6, 7)
    fence = store.take("main")
    assert store.append(made) == AlreadyAppended(1, 2)
    with pytest.raises(StoreFencedError):
        store.append(batch(7, commit="new"))
    assert store.find("main", "new") is None
    assert store.append(batch(7, commit="new")._replace(fence=fence)) == Appended(8, 8)
    assert store.head("main") == 8


def test_an_empty_day_store_begins_where_the_archive_ends(request: pytest.FixtureRequest, archive: Any) -> None:
    """A new server for a new day: accounts go on, none begins again."""
    yesterday = TieredStore(fresh_redis(request), archive)
    traded(yesterday)
    yesterday.archive_day()
    store = TieredStore(fresh_redis(request), archive)
    assert (store.head("main"), store.streams(), store.verify("main").version) == (7, ["main"], 7)
    assert list(store.load("main")) == [event(v) for v in range(1, 8)]
    assert store.append(batch(0)) == Conflict(7)
    assert store.append(batch(7)) == Appended(8, 8)
    assert TieredStore(store.day, archive).append(batch(8)) == Appended(9, 9)
    assert store.verify("main") == ("main", 9, chain(9))
    for tier in (yesterday, store):
        tier.day.close()


# -------------------------------------------------------- stopped at every call


class Stopping:
    """A store whose n-th call, of both tiers together, fails: before it is done, or after."""

    def __init__(self, real: Any, left: list[int], after: bool) -> None:
        self.real, self.left, self.after = real, left, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)

        def call(*args: Any) -> Any:
            self.left[0] -= 1
            if self.left[0] == 0 and not self.after:
                raise StoreUnavailableError("stopped before")
            found = real(*args)
            if self.left[0] == 0:
                raise OutcomeUnknownError("stopped after")
            return found

        return call


@pytest.mark.parametrize("after", [False, True])
def test_stopped_at_every_call_and_run_again(request: pytest.FixtureRequest, after: bool) -> None:
    """Whatever call fails, readers see the same before, in between and afterwards, and another run finishes."""
    calls = 0
    while True:
        calls += 1
        day, archive, left = fresh_redis(request), MemoryStore(), [calls]
        store = TieredStore(day, archive)
        traded(store)
        store.put_snapshot("main", StoredSnapshot(5, chain(5), b"x"))
        store.settle("main")
        traded(store, 7)
        before = list(store.records("main")), list(store.commits("main")), store.get_snapshot("main")
        stopping: Any = [Stopping(tier, left, after) for tier in (day, archive)]
        try:
            TieredStore(*stopping).archive_day()
            stopped = False
        except (StoreUnavailableError, OutcomeUnknownError):
            stopped = True
        assert (list(store.records("main")), list(store.commits("main")), store.get_snapshot("main")) == before
        assert store.verify("main") == ("main", 14, chain(14))
        assert TieredStore(day, archive).archive_day() == {"main": 14}
        assert archive.verify("main") == ("main", 14, chain(14))
        assert [list(archive.records("main")), list(archive.commits("main"))] == list(before[:2])
        assert day.base("main").version == 14
        day.close()
        if not stopped:
            break
    assert calls > 12


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_two_archivers_at_once_while_an_account_trades(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """Both may be at the same stream at any moment: nothing is lost, nothing is there twice, nobody fails."""
    day, done, wrong = fresh_redis(request), threading.Event(), []
    archive: Any = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "a.db", durability="memory")

    def settle() -> None:
        mine = TieredStore(day, archive)
        while not done.is_set():
            try:
                mine.archive_day()
            except Exception as why:
                wrong.append(why)

    def read() -> None:
        mine = TieredStore(day, archive)
        while not done.is_set():
            found = [e.version for e in mine.load("main")]
            if found != list(range(1, len(found) + 1)):
                wrong.append(found)

    threads = [threading.Thread(target=work) for work in (settle, settle, read)]
    for thread in threads:
        thread.start()
    store = TieredStore(day, archive)
    for number in range(100):
        assert store.append(batch(2 * number, 2, commit=f"k{number}")) == Appended(2 * number + 1, 2 * number + 2)
        assert store.append(Append("main", 2 * number + 2, [], f"e{number}")).first == 2 * number + 3
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    store.archive_day()
    assert archive.verify("main") == store.verify("main") == ("main", 200, chain(200))
    assert [(one.commit_id, one.last) for one in store.commits("main")] == [
        (f"{kind}{number}", 2 * number + 2) for number in range(100) for kind in "ke"
    ]
    store.close()


def test_a_long_day_goes_in_pieces(redis_store: RedisStore) -> None:
    """More than one piece, and a batch with a key is never divided."""
    archive = MemoryStore()
    store = TieredStore(redis_store, archive)
    store.append(batch(0, CHUNK - 10))
    store.append(batch(CHUNK - 10, 30, commit="over the edge"))
    store.append(batch(CHUNK + 20, CHUNK))
    pieces: list[int] = []
    put = archive.put_records
    archive.put_records = lambda *args: (pieces.append(len(args[2])), put(*args))[1]  # type: ignore[method-assign]
    assert store.settle("main") == 2 * CHUNK + 20
    assert pieces == [CHUNK + 20, CHUNK]
    assert store.verify("main").version == archive.verify("main").version == 2 * CHUNK + 20


# -------------------------------------------------------------- wrong archives


def test_another_archive_is_refused(redis_store: RedisStore) -> None:
    """An archive of other accounts, an older copy and a newer one are damage; nothing is dropped."""
    other = MemoryStore()
    other.append(batch(0, 3, amount=9))
    newer = MemoryStore()
    newer.append(batch(0, 12))
    traded(redis_store)
    for archive in (other, newer):
        with pytest.raises(StoreCorruptError):
            TieredStore(redis_store, archive).archive_day()
        with pytest.raises(StoreCorruptError):
            TieredStore(redis_store, archive).verify("main")
        assert redis_store.base("main").version == 0
    TieredStore(redis_store, MemoryStore()).archive_day()
    lost = TieredStore(redis_store, MemoryStore())
    for call in (lost.archive_day, lambda: lost.verify("main"), lambda: list(lost.load("main"))):
        with pytest.raises(StoreCorruptError):
            call()


def test_keys_of_the_two_stores_are_held_against_each_other(redis_store: RedisStore) -> None:
    """One that leads elsewhere in the archive, or two that lead to the same versions: found out, whole as each is."""
    archive = MemoryStore()
    store = TieredStore(redis_store, archive)
    traded(store)
    records = list(store.records("main"))
    for number, commits in enumerate(([Commit("one 0", 1, 3)], [Commit("other", 2, 3)], [Commit("two 0", 6, 6)])):
        store.archive = MemoryStore()
        store.archive.put_records("main", 0, records, commits)
        store.archive.verify("main")
        with pytest.raises(StoreCorruptError, match=commits[0].commit_id if number != 1 else "leads to"):
            store.verify("main")
    store.archive = archive
    archive.put_records("main", 0, records[:5], COMMITS[:1])
    assert store.verify("main") == ("main", 7, chain(7))


def test_one_stream_that_cannot_be_settled_leaves_the_others(redis_store: RedisStore) -> None:
    """The rest of the day is archived, and then the error is raised."""
    archive = MemoryStore()
    archive.append(batch(0, stream="b", amount=7))
    for name in "abc":
        redis_store.append(batch(0, stream=name))
    with pytest.raises(StoreCorruptError, match="'b'"):
        TieredStore(redis_store, archive).archive_day()
    assert [redis_store.base(name).version for name in "abc"] == [1, 0, 1]


def test_accounts_over_two_days(redis_store: RedisStore, archive: Any) -> None:
    """The account of tomorrow is the account of today: orders, keys, history and digest."""
    store = TieredStore(redis_store, archive)
    store.close = lambda: None  # type: ignore[method-assign]  # the exchanges below share it
    at, order, digests, events = 1_767_623_400_000_000_000, "", [], []
    for day in range(3):
        with pt.Exchange(store, clock="data") as exchange:
            exchange.add_instrument("ABC")
            broker = exchange.open_account("main", cash=100_000)
            digests.append(broker.digest())
            if day:
                assert digests[-1] == digests[-2]
                assert broker.buy("ABC", 3, client_order_id=f"d{day - 1}").id == order
            exchange.on_quote("ABC", "9.99", "10.00", at=at + day * 1_000_000_000)
            order = broker.buy("ABC", 3, client_order_id=f"d{day}").id
            broker.snapshot()
            broker.buy("ABC", 1)
            digests[-1] = broker.digest()
            events = list(broker.events())
        store.archive_day()
    assert [e.version for e in events] == list(range(1, len(events) + 1))
    assert list(archive.load("main")) == events
