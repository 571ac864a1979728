"""Planted in how a day ends and in what it comes to."""

from __future__ import annotations

from typing import Any

from papertrade.domain.events import DayClosed, DayOpened
from papertrade.engine import bookends, clockwork, day_end, step
from papertrade.ledger.days import DaySums

from .plant import Plant, saboteur


@saboteur("T2", "E2", "M10", differential=True)
def idle_day_never_closed(plant: Plant) -> None:
    """Only the day of an account that holds something is closed when it ends."""

    def make(true: Any) -> Any:
        def close(at: Any) -> None:
            if at.state.holdings:
                true(at)
            else:
                at.state.today = None

        return close

    plant.here(clockwork, "close_day", make)


@saboteur("T5", "M10", differential=True)
def day_counts_fees_since_the_account_began(plant: Plant) -> None:
    """The fees of a day are those of all days."""

    def make(true: Any) -> Any:
        def charges(self: Any, books: Any) -> Any:
            kept, self.balances = self.balances, ()
            try:
                return true(self, books)
            finally:
                self.balances = kept

        return charges

    plant.here(DaySums, "charges", make)


@saboteur("T5", "M10", differential=True)
def day_falls_by_what_was_withdrawn(plant: Plant) -> None:
    """The deepest fall of a day counts a withdrawal as a loss."""

    def make(true: Any) -> Any:
        def move(self: Any, change: int) -> None:
            peak = self.peak_units
            true(self, change)
            self.peak_units = peak

        return move

    plant.here(DaySums, "move_cash", make)


@saboteur("T5", "L4", "M10", differential=True)
def next_day_begins_with_less(plant: Plant) -> None:
    """A day that begins when another ends leaves out the cash that orders keep."""

    def make(true: Any) -> Any:
        def emit(self: Any, event: Any) -> None:
            if isinstance(event, DayOpened) and self.events and isinstance(self.events[-1], DayClosed):
                event = event._replace(equity_units=event.equity_units - self.state.held)
            true(self, event)

        return emit

    plant.here(step.Step, "emit", make)


@saboteur("T3", "M10", differential=True)
def bookend_before_the_last_bar(plant: Plant) -> None:
    """The equity after a session is noted at its close, when the last bar and the closing price are still to come."""
    plant.here(bookends, "AFTER_NS", lambda true: 0)


@saboteur("T5", "M10", differential=True)
def closing_price_only_of_the_market(plant: Plant) -> None:
    """A process that was given no price since it started closes the day without those that the journal tells."""
    plant.here(day_end, "last_price", lambda true: lambda position, market: market.mark_units)
