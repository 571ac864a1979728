"""Drawing commands: market data that wanders, and orders that get in its way."""

from __future__ import annotations

from random import Random

import attrs

from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.domain.position_keys import position_key, split_key
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.testing.chance import SECOND, START, middle
from papertrade.testing.drawing_data import DataDrawer
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Command, Setup
from papertrade.testing.sight import Sight

TYPES = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
}
RESTING = (TimeInForce.GTC, TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD)
AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)
IN_HOURS = (*RESTING, TimeInForce.DAY, TimeInForce.DAY, TimeInForce.TTL, TimeInForce.TTL)
WITH_AUCTIONS = (*IN_HOURS, *AUCTIONS, *AUCTIONS)


@attrs.frozen
class Mix:
    """How often each thing is drawn. The defaults mix everything; a run that leaves things out finds other bugs."""

    repeat: float = 0.03  # a keyed order sent again
    pair: float = 0.08
    resting: float = 0.4  # a plain small order near the market
    limit: float = 0.5
    stop: float = 0.35
    linked: float = 0.12
    waits: float = 0.75  # may rest; otherwise ioc or fok
    notional: float = 0.08
    post_only: float = 0.15
    keyed: float = 0.1
    reduce_only: float = 0.2
    cancel: float = 0.3
    cancel_all: float = 0.02
    link: float = 0.18


class Drawer:
    """Draws one command after the other for an account that it sees."""

    def __init__(
        self,
        rng: Random,
        setup: Setup,
        *,
        halts: bool = True,
        restarts: bool = True,
        mix: Mix | None = None,
        data: DataDrawer | None = None,
        auctions: bool = True,
    ) -> None:
        self.rng = rng
        self.setup = setup
        self.mix = Mix() if mix is None else mix
        self.data = DataDrawer(rng, setup) if data is None else data
        self.keys = 0
        self.placed: list[Command] = []  # keyed commands, to be repeated
        self.halts, self.restarts = halts, restarts
        self.auctions = auctions and setup.hours is not None
        self.products = [product.name for product in setup.products]
        self.product = ""  # of the command being drawn

    def draw(self, sight: Sight) -> Command:
        """The next datum or command."""
        data = self.data
        if self.products:
            self.product = self.rng.choice(self.products)
        if sight.clock < START:
            return say.Advance(data.now)  # under the data clock nobody knows the day before that
        if not self.setup.data_clock:
            data.now = sight.clock
            if self.rng.random() < 0.25:
                data.pass_time()
                return self.rng.choice((say.MoveClock, say.Advance))(data.now)
        latches = sight.bases().latches
        if latches and self.rng.random() < 0.06:
            return say.ResetLimit(self.rng.choice(latches))
        roll = self.rng.random()
        if roll < 0.52:
            return data.datum()
        if roll < 0.82:
            return self.order(sight)
        if roll < 0.95:
            return self.change(sight)
        return self.event(sight)

    # --------------------------------------------------------------- orders

    def order(self, sight: Sight) -> Command:
        """A new order, or two linked ones."""
        rng = self.rng
        if self.placed and rng.random() < self.mix.repeat:
            return rng.choice(self.placed)
        if self.auctions and rng.random() < 0.15:
            return say.Place(self.for_auction(rng.choice(self.setup.instruments)))
        if rng.random() < self.mix.pair:
            symbol = rng.choice(self.setup.instruments)
            return say.PlacePair(self._terms(sight, symbol, pair=True), self._terms(sight, symbol, pair=True))
        command = say.Place(self._terms(sight, rng.choice(self.setup.instruments)))
        if command.terms.client_order_id is not None:
            self.placed.append(command)
        return command

    def _key(self, instrument: Instrument) -> str:
        return position_key(instrument.symbol, self.product)

    def _near(self, instrument: Instrument) -> int:
        rng, tick = self.rng, instrument.tick_units
        price = self.data.prices[instrument.symbol] + rng.randint(-8, 8) * tick
        if rng.random() < 0.02:
            price += max(tick // 3, 1)
        return max(price, 1)

    def _quantity(self, sight: Sight, instrument: Instrument, sign: int) -> int:
        rng, lot = self.rng, instrument.lot_units
        held = sight.closable(self._key(instrument), sign)
        if held and rng.random() < 0.5:
            return rng.choice((held, held, max(lot, money.whole_lots(instrument, held // 2)), held + lot))
        if self.setup.margin.marked_to_market and rng.random() < 0.15:
            each = money.initial_margin(self.setup.margin, instrument, lot, self.data.prices[instrument.symbol])
            return min(max(sight.available() // max(each, 1) - rng.choice((0, 1, 3)), 1), 300) * lot
        quantity = rng.choice((1, 2, 3, 5, 8, 20)) * lot
        return quantity + max(lot // 2, 1) if rng.random() < 0.02 else quantity

    def _terms(self, sight: Sight, instrument: Instrument, pair: bool = False) -> OrderTerms:
        rng, symbol = self.rng, instrument.symbol
        sign = rng.choice((1, -1))
        if not self.setup.margin.may_short and not sight.closable(self._key(instrument), -1) and rng.random() < 0.8:
            sign = 1
        if rng.random() < self.mix.resting:
            return self._resting_terms(instrument, sign)
        limit = self._near(instrument) if rng.random() < self.mix.limit else None
        stop = self._near(instrument) if rng.random() < self.mix.stop else None
        kind = TYPES[limit is not None, stop is not None]
        linked = 0
        if not pair and rng.random() < self.mix.linked:
            free = [o.number for o in sight.open_orders(symbol) if not o.oco and o.terms.product == self.product]
            linked = rng.choice(free) if free else 0
        rests = bool(linked) or pair or rng.random() < self.mix.waits
        resting = RESTING if self.setup.hours is None else WITH_AUCTIONS if self.auctions else IN_HOURS
        tif = rng.choice(resting if rests else (TimeInForce.IOC, TimeInForce.FOK))
        if tif in AUCTIONS and (stop is not None or linked or pair):
            tif = TimeInForce.DAY
        expires = None
        if tif is TimeInForce.GTD:
            expires = max(0, max(self.data.now, sight.clock) + rng.choice((0, 30, 600, 600, 40_000, 200_000)) * SECOND)
        notional = None
        quantity = self._quantity(sight, instrument, sign)
        if rng.random() < self.mix.notional:
            notional = money.nearest(money.exact_value(instrument, middle(instrument), quantity), 1) + 1
            quantity = 0
        post_only = kind is OrderType.LIMIT and rests and rng.random() < self.mix.post_only and tif not in AUCTIONS
        key = None
        if not pair and rng.random() < self.mix.keyed:
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
            rng.random() < (self.mix.reduce_only if sight.closable(self._key(instrument), sign) else 0.02),
            linked,
            key,
            (("by", "draw"),) if rng.random() < 0.1 else (),
            *self._hours(kind, tif),
            self.product,
        )

    def for_auction(self, instrument: Instrument) -> OrderTerms:
        """A small order for an auction, at the market or with a limit near it."""
        rng, tick = self.rng, instrument.tick_units
        price = self.data.prices[instrument.symbol] + rng.choice((-2, 0, 1, 2, 5)) * tick
        limit = rng.choice((None, max(price // tick, 1) * tick))
        quantity = max(rng.choice((1, 2, 5)) * instrument.lot_units, instrument.min_units)
        kind, sign = TYPES[limit is not None, False], rng.choice((1, 1, -1))
        about = (instrument.symbol, sign, kind, quantity, None, limit, None)
        return OrderTerms(*about, rng.choice(AUCTIONS), None, False, False, 0, None, (), product=self.product)

    def _hours(self, kind: OrderType, tif: TimeInForce) -> tuple[int, bool, bool]:
        """Minutes to stand, and what is said about hours, where markets have some."""
        rng = self.rng
        minutes = rng.choice((1, 2, 5, 30, 240)) if tif is TimeInForce.TTL else 0
        if self.setup.hours is None or tif in AUCTIONS:
            return minutes, False, False
        extended = kind is OrderType.LIMIT and rng.random() < 0.3
        at_once = tif in (TimeInForce.IOC, TimeInForce.FOK)
        return minutes, extended, not extended and not at_once and rng.random() < 0.15

    def _resting_terms(self, instrument: Instrument, sign: int) -> OrderTerms:
        """A plain small order that rests a few ticks away from the market, so that one move reaches several."""
        rng, tick = self.rng, instrument.tick_units
        away = rng.randint(1, 7) * tick
        stop_order = rng.random() < 0.4
        price = self.data.prices[instrument.symbol] + (sign if stop_order else -sign) * away
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
            product=self.product,
        )

    # -------------------------------------------------------------- changes

    def change(self, sight: Sight) -> Command:
        """Something for an order that is open, mostly."""
        rng = self.rng
        orders = sight.open_orders() if rng.random() < 0.92 else list(sight.orders.values())
        if not orders:
            return self.data.datum()
        roll = rng.random()
        order = rng.choice(orders)
        mix = self.mix
        if roll < mix.cancel:
            return say.Cancel(order.number)
        if roll < mix.cancel + mix.cancel_all:
            return say.CancelAll(rng.choice((None, order.symbol)))
        alike = order.terms.product
        free = [o.number for o in sight.open_orders(order.symbol) if not o.oco and o.terms.product == alike]
        if roll < mix.cancel + mix.cancel_all + mix.link and len(free) > 1:
            return say.Link(*rng.sample(free, 2))
        return self._modify(sight, order.number)

    def _modify(self, sight: Sight, number: int) -> Command:
        rng = self.rng
        order = sight.orders[number]
        instrument = sight.markets[order.symbol].instrument
        quantity = limit = stop = expires = None
        if order.terms.limit_units is not None and rng.random() < 0.6:
            limit = self._near(instrument)
        if order.terms.stop_units is not None and rng.random() < 0.5:
            stop = self._near(instrument)
        if order.terms.tif is TimeInForce.GTD and rng.random() < 0.3:
            expires = max(self.data.now, sight.clock) + rng.choice((0, 600, 100_000)) * SECOND
        if rng.random() < 0.5 or limit is stop is expires is None:
            quantity = rng.choice((1, 2, 4, 9, 25)) * instrument.lot_units
        return say.Modify(number, quantity, limit, stop, expires, None)

    # ---------------------------------------------------------------- events

    def event(self, sight: Sight) -> Command:
        """What happens now and then: halts, time, closing, cash, latches, restarts."""
        rng = self.rng
        instrument = rng.choice(self.setup.instruments)
        roll = rng.random()
        if roll < 0.2 and self.halts:
            return say.Halt(instrument.symbol, not sight.markets[instrument.symbol].halted or rng.random() < 0.1)
        if roll < 0.3:
            self.data.now += rng.choice((0, 3_600, 90_000, 200_000)) * SECOND
            return say.Advance(self.data.now)
        if roll < 0.36 and not self.setup.data_clock:
            self.data.now += rng.choice((1, 60, 30_000)) * SECOND
            return say.MoveClock(self.data.now)
        held = sight.held_keys()
        if self.products and held and rng.random() < 0.4:
            return self._convert(sight, rng.choice(held))
        if roll < 0.6 and held:
            symbol, product = split_key(rng.choice(held))
            part = rng.choice((None, None, rng.choice((1, 3)) * sight.markets[symbol].instrument.lot_units))
            return say.CloseAll() if rng.random() < 0.2 else say.Close(symbol, part, product)
        if roll < 0.8:
            return self._cash(sight)
        if roll < 0.81:
            return say.Kill()
        if roll < (0.88 if sight.bases().latches else 0.84):
            return self.start(sight)
        if roll < 0.96:
            return say.ResetLimit(rng.choice(("kill_switch", "max_daily_loss", "max_drawdown")))
        return say.Restart() if self.restarts else say.CancelAll()

    def start(self, sight: Sight) -> Command:
        """Positions come in, or the account begins again."""
        rng, command_id = self.rng, None
        if rng.random() < 0.3:
            self.keys += 1
            command_id = f"start-{self.keys}"
        if rng.random() < (0.6 if sight.bases().latches else 0.3):
            cash = self.setup.cash_units // rng.choice((1, 1, 2, 3)) // self.setup.currency.minor_units
            return say.Reset(cash * self.setup.currency.minor_units, command_id, rng.choice(("", "again")))
        rows = []
        for instrument in rng.sample(self.setup.instruments, rng.randint(1, len(self.setup.instruments))):
            key = self._key(instrument)
            short = sight.closable(key, 1) > 0
            if self.setup.margin.may_short and not sight.closable(key, -1) and rng.random() < 0.3:
                short = True
            size = rng.choice((1, 2, 5)) * instrument.lot_units
            rows.append(say.Row(instrument.symbol, -size if short else size, self._near(instrument), self.product))
        return say.Import(tuple(rows), command_id, rng.choice(("", "live")))

    def _convert(self, sight: Sight, key: str) -> Command:
        """A part of a position for another product: mostly what there is, sometimes more, sometimes once more."""
        rng, (symbol, source) = self.rng, split_key(key)
        held, lot = sight.closable(key, 1) or sight.closable(key, -1), sight.markets[symbol].instrument.lot_units
        size = rng.choice((held, max(lot, held // 2 // lot * lot), lot, held + lot))
        command_id = None
        if rng.random() < 0.3:
            self.keys += 1
            command_id = f"convert-{self.keys}"
        command = say.Convert(symbol, size, source, rng.choice(self.products), command_id, rng.choice(("", "keep")))
        if command_id is not None:
            self.placed.append(command)
        return command

    def _cash(self, sight: Sight) -> Command:
        rng, instrument = self.rng, self.setup.instruments[0]
        worth = max(money.value(instrument, middle(instrument), instrument.lot_units), self.setup.currency.minor_units)
        key = None
        if rng.random() < 0.3:
            self.keys += 1
            key = f"cash-{self.keys}"
        if rng.random() < 0.5:
            return say.Deposit(worth * rng.choice((1, 5, 20)), key, rng.choice(("", "more")))
        step = self.setup.currency.minor_units
        there = max(sight.available(), sight.total() - sight.held(), 0)
        amount = rng.choice((there, worth, there // 2)) // step * step
        return say.Withdraw(max(amount, step), key, "")
