"""The Redis store: journals on a server, each append one script, in its append-only file before the answer.

One connection under one lock, opened for the process that made it, and another for each reader that waits. Nothing is
sent twice: a request whose answer did not come is an unknown outcome, for the host to resolve by its commit id.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import TypeVar

from papertrade.adapters.redis import moving, reading, writing
from papertrade.adapters.redis.line import Line
from papertrade.adapters.redis.opening import check_asked
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.talk import Talk
from papertrade.adapters.seals import check_ranges
from papertrade.domain.events import Event
from papertrade.errors import StoreClosedError, StoreError, StoreMisconfiguredError
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification
from papertrade.ports.store_extras import Base, Commit, Record

T = TypeVar("T")


class RedisStore:
    """Journals on a Redis server. Safe to share between threads, not between processes that were forked.

    Args:
        url: ``redis://host:6379/0``, ``rediss://…`` or ``unix:///path``; a password in it is never shown.
        durability: ``"every command"`` (in the append-only file when answered), ``"batched"`` or ``"memory"``. A
            server whose settings are weaker is refused.
        prefix: what the keys begin with; two stores on one server need two.
        timeout_s: how long to wait for an answer, and for a connection.
        declared: settings as you know them, for a server that does not let this user read them.
    """

    def __init__(
        self,
        url: str,
        *,
        durability: str = "every command",
        prefix: str = "papertrade",
        timeout_s: float = 5.0,
        declared: Mapping[str, str] | None = None,
    ) -> None:
        self._closed = True  # until it is open
        self._owner = os.getpid()
        self._lock = Lock()
        check_asked(durability, declared)
        self._place = Place(url, prefix, durability, timeout_s, declared)
        self._tips = writing.Tips()
        self._line = Line(self._place)
        self._waiters: list[Line] = []  # connections of readers that waited, for the next one
        self._line.ready()
        self._closed = False

    # ------------------------------------------------------------- writing

    def append(self, batch: Append) -> Outcome:
        """Store one batch, or say why not."""
        (found,) = self.append_many((batch,))
        if isinstance(found, StoreError):
            raise found
        return found

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches in one trip, one outcome each. They are independent: each is whole or not there."""
        try:
            return self._run(writing.append_many(self._place, self._tips, batches))
        except StoreError as why:
            return [why for _ in batches]

    def _run(self, talk: Talk[T]) -> T:
        self._check_usable()
        with self._lock:
            self._check_usable()
            return self._line.drive(talk)

    # ------------------------------------------------------------- reading

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream as they stood when this was called, each checked against the hash chain."""
        pages = self._pages(self._walk(stream, start, stop))
        return (event for page in pages for event in reading.events_of(stream, page))

    def _walk(self, stream: str, start: int, stop: int | None) -> reading.Walk:
        head = self._run(reading.head_of(self._place, stream))
        return reading.Walk(self._place, stream, head, start, stop)

    def _pages(self, walk: reading.Walk) -> Iterator[list[Record]]:
        while page := self._run(walk.page()):
            yield page

    def head(self, stream: str) -> int:
        """The version of the last event."""
        return self._run(reading.head_of(self._place, stream)).version

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        return self._run(reading.find(self._place, stream, commit_id))

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order."""
        return self._run(reading.streams(self._place, after, limit))

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return self._run(reading.chain_at(self._place, stream, version))

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is."""
        self._run(reading.put_snapshot(self._place, stream, snapshot))

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        return self._run(reading.get_snapshot(self._place, stream))

    def verify(self, stream: str) -> Verification:
        """Read every event, key and snapshot of a stream from its base on, and answer the head of the hash chain."""
        head = self._run(reading.head_of(self._place, stream))
        for page in self._pages(reading.Walk(self._place, stream, head, head.base + 1, head.version)):
            for _ in reading.events_of(stream, page):
                pass
        before = 0
        for window in self._windows(stream, head.base, head.version):
            before = check_ranges(stream, window, head.version, before)
        self.get_snapshot(stream)
        return Verification(stream, head.version, head.chain)

    # ------------------------------------- moving, trimming, owning, waiting

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored records of a range, each checked against its hash."""
        return (record for page in self._pages(self._walk(stream, start, stop)) for record in page)

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids whose last version is in a range, in the order of their versions."""
        head = self._run(reading.head_of(self._place, stream))
        last = head.version if stop is None else min(stop, head.version)
        return (commit for window in self._windows(stream, max(start, head.base), last) for commit in window)

    def _windows(self, stream: str, first: int, last: int) -> Iterator[list[Commit]]:
        while first <= last:
            end = min(last, first + reading.WINDOW - 1)
            yield self._run(reading.commits(self._place, stream, first, end))
            first = end + 1

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids, all or nothing."""
        return self._run(moving.put_records(self._place, self._tips, stream, expected, records, commits))

    def erase(self, stream: str, note: str = "") -> None:
        """Delete everything of a stream for good. The server's append-only file forgets it when it is rewritten."""
        self._run(moving.erase(self._place, self._tips, stream, note))

    def base(self, stream: str) -> Base:
        """Where a stream begins."""
        return self._run(moving.base(self._place, stream))

    def trim(self, stream: str, version: int) -> None:
        """Drop records up to a version, their commit ids, and a snapshot older than that."""
        self._run(moving.trim(self._place, stream, version))

    def seed(self, stream: str, version: int, chain: str) -> None:
        """Begin a stream that is not here at a version."""
        self._run(moving.seed(self._place, stream, version, chain))

    def take(self, stream: str) -> int:
        """Own a stream from now on: the fence for its appends."""
        return self._run(moving.take(self._place, stream))

    def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        self._run(moving.release(self._place, stream, fence))

    def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Wait until a stream is past a version, or the time is over; answers the version it is at."""
        self._check_usable()
        line = self._waiters.pop() if self._waiters else Line(self._place)
        try:
            return line.drive(self._while_open(reading.following(self._place, stream, after, timeout_s)))
        finally:
            self._waiters.append(line)
            if self._closed:
                self._hang_up_waiters()

    def _while_open(self, talk: Talk[T]) -> Talk[T]:
        """A conversation that ends when the store is closed by another thread."""
        commands = next(talk)
        while True:
            self._check_usable()
            replies = yield commands
            try:
                commands = talk.send(replies)
            except StopIteration as stop:
                found: T = stop.value
                return found

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it promises, with the server's settings as read back, or as declared."""
        return dict(self._line.described)

    def close(self) -> None:
        """Hang up."""
        if self._owner != os.getpid():  # the connection and the lock belong to the process that opened it
            self._closed = True
            return
        with self._lock:
            self._closed = True
            self._line.drop()
        self._hang_up_waiters()

    def _hang_up_waiters(self) -> None:
        while self._waiters:
            self._waiters.pop().drop()

    def _check_usable(self) -> None:
        """Before the lock: in a forked process somebody who is not there may hold it."""
        if self._owner != os.getpid():
            raise StoreMisconfiguredError(
                f"{self._place.shown} was opened by process {self._owner}; this is {os.getpid()}: open it again after "
                "a fork"
            )
        if self._closed:
            raise StoreClosedError(f"the store {self._place.shown} was closed")

    def __repr__(self) -> str:
        return f"<RedisStore {self._place.shown}{' (closed)' if self._closed else ''}>"
