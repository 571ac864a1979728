"""Why an order is refused, in the order in which it is checked: the first that applies is the answer.

The precedence is part of the interface (a test breaks two rules at once and expects the earlier one), and
``docs/reference/rejections.md`` is this list with an example for each.
"""

from __future__ import annotations

from enum import StrEnum


class RejectReason(StrEnum):
    """The closed list of refusals, in order of precedence."""

    # 0. a change of an order that is there
    ORDER_IS_FINAL = "order_is_final"
    ALREADY_TRIGGERED = "already_triggered"
    BELOW_FILLED_QUANTITY = "below_filled_quantity"
    # 1. the size
    NOT_A_LOT_MULTIPLE = "not_a_lot_multiple"
    BELOW_MINIMUM_QUANTITY = "below_minimum_quantity"
    ABOVE_MAXIMUM_QUANTITY = "above_maximum_quantity"
    # 2. the prices
    LIMIT_PRICE_OFF_TICK = "limit_price_off_tick"
    STOP_PRICE_OFF_TICK = "stop_price_off_tick"
    OUTSIDE_PRICE_BAND = "outside_price_band"
    # 3. the conditions
    MARKET_CLOSED = "market_closed"
    MARKET_OPEN = "market_open"
    AUCTION_CLOSED = "auction_closed"
    STOP_WOULD_TRIGGER = "stop_would_trigger"
    EXPIRED_ON_ARRIVAL = "expired_on_arrival"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    NO_REFERENCE_PRICE = "no_reference_price"
    # 4. what is allowed
    KILL_SWITCH = "kill_switch"
    LIMIT_LATCHED = "limit_latched"
    MARGIN_CALL = "margin_call"
    SQUARE_OFF = "square_off"
    NEGATIVE_CASH = "negative_cash"
    MAX_ORDER_QUANTITY = "max_order_quantity"
    MAX_ORDER_NOTIONAL = "max_order_notional"
    MAX_OPEN_ORDERS = "max_open_orders"
    MAX_POSITION = "max_position"
    MAX_GROSS_NOTIONAL = "max_gross_notional"
    # 5. what stands behind it
    INSUFFICIENT_POSITION = "insufficient_position"
    UNSETTLED_SHARES = "unsettled_shares"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    UNSETTLED_FUNDS = "unsettled_funds"


REJECT_SENTENCES = {
    RejectReason.NOT_A_LOT_MULTIPLE: "the quantity is not a multiple of the lot",
    RejectReason.BELOW_MINIMUM_QUANTITY: "the quantity is below the instrument's minimum",
    RejectReason.ABOVE_MAXIMUM_QUANTITY: "the quantity is above the instrument's maximum",
    RejectReason.LIMIT_PRICE_OFF_TICK: "the limit price is not on the tick grid",
    RejectReason.STOP_PRICE_OFF_TICK: "the stop price is not on the tick grid",
    RejectReason.OUTSIDE_PRICE_BAND: "the price is outside the day's price band",
    RejectReason.MARKET_CLOSED: "the market is closed; taken now are after_market orders, or extended_hours in those",
    RejectReason.MARKET_OPEN: "the market is open; after_market orders are taken while it is closed",
    RejectReason.AUCTION_CLOSED: "the auction that the order is for takes no orders now",
    RejectReason.STOP_WOULD_TRIGGER: "the market is already at or through the stop price",
    RejectReason.EXPIRED_ON_ARRIVAL: "expires_at is not in the future",
    RejectReason.POST_ONLY_WOULD_TAKE: "a post-only order would have taken liquidity",
    RejectReason.NOTHING_TO_REDUCE: "a reduce-only order found no opposite position",
    RejectReason.NO_REFERENCE_PRICE: "there is no price yet to work out what the order needs",
    RejectReason.KILL_SWITCH: "the kill switch is on: only orders that reduce a position pass",
    RejectReason.LIMIT_LATCHED: "a loss limit has latched: only orders that reduce a position pass",
    RejectReason.MARGIN_CALL: "the account is in a margin call: only orders that reduce a position pass",
    RejectReason.SQUARE_OFF: "the account or product is being squared off: only orders that reduce a position pass",
    RejectReason.NEGATIVE_CASH: "cash is below zero: only orders that reduce a position pass",
    RejectReason.MAX_ORDER_QUANTITY: "the order is larger than the limit on one order",
    RejectReason.MAX_ORDER_NOTIONAL: "the order is worth more than the limit on one order",
    RejectReason.MAX_OPEN_ORDERS: "there are as many open orders as the limit allows",
    RejectReason.MAX_POSITION: "the position could grow past its limit",
    RejectReason.MAX_GROSS_NOTIONAL: "the gross exposure could grow past its limit",
    RejectReason.INSUFFICIENT_POSITION: "this account or product sells only what it holds",
    RejectReason.UNSETTLED_SHARES: "what was bought has not settled yet, and may not be sold before",
    RejectReason.INSUFFICIENT_FUNDS: "the order needs more than is available",
    RejectReason.UNSETTLED_FUNDS: "the order needs sale proceeds that have not settled yet",
    RejectReason.ORDER_IS_FINAL: "the order had ended before the change arrived",
    RejectReason.ALREADY_TRIGGERED: "the stop price was reached before the change arrived",
    RejectReason.BELOW_FILLED_QUANTITY: "the new total quantity is not above what has filled",
}
"""What each refusal says, before its numbers."""
