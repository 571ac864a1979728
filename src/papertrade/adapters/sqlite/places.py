"""Where the file is: its path, its owner, its file system, and the journal and durability that were asked for there."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Mapping
from threading import Lock
from typing import Final, NamedTuple

from papertrade.errors import InvalidValueError, StoreCorruptError, StoreMisconfiguredError


class JournalMode(NamedTuple):
    """A way in which SQLite makes transactions whole."""

    mode: str  # as SQLite calls it
    meaning: str
    durabilities: Mapping[str, tuple[str, int, str]]  # name → synchronous, as it reads back, what it means


_EVERY: Final = "what was answered is on the disk: it survives a kill and a power loss"
_BATCHED: Final = "survives a kill; a power loss may take the last commands, never part of one"
_MEMORY: Final = "survives a kill; a power loss may damage the file"

# A rollback journal commits by being deleted, and only EXTRA waits until the directory says so on the disk; NORMAL
# would leave a window in which a power loss damages the file, so "batched" takes the next safer setting.
JOURNALS: Final[Mapping[str, JournalMode]] = {
    "write-ahead": JournalMode("wal", "readers and a writer do not wait for each other", {
        "every command": ("FULL", 2, _EVERY), "batched": ("NORMAL", 1, _BATCHED), "memory": ("OFF", 0, _MEMORY),
    }),
    "rollback": JournalMode("delete", "for places without shared memory; readers and a writer wait for each other", {
        "every command": ("EXTRA", 3, _EVERY), "batched": ("FULL", 2, _BATCHED), "memory": ("OFF", 0, _MEMORY),
    }),
}  # fmt: skip
"""What ``journal=`` may be."""

DURABILITIES: Final = JOURNALS["write-ahead"].durabilities
"""Name → synchronous as SQLite calls it, as it reads back, and what it means, with the default journal."""

# As /proc/mounts calls them: the locks of these cannot be relied on, and they share no memory between machines.
NETWORK: Final = re.compile(
    r"(?:nfs\d?|cifs|smb\w*|9p|afs|ceph|coda|ncpfs|lustre|gpfs|beegfs\w*|pvfs2|orangefs|vboxsf|davfs"
    r"|fuse\.(?:sshfs|smb\w*|nfs|ceph\S*|glusterfs|s3fs|s3ql|gcsfuse|goofys|rclone|davfs\d?|juicefs|moosefs|mfs|blobfuse\d?))"
)
MOUNTS: Final = "/proc/mounts"
HEADER_BYTES: Final = 100

# Creating a file closes it once, and a process that closes a file loses all its locks on it.
_CREATING: Final = Lock()


class Place(NamedTuple):
    """Which file, and how to use it."""

    path: str
    durability: str
    wait_s: float
    journal: str
    file_system: str  # its type, or nothing where that cannot be found out


def check_durability(durability: str) -> None:
    """Is it one of the words?"""
    if durability not in DURABILITIES:
        raise InvalidValueError("durability", durability, ", ".join(map(repr, DURABILITIES)))


def place_of(
    path: str | os.PathLike[str],
    durability: str,
    wait_s: float,
    follow_symlinks: bool,
    journal: str = "write-ahead",
    allow_network: bool = False,
) -> Place:
    """Look at a path before anything is opened; create the file if it is not there, readable by its owner only."""
    text = os.fspath(path)
    if type(text) is not str or not text or text.startswith((":", "file:")) or "\0" in text:
        raise InvalidValueError("path", path, "the path of a file, for example 'paper.db'; 'memory:' keeps nothing")
    check_durability(durability)
    if journal not in JOURNALS:
        raise InvalidValueError("journal", journal, ", ".join(map(repr, JOURNALS)))
    if type(wait_s) not in (int, float) or not 0 <= wait_s <= 3600:
        raise InvalidValueError("wait_s", wait_s, "seconds, from 0 to 3600")
    full = os.path.abspath(text)
    if not os.path.isdir(os.path.dirname(full)):
        raise StoreMisconfiguredError(f"{full}: the directory {os.path.dirname(full)} does not exist; create it first")
    if not follow_symlinks and os.path.islink(full):
        raise StoreMisconfiguredError(f"{full} is a symbolic link, and this store was told to follow none")
    full = os.path.realpath(full)  # the journal beside it belongs to the file, not to a link
    kind = file_system(full, mounts())
    if NETWORK.fullmatch(kind) and not allow_network:
        raise StoreMisconfiguredError(
            f"{full} is on a network file system ({kind}), where SQLite's locks cannot be relied on: use a local disk; "
            "allow_network=True, with journal='rollback', is for who knows that one process alone uses the file"
        )
    try:
        _create(full)
        found = os.stat(full)
    except OSError as why:
        raise StoreMisconfiguredError(f"{full}: {why.strerror}") from why
    if not stat.S_ISREG(found.st_mode):
        raise StoreMisconfiguredError(f"{full} is not a file")
    if 0 < found.st_size < HEADER_BYTES:  # SQLite takes a file of one byte for an empty one
        raise StoreCorruptError(f"{full} has {found.st_size} bytes, which is less than the header of a file")
    return Place(full, durability, float(wait_s), journal, kind)


def _create(path: str) -> None:
    with _CREATING:
        if not os.path.lexists(path):
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            except FileExistsError:
                return  # another process was quicker
            _sync_directory(os.path.dirname(path))


def _sync_directory(path: str) -> None:
    """A new name is on the disk when its directory is; not every system lets one sync a directory."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    except OSError as why:
        if why.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(directory)


def mounts() -> str:
    """What is mounted where, as Linux says; nothing on other systems."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as said:
            return said.read()
    except OSError:
        return ""


def file_system(path: str, text: str) -> str:
    """The type of the file system that a path is on: that of the longest mount point above it, the later of two."""
    longest, found = 0, ""
    for line in text.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), parts[1])  # spaces are written \040
        above = point if point.endswith("/") else f"{point}/"
        if len(above) >= longest and path.startswith(above):
            longest, found = len(above), parts[2]
    return found


def described_place(place: Place) -> str:
    """The file system, with a warning where it had to be allowed."""
    if not place.file_system:
        return "unknown"
    if NETWORK.fullmatch(place.file_system):
        return f"{place.file_system}: warning: over a network; let one process use the file, and no other"
    return place.file_system
