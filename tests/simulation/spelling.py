"""Values written as one readable line each, and read back as the same values without evaluating anything.

Named tuples and configuration classes are their name and the fields that differ from the defaults.
"""

from __future__ import annotations

import ast
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from papertrade.calendars.builtin import calendar
from papertrade.calendars.calendar import Calendar
from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, OutsideHours, TimeInForce
from papertrade.ledger import fee_models, fees, margin, settlement
from papertrade.matching import models, settings, slippage
from papertrade.risk.limits import RiskLimits
from papertrade.risk.products import Product
from papertrade.risk.square_off import SquareOff
from papertrade.testing.drawing import Mix
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.short_hours import ShortHours

from . import turns as acts
from .swarm import Profile


def _kinds(*modules: Any) -> dict[str, Any]:
    """Everything that these modules define and a line may name."""
    return {
        kind.__name__: kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
    }


KINDS: dict[str, Any] = {
    **_kinds(say, acts, fees, fee_models, margin, models, settings, settlement, slippage),
    **{kind.__name__: kind for kind in (Currency, Instrument, Mix, OrderTerms, Profile, RiskLimits)},
    **{kind.__name__: kind for kind in (Product, SquareOff, TradingDay)},
}
SQUARED = ("minutes_before_close", "reduce_only_minutes", "warn_minutes")
WORDS = {"type": OrderType, "tif": TimeInForce, "outside_hours": OutsideHours}
PLAIN = OrderTerms(
    "", 0, OrderType.MARKET, 0, None, None, None, TimeInForce.GTC, None, False, False, 0, None, ()
)
"""What is not said of an order."""


def spell(value: Any) -> str:
    """A value as text."""
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, (Decimal, date, time, ZoneInfo)):
        return repr(str(value))
    if isinstance(value, (ShortHours, Calendar)):
        return f"Market({value.name!r})"
    if isinstance(value, SquareOff):
        usual = attrs.evolve(value, at=None)  # wall-clock times are not drawn
        assert value == usual
        return f"SquareOff({', '.join(f'{n}={getattr(value, n)!r}' for n in SQUARED)})"
    if attrs.has(type(value)):
        fields = [field for field in attrs.fields(type(value)) if field.init]
        usual = {field.alias: field.default for field in fields}
        return _named(value, {field.alias: getattr(value, field.name) for field in fields}, usual)
    if hasattr(value, "_fields"):
        left_out = PLAIN._asdict() if isinstance(value, OrderTerms) else value._field_defaults
        return _named(value, value._asdict(), left_out)
    if isinstance(value, tuple):
        return f"({''.join(f'{spell(part)}, ' for part in value)})"
    return repr(value)


def _named(value: Any, fields: dict[str, Any], left_out: dict[str, Any]) -> str:
    said = (f"{n}={spell(part)}" for n, part in fields.items() if n not in left_out or part != left_out[n])
    return f"{type(value).__name__}({', '.join(said)})"


def unspell(text: str) -> Any:
    """The value of a text."""
    return _read(ast.parse(text, mode="eval").body)


def _read(node: ast.expr, word: str = "") -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "Market":
            name = ast.literal_eval(node.args[0])
            return ShortHours() if name == ShortHours.name else calendar(name)
        fields = {keyword.arg or "": _read(keyword.value, keyword.arg or "") for keyword in node.keywords}
        return PLAIN._replace(**fields) if node.func.id == "OrderTerms" else KINDS[node.func.id](**fields)
    if isinstance(node, ast.Tuple):
        return tuple(_read(part) for part in node.elts)
    value = ast.literal_eval(node)
    return WORDS[word](value) if word in WORDS else value
