"""Plain words to ports: ``"system"`` to a clock, an address to a store, a preset's name to fill settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import attrs

from papertrade.domain.words import plain_text
from papertrade.errors import InvalidValueError
from papertrade.matching.settings import FillSettings
from papertrade.ports.clock import Clock, DataClock, SystemClock
from papertrade.ports.store import Store

if TYPE_CHECKING:
    from papertrade.ports.async_store import AsyncStore

SYSTEM_QUOTE_AGE_S = 60


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
