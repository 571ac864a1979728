"""A broker that can do less: for strategies that must not get used to more on paper than their live broker offers.

    live_like = LimitedBroker(paper, post_only=False, order_types=[OrderType.MARKET, OrderType.LIMIT])

What is not offered is an ``UnsupportedError`` before anything changes, exactly as from the live adapter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

import attrs

from papertrade.domain.events import Event
from papertrade.domain.fills import Fill
from papertrade.domain.numbers import Number
from papertrade.domain.orders import Order, OrderRequest, OrderTerms
from papertrade.domain.positions import Account, Position
from papertrade.domain.words import (
    TIF_SPELLINGS,
    TYPE_SPELLINGS,
    OrderType,
    TimeInForce,
    parse_flag,
    parse_word,
)
from papertrade.errors import UnsupportedError
from papertrade.hosting.parsing import request_of, request_or_fields
from papertrade.hosting.requests import terms_of
from papertrade.ports.broker import Broker, Capabilities, OrderFields, When


class LimitedBroker:
    """A ``Broker`` that offers only a part of what another one can do. What the other cannot do stays impossible.

    Short selling is not a switch here: a sell of what is not held is a refusal on record, not misuse, and an account of
    kind ``"cash"`` writes it.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        order_types: Iterable[OrderType | str] | None = None,
        times_in_force: Iterable[TimeInForce | str] | None = None,
        post_only: bool = True,
        reduce_only: bool = True,
        linked_orders: bool = True,
        notional_orders: bool = True,
        modify_orders: bool = True,
    ) -> None:
        full = broker.capabilities()
        types = full.order_types
        if order_types is not None:
            types &= {parse_word(word, TYPE_SPELLINGS, "order_types") for word in order_types}
        tifs = full.times_in_force
        if times_in_force is not None:
            tifs &= {parse_word(word, TIF_SPELLINGS, "times_in_force") for word in times_in_force}
        self._inner = broker
        self._can = attrs.evolve(
            full,
            order_types=types,
            times_in_force=tifs,
            post_only=full.post_only and parse_flag(post_only, "post_only"),
            reduce_only=full.reduce_only and parse_flag(reduce_only, "reduce_only"),
            linked_orders=full.linked_orders and parse_flag(linked_orders, "linked_orders"),
            notional_orders=full.notional_orders and parse_flag(notional_orders, "notional_orders"),
            modify_orders=full.modify_orders and parse_flag(modify_orders, "modify_orders"),
            preview_orders=False,  # not part of the protocol that this is a view of
        )

    def capabilities(self) -> Capabilities:
        """What is left."""
        return self._can

    # ------------------------------------------------------------ what is checked

    def place_order(self, request: OrderRequest | None = None, **fields: Unpack[OrderFields]) -> Order:
        """Place an order, if all of it is on offer."""
        if request is None:
            request = request_of(fields)
        elif fields:
            request_or_fields("", request, fields)  # says which of the two to leave out
        # Whose order it is linked to is for the broker to say; here it only counts that it is linked.
        linked = isinstance(request, OrderRequest) and request.oco_with is not None  # type: ignore[redundant-expr]
        self._check(terms_of(attrs.evolve(request, oco_with=None) if linked else request, ""), linked)
        return self._inner.place_order(request)

    def _check(self, terms: OrderTerms, linked: bool) -> None:
        can = self._can
        self._offered(terms.type in can.order_types, f"{terms.type} orders", can.order_types)
        self._offered(terms.tif in can.times_in_force, f"time in force {terms.tif}", can.times_in_force)
        self._offered(can.post_only or not terms.post_only, "post_only")
        self._offered(can.reduce_only or not terms.reduce_only, "reduce_only")
        self._offered(can.notional_orders or terms.notional_units is None, "orders by notional")
        self._offered(can.linked_orders or not linked, "linked orders")

    def _offered(self, truth: bool, what: str, accepted: Iterable[str] = ()) -> None:
        if truth:
            return
        can = self._can
        flags = ("post_only", "reduce_only", "linked_orders", "notional_orders", "modify_orders")
        rest = [name for name in flags if getattr(can, name)]
        raise UnsupportedError(what, sorted(accepted) or [*sorted(can.order_types), *rest])

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
        """Change an open order, if that is on offer."""
        self._offered(self._can.modify_orders, "modify_order")
        return self._inner.modify_order(
            order_id,
            quantity=quantity,
            limit_price=limit_price,
            stop_price=stop_price,
            expires_at=expires_at,
            command_id=command_id,
        )

    def close_position(
        self,
        symbol: str,
        quantity: Number | None = None,
        *,
        product: str | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Close a position at the market, if market orders are on offer."""
        self._offered(OrderType.MARKET in self._can.order_types, "market orders", self._can.order_types)
        return self._inner.close_position(symbol, quantity, product=product, client_order_id=client_order_id)

    def close_all_positions(self) -> list[Order]:
        """Cancel every open order and close every position, if market orders are on offer."""
        self._offered(OrderType.MARKET in self._can.order_types, "market orders", self._can.order_types)
        return self._inner.close_all_positions()

    # ------------------------------------------------------- what is handed on

    def cancel_order(self, order_id: str | Order) -> Order:
        """Cancel an open order."""
        return self._inner.cancel_order(order_id)

    def cancel_all_orders(self, symbol: str | None = None) -> list[Order]:
        """Cancel every open order."""
        return self._inner.cancel_all_orders(symbol)

    def order(self, order_id: str | Order) -> Order:
        """An order as it is now."""
        return self._inner.order(order_id)

    def find_order(self, order_id: str | Order) -> Order | None:
        """An order as it is now, or None."""
        return self._inner.find_order(order_id)

    def orders(self, status: str | None = None, symbol: str | None = None) -> list[Order]:
        """Orders, oldest first."""
        return self._inner.orders(status, symbol)

    def order_history(self, order_id: str | Order) -> list[Event]:
        """Everything that happened to an order."""
        return self._inner.order_history(order_id)

    def fills(self, order_id: str | Order | None = None, symbol: str | None = None) -> list[Fill]:
        """Fills, oldest first."""
        return self._inner.fills(order_id, symbol)

    def positions(self) -> list[Position]:
        """Every position that is not flat."""
        return self._inner.positions()

    def position(self, symbol: str, product: str | None = None) -> Position:
        """The position in one symbol."""
        return self._inner.position(symbol, product)

    def account(self) -> Account:
        """The money of the account."""
        return self._inner.account()

    def wait(self, order_id: str | Order, timeout_s: float = 10) -> Order:
        """Wait until an order ends."""
        return self._inner.wait(order_id, timeout_s)

    def __repr__(self) -> str:
        return f"<LimitedBroker of {self._inner!r}>"
