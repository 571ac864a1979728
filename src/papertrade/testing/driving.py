"""The commands of the oracle's vocabulary, given to the real thing: an exchange with one account."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import Event
from papertrade.domain.numbers import to_decimal
from papertrade.domain.orders import OrderRequest, OrderTerms
from papertrade.exchange import Exchange
from papertrade.paper import PaperBroker
from papertrade.ports.clock import Clock, ManualClock
from papertrade.testing.asked import request_of_terms
from papertrade.testing.oracle import vocabulary
from papertrade.testing.oracle.vocabulary import Command, Setup


class Giver:
    """Gives commands to one account and data to its exchange, and answers what they answer."""

    exchange: Exchange
    broker: PaperBroker

    def give(self, command: Command) -> object:
        """Give a command to the broker, or a datum to the exchange."""
        return _DEEDS[type(command)](self, command)

    def order_id(self, number: int) -> str:
        """The public id of an order."""
        return f"{self.broker.account_id}-{number}"

    def request(self, terms: OrderTerms) -> OrderRequest:
        """The request that is understood as these terms."""
        return request_of_terms(terms, self.order_id(terms.oco_with) if terms.oco_with else None)

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

    def auction(self, a: vocabulary.Auction) -> None:
        """An auction made its price."""
        self.exchange.on_auction(a.symbol, to_decimal(a.price), _maybe(a.size), auction=a.kind, at=a.at)

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

    # ------------------------------------------------------------- commands

    def place(self, p: vocabulary.Place) -> object:
        """An order."""
        return self.broker.place_order(self.request(p.terms))

    def place_pair(self, p: vocabulary.PlacePair) -> object:
        """Two linked orders."""
        return self.broker.place_oco(self.request(p.first), self.request(p.second))

    def link(self, p: vocabulary.Link) -> object:
        """Two open orders become a pair."""
        return self.broker.link_orders(self.order_id(p.one), self.order_id(p.two))

    def modify(self, m: vocabulary.Modify) -> object:
        """An order changes."""
        return self.broker.modify_order(
            self.order_id(m.number),
            quantity=_maybe(m.quantity),
            limit_price=_maybe(m.limit),
            stop_price=_maybe(m.stop),
            expires_at=m.expires,
            command_id=m.command_id,
        )

    def cancel(self, c: vocabulary.Cancel) -> object:
        """An order is canceled."""
        return self.broker.cancel_order(self.order_id(c.number))

    def cancel_all(self, c: vocabulary.CancelAll) -> object:
        """Every order is canceled."""
        return self.broker.cancel_all_orders(c.symbol)

    def close(self, c: vocabulary.Close) -> object:
        """A position is closed."""
        return self.broker.close_position(c.symbol, _maybe(c.quantity), product=c.product or None)

    def close_all(self, _: vocabulary.CloseAll) -> object:
        """Everything is closed."""
        return self.broker.close_all_positions()

    def deposit(self, d: vocabulary.Deposit) -> object:
        """Money comes in."""
        return self.broker.deposit(to_decimal(d.amount), command_id=d.command_id, note=d.note)

    def withdraw(self, w: vocabulary.Withdraw) -> object:
        """Money goes out."""
        return self.broker.withdraw(to_decimal(w.amount), command_id=w.command_id, note=w.note)

    def import_positions(self, i: vocabulary.Import) -> object:
        """Positions come in."""
        rows = [
            {"symbol": symbol, "quantity": to_decimal(quantity), "average_price": to_decimal(price)}
            | ({"product": product} if product else {})
            for symbol, quantity, price, product in i.rows
        ]
        return self.broker.import_positions(rows, command_id=i.command_id, note=i.note)

    def convert(self, c: vocabulary.Convert) -> object:
        """A position goes over to another product."""
        products = {"from_product": c.source, "to_product": c.target}
        size = to_decimal(c.quantity)
        return self.broker.convert_position(c.symbol, size, **products, command_id=c.command_id, note=c.note)

    def reset(self, r: vocabulary.Reset) -> object:
        """The account begins again."""
        return self.broker.reset(to_decimal(r.cash), command_id=r.command_id, note=r.note)

    def kill(self, _: vocabulary.Kill) -> object:
        """The kill switch."""
        return self.broker.kill()

    def reset_limit(self, r: vocabulary.ResetLimit) -> object:
        """A latch is opened."""
        return self.broker.reset_limit(r.limit)


class Driven(Giver):
    """An exchange, its one account, and the store that outlives them."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.store = MemoryStore()
        self.manual = ManualClock(setup.start_ns)
        self._seen = 0
        self.open()

    def open(self) -> None:
        """Open the exchange and the account, as a process does when it starts."""
        setup = self.setup
        clock: Clock | str = "data" if setup.data_clock else self.manual
        self.exchange = Exchange(self.store, clock, fill=setup.fill, threadsafe=False)
        if setup.hours is not None:
            self.exchange.use_calendar(setup.hours)
        for instrument in setup.instruments:
            self.exchange.add_instrument(instrument)
        self.broker = open_set_up(self.exchange, setup)

    def new_events(self) -> list[Event]:
        """What was stored since this was last asked."""
        found = list(self.store.load(self.setup.account, self._seen + 1))
        self._seen += len(found)
        return found

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


def open_set_up(exchange: Exchange, setup: Setup, *, exclusive: bool = False) -> PaperBroker:
    """Open an account with the rules of a setup, all its own."""
    return exchange.open_account(
        setup.account,
        cash=to_decimal(setup.cash_units),
        currency=setup.currency,
        kind="margin" if setup.margin.marked_to_market else "cash",
        margin=setup.margin,
        fees=setup.fees,
        limits=setup.limits,
        fill=setup.fill,
        cost_method=setup.cost_method,
        trading_day=setup.trading_day,
        exclusive=exclusive,
        outside_hours=setup.outside_hours,
        square_off=setup.square_off,
        equity_points=setup.equity_points,
        settlement=setup.settlement,
        products=setup.products or None,
    )


def _maybe(units: int | None) -> Decimal | None:
    return None if units is None else to_decimal(units)


_DEEDS: dict[type, Callable[..., object]] = {
    vocabulary.Quote: Giver.quote,
    vocabulary.LastPrice: Giver.last_price,
    vocabulary.Print: Giver.print,
    vocabulary.Auction: Giver.auction,
    vocabulary.Bar: Giver.bar,
    vocabulary.Depth: Giver.depth,
    vocabulary.Halt: Giver.halt,
    vocabulary.Advance: Driven.advance,
    vocabulary.MoveClock: Driven.move_clock,
    vocabulary.Restart: Driven.restart,
    vocabulary.Place: Giver.place,
    vocabulary.PlacePair: Giver.place_pair,
    vocabulary.Link: Giver.link,
    vocabulary.Modify: Giver.modify,
    vocabulary.Cancel: Giver.cancel,
    vocabulary.CancelAll: Giver.cancel_all,
    vocabulary.Close: Giver.close,
    vocabulary.CloseAll: Giver.close_all,
    vocabulary.Deposit: Giver.deposit,
    vocabulary.Withdraw: Giver.withdraw,
    vocabulary.Import: Giver.import_positions,
    vocabulary.Convert: Giver.convert,
    vocabulary.Reset: Giver.reset,
    vocabulary.Kill: Giver.kill,
    vocabulary.ResetLimit: Giver.reset_limit,
}
