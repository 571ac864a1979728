"""What the hours of its market mean for an order: may it trade, may it be taken, when does it end?"""

from __future__ import annotations

from .books import Books
from .facts import ONE
from .orders import FOR_AUCTION, Ticket
from .sessions import Call
from .sight import Datum, View

AFTER_CLOSE = 1_000  # a bar that ends at the close still meets the orders of its session
AFTER_CALL = 15 * 60 * ONE  # how long the price of an auction may still come
_EXTENDED = ("pre_market", "after_hours")


def extends(books: Books, order: Ticket) -> bool:
    """Does it trade before the open and after the close: because it says so, or by the account's policy?"""
    by_policy = books.facts.outside_hours == "extended" and order.kind == "limit" and not order.after_market
    return order.extended or by_policy


def trades_in(books: Books, order: Ticket, phase: str) -> bool:
    """May it trade in this phase?"""
    return phase == "regular" or (phase in _EXTENDED and extends(books, order))


def call_of(books: Books, order: Ticket) -> Call | None:
    """The auction that an order is for: the first that had no price yet when it was placed."""
    kind = FOR_AUCTION.get(order.tif)
    sessions = books.sessions.get(order.symbol)
    return None if kind is None or sessions is None else sessions.call(kind, order.placed)


def expiry(books: Books, order: Ticket, at: int) -> int | None:
    """When an order that is accepted now ends by itself."""
    call = call_of(books, order)
    if call is not None:
        return AFTER_CLOSE + (call.closes if order.tif == "opg" else call.at + AFTER_CALL)
    if order.tif == "ttl":
        return at + order.minutes * 60 * ONE
    if order.tif != "day":
        return order.expires if order.tif == "gtd" else None
    sessions = books.sessions.get(order.symbol)
    if sessions is None:
        return books.days.end(at)
    return sessions.close(at, extends(books, order)) + AFTER_CLOSE


def waits(books: Books, order: Ticket, at: int) -> bool:
    """Is its market closed to it at this instant?"""
    sessions = books.sessions.get(order.symbol)
    if order.tif in FOR_AUCTION:
        return False
    return sessions is not None and not trades_in(books, order, sessions.phase(at)[0])


def why_not(books: Books, order: Ticket, at: int) -> str | None:
    """The reason for which an order of this instant has to be refused because of its market's hours."""
    call = call_of(books, order)
    if call is not None:
        early = at < call.first and books.facts.outside_hours == "reject"
        return "auction_closed" if early or at >= call.until else None
    sessions = books.sessions.get(order.symbol)
    phase = "regular" if sessions is None else sessions.phase(at)[0]
    if trades_in(books, order, phase):
        return "market_open" if order.after_market else None
    if order.tif in ("ioc", "fok"):
        return "market_closed"
    if order.after_market or phase == "pre_open":
        return None
    return "market_closed" if books.facts.outside_hours == "reject" else None


def need_open(books: Books, view: View, order: Ticket, rule: str, datum: Datum, at: int) -> None:
    """T2: what happens on a datum happens in a phase in which the order may trade, on data of that phase."""
    sessions = books.sessions.get(order.symbol)
    if sessions is None or rule[0] == "A" or rule[1] in "78":
        return  # an auction has rules of its own
    phase, since = sessions.phase(at)
    if rule[0] == "B":
        _need_open_bar(books, view, order, datum)
    elif not trades_in(books, order, phase):
        books.fail("T2", f"{order.describe()} by rule {rule} while the market is {phase}", "an open market")
    elif rule[0] in "QLD" and datum[1] < since:
        books.fail("T2", f"{datum} in a phase that began at {since}", "what came in it")
    books.reached["met outside the session"] += phase != "regular"
    books.reached["after_market order met"] += order.after_market


def _need_open_bar(books: Books, view: View, order: Ticket, datum: Datum) -> None:
    """A bar tells of the time up to its end, which belongs to what comes after it."""
    sessions = books.sessions[order.symbol]
    phase = sessions.phase(datum[1] - 1)[0]
    if trades_in(books, order, phase):
        return
    begins = (first for first in view.begins.get(datum, ()) if first is not None)
    if not any(sessions.trades_within(first, datum[1]) for first in begins):
        books.fail("T2", f"{order.describe()} on a bar that ends while the market is {phase}", "a bar of the session")
    books.reached["bar_over_the_close"] += 1
