"""O and K: orders move only as the table says, add up, end for good, and a key is decided once."""

from __future__ import annotations

from fractions import Fraction

import attrs

from papertrade.domain.events import (
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderModifyRejected,
    OrderReduced,
    OrderRejected,
    OrderTriggered,
    PositionImported,
)
from papertrade.domain.orders import OrderRequest
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import CancelReason, Side, TimeInForce
from papertrade.errors import KeyConflictError
from papertrade.testing.asked import request_of_terms
from papertrade.testing.case import BrokenInvariantError, Case

WORKING = frozenset({"accepted", "triggered", "partially_filled"})


def _status_after(status: str, event: Event, left: int) -> str | None:
    """The status an order has after an event about it; None where there is no such move."""
    if isinstance(event, (OrderAccepted, OrderRejected)):
        return None if status else ("accepted" if isinstance(event, OrderAccepted) else "rejected")
    if isinstance(event, OrderModifyRejected):
        return status
    if status not in WORKING:
        return None
    if isinstance(event, OrderTriggered):
        return "triggered" if status == "accepted" else None
    if isinstance(event, OrderFilled):
        return "partially_filled" if left else "filled"
    if isinstance(event, OrderCanceled):
        return "canceled"
    if isinstance(event, OrderExpired):
        return "expired"
    return status


def o1_legal_moves(case: Case) -> None:
    """Every order goes from one status to the next as the lifecycle allows, and what is final stays final."""
    statuses: dict[int, str] = {}
    left: dict[int, int] = {}
    for event in case.events:
        number = getattr(event, "number", None)
        if number is None:
            continue
        if isinstance(event, OrderAccepted):
            left[number] = event.quantity_units
        elif isinstance(event, (OrderFilled, OrderReduced)):
            left[number] -= event.quantity_units
        elif isinstance(event, OrderModified):
            gone = sum(_quantity(e) for e in case.events[: event.version - 1] if _is_gone(e, number))
            left[number] = event.quantity_units - gone
        after = _status_after(statuses.get(number, ""), event, left.get(number, 0))
        if after is None:  # to spell every event takes longer than to look at it
            case.need("O1", False, f"{event!r} when {statuses.get(number)}", "a legal move")
        statuses[number] = after or ""
    for order in case.orders:
        case.equal("O1", str(order.status), statuses[order.number], f"status of {order.id}")


def _is_gone(event: Event, number: int) -> bool:
    return isinstance(event, (OrderFilled, OrderReduced)) and event.number == number


def _quantity(event: Event) -> int:
    return event.quantity_units if isinstance(event, (OrderFilled, OrderReduced)) else 0


def o2_quantity_adds_up(case: Case) -> None:
    """What was asked is what filled, what may still fill and what was canceled; nothing may fill after the end."""
    for order in case.orders:
        parts = (order.filled_units, order.remaining_units, order.canceled_quantity_units)
        case.equal("O2", sum(parts), order.quantity_units, f"parts of {order.id}")
        case.need("O2", min(parts) >= 0, parts, "no negative part")
        case.need("O2", order.is_open == (order.remaining_units > 0), order, "open while something remains")


def o3_fills_add_up(case: Case) -> None:
    """An order's filled quantity, value, fees and average are those of its fills."""
    for order in case.orders:
        fills = [fill for fill in case.fills if fill.number == order.number]
        found = (order.filled_units, order.value_units, order.fees_units)
        sums = [sum(f.quantity_units for f in fills), sum(f.value_units for f in fills)]
        fees = sum(units for f in fills for _, units in f.fees)
        case.equal("O3", found, (*sums, fees), f"fills of {order.id}")
        if order.average_price is not None:
            exact = Fraction(sum(f.price_units * f.quantity_units for f in fills), sums[0] * 10**9)
            off = abs(Fraction(order.average_price) - exact)
            case.need("O3", off * 2 <= Fraction(1, 10**9), order.average_price, "Σpq ÷ Σq to nine places")


def o4_numbers_in_sequence(case: Case) -> None:
    """Orders and fills are numbered 1, 2, 3 in the order of their events."""
    begun = [e.number for e in case.events if isinstance(e, (OrderAccepted, OrderRejected))]
    case.equal("O4", begun, list(range(1, len(begun) + 1)), "order numbers")
    numbers = [fill.fill_number for fill in case.fills]
    case.equal("O4", numbers, list(range(1, len(numbers) + 1)), "fill numbers")


def o5_final_is_final(case: Case) -> None:
    """Nothing happens to an order after it was canceled or expired, and no change goes below what has filled."""
    ended: dict[int, int] = {}
    filled: dict[int, int] = {}
    for event in case.events:
        number = getattr(event, "number", 0)
        if number in ended and not isinstance(event, OrderModifyRejected):
            raise BrokenInvariantError("O5", case.account, event, f"nothing after version {ended[number]}")
        if isinstance(event, (OrderCanceled, OrderExpired)):
            ended[number] = event.version
        elif isinstance(event, OrderFilled):
            filled[number] = filled.get(number, 0) + event.quantity_units
        elif isinstance(event, OrderModified):
            case.need("O5", event.quantity_units > filled.get(number, 0), event, "more than has filled")


def o6_time_in_force(case: Case) -> None:
    """IOC and FOK never rest, FOK is all or nothing, expired orders are not open, post-only never takes."""
    for order in case.orders:
        tif = order.time_in_force
        at_once = tif in (TimeInForce.IOC, TimeInForce.FOK)
        case.need("O6", not (at_once and order.is_open), order, "an end at once")
        if tif is TimeInForce.FOK:
            case.need("O6", order.filled_units in (0, order.quantity_units), order, "all or nothing")
        if order.is_open and order.expires_ns is not None:
            case.need("O6", order.expires_ns > case.events[-1].at_ns, order, "an expiry still to come")
    post_only = {number for number, terms in case.terms().items() if terms.post_only}
    for fill in case.fills:
        if fill.number in post_only:
            rested = fill.rule[1] == "4" or fill.rule == "B3"
            case.need("O6", rested, fill, "a fill of a resting order, because it is post-only")
    _in_their_auctions(case)


def _in_their_auctions(case: Case) -> None:
    """An order for an auction fills there and nowhere else, before it expires; no other order fills in its place."""
    accepted = {event.number: event for event in case.of(OrderAccepted)}
    for fill in case.fills:
        order = accepted[fill.number]
        kind, rule = order.terms.tif.auction, fill.rule
        case.need("O6", rule in _RULES[kind], fill, f"one of the rules {_RULES[kind]}")
        hours = case.broker.exchange.market(fill.symbol).hours
        if kind is None or hours is None or order.expires_ns is None:
            continue
        bell = hours.auction(kind, order.at_ns)
        first_ns = 0 if bell is None else bell.until_ns if rule[0] == "A" else bell.at_ns
        last_ns = order.expires_ns - (rule[1] != "8")
        case.need("O6", first_ns <= fill.at_ns <= last_ns, fill, f"an instant from {first_ns} to {last_ns}")
        if rule[1] == "8" and bell is not None:
            case.need("O6", bell.opens_ns <= fill.evidence.at_ns <= bell.at_ns, fill, "a price of its session")


_ORDINARY = frozenset(letter + digit for letter in "QLDPB" for digit in "123456") | {"A2", "A4"}
_RULES = {
    None: _ORDINARY,
    "open": frozenset({"A2", "A4", "Q7", "L7", "D7", "P7", "B7"}),
    "close": frozenset({"A2", "A4", "P7", "B7", "Q8", "L8", "D8", "P8", "B8"}),
}


def o7_links_and_reduce_only(case: Case) -> None:
    """Two linked orders together fill no more than the larger wanted; reduce-only never enlarges a position."""
    terms = case.terms()
    for fill in case.fills:
        if terms[fill.number].reduce_only:
            case.equal("O7", fill.closed_units, fill.quantity_units, f"closing part of reduce-only {fill.fill_id}")
    grown = {event.number for event in case.of(OrderModified)}
    for version, one, two in case.pairs():
        if grown & {one, two}:
            continue  # what they want together changes with the order
        wanted = [_left_at(case, number, version) for number in (one, two)]
        later = [f.quantity_units for f in case.fills if f.number in (one, two) and f.version > version]
        case.need("O7", sum(later) <= max(wanted), f"{sum(later)} filled of {one} and {two}", f"at most {wanted}")


def _left_at(case: Case, number: int, version: int) -> int:
    left = 0
    for event in case.events[:version]:
        if getattr(event, "number", None) == number:
            if isinstance(event, OrderAccepted):
                left = event.quantity_units
            left -= _quantity(event)
    return left


def o8_reasons_are_known(case: Case) -> None:
    """Every refusal and cancellation has a reason from the closed list, every open order something it waits for."""
    for event in case.events:
        if isinstance(event, (OrderRejected, OrderModifyRejected)):
            case.need("O8", event.reason in list(RejectReason), event, "a known reason")
        elif isinstance(event, (OrderCanceled, OrderReduced)):
            case.need("O8", event.reason in list(CancelReason), event, "a known reason")
    for order in case.orders:
        if order.is_open:
            case.need("O8", bool(str(case.broker.explain(order))), order, "a reason to wait")


# --------------------------------------------------------------------- keys


def k1_one_decision_a_key(case: Case) -> None:
    """A key has led to one decision at most."""
    seen: set[tuple[str, str]] = set()
    for event in case.events:
        key = getattr(event, "command_id", None)
        if isinstance(event, (OrderAccepted, OrderRejected)):
            key = event.terms.client_order_id
        if key is not None:
            about = "order" if isinstance(event, (OrderAccepted, OrderRejected)) else event.kind
            last = case.events[event.version - 2]
            if isinstance(event, PositionImported) and isinstance(last, PositionImported) and last.command_id == key:
                continue  # another position of one import
            case.need("K1", (about, key) not in seen, event, "one decision for a key")
            seen.add((about, key))


def k2_same_key_same_answer(case: Case) -> None:
    """The same order with the same key is answered, not placed again."""
    again = _keyed(case)
    if again is not None:
        number, request, before = again[0], again[1], case.broker.digest()
        case.equal("K2", case.broker.place_order(request).number, number, "number of the order answered")
        case.equal("K2", case.broker.digest(), before, "digest after a repeated order")


def k3_same_key_other_body(case: Case) -> None:
    """Another order with the same key is refused as a conflict, and nothing changes."""
    again = _keyed(case)
    if again is None:
        return
    request, before = again[1], case.broker.digest()
    other = Side.SELL if request.side is Side.BUY else Side.BUY
    try:
        case.broker.place_order(_with_side(request, other))
    except KeyConflictError:
        case.equal("K3", case.broker.digest(), before, "digest after a conflict")
    else:
        raise BrokenInvariantError("K3", case.account, "an answer", "a KeyConflictError")


def _keyed(case: Case) -> tuple[int, OrderRequest] | None:
    """The last order that was placed alone and with a key, as a request."""
    pairs = {number for _, one, two in case.pairs() for number in (one, two)}
    for event in reversed(case.events):
        if not isinstance(event, (OrderAccepted, OrderRejected)) or event.terms.client_order_id is None:
            continue
        if event.number not in pairs and not event.terms.oco_with:
            return event.number, request_of_terms(event.terms)
    return None


def _with_side(request: OrderRequest, side: Side) -> OrderRequest:
    return attrs.evolve(request, side=side)
