"""In which order the orders of an account meet a bar, and with which proposals.

A bar does not say whether its high or its low came first. ``adverse`` assumes what hurts: first whatever fires at the
open, then stops, then limits. The path policies assume a way through the bar (open, one end, the other end, close) and
serve orders as that way reaches them. An order accepted inside the bar meets only its close.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import Order
from papertrade.engine.step import acts_as_limit
from papertrade.matching.market import NEVER, BarData
from papertrade.matching.rules import (
    MAKER,
    STOP_LIMIT_FIRES,
    TAKER,
    Proposal,
    bar_reaches_stop,
    fill_limit_on_bar,
    fill_market_on_bar,
    fill_stop_limit_on_bar,
    fill_stop_on_bar,
    goes_through,
    opens_beyond,
    within,
)
from papertrade.matching.settings import FillSettings

Moment = tuple[int, int]
"""(segment of the way, distance into it): when the way reaches something."""

_AT_OPEN = 0
_STOPS, _LIMITS = 1, 2
_AT_CLOSE = 9
_TAKES, _RESTS = 0, 1


class Turn(NamedTuple):
    """One order's meeting with the bar."""

    when: Moment
    place: tuple[int, int, int]  # at one moment: who takes, then resting limits by price; then time
    number: int
    triggers: bool
    proposals: list[Proposal]


def arrange_bar(
    orders: Iterable[Order], bar: BarData, settings: FillSettings, instrument: Instrument
) -> list[Turn]:
    """Every meeting, in the order in which it happens."""
    tick = instrument.tick_units
    close = BarData(bar.close, bar.close, bar.close, bar.close, bar.volume, bar.start_ns, bar.end_ns)
    turns = []
    for order in orders:
        inside = bar.start_ns != NEVER and order.since_ns > bar.start_ns
        turn = _turn(order, close if inside else bar, settings, tick)
        if turn is not None:
            turns.append(turn._replace(when=(_AT_CLOSE, 0)) if inside else turn)
    turns.sort(key=lambda turn: (turn.when, turn.place))
    return turns


def _turn(order: Order, bar: BarData, settings: FillSettings, tick: int) -> Turn | None:
    sign, limit, stop = order.terms.sign, order.limit_units, order.stop_units
    place = (_TAKES, 0, order.priority)
    if acts_as_limit(order):
        place = (_RESTS, -sign * (limit or 0), order.priority)
        found = fill_limit_on_bar(bar, sign, limit or 0, order.terms.post_only, settings, tick)
        when = _limit_moment(bar, sign, limit or 0, settings, tick)
        return Turn(when, place, order.number, False, found) if found else None
    if stop is None or order.triggered_ns is not None:
        return Turn((_AT_OPEN, -1), place, order.number, False, fill_market_on_bar(bar))
    if not bar_reaches_stop(bar, sign, stop):
        return None
    when = _stop_moment(bar, sign, stop, settings)
    if limit is None:
        return Turn(when, place, order.number, True, fill_stop_on_bar(bar, sign, stop))
    if settings.intrabar == "adverse":
        found = fill_stop_limit_on_bar(bar, sign, stop, limit, settings, tick)
    else:
        found = _stop_limit_on_way(bar, sign, stop, limit, settings, tick)
    return Turn(when, place, order.number, True, found)


# ------------------------------------------------------------------ moments


def _limit_moment(bar: BarData, sign: int, limit: int, settings: FillSettings, tick: int) -> Moment:
    if goes_through(bar.open, sign, limit, settings, tick):
        return _AT_OPEN, 0
    if settings.intrabar == "adverse":
        return _LIMITS, 0
    return _reached(bar, limit, falling=sign > 0, settings=settings)


def _stop_moment(bar: BarData, sign: int, stop: int, settings: FillSettings) -> Moment:
    if opens_beyond(bar, sign, stop):
        return _AT_OPEN, 0
    if settings.intrabar == "adverse":
        return _STOPS, 0
    return _reached(bar, stop, falling=sign < 0, settings=settings)


def low_comes_first(bar: BarData, settings: FillSettings) -> bool:
    """Does the assumed way go to the low before the high?"""
    if settings.intrabar == "adaptive":
        return bar.open - bar.low < bar.high - bar.open
    return settings.intrabar == "olhc"


def _reached(bar: BarData, level: int, falling: bool, settings: FillSettings) -> Moment:
    """When the way first reaches a level below (falling) or above the open."""
    first_leg_falls = low_comes_first(bar, settings)
    if first_leg_falls == falling:
        return 1, abs(bar.open - level)
    turned_at = bar.low if first_leg_falls else bar.high
    return 2, abs(turned_at - level)


def _stop_limit_on_way(
    bar: BarData, sign: int, stop: int, limit: int, settings: FillSettings, tick: int
) -> list[Proposal]:
    """Rule B6 along an assumed way: at the trigger if within the limit, else when the rest of the way comes back."""
    gapped = opens_beyond(bar, sign, stop)
    at = bar.open if gapped else stop
    rule = "B" + STOP_LIMIT_FIRES
    if within(sign, at, limit):
        return [Proposal(rule, at, None, TAKER, False, limit)]
    legs = (bar.low, bar.high) if low_comes_first(bar, settings) else (bar.high, bar.low)
    leg = 0 if gapped else _reached(bar, stop, falling=sign < 0, settings=settings)[0]
    # Points still ahead after the trigger: everything after a gapped open, else the ends not yet passed.
    ahead = (*legs, bar.close) if leg == 0 else (*legs[leg - 1 :], bar.close)
    if any(goes_through(point, sign, limit, settings, tick) for point in ahead):
        return [Proposal(rule, limit, None, MAKER, False, limit)]
    return []
