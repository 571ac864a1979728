"""What the clock does by itself: orders expire, days end and begin, once each, the same stepped or skipped."""

from __future__ import annotations

from typing import Final

from papertrade.domain.events import DayOpened, Event, OrderExpired
from papertrade.domain.orders import Order
from papertrade.domain.words import TimeInForce
from papertrade.engine.auctions import meet_last_of_session, ring
from papertrade.engine.day_end import close_day, next_point, note_point, old_marks, unmarked
from papertrade.engine.funds import appraise, held_change
from papertrade.engine.profile import BOOKENDS, ON_CHANGE
from papertrade.engine.settlement import is_due, settle
from papertrade.engine.squaring import next_stage, square_off
from papertrade.engine.step import Deadlines, Seat, Step
from papertrade.engine.watch import review
from papertrade.matching.auctions import bell_of
from papertrade.matching.market import Market

TOLD_NS: Final = 1
"""A deadline of an account to be squared off that began before anybody knew the time: as soon as somebody does."""


def run_clock(step: Step) -> None:
    """Expiries, the day's end, the next day if something is at stake, what settles, squaring off: all that is due."""
    state, seat = step.state, step.seat
    _look_ahead(step)
    ring(step)
    for number, order in sorted(state.orders.items()):
        if order.expires_ns is not None and order.expires_ns <= step.now_ns and number in state.orders:
            left = _last_chance(step, order)
            if left is None:
                continue
            held = held_change(left.hold_units, state.sibling(left), 0)
            step.emit(OrderExpired(state.account, state.version + 1, step.now_ns, number, held))
    if state.today is not None and step.now_ns >= seat.day_ends_ns:
        close_day(step)
    if state.open_positions or state.orders or is_due(step):
        begin_day(step)
    settle(step)
    if step.profile.squares:  # what it places belongs to the day that has begun
        square_off(step)
    review(step)
    if (step.profile.points_ns == ON_CHANGE or 0 < seat.point_ns <= step.now_ns) and note_point(step):
        review(step)  # what was noted may be a new peak: the fall that matters is measured from there


def _look_ahead(step: Step) -> None:
    """Raise before anything has happened, if the day that would begin now is one that its calendar does not know."""
    state, day = step.state, step.profile.trading_day
    if day.calendar is None or (state.today is not None and step.now_ns < step.seat.day_ends_ns):
        return
    left = (order.expires_ns for order in state.orders.values())
    if state.open_positions or is_due(step) or any(ns is None or ns > step.now_ns for ns in left):
        day.ends(step.now_ns)


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
    if state.today is not None and step.now_ns < seat.day_ends_ns:
        return
    calendar = step.profile.trading_day
    day, ends_ns = calendar.day_of(step.now_ns), calendar.ends(step.now_ns)  # before anything happens: it may not know
    if state.today is not None:
        close_day(step)
    seat.day_ends_ns = ends_ns
    now = appraise(state, step.profile, step.markets)
    old = now.missing + old_marks(step)
    step.emit(DayOpened(state.account, state.version + 1, step.now_ns, day, now.equity, old, unmarked(step)))


def schedule(step: Step) -> None:
    """See to it that the account is woken when its day ends, its trades settle, and its equity is to be noted next."""
    state, seat = step.state, step.seat
    if not step.live:
        return
    if state.today is not None:
        step.wake_at(seat.day_ends_ns)
        _plan_point(step)
        step.wake_at(seat.point_ns)
    if state.settling:
        step.wake_at(state.settling[0].settles_ns)
    stage = next_stage(step)
    if stage is not None:
        step.wake_at(stage.due_ns)
    elif step.profile.squares and not step.now_ns:  # its day opens then, so that a restart knows of it
        step.wake_at(TOLD_NS)


def _plan_point(step: Step) -> None:
    """Keep the next instant to note the equity at."""
    seat = step.seat
    point = next_point(step)
    is_fixed = step.profile.points_ns != BOOKENDS  # other hours, or other markets, may bring the next one forward
    if not is_fixed or not point or not step.now_ns < seat.point_ns < point:
        seat.point_ns = point


def next_wake(step: Step) -> int:
    """The next deadline of an account that was just woken, 0 for none."""
    state, seat = step.state, step.seat
    _plan_point(step)
    due = [order.expires_ns for order in state.orders.values() if order.expires_ns is not None]
    for order in state.orders.values():
        if order.terms.tif.auction is not None:
            bell = bell_of(step.markets[order.terms.symbol], order)
            if bell is not None and bell.at_ns > step.now_ns:
                due.append(bell.at_ns)
    if state.today is not None:
        due.append(seat.day_ends_ns)
    if state.settling:
        due.append(state.settling[0].settles_ns)
    stage = next_stage(step)
    if stage is not None:
        due.append(stage.due_ns)
    if seat.point_ns:
        due.append(seat.point_ns)
    return min(due, default=0)
