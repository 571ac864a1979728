"""papertrade: a paper broker you can import. Believable fills, exact money, the same bytes every time.

>>> import papertrade as pt
>>> broker = pt.open_paper_broker(cash=100_000)
>>> broker.on_quote("AAPL", bid="187.10", ask="187.14", bid_size=300, ask_size=200)
>>> broker.buy("AAPL", 10)
<Order main-1: buy 10 AAPL market gtc, filled 10 at 187.14>
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from papertrade import domain, errors
from papertrade.calendars.trading_day import TradingDay
from papertrade.compose import open_paper_broker, open_store
from papertrade.domain.fills import Fill
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency
from papertrade.domain.numbers import parse_units as units
from papertrade.domain.orders import Order, OrderRequest
from papertrade.domain.positions import Account, Lot, Position
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import (
    AccountKind,
    CancelReason,
    CostMethod,
    LiquidityRole,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from papertrade.errors import PaperTradeError, StoreError, UsageError
from papertrade.exchange import Exchange
from papertrade.hosting.setup import SnapshotPolicy
from papertrade.ledger.fees import NoFees
from papertrade.ledger.margin import CashModel, FlatMargin
from papertrade.matching.models import NoSlippage
from papertrade.matching.settings import FillSettings
from papertrade.paper import PaperBroker
from papertrade.ports.broker import AsyncBroker, Broker, Capabilities
from papertrade.ports.clock import Clock, DataClock, ManualClock, SystemClock
from papertrade.ports.store import Store
from papertrade.risk.limits import RiskLimits

if TYPE_CHECKING:
    from papertrade.aio import AsyncExchange, open_async_paper_broker
    from papertrade.aio_broker import AsyncPaperBroker
    from papertrade.aio_following import follow_async
    from papertrade.calendars.builtin import calendar
    from papertrade.calendars.calendar import Calendar
    from papertrade.calendars.hours import AuctionTimes, Hours
    from papertrade.calendars.sessions import Session
    from papertrade.domain.day_positions import DayPosition
    from papertrade.domain.hours import Phase
    from papertrade.domain.pages import EquityPoint, Page
    from papertrade.domain.summaries import DayHolding, DaySummary
    from papertrade.feeds import QueueFeed
    from papertrade.following import follow
    from papertrade.hosting.delivery import Subscription
    from papertrade.hosting.explaining import Explanation
    from papertrade.hosting.previewing import Preview
    from papertrade.ledger.entries import Entry
    from papertrade.ledger.fee_models import FeeSchedule, MakerTakerFee, PercentFee, PerUnitFee
    from papertrade.ledger.settlement import Settlement
    from papertrade.matching.slippage import BasisPointSlippage, SpreadSlippage, TickSlippage
    from papertrade.ports.feed import AuctionPrice, Bar, Depth, FeedRun, Halt, LastPrice, MarketTrade, Quote, Resume
    from papertrade.risk.products import Product
    from papertrade.risk.square_off import SquareOff

__version__ = "0.1.0"

# What only some need is imported when first named, so that nobody else pays for asyncio.
_LATER = MappingProxyType(
    {
        "AsyncExchange": "aio",
        "AsyncPaperBroker": "aio_broker",
        "AuctionPrice": "ports.feed",
        "AuctionTimes": "calendars.hours",
        "Bar": "ports.feed",
        "BasisPointSlippage": "matching.slippage",
        "Calendar": "calendars.calendar",
        "DayHolding": "domain.summaries",
        "DayPosition": "domain.day_positions",
        "DaySummary": "domain.summaries",
        "Depth": "ports.feed",
        "Entry": "ledger.entries",
        "EquityPoint": "domain.pages",
        "Explanation": "hosting.explaining",
        "FeeSchedule": "ledger.fee_models",
        "FeedRun": "ports.feed",
        "Halt": "ports.feed",
        "Hours": "calendars.hours",
        "LastPrice": "ports.feed",
        "MakerTakerFee": "ledger.fee_models",
        "MarketTrade": "ports.feed",
        "Page": "domain.pages",
        "PerUnitFee": "ledger.fee_models",
        "PercentFee": "ledger.fee_models",
        "Phase": "domain.hours",
        "Preview": "hosting.previewing",
        "Product": "risk.products",
        "QueueFeed": "feeds",
        "Quote": "ports.feed",
        "Resume": "ports.feed",
        "Session": "calendars.sessions",
        "Settlement": "ledger.settlement",
        "SpreadSlippage": "matching.slippage",
        "SquareOff": "risk.square_off",
        "Subscription": "hosting.delivery",
        "TickSlippage": "matching.slippage",
        "calendar": "calendars.builtin",
        "follow": "following",
        "follow_async": "aio_following",
        "open_async_paper_broker": "aio",
    }
)


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"papertrade.{_LATER[name]}"), name)
    raise AttributeError(f"module 'papertrade' has no attribute {name!r}")


__all__ = [
    "Account",
    "AccountKind",
    "AsyncBroker",
    "AsyncExchange",
    "AsyncPaperBroker",
    "AuctionPrice",
    "AuctionTimes",
    "Bar",
    "BasisPointSlippage",
    "Broker",
    "Calendar",
    "CancelReason",
    "Capabilities",
    "CashModel",
    "Clock",
    "CostMethod",
    "Currency",
    "DataClock",
    "DayHolding",
    "DayPosition",
    "DaySummary",
    "Depth",
    "Entry",
    "EquityPoint",
    "Exchange",
    "Explanation",
    "FeeSchedule",
    "FeedRun",
    "Fill",
    "FillSettings",
    "FlatMargin",
    "Halt",
    "Hours",
    "Instrument",
    "LastPrice",
    "LiquidityRole",
    "Lot",
    "MakerTakerFee",
    "ManualClock",
    "MarketTrade",
    "NoFees",
    "NoSlippage",
    "Order",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Page",
    "PaperBroker",
    "PaperTradeError",
    "PerUnitFee",
    "PercentFee",
    "Phase",
    "Position",
    "Preview",
    "Product",
    "QueueFeed",
    "Quote",
    "RejectReason",
    "Resume",
    "RiskLimits",
    "Session",
    "Settlement",
    "Side",
    "SnapshotPolicy",
    "SpreadSlippage",
    "SquareOff",
    "Store",
    "StoreError",
    "Subscription",
    "SystemClock",
    "TickSlippage",
    "TimeInForce",
    "TradingDay",
    "UsageError",
    "calendar",
    "domain",
    "errors",
    "follow",
    "follow_async",
    "open_async_paper_broker",
    "open_paper_broker",
    "open_store",
    "units",
]
