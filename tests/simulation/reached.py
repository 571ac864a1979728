"""Rare situations that runs must reach: whoever never saw one has proved nothing about it.

Names are exactly as they are counted, by the world, by what is noticed around a turn, or by the auditors. Liquidation
and the rounding of conversions are not here, because there is neither yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from papertrade.matching.rules import RULE_SENTENCES

if TYPE_CHECKING:
    from .world import World

ORDERS = {
    "partial_fill_then_cancel": "part of an order fills, the rest is canceled",
    "partial_fills_3": "an order fills in three parts",
    "position_flip": "one fill closes a position and opens the opposite one",
    "closed_to_flat": "a fill closes a position to nothing",
    "reopened": "a position that was flat is opened again",
    "negative_realized": "a position is closed at a loss",
    "stop_hit_on_gap": "the market jumps over a stop, which fills beyond it",
    "both_legs_touched": "a bar fills one leg of a pair and also contains the price of the other",
    "both legs filled in one bar": "a bar fills a part of one leg and then the other",
    "oco_canceled": "a leg fills and the other is canceled",
    "oco_reduced": "a leg fills in part and the other shrinks",
    "linked_later": "two open orders become a pair",
    "order_expired": "an order's time is up",
    "post_only_refused": "an order that must not take would have taken",
    "fok_unfilled": "all was not to be had, so nothing fills",
    "ioc_remainder": "what does not fill at once is canceled",
    "insufficient_funds": "an order or a part of a fill cannot be paid",
    "reduce_only_cut": "there is less to reduce than was asked for",
    "modify_rejected": "a change is refused",
    "modify_below_filled_refused": "a change to less than has filled is refused",
    "change came after the fill": "a change is asked for and a fill was faster",
}
MONEY = {
    "limit_latched": "a loss limit is reached",
    "limit_reset": "a latch is opened by hand",
    "kill_switch": "the kill switch is thrown",
    "margin_called": "equity falls below the maintenance margin",
    "margin_cleared": "and rises above it again",
    "withdrawal_rejected": "more is to be withdrawn than is there",
    "rebate": "a fee is negative",
    "minimum_fee": "a fee is raised to its minimum",
    "capped_fee": "a fee is cut to its cap",
    "fee_takes_cash_below_zero": "a sale brings less than its fee, and there is not enough beside it",
    "equity_marked": "equity reaches a new peak",
    "trades_settled": "trades settle on a later day",
    "good_faith_violation": "what unsettled money bought is sold before that settles",
    "position_imported": "a position comes in without a trade",
    "position_converted": "a part of a position goes over to another product",
    "position_converted: lots": "where it stands beside lots that were there",
    "account_reset": "an account begins again",
    "reset_with_positions": "and it held something",
    "reset_with_orders": "and orders were waiting",
    "reset_on_a_new_day": "and it is the first thing to happen on its day",
    "imported_unpriced": "a position comes in of which nobody has said what it is worth",
    "day_rolled_over_import": "and the next day begins before anybody does",
    "account_cloned": "an account begins as a copy of another",
    "copied_with_positions": "and the other one held something",
    "copy of a copy": "and is copied itself",
    "day_revalued": "a day began without a price, and then there is one",
}
MARKET = {
    "late datum": "a datum is older than one that came before it",
    "late datum of a day that has ended": "and the trading day it belongs to is over",
    "datum delivered again": "a datum is delivered twice",
    "datum missed a process": "of several processes only one is given a datum",
    "one-sided quote": "nobody bids, or nobody offers",
    "crossed quote": "the bid is above the ask",
    "locked quote": "the bid is the ask",
    "bar of no volume": "nothing was traded in a bar",
    "bar without volume": "the feed does not say what was traded",
    "limit up without a seller": "the price is at the top of its band and nobody offers",
    "limit down without a buyer": "the price is at the bottom of its band and nobody bids",
    "halted while orders wait": "trading stops with orders in the market",
    "resumed while orders wait": "and goes on with them",
}
TIME = {
    "day_rolled": "a trading day ends and the next begins",
    "day in which clocks change": "a day of 23 or 25 hours",
    "record in an hour that comes twice": "something happens while the wall clock says what it says twice",
    "clock set back": "a process's clock goes backwards",
    "order expired while nobody was up": "a process starts and finds an order whose time was up before",
}
HOURS = {
    "order waits for the open": "an order is taken while its market is closed",
    "market_closed_refused": "an order is refused because its market is closed",
    "market_open_refused": "an order for the next open comes while the market is open",
    "after_market order met": "an order for the next open meets the market",
    "met outside the session": "an order that asks for it trades before the open or after the close",
    "bar_over_the_close": "a bar that began in the session ends after it, and fills an order of the session",
    "expired_with_its_session": "an order for the day ends with its session",
    "expired_by_its_minutes": "an order's minutes are over",
    "day_closed_at_old_price": "a day ends before a process that started on it was given a price of what is held",
    "day_opened_at_old_price": "and one begins so",
    "bookend": "a session opens or has closed, and the equity is noted for its sake",
    "squared_off: warned": "a close comes near, and the account has something open",
    "squared_off: reduce_only": "from here on only what reduces passes",
    "squared_off: flat": "everything is closed",
    "squared_off late in the session": "the account gets something when a stage is over already",
    "square_off_refused": "an order that could enlarge a position comes after the stage",
    "square_off_canceled": "and one that was waiting is canceled",
    "restart while squared off": "a process starts and finds an account between the stage and the close",
}
AUCTIONS = {
    "auction_over": "an order for an auction does not get all that it wants there",
    "auction_closed_refused": "an order comes when its auction takes no more orders",
    "auction_closed_to_changes": "and a change",
    "carried into an auction": "an order that waits for its market meets the price of an auction",
    "expired without an auction": "no price comes of an auction, nor anything that stands for one",
    "restart with an order for an auction": "a process starts and finds an order for an auction",
}
KEYS = {
    "key with another content": "a key is used for something else",
    "refused order asked again": "an order that was refused is sent once more under its key",
    "asked again, and it was done": "an answer was lost, and the repetition finds what was done",
    "asked again, and it is done now": "nothing had been done, and the repetition does it",
    "answered after the faults": "a question is answered only when nothing goes wrong any more",
    "copy asked for again": "a copy was asked for, and the answer was lost",
    "misuse refused": "something is refused as misuse",
}
PROCESSES = {
    "conflict, asked again": "another process wrote first",
    "second process beside a first": "two processes work on the same accounts",
    "account taken from another": "a process takes an account for itself that another one has",
    "account taken back": "and the other one takes it back",
    "late: StoreFencedError": "who had it writes to it, and hears that it is late",
    "late: AccountSuspendedError": "and is refused from then on",
    "killed while starting": "a process dies while it recovers",
    "start failed": "the store does not let a process start",
    "killed in a store call": "a process dies inside a store call",
    "process died between turns": "a process dies with nothing going on",
    "power lost": "all processes die at once",
    "unsynced records dropped": "and records are lost that nobody was told of",
    "account folded again by its own command": "after a fault, the next command reads an account again",
    "account folded again by what others did": "after a fault, something else does",
    "snapshot while a pair is open": "a snapshot is kept of two linked orders",
    "restart from a snapshot": "a process starts from a snapshot and what came after it",
    "restart with a copy": "a process starts and finds an account that was copied from another",
    "copy of what a process knew": "a process copies an account, and another one has moved it on meanwhile",
    "restart with a waiting stop": "a process starts and finds a stop",
    "restart with a triggered stop": "a process starts and finds a stop that was triggered and is still open",
    "restart with a position": "a process starts and finds a position",
    "restart with a linked pair": "a process starts and finds linked orders",
    "restart with a partly filled order": "a process starts and finds an order that has filled in part",
    "restart with a latch": "a process starts and finds a limit latched",
    "restart in a margin call": "a process starts and finds a margin call",
}
FAULTS = {
    "fault met: unavailable": "the store is away",
    "fault met: full": "the store is full",
    "fault met: cut before": "the line is cut before a call is executed",
    "fault met: cut after": "the line is cut when it has been",
    "fault met: conflict raised": "a conflict is raised and not answered",
    "fault met: slow": "a call takes long",
    "fault met: killed before": "the process dies before a call is executed",
    "fault met: killed after": "the process dies when it has been",
    "fault met: power lost": "the power goes when it has been written and not synced",
}
RULES = {f"fill_at_every_rule:{rule}": sentence for rule, sentence in RULE_SENTENCES.items()}
REACHED: dict[str, str] = {
    **ORDERS, **MONEY, **MARKET, **TIME, **HOURS, **AUCTIONS, **KEYS, **PROCESSES, **FAULTS, **RULES
}
"""Every situation by its name, and what it is."""


def counted(world: World) -> Counter[str]:
    """Everything that was counted in a world, by itself and by its auditors."""
    found = Counter(world.marks)
    for auditor in world.auditors.values():
        found += auditor.reached()
    return +found


def missing(marks: Iterable[str]) -> list[str]:
    """The situations that are not among these."""
    return sorted(REACHED.keys() - set(marks))
