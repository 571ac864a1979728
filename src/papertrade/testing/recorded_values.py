"""Recorded values: what a command or an account was made of, as JSON and back, exactly.

Numbers are text, instants are ISO text, and the facts an account is opened with (settings, models, limits) are objects
that name their class. A model of somebody's own is named only; whoever replays the recording has to bring it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs

from papertrade.calendars.builtin import BUILDERS, calendar
from papertrade.calendars.calendar import Calendar
from papertrade.calendars.hours import AuctionTimes, Hours, Segment
from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.instants import parse_instant, text_of_instant
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency
from papertrade.domain.numbers import parse_units, text_of
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import Side, plain_text
from papertrade.errors import UsageError
from papertrade.ledger.fee_models import FeeSchedule, MakerTakerFee, PercentFee, PerUnitFee
from papertrade.ledger.fees import NoFees
from papertrade.ledger.margin import CashModel, FlatMargin
from papertrade.ledger.settlement import Settlement
from papertrade.matching.models import NoSlippage
from papertrade.matching.settings import FillSettings
from papertrade.matching.slippage import BasisPointSlippage, SpreadSlippage, TickSlippage
from papertrade.risk.limits import RiskLimits
from papertrade.risk.products import Product
from papertrade.risk.square_off import SquareOff

Json = Any
FACTS: Final = MappingProxyType(
    {
        cls.__name__: cls
        for cls in (
            *(FillSettings, NoSlippage, TickSlippage, BasisPointSlippage, SpreadSlippage),
            *(NoFees, PerUnitFee, PercentFee, MakerTakerFee, FeeSchedule),
            *(CashModel, FlatMargin, RiskLimits, Settlement, SquareOff, Product, TradingDay, Currency, Instrument),
            *(Calendar, Hours, Segment, AuctionTimes),
        )
    }
)
"""What is written with all of its fields."""


class RecordingError(UsageError):
    """A recording cannot be written, or a line of it cannot be replayed; ``line`` is its number, 0 for none."""

    def __init__(self, line: int, why: str) -> None:
        self.line, self.why = line, why
        super().__init__(f"line {line} of the recording: {why}" if line else f"recording: {why}")


# ------------------------------------------------------------------- writing


def number(value: object) -> Json:
    """A number as it was typed, as text; what is no number at all is written as nothing could be."""
    if value is None or type(value) is str:
        return value
    return text_of(parse_units(value))


def instant(value: object) -> Json:
    """An instant as canonical text."""
    return None if value is None else text_of_instant(parse_instant(value, "instant"))


def word(value: object) -> Json:
    """A word, or None."""
    return None if value is None else plain_text(value)


def units(value: int | None) -> Json:
    """An amount in units as text."""
    return None if value is None else text_of(value)


def present(fields: Mapping[str, Json]) -> dict[str, Json]:
    """Only the fields that say something, so that a line is short."""
    return {name: value for name, value in fields.items() if value is not None and value is not False and value != {}}


def request_of(terms: OrderTerms, account: str) -> dict[str, Json]:
    """The fields of a request that is understood as these terms."""
    return present(
        {
            "symbol": terms.symbol,
            "side": str(Side.BUY if terms.sign > 0 else Side.SELL),
            "quantity": units(terms.quantity_units or None),
            "notional": units(terms.notional_units),
            "limit_price": units(terms.limit_units),
            "stop_price": units(terms.stop_units),
            "time_in_force": str(terms.tif),
            "expires_at": instant(terms.expires_ns),
            "ttl_minutes": terms.ttl_minutes or None,
            "extended_hours": terms.extended_hours,
            "after_market": terms.after_market,
            "product": terms.product or None,
            "post_only": terms.post_only,
            "reduce_only": terms.reduce_only,
            "oco_with": f"{account}-{terms.oco_with}" if terms.oco_with else None,
            "client_order_id": terms.client_order_id,
            "tags": dict(terms.tags),
        }
    )


def fact(value: object) -> Json:
    """A fact that an account or an instrument is made of."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, (tuple, list)):
        return [fact(part) for part in value]
    if isinstance(value, (time, date)):
        return value.isoformat()
    if isinstance(value, ZoneInfo) and value.key:
        return value.key
    cls = type(value)
    if isinstance(value, Calendar) and value.name in BUILDERS and calendar(value.name) == value:
        return value.name  # it ships; another one is written with all its days
    if FACTS.get(cls.__name__) is cls:
        # A trading day without a calendar is written as it was before there were calendars.
        fields = [a for a in attrs.fields(cls) if a.init and (a.name, getattr(value, a.name)) != ("calendar", None)]
        return {"is": cls.__name__, **{str(a.alias): fact(getattr(value, a.name)) for a in fields}}
    name = getattr(value, "name", None)
    if type(name) is str:
        return {"own": name}
    raise RecordingError(0, f"{value!r:.80} cannot be written")


# ------------------------------------------------------------------- reading


def made(value: Json, own: Mapping[str, object]) -> Any:
    """A fact from its JSON."""
    if isinstance(value, list):
        return tuple(made(part, own) for part in value)
    if not isinstance(value, dict):
        return value
    name = value.get("own")
    if set(value) == {"own"} and type(name) is str:
        if name not in own:
            raise RecordingError(0, f"it uses a model named {name!r}; hand it to replay(..., own={{{name!r}: model}})")
        return own[name]
    kind = value.get("is")
    cls = FACTS.get(kind) if type(kind) is str else None
    if cls is None:
        raise RecordingError(0, f"it holds {str(kind)[:60]!r}, which is none of {', '.join(FACTS)}")
    known = {str(a.alias) for a in attrs.fields(cls) if a.init}
    fields = {field: made(part, own) for field, part in value.items() if field != "is"}
    if not fields.keys() <= known:
        raise RecordingError(0, f"a {kind} has no {sorted(fields.keys() - known)[0][:60]!r}")
    try:
        return cls(**fields)
    except UsageError:
        raise
    except Exception as why:  # it was made for people who type, not for whatever stands in a file
        raise RecordingError(0, f"a {kind} cannot be made of this: {why}") from None
