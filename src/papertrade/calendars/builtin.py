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


def _shares(name: str, closing_auction: bool) -> Callable[[], Calendar]:
    def build() -> Calendar:
        from papertrade.calendars.india import shares

        return shares(name, closing_auction=closing_auction)

    return build


def _derivatives(name: str) -> Callable[[], Calendar]:
    def build() -> Calendar:
        from papertrade.calendars.india import derivatives

        return derivatives(name)

    return build


def _currencies() -> Calendar:
    from papertrade.calendars.india import currencies

    return currencies()


def _commodities() -> Calendar:
    from papertrade.calendars.india import commodities

    return commodities()


BUILDERS: MappingProxyType[str, Callable[[], Calendar]] = MappingProxyType(
    {
        "24x7": _always,
        "XNYS": _new_york,
        "XNSE": _shares("XNSE", False),
        "XNSE-CAS": _shares("XNSE-CAS", True),
        "XBOM": _shares("XBOM", False),
        "XBOM-CAS": _shares("XBOM-CAS", True),
        "NFO": _derivatives("NFO"),
        "BFO": _derivatives("BFO"),
        "CDS": _currencies,
        "MCX": _commodities,
    }
)
ALIASES = MappingProxyType(
    {
        "24/7": "24x7",
        "CRYPTO": "24x7",
        **dict.fromkeys(("NYSE", "XNAS", "NASDAQ", "US"), "XNYS"),
        "NSE": "XNSE",
        "NSE-CAS": "XNSE-CAS",
        "BSE": "XBOM",
        "BSE-CAS": "XBOM-CAS",
        "BCD": "CDS",
    }
)


def calendar(name: str) -> Calendar:
    """A calendar that ships, by its name; built when first asked for, and the same one from then on.

    >>> calendar("NYSE").name
    'XNYS'
    """
    if type(name) is not str or not name:
        raise InvalidValueError("name", name, f"one of {', '.join(BUILDERS)}")
    key = proper_name(name)
    if key not in BUILDERS:
        raise UnknownCalendarError(name, _near(name, _folded()), BUILDERS)
    return _built(key)


def proper_name(name: str) -> str:
    """What a calendar that ships calls itself, by any of its names; another name as it is.

    >>> proper_name("nse"), proper_name("desk")
    ('XNSE', 'desk')
    """
    found = name if name in BUILDERS or name in ALIASES else _folded().get(name.casefold(), name)
    return ALIASES.get(found, found)


def _folded() -> dict[str, str]:
    return {known.casefold(): known for known in (*BUILDERS, *ALIASES)}


@cache
def _built(name: str) -> Calendar:
    return BUILDERS[name]()


def _near(name: str, folded: dict[str, str]) -> list[str]:
    from difflib import get_close_matches  # only mistakes need it

    return [folded[found] for found in get_close_matches(name.casefold()[:40], folded, n=2)]
