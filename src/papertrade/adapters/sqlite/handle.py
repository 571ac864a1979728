"""One connection to a file, under one lock, opened for the process that made it: transactions, and what ends them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from papertrade.adapters.sqlite.faults import translated
from papertrade.adapters.sqlite.opening import connect, open_file
from papertrade.adapters.sqlite.places import Place
from papertrade.adapters.sqlite.schema import check_number
from papertrade.errors import OutcomeUnknownError, StoreClosedError, StoreMisconfiguredError

T = TypeVar("T")


class Handle:
    """An open file. Nothing is retried: what SQLite could not do is raised, and the next call begins anew."""

    def __init__(self, place: Place) -> None:
        self._closed = True  # until it is open
        self._owner = os.getpid()
        self._lock = Lock()
        self._place = place
        self._path = place.path
        self._connection: sqlite3.Connection | None
        self._connection, self._described = open_file(place)
        self._file = os.stat(self._path).st_ino
        self._closed = False

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction with the right to write. Errors until the commit mean that nothing was stored."""
        self._check_usable()
        with self._lock:
            connection = self._ready()
            try:
                with translated(self._path):
                    connection.execute("BEGIN IMMEDIATE")
                    found = work(connection)
                self._commit(connection)
                return found
            finally:
                self._undo(connection)

    def _write_checked(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Likewise, for what does not look at the schema's number by itself."""

        def checked(connection: sqlite3.Connection) -> T:
            check_number(connection, self._path)
            return work(connection)

        return self._write(checked)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Look something up, all of it at one moment of the file."""
        self._check_usable()
        with self._lock:
            connection = self._ready()
            try:
                with translated(self._path):
                    connection.execute("BEGIN")
                    return work(connection)
            finally:
                self._undo(connection)

    def _alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Something that SQLite does outside of transactions."""
        self._check_usable()
        with self._lock:
            connection = self._ready()
            with translated(self._path):
                return work(connection)

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as why:
            raise OutcomeUnknownError(f"{self._path}: the commit failed, the disk may have it or not: {why}") from why

    def _undo(self, connection: sqlite3.Connection) -> None:
        """Leave nothing half done; a connection that cannot even do that is not used again."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._owner != os.getpid():  # the connection and the lock belong to the process that opened it
            self._closed = True
            return
        with self._lock:
            self._closed = True
            self._drop()

    def _check_usable(self) -> None:
        """Before the lock: in a forked process somebody who is not there may hold it."""
        if self._owner != os.getpid():
            raise StoreMisconfiguredError(
                f"{self._path} was opened by process {self._owner}; this is {os.getpid()}: open it again after a fork"
            )
        if self._closed:
            raise StoreClosedError(f"the store {self._path} was closed")

    def _ready(self) -> sqlite3.Connection:
        """The connection with nothing begun on it; a new one when the last could not be trusted any more."""
        self._check_usable()
        if not self._is_there():
            raise StoreMisconfiguredError(f"{self._path} was moved or deleted while it was open")
        if self._connection is not None:
            self._undo(self._connection)
        if self._connection is None:
            self._connection = connect(self._place)
        return self._connection

    def _is_there(self) -> bool:
        try:
            return os.stat(self._path).st_ino == self._file
        except OSError:
            return False
