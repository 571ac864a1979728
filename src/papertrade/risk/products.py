"""Products: the drawers in which an account keeps positions of one symbol apart, each with rules of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import attrs

from papertrade.domain.names import parse_name
from papertrade.errors import InvalidValueError
from papertrade.risk.squaring_rules import Rules, Squaring, parse_squaring

MOST_PRODUCTS: Final = 16
_PRODUCTS: Final = f"a list of 1 to {MOST_PRODUCTS} products (or their names), no two alike; the first is the default"


def _name(value: str) -> str:
    return parse_name(value, "product")


def _flag(_: object, field: attrs.Attribute[bool | None], value: object) -> None:
    if value is not None and type(value) is not bool:
        raise InvalidValueError(field.name, value, "True, False, or None for what the account may")


def _rules(value: Squaring | None) -> Rules | None:
    return None if value is None else parse_squaring(value)


@attrs.frozen
class Product:
    """What a position is held for: positions of one symbol in two products do not net.

    >>> Product("CNC", shorting=False)
    Product(name='CNC', shorting=False, square_off=None)

    Attributes:
        name: what orders call it: ``"CNC"``, ``"MIS"``.
        shorting: may it be sold short; None for what the account's margin model says.
        square_off: the rule by which its positions are closed before the close, or several, by calendar; None for
            that of the account, if any.
    """

    name: str = attrs.field(converter=_name)
    shorting: bool | None = attrs.field(default=None, validator=_flag, kw_only=True)
    square_off: Rules | None = attrs.field(default=None, converter=_rules, kw_only=True)


Products: TypeAlias = Sequence[Product | str]


def parse_products(value: object, may_short: bool) -> tuple[Product, ...]:
    """Products as they are or by name, for an account that may sell short or may not."""
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= MOST_PRODUCTS:
        raise InvalidValueError("products", value, _PRODUCTS)
    found = tuple(part if isinstance(part, Product) else Product(part) for part in value)
    if len({product.name for product in found}) != len(found):
        raise InvalidValueError("products", [product.name for product in found], _PRODUCTS)
    for product in found:
        if product.shorting and not may_short:
            accepted = "None or False: the margin model of this account lets nothing be sold short"
            raise InvalidValueError("shorting", f"True for {product.name}", accepted)
    return found
