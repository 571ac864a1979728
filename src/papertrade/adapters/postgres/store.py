"""The PostgreSQL store: journals in the tables of one schema, on the server's disk before anybody is answered.

A write is one transaction in two trips (``writing.py``), or in one where a single batch goes on where the last one
ended (``quick.py``); ``append_many`` is one transaction for all its batches. Nothing is retried here: what the server
could not do is raised, and a line that is lost after the commit was sent is an unknown outcome.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import psycopg

from papertrade.adapters import chains
from papertrade.adapters.postgres import appending, comparing, moving, reading, writing
from papertrade.adapters.postgres import tables as history
from papertrade.adapters.postgres.appending import Encoded
from papertrade.adapters.postgres.connections import LOOK_S, Pool, finish
from papertrade.adapters.postgres.faults import typed
from papertrade.adapters.postgres.known import Head
from papertrade.adapters.postgres.opening import history_again
from papertrade.adapters.postgres.place import Place
from papertrade.adapters.postgres.trips import Flow, drive
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.words import parse_flag
from papertrade.errors import StoreError
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification
from papertrade.ports.store_extras import Commit, Compared, Record, Search, Tabling

T = TypeVar("T")


class PostgresStore:
    """Journals on a PostgreSQL server. Safe to share between threads, not between processes that were forked.

    Args:
        dsn: ``"postgresql://user@host/database"``, or libpq's ``"host=… dbname=…"``. Its password is never shown.
        durability: ``"every command"`` (on the server's disk when answered), ``"batched"`` or ``"memory"``; see
            ``describe()``.
        schema: where its tables are; it is made if it is not there.
        wait_s: how long to wait for a connection, or while another process writes to the same account.
        timeout_s: how long to wait for an answer, ``wait_s`` not counted. The line is given up then.
        connections: how many to open at most.
        accept_unsafe_server: True uses a server that runs with ``fsync`` or ``full_page_writes`` off.
        tables: False keeps journals only; whoever opens an account with tables later has them brought up.
    """

    def __init__(
        self,
        dsn: str,
        *,
        durability: str = "every command",
        schema: str = "papertrade",
        wait_s: float = 5.0,
        timeout_s: float = 5.0,
        connections: int = 4,
        accept_unsafe_server: bool = False,
        tables: bool = True,
    ) -> None:
        self.wants_rows = parse_flag(tables, "tables")
        self._pool = Pool(Place(dsn, durability, schema, wait_s, timeout_s, accept_unsafe_server), connections)
        self._db = self._pool.db
        with self._pool.connection():
            pass

    def _run(self, flow: Flow[T]) -> T:
        with self._pool.connection() as connection:
            return drive(flow, connection, self._db.place.timeout_s)

    # ------------------------------------------------------------- writing

    def append(self, batch: Append) -> Outcome:
        """Store one batch, or say why not."""
        (found,) = self.append_many((batch,))
        if isinstance(found, StoreError):
            raise found
        return found

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches in one transaction, one outcome each."""
        encoded = [Encoded(batch, [encode_event(event) for event in batch.events]) for batch in batches]
        try:
            return self._run(appending.append_many(self._db, encoded)) if encoded else []
        except StoreError as why:
            return [why for _ in encoded]

    # ------------------------------------------------------------- reading

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream as they stood when this was called, each checked against the hash chain."""
        head = self._run(reading.head_of(self._db, stream))
        return (chains.event_of(stream, row) for row in self._rows(stream, head, start, stop))

    def _rows(self, stream: str, head: Head, start: int, stop: int | None) -> Iterator[chains.Row]:
        """Records, each checked against its hash, read page by page when they are wanted."""
        first, chain, last = max(start, 1), None, reading.last_of(head, stop)
        while first <= last:
            page = self._run(reading.page(self._db, stream, head, first, last, chain))
            yield from reading.rows_of(stream, page)
            first, chain = first + len(page[1]), page[1][-1][1]

    def head(self, stream: str) -> int:
        """The version of the last event."""
        return self._run(reading.version_of(self._db, stream))

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        return self._run(reading.find(self._db, stream, commit_id))

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order."""
        return self._run(reading.streams(self._db, after, limit))

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return self._run(reading.chain_at(self._db, stream, version))

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is."""
        self._run(writing.put_snapshot(self._db, stream, snapshot))

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        return self._run(reading.get_snapshot(self._db, stream))

    def verify(self, stream: str) -> Verification:
        """Read every event, key and snapshot of a stream, and answer the head of the hash chain."""
        head = self._run(reading.head_of(self._db, stream))
        for row in self._rows(stream, head, 1, None):
            chains.event_of(stream, row)
        self._run(reading.check_commits(self._db, stream))
        self.get_snapshot(stream)
        return Verification(stream, head.version, head.chain.hex())

    # -------------------------------------------------- owning, moving, waiting

    def take(self, stream: str) -> int:
        """Own a stream from now on: the fence for its appends."""
        return self._run(writing.take(self._db, stream))

    def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        self._run(writing.release(self._db, stream, fence))

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored records, each checked against its hash."""
        head = self._run(reading.head_of(self._db, stream))
        return (reading.record_of(row) for row in self._rows(stream, head, start, stop))

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids whose last version is in a range."""
        return iter(self._run(reading.commits(self._db, stream, start, stop)))

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids, all or nothing."""
        return self._run(moving.put_records(self._db, moving.Moved(stream, expected, records, commits)))

    def erase(self, stream: str, note: str = "") -> None:
        """Delete everything of a stream for good, leaving a tombstone."""
        self._run(moving.erase(self._db, stream, note))

    def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Wait until a stream is past a version, on a connection of its own that hears of appends."""
        until = time.monotonic() + reading.seconds(timeout_s)
        version = self.head(stream)
        if version > after or timeout_s <= 0:
            return version
        listener = self._pool.connect()
        try:
            drive(reading.listening(self._db), listener, self._db.place.timeout_s)
            while True:
                version = self.head(stream)  # after listening began, so that nothing falls in between
                left = until - time.monotonic()
                if version > after or left <= 0:
                    return version
                for note in listener.notifies(timeout=min(left, LOOK_S)):
                    if note.payload == writing.token(stream):
                        break
        except psycopg.Error as why:
            raise typed(why, self._db.place) from why
        finally:
            finish(listener)

    # ------------------------------------------------- the tables of history

    def make_tables(self) -> None:
        """Make the tables of history that somebody dropped; all are brought up from the journals then."""
        self._run(history_again(self._db))

    def tabled(self, stream: str) -> Tabling:
        """How far the tables of a stream are kept."""
        return self._run(history.progress(self._db, stream))

    def put_rows(self, stream: str, kept: Tabling, rows: Sequence[object], anew: bool = False) -> bool:
        """Bring up tables that are still kept as they were."""
        return self._run(history.put_rows(self._db, stream, kept, rows, anew))

    def search(self, query: Search) -> list[str | int]:
        """The values of a column of rows, in the order of the journal."""
        return self._run(history.search(self._db, query))

    def compare_rows(self, stream: str, rows: Sequence[object], counted: bool = False) -> Compared:
        """Are rows in the tables as they are given here?"""
        return self._run(comparing.compare_rows(self._db, stream, rows, counted))

    def strange_rows(self) -> list[str]:
        """What is wrong with the tables as a whole."""
        return self._run(comparing.strange_rows(self._db))

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it promises, with the settings that the server says are in force."""
        return dict(self._pool.told)

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()

    def __repr__(self) -> str:
        return f"<PostgresStore {self._db.place} {self._db.place.schema}{' (closed)' if self._pool.closed else ''}>"
