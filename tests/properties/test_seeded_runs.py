"""Long seeded runs of the exchange beside the oracle: the same seed is the same run, for ever.

Many more seeds: ``python -m papertrade.testing.differential --seeds 1000 --steps 300``. The simulator asks the oracle,
too, in the runs that CI makes (``python -m tests.simulation``).
"""

from __future__ import annotations

from random import Random

import attrs
import pytest

from papertrade.risk.square_off import SquareOff
from papertrade.testing.chance import START, draw_setup, middle, with_hours, with_products, with_settlement
from papertrade.testing.differential import SideBySide, main, run_seed
from papertrade.testing.drawing import Drawer
from papertrade.testing.oracle.vocabulary import Advance, Import, Row

SEEDS, STEPS = 20, 300
HOUR = 3_600 * 10**9


@pytest.mark.parametrize("first", range(0, SEEDS, 5))
def test_exchange_and_oracle_make_the_same_bytes(first: int) -> None:
    """In every seeded run the exchange and the oracle make identical events, and every invariant holds."""
    for seed in range(first, first + 5):
        run_seed(seed, STEPS)


@pytest.mark.parametrize("seed", range(8))
def test_what_came_in_before_the_first_datum_is_judged_alike(seed: int) -> None:
    """An account to be squared off begins with a position before anybody knows the time: both open its day alike."""
    chance = Random(seed)
    setup = with_settlement(chance, with_hours(chance, draw_setup(chance)))
    setup = attrs.evolve(setup, data_clock=True, square_off=SquareOff(minutes_before_close=3))
    setup = with_products(chance, setup) if seed % 2 else setup
    both, drawer, came_in = SideBySide(setup), Drawer(chance, setup), setup.instruments[-1]
    product = setup.products[-1].name if setup.products else ""
    both.give(Import((Row(came_in.symbol, 3 * came_in.lot_units, middle(came_in), product),)))
    for hour in range(4):
        both.give(Advance(START + hour * HOUR))
    for _ in range(60):
        both.give(drawer.draw(both.oracle))
    both.check_state()
    assert any(type(event).__name__ == "DayOpened" for event in both.oracle.events)


def test_a_run_repeats_itself() -> None:
    """The same seed makes as many events when it runs again in the same process."""
    assert run_seed(7, 120) == run_seed(7, 120)


def test_command_line_reports_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    """The command says how many runs it made and that there was no difference."""
    assert main(["--seeds", "2", "--steps", "30", "--first", "5"]) == 0
    assert "2 runs of 30 commands" in capsys.readouterr().out
