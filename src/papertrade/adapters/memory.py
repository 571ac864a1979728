"""The memory store: complete in everything but durability. Nothing survives the process, and ``describe`` says so.

It keeps the events as they are (flat, immutable tuples) and encodes and chains them only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import TIMEOUT_MAX, Condition, Lock
from time import monotonic

from papertrade.adapters.moved import check_commits, check_links, events_of
from papertrade.adapters.seals import check_ranges
from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.straight import straight
from papertrade.errors import (
    InvalidValueError,
    StoreClosedError,
    StoreCorruptError,
    StoreErasedError,
    StoreError,
    StoreFencedError,
    StoreMismatchError,
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

_appended = straight(Appended)


class _Stream:
    __slots__ = ("bytes", "chained", "commits", "events", "head_hash", "snapshot")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.commits: dict[str, Appended] | None = None
        self.chained = 0  # how many events are in head_hash
        self.head_hash = GENESIS
        self.snapshot: StoredSnapshot | None = None
        self.bytes: dict[int, bytes] = {}  # of records that came with other bytes than those that we would write

    def record(self, version: int) -> bytes:
        """The bytes of a version."""
        return self.bytes.get(version) or encode_event(self.events[version - 1])


class MemoryStore:
    """Journals in memory. Safe to share between threads."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._lock = Lock()
        self._closed = False
        self._fences: dict[str, int] = {}  # the last one given
        self._owners: dict[str, int] = {}  # the one that may write
        self._erased: dict[str, str] = {}
        self._appended = Condition(self._lock)
        self._waiting = 0

    # ------------------------------------------------------------- writing

    def append(self, batch: Append) -> Outcome:
        """Store one batch, or say why not."""
        with self._lock:
            return self._append(batch)

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches of different streams, one outcome each."""
        found: list[Outcome | StoreError] = []
        with self._lock:
            for batch in batches:
                try:
                    found.append(self._append(batch))
                except StoreError as why:
                    found.append(why)
        return found

    def _append(self, batch: Append) -> Outcome:
        name, expected, events, commit_id, fence, _ = batch
        if self._closed or self._erased:
            self._check_name(name)
        stream = self._streams.get(name)
        if stream is None:
            stream = _Stream()
        if commit_id is not None and stream.commits is not None and commit_id in stream.commits:
            return self._repeated(name, stream, commit_id, stream.commits[commit_id], events)
        if fence is not None or self._owners:
            self._check_fence(name, fence)
        stored = stream.events
        if type(expected) is not int or len(stored) != expected:
            return Conflict(len(stored))
        first = expected + 1
        version = expected
        for event in events:
            version += 1
            if event.version != version:
                raise StoreMismatchError(name, commit_id or f"version {version}")
        if not expected and (events or commit_id is not None):
            self._streams[name] = stream
        stored.extend(events)
        done = _appended((first, version))
        if commit_id is not None:
            if stream.commits is None:
                stream.commits = {}
            stream.commits[commit_id] = done
        if self._waiting:
            self._appended.notify_all()
        return done

    def _repeated(
        self, name: str, stream: _Stream, commit_id: str, done: Appended, events: Sequence[Event]
    ) -> Outcome:
        if tuple(stream.events[done.first - 1 : done.last]) != tuple(events):
            raise StoreMismatchError(name, commit_id)
        return AlreadyAppended(*done)

    # ------------------------------------------------------------- reading

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream, as they stood when this was called."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream)
            return iter(found.events[max(start, 1) - 1 : None if stop is None else max(stop, 0)] if found else ())

    def head(self, stream: str) -> int:
        """The version of the last event."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream)
            return len(found.events) if found else 0

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream)
            return found.commits.get(commit_id) if found and found.commits else None

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order."""
        with self._lock:
            self._check_open()
            return sorted(name for name in self._streams if name > after)[: max(limit, 0)]

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream) or _Stream()
            if not 0 <= version <= len(found.events):
                raise StoreCorruptError(f"{stream!r} has no version {version}")
            return self._chain(found, version)

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is, unless a newer one is there."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream)
            if found is None or not 0 <= snapshot.version <= len(found.events):
                raise StoreCorruptError(f"a snapshot of {stream!r} is ahead of its stream")
            if snapshot.chain != self._chain(found, snapshot.version):
                raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")
            if found.snapshot is None or found.snapshot.version <= snapshot.version:
                found.snapshot = snapshot

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream)
            return found.snapshot if found else None

    def verify(self, stream: str) -> Verification:
        """Check versions and where commit ids lead, and answer the head of the hash chain."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream) or _Stream()
            for version, event in enumerate(found.events, 1):
                if event.version != version or event.account != stream:
                    raise StoreCorruptError(f"version {version} of {stream!r} holds {event!r}")
            commits = (found.commits or {}).items()
            check_ranges(stream, (Commit(name, *done) for name, done in commits), len(found.events))
            return Verification(stream, len(found.events), self._chain(found, len(found.events)))

    def _chain(self, stream: _Stream, version: int) -> str:
        """The hash up to a version; the work done for the head is kept."""
        if version < stream.chained:
            head = GENESIS
            for number in range(1, version + 1):
                head = link(head, stream.record(number))
            return head
        for number in range(stream.chained + 1, version + 1):
            stream.head_hash = link(stream.head_hash, stream.record(number))
        stream.chained = version
        return stream.head_hash

    # ------------------------------------------------------- owned by a worker

    def take(self, stream: str) -> int:
        """Own a stream: the fence for its appends."""
        with self._lock:
            self._check_name(stream)
            fence = self._fences[stream] = self._owners[stream] = self._fences.get(stream, 0) + 1
            return fence

    def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        with self._lock:
            self._check_name(stream)
            if type(fence) is int and self._owners.get(stream) == fence:
                del self._owners[stream]

    def _check_fence(self, name: str, fence: int | None) -> None:
        owner = self._owners.get(name)
        if (fence is not None or owner is not None) and (type(fence) is not int or fence != owner):
            raise StoreFencedError(name, fence, owner)

    # -------------------------------------------------------- moved and erased

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The bytes of events with their hashes, as they stand."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream) or _Stream()
            first, last = max(start, 1), len(found.events) if stop is None else min(stop, len(found.events))
            chain, made = self._chain(found, first - 1) if first <= last else "", []
            for version in range(first, last + 1):
                data = found.record(version)
                chain = link(chain, data)
                made.append(Record(version, chain, data))
            return iter(made)

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids whose last version is in a range."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream)
            kept = (found.commits if found else None) or {}
            return iter([
                Commit(name, first, last) for name, (first, last) in kept.items()
                if start <= last and (stop is None or last <= stop)
            ])  # fmt: skip

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids, as they are."""
        with self._lock:
            self._check_name(stream)
            found = self._streams.get(stream) or _Stream()
            head = len(found.events)
            if type(expected) is not int or expected < 0:
                return Conflict(head)
            events, last = events_of(stream, expected, records), expected + len(records)
            check_commits(stream, expected, last, commits)
            if expected <= head and self._is_there(stream, found, expected, records, commits):
                return AlreadyAppended(expected + 1, last)
            if expected != head:
                return Conflict(head)
            check_links(stream, self._chain(found, head), records)
            kept = found.commits or {}
            for commit in commits:
                if commit.commit_id in kept:
                    raise StoreCorruptError(f"commit {commit.commit_id!r} of {stream!r} leads elsewhere already")
            self._put(stream, found, events, records, commits)
            return Appended(expected + 1, last)

    def _is_there(
        self, name: str, stream: _Stream, expected: int, records: Sequence[Record], commits: Sequence[Commit]
    ) -> bool:
        """Whether these records are stored at their versions; keys that lead elsewhere then are another content."""
        if expected + len(records) > len(stream.events) or not (records or commits):
            return False
        if any(stream.record(record.version) != record.data for record in records):
            return False
        if records and self._chain(stream, records[-1].version) != records[-1].chain:
            return False
        found = [(stream.commits or {}).get(commit.commit_id) for commit in commits]
        if not records and not any(found):
            return False  # nothing but keys of empty batches, and none of them is known
        for commit, kept in zip(commits, found, strict=True):
            if kept != (commit.first, commit.last):
                raise StoreMismatchError(name, commit.commit_id)
        return True

    def _put(
        self, name: str, stream: _Stream, events: Sequence[Event], records: Sequence[Record], commits: Sequence[Commit]
    ) -> None:
        for event, record in zip(events, records, strict=True):
            stream.events.append(event)
            if encode_event(event) != record.data:
                stream.bytes[record.version] = record.data
        if commits:
            stream.commits = stream.commits or {}
            stream.commits |= {commit.commit_id: Appended(commit.first, commit.last) for commit in commits}
        if events or commits:
            self._streams[name] = stream
        self._appended.notify_all()

    def erase(self, stream: str, note: str = "") -> None:
        """Forget everything of a stream but its name."""
        with self._lock:
            self._check_open()
            self._erased.setdefault(stream, note)
            for kept in (self._streams, self._fences, self._owners):
                kept.pop(stream, None)
            self._appended.notify_all()

    # ---------------------------------------------------------------- followed

    def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Sleep until a stream is past a version, or until the time is over."""
        if type(timeout_s) not in (int, float) or not timeout_s >= 0:
            raise InvalidValueError("timeout_s", timeout_s, "seconds, 0 or more")
        with self._lock:
            until = monotonic() + timeout_s
            while True:
                self._check_name(stream)
                found = self._streams.get(stream)
                version, left = len(found.events) if found else 0, until - monotonic()
                if version > after or left <= 0:
                    return version
                self._waiting += 1
                try:
                    self._appended.wait(min(left, TIMEOUT_MAX))
                finally:
                    self._waiting -= 1

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it promises."""
        return {"kind": "memory", "durability": "none: nothing survives the process"}

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._streams.clear()
            self._appended.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError("the memory store was closed")

    def _check_name(self, stream: str) -> None:
        self._check_open()
        if stream in self._erased:
            raise StoreErasedError(stream, self._erased[stream])
