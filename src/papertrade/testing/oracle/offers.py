"""What a datum offers an order, rule by rule: quotes and depth, last prices, prints."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.instruments import Instrument
from papertrade.domain.words import DataKind, LiquidityRole
from papertrade.matching.settings import FillSettings
from papertrade.testing.oracle.market import SlowMarket

LETTER = {
    DataKind.QUOTE: "Q",
    DataKind.PRICE: "L",
    DataKind.DEPTH: "D",
    DataKind.TRADE: "P",
    DataKind.BAR: "B",
    DataKind.AUCTION: "A",
}


class Offer(NamedTuple):
    """A price and how much at most (None: as much as is wanted), by which rule."""

    rule: str
    price: int
    size: int | None
    role: LiquidityRole
    slips: bool
    quote: tuple[int | None, int | None] | None = None  # the bid and the ask of its time, where that is not now


def taking(rule: str, price: int, size: int | None, limit: int | None) -> Offer:
    """An offer to an order that takes; only orders without a limit slip."""
    return Offer(rule, price, size, LiquidityRole.TAKER, limit is None)


def making(rule: str, price: int, size: int | None) -> Offer:
    """An offer to an order that rested."""
    return Offer(rule, price, size, LiquidityRole.MAKER, False)


# ------------------------------------------------------------- comparisons


def as_good(sign: int, price: int, limit: int | None) -> bool:
    """Is the price no worse than the limit?"""
    if limit is None:
        return True
    return price <= limit if sign > 0 else price >= limit


def worse_of(sign: int, price: int, trigger: int | None) -> int:
    """The worse of two prices: the higher for a buyer, the lower for a seller."""
    if trigger is None:
        return price
    return max(price, trigger) if sign > 0 else min(price, trigger)


def beyond_stop(sign: int, price: int | None, stop: int) -> bool:
    """Has the price come to the stop? A buy stop waits for a rise, a sell stop for a fall."""
    if price is None:
        return False
    return price >= stop if sign > 0 else price <= stop


def through_limit(settings: FillSettings, tick: int, sign: int, price: int, limit: int) -> bool:
    """Did a print or a bar go far enough past a resting limit to fill it?"""
    needed = settings.through_ticks * tick if settings.limit_fill == "through" else 0
    past = limit - price if sign > 0 else price - limit
    return past >= needed


def at_band_end(instrument: Instrument, sign: int, price: int) -> bool:
    """At the end of the band a buyer (upper end) or a seller (lower end) finds nobody."""
    if instrument.band_units is None:
        return False
    lowest, highest = instrument.band_units
    return price >= highest if sign > 0 else price <= lowest


# --------------------------------------------------------- quotes and depth


def standing_offers(
    market: SlowMarket, sign: int, situation: str, limit: int | None, trigger: int | None
) -> list[Offer]:
    """Rules 1, 2, 3, 5, 6: level by level, without what was taken before."""
    if market.crossed or market.halted:
        return []
    found = []
    taken = market.taken[sign]
    for level, size in market.levels(sign):
        price = worse_of(sign, level, trigger)
        if not as_good(sign, price, limit):
            break
        left = size
        if size is not None:
            left = max(0, size - taken)
            taken = max(0, taken - size)
        if left != 0:
            found.append(taking(LETTER[market.standing] + situation, price, left, limit))
    return found


def resting_offers(market: SlowMarket, sign: int, limit: int) -> list[Offer]:
    """Rule 4: whatever is offered at the limit or better, at the limit."""
    if market.crossed or market.halted:
        return []
    sizes = [size for price, size in market.levels(sign) if as_good(sign, price, limit)]
    if not sizes:
        return []
    rule = LETTER[market.standing] + "4"
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return [making(rule, limit, None)]
    left = sum(known) - market.taken[sign]
    return [making(rule, limit, left)] if left > 0 else []


# ------------------------------------------------------------------- prints


def print_offers(
    market: SlowMarket, sign: int, situation: str, limit: int | None, trigger: int | None, opposite: int | None
) -> list[Offer]:
    """Rules P2, P5, P6: the print, or the standing opposite side or the trigger if those are worse."""
    if market.print is None:
        return []
    price, size = market.print
    if at_band_end(market.instrument, sign, price):
        return []
    price = worse_of(sign, worse_of(sign, price, opposite), trigger)
    if not as_good(sign, price, limit):
        return []
    return [taking("P" + situation, price, size, limit)]


def print_limit_offers(
    market: SlowMarket, settings: FillSettings, sign: int, limit: int, aggressor: int
) -> list[Offer]:
    """Rule P4: a print beyond a resting limit, or at it when the other side took (or nobody says)."""
    if market.print is None:
        return []
    price, size = market.print
    tick = market.instrument.tick_units
    if at_band_end(market.instrument, sign, price):
        return []
    if not through_limit(settings, tick, sign, price, limit):
        return []
    if price == limit and aggressor == sign:
        return []
    return [making("P4", limit, size)]


# --------------------------------------------------------------- which stop


def standing_stop_price(market: SlowMarket, settings: FillSettings, sign: int) -> int | None:
    """What of a quote, last price or depth a stop is compared with."""
    if market.crossed or market.halted:
        return None
    if market.standing is DataKind.PRICE:
        return market.bare
    return market.touch(sign) if settings.stop_trigger == "any" else None
