"""Checked by mypy, never run: common mistakes are errors. Each ignore would be reported as unused if it were none."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import papertrade as pt
from papertrade.matching.models import Candidate


def calls(broker: pt.PaperBroker, request: pt.OrderRequest) -> None:
    """Arguments that do not fit."""
    broker.buy()  # type: ignore[call-arg]
    broker.buy("AAPL", quantity=[1])  # type: ignore[arg-type]
    broker.buy("AAPL", 1, price="5")  # type: ignore[call-arg]
    broker.buy("AAPL", 1, limit_price=datetime(2026, 1, 1))  # type: ignore[arg-type]  # noqa: DTZ001
    broker.buy("AAPL", 1, tags=["a"])  # type: ignore[arg-type]
    broker.place_order("AAPL", "buy", 1)  # type: ignore[call-arg, arg-type]
    broker.place_order(symbol="AAPL", side=1, quantity=1)  # type: ignore[arg-type]
    broker.place_oco(request)  # type: ignore[call-arg]
    broker.modify_order("main-1", 5)  # type: ignore[call-arg]
    broker.cancel_order(1)  # type: ignore[arg-type]
    broker.wait("main-1", "soon")  # type: ignore[arg-type]
    broker.on_quote("AAPL", bid="1")  # type: ignore[call-arg]
    broker.on_bar("AAPL", 1, 2, 3)  # type: ignore[call-arg]
    broker.deposit(None)  # type: ignore[arg-type]
    broker.subscribe("order_filled")  # type: ignore[arg-type]
    pt.open_paper_broker(100_000)  # type: ignore[call-arg]
    pt.open_paper_broker(cash=[1])  # type: ignore[arg-type]
    pt.OrderRequest("AAPL", "buy")  # type: ignore[call-arg]


def answers(broker: pt.PaperBroker, order: pt.Order) -> None:
    """Answers taken for what they are not."""
    price: Decimal = order.average_price  # type: ignore[assignment]
    number: float = order.quantity  # type: ignore[assignment]
    order_id: int = order.id  # type: ignore[assignment]
    found: pt.Order = broker.find_order("main-1")  # type: ignore[assignment]
    broker.orders().status  # type: ignore[attr-defined]  # noqa: B018
    order.avg_price  # type: ignore[attr-defined]  # noqa: B018
    order.quantity + 1.5  # type: ignore[operator]
    _ = (price, number, order_id, found)


def changes(order: pt.Order, position: pt.Position, request: pt.OrderRequest, fill: pt.Fill) -> None:
    """Records are read, not written."""
    request.quantity = 5  # type: ignore[misc]
    order.id = "x"  # type: ignore[misc]
    order.quantity = Decimal(5)  # type: ignore[misc]
    order.side = pt.Side.SELL  # type: ignore[misc]
    position.symbol = "x"  # type: ignore[misc]
    fill.fees = {}  # type: ignore[misc]


async def awaits(broker: pt.AsyncPaperBroker, exchange: pt.AsyncExchange) -> None:
    """A forgotten await is seen."""
    order = broker.buy("AAPL", 1)
    order.status  # type: ignore[attr-defined]  # noqa: B018
    exchange.open_account("a").buy("AAPL", 1)  # type: ignore[attr-defined]
    await broker.capabilities()  # type: ignore[misc]
    await order


def faces(paper: pt.PaperBroker, aio: pt.AsyncPaperBroker) -> None:
    """The two faces are not each other."""
    sync_broker: pt.Broker = aio  # type: ignore[assignment]
    async_broker: pt.AsyncBroker = paper  # type: ignore[assignment]
    _ = (sync_broker, async_broker)


class NoName:
    """A slippage model that reports cannot name."""

    def slip(self, candidate: Candidate) -> int:
        return 0


class WrongAnswer:
    """A slippage model that answers None."""

    name = "wrong"

    def slip(self, candidate: Candidate) -> None:
        return None


class FloatClock:
    """A clock in seconds."""

    def now_ns(self) -> float:
        return 0.5


def models() -> None:
    """Models and clocks that do not fit."""
    pt.FillSettings(slippage=NoName())  # type: ignore[arg-type]
    pt.FillSettings(slippage=WrongAnswer())  # type: ignore[arg-type]
    pt.open_paper_broker(cash=1, clock=FloatClock())  # type: ignore[arg-type]
    pt.open_paper_broker(cash=1, store=dict())  # type: ignore[arg-type]  # noqa: C408
    pt.open_paper_broker(cash=1, fees="0.1%")  # type: ignore[arg-type]
    pt.RiskLimits(max_open_orders="5")  # type: ignore[arg-type]
    pt.TickSlippage("1")  # type: ignore[arg-type]
    pt.Instrument(5)  # type: ignore[arg-type]
    pt.Currency("XYZ", "2")  # type: ignore[arg-type]
