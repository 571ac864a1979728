"""Hunting: seeded runs with a bug planted, until an invariant names it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from ..run import CANARY, RunFailedError, run_seed
from .plant import Plant, Saboteur

MOST_RUNS = 2_000
KEPT = Path(__file__).parent / "soonest.txt"
"""Which seed found each bug first, when that was last written down: where a quick hunt begins."""


class Catch(NamedTuple):
    """How a planted bug was found."""

    invariant: str
    runs: int  # with the one that found it
    seed: int
    said: str


@cache
def is_honest(seed: int, steps: int) -> bool:
    """Does a run find nothing when nothing is planted? Only then does what it finds say something about the bug."""
    try:
        run_seed(seed, steps)
    except RunFailedError:
        return False
    return True


def run_with(bug: Saboteur, seed: int, steps: int) -> RunFailedError | None:
    """One run with a bug planted; what it found. Nothing of the bug is left behind."""
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(Plant(patch))
        try:
            run_seed(seed, steps)
        except RunFailedError as found:
            return found
    return None


def hunt(bug: Saboteur, seeds: Iterable[int], steps: int) -> Catch | None:
    """Run seeds until something is found; None when nothing is."""
    runs = 0
    for seed in seeds:
        if seed == CANARY:
            continue
        runs += 1
        found = run_with(bug, seed, steps)
        if found is not None and " positional argument" in str(found):
            raise TypeError(f"{bug.name} is planted wrongly: {found}")
        if found is not None and is_honest(seed, steps):
            return Catch(found.broken.name, runs, seed, str(found.broken))
    return None


def kept_seeds() -> dict[str, int]:
    """The seed that found each bug first."""
    lines = (line.split() for line in KEPT.read_text(encoding="utf-8").splitlines())
    return {name: int(seed) for name, seed in lines}


def keep_seeds(found: dict[str, int]) -> None:
    """Write down which seed found each bug first; what was not hunted stays as it was."""
    before = kept_seeds() if KEPT.exists() else {}
    lines = sorted(f"{name} {seed}" for name, seed in {**before, **found}.items())
    KEPT.write_text("\n".join(lines) + "\n", encoding="utf-8")
