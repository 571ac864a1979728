"""Where a file may be: file systems that are refused, and the journal for places without a write-ahead log."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlite_files import filled
from store_cases import batch, chain

from papertrade.adapters.sqlite import JOURNALS, SQLiteStore, opening, places
from papertrade.adapters.sqlite.opening import several_writers
from papertrade.adapters.sqlite.places import NETWORK, file_system
from papertrade.adapters.sqlite.schema import NEWEST
from papertrade.errors import InvalidValueError, StoreMisconfiguredError, StoreUnavailableError
from papertrade.ports.store import Appended, StoredSnapshot

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
proc /proc proc rw,nosuid 0 0
server:/export /mnt/shared nfs4 rw,vers=4.2 0 0
/dev/vdb /mnt/shared/local xfs rw 0 0
//nas/home /home/me/my\\040share cifs rw 0 0
me@host:/ /home/me/remote fuse.sshfs rw 0 0
tmpfs /over tmpfs rw 0 0
host /over 9p rw 0 0
/dev/vdc /home/me/remote/../x ext4
odd
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/paper.db", "ext4"),
        ("/mnt/paper.db", "ext4"),
        ("/mnt/shared/paper.db", "nfs4"),
        ("/mnt/sharedness/paper.db", "ext4"),
        ("/mnt/shared/local/paper.db", "xfs"),
        ("/home/me/my share/deep/paper.db", "cifs"),
        ("/home/me/remote/paper.db", "fuse.sshfs"),
        ("/over/paper.db", "9p"),
    ],
)
def test_the_nearest_mount_says_the_file_system(path: str, kind: str) -> None:
    """The longest mount point above a path, and of two on the same point the later one."""
    assert file_system(path, MOUNTS) == kind
    assert file_system(path, "") == ""


def test_which_file_systems_are_networks() -> None:
    """Those that Linux calls so; a disk, a memory disk and what a container stacks are none."""
    for kind in ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.rclone", "ceph", "lustre", "afs"):
        assert NETWORK.fullmatch(kind), kind
    for kind in ("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "apfs", "vfat", "", "nfsd"):
        assert not NETWORK.fullmatch(kind), kind


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before there is a file; whoever insists is warned by describe()."""
    said = tmp_path / "mounts"
    monkeypatch.setattr(places, "MOUNTS", str(said))
    said.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    path = tmp_path / "paper.db"
    with pytest.raises(StoreMisconfiguredError, match="network file system \\(nfs4\\)"):
        SQLiteStore(path)
    assert not path.exists()
    store = SQLiteStore(path, journal="rollback", allow_network=True)
    assert store.describe()["file_system"].startswith("nfs4: warning")
    store.close()
    said.write_text(f"/dev/vda {tmp_path} ext4 rw 0 0\n")
    store = SQLiteStore(path)
    assert store.describe()["file_system"] == "ext4"
    store.close()
    said.unlink()
    store = SQLiteStore(path)
    assert store.describe()["file_system"] == "unknown"
    store.close()


def test_the_mounts_of_this_machine_are_read(tmp_path: Path) -> None:
    """On Linux a file is on something."""
    if not os.path.exists("/proc/mounts"):
        pytest.skip("this system does not say what is mounted")
    assert file_system(str(tmp_path / "paper.db"), places.mounts())


# ----------------------------------------------------------- the rollback journal


@pytest.mark.parametrize("durability", ["every command", "batched", "memory"])
@pytest.mark.parametrize("journal", JOURNALS)
def test_the_journal_is_set_and_read_back(journal: str, durability: str, tmp_path: Path) -> None:
    """Asked for by name, shown as SQLite says it; each durability means the same with either."""
    path = tmp_path / "paper.db"
    store = SQLiteStore(path, journal=journal, durability=durability)
    kind, said = JOURNALS[journal], store.describe()
    name, number, meaning = kind.durabilities[durability]
    assert meaning == JOURNALS["write-ahead"].durabilities[durability][2]
    assert (said["journal_mode"], said["synchronous"]) == (kind.mode, f"{number} ({name})")
    assert said["journal"] == f"{journal}: {kind.meaning}"
    assert store.append(batch(0, 2)) == Appended(1, 2)
    assert os.path.exists(f"{path}-wal") == (journal == "write-ahead")
    store.close()


def test_an_unknown_journal_is_misuse(tmp_path: Path) -> None:
    """It names what is accepted, and makes no file."""
    with pytest.raises(InvalidValueError, match="'rollback'"):
        SQLiteStore(tmp_path / "paper.db", journal="wal")
    assert os.listdir(tmp_path) == []


def test_a_file_goes_over_to_the_journal_it_is_opened_with(tmp_path: Path) -> None:
    """There and back, with everything that is in it; nothing stays beside it that anybody else may read."""
    path = tmp_path / "paper.db"
    filled(path)
    for journal in ("rollback", "write-ahead", "rollback"):
        store = SQLiteStore(path, journal=journal)
        assert store.verify("main") == ("main", 5, chain(5))
        assert store.get_snapshot("main") == StoredSnapshot(4, chain(4), b"snapshot")
        store.close()
        assert os.listdir(tmp_path) == ["paper.db"]


def test_a_file_in_use_keeps_its_journal(tmp_path: Path) -> None:
    """While somebody has it open with a write-ahead log, another journal is unavailable, and the file works on."""
    path = tmp_path / "paper.db"
    store = SQLiteStore(path)
    store.append(batch(0))
    with pytest.raises(StoreUnavailableError, match="locked"):
        SQLiteStore(path, journal="rollback", wait_s=0)
    assert store.append(batch(1)) == Appended(2, 2)
    store.close()


class _WithoutSharedMemory:
    """A connection in a place where no write-ahead log is possible."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self.real = real

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        return self.real.execute("PRAGMA journal_mode" if sql == "PRAGMA journal_mode = wal" else sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def test_where_no_log_is_possible_the_other_journal_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what may do instead, and it does."""
    real = opening._connection
    monkeypatch.setattr(opening, "_connection", lambda place, mode: _WithoutSharedMemory(real(place, mode)))
    with pytest.raises(StoreMisconfiguredError, match="journal='rollback' may do"):
        SQLiteStore(tmp_path / "paper.db")
    store = SQLiteStore(tmp_path / "paper.db", journal="rollback")
    assert store.append(batch(0)) == Appended(1, 1)
    store.close()


def test_the_fault_of_the_write_ahead_log_is_not_the_other_journals() -> None:
    """Several writers are safe with a rollback journal, whatever the version."""
    assert several_writers((3, 40, 1), "rollback") == "safe"
    assert several_writers((3, 40, 1), "write-ahead") != "safe"


# -------------------------------------------------------------------- its name


def test_the_name_of_a_new_file_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory goes to the disk before anything is answered; a file that is there costs no such sync."""
    real, synced = os.fsync, []

    def fsync(number: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(number).st_mode))
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    SQLiteStore(tmp_path / "paper.db").close()
    assert synced == [True]
    SQLiteStore(tmp_path / "paper.db").close()
    assert synced == [True]


def test_a_directory_that_cannot_be_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems that cannot do it are excused; a disk that fails is not."""

    def fails(code: int) -> None:
        def fsync(number: int) -> None:
            raise OSError(code, "planned")

        monkeypatch.setattr(os, "fsync", fsync)

    fails(22)
    SQLiteStore(tmp_path / "paper.db").close()
    fails(5)
    with pytest.raises(StoreMisconfiguredError, match="planned"):
        SQLiteStore(tmp_path / "other.db")


# -------------------------------------------------------- what a dead process left


def half_written(path: Path, *statements: str) -> Path:
    """A copy of a file in the middle of a transaction that had to write to it: its rollback journal lies beside it."""
    other = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA cache_size = 1", *statements, "BEGIN IMMEDIATE"):
        other.execute(statement).fetchall()
    other.execute("UPDATE streams SET name = name || 'x'")
    other.execute("UPDATE events SET chain = zeroblob(5000)")
    folder = path.parent / "died"
    folder.mkdir()
    for name in ("paper.db", "paper.db-journal"):
        (folder / name).write_bytes((path.parent / name).read_bytes())
    other.close()
    assert (folder / "paper.db").read_bytes() != path.read_bytes(), "it had not written yet"
    return folder / "paper.db"


@pytest.mark.parametrize("journal", JOURNALS)
def test_a_process_that_died_while_it_committed(journal: str, tmp_path: Path) -> None:
    """What it left half done is undone by whoever opens the file, and everything before is there."""
    filled(tmp_path / "paper.db")
    path = half_written(tmp_path / "paper.db")
    store = SQLiteStore(path, journal=journal)
    assert store.streams() == ["main", "other"]
    assert store.verify("main") == ("main", 5, chain(5))
    store.close()


def test_a_newer_file_is_refused_also_when_somebody_died_on_it(tmp_path: Path) -> None:
    """It is brought back to its last commit, as SQLite does for any reader, and no further."""
    filled(tmp_path / "paper.db")
    path = half_written(tmp_path / "paper.db", f"PRAGMA user_version = {NEWEST + 1}")
    with pytest.raises(StoreMisconfiguredError, match=f"schema {NEWEST + 1}"):
        SQLiteStore(path)
    assert path.read_bytes() == (tmp_path / "paper.db").read_bytes()
