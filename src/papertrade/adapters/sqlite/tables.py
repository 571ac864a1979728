"""The tables of history in an SQLite file: written beside the journal, on a connection that holds the transaction.

SQLite has no exact decimals, so an amount is canonical decimal text; an instant is ISO text of one length, which sorts,
and whole nanoseconds beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final

from papertrade.adapters import tables
from papertrade.adapters.sqlite.journal import head_of
from papertrade.adapters.sqlite.schema import check_history
from papertrade.adapters.tables import Dialect
from papertrade.domain.instants import SECOND_NS, text_of_instant
from papertrade.domain.numbers import text_of, units_of_text
from papertrade.domain.rows import Cleared, Upto
from papertrade.errors import InvalidValueError
from papertrade.ports.store_extras import Search, Tabling

PROGRESS: Final = "tabled"
_WHOLE: Final = ("count", "flag", "ns")


def _same(value: Any) -> Any:
    return value


@lru_cache(maxsize=256)  # the rows of a step name few instants, each of them often
def _instant(ns: int) -> str:
    """ISO text with nine decimals, always: what is later is greater."""
    whole = text_of_instant(ns - ns % SECOND_NS)
    return f"{whole[:-1]}.{ns % SECOND_NS:09d}Z"


SQLITE: Final = Dialect(
    placeholder="?",
    types={**dict.fromkeys(("text", "json", "amount", "instant"), "TEXT"), **dict.fromkeys(_WHOLE, "INTEGER")},
    writers={
        **dict.fromkeys(("text", "json", *_WHOLE), _same),
        "flag": int,
        "amount": text_of,
        "instant": _instant,
    },
    readers={**dict.fromkeys(("text", "json", *_WHOLE), _same), "flag": bool, "amount": units_of_text},
    has_tag="EXISTS (SELECT 1 FROM json_each(tags) WHERE key = ? AND value = ?)",
    ending=" STRICT",
)


@cache
def _statements() -> dict[type[Any], tuple[str, Any]]:
    """For each row its statement and what makes its values."""
    return {t.row: (tables.upsert(t, SQLITE), tables.writer(t, SQLITE)) for t in tables.TABLES}


def put(connection: sqlite3.Connection, stream: str, expected: int, rows: Sequence[Any]) -> None:
    """Write the rows of an append that expected a version, if the tables are kept up to it."""
    if not rows:
        return
    upto = rows[0]
    if type(upto) is not Upto or upto.account != stream:
        raise InvalidValueError("rows", upto, "rows that begin with an Upto of this stream")
    moved = connection.execute(
        "UPDATE tabled SET version = ? WHERE account = ? AND version = ? AND form = ?",
        (upto.version, stream, expected, upto.form),
    )
    if not moved.rowcount:
        if expected:
            return  # the tables are behind: whoever opens the account next brings them up
        _begin(connection, upto)
    _write(connection, rows)


def bring_up(connection: sqlite3.Connection, stream: str, kept: Tabling, rows: Sequence[Any], anew: bool) -> bool:
    """Write rows after those that are there, or anew; False when the tables are not as they were."""
    if progress(connection, stream)[:2] != kept[:2]:
        return False
    if anew:
        forget(connection, stream)
    _begin(connection, rows[0])
    _write(connection, rows)
    return True


def _begin(connection: sqlite3.Connection, upto: Upto) -> None:
    connection.execute("INSERT OR REPLACE INTO tabled VALUES (?, ?, ?)", upto)


def _write(connection: sqlite3.Connection, rows: Sequence[Any]) -> None:
    statements = _statements()
    for row in rows[1:]:
        if type(row) is Cleared:
            connection.execute("DELETE FROM positions WHERE account = ?", row)
            continue
        statement, values = statements[type(row)]
        connection.execute(statement, values(row))


def forget(connection: sqlite3.Connection, stream: str) -> None:
    """Delete every row of a stream: it is erased, or its tables begin anew."""
    for name in (*tables.BY_NAME, PROGRESS):
        connection.execute(f"DELETE FROM {name} WHERE account = ?", (stream,))


def progress(connection: sqlite3.Connection, stream: str) -> Tabling:
    """How far the tables of a stream are kept, and its last day."""
    head_of(connection, stream)  # of an erased one there is nothing to say
    check_history(connection)
    row = connection.execute("SELECT version, form FROM tabled WHERE account = ?", (stream,)).fetchone()
    if row is None:
        return Tabling(0, 0, None)
    wallets = tables.BY_NAME["wallets"]
    names = ", ".join(c.name for c in tables.read_columns(wallets))
    last = connection.execute(
        f"SELECT {names} FROM wallets WHERE account = ? ORDER BY since_version DESC LIMIT 1", (stream,)
    ).fetchone()
    return Tabling(row[0], row[1], None if last is None else tables.read_row(wallets, SQLITE, last))


def search(connection: sqlite3.Connection, query: Search) -> list[str | int]:
    """The values that a search asks for."""
    head_of(connection, query.stream)
    statement, values = tables.select(query, SQLITE)
    return [value for (value,) in connection.execute(statement, values)]
