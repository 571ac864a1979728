"""A disk that loses power: a VFS that writes down what SQLite does to its files, and what may be left of it.

The model is the one that SQLite is written for. What was not synced may be gone, whole or by sectors of 512 bytes,
in any order, and a sector that was being written may hold anything. The name of a new file is on the disk when its
directory was synced, and so is the absence of a deleted one. Nothing that was synced changes, and nothing outside of
what was written does.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import apsw

SECTOR = 512
NAME = "power"
BESIDE = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


class Step(NamedTuple):
    """One thing that happened to the disk, or to whoever uses it."""

    what: str  # write, truncate, sync, link, unlink, directory, acknowledged
    file: int = 0
    at: int = 0
    data: bytes = b""
    name: str = ""


class Log:
    """What was done to the files of a folder, in order. Names are without the folder."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.names: dict[str, int] = {}
        self.files = 0

    def opened(self, name: str) -> int:
        """The file of a name, made if it is not there."""
        if name not in self.names:
            self.files += 1
            self.names[name] = self.files
            self.steps.append(Step("link", self.files, name=name))
        return self.names[name]

    def deleted(self, name: str, directory: bool) -> None:
        """A name is gone; perhaps its directory was synced."""
        if self.names.pop(name, None) is not None:
            self.steps.append(Step("unlink", name=name))
        if directory:
            self.steps.append(Step("directory"))


class _File(apsw.VFSFile):  # type: ignore[misc, name-defined]
    """A real file whose changes are written down."""

    def __init__(self, log: Log, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.log = log
        self.number = 0 if path is None else log.opened(os.path.basename(path))
        # The unix VFS syncs the directory with the first sync of a log or journal that it may have made.
        self.new = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & BESIDE)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        if self.number:
            self.log.steps.append(Step("write", self.number, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        if self.number:
            self.log.steps.append(Step("truncate", self.number, size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        if self.number:
            self.log.steps.append(Step("sync", self.number))
            if self.new:
                self.new = False
                self.log.steps.append(Step("directory"))


class Disk(apsw.VFS):  # type: ignore[misc, name-defined]
    """The VFS. There is one at a time."""

    def __init__(self, log: Log) -> None:
        self.log = log
        super().__init__(NAME, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802
        return _File(self.log, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(name, syncdir)
        self.log.deleted(os.path.basename(name), syncdir)


class Cursor:
    """What the store uses of a cursor of the standard library."""

    def __init__(self, real: Any, last: int) -> None:
        self.real, self.lastrowid = real, last

    def fetchone(self) -> Any:
        with _translated():
            return self.real.fetchone()

    def fetchall(self) -> list[Any]:
        with _translated():
            return list(self.real.fetchall())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class Connection:
    """What the store uses of a connection of the standard library, over this VFS."""

    def __init__(self, path: str, mode: str, wait_s: float) -> None:
        with _translated():
            self.real = apsw.Connection(
                f"{Path(path).as_uri()}?mode={mode}", apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_READWRITE, NAME
            )
        self.real.set_busy_timeout(int(wait_s * 1000))

    def execute(self, sql: str, parameters: Any = ()) -> Cursor:
        with _translated():
            return Cursor(self.real.execute(sql, parameters), self.real.last_insert_rowid())

    @property
    def in_transaction(self) -> bool:
        return bool(self.real.in_transaction)

    def close(self) -> None:
        with suppress(apsw.Error):  # a connection that cannot write tries to lock as it goes, and SQLite minds it not
            self.real.close(True)


class _translated:  # noqa: N801
    """apsw's errors leave this block as those of the standard library."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, why: Any, trace: Any) -> None:
        if isinstance(why, apsw.Error):
            error = sqlite3.OperationalError(str(why))
            error.sqlite_errorcode = getattr(why, "extendedresult", 1)
            raise error from why


# ------------------------------------------------------------------ what is left


class _Content:
    """One file: what is on the disk, and what was done since."""

    def __init__(self, data: bytes = b"") -> None:
        self.synced = bytearray(data)
        self.since: list[Step] = []

    def sync(self) -> None:
        for step in self.since:
            _apply(self.synced, step)
        self.since = []

    def left(self, how: str, draw: Random) -> bytes:
        """What may be there after the power was lost."""
        data = bytearray(self.synced)
        if how == "torn":
            steps = [_torn(step, draw) for step in self.since if draw.random() < 0.8]
            if draw.random() < 0.3:
                draw.shuffle(steps)
        elif how == "beginning":
            steps = [[step] for step in self.since[: draw.randint(0, len(self.since))]]
        else:
            steps = [[step] for step in self.since if how == "kept"]
        for parts in steps:
            for part in parts:
                _apply(data, part)
        return bytes(data)


def _apply(data: bytearray, step: Step) -> None:
    end = step.at + len(step.data)
    if step.what == "truncate":
        del data[step.at :]
    else:
        data.extend(bytes(max(0, end - len(data))))
        data[step.at : end] = step.data


def _torn(step: Step, draw: Random) -> list[Step]:
    """Some sectors of a write: new, not written, or anything."""
    if step.what == "truncate":
        return [step]
    parts = []
    for at in range(0, len(step.data), SECTOR):
        data, chance = step.data[at : at + SECTOR], draw.random()
        if chance < 0.05:
            data = draw.randbytes(len(data))
        if chance < 0.6:
            parts.append(step._replace(at=step.at + at, data=data))
    return parts


class Left:
    """The disk while a log is played: asked at any step, what may be left if the power is lost there."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.contents: dict[int, _Content] = {}
        self.names: dict[str, int] = {}  # as the directory is on the disk
        self.pending: list[Step] = []  # links and unlinks that are not
        for number, (name, data) in enumerate(sorted(files.items()), 1):
            self.contents[number] = _Content(data)
            self.names[name] = number

    def play(self, step: Step) -> None:
        """One more step was done."""
        if step.what in ("link", "unlink"):
            self.pending.append(step)
            if step.what == "link":
                self.contents[step.file] = _Content()
        elif step.what == "directory":
            for one in self.pending:
                _rename(self.names, one)
            self.pending = []
        elif step.what == "sync":
            self.contents[step.file].sync()
        elif step.what in ("write", "truncate"):
            self.contents[step.file].since.append(step)

    def images(self, key: str) -> Iterator[dict[str, bytes]]:
        """What may be left: the extremes, and some drawn mixtures."""
        for main, beside, links in (
            ("dropped", "dropped", "dropped"), ("kept", "kept", "kept"), ("kept", "dropped", "kept"),
            ("dropped", "kept", "kept"), ("kept", "kept", "dropped"), ("torn", "kept", "kept"),
            ("beginning", "beginning", "some"), ("torn", "torn", "some"), ("torn", "torn", "kept"),
        ):  # fmt: skip
            yield self._image(main, beside, links, Random(f"{key} {main} {beside} {links}"))

    def _image(self, main: str, beside: str, links: str, draw: Random) -> dict[str, bytes]:
        names = dict(self.names)
        for step in self.pending:
            if links == "kept" or (links == "some" and draw.random() < 0.5):
                _rename(names, step)
        return {
            name: self.contents[number].left(main if name.endswith(".db") else beside, draw)
            for name, number in sorted(names.items())
        }


def _rename(names: dict[str, int], step: Step) -> None:
    if step.what == "link":
        names[step.name] = step.file
    else:
        names.pop(step.name, None)
