"""A trip of a writer as one exchange of packets.

The driver's cursors take several turns for each statement: they look for the types of its values, wait, and look at
what came. The values of a writer are bytes, whole numbers, text, and lists of these; so they are spelled here, and all
statements of a trip leave in one piece. Each is prepared on its connection when it is used there for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from struct import Struct
from typing import Any, Final, NamedTuple, TypeAlias

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8
from psycopg.waiting import Ready, Wait

from papertrade.adapters.postgres.lines import AsyncLine, Line, Row

Statement: TypeAlias = "tuple[bytes, tuple[Any, ...] | dict[str, Any]]"
Spelled: TypeAlias = "tuple[bytes | None, int]"  # a value, and whether it is bytes (1) or text (0) to the server

_VALUE: Final = re.compile(rb"%(?:\((\w+)\))?[bs]")
_NUMBER: Final = Struct("!q")
_ARRAY: Final = Struct("!iiiii")  # one dimension, whether it has NULLs, the type, how many there are, the first index
_SIZE: Final = Struct("!i")
_TYPES: Final[Mapping[type, int]] = {bytes: 17, Int8: 20, str: 25}
_READERS: Final[Mapping[int, Callable[[bytes], Any]]] = {
    16: lambda data: data == b"\1",
    17: bytes,
    20: lambda data: _NUMBER.unpack(data)[0],
}
_DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_NAMES: Final = count(1)


class Answer(NamedTuple):
    """What the server said to one statement: its tag (``COMMIT``, ``INSERT 0 1``), and rows."""

    tag: str
    rows: list[Row]


def exchange(line: Line | AsyncLine, statements: Sequence[Statement], answers: list[Answer]) -> PQGen[None]:
    """Send statements together, and add what is answered to the answers; raise the first error of the server's."""
    encoding = line.info.encoding
    spelled = [_spelled(query, values, encoding) for query, values in statements]  # before anything is sent
    pgconn = line.pgconn
    pgconn.enter_pipeline_mode()
    asked: list[bytes | None] = []  # what is answered in turn: that a query is prepared, or a statement
    for query, data, formats in spelled:
        name = line.prepared.get(query)
        if name is None:
            name = line.prepared[query] = b"papertrade %d" % next(_NAMES)
            pgconn.send_prepare(name, query)
            asked.append(query)
        pgconn.send_query_prepared(name, data, formats, 1)
        asked.append(None)
    pgconn.pipeline_sync()
    while pgconn.flush():
        ready = yield Wait.RW
        if ready and ready & Ready.R:
            pgconn.consume_input()
    wrong = yield from _answered(line, asked, answers)
    if wrong is not None:
        raise wrong


def _answered(
    line: Line | AsyncLine, asked: Sequence[bytes | None], answers: list[Answer]
) -> PQGen[psycopg.Error | None]:
    """Read until everything was answered; what the server refused first, it has not done, nor anything after it."""
    wrong: psycopg.Error | None = None
    pgconn = line.pgconn
    turn, ended = 0, False
    while True:
        try:
            while pgconn.is_busy():
                if (yield Wait.R):
                    pgconn.consume_input()
            result = pgconn.get_result()
        except psycopg.Error as lost:
            return wrong or lost
        if result is None:
            if ended:
                return wrong or psycopg.OperationalError("the line was lost")
            ended = True  # one answer did; two ends in a row are the end of the line
            continue
        ended = False
        if result.status == ExecStatus.PIPELINE_SYNC:
            pgconn.exit_pipeline_mode()
            return wrong
        query = asked[turn] if turn < len(asked) else None
        turn += 1
        if result.status not in _DONE:
            if query is not None:
                line.prepared.pop(query, None)
            if wrong is None:
                wrong = error_from_result(result, line.info.encoding)
        elif query is None:
            answers.append(Answer((result.command_status or b"").decode("ascii", "replace"), _rows_of(result)))


def _rows_of(result: PGresult) -> list[Row]:
    columns = [(column, _READERS.get(result.ftype(column), bytes)) for column in range(result.nfields)]
    return [tuple(_read(result.get_value(row, at), reader) for at, reader in columns) for row in range(result.ntuples)]


def _read(data: bytes | None, reader: Callable[[bytes], Any]) -> Any:
    return None if data is None else reader(data)


# ---------------------------------------------------------------------- spelling


def _spelled(
    query: bytes, values: tuple[Any, ...] | dict[str, Any], encoding: str
) -> tuple[bytes, list[bytes | None], list[int]]:
    """A query as the server reads it, and its values. Their types are those that the query has in their places."""
    numbered, names = _numbered(query)
    if isinstance(values, dict):
        values = tuple(values[name] for name in names)
    found = [_value(value, encoding) for value in values]
    return numbered, [data for data, _ in found], [form for _, form in found]


@lru_cache(256)
def _numbered(query: bytes) -> tuple[bytes, tuple[str, ...]]:
    """A query with ``$1`` in the place of the driver's ``%b`` or ``%(name)b``, and the names in their order."""
    names: list[str] = []

    def place(found: re.Match[bytes]) -> bytes:
        name = (found[1] or b"%d" % len(names)).decode("ascii")
        if name not in names:
            names.append(name)
        return b"$%d" % (names.index(name) + 1)

    return _VALUE.sub(place, query), tuple(names)


def _value(value: Any, encoding: str) -> Spelled:
    """One value: text goes as text, which the server reads as whatever has to be there."""
    if value is None:
        return None, 1
    if type(value) is list:
        return _list(value, encoding)
    return _single(value, encoding), type(value) is not str


def _single(value: Any, encoding: str) -> bytes:
    kind = type(value)
    if kind is bytes:
        return value  # type: ignore[no-any-return]
    if kind is str:
        return value.encode(encoding)  # type: ignore[no-any-return]
    if kind is Int8:
        return _NUMBER.pack(value)
    raise TypeError(f"no writer sends {kind.__name__}")


def _list(values: list[Any], encoding: str) -> Spelled:
    """An array of one type, which the server holds against the one in the query unless it comes as text."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return b"{%s}" % b",".join([b"NULL"] * len(values)), 0
    (kind,) = kinds
    parts = [_ARRAY.pack(1, None in values, _TYPES[kind], len(values), 1)]
    for value in values:
        if value is None:
            parts.append(_SIZE.pack(-1))
        else:
            data = _single(value, encoding)
            parts += (_SIZE.pack(len(data)), data)
    return b"".join(parts), 1
