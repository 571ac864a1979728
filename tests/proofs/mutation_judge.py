"""Fast judges of mutants: the text scenarios, and short seeded runs of the exchange beside the oracle.

They are given to pytest by name and not collected with the suite, which runs the same scenarios one by one and makes
longer runs of the same kind. Here each test is a whole file or a few runs, because a mutation run pays for every test
that it names.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from papertrade.testing.differential import run_seed
from papertrade.testing.scenario import Scenario, load_scenarios

STEPS = 45
SCENARIOS: dict[str, list[Scenario]] = {}
for scenario in load_scenarios(Path(__file__).parents[1] / "scenarios"):
    SCENARIOS.setdefault(Path(scenario.where).stem, []).append(scenario)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(name: str) -> None:
    """Everything that the scenarios of a file expect is so, and every fill was expected."""
    for scenario in SCENARIOS[name]:
        assert scenario.run().events


@pytest.mark.parametrize("first", range(1_000, 1_016, 2))
def test_short_runs(first: int) -> None:
    """The exchange and the oracle make identical events, and every invariant holds."""
    for seed in (first, first + 1):
        run_seed(seed, STEPS, check_every=STEPS)
