"""Feeds and sinks: where market data comes from, where events go.

A feed is anything to iterate over (an async iterable for ``AsyncExchange``) whose items are data. Who can fall silent
offers ``next(timeout_s)`` instead, so that what the clock has to do is not kept waiting: see ``LiveFeed``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from enum import Enum, StrEnum
from typing import Any, ClassVar, Final, Literal, Protocol, TypeAlias

import attrs

from papertrade.domain.events import Event
from papertrade.domain.numbers import Number
from papertrade.domain.words import Side
from papertrade.ports.broker import When


@attrs.frozen
class Quote:
    """A best bid and ask; a side that nobody is on is None. The fields are those of ``on_quote``."""

    kind: ClassVar[str] = "quote"
    symbol: str
    bid: Number | None
    ask: Number | None
    bid_size: Number | None = None
    ask_size: Number | None = None
    at: When | None = None
    sequence: int | None = None


@attrs.frozen
class LastPrice:
    """A bare last price. The fields are those of ``on_price``."""

    kind: ClassVar[str] = "price"
    symbol: str
    price: Number
    at: When | None = None


@attrs.frozen
class MarketTrade:
    """A print: somebody else's trade in the market. The fields are those of ``on_trade``."""

    kind: ClassVar[str] = "trade"
    symbol: str
    price: Number
    size: Number | None = None
    aggressor: Side | str | None = None
    at: When | None = None
    sequence: int | None = None


@attrs.frozen
class AuctionPrice:
    """The official price of an ``"open"`` or ``"close"`` auction. The fields are those of ``on_auction``."""

    kind: ClassVar[str] = "auction"
    symbol: str
    price: Number
    size: Number | None = None
    auction: str | None = None
    at: When | None = None


@attrs.frozen
class Bar:
    """A finished bar; ``end`` is the instant at which it was known. The fields are those of ``on_bar``."""

    kind: ClassVar[str] = "bar"
    symbol: str
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number | None = None
    start: When | None = None
    end: When | None = None


@attrs.frozen
class Depth:
    """The best levels of both sides as pairs of price and size, best first. The fields are those of ``on_depth``."""

    kind: ClassVar[str] = "depth"
    symbol: str
    bids: Iterable[tuple[Number, Number]]
    asks: Iterable[tuple[Number, Number]]
    at: When | None = None


@attrs.frozen
class Halt:
    """Trading in a symbol stops; the field is that of ``on_halt``."""

    kind: ClassVar[str] = "halt"
    symbol: str


@attrs.frozen
class Resume:
    """Trading in a symbol goes on; the field is that of ``on_resume``."""

    kind: ClassVar[str] = "resume"
    symbol: str


Datum: TypeAlias = "Quote | LastPrice | MarketTrade | AuctionPrice | Bar | Depth | Halt | Resume | Mapping[str, object]"
"""One of the values above, or a mapping that names its ``kind`` and the fields of ``on_<kind>``."""

DATA_TYPES: Final = (Quote, LastPrice, MarketTrade, AuctionPrice, Bar, Depth, Halt, Resume)


class EndOfFeed(Enum):
    """What a live feed answers when there will be no more data."""

    END = "end"

    def __repr__(self) -> str:
        return "END"


END: Final = EndOfFeed.END
Pulled: TypeAlias = "Datum | Literal[EndOfFeed.END] | None"
"""What a live feed answers: a datum, None for silence, END."""


class Feed(Protocol):
    """Anything that can be iterated over for data.

    A mapping names its kind and the fields of ``on_<kind>``:
    ``{"kind": "quote", "symbol": "AAPL", "bid": "187.10", "ask": "187.14", "at": "2026-01-05T14:30:00Z"}``
    """

    def __iter__(self) -> Iterator[Datum]:
        """One datum after another, in time order."""
        ...


class AsyncFeed(Protocol):
    """The same with awaits; it may be silent as long as it likes."""

    def __aiter__(self) -> AsyncIterator[Datum]:
        """One datum after another, in time order."""
        ...


class LiveFeed(Protocol):
    """A feed that can be waited on for a while, so that expiries do not wait for it.

    It may have a method ``wake()``, too, that ends a wait under way: ``exchange.stop()`` calls it.
    """

    def next(self, timeout_s: float, /) -> Pulled:
        """The next datum; None if there was none for so long (or less); END when there will be none."""
        ...


class AsyncLiveFeed(Protocol):
    """The same, awaited."""

    def next(self, timeout_s: float, /) -> Awaitable[Pulled]:
        """The next datum, None for silence, END."""
        ...


class DataQueue(Protocol):
    """A ``queue.Queue`` or ``asyncio.Queue`` of data; ``END`` in it says that there will be no more."""

    def get_nowait(self) -> Any:
        """What has come, without waiting."""
        ...

    def put_nowait(self, datum: Any, /) -> None:
        """More data."""
        ...


class Waiter(Protocol):
    """Lets time pass between two polls: the only thing here that waits without a feed to wait on.

    It may have a method ``wake()``, too, that ends a wait under way: ``exchange.stop()`` calls it.
    """

    def wait(self, timeout_s: float, /) -> object:
        """Come back after so long, or earlier. Under ``AsyncExchange`` the answer is awaited if it can be."""
        ...


class StopSignal(Protocol):
    """Says whether a run is to end: a ``threading.Event``, an ``asyncio.Event``, anything with ``is_set``."""

    def is_set(self) -> bool:
        """Is it to end?"""
        ...


class RunEnd(StrEnum):
    """Why a run ended."""

    END_OF_FEED = "end_of_feed"  # there are no more data
    STOPPED = "stopped"  # somebody asked for it


@attrs.frozen(kw_only=True)
class FeedRun:
    """What came of a run. A run that a feed's failure ended raises a ``FeedError`` instead."""

    ended: RunEnd
    taken: int
    """Data given to the exchange and taken by it."""
    skipped: int = 0
    """Data that could not be taken, left out because ``bad_data="skip"``."""
    failures: int = 0
    """Rounds of a polled source that failed, gone on from because ``on_failure="go_on"``."""
    faults: int = 0
    """Data and deadlines at which something went wrong for an account; the others went on."""


class Sink(Protocol):
    """Anything that wants events: called once for each, in order, after they are stored."""

    def __call__(self, event: Event, /) -> object:
        """Take one event."""
        ...
