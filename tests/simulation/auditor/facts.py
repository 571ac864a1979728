"""What an account was opened with, and the same as the plain integers that the auditor counts in.

Configuration classes of the library are only read. All arithmetic on what they say happens here, in integers of 10⁻⁹.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs

ONE = 10**9


@attrs.frozen(kw_only=True)
class Facts:
    """What the account was opened with, in the words of the one who opened it.

    Attributes:
        account: its name.
        instruments: everything that is listed.
        currency: the code of its currency; empty if it is not to be checked.
        decimals: how finely the currency is booked.
        kind: ``cash`` or ``margin``.
        margin: its margin model.
        fees: its fee model.
        limits: its risk limits.
        fill: its fill settings.
        cost_method: ``average`` or ``fifo``.
        trading_day: when its day begins.
        equity_points: when its equity is noted besides: ``off``, ``on change``, ``session`` or an interval.
        start_cash_units: what it was opened with.
        hours: the calendar of each symbol that has one.
        outside_hours: ``queue``, ``reject`` or ``extended``.
        square_off: its rule for the time before a close, if it has one.
        settlement: its rule of settlement, None if trades settle at once.
        products: its products, the default one first; none if positions are kept by symbol alone.
    """

    account: str
    instruments: tuple[Any, ...]
    currency: str = ""
    decimals: int
    kind: str
    margin: Any
    fees: Any
    limits: Any
    fill: Any
    cost_method: str
    trading_day: Any
    start_cash_units: int
    hours: dict[str, str] = attrs.field(factory=dict)
    outside_hours: str = "queue"
    square_off: Any = None
    equity_points: str = "off"
    settlement: Any = None
    products: tuple[Any, ...] = ()


def units_of(value: Any) -> int:
    """The whole number of 10⁻⁹ in a configured number; one that is finer is a mistake in the configuration."""
    exact = Fraction(value if isinstance(value, (Decimal, int)) else Decimal(str(value))) * ONE
    if exact.denominator != 1:
        raise ValueError(f"{value} is finer than nine places")
    return exact.numerator


def maybe_units(value: Any) -> int | None:
    """The same, where None stays None."""
    return None if value is None else units_of(value)


def nearest(numerator: int, denominator: int) -> int:
    """The nearest whole number, halves away from zero."""
    quotient, rest = divmod(abs(numerator), denominator)
    if 2 * rest >= denominator:
        quotient += 1
    return quotient if numerator >= 0 else -quotient


def upwards(numerator: int, denominator: int) -> int:
    """The whole number at or above."""
    quotient, rest = divmod(numerator, denominator)
    return quotient + (rest > 0)


def key_of(symbol: str, product: str) -> str:
    """What a position is called where the journal names it in one text."""
    return f"{symbol}\u00b7{product}" if product else symbol


def symbol_of(key: str) -> str:
    """The symbol of a position that is called so."""
    return key.partition("\u00b7")[0]


def product_of(key: str) -> str:
    """The product of a position that is called so."""
    return key.partition("\u00b7")[2]


class Tool:
    """An instrument as plain integers."""

    __slots__ = (
        *("_each", "_whole", "band", "calendar", "largest", "lot", "minor", "multiplier"),
        *("smallest", "symbol", "tick"),
    )

    def __init__(self, instrument: Any, decimals: int) -> None:
        self.symbol: str = instrument.symbol
        self.calendar: str | None = instrument.calendar
        self.tick, self.lot = units_of(instrument.tick_size), units_of(instrument.lot_size)
        self.smallest = self.lot if instrument.min_quantity is None else units_of(instrument.min_quantity)
        self.largest = maybe_units(instrument.max_quantity)
        band = instrument.price_band
        self.band = None if band is None else (units_of(band[0]), units_of(band[1]))
        self.minor = 10 ** (9 - decimals)
        # Price and quantity each carry 10⁹, money carries it once: a product of three has to lose it twice.
        self.multiplier = units_of(instrument.multiplier)
        exact = Fraction(self.multiplier, ONE * ONE * self.minor)
        self._each, self._whole = exact.numerator, exact.denominator

    def value(self, price: int, quantity: int) -> int:
        """Price × quantity × multiplier in whole minor units, halves away from zero."""
        return nearest(price * quantity * self._each, self._whole) * self.minor

    def value_up(self, price: int, quantity: int) -> int:
        """The same, never less than the exact amount."""
        return upwards(price * quantity * self._each, self._whole) * self.minor

    def exact(self, price: int, quantity: int) -> Fraction:
        """The exact amount in units."""
        return Fraction(price * quantity * self._each, self._whole) * self.minor

    def against(self, price: int, sign: int) -> int:
        """A price on the tick, against the trader of this side."""
        tick = self.tick
        return upwards(price, tick) * tick if sign > 0 else price // tick * tick

    def share(self, amount: int, part: int, whole: int) -> int:
        """The part of an amount that goes with a part of a quantity, down to whole minor units."""
        size = abs(amount) * part // (whole * self.minor) * self.minor
        return size if amount >= 0 else -size
