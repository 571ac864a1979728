"""The floor: what the synchronous and the asynchronous exchange have in common, apart from how they wait."""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING

import attrs

from papertrade.domain.instruments import Instrument
from papertrade.errors import InvalidValueError, ThreadError, UsageError
from papertrade.hosting.closing import closed_error
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.hosting.intake import Intake
from papertrade.hosting.setup import (
    SnapshotPolicy,
    fill_settings,
    name_of_clock,
    parse_clock,
    parse_snapshots,
    parse_store,
)
from papertrade.matching.market import Market
from papertrade.matching.settings import FillSettings
from papertrade.ports.clock import Clock
from papertrade.ports.store import Store

if TYPE_CHECKING:
    from papertrade.hosting.feeding import Stopping

MarketHandler = Callable[[Market], object]


class OwnerOnly:
    """Stands in for a lock where one thread owns the exchange: a stranger is told so."""

    def __init__(self) -> None:
        self._owner = get_ident()

    def acquire(self) -> None:
        """Nothing to wait for; only the owner may enter."""
        if get_ident() != self._owner:
            raise ThreadError(self._owner, get_ident())

    def release(self) -> None:
        """Nothing to give back."""

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class NoEntry(OwnerOnly):
    """Stands in for the lock of an exchange that was closed: whoever wants to enter is told so."""

    def acquire(self) -> None:
        """Nobody enters any more."""
        raise closed_error()


class Watchers:
    """Who is called after each datum of a symbol. The tuple is replaced, never changed, so a loop over it is safe."""

    __slots__ = ("handlers",)

    def __init__(self) -> None:
        self.handlers: tuple[MarketHandler, ...] = ()


class Floor:
    """A desk, the entrance for its data, and who watches which market."""

    def __init__(
        self,
        store: Store | str | None,
        clock: Clock | str,
        fill: FillSettings | str,
        snapshots: SnapshotPolicy | str | None = None,
        calendar: object = None,
    ) -> None:
        known = parse_clock(clock)
        self.fill = fill_settings(fill, known)
        self.desk = Desk(parse_store(store), known)
        self.desk.keep_hours(calendar)
        if snapshots is not None or store not in (None, "memory:"):  # memory alone needs none, nor to import this
            from papertrade.hosting.snapshots import SnapshotKeeper

            self.desk.snapshots = SnapshotKeeper(parse_snapshots(snapshots, self.desk.store))
            self.desk.wanted = self.desk.snapshots.wanted
        self.intake = Intake(self.desk, self.fill.half_spread_units)
        self._watchers: dict[str, Watchers] = {}
        self.polled: dict[str, tuple[object, int]] = {}  # by symbol: what a source said last, and when it was given
        self.runs: list[Stopping] = []  # over feeds, under way

    def settings(self, fill: FillSettings | str | None) -> FillSettings:
        """An account's fill settings: its own, or the exchange's. The half spread is always the exchange's,

        because a bare last price is widened once, for everybody.
        """
        if fill is None:
            return self.fill
        own = fill_settings(fill, self.desk.clock)
        if own.half_spread_bp == self.fill.half_spread_bp:
            return own
        return attrs.evolve(own, half_spread_bp=self.fill.half_spread_bp)

    def listed(self, symbol: object) -> Market:
        """The market of a symbol."""
        market = self.desk.engine.markets.get(symbol) if type(symbol) is str else None
        return self.desk.market(symbol) if market is None else market

    def take(
        self, symbol: object, take: Callable[[Market], Flow[None] | None]
    ) -> tuple[Market, Flow[None] | None]:
        """A datum for its market; a datum that is refused leaves no instrument behind."""
        markets = self.desk.engine.markets
        before = len(markets)
        try:
            market = self.listed(symbol)
            return market, take(market)
        except UsageError as why:
            if len(markets) > before:
                del markets[market.symbol]
            for ears in self.desk.ears:
                ears.refusals.append(why)
            raise

    def stop_runs(self) -> None:
        """End every run under way, each after the datum in hand. Takes no lock: a handler of signals may call it."""
        for run in tuple(self.runs):
            run.ask()

    def instruments(self) -> list[Instrument]:
        """Everything that is listed, by symbol."""
        return [market.instrument for _, market in sorted(self.desk.engine.markets.items())]

    def accounts(self) -> list[str]:
        """The names of the accounts that are open."""
        return sorted({*self.desk.engine.seats, *self.desk.stale})

    def describe(self) -> dict[str, str]:
        """The store and what it promises, in its own words; then the clock and when snapshots are taken."""
        desk = self.desk
        told = dict(desk.store.describe())
        told["clock"] = name_of_clock(desk.clock)
        told["snapshots"] = "on demand" if desk.snapshots is None else str(desk.snapshots)
        told["suspended"] = ", ".join(sorted(desk.stopped)) or "no account"
        return told

    def watchers(self, symbol: str) -> Watchers:
        """Who watches a symbol, perhaps nobody."""
        found = self._watchers.get(symbol)
        if found is None:
            found = self._watchers[symbol] = Watchers()
        return found

    def watch(self, symbol: object, handler: MarketHandler) -> Callable[[], None]:
        """Call a handler after each datum of a symbol; answers a function that ends it."""
        if not callable(handler):
            raise InvalidValueError("handler", handler, "something to call with a market")
        watchers = self.watchers(self.listed(symbol).symbol)
        watchers.handlers = (*watchers.handlers, handler)

        def stop() -> None:
            watchers.handlers = tuple(h for h in watchers.handlers if h is not handler)

        return stop
