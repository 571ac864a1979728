"""The numbered fill rules: (order, market data) → proposed fills. Pure, side-aware, one piece of code for both sides.

A rule's letter is the data that made the fill, its digit the situation of the order:

    Q quote    L bare last price    D depth    P trade print    B bar    A auction
    1 a market order on arrival             4 a resting limit order
    2 a market order that waited            5 a stop (SL-M) at its trigger
    3 a limit order marketable on arrival   6 a stop-limit (SL) at its trigger
    7 an opg or cls order that meets this instead of an auction price
    8 a cls order for which nothing came: the last price of the session

``docs/reference/fill-rules.md`` is the same as a table, and each rule has a scenario named after it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import SCALE
from papertrade.domain.straight import straight
from papertrade.domain.words import DataKind, LiquidityRole
from papertrade.matching.auctions import Closing
from papertrade.matching.market import BarData, Levels, Market
from papertrade.matching.settings import FillSettings

MARKET_ARRIVES: Final = "1"
MARKET_WAITED: Final = "2"
LIMIT_ARRIVES: Final = "3"
LIMIT_RESTS: Final = "4"
STOP_FIRES: Final = "5"
STOP_LIMIT_FIRES: Final = "6"
FOR_AUCTION: Final = "7"
LAST_OF_SESSION: Final = "8"

LETTERS: Final = {
    DataKind.QUOTE: "Q",
    DataKind.PRICE: "L",
    DataKind.DEPTH: "D",
    DataKind.TRADE: "P",
    DataKind.BAR: "B",
    DataKind.AUCTION: "A",
}
RULE_SENTENCES: Final = {
    "Q1": "a market order fills at the opposite side of the standing quote",
    "Q2": "a market order that waited fills at the opposite side of the next quote",
    "Q3": "a limit order marketable on arrival fills at the opposite side, which is as good or better",
    "Q4": "a resting limit fills at its limit when the opposite quote is at or through it",
    "Q5": "a stop fills at the worse of its trigger and the opposite side of the quote that reached it",
    "Q6": "a stop-limit reached by a quote within its limit fills at the worse of trigger and opposite side",
    "L1": "a market order fills at the last price widened by the half spread",
    "L2": "a market order that waited fills at the next last price widened by the half spread",
    "L3": "a limit order marketable on arrival fills at the widened last price",
    "L4": "a resting limit fills at its limit when the widened last price is at or through it",
    "L5": "a stop fills at the worse of its trigger and the widened last price",
    "L6": "a stop-limit fills at the worse of its trigger and the widened last price, within its limit",
    "D1": "a market order sweeps the standing levels, best first",
    "D2": "a market order that waited sweeps the next levels",
    "D3": "a limit order marketable on arrival sweeps the levels within its limit",
    "D4": "a resting limit fills at its limit against the size at or through it",
    "D5": "a stop sweeps the levels, never better than its trigger",
    "D6": "a stop-limit sweeps the levels within its limit, never better than its trigger",
    "P2": "a market order that waited without a quote fills at the next print",
    "P4": "a resting limit fills at its limit when a print goes through it (or touches it, by setting)",
    "P5": "a stop fills at the worse of its trigger, the print that reached it and the standing opposite side",
    "P6": "a stop-limit fills at the worse of its trigger and the print, within its limit",
    "B1": "a market order fills at the close of the bar that stands (bar_entry='close')",
    "B2": "a market order that waited fills at the open of the next bar",
    "B3": "a resting limit that the open jumped over fills at its limit (or at the open, by setting)",
    "B4": "a resting limit fills at its limit when the bar goes through it (or touches it, by setting)",
    "B5": "a stop fills at the worse of its trigger and the open",
    "B6": "a stop-limit triggers like a stop and fills within its limit on what can follow in the bar",
    "A2": "a market order fills at the auction price",
    "A4": "a limit order fills at the auction price if that is better than its limit (or equal to it, by setting)",
    "Q7": "without an auction price an opg order fills at the opposite side of the first quote of the session",
    "L7": "without an auction price an opg order fills at the first widened last price of the session",
    "D7": "without an auction price an opg order sweeps the first levels of the session",
    "P7": "without an auction price an opg or cls order fills at the first print from the auction on",
    "B7": "without an auction price an opg order fills at the open of the first bar, a cls order at the last close",
    "Q8": "without a closing price a cls order fills at the opposite side of the session's last quote",
    "L8": "without a closing price a cls order fills at the session's last price, widened by the half spread",
    "D8": "without a closing price a cls order fills at the best opposite level of the session's last depth",
    "P8": "without a closing price a cls order fills at the session's last print",
    "B8": "without a closing price a cls order fills at the close of the session's last bar",
}
"""Every rule in a sentence."""

MAKER: Final = LiquidityRole.MAKER
TAKER: Final = LiquidityRole.TAKER


class Proposal(NamedTuple):
    """A fill that a rule allows: its price before slippage and how much at most."""

    rule: str
    price_units: int
    size_units: int | None  # None: as much as the order wants
    role: LiquidityRole
    slips: bool  # does slippage apply? never to limit orders
    limit_units: int | None


_proposal = straight(Proposal)


def worse(sign: int, one: int, other: int) -> int:
    """The worse of two prices for a trader of this side: a buyer pays more, a seller gets less."""
    return max(one, other) if sign > 0 else min(one, other)


def within(sign: int, price: int, limit: int | None) -> bool:
    """Is the price as good as the limit or better?"""
    return limit is None or sign * (limit - price) >= 0


# -------------------------------------------------- quotes, prices and depth


def standing(market: Market, sign: int) -> bool:
    """Is there an opposite side to trade with?"""
    return market.touch(sign) is not None and not market.crossed and not market.halted


def fill_on_standing(
    market: Market, sign: int, situation: str, limit: int | None, trigger: int | None, used: int
) -> list[Proposal]:
    """What the standing quote, price or depth gives an order that takes: situations 1, 2, 3, 5 and 6."""
    touch = market.ask_units if sign > 0 else market.bid_units
    if touch is None or market.crossed or market.halted:
        return []
    rule = LETTERS[market.standing] + situation
    if market.bids is not None:
        return _sweep(market, sign, rule, limit, trigger, used)
    price = touch if trigger is None else worse(sign, touch, trigger)
    if limit is not None and sign * (limit - price) < 0:
        return []
    size = market.ask_size_units if sign > 0 else market.bid_size_units
    left = size if not used or size is None else size - used
    return [] if left is not None and left <= 0 else [_proposal((rule, price, left, TAKER, limit is None, limit))]


def _sweep(
    market: Market, sign: int, rule: str, limit: int | None, trigger: int | None, used: int
) -> list[Proposal]:
    found = []
    for level, size in _levels(market, sign):
        taken = min(size, used)
        used -= taken
        price = level if trigger is None else worse(sign, level, trigger)
        if not within(sign, price, limit):
            break
        if size > taken:
            found.append(Proposal(rule, price, size - taken, TAKER, limit is None, limit))
    return found


def _levels(market: Market, sign: int) -> Levels:
    return (market.asks if sign > 0 else market.bids) or ()


def fill_resting_limit(market: Market, sign: int, limit: int, used: int) -> list[Proposal]:
    """Rules Q4, L4, D4: an opposite side at or through a resting limit fills it at the limit."""
    touch = market.touch(sign)
    if touch is None or market.crossed or market.halted or not within(sign, touch, limit):
        return []
    rule = LETTERS[market.standing] + LIMIT_RESTS
    if market.bids is None:
        size = market.ask_size_units if sign > 0 else market.bid_size_units
    else:
        size = sum(s for p, s in _levels(market, sign) if within(sign, p, limit))
    left = None if size is None else size - used
    return [] if left is not None and left <= 0 else [Proposal(rule, limit, left, MAKER, False, limit)]


# ------------------------------------------------------------------ prints


def goes_through(price: int, sign: int, limit: int, settings: FillSettings, tick: int) -> bool:
    """Did a price reach a resting limit far enough to fill it? The queue at the limit itself is unknown."""
    beyond = settings.through_ticks * tick if settings.limit_fill == "through" else 0
    return sign * (limit - price) >= beyond


def fill_on_trade(
    price: int, size: int | None, sign: int, situation: str, limit: int | None, trigger: int | None
) -> list[Proposal]:
    """Rules P2, P5, P6: a print gives its price, or the trigger if that is worse."""
    at = price if trigger is None else worse(sign, price, trigger)
    if not within(sign, at, limit):
        return []
    return [Proposal("P" + situation, at, size, TAKER, limit is None, limit)]


def fill_limit_on_trade(
    price: int, size: int | None, aggressor: int, sign: int, limit: int, settings: FillSettings, tick: int
) -> list[Proposal]:
    """Rule P4. ``aggressor`` is +1 when a buyer took, -1 when a seller did, 0 when the feed does not say."""
    if not goes_through(price, sign, limit, settings, tick):
        return []
    # At the limit itself only a trader of the other side meets us; beyond it somebody traded past our order.
    if price == limit and aggressor == sign:
        return []
    return [Proposal("P" + LIMIT_RESTS, limit, size, MAKER, False, limit)]


# ---------------------------------------------------------------- auctions


def fill_in_auction(
    rule: str, price: int, size: int | None, sign: int, limit: int | None, settings: FillSettings
) -> list[Proposal]:
    """Rules A2, A4, P7, B7, P8, B8: one price for all who would pay more or take less.

    At a limit itself the queue is unknown. Everybody in an auction is charged as a taker.
    """
    if limit is not None:
        better = sign * (limit - price)
        if better < 0 or (not better and settings.limit_fill == "through"):
            return []
    return [_proposal((rule, price, size, TAKER, limit is None, limit))]


def fill_at_last_quote(closing: Closing, sign: int, limit: int | None) -> list[Proposal]:
    """Rules Q8, L8, D8: the opposite side of what stood at the close; nobody knows how much was there."""
    price = closing.prices[0 if sign > 0 else 1]
    if price is None or not within(sign, price, limit):
        return []
    return [_proposal((closing.letter + LAST_OF_SESSION, price, None, TAKER, limit is None, limit))]


# -------------------------------------------------------------------- bars


def share_of(volume: int, instrument: Instrument, settings: FillSettings) -> int:
    """How much of a volume one account may take, in whole lots."""
    return instrument.lots_down(volume * settings.participation_units // SCALE)


def bar_budget(bar: BarData, instrument: Instrument, settings: FillSettings) -> int | None:
    """How much of a bar one account may take: its share of the volume, in whole lots; None without a volume."""
    return None if bar.volume is None else share_of(bar.volume, instrument, settings)


def fill_market_on_bar(bar: BarData) -> list[Proposal]:
    """Rule B2: the open of the next bar."""
    return [Proposal("B" + MARKET_WAITED, bar.open, None, TAKER, True, None)]


def fill_market_at_close(bar: BarData) -> list[Proposal]:
    """Rule B1: the close of the bar that stands."""
    return [Proposal("B" + MARKET_ARRIVES, bar.close, None, TAKER, True, None)]


def fill_limit_on_bar(
    bar: BarData, sign: int, limit: int, post_only: bool, settings: FillSettings, tick: int
) -> list[Proposal]:
    """Rules B3 and B4: at the limit; a gap at the open may give the open, by setting, to an order that may take."""
    if goes_through(bar.open, sign, limit, settings, tick):
        at_open = settings.gap_fill == "open" and not post_only
        price = bar.open if at_open else limit
        return [Proposal("B" + LIMIT_ARRIVES, price, None, TAKER if at_open else MAKER, False, limit)]
    extreme = bar.low if sign > 0 else bar.high
    if goes_through(extreme, sign, limit, settings, tick):
        return [Proposal("B" + LIMIT_RESTS, limit, None, MAKER, False, limit)]
    return []


def bar_reaches_stop(bar: BarData, sign: int, trigger: int) -> bool:
    """Does the bar reach a stop? A buy stop by its high, a sell stop by its low; a touch is enough."""
    return sign * ((bar.high if sign > 0 else bar.low) - trigger) >= 0


def opens_beyond(bar: BarData, sign: int, trigger: int) -> bool:
    """Did the bar open at or beyond a stop?"""
    return sign * (bar.open - trigger) >= 0


def fill_stop_on_bar(bar: BarData, sign: int, trigger: int) -> list[Proposal]:
    """Rule B5: the worse of trigger and open."""
    price = bar.open if opens_beyond(bar, sign, trigger) else trigger
    return [Proposal("B" + STOP_FIRES, price, None, TAKER, True, None)]


def fill_stop_limit_on_bar(
    bar: BarData, sign: int, trigger: int, limit: int, settings: FillSettings, tick: int
) -> list[Proposal]:
    """Rule B6: at the trigger (or a gapped open) if that is within the limit; else at the limit,

    on what surely follows the trigger: the whole bar after a gapped open, otherwise only the close.
    """
    gapped = opens_beyond(bar, sign, trigger)
    at = bar.open if gapped else trigger
    rule = "B" + STOP_LIMIT_FIRES
    if within(sign, at, limit):
        return [Proposal(rule, at, None, TAKER, False, limit)]
    after = (bar.low if sign > 0 else bar.high) if gapped else bar.close
    if goes_through(after, sign, limit, settings, tick):
        return [Proposal(rule, limit, None, MAKER, False, limit)]
    return []


def at_band(price: int, sign: int, instrument: Instrument) -> bool:
    """Is the price at the end of the day's band where this side finds no counterparty?"""
    band = instrument.band_units
    return band is not None and (price >= band[1] if sign > 0 else price <= band[0])
