"""What can be said to a broker and to the oracle alike: how an account is set up, and the commands, in units."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import attrs

from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.hours import MarketHours
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import CURRENCIES, Currency
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OutsideHours
from papertrade.ledger.fees import FeeModel, NoFees
from papertrade.ledger.margin import CashModel, MarginModel
from papertrade.ledger.settlement import Settlement
from papertrade.matching.settings import FillSettings
from papertrade.risk.limits import RiskLimits
from papertrade.risk.products import Product
from papertrade.risk.square_off import SquareOff


@attrs.frozen(kw_only=True)
class Setup:
    """An account and its markets, before anything has happened."""

    instruments: tuple[Instrument, ...]
    account: str = "main"
    cash_units: int = 0
    currency: Currency = CURRENCIES["USD"]
    margin: MarginModel = attrs.field(factory=CashModel)
    fees: FeeModel = attrs.field(factory=NoFees)
    limits: RiskLimits = attrs.field(factory=RiskLimits)
    fill: FillSettings = attrs.field(factory=FillSettings)
    cost_method: str = "average"
    trading_day: TradingDay = attrs.field(factory=TradingDay)
    data_clock: bool = True  # time is the latest datum; otherwise a clock that ``MoveClock`` moves
    start_ns: int = 0
    hours: MarketHours | None = None  # of instruments that name its calendar
    outside_hours: OutsideHours = OutsideHours.QUEUE
    square_off: SquareOff | None = None
    equity_points: str = "off"
    settlement: Settlement | None = None
    products: tuple[Product, ...] = ()

    def hours_of(self, instrument: Instrument) -> MarketHours | None:
        """The hours in which an instrument trades."""
        return self.hours if self.hours is not None and instrument.calendar == self.hours.name else None


class Quote(NamedTuple):
    """A best bid and ask; ``at`` None is stamped on arrival."""

    symbol: str
    bid: int | None
    ask: int | None
    bid_size: int | None = None
    ask_size: int | None = None
    at: int | None = None
    sequence: int | None = None


class LastPrice(NamedTuple):
    """A bare last price."""

    symbol: str
    price: int
    at: int | None = None


class Print(NamedTuple):
    """A trade in the market; ``aggressor`` is +1, -1, or 0 when the feed does not say."""

    symbol: str
    price: int
    size: int | None = None
    aggressor: int = 0
    at: int | None = None
    sequence: int | None = None


class Auction(NamedTuple):
    """The official price of an auction, ``"open"`` or ``"close"``."""

    symbol: str
    kind: str
    price: int
    size: int | None = None
    at: int | None = None


class Bar(NamedTuple):
    """A finished bar."""

    symbol: str
    open: int
    high: int
    low: int
    close: int
    volume: int | None = None
    start: int | None = None
    end: int | None = None


class Depth(NamedTuple):
    """The best levels of both sides."""

    symbol: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    at: int | None = None


class Halt(NamedTuple):
    """Trading stops, or goes on."""

    symbol: str
    halted: bool


class Advance(NamedTuple):
    """Time passes up to an instant, and what was due is done."""

    to: int


class MoveClock(NamedTuple):
    """The clock moves, and nobody has said so to the exchange."""

    to: int


class Place(NamedTuple):
    """An order."""

    terms: OrderTerms


class PlacePair(NamedTuple):
    """Two linked orders."""

    first: OrderTerms
    second: OrderTerms


class Link(NamedTuple):
    """Two open orders are linked."""

    one: int
    two: int


class Modify(NamedTuple):
    """An order is to change; None leaves a part of it as it is."""

    number: int
    quantity: int | None = None
    limit: int | None = None
    stop: int | None = None
    expires: int | None = None
    command_id: str | None = None


class Cancel(NamedTuple):
    """An order is to be canceled."""

    number: int


class CancelAll(NamedTuple):
    """Every order is to be canceled, or those of one symbol."""

    symbol: str | None = None


class Close(NamedTuple):
    """A position is to be closed, or a part of it."""

    symbol: str
    quantity: int | None = None
    product: str = ""  # empty for the default one


class CloseAll(NamedTuple):
    """Every order is to be canceled and every position closed."""


class Deposit(NamedTuple):
    """Money comes in."""

    amount: int
    command_id: str | None = None
    note: str = ""


class Withdraw(NamedTuple):
    """Money is to go out."""

    amount: int
    command_id: str | None = None
    note: str = ""


class Row(NamedTuple):
    """A position from elsewhere, negative for a short."""

    symbol: str
    quantity: int
    price: int
    product: str = ""


class Import(NamedTuple):
    """Positions come in without a trade."""

    rows: tuple[Row, ...]
    command_id: str | None = None
    note: str = ""


class Convert(NamedTuple):
    """A part of a position goes over to another product."""

    symbol: str
    quantity: int
    source: str
    target: str
    command_id: str | None = None
    note: str = ""


class Reset(NamedTuple):
    """The account begins again."""

    cash: int
    command_id: str | None = None
    note: str = ""


class Kill(NamedTuple):
    """The kill switch is thrown."""


class ResetLimit(NamedTuple):
    """A latch is opened by hand."""

    limit: str


class Restart(NamedTuple):
    """The process ends and another opens the same journal. No market data survives."""


Command: TypeAlias = (
    Quote
    | LastPrice
    | Print
    | Auction
    | Bar
    | Depth
    | Halt
    | Advance
    | MoveClock
    | Place
    | PlacePair
    | Link
    | Modify
    | Cancel
    | CancelAll
    | Close
    | CloseAll
    | Deposit
    | Withdraw
    | Import
    | Convert
    | Reset
    | Kill
    | ResetLimit
    | Restart
)
