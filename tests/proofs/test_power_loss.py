"""The proof of power losses on a little of it: the promises hold, and each way to promise less is found out.

It needs apsw, which the tests do without: ``python -m pip install apsw``. README.md has the command for all of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("apsw", reason="losing power needs apsw (python -m pip install apsw)")

from .power_disk import Left
from .power_loss import MEMORY, judged, lose
from .power_scenarios import SCENARIOS, Run, on_disk

FOLDER = MEMORY if MEMORY.is_dir() else None


@pytest.mark.parametrize("scenario", ["append", "migration", "erase"])
@pytest.mark.parametrize("journal", ["write-ahead", "rollback"])
def test_nothing_acknowledged_is_lost(journal: str, scenario: str) -> None:
    """Every thirtieth step of three scenarios: nothing lost, nothing damaged, and what is ahead is whole."""
    found = lose(scenario, "every command", journal, every=30, folder=FOLDER)
    assert (found.lost, found.corrupt) == (0, 0), found.first
    assert found.images >= 18
    assert found.acknowledged >= 3


@pytest.mark.parametrize("journal", ["write-ahead", "rollback"])
def test_batched_is_seen_to_lose_and_not_to_damage(journal: str) -> None:
    """The first control: what promises less loses what was acknowledged, and is whole."""
    found = lose("keys", "batched", journal, every=25, folder=FOLDER)
    assert found.lost
    assert not found.corrupt, found.first


@pytest.mark.parametrize("journal", ["write-ahead", "rollback"])
def test_memory_is_seen_to_lose_and_to_damage(journal: str) -> None:
    """The second control: without syncs a power loss takes what was acknowledged, or the file."""
    found = lose("checkpoints", "memory", journal, every=40, folder=FOLDER)
    assert found.lost
    assert found.corrupt


def test_the_judge_wants_both() -> None:
    """A promise that is broken, and a control that holds, are said."""
    assert judged("rollback", "every command", 0, 0) == []
    assert judged("rollback", "batched", 3, 0) == []
    assert judged("rollback", "memory", 3, 3) == []
    for durability, lost, corrupt in [
        ("every command", 1, 0), ("every command", 0, 1), ("batched", 0, 0), ("batched", 1, 1), ("memory", 1, 0),
        ("memory", 0, 1),
    ]:  # fmt: skip
        assert judged("rollback", durability, lost, corrupt)


@pytest.mark.parametrize(
    ("durability", "sync_names", "there"),
    [("every command", True, True), ("memory", True, True), ("every command", False, True), ("memory", False, False)],
)
def test_the_name_of_a_new_file(durability: str, sync_names: bool, there: bool, tmp_path: Path) -> None:
    """When the first append is answered, the directory on the disk has the file.

    We sync it when the file is made, and SQLite does with the first sync of its log; without both, it has not.
    """
    run = Run(tmp_path, durability, "write-ahead")
    run.begin(None)
    with on_disk(run.log, sync_names):
        SCENARIOS["append"].work(run)
    left = Left(run.files)
    for step in run.log.steps[: [step.what for step in run.log.steps].index("acknowledged") + 1]:
        left.play(step)
    assert ("paper.db" in left.names) == there
