"""Planted in the ledger: entries, fees, holds, and money that comes and goes."""

from __future__ import annotations

from typing import Any

from papertrade.domain.events import CashWithdrawn, OrderFilled
from papertrade.engine import cash, clockwork, filling, funds
from papertrade.hosting.account import AccountDesk
from papertrade.ledger import entries, fees, positions, postings
from papertrade.ledger.chart import CASH, HOLDS, POSITIONS, REALIZED

from .plant import Plant, saboteur

Lines = list[tuple[str, int]]


def _fill_lines(plant: Plant, change: Any) -> None:
    """Book and show something else for each fill."""

    def make(true: Any) -> Any:
        return lambda event: change(true(event))

    plant.everywhere(postings, "postings_of_fill", make)
    plant.entry(postings.POSTINGS, OrderFilled, make)


@saboteur("L1")
def profit_booked_as_cost(plant: Plant) -> None:
    """The profit of a fill stays in the position's ledger account."""
    _fill_lines(plant, lambda lines: [(POSITIONS if name == REALIZED else name, units) for name, units in lines])


@saboteur("A6", "L1")
def rebate_left_out_of_the_entry(plant: Plant) -> None:
    """A line of an entry gets lost, so that the entry does not balance."""
    _fill_lines(plant, lambda lines: [(name, u) for name, u in lines if not (name.startswith("expenses") and u < 0)])


@saboteur("L1", "L2")
def unbalanced_entry_let_through(plant: Plant) -> None:
    """Profit is booked with the wrong sign, and somebody switched the check of the balance off."""
    _fill_lines(plant, lambda lines: [(name, -units if name == REALIZED else units) for name, units in lines])
    plant.everywhere(entries, "check_balanced", lambda true: lambda lines, account, version: None)


@saboteur("L2")
def withdrawal_leaves_the_cash(plant: Plant) -> None:
    """A withdrawal is recorded, and no money is booked."""
    plant.entry(postings.POSTINGS, CashWithdrawn, lambda true: lambda event: [])


@saboteur("L3", differential=True)
def minimum_fee_on_every_fill(plant: Plant) -> None:
    """Each fill is charged as if it were the order's first."""
    plant.everywhere(fees, "charge", lambda true: lambda before, after: true((), after))


@saboteur("L3")
def maker_charged_as_taker(plant: Plant) -> None:
    """What was made is charged at the rate of what was taken."""

    def make(true: Any) -> Any:
        return lambda step, order, instrument, quantity, value, made: true(step, order, instrument, quantity, value, 0)

    plant.everywhere(funds, "fee_lines", make)


@saboteur("L3")
def rebate_never_paid(plant: Plant) -> None:
    """Fees below zero are dropped."""
    plant.everywhere(fees, "charge", lambda true: lambda *owed: tuple(line for line in true(*owed) if line[1] > 0))


@saboteur("L4", "P6", "R4")
def short_valued_like_a_long(plant: Plant) -> None:
    """A short position counts as an asset."""
    plant.everywhere(funds, "signed_value", lambda true: lambda instrument, q, price: abs(true(instrument, q, price)))


@saboteur("L4", "T5", "M10")
def day_opens_without_held_cash(plant: Plant) -> None:
    """The equity that a day begins with leaves out what is held."""

    def make(true: Any) -> Any:
        def appraise(state: Any, profile: Any, markets: Any) -> Any:
            now = true(state, profile, markets)
            return now._replace(equity=now.equity - state.held)

        return appraise

    plant.here(clockwork, "appraise", make)


@saboteur("L5", differential=True)
def hold_never_captured(plant: Plant) -> None:
    """A partial fill leaves the whole hold with the rest of its order."""

    def share(amount: int, part: int, whole: int, step: int = 1) -> int:
        return amount if part == whole else 0

    plant.patch.setattr(filling, "share_down", share)


@saboteur("L5", differential=True)
def hold_counted_twice_for_a_pair(plant: Plant) -> None:
    """Two linked orders hold the sum of what they need."""
    plant.everywhere(funds, "held_change", lambda true: lambda hold, sibling, new: new - hold)


@saboteur("L5")
def ended_order_keeps_its_hold(plant: Plant) -> None:
    """What an order held is not given back when it is canceled."""
    plant.everywhere(funds, "held_change", lambda true: lambda hold, sib, new: true(hold, sib, new) if new else 0)


@saboteur("L6", "R2", "L5")
def fill_beyond_the_cash(plant: Plant) -> None:
    """A cash account books a fill that gapped whole, whether it can be paid or not."""

    def make(true: Any) -> Any:
        def fit(step: Any, instrument: Any, order: Any, piece: Any) -> Any:
            cash_only = not step.profile.margin.marked_to_market
            return (piece, ()) if cash_only else true(step, instrument, order, piece)

        return fit

    plant.everywhere(filling, "fit_to_funds", make)


@saboteur("L6", "M10")
def profit_on_paper_paid_out(plant: Plant) -> None:
    """A margin account may withdraw the larger of what is free and what there is."""
    plant.patch.setattr(cash, "min", max, raising=False)


@saboteur("L7")
def entry_without_its_hold(plant: Plant) -> None:
    """The entries that are shown do not tell what is held from what is free."""

    def make(true: Any) -> Any:
        def shown(event: Any) -> Lines:
            lines = true(event)
            free = sum(units for name, units in lines if name in (CASH, HOLDS))
            return [line for line in lines if line[0] not in (CASH, HOLDS)] + ([(CASH, free)] if free else [])

        return shown

    plant.here(entries, "postings_of", make)


@saboteur("L7")
def last_entry_shown_twice(plant: Plant) -> None:
    """A page of entries begins with the last one of the page before."""

    def make(true: Any) -> Any:
        def shown(self: Any) -> Any:
            found = yield from true(self)
            return found + found[-1:]

        return shown

    plant.here(AccountDesk, "entries", make)


@saboteur("L8")
def withdrawal_recorded_below_zero(plant: Plant) -> None:
    """The amount of a withdrawal is recorded as negative."""

    def make(true: Any) -> Any:
        return lambda account, version, at, amount, *rest: true(account, version, at, -amount, *rest)

    plant.here(cash, "CashWithdrawn", make)


@saboteur("L9")
def value_of_a_fill_rounded_up(plant: Plant) -> None:
    """What a fill opens is worth its value rounded up and not to the nearest."""

    def make(true: Any) -> Any:
        def split(position: Any, instrument: Any, sign: int, units: int, price: int, whole: int) -> Any:
            opens = sign * position.quantity_units >= 0
            return true(position, instrument, sign, units, price, instrument.value_up(price, units) if opens else whole)

        return split

    plant.everywhere(positions, "split_fill", make)


@saboteur("L10")
def deposits_in_dollars(plant: Plant) -> None:
    """Each deposit is recorded in dollars."""

    def make(true: Any) -> Any:
        return lambda account, version, at, amount, currency, *rest: true(account, version, at, amount, "USD", *rest)

    plant.here(cash, "CashDeposited", make)
