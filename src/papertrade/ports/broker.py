"""The broker: the one surface a strategy talks to, paper or live.

Write against ``Broker`` (or ``AsyncBroker``, the same with awaits) and the strategy does not know which side it is on.
What a broker cannot do it says in ``capabilities()`` and refuses with ``UnsupportedError`` before anything changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeAlias, TypedDict, Unpack, runtime_checkable

import attrs

from papertrade.domain.events import Event
from papertrade.domain.fills import Fill
from papertrade.domain.numbers import Number
from papertrade.domain.orders import Order, OrderRequest
from papertrade.domain.positions import Account, Position
from papertrade.domain.words import OrderType, Side, TimeInForce

When: TypeAlias = datetime | str | int
"""An instant as people type it: an aware datetime, ISO text with an offset, or nanoseconds of UTC."""


class OrderOptions(TypedDict, total=False):
    """What may follow symbol and quantity in ``buy`` and ``sell``."""

    notional: Number | None
    limit_price: Number | None
    stop_price: Number | None
    time_in_force: TimeInForce | str | None
    expires_at: When | None
    ttl_minutes: int | None
    extended_hours: bool
    after_market: bool
    product: str | None
    post_only: bool
    reduce_only: bool
    oco_with: str | None
    client_order_id: str | None
    tags: Mapping[str, str] | None


class OrderFields(OrderOptions, total=False):
    """Everything that an order can say, by name, as ``place_order`` takes it."""

    symbol: str
    side: Side | str
    quantity: Number | None
    type: OrderType | str | None


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a broker can do."""

    source: str
    order_types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    post_only: bool
    reduce_only: bool
    linked_orders: bool
    notional_orders: bool
    modify_orders: bool
    preview_orders: bool
    short_selling: bool


@runtime_checkable
class Broker(Protocol):
    """The order surface. Numbers may be typed as Decimal, int, str or float; they are answered as Decimal."""

    def capabilities(self) -> Capabilities:
        """What this broker can do."""
        ...

    def place_order(self, request: OrderRequest | None = None, **fields: Unpack[OrderFields]) -> Order:
        """Place an order, from a request or from its fields. A refusal is an order with status ``rejected``."""
        ...

    def modify_order(
        self,
        order_id: str | Order,
        *,
        quantity: Number | None = None,
        limit_price: Number | None = None,
        stop_price: Number | None = None,
        expires_at: When | None = None,
        command_id: str | None = None,
    ) -> Order:
        """Change an open order; ``quantity`` is the new total. A refused change leaves it as it stood."""
        ...

    def cancel_order(self, order_id: str | Order) -> Order:
        """Cancel an open order; one that has ended is answered as it is."""
        ...

    def cancel_all_orders(self, symbol: str | None = None) -> list[Order]:
        """Cancel every open order, of one symbol if given."""
        ...

    def close_position(
        self,
        symbol: str,
        quantity: Number | None = None,
        *,
        product: str | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Close a position, or a part of it, at the market; working orders that would close it are canceled first."""
        ...

    def close_all_positions(self) -> list[Order]:
        """Cancel every open order and close every position at the market."""
        ...

    def order(self, order_id: str | Order) -> Order:
        """An order as it is now; raises ``UnknownOrderError``."""
        ...

    def find_order(self, order_id: str | Order) -> Order | None:
        """An order as it is now, or None."""
        ...

    def orders(self, status: str | None = None, symbol: str | None = None) -> list[Order]:
        """Orders, oldest first: all, or by ``"open"``, ``"closed"`` or any status."""
        ...

    def order_history(self, order_id: str | Order) -> list[Event]:
        """Everything that happened to an order."""
        ...

    def fills(self, order_id: str | Order | None = None, symbol: str | None = None) -> list[Fill]:
        """Fills, oldest first."""
        ...

    def positions(self) -> list[Position]:
        """Every position that is not flat."""
        ...

    def position(self, symbol: str, product: str | None = None) -> Position:
        """The position in one symbol, flat or not; in the default product where there are some and none is named."""
        ...

    def account(self) -> Account:
        """The money of the account."""
        ...

    def wait(self, order_id: str | Order, timeout_s: float = 10) -> Order:
        """Wait until an order ends, at most this long; answers it as it is then."""
        ...


@runtime_checkable
class AsyncBroker(Protocol):
    """The same surface with awaits."""

    def capabilities(self) -> Capabilities:
        """What this broker can do."""
        ...

    async def place_order(self, request: OrderRequest | None = None, **fields: Unpack[OrderFields]) -> Order:
        """Place an order."""
        ...

    async def modify_order(
        self,
        order_id: str | Order,
        *,
        quantity: Number | None = None,
        limit_price: Number | None = None,
        stop_price: Number | None = None,
        expires_at: When | None = None,
        command_id: str | None = None,
    ) -> Order:
        """Change an open order."""
        ...

    async def cancel_order(self, order_id: str | Order) -> Order:
        """Cancel an open order."""
        ...

    async def cancel_all_orders(self, symbol: str | None = None) -> list[Order]:
        """Cancel every open order."""
        ...

    async def close_position(
        self,
        symbol: str,
        quantity: Number | None = None,
        *,
        product: str | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Close a position at the market."""
        ...

    async def close_all_positions(self) -> list[Order]:
        """Close every position at the market."""
        ...

    async def order(self, order_id: str | Order) -> Order:
        """An order as it is now."""
        ...

    async def find_order(self, order_id: str | Order) -> Order | None:
        """An order as it is now, or None."""
        ...

    async def orders(self, status: str | None = None, symbol: str | None = None) -> list[Order]:
        """Orders, oldest first."""
        ...

    async def order_history(self, order_id: str | Order) -> list[Event]:
        """Everything that happened to an order."""
        ...

    async def fills(self, order_id: str | Order | None = None, symbol: str | None = None) -> list[Fill]:
        """Fills, oldest first."""
        ...

    async def positions(self) -> list[Position]:
        """Every position that is not flat."""
        ...

    async def position(self, symbol: str, product: str | None = None) -> Position:
        """The position in one symbol."""
        ...

    async def account(self) -> Account:
        """The money of the account."""
        ...

    async def wait(self, order_id: str | Order, timeout_s: float = 10) -> Order:
        """Wait until an order ends."""
        ...
