"""Failures that others had in the field: none of them happens here, and each would if what protects us were gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .peer_failures import FAILURES, Failure
from .peer_failures.scene import broken_by
from .peer_failures.sets import HashseedMatrix
from .table import read_turn, write_turn

NAMED = {
    "gap_fill_over_cash": {"L6", "L1"},
    "restart_with_flip": {"K1", "E4", "P3"},
    "warm_restart_equivalence": {"E2", "E4"},
    "hashseed_matrix": {"E2", "E3"},
    "restart_no_new_market": {"M7", "E3"},
    "pending_order_valuation": {"L4", "L5", "A3"},
    "fill_outside_bar": {"M1"},
    "sparse_data_fill": {"M2", "M7"},
    "nan_everywhere": {"A1", "A2"},
    "slippage_below_zero": {"M5"},
    "no_repair_needed": {"L5", "R1"},
    "redelivered_fill": {"K6", "P3"},
}
"""Which invariants each of them has to break; the same as in the table of failures."""
HASH_SEEDS = ("0", "1", "2", "3")
REMOVED = [
    pytest.param(failure, name, id=f"{failure.name} without {name}")
    for failure in FAILURES
    for name in failure.guards
    if not isinstance(failure, HashseedMatrix)
]


def test_every_failure_is_here() -> None:
    """Twelve failures, each with a guard for every invariant that it is about."""
    assert {failure.name: set(failure.guards) for failure in FAILURES} == NAMED


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_untouched(failure: Failure) -> None:
    """The situation comes about, and nothing breaks: not in the run, not at its end, not when it is run again."""
    failure.reached(failure.play())
    assert broken_by(failure) is None


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_can_be_written_down(failure: Failure) -> None:
    """The turns are plain values: written as lines and read back, they are the same."""
    turns = failure.turns()
    assert [read_turn(write_turn(turn)) for turn in turns] == turns


@pytest.mark.parametrize(("failure", "name"), REMOVED)
def test_without_its_guard(failure: Failure, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What protects us is removed, and the invariant that it is for breaks before any other."""
    failure.guards[name](monkeypatch)
    assert broken_by(failure) == name


Matrix = dict[str, list[tuple[str, str]]]
"""Digests of journal and state in each process, by the invariant whose guard was removed."""


@pytest.fixture(scope="module")
def matrix(child_env: dict[str, str]) -> Matrix:
    """The run in processes with other hash seeds, untouched and without each guard."""
    command = [sys.executable, "-m", "tests.simulation.peer_failures.hashseed"]
    found: Matrix = {}
    for seed in HASH_SEEDS:
        environment = {**child_env, "PYTHONHASHSEED": seed}
        root = Path(__file__).parents[2]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        for line in done.stdout.splitlines():
            without, journal, state = line.split()
            found.setdefault(without, []).append((journal, state))
    return found


def test_hash_seeds_change_nothing(matrix: Matrix) -> None:
    """The same turns make the same bytes and the same state, however a process orders its sets."""
    assert len(matrix["nothing"]) == len(HASH_SEEDS)
    assert len(set(matrix["nothing"])) == 1


def test_sets_that_decide_break_e3(matrix: Matrix) -> None:
    """Were a set to decide what is closed first, the bytes would differ from process to process."""
    assert len({journal for journal, _ in matrix["E3"]}) > 1


def test_sets_in_the_state_break_e2(matrix: Matrix) -> None:
    """Were a set part of the state, one journal would fold to several states."""
    assert len({journal for journal, _ in matrix["E2"]}) == 1
    assert len({state for _, state in matrix["E2"]}) > 1
