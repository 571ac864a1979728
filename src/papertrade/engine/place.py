"""Placing an order: understood terms → a refusal, or an acceptance with whatever fills at once.

The checks run in the order of ``RejectReason``; the first that applies is the answer and nothing else happens.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from papertrade.domain.events import Numbers, OrderAccepted, OrderReduced, OrderRejected, OrderTriggered
from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import CancelReason, DataKind, OrderType, TimeInForce
from papertrade.engine.filling import (
    Slice,
    book_fill,
    cancel,
    evidence_of,
    execute,
    fillable,
    most_lots,
    slices,
    used_up,
)
from papertrade.engine.funds import available, closable, first_fees, held_change, hold_for, hold_price, opening_part
from papertrade.engine.gatekeeping import refuse_risk
from papertrade.engine.step import Step
from papertrade.engine.triggers import arrival_trigger, is_fresh, reaches, standing_trigger
from papertrade.matching.market import Market
from papertrade.matching.rules import (
    LETTERS,
    LIMIT_ARRIVES,
    MARKET_ARRIVES,
    STOP_FIRES,
    STOP_LIMIT_FIRES,
    bar_budget,
    fill_market_at_close,
    fill_on_standing,
)

Refused = tuple[RejectReason, Numbers]
_BAR: Final = DataKind.BAR
_DAY: Final = TimeInForce.DAY
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
_MARKET: Final = OrderType.MARKET
_LIMIT: Final = OrderType.LIMIT


class Sizing(NamedTuple):
    """What an order would do on arrival, and what must be held for the part that waits."""

    quantity_units: int
    taken: list[Slice]
    waits_units: int
    hold_units: int


def place(step: Step, terms: OrderTerms, done_by_pair: int = 0) -> int:
    """Decide one order; answers its number. ``done_by_pair`` is what its linked order has filled already."""
    state = step.state
    market = step.markets[terms.symbol]
    number = state.next_order
    quantity = terms.quantity_units
    if not quantity:
        sized = size_by_money(step, market, terms)
        if sized is None:
            return _reject(step, terms, 0, (RejectReason.NO_REFERENCE_PRICE, ()))
        quantity = sized
    refused = (
        refuse_size(market.instrument, quantity)
        or refuse_prices(market.instrument, terms.sign, terms.limit_units, terms.stop_units)
        or _refuse_conditions(step, market, terms)
    )
    if refused:
        return _reject(step, terms, quantity, refused)
    sibling = state.orders.get(terms.oco_with) if terms.oco_with else None
    sizing = _size_up(step, market, terms, quantity - done_by_pair, sibling)
    if not isinstance(sizing, Sizing):
        return _reject(step, terms, quantity, sizing)
    refused = refuse_risk(step, market, terms.sign, quantity, terms.limit_units, terms.stop_units, sibling)
    if refused:
        return _reject(step, terms, quantity, refused)
    affordable = _afford(step, market, terms, quantity - done_by_pair, sizing, sibling)
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
    two = step.state.next_order
    quantity = second.quantity_units
    _emit_accepted(step, second, quantity, 0, 0, 0)
    cancel(step, step.state.orders[two], CancelReason.OCO, ())
    return one, two


def size_by_money(step: Step, market: Market, terms: OrderTerms) -> int | None:
    """The whole lots that an amount of money buys at the limit or reference price; None without a price."""
    price = terms.limit_units or terms.stop_units or market.reference(terms.sign)
    if price is None or terms.notional_units is None:
        return None
    return market.instrument.quantity_for(terms.notional_units, price)


# ---------------------------------------------------------------- refusals


def refuse_size(instrument: Instrument, quantity: int) -> Refused | None:
    """Lots, minimum and maximum, by exact division."""
    if quantity % instrument.lot_units:
        return RejectReason.NOT_A_LOT_MULTIPLE, (("quantity", quantity), ("lot", instrument.lot_units))
    if quantity < instrument.min_units:
        return RejectReason.BELOW_MINIMUM_QUANTITY, (("quantity", quantity), ("minimum", instrument.min_units))
    most = instrument.max_units
    if most is not None and quantity > most:
        return RejectReason.ABOVE_MAXIMUM_QUANTITY, (("quantity", quantity), ("maximum", most))
    return None


def refuse_prices(instrument: Instrument, sign: int, limit: int | None, stop: int | None) -> Refused | None:
    """Ticks and the day's band, by exact division."""
    tick, band = instrument.tick_units, instrument.band_units
    if limit is not None and limit % tick:
        return RejectReason.LIMIT_PRICE_OFF_TICK, (("limit_price", limit), ("tick", tick))
    if stop is not None and stop % tick:
        return RejectReason.STOP_PRICE_OFF_TICK, (("stop_price", stop), ("tick", tick))
    if band is not None:
        for price in (limit, stop):
            if price is not None and not band[0] <= price <= band[1]:
                return RejectReason.OUTSIDE_PRICE_BAND, (("price", price), ("lowest", band[0]), ("highest", band[1]))
    return None


def _refuse_conditions(step: Step, market: Market, terms: OrderTerms) -> Refused | None:
    sign, stop = terms.sign, terms.stop_units
    if stop is not None and step.profile.fill.stop_through == "reject":
        price = arrival_trigger(step, market, sign)
        if price is not None and reaches(sign, price, stop):
            return RejectReason.STOP_WOULD_TRIGGER, (("stop_price", stop), ("market", price))
    expires = terms.expires_ns
    if expires is not None and expires <= step.now_ns:
        return RejectReason.EXPIRED_ON_ARRIVAL, ()
    if terms.post_only and terms.limit_units is not None:
        touch = market.touch(sign) if is_fresh(step, market) else None
        if touch is not None and sign * (terms.limit_units - touch) >= 0:
            return RejectReason.POST_ONLY_WOULD_TAKE, (("limit_price", terms.limit_units), ("market", touch))
    if terms.reduce_only and not closable(step.state.positions.get(terms.symbol), sign):
        return RejectReason.NOTHING_TO_REDUCE, (("position", step.state.quantity(terms.symbol)),)
    return None


def _reject(step: Step, terms: OrderTerms, quantity: int, refused: Refused) -> int:
    state = step.state
    reason, numbers = refused
    number = state.next_order
    step.emit(
        OrderRejected(state.account, state.version + 1, step.now_ns, number, terms, quantity, reason, numbers)
    )
    return number


# ------------------------------------------------------------ what it would do


def _size_up(
    step: Step, market: Market, terms: OrderTerms, quantity: int, sibling: Order | None
) -> Sizing | Refused:
    """What fills at once, what waits, and what to hold for it."""
    taken = take_on_arrival(step, market, terms, min(quantity, _most(step, terms, quantity)))
    had = sum(piece.quantity_units for piece in taken)
    if terms.tif is _FOK and had < quantity:
        return Sizing(quantity, [], 0, 0)
    waits = 0 if terms.tif in (_IOC, _FOK) else quantity - had
    hold = 0
    if waits:
        needed = hold_needed(step, market, terms, quantity, waits, sibling)
        if needed is None:
            return RejectReason.NO_REFERENCE_PRICE, ()
        hold = needed
    return Sizing(quantity, taken, waits, hold)


def _most(step: Step, terms: OrderTerms, quantity: int) -> int:
    """A reduce-only order takes no more than there is to reduce."""
    if not terms.reduce_only:
        return quantity
    return closable(step.state.positions.get(terms.symbol), terms.sign)


def take_on_arrival(step: Step, market: Market, terms: OrderTerms, quantity: int) -> list[Slice]:
    """The slices that what stands gives an arriving order; a stop that has not triggered takes nothing."""
    sign, limit = terms.sign, terms.limit_units
    if terms.stop_units is not None:
        return []
    if step.profile.fill.bar_entry == "close" and market.kind is _BAR and limit is None:
        return _take_at_close(step, market, sign, quantity)
    if not is_fresh(step, market):
        return []
    situation = MARKET_ARRIVES if limit is None else LIMIT_ARRIVES
    used = used_up(market, step.state.account, sign)
    return slices(step, market, sign, fill_on_standing(market, sign, situation, limit, None, used), quantity)


def _take_at_close(step: Step, market: Market, sign: int, quantity: int) -> list[Slice]:
    bar = market.bar
    if bar is None or market.halted:
        return []
    budget = bar_budget(bar, market.instrument, step.profile.fill)
    if budget is not None:
        budget = max(0, budget - sum(market.used.get(step.state.account, ())))
    return slices(step, market, sign, fill_market_at_close(bar), quantity, budget)


def hold_needed(
    step: Step, market: Market, terms: OrderTerms, quantity: int, waits: int, sibling: Order | None
) -> int | None:
    """What the waiting part needs held; None without a price to work it out from."""
    sign = terms.sign
    if not step.profile.margin.may_short and sign < 0:
        return 0  # it holds the quantity instead, as part of the working orders
    position = step.state.positions.get(terms.symbol)
    opening = min(waits, opening_part(position, sign, quantity, sibling))
    if terms.reduce_only or not opening:
        return 0
    price = hold_price(step, market, sign, terms.limit_units, terms.stop_units)
    if price is None:
        return None
    instrument = market.instrument
    fees = first_fees(step, terms, instrument, waits, instrument.value(price, waits))
    return hold_for(step, instrument, opening, price, fees)


# ---------------------------------------------------------- can it be paid?


def _afford(
    step: Step, market: Market, terms: OrderTerms, quantity: int, sizing: Sizing, sibling: Order | None
) -> Sizing | Refused:
    """The sizing if position and funds allow it, cut to what fits where the settings say so, else a refusal."""
    position = step.state.positions.get(terms.symbol)
    if terms.sign < 0 and not step.profile.margin.may_short:
        uncovered = opening_part(position, terms.sign, quantity, sibling)
        if uncovered and not terms.reduce_only:
            numbers = (("required", quantity), ("available", quantity - uncovered))
            return RejectReason.INSUFFICIENT_POSITION, numbers
        return sizing
    need = _need_now(step, market, terms, sizing.taken, sibling)
    shared = held_change(0, sibling, sizing.hold_units)
    if not need and not shared:
        return sizing
    free = available(step)
    if need + shared <= free:
        return sizing
    if step.profile.fill.over_funds == "fit":
        fitting = _fit(step, market, terms, quantity, sibling, free)
        if fitting is not None:
            return fitting
    return RejectReason.INSUFFICIENT_FUNDS, (("required", need + shared), ("available", free))


def _need_now(
    step: Step, market: Market, terms: OrderTerms, taken: list[Slice], sibling: Order | None
) -> int:
    """What the slices that fill at once need: cost or margin of their opening part, and fees."""
    if not taken:
        return 0
    instrument, margin = market.instrument, step.profile.margin
    position = step.state.positions.get(terms.symbol)
    total = sum(piece.quantity_units for piece in taken)
    opening = opening_part(position, terms.sign, total, sibling)
    if not opening:
        return 0
    closing = total - opening
    need = value = 0
    for piece in taken:
        part = max(0, piece.quantity_units - closing)
        closing = max(0, closing - piece.quantity_units)
        value += instrument.value(piece.price_units, piece.quantity_units)
        need += margin.initial(instrument, part, piece.price_units) if part else 0
    return need + max(0, first_fees(step, terms, instrument, total, value))


def _fit(
    step: Step, market: Market, terms: OrderTerms, quantity: int, sibling: Order | None, free: int
) -> Sizing | None:
    """The largest sizing that the funds allow (over_funds='fit'); None when not even the minimum fits."""
    lot = market.instrument.lot_units

    def sized(lots: int) -> Sizing | None:
        found = _size_up(step, market, terms, lots * lot, sibling)
        if not isinstance(found, Sizing):
            return None
        need = _need_now(step, market, terms, found.taken, sibling)
        return found if need + held_change(0, sibling, found.hold_units) <= free else None

    lots = most_lots(lambda n: n == 0 or sized(n) is not None, quantity // lot)
    return sized(lots) if lots * lot >= market.instrument.min_units else None


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
    held = held_change(0, sibling, sizing.hold_units)
    linked = terms.oco_with if sibling is not None else 0
    _emit_accepted(step, terms, quantity, sizing.hold_units, held, linked)
    if done_by_pair:
        _shrink(step, number, done_by_pair, CancelReason.OCO, ())
    excess = quantity - done_by_pair - sizing.quantity_units
    if excess:
        numbers = (("required", quantity), ("available", sizing.quantity_units))
        _shrink(step, number, excess, CancelReason.INSUFFICIENT_FUNDS, numbers)
    for piece in sizing.taken:
        if number in state.orders:
            book_fill(step, market, number, piece)
    order = state.orders.get(number)
    if order is not None:
        _settle_remainder(step, market, order, sizing)


def _emit_accepted(step: Step, terms: OrderTerms, quantity: int, hold: int, held: int, linked: int) -> None:
    state = step.state
    step.emit(
        OrderAccepted(
            state.account,
            state.version + 1,
            step.now_ns,
            state.next_order,
            terms,
            quantity,
            _expires(step) if terms.tif is _DAY else terms.expires_ns,
            hold,
            held,
            linked,
        )
    )


def _shrink(step: Step, number: int, by: int, reason: CancelReason, numbers: Numbers) -> None:
    """Cancel a part that was never going to fill; the hold was worked out without it."""
    state = step.state
    hold = state.orders[number].hold_units
    step.emit(
        OrderReduced(state.account, state.version + 1, step.now_ns, number, by, reason, numbers, hold, 0)
    )


def _expires(step: Step) -> int:
    """A day order ends with the trading day it was placed in."""
    return step.profile.trading_day.ends(step.now_ns) if not step.live else step.seat.day_ends_ns


def _settle_remainder(step: Step, market: Market, order: Order, sizing: Sizing) -> None:
    """What did not fill at once: canceled, triggered, or put to rest."""
    terms = order.terms
    if terms.tif is _FOK:
        cancel(step, order, CancelReason.FOK_UNFILLED, ())
        return
    if terms.stop_units is not None and _fires_at_once(step, market, order):
        fire(step, market, order, standing_situation(market, order))
        remaining = step.state.orders.get(order.number)
        if remaining is None:
            return
        order = remaining
    if terms.tif is _IOC:
        cancel(step, order, CancelReason.IOC_REMAINDER, ())
        return
    if sizing.taken and terms.reduce_only:
        _, why_not = fillable(step, order)
        if why_not is not None:
            cancel(step, order, why_not, ())
            return
    step.rest(order)


def _fires_at_once(step: Step, market: Market, order: Order) -> bool:
    stop = order.stop_units
    if stop is None or not is_fresh(step, market):
        return False
    return reaches(order.terms.sign, standing_trigger(step, market, order.terms.sign), stop)


def standing_situation(market: Market, order: Order) -> str:
    """The rule by which what stands fires a stop."""
    situation = STOP_FIRES if order.limit_units is None else STOP_LIMIT_FIRES
    return LETTERS[market.standing] + situation


def fire(step: Step, market: Market, order: Order, rule: str) -> None:
    """Trigger a stop on what stands and fill what can be had; what is left stays open."""
    trigger(step, market, order, rule)
    order = step.state.orders[order.number]
    used = used_up(market, order.account, order.terms.sign)
    found = fill_on_standing(market, order.terms.sign, rule[1:], order.limit_units, order.stop_units, used)
    execute(step, market, order.number, found)


def trigger(step: Step, market: Market, order: Order, rule: str) -> None:
    """The one-way step of a stop, with the datum that caused it."""
    state = step.state
    evidence = evidence_of(market, rule, order.terms.sign)
    step.emit(OrderTriggered(state.account, state.version + 1, step.now_ns, order.number, rule, evidence))


