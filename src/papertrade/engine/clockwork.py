"""What the clock does by itself: orders expire and days begin, once each, the same stepped or skipped."""

from __future__ import annotations

from papertrade.domain.events import DayOpened, Event, OrderExpired
from papertrade.domain.orders import Order
from papertrade.domain.words import TimeInForce
from papertrade.engine.auctions import meet_last_of_session, ring
from papertrade.engine.funds import appraise, held_change
from papertrade.engine.squaring import next_stage, square_off
from papertrade.engine.step import Deadlines, Seat, Step
from papertrade.engine.watch import review
from papertrade.matching.auctions import bell_of
from papertrade.matching.market import Market


def run_clock(step: Step) -> None:
    """Everything that is due now: expiries, the new day of an account that has something at stake, squaring off."""
    state = step.state
    ring(step)
    for number, order in sorted(state.orders.items()):
        if order.expires_ns is not None and order.expires_ns <= step.now_ns and number in state.orders:
            left = _last_chance(step, order)
            if left is None:
                continue
            held = held_change(left.hold_units, state.sibling(left), 0)
            step.emit(OrderExpired(state.account, state.version + 1, step.now_ns, number, held))
    if state.open_positions or state.orders:
        begin_day(step)
    if step.profile.square_off is not None:  # what it places belongs to the day that has begun
        square_off(step)
    review(step)


def _last_chance(step: Step, order: Order) -> Order | None:
    """An order for a closing price that never came meets the session's last price before it expires."""
    if order.terms.tif is not TimeInForce.CLS:
        return order
    begin_day(step)
    meet_last_of_session(step, order)
    return step.state.orders.get(order.number)


class FirstStep(Step):
    """A step of an account without a day: its first day opens with the first thing that happens, and not before."""

    __slots__ = ("opening",)

    def __init__(self, seat: Seat, markets: dict[str, Market], deadlines: Deadlines, now_ns: int) -> None:
        super().__init__(seat, markets, deadlines, now_ns)
        self.opening = False

    def emit(self, event: Event) -> None:
        """The day first, then the event with the version after it."""
        if not self.state.day and not self.opening:
            self.opening = True
            begin_day(self)
            event = event._replace(version=self.state.version + 1)
        super().emit(event)


def begin_day(step: Step) -> None:
    """Open the trading day that now belongs to, unless it is open already.

    A clock at 0 has not been told the time yet (``clock="data"`` before its first datum): no day is known, none opens.
    """
    state, seat = step.state, step.seat
    if not step.now_ns:
        return
    if state.day and step.now_ns < seat.day_ends_ns:
        return
    calendar = step.profile.trading_day
    day = calendar.day_of(step.now_ns)
    if step.live:
        seat.day_ends_ns = calendar.ends(step.now_ns)
    if day == state.day:
        return
    now = appraise(state, step.profile, step.markets)
    unmarked = tuple(symbol for symbol in sorted(state.holdings) if step.markets[symbol].mark_units is None)
    stale = sum(
        1
        for symbol, position in state.positions.items()
        if position.quantity_units
        and step.markets[symbol].mark_units is not None
        and calendar.day_of(max(step.markets[symbol].marked_ns, 0)) < state.day
    )
    step.emit(
        DayOpened(state.account, state.version + 1, step.now_ns, day, now.equity, now.missing + stale, unmarked)
    )


def schedule(step: Step) -> None:
    """See to it that the account is woken when its next order expires or its day ends."""
    state, seat = step.state, step.seat
    if not step.live:
        return
    if (state.open_positions or state.orders) and state.day:
        step.wake_at(seat.day_ends_ns)
    stage = next_stage(step)
    if stage is not None:
        step.wake_at(stage.due_ns)


def next_wake(step: Step) -> int:
    """The next deadline of an account that was just woken, 0 for none."""
    state, seat = step.state, step.seat
    due = [order.expires_ns for order in state.orders.values() if order.expires_ns is not None]
    for order in state.orders.values():
        if order.terms.tif.auction is not None:
            bell = bell_of(step.markets[order.terms.symbol], order)
            if bell is not None and bell.at_ns > step.now_ns:
                due.append(bell.at_ns)
    if (state.open_positions or state.orders) and state.day:
        due.append(seat.day_ends_ns)
    stage = next_stage(step)
    if stage is not None:
        due.append(stage.due_ns)
    return min(due, default=0)
