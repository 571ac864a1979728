"""What an account must have behind its positions: the model is asked about the change that an order makes.

Two models live here: ``CashModel`` (everything is paid in full) and ``FlatMargin`` (a flat fraction of the exposure).
Others answer the same three questions.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol, cast

import attrs

from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import SCALE, Number, divide_up, parse_positive, parse_units, to_decimal
from papertrade.errors import InvalidValueError


class MarginModel(Protocol):
    """What must stand behind positions. Amounts are units of money, rounded up."""

    @property
    def name(self) -> str:
        """Its name and parameters, shown on every account snapshot."""
        ...

    @property
    def may_short(self) -> bool:
        """May the account sell what it does not hold?"""
        ...

    @property
    def marked_to_market(self) -> bool:
        """Do open profits and losses count? (Otherwise only cash does.)"""
        ...

    def initial(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """What must be there to open a position of this (signed) size at this price."""
        ...

    def maintenance(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """What must be there to keep it; below that comes a margin call."""
        ...


def parse_margin(value: object, field: str) -> MarginModel:
    """Anything that answers a margin model's questions and has a name."""
    asked = (getattr(value, "initial", None), getattr(value, "maintenance", None))
    said = (getattr(value, "may_short", None), getattr(value, "marked_to_market", None))
    named = type(getattr(value, "name", None)) is str
    if isinstance(value, (CashModel, FlatMargin)):
        return value
    if named and all(map(callable, asked)) and all(type(answer) is bool for answer in said):
        return CheckedMargin(cast(MarginModel, value))
    raise InvalidValueError(field, value, "a margin model such as FlatMargin(initial='0.2', maintenance='0.1')")


@attrs.frozen
class CheckedMargin:
    """Somebody's own margin model, whose answers are checked: only whole units of 0 or more reach the books."""

    model: MarginModel

    @property
    def name(self) -> str:
        """Its name."""
        return self.model.name

    @property
    def may_short(self) -> bool:
        """As it says."""
        return self.model.may_short

    @property
    def marked_to_market(self) -> bool:
        """As it says."""
        return self.model.marked_to_market

    def initial(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """Its answer, checked."""
        return self._checked(self.model.initial(instrument, quantity_units, price_units), "initial()")

    def maintenance(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """Its answer, checked."""
        return self._checked(self.model.maintenance(instrument, quantity_units, price_units), "maintenance()")

    def _checked(self, answer: object, method: str) -> int:
        if type(answer) is int and answer >= 0:
            return answer
        field = f"{method} of margin model {self.name!r}"
        raise InvalidValueError(field, answer, "units of money: an int of 0 or more")


@attrs.frozen
class CashModel:
    """Everything is paid in full, nothing is sold that is not held."""

    name: str = attrs.field(default="cash", init=False)
    may_short: bool = attrs.field(default=False, init=False)
    marked_to_market: bool = attrs.field(default=False, init=False)

    def initial(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """The whole value."""
        return instrument.value(price_units, abs(quantity_units))

    def maintenance(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """Nothing: it is paid for."""
        return 0


def _fraction(value: Number, field: str) -> Decimal:
    units = parse_positive(value, field)
    if units > SCALE:
        raise InvalidValueError(field, value, "more than 0 and at most 1")
    return to_decimal(units)


def _initial(value: Number) -> Decimal:
    return _fraction(value, "initial")


def _maintenance(value: Number) -> Decimal:
    return _fraction(value, "maintenance")


@attrs.frozen
class FlatMargin:
    """The same fraction of the exposure for every instrument, long and short.

    >>> FlatMargin(initial="0.2", maintenance="0.1").name
    'flat margin: initial 0.2, maintenance 0.1'
    """

    initial_fraction: Decimal = attrs.field(default=Decimal("0.5"), converter=_initial, alias="initial")
    maintenance_fraction: Decimal = attrs.field(
        default=Decimal("0.25"), converter=_maintenance, alias="maintenance"
    )
    may_short: bool = attrs.field(default=True, init=False)
    marked_to_market: bool = attrs.field(default=True, init=False)
    _initial: int = attrs.field(init=False, repr=False, eq=False)
    _maintenance: int = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.maintenance_fraction > self.initial_fraction:
            raise InvalidValueError(
                "maintenance", self.maintenance_fraction, f"at most initial ({self.initial_fraction})"
            )
        object.__setattr__(self, "_initial", parse_units(self.initial_fraction))
        object.__setattr__(self, "_maintenance", parse_units(self.maintenance_fraction))

    @property
    def name(self) -> str:
        """Its name and fractions."""
        return f"flat margin: initial {self.initial_fraction}, maintenance {self.maintenance_fraction}"

    def initial(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """initial × value."""
        return self._part(self._initial, instrument, quantity_units, price_units)

    def maintenance(self, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        """maintenance × value."""
        return self._part(self._maintenance, instrument, quantity_units, price_units)

    def _part(self, fraction: int, instrument: Instrument, quantity_units: int, price_units: int) -> int:
        minor = instrument.minor_units
        value = instrument.value(price_units, abs(quantity_units))
        return divide_up(value * fraction, SCALE * minor) * minor
