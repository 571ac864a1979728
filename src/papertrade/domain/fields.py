"""How integers are read as decimals and datetimes, and how any machine-made value becomes a dictionary.

A name ends in its unit: ``price_units`` is an integer of 10⁻⁹, ``at_ns`` an integer of nanoseconds. The same name
without the ending is what people read: ``price`` a ``Decimal``, ``at`` a ``datetime``. Nothing is converted before
somebody asks.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, overload

from papertrade.domain.instants import to_datetime
from papertrade.domain.numbers import to_decimal

# Pairs of a name and units.
_PAIRS: Final = frozenset(
    ("numbers", "fees", "balances", "holdings", "charges", "costs", "averages", "marks")
)


class Amount:
    """Reads ``<name>_units`` as a ``Decimal``."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.field = f"{name}_units"

    @overload
    def __get__(self, obj: None, owner: type) -> Amount: ...
    @overload
    def __get__(self, obj: object, owner: type | None = None) -> Decimal: ...
    def __get__(self, obj: object | None, owner: type | None = None) -> Amount | Decimal:
        return self if obj is None else to_decimal(getattr(obj, self.field))


class MaybeAmount:
    """Reads ``<name>_units`` as a ``Decimal``, or None where there is none."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.field = f"{name}_units"

    @overload
    def __get__(self, obj: None, owner: type) -> MaybeAmount: ...
    @overload
    def __get__(self, obj: object, owner: type | None = None) -> Decimal | None: ...
    def __get__(self, obj: object | None, owner: type | None = None) -> MaybeAmount | Decimal | None:
        if obj is None:
            return self
        units = getattr(obj, self.field)
        return None if units is None else to_decimal(units)


class Instant:
    """Reads ``<name>_ns`` as an aware UTC ``datetime``: ``at`` reads ``at_ns``, ``placed_at`` reads ``placed_ns``."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.field = f"{name.removesuffix('_at')}_ns"

    @overload
    def __get__(self, obj: None, owner: type) -> Instant: ...
    @overload
    def __get__(self, obj: object, owner: type | None = None) -> datetime: ...
    def __get__(self, obj: object | None, owner: type | None = None) -> Instant | datetime:
        return self if obj is None else to_datetime(getattr(obj, self.field))


class MaybeInstant:
    """The same, or None where there is none."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.field = f"{name.removesuffix('_at')}_ns"

    @overload
    def __get__(self, obj: None, owner: type) -> MaybeInstant: ...
    @overload
    def __get__(self, obj: object, owner: type | None = None) -> datetime | None: ...
    def __get__(self, obj: object | None, owner: type | None = None) -> MaybeInstant | datetime | None:
        if obj is None:
            return self
        ns = getattr(obj, self.field)
        return None if ns is None else to_datetime(ns)


def readable(name: str, value: object) -> tuple[str, object]:
    """A field as people read it: the name without its unit, the value as Decimal, datetime, text or list."""
    if name.endswith("_units"):
        if isinstance(value, tuple):
            return name[:-6], [None if v is None else to_decimal(v) for v in value]
        return name[:-6], None if value is None else to_decimal(value)  # type: ignore[arg-type]  # units are int
    if name.endswith("_ns"):
        read = "at" if name == "at_ns" else f"{name[:-3]}_at"
        return read, None if value is None else to_datetime(value)  # type: ignore[arg-type]  # ns are int
    if name in _PAIRS and isinstance(value, tuple):
        return name, {what: to_decimal(units) for what, units in value}
    if isinstance(value, StrEnum):
        return name, str(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return name, record_dict(value)
    return name, value


def record_dict(record: Any) -> dict[str, object]:
    """A named tuple as a dictionary of readable fields."""
    return dict(readable(n, v) for n, v in zip(record._fields, record, strict=True))
