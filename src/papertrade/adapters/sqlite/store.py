"""The SQLite store: journals in one file, on the disk before anybody is answered.

One connection under one lock, opened for the process that made it. Every append is one ``BEGIN IMMEDIATE``
transaction; ``append_many`` is one for all its batches, so that a trip is one sync. Nothing is retried here: what
SQLite could not do is raised, and a commit that failed is an unknown outcome, because the disk may have it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from papertrade.adapters.chains import Row, checked, event_of
from papertrade.adapters.sqlite import comparing, extras, journal
from papertrade.adapters.sqlite import tables as history
from papertrade.adapters.sqlite.faults import translated, typed
from papertrade.adapters.sqlite.handle import Handle
from papertrade.adapters.sqlite.journal import Encoded
from papertrade.adapters.sqlite.places import place_of
from papertrade.adapters.sqlite.schema import history_again
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.words import parse_flag
from papertrade.errors import InvalidValueError, StoreCorruptError, StoreError
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification
from papertrade.ports.store_extras import Commit, Compared, Record, Search, Tabling

SOON_S, LATE_S = 0.001, 0.05  # how often somebody who waits looks: at first, and after a while


class SQLiteStore(Handle):
    """Journals in a file. Safe to share between threads, not between processes that were forked.

    Args:
        path: of the file. It is created if it is not there, readable by its owner only; its directory must exist.
        durability: ``"every command"`` (on the disk when answered), ``"batched"`` or ``"memory"``; see ``describe()``.
        wait_s: how long to wait while another process writes, before saying that the store is unavailable.
        follow_symlinks: False refuses a path that is a symbolic link.
        journal: ``"write-ahead"``, or ``"rollback"`` for places where a write-ahead log is impossible.
        allow_network: True takes a file on a network file system, which is refused otherwise where Linux says so.
        tables: False keeps journals only; whoever opens an account with tables later has them brought up.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: str = "every command",
        wait_s: float = 5.0,
        follow_symlinks: bool = True,
        journal: str = "write-ahead",
        allow_network: bool = False,
        tables: bool = True,
    ) -> None:
        self.wants_rows = parse_flag(tables, "tables")
        super().__init__(place_of(path, durability, wait_s, follow_symlinks, journal, allow_network))

    # ------------------------------------------------------------- writing

    def append(self, batch: Append) -> Outcome:
        """Store one batch, or say why not."""
        (found,) = self.append_many((batch,))
        if isinstance(found, StoreError):
            raise found
        return found

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches in one transaction, one outcome each."""
        with translated(self._path):
            encoded = [Encoded(batch, [encode_event(event) for event in batch.events]) for batch in batches]
        try:
            return self._write(lambda c: self._trip(c, encoded)) if encoded else []
        except StoreError as why:
            return [why for _ in encoded]

    def _trip(self, connection: sqlite3.Connection, encoded: list[Encoded]) -> list[Outcome | StoreError]:
        """The batches of a trip. What the store itself refuses is refused before anything of that batch is written.

        Only SQLite fails half way. Then the trip is undone and made again with a savepoint around each batch, so that
        the one that fails leaves the others alone; savepoints in every trip would copy each page that it changes.
        """
        try:
            return [self._append(connection, one) for one in encoded]
        except sqlite3.Error:
            if len(encoded) == 1 or not connection.in_transaction:  # or SQLite undid it already
                raise
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        return [self._append_carefully(connection, one) for one in encoded]

    def _append(self, connection: sqlite3.Connection, encoded: Encoded) -> Outcome | StoreError:
        try:
            outcome = journal.append(connection, encoded, self._path)
        except StoreError as why:
            return why
        if type(outcome) is Appended:
            history.put(connection, encoded.batch.stream, encoded.batch.expected, encoded.batch.rows)
        return outcome

    def _append_carefully(self, connection: sqlite3.Connection, encoded: Encoded) -> Outcome | StoreError:
        """One batch of a trip in which something failed. What it began to write is undone when it fails again."""
        try:
            connection.execute("SAVEPOINT one")
            outcome = self._append(connection, encoded)
            connection.execute("RELEASE one")
            return outcome
        except sqlite3.Error as why:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            return typed(why, self._path)

    # ------------------------------------------------------------- reading

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream as they stood when this was called, each checked against the hash chain."""
        head, first, last = self._range(stream, start, stop)
        return (event_of(stream, row) for row in self._pages(stream, head, first, last))

    def _range(self, stream: str, start: int, stop: int | None) -> tuple[journal.Head, int, int]:
        head = self._read(lambda c: journal.head_of(c, stream))
        return head, max(start, 1), head.version if stop is None else min(stop, head.version)

    def _pages(self, stream: str, head: journal.Head, first: int, last: int) -> Iterator[Row]:
        chain: bytes | None = None
        while first <= last:
            before, rows = self._page(stream, head, first, last)
            chain = before if chain is None else chain
            yield from checked(stream, rows, first, chain)
            if not rows:
                raise StoreCorruptError(f"version {first} of {stream!r} is missing")
            first, chain = first + len(rows), rows[-1][1]
        if chain is not None and last == head.version and chain != head.chain:
            raise StoreCorruptError(f"the head of {stream!r} is not the hash of its events")

    def _page(self, stream: str, head: journal.Head, first: int, last: int) -> tuple[bytes, list[Row]]:
        def work(connection: sqlite3.Connection) -> tuple[bytes, list[Row]]:
            journal.head_of(connection, stream)  # it may have been erased meanwhile
            before = journal.chain_at(connection, head, stream, first - 1)
            return before, journal.read_page(connection, head, first, last)

        return self._read(work)

    def head(self, stream: str) -> int:
        """The version of the last event."""
        return self._read(lambda c: journal.head_of(c, stream)).version

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        return self._read(lambda c: journal.commit_of(c, stream, journal.head_of(c, stream), commit_id))

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order."""
        query = "SELECT name FROM streams WHERE name > ? AND (version > 0 OR keyed > 0) ORDER BY name LIMIT ?"
        return self._read(lambda c: [name for (name,) in c.execute(query, (after, min(max(limit, 0), 2**62)))])

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return self._read(lambda c: journal.chain_at(c, journal.head_of(c, stream), stream, version)).hex()

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is."""
        self._write_checked(lambda c: journal.put_snapshot(c, stream, snapshot))

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        return self._read(lambda c: journal.get_snapshot(c, stream))

    def verify(self, stream: str) -> Verification:
        """Read every event, key, fence and snapshot of a stream, and answer the head of the hash chain."""
        head = self._read(lambda c: journal.head_of(c, stream))
        for row in self._pages(stream, head, 1, head.version):
            event_of(stream, row)
        self._read(lambda c: journal.commits_of(c, stream, journal.head_of(c, stream)))
        self.get_snapshot(stream)
        return Verification(stream, head.version, head.chain.hex())

    # ------------------------------------------------------- owned by a worker

    def take(self, stream: str) -> int:
        """Own a stream: the fence for its appends."""
        return self._write_checked(lambda c: extras.take(c, stream))

    def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        self._write_checked(lambda c: extras.release(c, stream, fence))

    # -------------------------------------------------------- moved and erased

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored bytes with their hashes, as they stood when this was called, each checked."""
        head, first, last = self._range(stream, start, stop)
        return (Record(v, chain.hex(), data) for v, chain, data in self._pages(stream, head, first, last))

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids whose last version is in a range."""
        found = self._read(lambda c: journal.commits_of(c, stream, journal.head_of(c, stream)))
        return (commit for commit in found if start <= commit.last and (stop is None or commit.last <= stop))

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids, as they are."""
        moved = extras.Moved(stream, expected, records, commits)
        self._check_usable()
        extras.check_moved(moved)
        return self._write_checked(lambda c: extras.put_records(c, moved))

    def erase(self, stream: str, note: str = "") -> None:
        """Delete everything of a stream, also from the free pages of the file and from its write-ahead log.

        The log is emptied as soon as nobody reads from it: at once, or when the last one closes the file.
        """
        self._write_checked(lambda c: extras.erase(c, stream, note))
        with suppress(StoreError):  # it is erased, and this can be done later
            self._alone(lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    # ---------------------------------------------------------------- followed

    def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Look again and again, without holding anything between two looks, until a stream is past a version."""
        if type(timeout_s) not in (int, float) or not timeout_s >= 0:
            raise InvalidValueError("timeout_s", timeout_s, "seconds, 0 or more")
        until, pause = time.monotonic() + timeout_s, SOON_S
        while True:
            version, left = self.head(stream), until - time.monotonic()
            if version > after or left <= 0:
                return version
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, LATE_S)

    # ------------------------------------------------- the tables of history

    def make_tables(self) -> None:
        """Make the tables and indexes of history that somebody dropped; all are brought up from the journals then."""
        self._write_checked(history_again)

    def tabled(self, stream: str) -> Tabling:
        """How far the tables of a stream are kept."""
        return self._read(lambda c: history.progress(c, stream))

    def put_rows(self, stream: str, kept: Tabling, rows: Sequence[object], anew: bool = False) -> bool:
        """Bring up tables that are still kept as they were."""
        return self._write(lambda c: history.bring_up(c, stream, kept, rows, anew))

    def search(self, query: Search) -> list[str | int]:
        """The values of a column of rows, in the order of the journal."""
        return self._read(lambda c: history.search(c, query))

    def compare_rows(self, stream: str, rows: Sequence[object], counted: bool = False) -> Compared:
        """Are rows in the tables as they are given here?"""
        return self._read(lambda c: comparing.compare_rows(c, stream, rows, counted))

    def strange_rows(self) -> list[str]:
        """What is wrong with the tables as a whole, indexes included."""
        return self._read(comparing.strange_rows)

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it promises, with the settings that SQLite says are in force."""
        return dict(self._described)

    def __repr__(self) -> str:
        return f"<SQLiteStore {self._path}{' (closed)' if self._closed else ''}>"
