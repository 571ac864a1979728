"""What an order would do on arrival: what fills at once, what waits, what must be held, and whether it can be paid."""

from __future__ import annotations

from typing import Final, NamedTuple

from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.domain.straight import straight
from papertrade.domain.words import DataKind, TimeInForce
from papertrade.engine.budgets import used_up
from papertrade.engine.filling import Slice, most_lots, slices
from papertrade.engine.funds import (
    available,
    closable,
    first_fees,
    held_change,
    hold_for,
    hold_price,
    opening_part,
    refuse_funds,
)
from papertrade.engine.hours import may_enter_at_close, may_trade
from papertrade.engine.refusals import Refused
from papertrade.engine.settlement import refuse_shares
from papertrade.engine.step import Step
from papertrade.engine.triggers import is_fresh
from papertrade.matching.market import NEVER, Market
from papertrade.matching.rules import (
    LIMIT_ARRIVES,
    MARKET_ARRIVES,
    at_band,
    bar_budget,
    fill_market_at_close,
    fill_on_standing,
)


class Sizing(NamedTuple):
    """What an order would do on arrival, and what must be held for the part that waits."""

    quantity_units: int
    taken: list[Slice]
    waits_units: int
    hold_units: int


_BAR: Final = DataKind.BAR
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
_sizing = straight(Sizing)


def size_by_money(step: Step, market: Market, terms: OrderTerms) -> int | None:
    """The whole lots that an amount of money buys at the limit or reference price; None without a price."""
    price = terms.limit_units or terms.stop_units or market.reference(terms.sign)
    if price is None or terms.notional_units is None:
        return None
    return market.instrument.quantity_for(terms.notional_units, price)


def size_up(
    step: Step, market: Market, terms: OrderTerms, quantity: int, sibling: Order | None
) -> Sizing | Refused:
    """What fills at once, what waits, and what to hold for it."""
    most = quantity
    if terms.reduce_only:  # it takes no more than there is to reduce
        most = min(quantity, closable(step.state.positions.get(terms.key), terms.sign))
    taken = take_on_arrival(step, market, terms, most)
    had = 0
    for piece in taken:
        had += piece.quantity_units
    if terms.tif is _FOK and had < quantity:
        return Sizing(quantity, [], 0, 0)
    waits = 0 if terms.tif in (_IOC, _FOK) else quantity - had
    hold = 0
    if waits:
        needed = hold_needed(step, market, terms, quantity, waits, sibling)
        if needed is None:
            return RejectReason.NO_REFERENCE_PRICE, ()
        hold = needed
    return _sizing((quantity, taken, waits, hold))


def take_on_arrival(step: Step, market: Market, terms: OrderTerms, quantity: int) -> list[Slice]:
    """The slices that what stands gives an arriving order; a stop that has not triggered takes nothing."""
    sign, limit = terms.sign, terms.limit_units
    if terms.stop_units is not None:
        return []
    if step.profile.fill.bar_entry == "close" and market.kind is _BAR and limit is None:
        return _take_at_close(step, market, terms, quantity)
    if market.quote_ns == NEVER or not may_trade(step, market, terms) or not is_fresh(step, market):
        return []
    situation = MARKET_ARRIVES if limit is None else LIMIT_ARRIVES
    used = used_up(market, step.state.account, sign) if market.used else 0
    return slices(step, market, terms, fill_on_standing(market, sign, situation, limit, None, used), quantity)


def _take_at_close(step: Step, market: Market, terms: OrderTerms, quantity: int) -> list[Slice]:
    bar, sign = market.bar, terms.sign
    if bar is None or bar.end_ns > step.now_ns or not may_enter_at_close(step, market, terms, bar):
        return []
    if market.halted or at_band(bar.close, sign, market.instrument):
        return []
    most = step.profile.fill.max_age_ns
    if most is not None and step.clock_ns - bar.end_ns > most:
        return []
    budget = bar_budget(bar, market.instrument, step.profile.fill)
    if budget is not None:
        budget = max(0, budget - sum(market.bar_used.get(step.state.account, ())))
    return slices(step, market, terms, fill_market_at_close(bar), quantity, budget)


def hold_needed(
    step: Step, market: Market, terms: OrderTerms, quantity: int, waits: int, sibling: Order | None
) -> int | None:
    """What the waiting part needs held; None without a price to work it out from."""
    sign = terms.sign
    if not step.profile.may_short(terms.product) and sign < 0:
        return 0  # it holds the quantity instead, as part of the working orders
    position = step.state.positions.get(terms.key)
    opening = min(waits, opening_part(position, sign, quantity, sibling))
    if terms.reduce_only or not opening:
        return 0
    price = hold_price(step, market, sign, terms.limit_units, terms.stop_units)
    if price is None:
        return None
    instrument = market.instrument
    fees = first_fees(step, terms, instrument, waits, instrument.value(price, waits))
    return hold_for(step, instrument, opening, price, fees)


def afford(
    step: Step, market: Market, terms: OrderTerms, quantity: int, sizing: Sizing, sibling: Order | None
) -> Sizing | Refused:
    """The sizing if position and funds allow it, cut to what fits where the settings say so, else a refusal."""
    if terms.sign < 0 and not step.profile.may_short(terms.product):
        position = step.state.positions.get(terms.key)
        uncovered = opening_part(position, terms.sign, quantity, sibling)
        if uncovered and not terms.reduce_only:
            numbers = (("required", quantity), ("available", quantity - uncovered))
            return RejectReason.INSUFFICIENT_POSITION, numbers
    if terms.sign < 0 and step.state.settling:
        refused = refuse_shares(step, terms.key, quantity, sibling)
        if refused is not None:
            return refused
    if terms.sign < 0 and not step.profile.may_short(terms.product):
        return sizing
    need = _need_now(step, market, terms, sizing.taken, sibling)
    shared = held_change(0, sibling, sizing.hold_units) if sizing.hold_units else 0
    if need is None and not shared:
        return sizing
    free, need = available(step), need or 0
    if need + shared <= free:
        return sizing
    if step.profile.fill.over_funds == "fit" and terms.tif is not _FOK:  # all or nothing is not cut
        fitting = _fit(step, market, terms, quantity, sibling, free)
        if fitting is not None:
            return fitting
    if step.state.total < 0 and not step.profile.margin.marked_to_market:
        return RejectReason.NEGATIVE_CASH, (("total", step.state.total),)
    return refuse_funds(step, need + shared, free)


def _need_now(
    step: Step, market: Market, terms: OrderTerms, taken: list[Slice], sibling: Order | None
) -> int | None:
    """What the slices that fill at once need: cost or margin of their opening part less what their closing part

    frees, and fees. None when nothing opens: what only reduces needs nothing.
    """
    if not taken or terms.reduce_only:
        return None
    instrument, margin = market.instrument, step.profile.margin
    total = value = need = 0
    for piece in taken:
        total += piece.quantity_units
        value += piece.value_units
    opening = opening_part(step.state.positions.get(terms.key), terms.sign, total, sibling)
    if not opening:
        return None
    if opening == total and not margin.marked_to_market:
        need = value
    else:
        closing = total - opening
        for piece in taken:
            closes = min(closing, piece.quantity_units)
            closing -= closes
            if piece.quantity_units > closes:
                need += margin.initial(instrument, piece.quantity_units - closes, piece.price_units)
            if closes and margin.marked_to_market:
                need -= margin.initial(instrument, closes, piece.price_units)
        need = max(need, 0)
    if step.profile.charges:
        need += max(0, first_fees(step, terms, instrument, total, value))
    return need


def _fit(
    step: Step, market: Market, terms: OrderTerms, quantity: int, sibling: Order | None, free: int
) -> Sizing | None:
    """The largest sizing that the funds allow (over_funds='fit'); None when not even the minimum fits."""
    lot = market.instrument.lot_units

    def sized(lots: int) -> Sizing | None:
        found = size_up(step, market, terms, lots * lot, sibling)
        if not isinstance(found, Sizing):
            return None
        need = _need_now(step, market, terms, found.taken, sibling)
        return found if (need or 0) + held_change(0, sibling, found.hold_units) <= free else None

    lots = most_lots(lambda n: n == 0 or sized(n) is not None, quantity // lot)
    return sized(lots) if lots * lot >= market.instrument.min_units else None
