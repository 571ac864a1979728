"""A connection to SQLite whose k-th statement fails when it is told to, in every way in which a statement can fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from papertrade.adapters.sqlite import opening


def sqlite_error(code: int, text: str = "planned") -> sqlite3.OperationalError:
    """What the driver raises for a result code of SQLite."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_PLANNED"
    return error


Work = Callable[[], Any]


def _instead(why: BaseException) -> Callable[[Work, Work], Any]:
    def fail(work: Work, undo: Work) -> Any:
        raise why

    return fail


def _after(why: BaseException) -> Callable[[Work, Work], Any]:
    def fail(work: Work, undo: Work) -> Any:
        work()
        raise why

    return fail


def _undone(why: BaseException) -> Callable[[Work, Work], Any]:
    """SQLite ends the whole transaction by itself for some errors."""

    def fail(work: Work, undo: Work) -> Any:
        undo()
        raise why

    return fail


FAULTS: dict[str, Callable[[Work, Work], Any]] = {
    "busy": _instead(sqlite_error(sqlite3.SQLITE_BUSY)),
    "input/output error": _instead(sqlite_error(sqlite3.SQLITE_IOERR)),
    "input/output error, undone": _undone(sqlite_error(sqlite3.SQLITE_IOERR)),
    "input/output error, done": _after(sqlite_error(sqlite3.SQLITE_IOERR)),
    "full, undone": _undone(sqlite_error(sqlite3.SQLITE_FULL)),
    "out of memory": _instead(sqlite_error(sqlite3.SQLITE_NOMEM)),
    "interrupted": _instead(KeyboardInterrupt("planned")),
    "interrupted, done": _after(KeyboardInterrupt("planned")),
}


class Plan:
    """Which statements fail, over all connections of a test. ``statements`` are those seen while armed."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        self._fault: Callable[[Work, Work], Any] | None = None
        self._first = self._last = 0
        self._armed = False
        self._each: Callable[[str, Any], bool] | None = None
        real = opening._connection
        patch.setattr(opening, "_connection", lambda place, mode: FaultyConnection(real(place, mode), self))

    def arm(self, fault: Callable[[Work, Work], Any] | None, first: int, last: int) -> None:
        """Fail the first-th to last-th statement from now on, counted from 1."""
        self.statements = []
        self._fault, self._first, self._last, self._armed = fault, first, last, True

    def fail_each(self, concerns: Callable[[str, Any], bool]) -> None:
        """Fail every statement that a rule picks by its text and its parameters."""
        self._each = concerns

    def heal(self) -> None:
        """Work again."""
        self._armed, self._each = False, None

    def do(self, sql: str, parameters: Any, work: Work, undo: Work) -> Any:
        """One statement."""
        if self._each is not None and self._each(sql, parameters):
            raise sqlite_error(sqlite3.SQLITE_IOERR)
        if not self._armed:
            return work()
        self.statements.append(sql)
        if self._fault is None or not self._first <= len(self.statements) <= self._last:
            return work()
        return self._fault(work, undo)


class FaultyConnection:
    """Passes everything to a real connection, but for the planned statements."""

    def __init__(self, real: sqlite3.Connection, plan: Plan) -> None:
        self.real, self.plan = real, plan

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        def undo() -> None:
            if self.real.in_transaction:
                self.real.execute("ROLLBACK")

        return self.plan.do(sql, parameters, lambda: self.real.execute(sql, parameters), undo)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)
