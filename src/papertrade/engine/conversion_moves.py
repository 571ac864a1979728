"""What a conversion does to a state: a part of a position is one of another product from then on."""

from __future__ import annotations

from papertrade.domain.events import PositionConverted
from papertrade.domain.position_keys import position_key
from papertrade.engine import settlement_moves as settlement
from papertrade.engine.state import AccountState
from papertrade.errors import InvariantError
from papertrade.ledger.positions import PositionState, apply_conversion


def converted(state: AccountState, event: PositionConverted) -> None:
    """Move it, with what is not delivered of it."""
    left, right = (position_key(event.symbol, name) for name in (event.from_product, event.to_product))
    source, target = state.positions[left], state.positions.get(right)
    if target is None:
        target = state.positions[right] = PositionState(event.symbol, event.to_product)
    size = event.quantity_units
    if size * source.quantity_units <= 0 or abs(size) > abs(source.quantity_units) or size * target.quantity_units < 0:
        raise InvariantError("P9 a conversion moves what is held", state.account, size, source.quantity_units)
    apply_conversion(source, target, event)
    if not source.quantity_units:
        state.open_positions -= 1
        del state.holdings[left]
    if right not in state.holdings:
        state.open_positions += 1
        state.holdings[right] = target
    if state.settling:
        settlement.converted(state, left, right, source.quantity_units)
