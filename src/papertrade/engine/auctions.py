"""Auctions: one price for all who take part, and what stands for it where no official price comes.

We match no order books. An auction has a price from outside (``on_auction``); without one, an order that is for an
auction alone (``opg``, ``cls``) meets one datum that stands for it, and what it does not get there is canceled.
"""

from __future__ import annotations

from collections.abc import Iterable

from papertrade.domain.events import Evidence
from papertrade.domain.hours import Bell, Phase
from papertrade.domain.orders import Order
from papertrade.domain.words import CancelReason, DataKind, TimeInForce
from papertrade.engine.budgets import evidence_of, used_up
from papertrade.engine.filling import cancel, execute
from papertrade.engine.service import share, sort_orders
from papertrade.engine.step import Step
from papertrade.matching.auctions import Closing, bell_of
from papertrade.matching.market import NEVER, BarData, Market
from papertrade.matching.rules import (
    FOR_AUCTION,
    LAST_OF_SESSION,
    LETTERS,
    LIMIT_RESTS,
    MARKET_WAITED,
    Proposal,
    at_band,
    fill_at_last_quote,
    fill_in_auction,
    fill_on_standing,
    share_of,
    standing,
)


def match_auction(step: Step, market: Market, numbers: Iterable[int], near: Bell | None) -> None:
    """The official price meets everybody who was there before the cut-off and is no stop. Rules A2 and A4.

    Orders that rest are carried into the auction by their exchange; those that are for this auction alone end with it.
    ``near`` is the auction that the datum belongs to by its date.
    """
    datum = market.auction
    if datum is None or market.halted:
        return
    orders = [step.state.orders[number] for number in numbers if number in step.state.orders]
    there = [order for order in orders if _takes_part(market, order, near)]
    settings = step.profile.fill
    left = None if datum.size is None else share_of(datum.size, market.instrument, settings)
    _, takers, limits = sort_orders(there)
    for order in (*takers, *limits):
        situation = MARKET_WAITED if order.limit_units is None else LIMIT_RESTS
        found = []
        if not at_band(datum.price, order.terms.sign, market.instrument):
            limit = order.limit_units
            found = fill_in_auction("A" + situation, datum.price, datum.size, order.terms.sign, limit, settings)
        left = share(step, market, order.number, found, left)
    for order in there:
        _end(step, order)


def _takes_part(market: Market, order: Order, near: Bell | None) -> bool:
    """Was the order there at the cut-off of the auction whose price this is?"""
    datum, kind = market.auction, order.terms.tif.auction
    if datum is None:
        return False
    if kind is not None:
        bell = bell_of(market, order)
        return kind == datum.kind and bell is not None and bell.until_ns <= datum.at_ns
    if order.terms.post_only or (order.stop_units is not None and order.triggered_ns is None):
        return False
    return near is not None and order.since_ns < near.until_ns <= datum.at_ns


def _end(step: Step, order: Order) -> None:
    """What an order for an auction alone did not get is canceled."""
    left = step.state.orders.get(order.number)
    if left is not None and left.terms.tif.auction is not None:
        cancel(step, left, CancelReason.AUCTION_OVER, ())


# ------------------------------------------------- what stands for a price


def _waiting(step: Step, market: Market, numbers: Iterable[int], at_ns: int) -> list[tuple[Order, Bell]]:
    """Orders for an auction that was due by an instant, with it: market orders first, then limits by price."""
    if step.profile.fill.auction_price == "official":
        return []
    found = []
    orders = (step.state.orders.get(number) for number in numbers)
    _, takers, limits = sort_orders(o for o in orders if o is not None and o.terms.tif.auction is not None)
    for order in (*takers, *limits):
        bell = bell_of(market, order)
        if bell is not None and bell.at_ns <= at_ns:
            found.append((order, bell))
    return found


def meet_opening_quote(step: Step, market: Market, numbers: Iterable[int]) -> None:
    """The first quote, last price or depth of the regular session stands for the opening price. Rules Q7, L7, D7."""
    if market.span_at(step.now_ns).phase is not Phase.REGULAR:
        return
    for order, _ in _waiting(step, market, numbers, market.quote_ns):
        sign, number = order.terms.sign, order.number
        if order.terms.tif is TimeInForce.OPG and number in step.state.orders and standing(market, sign):
            used = used_up(market, order.account, sign)
            execute(
                step, market, number, fill_on_standing(market, sign, FOR_AUCTION, order.limit_units, None, used)
            )
            _end(step, order)


def meet_print_for_auctions(step: Step, market: Market, numbers: Iterable[int], left: int | None) -> int | None:
    """The first print from an auction on stands for its price. Rule P7. Answers what is left of its size."""
    price, size = market.last_units, market.last_size_units
    for order, _ in _waiting(step, market, numbers, market.last_ns):
        if price is not None and not at_band(price, order.terms.sign, market.instrument):
            left = _meet(step, market, order, "P" + FOR_AUCTION, price, size, left)
    return left


def meet_bar_for_auctions(
    step: Step, market: Market, numbers: Iterable[int], bar: BarData, left: int | None
) -> int | None:
    """The open of the first bar of a session, or the close of its last, stands for the auction's price. Rule B7."""
    for order, bell in _waiting(step, market, numbers, bar.end_ns):
        if order.terms.tif is TimeInForce.OPG:
            price = bar.open
            meets = bar.end_ns > bell.at_ns and (bar.start_ns == NEVER or bar.start_ns >= order.since_ns)
        else:
            price, meets = bar.close, bar.start_ns < bell.at_ns
        if meets and not at_band(price, order.terms.sign, market.instrument):
            left = _meet(step, market, order, "B" + FOR_AUCTION, price, None, left)
    return left


def _meet(
    step: Step, market: Market, order: Order, rule: str, price: int, size: int | None, left: int | None
) -> int | None:
    found = fill_in_auction(rule, price, size, order.terms.sign, order.limit_units, step.profile.fill)
    left = share(step, market, order.number, found, left)
    _end(step, order)
    return left


# ------------------------------------------------------------- by the clock


def ring(step: Step) -> None:
    """Orders whose auction is due wake up: from now on the data of their market concern them."""
    for _, order in sorted(step.state.orders.items()):
        kind = order.terms.tif.auction
        if kind is None:
            continue
        market = step.markets[order.terms.symbol]
        bell = bell_of(market, order)
        if bell is not None and bell.at_ns <= step.now_ns:
            if kind == "close" and (market.closing is None or market.closing.at_ns < bell.at_ns):
                market.closing = last_of_session(market, bell)
            step.rest(order)


def last_of_session(market: Market, bell: Bell) -> Closing:
    """The last print or close of a bar of the session; without one, the quote that stands."""
    bar = market.bar
    closed_ns = bar.end_ns if bar is not None else NEVER
    both: tuple[int | None, int | None]
    if bar is not None and market.last_ns < closed_ns and bell.opens_ns < closed_ns <= bell.at_ns:
        letter, at_ns, both = "B", closed_ns, (bar.close, bar.close)
    elif market.printed_units is not None and bell.opens_ns <= market.last_ns <= bell.at_ns:
        letter, at_ns, both = "P", market.last_ns, (market.printed_units, market.printed_units)
    elif bell.opens_ns <= market.quote_ns <= bell.at_ns and not market.crossed and not market.halted:
        letter, at_ns, both = LETTERS[market.standing], market.quote_ns, (market.ask_units, market.bid_units)
    else:
        return Closing(bell.at_ns, "", (None, None), (), (None, None))
    evidence = [evidence_of(market, letter, sign) for sign in (1, -1)]
    if letter == "P":
        seen = (market.printed_units, market.last_size_units)
        evidence = [Evidence(DataKind.TRADE, market.number, at_ns, seen)] * 2
    return Closing(bell.at_ns, letter, both, tuple(evidence), (market.bid_units, market.ask_units))


def meet_last_of_session(step: Step, order: Order) -> None:
    """Nothing came that could stand for a closing price: the last price of the session does. Rules 8."""
    market, settings, sign = step.markets[order.terms.symbol], step.profile.fill, order.terms.sign
    closing, bell = market.closing, bell_of(market, order)
    if order.terms.tif is not TimeInForce.CLS or settings.auction_price == "official" or closing is None:
        return
    if bell is None or closing.at_ns != bell.at_ns or market.halted:
        return
    limit, price = order.limit_units, closing.prices[0 if sign > 0 else 1]
    if price is None or at_band(price, sign, market.instrument):
        return
    found: list[Proposal]
    if closing.letter in "PB":
        found = fill_in_auction(closing.letter + LAST_OF_SESSION, price, None, sign, limit, settings)
    else:
        found = fill_at_last_quote(closing, sign, limit)
    execute(step, market, order.number, found)
