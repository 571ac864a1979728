"""Changing what is there: modify, cancel, link, close a position."""

from __future__ import annotations

from papertrade.domain.events import Numbers, OrderModified, OrderModifyRejected, OrdersLinked
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.position_keys import position_key
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import CancelReason, OrderType, TimeInForce
from papertrade.engine.budgets import used_up
from papertrade.engine.filling import cancel, execute
from papertrade.engine.firing import fire, fires_at_once, standing_situation
from papertrade.engine.funds import available, first_fees, held_change, hold_for, hold_price, opening_part, refuse_funds
from papertrade.engine.gatekeeping import refuse_risk
from papertrade.engine.hours import may_trade, refuse_hours, too_late
from papertrade.engine.place import place
from papertrade.engine.refusals import refuse_prices, refuse_size
from papertrade.engine.settlement import refuse_shares
from papertrade.engine.step import Step, acts_as_limit
from papertrade.engine.triggers import arrival_trigger, is_fresh, reaches
from papertrade.matching.market import Market
from papertrade.matching.rules import LIMIT_ARRIVES, fill_on_standing

Refused = tuple[RejectReason, Numbers]
Asked = tuple[int | None, int | None, int | None, int | None]
"""New quantity, limit price, stop price and expiry; None where no change is wanted."""


def cancel_order(step: Step, number: int) -> None:
    """Cancel an open order; an order that has ended stays as it is."""
    order = step.state.orders.get(number)
    if order is not None:
        cancel(step, order, CancelReason.REQUESTED, ())


def cancel_all(step: Step, symbol: str | None) -> None:
    """Cancel every open order, of one symbol if given."""
    for number in [n for n, o in sorted(step.state.orders.items()) if symbol is None or o.terms.symbol == symbol]:
        cancel_order(step, number)


# ------------------------------------------------------------------ modify


def modify_order(
    step: Step,
    number: int,
    quantity: int | None,
    limit: int | None,
    stop: int | None,
    expires: int | None,
    command_id: str | None,
) -> None:
    """Give an open order a new total quantity, prices or expiry, or refuse and leave it as it stands."""
    asked = (quantity, limit, stop, expires)
    order = step.state.orders.get(number)
    if order is None:
        _refuse(step, number, asked, (RejectReason.ORDER_IS_FINAL, ()), command_id)
        return
    market = step.markets[order.terms.symbol]
    total = order.quantity_units if quantity is None else quantity
    new_limit = order.limit_units if limit is None else limit
    new_stop = order.stop_units if stop is None else stop
    refused = _refuse_change(step, market, order, total, new_limit, new_stop, stop is not None, expires)
    sibling = step.state.sibling(order)
    hold = 0
    if refused is None:
        hold = _new_hold(step, market, order, total, new_limit, new_stop, sibling)
        change = held_change(order.hold_units, sibling, hold)
        there = available(step)
        if change > 0 and change > there:
            refused = refuse_funds(step, change, there)
    if refused is not None:
        _refuse(step, number, asked, refused, command_id)
        return
    state = step.state
    step.emit(
        OrderModified(
            state.account,
            state.version + 1,
            step.now_ns,
            number,
            total,
            new_limit,
            new_stop,
            order.expires_ns if expires is None else expires,
            hold,
            held_change(order.hold_units, sibling, hold),
            command_id,
        )
    )
    _meet_market(step, market, number)


def _refuse(step: Step, number: int, asked: Asked, refused: Refused, command_id: str | None) -> None:
    state = step.state
    about = (state.account, state.version + 1, step.now_ns, number)
    step.emit(OrderModifyRejected(*about, *asked, *refused, command_id))


def _refuse_change(
    step: Step,
    market: Market,
    order: Order,
    total: int,
    limit: int | None,
    stop: int | None,
    moves_stop: bool,
    expires: int | None,
) -> Refused | None:
    terms, instrument = order.terms, market.instrument
    if moves_stop and order.triggered_ns is not None:
        return RejectReason.ALREADY_TRIGGERED, ()
    if total - order.canceled_units <= order.filled_units:
        filled = order.filled_units + order.canceled_units
        return RejectReason.BELOW_FILLED_QUANTITY, (("quantity", total), ("filled", filled))
    refused = refuse_size(instrument, total) or refuse_prices(instrument, limit, stop)
    if refused is not None:
        return refused
    if terms.tif.auction is not None and too_late(step, market, order):
        return RejectReason.AUCTION_CLOSED, ()
    if moves_stop and stop is not None and step.profile.fill.stop_through == "reject":
        price = arrival_trigger(step, market, terms.sign)
        if price is not None and reaches(terms.sign, price, stop):
            return RejectReason.STOP_WOULD_TRIGGER, (("stop_price", stop), ("market", price))
    if expires is not None and expires <= step.now_ns:
        return RejectReason.EXPIRED_ON_ARRIVAL, ()
    if terms.post_only and limit is not None and is_fresh(step, market):
        touch = market.touch(terms.sign)
        if touch is not None and terms.sign * (limit - touch) >= 0:
            return RejectReason.POST_ONLY_WOULD_TAKE, (("limit_price", limit), ("market", touch))
    return _refuse_growth(step, market, order, total, limit, stop)


def _refuse_growth(
    step: Step, market: Market, order: Order, total: int, limit: int | None, stop: int | None
) -> Refused | None:
    """The limits see the growth beside what is working, and the size as a whole; a smaller or equal size passes."""
    growth, terms = total - order.quantity_units, order.terms
    if growth <= 0 or terms.reduce_only:
        return None
    sibling = step.state.sibling(order)
    refused = refuse_risk(step, market, terms, growth, limit, stop, sibling, order)
    if refused is not None:
        return refused
    if terms.sign < 0 and not step.profile.may_short(terms.product):
        position = step.state.positions.get(terms.key)
        left = order.remaining_units + growth
        uncovered = opening_part(position, terms.sign, left, sibling, order)
        if uncovered:
            return RejectReason.INSUFFICIENT_POSITION, (("required", left), ("available", left - uncovered))
    if terms.sign < 0 and step.state.settling:
        return refuse_shares(step, terms.key, order.remaining_units + growth, sibling, order)
    return None


def _new_hold(
    step: Step,
    market: Market,
    order: Order,
    total: int,
    limit: int | None,
    stop: int | None,
    sibling: Order | None,
) -> int:
    """What the changed order needs held, as if it arrived now with what it has left."""
    sign = order.terms.sign
    if order.terms.reduce_only or (sign < 0 and not step.profile.may_short(order.terms.product)):
        return 0
    left = total - order.filled_units - order.canceled_units
    position = step.state.positions.get(order.terms.key)
    opening = opening_part(position, sign, left, sibling, order)
    price = hold_price(step, market, sign, limit, stop)
    if not opening or price is None:
        return order.hold_units if price is None else 0
    instrument = market.instrument
    fees = first_fees(step, order.terms, instrument, left, instrument.value(price, left))
    return hold_for(step, instrument, opening, price, fees)


def _meet_market(step: Step, market: Market, number: int) -> None:
    """A changed order meets what stands, as an arriving one would, and rests with what is left."""
    order = step.state.orders[number]
    if fires_at_once(step, market, order):
        fire(step, market, order, standing_situation(market, order))
    elif acts_as_limit(order) and may_trade(step, market, order.terms) and is_fresh(step, market):
        sign = order.terms.sign
        used = used_up(market, order.account, sign)
        found = fill_on_standing(market, sign, LIMIT_ARRIVES, order.limit_units, None, used)
        execute(step, market, number, found)
    left = step.state.orders.get(number)
    if left is not None:
        step.rest(left)


# ------------------------------------------------------------ link and close


def link_orders(step: Step, number: int, other: int) -> None:
    """Link two open orders of one symbol: a fill of one cancels or shrinks the other. The host has checked them."""
    state = step.state
    one, two = state.orders[number], state.orders[other]
    held = max(one.hold_units, two.hold_units) - one.hold_units - two.hold_units
    step.emit(OrdersLinked(state.account, state.version + 1, step.now_ns, number, other, held))


def close_position(
    step: Step, symbol: str, product: str, quantity: int | None, client_order_id: str | None
) -> int:
    """Cancel the working orders that would close the position and close it at the market, in one step."""
    key = position_key(symbol, product)
    held = step.state.quantity(key)
    sign = -1 if held > 0 else 1
    size = abs(held) if quantity is None else min(quantity, abs(held))
    market, gtc = OrderType.MARKET, TimeInForce.GTC
    terms = OrderTerms(
        symbol, sign, market, size, None, None, None, gtc, None, False, True, 0, client_order_id, (), product=product
    )
    if refuse_hours(step, step.markets[symbol], terms) is None:  # a refused order leaves the stops where they are
        for number, order in sorted(step.state.orders.items()):
            if order.terms.key == key and order.terms.sign == sign and number in step.state.orders:
                cancel(step, order, CancelReason.REQUESTED, ())
    return place(step, terms)
