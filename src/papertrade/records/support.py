"""What the rooms of an account's records have in common: a store that can move accounts, and files written whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Final, TypeAlias, cast

from papertrade.errors import InvalidValueError, UnknownAccountError, UnsupportedError
from papertrade.ports.store import Store
from papertrade.ports.store_extras import Moving

Target: TypeAlias = str | os.PathLike[str] | BinaryIO
"""The path of a file, or a binary stream that is open already."""

_SQLITE: Final = b"SQLite format 3\0"  # how every such file begins


def moving(store: Store) -> Moving:
    """The store as one that accounts can leave, enter and be erased from."""
    if isinstance(store, Moving):
        return store
    _not_an_address(store)
    raise UnsupportedError(
        f"moving accounts on {type(store).__name__}", ["stores with papertrade.ports.store_extras.Moving"]
    )


def _not_an_address(store: object) -> None:
    if isinstance(store, (str, os.PathLike)):  # it may hold a password
        raise InvalidValueError("store", "an address", "a store, which papertrade.open_store(address) opens")


def known_head(store: Store, account: str) -> int:
    """The version of an account that is there."""
    _not_an_address(store)
    head = store.head(account)
    if not head:
        raise UnknownAccountError(account, [])
    return head


@contextmanager
def written_whole(target: Target) -> Iterator[BinaryIO]:
    """A stream to write to. A path gets a file that is complete and on the disk, or stays as it was.

    The file is readable by its owner only, as a store's own file is.
    """
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    path = os.path.abspath(os.fspath(target))
    if _is_database(path):
        raise InvalidValueError("target", path, "a file that is not a database: it would be replaced")
    folder, name = os.path.split(path)
    number, unfinished = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".part", dir=folder)
    try:
        with cast("IO[bytes]", os.fdopen(number, "wb")) as stream:
            yield cast(BinaryIO, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
        _sync_folder(folder)
    except BaseException:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise


def _is_database(path: str) -> bool:
    """Is an SQLite file there, perhaps the very store that is written from? Anything else may be replaced."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as found:
        return found.read(len(_SQLITE)) == _SQLITE


def _sync_folder(folder: str) -> None:
    """A new name is on the disk when its folder is."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
