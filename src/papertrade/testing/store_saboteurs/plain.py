"""A store written as plainly as one can: the honest one that the saboteurs spoil, and the partner of the moving cases.

One SQLite file without a single constraint, one transaction for each call, every rule spelled out in Python. It is
slow and it is for the kit only.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event
from papertrade.errors import (
    OutcomeUnknownError,
    StoreClosedError,
    StoreCorruptError,
    StoreErasedError,
    StoreError,
    StoreFencedError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreMismatchError,
    StoreUnavailableError,
)
from papertrade.ports.store import (
    AlreadyAppended,
    Append,
    Appended,
    Conflict,
    Outcome,
    StoredSnapshot,
    Verification,
)
from papertrade.ports.store_extras import Commit, Record
from papertrade.testing.store_saboteurs.keys import SealedKeys

SCHEMA = 1
TABLES = (
    "CREATE TABLE IF NOT EXISTS records (stream, version, chain, data)",
    "CREATE TABLE IF NOT EXISTS commits (stream, id, first, last, seal)",
    "CREATE TABLE IF NOT EXISTS snapshots (stream, version, chain, data)",
    "CREATE TABLE IF NOT EXISTS owners (stream, fence, taken)",
    "CREATE TABLE IF NOT EXISTS erased (stream, note)",
    "CREATE INDEX IF NOT EXISTS by_version ON records (stream, version)",
    "CREATE INDEX IF NOT EXISTS by_id ON commits (stream, id)",
)
FAR = 2**62


class PlainStore(SealedKeys):
    """Journals in one file, by the letter of the port."""

    def __init__(self, location: str) -> None:
        self.location = location
        self.lock = RLock()
        self.closed = False
        self.pid = os.getpid()
        self.faults: Any = None
        self.line = sqlite3.connect(location, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            self.line.execute("PRAGMA synchronous = OFF")
            # Not the write-ahead log: SQLite does not wait for others while it turns that on.
            self.line.execute(f"PRAGMA journal_mode = {'MEMORY' if location == ':memory:' else 'DELETE'}")
            (version,) = self.line.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA:
                raise StoreMisconfiguredError(f"{location} has schema {version}; this version knows {SCHEMA}")
            with self.transaction():
                for statement in TABLES:
                    self.sql(statement)
                self.sql(f"PRAGMA user_version = {SCHEMA:d}")
        except sqlite3.DatabaseError as why:
            self.line.close()
            raise StoreCorruptError(f"{location}: {why}") from why
        except StoreError:
            self.line.close()
            raise

    # ------------------------------------------------------------- the line

    def sql(self, text: str, *values: object) -> list[Any]:
        """One statement: the only way to the file, and the place where faults are planted."""
        if self.faults is not None:
            self.faults.meet(text, lambda: self.line.execute(text, values))
        return self.line.execute(text, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in this block happens, or nothing."""
        if self.pid != os.getpid():
            raise StoreMisconfiguredError("this store was opened by another process; open it again after a fork")
        with self.lock:
            if self.closed:
                raise StoreClosedError("the store was closed")
            try:
                self.sql("BEGIN IMMEDIATE")
                yield
                self.commit()
            except sqlite3.Error as why:
                raise _typed(why) from why
            finally:
                if self.line.in_transaction:
                    self.line.execute("ROLLBACK")

    def commit(self) -> None:
        """End a transaction. If that fails nobody knows."""
        try:
            self.sql("COMMIT")
        except sqlite3.Error as why:
            raise OutcomeUnknownError(f"the commit failed: {why}") from why

    def check(self, stream: str) -> None:
        """A name that was erased is no name any more."""
        for (note,) in self.sql("SELECT note FROM erased WHERE stream = ?", self.key(stream)):
            raise StoreErasedError(stream, note)

    def key(self, stream: str) -> object:
        """A name as it is stored."""
        return stream.encode("utf-8")

    # ------------------------------------------------------------- writing

    def append(self, batch: Append) -> Outcome:
        """Store one batch, or say why not."""
        encoded = [encode_event(event) for event in batch.events]
        with self.transaction():
            return self.store_batch(batch, encoded)

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """One after the other."""
        found: list[Outcome | StoreError] = []
        for batch in batches:
            try:
                found.append(self.append(batch))
            except StoreError as why:
                found.append(why)
        return found

    def store_batch(self, batch: Append, encoded: list[bytes]) -> Outcome:
        """The rules of an append, in their order: erased, key, fence, version, content."""
        self.check(batch.stream)
        repeated = self.repeated(batch, encoded)
        if repeated is not None:
            return repeated
        self.check_fence(batch.stream, batch.fence)
        head, chain = self.tip(batch.stream)
        if type(batch.expected) is not int or batch.expected != head:
            return Conflict(head)
        for number, event in enumerate(batch.events, head + 1):
            if event.version != number or event.account != batch.stream:
                raise StoreMismatchError(batch.stream, batch.commit_id or f"version {number}")
        self.write(batch.stream, head, chain, encoded)
        done = Appended(head + 1, head + len(encoded))
        if batch.commit_id is not None:
            self.keep_commit(batch.stream, Commit(batch.commit_id, *done))
        return done

    def repeated(self, batch: Append, encoded: list[bytes]) -> AlreadyAppended | None:
        """Was this key stored before? With other content it is a mismatch."""
        done = None if batch.commit_id is None else self.commit_of(batch.stream, batch.commit_id)
        if done is None:
            return None
        if [record.data for record in self.rows(batch.stream, done.first, done.last)] != encoded:
            raise StoreMismatchError(batch.stream, batch.commit_id or "")
        return AlreadyAppended(*done)

    def write(self, stream: str, head: int, chain: str, encoded: Sequence[bytes]) -> None:
        """Put records after the head."""
        for version, data in enumerate(encoded, head + 1):
            chain = link(chain, data)
            self.sql("INSERT INTO records VALUES (?, ?, ?, ?)", self.key(stream), version, chain, data)

    def check_fence(self, stream: str, fence: int | None) -> None:
        """The latest fence, or none where nobody owns the stream."""
        latest, taken = self.owner(stream)
        if (type(fence), fence) != ((int, latest) if taken else (type(None), None)):
            raise StoreFencedError(stream, fence, latest if taken else None)

    # ------------------------------------------------------------- reading

    def tip(self, stream: str) -> tuple[int, str]:
        """The last version and the hash up to it."""
        query = "SELECT version, chain FROM records WHERE stream = ? ORDER BY version DESC LIMIT 1"
        found = self.sql(query, self.key(stream))
        return found[0] if found else (0, GENESIS)

    def rows(self, stream: str, start: int = 1, stop: int | None = None) -> list[Record]:
        """Records of a range, each held against its hash."""
        first, last = min(max(start, 1), FAR), FAR if stop is None else max(min(stop, FAR), 0)
        query = "SELECT version, chain, data FROM records WHERE stream = ? AND version BETWEEN ? AND ? ORDER BY version"
        before = [Record(*row) for row in self.sql(query, self.key(stream), first - 1, last)]
        chain = before[0].chain if before and before[0].version < first else GENESIS
        found = [record for record in before if record.version >= first]
        for record in found:
            chain = link(chain, record.data)
            if chain != record.chain:
                raise StoreCorruptError(f"version {record.version} of {stream!r} does not have its hash")
        return found

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events as they stood when this was called."""
        return iter([decode_event(record.data) for record in self.records(stream, start, stop)])

    def head(self, stream: str) -> int:
        """The last version."""
        with self.transaction():
            self.check(stream)
            return self.tip(stream)[0]

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a key was stored."""
        with self.transaction():
            self.check(stream)
            return self.commit_of(stream, commit_id)

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names in order."""
        with self.transaction():
            names = {name.decode("utf-8") for (name,) in self.sql("SELECT DISTINCT stream FROM records")}
            return sorted(name for name in names if name > after)[: max(limit, 0)]

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        with self.transaction():
            self.check(stream)
            return self.chain_of(stream, version)

    def chain_of(self, stream: str, version: int) -> str:
        """The hash up to a version, inside a transaction."""
        if not 0 <= version <= self.tip(stream)[0]:
            raise StoreCorruptError(f"{stream!r} has no version {version}")
        found = self.sql("SELECT chain FROM records WHERE stream = ? AND version = ?", self.key(stream), version)
        return str(found[0][0]) if found else GENESIS

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream."""
        with self.transaction():
            self.check(stream)
            self.check_snapshot(stream, snapshot)
            self.sql("DELETE FROM snapshots WHERE stream = ? AND version <= ?", self.key(stream), snapshot.version)
            self.sql("INSERT INTO snapshots VALUES (?, ?, ?, ?)", self.key(stream), *snapshot)

    def check_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Its version is there, and its hash is the stream's."""
        if not self.tip(stream)[0] or self.chain_of(stream, snapshot.version) != snapshot.chain:
            raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        with self.transaction():
            self.check(stream)
            newest = "SELECT version, chain, data FROM snapshots WHERE stream = ? ORDER BY version DESC LIMIT 1"
            found = self.sql(newest, self.key(stream))
            return StoredSnapshot(*found[0]) if found else None

    def verify(self, stream: str) -> Verification:
        """Read everything."""
        with self.transaction():
            self.check(stream)
            head = GENESIS
            for version, record in enumerate(self.rows(stream), 1):
                event = decode_event(record.data)
                if (record.version, event.version, event.account) != (version, version, stream):
                    raise StoreCorruptError(f"version {version} of {stream!r} holds {event!r}")
                head = record.chain
            self.commits_of(stream)
            return Verification(stream, self.tip(stream)[0], head)

    # ----------------------------------------------------------- the extras

    def owner(self, stream: str) -> tuple[int, bool]:
        """The latest fence of a stream, and whether somebody holds it."""
        found = self.sql("SELECT fence, taken FROM owners WHERE stream = ?", self.key(stream))
        return (found[0][0], bool(found[0][1])) if found else (0, False)

    def take(self, stream: str) -> int:
        """Own a stream."""
        with self.transaction():
            self.check(stream)
            fence = self.owner(stream)[0] + 1
            self.set_owner(stream, fence, True)
            return fence

    def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        with self.transaction():
            self.check(stream)
            if type(fence) is int and self.owner(stream) == (fence, True):
                self.set_owner(stream, fence, False)

    def set_owner(self, stream: str, fence: int, taken: bool) -> None:
        """Write who owns a stream."""
        self.sql("DELETE FROM owners WHERE stream = ?", self.key(stream))
        self.sql("INSERT INTO owners VALUES (?, ?, ?)", self.key(stream), fence, int(taken))

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored records."""
        with self.transaction():
            self.check(stream)
            return iter(self.rows(stream, start, stop))

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The keys of a range."""
        with self.transaction():
            self.check(stream)
            made = self.commits_of(stream)
        kept = [c for c in made if start <= c.last and (stop is None or c.last <= stop)]
        return iter(sorted(kept, key=lambda c: c.last))

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records that follow on the stream's own."""
        with self.transaction():
            self.check(stream)
            head, chain = self.tip(stream)
            if head != expected:
                same = records and self.rows(stream, expected + 1, expected + len(records)) == list(records)
                return AlreadyAppended(expected + 1, expected + len(records)) if same else Conflict(head)
            self.check_records(stream, head, chain, records, commits)
            self.write(stream, head, chain, [record.data for record in records])
            for commit in commits:
                self.keep_commit(stream, commit)
            return Appended(head + 1, head + len(records))

    def check_records(
        self, stream: str, head: int, chain: str, records: Sequence[Record], commits: Sequence[Commit]
    ) -> None:
        """Each follows on the one before, is an event of this stream, and the keys lead to them."""
        for version, record in enumerate(records, head + 1):
            if type(record.data) is not bytes:
                raise StoreCorruptError(f"record {record.version} is no bytes")
            chain = link(chain, record.data)
            event = decode_event(record.data)
            if (record.version, record.chain, event.version, event.account) != (version, chain, version, stream):
                raise StoreCorruptError(f"record {record.version} does not follow on version {version - 1}")
        ids = [commit.commit_id for commit in commits]
        next_one = head + 1
        for commit in commits:
            inside = next_one <= commit.first <= commit.last + 1 and commit.last <= head + len(records)
            next_one = commit.last + 1
            if not inside or ids.count(commit.commit_id) > 1 or self.commit_of(stream, commit.commit_id):
                raise StoreCorruptError(f"the key {commit.commit_id!r} does not lead to these records")

    def erase(self, stream: str, note: str = "") -> None:
        """Delete a stream and leave a tombstone."""
        with self.transaction():
            for table in ("records", "commits", "snapshots", "owners"):
                self.sql(f"DELETE FROM {table} WHERE stream = ?", self.key(stream))
            if not self.sql("SELECT 1 FROM erased WHERE stream = ?", self.key(stream)):
                self.sql("INSERT INTO erased VALUES (?, ?)", self.key(stream), note)

    def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Ask until it is so."""
        until = time.monotonic() + timeout_s
        while (head := self.head(stream)) <= after and time.monotonic() < until:
            time.sleep(0.002)
        return head

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it is."""
        return {"kind": "plain", "durability": "survives a kill; a store for the conformance kit only"}

    def close(self) -> None:
        """Let go of the file."""
        if self.pid != os.getpid():
            return
        with self.lock:
            self.closed = True
            self.line.close()


def _typed(why: sqlite3.Error) -> StoreError:
    text = str(why)
    if "full" in text:
        return StoreFullError(text)
    if "readonly" in text:
        return StoreMisconfiguredError(text)
    return StoreUnavailableError(text) if isinstance(why, sqlite3.OperationalError) else StoreCorruptError(text)
