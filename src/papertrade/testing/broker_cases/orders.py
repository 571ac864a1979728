"""Cases about each order type, time in force and condition."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from unittest import SkipTest

from papertrade.domain.orders import Order
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.testing.broker_cases.base import Cases
from papertrade.testing.contract import expect

DAY_S = 86_400


class OrderCases(Cases):
    """B-01 to B-22: what an order does."""

    def test_b01_market_buy(self) -> None:
        """A market buy within the displayed size fills whole, at a price, and becomes a position."""
        self.need_type(OrderType.MARKET)
        order = self.bought(10)
        expect(order.filled_quantity == 10 and not order.remaining_quantity, "a filled order filled its size", order)
        expect(order.average_price, "a filled order has an average price above zero", order.average_price)
        expect(self.held() == 10, "a filled buy becomes a position", self.held())

    def test_b02_market_sell(self) -> None:
        """A market sell of what is held closes the position."""
        self.need_type(OrderType.MARKET)
        self.bought(10)
        order = self.ended(self.sell(10), "filled", "a market sell within the displayed size fills")
        expect(order.side == "sell" and order.average_price, "a sell is told as a sell, with its price", order)
        position = self.broker.position(self.symbol)
        expect(position.is_flat and not self.broker.positions(), "what was sold is not held any more", position)

    def test_b03_limit_waits(self) -> None:
        """A limit order away from the market is accepted and waits: nothing filled, no average price."""
        self.need_type(OrderType.LIMIT)
        order = self.resting(10, "99.00")
        expect(order.limit_price == Decimal("99.00"), "an order keeps its limit price", order.limit_price)
        expect(order.average_price is None, "what has not filled has no average price", order.average_price)
        expect(order.remaining_quantity == 10, "what has not filled remains", order)

    def test_b04_resting_limit_fills(self) -> None:
        """A resting limit fills when the market comes to it, never worse than its limit."""
        self.need_type(OrderType.LIMIT)
        order = self.resting(10, "99.00")
        self.quote("98.90", "98.94")
        filled = self.ended(order, "filled", "a limit that the market passed fills")
        expect((filled.average_price or 0) <= Decimal("99.00"), "a buy limit never pays more than its limit", filled)
        expect((filled.average_price or 0) > 0, "a filled order has an average price above zero", filled)

    def test_b05_limit_fills_on_a_trade(self) -> None:
        """A resting limit fills when others trade beyond it."""
        self.need_type(OrderType.LIMIT)
        order = self.resting(10, "99.00")
        self.under.market.trade(self.symbol, "98.50", "500")
        self.ended(order, "filled", "a limit that others traded through fills")
        expect(self.held() == 10, "the fill becomes a position", self.held())

    def test_b06_limit_canceled(self) -> None:
        """A resting order that is canceled ends canceled, with all of it canceled, and never fills."""
        self.need_type(OrderType.LIMIT)
        order = self.resting(10, "99.00")
        answer = self.broker.cancel_order(order.id)
        done = self.ended(answer, "canceled", "a canceled order ends canceled")
        expect(done.id == order.id, "cancel answers the order it was about", done.id, order.id)
        expect(not done.remaining_quantity and not done.filled_quantity, "nothing of it remains or filled", done)
        self.quote("98.00", "98.04")
        now = self.broker.order(order.id)
        expect(now.status == "canceled" and not self.held(), "a canceled order never fills", now)

    def test_b07_marketable_limit(self) -> None:
        """A limit at or beyond the market fills at once, at its limit or better."""
        self.need_type(OrderType.LIMIT)
        order = self.ended(self.buy(10, limit_price="101.00"), "filled", "a marketable limit fills")
        expect(0 < (order.average_price or 0) <= 101, "at its limit or better", order.average_price)
        expect(order.type is OrderType.LIMIT, "it is still a limit order", order.type)

    def test_b08_stop(self) -> None:
        """A stop waits untriggered beyond the market, then fills; its trigger is told and stays."""
        self.need_type(OrderType.MARKET, OrderType.STOP)
        self.bought(10)
        order = self.working(self.sell(10, stop_price="98.00"))
        expect(order.triggered_at is None, "a stop that waits has not triggered", order.triggered_at)
        self.quote("97.50", "97.54")
        filled = self.ended(order, "filled", "a stop that the market passed fills")
        expect(filled.triggered_at is not None, "a stop that filled was triggered", filled.triggered_at)
        expect(not self.held(), "the stop closed the position", self.held())

    def test_b09_stop_limit(self) -> None:
        """A stop-limit that triggers beyond its limit waits as a limit, does not forget, and never fills worse."""
        self.need_type(OrderType.MARKET, OrderType.STOP_LIMIT)
        self.bought(10)
        order = self.working(self.sell(10, stop_price="98.00", limit_price="97.80"))
        self.quote("97.00", "97.04")
        fired = self.until(order, "a stop-limit that the market passed triggers", lambda o: o.triggered_at is not None)
        expect(fired.is_open and not fired.filled_quantity, "beyond its limit it does not fill", fired)
        self.quote("97.90", "97.94")
        filled = self.ended(order, "filled", "back within its limit it fills")
        expect((filled.average_price or 0) >= Decimal("97.80"), "a sell limit never gets less", filled)
        expect(filled.triggered_at == fired.triggered_at, "a trigger happens once", filled.triggered_at)

    def test_b10_ioc(self) -> None:
        """An ioc order takes what is there and ends: nothing of it is left open."""
        self.need_type(OrderType.LIMIT)
        self.need_tif(TimeInForce.IOC)
        away = self.ended(self.buy(10, limit_price="99.00", time_in_force="ioc"), "canceled", "an ioc never waits")
        expect(not away.filled_quantity and not away.remaining_quantity, "away from the market it gets nothing", away)
        near = self.ended(self.buy(10, limit_price="101.00", time_in_force="ioc"), "filled", "what is there is taken")
        expect(near.filled_quantity == 10, "all that was there", near)

    def test_b11_ioc_takes_a_part(self) -> None:
        """An ioc order larger than what is displayed fills that much; the rest of it is canceled."""
        self.need_type(OrderType.LIMIT)
        self.need_tif(TimeInForce.IOC)
        self.quote(ask_size="4")
        order = self.buy(10, limit_price="101.00", time_in_force="ioc")
        now = self.until(order, "an ioc order never waits", lambda o: o.is_final)
        expect(now.filled_quantity == 4 and now.canceled_quantity == 6, "a part filled, the rest was canceled", now)
        expect(now.status == "canceled" and not now.remaining_quantity, "and it is final", now)

    def test_b12_fok(self) -> None:
        """A fok order fills whole or not at all."""
        self.need_type(OrderType.LIMIT)
        self.need_tif(TimeInForce.FOK)
        self.quote(ask_size="4")
        order = self.buy(10, limit_price="101.00", time_in_force="fok")
        now = self.until(order, "a fok order never waits", lambda o: o.is_final)
        expect(not now.filled_quantity and not self.held(), "a fok order never fills in part", now)
        self.ended(self.buy(3, limit_price="101.00", time_in_force="fok"), "filled", "a fok order that fits fills")

    def test_b13_gtd(self) -> None:
        """A gtd order ends expired once its instant has come, and not before."""
        self.need_type(OrderType.LIMIT)
        self.need_tif(TimeInForce.GTD)
        until = self.broker.account().at + timedelta(seconds=60)
        order = self.resting(10, "99.00", time_in_force="gtd", expires_at=until)
        expect(order.expires_at == until, "an order keeps its expiry", order.expires_at, until)
        self.under.market.advance(30)
        expect(self.broker.order(order.id).is_open, "it stands until its instant", self.broker.order(order.id))
        self.under.market.advance(31)
        self.ended(order, "expired", "after its instant it is expired")

    def test_b14_day(self) -> None:
        """A day order does not outlive its trading day."""
        self.need_type(OrderType.LIMIT)
        self.need_tif(TimeInForce.DAY)
        order = self.resting(10, "99.00", time_in_force="day")
        self.under.market.advance(2 * DAY_S)
        done = self.ended(order, "expired", "a day order is expired after its day")
        expect(not done.remaining_quantity, "nothing of it remains", done)

    def test_b15_gtc(self) -> None:
        """A gtc order stands until it is canceled, however many days go by."""
        self.need_type(OrderType.LIMIT)
        self.need_tif(TimeInForce.GTC)
        order = self.resting(10, "99.00", time_in_force="gtc")
        self.under.market.advance(3 * DAY_S)
        expect(self.broker.order(order.id).is_open, "a gtc order outlives the day", self.broker.order(order.id))

    def test_b16_post_only(self) -> None:
        """A post-only order that would take liquidity is refused; one that would not waits."""
        self.need_type(OrderType.LIMIT)
        self.need(self.can.post_only, "post-only orders")
        taking = self.buy(10, limit_price="101.00", post_only=True)
        now = self.until(taking, "a post-only order that would take is refused", lambda o: o.is_final)
        expect(not now.filled_quantity and now.reason, "a post-only order never takes", now)
        expect(self.resting(10, "99.00", post_only=True).post_only, "it is told as post-only")

    def test_b17_reduce_only_needs_a_position(self) -> None:
        """A reduce-only order with nothing to reduce does not open a position."""
        self.need_type(OrderType.MARKET)
        self.need(self.can.reduce_only, "reduce-only orders")
        order = self.until(self.sell(5, reduce_only=True), "it ends at once", lambda o: o.is_final)
        expect(not order.filled_quantity and order.reason, "nothing to reduce, nothing filled, and why", order)
        expect(not self.held(), "a reduce-only order never opens a position", self.held())

    def test_b18_reduce_only_never_flips(self) -> None:
        """A reduce-only order larger than the position closes it and goes no further."""
        self.need_type(OrderType.MARKET)
        self.need(self.can.reduce_only, "reduce-only orders")
        self.bought(5)
        order = self.until(self.sell(8, reduce_only=True), "it ends", lambda o: o.is_final)
        expect(order.filled_quantity == 5 and not self.held(), "it fills what there was to reduce", order, self.held())

    def test_b19_oco(self) -> None:
        """Of two linked orders, the fill of one cancels the other."""
        self.need_type(OrderType.MARKET, OrderType.LIMIT, OrderType.STOP)
        self.need(self.can.linked_orders, "linked orders")
        self.bought(10)
        target = self.working(self.sell(10, limit_price="103.00"))
        stop = self.working(self.sell(10, stop_price="97.00", oco_with=target.id))
        linked = self.broker.order(target.id).linked_order_id, stop.linked_order_id
        expect(linked == (stop.id, target.id), "linked orders name each other", *linked)
        self.quote("103.10", "103.14")
        self.ended(target, "filled", "the limit that the market passed fills")
        self.ended(stop, "canceled", "its linked order is canceled")
        self.quote("96.00", "96.04")
        expect(not self.held(), "only one of two linked orders trades", self.held())

    def test_b20_notional(self) -> None:
        """An order sized by money buys as much as the money pays for, and not more."""
        self.need_type(OrderType.MARKET)
        self.need(self.can.notional_orders, "orders by notional")
        order = self.ended(self.buy(None, notional="1000"), "filled", "a market order by notional fills")
        spent = (order.average_price or 0) * order.filled_quantity
        expect(0 < spent <= 1000, "it spends at most its notional", spent)
        expect(order.notional == 1000, "an order keeps its notional", order.notional)

    def test_b21_partial_fill(self) -> None:
        """A limit larger than what is displayed fills in part, says so, and goes on with what remains."""
        self.need_type(OrderType.LIMIT)
        order = self.partly_filled()
        expect(order.filled_quantity == 4 and order.remaining_quantity == 6, "filled and remaining add up", order)
        self.quote("98.90", "98.94")
        done = self.ended(order, "filled", "the rest fills when the market comes again")
        expect(done.filled_quantity == 10, "all of it", done)

    def test_b22_flip(self) -> None:
        """A sell larger than the position closes it and opens the other side."""
        self.need_type(OrderType.MARKET)
        self.need(self.can.short_selling, "short selling")
        self.bought(5)
        self.ended(self.sell(8), "filled", "a market sell fills")
        expect(self.held() == -3, "five were closed, three are short", self.held())

    def partly_filled(self) -> Order:
        """A buy limit for 10 of which 4 have filled."""
        self.quote(ask_size="4")
        order = self.buy(10, limit_price="100.02")
        now = self.until(order, "a part of it fills", lambda o: o.filled_quantity > 0)
        if now.filled_quantity == 10:
            raise SkipTest("this market fills beyond the displayed size")
        expect(now.status == "partially_filled", "a part filled: partially_filled", now)
        return now
