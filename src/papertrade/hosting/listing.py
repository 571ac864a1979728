"""What is listed on an exchange: instruments, and the currency of those that nobody has named."""

from __future__ import annotations

import attrs

from papertrade.domain.instruments import Instrument, parse_instrument
from papertrade.domain.money import Currency
from papertrade.domain.names import parse_name
from papertrade.engine.engine import Engine
from papertrade.errors import UnknownSymbolError, UsageError
from papertrade.matching.market import Market


class Listing:
    """The instruments of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # Set by the one-account form: what a symbol never seen before is quoted in.
        self.unlisted_currency: Currency | None = None

    def list_instrument(self, symbol: str | Instrument, details: dict[str, object]) -> Instrument:
        """List an instrument; listing the same one again is fine."""
        instrument = parse_instrument(symbol, **details)
        listed = self.engine.list_instrument(instrument).instrument
        if listed != instrument:
            raise UsageError(f"{instrument.symbol} is listed already as {listed}; accepted: the same again")
        return listed

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
            return self.engine.list_instrument(Instrument(name, self.unlisted_currency))
        if market is None:
            raise UnknownSymbolError(name, near(name, list(self.engine.markets)))
        return market


def near(name: str, known: list[str]) -> list[str]:
    """Names that somebody may have meant."""
    from difflib import get_close_matches  # only mistakes need it

    by_case = [other for other in known if other.casefold() == name.casefold()]
    return by_case[:2] or get_close_matches(name, known, n=2, cutoff=0.6)
