"""The store of an asynchronous host: the methods of ``Store``, awaited. What they mean is said there.

``load`` is awaited too, and answers an iterator whose events are already here. ``describe`` is not awaited: it says
what is known so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from papertrade.domain.events import Event
from papertrade.errors import StoreError
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification


class AsyncStore(Protocol):
    """What ``AsyncExchange`` needs of a store that waits without blocking the event loop."""

    async def append(self, batch: Append) -> Outcome:
        """Store one batch."""
        ...

    async def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches in one trip, one outcome each."""
        ...

    async def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream, in order."""
        ...

    async def head(self, stream: str) -> int:
        """The version of the last event."""
        ...

    async def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        ...

    async def chain_at(self, stream: str, version: int) -> str:
        """The hash of a stream up to a version."""
        ...

    async def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot."""
        ...

    async def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        ...

    async def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order."""
        ...

    async def verify(self, stream: str) -> Verification:
        """Read everything and check it."""
        ...

    def describe(self) -> Mapping[str, str]:
        """What it promises."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...
