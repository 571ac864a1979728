"""Owning, moving and erasing streams, on a connection that holds the right to write."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from papertrade.adapters.chains import FIRST_HASH
from papertrade.adapters.moved import check_commits, check_links, events_of
from papertrade.adapters.seals import seals_of
from papertrade.adapters.sqlite import journal, tables
from papertrade.adapters.sqlite.journal import Head, head_of
from papertrade.errors import StoreCorruptError, StoreErasedError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, Outcome
from papertrade.ports.store_extras import Commit, Record


class Moved(NamedTuple):
    """Records that somebody wants to append as they are."""

    stream: str
    expected: int
    records: Sequence[Record]
    commits: Sequence[Commit]


def take(connection: sqlite3.Connection, stream: str) -> int:
    """The next fence of a stream, which owns it from now on."""
    head = head_of(connection, stream)
    number, fence = head.id or journal.begun(connection, stream), head.fence + 1
    _set_fence(connection, number, fence, fence)
    return fence


def release(connection: sqlite3.Connection, stream: str, fence: int) -> None:
    """Nobody owns the stream, if this fence did."""
    head = head_of(connection, stream)
    if head.owner and type(fence) is int and head.owner == fence:
        _set_fence(connection, head.id, head.fence, 0)


def _set_fence(connection: sqlite3.Connection, number: int, fence: int, owner: int) -> None:
    connection.execute(
        "UPDATE streams SET fence = ?, owner = ?, fence_sum = ? WHERE id = ?", (fence, owner, fence + owner, number)
    )


def put_records(connection: sqlite3.Connection, moved: Moved) -> Outcome:
    """Append records and their keys as they are. What they hold was checked before; how they follow is checked here."""
    stream, expected, records, commits = moved
    head = head_of(connection, stream)
    if type(expected) is not int or expected < 0 or expected > head.version:
        return Conflict(head.version)
    last = expected + len(records)
    if _is_there(connection, moved, head):
        return AlreadyAppended(expected + 1, last)
    if expected != head.version:
        return Conflict(head.version)
    check_links(stream, head.chain.hex(), records)
    for commit in commits:
        if head.keyed and journal.commit_of(connection, stream, head, commit.commit_id) is not None:
            raise StoreCorruptError(f"commit {commit.commit_id!r} of {stream!r} leads elsewhere already")
    seals = seals_of(stream, head.chain, expected, records, commits)
    number = head.id or journal.begun(connection, stream)
    journal.write(
        connection,
        [(number, record.version, bytes.fromhex(record.chain), record.data) for record in records],
        [(number, *one, one.last + 1 - one.first, seal) for one, seal in zip(commits, seals, strict=True)],
    )
    chain = bytes.fromhex(records[-1].chain) if records else head.chain
    journal.advance(connection, number, last, chain, head.keyed + len(commits))
    return Appended(expected + 1, last)


def check_moved(moved: Moved) -> None:
    """What can be said of records before anything is locked."""
    stream, expected, records, commits = moved
    if type(expected) is int and expected >= 0:
        events_of(stream, expected, records)
        check_commits(stream, expected, expected + len(records), commits)


def _is_there(connection: sqlite3.Connection, moved: Moved, head: Head) -> bool:
    """Whether these records are stored at their versions; keys that lead elsewhere then are another content."""
    stream, expected, records, commits = moved
    last = expected + len(records)
    if last > head.version or not (records or commits):
        return False
    stored = journal.read(connection, head, expected + 1, last)
    if [(version, chain.hex(), data) for version, chain, data in stored] != [tuple(record) for record in records]:
        return False
    found = [journal.commit_of(connection, stream, head, commit.commit_id) for commit in commits]
    if not records and not any(found):
        return False  # nothing but keys of empty batches, and none of them is known
    for commit, kept in zip(commits, found, strict=True):
        if kept != (commit.first, commit.last):
            raise StoreMismatchError(stream, commit.commit_id)
    return True


def erase(connection: sqlite3.Connection, stream: str, note: str) -> None:
    """Delete what a stream has and leave its tombstone; the first note stays."""
    try:
        head = head_of(connection, stream)
    except StoreErasedError:
        return
    number = head.id or journal.begun(connection, stream)
    tables.forget(connection, stream)
    for table in ("events", "commits", "snapshots"):
        connection.execute(f"DELETE FROM {table} WHERE stream = ?", (number,))
    connection.execute(
        "UPDATE streams SET version = -1, chain = ?, keyed = 0, fence = 0, owner = 0, fence_sum = 0 WHERE id = ?",
        (FIRST_HASH, number),
    )
    connection.execute(
        "INSERT INTO tombstones VALUES (?, ?, ?)", (number, note, journal.tombstone_hash(stream, note))
    )
