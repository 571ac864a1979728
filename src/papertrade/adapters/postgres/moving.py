"""Flows for streams that leave, enter or end: records as they are stored, and tombstones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psycopg.types.numeric import Int8

from papertrade.adapters.chains import FIRST_HASH
from papertrade.adapters.moved import check_commits, check_links, events_of
from papertrade.adapters.postgres import tables
from papertrade.adapters.postgres.appending import Draft, plan_of
from papertrade.adapters.postgres.faults import said
from papertrade.adapters.postgres.known import Head
from papertrade.adapters.postgres.lines import Row
from papertrade.adapters.postgres.reading import Database, as_bytes, asked, commit_from, head_from
from papertrade.adapters.postgres.trips import Flow
from papertrade.adapters.postgres.writing import CollidedError, Plan, Wanted, at_once, heads_of, transact
from papertrade.errors import StoreCorruptError, StoreErasedError, StoreMismatchError, StoreUnavailableError
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, Outcome
from papertrade.ports.store_extras import Commit, Record


class Moved(NamedTuple):
    """Records that somebody wants to append as they are."""

    stream: str
    expected: int
    records: Sequence[Record]
    commits: Sequence[Commit]

    @property
    def last(self) -> int:
        """The version after them."""
        return self.expected + len(self.records)


def put_records(db: Database, moved: Moved) -> Flow[Outcome]:
    """Append records and their keys as they are."""
    if type(moved.expected) is int and moved.expected >= 0:
        events_of(moved.stream, moved.expected, moved.records)
        check_commits(moved.stream, moved.expected, moved.last, moved.commits)

    def decide(rows: list[Row]) -> Flow[tuple[Plan, Outcome]]:
        head = head_from(moved.stream, rows[0])
        outcome = yield from _judged(db, moved, head)
        if not isinstance(outcome, Appended):
            return Plan(()), outcome
        draft = Draft(moved.stream, head)
        links = [(bytes.fromhex(record.chain), record.data) for record in moved.records]
        draft.add(links, [(name, Appended(first, last)) for name, first, last in moved.commits])
        return plan_of(db, [draft] if draft.changed else []), outcome

    try:
        return (yield from transact(db, [Wanted(moved.stream)], decide))
    except CollidedError as collided:
        raise StoreUnavailableError(f"another writer was quicker: {said(collided.why, db.place)}") from collided.why


def _judged(db: Database, moved: Moved, head: Head) -> Flow[Outcome]:
    """Whether the records follow, are there already, or come too late."""
    stream, expected, records, commits = moved
    if type(expected) is not int or not 0 <= expected <= head.version:
        return Conflict(head.version)
    kept = yield from _kept(db, moved)
    if (yield from _are_there(db, moved, head, kept)):
        return AlreadyAppended(expected + 1, moved.last)
    if expected != head.version:
        return Conflict(head.version)
    check_links(stream, head.chain.hex(), records)
    for commit, found in zip(commits, kept, strict=True):
        if found is not None:
            raise StoreCorruptError(f"commit {commit.commit_id!r} of {stream!r} leads elsewhere already")
    return Appended(expected + 1, moved.last)


def _kept(db: Database, moved: Moved) -> Flow[list[Appended | None]]:
    """Where each of the keys leads now."""
    if not moved.commits:
        return []
    trip = yield from asked(db, heads_of(db, [Wanted(moved.stream, commit.commit_id) for commit in moved.commits]))
    return [
        None if row[8] is None else commit_from(moved.stream, row[1], commit.commit_id, row[8:])
        for commit, row in zip(moved.commits, trip.rows, strict=True)
    ]


def _are_there(db: Database, moved: Moved, head: Head, kept: Sequence[Appended | None]) -> Flow[bool]:
    """Whether these records are stored at their versions; keys that lead elsewhere then are another content."""
    stream, expected, records, commits = moved
    if moved.last > head.version or not (records or any(kept)):
        return False
    if records:
        query = (db.sql.records, (Int8(head.id), Int8(expected + 1), Int8(moved.last)))
        trip = yield from asked(db, query)
        if [(version, chain.hex(), data) for version, chain, data in trip.rows] != [tuple(one) for one in records]:
            return False
    for commit, found in zip(commits, kept, strict=True):
        if found != (commit.first, commit.last):
            raise StoreMismatchError(stream, commit.commit_id)
    return True


def erase(db: Database, stream: str, note: str) -> Flow[None]:
    """Delete everything of a stream and leave its tombstone; the first note stays."""
    noted = as_bytes(note, "note")

    def decide(rows: list[Row]) -> tuple[Plan, None]:
        try:
            head_from(stream, rows[0])
        except StoreErasedError:
            return Plan(()), None
        except StoreCorruptError:  # damage does not keep anybody from being forgotten
            pass
        erase = db.sql.erase, (as_bytes(stream, "stream"), FIRST_HASH, noted)
        return Plan([erase, *tables.forgotten(db, stream)], [stream]), None

    yield from transact(db, [Wanted(stream)], at_once(decide))
