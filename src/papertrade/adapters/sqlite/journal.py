"""Reading and writing streams on a connection that holds the right transaction. No locks, no outcomes of commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from papertrade.codec.chain import GENESIS
from papertrade.codec.events import decode_event
from papertrade.domain.events import Event
from papertrade.errors import StoreCorruptError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Outcome, StoredSnapshot

FIRST_HASH: Final = bytes.fromhex(GENESIS)
Row: TypeAlias = "tuple[int, bytes, bytes]"  # version, hash, record
PAGE: Final = 512  # records read under the lock at a time

_HEAD: Final = """
    SELECT s.id, s.version, s.chain, e.chain FROM streams AS s
    LEFT JOIN events AS e ON e.stream = s.id AND e.version = s.version WHERE s.name = ?"""
_RECORDS: Final = """
    SELECT version, chain, record FROM events
    WHERE stream = ? AND version BETWEEN ? AND ? ORDER BY version"""
_COMMIT: Final = "SELECT first_version, last_version FROM commits WHERE stream = ? AND commit_id = ?"


class Head(NamedTuple):
    """Where a stream ends."""

    id: int  # 0 for a stream that is not there
    version: int
    chain: bytes


class Encoded(NamedTuple):
    """A batch with its records as bytes, made before anything is locked."""

    batch: Append
    records: list[bytes]


def _typed(row: tuple[Any, ...], *types: type, what: str) -> tuple[Any, ...]:
    """A row of the types that its columns hold: SQLite sees to that when it writes, not when a page is damaged."""
    if tuple(map(type, row)) != types:
        raise StoreCorruptError(f"a row of {what} does not hold what it should")
    return row


def hash_after(previous: bytes, record: bytes) -> bytes:
    """The chain's next hash, as ``codec.chain.link`` makes it, in bytes."""
    return sha256(previous.hex().encode("ascii") + record).digest()


def head_of(connection: sqlite3.Connection, stream: str) -> Head:
    """The head of a stream, which its last event has to confirm."""
    row = connection.execute(_HEAD, (stream,)).fetchone()
    if row is None:
        return Head(0, 0, FIRST_HASH)
    number, version, chain = _typed(row[:3], int, int, bytes, what="streams")
    confirmed = row[3]
    if chain != (confirmed if version else FIRST_HASH):
        raise StoreCorruptError(f"the head of {stream!r} says version {version}, which its events do not confirm")
    return Head(number, version, chain)


def append(connection: sqlite3.Connection, encoded: Encoded) -> Outcome:
    """Write one batch inside a transaction. The key is looked up before the version is compared."""
    (name, expected, events, commit_id, _, _), records = encoded
    head = head_of(connection, name)
    if commit_id is not None and head.id:
        found = commit_of(connection, name, head, commit_id)
        if found is not None:
            return _repeated(connection, encoded, head, found)
    if type(expected) is not int or expected != head.version:
        return Conflict(head.version)
    for version, event in enumerate(events, expected + 1):
        if event.version != version:
            raise StoreMismatchError(name, commit_id or f"version {version}")
    last, chain = expected + len(records), head.chain
    number = head.id
    if not number:
        number = connection.execute(
            "INSERT INTO streams (name, version, chain) VALUES (?, ?, ?)", (name, 0, FIRST_HASH)
        ).lastrowid or 0
    for version, record in enumerate(records, expected + 1):
        chain = hash_after(chain, record)
        connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (number, version, chain, record))
    connection.execute("UPDATE streams SET version = ?, chain = ? WHERE id = ?", (last, chain, number))
    if commit_id is not None:
        connection.execute("INSERT INTO commits VALUES (?, ?, ?, ?)", (number, commit_id, expected + 1, last))
    return Appended(expected + 1, last)


def _repeated(connection: sqlite3.Connection, encoded: Encoded, head: Head, found: Appended) -> Outcome:
    (name, _, _, commit_id, _, _), records = encoded
    rows = _records(connection, head, found.first, found.last)
    if [record for _, _, record in rows] != records:
        raise StoreMismatchError(name, str(commit_id))
    return AlreadyAppended(found.first, found.last)


def commit_of(connection: sqlite3.Connection, stream: str, head: Head, commit_id: str) -> Appended | None:
    """Where a commit id went."""
    row = connection.execute(_COMMIT, (head.id, commit_id)).fetchone()
    if row is None:
        return None
    first, last = _typed(row, int, int, what="commits")
    if not 1 <= first <= last + 1 <= head.version + 1:
        raise StoreCorruptError(f"commit {commit_id!r} of {stream!r} leads to {first}..{last} of {head.version}")
    return Appended(first, last)


def chain_at(connection: sqlite3.Connection, head: Head, stream: str, version: int) -> bytes:
    """The hash after a version that the stream has."""
    if not version:
        return FIRST_HASH
    row = connection.execute(
        "SELECT chain FROM events WHERE stream = ? AND version = ?", (head.id, version)
    ).fetchone()
    if row is None:
        raise StoreCorruptError(f"version {version} of {stream!r} is missing")
    chain: bytes = _typed(row, bytes, what="events")[0]
    return chain


def read_page(
    connection: sqlite3.Connection, head: Head, first: int, last: int
) -> list[Row]:
    """Some records of a stream: version, hash, bytes."""
    return _records(connection, head, first, min(last, first + PAGE - 1))


def _records(connection: sqlite3.Connection, head: Head, first: int, last: int) -> list[Row]:
    rows: list[Row] = connection.execute(_RECORDS, (head.id, first, last)).fetchall()
    for row in rows:
        _typed(row, int, bytes, bytes, what="events")
    return rows


def checked(stream: str, rows: Sequence[Row], first: int, chain: bytes) -> Iterator[Event]:
    """The events of rows that follow on a hash, each checked against its own before it is read."""
    for version, (found, hashed, record) in enumerate(rows, first):
        chain = hash_after(chain, record)
        if found != version or hashed != chain:
            raise StoreCorruptError(f"version {version} of {stream!r} is not what was written")
        event = decode_event(record)
        if event.version != version or event.account != stream:
            raise StoreCorruptError(f"version {version} of {stream!r} holds {event!r:.200}")
        yield event


def check_commits(connection: sqlite3.Connection, stream: str, head: Head) -> None:
    """Every key leads to events that are there, and no two keys to the same ones."""
    before = 0
    query = "SELECT commit_id, first_version, last_version FROM commits WHERE stream = ? ORDER BY last_version, rowid"
    for row in connection.execute(query, (head.id,)):
        commit_id, first, last = _typed(row, str, int, int, what="commits")
        if not before < first <= last + 1 <= head.version + 1:
            raise StoreCorruptError(f"commit {commit_id!r} of {stream!r} leads to {first}..{last} of {head.version}")
        before = last


# ------------------------------------------------------------------- snapshots


def put_snapshot(connection: sqlite3.Connection, stream: str, snapshot: StoredSnapshot) -> None:
    """Keep a snapshot that belongs to the stream as it is."""
    head = head_of(connection, stream)
    if not head.id or not 0 <= snapshot.version <= head.version:
        raise StoreCorruptError(f"a snapshot of {stream!r} is ahead of its stream")
    chain = chain_at(connection, head, stream, snapshot.version)
    if snapshot.chain != chain.hex():
        raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")
    connection.execute(
        "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)",
        (head.id, snapshot.version, chain, snapshot.data, sha256(snapshot.data).digest()),
    )


def get_snapshot(connection: sqlite3.Connection, stream: str) -> StoredSnapshot | None:
    """The latest snapshot, if it is whole and still of this stream."""
    head = head_of(connection, stream)
    row = connection.execute(
        "SELECT version, chain, data, hash FROM snapshots WHERE stream = ?", (head.id,)
    ).fetchone()
    if row is None:
        return None
    version, chain, data, hashed = _typed(row, int, bytes, bytes, bytes, what="snapshots")
    if not 0 <= version <= head.version or chain_at(connection, head, stream, version) != chain:
        raise StoreCorruptError(f"the snapshot of {stream!r} belongs to another history")
    if sha256(data).digest() != hashed:
        raise StoreCorruptError(f"the snapshot of {stream!r} is not what was written")
    return StoredSnapshot(version, chain.hex(), data)
