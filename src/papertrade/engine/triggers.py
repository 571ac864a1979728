"""Which price may trigger a stop, and whether what stands may still fill an arriving order."""

from __future__ import annotations

from papertrade.domain.words import DataKind
from papertrade.engine.step import Step
from papertrade.matching.market import NEVER, Market


def is_fresh(step: Step, market: Market) -> bool:
    """Does a quote stand that is young enough to fill an arriving order, and of this phase of its market?"""
    if market.quote_ns == NEVER or market.quote_ns > step.now_ns:
        return False  # a deadline of the past, seen to late, does not know what came after it
    if market.hours is not None and market.quote_ns < market.span_at(step.now_ns).from_ns:
        return False  # what stood before the open is not what stands after it
    most = step.profile.fill.max_age_ns
    return most is None or step.clock_ns - market.quote_ns <= most


def standing_trigger(step: Step, market: Market, sign: int) -> int | None:
    """The price of what stands that a stop of this side is compared with; None when it triggers nothing."""
    if market.crossed or market.halted:
        return None
    if market.standing is DataKind.PRICE:
        return market.bare_units
    return market.touch(sign) if step.profile.fill.stop_trigger == "any" else None


def arrival_trigger(step: Step, market: Market, sign: int) -> int | None:
    """The price that an arriving stop is compared with: what stands if it is fresh, else the last known price."""
    if market.halted:
        return None
    if is_fresh(step, market):
        price = standing_trigger(step, market, sign)
        if price is not None:
            return price
    return None if market.crossed else market.mark_units


def reaches(sign: int, price: int | None, stop: int) -> bool:
    """Is a price at or beyond a stop of this side?"""
    return price is not None and sign * (price - stop) >= 0
