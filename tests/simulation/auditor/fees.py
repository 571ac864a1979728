"""What an order owes on everything it has filled so far, worked out from the fee models' parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from papertrade.ledger.fee_models import FeeSchedule, MakerTakerFee, PercentFee, PerUnitFee
from papertrade.ledger.fees import NoFees

from .facts import ONE, maybe_units, nearest, units_of, upwards

Owed = Callable[[int, int, int], int]
"""(quantity, value, the part of the value that was made) → units owed."""


def lines_of(model: Any, minor: int, reached: Counter[str]) -> list[tuple[str, Owed]] | None:
    """The lines of a fee model, each with its kind; None for a model that the auditor does not know."""
    if isinstance(model, NoFees):
        return []
    if isinstance(model, FeeSchedule):
        found: list[tuple[str, Owed]] = []
        for part in model.lines:
            lines = lines_of(part, minor, reached)
            if lines is None:
                return None
            found += lines
        return found
    if isinstance(model, MakerTakerFee):
        return [(model.kind, _maker_taker(units_of(model.maker), units_of(model.taker), minor))]
    if isinstance(model, (PercentFee, PerUnitFee)):
        bounds = units_of(model.minimum), maybe_units(model.cap)
        by_value = isinstance(model, PercentFee)
        return [(model.kind, _bounded(units_of(model.rate), by_value, *bounds, minor, reached))]
    return None


def _maker_taker(maker: int, taker: int, minor: int) -> Owed:
    def owed(quantity: int, value: int, made: int) -> int:
        return nearest(maker * made + taker * (value - made), ONE * minor) * minor

    return owed


def _bounded(rate: int, by_value: bool, least: int, most: int | None, minor: int, reached: Counter[str]) -> Owed:
    def owed(quantity: int, value: int, made: int) -> int:
        if not quantity:
            return 0
        fee = nearest(rate * (value if by_value else quantity), ONE * minor) * minor
        if fee < least:
            reached["minimum_fee"] += 1
            fee = upwards(least, minor) * minor
        if most is not None and fee > most:
            reached["capped_fee"] += 1
            fee = most // minor * minor
        return fee

    return owed
