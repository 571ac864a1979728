"""Currencies and their minor units."""

from __future__ import annotations

from types import MappingProxyType

import attrs

from papertrade.domain.names import parse_name
from papertrade.domain.numbers import PLACES
from papertrade.errors import InvalidValueError


def _code(value: str) -> str:
    return parse_name(value, "currency")


def _decimals(value: int) -> int:
    if type(value) is int and 0 <= value <= PLACES:
        return value
    raise InvalidValueError("decimals", value, f"a whole number from 0 to {PLACES}")


@attrs.frozen
class Currency:
    """A currency and how finely it is booked: ``Currency("USD", 2)`` books cents.

    >>> Currency("JPY", 0).minor_units
    1000000000
    """

    code: str = attrs.field(converter=_code)
    decimals: int = attrs.field(converter=_decimals)

    @property
    def minor_units(self) -> int:
        """Units of 10⁻⁹ in the smallest amount that is booked: 10,000,000 for a cent."""
        return int(10 ** (PLACES - self.decimals))

    def __str__(self) -> str:
        return self.code


# ISO 4217 decimals for money; eight places for coins, as exchanges book them.
CURRENCIES = MappingProxyType(
    {
        code: Currency(code, decimals)
        for code, decimals in {
            **dict.fromkeys(("USD", "INR", "EUR", "GBP", "CHF", "CAD", "AUD", "SGD", "HKD"), 2),
            **dict.fromkeys(("JPY", "KRW"), 0),
            **dict.fromkeys(("USDT", "USDC", "BTC", "ETH", "BNB"), 8),
        }.items()
    }
)


def parse_currency(value: Currency | str) -> Currency:
    """A ``Currency`` as it is, or one looked up by its code."""
    if isinstance(value, Currency):
        return value
    code = parse_name(value, "currency")
    found = CURRENCIES.get(code)
    if found is None:
        raise InvalidValueError(
            "currency", code, f"one of {', '.join(CURRENCIES)}, or Currency(code, decimals) for any other"
        )
    return found
