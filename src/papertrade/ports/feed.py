"""Feeds and sinks: where market data comes from, where events go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from papertrade.domain.events import Event


class Feed(Protocol):
    """Anything that can be iterated over for data: each item names its kind and the fields of ``on_<kind>``.

    ``{"kind": "quote", "symbol": "AAPL", "bid": "187.10", "ask": "187.14", "at": "2026-01-05T14:30:00Z"}``
    """

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        """One datum after another, in time order."""
        ...


class Sink(Protocol):
    """Anything that wants events: called once for each, in order, after they are stored."""

    def __call__(self, event: Event, /) -> object:
        """Take one event."""
        ...
