"""Files that the SQLite store refuses, and damage that it finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_files import filled, sql
from store_cases import batch, event

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.adapters.sqlite.schema import APPLICATION_ID
from papertrade.errors import StoreCorruptError, StoreError, StoreMisconfiguredError
from papertrade.ports.store import Append, Appended


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paper.db"


# ---------------------------------------------------------- files that are refused


def refused(path: Path, error: type[StoreError], match: str) -> None:
    """Opening says why not, and leaves every byte as it was."""
    before = path.read_bytes()
    with pytest.raises(error, match=match):
        SQLiteStore(path)
    assert path.read_bytes() == before


def test_c32_a_newer_file_is_refused_untouched(path: Path) -> None:
    """Its schema number is named, and not a byte of it changes."""
    filled(path)
    sql(path, "PRAGMA user_version = 7")
    refused(path, StoreMisconfiguredError, "schema 7 and this papertrade knows 1 to 6")
    sql(path, "PRAGMA journal_mode = DELETE", "CREATE TABLE later (x)")
    refused(path, StoreMisconfiguredError, "schema 7 and this papertrade knows 1 to 6")


def test_files_of_other_programs_are_refused(path: Path) -> None:
    """Somebody's tables, somebody's application id, and what is no database at all."""
    sql(path, "CREATE TABLE notes (text)")
    refused(path, StoreMisconfiguredError, "another program")
    path.unlink()
    sql(path, "PRAGMA application_id = 77", "CREATE TABLE t (x)", "DROP TABLE t")
    refused(path, StoreMisconfiguredError, "another program")
    path.write_bytes(b"date,price\n2026-01-05,100\n" * 100)
    refused(path, StoreCorruptError, "not a database")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM commits; END",
        "CREATE VIEW v AS SELECT * FROM events",
        "CREATE INDEX i ON events (chain)",
        "ALTER TABLE streams ADD COLUMN note TEXT",
    ],
)
def test_what_runs_by_itself_is_refused(path: Path, statement: str) -> None:
    """Triggers, views, and changes of our tables: somebody else's code would run when we write or read."""
    filled(path)
    sql(path, statement)
    refused(path, StoreMisconfiguredError, "papertrade did not make")


def test_tables_of_somebody_else_may_stand_beside_ours(path: Path) -> None:
    """A notes table in the same file disturbs nobody."""
    filled(path)
    sql(path, "CREATE TABLE notes (text)", "CREATE INDEX by_text ON notes (text)")
    store = SQLiteStore(path)
    assert store.verify("main").version == 5
    store.close()


def test_a_file_without_one_of_its_tables_is_corrupt(path: Path) -> None:
    """A missing table of the journal is damage, not a reason to make a new one."""
    filled(path)
    sql(path, "DROP TABLE commits")
    refused(path, StoreCorruptError, "misses")


def test_files_made_by_other_schema_files_are_refused(path: Path) -> None:
    """The text of every schema file that was applied is remembered by its hash."""
    filled(path)
    sql(path, "UPDATE migrations SET hash = 'x'")
    refused(path, StoreCorruptError, "other schema files")


def test_the_header_says_whose_it_is(path: Path) -> None:
    """Application id and schema number are where tools look for them."""
    filled(path)
    header = path.read_bytes()[:100]
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID
    assert int.from_bytes(header[60:64], "big") == 6


# --------------------------------------------------------------------- damage


def test_a_record_that_is_whole_but_not_the_streams(path: Path) -> None:
    """An event of another account or version is corruption even where every hash is right."""
    store = SQLiteStore(path)
    store.append(Append("main", 0, [event(1), event(2, "other")]))
    assert store.append(batch(2)) == Appended(3, 3)
    for read in (lambda: list(store.load("main")), lambda: store.verify("main")):
        with pytest.raises(StoreCorruptError, match="version 2"):
            read()
    store.close()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "an event dropped": lambda p: sql(p, "DELETE FROM events WHERE stream = 1 AND version = 3"),
    "the last event dropped": lambda p: sql(p, "DELETE FROM events WHERE stream = 1 AND version = 5"),
    "all events dropped": lambda p: sql(p, "DELETE FROM events WHERE stream = 1"),
    "two events swapped": lambda p: sql(
        p, "UPDATE events SET version = version + 100 WHERE stream = 1 AND version IN (2, 3)",
        "UPDATE events SET version = 105 - version WHERE stream = 1 AND version > 100"),
    "an event added": lambda p: sql(p, "INSERT INTO events SELECT 1, 6, chain, record FROM events WHERE version = 5",
                                    "UPDATE streams SET version = 6 WHERE id = 1"),
    "an event of another account": lambda p: sql(
        p, "UPDATE events SET record = (SELECT record FROM events WHERE stream = 2 AND version = 2) "
        "WHERE stream = 1 AND version = 2"),
    "another amount": lambda p: sql(
        p, "UPDATE events SET record = CAST(replace(CAST(record AS TEXT), '0.000000001', '9') AS BLOB)"),
    "a hash changed": lambda p: sql(p, "UPDATE events SET chain = zeroblob(32) WHERE stream = 1 AND version = 2"),
    "the head set back": lambda p: sql(p, "UPDATE streams SET version = 4 WHERE id = 1"),
    "the head set forward": lambda p: sql(p, "UPDATE streams SET version = 9 WHERE id = 1"),
    "the head's hash changed": lambda p: sql(p, "UPDATE streams SET chain = zeroblob(32) WHERE id = 1"),
    "the streams swapped": lambda p: sql(
        p, "UPDATE streams SET name = 'x' WHERE id = 1", "UPDATE streams SET name = 'main' WHERE id = 2"),
    "a key that leads too far": lambda p: sql(p, "UPDATE commits SET last_version = 9 WHERE stream = 1"),
    "a key twice": lambda p: sql(
        p, "INSERT INTO commits SELECT 1, 'again', 1, 3, 3, seal FROM commits WHERE stream = 1",
        "UPDATE streams SET keyed = 2 WHERE id = 1"),
    "another key": lambda p: sql(p, "UPDATE commits SET commit_id = 'l' WHERE stream = 1"),
    "a key that leads to less": lambda p: sql(p, "UPDATE commits SET last_version = 2, size = 2 WHERE stream = 1"),
    "a key that leads elsewhere": lambda p: sql(
        p, "UPDATE commits SET first_version = 3, last_version = 5 WHERE stream = 1"),
    "a key whose seal changed": lambda p: sql(p, "UPDATE commits SET seal = zeroblob(32) WHERE stream = 1"),
    "a key without a seal": lambda p: sql(p, "UPDATE commits SET seal = x'' WHERE stream = 1"),
    "the snapshot changed": lambda p: sql(p, "UPDATE snapshots SET data = x'00'"),
    "the snapshot of another history": lambda p: sql(p, "UPDATE snapshots SET version = 3"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_c33_damage_is_found(path: Path, damage: str) -> None:
    """E5, G16: dropped, swapped, added, moved and changed records, heads, keys and snapshots."""
    filled(path)
    DAMAGE[damage](path)
    store = SQLiteStore(path)
    with pytest.raises(StoreCorruptError):
        store.verify("main")
    store.close()
