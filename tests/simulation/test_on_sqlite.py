"""The simulated world on an SQLite file: every process has a connection of its own, and answers what the disk answers.

The simulated store keeps its plan of faults and deaths. What is asked of it is asked of the file as well, the two have
to agree, and the processes get the file's answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.domain.events import Event
from papertrade.errors import StoreMismatchError
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot

from . import hosts
from .run import run_seed
from .store_sim import SimStore

ASKED = ("write", "load", "head", "find", "get_snapshot", "put_snapshot")


class OnSQLite(SimStore):
    """A simulated line to the disk with a file behind it."""

    folder: Path
    counts: dict[str, int]

    def __init__(self, disk: Any, *rest: Any) -> None:
        super().__init__(disk, *rest)
        if not hasattr(disk, "file"):
            disk.file = Path(mkdtemp(dir=self.folder)) / "paper.db"
        self.file = SQLiteStore(disk.file, durability="memory")

    def _agreed(self, name: str, simulated: object, kept: object) -> None:
        assert kept == simulated, f"{name}: {simulated!r} on the simulated disk, {kept!r} in the file"
        self.counts[name] += 1

    def write(self, batch: Append, unsynced: bool) -> Outcome:
        """Whatever the power takes with it, in this very call, is not written to the file either."""
        if unsynced:
            return super().write(batch, unsynced)
        try:
            answer = super().write(batch, unsynced)
        except StoreMismatchError:
            with pytest.raises(StoreMismatchError):
                self.file.append(batch._replace(fence=None))
            raise
        self._agreed("write", answer, kept := self.file.append(batch._replace(fence=None)))
        return kept

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        simulated, kept = list(super().load(stream, start, stop)), list(self.file.load(stream, start, stop))
        self._agreed("load", simulated, kept)
        return iter(kept)

    def head(self, stream: str) -> int:
        self._agreed("head", super().head(stream), kept := self.file.head(stream))
        return kept

    def find(self, stream: str, commit_id: str) -> Appended | None:
        self._agreed("find", super().find(stream, commit_id), kept := self.file.find(stream, commit_id))
        return kept

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Both keep it, also when the answer is lost: it is bound to the same chain in both."""
        try:
            super().put_snapshot(stream, snapshot)
        finally:
            found = self.disk.streams.get(stream)
            if found is not None and found.snapshot is snapshot:
                self.file.put_snapshot(stream, snapshot)
                self._agreed("put_snapshot", snapshot, self.file.get_snapshot(stream))

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        self._agreed("get_snapshot", super().get_snapshot(stream), kept := self.file.get_snapshot(stream))
        return kept


@pytest.mark.parametrize("first", range(0, 24, 8))
def test_seeds_hold_on_a_file(first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one to three processes on one file that die and meet every fault, all invariants hold, on the same bytes."""
    monkeypatch.setattr(OnSQLite, "folder", tmp_path, raising=False)
    monkeypatch.setattr(OnSQLite, "counts", dict.fromkeys(ASKED, 0), raising=False)
    plain = [run_seed(seed, 120, thorough=False, notices=False).digest for seed in range(first, first + 8)]
    monkeypatch.setattr(hosts, "SimStore", OnSQLite)
    found = [run_seed(seed, 120, thorough=False, notices=False).digest for seed in range(first, first + 8)]
    assert found == plain
    assert all(OnSQLite.counts[name] for name in ("write", "load", "find", "get_snapshot")), OnSQLite.counts
