"""Auctions: who takes part, which datum may stand for a price that does not come, and when an auction is over."""

from __future__ import annotations

from .books import Books
from .hours import AFTER_CALL, call_of
from .orders import FOR_AUCTION, Ticket
from .sessions import Call
from .sight import Datum, View

DIGITS = {"opg": "7", "cls": "78"}
"""Situations that an order can be in beside those of its type, because it is for an auction."""
_STAND_FOR = {"7": {"opg": "QLDPB", "cls": "PB"}, "8": {"cls": "QLDPB"}}


def need_met(books: Books, view: View, order: Ticket, process: int, rule: str, datum: Datum, at: int) -> None:
    """An order for an auction trades in that one only; who waits otherwise may be carried into one by its exchange."""
    call = call_of(books, order)
    if rule[0] == "A":
        _need_there(books, view, order, call, datum)
        return
    if call is None:
        return
    if rule[0] not in _STAND_FOR.get(rule[1], {}).get(order.tif, ""):
        books.fail("O6", f"{order.describe()} by rule {rule}", "its auction, or what stands for it")
    if books.facts.fill.auction_price == "official":
        books.fail("M1", f"{order.describe()} by rule {rule}", "an official price, as the settings ask")
    if rule[1] == "8":
        _need_last(books, view, order, call, process, datum, at)
    else:
        _need_first(books, view, order, call, datum, at)


def _need_there(books: Books, view: View, order: Ticket, call: Call | None, datum: Datum) -> None:
    """It was there at the cut-off, and the price is dated at the cut-off or later."""
    kinds, when = view.calls.get(datum, set()), datum[1]
    if call is not None:
        if FOR_AUCTION[order.tif] not in kinds or when < call.until:
            books.fail("M1", f"{order.describe()} at {datum}", f"the price of {call}")
        return
    sessions = books.sessions.get(order.symbol)
    if sessions is None or order.post_only or order.waits_for_stop:
        books.fail("M1", f"{order.describe()} at {datum}", "nobody who rests out of reach of auctions")
    near = [sessions.call(kind, max(when - AFTER_CALL, 0)) for kind in sorted(kinds)]
    if not any(order.since < one.until <= when for one in near):
        books.fail("M1", f"{order.describe()}, there since {order.since}, at {datum}", f"one of {near}")
    books.reached["carried into an auction"] += 1


def _need_first(books: Books, view: View, order: Ticket, call: Call, datum: Datum, at: int) -> None:
    """What stands for an auction is of its time: a quote or print from it on, a bar around it."""
    when, letter = datum[1], datum[0]
    if letter != "bar":
        regular = books.sessions[order.symbol].phase(at)[0] == "regular"
        if when < call.at or (letter != "trade" and not regular):
            books.fail("T2", f"{order.describe()} on {datum} at {at}", f"what came after {call}")
        return
    begins = view.begins.get(datum, {None})
    told = [first for first in begins if first is not None]
    if order.tif == "opg":
        right = when > call.at and (None in begins or any(first >= order.since for first in told))
    else:
        right = when >= call.at and (None in begins or any(first < call.at for first in told))
    if not right:
        books.fail("T2", f"{order.describe()} on {datum} from {told}", f"a bar about {call}")


def _need_last(
    books: Books, view: View, order: Ticket, call: Call, process: int, datum: Datum, at: int
) -> None:
    """When its time is up it meets what its session ended with, as it was known at the instant of the auction."""
    if at != order.expires:
        books.fail("T3", f"{order.describe()} met the last price at {at}", f"that when its time is up, {order.expires}")
    if not call.opens <= datum[1] <= call.at:
        books.fail("M1", datum, f"a price of the session from {call.opens} to {call.at}")
    if process != order.process or not view.exact:
        return  # another process was told other things, and remembers none that came before it
    printed, ranged, standing = view.before(call.at)
    last = [one for one in (printed, ranged) if one is not None and call.opens <= one[1] <= call.at]
    latest = max((one[1] for one in last), default=0)
    expected = [one for one in last if one[1] == latest] or list(standing)
    if datum not in expected:
        books.fail("M1", datum, f"what the session ended with: {expected}")


def need_over(books: Books, view: View | None, order: Ticket, at: int) -> None:
    """An auction is over when it has a price, or something came that stands for one."""
    call = call_of(books, order)
    if call is None:
        books.fail("O8", f"{order.describe()} canceled because an auction is over", "an order for one")
    called = None if view is None else view.called
    if called is not None and called[0] == FOR_AUCTION[order.tif] and called[1][1] >= call.until:
        return
    stands = [] if view is None else [view.printed, view.ranged, *view.standing]
    came = any(one is not None and call.at <= one[1] <= at for one in stands)
    if books.facts.fill.auction_price == "official" or not came:
        books.fail("O8", f"{order.describe()} canceled because {call} is over", "a price of that auction")
