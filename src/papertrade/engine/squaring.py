"""Squaring off an intraday account before its markets close: the stages, once each, and what they do."""

from __future__ import annotations

from typing import Final, NamedTuple

from papertrade.domain.events import SquaredOff
from papertrade.domain.hours import MarketHours
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.words import CancelReason, OrderType, TimeInForce
from papertrade.engine.filling import cancel
from papertrade.engine.funds import closable
from papertrade.engine.place import place
from papertrade.engine.profile import AccountProfile
from papertrade.engine.step import Step
from papertrade.errors import CalendarRangeError
from papertrade.ledger.positions import PositionState
from papertrade.matching.market import Market
from papertrade.risk.square_off import FLAT, REDUCE_ONLY, STAGES, SquareOff
from papertrade.risk.squaring_rules import rule_for

TAGS: Final = (("by", "square_off"),)


class Stage(NamedTuple):
    """The next thing to do before a close."""

    due_ns: int
    calendar: str
    product: str
    stage: str
    flat_ns: int
    close_ns: int


def next_stage(step: Step) -> Stage | None:
    """What is due next in any product on any market where the account has something; None where no rule is for it."""
    if not step.profile.squares or not step.now_ns:  # a clock at 0 has not been told the time yet
        return None
    state = step.state
    found: dict[tuple[str, str], MarketHours] = {}
    held = ((position.symbol, position.product) for position in state.holdings.values())
    for symbol, product in (*held, *((o.terms.symbol, o.terms.product) for o in state.orders.values())):
        hours = step.markets[symbol].hours
        if hours is not None:
            found[hours.name, product] = hours
    stages = (_next_of(step, product, hours) for (_, product), hours in sorted(found.items(), key=_by_name))
    return min((stage for stage in stages if stage is not None), default=None)


def _by_name(item: tuple[tuple[str, str], MarketHours]) -> tuple[str, str]:
    return item[0]


def _next_of(step: Step, product: str, hours: MarketHours) -> Stage | None:
    rule = rule_for(step.profile.square_off_of(product), hours)
    try:
        return None if rule is None else _next_known(step, rule, product, hours)
    except CalendarRangeError:  # asked for when a step is stored already: orders hear of it when they are placed
        return None


def _next_known(step: Step, rule: SquareOff, product: str, hours: MarketHours) -> Stage | None:
    now, close = step.now_ns, hours.day_close(step.now_ns, False)
    if not rule.covers(hours, close):
        return None
    about = hours.name, close, product
    done = [part.stage for part in step.state.squared if (part.calendar, part.closes_ns, part.product) == about]
    left = STAGES[STAGES.index(done[0]) + 1 :] if done else STAGES
    if not left:  # what is carried is squared off before the next close, though nothing else may happen until then
        now, close, left = close, hours.day_close(close, False), STAGES
        if not rule.covers(hours, close):
            return None
    flat = rule.flat_ns(hours, close)
    return Stage(max(rule.stage_ns(left[0], flat), now), hours.name, product, left[0], flat, close)


def would_be_squared_off(profile: AccountProfile, market: Market, product: str, now_ns: int) -> bool:
    """Is it so late that what comes into this product is squared off at once, whether or not it holds something yet?"""
    hours = market.hours
    rule = None if hours is None or not now_ns else rule_for(profile.square_off_of(product), hours)
    if hours is None or rule is None:
        return False
    try:
        close = hours.day_close(now_ns, False)
        return rule.covers(hours, close) and rule.stage_ns(REDUCE_ONLY, rule.flat_ns(hours, close)) <= now_ns
    except CalendarRangeError:
        return False


def square_off(step: Step) -> None:
    """Everything that is due now, stage by stage."""
    while (stage := next_stage(step)) is not None and stage.due_ns <= step.now_ns:
        state = step.state
        about = (state.account, state.version + 1, step.now_ns, stage.calendar, stage.stage)
        step.emit(SquaredOff(*about, stage.flat_ns, stage.close_ns, stage.product))
        if stage.stage == REDUCE_ONLY:
            _cancel(step, [order for order in _working(step, stage) if not _reduces(step, order)])
        elif stage.stage == FLAT:
            _cancel(step, _working(step, stage))
            _close(step, stage)


def _working(step: Step, stage: Stage) -> list[Order]:
    orders = step.state.orders
    return [order for _, order in sorted(orders.items()) if _is_of(step, order.terms, stage)]


def _is_of(step: Step, what: OrderTerms | PositionState, stage: Stage) -> bool:
    hours = step.markets[what.symbol].hours
    return hours is not None and (hours.name, what.product) == (stage.calendar, stage.product)


def _reduces(step: Step, order: Order) -> bool:
    position = step.state.positions.get(order.terms.key)
    return order.terms.reduce_only or closable(position, order.terms.sign) > 0


def _cancel(step: Step, orders: list[Order]) -> None:
    for order in orders:
        if order.number in step.state.orders:  # its linked order may have taken it along
            cancel(step, step.state.orders[order.number], CancelReason.SQUARE_OFF, ())


def _close(step: Step, stage: Stage) -> None:
    """Close what is held at the market, in as many orders as it takes; what cannot be closed today is carried."""
    held = [position for _, position in sorted(step.state.holdings.items())]
    for position in [position for position in held if _is_of(step, position, stage)]:
        quantity, most = position.quantity_units, step.markets[position.symbol].instrument.most_units
        left, sign = abs(quantity), -1 if quantity > 0 else 1
        while left:
            size = min(left, most)
            place(step, _closing(position, sign, size), by_clock=True)
            left -= size


def _closing(position: PositionState, sign: int, size: int) -> OrderTerms:
    market, day = OrderType.MARKET, TimeInForce.DAY
    about = position.symbol, sign, market, size, None, None, None, day, None, False, True, 0, None, TAGS
    return OrderTerms(*about, product=position.product)
