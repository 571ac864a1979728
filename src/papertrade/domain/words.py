"""The closed vocabularies: side, order type, time in force, status, role, and how people spell them.

Stored values are stable lower-case text. Spelling is forgiven at the edge (``"BUY"``, ``"SL-M"``); it is not inside.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from papertrade.errors import InvalidValueError


class Side(StrEnum):
    """Which way an order or a fill goes."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """How an order meets the market."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"  # SL-M: a market order once its stop price is reached
    STOP_LIMIT = "stop_limit"  # SL: a limit order once its stop price is reached


class TimeInForce(StrEnum):
    """How long an order stands."""

    DAY = "day"  # until the account's trading day ends
    GTC = "gtc"  # until canceled
    IOC = "ioc"  # what can be had at once; the rest is canceled
    FOK = "fok"  # all of it at once, or nothing
    GTD = "gtd"  # until the instant in expires_at
    TTL = "ttl"  # for so many minutes after it was accepted
    OPG = "opg"  # for the opening auction, and for nothing else
    CLS = "cls"  # for the closing auction, and for nothing else

    @property
    def auction(self) -> str | None:
        """The auction that such an order is for, ``"open"`` or ``"close"``; None for any other order."""
        return "open" if self is TimeInForce.OPG else "close" if self is TimeInForce.CLS else None


class OrderStatus(StrEnum):
    """Where an order stands. Every status is open or final; final is for ever."""

    PENDING = "pending"  # sent to a live broker, not yet answered; paper answers at once
    ACCEPTED = "accepted"  # working; for a stop without ``triggered_at``: waiting for its stop price
    TRIGGERED = "triggered"  # a stop whose price was reached, nothing filled yet
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        """Can it still fill?"""
        return not self.is_final

    @property
    def is_final(self) -> bool:
        """Is its story over?"""
        return self in _FINAL


_FINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})


class LiquidityRole(StrEnum):
    """Did the fill take a standing price, or was it the standing price?"""

    MAKER = "maker"
    TAKER = "taker"


class CostMethod(StrEnum):
    """Which part of a holding a sale closes."""

    AVERAGE = "average"  # weighted average: all lots pooled
    FIFO = "fifo"  # oldest lot first


class AccountKind(StrEnum):
    """What stands behind the orders of an account."""

    CASH = "cash"  # everything is paid in full, nothing is sold that is not held
    MARGIN = "margin"  # a flat fraction of the exposure is asked for; selling short is allowed


class CancelReason(StrEnum):
    """Why an order, or a part of it, was canceled."""

    REQUESTED = "requested"  # somebody asked
    IOC_REMAINDER = "ioc_remainder"  # what an ioc order could not get at once
    FOK_UNFILLED = "fok_unfilled"  # a fok order that could not be filled whole
    OCO = "oco"  # its linked order filled
    NOTHING_TO_REDUCE = "nothing_to_reduce"  # reduce-only, and the position is gone
    INSUFFICIENT_FUNDS = "insufficient_funds"  # the fill would have cost more than hold + available
    INSUFFICIENT_POSITION = "insufficient_position"  # the account may not sell what it does not hold
    MARGIN_CALL = "margin_call"  # in a margin call only what reduces a position fills
    SQUARE_OFF = "square_off"  # the account is squared off before its market closes
    RESET = "reset"  # the account began again
    LIMIT_LATCHED = "limit_latched"  # a loss limit latched, or the kill switch was thrown
    AUCTION_OVER = "auction_over"  # what an opg or cls order did not get in its auction


class OutsideHours(StrEnum):
    """What becomes of an order that is placed while its market is closed."""

    QUEUE = "queue"  # it waits for the open
    REJECT = "reject"  # it is refused, unless it is an after-market order
    EXTENDED = "extended"  # a limit order trades before the open and after the close; others wait for the open


class DataKind(StrEnum):
    """What kind of market data justified something."""

    QUOTE = "quote"
    PRICE = "price"  # a bare last price, widened by the half spread
    TRADE = "trade"
    BAR = "bar"
    DEPTH = "depth"
    AUCTION = "auction"  # the official price of an opening or closing auction


SIDE_SPELLINGS = MappingProxyType({"buy": Side.BUY, "b": Side.BUY, "sell": Side.SELL, "s": Side.SELL})
TYPE_SPELLINGS = MappingProxyType(
    {
        **{kind.value: kind for kind in OrderType},
        "sl": OrderType.STOP_LIMIT,
        "sl-m": OrderType.STOP,
        "stop-limit": OrderType.STOP_LIMIT,
        "stop_market": OrderType.STOP,
    }
)
TIF_SPELLINGS = MappingProxyType({tif.value: tif for tif in TimeInForce})
STATUS_SPELLINGS = MappingProxyType(
    {**{status.value: status for status in OrderStatus}, "cancelled": OrderStatus.CANCELED}
)

_Word = TypeVar("_Word", bound=StrEnum)


def parse_word(value: object, spellings: MappingProxyType[str, _Word], field: str) -> _Word:
    """A member of a closed vocabulary from any accepted spelling of it."""
    text = plain_text(value)
    if text is not None and len(text) <= 32:
        found = spellings.get(text.lower())
        if found is not None:
            return found
    raise InvalidValueError(field, value, ", ".join(spellings))


def parse_enum(value: object, words: type[_Word], field: str) -> _Word:
    """A member of a vocabulary that has no other spellings than its values."""
    text = plain_text(value)
    for word in words:
        if text == word.value:
            return word
    raise InvalidValueError(field, value, ", ".join(words))


def plain_text(value: object) -> str | None:
    """A str as it is, a word of ours by its value; None for anything else, subclasses of str included."""
    if type(value) is str:
        return value
    return value.value if isinstance(value, StrEnum) else None


def parse_flag(value: object, field: str) -> bool:
    """True or False, and nothing that merely looks like it."""
    if value is True or value is False:
        return bool(value)
    raise InvalidValueError(field, value, "True or False")
