"""Placing an order: understood terms → a refusal, or an acceptance with whatever fills at once.

The checks run in the order of ``RejectReason``; the first that applies is the answer and nothing else happens.
"""

from __future__ import annotations

from typing import Final

from papertrade.domain.events import Numbers, OrderAccepted, OrderReduced, OrderRejected
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.domain.straight import straight
from papertrade.domain.words import CancelReason, OrderStatus, OrderType, TimeInForce
from papertrade.engine.filling import book_fill, cancel, fillable
from papertrade.engine.firing import fire, fires_at_once, standing_situation
from papertrade.engine.funds import held_change
from papertrade.engine.gatekeeping import refuse_risk
from papertrade.engine.hours import expiry_of
from papertrade.engine.refusals import Refused, refuse_conditions, refuse_prices, refuse_size
from papertrade.engine.settlement import trade_day
from papertrade.engine.sizing import Sizing, afford, size_by_money, size_up
from papertrade.engine.step import Step
from papertrade.matching.market import Market

_accepted = straight(OrderAccepted)
_GTC: Final = TimeInForce.GTC
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
_MARKET: Final = OrderType.MARKET


def place(step: Step, terms: OrderTerms, done_by_pair: int | None = 0, by_clock: bool = False) -> int:
    """Decide one order; answers its number.

    ``done_by_pair`` is what its linked order has filled of it already, None for all of it. ``by_clock``: nobody is
    there to be told that its settlement is not known, so it waits.
    """
    state = step.state
    market = step.markets[terms.symbol]
    number = state.next_order
    quantity = terms.quantity_units
    if not quantity:
        sized = size_by_money(step, market, terms)
        if sized is None:
            earlier = refuse_conditions(step, market, terms)
            return _reject(step, terms, 0, earlier or (RejectReason.NO_REFERENCE_PRICE, ()))
        quantity = sized
    instrument = market.instrument
    refusal: Refused | None = None
    if quantity % instrument.lot_units or not instrument.min_units <= quantity <= instrument.most_units:
        refusal = refuse_size(instrument, quantity)
    elif (
        terms.type is not _MARKET
        or terms.reduce_only
        or terms.expires_ns is not None
        or terms.after_market
        or market.hours is not None
    ):
        refusal = refuse_prices(instrument, terms.limit_units, terms.stop_units)
        refusal = refusal or refuse_conditions(step, market, terms)
    if refusal:
        return _reject(step, terms, quantity, refusal)
    if done_by_pair is None or done_by_pair >= quantity:
        _emit_accepted(step, market, terms, quantity, 0, 0, 0)
        cancel(step, state.orders[number], CancelReason.OCO, ())
        return number
    sibling = state.orders.get(terms.oco_with) if terms.oco_with else None
    if step.profile.settlement is not None and not by_clock:
        trade_day(step, market, terms)
    sizing = size_up(step, market, terms, quantity - done_by_pair, sibling)
    if not isinstance(sizing, Sizing):
        return _reject(step, terms, quantity, sizing)
    limited = state.latches or state.margin_call or step.profile.limits.on_orders or state.total < 0 or state.squared
    if limited and not terms.reduce_only:
        refusal = refuse_risk(step, market, terms, quantity, terms.limit_units, terms.stop_units, sibling)
        if refusal:
            return _reject(step, terms, quantity, refusal)
    affordable = afford(step, market, terms, quantity - done_by_pair, sizing, sibling)
    if not isinstance(affordable, Sizing):
        return _reject(step, terms, quantity, affordable)
    _accept(step, market, terms, quantity, affordable, sibling, done_by_pair)
    return number


def place_pair(step: Step, first: OrderTerms, second: OrderTerms) -> tuple[int, int]:
    """Decide two linked orders: what the first fills at once, the second no longer wants."""
    one = place(step, first)
    order = step.state.orders.get(one)
    if order is not None and not (order.filled_units and step.profile.fill.oco_partial == "cancel"):
        return one, place(step, second._replace(oco_with=one), order.filled_units)
    if order is None:
        order = next(ended for ended in step.state.finished if ended.number == one)
        cancels = order.filled_units and step.profile.fill.oco_partial == "cancel"
        if order.status is OrderStatus.CANCELED and not cancels:
            return one, place(step, second, order.filled_units)  # what did not fill leaves the second alone
    return one, place(step, second, None)


def _reject(step: Step, terms: OrderTerms, quantity: int, refused: Refused) -> int:
    state = step.state
    reason, numbers = refused
    number = state.next_order
    step.emit(
        OrderRejected(state.account, state.version + 1, step.now_ns, number, terms, quantity, reason, numbers)
    )
    return number


# --------------------------------------------------------------- acceptance


def _accept(
    step: Step,
    market: Market,
    terms: OrderTerms,
    quantity: int,
    sizing: Sizing,
    sibling: Order | None,
    done_by_pair: int,
) -> None:
    state = step.state
    number = state.next_order
    held = held_change(0, sibling, sizing.hold_units) if sizing.hold_units else 0
    linked = terms.oco_with if sibling is not None else 0
    _emit_accepted(step, market, terms, quantity, sizing.hold_units, held, linked)
    if done_by_pair:
        _shrink(step, number, done_by_pair, CancelReason.OCO, ())
    excess = quantity - done_by_pair - sizing.quantity_units
    if excess:
        numbers = (("required", quantity), ("available", sizing.quantity_units))
        _shrink(step, number, excess, CancelReason.INSUFFICIENT_FUNDS, numbers)
    for piece in sizing.taken:
        if number in state.orders:
            # The hold is for what waits: what fills on arrival captures nothing of it.
            book_fill(step, market, number, piece, 0)
    order = state.orders.get(number)
    if order is not None:
        _settle_remainder(step, market, order, sizing)


def _emit_accepted(
    step: Step, market: Market, terms: OrderTerms, quantity: int, hold: int, held: int, linked: int
) -> None:
    state = step.state
    expires = None if terms.tif is _GTC else expiry_of(step, market, terms)
    about = (state.account, state.version + 1, step.now_ns, state.next_order)
    step.emit(_accepted((*about, terms, quantity, expires, hold, held, linked)))


def _shrink(step: Step, number: int, by: int, reason: CancelReason, numbers: Numbers) -> None:
    """Cancel a part that was never going to fill; the hold was worked out without it."""
    state = step.state
    hold = state.orders[number].hold_units
    step.emit(
        OrderReduced(state.account, state.version + 1, step.now_ns, number, by, reason, numbers, hold, 0)
    )


def _settle_remainder(step: Step, market: Market, order: Order, sizing: Sizing) -> None:
    """What did not fill at once: canceled, triggered, or put to rest."""
    terms = order.terms
    if terms.tif is _FOK:
        cancel(step, order, CancelReason.FOK_UNFILLED, ())
        return
    if terms.stop_units is not None and fires_at_once(step, market, order):
        fire(step, market, order, standing_situation(market, order))
        remaining = step.state.orders.get(order.number)
        if remaining is None:
            return
        order = remaining
    if terms.tif is _IOC:
        cancel(step, order, CancelReason.IOC_REMAINDER, ())
        return
    if sizing.taken and terms.reduce_only:
        most, why_not = fillable(step, order)
        if why_not is not None and not most:  # else too little was displayed: what may still reduce waits for more
            cancel(step, order, why_not, ())
            return
    step.rest(order)


