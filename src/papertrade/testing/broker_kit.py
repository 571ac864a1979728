"""The broker conformance kit: what every broker, paper or live, has to keep, as numbered cases.

An adapter's test is a few lines; pytest collects the cases from the class. What a broker does not offer, it says in
``capabilities()``, and the cases about it are skipped. Without pytest, ``run_cases`` runs them all.

    class TestMyBroker(BrokerContract):
        def open(self) -> BrokerUnderTest:
            return BrokerUnderTest(MyBroker(...), MyMarket(...))
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from inspect import iscoroutine
from typing import Any, Protocol, TypeVar, cast

import attrs

from papertrade.aio import AsyncExchange, open_async_paper_broker
from papertrade.compose import open_paper_broker
from papertrade.exchange import Exchange
from papertrade.ports.broker import AsyncBroker, Broker
from papertrade.ports.clock import ManualClock
from papertrade.testing.broker_cases.base import BrokerUnderTest, MarketHandle
from papertrade.testing.broker_cases.records import RecordCases
from papertrade.testing.contract import ContractViolation, run_cases

__all__ = [
    "AsyncBrokerContract",
    "AsyncBrokerUnderTest",
    "AsyncMarketHandle",
    "BrokerContract",
    "BrokerUnderTest",
    "ContractViolation",
    "MarketHandle",
    "async_paper_under_test",
    "paper_under_test",
    "run_cases",
]

T = TypeVar("T")
MONDAY = "2026-01-05T14:30:00Z"


class BrokerContract(RecordCases):
    """The contract of ``Broker``: subclass it, define ``open``, and run the cases B-01 and following."""

    @classmethod
    def case_names(cls) -> list[str]:
        """The cases by name, in order."""
        return sorted(name for name in dir(cls) if name.startswith("test_b"))

    def run_case(self, name: str) -> None:
        """One case with a broker of its own; a broken promise is a ``ContractViolation``."""
        try:
            self.setup_method()
            getattr(self, name)()
        finally:
            self.teardown_method()


# ------------------------------------------------------------ with awaits


class AsyncMarketHandle(Protocol):
    """``MarketHandle`` with awaits."""

    async def quote(self, symbol: str, bid: str, ask: str, bid_size: str, ask_size: str) -> None:
        """Make this the best bid and ask."""
        ...

    async def trade(self, symbol: str, price: str, size: str) -> None:
        """Let somebody else trade."""
        ...

    async def advance(self, seconds: int) -> None:
        """Let time pass."""
        ...


@attrs.frozen
class AsyncBrokerUnderTest:
    """An asynchronous broker and its market; the account is as in ``BrokerUnderTest``."""

    broker: AsyncBroker
    market: AsyncMarketHandle
    symbol: str = "AAPL"
    other_symbol: str = "MSFT"


class _Blocking:
    """Something asynchronous, called from outside its loop: each call runs the loop until it is answered."""

    def __init__(self, inner: object, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._inner, self._run = inner, run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            answer = method(*args, **kwargs)
            return self._run(answer) if iscoroutine(answer) else answer

        call.__name__ = name
        return call


class AsyncBrokerContract(BrokerContract):
    """The same cases for an ``AsyncBroker``: define ``open_async`` instead; each case has an event loop of its own."""

    _runner: asyncio.Runner | None = None

    async def open_async(self) -> AsyncBrokerUnderTest:
        """A broker with a fresh account, for one case."""
        raise NotImplementedError("a contract test defines open_async() -> AsyncBrokerUnderTest")

    def open(self) -> BrokerUnderTest:
        """The asynchronous broker behind a blocking face."""
        runner = self._runner = asyncio.Runner()
        under = runner.run(self.open_async())
        broker = cast(Broker, _Blocking(under.broker, runner.run))
        market = cast(MarketHandle, _Blocking(under.market, runner.run))
        return BrokerUnderTest(broker, market, under.symbol, under.other_symbol)

    def close(self) -> None:
        """Close the loop."""
        if self._runner is not None:
            self._runner.close()

    def pause(self, seconds: float) -> None:
        """Let the broker's loop run for a while."""
        if self._runner is not None:
            self._runner.run(asyncio.sleep(seconds))


# -------------------------------------------------------- our own brokers


class PaperMarket:
    """The market of a paper broker on a manual clock."""

    def __init__(self, exchange: Exchange, clock: ManualClock) -> None:
        self._exchange, self._clock = exchange, clock

    def quote(self, symbol: str, bid: str, ask: str, bid_size: str, ask_size: str) -> None:
        """A quote, now."""
        self._clock.advance(milliseconds=1)
        self._exchange.on_quote(symbol, bid, ask, bid_size, ask_size)

    def trade(self, symbol: str, price: str, size: str) -> None:
        """A print, now."""
        self._clock.advance(milliseconds=1)
        self._exchange.on_trade(symbol, price, size)

    def advance(self, seconds: int) -> None:
        """Time passes, and what is due is done."""
        self._clock.advance(seconds=seconds)
        self._exchange.advance()


class AsyncPaperMarket:
    """The same with awaits."""

    def __init__(self, exchange: AsyncExchange, clock: ManualClock) -> None:
        self._exchange, self._clock = exchange, clock

    async def quote(self, symbol: str, bid: str, ask: str, bid_size: str, ask_size: str) -> None:
        """A quote, now."""
        self._clock.advance(milliseconds=1)
        await self._exchange.on_quote(symbol, bid, ask, bid_size, ask_size)

    async def trade(self, symbol: str, price: str, size: str) -> None:
        """A print, now."""
        self._clock.advance(milliseconds=1)
        await self._exchange.on_trade(symbol, price, size)

    async def advance(self, seconds: int) -> None:
        """Time passes, and what is due is done."""
        self._clock.advance(seconds=seconds)
        await self._exchange.advance()


def paper_under_test(**options: Any) -> BrokerUnderTest:
    """A paper broker for the kit; the options are those of ``open_paper_broker``, apart from the clock."""
    clock = ManualClock(MONDAY)
    broker = open_paper_broker(**{"cash": 100_000, **options}, clock=clock)
    return BrokerUnderTest(broker, PaperMarket(broker.exchange, clock))


async def async_paper_under_test(**options: Any) -> AsyncBrokerUnderTest:
    """An asynchronous paper broker for the kit; the options are those of ``open_async_paper_broker``."""
    clock = ManualClock(MONDAY)
    broker = await open_async_paper_broker(**{"cash": 100_000, **options}, clock=clock)
    return AsyncBrokerUnderTest(broker, AsyncPaperMarket(broker.exchange, clock))
