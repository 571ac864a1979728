"""The tables of history on a PostgreSQL server, held against the rows that the journal comes to.

Everything is read in one transaction that sees one moment, and nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import psycopg

from papertrade.adapters import tables
from papertrade.adapters.postgres.exchanges import Statement
from papertrade.adapters.postgres.faults import typed
from papertrade.adapters.postgres.reading import Database, asked, head_of
from papertrade.adapters.postgres.statements import COMMIT
from papertrade.adapters.postgres.tables import POSTGRES
from papertrade.adapters.postgres.trips import Flow, Trip
from papertrade.adapters.postgres.writing import undo
from papertrade.adapters.tables import Table
from papertrade.ports.store_extras import Compared

MOST: Final = 10  # of what is wrong, that is told
_ONE_MOMENT: Final = (b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
_STRANGE: Final = """
    SELECT DISTINCT t.account FROM {s}.%s AS t WHERE NOT EXISTS (
        SELECT FROM {s}.streams AS s
        WHERE s.name = convert_to(t.account, 'UTF8') AND s.version > 0 AND s.erased IS NULL) LIMIT 10"""


def compare_rows(db: Database, stream: str, rows: Sequence[Any], counted: bool) -> Flow[Compared]:
    """Look for rows by their keys, one statement for each table, and compare them column by column."""
    yield from head_of(db, stream)
    if "\0" in stream:  # a text of the server holds no NUL
        return Compared(0, 0, (), {})
    wanted: dict[str, list[list[Any]]] = {}
    for row in rows:
        table = tables.BY_ROW[type(row)]
        wanted.setdefault(table.name, []).append(tables.writer(table, POSTGRES)(row))
    looks = [_look(db, tables.BY_NAME[name], values) for name, values in wanted.items()]
    names = list(tables.BY_NAME) if counted else []
    counts = [_sent(db, f"SELECT count(*) FROM {{s}}.{name} WHERE account = %s", stream) for name in names]
    kept = _sent(db, "SELECT version, form FROM {s}.tabled WHERE account = %s", stream)
    trip = Trip(_ONE_MOMENT, kept, *looks, *counts, COMMIT)
    try:
        yield trip
    except psycopg.Error as why:
        yield from undo()
        raise typed(why, db.place) from why
    answers = [answer.rows for answer in trip.answers[1:-1]]
    wrong = [
        said
        for (name, values), found in zip(wanted.items(), answers[1:], strict=False)
        for said in _differences(tables.BY_NAME[name], values, found)
    ]
    totals = {name: found[0][0] for name, found in zip(names, answers[1 + len(looks) :], strict=True)}
    version, form = answers[0][0] if answers[0] else (0, 0)
    return Compared(version, form, wrong[:MOST], totals)


def _look(db: Database, table: Table, values: Sequence[Sequence[Any]]) -> Statement:
    """Rows by their keys, each with the place at which it is wanted."""
    columns = table.columns()
    names = [c.name for c in columns]
    kinds = ", ".join(f"{c.name} {POSTGRES.types[c.sort]}" for c in columns if c.name in table.key)
    keys = [
        {"place": place, **{n: v for n, v in zip(names, row, strict=True) if n in table.key}}
        for place, row in enumerate(values)
    ]
    query = (
        f"SELECT k.place, {', '.join(f't.{name}' for name in names)} "
        f"FROM jsonb_to_recordset(%s::jsonb) AS k (place bigint, {kinds}) "
        f"JOIN {{s}}.{table.name} AS t ON {' AND '.join(f't.{name} = k.{name}' for name in table.key)}"
    )
    return _sent(db, query, json.dumps(keys))


def _differences(table: Table, wanted: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]) -> list[str]:
    by_place = {row[0]: row[1:] for row in found}
    sorts = [c.sort for c in table.columns()]
    said = []
    for place, values in enumerate(wanted):
        shown = [_shown(sort, value) for sort, value in zip(sorts, values, strict=True)]
        if one := tables.difference(table, shown, by_place.get(place)):
            said.append(one)
    return said


def _shown(sort: str, value: Any) -> Any:
    """A value that was sent, as the server answers it."""
    if value is None:
        return None
    if sort == "amount":
        return Decimal(value)
    return datetime.fromisoformat(value) if sort == "instant" else value


def strange_rows(db: Database) -> Flow[list[str]]:
    """Rows of accounts without a journal."""
    found = []
    for name in (*tables.BY_NAME, "tabled"):
        trip = yield from asked(db, (_sent(db, _STRANGE % name)[0], ()))
        found += [f"{name} has rows of {account!r:.80}, and there is no such journal" for (account,) in trip.rows]
    return found


def _sent(db: Database, text: str, *values: Any) -> Statement:
    return " ".join(text.format(s=db.place.schema).split()).encode("ascii"), values
