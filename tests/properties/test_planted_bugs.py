"""The differential proof can fail: each planted bug is found within a bounded number of seeded runs."""

from __future__ import annotations

import pytest

from papertrade.errors import InvariantError
from papertrade.testing.differential import DifferenceError, run_seed
from simulation.saboteurs import SABOTEURS, Plant, Saboteur

MOST_SEEDS, STEPS = 60, 300
SOONEST = {
    "conversion_loses_the_cost_of_a_lot": 59,
    "converted_lots_stand_behind_the_others": 75,
    "conversion_delivers_what_it_moves": 59,
    "wrong_product_is_squared_off": 30,
    "products_are_netted": 5,
    "closing_price_only_of_the_market": 20,
    "settlement_counts_from_the_first_trade": 11,
    "limits_before_stops_in_a_bar": 20,
    "first_price_not_noted": 20,
    "changed_order_keeps_its_place": 15,
    "reset_cancels_as_if_asked": 13,
    "limits_served_by_time_alone": 7,
    "import_counts_as_a_gain_of_the_day": 227,
    "unsettled_cash_buys_in_spite_of_the_rule": 81,
    "growth_passes_while_squared_off": 6,
    "last_stage_closes_nothing": 3,
    "squared_off_when_the_clock_has_jumped": 3,
    "after_market_order_fills_before_the_open": 6,
    "day_order_ends_a_session_late": 3,
    "fills_while_the_market_is_closed": 3,
    "hold_never_captured": 3,
    "cost_released_rounded_up": 4,
    "stale_quote_fills": 3,
    "minimum_fee_on_every_fill": 4,
    "expiry_noticed_with_the_next_tick": 3,
    "repeated_print_counts_again": 3,
    "limit_counts_one_product_alone": 62,
}
"""Which seed found a bug first, where those before it take long: where its search begins. What the run says decides."""
BUGS = {name: bug for name, bug in SABOTEURS.items() if bug.differential}
"""Of the planted bugs those that one account beside the oracle shows; the others need the simulator."""


def seeds_needed(first: int = 0, most: int = MOST_SEEDS) -> int | None:
    """How many seeded runs it takes until something is found; None when nothing is."""
    for runs, seed in enumerate(dict.fromkeys((first, *range(most))), 1):
        try:
            run_seed(seed, STEPS)
        except (DifferenceError, InvariantError) as found:
            if "TypeError" in str(found):
                pytest.fail(f"the bug was planted wrongly: {found}")
            return runs
    return None


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_planted_bug_is_found(bug: Saboteur, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the engine makes the exchange and the oracle differ, or breaks an invariant, within few runs."""
    bug.plant(Plant(monkeypatch))
    needed = seeds_needed(SOONEST.get(bug.name, 0))
    assert needed is not None, f"{bug.name} went unnoticed in {MOST_SEEDS} runs of {STEPS} commands"


def test_there_are_bugs_to_find() -> None:
    """The table of planted bugs was not lost on its way here, and no seed is kept for one that is not in it."""
    assert len(BUGS) >= 23
    assert SOONEST.keys() <= BUGS.keys()
