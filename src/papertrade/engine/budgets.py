"""Budgets: what a datum displays is had once by each account; and the datum itself, as evidence of what it made."""

from __future__ import annotations

from collections.abc import Iterable

from papertrade.domain.events import Event, Evidence, OrderFilled
from papertrade.domain.words import DataKind
from papertrade.engine.step import Seat
from papertrade.matching.market import Market


def charge_again(seat: Seat, markets: dict[str, Market], events: Iterable[Event]) -> None:
    """Fills that were stored without our hearing of it took their sizes too, if what they took from still stands."""
    for event in events:
        if isinstance(event, OrderFilled) and takes_up(event.rule) and event.symbol in markets:
            market = markets[event.symbol]
            standing = evidence_of(market, event.rule, event.sign)
            if standing._replace(number=0) == event.evidence._replace(number=0):
                budgets = market.bar_used if event.rule[0] == "B" else market.used
                use_up(seat, budgets, event.sign, event.quantity_units)
    seat.taken.clear()


def takes_up(rule: str) -> bool:
    """Does a fill take from a size that stands? That of a print or an auction is shared out where it is matched."""
    return rule[0] not in "PA" and rule[1] != "8"


def use_up(seat: Seat, budgets: dict[str, list[int]], sign: int, quantity: int) -> None:
    """Charge a fill to the budget it was taken from; the seat remembers, should the step not be stored."""
    account = seat.state.account
    used = budgets.get(account)
    if used is None:
        used = budgets[account] = [0, 0]
    side = 0 if sign > 0 else 1
    used[side] += quantity
    seat.taken.append((used, side, quantity))


def used_up(market: Market, account: str, sign: int) -> int:
    """How much of the standing size this account has taken already."""
    used = market.used.get(account)
    return 0 if used is None else used[0 if sign > 0 else 1]


def evidence_of(market: Market, rule: str, sign: int) -> Evidence:
    """The datum behind a rule: the standing quote, the last print or the last bar."""
    letter, closing, auction = rule[0], market.closing, market.auction
    if closing is not None and rule[1:] == "8":
        return closing.evidence[0 if sign > 0 else 1]
    if letter == "A" and auction is not None:
        return Evidence(DataKind.AUCTION, market.number, auction.at_ns, (auction.price, auction.size))
    if letter == "Q" or letter == "L":
        return market.evidence()
    if letter == "P":
        return Evidence(
            DataKind.TRADE, market.number, market.last_ns, (market.last_units, market.last_size_units)
        )
    bar = market.bar
    if letter == "B" and bar is not None:
        seen = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        return Evidence(DataKind.BAR, market.number, bar.end_ns, seen)
    levels = (market.asks if sign > 0 else market.bids) or ()
    flat = tuple(units for level in levels for units in level)
    return Evidence(DataKind.DEPTH, market.number, market.quote_ns, flat)
