"""Opening the file: where it is, who may read it, and settings that are set, read back and held to what was asked."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from papertrade.adapters.sqlite.faults import translated
from papertrade.adapters.sqlite.schema import (
    check_counts,
    check_index,
    check_known,
    check_schema,
    migrate,
    migrations,
)
from papertrade.errors import InvalidValueError, StoreCorruptError, StoreMisconfiguredError

DURABILITIES: Final[Mapping[str, tuple[str, int, str]]] = {
    "every command": ("FULL", 2, "what was answered is on the disk: it survives a kill and a power loss"),
    "batched": ("NORMAL", 1, "survives a kill; a power loss may take the last commands, never part of one"),
    "memory": ("OFF", 0, "survives a kill; a power loss may damage the file"),
}
"""Name → synchronous as SQLite calls it, as it reads back, and what it means."""

HEADER_BYTES: Final = 100
WAL_RESET_MENDED: Final = (3, 51, 3)

# Creating a file closes it once, and a process that closes a file loses all its locks on it.
_CREATING: Final = Lock()


class Place(NamedTuple):
    """Which file, and how to use it."""

    path: str
    durability: str
    wait_s: float


def place_of(path: str | os.PathLike[str], durability: str, wait_s: float, follow_symlinks: bool) -> Place:
    """Look at a path before anything is opened; create the file if it is not there, readable by its owner only."""
    text = os.fspath(path)
    if type(text) is not str or not text or text.startswith((":", "file:")) or "\0" in text:
        raise InvalidValueError("path", path, "the path of a file, for example 'paper.db'; 'memory:' keeps nothing")
    if durability not in DURABILITIES:
        raise InvalidValueError("durability", durability, ", ".join(map(repr, DURABILITIES)))
    if type(wait_s) not in (int, float) or not 0 <= wait_s <= 3600:
        raise InvalidValueError("wait_s", wait_s, "seconds, from 0 to 3600")
    full = os.path.abspath(text)
    if not os.path.isdir(os.path.dirname(full)):
        raise StoreMisconfiguredError(f"{full}: the directory {os.path.dirname(full)} does not exist; create it first")
    if not follow_symlinks and os.path.islink(full):
        raise StoreMisconfiguredError(f"{full} is a symbolic link, and this store was told to follow none")
    full = os.path.realpath(full)  # the journal beside it belongs to the file, not to a link
    try:
        _create(full)
        found = os.stat(full)
    except OSError as why:
        raise StoreMisconfiguredError(f"{full}: {why.strerror}") from why
    if not stat.S_ISREG(found.st_mode):
        raise StoreMisconfiguredError(f"{full} is not a file")
    if 0 < found.st_size < HEADER_BYTES:  # SQLite takes a file of one byte for an empty one
        raise StoreCorruptError(f"{full} has {found.st_size} bytes, which is less than the header of a file")
    return Place(full, durability, float(wait_s))


def _create(path: str) -> None:
    with _CREATING:
        if not os.path.lexists(path):
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            except FileExistsError:
                return  # another process was quicker


def open_file(place: Place) -> tuple[sqlite3.Connection, Mapping[str, str]]:
    """A connection to a file that is whole and of our schema, and its settings as read back."""
    _look(place)
    connection = connect(place)
    try:
        with translated(place.path):
            _patiently(connection, place)
            check_schema(connection, place.path)
            check_index(connection, place.path)
            check_counts(connection, place.path)
            return connection, _settings(connection, place)
    except BaseException:
        connection.close()
        raise


def _look(place: Place) -> None:
    """Refuse what is not ours by a connection that cannot write, so that a refused file stays as it is."""
    with translated(place.path):
        looking = _connection(place, "ro")
        try:
            check_known(looking, place.path)
        finally:
            looking.close()


def connect(place: Place) -> sqlite3.Connection:
    """A connection with our settings to a file that is there; it never creates one: a lost file is no new account."""
    with translated(place.path):
        connection = _connection(place, "rw")
        try:
            synchronous = DURABILITIES[place.durability][0]
            for pragma in ("trusted_schema = OFF", "mmap_size = 0", "cell_size_check = ON", "fullfsync = ON",
                           "foreign_keys = OFF", "secure_delete = ON", f"synchronous = {synchronous}"):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection


def _connection(place: Place, mode: str) -> sqlite3.Connection:
    uri = f"{Path(place.path).as_uri()}?mode={mode}"
    return sqlite3.connect(
        uri, timeout=place.wait_s, isolation_level=None, check_same_thread=False, uri=True, cached_statements=64
    )


def _patiently(connection: sqlite3.Connection, place: Place) -> None:
    """Make the tables and turn the write-ahead log on.

    SQLite does not always wait for a lock while a file changes its journal mode, and several processes may open a new
    file in the same instant; so this asks again until the time to wait is over. It is done once in the life of a file.
    """
    until = time.monotonic() + place.wait_s
    while True:
        try:
            migrate(connection, place.path)
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != "wal":
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise StoreMisconfiguredError(f"{place.path}: no write-ahead log is possible here, journal mode {mode}")
            return
        except sqlite3.OperationalError as why:
            if (why.sqlite_errorcode or 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.005)


def _settings(connection: sqlite3.Connection, place: Place) -> Mapping[str, str]:
    """What holds, as SQLite says and not as it was asked for."""
    read = {}
    for pragma in ("journal_mode", "synchronous", "page_size", "mmap_size", "trusted_schema", "user_version"):
        row = connection.execute(f"PRAGMA {pragma}").fetchone()
        read[pragma] = "" if row is None else str(row[0])
    name, number, meaning = DURABILITIES[place.durability]
    if read["synchronous"] != str(number):
        raise StoreMisconfiguredError(f"{place.path}: synchronous is {read['synchronous']} and not {number} ({name})")
    return {
        "kind": "sqlite",
        "durability": f"{place.durability}: {meaning}",
        "path": place.path,
        "sqlite_version": sqlite3.sqlite_version,
        "journal_mode": read["journal_mode"],
        "synchronous": f"{read['synchronous']} ({name})",
        "page_size": read["page_size"],
        "mmap_size": read["mmap_size"],
        "trusted_schema": read["trusted_schema"],
        "schema": f"{read['user_version']} of {len(migrations())}",
        "several_writers": several_writers(sqlite3.sqlite_version_info),
    }


def several_writers(version: tuple[int, ...]) -> str:
    """Whether several processes may write to one file with this SQLite."""
    if version >= WAL_RESET_MENDED:
        return "safe"
    return (
        "warning: with several writing processes at once this SQLite can, very rarely, damage the file (the WAL-reset "
        "bug, mended in 3.51.3); let one process write"
    )
