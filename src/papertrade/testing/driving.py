"""The commands of the oracle's vocabulary, given to the real thing: an exchange with one account."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import Event
from papertrade.domain.numbers import to_decimal
from papertrade.domain.orders import OrderRequest, OrderTerms
from papertrade.domain.words import Side
from papertrade.exchange import Exchange
from papertrade.paper import PaperBroker
from papertrade.ports.clock import Clock, ManualClock
from papertrade.testing.oracle import vocabulary
from papertrade.testing.oracle.vocabulary import Command, Setup


class Driven:
    """An exchange, its one account, and the store that outlives them."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.store = MemoryStore()
        self.manual = ManualClock(setup.start_ns)
        self.exchange: Exchange
        self.broker: PaperBroker
        self._seen = 0
        self.open()

    def open(self) -> None:
        """Open the exchange and the account, as a process does when it starts."""
        setup = self.setup
        clock: Clock | str = "data" if setup.data_clock else self.manual
        self.exchange = Exchange(self.store, clock, fill=setup.fill, threadsafe=False)
        for instrument in setup.instruments:
            self.exchange.add_instrument(instrument)
        self.broker = self.exchange.open_account(
            setup.account,
            cash=to_decimal(setup.cash_units),
            currency=setup.currency,
            kind="margin" if setup.margin.marked_to_market else "cash",
            margin=setup.margin,
            fees=setup.fees,
            limits=setup.limits,
            cost_method=setup.cost_method,
            trading_day=setup.trading_day,
        )

    def give(self, command: Command) -> None:
        """Give a command to the broker, or a datum to the exchange."""
        _DEEDS[type(command)](self, command)

    def new_events(self) -> list[Event]:
        """What was stored since this was last asked."""
        found = list(self.store.load(self.setup.account, self._seen + 1))
        self._seen += len(found)
        return found

    def order_id(self, number: int) -> str:
        """The public id of an order."""
        return f"{self.setup.account}-{number}"

    def request(self, terms: OrderTerms) -> OrderRequest:
        """The request that is understood as these terms."""
        return OrderRequest(
            symbol=terms.symbol,
            side=Side.BUY if terms.sign > 0 else Side.SELL,
            quantity=_maybe(terms.quantity_units or None),
            notional=_maybe(terms.notional_units),
            limit_price=_maybe(terms.limit_units),
            stop_price=_maybe(terms.stop_units),
            time_in_force=terms.tif,
            expires_at=terms.expires_ns,
            post_only=terms.post_only,
            reduce_only=terms.reduce_only,
            oco_with=self.order_id(terms.oco_with) if terms.oco_with else None,
            client_order_id=terms.client_order_id,
            tags=dict(terms.tags),
        )

    # ----------------------------------------------------------------- data

    def quote(self, q: vocabulary.Quote) -> None:
        """A best bid and ask."""
        best = (_maybe(q.bid), _maybe(q.ask), _maybe(q.bid_size), _maybe(q.ask_size))
        self.exchange.on_quote(q.symbol, *best, at=q.at, sequence=q.sequence)

    def last_price(self, p: vocabulary.LastPrice) -> None:
        """A bare last price."""
        self.exchange.on_price(p.symbol, to_decimal(p.price), at=p.at)

    def print(self, p: vocabulary.Print) -> None:
        """A trade in the market."""
        aggressor = {1: "buy", -1: "sell", 0: None}[p.aggressor]
        price, size = to_decimal(p.price), _maybe(p.size)
        self.exchange.on_trade(p.symbol, price, size, aggressor, at=p.at, sequence=p.sequence)

    def bar(self, b: vocabulary.Bar) -> None:
        """A finished bar."""
        open_, high, low, close = (to_decimal(price) for price in (b.open, b.high, b.low, b.close))
        self.exchange.on_bar(b.symbol, open_, high, low, close, _maybe(b.volume), b.start, b.end)

    def depth(self, d: vocabulary.Depth) -> None:
        """Several levels."""
        bids, asks = ([(to_decimal(price), to_decimal(size)) for price, size in side] for side in (d.bids, d.asks))
        self.exchange.on_depth(d.symbol, bids, asks, at=d.at)

    def halt(self, h: vocabulary.Halt) -> None:
        """Trading stops or goes on."""
        if h.halted:
            self.exchange.on_halt(h.symbol)
        else:
            self.exchange.on_resume(h.symbol)

    def advance(self, a: vocabulary.Advance) -> None:
        """Time passes."""
        if self.setup.data_clock:
            self.exchange.advance(a.to)
        else:
            self.manual.set(max(a.to, self.manual.now_ns()))
            self.exchange.advance()

    def move_clock(self, m: vocabulary.MoveClock) -> None:
        """Time passes unheard."""
        self.manual.set(max(m.to, self.manual.now_ns()))

    def restart(self, _: vocabulary.Restart) -> None:
        """Another process opens the same store."""
        self.open()

    # ------------------------------------------------------------- commands

    def place(self, p: vocabulary.Place) -> None:
        """An order."""
        self.broker.place_order(self.request(p.terms))

    def place_pair(self, p: vocabulary.PlacePair) -> None:
        """Two linked orders."""
        self.broker.place_oco(self.request(p.first), self.request(p.second))

    def link(self, p: vocabulary.Link) -> None:
        """Two open orders become a pair."""
        self.broker.link_orders(self.order_id(p.one), self.order_id(p.two))

    def modify(self, m: vocabulary.Modify) -> None:
        """An order changes."""
        self.broker.modify_order(
            self.order_id(m.number),
            quantity=_maybe(m.quantity),
            limit_price=_maybe(m.limit),
            stop_price=_maybe(m.stop),
            expires_at=m.expires,
            command_id=m.command_id,
        )

    def cancel(self, c: vocabulary.Cancel) -> None:
        """An order is canceled."""
        self.broker.cancel_order(self.order_id(c.number))

    def cancel_all(self, c: vocabulary.CancelAll) -> None:
        """Every order is canceled."""
        self.broker.cancel_all_orders(c.symbol)

    def close(self, c: vocabulary.Close) -> None:
        """A position is closed."""
        self.broker.close_position(c.symbol, _maybe(c.quantity))

    def close_all(self, _: vocabulary.CloseAll) -> None:
        """Everything is closed."""
        self.broker.close_all_positions()

    def deposit(self, d: vocabulary.Deposit) -> None:
        """Money comes in."""
        self.broker.deposit(to_decimal(d.amount), command_id=d.command_id, note=d.note)

    def withdraw(self, w: vocabulary.Withdraw) -> None:
        """Money goes out."""
        self.broker.withdraw(to_decimal(w.amount), command_id=w.command_id, note=w.note)

    def kill(self, _: vocabulary.Kill) -> None:
        """The kill switch."""
        self.broker.kill()

    def reset_limit(self, r: vocabulary.ResetLimit) -> None:
        """A latch is opened."""
        self.broker.reset_limit(r.limit)


def _maybe(units: int | None) -> Decimal | None:
    return None if units is None else to_decimal(units)


_DEEDS: dict[type, Callable[..., None]] = {
    vocabulary.Quote: Driven.quote,
    vocabulary.LastPrice: Driven.last_price,
    vocabulary.Print: Driven.print,
    vocabulary.Bar: Driven.bar,
    vocabulary.Depth: Driven.depth,
    vocabulary.Halt: Driven.halt,
    vocabulary.Advance: Driven.advance,
    vocabulary.MoveClock: Driven.move_clock,
    vocabulary.Restart: Driven.restart,
    vocabulary.Place: Driven.place,
    vocabulary.PlacePair: Driven.place_pair,
    vocabulary.Link: Driven.link,
    vocabulary.Modify: Driven.modify,
    vocabulary.Cancel: Driven.cancel,
    vocabulary.CancelAll: Driven.cancel_all,
    vocabulary.Close: Driven.close,
    vocabulary.CloseAll: Driven.close_all,
    vocabulary.Deposit: Driven.deposit,
    vocabulary.Withdraw: Driven.withdraw,
    vocabulary.Kill: Driven.kill,
    vocabulary.ResetLimit: Driven.reset_limit,
}
