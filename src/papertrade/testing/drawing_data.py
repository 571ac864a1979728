"""Drawing market data: prices that wander, sides that are missing, repetitions, and instants that are late."""

from __future__ import annotations

from random import Random

from papertrade.domain.instruments import Instrument
from papertrade.testing.chance import SECOND, START, middle
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Command, Setup
from papertrade.testing.short_hours import LENGTH

KINDS = (45, 8, 20, 17, 10)  # how often a quote, a bare price, a print, a bar, depth


class DataDrawer:
    """Draws one datum after the other, and lets time pass between them."""

    def __init__(self, rng: Random, setup: Setup, kinds: tuple[int, ...] = KINDS, auctions: bool = True) -> None:
        self.rng = rng
        self.setup = setup
        self.kinds = kinds
        self.auctions = auctions and setup.hours is not None
        self.now = START
        self.prices = {i.symbol: middle(i) for i in setup.instruments}
        self.sequence = 0
        self.sent: list[Command] = []  # to be sent again

    # ----------------------------------------------------------------- time

    def pass_time(self) -> None:
        """Time goes on: mostly a little, now and then by hours."""
        rng = self.rng
        if rng.random() < 0.75:
            self.now += rng.choice((1, SECOND // 10, SECOND, 20 * SECOND, 600 * SECOND))
        elif rng.random() < 0.06:
            self.now += rng.choice((5, 20, 30)) * 3_600 * SECOND

    def _at(self) -> int | None:
        if self.setup.data_clock:
            self.pass_time()
        elif self.rng.random() < 0.6:
            return None
        if self.rng.random() < 0.05:
            off = self.rng.choice((1, SECOND, 30 * SECOND))
            # Late; or, where a clock of its own is read, from a feed that is ahead of it.
            return self.now - off if self.setup.data_clock or self.rng.random() < 0.6 else self.now + off
        return self.now

    # ----------------------------------------------------------------- data

    def datum(self) -> Command:
        """The next datum; now and then one that was sent before."""
        rng = self.rng
        if self.sent and rng.random() < 0.06:
            return rng.choice(self.sent[-4:])
        instrument = rng.choice(self.setup.instruments)
        price = self._walk(instrument)
        kind = rng.choices(
            (self._quote, self._last_price, self._print, self._bar, self._depth), self.kinds
        )[0]
        at = self._at()
        if self.auctions and rng.random() < 0.08:
            kind = self._auction
        command = kind(instrument, price, at)
        self.sent.append(command)
        return command

    def _walk(self, instrument: Instrument) -> int:
        rng, tick = self.rng, instrument.tick_units
        steps = rng.choice((0, 0, 1, -1, 2, -2, 3, -3, 6, -6))
        if rng.random() < 0.08:
            steps *= 6
        price = self.prices[instrument.symbol] + steps * tick
        # Pulled back gently, so that it stays near the orders.
        if abs(price - middle(instrument)) > 60 * tick:
            price -= (price - middle(instrument)) // (2 * tick) * tick
        if instrument.band_units is not None:
            price = max(instrument.band_units[0], min(instrument.band_units[1], price))
        self.prices[instrument.symbol] = max(price, tick)
        if rng.random() < 0.03:
            return price + tick // 2  # a feed with finer prices than the instrument's tick
        return max(price, tick)

    def _size(self, instrument: Instrument) -> int | None:
        rng = self.rng
        if rng.random() < 0.2:
            return None
        size = rng.choice((1, 2, 5, 10, 40)) * instrument.lot_units
        return size + instrument.lot_units // 2 if rng.random() < 0.1 else size

    def _quote(self, instrument: Instrument, price: int, at: int | None) -> Command:
        rng, tick = self.rng, instrument.tick_units
        spread = rng.choice((0, 1, 1, 2, 4)) * tick
        bid: int | None = price
        ask: int | None = price + spread
        roll = rng.random()
        if roll < 0.05:
            bid = None
        elif roll < 0.1:
            ask = None
        elif roll < 0.14:
            bid, ask = price + 2 * tick, price
        if rng.random() < 0.1:
            self.sequence += rng.choice((1, 1, 0))
            sequence = self.sequence
        else:
            sequence = None
        bid_size = None if bid is None else self._size(instrument)
        ask_size = None if ask is None else self._size(instrument)
        return say.Quote(instrument.symbol, bid, ask, bid_size, ask_size, at, sequence)

    def _last_price(self, instrument: Instrument, price: int, at: int | None) -> Command:
        return say.LastPrice(instrument.symbol, price, at)

    def _print(self, instrument: Instrument, price: int, at: int | None) -> Command:
        aggressor = self.rng.choice((-1, 0, 0, 1))
        return say.Print(instrument.symbol, price, self._size(instrument), aggressor, at)

    def _auction(self, instrument: Instrument, price: int, at: int | None) -> say.Auction:
        """Mostly the auction of this half of the session."""
        kinds = ("open", "close") if self.now % LENGTH < LENGTH // 2 else ("close", "open")
        kind = kinds[self.rng.random() < 0.1]
        size = self._size(instrument)
        return say.Auction(instrument.symbol, kind, price, None if size is None else size * 5, at)

    def price_of(self, instrument: Instrument, kind: str) -> Command:
        """A price of an auction, now or about now; now and then one that was sent before."""
        if self.sent and self.rng.random() < 0.06:
            return self.rng.choice(self.sent[-4:])
        command = self._auction(instrument, self._walk(instrument), self._at())
        self.sent.append(command := command._replace(kind=kind))
        return command

    def _bar(self, instrument: Instrument, price: int, at: int | None) -> Command:
        rng, tick = self.rng, instrument.tick_units

        def near() -> int:
            return max(tick, price + rng.choice((0, 1, 2, 4, 9)) * rng.choice((-1, 1)) * tick)

        open_, close = near(), price
        high = max(open_, close) + rng.choice((0, 1, 3, 8, 15)) * tick
        low = max(tick, min(open_, close) - rng.choice((0, 1, 3, 8, 15)) * tick)
        low = min(low, open_, close)
        volume = rng.choice((None, 0, 3, 20, 100, 1000))
        end = self.now if at is None else at
        start = None if rng.random() < 0.5 else end - rng.choice((0, 1, SECOND, 600 * SECOND))
        return say.Bar(
            instrument.symbol,
            open_,
            high,
            low,
            close,
            None if volume is None else volume * instrument.lot_units,
            None if at is None else start,
            at,
        )

    def _depth(self, instrument: Instrument, price: int, at: int | None) -> Command:
        rng, tick = self.rng, instrument.tick_units

        def side(first: int, step: int) -> tuple[tuple[int, int], ...]:
            levels = []
            for _ in range(rng.choice((0, 1, 2, 3, 4))):
                size = self._size(instrument) or instrument.lot_units
                if first > 0:
                    levels.append((first, size))
                first += step * rng.choice((1, 1, 3))
            return tuple(levels)

        bids, asks = side(price, -tick), side(price + rng.choice((1, 2, 3)) * tick, tick)
        if not bids and not asks:
            asks = ((price + tick, instrument.lot_units),)
        return say.Depth(instrument.symbol, bids, asks, at)
