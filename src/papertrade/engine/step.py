"""One step of one account: the state it moves, the events it makes, and what it may look at.

A step is a command, a datum or a deadline, decided whole. The state moves as it is decided; the host appends the events
and, should that fail, throws the state away and folds the journal again.
"""

from __future__ import annotations

from heapq import heappush
from typing import Final

from papertrade.domain.events import Event
from papertrade.domain.orders import Order
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.engine.evolve import MOVERS
from papertrade.engine.profile import AccountProfile
from papertrade.engine.state import AccountState
from papertrade.matching.auctions import bell_of
from papertrade.matching.market import Market
from papertrade.matching.resting import ASLEEP, BUY_LIMIT, BUY_STOP, SELL_LIMIT, SELL_STOP, WAITING

_OPG: Final = TimeInForce.OPG
_CLS: Final = TimeInForce.CLS
Deadlines = list[tuple[int, str]]
"""A heap of (instant, account)."""


class Seat:
    """An account at the engine: its state, its rules, and what is volatile about it."""

    __slots__ = ("day_ends_ns", "point_ns", "profile", "state", "taken", "until_ns", "wake_ns", "watched")

    def __init__(self, state: AccountState, profile: AccountProfile) -> None:
        self.state = state
        self.profile = profile
        self.day_ends_ns = 0  # of the day in state.day
        self.point_ns = 0  # when its equity is to be noted next, 0 for never
        self.until_ns = 0  # how far the clock is being caught up with
        self.wake_ns = 0  # the deadline that is scheduled for it, 0 for none
        self.watched: tuple[str, ...] = ()  # symbols whose prices are watched for it
        # What the step being decided took from displayed sizes: (the account's budget, side, quantity).
        self.taken: list[tuple[list[int], int, int]] = []


class Step:
    """The context of one decision."""

    __slots__ = ("clock_ns", "deadlines", "events", "live", "markets", "now_ns", "profile", "seat", "state")

    def __init__(
        self, seat: Seat, markets: dict[str, Market], deadlines: Deadlines, now_ns: int, live: bool = True
    ) -> None:
        self.seat = seat
        self.state = seat.state
        self.profile = seat.profile
        self.markets = markets
        self.deadlines = deadlines
        # An account's own time never falls, whatever the clock or the feed does.
        at_ns = seat.state.at_ns
        self.clock_ns = now_ns  # what the age of data is judged by
        self.now_ns = now_ns if now_ns > at_ns else at_ns
        self.live = live  # a preview is not: it leaves no trace outside its copy of the state
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Make something a fact of this step: ``evolve`` without its check, because the version was just counted."""
        state = self.state
        MOVERS[type(event)](state, event)
        state.version = event.version
        state.at_ns = event.at_ns
        self.events.append(event)

    # -------------------------------------------------- the resting index

    def rest(self, order: Order) -> None:
        """Put an open order where the market will find it, and its end into the deadlines."""
        if not self.live:
            return
        place, price = resting_place(order)
        market = self.markets[order.terms.symbol]
        if order.terms.tif is _OPG or order.terms.tif is _CLS:
            place, price = self._place_for_auction(market, order)
        market.index.add(order.account, order.number, place, price, order.priority)
        if order.expires_ns is not None:
            self.wake_at(order.expires_ns)

    def _place_for_auction(self, market: Market, order: Order) -> tuple[int, int]:
        """Before its auction is due no datum concerns an order for it but the price itself."""
        bell = bell_of(market, order)
        if bell is not None and bell.at_ns <= self.now_ns:
            return WAITING, 0
        if bell is not None:
            self.wake_at(bell.at_ns)
        return ASLEEP, 0

    def wake_at(self, ns: int) -> None:
        """See to it that this account is looked at when the time comes."""
        seat = self.seat
        if self.live and ns > 0 and (not seat.wake_ns or ns < seat.wake_ns):
            seat.wake_ns = ns
            heappush(self.deadlines, (ns, self.state.account))


def resting_place(order: Order) -> tuple[int, int]:
    """Which heap an open order rests in, and at which price."""
    buys = order.terms.sign > 0
    if order.stop_units is not None and order.triggered_ns is None:
        return (BUY_STOP if buys else SELL_STOP), order.stop_units
    if order.limit_units is not None:
        return (BUY_LIMIT if buys else SELL_LIMIT), order.limit_units
    return WAITING, 0


def acts_as_limit(order: Order) -> bool:
    """Is it a limit order now (a triggered stop-limit included)?"""
    kind = order.terms.type
    return kind is OrderType.LIMIT or (kind is OrderType.STOP_LIMIT and order.triggered_ns is not None)
