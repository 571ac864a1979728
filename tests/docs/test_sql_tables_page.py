"""The reference of the SQL tables lists the columns that a file has, in their order, and what SQLite says of each."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from test_reference import plain, rows_with

from papertrade.adapters.sqlite.tables import SQLITE
from papertrade.adapters.tables import TABLES, Table
from papertrade.tables import schema_sql


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as a store makes it."""
    path = tmp_path_factory.mktemp("tables") / "paper.db"
    connection = sqlite3.connect(path)
    connection.executescript(schema_sql("sqlite"))
    connection.close()
    return path


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_of_the_page_are_those_of_the_file(table: Table, file: Path) -> None:
    """Each column with its sort, and whether it may be null."""
    heading = f"column of `{table.name}`"
    rows = rows_with("sql-tables.md", heading, "sort", "null", "what it holds")
    shown = [(plain(row[heading]), SQLITE.types[row["sort"]], row["null"] == "may be") for row in rows]
    connection = sqlite3.connect(file)
    found = connection.execute(f"SELECT name, type, \"notnull\" FROM pragma_table_info('{table.name}')").fetchall()
    connection.close()
    assert shown == [(name, kind, not required) for name, kind, required in found]
    assert all(row["what it holds"] for row in rows)


def test_sorts_on_the_page_are_those_of_sqlite() -> None:
    """Each sort of value with its type."""
    rows = rows_with("sql-tables.md", "sort", "in SQLite")
    assert {row["sort"]: plain(row["in SQLite"]) for row in rows} == dict(SQLITE.types)


def test_sorts_on_the_page_are_those_of_postgres() -> None:
    """And the server's types, if its driver is here."""
    types = pytest.importorskip("papertrade.adapters.postgres.tables", exc_type=ImportError).POSTGRES.types
    rows = rows_with("sql-tables.md", "sort", "in PostgreSQL")
    assert {row["sort"]: plain(row["in PostgreSQL"]) for row in rows} == types
