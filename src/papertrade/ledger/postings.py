"""Event → lines of its entry: one short function per event that moves money.

``docs/reference/postings.md`` shows this as a table. An event that is not here moves no money.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from papertrade.domain.events import (
    AccountReset,
    CashDeposited,
    CashWithdrawn,
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderReduced,
    OrdersLinked,
    PositionImported,
)
from papertrade.ledger.chart import CASH, DEPOSITS, FEES, HOLDS, POSITIONS, REALIZED

Lines = list[tuple[str, int]]


def _deposited(event: CashDeposited) -> Lines:
    return [(CASH, event.amount_units), (DEPOSITS, -event.amount_units)]


def _withdrawn(event: CashWithdrawn) -> Lines:
    return [(CASH, -event.amount_units), (DEPOSITS, event.amount_units)]


_Holding = OrderAccepted | OrderModified | OrderReduced | OrderCanceled | OrderExpired | OrdersLinked


def _held(event: _Holding) -> Lines:
    change = event.held_units
    return [(HOLDS, change), (CASH, -change)] if change else []


def postings_of_fill(event: OrderFilled) -> Lines:
    """What a fill moves: cost in or out, profit, fees, what its hold sets free, and the cash that remains."""
    sign, value, realized = event.sign, event.value_units, event.realized_units
    # What was opened comes in at its value, what was closed goes out at its booked cost.
    cost = sign * (value - event.closed_value_units) - event.released_units
    cash = -sign * value
    lines: Lines = [(POSITIONS, cost)] if cost else []
    if realized:
        lines.append((REALIZED, -realized))
    for kind, units in event.fees:
        lines.append((FEES + kind, units))
        cash -= units
    held = event.held_units
    if held:
        lines.append((HOLDS, held))
        cash -= held
    if cash:
        lines.append((CASH, cash))
    return lines


def _imported(event: PositionImported) -> Lines:
    cost = event.cost_units
    return [(POSITIONS, cost), (DEPOSITS, -cost)] if cost else []


def _begun_again(event: AccountReset) -> Lines:
    """Every ledger account is closed; because they balanced, so does closing them. Then the new cash comes in."""
    lines = {name: -units for name, units in event.balances}
    lines[CASH] = lines.get(CASH, 0) + event.cash_units
    lines[DEPOSITS] = lines.get(DEPOSITS, 0) - event.cash_units
    return [(name, units) for name, units in lines.items() if units]


POSTINGS: Final[dict[type, Callable[[Any], Lines]]] = {
    CashDeposited: _deposited,
    CashWithdrawn: _withdrawn,
    OrderAccepted: _held,
    OrderModified: _held,
    OrderReduced: _held,
    OrderCanceled: _held,
    OrderExpired: _held,
    OrdersLinked: _held,
    OrderFilled: postings_of_fill,
    PositionImported: _imported,
    AccountReset: _begun_again,
}


def postings_of(event: Event) -> Lines:
    """The lines of an event's entry; none when no money moved."""
    lines = POSTINGS.get(type(event))
    return [] if lines is None else lines(event)
