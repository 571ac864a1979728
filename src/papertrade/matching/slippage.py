"""Slippage models that ship, besides none. Whoever asks for no slippage never loads them."""

from __future__ import annotations

from decimal import Decimal

import attrs

from papertrade.domain.numbers import (
    SCALE,
    Number,
    divide_up,
    parse_count,
    parse_not_negative,
    parse_units,
    to_decimal,
)
from papertrade.matching.models import Candidate


def _ticks(value: int) -> int:
    return parse_count(value, "ticks")


def _share(value: Number) -> Decimal:
    return to_decimal(parse_not_negative(value, "slippage"))


@attrs.frozen
class TickSlippage:
    """A number of ticks against the trader.

    >>> TickSlippage(2).name
    '2 ticks'
    """

    ticks: int = attrs.field(converter=_ticks)

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"{self.ticks} ticks"

    def slip(self, candidate: Candidate) -> Number:
        """ticks × tick size."""
        return to_decimal(self.ticks * candidate.tick_units)


@attrs.frozen
class BasisPointSlippage:
    """Basis points of the price: price × b ÷ 10,000."""

    basis_points: Decimal = attrs.field(converter=_share)

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"{self.basis_points} bp"

    def slip(self, candidate: Candidate) -> Number:
        """price × basis points ÷ 10,000, rounded up to a unit."""
        points = parse_units(self.basis_points)
        return to_decimal(divide_up(candidate.price_units * points, 10_000 * SCALE))


@attrs.frozen
class SpreadSlippage:
    """A share of the spread: 0.5 moves the fill half a spread beyond the touch. Nothing where a side is missing."""

    share: Decimal = attrs.field(converter=_share)

    @property
    def name(self) -> str:
        """Its name in reports."""
        return f"{self.share} of the spread"

    def slip(self, candidate: Candidate) -> Number:
        """(ask − bid) × share, rounded up to a unit."""
        if candidate.bid_units is None or candidate.ask_units is None:
            return 0
        spread = max(0, candidate.ask_units - candidate.bid_units)
        return to_decimal(divide_up(spread * parse_units(self.share), SCALE))
