"""Orders as the oracle keeps them, and what each event says about them."""

from __future__ import annotations

from papertrade.domain.events import (
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderReduced,
    OrderRejected,
    OrdersLinked,
    OrderTriggered,
)
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import LiquidityRole, OrderType


class SlowOrder:
    """What was asked, and what has become of it."""

    def __init__(self, event: OrderAccepted | OrderRejected) -> None:
        self.number = event.number
        self.terms: OrderTerms = event.terms
        self.symbol = event.terms.symbol
        self.key = event.terms.key  # of the position that it changes
        self.sign = event.terms.sign
        self.quantity = event.quantity_units
        self.limit = event.terms.limit_units
        self.stop = event.terms.stop_units
        self.placed = event.at_ns
        self.since = event.at_ns  # since when it is what it is
        self.priority = event.version
        self.expires: int | None = None
        self.triggered = False
        self.filled = 0
        self.canceled = 0
        self.value = 0
        self.made = 0  # the part of the value that filled as maker
        self.hold = 0
        self.oco = 0
        self.ended = ""

    @property
    def remaining(self) -> int:
        """What may still fill."""
        return 0 if self.ended else self.quantity - self.filled - self.canceled

    @property
    def is_open(self) -> bool:
        """Can it still fill?"""
        return not self.ended

    @property
    def waits_for_stop(self) -> bool:
        """Is it a stop whose price was not reached yet?"""
        return self.stop is not None and not self.triggered

    @property
    def rests_at_limit(self) -> bool:
        """Is it a limit order now?"""
        return self.limit is not None and not self.waits_for_stop

    @property
    def is_stop_limit(self) -> bool:
        """Was it placed as a stop-limit?"""
        return self.terms.type is OrderType.STOP_LIMIT

    @property
    def status(self) -> str:
        """Where it stands, in the public words."""
        if self.ended:
            return self.ended
        if self.filled:
            return "partially_filled"
        return "triggered" if self.triggered else "accepted"


def note_event(orders: dict[int, SlowOrder], event: Event) -> None:
    """Write down what an event says about orders."""
    if isinstance(event, OrderAccepted):
        order = orders[event.number] = SlowOrder(event)
        order.expires, order.hold, order.oco = event.expires_ns, event.hold_units, event.oco
        if event.oco:
            orders[event.oco].oco = event.number
    elif isinstance(event, OrderRejected):
        orders[event.number] = SlowOrder(event)
        orders[event.number].ended = "rejected"
    elif isinstance(event, OrderTriggered):
        orders[event.number].triggered = True
        orders[event.number].priority = event.version
        orders[event.number].since = event.at_ns
    elif isinstance(event, OrderFilled):
        _note_fill(orders[event.number], event)
    elif isinstance(event, OrderReduced):
        orders[event.number].canceled += event.quantity_units
        orders[event.number].hold = event.hold_units
    elif isinstance(event, (OrderCanceled, OrderExpired)):
        order = orders[event.number]
        order.canceled = order.quantity - order.filled
        order.hold = 0
        order.ended = "canceled" if isinstance(event, OrderCanceled) else "expired"
    elif isinstance(event, OrderModified):
        _note_change(orders[event.number], event)
    elif isinstance(event, OrdersLinked):
        orders[event.number].oco = event.other
        orders[event.other].oco = event.number


def _note_fill(order: SlowOrder, event: OrderFilled) -> None:
    order.filled += event.quantity_units
    order.value += event.value_units
    order.made += event.value_units if event.role == LiquidityRole.MAKER else 0
    order.hold = event.hold_units
    if order.filled + order.canceled == order.quantity:
        order.ended = "filled"


def _note_change(order: SlowOrder, event: OrderModified) -> None:
    # A new price or a larger size goes to the back of the queue.
    if event.quantity_units > order.quantity or event.limit_units != order.limit:
        order.priority = event.version
    larger = event.quantity_units > order.quantity
    if larger or (event.limit_units, event.stop_units) != (order.limit, order.stop):
        order.since = event.at_ns
    order.quantity = event.quantity_units
    order.limit, order.stop = event.limit_units, event.stop_units
    order.expires, order.hold = event.expires_ns, event.hold_units
