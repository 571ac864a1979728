"""Settlement of trades: on which day a fill settles, that it does by the clock, and what may not be used before.

A fill of a symbol's first trade on a trade day makes ``settlement_set``; what fills later that day joins it. When the
day comes, ``trades_settled`` says what became cash and what was delivered, once, dated when it was due.
"""

from __future__ import annotations

from typing import Final

from papertrade.domain.events import GoodFaithViolation, Numbers, SettlementSet, TradesSettled
from papertrade.domain.instants import DAY_NS
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.engine.funds import closable, opening_part
from papertrade.engine.step import Step
from papertrade.errors import CalendarRangeError
from papertrade.ledger.settling import in_a_year, is_set, shares_of
from papertrade.matching.market import Market

_SELL: Final = -1


def note_trade_day(step: Step, market: Market, terms: OrderTerms) -> None:
    """Something of this symbol is about to fill: say when it settles, unless that is known or is at once."""
    found = trade_day(step, market, terms)
    if found is not None:
        state = step.state
        step.emit(SettlementSet(state.account, state.version + 1, step.now_ns, market.symbol, *found, terms.product))


def may_settle(step: Step, market: Market, terms: OrderTerms) -> bool:
    """Is it known when a fill of this symbol would settle? Until then what rests waits; a new order is told."""
    try:
        trade_day(step, market, terms)
    except CalendarRangeError:
        return False
    return True


def trade_day(step: Step, market: Market, terms: OrderTerms) -> tuple[str, int, int, int] | None:
    """(trade date, sessions, its end, settlement) of what fills now; None if that is known already, or is at once."""
    rule, now = step.profile.settlement, step.now_ns
    if rule is None or is_set(step.state.settling, terms.key, now):
        return None
    hours = market.hours
    if not rule.covers(None if hours is None else hours.name):
        return None
    if hours is None:
        day = step.profile.trading_day.day_of(now)
        sessions = rule.sessions_on(day)
        begins = [now]
        for _ in range(sessions):
            begins.append(step.profile.trading_day.ends(begins[-1]))
        ends, settles = begins[min(1, sessions)], begins[-1]
    else:
        day = hours.trade_day(now)
        sessions = rule.sessions_on(day)
        ends = settles = now
        if sessions:
            ends, settles = hours.begins_after(now, 1), hours.begins_after(now, sessions)
    return (day, sessions, ends, settles) if sessions else None


def is_due(step: Step) -> bool:
    """Has the day of anything come that has not settled?"""
    settling = step.state.settling
    return bool(settling) and settling[0].settles_ns <= step.now_ns


def settle(step: Step) -> None:
    """Everything whose day has come, each trade day once."""
    state = step.state
    while is_due(step):
        due = state.settling[0].settles_ns
        day = min(part.day for part in state.settling if part.settles_ns == due)
        parts = [part for part in state.settling if (part.settles_ns, part.day) == (due, day)]
        cash = sum(part.cash_units for part in parts)
        delivered = tuple((part.symbol, part.quantity_units) for part in parts if part.quantity_units)
        step.emit(TradesSettled(state.account, state.version + 1, step.now_ns, day, due, cash, delivered))


def violate(step: Step, terms: OrderTerms, early: tuple[int, int, int]) -> None:
    """The fill before this one sold what was bought with money that has not settled."""
    state, rule = step.state, step.profile.settlement
    quantity, cash, settles = early
    count = in_a_year(state.violated, state.day) + 1
    free = None
    if rule is not None and rule.restricts(count):
        free = step.now_ns + rule.restricted_days * DAY_NS
    about = (state.account, state.version + 1, step.now_ns, terms.symbol, state.next_fill - 1)
    step.emit(GoodFaithViolation(*about, quantity, cash, settles, count, free, terms.product))


def refuse_shares(
    step: Step, key: str, quantity: int, sibling: Order | None, own: Order | None = None
) -> tuple[RejectReason, Numbers] | None:
    """May a sell order take what was bought and is not delivered yet? Asked when it is placed or grows."""
    rule, state = step.profile.settlement, step.state
    undelivered = shares_of(state.settling, key)
    if rule is None or not rule.refuses_shares or not undelivered:
        return None
    position = state.positions.get(key)
    held = closable(position, _SELL)
    free = held - opening_part(position, _SELL, held, sibling, own)
    delivered = max(0, free - undelivered)
    wanted = min(quantity, free)
    if wanted <= delivered:
        return None
    numbers = (("required", wanted), ("available", delivered), ("unsettled", undelivered))
    return RejectReason.UNSETTLED_SHARES, numbers
