"""The event of a position, or a part of it, that goes over to another product of its account."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.fields import Amount
from papertrade.domain.happenings import Happening


class _PositionConverted(NamedTuple):
    account: str
    version: int
    at_ns: int
    symbol: str
    from_product: str
    to_product: str
    quantity_units: int  # signed like the position
    cost_units: int  # booked cost that goes along, signed like the quantity
    price_units: int  # its average price, to nine places
    command_id: str | None
    note: str


class PositionConverted(Happening, _PositionConverted):
    """A part of a position went over to another product, what was opened first first: no trade, and no money moved."""

    __slots__ = ()
    kind = "position_converted"
    quantity = Amount()
    cost = Amount()
    price = Amount()
