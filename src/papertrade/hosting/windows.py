"""What a search asks for: which part of the history, and which orders. Parsed here, held in plain tuples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypedDict

from papertrade.domain.instants import parse_instant
from papertrade.domain.names import Tags, parse_name, parse_tags
from papertrade.domain.orders import Order
from papertrade.domain.words import OrderStatus, Side, parse_flag
from papertrade.errors import InvalidValueError
from papertrade.hosting.parsing import parse_status
from papertrade.hosting.tabling import STRATEGY
from papertrade.ports.broker import When

MAX_LIMIT: Final = 1000
Place = tuple[int, int]
"""Where an item stands: its instant, then its number (orders) or version."""


class Pages(TypedDict, total=False):
    """What every search takes: from when (included) until when (not), after which page, how many, from which end."""

    since: When | None
    until: When | None
    after: str | None
    limit: int
    newest_first: bool


class OrderSearch(Pages, total=False):
    """What ``search_orders`` takes."""

    symbol: str | None
    status: str | None  # "open", "closed" or any status
    strategy: str | None  # the tag of this name
    tags: Mapping[str, str] | None  # all of them


class FillSearch(Pages, total=False):
    """What ``search_fills`` takes."""

    symbol: str | None
    side: Side | str | None
    order_id: str | Order | None


class EntrySearch(Pages, total=False):
    """What ``search_entries`` takes."""

    kind: str | None  # of the event, for example "order_filled"
    ledger_account: str | None  # for example "assets:cash"


class PointSearch(Pages, total=False):
    """What ``equity_points`` takes."""

    thin: int | None  # at most so many, peaks and lows kept


class Window(NamedTuple):
    """Which part of the history is wanted, understood."""

    since_ns: int | None
    until_ns: int | None
    after: Place | None
    limit: int
    newest_first: bool

    def takes(self, at_ns: int, number: int) -> bool:
        """Is an item that stands there wanted, as far as its time goes?"""
        if self.since_ns is not None and at_ns < self.since_ns:
            return False
        if self.after is None:
            return True
        return (at_ns, number) < self.after if self.newest_first else (at_ns, number) > self.after

    @property
    def begins_ns(self) -> int:
        """Nothing before this instant is wanted."""
        return max(self.since_ns or 0, 0 if self.after is None or self.newest_first else self.after[0])

    @property
    def ends_ns(self) -> int | None:
        """Newest first, nothing from this instant on is wanted; None when there is no such instant."""
        bounds = [] if self.until_ns is None else [self.until_ns]
        if self.after is not None:
            bounds.append(self.after[0] + 1)
        return min(bounds, default=None)

    def ends(self, at_ns: int) -> bool:
        """Is an instant too late?"""
        return self.until_ns is not None and at_ns >= self.until_ns


class OrderFilter(NamedTuple):
    """Which orders are wanted, understood."""

    symbol: str | None
    statuses: frozenset[str] | None
    tags: Tags

    def may_take(self, symbol: str, tags: Tags) -> bool:
        """Does what never changes about an order fit?"""
        return (self.symbol is None or symbol == self.symbol) and all(pair in tags for pair in self.tags)

    def takes(self, order: Order) -> bool:
        """Does the order fit as it is now?"""
        return self.statuses is None or order.status.value in self.statuses


# --------------------------------------------------------------------- parsing


def parse_window(since: object, until: object, after: object, limit: object, newest_first: object) -> Window:
    """The part of history that was asked for."""
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        raise InvalidValueError("limit", limit, f"a whole number from 1 to {MAX_LIMIT}")
    return Window(
        None if since is None else parse_instant(since, "since"),
        None if until is None else parse_instant(until, "until"),
        None if after is None else _parse_place(after),
        limit,
        parse_flag(newest_first, "newest_first"),
    )


def _parse_place(after: object) -> Place:
    if type(after) is str and len(after) <= 40 and after.isascii():
        ns, dot, number = after.partition(".")
        if dot and ns.isdigit() and number.isdigit() and place_text((int(ns), int(number))) == after:
            return int(ns), int(number)
    raise InvalidValueError("after", after, "the next of a page of this search, or None for its first page")


def place_text(place: Place) -> str:
    return f"{place[0]}.{place[1]}"


def parse_filter(symbol: object, status: object, strategy: object, tags: object) -> OrderFilter:
    """The orders that were asked for."""
    group = parse_status(status)
    statuses = None if group is None else frozenset(s.value for s in OrderStatus if _is_of(s, group))
    pairs = dict(parse_tags(tags))
    if strategy is not None:
        named = parse_tags({STRATEGY: strategy})
        if pairs.get(STRATEGY, strategy) != strategy:
            raise InvalidValueError("strategy", strategy, "the same as in tags, or only one of them")
        pairs.update(named)
    return OrderFilter(
        None if symbol is None else parse_name(symbol, "symbol"), statuses, tuple(sorted(pairs.items()))
    )


def _is_of(status: OrderStatus, group: str) -> bool:
    if group in ("open", "closed"):
        return status.is_final == (group == "closed")
    return status == OrderStatus(group)
