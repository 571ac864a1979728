"""Hunting: seeded runs with a bug planted, until an invariant names it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import pytest

from ..run import CANARY, RunFailedError, run_seed
from .plant import Plant, Saboteur

MOST_RUNS = 2_000


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
        if found is not None and is_honest(seed, steps):
            return Catch(found.broken.name, runs, seed, str(found.broken))
    return None
