"""Trips to the server. What is asked is written once, as flows that yield trips; here are the two ways of waiting.

A flow is a generator. It yields a ``Trip``, statements that are sent together without waiting in between, and goes on
when their answers are in it; or the error is thrown into it, with the answers that came before.
"""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import TypeAlias, TypeVar

from psycopg import AsyncCursor, Cursor

from papertrade.adapters.postgres.exchanges import Answer, Statement, exchange
from papertrade.adapters.postgres.lines import AsyncLine, Line, Row, is_quiet

T = TypeVar("T")


class Trip:
    """Statements that go to the server together, and the answers that came back, in the same order.

    ``patience`` is how many seconds they may take on the server only because they wait for others.
    """

    __slots__ = ("answers", "patience", "statements")

    def __init__(self, *statements: Statement, patience: float = 0.0) -> None:
        self.statements = statements
        self.patience = patience
        self.answers: list[Answer] = []

    @property
    def rows(self) -> list[Row]:
        """Of the last statement."""
        return self.answers[-1].rows

    def tag(self, number: int) -> str:
        """What a statement was answered with; nothing when no answer came."""
        return self.answers[number].tag if number < len(self.answers) else ""


class WritersTrip(Trip):
    """A trip whose statements have the values that ``exchanges`` can spell.

    With ``fresh`` it is made only on a line on which nothing has happened since; otherwise there are no answers.
    """

    __slots__ = ("fresh",)

    def __init__(self, *statements: Statement, patience: float = 0.0, fresh: bool = False) -> None:
        super().__init__(*statements, patience=patience)
        self.fresh = fresh

    def is_made(self, connection: Line | AsyncLine) -> bool:
        """Whether it goes out on this line."""
        return not self.fresh or is_quiet(connection)


Flow: TypeAlias = "Generator[Trip, None, T]"


def drive(flow: Flow[T], connection: Line, timeout_s: float) -> T:
    """Run a flow to its end on a connection; no trip of it takes longer than the timeout and its patience."""
    try:
        trip = next(flow)
        while True:
            connection.until = monotonic() + timeout_s + trip.patience
            try:
                _send(connection, trip)
            except BaseException as why:
                trip = flow.throw(why)
            else:
                trip = next(flow)
    except StopIteration as stop:
        found: T = stop.value
        return found
    finally:
        connection.until = None


def _send(connection: Line, trip: Trip) -> None:
    if isinstance(trip, WritersTrip):
        if trip.is_made(connection):
            connection.wait(exchange(connection, trip.statements, trip.answers))
        return
    cursors: list[Cursor[Row]] = []
    try:
        if len(trip.statements) == 1:
            cursors.append(connection.execute(*trip.statements[0], binary=True))
        else:
            with connection.pipeline():
                for query, parameters in trip.statements:
                    cursors.append(connection.execute(query, parameters, binary=True))
    finally:
        for cursor in cursors:
            if cursor.pgresult is None:
                break
            rows = cursor.fetchall() if cursor.pgresult.nfields else []
            trip.answers.append(Answer(cursor.statusmessage or "", rows))


async def drive_async(flow: Flow[T], connection: AsyncLine, timeout_s: float) -> T:
    """The same with awaits."""
    try:
        trip = next(flow)
        while True:
            connection.until = monotonic() + timeout_s + trip.patience
            try:
                await _send_async(connection, trip)
            except BaseException as why:
                trip = flow.throw(why)
            else:
                trip = next(flow)
    except StopIteration as stop:
        found: T = stop.value
        return found
    finally:
        connection.until = None


async def _send_async(connection: AsyncLine, trip: Trip) -> None:
    if isinstance(trip, WritersTrip):
        if trip.is_made(connection):
            await connection.wait(exchange(connection, trip.statements, trip.answers))
        return
    cursors: list[AsyncCursor[Row]] = []
    try:
        if len(trip.statements) == 1:
            cursors.append(await connection.execute(*trip.statements[0], binary=True))
        else:
            async with connection.pipeline():
                for query, parameters in trip.statements:
                    cursors.append(await connection.execute(query, parameters, binary=True))
    finally:
        for cursor in cursors:
            if cursor.pgresult is None:
                break
            rows = await cursor.fetchall() if cursor.pgresult.nfields else []
            trip.answers.append(Answer(cursor.statusmessage or "", rows))
