"""Intraday accounts: everything is squared off before its market closes.

Three stages, each dated when it is due: a warning; then only orders that reduce a position pass; then what is working
is canceled and what is held is closed at the market.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Final, TypeAlias

import attrs

from papertrade.domain.hours import MarketHours, Phase
from papertrade.domain.instants import SECOND_NS
from papertrade.domain.names import parse_calendars
from papertrade.domain.numbers import parse_count
from papertrade.domain.wall_clock import parse_clock, parse_day
from papertrade.errors import InvalidValueError

WARNED: Final = "warned"
REDUCE_ONLY: Final = "reduce_only"
FLAT: Final = "flat"
STAGES: Final = (WARNED, REDUCE_ONLY, FLAT)
"""What happens before a close, in order."""

MINUTE_NS: Final = 60 * SECOND_NS
MOST_MINUTES: Final = 12 * 60
_TIMES: Final = "a wall-clock time such as '15:20', or times by the day from which they hold"


def _minutes(_: object, field: attrs.Attribute[int], value: int) -> None:
    if parse_count(value, field.name) > MOST_MINUTES:
        raise InvalidValueError(field.name, value, f"whole minutes, at most {MOST_MINUTES}")


def _minutes_before(rule: object, field: attrs.Attribute[int], value: int) -> None:
    _minutes(rule, field, value)
    if not value:
        raise InvalidValueError(field.name, value, "at least 1: at the close nothing trades any more")


Clock: TypeAlias = time | str
Day: TypeAlias = date | str


def _times(value: Mapping[Day, Clock] | Sequence[tuple[Day, Clock]] | Clock | None) -> tuple[tuple[date, time], ...]:
    if value is None or value == ():  # the second is what the first became, when a rule is made from another
        return ()
    if isinstance(value, (str, time)):
        return ((date.min, parse_clock(value, "at", _TIMES)),)
    try:
        pairs = list(value.items() if isinstance(value, Mapping) else value)
        found = sorted((parse_day(day, "at", _TIMES), parse_clock(clock, "at", _TIMES)) for day, clock in pairs)
    except (TypeError, AttributeError):
        found = []
    if not found:
        raise InvalidValueError("at", value, _TIMES)
    return tuple(found)


@attrs.frozen(kw_only=True)
class SquareOff:
    """Everything that the account holds on a market is closed before that market does.

    >>> SquareOff(minutes_before_close=15, warn_minutes=10).minutes_before_close
    15

    Attributes:
        minutes_before_close: how long before the close of each session, or before its closing auction where that is a
            phase of its own, everything is closed at the market.
        at: a wall-clock time of the market for that instead, also by the day from which it holds:
            ``{"2026-01-01": "15:20", "2026-08-03": "15:12"}``. On a day that closes earlier, or opens later, the
            minutes count.
        reduce_only_minutes: how long before that only orders that reduce a position pass.
        warn_minutes: how long before that the warning comes.
        calendars: the names of the calendars it is for; all by default. What never closes is never squared off.
    """

    minutes_before_close: int = attrs.field(default=10, validator=_minutes_before)
    at: tuple[tuple[date, time], ...] = attrs.field(default=None, converter=_times)
    reduce_only_minutes: int = attrs.field(default=5, validator=_minutes)
    warn_minutes: int = attrs.field(default=15, validator=_minutes)
    calendars: tuple[str, ...] | None = attrs.field(default=None, converter=parse_calendars)

    def __attrs_post_init__(self) -> None:
        if self.warn_minutes < self.reduce_only_minutes:
            accepted = f"at least reduce_only_minutes ({self.reduce_only_minutes}): the warning comes first"
            raise InvalidValueError("warn_minutes", self.warn_minutes, accepted)

    def __str__(self) -> str:
        markets = "each market with hours" if self.calendars is None else ", ".join(self.calendars)
        times = ", ".join(f"{at:%H:%M}" + ("" if since == date.min else f" from {since}") for since, at in self.at)
        minutes = f"{self.minutes_before_close} minutes before the close"
        return f"{markets} at {times}, else {minutes}" if times else f"{markets} {minutes}"

    def is_for(self, hours: MarketHours) -> bool:
        """Is it for markets of these hours?"""
        return self.calendars is None or hours.name in self.calendars

    def covers(self, hours: MarketHours, close_ns: int) -> bool:
        """Is it for markets of these hours, and do they really close then? One that goes on trading never does."""
        return self.is_for(hours) and hours.span_at(close_ns - 1).until_ns <= close_ns

    def flat_ns(self, hours: MarketHours, close_ns: int) -> int:
        """When everything is closed, before this close."""
        last = hours.span_at(close_ns - 1)
        ends = last.from_ns if last.phase is Phase.CLOSING_AUCTION else close_ns  # no market order fills in an auction
        latest = ends - self.minutes_before_close * MINUTE_NS
        found = hours.wall_ns(close_ns, self.at) if self.at else None
        if found is None or found >= ends or hours.span_at(found).phase is Phase.CLOSED:
            return latest
        return found

    def stage_ns(self, stage: str, flat_ns: int) -> int:
        """When a stage is due, before everything is closed."""
        minutes = {WARNED: self.warn_minutes, REDUCE_ONLY: self.reduce_only_minutes, FLAT: 0}[stage]
        return flat_ns - minutes * MINUTE_NS
