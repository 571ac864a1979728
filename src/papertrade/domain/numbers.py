"""The one parser at the edge, the one scale inside, and one rounding function per kind.

Inside, every price, quantity and amount of money is an exact integer of *units*: 1 unit is 10⁻⁹. Text, integers,
decimals and (through their shortest text) floats become units here, and only here. No function in this module
obeys the caller's decimal context, and none has a tolerance.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow, Rounded
from typing import NewType, TypeAlias

from papertrade.errors import InvalidValueError

Price = NewType("Price", int)
"""Units of price: currency per 1 of quantity, times 10⁹."""
Quantity = NewType("Quantity", int)
"""Units of quantity, times 10⁹."""
Money = NewType("Money", int)
"""Units of a currency, times 10⁹; booked amounts are whole minor units."""

Number: TypeAlias = Decimal | int | str | float
"""What a person may type for a number."""

PLACES = 9
SCALE: int = 10**PLACES
WHOLE_DIGITS = 15
LIMIT: int = 10**WHOLE_DIGITS  # values lie strictly between -LIMIT and LIMIT

ACCEPTED = (
    "a number with at most 15 digits before the point and 9 after it, as Decimal, int, str or float, "
    "without exponent, NaN or infinity"
)
_TEXT = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,9}))?", re.ASCII)
# Only used to strip trailing zeros from a Decimal that somebody hands in; anything inexact raises.
# Every field is named, because what is left out comes from the host's DefaultContext.
_EXACT = Context(
    prec=WHOLE_DIGITS + PLACES,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[Inexact, InvalidOperation, Overflow],
)


def parse_units(value: object, field: str = "number") -> int:
    """The exact units of a number that somebody typed; anything else is refused with its name."""
    kind = type(value)
    if kind is int:
        whole: int = value  # type: ignore[assignment]  # its type was just looked at; cast() would cost a call
        if -LIMIT < whole < LIMIT:
            return whole * SCALE
        raise InvalidValueError(field, value, ACCEPTED)
    if kind is str:
        return _from_text(value, field)  # type: ignore[arg-type]  # likewise
    if isinstance(value, Decimal):
        # A subclass could answer anything: what counts is the number it was made with.
        return _from_decimal(value if kind is Decimal else Decimal(value), field)
    if kind is float:
        text = repr(value)
        if "e-" in text:
            raise InvalidValueError(field, value, "a float this small as text or Decimal, such as '0.00001'")
        return _from_text(text, field)
    raise InvalidValueError(field, value, ACCEPTED)


def parse_positive(value: object, field: str) -> int:
    """Like ``parse_units``, for a field where zero and less make no sense."""
    units = parse_units(value, field)
    if units <= 0:
        raise InvalidValueError(field, value, "a number above 0")
    return units


def parse_not_negative(value: object, field: str) -> int:
    """Like ``parse_units``, for a field where zero is fine and less is not."""
    units = parse_units(value, field)
    if units < 0:
        raise InvalidValueError(field, value, "0 or more")
    return units


def parse_count(value: object, field: str, least: int = 0) -> int:
    """A whole number that counts something (ticks, orders); bools and text are refused."""
    if type(value) is int and least <= value < 2**53:
        return value
    raise InvalidValueError(field, value, f"a whole number of at least {least}")


def _from_text(text: str, field: str) -> int:
    if len(text) > WHOLE_DIGITS + PLACES + 2:
        raise InvalidValueError(field, text, ACCEPTED)
    found = _TEXT.fullmatch(text)
    if found is None:
        raise InvalidValueError(field, text, ACCEPTED)
    sign, whole, fraction = found.groups()
    units = int(whole) * SCALE
    if fraction:
        units += int(fraction.ljust(PLACES, "0"))
    return -units if sign else units


def _from_decimal(value: Decimal, field: str) -> int:
    # adjusted() is cheap for any size, so 1E+999999 is refused before anything grows with it.
    if not value.is_finite() or (not -PLACES - 1 < value.adjusted() < WHOLE_DIGITS and value != 0):
        raise InvalidValueError(field, str(value) if value.adjusted() < 40 else "a huge Decimal", ACCEPTED)
    if value.is_zero():
        return 0
    try:
        exact = _EXACT.plus(value)
        scaled = exact.scaleb(PLACES, _EXACT)
    except (Inexact, InvalidOperation, Overflow, Rounded):
        raise InvalidValueError(field, "a Decimal finer than 9 places", ACCEPTED) from None
    units = int(scaled)
    if scaled != units:
        raise InvalidValueError(field, value, ACCEPTED)
    return units


def text_of(units: int) -> str:
    """The canonical text of units: shortest, without exponent; 1.10 and 1.1 give the same bytes."""
    if units < 0:
        return f"-{text_of(-units)}"
    whole, fraction = divmod(units, SCALE)
    if not fraction:
        return str(whole)
    return f"{whole}.{fraction:09d}".rstrip("0")


def units_of_text(text: str) -> int:
    """Back from canonical text, of any size: stored amounts may outgrow the 15 digits of the edge."""
    whole, _, fraction = text.partition(".")
    try:
        units = int(whole) * SCALE
        if fraction:
            part = int(fraction.ljust(PLACES, "0"))
            units += -part if text[0] == "-" else part
    except ValueError:
        raise InvalidValueError("amount", text, "canonical decimal text") from None
    # int() takes more than we write (spaces, underscores, other scripts): only what is written back the same is ours.
    if text_of(units) != text:
        raise InvalidValueError("amount", text, "canonical decimal text")
    return units


def to_decimal(units: int) -> Decimal:
    """A Decimal with exactly this value, whatever the caller's context."""
    return Decimal(text_of(units))


def decimal_ratio(numerator: int, denominator: int) -> Decimal:
    """numerator ÷ denominator to 9 places, half to even, for averages and percentages that people read."""
    return to_decimal(ratio_units(numerator, denominator))


def ratio_units(numerator: int, denominator: int) -> int:
    """The units of ``decimal_ratio``."""
    doubled, rest = divmod(abs(numerator) * SCALE, abs(denominator))
    if 2 * rest > abs(denominator) or (2 * rest == abs(denominator) and doubled % 2):
        doubled += 1
    negative = (numerator < 0) != (denominator < 0)
    return -doubled if negative else doubled


# ---------------------------------------------------------------- roundings


def divide_nearest(numerator: int, denominator: int) -> int:
    """Nearest whole number, halves away from zero: how statements round money. ``denominator`` > 0."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((-2 * numerator + denominator) // (2 * denominator))


def divide_up(numerator: int, denominator: int) -> int:
    """Rounded towards +∞: holds and requirements, which must never be a unit short."""
    return -(-numerator // denominator)


def share_down(amount: int, part: int, whole: int, step: int = 1) -> int:
    """floor(|amount| × part ÷ whole) to whole steps, with amount's sign: what a partial close releases."""
    size = abs(amount) * part // (whole * step) * step
    return size if amount >= 0 else -size


def round_to_step(units: int, step: int, sign: int) -> int:
    """On the grid, against the trader: a buyer's price (sign +1) up, a seller's (sign -1) down."""
    if sign > 0:
        return -(-units // step) * step
    return units // step * step
