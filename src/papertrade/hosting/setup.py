"""Plain words to ports: ``"system"`` to a clock, an address to a store, a preset's name to fill settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypedDict, cast

import attrs

from papertrade.calendars.trading_day import TradingDay
from papertrade.domain.instants import SECOND_NS
from papertrade.domain.words import OutsideHours, plain_text
from papertrade.engine.profile import BOOKENDS, ON_CHANGE
from papertrade.errors import InvalidValueError
from papertrade.ledger.fees import FeeModel
from papertrade.ledger.margin import MarginModel
from papertrade.matching.settings import FillSettings
from papertrade.ports.clock import Clock, DataClock, SystemClock
from papertrade.ports.store import Store
from papertrade.risk.limits import RiskLimits
from papertrade.risk.squaring_rules import Squaring

if TYPE_CHECKING:
    from papertrade.ledger.settlement import Settlement
    from papertrade.ports.async_store import AsyncStore
    from papertrade.risk.products import Products

SYSTEM_QUOTE_AGE_S = 60
_MINUTE_NS = 60_000_000_000
_SNAPSHOTS = "a SnapshotPolicy, 'off' or 'on demand' (only by broker.snapshot()), or None for the default"


_WORDS: Final = {"off": 0, "on change": ON_CHANGE, "session": BOOKENDS}
_POINTS: Final = (
    "'off', 'on change', 'session', or an interval of whole seconds up to a day such as '30s', '5m' or a timedelta"
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_DAY_S: Final = 86_400


class AccountOptions(TypedDict, total=False):
    """What an account can be opened with besides its cash and its currency; what is not said has its default."""

    kind: str
    margin: MarginModel | None
    fees: FeeModel | None
    limits: RiskLimits | None
    cost_method: str
    trading_day: TradingDay | str | None
    outside_hours: OutsideHours | str
    square_off: Squaring | None
    equity_points: str | timedelta
    settlement: Settlement | str | None
    products: Products | None
    exclusive: bool


def parse_points(value: object) -> int:
    """How often an account notes its equity, in nanoseconds: 0 for never, or one of the words."""
    if type(value) is str and value in _WORDS:
        return _WORDS[value]
    seconds = 0
    if type(value) is str and value[:-1].isascii() and value[:-1].isdigit() and len(value) <= 6:
        seconds = int(value[:-1]) * _UNITS.get(value[-1], 0)
    elif type(value) is timedelta and not value.microseconds:
        seconds = value.days * _DAY_S + value.seconds
    if not 0 < seconds <= _DAY_S:
        raise InvalidValueError("equity_points", value, _POINTS)
    return seconds * SECOND_NS


def points_text(points_ns: int) -> str:
    """The same as one says it."""
    words = [word for word, meant in _WORDS.items() if meant == points_ns]
    return words[0] if words else f"{points_ns // SECOND_NS}s"


class SnapshotPolicy:
    """When a snapshot of an account is due, counted from its last one.

    It is due after ``every_events`` events; and also after ``every_minutes`` of the exchange's clock, if there were at
    least ``at_least`` events meanwhile, so that a replay that leaps through time does not take one at each leap.
    Whichever is None does not count. What is due is looked at once, when a command or a datum is done: however many
    events that brought, it is one snapshot.
    """

    __slots__ = ("at_least", "every_events", "every_minutes")

    def __init__(
        self, *, every_events: int | None = 1000, every_minutes: int | None = 15, at_least: int = 100
    ) -> None:
        for name, value in (("every_events", every_events), ("every_minutes", every_minutes), ("at_least", at_least)):
            if not (type(value) is int and value > 0) and (value is not None or name == "at_least"):
                optional = "" if name == "at_least" else ", or None"
                raise InvalidValueError(name, value, f"a whole number above 0{optional}")
        if every_events is None and every_minutes is None:
            raise InvalidValueError("every_events", None, "at least one of every_events and every_minutes")
        self.every_events, self.every_minutes, self.at_least = every_events, every_minutes, at_least

    def is_due(self, events: int, elapsed_ns: int) -> bool:
        """Is one due, so many events and so much time after the last?"""
        if self.every_events is not None and events >= self.every_events:
            return True
        minutes = self.every_minutes
        return minutes is not None and events >= self.at_least and elapsed_ns >= minutes * _MINUTE_NS

    def __str__(self) -> str:
        ways = [] if self.every_events is None else [f"every {self.every_events} events"]
        if self.every_minutes is not None:
            ways.append(f"every {self.every_minutes} minutes with {self.at_least} events")
        return " or ".join(ways)

    def __repr__(self) -> str:
        return f"<SnapshotPolicy: {self}>"


def parse_clock(clock: Clock | str) -> Clock:
    """A clock as it is, ``"system"``, or ``"data"`` (time is the latest datum)."""
    if isinstance(clock, str):
        name = plain_text(clock)
        if name == "system":
            return SystemClock()
        if name == "data":
            return DataClock()
        raise InvalidValueError("clock", clock, "'system', 'data', or a clock such as ManualClock(start)")
    if callable(getattr(clock, "now_ns", None)):
        return clock
    raise InvalidValueError("clock", clock, "'system', 'data', or an object with now_ns()")


def name_of_clock(clock: Clock) -> str:
    """The word for a clock, or the name of its class."""
    if isinstance(clock, SystemClock):
        return "system"
    return "data: time is the latest datum" if isinstance(clock, DataClock) else type(clock).__name__


def parse_store(store: Store | str | None) -> Store:
    """A store as it is, or one found by its address; None is memory."""
    if store is None or isinstance(store, str):
        from papertrade.compose import open_store

        return open_store("memory:" if store is None else plain_text(store) or "")
    if callable(getattr(store, "append_many", None)):
        return store
    raise InvalidValueError("store", store, "a store, or an address such as 'memory:' or 'paper.db'")


def parse_async_store(store: Store | AsyncStore | str | None) -> Store:
    """The same for a host with awaits, which awaits whatever a method answers with and need not know which it is."""
    if isinstance(store, str):
        from papertrade.compose import open_async_store

        store = open_async_store(plain_text(store) or "")
    return parse_store(cast("Store | None", store))


def fill_settings(fill: FillSettings | str, clock: Clock) -> FillSettings:
    """Settings as they are, or a preset by name; under the system clock a preset lets quotes age for a minute."""
    if isinstance(fill, FillSettings):
        return fill
    if type(fill) is not str:
        raise InvalidValueError("fill", fill, "FillSettings, or the name of a preset")
    preset = FillSettings.preset(fill)
    if isinstance(clock, SystemClock):
        return attrs.evolve(preset, max_quote_age_s=SYSTEM_QUOTE_AGE_S)
    return preset


def kind_of(store: Store) -> str:
    """What kind of store it says it is; nothing when it says nothing."""
    describe = getattr(store, "describe", None)
    told = describe() if callable(describe) else None
    return str(told.get("kind", "unnamed")) if isinstance(told, Mapping) else ""


def parse_snapshots(snapshots: object, store: Store) -> SnapshotPolicy | None:
    """A policy as it is, or none by name; by default, one where something outlives the process."""
    if isinstance(snapshots, SnapshotPolicy):
        return snapshots
    if snapshots is None:
        return None if kind_of(store) in ("memory", "") else SnapshotPolicy()
    if type(snapshots) is str and snapshots in ("off", "on demand"):
        return None
    raise InvalidValueError("snapshots", snapshots, _SNAPSHOTS)
