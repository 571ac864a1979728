"""Auctions, asked anew at each datum: who takes part, at which price, and what stands for a price that never comes."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from papertrade.domain.hours import Bell, Phase
from papertrade.domain.words import CancelReason, TimeInForce
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.filling import cancel, execute
from papertrade.testing.oracle.hours import auction_of, phase
from papertrade.testing.oracle.market import Closing, SlowMarket
from papertrade.testing.oracle.needs import is_fresh
from papertrade.testing.oracle.offers import LETTER, Offer, as_good, at_band_end, standing_offers, taking
from papertrade.testing.oracle.orders import SlowOrder

GRACE = 15 * 60 * 10**9


def is_for_auction(order: SlowOrder) -> bool:
    """Does it trade in an auction and at no other time?"""
    return order.terms.tif in (TimeInForce.OPG, TimeInForce.CLS)


def bell(market: SlowMarket, order: SlowOrder) -> Bell | None:
    """The auction that an order is for."""
    return auction_of(market, order.terms, order.placed)


def in_turn(orders: Iterable[SlowOrder]) -> list[SlowOrder]:
    """Orders without a limit first, by time; then limits, the most willing first."""
    return sorted(orders, key=lambda o: (o.rests_at_limit, -o.sign * (o.limit or 0) * o.rests_at_limit, o.priority))


def auction_offers(
    account: SlowAccount, market: SlowMarket, order: SlowOrder, rule: str, price: int, size: int | None
) -> list[Offer]:
    """One price: for those who would trade at a better one for the others, and by setting for those at it."""
    if at_band_end(market.instrument, order.sign, price) or not as_good(order.sign, price, order.limit):
        return []
    if price == order.limit and account.fill.limit_fill != "touch":
        return []
    return [taking(rule, price, size, order.limit)]


def give(
    account: SlowAccount, market: SlowMarket, order: SlowOrder, offers: list[Offer], left: int | None
) -> int | None:
    """Fill an order from what is left; answers what is left then."""
    if not order.is_open:
        return left
    if left is None or account.fill.displayed_size == "ignore":
        execute(account, market, order, offers, left)
        return left
    return left - execute(account, market, order, offers, left) if left else 0


def end(account: SlowAccount, order: SlowOrder) -> None:
    """An order for one auction does not wait for another."""
    if order.is_open and is_for_auction(order):
        cancel(account, order, CancelReason.AUCTION_OVER)


# ---------------------------------------------------------- the official price


def meet_auction(account: SlowAccount, market: SlowMarket) -> None:
    """The price meets who was there before the cut-off; its size is shared out like the volume of a bar."""
    if market.auction is None or market.halted:
        return
    kind, price, size, at = market.auction
    there = []
    for order in account.open_orders(market.instrument.symbol):
        if is_for_auction(order):
            its = bell(market, order)
            if order.terms.tif.auction == kind and its is not None and its.until_ns <= at:
                there.append(order)
        elif not order.waits_for_stop and not order.terms.post_only and market.hours is not None:
            now = market.hours.auction(kind, max(at - GRACE, 0))
            if now is not None and order.since < now.until_ns <= at:
                there.append(order)
    left = None
    if size is not None:
        left = money.whole_lots(market.instrument, money.down(Fraction(account.fill.participation) * size))
    for order in in_turn(there):
        rule = "A4" if order.limit is not None else "A2"
        left = give(account, market, order, auction_offers(account, market, order, rule, price, size), left)
    for order in there:
        end(account, order)


# ----------------------------------------------------- what stands for a price


def due(account: SlowAccount, market: SlowMarket, at: int) -> list[tuple[SlowOrder, Bell]]:
    """Orders whose auction is due by an instant."""
    if account.fill.auction_price == "official":
        return []
    found = []
    for order in in_turn(o for o in account.open_orders(market.instrument.symbol) if is_for_auction(o)):
        its = bell(market, order)
        if its is not None and its.at_ns <= at:
            found.append((order, its))
    return found


def meet_opening_quote(account: SlowAccount, market: SlowMarket) -> None:
    """The first quote of regular hours is the opening, for those who have no other."""
    if market.quote_at is None or not is_fresh(account, market) or phase(market, account.now) is not Phase.REGULAR:
        return
    for order, _ in due(account, market, market.quote_at):
        if order.terms.tif is not TimeInForce.OPG or not order.is_open:
            continue
        if market.touch(order.sign) is None or market.crossed or market.halted:
            continue
        execute(account, market, order, standing_offers(market, order.sign, "7", order.limit, None))
        end(account, order)


def meet_print(account: SlowAccount, market: SlowMarket, left: int | None) -> int | None:
    """The first print from the auction on is its price, for those who have no other."""
    if market.print is not None:
        price, size = market.print
        for order, _ in due(account, market, market.print_at):
            if not at_band_end(market.instrument, order.sign, price):
                left = give(account, market, order, auction_offers(account, market, order, "P7", price, size), left)
                end(account, order)
    return left


def meet_bar(account: SlowAccount, market: SlowMarket, left: int | None) -> int | None:
    """The open of the session's first bar, or the close of its last."""
    bar, start = market.bar, market.bar_start
    if bar is None:
        return left
    for order, its in due(account, market, bar.end):
        if order.terms.tif is TimeInForce.OPG:
            price, tells = bar.open, bar.end > its.at_ns and (start is None or order.since <= start)
        else:
            price, tells = bar.close, start is None or start < its.at_ns
        if tells and not at_band_end(market.instrument, order.sign, price):
            left = give(account, market, order, auction_offers(account, market, order, "B7", price, None), left)
            end(account, order)
    return left


# ------------------------------------------------------------ the last price


def note_closings(account: SlowAccount, now: int) -> None:
    """The clock has come to a closing auction that somebody waits for: what is known then is the session's last."""
    for order in account.open_orders():
        market = account.markets[order.symbol]
        its = bell(market, order)
        if order.terms.tif is not TimeInForce.CLS or its is None or its.at_ns > now:
            continue
        if its.at_ns not in market.closings:
            market.closings[its.at_ns] = last_of_session(market, its)


def last_of_session(market: SlowMarket, its: Bell) -> Closing | None:
    """The later of the last print and the last bar, or else what stands."""
    known: list[tuple[int, int, str]] = []
    if market.print is not None and its.opens_ns <= market.print_at <= its.at_ns:
        known.append((market.print_at, 1, "P"))
    if market.bar is not None and its.opens_ns < market.bar.end <= its.at_ns:
        known.append((market.bar.end, 0, "B"))
    if market.bar is not None and market.print is not None and market.print_at >= market.bar.end:
        known = [row for row in known if row[2] == "P"]
    letter = max(known)[2] if known else ""
    price: int | None = None
    if letter == "P" and market.print is not None:
        price = market.print[0]
    elif letter == "B" and market.bar is not None:
        price = market.bar.close
    elif market.quote_at is not None and its.opens_ns <= market.quote_at <= its.at_ns and not market.crossed:
        letter = LETTER[market.standing]
    else:
        return None
    prices = {sign: market.touch(sign) if price is None else price for sign in (1, -1)}
    return Closing(letter, prices, {sign: market.evidence(letter, sign) for sign in (1, -1)}, (market.bid, market.ask))


def meet_last_of_session(account: SlowAccount, order: SlowOrder) -> None:
    """No price came: an order for the closing auction meets the session's last one."""
    market = account.markets[order.symbol]
    its = bell(market, order)
    if account.fill.auction_price == "official" or its is None or market.halted:
        return
    closing = market.closings.get(its.at_ns)
    price = None if closing is None else closing.prices[order.sign]
    if closing is None or price is None or at_band_end(market.instrument, order.sign, price):
        return
    rule = closing.letter + "8"
    if closing.letter in "PB":
        offers = auction_offers(account, market, order, rule, price, None)
    else:
        offers = [taking(rule, price, None, order.limit)] if as_good(order.sign, price, order.limit) else []
    execute(account, market, order, [offer._replace(quote=closing.quote) for offer in offers])
