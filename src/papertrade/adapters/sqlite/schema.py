"""The tables of the file: numbered SQL files, each applied once, and a look at whether the file is what they make.

A file of a newer papertrade is refused as it is. So is a file of another program, and one in which somebody put
triggers or views, because those run whenever we write or read.
"""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from typing import Final

from papertrade.adapters.chains import FIRST_HASH
from papertrade.adapters.migrations import Migration, numbered
from papertrade.adapters.seals import sealed
from papertrade.adapters.tables import BY_NAME, missing
from papertrade.errors import StoreCorruptError, StoreMisconfiguredError
from papertrade.ports.store_extras import Commit

APPLICATION_ID: Final = 0x70747264  # "ptrd", in the header of every file of ours
HISTORY: Final = frozenset((*BY_NAME, "tabled"))  # made from the journal, and made again from it
NEWEST: Final = 6  # the schema that the statements of this version are written for
_ALTERED: Final = re.compile(r"^ALTER TABLE (\w+) ", re.MULTILINE)
SEALED: Final = 4  # the step from which on commit ids have seals; those that are there get theirs by `_seal`


def migrations() -> tuple[Migration, ...]:
    """All steps, by number: 1, 2, … to the newest."""
    steps = numbered("papertrade.adapters.sqlite")
    if len(steps) != NEWEST:
        raise StoreMisconfiguredError(f"the schema files here are not 1 to {NEWEST}: {[step.name for step in steps]}")
    return steps


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring a file to the newest schema. Whoever is second, of any number of processes, finds the work done."""
    number = check_known(connection, path)
    if number == len(migrations()):
        return
    if number:
        check_index(connection, path)  # what is damaged is not rewritten
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in migrations()[check_known(connection, path) :]:
            for statement in _statements(step.sql):
                if not _is_about_missing(connection, statement):
                    connection.execute(statement)
            if step.number == SEALED:
                _seal(connection, path)
            connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (step.number, step.name, step.hash))
            connection.execute(f"PRAGMA user_version = {step.number:d}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _is_about_missing(connection: sqlite3.Connection, statement: str) -> bool:
    """Would it change a table of history that somebody dropped? That is made again, as it is now, when asked."""
    found = _ALTERED.search(statement)
    if found is None or found[1] not in HISTORY:
        return False
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (found[1],)).fetchone() is None


def _seal(connection: sqlite3.Connection, path: str) -> None:
    """Seal the commit ids that a file of an older schema has, once each of them leads to events that are there."""
    joined = """commits AS c LEFT JOIN streams AS s ON s.id = c.stream
        LEFT JOIN events AS e ON e.stream = c.stream AND e.version = c.last_version"""
    (wrong,) = connection.execute(f"""SELECT count(*) FROM {joined}
        WHERE s.id IS NULL OR c.first_version NOT BETWEEN 1 AND c.last_version + 1 OR c.last_version > s.version
        OR c.size <> c.last_version + 1 - c.first_version
        OR (c.last_version > 0 AND typeof(e.chain) <> 'blob')""").fetchone()
    if wrong:
        raise StoreCorruptError(f"{path} has {wrong} commit ids that lead nowhere")
    query = f"""SELECT c.rowid, s.name, c.commit_id, c.first_version, c.last_version, e.chain FROM {joined}
        WHERE c.rowid > ? ORDER BY c.rowid LIMIT 1000"""
    after = 0
    while rows := connection.execute(query, (after,)).fetchall():
        for after, name, commit_id, first, last, chain in rows:
            seal = sealed(name, Commit(commit_id, first, last), chain if last else FIRST_HASH)
            connection.execute("UPDATE commits SET seal = ? WHERE rowid = ?", (seal, after))


def script() -> str:
    """All steps as a script for a file that does not exist yet."""
    steps = migrations()
    parts = [f"-- papertrade on SQLite, schema 1 to {len(steps)}. Run it on a file that does not exist yet.", "BEGIN;"]
    for step in steps:
        parts += [f"-- {step.name}", step.sql]
        parts.append(f"INSERT INTO migrations VALUES ({step.number:d}, '{step.name}', '{step.hash}');")
    parts += [f"PRAGMA user_version = {len(steps):d};", f"PRAGMA application_id = {APPLICATION_ID:d};", "COMMIT;"]
    return "\n".join(parts) + "\n"


def check_known(connection: sqlite3.Connection, path: str) -> int:
    """The schema number of a file that is ours, or still empty; otherwise why it is refused."""
    number, owner, objects = _header(connection)
    if owner != APPLICATION_ID and (owner or number or objects):
        raise StoreMisconfiguredError(f"{path} is an SQLite file of another program; give papertrade a file of its own")
    if number > len(migrations()):
        raise StoreMisconfiguredError(
            f"{path} has schema {number} and this papertrade knows 1 to {len(migrations())}; "
            "it was written by a newer version: open it with that one. Nothing was changed"
        )
    return int(number)


def _header(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Schema number, whose it is, and how many tables: all of one moment, because somebody may be making them."""
    begun = not connection.in_transaction
    try:
        if begun:
            connection.execute("BEGIN")
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return number, owner, objects
    finally:
        if begun and connection.in_transaction:
            connection.execute("ROLLBACK")


def check_number(connection: sqlite3.Connection, path: str) -> None:
    """A newer papertrade may have changed the tables while this one had the file open: then it writes no more."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    if number != NEWEST:
        raise StoreMisconfiguredError(
            f"{path} has schema {number} now, it had {NEWEST} when it was opened; "
            "a newer version works on it: use that one"
        )


def check_schema(connection: sqlite3.Connection, path: str) -> None:
    """The tables are as the migrations make them, and nothing in the file runs by itself."""
    expected = _expected()
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    ours = {table for _, _, table, _ in expected}
    for kind, name, table, sql in found:
        if kind in ("trigger", "view") or (table in ours and (kind, name, table, sql) not in expected):
            raise StoreMisconfiguredError(f"{path} holds the {kind} {name!r}, which papertrade did not make: remove it")
    # Without a table of history the journals are whole: who asks that table is told by `check_history`.
    if gone := {name for _, name, table, _ in expected - set(found) if table not in HISTORY}:
        raise StoreCorruptError(f"{path} misses {', '.join(sorted(gone))}")
    applied = connection.execute("SELECT number, name, hash FROM migrations ORDER BY number").fetchall()
    if applied != [(step.number, step.name, step.hash) for step in migrations()]:
        raise StoreCorruptError(f"{path} was made by other schema files than those of this version: {applied!r:.200}")


def check_history(connection: sqlite3.Connection) -> None:
    """The tables of history are there with their indexes; else what makes them again."""
    if gone := _history_gone(connection):
        raise StoreMisconfiguredError(missing(*gone[0]))


def history_again(connection: sqlite3.Connection) -> None:
    """Make the tables and indexes of history that are missing. Then all begin empty, because one was not kept."""
    gone = {name for _, name in _history_gone(connection)}
    if not gone:
        return
    for _, name, _, sql in sorted(_expected(), key=lambda made: made[0], reverse=True):  # tables before their indexes
        if name in gone and sql is not None:  # else it comes with its table
            connection.execute(sql)
    for name in sorted(HISTORY):
        connection.execute(f"DELETE FROM {name}")


def _history_gone(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Kind and name of what is missing, tables first."""
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    expected = ((kind, name) for kind, name, table, _ in _expected() if table in HISTORY and name not in found)
    return sorted(expected, reverse=True)


def check_index(connection: sqlite3.Connection, path: str) -> None:
    """Names and keys are the same in their tables and in their indexes.

    Events are not looked at: their hashes are checked whenever they are read. But a name or a key that cannot be found
    would go unnoticed, and an account that cannot be found looks like a new one.
    """
    for table in ("streams", "commits"):
        said = [row[0] for row in connection.execute(f"PRAGMA integrity_check({table})")]
        if said != ["ok"]:
            raise StoreCorruptError(f"{path}: {'; '.join(map(str, said[:3]))}")


def check_counts(connection: sqlite3.Connection, path: str) -> None:
    """No row of streams, commits or tombstones is gone: another place says how many there are."""
    counts = connection.execute("""
        SELECT (SELECT sum(streams) FROM totals), (SELECT count(*) FROM streams),
               (SELECT coalesce(sum(keyed), 0) FROM streams), (SELECT count(*) FROM commits),
               (SELECT count(*) FROM streams WHERE version < 0), (SELECT count(*) FROM tombstones)""").fetchone()
    for what, said, found in zip(("streams", "commits", "tombstones"), counts[::2], counts[1::2], strict=True):
        if said != found:
            raise StoreCorruptError(f"{path} has {found} rows of {what}, and {said} were written")


@cache
def _expected() -> frozenset[tuple[str, str, str, str | None]]:
    """What sqlite_schema holds after all migrations."""
    connection = sqlite3.connect(":memory:")
    try:
        for step in migrations():
            connection.executescript(step.sql)
        return frozenset(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall())
    finally:
        connection.close()


@cache
def _statements(sql: str) -> tuple[str, ...]:
    """A file's statements one by one: executescript would commit the transaction that holds them together."""
    found, start = list[str](), 0
    for end, character in enumerate(sql, 1):
        if character == ";" and sqlite3.complete_statement(sql[start:end]):
            found.append(sql[start:end])
            start = end
    return tuple(found)
