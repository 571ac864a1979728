"""Explaining: why an order filled at its price, or what it waits for, as data and as a sentence."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from papertrade.domain.events import OrderFilled
from papertrade.domain.fields import MaybeAmount
from papertrade.domain.fills import Fill
from papertrade.domain.hours import Phase
from papertrade.domain.instants import text_of_instant
from papertrade.domain.numbers import text_of
from papertrade.domain.orders import Order
from papertrade.domain.rejections import REJECT_SENTENCES, RejectReason
from papertrade.domain.tables import html_table
from papertrade.domain.words import DataKind, OrderStatus
from papertrade.engine.hours import is_extended
from papertrade.engine.step import Seat, acts_as_limit
from papertrade.errors import CalendarRangeError
from papertrade.matching.auctions import bell_of
from papertrade.matching.market import NEVER, Market
from papertrade.matching.rules import RULE_SENTENCES, at_band


class WaitReason(StrEnum):
    """Why an open order has not filled."""

    WAITING_TRIGGER = "waiting_trigger"
    WAITING_PRICE = "waiting_price"
    WAITING_FIRST_DATA = "waiting_first_data"
    WAITING_FRESH_QUOTE = "waiting_fresh_quote"
    WAITING_OTHER_SIDE = "waiting_other_side"
    WAITING_LIQUIDITY = "waiting_liquidity"
    WAITING_QUEUE = "waiting_queue"
    MARKET_HALTED = "market_halted"
    MARKET_CLOSED = "market_closed"
    WAITING_AUCTION = "waiting_auction"
    MARKET_CROSSED = "market_crossed"
    AT_PRICE_BAND = "at_price_band"


class _Explanation(NamedTuple):
    order_id: str
    status: OrderStatus
    reason: str | None  # why it waits, was refused, or was canceled
    waiting_for: str | None  # in words
    price_needed_units: int | None
    market: str | None  # what stands, in words
    fills: tuple[Fill, ...]
    sentence: str


class Explanation(_Explanation):
    """What can be said about an order; ``str()`` of it is the sentence."""

    __slots__ = ()
    price_needed = MaybeAmount()

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"<Explanation {self.order_id}: {self.sentence}>"

    def _repr_html_(self) -> str:
        fields = {"status": self.status, "reason": self.reason, "why": self.sentence, "market": self.market}
        return html_table(f"Order {self.order_id}", fields)


def explain(order: Order, fills: list[OrderFilled], seat: Seat, market: Market, now_ns: int) -> Explanation:
    """Why it filled at its price, or what it waits for, or why it ended."""
    sentences = [_of_fill(fill, order) for fill in fills]
    reason: str | None = order.reason
    waiting = needed = None
    if order.is_open:
        waits, waiting, needed = _waits(order, seat, market, now_ns)
        reason = waits
        sentences.append(f"It waits for {waiting}.")
    else:
        sentences.append(_of_end(order))
    shown = repr(market)[8 : -1] if order.is_open else None
    text = " ".join(s for s in sentences if s)
    return Explanation(
        order.id, order.status, reason, waiting, needed, shown, tuple(Fill(f) for f in fills), text
    )


def _of_fill(fill: OrderFilled, order: Order) -> str:
    text = f"{text_of(fill.quantity_units)} filled at {text_of(fill.price_units)} by rule {fill.rule}: "
    text += RULE_SENTENCES[fill.rule]
    if fill.base_units != fill.price_units:
        moved = text_of(abs(fill.price_units - fill.base_units))
        text += f"; slippage and the tick moved it {moved} against the order from {text_of(fill.base_units)}"
    return f"{text} ({_of_evidence(fill)})."


def _of_evidence(fill: OrderFilled) -> str:
    kind, seen = fill.evidence.kind, fill.evidence.seen_units
    words = ["nobody" if units is None else text_of(units) for units in seen[:4]]
    age_ns = fill.at_ns - fill.evidence.at_ns
    when = f", {text_of(age_ns)} s old" if age_ns else ""  # nanoseconds are units of a second
    if kind == DataKind.TRADE:
        return f"print at {words[0]}{when}"
    if kind == DataKind.AUCTION:
        return f"auction at {words[0]}{when}"
    if kind == DataKind.BAR:
        return f"bar open {words[0]}, high {words[1]}, low {words[2]}, close {words[3]}{when}"
    if kind == DataKind.DEPTH:
        return f"depth from {words[0]}{when}"
    return f"{kind} bid {words[0]}, ask {words[1]}{when}"


def _of_end(order: Order) -> str:
    if order.status is OrderStatus.FILLED:
        return ""
    numbers = ", ".join(f"{name} {text_of(units)}" for name, units in order.numbers)
    numbers = f" ({numbers})" if numbers else ""
    if order.status is OrderStatus.REJECTED:
        return f"Refused: {REJECT_SENTENCES[RejectReason(order.reason or '')]}{numbers}."
    if order.status is OrderStatus.EXPIRED:
        return "Its time was up."
    return f"Canceled: {str(order.reason).replace('_', ' ')}{numbers}."


def _waits(order: Order, seat: Seat, market: Market, now_ns: int) -> tuple[WaitReason, str, int | None]:
    sign, stop, limit = order.terms.sign, order.stop_units, order.limit_units
    if market.halted:
        return WaitReason.MARKET_HALTED, f"{market.symbol} to resume trading", None
    if order.terms.tif.auction is not None:
        return _auction_waits(order, market, now_ns)
    try:
        opens_ns = _opens(order, seat, market, now_ns)
    except CalendarRangeError as why:
        known = f"calendar {why.calendar} knows no further than {why.last}"
        return WaitReason.MARKET_CLOSED, f"{market.symbol} to open; {known}", limit
    if opens_ns is not None:
        return WaitReason.MARKET_CLOSED, f"{market.symbol} to open at {text_of_instant(opens_ns)}", limit
    if stop is not None and order.triggered_ns is None:
        way = "rise" if sign > 0 else "fall"
        return WaitReason.WAITING_TRIGGER, f"{market.symbol} to {way} to its stop price {text_of(stop)}", stop
    if market.marked_ns == NEVER:
        return WaitReason.WAITING_FIRST_DATA, f"the first datum of {market.symbol}", limit
    if market.crossed:
        return WaitReason.MARKET_CROSSED, "a quote whose bid is not above its ask", limit
    mark = market.mark_units
    if mark is not None and at_band(mark, sign, market.instrument):
        return WaitReason.AT_PRICE_BAND, "a counterparty: the price is at the end of its band", limit
    most = seat.profile.fill.max_age_ns
    stale = market.quote_ns != NEVER and most is not None and now_ns - market.quote_ns > most
    if acts_as_limit(order) and limit is not None:
        touch = market.touch(sign)
        if stale and touch is not None and sign * (limit - touch) >= 0:
            return WaitReason.WAITING_FRESH_QUOTE, f"a quote at most {seat.profile.fill.max_quote_age_s} s old", limit
        return _limit_waits(order, seat, market, limit)
    if market.quote_ns == NEVER:
        return WaitReason.WAITING_LIQUIDITY, f"the next quote, print or bar of {market.symbol}", None
    touch, tick = market.touch(sign), market.instrument.tick_units
    if touch is None:
        return WaitReason.WAITING_OTHER_SIDE, f"{'a seller' if sign > 0 else 'a buyer'}", None
    if sign < 0 and touch < tick:
        return WaitReason.WAITING_OTHER_SIDE, f"a buyer at one tick ({text_of(tick)}) or more", None
    if stale:
        return WaitReason.WAITING_FRESH_QUOTE, f"a quote at most {seat.profile.fill.max_quote_age_s} s old", None
    return WaitReason.WAITING_LIQUIDITY, "more size: what was displayed is taken", None


def _auction_waits(order: Order, market: Market, now_ns: int) -> tuple[WaitReason, str, int | None]:
    name = f"the {'opening' if order.terms.tif.auction == 'open' else 'closing'} auction of {market.symbol}"
    bell = bell_of(market, order)
    when = "" if bell is None else f" at {text_of_instant(bell.at_ns)}"
    if bell is not None and bell.at_ns <= now_ns:
        name, when = f"the price of {name}", ""
    return WaitReason.WAITING_AUCTION, f"{name}{when}", order.limit_units


def _opens(order: Order, seat: Seat, market: Market, now_ns: int) -> int | None:
    """The next instant at which an order may trade, None when it may now."""
    hours, now_ns = market.hours, max(now_ns, seat.state.at_ns)  # after a restart the account still knows its own time
    if hours is None or not now_ns:
        return None
    extended, ns = is_extended(seat.profile, order.terms), now_ns
    span = market.span_at(ns)
    while not (span.phase is Phase.REGULAR or (extended and span.phase.is_extended)):
        ns = span.until_ns
        span = hours.span_at(ns)
    return None if ns == now_ns else ns


def _limit_waits(order: Order, seat: Seat, market: Market, limit: int) -> tuple[WaitReason, str, int | None]:
    sign, touch = order.terms.sign, market.touch(order.terms.sign)
    settings = seat.profile.fill
    side, way = ("ask", "down") if sign > 0 else ("bid", "up")
    if touch is not None and sign * (limit - touch) >= 0:
        return WaitReason.WAITING_LIQUIDITY, "more size at its limit: what was displayed is taken", limit
    last = market.last_units
    if touch is None and last == limit and settings.limit_fill == "through":
        ticks = settings.through_ticks
        return WaitReason.WAITING_QUEUE, f"a print {ticks} tick through {text_of(limit)}: the queue is unknown", limit
    return WaitReason.WAITING_PRICE, f"the {side} to come {way} to {text_of(limit)}, or a print through it", limit
