"""The tables of history on a PostgreSQL server: amounts are ``numeric``, instants ``timestamptz``, tags ``jsonb``.

The rows of a trip go as one statement for each table, beside those of the journal. They are taken only for accounts
whose tables are kept up to the version that the append expected, which the server sees to. A ``timestamptz`` ends at
the microsecond; the column of nanoseconds beside it is exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from psycopg.types.numeric import Int8

from papertrade.adapters import tables
from papertrade.adapters.postgres.exchanges import Statement
from papertrade.adapters.postgres.lines import Row as Found
from papertrade.adapters.postgres.reading import Database, asked, head_of
from papertrade.adapters.postgres.trips import Flow
from papertrade.adapters.postgres.writing import CollidedError, Plan, Wanted, transact
from papertrade.adapters.tables import Dialect, Table
from papertrade.domain.instants import text_of_instant
from papertrade.domain.numbers import text_of
from papertrade.domain.rows import Cleared, Upto
from papertrade.errors import InvalidValueError
from papertrade.ports.store import Append
from papertrade.ports.store_extras import Search, Tabling

_EXACT: Final = ("text", "count", "flag", "ns")


def _same(value: Any) -> Any:
    return value


def _instant(ns: int) -> str:
    return text_of_instant(ns - ns % 1000)  # the server would round it


def _units(value: Decimal) -> int:
    """The units of a numeric, whatever the context of the host."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or exponent < -9:
        raise InvalidValueError("amount", value, "a number with at most 9 places")
    units: int = int("".join(map(str, digits))) * 10 ** (exponent + 9)
    return -units if sign else units


POSTGRES: Final = Dialect(
    placeholder="%s",
    types={"text": "text", "json": "jsonb", "count": "bigint", "flag": "boolean", "amount": "numeric",
           "instant": "timestamptz", "ns": "bigint"},
    writers={**dict.fromkeys(_EXACT, _same), "json": json.loads, "amount": text_of, "instant": _instant},
    readers={**dict.fromkeys(_EXACT, _same), "amount": _units},
    has_tag="tags @> jsonb_build_object(%s::text, %s::text)",
    ending="",
)  # fmt: skip

_MOVE: Final = """
    INSERT INTO {s}.tabled (account, version, form)
    SELECT w.account, w.version, w.form
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS w (account, expected, version, form)
    WHERE w.expected = 0 OR EXISTS (
        SELECT FROM {s}.tabled AS t WHERE t.account = w.account AND t.version = w.expected AND t.form = w.form)
    ON CONFLICT (account) DO UPDATE SET version = excluded.version"""
_CLEAR: Final = """
    DELETE FROM {s}.positions AS p USING {s}.tabled AS t
    WHERE p.account = %s AND t.account = p.account AND t.version = %s"""
_SET: Final = """
    INSERT INTO {s}.tabled VALUES (%s, %s, %s)
    ON CONFLICT (account) DO UPDATE SET version = excluded.version, form = excluded.form"""


def _sent(db: Database, text: str) -> bytes:
    return " ".join(text.format(s=db.place.schema).split()).encode("ascii")


# ------------------------------------------------------------------------ writing


def statements_of(db: Database, batches: Sequence[Append]) -> list[Statement]:
    """What writes the rows of batches that are about to be stored."""
    moved = [(batch, _upto(batch.stream, batch.rows)) for batch in batches if batch.rows]
    if not moved:
        return []
    columns = (
        [batch.stream for batch, _ in moved],
        [Int8(batch.expected) for batch, _ in moved],
        [Int8(upto.version) for _, upto in moved],
        [Int8(upto.form) for _, upto in moved],
    )
    found: list[Statement] = []
    # Two batches of one account are two steps; batches of different accounts are one.
    for part in _apart(moved):
        picked = tuple([column[number] for number in part] for column in columns)
        found.append((_sent(db, _MOVE), picked))
        found += _writes(db, [moved[number] for number in part])
    return found


def _apart(moved: Sequence[tuple[Append, Upto]]) -> list[list[int]]:
    """Which batches can be written together: no account twice."""
    parts: list[list[int]] = []
    seen: dict[str, int] = {}
    for number, (batch, _) in enumerate(moved):
        turn = seen[batch.stream] = seen.get(batch.stream, -1) + 1
        if turn == len(parts):
            parts.append([])
        parts[turn].append(number)
    return parts


def _upto(stream: str, rows: Sequence[object]) -> Upto:
    upto = rows[0]
    if type(upto) is not Upto or upto.account != stream or not _can_have_rows(stream):
        raise InvalidValueError("rows", upto, "rows that begin with an Upto of this stream")
    return upto


def _writes(db: Database, moved: Iterable[tuple[Append, Upto]]) -> list[Statement]:
    """One statement for each table that has rows."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    cleared: list[Statement] = []
    for batch, upto in moved:
        for row in batch.rows[1:]:
            if type(row) is Cleared:
                cleared = [*cleared, (_sent(db, _CLEAR), (batch.stream, Int8(upto.version)))]
                continue
            table = tables.BY_ROW[type(row)]
            values = tables.writer(table, POSTGRES)(row)  # type: ignore[arg-type]  # a named tuple
            names = (column.name for column in table.columns())
            by_table.setdefault(table.name, []).append({"upto": upto.version, **dict(zip(names, values, strict=True))})
    written = [(_upsert(db, tables.BY_NAME[name]), (json.dumps(rows),)) for name, rows in by_table.items()]
    return [*cleared, *written]


def _upsert(db: Database, table: Table) -> bytes:
    """Rows as JSON into a table, those of accounts whose tables have just come to this version."""
    columns = table.columns()
    names = [column.name for column in columns]
    kinds = ", ".join(f"{column.name} {POSTGRES.types[column.sort]}" for column in columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in table.key)
    text = (
        f"INSERT INTO {{s}}.{table.name} ({', '.join(names)}) SELECT {', '.join(f'r.{name}' for name in names)} "
        f"FROM jsonb_to_recordset(%s::jsonb) AS r (upto bigint, {kinds}) "
        "JOIN {s}.tabled AS t ON t.account = r.account AND t.version = r.upto "
        f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {changes}"
    )
    return _sent(db, text)


def _can_have_rows(stream: str) -> bool:
    """A text of the server holds no NUL; no account of a host has one in its name, though a stream may."""
    return "\0" not in stream


def forgotten(db: Database, stream: str) -> list[Statement]:
    """What deletes every row of a stream."""
    names = (*tables.BY_NAME, "tabled") if _can_have_rows(stream) else ()
    return [(_sent(db, f"DELETE FROM {{s}}.{name} WHERE account = %s"), (stream,)) for name in names]


def put_rows(db: Database, stream: str, kept: Tabling, rows: Sequence[object], anew: bool) -> Flow[bool]:
    """Write rows after those that are there, or anew; False when the tables are not as they were."""
    upto = _upto(stream, rows)

    def decide(heads: list[Found]) -> Flow[tuple[Plan, bool]]:
        found = yield from progress(db, stream)
        if found[:2] != kept[:2]:
            return Plan(()), False
        begin = forgotten(db, stream) if anew else []
        move = _sent(db, _SET), (stream, Int8(upto.version), Int8(upto.form))
        return Plan([*begin, move, *_writes(db, [(Append(stream, 0, (), rows=rows), upto)])]), True

    try:
        return (yield from transact(db, [Wanted(stream)], decide))
    except CollidedError:
        return False


# ------------------------------------------------------------------------ reading


def progress(db: Database, stream: str) -> Flow[Tabling]:
    """How far the tables of a stream are kept, and its last day."""
    yield from head_of(db, stream)  # of an erased one there is nothing to say
    if not _can_have_rows(stream):
        return Tabling(0, 0, None)
    wallets = tables.BY_NAME["wallets"]
    names = ", ".join(column.name for column in tables.read_columns(wallets))
    trip = yield from asked(
        db,
        (_sent(db, "SELECT version, form FROM {s}.tabled WHERE account = %s"), (stream,)),
        (
            _sent(db, f"SELECT {names} FROM {{s}}.wallets WHERE account = %s ORDER BY since_version DESC LIMIT 1"),
            (stream,),
        ),
    )
    row, last = trip.answers[0].rows, trip.answers[1].rows
    if not row:
        return Tabling(0, 0, None)
    version, form = row[0]
    return Tabling(version, form, tables.read_row(wallets, POSTGRES, last[0]) if last else None)


def search(db: Database, query: Search) -> Flow[list[str | int]]:
    """The values that a search asks for."""
    yield from head_of(db, query.stream)
    if not _can_have_rows(query.stream):
        return []
    statement, values = tables.select(query, POSTGRES, f"{db.place.schema}.")
    trip = yield from asked(db, (statement.encode("ascii"), tuple(values)))
    return [value for (value,) in trip.rows]
