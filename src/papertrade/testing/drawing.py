"""Drawing commands: market data that wanders, and orders that get in its way."""

from __future__ import annotations

from random import Random

from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.testing.chance import SECOND, START, middle
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.oracle import Oracle
from papertrade.testing.oracle.vocabulary import Command, Setup

TYPES = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
}
RESTING = (TimeInForce.GTC, TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD)


class Drawer:
    """Draws one command after the other for an oracle."""

    def __init__(self, rng: Random, setup: Setup, *, halts: bool = True, restarts: bool = True) -> None:
        self.rng = rng
        self.setup = setup
        self.now = START
        self.prices = {i.symbol: middle(i) for i in setup.instruments}
        self.sequence = 0
        self.keys = 0
        self.sent: list[Command] = []  # data, to be sent again
        self.placed: list[Command] = []  # keyed commands, to be repeated
        self.halts, self.restarts = halts, restarts

    def draw(self, oracle: Oracle) -> Command:
        """The next command."""
        if oracle.clock < START:
            return say.Advance(self.now)  # under the data clock nobody knows the day before that
        if not self.setup.data_clock:
            self.now = oracle.clock
            if self.rng.random() < 0.25:
                self._pass_time()
                return self.rng.choice((say.MoveClock, say.Advance))(self.now)
        latches = oracle.bases().latches
        if latches and self.rng.random() < 0.06:
            return say.ResetLimit(self.rng.choice(latches))
        roll = self.rng.random()
        if roll < 0.52:
            return self._datum()
        if roll < 0.82:
            return self._order(oracle)
        if roll < 0.95:
            return self._change(oracle)
        return self._event(oracle)

    # ----------------------------------------------------------------- time

    def _pass_time(self) -> None:
        rng = self.rng
        if rng.random() < 0.75:
            self.now += rng.choice((1, SECOND // 10, SECOND, 20 * SECOND, 600 * SECOND))
        elif rng.random() < 0.06:
            self.now += rng.choice((5, 20, 30)) * 3_600 * SECOND

    def _at(self) -> int | None:
        if self.setup.data_clock:
            self._pass_time()
        elif self.rng.random() < 0.6:
            return None
        if self.rng.random() < 0.05:
            return self.now - self.rng.choice((1, SECOND, 30 * SECOND))
        return self.now

    # ----------------------------------------------------------------- data

    def _datum(self) -> Command:
        rng = self.rng
        if self.sent and rng.random() < 0.06:
            return rng.choice(self.sent[-4:])
        instrument = rng.choice(self.setup.instruments)
        price = self._walk(instrument)
        kind = rng.choices(
            (self._quote, self._last_price, self._print, self._bar, self._depth), (45, 8, 20, 17, 10)
        )[0]
        at = self._at()
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

    # --------------------------------------------------------------- orders

    def _order(self, oracle: Oracle) -> Command:
        rng = self.rng
        if self.placed and rng.random() < 0.03:
            return rng.choice(self.placed)
        if rng.random() < 0.08:
            symbol = rng.choice(self.setup.instruments)
            return say.PlacePair(self._terms(oracle, symbol, pair=True), self._terms(oracle, symbol, pair=True))
        command = say.Place(self._terms(oracle, rng.choice(self.setup.instruments)))
        if command.terms.client_order_id is not None:
            self.placed.append(command)
        return command

    def _near(self, instrument: Instrument) -> int:
        rng, tick = self.rng, instrument.tick_units
        price = self.prices[instrument.symbol] + rng.randint(-8, 8) * tick
        if rng.random() < 0.02:
            price += max(tick // 3, 1)
        return max(price, 1)

    def _quantity(self, oracle: Oracle, instrument: Instrument, sign: int) -> int:
        rng, lot = self.rng, instrument.lot_units
        held = oracle.closable(instrument.symbol, sign)
        if held and rng.random() < 0.5:
            return rng.choice((held, held, max(lot, money.whole_lots(instrument, held // 2)), held + lot))
        if self.setup.margin.marked_to_market and rng.random() < 0.15:
            each = money.initial_margin(self.setup.margin, instrument, lot, self.prices[instrument.symbol])
            return min(max(oracle.available() // max(each, 1) - rng.choice((0, 1, 3)), 1), 300) * lot
        quantity = rng.choice((1, 2, 3, 5, 8, 20)) * lot
        return quantity + max(lot // 2, 1) if rng.random() < 0.02 else quantity

    def _terms(self, oracle: Oracle, instrument: Instrument, pair: bool = False) -> OrderTerms:
        rng, symbol = self.rng, instrument.symbol
        sign = rng.choice((1, -1))
        if not self.setup.margin.may_short and not oracle.closable(symbol, -1) and rng.random() < 0.8:
            sign = 1
        if rng.random() < 0.4:
            return self._resting_terms(instrument, sign)
        limit = self._near(instrument) if rng.random() < 0.5 else None
        stop = self._near(instrument) if rng.random() < 0.35 else None
        kind = TYPES[limit is not None, stop is not None]
        linked = 0
        if not pair and rng.random() < 0.12:
            free = [o.number for o in oracle.open_orders(symbol) if not o.oco]
            linked = rng.choice(free) if free else 0
        rests = bool(linked) or pair or rng.random() < 0.75
        tif = rng.choice(RESTING if rests else (TimeInForce.IOC, TimeInForce.FOK))
        expires = None
        if tif is TimeInForce.GTD:
            expires = max(0, max(self.now, oracle.clock) + rng.choice((0, 30, 600, 600, 40_000, 200_000)) * SECOND)
        notional = None
        quantity = self._quantity(oracle, instrument, sign)
        if rng.random() < 0.08:
            notional = money.nearest(money.exact_value(instrument, middle(instrument), quantity), 1) + 1
            quantity = 0
        post_only = kind is OrderType.LIMIT and rests and rng.random() < 0.15
        key = None
        if not pair and rng.random() < 0.1:
            self.keys += 1
            key = f"key-{self.keys}"
        return OrderTerms(
            symbol,
            sign,
            kind,
            quantity,
            notional,
            limit,
            stop,
            tif,
            expires,
            post_only,
            rng.random() < (0.2 if oracle.closable(symbol, sign) else 0.02),
            linked,
            key,
            (("by", "draw"),) if rng.random() < 0.1 else (),
        )

    def _resting_terms(self, instrument: Instrument, sign: int) -> OrderTerms:
        """A plain small order that rests a few ticks away from the market, so that one move reaches several."""
        rng, tick = self.rng, instrument.tick_units
        away = rng.randint(1, 7) * tick
        stop_order = rng.random() < 0.4
        price = self.prices[instrument.symbol] + (sign if stop_order else -sign) * away
        if instrument.band_units is not None:
            price = max(instrument.band_units[0], min(instrument.band_units[1], price))
        price = max(tick, price // tick * tick)
        stop, limit = (price, None) if stop_order else (None, price)
        if stop_order and rng.random() < 0.3:
            limit = max(tick, price + sign * rng.choice((0, 1, 2, -2)) * tick)
        return OrderTerms(
            instrument.symbol,
            sign,
            TYPES[limit is not None, stop is not None],
            max(rng.choice((1, 1, 2, 3)) * instrument.lot_units, instrument.min_units),
            None,
            limit,
            stop,
            TimeInForce.GTC,
            None,
            False,
            False,
            0,
            None,
            (),
        )

    # -------------------------------------------------------------- changes

    def _change(self, oracle: Oracle) -> Command:
        rng = self.rng
        orders = oracle.open_orders() if rng.random() < 0.92 else list(oracle.orders.values())
        if not orders:
            return self._datum()
        roll = rng.random()
        order = rng.choice(orders)
        if roll < 0.3:
            return say.Cancel(order.number)
        if roll < 0.32:
            return say.CancelAll(rng.choice((None, order.symbol)))
        free = [o.number for o in oracle.open_orders(order.symbol) if not o.oco]
        if roll < 0.5 and len(free) > 1:
            return say.Link(*rng.sample(free, 2))
        return self._modify(oracle, order.number)

    def _modify(self, oracle: Oracle, number: int) -> Command:
        rng = self.rng
        order = oracle.orders[number]
        instrument = oracle.markets[order.symbol].instrument
        quantity = limit = stop = expires = None
        if order.terms.limit_units is not None and rng.random() < 0.6:
            limit = self._near(instrument)
        if order.terms.stop_units is not None and rng.random() < 0.5:
            stop = self._near(instrument)
        if order.terms.tif is TimeInForce.GTD and rng.random() < 0.3:
            expires = max(self.now, oracle.clock) + rng.choice((0, 600, 100_000)) * SECOND
        if rng.random() < 0.5 or limit is stop is expires is None:
            quantity = rng.choice((1, 2, 4, 9, 25)) * instrument.lot_units
        return say.Modify(number, quantity, limit, stop, expires, None)

    # ---------------------------------------------------------------- events

    def _event(self, oracle: Oracle) -> Command:
        rng = self.rng
        instrument = rng.choice(self.setup.instruments)
        roll = rng.random()
        if roll < 0.2 and self.halts:
            return say.Halt(instrument.symbol, not oracle.markets[instrument.symbol].halted or rng.random() < 0.1)
        if roll < 0.3:
            self.now += rng.choice((0, 3_600, 90_000, 200_000)) * SECOND
            return say.Advance(self.now)
        if roll < 0.36 and not self.setup.data_clock:
            self.now += rng.choice((1, 60, 30_000)) * SECOND
            return say.MoveClock(self.now)
        held = oracle.held_symbols()
        if roll < 0.6 and held:
            symbol = rng.choice(held)
            part = rng.choice((None, None, rng.choice((1, 3)) * oracle.markets[symbol].instrument.lot_units))
            return say.CloseAll() if rng.random() < 0.2 else say.Close(symbol, part)
        if roll < 0.8:
            return self._cash(oracle)
        if roll < 0.82:
            return say.Kill()
        if roll < 0.96:
            return say.ResetLimit(rng.choice(("kill_switch", "max_daily_loss", "max_drawdown")))
        return say.Restart() if self.restarts else say.CancelAll()

    def _cash(self, oracle: Oracle) -> Command:
        rng, instrument = self.rng, self.setup.instruments[0]
        worth = max(money.value(instrument, middle(instrument), instrument.lot_units), self.setup.currency.minor_units)
        key = None
        if rng.random() < 0.3:
            self.keys += 1
            key = f"cash-{self.keys}"
        if rng.random() < 0.5:
            return say.Deposit(worth * rng.choice((1, 5, 20)), key, rng.choice(("", "more")))
        step = self.setup.currency.minor_units
        there = max(oracle.available(), oracle.total() - oracle.held(), 0)
        amount = rng.choice((there, worth, there // 2)) // step * step
        return say.Withdraw(max(amount, step), key, "")
