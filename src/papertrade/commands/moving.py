"""``papertrade export`` and ``papertrade import``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from papertrade.commands.stores import is_new, opened

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module."""
    leave = commands.add_parser("export", help="write an account to one file, with its hash chain")
    leave.add_argument("store", help="where it is: paper.db, sqlite:path or another address")
    leave.add_argument("account")
    leave.add_argument("file")
    leave.set_defaults(run=_export)
    enter = commands.add_parser("import", help="put the account of a file into a store, checked to the end first")
    enter.add_argument("store", help="where it goes; a new SQLite file is made if there is none")
    enter.add_argument("file")
    enter.add_argument("--account", help="whose file it has to be")
    enter.set_defaults(run=_import)


def _export(asked: argparse.Namespace) -> int:
    from papertrade.records.exporting import export_account

    with opened(asked.store) as store:
        done = export_account(store, asked.account, asked.file)
    print(f"{done.account}: {done.version} events, {done.commits} keys, {done.size} bytes in {asked.file}")
    print(f"chain {done.chain}")
    return 0


def _import(asked: argparse.Namespace) -> int:
    from papertrade.records.importing import check_file, import_account

    with open(asked.file, "rb") as stream:
        if is_new(asked.store):  # a file that cannot be imported leaves no empty store behind
            check_file(stream, asked.account)
            stream.seek(0)
        with opened(asked.store, create=True) as store:
            done = import_account(store, stream, asked.account)
    print(f"{done.account}: {done.added} of {done.version} events were new, {done.commits} keys")
    print(f"chain {done.chain}")
    return 0
