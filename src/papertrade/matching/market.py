"""What is known of one symbol: the standing quote or depth, the last trade, the last bar, and what rests on it.

Everything here is volatile. It comes from data, is never stored, and after a restart there is no quote until one
arrives. Late and repeated data change nothing but a counter.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from papertrade.domain.events import Evidence
from papertrade.domain.fields import MaybeAmount, MaybeInstant
from papertrade.domain.hours import MarketHours, Phase, Span
from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import text_of
from papertrade.domain.straight import straight
from papertrade.domain.words import DataKind
from papertrade.errors import CalendarRangeError
from papertrade.matching.auctions import AuctionData, Closing
from papertrade.matching.resting import FAR, RestingIndex

Levels = tuple[tuple[int, int], ...]
"""Price and size of each level, best first."""

NEVER: Final = -1


class BarData:
    """The last bar, in units."""

    __slots__ = ("close", "end_ns", "high", "low", "open", "start_ns", "volume")

    def __init__(
        self, open_: int, high: int, low: int, close: int, volume: int | None, start_ns: int, end_ns: int
    ) -> None:
        self.open = open_
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
        self.start_ns = start_ns  # NEVER when the feed does not say
        self.end_ns = end_ns


class Market:
    """One symbol's market. A data callback receives this object; read its Decimals, do not write to it."""

    __slots__ = (
        "ask_size_units",
        "ask_units",
        "asks",
        "auction",
        "bar",
        "bar_used",
        "bare_units",
        "bid_size_units",
        "bid_units",
        "bids",
        "broken_off",
        "closing",
        "counts",
        "crossed",
        "halted",
        "halted_ns",
        "hours",
        "index",
        "instrument",
        "kept_mark_units",
        "kind",
        "last_ns",
        "last_size_units",
        "last_units",
        "marked_ns",
        "number",
        "plain",
        "printed_units",
        "quote_ns",
        "sequences",
        "span",
        "standing",
        "symbol",
        "used",
    )

    bid = MaybeAmount()
    ask = MaybeAmount()
    bid_size = MaybeAmount()
    ask_size = MaybeAmount()
    last = MaybeAmount()
    mark = MaybeAmount()
    quoted_at = MaybeInstant()
    marked_at = MaybeInstant()

    def __init__(self, instrument: Instrument, hours: MarketHours | None = None) -> None:
        self.instrument = instrument
        self.hours = hours  # None: it never closes
        self.span = Span(Phase.REGULAR, 0, 0)  # the phase that was asked for last
        self.symbol = instrument.symbol
        self.index = RestingIndex()
        self.bid_units: int | None = None
        self.ask_units: int | None = None
        self.bid_size_units: int | None = None
        self.ask_size_units: int | None = None
        self.bids: Levels | None = None
        self.asks: Levels | None = None
        self.quote_ns = NEVER
        self.last_units: int | None = None
        self.bare_units: int | None = None  # the bare last price behind what stands, whatever was printed since
        self.last_size_units: int | None = None
        self.last_ns = NEVER
        self.bar: BarData | None = None
        self.kind = DataKind.QUOTE  # of the latest datum, which gives the mark
        self.standing = DataKind.QUOTE  # of what stands at bid and ask
        self.kept_mark_units: int | None = None  # the mark of before a halt
        self.marked_ns = NEVER
        self.number = 0
        self.crossed = False
        self.plain = True  # not halted, and nothing but uncrossed quotes so far: the next needs no second look
        self.halted = False
        self.halted_ns = NEVER  # of the last quote before a halt: what is older stays late
        self.broken_off: object = None  # what stood when a halt came; sent again, it displays nothing new
        # What each account took from the standing sizes: account → [bought, sold]. Emptied by new data.
        self.used: dict[str, list[int]] = {}
        self.bar_used: dict[str, list[int]] = {}  # the same of the last bar's volume: a bar gives no quote back
        self.auction: AuctionData | None = None
        self.closing: Closing | None = None  # what a session ended with, while somebody waits for its closing price
        self.printed_units: int | None = None  # the last print's price, whatever bare prices came since
        self.counts = {"late": 0, "duplicate": 0, "crossed": 0, "refused": 0}
        self.sequences: dict[str, int] = {}

    # --------------------------------------------------------------- hours

    def span_at(self, ns: int) -> Span:
        """The phase of the market at an instant; closed for no time at all where its calendar does not know."""
        span = self.span
        if span.from_ns <= ns < span.until_ns:
            return span
        hours = self.hours
        try:
            span = Span(Phase.REGULAR, 0, FAR) if hours is None else hours.span_at(ns)
        except CalendarRangeError:  # what waits goes on waiting; who places something new is told (known_phase)
            return Span(Phase.CLOSED, ns, ns)
        self.span = span
        return span

    def known_phase(self, ns: int) -> Phase:
        """The phase of the market at an instant, or the error of a calendar that does not know it."""
        span = self.span_at(ns)
        if span.until_ns <= ns and self.hours is not None:
            return self.hours.span_at(ns).phase
        return span.phase

    def keep_hours(self, hours: MarketHours | None) -> None:
        """From now on it is open at these hours."""
        self.hours, self.span = hours, Span(Phase.REGULAR, 0, 0)

    # ---------------------------------------------------------------- data

    def take_quote(
        self, bid: int, ask: int, bid_size: int | None, ask_size: int | None, at_ns: int, fresh: bool = False
    ) -> bool:
        """Take a full two-sided quote. True if something may fire. This is the hot path: it stays flat.

        ``fresh`` says that the instant was stamped on arrival, so that an equal one is no repetition.
        """
        if not self.plain and at_ns < self.halted_ns:
            self.counts["late"] += 1
            return False
        if at_ns <= self.quote_ns and self._is_stale(_QUOTE, bid, ask, bid_size, ask_size, at_ns, None, fresh):
            return False
        self.bid_units = bid
        self.ask_units = ask
        self.bid_size_units = bid_size
        self.ask_size_units = ask_size
        self.quote_ns = self.marked_ns = at_ns
        self.number += 1
        if self.used:
            self._renew((_QUOTE, bid, ask, bid_size, ask_size, at_ns, None), fresh)
        if ask < bid or not self.plain:
            self._settle_quote(DataKind.QUOTE)
            if self.crossed:
                return True  # it fills nothing, but the mark moved and watched accounts look at it
        index = self.index
        return bid <= index.floor or ask >= index.ceiling

    def take_top(
        self,
        kind: DataKind,
        best: tuple[int | None, int | None, int | None, int | None],
        at_ns: int,
        levels: tuple[Levels, Levels] | None = None,
        fresh: bool = False,
    ) -> bool:
        """Take a quote with a missing side, a widened last price, or depth. True if it is news."""
        bid, ask, _, _ = best
        if at_ns < self.halted_ns:
            self.counts["late"] += 1
            return False
        if at_ns <= self.quote_ns and self._is_stale(kind, *best, at_ns, levels, fresh):
            return False
        if (bid is None) != (ask is None):
            self.kept_mark_units = self.mark_units
        self.bid_units, self.ask_units, self.bid_size_units, self.ask_size_units = best
        self.quote_ns = self.marked_ns = at_ns
        self.number += 1
        if self.used:
            self._renew((kind, *best, at_ns, levels), fresh)
        self._settle_quote(kind)
        if levels is not None:
            self.bids, self.asks = levels
        return True

    def _is_stale(
        self,
        kind: DataKind,
        bid: int | None,
        ask: int | None,
        bid_size: int | None,
        ask_size: int | None,
        at_ns: int,
        levels: tuple[Levels, Levels] | None,
        fresh: bool,
    ) -> bool:
        if at_ns < self.quote_ns:
            self.counts["late"] += 1
            return True
        if fresh:
            return False
        same = (
            kind is self.standing
            and bid == self.bid_units
            and ask == self.ask_units
            and bid_size == self.bid_size_units
            and ask_size == self.ask_size_units
            and (levels is None or levels == (self.bids, self.asks))
        )
        if same:
            self.counts["duplicate"] += 1
        return same

    def _renew(self, datum: object, fresh: bool) -> None:
        """New data brings a new size to take from; what stood before a halt and is sent again does not."""
        if fresh or datum != self.broken_off:
            self.used = {}

    def _settle_quote(self, kind: DataKind) -> None:
        self.kind = self.standing = kind
        self.bids = self.asks = None
        bid, ask = self.bid_units, self.ask_units
        self.crossed = bid is not None and ask is not None and ask < bid
        if self.crossed:
            self.counts["crossed"] += 1
        self.plain = kind is _QUOTE and not self.crossed and not self.halted

    def take_trade(self, price: int, size: int | None, at_ns: int, fresh: bool = False) -> bool:
        """Take a print. True if it is news."""
        if at_ns < self.last_ns:
            self.counts["late"] += 1
            return False
        same = at_ns == self.last_ns and price == self.printed_units and size == self.last_size_units
        if same and not fresh:
            self.counts["duplicate"] += 1
            return False
        self.last_units, self.last_size_units = price, size
        self.printed_units = price
        self.last_ns = self.marked_ns = at_ns
        self.number += 1
        self.kind = DataKind.TRADE
        self.plain = False
        return True

    def take_bar(self, bar: BarData) -> bool:
        """Take a finished bar. True if it is news."""
        old = self.bar
        if old is not None and bar.end_ns <= old.end_ns:
            values = ("open", "high", "low", "close", "volume", "end_ns")
            same = all(getattr(old, n) == getattr(bar, n) for n in values)
            if same or bar.end_ns < old.end_ns:
                self.counts["duplicate" if same else "late"] += 1
                return False
        self.bar = bar
        self.marked_ns = bar.end_ns
        self.number += 1
        self.kind = DataKind.BAR
        self.plain = False
        self.bar_used = {}
        return True

    def take_auction(self, auction: AuctionData, fresh: bool = False) -> bool:
        """Take the official price of an auction. True if it is news."""
        old = self.auction
        if old is not None and (auction.at_ns < old.at_ns or (auction == old and not fresh)):
            self.counts["duplicate" if auction == old else "late"] += 1
            return False
        self.auction = auction
        self.last_units = auction.price
        self.marked_ns = auction.at_ns
        self.number += 1
        self.kind = DataKind.AUCTION
        self.plain = False
        return True

    def is_repeat(self, kind: DataKind, sequence: int | None) -> bool:
        """Was this sequence number of the feed seen before? Counts it if so."""
        if sequence is None:
            return False
        if sequence <= self.sequences.get(kind, NEVER):
            self.counts["duplicate"] += 1
            return True
        self.sequences[kind] = sequence
        return False

    def halt(self, halted: bool) -> None:
        """Halt or resume trading. After either, no quote stands until one arrives."""
        self.kept_mark_units = self.mark_units
        self.halted_ns = max(self.halted_ns, self.quote_ns)
        if self.quote_ns != NEVER:
            best = (self.bid_units, self.ask_units, self.bid_size_units, self.ask_size_units)
            levels = None if self.bids is None else (self.bids, self.asks)
            self.broken_off = (self.standing, *best, self.quote_ns, levels)
        self.halted = halted
        self.plain = False
        self.quote_ns = NEVER
        self.bid_units = self.ask_units = self.bid_size_units = self.ask_size_units = None
        self.bids = self.asks = None
        self.crossed = False
        self.index.stop(halted)

    # ------------------------------------------------------------- reading

    @property
    def mark_units(self) -> int | None:
        """The price positions are valued at: the middle of the latest quote, or the latest price, trade or close."""
        kind = self.kind
        if kind is DataKind.TRADE or kind is DataKind.PRICE or kind is DataKind.AUCTION:
            return self.last_units
        if kind is DataKind.BAR:
            return None if self.bar is None else self.bar.close
        bid, ask = self.bid_units, self.ask_units
        if bid is not None and ask is not None:
            return (bid + ask) // 2
        if bid is None and ask is None:
            return self.kept_mark_units
        # One side alone can only confirm the last mark or carry it along, never improve on what can be had.
        kept = self.kept_mark_units
        if ask is None:
            return bid if kept is None or bid is None else max(kept, bid)
        return ask if kept is None else min(kept, ask)

    @property
    def quoted_ns(self) -> int | None:
        """When the standing quote arrived."""
        return None if self.quote_ns == NEVER else self.quote_ns

    def touch(self, sign: int) -> int | None:
        """What a trader of this side would pay or get now."""
        return self.ask_units if sign > 0 else self.bid_units

    def reference(self, sign: int) -> int | None:
        """The price to work out a hold from: the touch, else the last known price."""
        touch = self.touch(sign)
        return touch if touch is not None else self.mark_units

    def evidence(self) -> Evidence:
        """The standing quote as evidence."""
        seen = (self.bid_units, self.ask_units, self.bid_size_units, self.ask_size_units)
        return _evidence((self.standing, self.number, self.quote_ns, seen))

    @property
    def spread(self) -> Decimal | None:
        """Ask less bid, or None where a side is missing."""
        return None if self.bid is None or self.ask is None else self.ask - self.bid

    def __repr__(self) -> str:
        def side(price: int | None, size: int | None) -> str:
            if price is None:
                return "nobody"
            return text_of(price) if size is None else f"{text_of(price)} × {text_of(size)}"

        word = " halted" if self.halted else " crossed" if self.crossed else ""
        bid, ask = side(self.bid_units, self.bid_size_units), side(self.ask_units, self.ask_size_units)
        return f"<Market {self.symbol}{word}: bid {bid}, ask {ask}>"


_QUOTE: Final = DataKind.QUOTE
_evidence = straight(Evidence)
