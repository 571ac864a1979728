"""How a trading day ends, and the equity that is noted during it.

Each day that was opened is closed once, at the instant it ends, whether or not the account holds anything then.
"""

from __future__ import annotations

from papertrade.domain.events import DayClosed, EquityMarked, OrderFilled
from papertrade.domain.numbers import SCALE, ratio_units
from papertrade.engine.bookends import next_bookend
from papertrade.engine.funds import Appraisal, appraise, last_price
from papertrade.engine.profile import BOOKENDS, ON_CHANGE
from papertrade.engine.step import Step
from papertrade.errors import CalendarRangeError
from papertrade.ledger.chart import POSITIONS


def old_marks(step: Step) -> int:
    """How many held symbols have a mark of an earlier day than the account's, of those that the market has one of."""
    markets = (step.markets[position.symbol] for position in step.state.holdings.values())
    return sum(1 for m in markets if m.mark_units is not None and _is_earlier(step, max(m.marked_ns, 0)))


def _is_earlier(step: Step, ns: int) -> bool:
    """Is an instant of an earlier day than the account's? Unknown days come before or after."""
    today = step.state.today
    try:
        return step.profile.trading_day.day_of(ns) < step.state.day
    except CalendarRangeError:
        return ns < (step.state.at_ns if today is None else today.began_ns)


def unmarked(step: Step) -> tuple[str, ...]:
    """The held symbols of which the market knows no price: the day is measured anew when it does."""
    held = sorted(step.state.holdings.items())
    return tuple(key for key, position in held if step.markets[position.symbol].mark_units is None)


def close_day(step: Step) -> None:
    """End the open day, with what it came to."""
    event = roll_up(step, appraise(step.state, step.profile, step.markets))
    if event is not None:
        step.emit(event)


def roll_up(step: Step, now: Appraisal) -> DayClosed | None:
    """What the open day has come to by now, as the event that would end it; None without an open day."""
    state, today = step.state, step.state.today
    if today is None:
        return None
    if not now.unknown:  # an equity at cost is no peak and no low
        today = today.copy()
        today.note(now.equity)
    held = sorted(state.holdings.items())
    marks = [(key, last_price(position, step.markets[position.symbol])) for key, position in held]
    cost = state.books.get(POSITIONS, 0)
    return DayClosed(
        account=state.account,
        version=state.version + 1,
        at_ns=step.now_ns,
        day=state.day,
        began_ns=today.began_ns,
        opening_equity_units=state.day_equity_units,
        equity_units=now.equity,
        opening_cash_units=today.opening_cash,
        closing_cash_units=state.total,
        on_hold_units=state.held,
        opening_cost_units=today.opening_cost,
        closing_cost_units=cost,
        realized_units=today.realized(state.books),
        unrealized_units=now.equity - state.total - cost,
        charges=today.charges(state.books),
        deposits_units=today.deposits_units,
        withdrawals_units=today.withdrawals_units,
        imported_units=today.imported_units,
        turnover_units=today.turnover_units,
        fills=state.next_fill - today.fills_before,
        orders=state.next_order - today.orders_before,
        wins=today.wins,
        losses=today.losses,
        highest_units=today.highest_units,
        lowest_units=today.lowest_units,
        drawdown_units=today.drawdown_units,
        stale_marks=now.missing + old_marks(step),
        unmarked=tuple(key for key, mark in marks if mark is None),
        holdings=tuple((key, p.quantity_units) for key, p in held),
        costs=tuple((key, p.cost_units) for key, p in held),
        averages=tuple((key, ratio_units(p.pq, p.quantity_units * SCALE)) for key, p in held),
        marks=tuple((key, mark) for key, mark in marks if mark is not None),
    )


# ------------------------------------------------------------- equity points


def next_point(step: Step) -> int:
    """The next instant at which an account notes its equity by the clock; 0 for none."""
    every, state = step.profile.points_ns, step.state
    if every == BOOKENDS:
        return next_bookend(step)
    if every <= 0 or not state.open_positions or state.today is None:
        return 0
    # Until data come nothing changes: when a clock leaps, one instant on its way is enough, and one after each fill.
    filled = any(type(event) is OrderFilled for event in step.events)
    return ((step.now_ns if filled else max(step.now_ns, step.seat.until_ns)) // every + 1) * every


def note_point(step: Step) -> bool:
    """Note the equity, if the account was set to do so now and it is another one than was noted last.

    Bookends are noted whatever it is, also at the last prices that the journal tells: there is but one of each. Other
    points wait for prices of the market, because a step back to an older price is a fall that never was.
    """
    every, today = step.profile.points_ns, step.state.today
    if not every or today is None:
        return False
    if every == ON_CHANGE:
        if not any(type(event) is OrderFilled for event in step.events):
            return False
    elif every != BOOKENDS and not step.state.open_positions:
        return False
    now = appraise(step.state, step.profile, step.markets)
    if every != BOOKENDS and (now.missing or now.equity == today.last_units):
        return False
    if now.unknown:
        return False
    step.emit(EquityMarked(step.state.account, step.state.version + 1, step.now_ns, now.equity))
    return True
