"""In which order the orders of an account are served by one datum, and how its size is shared among them."""

from __future__ import annotations

from collections.abc import Iterable

from papertrade.domain.orders import Order
from papertrade.engine.filling import execute
from papertrade.engine.step import Step, acts_as_limit
from papertrade.matching.market import Market
from papertrade.matching.rules import Proposal


def sort_orders(orders: Iterable[Order]) -> tuple[list[Order], list[Order], list[Order]]:
    """(stops that wait for their price, orders that take, resting limits), each in its order of service."""
    stops, takers, limits = [], [], []
    for order in orders:
        if order.stop_units is not None and order.triggered_ns is None:
            stops.append(order)
        elif acts_as_limit(order):
            limits.append(order)
        else:
            takers.append(order)
    stops.sort(key=by_time)
    takers.sort(key=by_time)
    limits.sort(key=_by_price)
    return stops, takers, limits


def by_time(order: Order) -> int:
    """First come, first served."""
    return order.priority


def _by_price(order: Order) -> tuple[int, int]:
    return -order.terms.sign * (order.limit_units or 0), order.priority


def share(step: Step, market: Market, number: int, proposals: list[Proposal], left: int | None) -> int | None:
    """Fill an order from what is left of a print or a bar; answers what is left after it."""
    limited = left is not None and step.profile.fill.displayed_size == "respect"
    if not proposals or number not in step.state.orders or (limited and left == 0):
        return left
    done = execute(step, market, number, proposals, left)
    return left - done if limited and left is not None else left
