"""A stop reaches its price: the one-way step, and what it can have of what stands."""

from __future__ import annotations

from papertrade.domain.events import OrderTriggered
from papertrade.domain.orders import Order
from papertrade.engine.budgets import evidence_of, used_up
from papertrade.engine.filling import execute
from papertrade.engine.hours import may_trade
from papertrade.engine.step import Step
from papertrade.engine.triggers import is_fresh, reaches, standing_trigger
from papertrade.matching.market import Market
from papertrade.matching.rules import LETTERS, STOP_FIRES, STOP_LIMIT_FIRES, fill_on_standing


def fires_at_once(step: Step, market: Market, order: Order) -> bool:
    """Has what stands reached a stop already?"""
    stop = order.stop_units
    if stop is None or order.triggered_ns is not None or not may_trade(step, market, order.terms):
        return False
    if not is_fresh(step, market):
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
