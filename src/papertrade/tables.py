"""The SQL tables of history for those who look after a database: their DDL as text, and making them anew.

Nobody needs this in daily life. Tables are written with every command, and are brought up when an account is opened.
"""

from __future__ import annotations

from papertrade.domain.names import parse_name
from papertrade.errors import InvalidValueError, UsageError
from papertrade.hosting.flow import Flow, drive
from papertrade.hosting.tabling import tabulate
from papertrade.ports.store import Store
from papertrade.ports.store_extras import Tabled

KINDS = ("sqlite", "postgres")


def schema_sql(kind: str, schema: str = "papertrade") -> str:
    """Everything that a new database of papertrade holds, as a script for those who run their own migrations.

    A database that this script made is taken by the store as its own. ``schema`` is where PostgreSQL's tables go.

    >>> print(schema_sql("sqlite").splitlines()[0])
    -- papertrade on SQLite, schema 1 to 6. Run it on a file that does not exist yet.
    """
    if kind == "sqlite":
        from papertrade.adapters.sqlite.schema import script

        return script()
    if kind == "postgres":
        from papertrade.adapters.postgres import opening, place

        return opening.script(place.parse_schema(schema))
    raise InvalidValueError("kind", kind, ", ".join(map(repr, KINDS)))


def rebuild_tables(store: Store, account: str | None = None) -> list[str]:
    """Make the tables of an account anew from its journal, or those of all accounts; answers which ones.

    Each account's rows are deleted and begun again in one transaction, and the rest follows page by page; who reads
    meanwhile sees less than there was. The journal is only read. Tables that were dropped are made first; all begin
    empty then, and what is not rebuilt here is brought up when somebody opens or searches the account.
    """
    return drive(_rebuild(store, None if account is None else parse_name(account, "account")))


def _rebuild(store: Store, account: str | None) -> Flow[list[str]]:
    if not isinstance(store, Tabled):
        raise UsageError(f"{type(store).__name__} has no tables of history; stores on SQL databases have")
    make = getattr(store, "make_tables", None)
    if make is not None:
        yield make, ()
    done: list[str] = []
    names: list[str] = [account] if account is not None else (yield store.streams, ())
    while names:
        for name in names:
            version: int = yield store.head, (name,)
            kept = yield store.tabled, (name,)
            yield from tabulate(store, store, name, version, kept, anew=True)
            done.append(name)
        names = [] if account is not None else (yield store.streams, (names[-1],))
    return done
