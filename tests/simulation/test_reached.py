"""Rare situations are reached: a simulator that never saw one has proved nothing about it."""

from __future__ import annotations

from collections import Counter

import pytest

from .covering import covering
from .peer_failures.scene import Scripted, broken_by
from .reached import REACHED, counted, missing
from .run import run_seed
from .scripted import SCRIPTED

SEEDS = {2: 200, 29: 150, 48: 250, 86: 150, 113: 150, 125: 60, 203: 200, 210: 250, 232: 200, 275: 250, 299: 250,
         354: 200, 378: 250, 1229: 150, 2728: 150}  # fmt: skip
"""Few seeds that together reach all that is drawn, and after how many turns each of them has added what it adds.

``python -m tests.simulation.covering`` finds others, of 250 turns.
"""


@pytest.fixture(scope="module")
def reached() -> Counter[str]:
    """What these seeds and the scripts count together."""
    marks = Counter[str]()
    for scripted in SCRIPTED:
        marks += counted(scripted.play())
    for seed, steps in SEEDS.items():
        marks += run_seed(seed, steps).marks
    return marks


@pytest.mark.parametrize("scripted", SCRIPTED, ids=lambda scripted: scripted.name)
def test_what_is_never_drawn_is_scripted(scripted: Scripted) -> None:
    """What chance hardly finds comes about by script, and nothing breaks."""
    scripted.reached(scripted.play())
    assert broken_by(scripted) is None


def test_nothing_is_missing(reached: Counter[str]) -> None:
    """Seeds and scripts reach every situation; if drawing has changed, other seeds have to be found."""
    assert missing(reached) == []


def test_what_is_not_counted_is_missing() -> None:
    """A situation that was never counted is named."""
    assert missing(name for name in REACHED if name != "position_flip") == ["position_flip"]
    assert missing(()) == sorted(REACHED)


def test_covering_is_small_and_whole() -> None:
    """Of several seeds, those are chosen that add something, the one that adds most first."""
    assert covering({1: {"a"}, 2: {"a", "b"}, 3: {"b", "c"}, 4: set()}) == [2, 3]
