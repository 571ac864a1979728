"""The one table of legal moves: (status, what happened) → status.

Rules of this file: nothing else assigns a status; a final status has no way out; a trigger is a one-way step.
``docs/reference/orders.md`` shows this table, and a test compares the two.
"""

from __future__ import annotations

from types import MappingProxyType

from papertrade.domain.words import OrderStatus
from papertrade.errors import InvariantError

_S = OrderStatus
_STAYS = "stays"

# what happened → the status after it; "stays" keeps the status it had
_WORKING: dict[str, OrderStatus | str] = {
    "partly_filled": _S.PARTIALLY_FILLED,
    "filled": _S.FILLED,
    "modified": _STAYS,
    "reduced": _STAYS,
    "canceled": _S.CANCELED,
    "expired": _S.EXPIRED,
}

MOVES: MappingProxyType[tuple[OrderStatus, str], OrderStatus] = MappingProxyType(
    {
        (_S.PENDING, "accepted"): _S.ACCEPTED,
        (_S.PENDING, "rejected"): _S.REJECTED,
        (_S.ACCEPTED, "triggered"): _S.TRIGGERED,
        **{
            (status, what): status if after == _STAYS else OrderStatus(after)
            for status in (_S.ACCEPTED, _S.TRIGGERED, _S.PARTIALLY_FILLED)
            for what, after in _WORKING.items()
        },
    }
)

_MOVES = dict(MOVES)  # read only; a dictionary answers faster than a view of one


def next_status(status: OrderStatus, what: str, account: str) -> OrderStatus:
    """The status after something happened; a move that is not in the table is a broken invariant."""
    after = _MOVES.get((status, what))
    if after is None:
        legal = sorted(w for s, w in MOVES if s is status)
        raise InvariantError("O1 order lifecycle", account, f"{what} when {status}", legal or "nothing: final")
    return after
