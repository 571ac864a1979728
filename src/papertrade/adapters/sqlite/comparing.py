"""The tables of history in an SQLite file, held against the rows that the journal comes to. Nothing is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache
from typing import Any

from papertrade.adapters import tables
from papertrade.adapters.sqlite.journal import head_of
from papertrade.adapters.sqlite.schema import HISTORY, check_history
from papertrade.adapters.sqlite.tables import SQLITE
from papertrade.adapters.tables import TABLES
from papertrade.ports.store_extras import Compared

MOST = 10  # of what is wrong, that is told


@cache
def _looked_for() -> dict[type[Any], tuple[tables.Table, str, list[int], Any]]:
    """For each row its table, the statement that looks for it, which of its values that takes, and those values."""
    found = {}
    for table in TABLES:
        names = [c.name for c in table.columns()]
        where = " AND ".join(f"{name} = ?" for name in table.key)
        query = f"SELECT {', '.join(names)} FROM {table.name} WHERE {where}"
        found[table.row] = table, query, [names.index(name) for name in table.key], tables.writer(table, SQLITE)
    return found


def compare_rows(connection: sqlite3.Connection, stream: str, rows: Sequence[Any], counted: bool) -> Compared:
    """Look for each row by its key, and compare it column by column."""
    head_of(connection, stream)
    check_history(connection)
    kept = connection.execute("SELECT version, form FROM tabled WHERE account = ?", (stream,)).fetchone() or (0, 0)
    wrong: list[str] = []
    looked_for = _looked_for()
    for row in rows:
        table, query, key, values = looked_for[type(row)]
        wanted = values(row)
        found = connection.execute(query, [wanted[place] for place in key]).fetchone()
        if said := tables.difference(table, wanted, found):
            wrong.append(said)
            if len(wrong) == MOST:
                break
    counts = {}
    for name in tables.BY_NAME if counted else ():
        (counts[name],) = connection.execute(f"SELECT count(*) FROM {name} WHERE account = ?", (stream,)).fetchone()
    version, form = kept
    return Compared(version, form, wrong, counts)


def strange_rows(connection: sqlite3.Connection) -> list[str]:
    """Rows that an index does not have or has otherwise, and rows of accounts without a journal."""
    check_history(connection)
    found: list[str] = []
    for name in sorted(HISTORY):
        for (said,) in connection.execute(f"PRAGMA integrity_check({name})").fetchmany(MOST):
            if said != "ok":
                found.append(f"{name}: {said}")
        owned = "SELECT name FROM streams WHERE version > 0"
        query = f"SELECT DISTINCT account FROM {name} WHERE account NOT IN ({owned}) LIMIT {MOST}"
        for (account,) in connection.execute(query):
            found.append(f"{name} has rows of {account!r:.80}, and there is no such journal")
    return found
