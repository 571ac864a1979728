"""Fees: what an order owes on everything it has filled so far. What is charged is the difference.

A model answers one question: given all fills of the order up to now, what is owed? The engine asks it before and after
a fill and charges the difference, so a minimum or a cap applies once per order and rounding cannot add up. The same
function prices the hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, Protocol, cast

import attrs

from papertrade.domain.names import parse_name
from papertrade.domain.numbers import (
    SCALE,
    Number,
    divide_nearest,
    divide_up,
    parse_not_negative,
    parse_positive,
    parse_units,
    to_decimal,
)
from papertrade.errors import InvalidValueError


class FeeTally(NamedTuple):
    """Everything one order has filled so far, in units."""

    symbol: str
    sign: int
    quantity_units: int
    value_units: int  # money paid or received, before fees
    maker_value_units: int  # the part of it that filled as maker
    minor_units: int  # fees are rounded to this, halves up


FeeLines = tuple[tuple[str, int], ...]
"""(kind, units) for each line of a fee; a rebate is negative."""


class FeeModel(Protocol):
    """What an order owes on its fills so far. Own models answer in units of 10⁻⁹ (``pt.units("0.35")``)."""

    @property
    def name(self) -> str:
        """What the list of assumptions calls it."""
        ...

    def owed(self, tally: FeeTally) -> FeeLines:
        """The lines owed in total; always the same kinds in the same order; nothing filled, nothing owed."""
        ...


def _rate(value: Number) -> Decimal:
    return to_decimal(parse_units(value, "rate"))


def _amount(value: Number) -> Decimal:
    return to_decimal(parse_not_negative(value, "minimum"))


def _cap(value: Number | None) -> Decimal | None:
    return None if value is None else to_decimal(parse_positive(value, "cap"))


def _kind(value: str) -> str:
    return parse_name(value, "kind")


def _models(value: Iterable[FeeModel]) -> tuple[FeeModel, ...]:
    if type(value) not in (tuple, list):
        raise InvalidValueError("lines", value, "a tuple of fee models")
    return tuple(parse_fees(model, "lines") for model in value)


def parse_fees(value: object, field: str) -> FeeModel:
    """Anything with ``owed()`` and a name."""
    if callable(getattr(value, "owed", None)) and type(getattr(value, "name", None)) is str:
        return cast(FeeModel, value)
    raise InvalidValueError(field, value, "a fee model such as PercentFee('0.0003')")


@attrs.frozen
class NoFees:
    """Nothing is charged. Ask for it by name; a report says so."""

    @property
    def name(self) -> str:
        """Its name in reports."""
        return "no fees"

    def owed(self, tally: FeeTally) -> FeeLines:
        """Nothing."""
        return ()


class _Bounded:
    """Rounding, minimum and cap, applied once to what the whole order owes."""

    minimum: Decimal
    cap: Decimal | None
    kind: str
    _bounds: tuple[int, int | None]

    def _set_bounds(self) -> None:
        cap = None if self.cap is None else parse_units(self.cap)
        if self.cap is not None and self.minimum > self.cap:
            raise InvalidValueError("minimum", self.minimum, f"at most the cap ({self.cap})")
        object.__setattr__(self, "_bounds", (parse_units(self.minimum), cap))

    def _line(self, numerator: int, denominator: int, tally: FeeTally) -> FeeLines:
        least, most = self._bounds
        minor = tally.minor_units
        fee = divide_nearest(numerator, denominator * minor) * minor
        if fee < least:
            fee = divide_up(least, minor) * minor
        if most is not None and fee > most:
            fee = most // minor * minor
        return ((self.kind, fee),)


@attrs.frozen
class PerUnitFee(_Bounded):
    """An amount per unit traded: ``PerUnitFee("0.005", minimum=1)`` for half a cent a share, at least 1 an order."""

    rate: Decimal = attrs.field(converter=_rate)
    minimum: Decimal = attrs.field(default=Decimal(0), converter=_amount)
    cap: Decimal | None = attrs.field(default=None, converter=_cap)
    kind: str = attrs.field(default="commission", converter=_kind)
    _bounds: tuple[int, int | None] = attrs.field(init=False, repr=False, eq=False)
    _rate: int = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        self._set_bounds()
        object.__setattr__(self, "_rate", parse_units(self.rate))

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"{self.rate} a unit{_bounds_text(self.minimum, self.cap)}"

    def owed(self, tally: FeeTally) -> FeeLines:
        """rate × quantity, within minimum and cap."""
        if not tally.quantity_units:
            return ((self.kind, 0),)
        return self._line(self._rate * tally.quantity_units, SCALE, tally)


@attrs.frozen
class PercentFee(_Bounded):
    """A fraction of the money traded: ``PercentFee("0.0003", cap=20)`` for 0.03 %, at most 20 an order."""

    rate: Decimal = attrs.field(converter=_rate)
    minimum: Decimal = attrs.field(default=Decimal(0), converter=_amount)
    cap: Decimal | None = attrs.field(default=None, converter=_cap)
    kind: str = attrs.field(default="commission", converter=_kind)
    _bounds: tuple[int, int | None] = attrs.field(init=False, repr=False, eq=False)
    _rate: int = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        self._set_bounds()
        object.__setattr__(self, "_rate", parse_units(self.rate))

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"{self.rate * 100:f} % of value{_bounds_text(self.minimum, self.cap)}"

    def owed(self, tally: FeeTally) -> FeeLines:
        """rate × value, within minimum and cap."""
        if not tally.quantity_units:
            return ((self.kind, 0),)
        return self._line(self._rate * tally.value_units, SCALE, tally)


@attrs.frozen
class MakerTakerFee:
    """Different fractions for making and taking liquidity; a negative rate is a rebate.

    >>> MakerTakerFee(maker="0.0002", taker="0.0005").name
    'maker 0.0200 %, taker 0.0500 %'
    """

    maker: Decimal = attrs.field(converter=_rate)
    taker: Decimal = attrs.field(converter=_rate)
    kind: str = attrs.field(default="commission", converter=_kind)
    _rates: tuple[int, int] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        rates = (parse_units(self.maker), parse_units(self.taker))
        object.__setattr__(self, "_rates", rates)

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"maker {self.maker * 100:f} %, taker {self.taker * 100:f} %"

    def owed(self, tally: FeeTally) -> FeeLines:
        """maker × value made + taker × value taken."""
        maker, taker = self._rates
        taken = tally.value_units - tally.maker_value_units
        exact = maker * tally.maker_value_units + taker * taken
        minor = tally.minor_units
        return ((self.kind, divide_nearest(exact, SCALE * minor) * minor),)


@attrs.frozen
class FeeSchedule:
    """Several fees at once: ``FeeSchedule((PercentFee("0.0003"), PerUnitFee("0.0001", kind="exchange")))``."""

    lines: tuple[FeeModel, ...] = attrs.field(converter=_models)

    @property
    def name(self) -> str:
        """Its name in reports."""
        return "; ".join(line.name for line in self.lines)

    def owed(self, tally: FeeTally) -> FeeLines:
        """The lines of every part, in order."""
        return tuple(line for model in self.lines for line in model.owed(tally))


def _bounds_text(minimum: Decimal, cap: Decimal | None) -> str:
    least = f", at least {minimum} an order" if minimum else ""
    return least + (f", at most {cap} an order" if cap is not None else "")


def lines_owed(model: FeeModel, tally: FeeTally) -> FeeLines:
    """What the model says is owed, in whole minor units; what is not lines of fees is the model's mistake, by name."""
    said = model.owed(tally)
    minor = tally.minor_units
    try:
        lines = tuple(said)
        if all(type(units) is int and not units % minor for kind, units in lines if parse_name(kind, "kind")):
            return lines
        return tuple((kind, _whole(units, minor)) for kind, units in lines)
    except (TypeError, ValueError):
        field = f"owed() of fee model {model.name!r}"
        raise InvalidValueError(field, said, "a tuple of (kind, whole number of 10⁻⁹)") from None


def _whole(units: object, minor: int) -> int:
    if type(units) is not int:
        raise TypeError
    return divide_nearest(units, minor) * minor


def charge(before: FeeLines, after: FeeLines) -> FeeLines:
    """What is owed now less what was owed before, without empty lines."""
    if not before:
        return tuple((kind, units) for kind, units in after if units)
    if [kind for kind, _ in before] != [kind for kind, _ in after]:
        raise InvalidValueError("fees", after, "always the same kinds in the same order")
    return tuple((kind, now - then) for (kind, now), (_, then) in zip(after, before, strict=True) if now != then)
