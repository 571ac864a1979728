"""Changing what is there: modify, cancel, link, close."""

from __future__ import annotations

from papertrade.domain.events import OrderModified, OrderModifyRejected, OrdersLinked
from papertrade.domain.orders import OrderTerms
from papertrade.domain.position_keys import position_key
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import CancelReason, OrderType, TimeInForce
from papertrade.testing.oracle import settling
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.filling import cancel, execute
from papertrade.testing.oracle.hours import auction_of, refuse_hours, trades_now
from papertrade.testing.oracle.market import SlowMarket
from papertrade.testing.oracle.needs import (
    Refusal,
    arrival_stop_price,
    hold_price,
    is_fresh,
    opening_hold,
    opening_part,
    refuse_risk,
)
from papertrade.testing.oracle.offers import beyond_stop, standing_offers
from papertrade.testing.oracle.orders import SlowOrder
from papertrade.testing.oracle.placing import fire, fires_now, place, refuse_prices, refuse_size, refuse_taking
from papertrade.testing.oracle.vocabulary import Modify


def modify(account: SlowAccount, change: Modify) -> None:
    """Give an open order a new total quantity, prices or expiry, or refuse."""
    order = account.orders[change.number]
    if not order.is_open:
        return _refuse(account, change, (RejectReason.ORDER_IS_FINAL, ()))
    market = account.markets[order.symbol]
    total = order.quantity if change.quantity is None else change.quantity
    limit = order.limit if change.limit is None else change.limit
    stop = order.stop if change.stop is None else change.stop
    refused = _refusal(account, market, order, change, total, limit, stop)
    if refused is not None:
        return _refuse(account, change, refused)
    hold = _new_hold(account, market, order, total, limit, stop)
    grows = account.held({order.number: hold}) - account.held()
    if grows > 0 and grows > account.available():
        return _refuse(account, change, settling.short_of_funds(account, grows, account.available()))
    account.emit(
        OrderModified(
            account.name,
            account.next_version,
            account.now,
            order.number,
            total,
            limit,
            stop,
            order.expires if change.expires is None else change.expires,
            hold,
            grows,
            change.command_id,
        )
    )
    return _meet_what_stands(account, market, order)


def _refuse(account: SlowAccount, change: Modify, refused: Refusal) -> None:
    account.emit(
        OrderModifyRejected(
            account.name,
            account.next_version,
            account.now,
            change.number,
            change.quantity,
            change.limit,
            change.stop,
            change.expires,
            *refused,
            change.command_id,
        )
    )


def _refusal(
    account: SlowAccount,
    market: SlowMarket,
    order: SlowOrder,
    change: Modify,
    total: int,
    limit: int | None,
    stop: int | None,
) -> Refusal | None:
    if change.stop is not None and order.triggered:
        return RejectReason.ALREADY_TRIGGERED, ()
    if total <= order.filled + order.canceled:
        numbers = (("quantity", total), ("filled", order.filled + order.canceled))
        return RejectReason.BELOW_FILLED_QUANTITY, numbers
    refused = refuse_size(market.instrument, total) or refuse_prices(market.instrument, limit, stop)
    if refused is not None:
        return refused
    its = auction_of(market, order.terms, order.placed)
    if its is not None and account.now >= its.until_ns:
        return RejectReason.AUCTION_CLOSED, ()
    if change.stop is not None and account.fill.stop_through == "reject":
        price = arrival_stop_price(account, market, order.sign)
        if price is not None and beyond_stop(order.sign, price, change.stop):
            return RejectReason.STOP_WOULD_TRIGGER, (("stop_price", change.stop), ("market", price))
    if change.expires is not None and change.expires <= account.now:
        return RejectReason.EXPIRED_ON_ARRIVAL, ()
    if order.terms.post_only:
        refused = refuse_taking(account, market, order.sign, limit)
        if refused is not None:
            return refused
    growth = total - order.quantity
    asks = growth > 0 and not order.terms.reduce_only
    return _refuse_growth(account, market, order, growth, limit, stop) if asks else None


def _refuse_growth(
    account: SlowAccount, market: SlowMarket, order: SlowOrder, growth: int, limit: int | None, stop: int | None
) -> Refusal | None:
    """Growing is asked about as if it were a new order of that size."""
    refused = refuse_risk(account, market, order.terms, growth, limit, stop, account.sibling(order), order)
    if refused is not None:
        return refused
    if order.sign < 0 and not account.may_short(order.terms.product) and not order.terms.reduce_only:
        left, sibling = order.remaining + growth, account.sibling(order)
        uncovered = opening_part(account, order.key, order.sign, left, sibling, order)
        if uncovered:
            return RejectReason.INSUFFICIENT_POSITION, (("required", left), ("available", left - uncovered))
    if order.sign < 0:
        held, sibling = account.closable(order.key, -1), account.sibling(order)
        free = held - opening_part(account, order.key, -1, held, sibling, order)
        return settling.refuse_shares(account, order.key, order.remaining + growth, free)
    return None


def _new_hold(
    account: SlowAccount, market: SlowMarket, order: SlowOrder, total: int, limit: int | None, stop: int | None
) -> int:
    """What is left of the order needs what it would need if it arrived now."""
    if order.terms.reduce_only or (order.sign < 0 and not account.may_short(order.terms.product)):
        return 0
    left = total - order.filled - order.canceled
    price = hold_price(account, market, order.sign, limit, stop)
    if price is None:
        return order.hold
    opening = opening_part(account, order.key, order.sign, left, account.sibling(order), order)
    if not opening:
        return 0
    return opening_hold(account, market, opening, left, price)


def _meet_what_stands(account: SlowAccount, market: SlowMarket, order: SlowOrder) -> None:
    """A changed order meets the market like an arriving one."""
    if fires_now(account, market, order):
        fire(account, market, order)
    elif order.rests_at_limit and trades_now(account, market, order.terms) and is_fresh(account, market):
        offers = standing_offers(market, order.sign, "3", order.limit, None)
        execute(account, market, order, offers)


# ------------------------------------------------------- cancel, link, close


def cancel_all(account: SlowAccount, symbol: str | None) -> None:
    """Cancel every open order, or those of a symbol."""
    for order in account.open_orders(symbol):
        cancel(account, order, CancelReason.REQUESTED)


def link(account: SlowAccount, one: int, two: int) -> None:
    """Two orders become a pair: from now on the larger hold is enough for both."""
    first, second = account.orders[one].hold, account.orders[two].hold
    change = max(first, second) - (first + second)
    account.emit(OrdersLinked(account.name, account.next_version, account.now, one, two, change))


def close_position(account: SlowAccount, symbol: str, product: str, quantity: int | None) -> None:
    """Cancel what is working on that side and close at the market; nothing is canceled where the hours refuse that."""
    held = account.quantity(position_key(symbol, product))
    sign = -1 if held > 0 else 1
    size = abs(held) if quantity is None else min(quantity, abs(held))
    terms = market_terms(symbol, sign, size)._replace(product=product)
    if refuse_hours(account, account.markets[symbol], terms) is None:
        for order in account.open_orders(symbol):
            if (order.key, order.sign) == (terms.key, sign):
                cancel(account, order, CancelReason.REQUESTED)
    place(account, terms)


def market_terms(symbol: str, sign: int, quantity: int) -> OrderTerms:
    """A reduce-only market order."""
    return OrderTerms(
        symbol=symbol,
        sign=sign,
        type=OrderType.MARKET,
        quantity_units=quantity,
        notional_units=None,
        limit_units=None,
        stop_units=None,
        tif=TimeInForce.GTC,
        expires_ns=None,
        post_only=False,
        reduce_only=True,
        oco_with=0,
        client_order_id=None,
        tags=(),
    )

