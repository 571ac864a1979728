"""Long seeded runs of the exchange beside the oracle: the same seed is the same run, for ever.

Many more seeds: ``python -m papertrade.testing.differential --seeds 1000 --steps 300``. The simulator asks the oracle,
too, in the runs that CI makes (``python -m tests.simulation``).
"""

from __future__ import annotations

import pytest

from papertrade.testing.differential import main, run_seed

SEEDS, STEPS = 20, 300


@pytest.mark.parametrize("first", range(0, SEEDS, 5))
def test_exchange_and_oracle_make_the_same_bytes(first: int) -> None:
    """In every seeded run the exchange and the oracle make identical events, and every invariant holds."""
    for seed in range(first, first + 5):
        run_seed(seed, STEPS)


def test_a_run_repeats_itself() -> None:
    """The same seed makes as many events when it runs again in the same process."""
    assert run_seed(7, 120) == run_seed(7, 120)


def test_command_line_reports_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    """The command says how many runs it made and that there was no difference."""
    assert main(["--seeds", "2", "--steps", "30", "--first", "5"]) == 0
    assert "2 runs of 30 commands" in capsys.readouterr().out
