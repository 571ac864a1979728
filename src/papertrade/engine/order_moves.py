"""(order, event) → the order after it. The account's fold and the history of closed orders both use these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from papertrade.domain.events import (
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderModifyRejected,
    OrderReduced,
    OrderRejected,
    OrdersLinked,
    OrderTriggered,
)
from papertrade.domain.lifecycle import MOVES, next_status
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.words import LiquidityRole, OrderStatus

_MAKER: Final = LiquidityRole.MAKER
_ACCEPTED: Final = MOVES[OrderStatus.PENDING, "accepted"]
_REJECTED: Final = MOVES[OrderStatus.PENDING, "rejected"]


def accepted(event: OrderAccepted) -> Order:
    """A working order."""
    account, version, at_ns, number, terms, quantity, expires_ns, hold, _, oco = event
    order = _blank(account, version, at_ns, number, terms, quantity)
    order.status = _ACCEPTED
    order.expires_ns = expires_ns
    order.hold_units = hold
    order.oco = oco
    return order


def _blank(account: str, version: int, at_ns: int, number: int, terms: OrderTerms, quantity: int) -> Order:
    """What an acceptance and a refusal have in common."""
    order = Order.__new__(Order)
    order.account = account
    order.number = number
    order.terms = terms
    order.quantity_units = quantity
    order.limit_units = terms.limit_units
    order.stop_units = terms.stop_units
    order.placed_ns = order.since_ns = order.updated_ns = at_ns
    order.triggered_ns = order.reason = None
    order.filled_units = order.canceled_units = order.value_units = order.maker_units = order.pq = order.fees_units = 0
    order.version = order.priority = version
    order.numbers = ()
    return order


def rejected(event: OrderRejected) -> Order:
    """A refused order."""
    quantity = event.quantity_units
    order = _blank(event.account, event.version, event.at_ns, event.number, event.terms, quantity)
    order.status = _REJECTED
    order.canceled_units = quantity
    order.expires_ns = event.terms.expires_ns
    order.hold_units = order.oco = 0
    order.reason = event.reason
    order.numbers = event.numbers
    return order


def triggered(order: Order, event: OrderTriggered) -> None:
    """A stop reached its price: new time priority from here."""
    order.status = next_status(order.status, "triggered", order.account)
    order.triggered_ns = order.since_ns = order.updated_ns = event.at_ns
    order.version = order.priority = event.version


def filled(order: Order, event: OrderFilled) -> None:
    """More of it filled."""
    quantity, value = event.quantity_units, event.value_units
    order.filled_units += quantity
    order.value_units += value
    order.pq += event.price_units * quantity
    if event.fees:
        order.fees_units += event.fee_units
    order.hold_units = event.hold_units
    if event.role == _MAKER:
        order.maker_units += value
    whole = order.filled_units + order.canceled_units == order.quantity_units
    order.status = next_status(order.status, "filled" if whole else "partly_filled", order.account)
    if whole:
        order.reason, order.numbers = None, ()  # a refused change or a cut along the way is not why it ended
    order.updated_ns = event.at_ns
    order.version = event.version


def reduced(order: Order, event: OrderReduced) -> None:
    """A part of it was canceled."""
    order.canceled_units += event.quantity_units
    order.hold_units = event.hold_units
    order.reason, order.numbers = event.reason, event.numbers
    _moved(order, "reduced", event)


def canceled(order: Order, event: OrderCanceled) -> None:
    """What remained of it was canceled."""
    order.reason, order.numbers = event.reason, event.numbers
    _ended(order, "canceled", event)


def expired(order: Order, event: OrderExpired) -> None:
    """Its time was up."""
    order.reason, order.numbers = None, ()
    _ended(order, "expired", event)


def modified(order: Order, event: OrderModified) -> None:
    """New quantity, prices or expiry. Time priority is lost by a new price or a larger size, as on exchanges."""
    larger = event.quantity_units > order.quantity_units
    if larger or event.limit_units != order.limit_units:
        order.priority = event.version
    if larger or event.limit_units != order.limit_units or event.stop_units != order.stop_units:
        order.since_ns = event.at_ns
    order.quantity_units = event.quantity_units
    order.limit_units, order.stop_units = event.limit_units, event.stop_units
    order.expires_ns = event.expires_ns
    order.hold_units = event.hold_units
    order.reason, order.numbers = None, ()
    _moved(order, "modified", event)


def change_refused(order: Order, event: OrderModifyRejected) -> None:
    """A change was refused: the order says so and stands as it stood."""
    order.reason, order.numbers = event.reason, event.numbers
    order.updated_ns = event.at_ns
    order.version = event.version


def linked(order: Order, event: OrdersLinked) -> None:
    """It has a linked order now."""
    order.oco = event.other if order.number == event.number else event.number
    order.version = event.version


def shared(order: Order, other: Order) -> int:
    """What two linked orders of one side would count twice: only one of them can fill it."""
    if order.terms.sign != other.terms.sign:
        return 0
    return min(order.remaining_units, other.remaining_units)


def left_to_both(order: Order, sibling: Order, remaining: int) -> int:
    """What an order with this much left adds to the working quantity beside its sibling."""
    if order.terms.sign != sibling.terms.sign:
        return remaining
    return max(remaining, sibling.remaining_units)


def _ended(order: Order, what: str, event: OrderCanceled | OrderExpired) -> None:
    order.canceled_units += order.remaining_units
    order.hold_units = 0
    _moved(order, what, event)


def _moved(order: Order, what: str, event: OrderReduced | OrderModified | OrderCanceled | OrderExpired) -> None:
    order.status = next_status(order.status, what, order.account)
    order.updated_ns = event.at_ns
    order.version = event.version


_MOVERS: Final[dict[type, Callable[[Order, Any], None]]] = {
    OrderTriggered: triggered,
    OrderFilled: filled,
    OrderReduced: reduced,
    OrderCanceled: canceled,
    OrderExpired: expired,
    OrderModified: modified,
    OrderModifyRejected: change_refused,
    OrdersLinked: linked,
}


def fold_order(events: Iterable[Event], number: int) -> Order | None:
    """One order from the events about it; None when they do not begin with its acceptance or refusal."""
    order: Order | None = None
    for event in events:
        if isinstance(event, OrderAccepted):
            if event.number == number:
                order = accepted(event)
            elif order is not None and event.oco == number:
                order.oco = event.number
                order.version = event.version
        elif isinstance(event, OrderRejected):
            order = rejected(event)
        elif order is not None:
            move = _MOVERS.get(type(event))
            # A refused change of an order that had ended says nothing about the order.
            if move is not None and not (move is change_refused and order.is_final):
                move(order, event)
    return order
