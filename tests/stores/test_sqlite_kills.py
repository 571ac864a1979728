"""Killed at any instant: nothing acknowledged is lost, nothing happens twice, nothing is half there (G5a).

A long run of the same is ``python -m tests.proofs.kills --kills 5000``. A kill does not show a missing sync, because
the system keeps what a dead process wrote; durability against power loss is not tested here.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from killing import Killer

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.errors import StoreError
from papertrade.ports.store import Append, Appended, Outcome

KILLS = 30


def test_thirty_kills(tmp_path: Path) -> None:
    """Thirty processes trade on files and are killed; each time the file is what was answered."""
    tally = Killer(tmp_path / "paper.db", seed=1).run(KILLS, each=15)
    assert tally.broken == []
    assert tally.kills == KILLS
    assert tally.heard > 100
    assert min(tally.at["a statement"], tally.at["any moment"]) > 5


_KEYED = ("order_accepted", "order_rejected", "cash_deposited")


class _AnswersFirst(SQLiteStore):
    """Says that a batch is stored, and stores it with the next one."""

    _later: tuple[Append, ...] = ()

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        if self._later:
            super().append_many(self._later)
        self._later = tuple(batches)
        return [Appended(one.expected + 1, one.expected + len(one.events)) for one in batches]


class _ForgetsKeys(SQLiteStore):
    """Keeps no key, so that no repetition is recognized."""

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        return super().append_many([one._replace(commit_id=None) for one in batches])


class _StoresInParts(SQLiteStore):
    """An order and what came of it in two transactions; every thirtieth time it is killed between them."""

    _cuts = 0

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        found: list[Outcome | StoreError] = []
        for one in batches:
            cut = next((n for n, event in enumerate(one.events, 1) if event.kind in _KEYED), len(one.events))
            (outcome,) = super().append_many([one._replace(events=one.events[:cut])])
            if isinstance(outcome, Appended) and one.events[cut:]:
                self._cuts += 1
                if self._cuts == 30:  # chance alone meets the gap after 2 kills or after 200
                    os.kill(os.getpid(), signal.SIGKILL)
                rest = Append(one.stream, outcome.last, one.events[cut:])
                (outcome,) = super().append_many([rest])
            found.append(Appended(one.expected + 1, outcome.last) if isinstance(outcome, Appended) else outcome)
        return found


class _WritesTablesLater(SQLiteStore):
    """Rows in a transaction of their own, when the next events come."""

    _late: Sequence[tuple[str, int, Sequence[object]]] = ()

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        for late in self._late:
            self.put_rows(*late)
        kept = [self.tabled(one.stream) for one in batches]
        found = super().append_many([one._replace(rows=()) for one in batches])
        self._late = [(one.stream, before, one.rows) for one, before in zip(batches, kept, strict=True)]
        return found


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (_AnswersFirst, "an acknowledged command is not stored"),
        (_ForgetsKeys, "a key acted more than once"),
        (_StoresInParts, "half a batch"),
        (_WritesTablesLater, "tables of another version"),
    ],
)
def test_bad_stores_are_found_out(bad: type[SQLiteStore], found: str, tmp_path: Path) -> None:
    """The control: a store that breaks its word does not get through as many kills."""
    for seed in (1, 2, 3, 4, 5):
        tabled = bad is _WritesTablesLater  # the others break their word about journals

        def opener(path: Path, tabled: bool = tabled) -> SQLiteStore:
            return bad(path, durability="memory", tables=tabled)

        tally = Killer(tmp_path / "paper.db", seed, opener, tabled=tabled).run(200)
        if tally.broken and any(broken.what == found for broken in tally.broken):
            return
    pytest.fail(f"not found out: {tally.broken}")
