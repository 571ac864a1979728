"""Instruments: what can be traded, in which steps, and what it is worth.

``Instrument.value`` is the one place where a price and a quantity become money. Cash, profit, fees, margin and limits
all call it, so a contract multiplier can be forgotten nowhere.
"""

from __future__ import annotations

from decimal import Decimal
from math import gcd
from typing import Final

import attrs

from papertrade.domain.money import CURRENCIES, Currency, parse_currency
from papertrade.domain.names import parse_name
from papertrade.domain.numbers import (
    LIMIT,
    SCALE,
    Money,
    Number,
    Price,
    Quantity,
    divide_up,
    parse_positive,
    to_decimal,
)
from papertrade.errors import InvalidValueError

_CALENDAR: Final = "the name of a calendar such as 'XNYS'; give one of your own to the exchange first (use_calendar)"


def _symbol(value: str) -> str:
    return parse_name(value, "symbol")


def _tick_size(value: Number) -> Decimal:
    return to_decimal(parse_positive(value, "tick_size"))


def _lot_size(value: Number) -> Decimal:
    return to_decimal(parse_positive(value, "lot_size"))


def _multiplier(value: Number) -> Decimal:
    return to_decimal(parse_positive(value, "multiplier"))


def _min_quantity(value: Number | None) -> Decimal | None:
    return None if value is None else to_decimal(parse_positive(value, "min_quantity"))


def _max_quantity(value: Number | None) -> Decimal | None:
    return None if value is None else to_decimal(parse_positive(value, "max_quantity"))


def _band(value: tuple[Number, Number] | None) -> tuple[Decimal, Decimal] | None:
    if value is None:
        return None
    if type(value) in (tuple, list) and len(value) == 2:
        low, high = (to_decimal(parse_positive(v, "price_band")) for v in value)
        if low < high:
            return low, high
    raise InvalidValueError("price_band", value, "(lowest, highest), the lowest below the highest")


def _calendar(value: str | None) -> str | None:
    if value is not None and type(value) is not str:
        raise InvalidValueError("calendar", value, _CALENDAR)
    return None if value is None else parse_name(value, "calendar")


@attrs.frozen
class Instrument:
    """Something that can be traded.

    >>> nifty = Instrument("NFO:NIFTY26NOVFUT", currency="INR", tick_size="0.05", lot_size=65)
    >>> nifty.lot_size
    Decimal('65')

    Attributes:
        symbol: its name; symbols match exactly.
        currency: what its price is quoted in.
        tick_size: the smallest price step.
        lot_size: the smallest quantity step; every quantity is a multiple of it.
        multiplier: money per 1.0 of price and 1 of quantity (100 for US options).
        min_quantity: the smallest order; one lot if not given.
        max_quantity: the largest order, for example an exchange's freeze quantity.
        price_band: the lowest and highest price of the day (circuit limits), or None.
        calendar: the name of the hours in which it trades, such as "XNYS"; None for the exchange's own.
    """

    symbol: str = attrs.field(converter=_symbol)
    currency: Currency = attrs.field(default=CURRENCIES["USD"], converter=parse_currency)
    tick_size: Decimal = attrs.field(default=Decimal("0.01"), converter=_tick_size)
    lot_size: Decimal = attrs.field(default=Decimal(1), converter=_lot_size)
    multiplier: Decimal = attrs.field(default=Decimal(1), converter=_multiplier)
    min_quantity: Decimal | None = attrs.field(default=None, converter=_min_quantity)
    max_quantity: Decimal | None = attrs.field(default=None, converter=_max_quantity)
    price_band: tuple[Decimal, Decimal] | None = attrs.field(default=None, converter=_band)
    calendar: str | None = attrs.field(default=None, converter=_calendar)

    # The same facts as integers, worked out once.
    tick_units: int = attrs.field(init=False, repr=False, eq=False)
    lot_units: int = attrs.field(init=False, repr=False, eq=False)
    min_units: int = attrs.field(init=False, repr=False, eq=False)
    max_units: int | None = attrs.field(init=False, repr=False, eq=False)
    most_units: int = attrs.field(init=False, repr=False, eq=False)  # max_units, or beyond any order
    band_units: tuple[int, int] | None = attrs.field(init=False, repr=False, eq=False)
    multiplier_units: int = attrs.field(init=False, repr=False, eq=False)
    minor_units: int = attrs.field(init=False, repr=False, eq=False)
    _numerator: int = attrs.field(init=False, repr=False, eq=False)
    _denominator: int = attrs.field(init=False, repr=False, eq=False)
    _twice: int = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        def units(value: Decimal) -> int:
            return parse_positive(value, "instrument")

        put = object.__setattr__
        put(self, "tick_units", units(self.tick_size))
        put(self, "lot_units", units(self.lot_size))
        put(self, "min_units", units(self.min_quantity) if self.min_quantity else self.lot_units)
        put(self, "max_units", units(self.max_quantity) if self.max_quantity else None)
        put(self, "most_units", self.max_units if self.max_units is not None else LIMIT * SCALE)
        band = self.price_band
        put(self, "band_units", (units(band[0]), units(band[1])) if band else None)
        put(self, "minor_units", self.currency.minor_units)
        # price × quantity × multiplier carries 10²⁷; money carries 10⁹ and is counted in minor units.
        multiplier, whole = units(self.multiplier), SCALE * SCALE * self.minor_units
        put(self, "multiplier_units", multiplier)
        common = gcd(multiplier, whole)
        put(self, "_numerator", multiplier // common)
        put(self, "_denominator", whole // common)
        put(self, "_twice", 2 * whole // common)
        self._check_steps()

    def _check_steps(self) -> None:
        lot = self.lot_units
        for name, size in (("min_quantity", self.min_units), ("max_quantity", self.max_units)):
            if size is not None and size % lot:
                raise InvalidValueError(name, getattr(self, name), f"a multiple of lot_size {self.lot_size}")
        for price in self.band_units or ():
            if price % self.tick_units:
                raise InvalidValueError("price_band", self.price_band, f"prices on the tick {self.tick_size}")
        if self.max_units is not None and self.max_units < self.min_units:
            raise InvalidValueError("max_quantity", self.max_quantity, "at least min_quantity")

    # ------------------------------------------------------------ arithmetic

    def value(self, price_units: int, quantity_units: int) -> Money:
        """price × quantity × multiplier, multiplied in full and rounded once, to the minor unit, halves up."""
        # divide_nearest(exact, denominator), written out: every fill asks several times.
        exact = price_units * quantity_units * self._numerator
        value: Money = (2 * exact + self._denominator) // self._twice * self.minor_units  # type: ignore[assignment]
        return value

    def value_up(self, price_units: int, quantity_units: int) -> Money:
        """The same, rounded up: for holds, which must not be a cent short."""
        exact = price_units * quantity_units * self._numerator
        return Money(divide_up(exact, self._denominator) * self.minor_units)

    def price_of(self, value_units: int, quantity_units: int) -> Price:
        """The price at which this quantity is worth this much, rounded down: the reverse of ``value``."""
        return Price(abs(value_units) * SCALE * SCALE // (abs(quantity_units) * self.multiplier_units))

    def quantity_for(self, money_units: int, price_units: int) -> Quantity:
        """The largest whole number of lots whose value at this price is at most this much money."""
        each = price_units * self.lot_units * self._numerator
        lots = money_units // self.minor_units * self._denominator // each
        return Quantity(max(0, lots) * self.lot_units)

    def lots_down(self, quantity_units: int) -> Quantity:
        """A quantity cut to whole lots."""
        return Quantity(quantity_units // self.lot_units * self.lot_units)

    def clamp_to_band(self, price_units: int) -> Price:
        """A price moved inside the day's band."""
        if self.band_units is None:
            return Price(price_units)
        low, high = self.band_units
        return Price(min(max(price_units, low), high))


def parse_instrument(symbol: str | Instrument, **details: object) -> Instrument:
    """An ``Instrument`` as it is, or one made from a symbol and its details."""
    if isinstance(symbol, Instrument):
        if details:
            raise InvalidValueError("instrument", symbol, "an Instrument alone, or a symbol with its details")
        return symbol
    known = {a.name for a in attrs.fields(Instrument) if a.init}
    unknown = sorted(set(details) - known)
    if unknown:
        raise InvalidValueError("instrument detail", unknown[0], ", ".join(sorted(known - {"symbol"})))
    return Instrument(symbol, **details)  # type: ignore[arg-type]  # the converters check each of them
