"""What SQLite says went wrong, as the store errors that say what to do about it."""

from __future__ import annotations

import re
import sqlite3
from typing import Final

from papertrade.adapters.tables import BY_NAME, missing
from papertrade.errors import (
    InvalidValueError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)

_MISCONFIGURED: Final = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOLFS,
}
# A constraint can only break when the file contradicts itself: what is unique is looked up before it is inserted.
_CORRUPT: Final = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_ERROR,  # our statements are fixed, so a table or column is not what it was
}
# Damage that SQLite reports as a failed read: a page checksum, a file system that noticed. Not in the module's names.
_CORRUPT_DETAILS: Final = {10 | (32 << 8), 10 | (33 << 8)}
_HISTORY: Final = re.compile(rf"no such table: (?:main\.)?({'|'.join((*BY_NAME, 'tabled'))})$")


def typed(why: sqlite3.Error, path: str) -> StoreError:
    """The store error for what SQLite said. For an append that failed before its commit: nothing was stored."""
    code: int | None = getattr(why, "sqlite_errorcode", None)
    text = f"{path}: {why}"
    if code is None:
        # The driver's own complaint: text that is not UTF-8 where text was stored, a connection it lost.
        return StoreCorruptError(text) if "decode" in str(why) else StoreUnavailableError(text)
    kind = code & 0xFF
    if kind == sqlite3.SQLITE_ERROR and (named := _HISTORY.search(str(why))):
        return StoreMisconfiguredError(f"{path}: {missing('table', named[1])}")
    if kind == sqlite3.SQLITE_FULL:
        return StoreFullError(text)
    if kind in _MISCONFIGURED:
        return StoreMisconfiguredError(text)
    if kind in _CORRUPT or code in _CORRUPT_DETAILS:
        return StoreCorruptError(text)
    return StoreUnavailableError(text)


class translated:  # noqa: N801  # reads as a word where it is used
    """SQLite's errors leave this block as store errors; a name that it cannot spell is misuse."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, why: BaseException | None, trace: object) -> None:
        if why is None:
            return
        if isinstance(why, UnicodeEncodeError):
            raise InvalidValueError("stream or commit id", why.object, "text that UTF-8 can spell") from None
        if isinstance(why, UnicodeDecodeError):  # even SQLite's message quotes what is no text any more
            raise StoreCorruptError(f"{self._path}: {why.object[:200]!r}") from None
        if isinstance(why, sqlite3.Error):
            raise typed(why, self._path) from why
