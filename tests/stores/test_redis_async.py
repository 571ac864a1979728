"""The Redis store with awaits: the same journals, and a canceled call that leaves nothing half there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from servers_redis import DURABLE, RedisServer, again, needed, redis_server
from store_cases import batch, chain

import papertrade as pt
from papertrade.errors import StoreClosedError, StoreUnavailableError
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, StoredSnapshot
from papertrade.ports.store_extras import Commit

if TYPE_CHECKING:
    from papertrade.adapters.redis import RedisStore

pytestmark = pytest.mark.external_service


def test_the_asynchronous_store_keeps_the_same_journals(redis_store: RedisStore, redis_shared: RedisServer) -> None:
    """What one writes the other reads; outcomes, errors and hashes are the same."""
    from papertrade.adapters.redis import AsyncRedisStore

    async def work() -> None:
        other = AsyncRedisStore(redis_shared.url, durability="memory", prefix=redis_store._place.prefix)
        assert await other.append(batch(0, 2, commit="k")) == Appended(1, 2)
        assert redis_store.append(batch(0, 2, commit="k")) == AlreadyAppended(1, 2)
        assert redis_store.append(batch(2)) == Appended(3, 3)
        assert await other.append(batch(2)) == Conflict(3)
        assert await other.append_many([batch(3), batch(0, stream="b")]) == [Appended(4, 4), Appended(1, 1)]
        assert list(await other.load("main", 2, 3)) == list(redis_store.load("main", 2, 3))
        assert list(await other.records("main")) == list(redis_store.records("main"))
        assert list(await other.commits("main")) == [Commit("k", 1, 2)]
        assert await other.verify("main") == redis_store.verify("main")
        assert (await other.find("main", "k"), await other.streams()) == ((1, 2), ["b", "main"])
        await other.put_snapshot("main", StoredSnapshot(2, chain(2), b"x"))
        assert await other.get_snapshot("main") == redis_store.get_snapshot("main")
        fence = await other.take("main")
        await other.release("main", fence)
        waiting = asyncio.create_task(other.wait("main", 4, 60))
        await asyncio.sleep(0)
        assert await other.append(batch(4)) == Appended(5, 5)
        assert await waiting == 5
        await other.trim("main", 3)
        assert await other.base("main") == (3, await other.chain_at("main", 3))
        assert dict(other.describe()) == dict(redis_store.describe())
        await other.erase("b", "note")
        await other.close()
        await other.close()
        with pytest.raises(StoreClosedError):
            await other.head("main")
        with pytest.raises(StoreUnavailableError):
            await AsyncRedisStore("redis://127.0.0.1:1/0").open()

    asyncio.run(work())


def test_c37_canceled_at_every_await(redis_store: RedisStore, redis_shared: RedisServer) -> None:
    """A canceled append is stored or not, whole; the next call gets its own answer."""
    from papertrade.adapters.redis import AsyncRedisStore

    async def work() -> int:
        other = AsyncRedisStore(redis_shared.url, durability="memory", prefix=redis_store._place.prefix)
        canceled = 0
        for steps in range(12):
            at = await other.head("main")
            task = asyncio.create_task(other.append(batch(at, 2, commit=f"c{steps}")))
            for _ in range(steps):
                await asyncio.sleep(0)
            canceled += task.cancel()
            with_error = (await asyncio.gather(task, return_exceptions=True))[0]
            assert isinstance(with_error, (asyncio.CancelledError, Appended))
            assert await other.append(batch(at, 2, commit=f"c{steps}")) in (
                Appended(at + 1, at + 2), AlreadyAppended(at + 1, at + 2),
            )  # fmt: skip
        await other.close()
        return canceled

    assert asyncio.run(work()) > 1
    assert redis_store.verify("main").version == 24


def test_an_asynchronous_exchange_on_it(redis_shared: RedisServer, redis_store: RedisStore) -> None:
    """An account by awaits, read back without."""
    from papertrade.adapters.redis import AsyncRedisStore

    async def work() -> str:
        kept = AsyncRedisStore(redis_shared.url, durability="memory", prefix=redis_store._place.prefix)
        exchange = pt.AsyncExchange(kept, clock="data")
        exchange.add_instrument("ABC")
        broker = await exchange.open_account("main", cash=1000)
        await exchange.on_quote("ABC", "9.99", "10.00", at=1_767_623_400_000_000_000)
        assert (await broker.buy("ABC", 3, client_order_id="k")).status == "filled"
        found = await broker.digest()
        await exchange.close()
        return found

    found = asyncio.run(work())
    exchange = pt.Exchange(again(redis_store, redis_shared.url), clock="data")
    exchange.add_instrument("ABC")
    assert exchange.open_account("main").digest() == found
    exchange.close()


def test_an_address_for_a_host_in_an_event_loop(tmp_path: Path) -> None:
    """By address an asynchronous host has the asynchronous store, which connects when it is needed."""
    needed()

    async def work(url: str) -> str:
        exchange = pt.AsyncExchange(url, clock="data")
        said = exchange.describe()
        assert said["settings"].startswith("not read yet")
        await exchange.open_account("main", cash=1000)
        assert exchange.describe()["appendfsync"] == "always"
        await exchange.close()
        return said["kind"]

    with redis_server(tmp_path, *DURABLE) as server:
        assert asyncio.run(work(server.url)) == "redis"
