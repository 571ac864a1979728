"""The asynchronous host: the same flows with awaits.

Inputs are served in the order in which they arrive. Data that touches no account never suspends the caller. An append
that has begun is finished even when the caller is canceled: nobody is left in doubt because a task was dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from inspect import isawaitable
from typing import Any, TypeVar

from papertrade.aio_broker import AsyncPaperBroker
from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.events import Event
from papertrade.domain.instants import parse_instant, to_datetime
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency, parse_currency
from papertrade.domain.names import parse_name
from papertrade.domain.numbers import Number
from papertrade.domain.words import Side
from papertrade.errors import PaperTradeError, UsageError
from papertrade.hosting.accounts import open_account, plan_account
from papertrade.hosting.delivery import Subscription, parse_kinds
from papertrade.hosting.floor import Floor, MarketHandler
from papertrade.hosting.flow import Flow
from papertrade.hosting.setup import parse_async_store
from papertrade.ledger.fees import FeeModel
from papertrade.ledger.margin import MarginModel
from papertrade.matching.market import Market
from papertrade.matching.settings import FillSettings
from papertrade.ports.async_store import AsyncStore
from papertrade.ports.broker import When
from papertrade.ports.clock import Clock
from papertrade.ports.store import Store
from papertrade.risk.limits import RiskLimits

T = TypeVar("T")


class AsyncExchange:
    """Many accounts on one market feed, for code that runs in an event loop.

    >>> async def main() -> str:
    ...     exchange = AsyncExchange(clock="data")
    ...     exchange.add_instrument("AAPL")
    ...     alice = await exchange.open_account("alice", cash=10_000)
    ...     await exchange.on_quote("AAPL", "187.10", "187.14", at="2026-01-05T14:30:00Z")
    ...     return str((await alice.buy("AAPL", 10)).average_price)
    >>> asyncio.run(main())
    '187.14'
    """

    def __init__(
        self,
        store: Store | AsyncStore | str | None = None,
        clock: Clock | str = "system",
        *,
        fill: FillSettings | str = "realistic",
    ) -> None:
        self._floor = Floor(parse_async_store(store), clock, fill)
        self._desk = self._floor.desk
        self._turn = asyncio.Lock()  # first come, first served
        self._delivering = False
        self._working: set[asyncio.Future[Any]] = set()

    # -------------------------------------------------------------- waiting

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow when its turn comes, then deliver what it made. For brokers, not for strategies."""
        await self._turn.acquire()
        return await self._go(flow)

    async def _go(self, flow: Flow[T]) -> T:
        """Holding the turn: run on without suspending while the store answers at once."""
        try:
            waiting = _until_it_waits(flow, None)
        except StopIteration as stop:
            self._turn.release()
            await self._deliver()
            answer: T = stop.value
            return answer
        except BaseException:
            self._turn.release()
            await self._deliver()  # what was stored before something failed is still news
            raise
        # From here on the store is at work: the rest belongs to a task of its own that nobody's cancellation reaches.
        return await self._see_through(self._finish(flow, waiting))

    async def _see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Let it finish whoever is canceled. A loop keeps no hold of its tasks, so we do."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_nobody_waits)
            raise

    async def _finish(self, flow: Flow[T], waiting: Awaitable[Any]) -> T:
        try:
            while True:
                try:
                    answer = await waiting
                except BaseException as why:
                    waiting = _until_it_waits(flow, why)
                else:
                    waiting = _until_it_waits(flow, None, answer)
        except StopIteration as stop:
            found: T = stop.value
        except BaseException:
            self._turn.release()
            await self._deliver()
            raise
        self._turn.release()
        await self._deliver()
        return found

    async def _deliver(self) -> None:
        """Hand queued events over, one after another; an async handler is awaited before the next event."""
        if self._delivering or not self._desk.outbox.waiting:
            return
        self._delivering = True
        answer: Awaitable[object] | None = None
        try:
            answer = self._hand_over()
        finally:
            self._delivering = answer is not None
        if answer is not None:  # the others do not miss their events because this caller is canceled
            await self._see_through(self._deliver_on(answer))

    async def _deliver_on(self, answer: Awaitable[object] | None) -> None:
        try:
            while answer is not None:
                await answer
                answer = self._hand_over()
        finally:
            self._delivering = False

    def _hand_over(self) -> Awaitable[object] | None:
        """Hand queued events over until a handler has to be awaited."""
        waiting = self._desk.outbox.waiting
        while waiting:
            subscription, event = waiting.popleft()
            answer = subscription.take(event)
            if isawaitable(answer):
                return answer
        return None

    # ----------------------------------------------- instruments and accounts

    def add_instrument(self, symbol: str | Instrument, **details: object) -> Instrument:
        """List an instrument."""
        return self._desk.list_instrument(symbol, details)

    def list_unknown_in(self, currency: Currency | str) -> None:
        """List a symbol never seen before as a plain instrument of this currency, instead of refusing it."""
        self._desk.unlisted_currency = parse_currency(currency)

    def set_price_band(self, symbol: str, band: tuple[Number, Number] | None) -> Instrument:
        """Give an instrument the price band (circuit limits) of a new day, or none."""
        return self._desk.set_price_band(symbol, band)

    def instruments(self) -> list[Instrument]:
        """Everything that is listed, by symbol."""
        return self._floor.instruments()

    async def open_account(
        self,
        account: str,
        *,
        cash: Number | None = 0,
        currency: Currency | str = "USD",
        kind: str = "cash",
        margin: MarginModel | None = None,
        fees: FeeModel | None = None,
        limits: RiskLimits | None = None,
        fill: FillSettings | str | None = None,
        cost_method: str = "average",
        trading_day: TradingDay | str | None = None,
        start: str = "keep",
    ) -> AsyncPaperBroker:
        """Open an account, or open it again as it stands. The arguments are those of ``Exchange.open_account``."""
        settings = self._floor.settings(fill)
        plan = plan_account(
            account, cash, currency, kind, margin, fees, limits, settings, cost_method, trading_day, start
        )
        await self.run(open_account(self._desk, plan))
        return AsyncPaperBroker(self, plan.account, plan.currency.code)

    async def account(self, account: str) -> AsyncPaperBroker:
        """The broker of an account that is open here."""
        name = parse_name(account, "account")
        seat = await self.run(self._desk.seat(name))
        return AsyncPaperBroker(self, name, seat.state.currency)

    def accounts(self) -> list[str]:
        """The names of the accounts that are open here."""
        return self._floor.accounts()

    # ---------------------------------------------------------------- data

    async def _take(self, symbol: object, take: Callable[[Market], Flow[None] | None]) -> None:
        await self._turn.acquire()  # does not suspend when it is free
        try:
            market, flow = self._floor.take(symbol, take)
        except BaseException:
            self._turn.release()
            raise
        if flow is None:
            self._turn.release()
        else:
            await self._go(flow)
        for handler in self._floor.watchers(market.symbol).handlers:
            answer = handler(market)
            if isawaitable(answer):
                await answer

    async def on_quote(
        self,
        symbol: str,
        bid: Number | None,
        ask: Number | None,
        bid_size: Number | None = None,
        ask_size: Number | None = None,
        at: When | None = None,
        sequence: int | None = None,
    ) -> None:
        """A new best bid and ask. A side that nobody is on is None."""
        intake = self._floor.intake
        await self._take(symbol, lambda m: intake.quote(m, bid, ask, bid_size, ask_size, at, sequence))

    async def on_price(self, symbol: str, price: Number, at: When | None = None) -> None:
        """A bare last price, widened against the trader by the stated half spread."""
        await self._take(symbol, lambda m: self._floor.intake.price(m, price, at))

    async def on_trade(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        aggressor: Side | str | None = None,
        at: When | None = None,
        sequence: int | None = None,
    ) -> None:
        """A print in the market."""
        await self._take(symbol, lambda m: self._floor.intake.trade(m, price, size, aggressor, at, sequence))

    async def on_bar(
        self,
        symbol: str,
        open: Number,  # noqa: A002 - the names every bar has, so that on_bar(**bar) works
        high: Number,
        low: Number,
        close: Number,
        volume: Number | None = None,
        start: When | None = None,
        end: When | None = None,
    ) -> None:
        """A finished bar."""
        intake = self._floor.intake
        await self._take(symbol, lambda m: intake.bar(m, (open, high, low, close), volume, start, end))

    async def on_depth(
        self,
        symbol: str,
        bids: Iterable[tuple[Number, Number]],
        asks: Iterable[tuple[Number, Number]],
        at: When | None = None,
    ) -> None:
        """The best levels of both sides, best first."""
        await self._take(symbol, lambda m: self._floor.intake.depth(m, bids, asks, at))

    async def on_halt(self, symbol: str) -> None:
        """Trading stops: orders are accepted and wait."""
        await self._take(symbol, lambda m: m.halt(True))

    async def on_resume(self, symbol: str) -> None:
        """Trading goes on."""
        await self._take(symbol, lambda m: m.halt(False))

    def market(self, symbol: str) -> Market:
        """What is known of a symbol now: read it, do not write to it."""
        return self._floor.listed(symbol)

    def subscribe_market(self, symbol: str, handler: MarketHandler) -> Callable[[], None]:
        """Call (and await, if need be) a handler with the market of a symbol after each of its data."""
        return self._floor.watch(symbol, handler)

    # ------------------------------------------------------- time and events

    async def advance(self, to: When | None = None) -> None:
        """Do what the clock does by itself, up to an instant or up to now."""
        await self.run(self._advance(to))

    def _advance(self, to: When | None) -> Flow[None]:
        """Time moves when its turn comes, never in the middle of something."""
        desk = self._desk
        if to is not None:
            if desk.data_clock is None:
                raise UsageError("advance(to) moves the clock only under clock='data'; move your own clock instead")
            desk.data_clock.observe(parse_instant(to, "to"))
        yield from desk.catch_up(desk.now())

    def next_deadline(self) -> datetime | None:
        """When ``advance`` has something to do next; None when nothing is due by itself."""
        ns = self._desk.engine.next_deadline()
        return None if ns is None else to_datetime(ns)

    def describe(self) -> Mapping[str, str]:
        """The store and what it promises."""
        return self._desk.store.describe()

    def subscribe(
        self,
        handler: Callable[[Event], object] | None = None,
        *,
        account: str | None = None,
        kinds: str | Iterable[str] | None = None,
    ) -> Subscription:
        """Events as they are stored: to a plain or async callback, or to iterate over."""
        name = None if account is None else parse_name(account, "account")
        return self._desk.outbox.subscribe(handler, name, parse_kinds(kinds))

    async def stream(
        self, *, account: str | None = None, kinds: str | Iterable[str] | None = None
    ) -> AsyncIterator[Event]:
        """Events as they are stored, for ever: ``async for event in exchange.stream(): ...``"""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        with self.subscribe(queue.put_nowait, account=account, kinds=kinds):
            while True:
                yield await queue.get()

    async def close(self) -> None:
        """Close the store."""
        async with self._turn:
            answer: object = self._desk.store.close()  # type: ignore[func-returns-value]  # an async store's is awaited
            if isawaitable(answer):
                await answer

    def __repr__(self) -> str:
        return f"<AsyncExchange: {len(self.instruments())} instruments, {len(self.accounts())} accounts>"


def _until_it_waits(flow: Flow[Any], error: BaseException | None, answer: object = None) -> Awaitable[Any]:
    """Run a flow until a store call answers with something to await; its end is a StopIteration."""
    call, args = flow.send(answer) if error is None else flow.throw(error)
    while True:
        try:
            result = call(*args)
        except BaseException as why:
            call, args = flow.throw(why)
            continue
        if isawaitable(result):
            return result
        call, args = flow.send(result)


def _nobody_waits(task: asyncio.Future[Any]) -> None:
    """Its caller is gone. A failed store is found out by the account's next command; a failed handler is said aloud."""
    why = None if task.cancelled() else task.exception()
    if why is not None and not isinstance(why, PaperTradeError):
        message = "an event handler failed after its caller was canceled"
        task.get_loop().call_exception_handler({"message": message, "exception": why, "future": task})


async def open_async_paper_broker(
    *,
    cash: Number | None = None,
    currency: Currency | str = "USD",
    account: str = "main",
    kind: str = "cash",
    margin: MarginModel | None = None,
    fees: FeeModel | None = None,
    limits: RiskLimits | None = None,
    fill: FillSettings | str = "realistic",
    cost_method: str = "average",
    trading_day: TradingDay | str | None = None,
    clock: Clock | str = "system",
    store: Store | AsyncStore | str | None = None,
) -> AsyncPaperBroker:
    """One account on an exchange of its own, like ``open_paper_broker``, with awaits."""
    exchange = AsyncExchange(store, clock, fill=fill)
    exchange.list_unknown_in(currency)
    return await exchange.open_account(
        account,
        cash=cash,
        currency=currency,
        kind=kind,
        margin=margin,
        fees=fees,
        limits=limits,
        cost_method=cost_method,
        trading_day=trading_day,
    )
