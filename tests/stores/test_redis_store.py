"""The Redis store by itself: what is on the server, damage it finds, full memory, other processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from servers_redis import RedisServer, again, key, needed, redis_server
from store_cases import HOSTILE_NAMES, batch, chain, event

import papertrade as pt
from papertrade.codec.chain import GENESIS
from papertrade.codec.events import encode_event
from papertrade.errors import (
    InvalidValueError,
    OutcomeUnknownError,
    StoreCorruptError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, StoredSnapshot

if TYPE_CHECKING:
    from papertrade.adapters.redis import RedisStore

pytestmark = pytest.mark.external_service


def test_scripts_are_constant(redis_store: RedisStore) -> None:
    """Hostile names and keys are arguments: whatever is stored, the server knows the same scripts."""
    from papertrade.adapters.redis import scripts

    for name in HOSTILE_NAMES:
        redis_store.append(batch(0, stream=name, commit=name))
        assert redis_store.find(name, name) == Appended(1, 1)
    assert len(scripts.BY_SHA) == len(scripts.SCRIPTS) == 12
    for script in scripts.SCRIPTS:
        assert "%s" not in script.text
        assert script.text.isascii()


def test_another_history_is_refused(redis_store: RedisStore, redis_shared: RedisServer, redis_client: Any) -> None:
    """The right version with another hash: the server lost its data and somebody wrote other events since."""
    redis_store.append(batch(0, 2))
    redis_client.delete(*redis_client.keys(f"{{{redis_store._place.prefix}}}:*"))
    other = again(redis_store, redis_shared.url)
    other.append(batch(0, 2, amount=7))
    with pytest.raises(StoreCorruptError, match="other events"):
        redis_store.append(batch(2))
    assert redis_store.head("main") == 2
    assert again(redis_store, redis_shared.url).append(batch(2)) == Appended(3, 3)


def test_a_server_that_went_back_is_found_out(tmp_path: Path) -> None:
    """Where everything answered is to be kept, a head before the one that was answered is damage, not a conflict."""
    needed()
    from papertrade.adapters.redis import RedisStore

    with redis_server(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        import redis

        store = RedisStore(server.url)
        store.append(batch(0, 5))
        with redis.Redis(port=server.port) as client:
            client.flushall()
        assert RedisStore(server.url).append(batch(0, 2)) == Appended(1, 2)
        with pytest.raises(StoreCorruptError, match="at version 2 and had answered 5"):
            store.append(batch(5))


def damage_record(client: Any, store: RedisStore) -> None:
    client.xdel(key(store, "journal"), "2-0")


def damage_bytes(client: Any, store: RedisStore) -> None:
    (last,) = client.xrevrange(key(store, "journal"), count=1)
    client.delete(key(store, "journal"))
    for version in range(1, 5):
        data = encode_event(event(version, amount=2 if version == 2 else 1))
        client.xadd(key(store, "journal"), {"chain": chain(version), "record": data}, id=f"{version}-0")
    assert last[0] == b"4-0"


def damage_field(client: Any, store: RedisStore) -> None:
    client.delete(key(store, "journal"))
    for version in range(1, 5):
        client.xadd(key(store, "journal"), {"chain": chain(version), "what": b"x"}, id=f"{version}-0")


def renamed(client: Any, store: RedisStore, kind: str) -> None:
    """The commit id is another."""
    spot = client.hget(key(store, kind), "k")
    client.hdel(key(store, kind), "k")
    client.hset(key(store, kind), "l", spot)


def resealed(client: Any, store: RedisStore, span: bytes) -> None:
    """It leads elsewhere, and its seal is the one that it had."""
    seal = client.hget(key(store, "commits"), "k").rpartition(b":")[2]
    client.hset(key(store, "commits"), "k", span + b":" + seal)


DAMAGE: dict[str, Callable[[Any, RedisStore], Any]] = {
    "a record is gone": damage_record,
    "other bytes": damage_bytes,
    "other fields": damage_field,
    "the journal is gone": lambda c, s: c.delete(key(s, "journal")),
    "the head is gone": lambda c, s: c.delete(key(s, "stream")),
    "all but the name is gone": lambda c, s: c.delete(*(key(s, k) for k in ("stream", "journal", "commits", "order"))),
    "another head": lambda c, s: c.hset(key(s, "stream"), "h", chain(3)),
    "a head ahead": lambda c, s: c.hset(key(s, "stream"), "v", "5"),
    "a head that is no number": lambda c, s: c.hset(key(s, "stream"), "v", "x"),
    "another kind of key": lambda c, s: (c.delete(key(s, "journal")), c.set(key(s, "journal"), "x")),
    "a stream of another kind": lambda c, s: (c.delete(key(s, "stream")), c.set(key(s, "stream"), "x")),
    "a commit id is gone": lambda c, s: c.hdel(key(s, "commits"), "k"),
    "a commit id is gone, and from the order": lambda c, s: (
        c.hdel(key(s, "commits"), "k"), c.zrem(key(s, "order"), "k")),
    "another commit id": lambda c, s: renamed(c, s, "commits"),
    "another commit id in the order": lambda c, s: (
        c.zrem(key(s, "order"), "k"), c.zadd(key(s, "order"), {"l": 4})),
    "another commit id in both": lambda c, s: (
        renamed(c, s, "commits"), c.zrem(key(s, "order"), "k"), c.zadd(key(s, "order"), {"l": 4})),
    "a commit id twice": lambda c, s: (
        c.hset(key(s, "commits"), "l", c.hget(key(s, "commits"), "k")), c.zadd(key(s, "order"), {"l": 4})),
    "a commit id twice, counted": lambda c, s: (
        c.hset(key(s, "commits"), "l", c.hget(key(s, "commits"), "k")), c.zadd(key(s, "order"), {"l": 4}),
        c.hset(key(s, "stream"), "n", 2)),
    "another number of commit ids": lambda c, s: c.hset(key(s, "stream"), "n", 0),
    "a number of commit ids that is none": lambda c, s: c.hset(key(s, "stream"), "n", "x"),
    "a commit id out of order": lambda c, s: c.zadd(key(s, "order"), {"k": 3}),
    "a commit id between two versions": lambda c, s: c.zadd(key(s, "order"), {"k": 3.5}),
    "a commit id beyond the order": lambda c, s: c.zadd(key(s, "order"), {"k": 5}),
    "a commit id leads to less": lambda c, s: resealed(c, s, b"4:4"),
    "a commit id leads to more": lambda c, s: resealed(c, s, b"1:4"),
    "a commit id leads elsewhere": lambda c, s: (resealed(c, s, b"2:3"), c.zadd(key(s, "order"), {"k": 3})),
    "another seal": lambda c, s: c.hset(key(s, "commits"), "k", f"3:4:{chain(4)}"),
    "a seal in capitals": lambda c, s: c.hset(key(s, "commits"), "k", c.hget(key(s, "commits"), "k").upper()),
    "no seal": lambda c, s: c.hset(key(s, "commits"), "k", "3:4"),
    "an empty seal": lambda c, s: c.hset(key(s, "commits"), "k", "3:4:"),
    "a commit id leads beyond": lambda c, s: c.hset(key(s, "commits"), "k", "3:9"),
    "a commit id leads nowhere": lambda c, s: c.hset(key(s, "commits"), "k", "x"),
    "another snapshot": lambda c, s: c.hset(key(s, "snapshot"), "data", "y"),
    "a snapshot of another history": lambda c, s: c.hset(key(s, "snapshot"), "chain", chain(1)),
}  # fmt: skip


HEAD_IS_WHOLE = {"other bytes", "other fields", "another snapshot", "a snapshot of another history",
                 "a commit id leads beyond", "a commit id leads nowhere", "another commit id",
                 "another commit id in the order", "another commit id in both", "a commit id twice, counted",
                 "a commit id out of order", "a commit id between two versions", "a commit id leads to less",
                 "a commit id leads to more", "a commit id leads elsewhere", "another seal", "a seal in capitals",
                 "no seal", "an empty seal"}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_c33_damage_is_found(redis_store: RedisStore, redis_shared: RedisServer, redis_client: Any, what: str) -> None:
    """Whatever somebody else does to the keys, verify says so, and nothing is appended over a broken head."""
    redis_store.append(batch(0, 2))
    redis_store.append(batch(2, 2, commit="k"))
    redis_store.put_snapshot("main", StoredSnapshot(2, chain(2), b"x"))
    assert redis_store.verify("main").version == 4
    DAMAGE[what](redis_client, redis_store)
    with pytest.raises(StoreCorruptError):
        again(redis_store, redis_shared.url).verify("main")
    try:
        again(redis_store, redis_shared.url).append(batch(4))
    except StoreCorruptError:
        return
    assert what in HEAD_IS_WHOLE


@pytest.mark.parametrize("what", [what for what in DAMAGE if "commit id" in what or "seal" in what])
def test_c33_a_repetition_never_goes_elsewhere(
    redis_store: RedisStore, redis_shared: RedisServer, redis_client: Any, what: str
) -> None:
    """A command that is repeated when its key is damaged hears of the damage, of a conflict, or what it heard first."""
    redis_store.append(batch(0, 2))
    redis_store.append(batch(2, 2, commit="k"))
    DAMAGE[what](redis_client, redis_store)
    for store in (redis_store, again(redis_store, redis_shared.url)):
        try:
            outcome = store.append(batch(2, 2, commit="k"))
        except StoreCorruptError:
            continue
        assert outcome in (AlreadyAppended(3, 4), Conflict(4))
        # the order of keys, their number, and a key that was added are looked at by appends and by verify
        assert isinstance(outcome, AlreadyAppended) or what == "another commit id in both"


def test_c28_full_memory_is_said_and_nothing_is_half_there(redis_store: RedisStore, redis_client: Any) -> None:
    """At maxmemory nothing is written, what was stored can be read, repeated and trimmed; with room it goes on."""
    redis_store.append(batch(0, 50, commit="k"))
    redis_client.config_set("maxmemory", "1mb")
    for made in (batch(50, 3), batch(0, stream="new"), batch(50, commit="l")):
        with pytest.raises(StoreFullError):
            redis_store.append(made)
    with pytest.raises(StoreFullError):
        redis_store.put_snapshot("main", StoredSnapshot(2, chain(2), b"x"))
    assert redis_store.append(batch(0, 50, commit="k")) == AlreadyAppended(1, 50)
    assert redis_store.verify("main") == ("main", 50, chain(50))
    redis_store.trim("main", 40)
    redis_client.config_set("maxmemory", "0")
    assert redis_store.append(batch(50, 3)) == Appended(51, 53)
    assert redis_store.streams() == ["main"]


def test_c11_versions_near_the_end_of_what_lua_counts(redis_store: RedisStore) -> None:
    """Versions up to 2**53 are told apart, and one that would pass it is refused, not rounded."""
    top = 2**53 - 3
    redis_store.seed("main", top, GENESIS)
    assert redis_store.append(batch(top - 1)) == Conflict(top)
    assert redis_store.append(batch(top + 1)) == Conflict(top)
    assert redis_store.append(batch(top)) == Appended(top + 1, top + 1)
    assert redis_store.append(batch(top + 1, commit="k")) == Appended(top + 2, top + 2)
    assert redis_store.append(batch(top + 2)) == Conflict(top + 2)
    assert redis_store.find("main", "k") == Appended(top + 2, top + 2)
    assert [e.version for e in redis_store.load("main", top + 1)] == [top + 1, top + 2]
    assert redis_store.verify("main").version == top + 2
    for version in (2**53, -1, 1.0, "1"):
        with pytest.raises(InvalidValueError):
            redis_store.seed("other", version, GENESIS)  # type: ignore[arg-type]
        with pytest.raises(InvalidValueError):
            redis_store.trim("main", version)  # type: ignore[arg-type]


def test_c35_a_store_does_not_survive_a_fork(redis_store: RedisStore) -> None:
    """The connection belongs to the process that made it; a child is told, and its exit leaves the parent's alone."""
    redis_store.append(batch(0))
    child = os.fork()
    if not child:
        told = False
        try:
            redis_store.head("main")
        except StoreMisconfiguredError:
            told = True
        finally:
            redis_store.close()
            os._exit(0 if told else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert redis_store.append(batch(1)) == Appended(2, 2)

def test_an_unknown_outcome_is_resolved_by_the_host(tmp_path: Path) -> None:
    """C24: the server is killed and comes back: the account goes on, and the key finds what was stored."""
    needed()
    with redis_server(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        exchange = pt.Exchange(server.url)
        broker = exchange.open_account("main", cash=1000)
        server.kill()
        with pytest.raises((StoreUnavailableError, OutcomeUnknownError)):
            broker.deposit(5, command_id="d")
        server.start()
        broker.deposit(5, command_id="d")
        broker.deposit(5, command_id="d")
        assert broker.account().total == 1005
        exchange.close()
