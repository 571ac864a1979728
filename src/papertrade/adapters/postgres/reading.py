"""Flows that read. Each is one trip, or a trip and pages; a trip of one statement sees one moment of the database."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

import psycopg
from psycopg.types.numeric import Int8

from papertrade.adapters.chains import FIRST_HASH, checked
from papertrade.adapters.chains import Row as Stored
from papertrade.adapters.postgres.exchanges import Statement
from papertrade.adapters.postgres.faults import typed
from papertrade.adapters.postgres.known import Head, KnownHeads
from papertrade.adapters.postgres.lines import Row
from papertrade.adapters.postgres.place import Place
from papertrade.adapters.postgres.statements import Statements
from papertrade.adapters.postgres.trips import Flow, Trip
from papertrade.adapters.seals import check_ranges, check_seal
from papertrade.errors import InvalidValueError, StoreCorruptError, StoreErasedError
from papertrade.ports.store import Appended, StoredSnapshot
from papertrade.ports.store_extras import Commit, Record

PAGE: Final = 512  # records of one trip
Page: TypeAlias = "tuple[bytes, list[Stored]]"  # the hash that the records follow on, and the records


class Database(NamedTuple):
    """What every flow needs: where it is, the statements for its schema, and what is known of it."""

    place: Place
    sql: Statements
    known: KnownHeads


def as_bytes(text: str, what: str) -> bytes:
    """A name or key as it is stored; one that UTF-8 cannot spell is misuse."""
    if type(text) is not str:
        raise InvalidValueError(what, text, "text")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidValueError(what, text, "text that UTF-8 can spell") from None


def asked(db: Database, *statements: Statement) -> Flow[Trip]:
    """A trip that only reads."""
    trip = Trip(*statements)
    try:
        yield trip
    except psycopg.Error as why:
        raise typed(why, db.place) from why
    return trip


def listening(db: Database) -> Flow[None]:
    """From now on this connection hears of appends."""
    yield from asked(db, (db.place.listen, ()))


def head_from(stream: str, row: Row | None) -> Head:
    """The head of a stream, which its last event has to confirm; an erased one has none."""
    if row is None or row[0] is None:
        return Head(0, 0, FIRST_HASH, 0, 0, False)
    number, version, chain, keyed, fence, owned, erased, confirmed = row[:8]
    if erased is not None:
        raise StoreErasedError(stream, erased.decode("utf-8", "replace"))
    if chain != (confirmed if version else FIRST_HASH):
        raise StoreCorruptError(f"the head of {stream!r} says version {version}, which its events do not confirm")
    return Head(number, version, chain, keyed, fence, owned)


def head_of(db: Database, stream: str) -> Flow[Head]:
    """The head of a stream."""
    trip = yield from asked(db, (db.sql.head, (as_bytes(stream, "stream"),)))
    return head_from(stream, trip.rows[0] if trip.rows else None)


def version_of(db: Database, stream: str) -> Flow[int]:
    """The version of the last event."""
    return (yield from head_of(db, stream)).version


def last_of(head: Head, stop: int | None) -> int:
    """Where reading ends: at a version, or at the head as it was."""
    return head.version if stop is None else min(stop, head.version)


def page(db: Database, stream: str, head: Head, first: int, last: int, chain: bytes | None = None) -> Flow[Page]:
    """Some records of a stream from a version on. They follow on the page before, and the last is the head."""
    last = min(last, first + PAGE - 1)
    trip = yield from asked(db, (db.sql.records, (Int8(head.id), Int8(first - 1), Int8(last))))
    rows: list[Stored] = [(version, chain, record) for version, chain, record in trip.rows]
    before = FIRST_HASH
    if first > 1 and rows and rows[0][0] == first - 1:
        before = rows.pop(0)[1]
    elif first > 1:
        yield from _missing(db, stream, first - 1)
    if not rows and first <= last:
        yield from _missing(db, stream, first)
    if chain not in (None, before) or (rows[-1][0] == head.version and rows[-1][1] != head.chain):
        raise StoreCorruptError(f"the head of {stream!r} is not the hash of its events")
    return before, rows


def all_pages(db: Database, stream: str, start: int, stop: int | None) -> Flow[tuple[Head, list[Page]]]:
    """A stream's head and pages, for whoever cannot wait between them."""
    head = yield from head_of(db, stream)
    first, chain, last = max(start, 1), None, last_of(head, stop)
    pages: list[Page] = []
    while first <= last:
        before, rows = yield from page(db, stream, head, first, last, chain)
        pages.append((before, rows))
        first, chain = first + len(rows), rows[-1][1]
    return head, pages


def _missing(db: Database, stream: str, version: int) -> Flow[None]:
    """What was there a moment ago is not: the stream was erased meanwhile, or somebody deleted rows."""
    yield from head_of(db, stream)
    raise StoreCorruptError(f"version {version} of {stream!r} is missing")


def chain_of(db: Database, stream: str, head: Head, version: int) -> Flow[bytes]:
    """The hash up to a version of a stream."""
    if type(version) is not int or not 0 <= version <= head.version:
        raise StoreCorruptError(f"{stream!r} has no version {version!r:.40}")
    if version == head.version:
        return head.chain
    return (yield from page(db, stream, head, version + 1, version + 1))[0]  # a page knows the hash before it


def chain_at(db: Database, stream: str, version: int) -> Flow[str]:
    """The same, as it is told."""
    head = yield from head_of(db, stream)
    return (yield from chain_of(db, stream, head, version)).hex()


def commit_from(stream: str, version: int, commit_id: str, row: Row) -> Appended:
    """Where a commit id of a stream at a version went: first, last, seal, and the hash that is stored at the last."""
    first, last, seal, chain = row
    found = Commit(commit_id, first, last)
    check_ranges(stream, [found], version)
    check_seal(stream, found, seal, chain if last else FIRST_HASH)
    return Appended(first, last)


def find(db: Database, stream: str, commit_id: str) -> Flow[Appended | None]:
    """Where a commit id was stored."""
    wanted = ([as_bytes(stream, "stream")], [as_bytes(commit_id, "commit_id")])
    trip = yield from asked(db, (db.sql.heads, wanted))
    (row,) = trip.rows
    head = head_from(stream, row)
    return None if row[8] is None else commit_from(stream, head.version, commit_id, row[8:])


def commits(db: Database, stream: str, start: int, stop: int | None) -> Flow[list[Commit]]:
    """The commit ids whose last version is in a range, in order."""
    head = yield from head_of(db, stream)
    if start > head.version or (stop is not None and stop < 0):
        return []
    last = 2**62 if stop is None else min(stop, 2**62)  # beyond the head there is none, or it is damage
    return (yield from _commits(db, stream, head, max(start, 0), last))[1]


def _commits(db: Database, stream: str, head: Head, start: int, last: int) -> Flow[tuple[int, list[Commit]]]:
    """How many commit ids a stream has as it says itself, and those of a range: all of one moment."""
    trip = yield from asked(db, (db.sql.commits, (Int8(start), Int8(last), Int8(head.id))))
    keyed, found = 0, list[Commit]()
    for version, said, name, *row in trip.rows:
        keyed = said
        if name is not None:
            commit_id = name.decode("utf-8", "replace")
            found.append(Commit(commit_id, *commit_from(stream, version, commit_id, tuple(row))))
    return keyed, found


def check_commits(db: Database, stream: str) -> Flow[None]:
    """Every key leads to events that are there, no two to the same ones, and none is gone or came from elsewhere."""
    head = yield from head_of(db, stream)
    keyed, found = yield from _commits(db, stream, head, -(2**62), 2**62)
    check_ranges(stream, found, 2**62)
    if len(found) != keyed:
        raise StoreCorruptError(f"{stream!r} has {len(found)} commit ids, and {keyed} were written")


def streams(db: Database, after: str, limit: int) -> Flow[list[str]]:
    """Names of streams in order."""
    wanted = (as_bytes(after, "after"), Int8(min(max(limit, 0), 2**62)))
    trip = yield from asked(db, (db.sql.streams, wanted))
    try:
        return [name.decode("utf-8") for (name,) in trip.rows]
    except UnicodeDecodeError as why:
        raise StoreCorruptError(f"{db.place}: a stream's name is not text: {why.object[:200]!r}") from None


def get_snapshot(db: Database, stream: str) -> Flow[StoredSnapshot | None]:
    """The latest snapshot, if it is whole and still of this stream."""
    head = yield from head_of(db, stream)
    if not head.id:
        return None
    trip = yield from asked(db, (db.sql.get_snapshot, (Int8(head.id),)))
    if not trip.rows:
        return None
    version, chain, data, hashed, confirmed = trip.rows[0]
    if version < 0 or chain != (confirmed if version else FIRST_HASH):
        raise StoreCorruptError(f"the snapshot of {stream!r} belongs to another history")
    if sha256(data).digest() != hashed:
        raise StoreCorruptError(f"the snapshot of {stream!r} is not what was written")
    return StoredSnapshot(version, chain.hex(), data)


def rows_of(stream: str, page: Page) -> Iterator[Stored]:
    """The records of a page, each held to its hash."""
    before, rows = page
    return checked(stream, rows, rows[0][0], before)


def record_of(row: Stored) -> Record:
    """A row for somebody else."""
    return Record(row[0], row[1].hex(), row[2])


def seconds(timeout_s: float) -> float:
    """How long somebody wants to wait."""
    if type(timeout_s) not in (int, float) or not timeout_s >= 0:
        raise InvalidValueError("timeout_s", timeout_s, "seconds, 0 or more")
    return timeout_s
