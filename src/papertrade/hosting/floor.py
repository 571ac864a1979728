"""The floor: what the synchronous and the asynchronous exchange have in common, apart from how they wait."""

from __future__ import annotations

from collections.abc import Callable

from papertrade.domain.instruments import Instrument
from papertrade.domain.money import Currency
from papertrade.domain.names import parse_name
from papertrade.errors import InvalidValueError
from papertrade.hosting.desk import Desk
from papertrade.hosting.intake import Intake
from papertrade.hosting.setup import fill_settings, parse_clock, parse_store
from papertrade.matching.market import Market
from papertrade.matching.settings import FillSettings
from papertrade.ports.clock import Clock
from papertrade.ports.store import Store

MarketHandler = Callable[[Market], object]


class Floor:
    """A desk, the entrance for its data, and who watches which market."""

    def __init__(self, store: Store | str | None, clock: Clock | str, fill: FillSettings | str) -> None:
        known = parse_clock(clock)
        self.fill = fill_settings(fill, known)
        self.desk = Desk(parse_store(store), known)
        self.intake = Intake(self.desk, self.fill.half_spread_units)
        self.watchers: dict[str, list[MarketHandler]] = {}
        # Set by the one-account form: what a symbol never seen before is quoted in.
        self.unlisted_currency: Currency | None = None

    def listed(self, symbol: object) -> Market:
        """The market of a symbol; the one-account form lists a plain instrument on first sight."""
        market = self.desk.engine.markets.get(symbol) if type(symbol) is str else None
        if market is not None:
            return market
        if self.unlisted_currency is not None:
            plain = Instrument(parse_name(symbol, "symbol"), self.unlisted_currency)
            return self.desk.engine.list_instrument(plain)
        return self.desk.market(symbol)

    def instruments(self) -> list[Instrument]:
        """Everything that is listed, by symbol."""
        return [market.instrument for _, market in sorted(self.desk.engine.markets.items())]

    def accounts(self) -> list[str]:
        """The names of the accounts that are open."""
        return sorted({*self.desk.engine.seats, *self.desk.stale})

    def watch(self, symbol: object, handler: MarketHandler) -> Callable[[], None]:
        """Call a handler after each datum of a symbol; answers a function that ends it."""
        if not callable(handler):
            raise InvalidValueError("handler", handler, "something to call with a market")
        watchers = self.watchers.setdefault(self.listed(symbol).symbol, [])
        watchers.append(handler)

        def stop() -> None:
            if handler in watchers:
                watchers.remove(handler)

        return stop
