"""The Redis store with awaits: the same conversations on an asynchronous connection, and the same promises.

A call that is canceled while it waits for an answer hangs up, so that no later call reads that answer as its own; for
an append it is an unknown outcome like any other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from redis.asyncio.connection import Connection, parse_url
from redis.asyncio.retry import Retry
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError

from papertrade.adapters.redis import moving, reading, writing
from papertrade.adapters.redis.faults import Lost, typed
from papertrade.adapters.redis.opening import announced, check_asked, settings
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.talk import Command, Talk
from papertrade.adapters.seals import check_ranges
from papertrade.domain.events import Event
from papertrade.errors import StoreClosedError, StoreError, StoreMisconfiguredError, StoreUnavailableError
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification
from papertrade.ports.store_extras import Base, Commit, Record

T = TypeVar("T")


class AsyncLine:
    """One asynchronous connection; as ``line.Line``."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection: Any = None
        self.described: Mapping[str, str] = {}

    async def drive(self, talk: Talk[T]) -> T:
        """Hold a conversation to its end."""
        try:
            commands = next(talk)
            while True:
                try:
                    replies = await self.exchange(commands)
                except BaseException as why:
                    commands = talk.throw(why)
                else:
                    commands = talk.send(replies)
        except StopIteration as stop:
            found: T = stop.value
            return found

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands once; one reply each. Raises only when nothing was sent, or when it is canceled."""
        connection = await self.ready()
        try:
            return await self._trip(connection, commands)
        except BaseException:
            await self.drop()
            raise

    async def _trip(self, connection: Any, commands: Sequence[Command]) -> list[Any]:
        replies: list[Any] = []
        try:
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            while len(replies) < len(commands):
                try:
                    replies.append(await connection.read_response())
                except ResponseError as reply:
                    replies.append(reply)
        except (BusyLoadingError, AuthenticationError) as reply:
            await self.drop()
            replies.append(reply)
        except (RedisError, OSError) as why:
            await self.drop()
            replies.append(Lost(self._place.clean(why)))
        return replies + [Lost("the connection broke before")] * (len(commands) - len(replies))

    async def ready(self) -> Any:
        """A connection that is alive as far as one can see before anything is sent on it."""
        if self._connection is not None and await _is_stale(self._connection):
            await self.drop()
        if self._connection is None:
            self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> Any:
        place = self._place
        options = place.options(parse_url, Retry)
        connection = place.connection(Connection, options)
        try:
            try:
                await connection.connect()
            except (AuthenticationError, ResponseError, BusyLoadingError) as why:
                raise typed(why, place) from None
            except (RedisError, OSError) as why:
                raise StoreUnavailableError(place.clean(f"{place.shown}: {why}")) from None
            talk = settings(place)
            try:
                commands = next(talk)
                while True:
                    commands = talk.send(await self._trip(connection, commands))
            except StopIteration as stop:
                self.described = stop.value
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    async def drop(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


async def _is_stale(connection: Any) -> bool:
    """Closed by the server, or with something on it that nobody asked for."""
    try:
        return bool(await getattr(connection, "can_read", connection.can_read_destructive)())
    except (RedisError, OSError):
        return True


class AsyncRedisStore:
    """Journals on a Redis server, for ``AsyncExchange``; the arguments are those of ``RedisStore``.

    It connects at its first call, or when ``open`` is awaited. The methods are those of ``RedisStore``, awaited;
    ``load``, ``records`` and ``commits`` answer with all there is.
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
        check_asked(durability, declared)
        self._place = Place(url, prefix, durability, timeout_s, declared)
        self._owner = os.getpid()
        self._closed = False
        self._lock = asyncio.Lock()
        self._tips = writing.Tips()
        self._line = AsyncLine(self._place)

    async def open(self) -> None:
        """Connect and look at the server's settings now, instead of at the first call."""
        self._check_usable()
        async with self._lock:
            await self._line.ready()

    async def append(self, batch: Append) -> Outcome:
        """Store one batch, or say why not."""
        (found,) = await self.append_many((batch,))
        if isinstance(found, StoreError):
            raise found
        return found

    async def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches in one trip, one outcome each."""
        try:
            return await self._run(writing.append_many(self._place, self._tips, batches))
        except StoreError as why:
            return [why for _ in batches]

    async def _run(self, talk: Talk[T]) -> T:
        self._check_usable()
        async with self._lock:
            self._check_usable()
            return await self._line.drive(talk)

    async def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream, each checked against the hash chain."""
        return reading.events_of(stream, list(await self.records(stream, start, stop)))

    async def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored records of a range, each checked against its hash."""
        head = await self._run(reading.head_of(self._place, stream))
        return iter(await self._walked(reading.Walk(self._place, stream, head, start, stop)))

    async def _walked(self, walk: reading.Walk) -> list[Record]:
        found: list[Record] = []
        while page := await self._run(walk.page()):
            found += page
        return found

    async def head(self, stream: str) -> int:
        """The version of the last event."""
        return (await self._run(reading.head_of(self._place, stream))).version

    async def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        return await self._run(reading.find(self._place, stream, commit_id))

    async def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order."""
        return await self._run(reading.streams(self._place, after, limit))

    async def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return await self._run(reading.chain_at(self._place, stream, version))

    async def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is."""
        await self._run(reading.put_snapshot(self._place, stream, snapshot))

    async def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        return await self._run(reading.get_snapshot(self._place, stream))

    async def verify(self, stream: str) -> Verification:
        """Read every event, key and snapshot of a stream from its base on, and answer the head of the hash chain."""
        head = await self._run(reading.head_of(self._place, stream))
        walk = reading.Walk(self._place, stream, head, head.base + 1, head.version)
        for _ in reading.events_of(stream, await self._walked(walk)):
            pass
        check_ranges(stream, await self.commits(stream, 0, head.version), head.version)
        await self.get_snapshot(stream)
        return Verification(stream, head.version, head.chain)

    async def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids whose last version is in a range, in the order of their versions."""
        head = await self._run(reading.head_of(self._place, stream))
        first, last = max(start, head.base), head.version if stop is None else min(stop, head.version)
        found: list[Commit] = []
        while first <= last:
            end = min(last, first + reading.WINDOW - 1)
            found += await self._run(reading.commits(self._place, stream, first, end))
            first = end + 1
        return iter(found)

    async def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids, all or nothing."""
        return await self._run(moving.put_records(self._place, self._tips, stream, expected, records, commits))

    async def erase(self, stream: str, note: str = "") -> None:
        """Delete everything of a stream for good, leaving a tombstone."""
        await self._run(moving.erase(self._place, self._tips, stream, note))

    async def base(self, stream: str) -> Base:
        """Where a stream begins."""
        return await self._run(moving.base(self._place, stream))

    async def trim(self, stream: str, version: int) -> None:
        """Drop records up to a version, their commit ids, and a snapshot older than that."""
        await self._run(moving.trim(self._place, stream, version))

    async def seed(self, stream: str, version: int, chain: str) -> None:
        """Begin a stream that is not here at a version."""
        await self._run(moving.seed(self._place, stream, version, chain))

    async def take(self, stream: str) -> int:
        """Own a stream from now on: the fence for its appends."""
        return await self._run(moving.take(self._place, stream))

    async def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        await self._run(moving.release(self._place, stream, fence))

    async def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Wait until a stream is past a version, or the time is over; answers the version it is at."""
        self._check_usable()
        line = AsyncLine(self._place)
        try:
            return await line.drive(self._while_open(reading.following(self._place, stream, after, timeout_s)))
        finally:
            await line.drop()

    def _while_open(self, talk: Talk[T]) -> Talk[T]:
        """A conversation that ends when the store is closed meanwhile."""
        commands = next(talk)
        while True:
            self._check_usable()
            replies = yield commands
            try:
                commands = talk.send(replies)
            except StopIteration as stop:
                found: T = stop.value
                return found

    def describe(self) -> Mapping[str, str]:
        """What it promises, with the server's settings once they were read."""
        return dict(self._line.described or announced(self._place))

    async def close(self) -> None:
        """Hang up."""
        self._closed = True
        if self._owner == os.getpid():
            async with self._lock:
                await self._line.drop()

    def _check_usable(self) -> None:
        if self._owner != os.getpid():
            raise StoreMisconfiguredError(
                f"{self._place.shown} was opened by process {self._owner}: open it again after a fork"
            )
        if self._closed:
            raise StoreClosedError(f"the store {self._place.shown} was closed")

    def __repr__(self) -> str:
        return f"<AsyncRedisStore {self._place.shown}{' (closed)' if self._closed else ''}>"
