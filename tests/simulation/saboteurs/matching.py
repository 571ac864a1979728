"""Planted where orders meet the market: prices, sizes, the order of service, and what counts as news."""

from __future__ import annotations

from typing import Any

from papertrade.engine import barpath, budgets, filling, order_moves, service, triggers
from papertrade.engine.engine import Engine
from papertrade.matching import rules
from papertrade.matching.market import Market
from papertrade.matching.resting import RestingIndex

from .plant import Plant, saboteur


@saboteur("M1", "M10")
def market_order_fills_in_the_middle(plant: Plant) -> None:
    """A market order gets the middle of a quote."""

    def make(true: Any) -> Any:
        def fill(market: Any, sign: int, situation: str, limit: Any, *rest: Any) -> Any:
            found = true(market, sign, situation, limit, *rest)
            if limit is not None or market.bid_units is None or market.ask_units is None:
                return found
            return [p._replace(price_units=(market.bid_units + market.ask_units) // 2) for p in found]

        return fill

    plant.everywhere(rules, "fill_on_standing", make)


@saboteur("M1", differential=True)
def limit_filled_on_a_touch(plant: Plant) -> None:
    """A limit fills when a price touches it, whatever the settings ask for."""
    plant.everywhere(rules, "goes_through", lambda true: lambda p, sign, limit, s, tick: sign * (limit - p) >= 0)


@saboteur("M1", "M4", "M10", differential=True)
def stale_quote_fills(plant: Plant) -> None:
    """A quote fills however old it is."""
    plant.everywhere(triggers, "is_fresh", lambda true: lambda step, market: market.quoted_ns is not None)


@saboteur("M2", "T1")
def fill_dated_by_the_last_event(plant: Plant) -> None:
    """What a datum causes is dated by what happened to the account before."""

    def make(true: Any) -> Any:
        def meet(self: Any, account: str, at_ns: int, *rest: Any) -> Any:
            return true(self, account, self.seats[account].state.at_ns, *rest)

        return meet

    plant.here(Engine, "meet", make)


@saboteur("M3", differential=True)
def displayed_size_sold_again(plant: Plant) -> None:
    """Every order finds the whole displayed size."""
    plant.everywhere(budgets, "used_up", lambda true: lambda market, account, sign: 0)


@saboteur("M3")
def whole_volume_of_a_bar(plant: Plant) -> None:
    """An account may take all of a bar's volume, whatever share the settings allow."""

    def make(true: Any) -> Any:
        return lambda bar, tool, settings: None if bar.volume is None else tool.lots_down(bar.volume)

    plant.everywhere(rules, "bar_budget", make)


@saboteur("K6", "M1", "M3", "M7", "M10", differential=True)
def repeated_print_counts_again(plant: Plant) -> None:
    """A print that is delivered twice is news twice."""
    true = Market.take_trade
    plant.patch.setattr(Market, "take_trade", lambda self, price, size, at, _=False: true(self, price, size, at, True))


@saboteur("T4", "M1", "M2", "M7", "M10", "T1", differential=True)
def late_quote_replaces_a_newer_one(plant: Plant) -> None:
    """A late or repeated quote stands."""
    plant.patch.setattr(Market, "_is_stale", lambda self, *about: False)


@saboteur("T4", "K6", "M1", "M3", "M7", "M10")
def late_bar_counts(plant: Plant) -> None:
    """A bar that is late or was seen before is a bar like any other."""

    def make(true: Any) -> Any:
        def take(self: Any, bar: Any) -> bool:
            self.bar = None
            return bool(true(self, bar))

        return take

    plant.here(Market, "take_bar", make)


@saboteur("M4")
def gapped_stop_fills_at_its_trigger(plant: Plant) -> None:
    """A stop fills at its trigger in a bar that opened beyond it."""

    def fill(bar: Any, sign: int, trigger: int) -> list[rules.Proposal]:
        return [rules.Proposal("B" + rules.STOP_FIRES, trigger, None, rules.TAKER, True, None)]

    plant.everywhere(rules, "fill_stop_on_bar", lambda true: fill)


@saboteur("M5", "M4", "M1", "M10", differential=True)
def first_price_taken_for_the_worse(plant: Plant) -> None:
    """Of two prices the first counts, and not the worse."""
    plant.everywhere(rules, "worse", lambda true: lambda sign, one, other: one)


@saboteur("M5", differential=True)
def price_rounded_for_the_trader(plant: Plant) -> None:
    """A price off the tick is rounded to the trader's advantage."""
    true = filling.round_to_step
    plant.patch.setattr(filling, "round_to_step", lambda units, step, sign: true(units, step, -sign))


@saboteur("M5")
def slipped_price_off_the_tick(plant: Plant) -> None:
    """A price that slippage moved is not brought back to the tick."""

    def settle(base: int, slipped: int, sign: int, instrument: Any) -> int:
        return max(rules.worse(sign, base, instrument.clamp_to_band(slipped)), instrument.tick_units)

    plant.patch.setattr(filling, "settle_price", settle)


@saboteur("M5")
def slippage_forgotten(plant: Plant) -> None:
    """Slippage moves no price."""
    plant.patch.setattr(filling, "slip_units", lambda model, candidate: 0)


@saboteur("M10", "M1", differential=True)
def high_and_low_exchanged(plant: Plant) -> None:
    """The path of a bar goes to the other end first."""
    plant.everywhere(barpath, "low_comes_first", lambda true: lambda bar, settings: not true(bar, settings))


@saboteur("M10", differential=True)
def limits_before_stops_in_a_bar(plant: Plant) -> None:
    """Where a bar touches both, the limit comes before the stop."""
    plant.patch.setattr(barpath, "_STOPS", 3)


@saboteur("M10", differential=True)
def limits_served_by_time_alone(plant: Plant) -> None:
    """A better limit does not come before an older one."""
    plant.patch.setattr(service, "_by_price", lambda order: (0, order.priority))


@saboteur("M10", differential=True)
def changed_order_keeps_its_place(plant: Plant) -> None:
    """A new price or a larger size costs no place in the queue."""

    def make(true: Any) -> Any:
        def modified(order: Any, event: Any) -> None:
            place = order.priority
            true(order, event)
            order.priority = place

        return modified

    plant.here(order_moves, "modified", make)


@saboteur("M10", "R2", differential=True)
def waiting_orders_lost_in_the_index(plant: Plant) -> None:
    """Market orders that wait are not found by the next datum."""
    true = RestingIndex.reached
    plant.patch.setattr(
        RestingIndex, "reached", lambda self, *prices: [e for e in true(self, *prices) if e.place != 6]
    )


@saboteur("M10", differential=True)
def bounds_forget_sell_limits(plant: Plant) -> None:
    """The quick look at whether anything is reached leaves sell limits out."""
    true = RestingIndex._top
    plant.patch.setattr(RestingIndex, "_top", lambda self, place: None if place == 3 else true(self, place))
