"""The asynchronous host: the same flows with awaits.

Inputs are served in the order in which they arrive. Data that touches no account never suspends the caller. An append
that has begun is finished even when the caller is canceled: nobody is left in doubt because a task was dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from inspect import isawaitable
from typing import TYPE_CHECKING, Unpack

from papertrade.aio_broker import AsyncPaperBroker
from papertrade.aio_store import for_a_loop
from papertrade.aio_turns import Turns
from papertrade.domain.events import Event
from papertrade.domain.hours import MarketHours
from papertrade.domain.instants import datetime_not_before, parse_instant
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency, parse_currency
from papertrade.domain.names import parse_name
from papertrade.domain.numbers import Number
from papertrade.domain.words import Side
from papertrade.errors import StoreClosedError, UsageError
from papertrade.hosting.accounts import open_account, plan_account
from papertrade.hosting.cloning import clone_account
from papertrade.hosting.delivery import Subscription, parse_kinds
from papertrade.hosting.floor import Floor, MarketHandler
from papertrade.hosting.flow import Flow
from papertrade.hosting.intake import pairs_of
from papertrade.hosting.setup import AccountOptions, SnapshotPolicy, parse_async_store
from papertrade.matching.market import Market
from papertrade.matching.settings import FillSettings
from papertrade.ports.async_store import AsyncStore
from papertrade.ports.broker import When
from papertrade.ports.clock import Clock
from papertrade.ports.store import Store

if TYPE_CHECKING:
    from papertrade.domain.summaries import DaySummary
    from papertrade.hosting.running import PollOptions, RunOptions
    from papertrade.ports.feed import AsyncFeed, AsyncLiveFeed, DataQueue, Feed, FeedRun, LiveFeed


class AsyncExchange(Turns):
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
        snapshots: SnapshotPolicy | str | None = None,
        calendar: MarketHours | str | None = None,
    ) -> None:
        self._floor = Floor(for_a_loop(store), clock, fill, snapshots, calendar)
        super().__init__(self._floor.desk)

    # ----------------------------------------------- instruments and accounts

    def add_instrument(self, symbol: str | Instrument, **details: object) -> Instrument:
        """List an instrument."""
        return self._desk.list_instrument(symbol, details)

    def use_calendar(self, calendar: MarketHours | str) -> None:
        """From now on this calendar is the one of its name: one of your own, or a shipped one that you mended."""
        self._desk.use_calendar(calendar)

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
        fill: FillSettings | str | None = None,
        start: str = "keep",
        **options: Unpack[AccountOptions],
    ) -> AsyncPaperBroker:
        """Open an account, or open it again as it stands. The arguments are those of ``Exchange.open_account``."""
        settings = self._floor.settings(fill)
        plan = plan_account(account, cash, currency, settings, start, options)
        await self.run_flow(open_account(self._desk, plan))
        return AsyncPaperBroker(self, plan.account, plan.currency.code)

    async def clone_account(
        self, source: str, target: str, *, note: str = "", command_id: str | None = None
    ) -> AsyncPaperBroker:
        """Open a new account with the settings, cash and positions of another; its orders and its past stay its own."""
        return AsyncPaperBroker(self, *await self.run_flow(clone_account(self._desk, source, target, note, command_id)))

    async def account(self, account: str) -> AsyncPaperBroker:
        """The broker of an account that is open here."""
        name = parse_name(account, "account")
        seat = await self.run_flow(self._desk.seat(name))
        return AsyncPaperBroker(self, name, seat.state.currency)

    async def close_account(self, account: str) -> None:
        """Forget an account here, and give it up if it was exclusive. It can be opened again, here or elsewhere."""
        await self.run_flow(self._desk.leave(parse_name(account, "account")))

    def accounts(self) -> list[str]:
        """The names of the accounts that are open here."""
        return self._floor.accounts()

    # ---------------------------------------------------------------- data

    async def _take(self, symbol: object, take: Callable[[Market], Flow[None] | None]) -> None:
        await self._take_turn()
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

    async def on_auction(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        auction: str | None = None,
        at: When | None = None,
    ) -> None:
        """The official price of an auction, ``"open"`` or ``"close"``, and how much traded at it."""
        await self._take(symbol, lambda m: self._floor.intake.auction(m, price, size, auction, at))

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
        levels = pairs_of(bids, "bids"), pairs_of(asks, "asks")
        await self._take(symbol, lambda m: self._floor.intake.depth(m, *levels, at))

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

    # --------------------------------------------------------------- feeds

    async def run(
        self, feed: AsyncFeed | AsyncLiveFeed | Feed | LiveFeed | DataQueue, **options: Unpack[RunOptions]
    ) -> FeedRun:
        """Take data from a feed until it ends or somebody stops it, and serve the clock while it is silent.

        Args:
            feed: an async iterable, a queue, something to iterate over, or an object with ``next(timeout_s)``.
            stop: an ``asyncio.Event()``, or anything with ``is_set``; ``stop()`` does without.
            bad_data: ``"stop"`` raises ``FeedDataError`` at a datum that cannot be taken; ``"skip"`` leaves it out.
            on_error: hears what did not stop the run: an account's error, a skipped datum. They are logged otherwise.
            patience_s: how long the feed is waited on at most before clock and ``stop`` are looked at again.

        A feed that fails raises ``FeedLostError``. What a handler raises comes through.
        """
        from papertrade.aio_feeding import run_feed

        return await run_feed(self, feed, **options)

    arun = run

    async def poll(
        self,
        source: Callable[..., object],
        symbols: Iterable[str] | None = None,
        every_s: float | None = None,
        **options: Unpack[PollOptions],
    ) -> FeedRun:
        """Ask a function for prices or quotes, take those that changed, and serve the clock; once, or for ever.

        Args:
            source: a plain or an async function; answers symbols with last prices or quotes.
            symbols: what it is called with, as a tuple; without them it is called without arguments.
            every_s: how long after a round the next one begins; without it there is one round.
            on_failure: ``"stop"`` raises ``FeedLostError`` when the source raises; ``"go_on"`` asks again next time.
            refresh_s: a value that stands unchanged is given again after so long, or else it would grow stale.
            waiter: who lets time pass between rounds; the rest is as in ``run``.
        """
        from papertrade.aio_feeding import poll_source

        return await poll_source(self, source, symbols, every_s, **options)

    def stop(self) -> None:
        """End every run and poll under way, each after the datum in hand. Fine in other threads and signal handlers."""
        self._floor.stop_runs()

    # ------------------------------------------------------- time and events

    async def advance(self, to: When | None = None) -> None:
        """Do what the clock does by itself, up to an instant or up to now."""
        await self.run_flow(self._advance(to))

    def _advance(self, to: When | None) -> Flow[None]:
        """Time moves when its turn comes, never in the middle of something."""
        desk = self._desk
        if to is not None:
            if desk.data_clock is None:
                raise UsageError("advance(to) moves the clock only under clock='data'; move your own clock instead")
            desk.data_clock.observe(parse_instant(to, "to"))
        yield from desk.catch_up(desk.now())

    async def end_of_day(self) -> list[DaySummary]:
        """Close every day that is over by now, of every account; answers those that this closed. Again: none."""
        from papertrade.hosting.daily import closed_since, versions  # only who asks pays for it

        await self.run_flow(self._desk.heal())  # an account that waits to be read again has days to end, too
        before = versions(self._desk)
        await self.advance()
        return await self.run_flow(closed_since(self._desk, before))

    def next_deadline(self) -> datetime | None:
        """When ``advance`` has something to do next; None when nothing is due by itself."""
        ns = self._desk.engine.next_deadline()
        return None if ns is None else datetime_not_before(ns)

    def describe(self) -> Mapping[str, str]:
        """The store and what it promises, the clock, and when snapshots are taken."""
        return self._floor.describe()

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
        """Give up the accounts that are exclusive, and close the store. Twice is fine; any other call is not."""
        if self._closed:
            return
        try:
            await self.run_flow(self._desk.give_up_all())
        except StoreClosedError:
            if not self._closed:  # else it was closed while we waited for our turn
                raise
        finally:
            async with self._turn:
                self._closed = True
                answer: object = self._desk.store.close()  # type: ignore[func-returns-value]  # an async store's waits
                if isawaitable(answer):
                    await answer

    async def __aenter__(self) -> AsyncExchange:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncExchange: {len(self.instruments())} instruments, {len(self.accounts())} accounts>"


async def open_async_paper_broker(
    *,
    cash: Number | None = None,
    currency: Currency | str = "USD",
    account: str = "main",
    fill: FillSettings | str = "realistic",
    clock: Clock | str = "system",
    store: Store | AsyncStore | str | None = None,
    snapshots: SnapshotPolicy | str | None = None,
    calendar: MarketHours | str | None = None,
    **options: Unpack[AccountOptions],
) -> AsyncPaperBroker:
    """One account on an exchange of its own, like ``open_paper_broker``, with awaits."""
    opened_here = isinstance(store, str)
    if isinstance(store, str):  # opening a file takes its time
        store = await asyncio.to_thread(parse_async_store, store)
    exchange = AsyncExchange(store, clock, fill=fill, snapshots=snapshots, calendar=calendar)
    try:
        exchange.list_unknown_in(currency)
        broker = await exchange.open_account(account, cash=cash, currency=currency, **options)
    except BaseException:
        if opened_here:
            await exchange.close()
        raise
    broker.owns_exchange = True
    return broker
