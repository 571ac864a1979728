"""Where the conformance kit opens the stores from; its child processes import this by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.adapters.tiered import TieredStore
from papertrade.errors import OutcomeUnknownError, StoreError, StoreFullError, StoreUnavailableError
from papertrade.ports.store import Append, Appended, Outcome


def open_memory(location: str) -> MemoryStore:
    """A store that lives in its process, wherever it is said to be."""
    return MemoryStore()


def open_sqlite(location: str) -> SQLiteStore:
    """A file without a sync: nobody loses power here."""
    return SQLiteStore(location, durability="memory", wait_s=60)


def open_synced(location: str) -> SQLiteStore:
    """A file that is on the disk whenever somebody was answered."""
    return SQLiteStore(location)


def open_postgres(location: str) -> Any:
    """A schema of a server."""
    from papertrade.adapters.postgres import PostgresStore

    dsn, schema, options = json.loads(location)
    return PostgresStore(dsn, schema=schema, **{"durability": "memory", **options})


async def open_async_postgres(location: str) -> Any:
    """The same with awaits."""
    from papertrade.adapters.postgres import AsyncPostgresStore

    dsn, schema, options = json.loads(location)
    store = AsyncPostgresStore(dsn, schema=schema, **{"durability": "memory", **options})
    await store.open()
    return store


def open_redis(location: str) -> Any:
    """A prefix of a server."""
    from papertrade.adapters.redis import RedisStore

    url, prefix, options = json.loads(location)
    return RedisStore(url, prefix=prefix, **{"durability": "memory", **options})


async def open_async_redis(location: str) -> Any:
    """The same with awaits."""
    from papertrade.adapters.redis import AsyncRedisStore

    url, prefix, options = json.loads(location)
    store = AsyncRedisStore(url, prefix=prefix, **{"durability": "memory", **options})
    await store.open()
    return store


class RestlessStore(TieredStore):
    """A day that ends all the time, so that what is asked for is in the archive, in the day store, or in both."""

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        found = super().append_many(batches)
        for batch, outcome in zip(batches, found, strict=True):
            if isinstance(outcome, Appended) and (outcome.last < 3 or outcome.last % 7 in (0, 5)):
                with suppress(StoreUnavailableError, StoreFullError, OutcomeUnknownError):  # the next one settles
                    self.settle(batch.stream)
        return found


def open_restless(location: str) -> Any:
    """A Redis day store in front of an archive in a file, that is settled all the time."""
    url, prefix, options, path = json.loads(location)
    return RestlessStore(open_redis(json.dumps([url, prefix, options])), open_sqlite(path))
