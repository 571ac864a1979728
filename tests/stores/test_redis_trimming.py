"""Streams that were archived: trimmed, begun at a base, and followed meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from servers_redis import RedisServer, again, key
from store_cases import batch, chain

from papertrade.codec.chain import GENESIS, link
from papertrade.errors import StoreCorruptError, StoreTrimmedError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, StoredSnapshot
from papertrade.ports.store_extras import Commit, Trimming

if TYPE_CHECKING:
    from papertrade.adapters.redis import RedisStore

pytestmark = pytest.mark.external_service


def test_a_trimmed_stream_keeps_head_chain_and_fence(redis_store: RedisStore, redis_shared: RedisServer) -> None:
    """What was dropped is a typed error to ask for; what is there goes on as if nothing had happened."""
    assert isinstance(redis_store, Trimming)
    redis_store.append(batch(0, 3, commit="a"))
    redis_store.append(batch(3, 3, commit="b"))
    redis_store.append(Append("main", 6, [], "empty"))
    redis_store.put_snapshot("main", StoredSnapshot(2, chain(2), b"x"))
    fence = redis_store.take("main")
    assert redis_store.base("main") == (0, GENESIS)
    redis_store.trim("main", 4)
    redis_store.trim("main", 4)
    redis_store.trim("main", 2)
    assert redis_store.base("main") == (4, chain(4))
    assert redis_store.head("main") == 6
    assert [redis_store.chain_at("main", version) for version in (4, 5)] == [chain(4), chain(5)]
    for read in (
        lambda: redis_store.load("main"), lambda: redis_store.load("main", 4),
        lambda: redis_store.records("main", 2, 3),
        lambda: redis_store.chain_at("main", 3), lambda: redis_store.seed("main", 3, chain(3)),
        lambda: redis_store.put_snapshot("main", StoredSnapshot(3, chain(3), b"x")),
    ):  # fmt: skip
        with pytest.raises(StoreTrimmedError) as caught:
            read()
        assert (caught.value.stream, caught.value.base) == ("main", 4)
    assert [e.version for e in redis_store.load("main", 5)] == [5, 6]
    assert [record.version for record in redis_store.records("main", 6, 9)] == [6]
    assert list(redis_store.load("main", 0, 0)) == []
    assert [redis_store.find("main", key) for key in ("a", "b", "empty")] == [None, (4, 6), (7, 6)]
    assert list(redis_store.commits("main")) == [Commit("b", 4, 6), Commit("empty", 7, 6)]
    assert redis_store.append(batch(3, 3, commit="b")) == AlreadyAppended(4, 6)
    assert redis_store.get_snapshot("main") is None
    assert redis_store.verify("main") == ("main", 6, chain(6))
    assert again(redis_store, redis_shared.url).append(batch(6)._replace(fence=fence)) == Appended(7, 7)
    redis_store.trim("main", 6)
    assert list(redis_store.commits("main")) == [Commit("empty", 7, 6)]
    with pytest.raises(StoreCorruptError):
        redis_store.trim("main", 8)
    redis_store.trim("main", 7)
    assert redis_store.base("main") == (7, chain(7))
    assert list(redis_store.commits("main")) == []
    assert redis_store.append(batch(7, 2)._replace(fence=fence)) == Appended(8, 9)
    assert redis_store.verify("main") == ("main", 9, chain(9))


def test_trimming_goes_in_steps(redis_store: RedisStore) -> None:
    """More than one step of the script drops all the same, and a reader under way is told."""
    for number in range(6):
        redis_store.append(batch(2_000 * number, 2_000, commit=f"k{number}"))
    reader = redis_store.load("main")
    next(reader)
    redis_store.trim("main", 11_000)
    assert redis_store.base("main") == (11_000, chain(11_000))
    assert list(redis_store.commits("main")) == [Commit("k5", 10_001, 12_000)]
    with pytest.raises(StoreTrimmedError):
        list(reader)
    assert redis_store.verify("main").version == 12_000


def test_a_stream_can_begin_at_a_base(redis_store: RedisStore) -> None:
    """Seeded, it takes what follows on the base; seeded again it stays as it is, and another base is damage."""
    redis_store.seed("main", 4, chain(4))
    assert (redis_store.head("main"), redis_store.base("main"), redis_store.streams()) == (4, (4, chain(4)), ["main"])
    redis_store.seed("main", 4, chain(4))
    assert redis_store.append(batch(0)) == Conflict(4)
    assert redis_store.append(batch(4, 2, commit="k")) == Appended(5, 6)
    assert redis_store.verify("main") == ("main", 6, chain(6))
    redis_store.seed("main", 5, chain(5))
    for version, head in ((4, chain(5)), (6, chain(5)), (7, chain(7))):
        with pytest.raises(StoreCorruptError):
            redis_store.seed("main", version, head)
    fence = redis_store.take("taken")
    redis_store.seed("taken", 2, chain(2, "taken"))
    assert redis_store.append(batch(2, stream="taken")._replace(fence=fence)) == Appended(3, 3)

# ------------------------------------------------------------------ following


def test_what_is_appended_is_news(redis_store: RedisStore, redis_client: Any) -> None:
    """Each append adds one line of news with the name and the version; a capped stream that anybody can read."""
    redis_store.append(batch(0, 2, stream="a"))
    redis_store.append(batch(0, stream="b"))
    assert redis_store.append(batch(0, stream="b")) == Conflict(1)
    redis_store.erase("b")
    news = redis_client.xrange(f"{{{redis_store._place.prefix}}}:news")
    told = [(found[b"stream"], found[b"version"]) for _, found in news]
    assert told == [(b"a", b"2"), (b"b", b"1"), (b"b", b"erased")]


def test_the_journal_can_be_read_without_papertrade(redis_store: RedisStore, redis_client: Any) -> None:
    """Record and hash of a version are an entry of a Redis stream, whose id begins with the version."""
    redis_store.append(batch(0, 3))
    head = GENESIS
    for version, (entry, fields) in enumerate(redis_client.xrange(key(redis_store, "journal")), 1):
        head = link(head, fields[b"record"])
        assert (entry, fields[b"chain"]) == (f"{version}-0".encode(), head.encode())
    assert head == chain(3)


def test_waiters_have_lines_of_their_own(redis_store: RedisStore) -> None:
    """Whoever waits does not hold up who writes."""
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(redis_store.wait("main", 2, 60))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(3):
        redis_store.append(batch(number))
    for thread in threads:
        thread.join()
    assert answers == [3, 3, 3]
