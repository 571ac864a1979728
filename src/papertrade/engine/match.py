"""New market data meets the orders of one account.

The order of work for one datum: triggers, then orders that take (by time), then resting limits (by price, then time).
Everything an account does with one datum draws on one budget.
"""

from __future__ import annotations

from collections.abc import Iterable

from papertrade.domain.orders import Order
from papertrade.domain.words import OrderType
from papertrade.engine.auctions import meet_bar_for_auctions, meet_opening_quote, meet_print_for_auctions
from papertrade.engine.barpath import arrange_bar
from papertrade.engine.budgets import used_up
from papertrade.engine.filling import execute
from papertrade.engine.firing import standing_situation, trigger
from papertrade.engine.hours import may_meet_bar, may_trade
from papertrade.engine.service import by_time, share, sort_orders
from papertrade.engine.step import Step
from papertrade.engine.triggers import is_fresh, reaches, standing_trigger
from papertrade.matching.market import BarData, Market
from papertrade.matching.rules import (
    MARKET_WAITED,
    STOP_FIRES,
    STOP_LIMIT_FIRES,
    Proposal,
    at_band,
    bar_budget,
    fill_limit_on_trade,
    fill_on_standing,
    fill_on_trade,
    fill_resting_limit,
    standing,
    worse,
)


def _open(step: Step, market: Market, numbers: Iterable[int]) -> list[Order]:
    """Those that are open, and may trade in this phase of their market."""
    orders = [step.state.orders[number] for number in numbers if number in step.state.orders]
    if market.hours is None:
        return orders
    return [order for order in orders if may_trade(step, market, order.terms)]


# ------------------------------------------------- quotes, prices and depth


def match_standing(step: Step, market: Market, numbers: Iterable[int]) -> None:
    """A new quote, last price or depth: rules 2, 4, 5 and 6 of its letter. News too old already fills nothing."""
    if not is_fresh(step, market):
        return
    if market.hours is not None:
        meet_opening_quote(step, market, numbers)
    stops, takers, limits = sort_orders(_open(step, market, numbers))
    fired = []
    for order in stops:
        price = standing_trigger(step, market, order.terms.sign)
        if reaches(order.terms.sign, price, order.stop_units or 0):
            trigger(step, market, order, standing_situation(market, order))
            fired.append(order.number)
            takers.append(step.state.orders[order.number])  # as it is now: its place in time is new
    takers.sort(key=by_time)
    for order in takers:
        _take(step, market, order.number, order.number in fired)
    for order in limits:
        _meet_limit(step, market, order.number)


def _take(step: Step, market: Market, number: int, fires: bool) -> None:
    order = step.state.orders.get(number)
    if order is None:
        return
    sign, limit = order.terms.sign, order.limit_units
    if fires:
        situation, stop = STOP_FIRES if limit is None else STOP_LIMIT_FIRES, order.stop_units
    else:
        situation, stop = MARKET_WAITED, None
    used = used_up(market, order.account, sign)
    execute(step, market, number, fill_on_standing(market, sign, situation, limit, stop, used))
    _rest_again(step, number)


def _meet_limit(step: Step, market: Market, number: int) -> None:
    order = step.state.orders.get(number)
    if order is None or order.limit_units is None:
        return
    used = used_up(market, order.account, order.terms.sign)
    execute(step, market, number, fill_resting_limit(market, order.terms.sign, order.limit_units, used))


def _rest_again(step: Step, number: int) -> None:
    """A stop that triggered and did not fill whole rests as what it is now."""
    order = step.state.orders.get(number)
    if order is not None and order.stop_units is not None:
        step.rest(order)


# ------------------------------------------------------------------ prints


def match_trade(step: Step, market: Market, numbers: Iterable[int], aggressor: int) -> None:
    """A print: it fills only orders that were there before it, within its size. Rules P2, P4, P5, P6."""
    price, size = market.last_units, market.last_size_units
    if price is None or market.halted:
        return
    left = size
    if market.hours is not None:
        left = meet_print_for_auctions(step, market, numbers, left)
    there = [o for o in _open(step, market, numbers) if o.since_ns <= market.last_ns]
    stops, takers, limits = sort_orders(there)
    fired = []
    for order in stops:
        if reaches(order.terms.sign, price, order.stop_units or 0):
            situation = STOP_FIRES if order.limit_units is None else STOP_LIMIT_FIRES
            trigger(step, market, order, "P" + situation)
            fired.append(order.number)
            takers.append(step.state.orders[order.number])  # as it is now: its place in time is new
    takers.sort(key=by_time)
    for order in takers:
        found = _taken_by_trade(step, market, order, price, order.number in fired)
        left = share(step, market, order.number, found, left)
        _rest_again(step, order.number)
    tick = market.instrument.tick_units
    for order in limits:
        sign, limit = order.terms.sign, order.limit_units or 0
        proposals = []
        if not at_band(price, sign, market.instrument):
            proposals = fill_limit_on_trade(price, size, aggressor, sign, limit, step.profile.fill, tick)
        left = share(step, market, order.number, proposals, left)


def _taken_by_trade(step: Step, market: Market, order: Order, price: int, fires: bool) -> list[Proposal]:
    """What a print gives an order that takes: never better than a standing opposite side.

    ``fires`` says that it is the print that triggered it; what is left of an older stop is a market order that waits.
    """
    sign = order.terms.sign
    if at_band(price, sign, market.instrument):
        return []
    if is_fresh(step, market) and standing(market, sign):
        price = worse(sign, price, market.touch(sign) or price)
    if not fires:
        return fill_on_trade(price, market.last_size_units, sign, MARKET_WAITED, None, None)
    situation = STOP_FIRES if order.limit_units is None else STOP_LIMIT_FIRES
    return fill_on_trade(
        price, market.last_size_units, sign, situation, order.limit_units, order.stop_units
    )


# -------------------------------------------------------------------- bars


def match_bar(step: Step, market: Market, numbers: Iterable[int]) -> None:
    """A finished bar: each order meets the part of it that can follow its acceptance. Rules B2 to B6."""
    bar = market.bar
    if bar is None or market.halted:
        return
    there = [
        order
        for number in numbers
        if (order := step.state.orders.get(number)) is not None
        and order.since_ns <= bar.end_ns
        and may_meet_bar(step, market, order, bar)
    ]
    left = bar_budget(bar, market.instrument, step.profile.fill)
    if market.hours is not None:
        left = meet_bar_for_auctions(step, market, numbers, bar, left)
    for turn in arrange_bar(there, bar, step.profile.fill, market.instrument):
        order = step.state.orders.get(turn.number)
        if order is None:
            continue
        if turn.triggers:
            stop_limit = order.terms.type is OrderType.STOP_LIMIT
            trigger(step, market, order, "B" + (STOP_LIMIT_FIRES if stop_limit else STOP_FIRES))
        if not at_band(_banded(bar, turn.proposals), order.terms.sign, market.instrument):
            left = share(step, market, turn.number, turn.proposals, left)
        if turn.triggers:
            _rest_again(step, turn.number)


def _banded(bar: BarData, proposals: list[Proposal]) -> int:
    return proposals[0].price_units if proposals else bar.close
