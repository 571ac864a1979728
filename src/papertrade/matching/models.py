"""Slippage and fill models: what happens to a price and a size between the rule and the fill.

A model sees one ``Candidate`` and answers with one number. It can only make a fill worse: slippage is an amount
against the trader, a fill model may take less than was proposed. The engine then clamps the price to the limit and the
band, rounds it to the tick against the trader, and keeps it above zero, whatever the model said.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from papertrade.domain.fields import Amount, MaybeAmount
from papertrade.domain.numbers import Number, parse_not_negative, to_decimal
from papertrade.domain.words import Side
from papertrade.errors import InvalidValueError


class Candidate:
    """A fill about to happen: read the Decimals, or the integers ending in ``_units``."""

    __slots__ = ("ask_units", "bid_units", "price_units", "quantity_units", "rule", "sign", "symbol", "tick_units")

    def __init__(
        self,
        symbol: str,
        sign: int,
        rule: str,
        price_units: int,
        quantity_units: int,
        bid_units: int | None,
        ask_units: int | None,
        tick_units: int,
    ) -> None:
        self.symbol = symbol
        self.sign = sign
        self.rule = rule
        self.price_units = price_units
        self.quantity_units = quantity_units
        self.bid_units = bid_units
        self.ask_units = ask_units
        self.tick_units = tick_units

    price = Amount()
    quantity = Amount()
    tick = Amount()
    bid = MaybeAmount()
    ask = MaybeAmount()

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return Side.BUY if self.sign > 0 else Side.SELL


class SlippageModel(Protocol):
    """How far a market or triggered stop order fills from the price its rule gave.

    >>> class HalfACent:
    ...     name = "half a cent"
    ...     def slip(self, candidate: Candidate) -> str:
    ...         return "0.005"
    """

    @property
    def name(self) -> str:
        """What the fill and the list of assumptions call it; put its parameters and version in."""
        ...

    def slip(self, candidate: Candidate) -> Number:
        """The amount against the trader, 0 or more, in the currency of the price."""
        ...


class FillModel(Protocol):
    """How much of what a rule allows is really had (queues and chance are written on this)."""

    @property
    def name(self) -> str:
        """What the fill and the list of assumptions call it."""
        ...

    def quantity(self, candidate: Candidate) -> Number:
        """From 0 to ``candidate.quantity``; it is cut to whole lots."""
        ...


@attrs.frozen
class NoSlippage:
    """The price that the rule gave."""

    @property
    def name(self) -> str:
        """Its name in reports."""
        return "none"

    def slip(self, candidate: Candidate) -> Number:
        """Nothing."""
        return 0


def slip_units(model: SlippageModel, candidate: Candidate) -> int:
    """What the model said, in units; anything but a number of 0 or more is the model's mistake, by name."""
    return parse_not_negative(model.slip(candidate), f"slip() of slippage model {model.name!r}")


def quantity_units(model: FillModel, candidate: Candidate) -> int:
    """How much the fill model allows, in units, never more than was proposed."""
    found = parse_not_negative(model.quantity(candidate), f"quantity() of fill model {model.name!r}")
    if found > candidate.quantity_units:
        raise InvalidValueError(model.name, to_decimal(found), f"at most {candidate.quantity}")
    return found
