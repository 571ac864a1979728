"""Placing an order: the checks in their documented order, then acceptance and whatever fills at once."""

from __future__ import annotations

from papertrade.domain.events import Numbers, OrderAccepted, OrderReduced, OrderRejected, OrderTriggered
from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import CancelReason, TimeInForce
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle import settling
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.filling import allowed_now, book, cancel, execute
from papertrade.testing.oracle.hours import expiry, refuse_hours, trades_now
from papertrade.testing.oracle.market import SlowMarket
from papertrade.testing.oracle.needs import (
    Plan,
    Refusal,
    arrival_stop_price,
    is_fresh,
    need_now,
    opening_part,
    plan,
    refuse_risk,
)
from papertrade.testing.oracle.offers import LETTER, beyond_stop, standing_offers, standing_stop_price
from papertrade.testing.oracle.orders import SlowOrder


def place(account: SlowAccount, terms: OrderTerms, done_by_pair: int | None = 0) -> None:
    """Decide an order. ``done_by_pair`` is what its linked order has filled of it already, None for all of it."""
    market = account.markets[terms.symbol]
    quantity = terms.quantity_units
    if terms.notional_units is not None:
        price = terms.limit_units or terms.stop_units or market.reference(terms.sign)
        if price is None:
            earlier = _refuse_conditions(account, market, terms)
            return _reject(account, terms, 0, earlier or (RejectReason.NO_REFERENCE_PRICE, ()))
        quantity = money.lots_for(market.instrument, terms.notional_units, price)
    refused = (
        refuse_size(market.instrument, quantity)
        or refuse_prices(market.instrument, terms.limit_units, terms.stop_units)
        or _refuse_conditions(account, market, terms)
    )
    if refused is not None:
        return _reject(account, terms, quantity, refused)
    if done_by_pair is None or done_by_pair >= quantity:
        number = account.next_order
        _accept(account, terms, quantity, 0, None)
        return cancel(account, account.orders[number], CancelReason.OCO)
    sibling = account.orders.get(terms.oco_with)
    sibling = sibling if sibling is not None and sibling.is_open else None
    wanted = quantity - done_by_pair
    found = plan(account, market, terms, wanted, sibling)
    if found is None:
        return _reject(account, terms, quantity, (RejectReason.NO_REFERENCE_PRICE, ()))
    refused = None
    if not terms.reduce_only:
        refused = refuse_risk(account, market, terms, quantity, terms.limit_units, terms.stop_units, sibling)
    if refused is not None:
        return _reject(account, terms, quantity, refused)
    paid = _afford(account, market, terms, wanted, found, sibling)
    if not isinstance(paid, Plan):
        return _reject(account, terms, quantity, paid)
    return _carry_out(account, market, terms, quantity, done_by_pair, paid, sibling)


def place_pair(account: SlowAccount, first: OrderTerms, second: OrderTerms) -> None:
    """Two linked orders: what the first fills at once, the second no longer wants."""
    number = account.next_order
    place(account, first)
    order = account.orders[number]
    cancels = order.filled and account.fill.oco_partial == "cancel"
    if order.ended in ("filled", "rejected") or cancels:
        return place(account, second, None)
    return place(account, second._replace(oco_with=number if order.is_open else 0), order.filled)


def _reject(account: SlowAccount, terms: OrderTerms, quantity: int, refused: Refusal) -> None:
    account.emit(
        OrderRejected(
            account.name, account.next_version, account.now, account.next_order, terms, quantity, *refused
        )
    )


# ----------------------------------------------------------------- refusals


def refuse_size(instrument: Instrument, quantity: int) -> Refusal | None:
    """Lots, minimum, maximum."""
    lot, least, most = instrument.lot_units, instrument.min_units, instrument.max_units
    if quantity % lot:
        return RejectReason.NOT_A_LOT_MULTIPLE, (("quantity", quantity), ("lot", lot))
    if quantity < least:
        return RejectReason.BELOW_MINIMUM_QUANTITY, (("quantity", quantity), ("minimum", least))
    if most is not None and quantity > most:
        return RejectReason.ABOVE_MAXIMUM_QUANTITY, (("quantity", quantity), ("maximum", most))
    return None


def refuse_prices(instrument: Instrument, limit: int | None, stop: int | None) -> Refusal | None:
    """Ticks, then the day's band."""
    tick = instrument.tick_units
    if limit is not None and limit % tick:
        return RejectReason.LIMIT_PRICE_OFF_TICK, (("limit_price", limit), ("tick", tick))
    if stop is not None and stop % tick:
        return RejectReason.STOP_PRICE_OFF_TICK, (("stop_price", stop), ("tick", tick))
    for price in (limit, stop):
        if price is not None and instrument.band_units is not None:
            lowest, highest = instrument.band_units
            if price < lowest or price > highest:
                return RejectReason.OUTSIDE_PRICE_BAND, (("price", price), ("lowest", lowest), ("highest", highest))
    return None


def _refuse_conditions(account: SlowAccount, market: SlowMarket, terms: OrderTerms) -> Refusal | None:
    why = refuse_hours(account, market, terms)
    if why is not None:
        return why, ()
    if terms.stop_units is not None and account.fill.stop_through == "reject":
        price = arrival_stop_price(account, market, terms.sign)
        if price is not None and beyond_stop(terms.sign, price, terms.stop_units):
            return RejectReason.STOP_WOULD_TRIGGER, (("stop_price", terms.stop_units), ("market", price))
    if terms.expires_ns is not None and terms.expires_ns <= account.now:
        return RejectReason.EXPIRED_ON_ARRIVAL, ()
    if terms.post_only:
        refused = refuse_taking(account, market, terms.sign, terms.limit_units)
        if refused is not None:
            return refused
    if terms.reduce_only and not account.closable(terms.key, terms.sign):
        return RejectReason.NOTHING_TO_REDUCE, (("position", account.quantity(terms.key)),)
    return None


def refuse_taking(account: SlowAccount, market: SlowMarket, sign: int, limit: int | None) -> Refusal | None:
    """A post-only order may not find what it could take."""
    touch = market.touch(sign) if is_fresh(account, market) else None
    if limit is None or touch is None:
        return None
    if (touch <= limit) if sign > 0 else (touch >= limit):
        return RejectReason.POST_ONLY_WOULD_TAKE, (("limit_price", limit), ("market", touch))
    return None


def _afford(
    account: SlowAccount,
    market: SlowMarket,
    terms: OrderTerms,
    quantity: int,
    found: Plan,
    sibling: SlowOrder | None,
) -> Plan | Refusal:
    """Is there the position, or the money, for it?"""
    if terms.sign < 0 and not account.may_short(terms.product):
        uncovered = opening_part(account, terms.key, terms.sign, quantity, sibling)
        if uncovered and not terms.reduce_only:
            numbers = (("required", quantity), ("available", quantity - uncovered))
            return RejectReason.INSUFFICIENT_POSITION, numbers
    if terms.sign < 0:
        held = account.closable(terms.key, -1)
        free = held - opening_part(account, terms.key, -1, held, sibling)
        refused = settling.refuse_shares(account, terms.key, quantity, free)
        if refused is not None:
            return refused
    if terms.sign < 0 and not account.may_short(terms.product):
        return found
    need, free = _needed(account, market, terms, found, sibling), account.available()
    if need is None or need <= free:
        return found
    # An order that wants all or nothing is never cut to what the funds allow.
    if account.fill.over_funds == "fit" and terms.tif is not TimeInForce.FOK:
        lot = market.instrument.lot_units
        for less in range(quantity - quantity % lot, 0, -lot):
            if refuse_size(market.instrument, less) is not None:
                break
            smaller = plan(account, market, terms, less, sibling)
            if smaller is not None and (_needed(account, market, terms, smaller, sibling) or 0) <= free:
                return smaller
    return settling.short_of_funds(account, need, free)


def _needed(
    account: SlowAccount, market: SlowMarket, terms: OrderTerms, found: Plan, sibling: SlowOrder | None
) -> int | None:
    """Money for what fills at once, and by how much the held money grows; a pair is held for once. None for nothing."""
    grows = found.hold if sibling is None else max(found.hold - sibling.hold, 0)
    now = need_now(account, market, terms, found.taken, sibling)
    return None if now is None and not grows else (now or 0) + grows


# --------------------------------------------------------------- acceptance


def _accept(
    account: SlowAccount, terms: OrderTerms, quantity: int, hold: int, sibling: SlowOrder | None
) -> None:
    expires = expiry(account, account.markets[terms.symbol], terms)
    held = hold if sibling is None else max(hold - sibling.hold, 0)
    linked = 0 if sibling is None else sibling.number
    account.emit(
        OrderAccepted(
            account.name,
            account.next_version,
            account.now,
            account.next_order,
            terms,
            quantity,
            expires,
            hold,
            held,
            linked,
        )
    )


def _shrink(account: SlowAccount, order: SlowOrder, by: int, reason: CancelReason, numbers: Numbers) -> None:
    event = OrderReduced(
        account.name, account.next_version, account.now, order.number, by, reason, numbers, order.hold, 0
    )
    account.emit(event)


def _carry_out(
    account: SlowAccount,
    market: SlowMarket,
    terms: OrderTerms,
    quantity: int,
    done_by_pair: int,
    found: Plan,
    sibling: SlowOrder | None,
) -> None:
    number = account.next_order
    _accept(account, terms, quantity, found.hold, sibling)
    order = account.orders[number]
    if done_by_pair:
        _shrink(account, order, done_by_pair, CancelReason.OCO, ())
    excess = quantity - done_by_pair - found.quantity
    if excess:
        numbers = (("required", quantity), ("available", found.quantity))
        _shrink(account, order, excess, CancelReason.INSUFFICIENT_FUNDS, numbers)
    for piece in found.taken:
        book(account, market, order, piece, 0)  # what is held is for what waits
    if order.is_open:
        _settle_rest(account, market, order, found)


def _settle_rest(account: SlowAccount, market: SlowMarket, order: SlowOrder, found: Plan) -> None:
    """What did not fill on arrival: canceled, triggered, or left to wait."""
    terms = order.terms
    if terms.tif is TimeInForce.FOK:
        return cancel(account, order, CancelReason.FOK_UNFILLED)
    if fires_now(account, market, order):
        fire(account, market, order)
    if order.is_open and terms.tif is TimeInForce.IOC:
        return cancel(account, order, CancelReason.IOC_REMAINDER)
    if order.is_open and found.taken and terms.reduce_only:
        allowed, why_not = allowed_now(account, order)
        if why_not is not None and not allowed:  # as long as some of it may reduce, it waits
            return cancel(account, order, why_not)
    return None


def fires_now(account: SlowAccount, market: SlowMarket, order: SlowOrder) -> bool:
    """Has what stands reached the stop already?"""
    if not order.waits_for_stop or not trades_now(account, market, order.terms) or not is_fresh(account, market):
        return False
    price = standing_stop_price(market, account.fill, order.sign)
    return beyond_stop(order.sign, price, order.stop or 0)


def fire(account: SlowAccount, market: SlowMarket, order: SlowOrder) -> None:
    """A stop triggers on what stands and takes what it can of it."""
    situation = "5" if order.limit is None else "6"
    trigger(account, market, order, LETTER[market.standing] + situation)
    execute(
        account, market, order, standing_offers(market, order.sign, situation, order.limit, order.stop)
    )


def trigger(account: SlowAccount, market: SlowMarket, order: SlowOrder, rule: str) -> None:
    """The one-way step of a stop."""
    evidence = market.evidence(rule, order.sign)
    account.emit(
        OrderTriggered(account.name, account.next_version, account.now, order.number, rule, evidence)
    )
