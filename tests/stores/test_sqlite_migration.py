"""Files of an older schema: brought to the newest one once, whoever opens them, and their accounts go on.

``files/schema-1.db`` was written by the code before schema 2, and is never made again: such files are out there.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from faulty_connection import FAULTS, Plan
from sqlite_files import filled, sql
from store_cases import HOSTILE_NAMES, batch, chain
from test_sqlite_processes import race

import papertrade as pt
from papertrade.adapters.sqlite import SQLiteStore, opening
from papertrade.adapters.sqlite.schema import migrations
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.errors import StoreCorruptError, StoreError, StoreMisconfiguredError, StoreUnavailableError
from papertrade.ports.store import AlreadyAppended, Appended, StoredSnapshot

OLD = Path(__file__).with_name("files") / "schema-1.db"
CHAIN = "f55b0b1dd498ce031c97123c4ca074415c5373d733660be6c9025f25e4a8f26c"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "paper.db"
    shutil.copyfile(OLD, made)
    return made


def test_a_file_of_schema_1_goes_on(path: Path) -> None:
    """Its journals, keys, snapshot and account are what they were, and everything new works on them."""
    store = SQLiteStore(path)
    assert store.describe()["schema"] == "6 of 6"
    assert store.streams() == ["main", "plain"]
    assert store.verify("main") == ("main", 7, CHAIN)
    assert store.verify("plain") == ("plain", 3, chain(3, "plain"))
    assert store.append(batch(0, 3, stream="plain", commit="k")) == AlreadyAppended(1, 3)
    fence = store.take("plain")
    assert store.append(batch(3, stream="plain", commit="l")._replace(fence=fence)) == Appended(4, 4)
    assert [commit.commit_id for commit in store.commits("plain")] == ["k", "l"]
    store.erase("plain")
    with pt.Exchange(store, clock="data") as exchange:
        exchange.add_instrument("AAPL")
        broker = exchange.open_account("main")
        assert broker.digest() == digest(fold(AccountState(), store.load("main")))  # its snapshot is an old one too
        exchange.on_quote("AAPL", bid="187.10", ask="187.14", at="2026-01-05T15:01:00Z")
        assert broker.buy("AAPL", 10, client_order_id="entry-1").id == "main-1"
        assert broker.position("AAPL").quantity == 10
        broker.buy("AAPL", 1)
        assert broker.position("AAPL").quantity == 11


def test_what_was_migrated_is_what_a_new_file_has(path: Path, tmp_path: Path) -> None:
    """The same tables and counts, by whichever way the file came to them."""
    SQLiteStore(path).close()
    fresh = tmp_path / "fresh.db"
    filled(fresh)
    schemas = []
    for one in (path, fresh):
        connection = sqlite3.connect(one)
        schemas.append(connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall())
        (size,) = connection.execute("SELECT count(*) FROM commits WHERE size <> last_version - first_version + 1")
        assert size == (0,)
        connection.close()
    assert schemas[0] == schemas[1]


def unsealed(path: Path) -> None:
    """Make it a file of schema 3, as there are some: without seals, closed days and products."""
    (later,) = [step.sql for step in migrations() if step.name == "0005_closed_days.sql"]
    added = [line.split()[5] for line in later.splitlines() if line.startswith("ALTER")]
    sql(path, *[f"ALTER TABLE {name} DROP COLUMN product" for name in ("orders", "fills")])
    sql(path, "ALTER TABLE commits DROP COLUMN seal", *[f"ALTER TABLE wallets DROP COLUMN {name}" for name in added],
        "DELETE FROM migrations WHERE number > 3", "PRAGMA user_version = 3")  # fmt: skip


def test_keys_of_a_file_of_schema_3_are_sealed(tmp_path: Path) -> None:
    """Each gets the seal that it would have been written with: also of an empty batch, and under hostile names."""
    path = tmp_path / "paper.db"
    filled(path)
    store = SQLiteStore(path, durability="memory")
    for number in range(1200):  # more than are sealed at a time
        store.append(batch(5, 0, commit=f"nothing {number}"))
    for name in HOSTILE_NAMES:
        store.append(batch(0, 0, stream=name, commit="nothing"))
        store.append(batch(0, 2, stream=name, commit=name))
    store.close()
    connection = sqlite3.connect(path)
    before = connection.execute("SELECT * FROM commits ORDER BY stream, commit_id").fetchall()
    assert len({seal for *_, seal in before}) == len(before) == 2 * len(HOSTILE_NAMES) + 1202
    unsealed(path)
    SQLiteStore(path).close()
    assert connection.execute("SELECT * FROM commits ORDER BY stream, commit_id").fetchall() == before
    connection.close()


def test_keys_that_lead_nowhere_are_not_sealed(tmp_path: Path) -> None:
    """What is damaged stays a file of schema 3, so that no damage gets a seal."""
    for number, change in enumerate(("first_version = 5", "last_version = 9, size = 9", "size = 2", "stream = 7",
                                     "first_version = 0, size = 4")):  # fmt: skip
        path = tmp_path / f"{number}.db"
        filled(path)
        unsealed(path)
        sql(path, f"UPDATE commits SET {change} WHERE stream = 1")
        with pytest.raises(StoreCorruptError, match="1 commit ids that lead nowhere"):
            SQLiteStore(path)
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        connection.close()


def test_the_first_schema_file_stays_as_it_is(path: Path) -> None:
    """Files out there name it by its hash."""
    connection = sqlite3.connect(path)
    (kept,) = connection.execute("SELECT number, name, hash FROM migrations")
    connection.close()
    first = migrations()[0]
    assert kept == (first.number, first.name, first.hash)


def test_c31_eight_processes_migrate_once(path: Path, child_env: dict[str, str]) -> None:
    """Opened by eight at once while it is old: each schema file is applied once, and all of them work."""
    sql(path, "UPDATE streams SET name = 'old' WHERE name = 'main'")
    assert [won for won, _ in race(path, 8, 2, child_env)] == [2] * 8
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT number FROM migrations").fetchall() == [(1,), (2,), (3,), (4,), (5,), (6,)]
    connection.close()
    store = SQLiteStore(path)
    assert store.head("main") == 16
    assert store.verify("plain").version == 3
    store.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_migrating_fails_in_every_way(fault: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The k-th statement fails from then on: a typed error, the file is old or new, and the next attempt migrates."""
    plan = Plan(monkeypatch)
    for k in range(1, 200):
        shutil.copyfile(OLD, path)
        plan.arm(FAULTS[fault], k, 10**9)
        errors: list[BaseException] = []
        try:
            SQLiteStore(path, wait_s=0, durability="memory").close()
        except (StoreError, KeyboardInterrupt) as why:
            errors.append(why)
        seen = plan.statements
        plan.heal()
        if len(seen) < k:
            assert not errors
            return
        assert errors, seen[k - 1]
        store = SQLiteStore(path, wait_s=0, durability="memory")
        assert store.verify("main") == ("main", 7, CHAIN)
        store.close()
    pytest.fail("migrating never ends")


def test_a_damaged_file_is_not_migrated(path: Path) -> None:
    """A key whose index says something else is reported, and not a byte changes."""
    whole = path.read_bytes()
    at = whole.index(b"order:entry-1")
    path.write_bytes(whole[:at] + b"x" + whole[at + 1 :])
    damaged = path.read_bytes()
    with pytest.raises(StoreCorruptError):
        SQLiteStore(path)
    assert path.read_bytes() == damaged


def test_a_newer_version_that_comes_along_stops_the_older(tmp_path: Path) -> None:
    """Migrated by a newer papertrade while this one has it open: it reads on, and writes no more."""
    path = tmp_path / "paper.db"
    filled(path)
    store = SQLiteStore(path)
    sql(path, "INSERT INTO migrations VALUES (7, '0007_later.sql', 'x')", "PRAGMA user_version = 7")
    for write in (
        lambda: store.append(batch(5)),
        lambda: store.append(batch(0, stream="new")),
        lambda: store.put_snapshot("main", StoredSnapshot(5, chain(5), b"later")),
        lambda: store.take("main"),
        lambda: store.erase("main"),
    ):
        with pytest.raises(StoreMisconfiguredError, match="schema 7 now"):
            write()
    assert store.head("main") == 5
    store.close()


class _Meanwhile:
    """A connection on which something happens elsewhere before one of its statements."""

    def __init__(self, real: sqlite3.Connection, happens: Callable[[], None]) -> None:
        self.real, self.happens = real, happens

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        self.happens()
        return self.real.execute(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.mark.parametrize("old", [False, True], ids=["new file", "schema 1"])
def test_c31_somebody_else_is_quicker_between_any_two_statements(
    old: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process makes or migrates the tables before our k-th statement of opening: we find the work done."""
    real = opening._connection
    for k in range(1, 200):
        path, left = tmp_path / f"{k}.db", [k]
        if old:
            shutil.copyfile(OLD, path)

        def happens(left: list[int] = left, path: Path = path) -> None:
            left[0] -= 1
            if left[0] == 0:
                with monkeypatch.context() as patch, suppress(StoreUnavailableError):  # we hold the file just then
                    patch.setattr(opening, "_connection", real)
                    SQLiteStore(path, wait_s=0, durability="memory").close()

        monkeypatch.setattr(opening, "_connection", lambda place, mode, h=happens: _Meanwhile(real(place, mode), h))
        store = SQLiteStore(path, wait_s=0.1, durability="memory")
        monkeypatch.setattr(opening, "_connection", real)
        assert store.head("plain") == 3 * old
        store.close()
        if left[0] > 0:
            return
    pytest.fail("opening never ends")
