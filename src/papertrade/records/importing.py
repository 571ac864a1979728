"""An account enters a store from its file: checked to the end first, then put page by page, byte for byte."""

from __future__ import annotations

import os
from typing import BinaryIO, NamedTuple

from papertrade.codec.chain import GENESIS
from papertrade.errors import InvalidValueError, StoreConflictError, StoreCorruptError, StoreHistoryError
from papertrade.ports.store import Conflict, Store
from papertrade.ports.store_extras import Commit, Moving
from papertrade.records.reading import AccountFile, Page
from papertrade.records.support import Target, moving


class Imported(NamedTuple):
    """What was imported. ``added`` is 0 when the store had all of it already."""

    account: str
    version: int
    chain: str
    commits: int
    added: int


class _Known(NamedTuple):
    """A page of the file that was found good, without what is in it."""

    first: int
    last: int
    offset: int
    hash: bytes
    before: str  # the hash that it follows on


def import_account(store: Store, source: Target, account: str | None = None) -> Imported:
    """Put the account of a file (or of a binary stream that can seek) into a store.

    The whole file is checked before the first record is stored. Interrupted, it is simply run again and goes on where
    it stopped. ``account`` says whose file it has to be. An account that the store has already is left as it is if the
    file holds the same history, and is an ``StoreHistoryError`` if it does not.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _import(moving(store), store, source, account)
    with open(source, "rb") as stream:
        return _import(moving(store), store, stream, account)


def check_file(stream: BinaryIO, account: str | None = None) -> None:
    """Read the file of an account to its end, without a store: what ``import_account`` would say of it is raised."""
    for _ in _opened(stream, account).pages():
        pass


def _opened(stream: BinaryIO, account: str | None) -> AccountFile:
    """The file, if it is that of the account."""
    file = AccountFile(stream)
    if account is not None and account != file.header.account:
        raise InvalidValueError("account", account, f"the account of the file, {file.header.account!r}")
    return file


def _import(target: Moving, store: Store, stream: BinaryIO, account: str | None) -> Imported:
    file = _opened(stream, account)
    name = file.header.account
    head = store.head(name)
    common = min(head, file.header.version)
    pages, chain, commits, count = list[_Known](), GENESIS, set[Commit](), 0
    there = GENESIS  # the file's hash at the version up to which the store has something
    for page in file.pages():
        pages.append(_Known(page.first, page.last, page.offset, page.hash, chain))
        chain = page.records[-1].chain
        count += len(page.commits)
        if page.first <= common:
            there = page.records[min(common, page.last) - page.first].chain
            commits.update(commit for commit in page.commits if commit.first <= common)
    if common:
        if store.chain_at(name, common) != there:
            raise StoreHistoryError(name, common, "their events differ")
        if {commit for commit in target.commits(name, 0, common) if commit.first <= common} != commits:
            raise StoreHistoryError(name, common, "their commit ids differ")
    for known in pages:
        if known.last > head:
            head = _put(target, file, known, head)
    found = store.chain_at(name, file.header.version)
    if found != file.header.chain:
        raise StoreCorruptError(f"{name!r} was imported and its hash is {found}, not {file.header.chain}")
    return Imported(name, file.header.version, chain, count, file.header.version - common)


def _put(target: Moving, file: AccountFile, known: _Known, head: int) -> int:
    """Store what a page has beyond a version; answers the version it ends with."""
    page: Page = file.page(known.offset, known.before, known.first - 1)
    if page.hash != known.hash:
        raise StoreCorruptError("the file was changed while it was imported")
    new = page.records[head - page.last :]
    commits = [commit for commit in page.commits if commit.first > head]
    outcome = target.put_records(file.header.account, head, new, commits)
    if isinstance(outcome, Conflict):
        raise StoreConflictError(file.header.account, head, outcome.actual)
    return page.last
