"""Squaring off an intraday account before its markets close: the stages, once each, and what they do."""

from __future__ import annotations

from typing import Final, NamedTuple

from papertrade.domain.events import SquaredOff
from papertrade.domain.hours import MarketHours
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.words import CancelReason, OrderType, TimeInForce
from papertrade.engine.bookends import hours_at_stake
from papertrade.engine.filling import cancel
from papertrade.engine.funds import closable
from papertrade.engine.place import place
from papertrade.engine.step import Step
from papertrade.errors import CalendarRangeError
from papertrade.matching.market import Market
from papertrade.risk.square_off import FLAT, REDUCE_ONLY, STAGES, SquareOff

TAGS: Final = (("by", "square_off"),)


class Stage(NamedTuple):
    """The next thing to do before a close."""

    due_ns: int
    calendar: str
    stage: str
    flat_ns: int
    close_ns: int


def next_stage(step: Step) -> Stage | None:
    """What is due next on any market where the account has something; None without a rule or without anything."""
    rule = step.profile.square_off
    if rule is None or not step.now_ns:  # a clock at 0 has not been told the time yet
        return None
    stages = (_next_of(step, rule, hours) for hours in hours_at_stake(step.state, step.markets))
    return min((stage for stage in stages if stage is not None), default=None)


def _next_of(step: Step, rule: SquareOff, hours: MarketHours) -> Stage | None:
    try:
        return _next_known(step, rule, hours)
    except CalendarRangeError:  # asked for when a step is stored already: orders hear of it when they are placed
        return None


def _next_known(step: Step, rule: SquareOff, hours: MarketHours) -> Stage | None:
    now, close = step.now_ns, hours.day_close(step.now_ns, False)
    if not rule.covers(hours, close):
        return None
    done = [part.stage for part in step.state.squared if part.calendar == hours.name and part.closes_ns == close]
    left = STAGES[STAGES.index(done[0]) + 1 :] if done else STAGES
    if not left:  # what is carried is squared off before the next close, though nothing else may happen until then
        now, close, left = close, hours.day_close(close, False), STAGES
        if not rule.covers(hours, close):
            return None
    flat = rule.flat_ns(hours, close)
    return Stage(max(rule.stage_ns(left[0], flat), now), hours.name, left[0], flat, close)


def square_off(step: Step) -> None:
    """Everything that is due now, stage by stage."""
    while (stage := next_stage(step)) is not None and stage.due_ns <= step.now_ns:
        state = step.state
        about = (state.account, state.version + 1, step.now_ns, stage.calendar, stage.stage)
        step.emit(SquaredOff(*about, stage.flat_ns, stage.close_ns))
        if stage.stage == REDUCE_ONLY:
            _cancel(step, [order for order in _working(step, stage.calendar) if not _reduces(step, order)])
        elif stage.stage == FLAT:
            _cancel(step, _working(step, stage.calendar))
            _close(step, stage.calendar)


def _working(step: Step, calendar: str) -> list[Order]:
    orders = step.state.orders
    return [order for _, order in sorted(orders.items()) if _is_of(step.markets[order.terms.symbol], calendar)]


def _is_of(market: Market, calendar: str) -> bool:
    return market.hours is not None and market.hours.name == calendar


def _reduces(step: Step, order: Order) -> bool:
    position = step.state.positions.get(order.terms.key)
    return order.terms.reduce_only or closable(position, order.terms.sign) > 0


def _cancel(step: Step, orders: list[Order]) -> None:
    for order in orders:
        if order.number in step.state.orders:  # its linked order may have taken it along
            cancel(step, step.state.orders[order.number], CancelReason.SQUARE_OFF, ())


def _close(step: Step, calendar: str) -> None:
    """Close what is held at the market, in as many orders as it takes; what cannot be closed today is carried."""
    held = [position for _, position in sorted(step.state.holdings.items())]
    for position in [position for position in held if _is_of(step.markets[position.symbol], calendar)]:
        quantity, most = position.quantity_units, step.markets[position.symbol].instrument.most_units
        left, sign = abs(quantity), -1 if quantity > 0 else 1
        while left:
            size = min(left, most)
            place(step, _closing(position.symbol, sign, size), by_clock=True)
            left -= size


def _closing(symbol: str, sign: int, size: int) -> OrderTerms:
    market, day = OrderType.MARKET, TimeInForce.DAY
    return OrderTerms(symbol, sign, market, size, None, None, None, day, None, False, True, 0, None, TAGS)
