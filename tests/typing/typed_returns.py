"""Checked by mypy, never run: what each call answers, to the letter. None of it is Any."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_type

import papertrade as pt
from papertrade.domain.events import Event, Evidence, OrderFilled
from papertrade.hosting.delivery import Subscription
from papertrade.hosting.explaining import Explanation
from papertrade.hosting.previewing import Preview
from papertrade.ledger.entries import Entry
from papertrade.matching.market import Market
from papertrade.tape import Tape


def opening() -> None:
    """What opening answers."""
    assert_type(pt.open_paper_broker(cash=1), pt.PaperBroker)
    assert_type(pt.open_store("memory:"), pt.Store)
    assert_type(pt.units("1.5"), int)
    exchange = pt.Exchange()
    assert_type(exchange.open_account("a", cash="5"), pt.PaperBroker)
    assert_type(exchange.account("a"), pt.PaperBroker)
    assert_type(exchange.accounts(), list[str])
    assert_type(exchange.add_instrument("X", tick_size="0.05"), pt.Instrument)
    assert_type(exchange.instruments(), list[pt.Instrument])
    assert_type(exchange.next_deadline(), datetime | None)
    assert_type(exchange.tape("X"), Tape)
    assert_type(exchange.market("X"), Market)
    assert_type(exchange.describe(), Mapping[str, str])
    assert_type(pt.FillSettings.preset("strict", through_ticks=3), pt.FillSettings)


def orders(broker: pt.PaperBroker, request: pt.OrderRequest) -> None:
    """What the order surface answers."""
    order = broker.buy("AAPL", 10, limit_price="186.50", time_in_force="day")
    assert_type(order, pt.Order)
    assert_type(broker.sell("AAPL", 10.5, stop_price=Decimal(5)), pt.Order)
    assert_type(broker.place_order(request), pt.Order)
    assert_type(broker.place_oco(request, request), tuple[pt.Order, pt.Order])
    assert_type(broker.link_orders(order, "main-2"), tuple[pt.Order, pt.Order])
    assert_type(broker.preview_order(request), Preview)
    assert_type(broker.modify_order(order, quantity=5), pt.Order)
    assert_type(broker.cancel_order("main-1"), pt.Order)
    assert_type(broker.cancel_all_orders(), list[pt.Order])
    assert_type(broker.close_position("AAPL"), pt.Order)
    assert_type(broker.close_all_positions(), list[pt.Order])
    assert_type(broker.find_order("main-1"), pt.Order | None)
    assert_type(broker.orders("open"), list[pt.Order])
    assert_type(broker.order_history(order), list[Event])
    assert_type(broker.wait(order, 0.5), pt.Order)
    assert_type(broker.explain(order), Explanation)


def one_order(order: pt.Order) -> None:
    """What an order says."""
    assert_type(order.id, str)
    assert_type(order.status, pt.OrderStatus)
    assert_type(order.side, pt.Side)
    assert_type(order.type, pt.OrderType)
    assert_type(order.time_in_force, pt.TimeInForce)
    assert_type(order.quantity, Decimal)
    assert_type(order.filled_quantity, Decimal)
    assert_type(order.remaining_quantity, Decimal)
    assert_type(order.limit_price, Decimal | None)
    assert_type(order.average_price, Decimal | None)
    assert_type(order.placed_at, datetime)
    assert_type(order.triggered_at, datetime | None)
    assert_type(order.tags, dict[str, str])
    assert_type(order.reason, str | None)
    assert_type(order.compared(), dict[str, Decimal])
    assert_type(order.to_dict(), dict[str, object])
    assert_type(order.is_open, bool)
    assert_type(order.linked_order_id, str | None)


def records(broker: pt.PaperBroker) -> None:
    """Fills, positions, money, books, events."""
    fill = broker.fills()[0]
    assert_type(fill, pt.Fill)
    assert_type(fill.price, Decimal)
    assert_type(fill.fees, dict[str, Decimal])
    assert_type(fill.filled_at, datetime)
    assert_type(fill.evidence, Evidence)
    assert_type(fill.evidence_age, timedelta)
    assert_type(fill.role, pt.LiquidityRole)
    position = broker.positions()[0]
    assert_type(position, pt.Position)
    assert_type(broker.position("AAPL"), pt.Position)
    assert_type(position.average_price, Decimal | None)
    assert_type(position.unrealized, Decimal | None)
    assert_type(position.lots, tuple[pt.Lot, ...])
    account = broker.account()
    assert_type(account, pt.Account)
    assert_type(account.equity, Decimal)
    assert_type(account.day_profit, Decimal | None)
    assert_type(account.day_base, Decimal | None)
    assert_type(account.total_profit, Decimal)
    assert_type(account.at, datetime)
    assert_type(broker.deposit(5), pt.Account)
    assert_type(broker.entries(), list[Entry])
    assert_type(broker.assumptions(), list[str])
    assert_type(broker.digest(), str)
    assert_type(broker.capabilities(), pt.Capabilities)
    assert_type(broker.capabilities().order_types, frozenset[pt.OrderType])


def events(broker: pt.PaperBroker) -> None:
    """Events are a closed union: asking for the kind narrows them."""
    found = broker.events(after=3, kinds=["order_filled"])
    assert_type(found, list[Event])
    assert_type(broker.subscribe(), Subscription)
    for event in broker.subscribe(kinds="order_filled"):
        assert_type(event, Event)
        assert_type(event.version, int)
        assert_type(event.at, datetime)
        if isinstance(event, OrderFilled):
            assert_type(event, OrderFilled)
            assert_type(event.price, Decimal)


async def with_awaits(broker: pt.AsyncPaperBroker) -> None:
    """The asynchronous face answers the same, awaited."""
    assert_type(await pt.open_async_paper_broker(cash=1), pt.AsyncPaperBroker)
    order = await broker.buy("AAPL", 1, client_order_id="k")
    assert_type(order, pt.Order)
    assert_type(await broker.orders(), list[pt.Order])
    assert_type(await broker.fills(), list[pt.Fill])
    assert_type(await broker.account(), pt.Account)
    assert_type(await broker.events(), list[Event])
    assert_type(await broker.wait(order), pt.Order)
    assert_type(broker.stream(), AsyncIterator[Event])
    assert_type(broker.exchange, pt.AsyncExchange)
    async for event in broker.stream():
        assert_type(event, Event)


def through_the_protocol(broker: pt.Broker) -> None:
    """A strategy sees the same types."""
    assert_type(broker.place_order(symbol="AAPL", side="buy", quantity=1), pt.Order)
    assert_type(broker.positions(), list[pt.Position])
    assert_type(broker.account().available, Decimal)
    assert_type(broker.find_order("x"), pt.Order | None)
