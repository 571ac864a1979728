"""Flows that write: two trips each.

The first begins a transaction, locks the streams by name, and looks at their heads and keys. Then everything is decided
here. The second writes and commits, and announces what is stored after the commit. So there is one moment from which on
an outcome can be unknown: until the second trip is sent, nothing can have been stored. ``quick.py`` has the one case
that needs no look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple, TypeVar

import psycopg
from psycopg.types.numeric import Int8

from papertrade.adapters.chains import FIRST_HASH
from papertrade.adapters.postgres.exchanges import Statement
from papertrade.adapters.postgres.faults import another_writer, typed, typed_in_doubt
from papertrade.adapters.postgres.known import Head
from papertrade.adapters.postgres.lines import Row
from papertrade.adapters.postgres.reading import Database, as_bytes, chain_of, head_from
from papertrade.adapters.postgres.statements import BEGIN, COMMIT, NOTIFY, ROLLBACK, SETTINGS
from papertrade.adapters.postgres.trips import Flow, WritersTrip
from papertrade.errors import StoreCorruptError, StoreError, StoreUnavailableError
from papertrade.ports.store import StoredSnapshot

T = TypeVar("T")


class Wanted(NamedTuple):
    """A stream that is written to, and a key that is looked up in it."""

    stream: str
    commit_id: str | None = None


class Plan(NamedTuple):
    """What to write, and which streams move."""

    statements: Sequence[Statement]
    moved: Sequence[str] = ()


class CollidedError(Exception):
    """Somebody who does not take our locks was quicker. The transaction is undone."""

    def __init__(self, why: psycopg.Error) -> None:
        super().__init__()
        self.why = why


def transact(
    db: Database, wanted: Sequence[Wanted], decide: Callable[[list[Row]], Flow[tuple[Plan, T]]]
) -> Flow[T]:
    """One transaction: lock and look, decide, write and commit."""
    for one in wanted:
        db.known.pop(one.stream)
    trip = WritersTrip(BEGIN, settings(db, wanted), heads_of(db, wanted), patience=db.place.wait_s)
    try:
        yield trip
        plan, found = yield from decide(trip.rows)
        if not plan.statements:
            yield WritersTrip(ROLLBACK)
            return found
    except psycopg.Error as why:  # nothing was written, so nothing can have been stored
        raise typed(why, db.place) from why
    except StoreError:
        yield from undo()
        raise
    yield from commit(db, plan)
    return found


def at_once(decide: Callable[[list[Row]], tuple[Plan, T]]) -> Callable[[list[Row]], Flow[tuple[Plan, T]]]:
    """A decision that asks nothing more."""

    def flow(rows: list[Row]) -> Flow[tuple[Plan, T]]:
        yield from ()
        return decide(rows)

    return flow


def undo() -> Flow[None]:
    """End the transaction. If even that fails, the connection is not used again."""
    try:
        yield WritersTrip(ROLLBACK)
    except psycopg.Error:
        return


def settings(db: Database, wanted: Sequence[Wanted] = ()) -> Statement:
    """What holds for one transaction: how durable its commit is, how long it waits for others, and its locks.

    The statement after it sees what whoever had the locks before has committed.
    """
    keys = keys_of(db, wanted)
    return SETTINGS, {"commit": db.place.synchronous_commit, "wait": db.place.wait_ms, "keys": keys}


def keys_of(db: Database, wanted: Iterable[Wanted]) -> list[Int8]:
    """The advisory locks of streams, in one order for everybody, so that no two wait for each other."""
    keys = set()
    for one in wanted:
        hashed = sha256(b"\0".join((b"papertrade", db.place.schema.encode(), as_bytes(one.stream, "stream"))))
        keys.add(int.from_bytes(hashed.digest()[:8], "big", signed=True))
    return [Int8(key) for key in sorted(keys)]


def heads_of(db: Database, wanted: Sequence[Wanted]) -> Statement:
    """The statement that looks at heads and keys, in the order in which they are wanted."""
    names = [as_bytes(one.stream, "stream") for one in wanted]
    ids = [None if one.commit_id is None else as_bytes(one.commit_id, "commit_id") for one in wanted]
    return db.sql.heads, (names, ids)


def commit(db: Database, plan: Plan, begin: Sequence[Statement] = ()) -> Flow[bool]:
    """Write, commit, and say so to whoever waits. A commit that was answered is stored, whatever comes after it.

    With the statements that begin a transaction it is all in this trip, on the guess that the first statement of the
    plan makes; False says that nothing was stored, because the guess was wrong or the line no longer fresh.
    """
    written = (*begin, *plan.statements, COMMIT)
    said = [(NOTIFY, (db.place.channel, [token(stream) for stream in plan.moved]))] if plan.moved else []
    trip = WritersTrip(*written, *said, patience=db.place.wait_s, fresh=bool(begin))
    number = len(written) - 1
    try:
        yield trip
    except psycopg.Error as why:
        if trip.tag(number) == "COMMIT":
            return True
        if begin and isinstance(why, psycopg.errors.InvalidTextRepresentation) and len(trip.answers) == len(begin):
            yield from undo()
            return False
        if another_writer(why):
            yield from undo()
            raise CollidedError(why) from why
        raise typed_in_doubt(why, db.place) from why
    if begin and not trip.answers:
        return False
    if trip.tag(number) != "COMMIT":
        raise StoreUnavailableError(f"{db.place}: the server answered the commit with {trip.tag(number)!r}")
    return True


def token(stream: str) -> str:
    """What stands for a stream in an announcement, which cannot hold every name."""
    return sha256(as_bytes(stream, "stream")).hexdigest()[:32]


# ---------------------------------------------------------- owning, and snapshots


def take(db: Database, stream: str) -> Flow[int]:
    """The next fence of a stream, which owns it from now on."""

    def decide(rows: list[Row]) -> tuple[Plan, int]:
        head = head_from(stream, rows[0])
        return Plan([(db.sql.take, (as_bytes(stream, "stream"), FIRST_HASH))]), head.fence + 1

    return (yield from transact(db, [Wanted(stream)], at_once(decide)))


def release(db: Database, stream: str, fence: int) -> Flow[None]:
    """Nobody owns the stream, if this fence did."""

    def decide(rows: list[Row]) -> tuple[Plan, None]:
        head = head_from(stream, rows[0])
        if not head.owned or type(fence) is not int or fence != head.fence:
            return Plan(()), None
        return Plan([(db.sql.release, (Int8(head.id), Int8(fence)))]), None

    yield from transact(db, [Wanted(stream)], at_once(decide))


def put_snapshot(db: Database, stream: str, snapshot: StoredSnapshot) -> Flow[None]:
    """Keep a snapshot that belongs to the stream as it is, unless a newer one is there that can be of this stream."""

    def decide(rows: list[Row]) -> Flow[tuple[Plan, None]]:
        head: Head = head_from(stream, rows[0])
        version, chain, data = snapshot
        if not head.exists or not 0 <= version <= head.version:
            raise StoreCorruptError(f"a snapshot of {stream!r} is ahead of its stream")
        found = yield from chain_of(db, stream, head, version)
        if chain != found.hex():
            raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")
        values = (Int8(head.id), Int8(version), found, data, sha256(data).digest(), Int8(head.version))
        return Plan([(db.sql.put_snapshot, values)]), None

    yield from transact(db, [Wanted(stream)], decide)
