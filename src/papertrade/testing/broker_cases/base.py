"""What every case stands on: the broker under test, the market it trades in, and how a broken promise is told.

A case names what it needs by capability and is skipped where the broker does not offer it. It waits for what a broker
may do later (``ended``, ``until``) instead of expecting it at once, so that a broker at the end of a wire can pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, Unpack
from unittest import SkipTest

import attrs

from papertrade.domain.numbers import Number
from papertrade.domain.orders import Order
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.ports.broker import Broker, Capabilities, OrderOptions
from papertrade.testing.contract import ContractViolation, expect


class MarketHandle(Protocol):
    """What the kit asks of the market behind a broker. The adapter under test implements it."""

    def quote(self, symbol: str, bid: str, ask: str, bid_size: str, ask_size: str) -> None:
        """Make this the best bid and ask. What is displayed is all there is."""
        ...

    def trade(self, symbol: str, price: str, size: str) -> None:
        """Let somebody else trade."""
        ...

    def advance(self, seconds: int) -> None:
        """Let time pass, and let the broker do what is due by then."""
        ...


@attrs.frozen
class BrokerUnderTest:
    """A broker with an account that is flat, has no orders and between 50,000 and 1,000,000 in cash, and its market.

    Both symbols have a tick of 0.01, a lot of 1, and are quoted in the account's currency.
    """

    broker: Broker
    market: MarketHandle
    symbol: str = "AAPL"
    other_symbol: str = "MSFT"


class Cases:
    """The ground of all cases: opening, closing, and the words in which they are written."""

    patience_s: float = 5
    """How long a broker may take for what it does later."""
    under: BrokerUnderTest

    def open(self) -> BrokerUnderTest:
        """A broker with a fresh account, for one case."""
        raise NotImplementedError("a contract test defines open() -> BrokerUnderTest")

    def close(self) -> None:
        """Let go of what ``open`` opened."""

    def setup_method(self, method: object = None) -> None:
        """Before each case: a fresh broker, and a quote for both symbols."""
        self.under = self.open()
        self.quote()
        self.under.market.quote(self.other_symbol, "49.99", "50.01", "1000", "1000")

    def teardown_method(self, method: object = None) -> None:
        """After each case."""
        self.close()

    # ------------------------------------------------------------- the words

    @property
    def broker(self) -> Broker:
        """The broker under test."""
        return self.under.broker

    @property
    def symbol(self) -> str:
        """The symbol that most cases trade."""
        return self.under.symbol

    @property
    def other_symbol(self) -> str:
        """Another one."""
        return self.under.other_symbol

    @property
    def can(self) -> Capabilities:
        """What the broker says it can do."""
        return self.broker.capabilities()

    @property
    def tif(self) -> TimeInForce:
        """A time in force under which an order rests, for cases that do not care which."""
        return TimeInForce.GTC if TimeInForce.GTC in self.can.times_in_force else TimeInForce.DAY

    def need(self, offered: bool, what: str) -> None:
        """Skip the case where the broker does not offer this."""
        self.only_if(offered, f"the broker does not offer {what}")

    def only_if(self, truth: bool, why_not: str) -> None:
        """Skip the case unless this is so."""
        if not truth:
            raise SkipTest(why_not)

    def need_type(self, *types: OrderType) -> None:
        """Skip the case where the broker lacks one of these order types."""
        for kind in types:
            self.need(kind in self.can.order_types, f"{kind} orders")

    def need_tif(self, tif: TimeInForce) -> None:
        """Skip the case where the broker lacks this time in force."""
        self.need(tif in self.can.times_in_force, f"time in force {tif}")

    def quote(self, bid: str = "99.98", ask: str = "100.02", bid_size: str = "1000", ask_size: str = "1000") -> None:
        """The market of the first symbol moves."""
        self.under.market.quote(self.symbol, bid, ask, bid_size, ask_size)

    def buy(self, quantity: Number | None = 10, **fields: Unpack[OrderOptions]) -> Order:
        """Place a buy order in the first symbol."""
        return self.order("buy", self.symbol, quantity, fields)

    def sell(self, quantity: Number | None = 10, **fields: Unpack[OrderOptions]) -> Order:
        """Place a sell order in the first symbol."""
        return self.order("sell", self.symbol, quantity, fields)

    def order(self, side: str, symbol: str, quantity: Number | None, fields: OrderOptions) -> Order:
        """Place an order; it may rest unless the case says otherwise."""
        fields.setdefault("time_in_force", self.tif)
        return self.broker.place_order(symbol=symbol, side=side, quantity=quantity, **fields)

    def bought(self, quantity: Number = 10) -> Order:
        """Hold this many of the first symbol."""
        return self.ended(self.buy(quantity), "filled", "a market buy within the displayed size fills")

    def resting(self, quantity: Number, price: str, **fields: Unpack[OrderOptions]) -> Order:
        """A buy limit below the market that waits."""
        fields["limit_price"] = price
        return self.working(self.order("buy", self.symbol, quantity, fields))

    # ------------------------------------------------------ what comes later

    def pause(self, seconds: float) -> None:
        """Let the broker get on with it."""
        time.sleep(seconds)

    def until(self, order: Order, rule: str, truth: Callable[[Order], bool]) -> Order:
        """The order as soon as this is true of it; a violation once patience is at its end."""
        end = time.monotonic() + self.patience_s
        while True:
            now = self.broker.order(order.id)
            if truth(now):
                return now
            if time.monotonic() >= end:
                raise ContractViolation(rule, now)
            self.pause(0.01)

    def ended(self, order: Order, status: str, rule: str) -> Order:
        """The order once it has ended, which must be with this status."""
        now = order if order.is_final else self.broker.wait(order.id, timeout_s=self.patience_s)
        expect(now.status == status, rule, now)
        return now

    def working(self, order: Order) -> Order:
        """The order once the broker has accepted it, which must not have ended it or filled any of it."""
        now = self.until(order, "an accepted order leaves pending", lambda o: o.status != "pending")
        expect(now.status == "accepted" and now.is_open, "an order away from the market waits, accepted", now)
        expect(not now.filled_quantity, "an order away from the market fills nothing", now)
        return now

    def held(self) -> Decimal:
        """How much of the first symbol the account holds now."""
        return self.broker.position(self.symbol).quantity
