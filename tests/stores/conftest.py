"""Each store that is shipped, for the tests of what all of them promise, and the servers that they need.

A server is started once for a run, by the tests themselves, when somebody needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opening_stores import RestlessStore
from servers_postgres import NoServerError, PostgresServer
from servers_redis import RedisServer, fresh_redis, shared_server

from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.ports.store import Store

if TYPE_CHECKING:
    from papertrade.adapters.redis import RedisStore

KINDS = (
    "memory",
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.external_service),
    pytest.param("redis", marks=pytest.mark.external_service),
    pytest.param("tiered", marks=pytest.mark.external_service),
)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store that is shipped. What is on the disk after a power loss is not what these tests are about."""
    made: Store
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "postgres":
        made = _postgres(request.getfixturevalue("postgres_server"))
    elif request.param == "redis":
        made = fresh_redis(request)
    elif request.param == "tiered":
        made = RestlessStore(fresh_redis(request), MemoryStore())
    else:
        made = SQLiteStore(tmp_path / "journal.db", durability="memory")
    yield made
    made.close()


def _postgres(server: PostgresServer) -> Store:
    from papertrade.adapters.postgres import PostgresStore

    return PostgresStore(server.dsn, schema=server.schema(), durability="memory")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, or a skip that says why there is none. Tests that use it are marked external_service."""
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install -e '.[postgres]'", exc_type=ImportError)
    try:
        server = PostgresServer()
    except NoServerError as why:
        pytest.skip(str(why))
    yield server
    server.remove()


@pytest.fixture
def redis_shared(request: pytest.FixtureRequest) -> RedisServer:
    """The Redis server that tests have in common."""
    return shared_server(request)


@pytest.fixture
def redis_store(request: pytest.FixtureRequest) -> Iterator[RedisStore]:
    """A store on it under a prefix of its own."""
    made = fresh_redis(request)
    yield made
    made.close()


@pytest.fixture
def redis_client(redis_shared: RedisServer) -> Iterator[Any]:
    """The driver's own client: somebody else at the server. What it sets is set back."""
    import redis

    with redis.Redis(port=redis_shared.port) as client:
        yield client
        for name, value in (("appendonly", "no"), ("maxmemory", "0"), ("maxmemory-policy", "noeviction")):
            client.config_set(name, value)
