"""History: closed orders and past fills, read from the store and indexed only when somebody asks.

The engine forgets an order when it ends. What happened to it is in the journal; the first question about the past reads
the stream once, later ones only what came since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from papertrade.domain.events import Event, OrderAccepted, OrderFilled, OrdersLinked
from papertrade.domain.orders import Order
from papertrade.engine.order_moves import fold_order
from papertrade.hosting.flow import Flow
from papertrade.ports.store import Store

_NOTHING: Final[tuple[int, ...]] = ()


class History:
    """An index over one stream: which versions are about which order, and which are fills."""

    __slots__ = ("_of_order", "_seen", "_store", "fills", "stream")

    def __init__(self, store: Store, stream: str) -> None:
        self._store = store
        self.stream = stream
        self._seen = 0
        self._of_order: dict[int, list[int]] = {}
        self.fills: list[int] = []

    def _catch_up(self) -> Flow[None]:
        events: Iterator[Event] = yield self._store.load, (self.stream, self._seen + 1, None)
        for event in events:
            self._seen = event.version
            number = getattr(event, "number", None)
            if number is not None:
                self._of_order.setdefault(number, []).append(event.version)
            if isinstance(event, OrderFilled):
                self.fills.append(event.version)
            elif isinstance(event, OrdersLinked):
                self._of_order[event.other].append(event.version)
            elif isinstance(event, OrderAccepted) and event.oco:
                self._of_order[event.oco].append(event.version)

    def numbers(self) -> Flow[list[int]]:
        """The numbers of all orders ever, oldest first."""
        yield from self._catch_up()
        return sorted(self._of_order)

    def events_of(self, number: int) -> Flow[list[Event]]:
        """Everything that happened to an order."""
        yield from self._catch_up()
        return (yield from self.at(self._of_order.get(number, _NOTHING)))

    def at(self, versions: list[int] | tuple[int, ...]) -> Flow[list[Event]]:
        """The events at some versions, read in one go when they are close together."""
        if not versions:
            return []
        first, last = versions[0], versions[-1]
        if last - first <= 4 * len(versions):
            wanted = frozenset(versions)
            events = yield self._store.load, (self.stream, first, last)
            return [event for event in events if event.version in wanted]
        found: list[Event] = []
        for version in versions:
            found.extend((yield self._store.load, (self.stream, version, version)))
        return found

    def order(self, number: int) -> Flow[Order | None]:
        """An order as it is now, from its events."""
        events = yield from self.events_of(number)
        return fold_order(events, number)

    def all_fills(self) -> Flow[list[OrderFilled]]:
        """Every fill, oldest first."""
        yield from self._catch_up()
        events = yield from self.at(self.fills)
        return [event for event in events if isinstance(event, OrderFilled)]
