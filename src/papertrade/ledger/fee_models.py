"""Fee models that ship. Whoever trades without fees never loads them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

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
from papertrade.ledger.fees import FeeLines, FeeModel, FeeTally, parse_fees


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
