"""Stores whose methods are coroutines: a plain one behind a turn of its own, and one that keeps its turn for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from papertrade.ports.store import Append, Outcome, StoredSnapshot
from papertrade.testing.store_saboteurs.plain import PlainStore


class AwaitedStore:
    """A plain store, one call at a time, with an await before and after each."""

    def __init__(self, location: str) -> None:
        self.inner = PlainStore(location)
        self.turn = asyncio.Lock()

    async def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Wait for the turn, do it, give the turn back whatever happens."""
        async with self.turn:
            await asyncio.sleep(0)
            answer = getattr(self.inner, name)(*arguments, **named)
            await asyncio.sleep(0)
            return answer

    async def append(self, batch: Append) -> Outcome:
        """Store one batch."""
        found: Outcome = await self.ask("append", batch)
        return found

    async def append_many(self, batches: Any) -> Any:
        """Store several."""
        return await self.ask("append_many", batches)

    async def load(self, stream: str, start: int = 1, stop: int | None = None) -> Any:
        """The events, as something to iterate over."""
        return await self.ask("load", stream, start, stop)

    async def head(self, stream: str) -> Any:
        """The last version."""
        return await self.ask("head", stream)

    async def find(self, stream: str, commit_id: str) -> Any:
        """Where a key was stored."""
        return await self.ask("find", stream, commit_id)

    async def chain_at(self, stream: str, version: int) -> Any:
        """The hash up to a version."""
        return await self.ask("chain_at", stream, version)

    async def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> Any:
        """Keep a snapshot."""
        return await self.ask("put_snapshot", stream, snapshot)

    async def get_snapshot(self, stream: str) -> Any:
        """The latest snapshot."""
        return await self.ask("get_snapshot", stream)

    async def streams(self, after: str = "", limit: int = 1000) -> Any:
        """Names."""
        return await self.ask("streams", after, limit)

    async def verify(self, stream: str) -> Any:
        """Read everything."""
        return await self.ask("verify", stream)

    async def take(self, stream: str) -> Any:
        """Own a stream."""
        return await self.ask("take", stream)

    async def release(self, stream: str, fence: int) -> Any:
        """Give a stream up."""
        return await self.ask("release", stream, fence)

    async def records(self, stream: str, start: int = 1, stop: int | None = None) -> Any:
        """The stored records."""
        return await self.ask("records", stream, start, stop)

    async def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Any:
        """The keys of a range."""
        return await self.ask("commits", stream, start, stop)

    async def put_records(self, stream: str, expected: int, records: Any, commits: Any = ()) -> Any:
        """Append records."""
        return await self.ask("put_records", stream, expected, records, commits)

    async def erase(self, stream: str, note: str = "") -> Any:
        """Delete a stream."""
        return await self.ask("erase", stream, note)

    async def wait(self, stream: str, after: int, timeout_s: float) -> Any:
        """Ask until it is so; others have their turn meanwhile."""
        until = asyncio.get_running_loop().time() + timeout_s
        while (head := await self.head(stream)) <= after and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.002)
        return head

    def describe(self) -> Any:
        """What it is."""
        return {**self.inner.describe(), "kind": "plain, awaited"}

    async def close(self) -> None:
        """Let go of the file."""
        self.inner.close()


async def open_awaited(location: str) -> AwaitedStore:
    """Opening may take an await, too."""
    await asyncio.sleep(0)
    return AwaitedStore(location)


class GlobalLockLeak(AwaitedStore):
    """Does not give its turn back when it is canceled."""

    async def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        """The turn is given back if all goes well."""
        await self.turn.acquire()
        await asyncio.sleep(0)
        try:
            answer = getattr(self.inner, name)(*arguments, **named)
        except Exception:
            self.turn.release()
            raise
        await asyncio.sleep(0)
        self.turn.release()
        return answer
