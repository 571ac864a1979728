"""Checked by mypy, never run: what we offer fits the protocols, and so does what a user writes."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.postgres import AsyncPostgresStore, PostgresStore
from papertrade.domain.events import Event
from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import Number
from papertrade.ledger.fees import FeeLines, FeeModel, FeeTally
from papertrade.ledger.margin import MarginModel
from papertrade.matching.models import Candidate, FillModel, SlippageModel
from papertrade.ports.async_store import AsyncStore
from papertrade.ports.feed import Feed, Sink
from papertrade.ports.store_extras import Fencing, Moving, Waiting
from papertrade.testing import ScriptedFeed
from papertrade.testing.broker_kit import (
    AsyncBrokerContract,
    AsyncBrokerUnderTest,
    BrokerContract,
    BrokerUnderTest,
    MarketHandle,
    PaperMarket,
    async_paper_under_test,
    paper_under_test,
)
from papertrade.testing.limited import LimitedBroker
from papertrade.testing.recorder import RecordingExchange, open_recording_broker, replay


def brokers(paper: pt.PaperBroker, aio: pt.AsyncPaperBroker) -> None:
    """Both faces are what a strategy is written against, and so is a broker that can do less."""
    sync_broker: pt.Broker = paper
    async_broker: pt.AsyncBroker = aio
    limited: pt.Broker = LimitedBroker(sync_broker, post_only=False, order_types=["market", pt.OrderType.LIMIT])
    several: list[pt.Broker] = [sync_broker, limited, open_recording_broker(print, cash=5)]
    exchange: pt.Exchange = RecordingExchange(print)
    _ = (async_broker, several, replay([], exchange))


def stores_and_clocks() -> None:
    """Ours are stores and clocks."""
    store: pt.Store = MemoryStore()
    kept: pt.Store = PostgresStore("postgresql://")
    awaited: AsyncStore = AsyncPostgresStore("postgresql://")
    pt.AsyncExchange(awaited)
    extras: tuple[Fencing, Moving, Waiting] = (PostgresStore(""), PostgresStore(""), PostgresStore(""))
    _ = (kept, extras)
    clocks: list[pt.Clock] = [pt.SystemClock(), pt.ManualClock(), pt.DataClock(), MyClock()]
    pt.Exchange(store, clocks[0])


class MyClock:
    """Somebody's own clock."""

    def now_ns(self) -> int:
        return 0


class MySlippage:
    """Somebody's own slippage, with a plain attribute for its name."""

    name = "mine"

    def slip(self, candidate: Candidate) -> Decimal:
        return candidate.tick


class MyFills:
    """Somebody's own fill model, with a property for its name."""

    @property
    def name(self) -> str:
        return "mine"

    def quantity(self, candidate: Candidate) -> Number:
        return candidate.quantity


class MyFees:
    """Somebody's own charges."""

    name = "mine"

    def owed(self, tally: FeeTally) -> FeeLines:
        return (("commission", tally.value_units // 1_000),)


class MyMargin:
    """Somebody's own margin."""

    name = "mine"
    may_short = True
    marked_to_market = True

    def initial(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        return instrument.value(price_units, abs(quantity_units))

    def maintenance(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        return 0


def models() -> pt.PaperBroker:
    """What a user writes is taken where ours are."""
    slippages: list[SlippageModel] = [MySlippage(), pt.NoSlippage(), pt.TickSlippage(1), pt.BasisPointSlippage(2)]
    slippages.append(pt.SpreadSlippage("0.5"))
    fill_model: FillModel = MyFills()
    fees: list[FeeModel] = [MyFees(), pt.NoFees(), pt.PerUnitFee(1), pt.PercentFee("0.1"), pt.MakerTakerFee(0, 1)]
    margins: list[MarginModel] = [MyMargin(), pt.CashModel(), pt.FlatMargin(initial="0.2", maintenance="0.1")]
    fill = pt.FillSettings(slippage=slippages[0], fill_model=fill_model)
    return pt.open_paper_broker(cash=1, fees=pt.FeeSchedule((fees[0], fees[1])), margin=margins[0], fill=fill)


class MyFeed:
    """Somebody's own feed."""

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        yield {"kind": "quote"}


def feeds_and_sinks() -> None:
    """A feed is anything to iterate over, a sink anything to call."""
    feeds: list[Feed] = [MyFeed(), [{"kind": "quote", "symbol": "AAPL"}]]

    def take(event: Event) -> None:
        _ = event.version

    found: list[Event] = []
    sinks: list[Sink] = [take, found.append]
    _ = (feeds, sinks)


class MyLine:
    """Somebody's own live feed."""

    def next(self, timeout_s: float, /) -> pt.Quote | None:
        return pt.Quote("AAPL", 1, 2) if timeout_s > 1 else None


def runs(exchange: pt.Exchange) -> pt.FeedRun:
    """What can be run and polled is taken without a cast."""
    queued: queue.Queue[pt.LastPrice] = queue.Queue()
    exchange.run([pt.Quote("AAPL", 1, 2)], stop=threading.Event(), bad_data="skip", on_error=print)
    exchange.run(MyFeed())
    exchange.run(MyLine())
    exchange.run(queued)
    exchange.run(pt.QueueFeed())
    exchange.run(ScriptedFeed())
    exchange.poll(lambda symbols: dict.fromkeys(symbols, 1), ["AAPL"], every_s=5, waiter=ScriptedFeed())
    return exchange.poll(lambda: {"AAPL": 1})


async def async_runs(exchange: pt.AsyncExchange, line: AsyncIterator[pt.Bar]) -> int:
    """With awaits, too."""
    queued: asyncio.Queue[pt.LastPrice] = asyncio.Queue()
    await exchange.run(line, stop=asyncio.Event())
    await exchange.arun(queued)
    return (await exchange.run(MyLine())).taken


class MyContract(BrokerContract):
    """An adapter's own test."""

    def open(self) -> BrokerUnderTest:
        under = paper_under_test(cash=100_000)
        market: MarketHandle = under.market
        return BrokerUnderTest(under.broker, market, symbol="AAPL")


class MyAsyncContract(AsyncBrokerContract):
    """The same with awaits."""

    async def open_async(self) -> AsyncBrokerUnderTest:
        return await async_paper_under_test()


def market_handles(exchange: pt.Exchange, clock: pt.ManualClock) -> MarketHandle:
    """The paper market is a market handle."""
    return PaperMarket(exchange, clock)


def strategy(broker: pt.Broker) -> Decimal | None:
    """A strategy knows one type."""
    order = broker.place_order(symbol="AAPL", side="buy", quantity=1, limit_price=1.5, tags={"a": "b"})
    if order.is_open:
        order = broker.cancel_order(order)
    return order.average_price


async def async_strategy(broker: pt.AsyncBroker) -> Decimal | None:
    """Or the other."""
    order = await broker.place_order(symbol="AAPL", side=pt.Side.BUY, quantity=Decimal(1), stop_price="2")
    return (await broker.wait(order, 5)).average_price


def either(paper: pt.PaperBroker) -> Decimal | None:
    """And is given the one it needs."""
    return strategy(paper)
