"""The SQLite store beyond the common contract: its file, its settings, what it refuses, and what it finds out."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlite_files import filled, sql
from store_cases import batch, chain, event

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import DURABILITIES, SQLiteStore
from papertrade.adapters.sqlite.opening import several_writers
from papertrade.domain.events import CashDeposited
from papertrade.errors import (
    InvalidValueError,
    StoreCorruptError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from papertrade.ports.store import AlreadyAppended, Append, Appended, StoredSnapshot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paper.db"


# ----------------------------------------------------------------- what is kept


def test_c21_everything_is_there_after_opening_again(path: Path) -> None:
    """Events, versions, keys, snapshots and the chain outlive the store object."""
    filled(path)
    store = SQLiteStore(path)
    assert list(store.load("main")) == [event(v) for v in range(1, 6)]
    assert (store.head("main"), store.head("other"), store.streams()) == (5, 2, ["main", "other"])
    assert store.find("main", "k") == Appended(1, 3)
    assert store.append(batch(0, 3, commit="k")) == AlreadyAppended(1, 3)
    assert store.get_snapshot("main") == StoredSnapshot(4, chain(4), b"snapshot")
    assert store.verify("main") == ("main", 5, chain(5))
    assert store.append(batch(5)) == Appended(6, 6)
    store.close()


def test_c39_the_chain_is_that_of_any_other_store(path: Path) -> None:
    """A journal that is copied from one store to another has the same hash there."""
    filled(path)
    store, memory = SQLiteStore(path), MemoryStore()
    memory.append(Append("main", 0, list(store.load("main"))))
    assert memory.verify("main") == store.verify("main")
    store.close()


def test_c11_versions_near_2_to_the_53(path: Path) -> None:
    """The last versions that a reader in another language can count are kept exactly."""
    filled(path)
    last = 2**53 - 2
    head = f"(SELECT chain FROM events WHERE stream = 1 AND version = {last})"
    sql(path, f"UPDATE events SET version = {last} WHERE stream = 1 AND version = 5",
        f"UPDATE streams SET version = {last}, chain = {head} WHERE id = 1")  # fmt: skip
    store = SQLiteStore(path)
    assert store.head("main") == last
    assert store.append(batch(last)) == Appended(last + 1, last + 1)
    with pytest.raises(StoreCorruptError):
        list(store.load("main", 1, 10))
    store.close()


def test_names_that_utf8_cannot_spell_are_refused(path: Path) -> None:
    """Half a surrogate pair is a typed refusal, and nothing is stored."""
    store = SQLiteStore(path)
    for call in (
        lambda: store.append(batch(0, stream="\ud800")),
        lambda: store.append(batch(0, commit="\ud800")),
        lambda: store.head("\ud800"),
        lambda: store.find("main", "\ud800"),
    ):
        with pytest.raises(InvalidValueError):
            call()
    assert store.streams() == []
    store.close()


def test_c42_erased_is_erased_from_the_disk_too(path: Path) -> None:
    """Neither the file nor its write-ahead log holds a byte of it afterwards; the name is kept, to refuse it."""
    store = SQLiteStore(path)
    deposits = [CashDeposited("main", v, 5, 1, "USD", f"secret-{v}", "") for v in range(1, 300)]
    store.append(Append("main", 0, deposits, "secret-key"))
    store.put_snapshot("main", StoredSnapshot(0, "0" * 64, b"secret-snapshot" * 1_000))
    store.append(batch(0, stream="other"))
    files = [path, Path(f"{path}-wal")]
    assert any(b"secret" in file.read_bytes() for file in files)
    store.erase("main")
    assert not any(b"secret" in file.read_bytes() for file in files)
    assert store.verify("other").version == 1
    store.close()


# ------------------------------------------------------------------ the file


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    """C09, permissions: 0600, for the file and for what SQLite keeps beside it."""
    store = SQLiteStore(path)
    store.append(batch(0))
    modes = {name: stat.S_IMODE(os.stat(path.parent / name).st_mode) for name in os.listdir(path.parent)}
    assert modes.keys() >= {"paper.db", "paper.db-wal"}
    assert set(modes.values()) == {0o600}
    store.close()
    assert os.listdir(path.parent) == ["paper.db"]


@pytest.mark.parametrize("name", ["what? 100%20#x.db", "käse.db", "a b;c.db", "-rf.db"])
def test_odd_names_of_files_are_names_of_files(name: str, tmp_path: Path) -> None:
    """Question marks, hashes, percent signs and accents mean nothing but themselves."""
    filled(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    store = SQLiteStore(tmp_path / name)
    assert store.head("main") == 5
    store.close()


@pytest.mark.parametrize("made", ["", ":memory:", "file:x.db", "a\0b.db", 5, None, b"x.db"])
def test_what_is_not_a_path_is_misuse(made: Any) -> None:
    """Misuse is told at once, and makes no file."""
    with pytest.raises((InvalidValueError, TypeError)):
        SQLiteStore(made)


@pytest.mark.parametrize(
    "options", [{"durability": "full"}, {"durability": 2}, {"wait_s": -1}, {"wait_s": float("nan")}]
)
def test_options_are_checked(path: Path, options: dict[str, Any]) -> None:
    """An unknown durability or an absurd wait names what is accepted, and makes no file."""
    with pytest.raises(InvalidValueError):
        SQLiteStore(path, **options)
    assert not path.exists()


def test_places_that_cannot_hold_a_file(path: Path) -> None:
    """A directory, a missing directory, and a symbolic link where none may be followed."""
    with pytest.raises(StoreMisconfiguredError, match="not a file"):
        SQLiteStore(path.parent)
    with pytest.raises(StoreMisconfiguredError, match="does not exist"):
        SQLiteStore(path.parent / "gone" / "paper.db")
    filled(path)
    link = path.parent / "link.db"
    link.symlink_to(path)
    with pytest.raises(StoreMisconfiguredError, match="symbolic link"):
        SQLiteStore(link, follow_symlinks=False)
    store = SQLiteStore(link)
    assert store.head("main") == 5
    store.close()


def test_a_file_that_went_away_is_not_a_new_account(path: Path) -> None:
    """Deleted or replaced while it is open: said so, instead of writing where nobody will look."""
    store = SQLiteStore(path)
    store.append(batch(0))
    path.rename(path.parent / "moved.db")
    with pytest.raises(StoreMisconfiguredError, match="moved or deleted"):
        store.append(batch(1))
    SQLiteStore(path).close()
    with pytest.raises(StoreMisconfiguredError, match="moved or deleted"):
        store.head("main")
    store.close()


# --------------------------------------------------------------- the settings


@pytest.mark.parametrize("durability", DURABILITIES)
def test_durability_is_set_and_read_back(path: Path, durability: str) -> None:
    """What describe() says of the file is what SQLite says, on the connection that writes."""
    store = SQLiteStore(path, durability=durability)
    name, number, meaning = DURABILITIES[durability]
    said = store.describe()
    assert said["durability"] == f"{durability}: {meaning}"
    assert said["synchronous"] == f"{number} ({name})"
    assert (said["kind"], said["journal_mode"], said["path"]) == ("sqlite", "wal", str(path))
    assert (said["mmap_size"], said["trusted_schema"], said["schema"]) == ("0", "0", "6 of 6")
    assert store._connection is not None
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (number,)
    store.close()


def test_the_default_is_the_durable_one(path: Path) -> None:
    """Who says nothing loses nothing."""
    store = SQLiteStore(path)
    assert store.describe()["durability"].startswith("every command: ")
    store.close()


def test_old_versions_of_sqlite_are_warned_about() -> None:
    """The WAL-reset bug is in everything before 3.51.3."""
    assert several_writers((3, 51, 3)) == several_writers((3, 60, 0)) == "safe"
    assert "WAL-reset" in several_writers((3, 51, 2))
    assert "WAL-reset" in several_writers((3, 40, 1))


# ------------------------------------------------------------ processes and threads


def test_c35_a_forked_child_is_told_to_open_it_again(path: Path) -> None:
    """SQLite's locks do not survive a fork: the child gets a typed error, the parent goes on."""
    store = SQLiteStore(path)
    store.append(batch(0))
    child = os.fork()
    if not child:
        code = 1
        try:
            store.append(batch(1))
        except StoreMisconfiguredError as why:
            code = 0 if "after a fork" in str(why) else 2
        finally:
            store.close()
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.append(batch(1)) == Appended(2, 2)
    store.close()


def test_c34_any_thread_may_use_it(path: Path) -> None:
    """A store made here is read and written there."""
    store, found = SQLiteStore(path), []
    thread = threading.Thread(target=lambda: found.append(store.append(batch(0))))
    thread.start()
    thread.join()
    assert found == [Appended(1, 1)]
    store.close()


def test_another_writer_is_waited_for_and_then_named(path: Path) -> None:
    """While somebody else holds the file, an append is unavailable (nothing was stored), and reading goes on."""
    filled(path)
    store = SQLiteStore(path, wait_s=0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="locked"):
        store.append(batch(5))
    assert store.head("main") == 5
    other.execute("ROLLBACK")
    other.close()
    assert store.append(batch(5)) == Appended(6, 6)
    store.close()


def test_c38_opening_often_leaks_nothing(path: Path) -> None:
    """Two hundred times open and closed, refused ones included: no file stays open."""
    filled(path)
    foreign = path.parent / "foreign.db"
    sql(foreign, "CREATE TABLE notes (text)")
    before = len(os.listdir("/dev/fd"))
    for _ in range(100):
        SQLiteStore(path).close()
        with pytest.raises(StoreMisconfiguredError):
            SQLiteStore(foreign)
    assert len(os.listdir("/dev/fd")) == before


# ------------------------------------------------------------------ addresses


def test_addresses_lead_to_files(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare file name, sqlite: with a relative path, and sqlite:// with an absolute one are the same file here."""
    monkeypatch.chdir(path.parent)
    relative, absolute = ("paper.db", "sqlite:paper.db", "sqlite:./paper.db"), (f"sqlite://{path}", f"sqlite:{path}")
    for address in (*relative, *absolute, str(path)):
        store = pt.open_store(address)
        assert store.describe()["path"] == str(path), address
        store.close()


@pytest.mark.parametrize(
    "address", ["paper", "memory", "sqlite:", "sqlite://", "sqlite://host/paper.db", "mysql://me:secret@host/db", ""]
)
def test_addresses_that_lead_nowhere(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake makes no file; the answer shows what would do, and no password."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValueError, match=r"paper\.db") as caught:
        pt.open_store(address)
    assert "secret" not in str(caught.value)
    assert os.listdir(tmp_path) == []
