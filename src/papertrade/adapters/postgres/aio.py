"""The PostgreSQL store with awaits: the same flows as ``store.py``, so the same SQL and the same answers.

It connects at the first call. A call that is canceled leaves its connection behind, which is closed; whether its append
was stored is found out as after any unknown outcome, by the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg

from papertrade.adapters.chains import Row as Stored
from papertrade.adapters.chains import event_of
from papertrade.adapters.postgres import appending, comparing, moving, reading, writing
from papertrade.adapters.postgres import tables as history
from papertrade.adapters.postgres.appending import Encoded
from papertrade.adapters.postgres.connections import LOOK_S, Connections, finish
from papertrade.adapters.postgres.faults import typed
from papertrade.adapters.postgres.known import Head
from papertrade.adapters.postgres.lines import AsyncLine
from papertrade.adapters.postgres.opening import history_again
from papertrade.adapters.postgres.place import Place
from papertrade.adapters.postgres.trips import Flow, drive_async
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.words import parse_flag
from papertrade.errors import StoreError
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification
from papertrade.ports.store_extras import Commit, Compared, Record, Search, Tabling

T = TypeVar("T")


class AsyncPool(Connections[AsyncLine]):
    """Connections for tasks that wait."""

    def __init__(self, place: Place, most: int) -> None:
        super().__init__(place, most)
        self._room = asyncio.Semaphore(most)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncLine]:
        """A connection with nothing begun on it, for one piece of work."""
        self.check_usable()
        async with self._room:
            connection = self.idle() or await self.connect()
            try:
                yield connection
            finally:
                self.give_back(connection)

    async def connect(self) -> AsyncLine:
        """A new connection to a server that was looked at."""
        try:
            connection = await AsyncLine.connect("", autocommit=True, **self.place.parameters)  # type: ignore[arg-type]
        except psycopg.Error as why:
            raise typed(why, self.place) from None
        try:
            self.seen(await drive_async(self.first_look(), connection, self.place.timeout_s))
        except BaseException:
            finish(connection)
            raise
        return connection


class AsyncPostgresStore:
    """Journals on a PostgreSQL server, for ``AsyncExchange``. The arguments are those of ``PostgresStore``.

    ``load``, ``records`` and ``commits`` answer iterators over what was read before they answered.
    """

    def __init__(
        self,
        dsn: str,
        *,
        durability: str = "every command",
        schema: str = "papertrade",
        wait_s: float = 5.0,
        timeout_s: float = 5.0,
        connections: int = 4,
        accept_unsafe_server: bool = False,
        tables: bool = True,
    ) -> None:
        self.wants_rows = parse_flag(tables, "tables")
        place = Place(dsn, durability, schema, wait_s, timeout_s, accept_unsafe_server)
        self._pool = AsyncPool(place, connections)
        self._db = self._pool.db

    async def open(self) -> None:
        """Connect and look at the server now, instead of at the first call."""
        async with self._pool.connection():
            pass

    async def _run(self, flow: Flow[T]) -> T:
        async with self._pool.connection() as connection:
            return await drive_async(flow, connection, self._db.place.timeout_s)

    # ------------------------------------------------------------- writing

    async def append(self, batch: Append) -> Outcome:
        """Store one batch, or say why not."""
        (found,) = await self.append_many((batch,))
        if isinstance(found, StoreError):
            raise found
        return found

    async def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches in one transaction, one outcome each."""
        encoded = [Encoded(batch, [encode_event(event) for event in batch.events]) for batch in batches]
        try:
            return await self._run(appending.append_many(self._db, encoded)) if encoded else []
        except StoreError as why:
            return [why for _ in encoded]

    # ------------------------------------------------------------- reading

    async def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream, each checked against the hash chain."""
        return iter([event_of(stream, row) for row in (await self._rows(stream, start, stop))[1]])

    async def _rows(self, stream: str, start: int, stop: int | None) -> tuple[Head, list[Stored]]:
        head, pages = await self._run(reading.all_pages(self._db, stream, start, stop))
        return head, [row for page in pages for row in reading.rows_of(stream, page)]

    async def head(self, stream: str) -> int:
        """The version of the last event."""
        return await self._run(reading.version_of(self._db, stream))

    async def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        return await self._run(reading.find(self._db, stream, commit_id))

    async def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order."""
        return await self._run(reading.streams(self._db, after, limit))

    # ---------------------------------------------- snapshots and the chain

    async def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return await self._run(reading.chain_at(self._db, stream, version))

    async def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream as it is."""
        await self._run(writing.put_snapshot(self._db, stream, snapshot))

    async def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        return await self._run(reading.get_snapshot(self._db, stream))

    async def verify(self, stream: str) -> Verification:
        """Read every event, key and snapshot of a stream, and answer the head of the hash chain."""
        head, rows = await self._rows(stream, 1, None)
        for row in rows:
            event_of(stream, row)
        await self._run(reading.check_commits(self._db, stream))
        await self.get_snapshot(stream)
        return Verification(stream, head.version, head.chain.hex())

    # -------------------------------------------------- owning, moving, waiting

    async def take(self, stream: str) -> int:
        """Own a stream from now on: the fence for its appends."""
        return await self._run(writing.take(self._db, stream))

    async def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        await self._run(writing.release(self._db, stream, fence))

    async def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored records, each checked against its hash."""
        return iter([reading.record_of(row) for row in (await self._rows(stream, start, stop))[1]])

    async def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids whose last version is in a range."""
        return iter(await self._run(reading.commits(self._db, stream, start, stop)))

    async def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids, all or nothing."""
        return await self._run(moving.put_records(self._db, moving.Moved(stream, expected, records, commits)))

    async def erase(self, stream: str, note: str = "") -> None:
        """Delete everything of a stream for good, leaving a tombstone."""
        await self._run(moving.erase(self._db, stream, note))

    async def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Wait until a stream is past a version, on a connection of its own that hears of appends."""
        clock = asyncio.get_running_loop()
        until = clock.time() + reading.seconds(timeout_s)
        version = await self.head(stream)
        if version > after or timeout_s <= 0:
            return version
        listener = await self._pool.connect()
        try:
            await drive_async(reading.listening(self._db), listener, self._db.place.timeout_s)
            while True:
                version = await self.head(stream)  # after listening began, so that nothing falls in between
                left = until - clock.time()
                if version > after or left <= 0:
                    return version
                async for note in listener.notifies(timeout=min(left, LOOK_S)):
                    if note.payload == writing.token(stream):
                        break
        except psycopg.Error as why:
            raise typed(why, self._db.place) from why
        finally:
            finish(listener)

    # ------------------------------------------------- the tables of history

    async def make_tables(self) -> None:
        """Make the tables of history that somebody dropped; all are brought up from the journals then."""
        await self._run(history_again(self._db))

    async def tabled(self, stream: str) -> Tabling:
        """How far the tables of a stream are kept."""
        return await self._run(history.progress(self._db, stream))

    async def put_rows(self, stream: str, kept: Tabling, rows: Sequence[object], anew: bool = False) -> bool:
        """Bring up tables that are still kept as they were."""
        return await self._run(history.put_rows(self._db, stream, kept, rows, anew))

    async def search(self, query: Search) -> list[str | int]:
        """The values of a column of rows, in the order of the journal."""
        return await self._run(history.search(self._db, query))

    async def compare_rows(self, stream: str, rows: Sequence[object], counted: bool = False) -> Compared:
        """Are rows in the tables as they are given here?"""
        return await self._run(comparing.compare_rows(self._db, stream, rows, counted))

    async def strange_rows(self) -> list[str]:
        """What is wrong with the tables as a whole."""
        return await self._run(comparing.strange_rows(self._db))

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What it promises, with the settings that the server says are in force once it was asked."""
        return dict(self._pool.told)

    async def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()

    def __repr__(self) -> str:
        closed = " (closed)" if self._pool.closed else ""
        return f"<AsyncPostgresStore {self._db.place} {self._db.place.schema}{closed}>"
