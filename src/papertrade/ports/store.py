"""The store: where the journals of accounts live.

One stream per account. Versions begin at 1 and have no gap. An append names the version it expects; somebody else's
append makes it a conflict, never an overwrite. A commit id makes an append repeatable: asked again, the store answers
where the first one went. Stores never interpret events, never retry by themselves, and answer ``OutcomeUnknownError``
when they cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from papertrade.domain.events import Event
from papertrade.errors import StoreError


class Append(NamedTuple):
    """A batch of events for one stream: all of them are stored, or none."""

    stream: str
    expected: int  # the version the stream must be at
    events: Sequence[Event]
    commit_id: str | None = None
    fence: int | None = None  # what ``take`` answered, if the stream is owned (see store_extras.Fencing)
    rows: Sequence[object] = ()  # for the SQL tables of history, written in the same transaction; others ignore them


class Appended(NamedTuple):
    """Stored, as these versions."""

    first: int
    last: int


class AlreadyAppended(NamedTuple):
    """The commit id was stored before, with the same content, as these versions."""

    first: int
    last: int


class Conflict(NamedTuple):
    """The stream is not at the expected version; nothing was stored."""

    actual: int


Outcome: TypeAlias = Appended | AlreadyAppended | Conflict


class StoredSnapshot(NamedTuple):
    """A snapshot and what it is bound to."""

    version: int
    chain: str  # hash of the stream up to that version
    data: bytes


class Verification(NamedTuple):
    """What a check of a whole stream found."""

    stream: str
    version: int
    chain: str


class Store(Protocol):
    """What a host needs of a store. Every method may raise a ``StoreError``."""

    def append(self, batch: Append) -> Outcome:
        """Store one batch. The commit id is looked up before the version is compared."""
        ...

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches of different streams in one trip: one outcome each, a failed one leaves the others alone."""
        ...

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream from ``start`` to ``stop`` (both included), in order."""
        ...

    def head(self, stream: str) -> int:
        """The version of the last event; 0 for a stream that does not exist."""
        ...

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored; None when it was not."""
        ...

    def chain_at(self, stream: str, version: int) -> str:
        """The hash of a stream up to a version that it has; version 0 is before its first event."""
        ...

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot. It may not be ahead of the stream, and its chain must be the stream's.

        One that is older than the one that is kept changes nothing and is no error: two hosts of an account put theirs
        in any order. One of the same version takes the place of the other, which may have been damaged.
        """
        ...

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot, if there is one."""
        ...

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order, after a name."""
        ...

    def verify(self, stream: str) -> Verification:
        """Read all of it, commit ids and snapshot too, check that it is whole, and answer the hash chain's head."""
        ...

    def describe(self) -> Mapping[str, str]:
        """What it is and what it promises: kind, version, durability."""
        ...

    def close(self) -> None:
        """Let go of everything. Closing twice is fine; using it afterwards is a ``StoreClosedError``."""
        ...
