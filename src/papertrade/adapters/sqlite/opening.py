"""Opening the file: settings that are set, read back and held to what was asked."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from papertrade.adapters.sqlite.faults import translated
from papertrade.adapters.sqlite.places import JOURNALS, Place, described_place
from papertrade.adapters.sqlite.schema import (
    check_counts,
    check_index,
    check_known,
    check_schema,
    migrate,
    migrations,
)
from papertrade.errors import StoreMisconfiguredError

WAL_RESET_MENDED: Final = (3, 51, 3)


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
    """Refuse what is not ours by a connection that cannot write, so that a refused file stays as it is.

    Where a process died while it wrote, whoever comes next has to undo what it left half done before anything can be
    read, and that takes the right to write. SQLite does it by what lies beside the file, whosever the file is.
    """
    with translated(place.path):
        try:
            _check_known(place, "ro")
        except sqlite3.OperationalError as why:
            if why.sqlite_errorcode not in (sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY):
                raise
            _check_known(place, "rw")


def _check_known(place: Place, mode: str) -> None:
    looking = _connection(place, mode)
    try:
        check_known(looking, place.path)
    finally:
        looking.close()


def connect(place: Place) -> sqlite3.Connection:
    """A connection with our settings to a file that is there; it never creates one: a lost file is no new account."""
    with translated(place.path):
        connection = _connection(place, "rw")
        try:
            synchronous = JOURNALS[place.journal].durabilities[place.durability][0]
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
    """Make the tables and set the journal mode.

    SQLite does not always wait for a lock while a file changes its journal mode, and several processes may open a new
    file in the same instant; so this asks again until the time to wait is over. It is done once in the life of a file.
    """
    until = time.monotonic() + place.wait_s
    wanted = JOURNALS[place.journal].mode
    while True:
        try:
            migrate(connection, place.path)
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != wanted:
                (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
            if mode != wanted:
                raise StoreMisconfiguredError(
                    f"{place.path}: the journal mode is {mode} and cannot be {wanted} here; "
                    f"{' or '.join(f'journal={name!r}' for name in JOURNALS if name != place.journal)} may do"
                )
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
    name, number, meaning = JOURNALS[place.journal].durabilities[place.durability]
    if read["synchronous"] != str(number):
        raise StoreMisconfiguredError(f"{place.path}: synchronous is {read['synchronous']} and not {number} ({name})")
    return {
        "kind": "sqlite",
        "durability": f"{place.durability}: {meaning}",
        "path": place.path,
        "file_system": described_place(place),
        "sqlite_version": sqlite3.sqlite_version,
        "journal": f"{place.journal}: {JOURNALS[place.journal].meaning}",
        "journal_mode": read["journal_mode"],
        "synchronous": f"{read['synchronous']} ({name})",
        "page_size": read["page_size"],
        "mmap_size": read["mmap_size"],
        "trusted_schema": read["trusted_schema"],
        "schema": f"{read['user_version']} of {len(migrations())}",
        "several_writers": several_writers(sqlite3.sqlite_version_info, place.journal),
    }


def several_writers(version: tuple[int, ...], journal: str = "write-ahead") -> str:
    """Whether several processes may write to one file with this SQLite."""
    if version >= WAL_RESET_MENDED or journal != "write-ahead":
        return "safe"
    return (
        "warning: with several writing processes at once this SQLite can, very rarely, damage the file (the WAL-reset "
        "bug, mended in 3.51.3); let one process write"
    )
