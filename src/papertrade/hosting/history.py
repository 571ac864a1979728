"""History: closed orders and past fills, read from the store whenever somebody asks, and kept nowhere.

The engine forgets an order when it ends; what happened to it is in the journal. Orders are numbered in the order in
which they begin, so that the beginning of one is found by halving the journal, and what came of it is read from there.
However often somebody asks, and however long the journal grows, nothing of it stays in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from papertrade.domain.events import Event, OrderAccepted, OrderFilled, OrderRejected, OrdersLinked
from papertrade.domain.orders import Order
from papertrade.engine.order_moves import fold_order
from papertrade.errors import StoreTrimmedError
from papertrade.hosting.flow import Flow
from papertrade.ports.store import Store

NEAR: Final = 32  # events that are read at once where a look is likely to be enough
PAGE: Final = 4096  # events that are read at once on the way through a journal


class History:
    """The past of one stream."""

    __slots__ = ("_store", "stream")

    def __init__(self, store: Store, stream: str) -> None:
        self._store = store
        self.stream = stream

    def _page(self, first: int, size: int = PAGE) -> Flow[list[Event]]:
        events: Iterable[Event] = yield self._store.load, (self.stream, first, first + size - 1)
        return list(events)

    def _all_of(self, wanted: str, first: int) -> Flow[list[Event]]:
        """A page on the way through the whole journal, which says what is missing if not all of it is here."""
        try:
            return (yield from self._page(first))
        except StoreTrimmedError as why:
            raise StoreTrimmedError(self.stream, why.version, why.base, wanted) from why

    # ------------------------------------------------------------ one order

    def _first_begun(self, first: int, last: int) -> Flow[tuple[int, int] | None]:
        """The first order that begins in a range: its number and the version."""
        size = NEAR
        while first <= last:
            page = yield from self._page(first, min(size, last - first + 1))
            for event in page:
                if isinstance(event, (OrderAccepted, OrderRejected)):
                    return event.number, event.version
            if not page:
                return None
            first, size = page[-1].version + 1, min(4 * size, PAGE)
        return None

    def _beginning(self, number: int) -> Flow[int]:
        """The version at which an order begins; 0 when there is no such order.

        Where the beginning of the journal was archived, an order that is not found in the rest began before.
        """
        low, base = 1, 0  # base: the last version that was archived, if the order may have begun before
        high: int = yield self._store.head, (self.stream,)
        while low <= high:
            middle = (low + high) // 2 if high - low > NEAR else low
            try:
                begun = yield from self._first_begun(middle, high)
            except StoreTrimmedError as why:
                low, base = why.base + 1, why.base
                continue
            if begun is not None and begun[0] == number:
                return begun[1]
            if begun is not None and begun[0] < number:
                low, base = begun[1] + 1, 0  # it cannot have begun before this one
            else:
                high = middle - 1
        if base:
            raise StoreTrimmedError(self.stream, 1, base, f"order {number} (if there is one)")
        return 0

    def events_of(self, number: int, ended: bool = False) -> Flow[list[Event]]:
        """Everything that happened to an order; with ``ended`` only until it ended, which is found sooner."""
        first = yield from self._beginning(number)
        found: list[Event] = []
        size = NEAR
        while first:
            page = yield from self._page(first, size)
            about = [event for event in page if number in numbers_of(event)]
            found += about
            if len(page) < size:
                break
            if ended and about:
                order = fold_order(found, number)
                if order is not None and order.is_final:
                    break
            first, size = page[-1].version + 1, min(4 * size, PAGE)
        return found

    def order(self, number: int) -> Flow[Order | None]:
        """An order as it is now, from its events."""
        return fold_order((yield from self.events_of(number, ended=True)), number)

    # ----------------------------------------------------------- everything

    def orders(self, wanted: Callable[[Order], bool]) -> Flow[list[Order]]:
        """All orders ever that somebody wants, oldest first: one way through the journal."""
        found: dict[int, Order] = {}
        working: dict[int, list[Event]] = {}
        first = 1
        while True:
            page = yield from self._all_of("some orders", first)
            for event in page:
                for number in numbers_of(event):
                    if number in working or isinstance(event, (OrderAccepted, OrderRejected)):
                        working.setdefault(number, []).append(event)
            if len(page) < PAGE:
                break
            _take_ended(working, found, wanted)
            first = page[-1].version + 1
        _take_ended(working, found, wanted, everything=True)
        return [order for _, order in sorted(found.items())]

    def all_fills(self) -> Flow[list[OrderFilled]]:
        """Every fill, oldest first."""
        found: list[OrderFilled] = []
        first = 1
        while True:
            page = yield from self._all_of("some fills", first)
            found += [event for event in page if isinstance(event, OrderFilled)]
            if len(page) < PAGE:
                return found
            first = page[-1].version + 1


def numbers_of(event: Event) -> tuple[int, ...]:
    """The orders that an event is about."""
    number = getattr(event, "number", None)
    if number is None:
        return ()
    if isinstance(event, OrdersLinked):
        return number, event.other
    if isinstance(event, OrderAccepted) and event.oco:
        return number, event.oco
    return (number,)


def _take_ended(
    working: dict[int, list[Event]],
    found: dict[int, Order],
    wanted: Callable[[Order], bool],
    everything: bool = False,
) -> None:
    """Orders that ended are folded and their events let go; at the end of the journal, all that are left."""
    for number in list(working):
        order = fold_order(working[number], number)
        if everything or (order is not None and order.is_final):
            del working[number]
            if order is not None and wanted(order):
                found[number] = order
