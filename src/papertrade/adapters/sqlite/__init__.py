"""The SQLite store: an account in a file. Imported only by name, so that nobody loads sqlite3 who does not need it."""

from papertrade.adapters.sqlite.places import DURABILITIES, JOURNALS
from papertrade.adapters.sqlite.store import SQLiteStore

__all__ = ["DURABILITIES", "JOURNALS", "SQLiteStore"]
