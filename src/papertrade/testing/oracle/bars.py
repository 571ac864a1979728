"""How orders meet a bar: the way the price is assumed to go through it, and what each order gets on that way."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.words import LiquidityRole
from papertrade.matching.settings import FillSettings
from papertrade.testing.oracle.market import SlowBar, SlowMarket
from papertrade.testing.oracle.offers import (
    Offer,
    as_good,
    beyond_stop,
    making,
    taking,
    through_limit,
)
from papertrade.testing.oracle.orders import SlowOrder

When = tuple[int, int]
"""(stage, distance into it). Stage 0 is the open; then either stops (1) and limits (2), or the legs of the way."""

MARKET_AT_OPEN: When = (0, -1)
AT_OPEN: When = (0, 0)
AT_CLOSE: When = (9, 0)


class Meeting(NamedTuple):
    """An order, when it meets the bar, and what it is offered."""

    when: When
    rank: tuple[bool, int, int]  # does it rest, at which price, since when
    number: int
    triggers: bool
    offers: list[Offer]


def meetings(market: SlowMarket, settings: FillSettings, orders: list[SlowOrder]) -> list[Meeting]:
    """Every meeting with the last bar, first to last."""
    bar, start = market.bar, market.bar_start
    if bar is None:
        return []
    found = []
    tick = market.instrument.tick_units
    for order in orders:
        if order.since > bar.end:
            continue
        if start is not None and order.since > start:
            # Accepted inside the bar: only its close surely came later.
            close = bar._replace(open=bar.close, high=bar.close, low=bar.close)
            meeting = _meet(close, settings, tick, order)
            if meeting is not None:
                found.append(meeting._replace(when=AT_CLOSE))
        else:
            meeting = _meet(bar, settings, tick, order)
            if meeting is not None:
                found.append(meeting)
    return sorted(found, key=lambda meeting: (meeting.when, meeting.rank))


def _meet(bar: SlowBar, settings: FillSettings, tick: int, order: SlowOrder) -> Meeting | None:
    if order.waits_for_stop:
        return _meet_stop(bar, settings, tick, order)
    if order.rests_at_limit:
        return _meet_limit(bar, settings, tick, order)
    offers = [taking("B2", bar.open, None, None)]
    return Meeting(MARKET_AT_OPEN, (False, 0, order.priority), order.number, False, offers)


def _meet_limit(bar: SlowBar, settings: FillSettings, tick: int, order: SlowOrder) -> Meeting | None:
    limit, sign = order.limit or 0, order.sign
    rank = (True, -sign * limit, order.priority)
    if through_limit(settings, tick, sign, bar.open, limit):
        if settings.gap_fill == "open" and not order.terms.post_only:
            offer = Offer("B3", bar.open, None, LiquidityRole.TAKER, False)
        else:
            offer = making("B3", limit, None)
        return Meeting(AT_OPEN, rank, order.number, False, [offer])
    if not through_limit(settings, tick, sign, bar.low if sign > 0 else bar.high, limit):
        return None
    when = (2, 0) if settings.intrabar == "adverse" else reached(bar, settings, limit, falling=sign > 0)
    return Meeting(when, rank, order.number, False, [making("B4", limit, None)])


def _meet_stop(bar: SlowBar, settings: FillSettings, tick: int, order: SlowOrder) -> Meeting | None:
    stop, sign = order.stop or 0, order.sign
    if not beyond_stop(sign, bar.high if sign > 0 else bar.low, stop):
        return None
    gapped = beyond_stop(sign, bar.open, stop)
    if gapped:
        when = AT_OPEN
    elif settings.intrabar == "adverse":
        when = (1, 0)
    else:
        when = reached(bar, settings, stop, falling=sign < 0)
    price = bar.open if gapped else stop
    if order.limit is None:
        offers = [taking("B5", price, None, None)]
    elif as_good(sign, price, order.limit):
        offers = [taking("B6", price, None, order.limit)]
    else:
        later = _after_trigger(bar, settings, sign, when, gapped)
        back = any(through_limit(settings, tick, sign, point, order.limit) for point in later)
        offers = [making("B6", order.limit, None)] if back else []
    return Meeting(when, (False, 0, order.priority), order.number, True, offers)


# ------------------------------------------------------------------ the way


def low_comes_first(bar: SlowBar, settings: FillSettings) -> bool:
    """Does the assumed way go to the low before the high?"""
    if settings.intrabar == "adaptive":
        return bar.open - bar.low < bar.high - bar.open
    return settings.intrabar == "olhc"


def way(bar: SlowBar, settings: FillSettings) -> list[int]:
    """Open, one end, the other end, close."""
    ends = [bar.low, bar.high] if low_comes_first(bar, settings) else [bar.high, bar.low]
    return [bar.open, *ends, bar.close]


def reached(bar: SlowBar, settings: FillSettings, level: int, falling: bool) -> When:
    """When the way first comes to a level from above (falling) or from below: which leg, how far into it."""
    leg = 1 if low_comes_first(bar, settings) == falling else 2
    return leg, abs(way(bar, settings)[leg - 1] - level)


def _after_trigger(bar: SlowBar, settings: FillSettings, sign: int, when: When, gapped: bool) -> list[int]:
    """The ends of what surely follows the trigger of a stop."""
    if settings.intrabar == "adverse":
        if gapped:
            return [bar.low if sign > 0 else bar.high]
        return [bar.close]
    return way(bar, settings)[1 if gapped else when[0] :]
