"""The fast differential slice that judges mutants: short seeded runs of the exchange beside the oracle.

It is given to pytest by name and not collected with the suite, which makes longer runs of the same kind anyway.
"""

from __future__ import annotations

import pytest

from papertrade.testing.differential import run_seed

SEEDS, STEPS = 24, 60


@pytest.mark.parametrize("seed", range(1_000, 1_000 + SEEDS))
def test_short_run(seed: int) -> None:
    """The exchange and the oracle make identical events, and every invariant holds."""
    run_seed(seed, STEPS, check_every=20)
