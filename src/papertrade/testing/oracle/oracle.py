"""The oracle: takes the same commands as a broker and keeps the events it thinks they make."""

from __future__ import annotations

import copy
from collections.abc import Callable
from fractions import Fraction

from papertrade.domain.events import (
    AccountOpened,
    CashDeposited,
    CashWithdrawn,
    OrderRejected,
    PositionImported,
    WithdrawalRejected,
)
from papertrade.domain.orders import OrderTerms
from papertrade.domain.position_keys import position_key, split_key
from papertrade.domain.words import AccountKind, CancelReason, CostMethod, DataKind, TimeInForce
from papertrade.errors import UsageError
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle import changing, closing, converting, resetting, settling, vocabulary, watching
from papertrade.testing.oracle.account import KILL_SWITCH, SlowAccount
from papertrade.testing.oracle.auctions import meet_auction
from papertrade.testing.oracle.filling import cancel
from papertrade.testing.oracle.hours import auction_of
from papertrade.testing.oracle.market import SlowBar, SlowMarket
from papertrade.testing.oracle.matching import meet_bar, meet_print, meet_standing
from papertrade.testing.oracle.placing import place, place_pair
from papertrade.testing.oracle.vocabulary import Command, Setup


class Oracle(SlowAccount):
    """An account that answers ``give(command)`` with the events it should make."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.keys: set[str] = set()
        kind = AccountKind.MARGIN if self.margin.marked_to_market else AccountKind.CASH
        currency, method = setup.currency, CostMethod(setup.cost_method)
        self.begin_step(self.clock)
        self.emit(AccountOpened(self.name, 1, self.now, currency.code, currency.decimals, kind, method))
        if setup.cash_units:
            self._deposit(setup.cash_units, None, "opening balance")

    def give(self, command: Command) -> None:
        """Decide a command or take a datum."""
        _DEEDS[type(command)](self, command)

    def available(self) -> int:
        """What a new order may use."""
        return super().available() - settling.withheld(self)

    # ----------------------------------------------------------------- time

    def _observe(self, at: int | None) -> int:
        """A datum of this instant is here; answers its instant. What was due before it is done first."""
        at = self.clock if at is None else at
        self.clock = max(self.clock, at)
        watching.catch_up(self, self.clock)
        return at

    def advance(self, command: vocabulary.Advance) -> None:
        """Time passes."""
        self.clock = max(self.clock, command.to)
        self.read = max(self.read, command.to)
        watching.catch_up(self, self.clock)

    def move_clock(self, command: vocabulary.MoveClock) -> None:
        """Time passes unheard."""
        self.clock = max(self.clock, command.to)
        self.read = max(self.read, command.to)

    def restart(self, command: vocabulary.Restart) -> None:
        """Forget the markets; the account is what its events say."""
        self.markets = {i.symbol: SlowMarket(i, self.setup.hours_of(i)) for i in self.setup.instruments}
        if self.setup.data_clock:
            self.clock = 0

    # ----------------------------------------------------------------- data

    def quote(self, q: vocabulary.Quote) -> None:
        """A best bid and ask."""
        at, market = self._observe(q.at), self.markets[q.symbol]
        if market.repeats(DataKind.QUOTE, q.sequence):
            return
        bids = [] if q.bid is None else [(q.bid, q.bid_size)]
        asks = [] if q.ask is None else [(q.ask, q.ask_size)]
        # A sequence number alone says what is a repetition.
        if market.take_standing(DataKind.QUOTE, bids, asks, at, q.at is None or q.sequence is not None):
            self._stand(market, at)

    def last_price(self, p: vocabulary.LastPrice) -> None:
        """A bare last price becomes a quote around it; at an end of the band one side is missing."""
        at, market = self._observe(p.at), self.markets[p.symbol]
        instrument, tick = market.instrument, market.instrument.tick_units
        half = money.up(p.price * Fraction(self.fill.half_spread_bp) / 10_000)
        lowest, highest = instrument.band_units or (0, 10**30)
        bid = max(money.down(Fraction(p.price - half), tick), tick)
        ask = money.up(Fraction(p.price + half), tick)
        bids = [(bid, None)] if p.price > lowest else []
        asks = [(ask, None)] if p.price < highest else []
        if market.take_standing(DataKind.PRICE, list(bids), list(asks), at, p.at is None):
            market.last = market.bare = p.price
            self._stand(market, at)

    def _stand(self, market: SlowMarket, at: int) -> None:
        symbol = market.instrument.symbol
        self._meet(symbol, at, lambda account: meet_standing(account, account.markets[symbol]))

    def depth(self, d: vocabulary.Depth) -> None:
        """Several levels."""
        at, market = self._observe(d.at), self.markets[d.symbol]
        if market.take_standing(DataKind.DEPTH, list(d.bids), list(d.asks), at, d.at is None):
            self._stand(market, at)

    def print(self, p: vocabulary.Print) -> None:
        """Somebody traded."""
        at, market = self._observe(p.at), self.markets[p.symbol]
        if market.repeats(DataKind.TRADE, p.sequence):
            return
        if market.take_print(p.price, p.size, at, p.at is None or p.sequence is not None):
            self._meet(p.symbol, at, lambda account: meet_print(account, account.markets[p.symbol], p.aggressor))

    def auction(self, a: vocabulary.Auction) -> None:
        """An auction made its price."""
        market = self.markets[a.symbol]
        if market.hours is None:
            raise UsageError("an auction where nothing ever opens")
        at = self._observe(a.at)
        if market.take_auction(a.kind, a.price, a.size, at, a.at is None):
            self._meet(a.symbol, at, lambda account: meet_auction(account, account.markets[a.symbol]))

    def bar(self, b: vocabulary.Bar) -> None:
        """A bar ended."""
        at, market = self._observe(b.end), self.markets[b.symbol]
        if market.take_bar(SlowBar(b.open, b.high, b.low, b.close, b.volume, at), b.start):
            self._meet(b.symbol, at, lambda account: meet_bar(account, account.markets[b.symbol]))

    def halt(self, h: vocabulary.Halt) -> None:
        """Trading stops or goes on."""
        self.markets[h.symbol].halt(h.halted)

    def _meet(self, symbol: str, at: int, meet: Callable[[Oracle], None]) -> None:
        self.begin_step(at)
        limits = self.setup.limits
        watched = self.margin.marked_to_market or limits.max_daily_loss is not None or limits.max_drawdown is not None
        if not self.bases().day and watched and symbol in [split_key(key)[0] for key in self.held_keys()]:
            watching.begin_day(self)  # it came in before anybody knew what day it was
        if not self.bases().day and self.open_orders():
            trial = self._twin()
            meet(trial)
            if len(trial.events) > len(self.events):  # what happens belongs to a day
                watching.begin_day(self)
        meet(self)
        watching.review(self)
        closing.note_fills(self)

    # ------------------------------------------------------------- commands

    def _command(self, decide: Callable[[], object], trades: bool = True) -> None:
        watching.catch_up(self, self.clock)
        self.begin_step(self.clock)
        if trades or self.bases().day:
            watching.begin_day(self)
        decide()
        watching.review(self)
        closing.note_fills(self)

    def _is_repeated(self, kind: str, key: str | None) -> bool:
        """Was this key used before? Then nothing happens."""
        if key is None:
            return False
        if f"{kind}:{key}" in self.keys:
            return True
        self.keys.add(f"{kind}:{key}")
        return False

    def place(self, command: vocabulary.Place) -> None:
        """An order."""
        terms = converting.with_product(self, command.terms)
        if terms.client_order_id is not None and f"order:{terms.client_order_id}" in self.keys:
            return
        if terms.oco_with:
            self._check_linkable(terms.key, terms.oco_with)
        self._check_day(terms)
        self._is_repeated("order", terms.client_order_id)
        self._command(lambda: place(self, terms))

    def _check_day(self, *orders: OrderTerms) -> None:
        """An order for the day needs a day: before the first datum there is none."""
        for terms in orders:
            if not self.clock and (terms.tif is TimeInForce.DAY or terms.tif.auction):
                raise UsageError("a day order before any datum")
            if not self.clock and self.markets[terms.symbol].hours is not None:
                raise UsageError("an order for a market with hours before any datum")
            if terms.tif.auction and auction_of(self.markets[terms.symbol], terms, self.clock) is None:
                raise UsageError("an order for an auction that there is not")

    def _check_linkable(self, key: str, *numbers: int) -> None:
        """What is still open can be linked, unless its partner is open too; an order that was due has expired."""
        watching.catch_up(self, self.clock)
        for number in numbers:
            order = self.orders[number]
            if not order.is_open or self.sibling(order) is not None or order.terms.tif.auction or order.key != key:
                raise UsageError(f"order {number} cannot be linked")

    def place_pair(self, command: vocabulary.PlacePair) -> None:
        """A pair: it is tried out first, and if either would be refused both are."""
        first, second = (converting.with_product(self, terms) for terms in command)
        if first.key != second.key:
            raise UsageError("two orders of one symbol and product")
        self._check_day(first, second)
        if self._is_repeated("order", first.client_order_id or second.client_order_id):
            return
        trial = self._twin()
        trial._command(lambda: place_pair(trial, first, second))
        refused = [e for e in trial.events[len(self.events) :] if isinstance(e, OrderRejected)]
        if refused:
            self._command(lambda: self._refuse_pair(first, second, refused[0]))
        else:
            self._command(lambda: place_pair(self, first, second))

    def _twin(self) -> Oracle:
        """Another oracle that stands where this one does."""
        twin = copy.copy(self)
        twin.events = list(self.events)
        twin.orders = {number: copy.copy(order) for number, order in self.orders.items()}
        twin.markets = {symbol: market.twin() for symbol, market in self.markets.items()}
        twin._moves = {key: list(moves) for key, moves in self._moves.items()}
        twin._converted = dict(self._converted)
        twin._money_events = list(self._money_events)
        twin.stages, twin.settling = list(self.stages), list(self.settling)
        return twin

    def _refuse_pair(self, first: OrderTerms, second: OrderTerms, cause: OrderRejected) -> None:
        for terms in (first, second):
            number, quantity = self.next_order, terms.quantity_units
            self.emit(
                OrderRejected(
                    self.name, self.next_version, self.now, number, terms, quantity, cause.reason, cause.numbers
                )
            )

    def link(self, command: vocabulary.Link) -> None:
        """Two orders become a pair."""
        self._check_linkable(self.orders[command.one].key, command.one, command.two)
        self._command(lambda: changing.link(self, command.one, command.two))

    def modify(self, command: vocabulary.Modify) -> None:
        """An order changes."""
        if not self._is_repeated("modify", command.command_id):
            self._command(lambda: changing.modify(self, command))

    def cancel(self, command: vocabulary.Cancel) -> None:
        """An order is canceled; one that has ended is left alone."""
        order = self.orders[command.number]
        if order.is_open:
            self._command(lambda: cancel(self, order, CancelReason.REQUESTED) if order.is_open else None)

    def cancel_all(self, command: vocabulary.CancelAll) -> None:
        """Every order is canceled."""
        self._command(lambda: changing.cancel_all(self, command.symbol))

    def close(self, command: vocabulary.Close) -> None:
        """A position is closed."""
        symbol, quantity, named = command
        product = converting.meant(self, named)
        self._command(lambda: changing.close_position(self, symbol, product, quantity))

    def close_all(self, command: vocabulary.CloseAll) -> None:
        """Everything is canceled, then every position is closed, one command each."""
        self.cancel_all(vocabulary.CancelAll())
        for symbol, product in map(split_key, sorted(self.held_keys())):
            self.close(vocabulary.Close(symbol, None, product))

    def deposit(self, command: vocabulary.Deposit) -> None:
        """Money comes in."""
        if not self._is_repeated("deposit", command.command_id):
            self._command(lambda: self._deposit(*command), trades=False)

    def _deposit(self, amount: int, command_id: str | None, note: str) -> None:
        code = self.setup.currency.code
        self.emit(CashDeposited(self.name, self.next_version, self.now, amount, code, command_id, note))

    def withdraw(self, command: vocabulary.Withdraw) -> None:
        """Money is to go out."""
        if not self._is_repeated("withdraw", command.command_id):
            self._command(lambda: self._withdraw(*command), trades=False)

    def _withdraw(self, amount: int, command_id: str | None, note: str) -> None:
        code = self.setup.currency.code
        # A margin account may have available what is not cash; only cash that has settled goes out.
        there = min(self.available(), self.total() - self.held() - settling.now_open(self).proceeds)
        version, now = self.next_version, self.now
        if amount > there:
            there = max(0, there)
            self.emit(WithdrawalRejected(self.name, version, now, amount, code, there, command_id))
        else:
            self.emit(CashWithdrawn(self.name, version, now, amount, code, command_id, note))

    def import_positions(self, command: vocabulary.Import) -> None:
        """Positions come in, each at price times quantity, beside what is held and never against it."""
        rows = [row._replace(product=converting.meant(self, row.product)) for row in command.rows]
        command = command._replace(rows=tuple(rows))
        if f"import:{command.command_id}" not in self.keys:
            watching.catch_up(self, self.clock)
            held = {key: self.quantity(key) for key in self.held_keys()}
            for row in rows:
                key = position_key(row.symbol, row.product)
                before = held.get(key, 0)
                if before * row.quantity < 0 or (row.quantity < 0 and not self.may_short(row.product)):
                    raise UsageError(f"{row} cannot come in")
                held[key] = before + row.quantity
        if not self._is_repeated("import", command.command_id):
            self._command(lambda: self._import(command))

    def _import(self, command: vocabulary.Import) -> None:
        for symbol, quantity, price, product in command.rows:
            worth = money.value(self.markets[symbol].instrument, price, abs(quantity))
            cost = worth if quantity > 0 else -worth
            about = self.name, self.next_version, self.now, symbol, quantity, price, cost
            self.emit(PositionImported(*about, self.setup.currency.code, command.command_id, command.note, product))

    def convert(self, command: vocabulary.Convert) -> None:
        """A part of a position goes over to another product."""
        if command.source == command.target:
            raise UsageError("nothing goes over to where it is")
        if f"convert:{command.command_id}" not in self.keys:
            watching.catch_up(self, self.clock)
            converting.check(self, command)
        if not self._is_repeated("convert", command.command_id):
            self._command(lambda: converting.convert(self, command))

    def reset(self, command: vocabulary.Reset) -> None:
        """Orders are canceled, and the account begins again with this cash and nothing else."""
        if not self._is_repeated("account_reset", command.command_id):
            self._command(lambda: resetting.reset(self, command))

    def kill(self, command: vocabulary.Kill) -> None:
        """The kill switch."""
        self._command(lambda: watching.throw_kill_switch(self))

    def reset_limit(self, command: vocabulary.ResetLimit) -> None:
        """A latch is opened by hand; a loss is measured anew only from an equity that is known."""
        watching.catch_up(self, self.clock)
        if command.limit != KILL_SWITCH and command.limit in self.bases().latches:
            unpriced = [key for key in self.held_keys() if self.market_of(key).mark() is None]
            if unpriced:
                raise UsageError(f"no price of {unpriced}")
        self._command(lambda: watching.reset_limit(self, command.limit))


_DEEDS: dict[type, Callable[..., None]] = {
    vocabulary.Quote: Oracle.quote,
    vocabulary.LastPrice: Oracle.last_price,
    vocabulary.Print: Oracle.print,
    vocabulary.Auction: Oracle.auction,
    vocabulary.Bar: Oracle.bar,
    vocabulary.Depth: Oracle.depth,
    vocabulary.Halt: Oracle.halt,
    vocabulary.Advance: Oracle.advance,
    vocabulary.MoveClock: Oracle.move_clock,
    vocabulary.Place: Oracle.place,
    vocabulary.PlacePair: Oracle.place_pair,
    vocabulary.Link: Oracle.link,
    vocabulary.Modify: Oracle.modify,
    vocabulary.Cancel: Oracle.cancel,
    vocabulary.CancelAll: Oracle.cancel_all,
    vocabulary.Close: Oracle.close,
    vocabulary.CloseAll: Oracle.close_all,
    vocabulary.Deposit: Oracle.deposit,
    vocabulary.Withdraw: Oracle.withdraw,
    vocabulary.Import: Oracle.import_positions,
    vocabulary.Convert: Oracle.convert,
    vocabulary.Reset: Oracle.reset,
    vocabulary.Kill: Oracle.kill,
    vocabulary.ResetLimit: Oracle.reset_limit,
    vocabulary.Restart: Oracle.restart,
}
