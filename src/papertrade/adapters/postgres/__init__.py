"""The PostgreSQL store: accounts on a database server. Imported only by name; it needs the extra ``postgres``."""

from papertrade.adapters.postgres.aio import AsyncPostgresStore
from papertrade.adapters.postgres.place import DURABILITIES
from papertrade.adapters.postgres.store import PostgresStore

__all__ = ["DURABILITIES", "AsyncPostgresStore", "PostgresStore"]
