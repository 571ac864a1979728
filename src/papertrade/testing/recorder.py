"""A recorder of inputs: an exchange that writes down every command and every datum, so that a session can be replayed.

    lines: list[str] = []
    exchange = RecordingExchange(lines.append, clock="system")
    ...                                    # an exchange like any other
    again = replay(lines)                  # the same events, to the byte, anywhere

One line of canonical JSON per input, in the order in which the exchange served them. Time is an input too: a line has
the instant at which it was decided, which stands still while it is. ``write`` belongs to the recording like a store to
its exchange: it is called under the lock and must not call back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar, Unpack

from papertrade.domain.hours import MarketHours
from papertrade.domain.instants import parse_instant
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency, parse_currency
from papertrade.domain.names import parse_name
from papertrade.domain.numbers import Number
from papertrade.domain.words import Side
from papertrade.errors import UnsupportedError, UsageError
from papertrade.exchange import Exchange
from papertrade.hosting.accounts import open_account, plan_account
from papertrade.hosting.cloning import clone_account
from papertrade.hosting.floor import MarketHandler
from papertrade.hosting.flow import Flow
from papertrade.hosting.intake import MAX_LEVELS, pairs_of
from papertrade.hosting.setup import AccountOptions, fill_settings, parse_clock, points_text
from papertrade.matching.market import Market
from papertrade.matching.settings import FillSettings
from papertrade.paper import PaperBroker
from papertrade.ports.broker import When
from papertrade.ports.clock import Clock, DataClock, SystemClock
from papertrade.ports.store import Store
from papertrade.tape import Tape
from papertrade.testing.recorded_values import (
    Json,
    RecordingError,
    fact,
    instant,
    number,
    units,
    word,
)
from papertrade.testing.recording_desk import Fields, Notes, RecordingDesk, Stamped, StampedSystem, version_of
from papertrade.testing.recording_tape import RecordingTape
from papertrade.testing.replaying import FORMAT, replay

__all__ = ["RecordingError", "RecordingExchange", "open_recording_broker", "replay"]

T = TypeVar("T")


class RecordingBroker(PaperBroker):
    """One account's window on a recording exchange."""

    __slots__ = ()

    def __init__(self, exchange: RecordingExchange, account: str, currency: str) -> None:
        super().__init__(exchange, account, currency)
        self._desk = RecordingDesk(exchange._desk, account, currency, exchange.notes)


class RecordingExchange(Exchange):
    """An ``Exchange`` that writes down what it is given.

    An account that its store held before must be in the store of the replay too, as it was.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        store: Store | str | None = None,
        clock: Clock | str = "system",
        *,
        fill: FillSettings | str = "realistic",
        calendar: MarketHours | str | None = None,
        threadsafe: bool = True,
    ) -> None:
        known = parse_clock(clock)
        if not isinstance(known, DataClock):
            known = StampedSystem(known) if isinstance(known, SystemClock) else Stamped(known)
        super().__init__(store, known, fill=fill, calendar=calendar, threadsafe=threadsafe)
        self.notes = Notes(write, known)
        kind = "data" if isinstance(known, DataClock) else "manual"
        about = {"clock": kind, "fill": fact(self._floor.fill), "calendar": fact(self._desk.hours)}
        self.notes.line(FORMAT, lambda: about)

    def run_flow(self, flow: Flow[T]) -> T:
        """Run a flow under the lock, at one instant."""
        return super().run_flow(self._at_once(flow))

    def _at_once(self, flow: Flow[T]) -> Flow[T]:
        self.notes.stamp()
        return (yield from flow)

    def _noted(self, do: str, fields: Fields, flow: Flow[T]) -> T:
        return self.run_flow(self.notes.flow(do, fields, flow, lambda: None))

    # ----------------------------------------------- instruments and accounts

    def add_instrument(self, symbol: str | Instrument, **details: object) -> Instrument:
        """List an instrument."""
        with self._lock:
            listed = self._desk.list_instrument(symbol, details)
            self.notes.line("add_instrument", lambda: {"symbol": fact(listed)})
            return listed

    def set_price_band(self, symbol: str, band: tuple[Number, Number] | None) -> Instrument:
        """Give an instrument the price band of a new day."""
        with self._lock:
            changed = self._desk.set_price_band(symbol, band)
            prices = None if changed.price_band is None else [str(price) for price in changed.price_band]
            self.notes.line("set_price_band", lambda: {"symbol": symbol, "band": prices})
            return changed

    def list_unknown_in(self, currency: Currency | str) -> None:
        """List a symbol never seen before as a plain instrument of this currency."""
        known = parse_currency(currency)
        with self._lock:
            self._desk.unlisted_currency = known
            self.notes.line("list_unknown_in", lambda: {"currency": fact(known)})

    def use_calendar(self, calendar: MarketHours | str) -> None:
        """From now on this calendar is the one of its name; the recording carries all its days."""
        with self._lock:
            self.notes.stamp()
            hours = self._desk.parse_calendar(calendar)
            text = fact(hours)
            self._desk.use_calendar(hours)
            self.notes.line("use_calendar", lambda: {"calendar": text})

    def open_account(
        self,
        account: str,
        *,
        cash: Number | None = 0,
        currency: Currency | str = "USD",
        fill: FillSettings | str | None = None,
        start: str = "keep",
        **options: Unpack[AccountOptions],
    ) -> RecordingBroker:
        """Open an account. The options are those of ``Exchange.open_account``."""
        own = self._floor.fill if fill is None else fill_settings(fill, self._desk.clock)
        plan = plan_account(account, cash, currency, own, start, options)
        profile = plan.profile
        fields = {
            "account": plan.account,
            "cash": units(plan.cash_units),
            "currency": fact(plan.currency),
            "kind": str(plan.kind),
            "margin": fact(profile.margin),
            "fees": fact(profile.fees),
            "limits": fact(profile.limits),
            "fill": fact(profile.fill),
            "cost_method": str(plan.method),
            "trading_day": fact(profile.trading_day),
            "outside_hours": str(profile.outside_hours),
            "square_off": fact(profile.square_off or None),
            "equity_points": points_text(profile.points_ns),
            "settlement": fact(profile.settlement),
            "products": fact(profile.products) or None,
            "start": start,
        }
        seats, name = self._desk.engine.seats, plan.account
        flow = open_account(self._desk, plan)
        self.run_flow(self.notes.flow("open_account", lambda: fields, flow, lambda: version_of(seats, name)))
        return RecordingBroker(self, plan.account, plan.currency.code)

    def close_account(self, account: str) -> None:
        """Not while recording: a replay would go on with the account."""
        raise UnsupportedError("closing an account while it records", ("accounts that stay open",))

    def clone_account(
        self, source: str, target: str, *, note: str = "", command_id: str | None = None
    ) -> RecordingBroker:
        """Open a new account as a copy of another."""
        fields = {"source": source, "target": target, "note": note, "command_id": command_id}
        flow = clone_account(self._desk, source, target, note, command_id)
        return RecordingBroker(self, *self._noted("clone_account", lambda: fields, flow))

    def account(self, account: str) -> RecordingBroker:
        """The broker of an account that is open here."""
        found = super().account(account)
        return RecordingBroker(self, found.account_id, found._desk.currency)

    # ---------------------------------------------------------------- data

    def _datum(
        self, do: str, symbol: object, take: Callable[[Market], Flow[None] | None], fields: Fields
    ) -> None:
        """A datum goes to its market at one instant, and is written down when it has been served."""
        everything: Fields = lambda: {"symbol": parse_name(symbol, "symbol"), **fields()}  # noqa: E731
        notes = self.notes

        def noted(market: Market) -> Flow[None] | None:
            notes.stamp()
            try:
                flow = take(market)
            except BaseException as why:
                notes.line(do, everything, why)
                raise
            if flow is None:
                notes.line(do, everything)
                return None
            return notes.flow(do, everything, flow, lambda: None)

        self._take(symbol, noted)

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
        """A new best bid and ask."""
        self._datum(
            "on_quote",
            symbol,
            lambda m: self._floor.intake.quote(m, bid, ask, bid_size, ask_size, at, sequence),
            lambda: {
                "bid": number(bid),
                "ask": number(ask),
                "bid_size": number(bid_size),
                "ask_size": number(ask_size),
                "at": instant(at),
                "sequence": sequence,
            },
        )

    def on_price(self, symbol: str, price: Number, at: When | None = None) -> None:
        """A bare last price."""
        take = lambda m: self._floor.intake.price(m, price, at)  # noqa: E731
        self._datum("on_price", symbol, take, lambda: {"price": number(price), "at": instant(at)})

    def on_trade(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        aggressor: Side | str | None = None,
        at: When | None = None,
        sequence: int | None = None,
    ) -> None:
        """A print."""
        self._datum(
            "on_trade",
            symbol,
            lambda m: self._floor.intake.trade(m, price, size, aggressor, at, sequence),
            lambda: {
                "price": number(price),
                "size": number(size),
                "aggressor": word(aggressor),
                "at": instant(at),
                "sequence": sequence,
            },
        )

    def on_auction(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        auction: str | None = None,
        at: When | None = None,
    ) -> None:
        """The official price of an auction."""
        self._datum(
            "on_auction",
            symbol,
            lambda m: self._floor.intake.auction(m, price, size, auction, at),
            lambda: {"price": number(price), "size": number(size), "auction": word(auction), "at": instant(at)},
        )

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
        """A finished bar."""
        prices = {"open": open, "high": high, "low": low, "close": close, "volume": volume}
        self._datum(
            "on_bar",
            symbol,
            lambda m: self._floor.intake.bar(m, (open, high, low, close), volume, start, end),
            lambda: {**{n: number(v) for n, v in prices.items()}, "start": instant(start), "end": instant(end)},
        )

    def on_depth(
        self,
        symbol: str,
        bids: Iterable[tuple[Number, Number]],
        asks: Iterable[tuple[Number, Number]],
        at: When | None = None,
    ) -> None:
        """The best levels of both sides."""
        sides = (_kept(bids), _kept(asks))
        self._datum(
            "on_depth",
            symbol,
            lambda m: self._floor.intake.depth(m, pairs_of(sides[0], "bids"), pairs_of(sides[1], "asks"), at),
            lambda: {"bids": _levels(sides[0]), "asks": _levels(sides[1]), "at": instant(at)},
        )

    def on_halt(self, symbol: str) -> None:
        """Trading stops."""
        self._datum("on_halt", symbol, lambda m: m.halt(True), dict)

    def on_resume(self, symbol: str) -> None:
        """Trading goes on."""
        self._datum("on_resume", symbol, lambda m: m.halt(False), dict)

    def tape(self, symbol: str) -> Tape:
        """The entrance of one symbol for whole ticks and lots; what goes in there is written down like the rest."""
        market = self.market(symbol)
        return RecordingTape(self, market)

    def market(self, symbol: str) -> Market:
        """What is known of a symbol now. A look at a symbol never seen before may list it, which is an input."""
        with self._lock:
            before = len(self._desk.engine.markets)
            market = self._floor.listed(symbol)
            if len(self._desk.engine.markets) > before:
                self.notes.line("market", lambda: {"symbol": market.symbol})
            return market

    def subscribe_market(self, symbol: str, handler: MarketHandler) -> Callable[[], None]:
        """Call a handler with the market of a symbol after each of its data."""
        self.market(symbol)
        return super().subscribe_market(symbol, handler)

    # ---------------------------------------------------------------- time

    def advance(self, to: When | None = None) -> None:
        """Do what the clock does by itself, up to an instant or up to now."""
        self._noted("advance", lambda: {"to": instant(to)}, self._advance(to))

    def _advance(self, to: When | None) -> Flow[None]:
        desk = self._desk
        if to is not None:
            if desk.data_clock is None:
                raise UsageError("advance(to) moves the clock only under clock='data'; move your own clock instead")
            desk.data_clock.observe(parse_instant(to, "to"))
        yield from desk.catch_up(desk.now())


def _kept(levels: Iterable[tuple[Number, Number]]) -> Any:
    """Levels that can be gone through twice; what raises on the way is left for the exchange to refuse."""
    if isinstance(levels, (str, bytes, dict)):
        return levels
    try:
        return list(islice(levels, MAX_LEVELS + 1))
    except Exception:
        return None


def _levels(levels: Iterable[tuple[Number, Number]]) -> Json:
    return [[number(price), number(size)] for price, size in levels]


def open_recording_broker(
    write: Callable[[str], object], *, store: Store | str | None = None, clock: Clock | str = "system", **options: Any
) -> RecordingBroker:
    """The recording form of ``open_paper_broker``: one account on an exchange of its own."""
    threadsafe, account = options.pop("threadsafe", True), options.pop("account", "main")
    fill, hours = options.pop("fill", "realistic"), options.pop("calendar", None)
    exchange = RecordingExchange(write, store, clock, fill=fill, calendar=hours, threadsafe=threadsafe)
    exchange.list_unknown_in(options.get("currency", "USD"))
    broker = exchange.open_account(account, **options)
    broker.owns_exchange = True
    return broker
