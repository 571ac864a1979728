"""Bytes of the file that changed by themselves: found out, or of no effect on anything that is read (G16)."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from store_cases import HOSTILE_NAMES, batch, chain

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.errors import StoreError
from papertrade.ports.store import StoredSnapshot

FLIPS = 300
CUTS = 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed file: one long journal, many short ones, keys, a snapshot."""
    path = tmp_path_factory.mktemp("whole") / "paper.db"
    store = SQLiteStore(path, durability="memory")
    for number in range(40):
        store.append(batch(number, commit=f"key-{number}"))
    for name in HOSTILE_NAMES:
        store.append(batch(0, 2, stream=name, commit="k"))
    store.put_snapshot("main", StoredSnapshot(30, chain(30), b"a snapshot" * 20))
    store.close()
    return path.read_bytes()


def everything(path: Path) -> object:
    """All that a host can read of a file; looking a key up counts, because not finding it would act twice."""
    store = SQLiteStore(path, durability="memory")
    try:
        names = store.streams()
        keys = [store.find("main", f"key-{number}") for number in range(40)]
        kept = [(name, store.head(name), store.find(name, "k"), list(store.load(name))) for name in names]
        missing = [name for name in ("main", *HOSTILE_NAMES) if store.head(name) == 0]
        return names, keys, kept, missing, store.get_snapshot("main")
    finally:
        store.close()


def outcome(path: Path, damaged: bytes, good: object) -> str:
    path.write_bytes(damaged)
    for beside in ("-wal", "-shm"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    try:
        found = everything(path)
    except StoreError:
        return "found out"
    return "no effect" if found == good else "another state"


def test_flipped_bytes_never_make_another_state(whole: bytes, tmp_path: Path) -> None:
    """One byte anywhere is changed: the damage is reported, or nothing that is read differs. No other error."""
    path, chance = tmp_path / "paper.db", Random(5)
    assert outcome(path, whole, None) == "another state", "the control: the whole file is read"
    good = everything(path)
    seen: dict[str, int] = {}
    for at in chance.sample(range(len(whole)), FLIPS):
        damaged = bytearray(whole)
        damaged[at] ^= chance.choice([1, 4, 0x20, 0x80, 0xFF])
        found = outcome(path, bytes(damaged), good)
        assert found != "another state", f"byte {at} of {len(whole)}"
        seen[found] = seen.get(found, 0) + 1
    assert seen["found out"] > 20
    assert seen["no effect"] > 20  # empty space in pages


def test_a_file_cut_short_never_makes_another_state(whole: bytes, tmp_path: Path) -> None:
    """However much of its end is missing, and if anything is left at all."""
    path, chance = tmp_path / "paper.db", Random(6)
    path.write_bytes(whole)
    good = everything(path)
    for size in (1, 15, 16, 99, 100, 4095, 4096, len(whole) - 1, *chance.sample(range(1, len(whole)), CUTS)):
        assert outcome(path, whole[:size], good) == "found out", size


def test_pages_from_another_time_never_make_another_state(whole: bytes, tmp_path: Path) -> None:
    """A page that holds what another page holds, or nothing: a misdirected or a lost write."""
    path = tmp_path / "paper.db"
    path.write_bytes(whole)
    good = everything(path)
    pages = [whole[at : at + 4096] for at in range(0, len(whole), 4096)]
    for target in range(len(pages)):
        for page in (bytes(4096), pages[(target + 1) % len(pages)]):
            damaged = b"".join([*pages[:target], page, *pages[target + 1 :]])
            if damaged != whole:
                assert outcome(path, damaged, good) != "another state", target
