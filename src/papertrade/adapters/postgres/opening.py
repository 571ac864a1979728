"""Looking at a server before it is trusted: what it promises, and whether the tables are those of this version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import psycopg

from papertrade.adapters.migrations import Migration, numbered
from papertrade.adapters.postgres.exchanges import Statement
from papertrade.adapters.postgres.faults import typed
from papertrade.adapters.postgres.place import DURABILITIES, Place
from papertrade.adapters.postgres.reading import Database
from papertrade.adapters.postgres.statements import BEGIN, COMMIT, ROLLBACK
from papertrade.adapters.postgres.trips import Flow, Trip
from papertrade.adapters.postgres.writing import settings, undo
from papertrade.errors import StoreCorruptError, StoreError, StoreMisconfiguredError

PACKAGE: Final = "papertrade.adapters.postgres"
HISTORY: Final = ("0002_history.sql", "0004_closed_days.sql", "0005_products.sql")
OLDEST: Final = 13  # the oldest server that this was written for
PATIENCE: Final = 3600.0  # seconds for a statement that may go through all there is

_ASKED: Final = ("server_version", "fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names",
                 "default_transaction_read_only", "data_checksums", "server_encoding")  # fmt: skip
_LOOK: Final = (
    f"SELECT {', '.join(f'current_setting({name!r})' for name in _ASKED)},"
    " current_setting('server_version_num')::int / 10000, pg_is_in_recovery()"
).encode()
_SEARCH: Final = b"SELECT set_config('search_path', %s, true)"
_THERE: Final = b"SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = %s AND tablename = 'migrations')"

_HOW_MANY: Final = b"SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename = ANY (%s)"


def opened(db: Database) -> Flow[Mapping[str, str]]:
    """Look at a new connection's server, make the tables if they are not there, and tell what holds."""
    try:
        told = yield from looked_at(db)
        number = yield from _migrated(db)
    except psycopg.Error as why:
        raise typed(why, db.place) from why
    return {**told, "schema": db.place.schema, "schema_number": f"{number} of {len(numbered(PACKAGE))}"}


def looked_at(db: Database) -> Flow[dict[str, str]]:
    """What the server says of itself; one whose settings break the promise is refused."""
    trip = Trip(BEGIN, settings(db), (_LOOK, ()), ROLLBACK)
    try:
        yield trip
    except psycopg.Error as why:
        raise typed(why, db.place) from why
    *values, major, in_recovery = trip.answers[2].rows[0]
    read = dict(zip(_ASKED, values, strict=True))
    place = db.place
    if major < OLDEST:
        raise StoreMisconfiguredError(f"{place} runs PostgreSQL {read['server_version']}; {OLDEST} or newer is needed")
    if in_recovery:
        raise StoreMisconfiguredError(f"{place} is a standby and takes no writes; give the address of the primary")
    if read["default_transaction_read_only"] == "on":
        raise StoreMisconfiguredError(f"{place} is set read-only (default_transaction_read_only)")
    unsafe = [f"{name}=off" for name in ("fsync", "full_page_writes") if read[name] != "on"]
    if unsafe and not place.accept_unsafe_server:
        raise StoreMisconfiguredError(
            f"{place} runs with {' and '.join(unsafe)}: a crash may damage everything in it. Turn it on, or say "
            "accept_unsafe_server=True for journals that may be lost"
        )
    return _told(place, read, unsafe)


def _told(place: Place, read: dict[str, str], unsafe: list[str]) -> dict[str, str]:
    durability = f"{place.durability}: {DURABILITIES[place.durability][1]}"
    if unsafe:
        durability = f"none: the server runs with {' and '.join(unsafe)}, and a crash may damage everything"
    return {
        "kind": "postgres",
        "durability": durability,
        "server": str(place),
        "server_version": read["server_version"],
        "fsync": read["fsync"],
        "full_page_writes": read["full_page_writes"],
        "synchronous_commit": read["synchronous_commit"],
        "synchronous_standby_names": read["synchronous_standby_names"] or "none",
        "data_checksums": read["data_checksums"],
        "driver": f"psycopg {psycopg.__version__}",
    }


# ------------------------------------------------------------------- the tables


def _migrated(db: Database) -> Flow[int]:
    """The schema's number, after the steps that it lacks. Whoever is second, of any number, finds the work done."""
    steps = numbered(PACKAGE)
    there = Trip((_THERE, (db.place.schema,)))
    yield there
    if there.rows[0][0]:
        trip = Trip(_applied(db))
        yield trip
        if _known(db.place, trip.rows) == len(steps):
            return len(steps)
    key = int.from_bytes(sha256(f"papertrade tables {db.place.schema}".encode()).digest()[:8], "big", signed=True)
    yield Trip(BEGIN, (b"SELECT pg_advisory_xact_lock(%s)", (key,)), patience=db.place.wait_s)
    try:
        yield from _apply(db, steps)
        trip = Trip(_applied(db), COMMIT)
        yield trip
    except (StoreError, psycopg.Error):
        yield from undo()
        raise
    return _known(db.place, trip.answers[0].rows)


def _apply(db: Database, steps: tuple[Migration, ...]) -> Flow[None]:
    """Inside the transaction that holds the lock: the steps that are not there yet."""
    schema = db.place.schema
    there = Trip((_THERE, (schema,)), (b"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", (schema,)))
    yield there
    if not there.answers[1].rows[0][0]:
        yield Trip((f"CREATE SCHEMA {schema}".encode("ascii"), ()))
    done = 0
    if there.answers[0].rows[0][0]:
        trip = Trip(_applied(db))
        yield trip
        done = _known(db.place, trip.rows)
    yield Trip((_SEARCH, (schema,)))
    for step in steps[done:]:
        for statement in _statements(step.sql):
            yield Trip((statement, ()), patience=PATIENCE)
        yield Trip((b"INSERT INTO migrations VALUES (%s, %s, %s)", (step.number, step.name, step.hash)))


def _statements(sql: str) -> list[bytes]:
    """One by one, so that no commit hides in a file. Ours have no -- and no ; in a text."""
    return [part.encode("utf-8") for part in re.sub(r"--.*", "", sql).split(";") if part.strip()]


def history_again(db: Database) -> Flow[None]:
    """Make the tables of history that are missing. Then all begin empty: without one, the others say too little."""
    first, *later = (step.sql for step in numbered(PACKAGE) if step.name in HISTORY)
    names = re.findall(r"CREATE TABLE (\w+)", first)
    again = re.sub(r"CREATE (TABLE|INDEX) ", r"CREATE \1 IF NOT EXISTS ", first)
    there = Trip((_HOW_MANY, (db.place.schema, names)))
    try:
        yield there
        if there.rows[0][0] == len(names):
            return
        yield Trip(BEGIN, (_SEARCH, (db.place.schema,)))
        for statement in (made for sql in (again, *later) for made in _statements(sql)):
            yield Trip((statement, ()), patience=PATIENCE)
        yield Trip(*((f"DELETE FROM {name}".encode("ascii"), ()) for name in names), COMMIT, patience=PATIENCE)
    except psycopg.Error as why:
        yield from undo()
        raise typed(why, db.place) from why


def script(schema: str) -> str:
    """All steps as a script for a schema that is not there yet."""
    steps = numbered(PACKAGE)
    parts = [
        f"-- papertrade on PostgreSQL, schema 1 to {len(steps)}. Run it where there is no schema {schema} yet.",
        "BEGIN;",
        f"CREATE SCHEMA {schema};",
        f"SET LOCAL search_path TO {schema};",
    ]
    for step in steps:
        parts += [f"-- {step.name}", step.sql]
        parts.append(f"INSERT INTO migrations VALUES ({step.number:d}, '{step.name}', '{step.hash}');")
    return "\n".join((*parts, "COMMIT;", ""))


def _applied(db: Database) -> Statement:
    return f"SELECT number, name, hash FROM {db.place.schema}.migrations ORDER BY number".encode("ascii"), ()


def _known(place: Place, applied: list[tuple[int, str, str]]) -> int:
    """The number of tables that this version made or can bring forward; otherwise why they are refused."""
    steps = numbered(PACKAGE)
    if len(applied) > len(steps):
        raise StoreMisconfiguredError(
            f"{place}: schema {place.schema} has number {len(applied)} and this papertrade knows 1 to {len(steps)}; "
            "it was written by a newer version: open it with that one. Nothing was changed"
        )
    ours = [(step.number, step.name, step.hash) for step in steps[: len(applied)]]
    if [tuple(row) for row in applied] != ours:
        raise StoreCorruptError(f"{place}: schema {place.schema} was made by other files than those of this version")
    return len(applied)
