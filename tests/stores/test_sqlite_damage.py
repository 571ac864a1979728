"""Bytes and rows of the file that changed by themselves: found out, or of no effect on anything that is read (G16).

``python -m tests.proofs.damage`` changes every byte of a file, and each of its pages and rows.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from damaging import Whole, hostile, small

FLIPS = 120
CUTS = 60
HARMLESS = {"found out", "no effect", "a snapshot less"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A closed file: one long journal, many short ones, keys, snapshots, fences, tombstones."""
    return hostile(tmp_path_factory.mktemp("whole") / "whole.db")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paper.db"


def test_the_whole_file_is_read(whole: Whole, path: Path) -> None:
    """The control: undamaged it is what it was, and another journal is another state."""
    assert whole.outcome(path, whole.data) == "no effect"
    assert whole.outcome(path, small(path.with_name("small.db")).data) == "another state"


def test_flipped_bytes_never_make_another_state(whole: Whole, path: Path) -> None:
    """One byte anywhere is changed: the damage is reported, or nothing that is read differs. No other error."""
    draw, seen = Random(5), Counter[str]()
    for at in draw.sample(range(len(whole.data)), FLIPS):
        found = whole.outcome(path, whole.flipped(at, draw))
        assert found in HARMLESS, f"byte {at} of {len(whole.data)}"
        seen[found] += 1
    assert seen["found out"] > 10
    assert seen["no effect"] > 10  # empty space in pages


def test_a_file_cut_short_never_makes_another_state(whole: Whole, path: Path) -> None:
    """However much of its end is missing, and if anything is left at all."""
    chance, size = Random(6), len(whole.data)
    for left in (1, 15, 16, 99, 100, 4095, 4096, size - 1, *chance.sample(range(1, size), CUTS)):
        assert whole.outcome(path, whole.data[:left]) == "found out", left


def test_pages_from_another_time_never_make_another_state(path: Path) -> None:
    """A page that holds what another page holds, or nothing: a misdirected or a lost write."""
    whole = small(path.with_name("small.db"))
    for where, damaged in whole.misdirected():
        assert whole.outcome(path, damaged) in HARMLESS, where


def test_rows_that_are_gone_or_exchanged_are_found_out(path: Path) -> None:
    """Each row of each table dropped, each value exchanged with its neighbor's: found out, all of them.

    A snapshot that is gone is none: the account is read from its journal then, and is the same one.
    """
    seen = Counter(small(path.with_name("small.db")).changed_rows(path))
    harmless = {(where, found): times for (where, found), times in seen.items() if found != "found out"}
    assert harmless == {("a row of snapshots dropped", "a snapshot less"): 2}
    assert sum(seen.values()) > 150


def test_a_key_that_changed_is_found_out_by_verify(path: Path) -> None:
    """Another letter, range or seal, written as by somebody who keeps index, size and counts right."""
    seen = Counter(small(path.with_name("small.db")).changed_keys(path, every=5))
    assert {found for _, found in seen} == {"found out"}
    assert {what for what, _ in seen} == {"letter of a commit id", "range of a commit id", "byte of a seal"}
