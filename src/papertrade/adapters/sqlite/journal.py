"""Reading and writing streams on a connection that holds the right transaction. No locks, no outcomes of commits."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from papertrade.adapters.chains import FIRST_HASH, Row, hash_after
from papertrade.adapters.seals import check_ranges, check_seal, sealed
from papertrade.adapters.sqlite.schema import NEWEST, check_number
from papertrade.errors import StoreCorruptError, StoreErasedError, StoreFencedError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Outcome, StoredSnapshot
from papertrade.ports.store_extras import Commit

EventRow: TypeAlias = "tuple[int, int, bytes, bytes]"  # stream, version, hash, record
CommitRow: TypeAlias = "tuple[int, str, int, int, int, bytes]"  # stream, commit id, first, last, how many, seal
PAGE: Final = 512  # records read under the lock at a time

_HEAD: Final = """
    SELECT s.id, s.version, s.chain, s.keyed, s.fence, s.owner, s.fence_sum, e.chain FROM streams AS s
    LEFT JOIN events AS e ON e.stream = s.id AND e.version = s.version WHERE s.name = ?"""
# What an append has to know, in one question: the head, where its commit id went, and the schema as it is now.
_BEFORE: Final = """
    SELECT s.id, s.version, s.chain, s.keyed, s.fence, s.owner, s.fence_sum, e.chain,
           c.first_version, c.last_version, c.size, c.seal, k.chain, (SELECT max(number) FROM migrations)
    FROM streams AS s
    LEFT JOIN events AS e ON e.stream = s.id AND e.version = s.version
    LEFT JOIN commits AS c ON c.stream = s.id AND c.commit_id = ?
    LEFT JOIN events AS k ON k.stream = s.id AND k.version = c.last_version WHERE s.name = ?"""
_RECORDS: Final = """
    SELECT version, chain, record FROM events
    WHERE stream = ? AND version BETWEEN ? AND ? ORDER BY version"""
# A commit id with the hash at its last version, by which its seal is checked.
_COMMIT: Final = """
    SELECT c.first_version, c.last_version, c.size, c.seal, k.chain FROM commits AS c
    LEFT JOIN events AS k ON k.stream = c.stream AND k.version = c.last_version
    WHERE c.stream = ? AND c.commit_id = ?"""
_COMMITS: Final = """
    SELECT c.commit_id, c.first_version, c.last_version, c.size, c.seal, k.chain FROM commits AS c
    LEFT JOIN events AS k ON k.stream = c.stream AND k.version = c.last_version
    WHERE c.stream = ? ORDER BY c.last_version, c.rowid"""


class Head(NamedTuple):
    """Where a stream ends."""

    id: int  # 0 for a stream that is not there
    version: int
    chain: bytes
    keyed: int  # how many commit ids it has
    fence: int  # the last one given
    owner: int  # the fence that may write, or 0

    @property
    def exists(self) -> bool:
        """Whether anything was appended; a stream can also be only owned."""
        return self.version > 0 or self.keyed > 0


NOWHERE: Final = Head(0, 0, FIRST_HASH, 0, 0, 0)
_HEAD_TYPES: Final = (int, int, bytes, int, int, int, int)


class Encoded(NamedTuple):
    """A batch with its records as bytes, made before anything is locked."""

    batch: Append
    records: list[bytes]


def _typed(row: tuple[Any, ...], *types: type, what: str) -> tuple[Any, ...]:
    """A row of the types that its columns hold: SQLite sees to that when it writes, not when a page is damaged."""
    if tuple(map(type, row)) != types:
        raise StoreCorruptError(f"a row of {what} does not hold what it should")
    return row


def head_of(connection: sqlite3.Connection, stream: str) -> Head:
    """The head of a stream, which its last event has to confirm; an erased one has none."""
    row = connection.execute(_HEAD, (stream,)).fetchone()
    return NOWHERE if row is None else _head(connection, stream, row)


def _head(connection: sqlite3.Connection, stream: str, row: tuple[Any, ...]) -> Head:
    number, version, chain, keyed, fence, owner, total, confirmed = row[:8]
    _typed(row[:7], *_HEAD_TYPES, what="streams")
    if version < 0:
        raise StoreErasedError(stream, tombstone_of(connection, stream, number))
    if chain != (confirmed if version else FIRST_HASH):
        raise StoreCorruptError(f"the head of {stream!r} says version {version}, which its events do not confirm")
    if total != fence + owner or owner not in (0, fence):
        raise StoreCorruptError(f"the fence of {stream!r} is {fence}, and its owner's {owner}")
    return Head(number, version, chain, keyed, fence, owner)


def tombstone_of(connection: sqlite3.Connection, stream: str, number: int) -> str:
    """What was noted when a stream was erased."""
    row = connection.execute("SELECT note, hash FROM tombstones WHERE stream = ?", (number,)).fetchone()
    if row is None:
        raise StoreCorruptError(f"{stream!r} is said to be erased, and has no tombstone")
    note, hashed = _typed(row, str, bytes, what="tombstones")
    if hashed != tombstone_hash(stream, note):
        raise StoreCorruptError(f"the tombstone of {stream!r} is not what was written")
    return str(note)


def tombstone_hash(stream: str, note: str) -> bytes:
    """Over the name, so that a tombstone cannot come to stand on another stream."""
    return sha256(f"{len(stream)} {stream} {note}".encode()).digest()


def begun(connection: sqlite3.Connection, stream: str) -> int:
    """A row for a stream that has none; the total says that it is there."""
    number = connection.execute(
        "INSERT INTO streams (name, version, chain) VALUES (?, ?, ?)", (stream, 0, FIRST_HASH)
    ).lastrowid or 0
    connection.execute("UPDATE totals SET streams = streams + 1")
    return number


def append(connection: sqlite3.Connection, encoded: Encoded, path: str) -> Outcome:
    """Write one batch inside a transaction. The key is looked up before the fence, and that before the version."""
    (name, expected, events, commit_id, fence, _), records = encoded
    row = connection.execute(_BEFORE, (commit_id, name)).fetchone()
    if row is None:
        head = NOWHERE
        check_number(connection, path)
    else:
        head = _head(connection, name, row)
        if row[13] != NEWEST:
            check_number(connection, path)
        if row[8] is not None:
            return _repeated(connection, encoded, head, _commit(name, head, str(commit_id), row[8:13]))
    if fence is not None or head.owner:
        check_fence(name, fence, head)
    if type(expected) is not int or expected != head.version:
        return Conflict(head.version)
    for version, event in enumerate(events, expected + 1):
        if event.version != version:
            raise StoreMismatchError(name, commit_id or f"version {version}")
    number, last, chain = head.id or begun(connection, name), expected + len(records), head.chain
    rows = []
    for version, record in enumerate(records, expected + 1):
        chain = hash_after(chain, record)
        rows.append((number, version, chain, record))
    commits: list[CommitRow] = []
    if commit_id is not None:
        done = Commit(commit_id, expected + 1, last)
        commits.append((number, *done, len(records), sealed(name, done, chain)))
    write(connection, rows, commits)
    advance(connection, number, last, chain, head.keyed + (commit_id is not None))
    return Appended(expected + 1, last)


def write(connection: sqlite3.Connection, rows: list[EventRow], commits: list[CommitRow]) -> None:
    """Rows of events, and of their keys."""
    for row in rows:
        connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
    for commit in commits:
        connection.execute("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?)", commit)


def advance(connection: sqlite3.Connection, number: int, version: int, chain: bytes, keyed: int) -> None:
    """Set the head to what was written."""
    connection.execute(
        "UPDATE streams SET version = ?, chain = ?, keyed = ? WHERE id = ?", (version, chain, keyed, number)
    )


def check_fence(stream: str, fence: int | None, head: Head) -> None:
    """Whether an append with this fence, or none, may write."""
    if not head.owner or type(fence) is not int or fence != head.owner:
        raise StoreFencedError(stream, fence, head.owner or None)


def _repeated(connection: sqlite3.Connection, encoded: Encoded, head: Head, found: Appended) -> Outcome:
    (name, _, _, commit_id, _, _), records = encoded
    rows = read(connection, head, found.first, found.last)
    if [record for _, _, record in rows] != records:
        raise StoreMismatchError(name, str(commit_id))
    return AlreadyAppended(found.first, found.last)


def commit_of(connection: sqlite3.Connection, stream: str, head: Head, commit_id: str) -> Appended | None:
    """Where a commit id went."""
    row = connection.execute(_COMMIT, (head.id, commit_id)).fetchone()
    return None if row is None else _commit(stream, head, commit_id, row)


def _commit(stream: str, head: Head, commit_id: str, row: tuple[Any, ...]) -> Appended:
    first, last, size, seal, chain = row
    _typed((first, last, size, seal), int, int, int, bytes, what="commits")
    found = Commit(commit_id, first, last)
    check_ranges(stream, [found], head.version)
    if size != last + 1 - first:
        raise StoreCorruptError(f"commit {commit_id!r} of {stream!r} leads to {first}..{last}, and to {size} versions")
    check_seal(stream, found, seal, chain if last else FIRST_HASH)
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
    return read(connection, head, first, min(last, first + PAGE - 1))


def read(connection: sqlite3.Connection, head: Head, first: int, last: int) -> list[Row]:
    """Records of a stream with their hashes."""
    rows: list[Row] = connection.execute(_RECORDS, (head.id, first, last)).fetchall()
    for row in rows:
        _typed(row, int, bytes, bytes, what="events")
    return rows


def commits_of(connection: sqlite3.Connection, stream: str, head: Head) -> list[Commit]:
    """All keys of a stream in the order of their versions: each leads to events that are there, no two to the same."""
    found = []
    for commit_id, *row in connection.execute(_COMMITS, (head.id,)):
        _typed((commit_id,), str, what="commits")
        found.append(Commit(commit_id, *_commit(stream, head, commit_id, tuple(row))))
    check_ranges(stream, found, head.version)
    if len(found) != head.keyed:
        raise StoreCorruptError(f"{stream!r} has {len(found)} commit ids, and {head.keyed} were written")
    return found


# ------------------------------------------------------------------- snapshots


def put_snapshot(connection: sqlite3.Connection, stream: str, snapshot: StoredSnapshot) -> None:
    """Keep a snapshot that belongs to the stream as it is, unless a newer one is there that can be of this stream."""
    head = head_of(connection, stream)
    if not head.exists or not 0 <= snapshot.version <= head.version:
        raise StoreCorruptError(f"a snapshot of {stream!r} is ahead of its stream")
    chain = chain_at(connection, head, stream, snapshot.version)
    if snapshot.chain != chain.hex():
        raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")
    newer = "SELECT 1 FROM snapshots WHERE stream = ? AND version > ? AND version <= ?"
    if connection.execute(newer, (head.id, snapshot.version, head.version)).fetchone() is not None:
        return
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
