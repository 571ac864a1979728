"""What is listed on an exchange: instruments, and the currency of those that nobody has named."""

from __future__ import annotations

from typing import Final

import attrs

from papertrade.domain.hours import MarketHours
from papertrade.domain.instruments import Instrument, parse_instrument
from papertrade.domain.money import Currency
from papertrade.domain.names import parse_name
from papertrade.engine.engine import Engine
from papertrade.errors import InvalidValueError, UnknownSymbolError, UsageError
from papertrade.matching.market import Market

_ASKED: Final = ("span_at", "day_close", "next_regular", "wall_ns", "auction", "trade_day", "begins_after")
_ACCEPTED: Final = (
    "a name such as 'XNYS' or '24x7', a Calendar, or an object with everything of papertrade.domain.hours.MarketHours"
)


class Listing:
    """The instruments of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # Set by the one-account form: what a symbol never seen before is quoted in.
        self.unlisted_currency: Currency | None = None
        self.calendars: dict[str, MarketHours] = {}  # that were given, by name; the shipped ones are found when needed
        self.hours: MarketHours | None = None  # of what names no calendar; None: never closed

    def list_instrument(self, symbol: str | Instrument, details: dict[str, object]) -> Instrument:
        """List an instrument; listing the same one again is fine."""
        instrument = parse_instrument(symbol, **details)
        listed = self.engine.list_instrument(instrument, self.hours_of(instrument)).instrument
        if listed != instrument:
            raise UsageError(f"{instrument.symbol} is listed already as {listed}; accepted: the same again")
        return listed

    def hours_of(self, instrument: Instrument) -> MarketHours | None:
        """The hours in which an instrument trades."""
        return self.hours if instrument.calendar is None else self.parse_calendar(instrument.calendar)

    def keep_hours(self, calendar: object) -> None:
        """What names no calendar trades in these hours: a calendar, its name, or None for never closed."""
        self.hours = None if calendar is None else self.parse_calendar(calendar)
        if self.hours is not None and type(calendar) is not str:
            self.calendars[self.hours.name] = self.hours  # who names it means this one

    def parse_calendar(self, calendar: object) -> MarketHours:
        """A calendar as it is, or found by its name."""
        if type(calendar) is str:
            known = self.calendars.get(calendar)
            if known is None:
                known = find_calendar(calendar)
                known = self.calendars.get(known.name, known)  # by another name of one that was given
            return known
        if isinstance(calendar, type):
            raise InvalidValueError("calendar", calendar, f"{_ACCEPTED}; this is the class of some")
        missing = [name for name in _ASKED if not callable(getattr(calendar, name, None))]
        if len(missing) == len(_ASKED):
            raise InvalidValueError("calendar", calendar, _ACCEPTED)
        if missing:
            raise InvalidValueError("calendar", calendar, f"{_ACCEPTED}; this one lacks {', '.join(missing)}")
        parse_name(getattr(calendar, "name", None), "name of the calendar")  # events and instruments call it by that
        return calendar  # type: ignore[return-value]  # it answers what is asked of it

    def use_calendar(self, calendar: object) -> None:
        """A calendar of one's own, or one that was mended: from now on it is the one of that name."""
        hours = self.parse_calendar(calendar)
        self.calendars[hours.name] = hours
        if self.hours is not None and self.hours.name == hours.name:
            self.hours = hours
        for market in self.engine.markets.values():
            if market.hours is not None and market.hours.name == hours.name:
                market.keep_hours(hours)
        self.engine.look_at_hours(hours)

    def set_price_band(self, symbol: object, band: object) -> Instrument:
        """Give an instrument the band of a new day; orders that wait outside it simply wait."""
        market = self.market(symbol)
        market.instrument = attrs.evolve(market.instrument, price_band=band)  # type: ignore[arg-type]  # it is checked
        return market.instrument

    def market(self, symbol: object) -> Market:
        """The market of a symbol that is listed; the one-account form lists a plain instrument on first sight."""
        name = parse_name(symbol, "symbol")
        market = self.engine.markets.get(name)
        if market is None and self.unlisted_currency is not None:
            return self.engine.list_instrument(Instrument(name, self.unlisted_currency), self.hours)
        if market is None:
            raise UnknownSymbolError(name, near(name, list(self.engine.markets)))
        return market


def find_calendar(name: str) -> MarketHours:
    """A calendar that is shipped."""
    from papertrade.calendars.builtin import calendar  # who trades around the clock needs none

    return calendar(name)


def near(name: str, known: list[str]) -> list[str]:
    """Names that somebody may have meant."""
    from difflib import get_close_matches  # only mistakes need it

    by_case = [other for other in known if other.casefold() == name.casefold()]
    return by_case[:2] or get_close_matches(name, known, n=2, cutoff=0.6)
