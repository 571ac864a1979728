"""The calendars that ship, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import MappingProxyType

from papertrade.calendars.calendar import Calendar
from papertrade.errors import InvalidValueError, UnknownCalendarError


def _always() -> Calendar:
    from papertrade.calendars.always import always_open

    return always_open()


def _new_york() -> Calendar:
    from papertrade.calendars.nyse import new_york

    return new_york()


BUILDERS: MappingProxyType[str, Callable[[], Calendar]] = MappingProxyType({"24x7": _always, "XNYS": _new_york})
ALIASES = MappingProxyType(
    {
        "24/7": "24x7",
        "CRYPTO": "24x7",
        **dict.fromkeys(("NYSE", "XNAS", "NASDAQ", "US"), "XNYS"),
    }
)


def calendar(name: str) -> Calendar:
    """A calendar that ships, by its name; built when first asked for, and the same one from then on.

    >>> calendar("NYSE").name
    'XNYS'
    """
    if type(name) is not str or not name:
        raise InvalidValueError("name", name, f"one of {', '.join(BUILDERS)}")
    key = ALIASES.get(name, name)
    if key not in BUILDERS:
        folded = {known.casefold(): known for known in (*BUILDERS, *ALIASES)}
        found = folded.get(name.casefold())
        if found is None:
            raise UnknownCalendarError(name, _near(name, folded), BUILDERS)
        key = ALIASES.get(found, found)
    return _built(key)


@cache
def _built(name: str) -> Calendar:
    return BUILDERS[name]()


def _near(name: str, folded: dict[str, str]) -> list[str]:
    from difflib import get_close_matches  # only mistakes need it

    return [folded[found] for found in get_close_matches(name.casefold()[:40], folded, n=2)]
