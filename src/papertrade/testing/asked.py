"""The request that is understood as given terms: the way back to what somebody could have typed."""

from __future__ import annotations

from decimal import Decimal

from papertrade.domain.numbers import to_decimal
from papertrade.domain.orders import OrderRequest, OrderTerms
from papertrade.domain.words import Side


def request_of_terms(terms: OrderTerms, oco_with: str | None = None) -> OrderRequest:
    """A request that means exactly these terms; whom it is linked to is the id given."""
    return OrderRequest(
        symbol=terms.symbol,
        side=Side.BUY if terms.sign > 0 else Side.SELL,
        quantity=_maybe(terms.quantity_units or None),
        notional=_maybe(terms.notional_units),
        limit_price=_maybe(terms.limit_units),
        stop_price=_maybe(terms.stop_units),
        time_in_force=terms.tif,
        expires_at=terms.expires_ns,
        ttl_minutes=terms.ttl_minutes or None,
        extended_hours=terms.extended_hours,
        after_market=terms.after_market,
        product=terms.product or None,
        post_only=terms.post_only,
        reduce_only=terms.reduce_only,
        oco_with=oco_with,
        client_order_id=terms.client_order_id,
        tags=dict(terms.tags),
    )


def _maybe(units: int | None) -> Decimal | None:
    return None if units is None else to_decimal(units)
