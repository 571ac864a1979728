"""When an order may trade, by the hours of its market: asked anew each time."""

from __future__ import annotations

from papertrade.domain.events import SquaredOff
from papertrade.domain.hours import Bell, MarketHours, Phase
from papertrade.domain.orders import OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import OrderType, OutsideHours, TimeInForce
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.market import SlowMarket
from papertrade.testing.oracle.orders import SlowOrder

MICROSECOND = 1_000
MINUTE = 60 * 10**9


def phase(market: SlowMarket, at: int) -> Phase:
    """What the market does at an instant; one without hours never closes."""
    return Phase.REGULAR if market.hours is None else market.hours.span_at(at).phase


def asks_for_more(account: SlowAccount, terms: OrderTerms) -> bool:
    """Does the order trade outside regular hours too?"""
    policy = account.setup.outside_hours
    by_policy = policy is OutsideHours.EXTENDED and terms.type is OrderType.LIMIT and not terms.after_market
    return terms.extended_hours or by_policy


def auction_of(market: SlowMarket, terms: OrderTerms, placed: int) -> Bell | None:
    """The first auction of the kind that an order is for whose price comes after it."""
    kind = terms.tif.auction
    return None if kind is None or market.hours is None else market.hours.auction(kind, placed)


def trades_in(account: SlowAccount, terms: OrderTerms, now: Phase) -> bool:
    """May an order trade in this phase?"""
    if terms.tif.auction is not None:
        return False
    if now in (Phase.PRE_MARKET, Phase.AFTER_HOURS):
        return asks_for_more(account, terms)
    return now is Phase.REGULAR


def trades_now(account: SlowAccount, market: SlowMarket, terms: OrderTerms) -> bool:
    """May an order trade now?"""
    return trades_in(account, terms, phase(market, account.now))


def meets_bar(account: SlowAccount, market: SlowMarket, order: SlowOrder) -> bool:
    """Did its market trade for the order in the last nanosecond of the bar, or in regular hours of it since it came?"""
    if order.terms.tif.auction is not None:
        return False
    if market.bar is None or trades_in(account, order.terms, phase(market, market.bar.end - 1)):
        return True
    if market.bar_start is None or market.hours is None:
        return False
    first = max(market.bar_start, order.since)
    return any(span == Phase.REGULAR for span in phases_between(market, first, market.bar.end))


def is_close_of_now(account: SlowAccount, market: SlowMarket, terms: OrderTerms) -> bool:
    """Did the bar end while the order may trade: at this instant, or in the phase that is still on?"""
    bar, hours = market.bar, market.hours
    if bar is None or hours is None:
        return True
    last = hours.span_at(bar.end - 1)
    if not trades_in(account, terms, last.phase):
        return False
    return bar.end == account.now or (bar.end < last.until_ns and account.now < last.until_ns)


def phases_between(market: SlowMarket, first: int, end: int) -> list[Phase]:
    """Every phase from an instant up to another, which does not count."""
    found = []
    while market.hours is not None and first < end:
        span = market.hours.span_at(first)
        found.append(span.phase)
        first = span.until_ns
    return found


def quote_is_of_this_phase(account: SlowAccount, market: SlowMarket) -> bool:
    """Did what stands arrive in the phase that is now?"""
    if market.hours is None or market.quote_at is None:
        return True
    return market.quote_at >= market.hours.span_at(account.now).from_ns


def refuse_hours(account: SlowAccount, market: SlowMarket, terms: OrderTerms) -> RejectReason | None:
    """Open: no after-market orders. Closed: they wait, and so do others if the policy lets them."""
    if terms.tif.auction is not None:
        its = auction_of(market, terms, account.now)
        if its is None or account.now >= its.until_ns:
            return RejectReason.AUCTION_CLOSED
        early = account.now < its.from_ns and account.setup.outside_hours is OutsideHours.REJECT
        return RejectReason.AUCTION_CLOSED if early else None
    now = phase(market, account.now)
    if trades_in(account, terms, now):
        return RejectReason.MARKET_OPEN if terms.after_market else None
    at_once = terms.tif in (TimeInForce.IOC, TimeInForce.FOK)
    if at_once:
        return RejectReason.MARKET_CLOSED
    waits = terms.after_market or now is Phase.PRE_OPEN or account.setup.outside_hours is not OutsideHours.REJECT
    return None if waits else RejectReason.MARKET_CLOSED


def told(account: SlowAccount, hours: MarketHours, product: str) -> list[SquaredOff]:
    """The stages of squaring off that came for a product on the markets of these hours."""
    return [stage for stage in account.stages if (stage.calendar, stage.product) == (hours.name, product)]


def only_reduces(account: SlowAccount, symbol: str, product: str) -> bool:
    """Is this product being squared off on this symbol's market?"""
    hours = account.markets[symbol].hours
    if hours is None:
        return False
    return any(e.stage != "warned" and account.now < e.closes_ns for e in told(account, hours, product))


def expiry(account: SlowAccount, market: SlowMarket, terms: OrderTerms) -> int | None:
    """When an accepted order ends by itself."""
    if terms.tif is TimeInForce.TTL:
        return account.now + terms.ttl_minutes * MINUTE
    its = auction_of(market, terms, account.now)
    if its is not None:
        last = its.closes_ns if terms.tif is TimeInForce.OPG else its.at_ns + 15 * MINUTE
        return last + MICROSECOND
    if terms.tif is not TimeInForce.DAY:
        return terms.expires_ns
    if market.hours is None:
        return account.setup.trading_day.ends(account.now)
    return market.hours.day_close(account.now, asks_for_more(account, terms)) + MICROSECOND
