"""The SQLite store: journals in one file, on the disk before anybody is answered.

One connection under one lock, opened for the process that made it. Every append is one ``BEGIN IMMEDIATE``
transaction; ``append_many`` is one for all its batches, so that a trip is one sync. Nothing is retried here: what
SQLite could not do is raised, and a commit that failed is an unknown outcome, because the disk may have it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import TypeVar

from papertrade.adapters.sqlite import journal
from papertrade.adapters.sqlite.faults import translated, typed
from papertrade.adapters.sqlite.journal import Encoded
from papertrade.adapters.sqlite.opening import connect, open_file, place_of
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.errors import (
    OutcomeUnknownError,
    StoreClosedError,
    StoreCorruptError,
    StoreError,
    StoreMisconfiguredError,
)
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification

T = TypeVar("T")


class SQLiteStore:
    """Journals in a file. Safe to share between threads, not between processes that were forked.

    Args:
        path: of the file. It is created if it is not there, readable by its owner only; its directory must exist.
        durability: ``"every command"`` (on the disk when answered), ``"batched"`` or ``"memory"``; see ``describe()``.
        wait_s: how long to wait while another process writes, before saying that the store is unavailable.
        follow_symlinks: False refuses a path that is a symbolic link.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: str = "every command",
        wait_s: float = 5.0,
        follow_symlinks: bool = True,
    ) -> None:
        self._closed = True  # until it is open
        self._owner = os.getpid()
        self._lock = Lock()
        self._place = place_of(path, durability, wait_s, follow_symlinks)
        self._path = self._place.path
        self._connection: sqlite3.Connection | None
        self._connection, self._described = open_file(self._place)
        self._file = os.stat(self._path).st_ino
        self._closed = False

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
            return self._write(lambda c: [self._append(c, one) for one in encoded]) if encoded else []
        except StoreError as why:
            return [why for _ in encoded]

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction with the right to write. Errors until the commit mean that nothing was stored."""
        self._check_usable()
        with self._lock:
            connection = self._ready()
            try:
                with translated(self._path):
                    connection.execute("BEGIN IMMEDIATE")
                    found = work(connection)
                self._commit(connection)
                return found
            finally:
                self._undo(connection)

    def _append(self, connection: sqlite3.Connection, encoded: Encoded) -> Outcome | StoreError:
        """One batch of a trip. What it began to write is undone when it fails; the others stand."""
        try:
            connection.execute("SAVEPOINT one")
            outcome = journal.append(connection, encoded)
            connection.execute("RELEASE one")
            return outcome
        except (sqlite3.Error, StoreError) as why:
            if not connection.in_transaction:  # SQLite undid the whole trip
                raise
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            return typed(why, self._path) if isinstance(why, sqlite3.Error) else why

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as why:
            raise OutcomeUnknownError(f"{self._path}: the commit failed, the disk may have it or not: {why}") from why

    def _undo(self, connection: sqlite3.Connection) -> None:
        """Leave nothing half done; a connection that cannot even do that is not used again."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # ------------------------------------------------------------- reading

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Look something up, all of it at one moment of the file."""
        self._check_usable()
        with self._lock:
            connection = self._ready()
            try:
                with translated(self._path):
                    connection.execute("BEGIN")
                    return work(connection)
            finally:
                self._undo(connection)

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream as they stood when this was called, each checked against the hash chain."""
        head = self._read(lambda c: journal.head_of(c, stream))
        last = head.version if stop is None else min(stop, head.version)
        return self._pages(stream, head, max(start, 1), last)

    def _pages(self, stream: str, head: journal.Head, first: int, last: int) -> Iterator[Event]:
        chain: bytes | None = None
        while first <= last:
            before, rows = self._page(stream, head, first, last)
            chain = before if chain is None else chain
            yield from journal.checked(stream, rows, first, chain)
            if not rows:
                raise StoreCorruptError(f"version {first} of {stream!r} is missing")
            first, chain = first + len(rows), rows[-1][1]
        if chain is not None and last == head.version and chain != head.chain:
            raise StoreCorruptError(f"the head of {stream!r} is not the hash of its events")

    def _page(self, stream: str, head: journal.Head, first: int, last: int) -> tuple[bytes, list[journal.Row]]:
        def work(connection: sqlite3.Connection) -> tuple[bytes, list[journal.Row]]:
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
        query = "SELECT name FROM streams WHERE name > ? ORDER BY name LIMIT ?"
        return self._read(lambda c: [name for (name,) in c.execute(query, (after, min(max(limit, 0), 2**62)))])

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return self._read(lambda c: journal.chain_at(c, journal.head_of(c, stream), stream, version)).hex()

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is."""
        self._write(lambda c: journal.put_snapshot(c, stream, snapshot))

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        return self._read(lambda c: journal.get_snapshot(c, stream))

    def verify(self, stream: str) -> Verification:
        """Read every event, key and snapshot of a stream, and answer the head of the hash chain."""
        head = self._read(lambda c: journal.head_of(c, stream))
        for _ in self._pages(stream, head, 1, head.version):
            pass
        self._read(lambda c: journal.check_commits(c, stream, journal.head_of(c, stream)))
        self.get_snapshot(stream)
        return Verification(stream, head.version, head.chain.hex())

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it promises, with the settings that SQLite says are in force."""
        return dict(self._described)

    def close(self) -> None:
        """Let go of the file."""
        if self._owner != os.getpid():  # the connection and the lock belong to the process that opened it
            self._closed = True
            return
        with self._lock:
            self._closed = True
            self._drop()

    def _check_usable(self) -> None:
        """Before the lock: in a forked process somebody who is not there may hold it."""
        if self._owner != os.getpid():
            raise StoreMisconfiguredError(
                f"{self._path} was opened by process {self._owner}; this is {os.getpid()}: open it again after a fork"
            )
        if self._closed:
            raise StoreClosedError(f"the store {self._path} was closed")

    def _ready(self) -> sqlite3.Connection:
        """The connection with nothing begun on it; a new one when the last could not be trusted any more."""
        self._check_usable()
        if not self._is_there():
            raise StoreMisconfiguredError(f"{self._path} was moved or deleted while it was open")
        if self._connection is not None:
            self._undo(self._connection)
        if self._connection is None:
            self._connection = connect(self._place)
        return self._connection

    def _is_there(self) -> bool:
        try:
            return os.stat(self._path).st_ino == self._file
        except OSError:
            return False

    def __repr__(self) -> str:
        return f"<SQLiteStore {self._path}{' (closed)' if self._closed else ''}>"
