"""Every scenario of this folder, and the proof that the fill rules are all among them.

The scenarios are text (``*.txt``): a trader can read and correct them. This file only plays them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from papertrade.matching.rules import RULE_SENTENCES
from papertrade.testing.scenario import Scenario, load_scenarios

FOLDER = Path(__file__).parent
SCENARIOS = load_scenarios(FOLDER)
IDS = [f"{Path(scenario.where).stem}: {scenario.title}" for scenario in SCENARIOS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=IDS)
def test_scenario(scenario: Scenario) -> None:
    """Everything that the scenario expects is so, and every fill was expected."""
    assert scenario.run().events


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("rule", RULE_SENTENCES)
def test_every_rule_has_a_scenario_that_fills_by_it(rule: str, side: str) -> None:
    """Each numbered rule is shown for both sides, by a scenario named after it that really fills by it."""
    named = [scenario for scenario in SCENARIOS if scenario.title.startswith(f"{rule} {side}:")]
    assert named, f"no scenario is called '{rule} {side}: …'"
    fills = [fill for scenario in named for fill in scenario.run().fills]
    assert (rule, side) in {(fill.rule, fill.side.value) for fill in fills}


def test_titles_are_unique() -> None:
    """A title names one scenario over all files, so that a failure leads to one place."""
    titles = [scenario.title for scenario in SCENARIOS]
    assert sorted(set(titles)) == sorted(titles)
