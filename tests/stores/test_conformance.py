"""Every store that is shipped keeps the contract of ``ports/store.py``: the conformance kit, run on each of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from faulty_connection import FAULTS, FaultyConnection, Plan, sqlite_error
from lent import Behind, PostgresBehind, PostgresFaults, RedisBehind, RedisFaults, damage_keys, damage_rows, run_sql
from servers_postgres import PostgresServer
from servers_redis import DURABLE, shared_server

from papertrade.errors import StoreClosedError, StoreError
from papertrade.testing import Level, StoreContract
from papertrade.testing.store_kit import Faults, Server

PLACES = count(1)


class TestMemoryStore(StoreContract):
    """Complete in everything but durability."""

    level = Level.CONCURRENT
    target = "opening_stores:open_memory"
    shared = False


class TestSQLiteStore(StoreContract):
    """A file. Only the cases that lose the power wait for the disk, and the control is who never does."""

    level = Level.ATTESTED
    target = "opening_stores:open_sqlite"
    control = "opening_stores:open_sqlite"
    losses = 8
    plan: Plan | None = None
    power: Any = None

    def setup_method(self, method: Callable[..., object] | None = None) -> None:
        self.patch, self.plan = pytest.MonkeyPatch(), None
        super().setup_method(method)
        if method is not None and self.level_of(method.__name__) is Level.ATTESTED and find_spec("apsw"):
            from losing import Power

            self.target, self.power = "opening_stores:open_synced", Power()

    def teardown_method(self, method: Callable[..., object] | None = None) -> None:
        super().teardown_method(method)
        self.patch.undo()
        if self.power is not None:
            self.power.off.close()

    def new_location(self) -> str:
        if self.power is not None:
            self.power.begin({})
        return super().new_location()

    def lose_power(self, location: str) -> bool:
        if self.power is not None:
            self.power.lose(Path(location).parent)
        return self.power is not None

    def faults(self, store: Any) -> Faults | None:
        if self.plan is None:
            self.plan = Plan(self.patch)  # from here on every connection is one that can fail
            store._connection = FaultyConnection(store._connection, self.plan)
        return StatementFaults(self.plan)

    def misconfigured(self) -> Iterable[str]:
        foreign = self.new_location()
        connection = sqlite3.connect(foreign)
        connection.execute("CREATE TABLE theirs (x)")
        connection.close()
        return [foreign, str(Path(foreign).parent), str(Path(foreign).parent / "missing" / "paper.db")]

    def make_newer(self, location: str) -> bool:
        connection = sqlite3.connect(location)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        return True

    def damage(self, location: str, draw: Random) -> bool:
        stored = bytearray(Path(location).read_bytes())
        stored[draw.randrange(len(stored))] ^= 1 << draw.randrange(8)
        Path(location).write_bytes(stored)
        return True


class OnServer(StoreContract):
    """A place of its own on a server that the tests start; whoever ends the server asks it to sync what it answers."""

    level = Level.DURABLE
    races, openings, kills, damages = 50, 40, 8, 12
    behind: Behind | None = None
    lent: Faults | None = None

    def setup_method(self, method: Callable[..., object] | None = None) -> None:
        self.patch, self.lent, self.options = pytest.MonkeyPatch(), None, dict[str, object]()
        super().setup_method(method)

    def teardown_method(self, method: Callable[..., object] | None = None) -> None:
        super().teardown_method(method)
        self.patch.undo()
        if self.behind is not None:
            self.behind.close()


@pytest.mark.external_service
class TestPostgresStore(OnServer):
    """A schema of its own for each place."""

    target = "doors_postgres:open_postgres"

    @pytest.fixture(autouse=True)
    def _on(self, postgres_server: PostgresServer) -> None:
        self.real = postgres_server

    def new_location(self) -> str:
        return json.dumps([self.real.dsn, PostgresServer.schema(), self.options])

    def server(self) -> Server | None:
        self.options = {"durability": "every command"}
        self.behind = PostgresBehind(self.real)
        return self.behind

    def faults(self, store: Any) -> Faults | None:
        self.lent = self.lent or PostgresFaults(self.patch)
        return self.lent

    def misconfigured(self) -> Iterable[str]:
        reading = f"{self.real.dsn}?options=-c%20default_transaction_read_only%3Don"
        return [json.dumps([reading, PostgresServer.schema(), {}])]

    def make_newer(self, location: str) -> bool:
        dsn, schema, _ = json.loads(location)
        run_sql(dsn, schema, "INSERT INTO migrations SELECT max(number) + 1, 'from the future', '' FROM migrations")
        return True

    def damage(self, location: str, draw: Random) -> bool:
        dsn, schema, _ = json.loads(location)
        damage_rows(dsn, schema, draw)
        return True


@pytest.mark.external_service
class TestAsyncPostgresStore(TestPostgresStore):
    """The same with awaits."""

    target = "doors_postgres:open_async_postgres"


@pytest.mark.external_service
class TestRedisStore(OnServer):
    """A prefix of its own for each place. It has no schema that could be a newer one's."""

    target = "doors_redis:open_redis"

    @pytest.fixture(autouse=True)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.request = request
        self.real = shared_server(request)

    def new_location(self) -> str:
        return json.dumps([self.real.url, f"kit-{next(PLACES)}", self.options])

    def server(self) -> Server | None:
        self.options = {"durability": "every command"}
        self.real = shared_server(self.request, DURABLE)
        self.behind = RedisBehind(self.real)
        return self.behind

    def faults(self, store: Any) -> Faults | None:
        self.lent = self.lent or RedisFaults(self.patch)
        return self.lent

    def misconfigured(self) -> Iterable[str]:
        self.options = {"durability": "every command"}
        return [self.new_location()]  # on a server that keeps nothing on its disk

    def damage(self, location: str, draw: Random) -> bool:
        url, prefix, _ = json.loads(location)
        damage_keys(url, prefix, draw)
        return True


@pytest.mark.external_service
class TestAsyncRedisStore(TestRedisStore):
    """The same with awaits."""

    target = "doors_redis:open_async_redis"


@pytest.mark.external_service
class TestTieredStore(TestRedisStore):
    """A day store on the server and an archive in a file. What ends, is cut and fails is the day store."""

    target = "doors_redis:open_restless"

    def new_location(self) -> str:
        return json.dumps([*json.loads(super().new_location()), StoreContract.new_location(self)])

    def damage(self, location: str, draw: Random) -> bool:
        return False  # each of the two is damaged by itself


class StatementFaults:
    """The statements of a store's connection, as the kit wants them to fail."""

    kinds = ("unavailable", "unknown", "full", "read only")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def fail(self, kind: str, first: int, last: int) -> None:
        faults = {
            "unavailable": FAULTS["input/output error"],
            "unknown": FAULTS["input/output error, done"],
            "full": FAULTS["full, undone"],
            "read only": self.read_only,
        }
        self.plan.arm(faults[kind], first, last)

    def read_only(self, work: Callable[[], Any], undo: Callable[[], Any]) -> Any:
        if self.plan.statements[-1].split()[0] in ("INSERT", "UPDATE", "DELETE", "REPLACE"):
            raise sqlite_error(sqlite3.SQLITE_READONLY)
        return work()

    def calls(self) -> int:
        return len(self.plan.statements)

    def heal(self) -> None:
        self.plan.heal()


def test_store_errors_are_one_family() -> None:
    """A host can catch everything a store says by one name."""
    assert issubclass(StoreClosedError, StoreError)
