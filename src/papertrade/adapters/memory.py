"""The memory store: complete in everything but durability. Nothing survives the process, and ``describe`` says so.

It keeps the events as they are (flat, immutable tuples) and encodes and chains them only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.straight import straight
from papertrade.errors import StoreClosedError, StoreCorruptError, StoreError, StoreMismatchError
from papertrade.ports.store import (
    AlreadyAppended,
    Append,
    Appended,
    Conflict,
    Outcome,
    StoredSnapshot,
    Verification,
)

_appended = straight(Appended)


class _Stream:
    __slots__ = ("chained", "commits", "events", "head_hash", "snapshot")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.commits: dict[str, Appended] | None = None
        self.chained = 0  # how many events are in head_hash
        self.head_hash = GENESIS
        self.snapshot: StoredSnapshot | None = None


class MemoryStore:
    """Journals in memory. Safe to share between threads."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._lock = Lock()
        self._closed = False

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
        name, expected, events, commit_id = batch[:4]
        if self._closed:
            self._check_open()
        stream = self._streams.get(name)
        if stream is None:
            stream = _Stream()
        if commit_id is not None and stream.commits is not None and commit_id in stream.commits:
            return self._repeated(name, stream, commit_id, stream.commits[commit_id], events)
        stored = stream.events
        if type(expected) is not int or len(stored) != expected:
            return Conflict(len(stored))
        first = expected + 1
        version = expected
        for event in events:
            version += 1
            if event.version != version:
                raise StoreMismatchError(name, commit_id or f"version {version}")
        if not expected:
            self._streams[name] = stream
        stored.extend(events)
        done = _appended((first, version))
        if commit_id is not None:
            if stream.commits is None:
                stream.commits = {}
            stream.commits[commit_id] = done
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
            self._check_open()
            found = self._streams.get(stream)
            return iter(found.events[max(start, 1) - 1 : None if stop is None else max(stop, 0)] if found else ())

    def head(self, stream: str) -> int:
        """The version of the last event."""
        with self._lock:
            self._check_open()
            found = self._streams.get(stream)
            return len(found.events) if found else 0

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        with self._lock:
            self._check_open()
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
            self._check_open()
            found = self._streams.get(stream) or _Stream()
            if not 0 <= version <= len(found.events):
                raise StoreCorruptError(f"{stream!r} has no version {version}")
            return self._chain(found, version)

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is."""
        with self._lock:
            self._check_open()
            found = self._streams.get(stream)
            if found is None or not 0 <= snapshot.version <= len(found.events):
                raise StoreCorruptError(f"a snapshot of {stream!r} is ahead of its stream")
            if snapshot.chain != self._chain(found, snapshot.version):
                raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")
            found.snapshot = snapshot

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        with self._lock:
            self._check_open()
            found = self._streams.get(stream)
            return found.snapshot if found else None

    def verify(self, stream: str) -> Verification:
        """Check versions and answer the head of the hash chain."""
        with self._lock:
            self._check_open()
            found = self._streams.get(stream) or _Stream()
            for version, event in enumerate(found.events, 1):
                if event.version != version or event.account != stream:
                    raise StoreCorruptError(f"version {version} of {stream!r} holds {event!r}")
            return Verification(stream, len(found.events), self._chain(found, len(found.events)))

    def _chain(self, stream: _Stream, version: int) -> str:
        """The hash up to a version; the work done for the head is kept."""
        if version < stream.chained:
            head = GENESIS
            for event in stream.events[:version]:
                head = link(head, encode_event(event))
            return head
        for event in stream.events[stream.chained : version]:
            stream.head_hash = link(stream.head_hash, encode_event(event))
        stream.chained = version
        return stream.head_hash

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it promises."""
        return {"kind": "memory", "durability": "none: nothing survives the process"}

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._streams.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError("the memory store was closed")
