"""The rule of settlement: how many sessions after its trade date a trade settles, and what may be used before.

How many is a matter of law and changes, so it is a table by trade date, with a source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final, TypeAlias

import attrs

from papertrade.domain.names import parse_calendars
from papertrade.domain.numbers import parse_count
from papertrade.domain.wall_clock import parse_day
from papertrade.errors import CalendarRangeError, InvalidValueError

Day: TypeAlias = date | str
Rows: TypeAlias = tuple[tuple[date, int], ...]
Dated: TypeAlias = Mapping[str, str | int] | Mapping[date, str | int] | Sequence[tuple[Day, str | int]]
MOST_SESSIONS: Final = 9
MOST_COUNTED: Final = 3_650

TABLES: Final[Mapping[str, tuple[tuple[tuple[str, int], ...], str]]] = MappingProxyType(
    {
        "us_shares": (
            (("2017-09-05", 2), ("2024-05-28", 1)),
            "SEC Rule 15c6-1: T+1 for trades from 2024-05-28; T+2 from 2017-09-05 is from memory, not verified",
        ),
        "india_shares": (
            (("2023-01-27", 1),),
            "SEBI: every share on T+1 from 2023-01-27; the date is from memory, not verified",
        ),
        "crypto": ((("0001-01-01", 0),), "spot trades change hands at once"),
    }
)
"""Tables that ship: trade dates from which so many sessions hold, and where that is from."""

_ACCEPTED: Final = f"'T+0' to 'T+{MOST_SESSIONS}', {', '.join(map(repr, TABLES))}, or cycles by trade date"


def _sessions(value: object) -> int:
    if type(value) is int and 0 <= value <= MOST_SESSIONS:
        return value
    if type(value) is str and re.fullmatch(r"T\+[0-9]", value):
        return int(value[2:])
    raise InvalidValueError("cycle", value, _ACCEPTED)


def _cycle(value: Dated | str) -> Rows:
    if type(value) is str and value in TABLES:
        value = TABLES[value][0]
    if isinstance(value, str):
        return ((date.min, _sessions(value)),)
    try:
        pairs: list[tuple[Day, str | int]] = list(value.items() if isinstance(value, Mapping) else value)
        found = tuple(sorted((parse_day(day, "cycle", _ACCEPTED), _sessions(sessions)) for day, sessions in pairs))
    except (TypeError, AttributeError):
        found = ()
    if found and len(dict(found)) == len(found):
        return found
    raise InvalidValueError("cycle", value, _ACCEPTED)


_WORDS: Final = MappingProxyType(
    {
        "unsettled_cash": ("use", "refuse"),
        "unsettled_shares": ("sell", "refuse"),
        "on_violation": ("note", "restrict"),
    }
)


def _word(_: object, field: attrs.Attribute[str], value: object) -> None:
    words = _WORDS[field.name]
    if type(value) is not str or value not in words:
        raise InvalidValueError(field.name, value, " or ".join(map(repr, words)))


def _count(_: object, field: attrs.Attribute[int], value: int) -> None:
    if not 1 <= parse_count(value, field.name) <= MOST_COUNTED:
        raise InvalidValueError(field.name, value, f"a whole number from 1 to {MOST_COUNTED}")


@attrs.frozen
class Settlement:
    """When trades settle, and what may be used before they do.

    >>> rule = Settlement("us_shares")
    >>> rule.sessions_on("2024-05-27"), rule.sessions_on("2024-05-28")
    (2, 1)

    Attributes:
        cycle: ``"T+1"`` and the like, the name of a table that ships (``"us_shares"``, ``"india_shares"``,
            ``"crypto"``), or cycles by trade date: ``{"2017-09-05": "T+2", "2024-05-28": "T+1"}``.
        unsettled_cash: may the proceeds of a sale buy something before they settle: ``"use"`` or ``"refuse"``.
        unsettled_shares: may what was bought be sold before it is delivered: ``"sell"`` or ``"refuse"``.
        on_violation: what good-faith violations lead to: ``"note"`` counts them, ``"restrict"`` lets only settled cash
            buy for ``restricted_days`` once there were ``most_violations`` in twelve months.
        most_violations: see there.
        restricted_days: see there.
        calendars: the names of the calendars it is for; all by default, and instruments without one. What it is not
            for settles at once.
        source: where the cycle is from.
    """

    cycle: Rows = attrs.field(converter=_cycle)
    unsettled_cash: str = attrs.field(default="use", validator=_word, kw_only=True)
    unsettled_shares: str = attrs.field(default="sell", validator=_word, kw_only=True)
    on_violation: str = attrs.field(default="note", validator=_word, kw_only=True)
    most_violations: int = attrs.field(default=3, validator=_count, kw_only=True)
    restricted_days: int = attrs.field(default=90, validator=_count, kw_only=True)
    calendars: tuple[str, ...] | None = attrs.field(default=None, converter=parse_calendars, kw_only=True)
    source: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if type(self.source) is not str:
            raise InvalidValueError("source", self.source, "text")
        if not self.source:
            known = [source for rows, source in TABLES.values() if _cycle(list(rows)) == self.cycle]
            object.__setattr__(self, "source", known[0] if known else "given by hand")

    @property
    def refuses_cash(self) -> bool:
        """Does only settled cash buy?"""
        return self.unsettled_cash == "refuse"

    @property
    def refuses_shares(self) -> bool:
        """Is only sold what is delivered?"""
        return self.unsettled_shares == "refuse"

    def restricts(self, violations: int) -> bool:
        """Do so many violations in twelve months restrict the account?"""
        return self.on_violation == "restrict" and violations >= self.most_violations

    def covers(self, calendar: str | None) -> bool:
        """Is it for instruments of this calendar, None for those without one?"""
        return self.calendars is None or calendar in self.calendars

    def sessions_on(self, day: str) -> int:
        """How many sessions after this trade date its trades settle."""
        held = [sessions for since, sessions in self.cycle if since.isoformat() <= day]
        if held:
            return held[-1]
        first = self.cycle[0][0].isoformat()
        rows = ", ".join(f"'{since}': 'T+{sessions}'" for since, sessions in self.cycle)
        told = (
            f"settlement {self} does not say when trades of {day} settle; give a table that begins by then, such as "
            f"Settlement({{'{day}': 'T+2', {rows}}}) if that is how it was"
        )
        raise CalendarRangeError("of settlement", day, first, "today", told)

    def __str__(self) -> str:
        rows = ", ".join(
            f"T+{sessions}" + ("" if since == date.min else f" from {since}") for since, sessions in self.cycle
        )
        return f"{rows} ({self.source})"


def parse_settlement(value: object) -> Settlement:
    """A rule as it is, or from its cycle or the name of a table."""
    if isinstance(value, Settlement):
        return value
    if type(value) is str:
        return Settlement(value)
    raise InvalidValueError("settlement", value, f"a Settlement, {_ACCEPTED}")
