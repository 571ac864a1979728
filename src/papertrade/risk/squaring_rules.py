"""Rules of squaring off by venue: several beside each other, and the tables of brokers that ship."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

import attrs

from papertrade.domain.hours import MarketHours
from papertrade.errors import InvalidValueError
from papertrade.risk.square_off import SquareOff

Squaring: TypeAlias = SquareOff | Sequence[SquareOff] | str
Rules: TypeAlias = tuple[SquareOff, ...]
MOST_RULES: Final = 32


def _zerodha() -> Rules:
    """Where the exchange has a closing auction, no market order fills in it: so everything is closed before it begins.

    15:20, 15:25, 16:45 and 25 minutes before the close are the broker's published times from before there were closing
    auctions; 15:12 is what others report since, not verified.
    """
    base = SquareOff(reduce_only_minutes=0, warn_minutes=10)  # nothing is refused before everything is closed
    return (
        attrs.evolve(base, at={"2000-01-01": "15:20", "2026-08-03": "15:12"}, calendars=("XNSE-CAS", "XBOM-CAS")),
        attrs.evolve(base, at="15:20", calendars=("XNSE", "XBOM")),
        attrs.evolve(base, at="15:25", calendars=("NFO", "BFO")),
        attrs.evolve(base, at="16:45", calendars="CDS"),
        attrs.evolve(base, minutes_before_close=25, calendars="MCX"),
    )


TABLES: Final[Mapping[str, Callable[[], Rules]]] = MappingProxyType({"zerodha": _zerodha})
"""Tables that ship, by the name of the broker: rules are data of their own and may be given instead."""

_NAMES: Final = ", ".join(map(repr, TABLES))
_ACCEPTED: Final = f"a SquareOff, a list of them (the first that is for a calendar holds), or {_NAMES}"


def parse_squaring(value: object) -> Rules:
    """One rule, several, or the table of a broker by its name."""
    if isinstance(value, SquareOff):
        return (value,)
    if type(value) is str and value in TABLES:
        return TABLES[value]()
    if isinstance(value, (list, tuple)) and 0 < len(value) <= MOST_RULES:
        found = tuple(rule for rule in value if isinstance(rule, SquareOff))
        if len(found) == len(value):
            return found
    raise InvalidValueError("square_off", value, _ACCEPTED)


def rule_for(rules: Rules, hours: MarketHours) -> SquareOff | None:
    """The rule for a market of these hours: the first that is for its calendar."""
    return next((rule for rule in rules if rule.is_for(hours)), None)
