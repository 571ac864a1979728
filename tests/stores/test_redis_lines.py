"""What the Redis store does when the line breaks: it says so, sends nothing twice, stores a keyed append once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cuts import RECORD, cut_and_guess, cut_and_repeat
from cutting_proxy import CuttingProxy
from racing import check_race, race
from servers_redis import DURABLE, RedisServer, fresh_redis, needed, redis_server, shared_server
from store_cases import batch, chain, event

from papertrade.errors import OutcomeUnknownError, StoreUnavailableError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict

if TYPE_CHECKING:
    from papertrade.adapters.redis import RedisStore

pytestmark = pytest.mark.external_service


@contextmanager
def proxied(
    request: pytest.FixtureRequest, timeout_s: float = 5.0, counted: bytes = b""
) -> Iterator[tuple[CuttingProxy, Any]]:
    needed()
    from papertrade.adapters.redis import RedisStore

    proxy = CuttingProxy(shared_server(request).port, counted)
    prefix = fresh_redis(request)._place.prefix
    store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0", durability="memory", prefix=prefix, timeout_s=timeout_s)
    try:
        yield proxy, store
    finally:
        store.close()
        proxy.close()


def test_c25_answers_that_are_cut_are_stored_once(request: pytest.FixtureRequest) -> None:
    """G9: each second answer is cut after the server did what was asked; the same batch again finds it stored."""
    with proxied(request) as (proxy, store):
        unknown = 0
        for number in range(100):
            made = batch(number, commit=f"k{number}")
            if number % 2:
                store.head("main")  # the line is there again, so that the answer to the append is what is cut
                proxy.cut_next("after")
                with pytest.raises(OutcomeUnknownError):
                    store.append(made)
                unknown += 1
                assert store.append(made) == AlreadyAppended(number + 1, number + 1)
            else:
                assert store.append(made) == Appended(number + 1, number + 1)
        assert unknown == 50
        assert store.verify("main") == ("main", 100, chain(100))


def test_c40_nothing_is_sent_twice(request: pytest.FixtureRequest) -> None:
    """An append whose answer was cut is one request, however long one waits; so is one that was answered."""
    with proxied(request) as (proxy, store):
        store.append(batch(0))
        before, lines = proxy.requests, len(proxy.lines)
        assert store.append(batch(1)) == Appended(2, 2)
        assert proxy.requests == before + 1
        proxy.cut_next("after")
        with pytest.raises(OutcomeUnknownError):
            store.append(batch(2))
        assert (proxy.requests, len(proxy.lines)) == (before + 2, lines)
        assert store.head("main") == 3
        assert store.append(batch(2)) == Conflict(3)


def test_the_control_doubles(request: pytest.FixtureRequest) -> None:
    """The driver's own client, retrying as it does by itself since version 6, stores items twice."""
    with proxied(request) as (proxy, store):
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        again = Retry(NoBackoff(), 3)
        with redis.Redis(port=proxy.port, retry=again, retry_on_error=[redis.ConnectionError]) as naive:
            key = f"{store._place.prefix}:naive"
            for number in range(10):
                naive.ping()
                proxy.cut_next("after")
                naive.rpush(key, number)
            assert naive.llen(key) == 20


def test_c25_only_what_was_asked_for_is_unknown(request: pytest.FixtureRequest) -> None:
    """A trip whose answers were cut is unknown for each batch in it; reads are unavailable, and change nothing."""
    with proxied(request) as (proxy, store):
        for name in "ab":
            store.append(batch(0, stream=name))
        proxy.cut_next("after")
        found = store.append_many([batch(1, stream="a"), batch(1, stream="b"), batch(7, stream="b")])
        assert [type(outcome) for outcome in found] == [OutcomeUnknownError, OutcomeUnknownError, StoreUnavailableError]
        assert [store.head(name) for name in "ab"] == [2, 2]
        for read in (store.head, store.verify, store.get_snapshot, lambda name: store.find(name, "k")):
            store.head("a")
            proxy.cut_next("after")
            with pytest.raises(StoreUnavailableError):
                read("a")


def test_a_server_that_cannot_be_reached_has_stored_nothing(tmp_path: Path) -> None:
    """Before anything was sent the store is unavailable, not unknown; when the server is back, it goes on by itself."""
    needed()
    from papertrade.adapters.redis import RedisStore

    with redis_server(tmp_path, *DURABLE) as server:
        store = RedisStore(server.url)
        store.append(batch(0))
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                store.append(batch(1))
        assert [type(one) for one in store.append_many([batch(1), batch(0, stream="b")])] == [StoreUnavailableError] * 2
        server.start()
        assert store.append(batch(1)) == Appended(2, 2)


def test_c26_a_timeout_is_never_success(request: pytest.FixtureRequest) -> None:
    """A server that is held up answers too late: unknown, and its late answer is not taken for another's."""
    with proxied(request, timeout_s=0.3) as (_, store):
        store.append(batch(0))
        process = shared_server(request).process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(OutcomeUnknownError):
                store.append(batch(1, commit="late"))
        finally:
            os.kill(process.pid, signal.SIGCONT)
        assert store.append(batch(1, commit="late")) in (Appended(2, 2), AlreadyAppended(2, 2))
        assert store.verify("main") == ("main", 2, chain(2))


def test_the_scripts_are_given_again_when_the_server_forgot_them(request: pytest.FixtureRequest) -> None:
    """After SCRIPT FLUSH nothing was done by the first request, so it is sent again with the script's text."""
    with proxied(request) as (proxy, store):
        import redis

        store.append(batch(0))
        with redis.Redis(port=shared_server(request).port) as other:
            other.script_flush()
            before = proxy.requests
            assert store.append(batch(1)) == Appended(2, 2)
            assert proxy.requests == before + 2
            other.script_flush()
            found = store.append_many([batch(2), batch(3), Append("b", 0, [event(1, "b")])])
            assert found == [Appended(3, 3), Appended(4, 4), Appended(1, 1)]
        assert store.verify("main").version == 4


def test_c34_one_store_in_many_threads(request: pytest.FixtureRequest) -> None:
    """Threads share the line; each gets its own answers while others wait on lines of their own."""
    with proxied(request) as (_, store):
        wrong: list[object] = []

        def work(name: str) -> None:
            for number in range(50):
                if store.append(batch(number, stream=name)) != Appended(number + 1, number + 1):
                    wrong.append(name)

        threads = [threading.Thread(target=work, args=(f"s{n}",)) for n in range(8)]
        waiter = threading.Thread(target=lambda: wrong.extend([] if store.wait("s0", 49, 60) == 50 else ["waiter"]))
        for thread in (waiter, *threads):
            thread.start()
        for thread in (*threads, waiter):
            thread.join()
        assert wrong == []


# ---------------------------------------------------------------------- G8 and G9


@pytest.mark.parametrize(("writers", "count"), [(2, 200), (8, 10)])
def test_c16_c17_processes_race(
    redis_shared: RedisServer, redis_store: RedisStore, child_env: dict[str, str], writers: int, count: int
) -> None:
    """Two and eight processes at the same versions: one winner each, and nobody goes without."""
    found = race(f"{redis_shared.url}#{redis_store._place.prefix}", writers, count, child_env)
    check_race(redis_store, found, count)


def test_g9_cut_before_or_after(request: pytest.FixtureRequest) -> None:
    """Requests cut before they arrive or after they were done, each repeated until it is answered: stored once each."""
    with proxied(request, counted=RECORD) as (proxy, store):
        said = cut_and_repeat(store, proxy, 60)
        assert min(said["Appended"], said["AlreadyAppended"]) > 5
        assert said["OutcomeUnknownError"] + said["StoreUnavailableError"] == 60


def test_g9_without_a_key_it_doubles(request: pytest.FixtureRequest) -> None:
    """The control: whoever guesses after a cut stores everything twice."""
    with proxied(request, counted=RECORD) as (proxy, store):
        assert cut_and_guess(store, proxy, 10) == [n for number in range(1, 11) for n in (number, number)]
