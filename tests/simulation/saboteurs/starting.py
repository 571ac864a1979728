"""Planted in how accounts start, and in how a day begins without prices."""

from __future__ import annotations

from typing import Any

from papertrade.domain.events import AccountReset, DayRevalued, PositionImported
from papertrade.engine import evolve, starting, step, watch
from papertrade.hosting.account_start import AccountStart
from papertrade.ledger import postings
from papertrade.ledger.chart import DEPOSITS, FEES, REALIZED

from .plant import Plant, saboteur


@saboteur("L1")
def import_booked_as_profit(plant: Plant) -> None:
    """What comes in counts as won."""

    def make(true: Any) -> Any:
        return lambda event: [(REALIZED if name == DEPOSITS else name, units) for name, units in true(event)]

    plant.entry(postings.POSTINGS, PositionImported, make)


@saboteur("P8", "L1")
def reset_keeps_the_fees(plant: Plant) -> None:
    """Fees of before a reset stay in the books, and deposits are wrong by as much."""

    def make(true: Any) -> Any:
        def lines(event: Any) -> Any:
            found = dict(true(event))
            for name in [name for name in found if name.startswith(FEES)]:
                found[DEPOSITS] = found.get(DEPOSITS, 0) + found.pop(name)
            return list(found.items())

        return lines

    plant.entry(postings.POSTINGS, AccountReset, make)


def _also(plant: Plant, event: type, spoil: Any) -> None:
    """Spoil the state after an event was folded, live and from the journal."""

    def make(true: Any) -> Any:
        def move(state: Any, happened: Any) -> None:
            kept = {name: getattr(state, name) for name in ("latches", "day_deposits_units", "peak_units", "unvalued")}
            true(state, happened)
            spoil(state, happened, kept)

        return move

    plant.entry(evolve.MOVERS, event, make)


@saboteur("E2", "R5", "M10")
def reset_keeps_the_latches(plant: Plant) -> None:
    """An account that begins again may still only reduce what it has not."""
    _also(plant, AccountReset, lambda state, event, kept: setattr(state, "latches", kept["latches"]))


@saboteur("O4", "O1", "E2")
def reset_counts_orders_from_one(plant: Plant) -> None:
    """After a reset orders have numbers that orders had before."""
    _also(plant, AccountReset, lambda state, event, kept: setattr(state, "next_order", 1))


@saboteur("P8", "M10")
def reset_forgets_to_say_what_was_held(plant: Plant) -> None:
    """The event of a reset leaves out the positions that it closed."""

    def make(true: Any) -> Any:
        def emit(self: Any, event: Any) -> None:
            true(self, event._replace(holdings=()) if isinstance(event, AccountReset) else event)

        return emit

    plant.here(step.Step, "emit", make)


@saboteur("O8", "O5", "M10", differential=True)
def reset_cancels_as_if_asked(plant: Plant) -> None:
    """Orders that a reset ends say that somebody canceled them."""
    plant.here(
        starting,
        "cancel",
        lambda true: lambda step, order, reason, numbers: true(step, order, type(reason).REQUESTED, numbers),
    )


@saboteur("M10", "E2", "R4", differential=True)
def import_counts_as_a_gain_of_the_day(plant: Plant) -> None:
    """What comes in is not among the deposits of the day."""

    def spoil(state: Any, event: Any, kept: Any) -> None:
        state.day_deposits_units = kept["day_deposits_units"]

    _also(plant, PositionImported, spoil)


@saboteur("E2", "M10", differential=True)
def import_measured_from_its_cost(plant: Plant) -> None:
    """What a position won or lost before it came in counts for the day on which it did."""
    _also(plant, PositionImported, lambda state, event, kept: setattr(state, "unvalued", kept["unvalued"]))


@saboteur("R4", "E2", "M10", differential=True)
def day_measured_from_cost(plant: Plant) -> None:
    """When the missing prices are known, the day stays as it began."""

    def make(true: Any) -> Any:
        def revalue(step: Any) -> None:
            state = step.state
            same = (state.day_equity_units, state.peak_units)
            step.emit(DayRevalued(state.account, state.version + 1, step.now_ns, *same))

        return revalue

    plant.here(watch, "_revalue", make)


@saboteur("E2", "R4", "M10", differential=True)
def first_price_not_noted(plant: Plant) -> None:
    """A holding without a price that is traded is measured from what it is worth much later."""
    plant.here(evolve, "_note_price", lambda true: lambda state, event: None)


@saboteur("K4", "K1", "A1", "P8", "M10")
def import_repeated_with_its_key(plant: Plant) -> None:
    """The same import comes in again whenever it is asked for again."""

    def make(true: Any) -> Any:
        def before(self: Any, *about: Any) -> Any:
            return False
            yield

        return before

    plant.here(AccountStart, "_imported_before", make)


def _copied_with(plant: Plant, total: Any) -> None:
    """Copy another amount of cash than there is."""

    class Lying:
        def __init__(self, source: Any) -> None:
            self._source = source

        def __getattr__(self, name: str) -> Any:
            return total(self._source) if name == "total" else getattr(self._source, name)

    def make(true: Any) -> Any:
        return lambda step, account, source, *about: true(step, account, Lying(source), *about)

    plant.here(starting, "copy_account", make)


@saboteur("P8", "M10")
def copy_forgets_what_is_owed(plant: Plant) -> None:
    """A copy of an account that owes money begins with none instead of less than none."""
    _copied_with(plant, lambda source: max(source.total, 0))


@saboteur("P8", "M10")
def copy_leaves_what_is_held(plant: Plant) -> None:
    """What is held for orders is left behind when an account is copied."""
    _copied_with(plant, lambda source: source.cash)


@saboteur("P8", "M10")
def copy_of_lots_as_one(plant: Plant) -> None:
    """The lots of a position come into the copy as a single one, at the price of the first."""

    def make(true: Any) -> Any:
        def lots(position: Any) -> Any:
            first, *others = true(position)
            whole = first._replace(quantity=position.quantity_units, cost=position.cost_units)
            return [whole] if others else [first]

        return lots

    plant.here(starting, "_lots", make)
