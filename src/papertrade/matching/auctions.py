"""What a market keeps of its auctions: the official price, and what a session ended with where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from papertrade.domain.events import Evidence
from papertrade.domain.hours import Bell
from papertrade.domain.orders import Order, OrderTerms
from papertrade.errors import CalendarRangeError

if TYPE_CHECKING:
    from papertrade.matching.market import Market


class AuctionData(NamedTuple):
    """The official price of an auction, in units."""

    kind: str  # "open" or "close"
    price: int
    size: int | None
    at_ns: int


class Closing(NamedTuple):
    """The last price of a session, or that there was none, kept while somebody waits for its closing price."""

    at_ns: int  # the instant of the closing auction
    letter: str  # of the data it is from; empty for none
    prices: tuple[int | None, int | None]  # for a buyer and for a seller
    evidence: tuple[Evidence, ...]  # likewise
    quote: tuple[int | None, int | None]  # the bid and the ask that were known then


def next_bell(market: Market, terms: OrderTerms, ns: int) -> Bell | None:
    """The auction that an order placed now is for; None when its market has no such auction."""
    kind = terms.tif.auction
    return None if kind is None or market.hours is None else market.hours.auction(kind, ns)


def bell_of(market: Market, order: Order) -> Bell | None:
    """The auction that an order is for; None when its market's calendar does not know it any more."""
    try:
        return next_bell(market, order.terms, order.placed_ns)
    except CalendarRangeError:
        return None


def bell_near(market: Market, kind: str, ns: int) -> Bell | None:
    """The first auction of a kind whose price is made after an instant; None where nobody knows of one."""
    try:
        return None if market.hours is None else market.hours.auction(kind, ns)
    except CalendarRangeError:
        return None
