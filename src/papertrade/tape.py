"""The tape: one symbol's fast entrance for hosts whose prices are whole ticks and whose sizes are whole lots.

Everything is an integer, so nothing is parsed; everything is still checked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from papertrade.errors import InvalidValueError
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import drive
from papertrade.hosting.intake import Intake
from papertrade.matching.market import NEVER, BarData, Market


class Tape:
    """Quotes, trades and bars of one symbol in whole ticks and lots, dated in nanoseconds.

    >>> import papertrade as pt
    >>> exchange = pt.Exchange(clock="data")
    >>> _ = exchange.add_instrument("AAPL")
    >>> tape = exchange.tape("AAPL")
    >>> tape.quote(18710, 18714, 300, 200, 1_767_623_400_000_000_000)
    >>> exchange.market("AAPL").ask
    Decimal('187.14')
    """

    __slots__ = ("_desk", "_intake", "_lock", "_lot", "_market", "_tick", "_watchers")

    def __init__(
        self,
        desk: Desk,
        intake: Intake,
        lock: AbstractContextManager[Any],
        market: Market,
        watchers: list[Callable[[Market], object]],
    ) -> None:
        self._desk = desk
        self._intake = intake
        self._lock = lock
        self._market = market
        self._watchers = watchers
        self._tick = market.instrument.tick_units
        self._lot = market.instrument.lot_units

    def quote(self, bid: int, ask: int, bid_size: int, ask_size: int, at_ns: int) -> None:
        """Best bid and ask in ticks, their sizes in lots."""
        if not (type(bid) is type(ask) is type(bid_size) is type(ask_size) is type(at_ns) is int):
            raise _not_whole((bid, ask, bid_size, ask_size, at_ns))
        if bid <= 0 or ask <= 0 or bid_size <= 0 or ask_size <= 0:
            raise _not_whole((bid, ask, bid_size, ask_size, at_ns))
        market, desk, lot = self._market, self._desk, self._lot
        with self._lock:
            clock = desk.data_clock
            if clock is None:
                desk.observe(at_ns)
            elif at_ns > clock.ns:
                clock.ns = at_ns
            deadlines = desk.engine.deadlines
            if deadlines and deadlines[0][0] <= desk.now():
                drive(desk.catch_up(desk.now()))
            tick = self._tick
            if market.take_quote(bid * tick, ask * tick, bid_size * lot, ask_size * lot, at_ns):
                flow = self._intake.meet_standing(market, at_ns)
                if flow is not None:
                    drive(flow)
        if desk.outbox.waiting:
            desk.outbox.deliver()
        for handler in self._watchers:
            handler(market)

    def trade(self, price: int, size: int, at_ns: int, aggressor: int = 0) -> None:
        """A print in ticks and lots; aggressor +1 for a buyer, -1 for a seller, 0 when unknown."""
        if not (type(price) is type(size) is type(at_ns) is int) or price <= 0 or size <= 0:
            raise _not_whole((price, size, at_ns))
        if type(aggressor) is not int or aggressor not in (-1, 0, 1):
            raise InvalidValueError("aggressor", aggressor, "1, -1 or 0")
        market, desk = self._market, self._desk
        with self._lock:
            self._on_time(at_ns)
            if market.take_trade(price * self._tick, size * self._lot, at_ns):
                flow = self._intake.meet_trade(market, aggressor, at_ns)
                if flow is not None:
                    drive(flow)
        desk.outbox.deliver()
        for handler in self._watchers:
            handler(market)

    def bar(self, open_: int, high: int, low: int, close: int, volume: int | None, end_ns: int) -> None:
        """A finished bar in ticks, its volume in lots, None when unknown."""
        if not (type(open_) is type(high) is type(low) is type(close) is type(end_ns) is int):
            raise _not_whole((open_, high, low, close, end_ns))
        if not 0 < low <= open_ <= high or not low <= close <= high:
            raise InvalidValueError("bar", (open_, high, low, close), "0 < low ≤ open, close ≤ high")
        if volume is not None and (type(volume) is not int or volume < 0):
            raise _not_whole((volume,))
        market, desk, tick = self._market, self._desk, self._tick
        with self._lock:
            self._on_time(end_ns)
            amount = None if volume is None else volume * self._lot
            bar = BarData(open_ * tick, high * tick, low * tick, close * tick, amount, NEVER, end_ns)
            flow = self._intake.take_bar(market, bar)
            if flow is not None:
                drive(flow)
        if desk.outbox.waiting:
            desk.outbox.deliver()
        for handler in self._watchers:
            handler(market)

    def _on_time(self, at_ns: int) -> None:
        desk = self._desk
        desk.observe(at_ns)
        if desk.is_due():
            drive(desk.catch_up(desk.now()))


def _not_whole(found: tuple[object, ...]) -> InvalidValueError:
    accepted = "whole numbers above 0: prices in ticks, sizes in lots, times in nanoseconds"
    return InvalidValueError("tape", found, accepted)
