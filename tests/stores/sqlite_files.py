"""Files for the tests of the SQLite store, and ways to do to them what papertrade would not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from store_cases import batch, chain

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.ports.store import StoredSnapshot


def filled(path: Path) -> None:
    """A closed file with two journals, two keys and a snapshot."""
    store = SQLiteStore(path)
    store.append(batch(0, 3, commit="k"))
    store.append(batch(3, 2))
    store.append(batch(0, 2, stream="other", commit="k"))
    store.put_snapshot("main", StoredSnapshot(4, chain(4), b"snapshot"))
    store.close()


def sql(path: Path, *statements: str) -> None:
    """Do something to the file that papertrade would not."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
