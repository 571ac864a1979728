"""A position goes over to another product: no trade, and no money moves."""

from __future__ import annotations

from papertrade.domain.events import PositionConverted
from papertrade.domain.numbers import SCALE, ratio_units
from papertrade.domain.position_keys import position_key
from papertrade.engine.step import Step
from papertrade.ledger.positions import PositionState, released_cost, released_pq


def convertible(position: PositionState) -> int:
    """How much of a position is available: all but what working orders may close."""
    size = abs(position.quantity_units)
    return max(0, size - position.working(-1 if position.quantity_units > 0 else 1))


def convert(
    step: Step, symbol: str, quantity: int, products: tuple[str, str], command_id: str | None, note: str
) -> None:
    """So much of what one product holds is held by the other from now on. Whoever asks has checked that it may."""
    state, source = step.state, step.state.positions[position_key(symbol, products[0])]
    cost = released_cost(source, quantity, step.markets[symbol].instrument.minor_units)
    signed = quantity if source.quantity_units > 0 else -quantity
    price = ratio_units(released_pq(source, quantity), signed * SCALE)
    about = (state.account, state.version + 1, step.now_ns, symbol, *products)
    step.emit(PositionConverted(*about, signed, cost, price, command_id, note))
