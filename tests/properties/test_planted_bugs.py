"""The differential proof can fail: each planted bug is found within a bounded number of seeded runs."""

from __future__ import annotations

import pytest

from papertrade.errors import InvariantError
from papertrade.testing.differential import DifferenceError, run_seed
from simulation.saboteurs import SABOTEURS, Plant, Saboteur

MOST_SEEDS, STEPS = 60, 300
BUGS = {name: bug for name, bug in SABOTEURS.items() if bug.differential}
"""Of the planted bugs those that one account beside the oracle shows; the others need the simulator."""


def seeds_needed(most: int = MOST_SEEDS) -> int | None:
    """How many seeded runs it takes until something is found; None when nothing is."""
    for seed in range(most):
        try:
            run_seed(seed, STEPS)
        except (DifferenceError, InvariantError) as found:
            if "TypeError" in str(found):
                pytest.fail(f"the bug was planted wrongly: {found}")
            return seed + 1
    return None


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_planted_bug_is_found(bug: Saboteur, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the engine makes the exchange and the oracle differ, or breaks an invariant, within few runs."""
    bug.plant(Plant(monkeypatch))
    assert seeds_needed() is not None, f"{bug.name} went unnoticed in {MOST_SEEDS} runs of {STEPS} commands"


def test_there_are_bugs_to_find() -> None:
    """The table of planted bugs was not lost on its way here."""
    assert len(BUGS) >= 23
