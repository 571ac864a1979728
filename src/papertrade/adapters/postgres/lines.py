"""Connections that wait for an answer only so long.

A server, or something between, can be there and never say a word: the line is up, its keepalives are answered, and
nothing else comes. Each trip has an hour by which it ends. When that passes, or whoever waits is interrupted, the
connection is closed at once and without a word, because the next answer on it would be another's; the server is not
asked to cancel, which would be one more trip on the same road.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar

import psycopg
from psycopg import AsyncConnection, Connection, waiting
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus
from psycopg.waiting import Wait

T = TypeVar("T")
Row: TypeAlias = "tuple[Any, ...]"

_TICK: Final = 0.1  # an interrupt is noticed within this many seconds, and so is an hour that passed
_LEAST: Final = 0.005
# Older ones of the quickest wait (3.2.1) say of every line that there is something to read.
_LOOK: Final = getattr(waiting, "wait_poll", waiting.wait_selector)


class SilentError(psycopg.OperationalError):
    """No answer came in time. It has no code of the server's, as any line that was lost."""


def bounded(gen: PQGen[T], until: float) -> PQGen[T]:
    """The same work with the driver, up to a moment of the monotonic clock."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if monotonic() >= until:
                gen.close()
                raise SilentError("no answer came in time, and the line was given up")
            wanted = gen.send(ready)
    except StopIteration as stop:
        found: T = stop.value
        return found


class Line(Connection[Row]):
    """A connection for threads. Outside of a trip, as while it listens, it waits as long as it is asked to."""

    until: float | None = None

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.prepared: dict[bytes, bytes] = {}  # queries, and their names on this connection

    def wait(self, gen: PQGen[T], interval: float = _TICK, timeout: float | None = None) -> T:
        """Work with the driver until it is done."""
        if self.until is None:
            return super().wait(gen, interval, **_given(timeout))
        try:
            return waiting.wait(bounded(gen, self.until), self.pgconn.socket, _tick(self.until))
        except (SilentError, KeyboardInterrupt):
            self.pgconn.finish()
            raise


class AsyncLine(AsyncConnection[Row]):
    """The same for tasks; a task that is canceled is an interrupt."""

    until: float | None = None

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.prepared: dict[bytes, bytes] = {}

    async def wait(self, gen: PQGen[T], interval: float = _TICK, timeout: float | None = None) -> T:
        """Work with the driver until it is done."""
        if self.until is None:
            return await super().wait(gen, interval, **_given(timeout))
        try:
            return await waiting.wait_async(bounded(gen, self.until), self.pgconn.socket, _tick(self.until))
        except (SilentError, KeyboardInterrupt, asyncio.CancelledError):
            self.pgconn.finish()
            raise


def is_quiet(line: Line | AsyncLine) -> bool:
    """Whether the line is up and the server has said nothing that nobody asked for, such as that it goes away."""
    if line.pgconn.status != ConnStatus.OK:
        return False
    return not _LOOK(_looked(), line.pgconn.socket, 0.0)


def _looked() -> PQGen[int]:
    """Whether there is something to read, without waiting for it."""
    ready = yield Wait.R
    return ready or 0


def _tick(until: float) -> float:
    return min(_TICK, max(_LEAST, until - monotonic()))


def _given(timeout: float | None) -> dict[str, float]:
    """What only newer drivers know, where they ask for it."""
    return {} if timeout is None else {"timeout": timeout}
