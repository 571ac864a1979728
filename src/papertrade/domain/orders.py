"""Orders: what was asked (``OrderRequest``), what was understood (``OrderTerms``), what it became (``Order``).

The request never changes; the order does. An ``Order`` that somebody holds never changes under their eyes: a later
event makes a new one. Ask the broker again for the latest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import attrs

from papertrade.domain.fields import Amount, Instant, MaybeAmount, MaybeInstant, readable
from papertrade.domain.names import Tags
from papertrade.domain.numbers import Number, decimal_ratio, text_of
from papertrade.domain.position_keys import position_key, titled
from papertrade.domain.tables import html_table
from papertrade.domain.words import OrderStatus, OrderType, Side, TimeInForce


@attrs.frozen(kw_only=True)
class OrderRequest:
    """What a caller asks for, as typed; the broker checks it when it is placed.

    Give ``quantity`` or ``notional`` (an amount of money), not both. ``limit_price`` alone makes a limit order,
    ``stop_price`` alone a stop (SL-M), both together a stop-limit (SL); ``type`` may say so explicitly. ``product`` is
    for accounts that have products; without one it is their first.

    >>> OrderRequest(symbol="AAPL", side="buy", quantity=5, limit_price="186.50").quantity
    5
    """

    symbol: str
    side: Side | str
    quantity: Number | None = None
    notional: Number | None = None
    type: OrderType | str | None = None
    limit_price: Number | None = None
    stop_price: Number | None = None
    time_in_force: TimeInForce | str | None = None
    expires_at: datetime | str | int | None = None
    ttl_minutes: int | None = None
    extended_hours: bool = False
    after_market: bool = False
    product: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    oco_with: str | None = None
    client_order_id: str | None = None
    tags: Mapping[str, str] | None = None


class OrderTerms(NamedTuple):
    """A request once understood: exact integers and closed words. It is what a repeated key is compared with."""

    symbol: str
    sign: int
    type: OrderType
    quantity_units: int  # 0 when the size was given as money
    notional_units: int | None
    limit_units: int | None
    stop_units: int | None
    tif: TimeInForce
    expires_ns: int | None
    post_only: bool
    reduce_only: bool
    oco_with: int  # number of the order it is linked to; 0 for none
    client_order_id: str | None
    tags: Tags
    ttl_minutes: int = 0  # how long it stands, for ``ttl``
    extended_hours: bool = False  # may it fill before the open and after the close?
    after_market: bool = False  # was it meant for the next open?
    product: str = ""  # of an account that keeps positions by product

    @property
    def key(self) -> str:
        """What the position that it changes is kept under."""
        return position_key(self.symbol, self.product) if self.product else self.symbol


class Order:
    """What a request became: read-only, with every number a ``Decimal`` and every instant aware.

    >>> import papertrade as pt
    >>> broker = pt.open_paper_broker(cash=10_000)
    >>> broker.on_quote("AAPL", bid="187.10", ask="187.14")
    >>> broker.buy("AAPL", 10)
    <Order main-1: buy 10 AAPL market gtc, filled 10 at 187.14>
    """

    __slots__ = (
        "account",
        "canceled_units",
        "expires_ns",
        "fees_units",
        "filled_units",
        "hold_units",
        "limit_units",
        "maker_units",
        "number",
        "numbers",
        "oco",
        "placed_ns",
        "pq",
        "priority",
        "quantity_units",
        "reason",
        "since_ns",
        "status",
        "stop_units",
        "terms",
        "triggered_ns",
        "updated_ns",
        "value_units",
        "version",
    )

    account: str
    number: int
    terms: OrderTerms
    status: OrderStatus
    quantity_units: int
    limit_units: int | None
    stop_units: int | None
    expires_ns: int | None
    placed_ns: int
    since_ns: int  # since when it is what it is: older prints and bars say nothing about it
    triggered_ns: int | None
    updated_ns: int
    filled_units: int
    canceled_units: int
    value_units: int  # money paid or received so far, before fees
    maker_units: int  # the part of it that filled as maker
    priority: int  # the version that gave it its place in time
    pq: int  # exact Σ price × quantity of the fills
    fees_units: int
    hold_units: int
    oco: int  # number of the linked order, 0 for none
    version: int  # of the last event that changed it
    reason: str | None
    numbers: tuple[tuple[str, int], ...]  # what was compared when it was refused or cut

    source = "paper"

    quantity = Amount()
    filled_quantity = Amount()
    limit_price = MaybeAmount()
    stop_price = MaybeAmount()
    notional = MaybeAmount()
    fees = Amount()
    hold = Amount()
    placed_at = Instant()
    updated_at = Instant()
    triggered_at = MaybeInstant()
    expires_at = MaybeInstant()

    @property
    def id(self) -> str:
        """The account's own number for it, ``"main-7"``: the same on every run."""
        return f"{self.account}-{self.number}"

    @property
    def symbol(self) -> str:
        """What is traded."""
        return self.terms.symbol

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return Side.BUY if self.terms.sign > 0 else Side.SELL

    @property
    def type(self) -> OrderType:
        """Market, limit, stop or stop-limit."""
        return self.terms.type

    @property
    def time_in_force(self) -> TimeInForce:
        """How long it stands."""
        return self.terms.tif

    @property
    def ttl_minutes(self) -> int | None:
        """How many minutes it stands, if it was placed for so many."""
        return self.terms.ttl_minutes or None

    @property
    def extended_hours(self) -> bool:
        """May it fill before the open and after the close too?"""
        return self.terms.extended_hours

    @property
    def after_market(self) -> bool:
        """Was it placed for the next open, while the market was closed?"""
        return self.terms.after_market

    @property
    def post_only(self) -> bool:
        """Is it refused rather than take liquidity?"""
        return self.terms.post_only

    @property
    def reduce_only(self) -> bool:
        """Is it kept from ever enlarging a position?"""
        return self.terms.reduce_only

    @property
    def client_order_id(self) -> str | None:
        """The caller's own key."""
        return self.terms.client_order_id

    @property
    def tags(self) -> dict[str, str]:
        """The caller's own labels."""
        return dict(self.terms.tags)

    @property
    def product(self) -> str:
        """The product that it trades in; empty in an account without products."""
        return self.terms.product

    @property
    def linked_order_id(self) -> str | None:
        """The order that is canceled when this one fills, and the reverse."""
        return f"{self.account}-{self.oco}" if self.oco else None

    @property
    def remaining_units(self) -> int:
        """What may still fill, in units; 0 once final, because the end of an order cancels what remains."""
        return self.quantity_units - self.filled_units - self.canceled_units

    @property
    def average_price_units(self) -> int | None:
        """Average fill price in units, rounded down; exact figures are ``pq`` and ``filled_units``."""
        return self.pq // self.filled_units if self.filled_units else None

    # Amounts whose integer is stored under a shorter name, or worked out.

    @property
    def filled_quantity_units(self) -> int:
        """What has filled, in units."""
        return self.filled_units

    @property
    def notional_units(self) -> int | None:
        """The money the order was sized by, in units."""
        return self.terms.notional_units

    @property
    def limit_price_units(self) -> int | None:
        """The limit price in units."""
        return self.limit_units

    @property
    def stop_price_units(self) -> int | None:
        """The stop price in units."""
        return self.stop_units

    remaining_quantity = Amount()

    @property
    def remaining_quantity_units(self) -> int:
        """What may still fill, in units."""
        return self.remaining_units

    canceled_quantity = Amount()

    @property
    def canceled_quantity_units(self) -> int:
        """What was canceled, expired or refused, in units: quantity = filled + remaining + canceled."""
        return self.canceled_units

    @property
    def average_price(self) -> Decimal | None:
        """Σ price × quantity ÷ Σ quantity of the fills, to nine places; None before the first fill."""
        return decimal_ratio(self.pq, self.filled_units * 10**9) if self.filled_units else None

    @property
    def is_open(self) -> bool:
        """Can it still fill?"""
        return not self.status.is_final

    @property
    def is_final(self) -> bool:
        """Is its story over?"""
        return self.status.is_final

    def compared(self) -> dict[str, Decimal]:
        """The numbers behind a refusal or a cut: what was required, what was available."""
        return {name: readable("v_units", units)[1] for name, units in self.numbers}  # type: ignore[misc]

    def copy(self) -> Order:
        """Another order with the same fields, for the event that changes it."""
        twin = Order.__new__(Order)
        for name in Order.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    def to_dict(self) -> dict[str, object]:
        """Every public field by name."""
        return {name: getattr(self, name) for name in _ORDER_FIELDS}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Order):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in Order.__slots__)

    __hash__ = None  # type: ignore[assignment]  # it is replaced as it changes; use its id

    def __repr__(self) -> str:
        return f"<Order {self.id}: {self._sentence()}>"

    def _sentence(self) -> str:
        text = f"{self.side} {text_of(self.quantity_units)} {titled(self.symbol, self.product)} {self.type}"
        if self.limit_units is not None:
            text += f" at {text_of(self.limit_units)}"
        if self.stop_units is not None:
            text += f" {'at' if self.limit_units is None else 'stop'} {text_of(self.stop_units)}"
        text += f" {self.time_in_force}, {str(self.status).replace('_', ' ')}"
        if self.filled_units:
            text += f" {text_of(self.filled_units)} at {self.average_price}"
        if self.reason and self.status in (OrderStatus.REJECTED, OrderStatus.CANCELED):
            text += f" ({self.reason})"
        return text

    def _repr_html_(self) -> str:
        return html_table(f"Order {self.id}", self.to_dict())


_ORDER_FIELDS = (
    "id",
    "account",
    "symbol",
    "product",
    "side",
    "type",
    "quantity",
    "notional",
    "limit_price",
    "stop_price",
    "time_in_force",
    "expires_at",
    "ttl_minutes",
    "extended_hours",
    "after_market",
    "post_only",
    "reduce_only",
    "linked_order_id",
    "client_order_id",
    "tags",
    "status",
    "filled_quantity",
    "remaining_quantity",
    "canceled_quantity",
    "average_price",
    "fees",
    "hold",
    "placed_at",
    "triggered_at",
    "updated_at",
    "reason",
    "source",
)
