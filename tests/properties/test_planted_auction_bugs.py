"""Bugs about auctions are found: each planted one within a bounded number of seeded runs on markets that close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from papertrade.engine import auctions, hours
from papertrade.errors import InvariantError
from papertrade.matching import rules
from papertrade.matching.market import Market
from papertrade.testing.differential import DifferenceError, run_seed
from simulation.saboteurs import Plant

MOST_SEEDS, STEPS = 60, 250
SOONEST = {
    "last_price_of_the_deadline": 258,
    "repeated_price_is_an_auction": 34,
    "queue_at_the_limit_is_known": 31,
    "whole_size_of_an_auction": 17,
}
"""Which run found a bug first, where it took long: where its search begins. What the run says decides."""
BUGS: dict[str, Callable[[Plant], None]] = {}


def bug(plant: Callable[[Plant], None]) -> Callable[[Plant], None]:
    """Enter a bug into the table."""
    BUGS[plant.__name__] = plant
    return plant


@bug
def after_cut_off_is_in_time(plant: Plant) -> None:
    """An order is changed while the auction is made."""
    plant.everywhere(hours, "too_late", lambda true: lambda *_: False)


@bug
def queue_at_the_limit_is_known(plant: Plant) -> None:
    """A limit at the auction price fills, whatever the settings say."""

    def make(true: Any) -> Any:
        def fill(rule: str, price: int, size: int | None, sign: int, limit: int | None, settings: Any) -> Any:
            return true(rule, price, size, sign, None if limit == price else limit, settings)

        return fill

    plant.everywhere(rules, "fill_in_auction", make)


@bug
def everybody_takes_part(plant: Plant) -> None:
    """Post-only orders and those after the cut-off are in the auction too."""
    plant.here(auctions, "_takes_part", lambda true: lambda market, order, near: order.stop_units is None)


@bug
def what_is_left_goes_on(plant: Plant) -> None:
    """An order for one auction waits for more data when that was over."""
    plant.here(auctions, "_end", lambda true: lambda step, order: None)


@bug
def whole_size_of_an_auction(plant: Plant) -> None:
    """An account may take all of what traded, whatever share the settings allow."""
    plant.here(auctions, "share_of", lambda true: lambda volume, tool, settings: tool.lots_down(volume))


@bug
def trades_all_day(plant: Plant) -> None:
    """An order for an auction fills like any other while the market is open."""

    def make(true: Any) -> Any:
        return lambda step, terms, phase: phase == "regular" if terms.tif.auction else true(step, terms, phase)

    plant.here(hours, "_allows", make)


@bug
def nobody_wakes(plant: Plant) -> None:
    """When its auction is due an order sleeps on, and no datum concerns it."""
    plant.everywhere(auctions, "ring", lambda true: lambda step: None)


@bug
def last_price_of_the_deadline(plant: Plant) -> None:
    """What is known when the grace is over counts as what the session ended with."""

    def make(true: Any) -> Any:
        def meet(step: Any, order: Any) -> None:
            market = step.markets[order.terms.symbol]
            bell = auctions.bell_of(market, order)
            if bell is not None and market.closing is not None:
                late = auctions.last_of_session(market, bell._replace(at_ns=step.now_ns))
                market.closing = late._replace(at_ns=bell.at_ns)
            true(step, order)

        return meet

    plant.everywhere(auctions, "meet_last_of_session", make)


@bug
def repeated_price_is_an_auction(plant: Plant) -> None:
    """The same price sent twice fills twice."""
    true = Market.take_auction
    plant.patch.setattr(Market, "take_auction", lambda self, auction, _=False: true(self, auction, True))


@bug
def grace_of_a_minute(plant: Plant) -> None:
    """A closing order is gone a minute after the close."""
    plant.patch.setattr(hours, "CLOSING_GRACE_NS", 60 * 10**9)


def runs_needed(first: int) -> int | None:
    """How many seeded runs it takes until something is found; None when nothing is."""
    for runs, number in enumerate(dict.fromkeys((first, *range(1, MOST_SEEDS))), 1):
        try:
            run_seed(4 * number - 2, STEPS)  # every fourth run is on markets that close
        except (DifferenceError, InvariantError) as found:
            if "TypeError" in str(found) or "AttributeError" in str(found):
                pytest.fail(f"the bug was planted wrongly: {found}")
            return runs
    return None


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange and the oracle differ, or an invariant breaks, within few runs."""
    BUGS[name](Plant(monkeypatch))
    needed = runs_needed(SOONEST.get(name, 1))
    assert needed is not None, f"{name} went unnoticed in {MOST_SEEDS} runs of {STEPS} commands"
