"""The differential proof can fail: each planted bug is found within a bounded number of seeded runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from papertrade.engine import barpath, filling, funds, match, order_moves, triggers, watch
from papertrade.errors import InvariantError
from papertrade.ledger import fees, positions
from papertrade.matching import rules
from papertrade.matching.market import Market
from papertrade.matching.resting import RestingIndex
from papertrade.testing.differential import DifferenceError, run_seed

MOST_SEEDS, STEPS = 60, 300


class Plant:
    """Puts something else where the library looks for one of its functions."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def everywhere(self, home: object, name: str, make: Callable[[Any], Any]) -> None:
        """Replace a function in its module and wherever it was imported; ``make`` is given the true one."""
        true = getattr(home, name)
        wrong = make(true)
        for module in [m for n, m in sys.modules.items() if n.startswith("papertrade.")]:
            if not module.__name__.startswith("papertrade.testing") and getattr(module, name, None) is true:
                self.patch.setattr(module, name, wrong)
        self.patch.setattr(home, name, wrong)


def stop_at_the_better_price(plant: Plant) -> None:
    plant.everywhere(rules, "worse", lambda true: lambda sign, one, other: one)


def limit_filled_on_a_touch(plant: Plant) -> None:
    plant.everywhere(rules, "goes_through", lambda true: lambda p, sign, limit, s, tick: sign * (limit - p) >= 0)


def hold_never_captured(plant: Plant) -> None:
    def share(amount: int, part: int, whole: int, step: int = 1) -> int:
        return amount if part == whole else 0

    plant.patch.setattr(filling, "share_down", share)


def hold_counted_twice_for_a_pair(plant: Plant) -> None:
    plant.everywhere(funds, "held_change", lambda true: lambda hold, sibling, new: new - hold)


def working_orders_not_counted(plant: Plant) -> None:
    plant.everywhere(
        funds,
        "opening_part",
        lambda true: lambda position, sign, quantity, sibling=None, own=None: quantity
        - min(quantity, funds.closable(position, sign)),
    )


def cost_released_rounded_up(plant: Plant) -> None:
    def share_up(amount: int, part: int, whole: int, step: int = 1) -> int:
        size = -(-abs(amount) * part // (whole * step)) * step
        return size if amount >= 0 else -size

    plant.patch.setattr(positions, "share_down", share_up)


def minimum_fee_on_every_fill(plant: Plant) -> None:
    plant.everywhere(fees, "charge", lambda true: lambda before, after: true((), after))


def displayed_size_sold_again(plant: Plant) -> None:
    plant.everywhere(filling, "used_up", lambda true: lambda market, account, sign: 0)


def linked_order_left_alone(plant: Plant) -> None:
    plant.patch.setattr(filling, "_settle_linked", lambda step, order, quantity: None)


def no_collar_on_holds(plant: Plant) -> None:
    def make(true: Any) -> Any:
        return lambda step, market, sign, limit, stop: limit or stop or market.reference(sign)

    plant.everywhere(funds, "hold_price", make)


def reduce_only_forgotten(plant: Plant) -> None:
    plant.everywhere(filling, "fillable", lambda true: lambda step, order: (order.remaining_units, None))


def price_rounded_for_the_trader(plant: Plant) -> None:
    true = filling.round_to_step
    plant.patch.setattr(filling, "round_to_step", lambda units, step, sign: true(units, step, -sign))


def stale_quote_fills(plant: Plant) -> None:
    plant.everywhere(triggers, "is_fresh", lambda true: lambda step, market: market.quoted_ns is not None)


def limits_served_by_time_alone(plant: Plant) -> None:
    plant.patch.setattr(match, "_by_price", lambda order: (0, order.priority))


def changed_order_keeps_its_place(plant: Plant) -> None:
    def make(true: Any) -> Any:
        def modified(order: Any, event: Any) -> None:
            place = order.priority
            true(order, event)
            order.priority = place

        return modified

    plant.patch.setattr(order_moves, "modified", make(order_moves.modified))


def high_and_low_exchanged(plant: Plant) -> None:
    plant.everywhere(barpath, "low_comes_first", lambda true: lambda bar, settings: not true(bar, settings))


def limits_before_stops_in_a_bar(plant: Plant) -> None:
    plant.patch.setattr(barpath, "_STOPS", 3)


def repeated_print_counts_again(plant: Plant) -> None:
    true = Market.take_trade
    plant.patch.setattr(Market, "take_trade", lambda self, price, size, at, _=False: true(self, price, size, at, True))


def late_quote_replaces_a_newer_one(plant: Plant) -> None:
    plant.patch.setattr(Market, "_is_stale", lambda self, *about: False)


def waiting_orders_lost_in_the_index(plant: Plant) -> None:
    true = RestingIndex.reached
    plant.patch.setattr(
        RestingIndex, "reached", lambda self, *prices: [e for e in true(self, *prices) if e.place != 6]
    )


def bounds_forget_sell_limits(plant: Plant) -> None:
    true = RestingIndex._top
    plant.patch.setattr(RestingIndex, "_top", lambda self, place: None if place == 3 else true(self, place))


def band_of_a_watched_account_too_wide(plant: Plant) -> None:
    true = watch._distances

    def distances(step: Any, now: Any) -> Any:
        fall, rise = true(step, now)
        return (None if fall is None else 100 * fall + 10**13), rise

    plant.patch.setattr(watch, "_distances", distances)


def held_money_available_again(plant: Plant) -> None:
    plant.everywhere(funds, "available", lambda true: lambda step: true(step) + step.state.held)


BUGS: list[Callable[[Plant], None]] = [
    stop_at_the_better_price,
    limit_filled_on_a_touch,
    hold_never_captured,
    hold_counted_twice_for_a_pair,
    working_orders_not_counted,
    cost_released_rounded_up,
    minimum_fee_on_every_fill,
    displayed_size_sold_again,
    linked_order_left_alone,
    no_collar_on_holds,
    reduce_only_forgotten,
    price_rounded_for_the_trader,
    stale_quote_fills,
    limits_served_by_time_alone,
    changed_order_keeps_its_place,
    high_and_low_exchanged,
    limits_before_stops_in_a_bar,
    repeated_print_counts_again,
    late_quote_replaces_a_newer_one,
    waiting_orders_lost_in_the_index,
    bounds_forget_sell_limits,
    band_of_a_watched_account_too_wide,
    held_money_available_again,
]


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


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_planted_bug_is_found(bug: Callable[[Plant], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the engine makes the exchange and the oracle differ, or breaks an invariant, within few runs."""
    bug(Plant(monkeypatch))
    assert seeds_needed() is not None, f"{bug.__name__} went unnoticed in {MOST_SEEDS} runs of {STEPS} commands"
