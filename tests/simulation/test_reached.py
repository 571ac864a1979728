"""Rare situations are reached: a simulator that never saw one has proved nothing about it."""

from __future__ import annotations

from collections import Counter

import pytest

from .covering import covering
from .reached import REACHED, missing
from .run import run_seed

SEEDS = (5, 8, 26, 36, 44, 148, 179, 200, 210)
"""Few seeds that together reach everything; ``python -m tests.simulation.covering`` finds others."""
STEPS = 250


@pytest.fixture(scope="module")
def reached() -> Counter[str]:
    """What these seeds count together."""
    marks = Counter[str]()
    for seed in SEEDS:
        marks += run_seed(seed, STEPS).marks
    return marks


def test_nothing_is_missing(reached: Counter[str]) -> None:
    """These seeds reach every situation; if drawing has changed, others have to be found."""
    assert missing(reached) == []


def test_what_is_not_counted_is_missing() -> None:
    """A situation that was never counted is named."""
    assert missing(name for name in REACHED if name != "position_flip") == ["position_flip"]
    assert missing(()) == sorted(REACHED)


def test_covering_is_small_and_whole() -> None:
    """Of several seeds, those are chosen that add something, the one that adds most first."""
    assert covering({1: {"a"}, 2: {"a", "b"}, 3: {"b", "c"}, 4: set()}) == [2, 3]
