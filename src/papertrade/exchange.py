"""The exchange: many accounts on one market. The synchronous host.

It opens no socket and starts no thread. Every method may be called from any thread (or, with ``threadsafe=False``, only
from the one that opened it); handlers run after the lock is released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, Unpack

from papertrade.domain.events import Event
from papertrade.domain.hours import MarketHours
from papertrade.domain.instants import datetime_not_before, parse_instant
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency, parse_currency
from papertrade.domain.names import parse_name
from papertrade.domain.numbers import Number
from papertrade.domain.words import Side, parse_flag
from papertrade.errors import UsageError
from papertrade.hosting.accounts import open_account, plan_account
from papertrade.hosting.cloning import clone_account
from papertrade.hosting.delivery import Subscription, parse_kinds
from papertrade.hosting.ending import end_of_day
from papertrade.hosting.floor import Floor, MarketHandler, NoEntry, OwnerOnly
from papertrade.hosting.flow import Flow, drive
from papertrade.hosting.intake import pairs_of
from papertrade.hosting.setup import AccountOptions, SnapshotPolicy
from papertrade.matching.market import Market
from papertrade.matching.settings import FillSettings
from papertrade.paper import PaperBroker
from papertrade.ports.broker import When
from papertrade.ports.clock import Clock
from papertrade.ports.store import Store
from papertrade.tape import Tape

if TYPE_CHECKING:
    from papertrade.hosting.running import PollOptions, RunOptions
    from papertrade.ports.feed import DataQueue, Feed, FeedRun, LiveFeed

T = TypeVar("T")


class Exchange:
    """Many accounts on one market feed.

    >>> exchange = Exchange(clock="data")
    >>> infy = exchange.add_instrument("NSE:INFY", currency="INR", tick_size="0.05")
    >>> alice = exchange.open_account("alice", cash="1000000", currency="INR")
    >>> exchange.on_quote("NSE:INFY", bid="1500.00", ask="1500.05", at="2026-01-05T04:00:00Z")
    >>> alice.buy("NSE:INFY", 10).average_price
    Decimal('1500.05')
    """

    def __init__(
        self,
        store: Store | str | None = None,
        clock: Clock | str = "system",
        *,
        fill: FillSettings | str = "realistic",
        snapshots: SnapshotPolicy | str | None = None,
        calendar: MarketHours | str | None = None,
        threadsafe: bool = True,
    ) -> None:
        """An exchange over a store and a clock.

        Args:
            store: where journals are kept: a store, or an address such as ``"paper.db"``; memory by default.
            clock: ``"system"``, ``"data"`` (time is the latest datum), or a clock.
            fill: fill settings or a preset's name, for bare prices and for accounts that bring none.
            snapshots: when snapshots are taken: a ``SnapshotPolicy``, or ``"on demand"`` (also ``"off"``). By default
                by policy where something outlives the process, on demand in memory.
            calendar: the hours of instruments that name none, a calendar or its name, such as ``"XNYS"``; by default
                they never close.
            threadsafe: False refuses calls from any thread but the one that opened it.
        """
        self._floor = Floor(store, clock, fill, snapshots, calendar)
        self._desk = self._floor.desk
        shared = parse_flag(threadsafe, "threadsafe")
        self._lock: Lock | OwnerOnly = Lock() if shared else OwnerOnly()

    def run_flow(self, flow: Flow[T]) -> T:
        """Run a flow under the lock, then deliver what it made. For hosts and brokers, not for strategies."""
        try:
            with self._lock:
                answer = drive(flow)
                if self._desk.wanted:
                    drive(self._desk.keep_snapshots())
                return answer
        finally:  # what was stored before something failed is still news
            if self._desk.outbox.waiting:
                self._desk.outbox.deliver()

    # ----------------------------------------------- instruments and accounts

    def add_instrument(self, symbol: str | Instrument, **details: object) -> Instrument:
        """List an instrument: ``add_instrument("BTCUSDT", currency="USDT", tick_size="0.1", lot_size="0.001")``."""
        with self._lock:
            return self._desk.list_instrument(symbol, details)

    def use_calendar(self, calendar: MarketHours | str) -> None:
        """From now on this calendar is the one of its name: one of your own, or a shipped one that you mended."""
        with self._lock:
            self._desk.use_calendar(calendar)

    def list_unknown_in(self, currency: Currency | str) -> None:
        """List a symbol never seen before as a plain instrument of this currency, instead of refusing it."""
        with self._lock:
            self._desk.unlisted_currency = parse_currency(currency)

    def set_price_band(self, symbol: str, band: tuple[Number, Number] | None) -> Instrument:
        """Give an instrument the price band (circuit limits) of a new day, or none."""
        with self._lock:
            return self._desk.set_price_band(symbol, band)

    def instruments(self) -> list[Instrument]:
        """Everything that is listed, by symbol."""
        with self._lock:
            return self._floor.instruments()

    def open_account(
        self,
        account: str,
        *,
        cash: Number | None = 0,
        currency: Currency | str = "USD",
        fill: FillSettings | str | None = None,
        start: str = "keep",
        **options: Unpack[AccountOptions],
    ) -> PaperBroker:
        """Open an account, or open it again as it stands: an existing account is never reset.

        Args:
            account: its name, unique on this exchange and in its store.
            cash: the opening balance of a new account; with None the account has to be there already.
            kind: ``"cash"`` (paid in full, no shorts) or ``"margin"`` (see ``margin``).
            margin: a margin model such as ``FlatMargin(initial="0.2", maintenance="0.1")``.
            fees: a fee model such as ``PercentFee("0.0003", cap=20)``; none are charged by default.
            limits: what the account may do at most; cost_method: ``"average"`` or ``"fifo"``.
            fill: fill settings or a preset's name; the exchange's own by default.
            equity_points: ``"off"``, ``"on change"`` (after fills), ``"session"`` (at opens and closes), or ``"5m"``.
            trading_day: the zone whose midnight ends a day, or a ``TradingDay``; UTC by default.
            outside_hours: ``"queue"``, ``"reject"`` or ``"extended"``; square_off: a ``SquareOff``, or several.
            settlement: ``"T+1"``, a ``Settlement`` or a table's name; products: ``Product`` values or their names.
            start: ``"keep"`` what is stored, or ``"fresh"`` to insist that nothing is.
            exclusive: True takes the account for this worker alone: one that had it before cannot write any more.
        """
        settings = self._floor.settings(fill)
        plan = plan_account(account, cash, currency, settings, start, options)
        self.run_flow(open_account(self._desk, plan))
        return PaperBroker(self, plan.account, plan.currency.code)

    def clone_account(
        self, source: str, target: str, *, note: str = "", command_id: str | None = None
    ) -> PaperBroker:
        """Open a new account with the settings, cash and positions of another; its orders and its past stay its own."""
        name, currency = self.run_flow(clone_account(self._desk, source, target, note, command_id))
        return PaperBroker(self, name, currency)

    def account(self, account: str) -> PaperBroker:
        """The broker of an account that is open here."""
        name = parse_name(account, "account")
        seat = self.run_flow(self._desk.seat(name))
        return PaperBroker(self, name, seat.state.currency)

    def close_account(self, account: str) -> None:
        """Forget an account here, and give it up if it was exclusive. It can be opened again, here or elsewhere."""
        self.run_flow(self._desk.leave(parse_name(account, "account")))

    def accounts(self) -> list[str]:
        """The names of the accounts that are open here."""
        with self._lock:
            return self._floor.accounts()

    # ---------------------------------------------------------------- data

    def _take(self, symbol: object, take: Callable[[Market], Flow[None] | None]) -> None:
        try:
            with self._lock:
                market, flow = self._floor.take(symbol, take)
                if flow is not None:
                    drive(flow)
                    if self._desk.wanted:
                        drive(self._desk.keep_snapshots())
        finally:
            if self._desk.outbox.waiting:
                self._desk.outbox.deliver()
        for handler in self._floor.watchers(market.symbol).handlers:
            handler(market)

    def on_quote(
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
        with self._lock:
            market = intake.quiet_quote(symbol, bid, ask, bid_size, ask_size, at) if sequence is None else None
        if market is None:
            self._take(symbol, lambda m: intake.quote(m, bid, ask, bid_size, ask_size, at, sequence))
            return
        for handler in self._floor.watchers(market.symbol).handlers:
            handler(market)

    def on_price(self, symbol: str, price: Number, at: When | None = None) -> None:
        """A bare last price: it is widened against the trader by the stated half spread."""
        self._take(symbol, lambda m: self._floor.intake.price(m, price, at))

    def on_trade(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        aggressor: Side | str | None = None,
        at: When | None = None,
        sequence: int | None = None,
    ) -> None:
        """A print: what traded, how much, and which side took, if the feed says so."""
        self._take(symbol, lambda m: self._floor.intake.trade(m, price, size, aggressor, at, sequence))

    def on_auction(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        auction: str | None = None,
        at: When | None = None,
    ) -> None:
        """The official price of an auction, ``"open"`` or ``"close"``, and how much traded at it."""
        self._take(symbol, lambda m: self._floor.intake.auction(m, price, size, auction, at))

    def on_bar(
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
        """A finished bar; ``end`` is the instant at which it was known."""
        self._take(symbol, lambda m: self._floor.intake.bar(m, (open, high, low, close), volume, start, end))

    def on_depth(
        self,
        symbol: str,
        bids: Iterable[tuple[Number, Number]],
        asks: Iterable[tuple[Number, Number]],
        at: When | None = None,
    ) -> None:
        """The best levels of both sides as pairs of price and size, best first."""
        levels = pairs_of(bids, "bids"), pairs_of(asks, "asks")
        self._take(symbol, lambda m: self._floor.intake.depth(m, *levels, at))

    def on_halt(self, symbol: str) -> None:
        """Trading stops: orders are accepted and wait."""
        self._take(symbol, lambda m: m.halt(True))

    def on_resume(self, symbol: str) -> None:
        """Trading goes on: no quote stands until one arrives."""
        self._take(symbol, lambda m: m.halt(False))

    def tape(self, symbol: str) -> Tape:
        """The fast entrance of one symbol, for hosts that have whole ticks and lots."""
        with self._lock:
            market = self._floor.listed(symbol)
        return Tape(self._floor, self._lock, market)

    def market(self, symbol: str) -> Market:
        """What is known of a symbol now: read it, do not write to it."""
        with self._lock:
            return self._floor.listed(symbol)

    # --------------------------------------------------------------- feeds

    def run(self, feed: Feed | LiveFeed | DataQueue, **options: Unpack[RunOptions]) -> FeedRun:
        """Take data from a feed until it ends or somebody stops it, and serve the clock while it is silent.

        Args:
            feed: anything to iterate over, a queue, or an object with ``next(timeout_s)`` (see ``LiveFeed``).
            stop: an event such as ``threading.Event()``; ``stop()`` does without.
            bad_data: ``"stop"`` raises ``FeedDataError`` at a datum that cannot be taken; ``"skip"`` leaves it out.
            on_error: hears what did not stop the run: an account's error, a skipped datum. They are logged otherwise.
            patience_s: how long the feed is waited on at most before clock and ``stop`` are looked at again.

        A feed that fails raises ``FeedLostError``. What a handler raises comes through.
        """
        from papertrade.hosting.running import run_feed

        return run_feed(self, feed, **options)

    def poll(
        self,
        source: Callable[..., object],
        symbols: Iterable[str] | None = None,
        every_s: float | None = None,
        **options: Unpack[PollOptions],
    ) -> FeedRun:
        """Ask a function for prices or quotes, take those that changed, and serve the clock; once, or for ever.

        Args:
            source: a function; answers symbols with last prices or quotes.
            symbols: what it is called with, as a tuple; without them it is called without arguments.
            every_s: how long after a round the next one begins; without it there is one round.
            on_failure: ``"stop"`` raises ``FeedLostError`` when the source raises; ``"go_on"`` asks again next time.
            refresh_s: a value that stands unchanged is given again after so long, or else it would grow stale.
            waiter: who lets time pass between rounds; the rest is as in ``run``.
        """
        from papertrade.hosting.running import poll_source

        return poll_source(self, source, symbols, every_s, **options)

    def stop(self) -> None:
        """End every run and poll under way, each after the datum in hand. Fine in other threads and signal handlers."""
        self._floor.stop_runs()

    # ---------------------------------------------------------------- time

    def advance(self, to: When | None = None) -> None:
        """Do what the clock does by itself (expiries, new days) up to an instant, or up to now."""
        desk = self._desk
        try:
            with self._lock:
                if to is not None and desk.data_clock is None:
                    raise UsageError("advance(to) moves the clock only under clock='data'; move your own clock instead")
                if to is not None and desk.data_clock is not None:
                    desk.data_clock.observe(parse_instant(to, "to"))
                drive(desk.catch_up(desk.now()))
                if desk.wanted:
                    drive(desk.keep_snapshots())
        finally:
            desk.outbox.deliver()

    end_of_day = end_of_day

    def next_deadline(self) -> datetime | None:
        """When ``advance`` has something to do next; None when nothing is due by itself."""
        with self._lock:
            ns = self._desk.engine.next_deadline()
        return None if ns is None else datetime_not_before(ns)

    # -------------------------------------------------------- subscriptions

    def subscribe(
        self,
        handler: Callable[[Event], object] | None = None,
        *,
        account: str | None = None,
        kinds: str | Iterable[str] | None = None,
    ) -> Subscription:
        """Events of all accounts (or one) as they are stored: to a callback, or to iterate over."""
        wanted = parse_kinds(kinds)
        name = None if account is None else parse_name(account, "account")
        with self._lock:
            return self._desk.outbox.subscribe(handler, name, wanted)

    def subscribe_market(self, symbol: str, handler: MarketHandler) -> Callable[[], None]:
        """Call a handler with the market of a symbol after each of its data; answers a function that ends it."""
        with self._lock:
            return self._floor.watch(symbol, handler)

    def describe(self) -> Mapping[str, str]:
        """The store and what it promises, the clock, and when snapshots are taken."""
        with self._lock:
            return self._floor.describe()

    def close(self) -> None:
        """Give up the accounts that are exclusive, and close the store. Twice is fine; any other call is not."""
        if isinstance(self._lock, NoEntry):
            return
        with self._lock:
            self._lock = NoEntry()
            try:
                drive(self._desk.give_up_all())
            finally:
                self._desk.store.close()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self.accounts())

    def __repr__(self) -> str:
        instruments, accounts = len(self._desk.engine.markets), len(self._floor.accounts())
        return f"<Exchange: {instruments} instruments, {accounts} accounts>"
