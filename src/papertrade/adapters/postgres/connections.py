"""A few connections, handed out one at a time. None is mended: one that something happened to is closed.

There is no thread here that reconnects, and nothing is tried twice: a lost connection is an error of the call that lost
it, and the next call connects anew.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Semaphore
from typing import Any, Final, Generic, TypeVar

import psycopg
from psycopg.pq import ConnStatus, TransactionStatus

from papertrade.adapters.postgres.faults import typed
from papertrade.adapters.postgres.known import KnownHeads
from papertrade.adapters.postgres.lines import AsyncLine, Line
from papertrade.adapters.postgres.opening import looked_at, opened
from papertrade.adapters.postgres.place import DURABILITIES, Place
from papertrade.adapters.postgres.reading import Database
from papertrade.adapters.postgres.statements import Statements
from papertrade.adapters.postgres.trips import Flow, drive
from papertrade.errors import InvalidValueError, StoreClosedError, StoreMisconfiguredError

LOOK_S: Final = 5.0  # a waiter looks by itself this often, in case an announcement was lost with its sender
C = TypeVar("C", Line, AsyncLine)


class Connections(Generic[C]):
    """What the synchronous and the asynchronous store have in common: everything that does not wait."""

    def __init__(self, place: Place, most: int) -> None:
        if type(most) is not int or not 1 <= most <= 100:
            raise InvalidValueError("connections", most, "a whole number from 1 to 100")
        self.place = place
        self.db = Database(place, Statements(place.schema), KnownHeads())
        self.most = most
        self.told: Mapping[str, str] = {
            "kind": "postgres",
            "durability": f"{place.durability}: {DURABILITIES[place.durability][1]}",
            "server": f"{self.place} (not asked yet: the first call connects)",
        }
        self.is_open = False  # the tables were looked at
        self.closed = False
        self._owner = os.getpid()
        self._idle: deque[C] = deque()

    def check_usable(self) -> None:
        """Before anything that waits: in a forked process nobody else is there to give a connection back."""
        if self._owner != os.getpid():
            raise StoreMisconfiguredError(
                f"{self.place} was opened by process {self._owner}; this is {os.getpid()}: open it again after a fork"
            )
        if self.closed:
            raise StoreClosedError(f"the store {self.place} was closed")

    def idle(self) -> C | None:
        """A connection that waits to be used."""
        self.check_usable()
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def first_look(self) -> Flow[Any]:
        """What a new connection is for: the first one sees to the tables, the others make sure of the server."""
        return looked_at(self.db) if self.is_open else opened(self.db)

    def seen(self, told: Mapping[str, str]) -> None:
        """Remember what the server said."""
        self.told = {**self.told, **told}
        self.is_open = True

    def give_back(self, connection: C) -> None:
        """Keep a connection with nothing begun on it. When the line was lost, so were probably those of the others."""
        state = connection.pgconn.transaction_status
        if state == TransactionStatus.IDLE and not self.closed and len(self._idle) < self.most:
            self._idle.append(connection)
            return
        lost = connection.pgconn.status == ConnStatus.BAD
        finish(connection)
        if lost:
            self.drop_idle()

    def drop_idle(self) -> None:
        """Close what is not in use."""
        while self._idle:
            finish(self._idle.pop())

    def close(self) -> None:
        """No more calls. What is in use is closed when it comes back; what a parent process has is left alone."""
        self.closed = True
        if self._owner == os.getpid():
            self.drop_idle()


def finish(connection: Line | AsyncLine) -> None:
    """Close at once, without waiting and without a word to the server, whatever was going on."""
    connection.pgconn.finish()


class Pool(Connections[Line]):
    """Connections for threads that wait."""

    def __init__(self, place: Place, most: int) -> None:
        super().__init__(place, most)
        self._room = Semaphore(most)

    @contextmanager
    def connection(self) -> Iterator[Line]:
        """A connection with nothing begun on it, for one piece of work."""
        self.check_usable()
        with self._room:
            connection = self.idle() or self.connect()
            try:
                yield connection
            finally:
                self.give_back(connection)

    def connect(self) -> Line:
        """A new connection to a server that was looked at."""
        try:
            connection = Line.connect("", autocommit=True, **self.place.parameters)  # type: ignore[arg-type]
        except psycopg.Error as why:
            raise typed(why, self.place) from None
        try:
            self.seen(drive(self.first_look(), connection, self.place.timeout_s))
        except BaseException:
            finish(connection)
            raise
        return connection
