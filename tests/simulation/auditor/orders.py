"""Orders as the auditor counts them, and its own table of what may happen to them."""

from __future__ import annotations

from typing import Any

from .facts import key_of
from .reading import AMOUNTS, maybe, maybe_ns

ACCEPTED, TRIGGERED, PARTIAL = "accepted", "triggered", "partially_filled"
FILLED, CANCELED, EXPIRED, REJECTED = "filled", "canceled", "expired", "rejected"
OPEN = frozenset({ACCEPTED, TRIGGERED, PARTIAL})

# A stop waits for its price, and until then nothing fills; all else may happen to whatever is open.
_ALWAYS = frozenset({"order_modified", "order_reduced", "order_canceled", "order_expired", "orders_linked"})
_WAITING_STOP = _ALWAYS | {"order_triggered"}
_WORKING = _ALWAYS | {"order_filled"}

CANCEL_REASONS = frozenset(
    {
        "auction_over",
        "requested",
        "ioc_remainder",
        "fok_unfilled",
        "oco",
        "nothing_to_reduce",
        "reset",
        "insufficient_funds",
        "insufficient_position",
        "margin_call",
        "limit_latched",
        "square_off",
    }
)
REDUCE_REASONS = frozenset({"oco", "insufficient_funds"})
CHANGE_REASONS = frozenset({"auction_closed", "order_is_final", "already_triggered", "below_filled_quantity"})
REJECT_REASONS = frozenset(
    {
        "unsettled_shares",
        "unsettled_funds",
        "not_a_lot_multiple",
        "below_minimum_quantity",
        "above_maximum_quantity",
        "limit_price_off_tick",
        "stop_price_off_tick",
        "outside_price_band",
        "stop_would_trigger",
        "expired_on_arrival",
        "post_only_would_take",
        "nothing_to_reduce",
        "no_reference_price",
        "market_open",
        "market_closed",
        "auction_closed",
        "square_off",
        "kill_switch",
        "limit_latched",
        "margin_call",
        "negative_cash",
        "max_order_quantity",
        "max_order_notional",
        "max_open_orders",
        "max_position",
        "max_gross_notional",
        "insufficient_position",
        "insufficient_funds",
    }
)

FOR_AUCTION = {"opg": "open", "cls": "close"}
"""The auction that an order is for and trades in, and at no other time."""

# Which situations (the digit of a fill rule) an order of a type can be in, and B3 and B4 for what became a limit.
SITUATIONS = {"market": "12", "limit": "34", "stop": "52", "stop_limit": "634"}


class Ticket:
    """One order."""

    __slots__ = (
        "after_market",
        "arrived",
        "begun",
        "canceled",
        "commit",
        "expires",
        "extended",
        "fees",
        "filled",
        "fills",
        "hold",
        "key",
        "kind",
        "limit",
        "made",
        "minutes",
        "number",
        "oco",
        "placed",
        "post_only",
        "pq",
        "process",
        "product",
        "quantity",
        "reduce_only",
        "sign",
        "since",
        "status",
        "stop",
        "symbol",
        "tif",
        "triggered",
        "value",
        "waits_for_stop",
    )

    def __init__(self, number: int, terms: dict[str, Any], quantity: int, status: str) -> None:
        self.number = number
        self.symbol: str = terms["symbol"]
        self.product: str = terms["product"]
        self.key = key_of(self.symbol, self.product)
        self.sign: int = terms["sign"]
        self.kind: str = terms["type"]
        self.tif: str = terms["tif"]
        self.limit, self.stop = maybe(terms["limit"]), maybe(terms["stop"])
        self.post_only: bool = terms["post_only"]
        self.reduce_only: bool = terms["reduce_only"]
        self.expires = maybe_ns(terms["expires"])
        self.minutes: int = terms["ttl_minutes"]
        self.extended: bool = terms["extended_hours"]
        self.after_market: bool = terms["after_market"]
        self.quantity = quantity
        self.filled = self.canceled = self.hold = self.oco = self.fills = 0
        self.value = self.made = self.fees = self.pq = 0
        self.status = status
        self.triggered: tuple[Any, ...] | None = None  # the datum that triggered it
        self.waits_for_stop = self.stop is not None and status == ACCEPTED
        self.begun = 0  # the version of its acceptance
        self.arrived = -1  # the instant of its acceptance, for as long as nothing but its arrival happened to it
        self.commit: str | None = None
        self.process = 0  # that took it
        self.placed = self.since = 0  # and when; and since when it is what it is

    @property
    def left(self) -> int:
        """What may still fill."""
        return self.quantity - self.filled - self.canceled

    def may(self, kind: str) -> bool:
        """Is this a legal move?"""
        return self.status in OPEN and kind in (_WAITING_STOP if self.waits_for_stop else _WORKING)

    def describe(self) -> str:
        """For a report."""
        return f"order {self.number} ({self.kind} {self.tif}, {self.status})"


def amounts(fields: dict[str, Any], *names: str) -> tuple[int, ...]:
    """Several amounts of a record."""
    return tuple(AMOUNTS[fields[name]] for name in names)
