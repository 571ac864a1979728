"""``papertrade verify``, ``papertrade rebuild-tables`` and ``papertrade erase``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from papertrade.commands.stores import opened

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from papertrade.ports.store import Store
    from papertrade.records.checking import Checked


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module."""
    verify = commands.add_parser("verify", help="read everything of an account, or of all, and check that it is whole")
    verify.add_argument("store", help="where it is: paper.db, sqlite:path or another address")
    verify.add_argument("account", nargs="?", help="all accounts if left out")
    verify.add_argument("--no-tables", action="store_true", help="leave out the SQL tables of history")
    verify.set_defaults(run=_verify)
    rebuild = commands.add_parser("rebuild-tables", help="make the SQL tables of history anew from the journals")
    rebuild.add_argument("store")
    rebuild.add_argument("account", nargs="?", help="all accounts if left out")
    rebuild.set_defaults(run=_rebuild)
    erase = commands.add_parser("erase", help="delete an account for good; its name cannot be used again")
    erase.add_argument("store")
    erase.add_argument("account")
    erase.add_argument("--note", default="", help="kept in place of the account: why, or on whose request")
    erase.add_argument("--yes", action="store_true", help="without it nothing is erased")
    erase.set_defaults(run=_erase)


def _verify(asked: argparse.Namespace) -> int:
    from papertrade.errors import InvariantError, StoreCorruptError
    from papertrade.records.checking import verify_account
    from papertrade.records.history import verify_tables

    wrong = 0
    with opened(asked.store) as store:
        for account in [asked.account] if asked.account else _accounts(store):
            try:
                found = verify_account(store, account, tables=not asked.no_tables)
                print(f"{account}: good, {found.version} events, chain {found.chain}{_noted(found)}")
            except (StoreCorruptError, InvariantError) as why:
                wrong += 1
                print(f"{account}: WRONG: {' '.join([str(why), *getattr(why, '__notes__', [])])}")
        try:
            if not asked.no_tables:
                verify_tables(store)
        except StoreCorruptError as why:
            wrong += 1
            print(f"tables: WRONG: {why}")
    return 1 if wrong else 0


def _noted(found: Checked) -> str:
    """What is no damage: tables that are right and do not go as far as the journal, and a snapshot of before."""
    tables = f", tables up to {found.tables}" if 0 < (found.tables or 0) < found.version else ""
    return tables + ", its snapshot is of an older papertrade and not used" * found.outdated


def _accounts(store: Store) -> Iterator[str]:
    """Every account of a store."""
    names = store.streams()
    while names:
        yield from (name for name in names if store.head(name))
        names = store.streams(names[-1])


def _rebuild(asked: argparse.Namespace) -> int:
    from papertrade.records.support import known_head
    from papertrade.tables import rebuild_tables

    with opened(asked.store) as store:
        if asked.account:
            known_head(store, asked.account)
        for account in rebuild_tables(store, asked.account):
            print(f"{account}: tables made anew from {store.head(account)} events")
    return 0


def _erase(asked: argparse.Namespace) -> int:
    from papertrade.records.erasing import erase_account

    if not asked.yes:
        print(f"nothing was erased: add --yes to delete {asked.account!r} of {asked.store} for good", file=sys.stderr)
        return 2
    with opened(asked.store) as store:
        erase_account(store, asked.account, asked.note)
    print(f"{asked.account}: erased")
    return 0
