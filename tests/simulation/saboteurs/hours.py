"""Planted in what the clock and the hours of markets do: phases, expiries, squaring off."""

from __future__ import annotations

from typing import Any

from papertrade.domain.words import TimeInForce
from papertrade.engine import clockwork, engine, hours, place, squaring
from papertrade.engine.step import Step

from .plant import Plant, saboteur


@saboteur("T2", differential=True)
def fills_while_the_market_is_closed(plant: Plant) -> None:
    """Whoever rests fills on whatever comes, in every phase."""
    plant.everywhere(hours, "may_trade", lambda true: lambda step, market, terms: True)


@saboteur("T2", differential=True)
def after_market_order_fills_before_the_open(plant: Plant) -> None:
    """An order for the next open takes what is there before it."""
    plant.everywhere(
        hours, "may_trade", lambda true: lambda step, market, terms: terms.after_market or true(step, market, terms)
    )


@saboteur("O6", differential=True)
def day_order_ends_a_session_late(plant: Plant) -> None:
    """An order for the day stands to the end of the session after its own."""

    def make(true: Any) -> Any:
        def late(step: Any, market: Any, terms: Any) -> Any:
            expires = true(step, market, terms)
            if terms.tif is not TimeInForce.DAY or market.hours is None:
                return expires
            return market.hours.day_close(expires, hours.is_extended(step.profile, terms)) + hours.AFTER_CLOSE_NS

        return late

    plant.here(place, "expiry_of", make)


@saboteur("T3", "O6", "M10", differential=True)
def expiry_noticed_with_the_next_tick(plant: Plant) -> None:
    """Nobody is woken when an order's time is up: whatever comes next finds it out."""

    def make(true: Any) -> Any:
        def rest(step: Any, order: Any) -> None:
            before = step.seat.wake_ns
            true(step, order)
            step.seat.wake_ns = before

        return rest

    def without_orders(step: Any) -> int:
        state, stage = step.state, squaring.next_stage(step)
        due = [] if stage is None else [stage.due_ns]
        if (state.open_positions or state.orders) and state.day:
            due.append(step.seat.day_ends_ns)
        return min(due, default=0)

    plant.here(Step, "rest", make)
    plant.everywhere(clockwork, "next_wake", lambda true: without_orders)


@saboteur("T3")
def squared_off_again_after_a_restart(plant: Plant) -> None:
    """A process that opens an account takes no notice of the stages that came before it."""
    stored: dict[int, Any] = {}  # by account: the state that was opened, and its stages

    def opening(true: Any) -> Any:
        def adopt(self: Any, state: Any, profile: Any) -> Any:
            stored[id(state)] = state, state.squared
            return true(self, state, profile)

        return adopt

    def asking(true: Any) -> Any:
        def next_of(step: Any, product: str, market_hours: Any) -> Any:
            state, known = step.state, step.state.squared
            if known is stored.get(id(state), (state, ()))[1]:  # and not one that came since
                state.squared = ()
            try:
                return true(step, product, market_hours)
            finally:
                state.squared = known

        return next_of

    plant.here(engine.Engine, "adopt", opening)
    plant.here(squaring, "_next_of", asking)


@saboteur("T3", "M10", differential=True)
def squared_off_when_the_clock_has_jumped(plant: Plant) -> None:
    """After a jump the stages are dated at where it ended, and not when they were due."""
    true_wake, true_stages = engine.Engine.wake, squaring.square_off
    jumped = [0]

    def wake(self: Any, account: str, due_ns: int) -> Any:
        jumped[0] = self.now_ns
        return true_wake(self, account, due_ns)

    def square_off(step: Any) -> None:
        stage = squaring.next_stage(step)
        if stage is not None and stage.due_ns <= step.now_ns:
            step.now_ns = max(step.now_ns, jumped[0])
        true_stages(step)

    plant.patch.setattr(engine.Engine, "wake", wake)
    plant.everywhere(squaring, "square_off", lambda true: square_off)


@saboteur("R5", "M10", differential=True)
def growth_passes_while_squared_off(plant: Plant) -> None:
    """After its stage orders that enlarge a position pass as before it."""
    plant.everywhere(hours, "only_reduces", lambda true: lambda step, market, product: False)


@saboteur("R5", "M10", differential=True)
def last_stage_closes_nothing(plant: Plant) -> None:
    """With the last stage orders are canceled, and what is held is left."""
    plant.here(squaring, "_close", lambda true: lambda step, stage: None)
