"""Rare situations, counted as they are met: a run that never saw one has proved nothing about it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .books import Books
from .orders import Ticket

_PLAIN = {
    "order_expired": "order_expired",
    "limit_reset": "limit_reset",
    "margin_called": "margin_called",
    "margin_call_cleared": "margin_cleared",
    "equity_marked": "equity_marked",
    "day_revalued": "day_revalued",
    "position_imported": "position_imported",
    "position_converted": "position_converted",
    "account_reset": "account_reset",
    "account_cloned": "account_cloned",
    "withdrawal_rejected": "withdrawal_rejected",
    "order_modify_rejected": "modify_rejected",
    "orders_linked": "linked_later",
}
_REASONS = {
    ("order_rejected", "post_only_would_take"): "post_only_refused",
    ("order_rejected", "insufficient_funds"): "insufficient_funds",
    ("order_canceled", "insufficient_funds"): "insufficient_funds",
    ("order_canceled", "fok_unfilled"): "fok_unfilled",
    ("order_canceled", "ioc_remainder"): "ioc_remainder",
    ("order_canceled", "nothing_to_reduce"): "reduce_only_cut",
    ("order_rejected", "market_closed"): "market_closed_refused",
    ("order_rejected", "auction_closed"): "auction_closed_refused",
    ("order_modify_rejected", "auction_closed"): "auction_closed_to_changes",
    ("order_canceled", "auction_over"): "auction_over",
    ("order_rejected", "market_open"): "market_open_refused",
    ("order_rejected", "square_off"): "square_off_refused",
    ("order_canceled", "square_off"): "square_off_canceled",
    ("order_canceled", "oco"): "oco_canceled",
    ("order_canceled", "reset"): "reset_with_orders",
    ("order_reduced", "oco"): "oco_reduced",
    ("order_modify_rejected", "below_filled_quantity"): "modify_below_filled_refused",
}


def count(reached: Counter[str], kind: str, fields: dict[str, Any]) -> None:
    """What can be seen from a record alone."""
    name = _PLAIN.get(kind)
    if name is not None:
        reached[name] += 1
    reason = fields.get("reason")
    if reason is not None:
        name = _REASONS.get((kind, reason))
        if name is not None:
            reached[name] += 1
    if kind == "limit_latched":
        reached["kill_switch" if fields["limit"] == "kill_switch" else "limit_latched"] += 1


def count_fill(
    books: Books, order: Ticket, fill: dict[str, int], rule: str, seen: tuple[int | None, ...], other: Ticket | None
) -> None:
    """What a fill shows; ``fill`` has its amounts, the position is as it was before."""
    reached, sign = books.reached, order.sign
    reached[f"fill_at_every_rule:{rule}"] += 1
    if fill["closed"] and fill["closed"] < fill["quantity"]:
        reached["position_flip"] += 1
    held = books.holding(order.key)
    if fill["closed"] and fill["quantity"] == abs(held.quantity):
        reached["closed_to_flat"] += 1
    if held.was_held and not held.quantity:
        reached["reopened"] += 1
    if fill["realized"] < 0:
        reached["negative_realized"] += 1
    if fill["fee"] < 0:
        reached["rebate"] += 1
    if order.fills == 2:
        reached["partial_fills_3"] += 1
    if rule[1] in "56" and order.stop is not None and sign * (fill["base"] - order.stop) > 0:
        reached["stop_hit_on_gap"] += 1
    if rule[0] == "B" and other is not None:
        price = other.limit if other.limit is not None and not other.waits_for_stop else other.stop
        high, low = seen[1], seen[2]
        if price is not None and high is not None and low is not None and low <= price <= high:
            reached["both_legs_touched"] += 1
