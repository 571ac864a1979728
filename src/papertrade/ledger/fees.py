"""Fees: what an order owes on everything it has filled so far. What is charged is the difference.

A model answers one question: given all fills of the order up to now, what is owed? The engine asks it before and after
a fill and charges the difference, so a minimum or a cap applies once per order and rounding cannot add up. The same
function prices the hold.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, cast

import attrs

from papertrade.domain.names import parse_name
from papertrade.domain.numbers import divide_nearest
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
