"""What durability costs over the bare driver, on the same disk, in the same run, in turns.

    python tests/benchmarks/durable.py [--folder DIR] [--store sqlite] [--durability "every command"]
    python tests/benchmarks/durable.py --store postgres
    python tests/benchmarks/durable.py --store redis

Each store stands beside a *bare* one: the same driver with the same durability, which inserts the same bytes into a
plain table (stream, version, record; primary key on the first two) and commits. ``1`` is one event in one commit,
through ``append`` with a commit id; ``10`` and ``100`` are as many streams in one trip, through ``append_many``, beside
as many rows in one commit. ``fill`` is ``buy`` at the market with a key through ``open_paper_broker``, each after a
quote of its own: two events, one commit. The rounds of a store and of its bare counterpart are interleaved, in turn
first; rates are medians of rounds, and so are ratios. Encoding the events is in the store's time and not in the other.

A PostgreSQL server is started for the run, in a temporary folder (``TMPDIR`` says on which disk). Its driver inserts as
many rows as one by ``executemany``, which it sends without waiting in between.

To measure another store, add a ``Kind`` to ``KINDS``.
"""

from __future__ import annotations

import argparse
import atexit
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import papertrade as pt
from papertrade.adapters.sqlite import JOURNALS, SQLiteStore
from papertrade.codec.events import encode_event
from papertrade.domain.events import CashDeposited
from papertrade.ports.store import Append, Appended, Store

SIZES = (1, 10, 100)
TOLD = ("sqlite_version", "journal_mode", "synchronous", "file_system", "server_version",
        "redis_version", "appendfsync")  # fmt: skip


class Bare(Protocol):
    """A driver by itself."""

    def insert(self, rows: Sequence[tuple[str, int, bytes]]) -> None:
        """Rows in one commit."""

    def close(self) -> None:
        """Let go."""


class Kind(NamedTuple):
    """A store, and its driver with the same settings. Both work in a folder, or wherever they know."""

    durabilities: Sequence[str]
    store: Callable[[Path, str], Store]
    bare: Callable[[Path, str], Bare]


class BareSQLite:
    """sqlite3 with a plain table."""

    def __init__(self, folder: Path, durability: str) -> None:
        self.connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        synchronous = JOURNALS["write-ahead"].durabilities[durability][0]
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(f"PRAGMA synchronous = {synchronous}")
        self.connection.execute(
            "CREATE TABLE journal (stream TEXT, version INTEGER, record BLOB, PRIMARY KEY (stream, version))"
        )

    def insert(self, rows: Sequence[tuple[str, int, bytes]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for row in rows:
            self.connection.execute("INSERT INTO journal VALUES (?, ?, ?)", row)
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


@cache
def postgres_server() -> Any:
    """One server for all that is measured on it."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
    from servers_postgres import PostgresServer

    server = PostgresServer(shared_buffers="128MB")
    atexit.register(server.remove)
    return server


def postgres(folder: Path, durability: str) -> Store:
    """The store in a new schema."""
    from papertrade.adapters.postgres import PostgresStore

    server = postgres_server()
    return PostgresStore(server.dsn, schema=server.schema(), durability=durability)


class BarePostgres:
    """psycopg with a plain table, each commit in the round trips that it makes by itself."""

    def __init__(self, folder: Path, durability: str) -> None:
        import psycopg

        server = postgres_server()
        schema = server.schema()
        self.connection = psycopg.connect(server.dsn, options=f"-c search_path={schema}")
        self.connection.execute(f"CREATE SCHEMA {schema}".encode())
        self.connection.execute(
            b"CREATE TABLE journal (stream text, version bigint, record bytea, PRIMARY KEY (stream, version))"
        )
        commit = "on" if durability == "every command" else "off"
        self.connection.execute(f"SET synchronous_commit = {commit}".encode())
        self.connection.commit()

    def insert(self, rows: Sequence[tuple[str, int, bytes]]) -> None:
        query = b"INSERT INTO journal VALUES (%b, %b, %b)"
        if len(rows) == 1:
            self.connection.execute(query, rows[0])
        else:
            self.connection.cursor().executemany(query, rows)
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()


class BareRedis:
    """The driver's own connection and ``XADD``: what is quickest without a look at what is there, and without retries.

    A server is started in the folder, with the settings that the durability asks for.
    """

    def __init__(self, folder: Path, durability: str) -> None:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        server = redis_in(folder, durability)
        self.client = Redis(port=server.port, retry=Retry(NoBackoff(), 0))

    def insert(self, rows: Sequence[tuple[str, int, bytes]]) -> None:
        if len(rows) == 1:
            ((stream, version, record),) = rows
            self.client.xadd(f"bare:{stream}", {"record": record}, id=f"{version}-0")
            return
        trip = self.client.pipeline(transaction=False)
        for stream, version, record in rows:
            trip.xadd(f"bare:{stream}", {"record": record}, id=f"{version}-0")
        trip.execute()

    def close(self) -> None:
        self.client.close()


@cache
def redis_in(folder: Path, durability: str) -> Any:
    """The server in a folder, started when somebody needs it."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
    from servers_redis import RedisServer

    fsync = {"every command": "always", "batched": "everysec", "memory": "no"}[durability]
    kept = "no" if durability == "memory" else "yes"
    server = RedisServer(folder / "redis", "--appendonly", kept, "--appendfsync", fsync)
    atexit.register(server.kill)
    return server


def redis_store(folder: Path, durability: str) -> Store:
    from papertrade.adapters.redis import RedisStore

    return RedisStore(redis_in(folder, durability).url, durability=durability)


KINDS = {
    "sqlite": Kind(
        ("every command", "batched", "memory"),
        lambda folder, durability: SQLiteStore(folder / "store.db", durability=durability),
        BareSQLite,
    ),
    "postgres": Kind(("every command", "batched"), postgres, BarePostgres),
    "redis": Kind(("every command", "batched", "memory"), redis_store, BareRedis),
}


# ------------------------------------------------------------------ the work


class Pair:
    """A store and its bare counterpart, filled by the same events."""

    def __init__(self, kind: Kind, durability: str, folder: Path) -> None:
        self.store, self.bare = kind.store(folder, durability), kind.bare(folder, durability)
        self.versions: dict[str, int] = {}
        self.broker = pt.open_paper_broker(cash=10**12, store=self.store, clock="data")
        self.at = 1_767_623_400_000_000_000
        self.orders = 0

    def events(self, prefix: str, size: int) -> list[CashDeposited]:
        """The next event of as many streams."""
        made = []
        for number in range(size):
            name = f"{prefix}-{size}-{number}"
            version = self.versions[name] = self.versions.get(name, 0) + 1
            made.append(CashDeposited(name, version, version * 10**9, 12_345, "USD", f"deposit-{version}", ""))
        return made

    def store_rate(self, size: int, trips: int) -> float:
        """Events a second through the store, each with a key."""
        batches = [
            [Append(e.account, e.version - 1, [e], f"deposit:{e.version}") for e in self.events("store", size)]
            for _ in range(trips)
        ]
        begun = time.perf_counter()
        if size == 1:
            found = [self.store.append(batch) for (batch,) in batches]
        else:
            found = [one for trip in batches for one in self.store.append_many(trip)]  # type: ignore[misc]
        taken = time.perf_counter() - begun
        assert all(type(one) is Appended for one in found)
        return size * trips / taken

    def bare_rate(self, size: int, trips: int) -> float:
        """Rows a second through the driver."""
        rows = [[(e.account, e.version, encode_event(e)) for e in self.events("bare", size)] for _ in range(trips)]
        begun = time.perf_counter()
        for trip in rows:
            self.bare.insert(trip)
        return size * trips / (time.perf_counter() - begun)

    def fill_rate(self, orders: int) -> float:
        """Filled market orders a second, end to end."""
        begun = time.perf_counter()
        for _ in range(orders):
            self.at += 10**9
            self.orders += 1
            self.broker.on_quote("ABC", "99.98", "100.00", at=self.at)
            assert self.broker.buy("ABC", 1, client_order_id=f"order-{self.orders}").filled_quantity == 1
        return orders / (time.perf_counter() - begun)

    def close(self) -> None:
        self.broker.exchange.close()
        self.bare.close()


def measure(pair: Pair, trips: int, rounds: int) -> dict[str, tuple[float, float, float]]:
    """Work → rate of the store, of the bare driver, and their ratio."""
    works: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {}
    for size in SIZES:
        count = max(trips // max(1, size // 4), 5)
        works[str(size)] = (lambda s=size, c=count: pair.store_rate(s, c), lambda s=size, c=count: pair.bare_rate(s, c))  # type: ignore[misc]
    works["fill"] = (lambda: pair.fill_rate(trips), lambda: pair.bare_rate(1, trips))
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, (ours, theirs) in works.items():
            if turn % 2:
                mine, bare = ours(), theirs()
            else:
                bare, mine = theirs(), ours()
            if turn:  # the first round warms up
                rates[name].append((mine, bare))
    median = statistics.median
    return {
        name: (median(m for m, _ in found), median(b for _, b in found), median(m / b for m, b in found))
        for name, found in rates.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; a temporary folder by default")
    parser.add_argument("--store", choices=KINDS, action="append")
    parser.add_argument("--durability", action="append")
    parser.add_argument("--trips", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    for name in asked.store or ["sqlite"]:
        kind = KINDS[name]
        for durability in asked.durability or kind.durabilities:
            with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
                pair = Pair(kind, durability, Path(folder))
                said = pair.store.describe()
                print(f"\n{name}, {durability} ({asked.rounds} rounds of {asked.trips} commits):")
                for key in TOLD:
                    if key in said:
                        print(f"  {key} {said[key]}")
                for work, (mine, bare, ratio) in measure(pair, asked.trips, asked.rounds).items():
                    unit = "fills/s" if work == "fill" else "events/s"
                    print(f"  {work:>5}: {mine:10,.0f} {unit:8} bare {bare:10,.0f} rows/s   ratio {ratio:.2f}")
                pair.close()


if __name__ == "__main__":
    main()
