"""A datum meets every open order of its symbol, one after the other."""

from __future__ import annotations

from papertrade.testing.oracle import auctions
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.auctions import give, meet_opening_quote
from papertrade.testing.oracle.bars import meetings
from papertrade.testing.oracle.filling import execute
from papertrade.testing.oracle.hours import meets_bar, trades_now
from papertrade.testing.oracle.market import SlowMarket
from papertrade.testing.oracle.needs import bar_budget, is_fresh
from papertrade.testing.oracle.offers import (
    LETTER,
    at_band_end,
    beyond_stop,
    print_limit_offers,
    print_offers,
    resting_offers,
    standing_offers,
    standing_stop_price,
)
from papertrade.testing.oracle.orders import SlowOrder
from papertrade.testing.oracle.placing import trigger


def by_time(orders: list[SlowOrder]) -> list[SlowOrder]:
    """First come, first served."""
    return sorted(orders, key=lambda order: order.priority)


def by_price(orders: list[SlowOrder]) -> list[SlowOrder]:
    """Buys from the highest limit down, then sells from the lowest up; equal limits by time."""
    return sorted(orders, key=lambda order: (-order.sign * (order.limit or 0), order.priority))


def trading(account: SlowAccount, market: SlowMarket) -> list[SlowOrder]:
    """The open orders of a symbol that may trade now."""
    return [o for o in account.open_orders(market.instrument.symbol) if trades_now(account, market, o.terms)]


def situation(order: SlowOrder, fires: bool) -> str:
    """The digit of the rule for an order that takes."""
    if not fires:
        return "2"
    return "5" if order.limit is None else "6"


def meet_standing(account: SlowAccount, market: SlowMarket) -> None:
    """A quote, last price or depth: stops trigger, takers take, then resting limits are served."""
    meet_opening_quote(account, market)
    if not is_fresh(account, market):
        return
    orders = trading(account, market)
    takers = by_time([o for o in orders if not o.waits_for_stop and not o.rests_at_limit])
    limits = by_price([o for o in orders if o.rests_at_limit])
    fired = []
    for order in by_time([o for o in orders if o.waits_for_stop]):
        price = standing_stop_price(market, account.fill, order.sign)
        if beyond_stop(order.sign, price, order.stop or 0):
            trigger(account, market, order, LETTER[market.standing] + situation(order, True))
            fired.append(order)
    for order in takers + fired:
        if order.is_open:
            fires = order in fired
            stop = order.stop if fires else None
            digit = situation(order, fires)
            execute(account, market, order, standing_offers(market, order.sign, digit, order.limit, stop))
    for order in limits:
        if order.is_open:
            execute(account, market, order, resting_offers(market, order.sign, order.limit or 0))


def meet_print(account: SlowAccount, market: SlowMarket, aggressor: int) -> None:
    """A print: its size is shared out among the orders that were there before it."""
    if market.halted or market.print is None:
        return
    price, left = market.print
    left = auctions.meet_print(account, market, left)
    orders = [o for o in trading(account, market) if o.since <= market.print_at]
    takers = by_time([o for o in orders if not o.waits_for_stop and not o.rests_at_limit])
    limits = by_price([o for o in orders if o.rests_at_limit])
    fired = []
    for order in by_time([o for o in orders if o.waits_for_stop]):
        if beyond_stop(order.sign, price, order.stop or 0):
            trigger(account, market, order, "P" + situation(order, True))
            fired.append(order)
    stands = is_fresh(account, market) and not market.crossed
    for order in takers + fired:
        fires = order in fired
        opposite = market.touch(order.sign) if stands else None
        stop = order.stop if fires else None
        offers = print_offers(market, order.sign, situation(order, fires), order.limit, stop, opposite)
        left = give(account, market, order, offers, left)
    for order in limits:
        offers = print_limit_offers(market, account.fill, order.sign, order.limit or 0, aggressor)
        left = give(account, market, order, offers, left)


def meet_bar(account: SlowAccount, market: SlowMarket) -> None:
    """A bar: every order meets it when the assumed way through the bar comes to it."""
    if market.halted or market.bar is None:
        return
    left = auctions.meet_bar(account, market, bar_budget(account, market))
    orders = [o for o in account.open_orders(market.instrument.symbol) if meets_bar(account, market, o)]
    for meeting in meetings(market, account.fill, orders):
        order = account.orders[meeting.number]
        if not order.is_open:
            continue
        if meeting.triggers:
            trigger(account, market, order, "B" + situation(order, True))
        price = meeting.offers[0].price if meeting.offers else market.bar.close
        if not at_band_end(market.instrument, order.sign, price):
            left = give(account, market, order, meeting.offers, left)
