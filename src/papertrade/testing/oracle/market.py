"""One symbol as the oracle knows it: what stands, the last print, the last bar, and what we took of it."""

from __future__ import annotations

import copy
from typing import NamedTuple

from papertrade.domain.events import Evidence
from papertrade.domain.hours import MarketHours
from papertrade.domain.instruments import Instrument
from papertrade.domain.words import DataKind

Level = tuple[int, int | None]
"""A price and what is offered there; None when the feed does not say."""


class SlowBar(NamedTuple):
    """A finished bar."""

    open: int
    high: int
    low: int
    close: int
    volume: int | None
    end: int


class Closing(NamedTuple):
    """What a session ended with: the rule's letter, and price and datum for a buyer and for a seller."""

    letter: str
    prices: dict[int, int | None]
    evidence: dict[int, Evidence]
    quote: tuple[int | None, int | None]  # the bid and the ask beside it


class SlowMarket:
    """Data of one symbol. Every ``take_`` answers whether the datum was news."""

    def __init__(self, instrument: Instrument, hours: MarketHours | None = None) -> None:
        self.instrument = instrument
        self.hours = hours
        self.bids: list[Level] = []
        self.asks: list[Level] = []
        self.quote_at: int | None = None
        self.standing = DataKind.QUOTE
        self.latest = DataKind.QUOTE
        self.last: int | None = None  # a print or a bare last price
        self.bare: int | None = None  # the last bare price alone: prints do not move what stands
        self.print: tuple[int, int | None] | None = None
        self.print_at = -1
        self.bar: SlowBar | None = None
        self.bar_start: int | None = None
        self.auction: tuple[str, int, int | None, int] | None = None  # kind, price, size, instant
        self.closings: dict[int, Closing | None] = {}  # by the instant of the closing auction
        self.kept_mark: int | None = None  # of before a halt, or before a side left
        self.stood: object = None  # what a halt ended
        self.before_halt: int | None = None  # the instant of the last quote before one
        self.marked_at: int | None = None
        self.number = 0
        self.halted = False
        self.taken = {1: 0, -1: 0}  # of what stands, by side
        self.taken_of_bar = 0
        self.sequences: dict[DataKind, int] = {}

    def twin(self) -> SlowMarket:
        """Another that stands where this one does; what never changes, years of hours among it, is the same one."""
        return copy.deepcopy(self, {id(part): part for part in (self.instrument, self.hours)})

    # ---------------------------------------------------------------- data

    def repeats(self, kind: DataKind, sequence: int | None) -> bool:
        """Was a datum with this sequence number here before?"""
        if sequence is None:
            return False
        if sequence <= self.sequences.get(kind, -1):
            return True
        self.sequences[kind] = sequence
        return False

    def take_standing(
        self, kind: DataKind, bids: list[Level], asks: list[Level], at: int, stamped_here: bool = False
    ) -> bool:
        """A quote, a widened last price or depth: it replaces what stood."""
        if self.before_halt is not None and at < self.before_halt:
            return False
        if self.quote_at is not None:
            if at < self.quote_at:
                return False
            same = (kind, bids, asks) == (self.standing, self.bids, self.asks)
            if at == self.quote_at and same and not stamped_here:
                return False
        if bool(bids) != bool(asks):
            self.kept_mark = self.mark()
        self.bids, self.asks = bids, asks
        self.standing = kind
        self.quote_at = at
        if stamped_here or self.stood != (kind, bids, asks, at):
            self.taken = {1: 0, -1: 0}
        self._news(kind, at)
        return True

    def take_print(self, price: int, size: int | None, at: int, stamped_here: bool = False) -> bool:
        """Somebody traded."""
        if at < self.print_at:
            return False
        if at == self.print_at and self.print == (price, size) and not stamped_here:
            return False
        self.last = price
        self.print = (price, size)
        self.print_at = at
        self._news(DataKind.TRADE, at)
        return True

    def take_bar(self, bar: SlowBar, start: int | None) -> bool:
        """A bar ended."""
        if self.bar is not None and (bar.end < self.bar.end or bar == self.bar):
            return False
        self.bar, self.bar_start = bar, start
        self.taken_of_bar = 0
        self._news(DataKind.BAR, bar.end)
        return True

    def take_auction(self, kind: str, price: int, size: int | None, at: int, stamped_here: bool = False) -> bool:
        """An auction made its price."""
        datum = (kind, price, size, at)
        if self.auction is not None and (at < self.auction[3] or (datum == self.auction and not stamped_here)):
            return False
        self.auction = datum
        self._news(DataKind.AUCTION, at)
        return True

    def _news(self, kind: DataKind, at: int) -> None:
        self.latest = kind
        self.marked_at = at
        self.number += 1

    def halt(self, halted: bool) -> None:
        """Trading stops or goes on; either way nothing stands until the next quote."""
        self.kept_mark = self.mark()
        if self.quote_at is not None:
            self.stood = (self.standing, self.bids, self.asks, self.quote_at)
            self.before_halt = max(self.before_halt or 0, self.quote_at)
        self.halted = halted
        self.bids, self.asks = [], []
        self.quote_at = None

    # ------------------------------------------------------------- reading

    @property
    def bid(self) -> int | None:
        """The best bid."""
        return self.bids[0][0] if self.bids else None

    @property
    def ask(self) -> int | None:
        """The best ask."""
        return self.asks[0][0] if self.asks else None

    @property
    def crossed(self) -> bool:
        """Is the bid above the ask?"""
        return self.bid is not None and self.ask is not None and self.bid > self.ask

    def levels(self, sign: int) -> list[Level]:
        """What a trader of this side trades with: a buyer with the asks."""
        return self.asks if sign > 0 else self.bids

    def touch(self, sign: int) -> int | None:
        """The best price for a trader of this side."""
        return self.ask if sign > 0 else self.bid

    def mark(self) -> int | None:
        """What a position is valued at."""
        if self.latest is DataKind.TRADE:
            return None if self.print is None else self.print[0]
        if self.latest is DataKind.AUCTION:
            return None if self.auction is None else self.auction[1]
        if self.latest is DataKind.BAR:
            return None if self.bar is None else self.bar.close
        if self.latest is DataKind.PRICE:
            return self.last
        bid, ask, kept = self.bid, self.ask, self.kept_mark
        if bid is not None and ask is not None:
            return (bid + ask) // 2
        if bid is not None:
            return max(kept or 0, bid)
        if ask is not None:
            return ask if kept is None else min(kept, ask)
        return kept

    def reference(self, sign: int) -> int | None:
        """The price an order without a limit is reckoned at."""
        touch = self.touch(sign)
        return self.mark() if touch is None else touch

    def evidence(self, rule: str, sign: int) -> Evidence:
        """The datum behind a rule."""
        if rule[1:] == "8":
            return next(c for c in reversed(self.closings.values()) if c is not None).evidence[sign]
        if rule[0] == "A" and self.auction is not None:
            return Evidence(DataKind.AUCTION, self.number, self.auction[3], self.auction[1:3])
        if rule[0] == "P" and self.print is not None:
            return Evidence(DataKind.TRADE, self.number, self.print_at, self.print)
        if rule[0] == "B" and self.bar is not None:
            return Evidence(DataKind.BAR, self.number, self.bar.end, self.bar[:5])
        at = -1 if self.quote_at is None else self.quote_at
        if rule[0] == "D":
            flat = tuple(number for level in self.levels(sign) for number in level)
            return Evidence(DataKind.DEPTH, self.number, at, flat)
        bid, bid_size = self.bids[0] if self.bids else (None, None)
        ask, ask_size = self.asks[0] if self.asks else (None, None)
        return Evidence(self.standing, self.number, at, (bid, ask, bid_size, ask_size))
