"""What an order needs: money on arrival, a hold for what waits, and leave from the limits."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from papertrade.domain.events import Numbers
from papertrade.domain.orders import OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import DataKind, TimeInForce
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle.account import DAILY_LOSS, DRAWDOWN, KILL_SWITCH, SlowAccount
from papertrade.testing.oracle.filling import Piece, pieces
from papertrade.testing.oracle.hours import is_close_of_now, only_reduces, quote_is_of_this_phase, trades_now
from papertrade.testing.oracle.market import SlowMarket
from papertrade.testing.oracle.offers import at_band_end, standing_offers, standing_stop_price, taking
from papertrade.testing.oracle.orders import SlowOrder

Refusal = tuple[RejectReason, Numbers]


class Plan(NamedTuple):
    """What an order does on arrival."""

    quantity: int
    taken: list[Piece]
    hold: int  # for what waits


def is_fresh(account: SlowAccount, market: SlowMarket) -> bool:
    """Is what stands young enough to fill an arriving order?"""
    if market.quote_at is None or market.quote_at > account.now or not quote_is_of_this_phase(account, market):
        return False
    oldest = account.fill.max_quote_age_s
    return oldest is None or account.given - market.quote_at <= Fraction(oldest) * money.ONE


def arrival_stop_price(account: SlowAccount, market: SlowMarket, sign: int) -> int | None:
    """What an arriving stop is compared with: what stands, else the last known price."""
    if market.halted:
        return None
    price = standing_stop_price(market, account.fill, sign) if is_fresh(account, market) else None
    if price is None and not market.crossed:
        price = market.mark()
    return price


# ------------------------------------------------------------------ arrival


def plan(
    account: SlowAccount, market: SlowMarket, terms: OrderTerms, quantity: int, sibling: SlowOrder | None
) -> Plan | None:
    """What fills at once and what has to be held for the rest; None without a price to work that out."""
    taken = _arrive(account, market, terms, quantity)
    had = sum(piece.quantity for piece in taken)
    if terms.tif is TimeInForce.FOK and had < quantity:
        return Plan(quantity, [], 0)
    waits = 0 if terms.tif in (TimeInForce.IOC, TimeInForce.FOK) else quantity - had
    hold = 0
    if waits:
        needed = hold_for(account, market, terms, quantity, waits, sibling)
        if needed is None:
            return None
        hold = needed
    return Plan(quantity, taken, hold)


def _arrive(account: SlowAccount, market: SlowMarket, terms: OrderTerms, quantity: int) -> list[Piece]:
    sign, limit = terms.sign, terms.limit_units
    if terms.stop_units is not None:
        return []
    if terms.reduce_only:
        quantity = min(quantity, account.closable(terms.key, sign))
    if quantity <= 0:
        return []
    at_close = account.fill.bar_entry == "close" and market.latest is DataKind.BAR and limit is None
    if at_close:
        if not is_close_of_now(account, market, terms):
            return []
        return _arrive_at_close(account, market, sign, quantity)
    if not trades_now(account, market, terms) or not is_fresh(account, market):
        return []
    offers = standing_offers(market, sign, "1" if limit is None else "3", limit, None)
    return pieces(account, market, sign, offers, quantity)


def _arrive_at_close(account: SlowAccount, market: SlowMarket, sign: int, quantity: int) -> list[Piece]:
    """Rule B1."""
    bar = market.bar
    if bar is None or bar.end > account.now or market.halted or at_band_end(market.instrument, sign, bar.close):
        return []
    oldest = account.fill.max_quote_age_s
    if oldest is not None and account.given - bar.end > Fraction(oldest) * money.ONE:
        return []
    budget = bar_budget(account, market)
    return pieces(account, market, sign, [taking("B1", bar.close, None, None)], quantity, budget)


def bar_budget(account: SlowAccount, market: SlowMarket) -> int | None:
    """What is left of the account's share of the last bar's volume."""
    if market.bar is None or market.bar.volume is None:
        return None
    exact = Fraction(account.fill.participation) * market.bar.volume
    return max(0, money.whole_lots(market.instrument, money.down(exact)) - market.taken_of_bar)


# -------------------------------------------------------------- holds, funds


def opening_part(
    account: SlowAccount,
    key: str,
    sign: int,
    quantity: int,
    sibling: SlowOrder | None = None,
    own: SlowOrder | None = None,
) -> int:
    """The part of an order that could enlarge the position, were everything working on its side to fill first.

    A linked order of the same side competes for the same part and is left out, like the order itself when it changes.
    """
    closable = account.closable(key, sign)
    if not closable:
        return quantity
    apart = own.remaining if own is not None else 0
    if sibling is not None and sibling.sign == sign:
        apart = max(apart, sibling.remaining)
    free = max(0, closable - account.working(key, sign) + apart)
    return quantity - min(quantity, free)


def hold_price(
    account: SlowAccount, market: SlowMarket, sign: int, limit: int | None, stop: int | None
) -> int | None:
    """The limit; without one the stop or reference price with the collar on top."""
    if limit is not None and sign > 0:
        return limit
    if limit is not None:
        return max(limit, market.reference(sign) or 0)  # nobody is sold to that far below the market
    reference = market.reference(sign) if stop is None else stop
    return None if reference is None else reference + money.up(reference * Fraction(account.fill.hold_collar))


def hold_for(
    account: SlowAccount, market: SlowMarket, terms: OrderTerms, quantity: int, waits: int, sibling: SlowOrder | None
) -> int | None:
    """What the waiting part of a new order needs held."""
    if terms.reduce_only or (terms.sign < 0 and not account.may_short(terms.product)):
        return 0
    opening = min(waits, opening_part(account, terms.key, terms.sign, quantity, sibling))
    if not opening:
        return 0
    price = hold_price(account, market, terms.sign, terms.limit_units, terms.stop_units)
    if price is None:
        return None
    return opening_hold(account, market, opening, waits, price)


def opening_hold(account: SlowAccount, market: SlowMarket, opening: int, waits: int, price: int) -> int:
    """Cost or margin of what opens, and the fees of all that waits."""
    instrument = market.instrument
    if account.margin.marked_to_market:
        need = money.initial_margin(account.margin, instrument, opening, price)
    else:
        need = money.value_up(instrument, price, opening)
    return need + first_fees(account, market, waits, money.value(instrument, price, waits))


def first_fees(account: SlowAccount, market: SlowMarket, quantity: int, worth: int) -> int:
    """What a new order would owe for taking this much; a rebate is not counted on."""
    if not quantity:
        return 0
    lines = money.fees_owed(account.setup.fees, quantity, worth, 0, money.minor(market.instrument))
    return max(0, sum(units for _, units in lines))


def need_now(
    account: SlowAccount, market: SlowMarket, terms: OrderTerms, taken: list[Piece], sibling: SlowOrder | None
) -> int | None:
    """What the pieces that fill at once need, less what closing frees; None if they only close."""
    instrument = market.instrument
    total = sum(piece.quantity for piece in taken)
    opens = total and not terms.reduce_only
    opening = opening_part(account, terms.key, terms.sign, total, sibling) if opens else 0
    if not opening:
        return None
    need = worth = 0
    closing = total - opening
    for piece in taken:
        part = piece.quantity - min(closing, piece.quantity)
        closing -= piece.quantity - part
        worth += money.value(instrument, piece.price, piece.quantity)
        need += money.initial_margin(account.margin, instrument, part, piece.price) if part else 0
        if part < piece.quantity and account.margin.marked_to_market:
            need -= money.initial_margin(account.margin, instrument, piece.quantity - part, piece.price)
    need = max(need, 0)
    return need + first_fees(account, market, total, worth)


# ------------------------------------------------------------------- limits


def refuse_risk(
    account: SlowAccount,
    market: SlowMarket,
    terms: OrderTerms,
    quantity: int,
    limit: int | None,
    stop: int | None,
    sibling: SlowOrder | None,
    growing: SlowOrder | None = None,
) -> Refusal | None:
    """Latches, margin call and negative cash, then each limit; what only reduces always passes."""
    sign, asked = terms.sign, quantity + (growing.remaining if growing else 0)
    if not opening_part(account, terms.key, sign, asked, sibling, growing):
        return None
    bases, total = account.bases(), account.total()
    if KILL_SWITCH in bases.latches:
        return RejectReason.KILL_SWITCH, ()
    if DAILY_LOSS in bases.latches or DRAWDOWN in bases.latches:
        return RejectReason.LIMIT_LATCHED, ()
    if bases.margin_call:
        return RejectReason.MARGIN_CALL, ()
    if only_reduces(account, terms.symbol, terms.product):
        return RejectReason.SQUARE_OFF, ()
    if total < 0 and not account.margin.marked_to_market:
        return RejectReason.NEGATIVE_CASH, (("total", total),)
    price = limit or stop or market.reference(sign) or 0
    if sign < 0:
        price = max(price, market.reference(sign) or 0)
    rivals = [growing, sibling if sibling is not None and sibling.sign == sign else None]
    more = max(0, asked - max(order.remaining if order else 0 for order in rivals))
    return _refuse_limits(account, market, terms, quantity, more, price, growing)


def _refuse_limits(
    account: SlowAccount,
    market: SlowMarket,
    terms: OrderTerms,
    quantity: int,
    more: int,
    price: int,
    growing: SlowOrder | None,
) -> Refusal | None:
    """``more`` is by how much what works on this side would grow."""
    limits, key, sign, instrument = account.setup.limits, terms.key, terms.sign, market.instrument
    reached = abs(account.quantity(key) + sign * (account.working(key, sign) + more))
    gross = money.value(instrument, price, reached)
    for other in {*account.held_keys(), *(order.key for order in account.open_orders())} - {key}:
        its, most = account.market_of(other), _most(account, other)
        mark = account.price(other)
        if mark is None:
            mark = account.average(other)
        gross += money.value(its.instrument, mark, most)
        if its is market:  # another product of the same symbol: sizes add up, they do not net
            reached += most
    whole = quantity + (growing.quantity if growing else 0)
    count = len([order for order in account.open_orders() if order is not growing]) + 1
    found = (
        (RejectReason.MAX_ORDER_QUANTITY, whole, limits.max_order_quantity),
        (RejectReason.MAX_ORDER_NOTIONAL, money.value(instrument, price, whole), limits.max_order_notional),
        (RejectReason.MAX_OPEN_ORDERS, count * money.ONE, limits.max_open_orders),
        (RejectReason.MAX_POSITION, reached, limits.max_position),
        (RejectReason.MAX_GROSS_NOTIONAL, gross, limits.max_gross_notional),
    )
    for reason, required, allowed in found:
        if allowed is not None and required > Fraction(allowed) * money.ONE:
            return reason, (("required", required), ("allowed", int(Fraction(allowed) * money.ONE)))
    return None


def _most(account: SlowAccount, key: str) -> int:
    """The largest a position could become, were one side of its working orders to fill."""
    held = account.quantity(key)
    return max(0, held + account.working(key, 1), account.working(key, -1) - held)
