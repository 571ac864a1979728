"""The market as a broker hands it on: the data, the halts and the clock of the exchange that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from papertrade.domain.numbers import Number
from papertrade.domain.words import Side
from papertrade.hosting.closing import AsyncClosable, Closable
from papertrade.matching.market import Market
from papertrade.ports.broker import When


class MarketWindow(Closable):
    """A broker through which its exchange is fed."""

    __slots__ = ()

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
        self.exchange.on_quote(symbol, bid, ask, bid_size, ask_size, at, sequence)

    def on_price(self, symbol: str, price: Number, at: When | None = None) -> None:
        """A bare last price, widened against the trader by the stated half spread."""
        self.exchange.on_price(symbol, price, at)

    def on_trade(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        aggressor: Side | str | None = None,
        at: When | None = None,
        sequence: int | None = None,
    ) -> None:
        """A print in the market."""
        self.exchange.on_trade(symbol, price, size, aggressor, at, sequence)

    def on_auction(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        auction: str | None = None,
        at: When | None = None,
    ) -> None:
        """The official price of an opening or closing auction."""
        self.exchange.on_auction(symbol, price, size, auction=auction, at=at)

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
        self.exchange.on_bar(symbol, open, high, low, close, volume, start, end)

    def on_depth(
        self,
        symbol: str,
        bids: Iterable[tuple[Number, Number]],
        asks: Iterable[tuple[Number, Number]],
        at: When | None = None,
    ) -> None:
        """The best levels of both sides, best first."""
        self.exchange.on_depth(symbol, bids, asks, at)

    def on_halt(self, symbol: str) -> None:
        """Trading stops: orders are accepted and wait."""
        self.exchange.on_halt(symbol)

    def on_resume(self, symbol: str) -> None:
        """Trading goes on."""
        self.exchange.on_resume(symbol)

    def market(self, symbol: str) -> Market:
        """What is known of a symbol now."""
        return self.exchange.market(symbol)

    def subscribe_market(self, symbol: str, handler: Callable[[Market], object]) -> Callable[[], None]:
        """Call a handler with the market of a symbol after each of its data."""
        return self.exchange.subscribe_market(symbol, handler)

    def advance(self, to: When | None = None) -> None:
        """Do what the clock does by itself, up to an instant or up to now."""
        self.exchange.advance(to)


class AsyncMarketWindow(AsyncClosable):
    """The same, awaited."""

    __slots__ = ()

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
        """A new best bid and ask."""
        await self.exchange.on_quote(symbol, bid, ask, bid_size, ask_size, at, sequence)

    async def on_price(self, symbol: str, price: Number, at: When | None = None) -> None:
        """A bare last price."""
        await self.exchange.on_price(symbol, price, at)

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
        await self.exchange.on_trade(symbol, price, size, aggressor, at, sequence)

    async def on_auction(
        self,
        symbol: str,
        price: Number,
        size: Number | None = None,
        auction: str | None = None,
        at: When | None = None,
    ) -> None:
        """The official price of an auction, ``"open"`` or ``"close"``, and how much traded at it."""
        await self.exchange.on_auction(symbol, price, size, auction=auction, at=at)

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
        await self.exchange.on_bar(symbol, open, high, low, close, volume, start, end)

    async def on_depth(
        self,
        symbol: str,
        bids: Iterable[tuple[Number, Number]],
        asks: Iterable[tuple[Number, Number]],
        at: When | None = None,
    ) -> None:
        """The best levels of both sides, best first."""
        await self.exchange.on_depth(symbol, bids, asks, at)

    async def on_halt(self, symbol: str) -> None:
        """Trading stops."""
        await self.exchange.on_halt(symbol)

    async def on_resume(self, symbol: str) -> None:
        """Trading goes on."""
        await self.exchange.on_resume(symbol)

    def market(self, symbol: str) -> Market:
        """What is known of a symbol now."""
        return self.exchange.market(symbol)

    def subscribe_market(self, symbol: str, handler: Callable[[Market], object]) -> Callable[[], None]:
        """Call (and await, if need be) a handler with the market of a symbol after each of its data."""
        return self.exchange.subscribe_market(symbol, handler)

    async def advance(self, to: When | None = None) -> None:
        """Do what the clock does by itself, up to an instant or up to now."""
        await self.exchange.advance(to)
