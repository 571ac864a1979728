"""Orders and the hours of their market: may one trade now, is it taken at all, and how long does it stand?"""

from __future__ import annotations

from typing import Final

from papertrade.domain.events import Numbers
from papertrade.domain.hours import Phase
from papertrade.domain.instants import SECOND_NS
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import OrderType, OutsideHours, TimeInForce
from papertrade.engine.profile import AccountProfile
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.errors import CalendarRangeError
from papertrade.matching.auctions import bell_of, next_bell
from papertrade.matching.market import NEVER, BarData, Market
from papertrade.risk.square_off import FLAT, REDUCE_ONLY

# A bar that ends at the close tells of the session before it, and still meets the orders of that session. So an order
# that stands for a session is there until the first instant after the close that a datetime can tell from it.
AFTER_CLOSE_NS: Final = 1_000
# How long after its instant a closing price may still come. Trading goes on meanwhile; nothing that is printed later
# than this is believed to be of the closing auction.
CLOSING_GRACE_NS: Final = 15 * 60 * SECOND_NS
MINUTE_NS: Final = 60 * SECOND_NS
_OPG: Final = TimeInForce.OPG
_CLS: Final = TimeInForce.CLS
_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)


def may_trade(step: Step, market: Market, terms: OrderTerms) -> bool:
    """May what stands fill an order with these terms now?"""
    return market.hours is None or _allows(step, terms, market.span_at(step.now_ns).phase)


def in_hours(step: Step, market: Market) -> bool:
    """Is it regular hours, and is the quote that stands of these hours?"""
    span = market.span_at(step.now_ns)
    return span.phase is Phase.REGULAR and market.quote_ns >= span.from_ns


def may_meet_bar(step: Step, market: Market, order: Order, bar: BarData) -> bool:
    """Does a bar tell of a time in which the order was there and may trade? Its end belongs to what comes after it."""
    hours = market.hours
    if order.terms.tif is _OPG or order.terms.tif is _CLS:
        return False
    if hours is None or _allows(step, order.terms, market.span_at(bar.end_ns - 1).phase):
        return True
    if bar.start_ns == NEVER:
        return False
    try:
        return hours.next_regular(max(bar.start_ns, order.since_ns)) < bar.end_ns
    except CalendarRangeError:  # nobody knows when it opens next
        return False


def may_enter_at_close(step: Step, market: Market, terms: OrderTerms, bar: BarData) -> bool:
    """Is the close of a bar a price of now: of this very instant, or of the phase that is on and trades?"""
    hours = market.hours
    if hours is None:
        return True
    if not _allows(step, terms, market.span_at(bar.end_ns - 1).phase):
        return False
    span = market.span_at(step.now_ns)
    return bar.end_ns == step.now_ns or (_allows(step, terms, span.phase) and bar.end_ns > span.from_ns)


def _allows(step: Step, terms: OrderTerms, phase: Phase) -> bool:
    if terms.tif is _OPG or terms.tif is _CLS:
        return False  # it trades in its auction and at no other time
    return phase is Phase.REGULAR or (phase.is_extended and is_extended(step.profile, terms))


def is_extended(profile: AccountProfile, terms: OrderTerms) -> bool:
    """Does an order trade before the open and after the close too: because it says so, or by the account's policy?"""
    if terms.extended_hours:
        return True
    policy = profile.outside_hours
    return policy is OutsideHours.EXTENDED and terms.type is OrderType.LIMIT and not terms.after_market


def refuse_hours(step: Step, market: Market, terms: OrderTerms) -> tuple[RejectReason, Numbers] | None:
    """While its market is closed an order waits for the open, or is refused: by the account's policy."""
    if terms.tif is _OPG or terms.tif is _CLS:
        return _refuse_auction(step, market, terms)
    phase = Phase.REGULAR if market.hours is None else market.known_phase(step.now_ns)
    if _allows(step, terms, phase):
        return (RejectReason.MARKET_OPEN, ()) if terms.after_market else None
    if terms.after_market or (phase is Phase.PRE_OPEN and terms.tif not in _AT_ONCE):
        return None
    if terms.tif in _AT_ONCE or step.profile.outside_hours is OutsideHours.REJECT:
        return RejectReason.MARKET_CLOSED, ()
    return None


def only_reduces(step: Step, market: Market, product: str) -> bool:
    """Is this product being squared off on this market, so that only orders that reduce a position pass?"""
    return is_squared_off(step.state, market, product, step.now_ns)


def is_squared_off(state: AccountState, market: Market, product: str, now_ns: int) -> bool:
    """The same of a state at an instant."""
    hours = market.hours
    if hours is None:
        return False
    return any(
        (part.calendar, part.product) == (hours.name, product)
        and part.stage in (REDUCE_ONLY, FLAT)
        and now_ns < part.closes_ns
        for part in state.squared
    )


def _refuse_auction(step: Step, market: Market, terms: OrderTerms) -> tuple[RejectReason, Numbers] | None:
    """Between its cut-off and its price an auction takes no orders; after that they are for the next session's."""
    bell = next_bell(market, terms, step.now_ns)
    if bell is None or step.now_ns >= bell.until_ns:
        return RejectReason.AUCTION_CLOSED, ()
    if step.now_ns < bell.from_ns and step.profile.outside_hours is OutsideHours.REJECT:
        return RejectReason.AUCTION_CLOSED, ()
    return None


def too_late(step: Step, market: Market, order: Order) -> bool:
    """Is it past the cut-off of the auction that an order is for?"""
    bell = bell_of(market, order)
    return bell is not None and step.now_ns >= bell.until_ns


def expiry_of(step: Step, market: Market, terms: OrderTerms) -> int | None:
    """The first instant at which the order is no longer there; None when it stands until somebody ends it."""
    if terms.tif is TimeInForce.TTL:
        return step.now_ns + terms.ttl_minutes * MINUTE_NS
    if terms.tif is _OPG or terms.tif is _CLS:
        bell = next_bell(market, terms, step.now_ns)
        if bell is None:
            return None
        # The first bar of a session may be as long as the session, and tells of its opening price when it ends.
        last_ns = bell.closes_ns if terms.tif is _OPG else bell.at_ns + CLOSING_GRACE_NS
        return last_ns + AFTER_CLOSE_NS
    if terms.tif is not TimeInForce.DAY:
        return terms.expires_ns
    if market.hours is not None:
        return market.hours.day_close(step.now_ns, is_extended(step.profile, terms)) + AFTER_CLOSE_NS
    return step.profile.trading_day.ends(step.now_ns) if not step.live else step.seat.day_ends_ns
