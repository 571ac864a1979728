"""``papertrade beancount``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from papertrade.commands.stores import opened

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command of this module."""
    books = commands.add_parser("beancount", help="write the books of an account as text that bean-check accepts")
    books.add_argument("store", help="where it is: paper.db, sqlite:path or another address")
    books.add_argument("account")
    books.add_argument("file")
    books.add_argument("--under", default="", help="where its accounts go: Alice makes Assets:Alice:Cash")
    books.add_argument("--zone", default="UTC", help="whose calendar the dates are of, such as Asia/Kolkata")
    books.set_defaults(run=_beancount)


def _beancount(asked: argparse.Namespace) -> int:
    from papertrade.records.beancount import export_beancount

    with opened(asked.store) as store:
        done = export_beancount(store, asked.account, asked.file, under=asked.under, zone=asked.zone)
    print(f"{asked.account}: {done.transactions} transactions, {done.assertions} balances asserted in {asked.file}")
    return 0
