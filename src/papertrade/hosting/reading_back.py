"""Reading a journal page by page, from an instant on, for searches of stores that have no tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from papertrade.domain.events import Event, OrderAccepted, OrderRejected
from papertrade.domain.orders import Order
from papertrade.engine.order_moves import fold_order
from papertrade.errors import StoreCorruptError, StoreTrimmedError
from papertrade.hosting.account_reading import AccountReader
from papertrade.hosting.flow import Flow
from papertrade.hosting.history import numbers_of

if TYPE_CHECKING:
    from papertrade.hosting.windows import OrderFilter, Window

PAGE: Final = 512
NEAR: Final = 64  # versions that are this close are read in one go
T = TypeVar("T")


class JournalReader:
    """One account's journal, read forward from an instant."""

    def __init__(self, reader: AccountReader, begins_ns: int) -> None:
        self._reader = reader
        self._begins_ns = begins_ns

    def _load(self, first: int, last: int) -> Flow[list[Event]]:
        desk, account = self._reader.desk, self._reader.account
        try:
            events: Iterator[Event] = yield desk.store.load, (account, first, last)
            return list(events)
        except StoreCorruptError as fault:  # a damaged journal is not written on
            desk.stop(account, fault)
            raise

    def _first(self, version: int, instant: int) -> Flow[int]:
        """The first version of an instant; an account's time never falls, so half of what is left is skipped.

        Where the beginning was archived, it is missing unless the rest begins before the instant.
        """
        low, high, trimmed = 1, version + 1, None
        while low < high and instant:
            middle = (low + high) // 2
            try:
                (event,) = yield from self._load(middle, middle)
            except StoreTrimmedError as why:
                low, trimmed = why.base + 1, why
                continue
            if event.at_ns < instant:
                low = middle + 1
            else:
                high = middle
        if trimmed is not None and low == trimmed.base + 1:
            raise _missing(trimmed)
        return low

    def _backwards(self, window: Window) -> Flow[tuple[int, list[Event]]]:
        """The first page on the way back from where a window ends: how far it reaches, and its events, newest first."""
        seat = yield from self._reader.desk.seat(self._reader.account)
        version, ends_ns = seat.state.version, window.ends_ns
        last = version if ends_ns is None else (yield from self._first(version, ends_ns)) - 1
        return (yield from self._page_before(last + 1))

    def _page_before(self, version: int) -> Flow[tuple[int, list[Event]]]:
        """The page that ends before a version: where it begins, and its events, newest first."""
        first = max(version - PAGE, 1)
        if first >= version:
            return 1, []
        try:
            events = yield from self._load(first, version - 1)
        except StoreTrimmedError as why:
            if why.base >= version - 1:
                raise _missing(why) from why
            first = why.base + 1
            events = yield from self._load(first, version - 1)
        return first, events[::-1]

    def at(self, versions: Sequence[int]) -> Flow[list[Event]]:
        """The events at some versions, in order."""
        found: list[Event] = []
        begin = 0
        for end in range(1, len(versions) + 1):
            if end == len(versions) or versions[end] - versions[end - 1] > NEAR:
                wanted = frozenset(versions[begin:end])
                events = yield from self._load(versions[begin], versions[end - 1])
                found.extend(event for event in events if event.version in wanted)
                begin = end
        return found

    def matching(self, wanted: Callable[[Event], T | None], window: Window) -> Flow[list[T]]:
        """What is wanted of the events in a window, one more than its limit."""
        if window.newest_first:
            return (yield from self._matching_backwards(wanted, window))
        seat = yield from self._reader.desk.seat(self._reader.account)
        version = seat.state.version
        found: list[T] = []
        first = yield from self._first(version, self._begins_ns)
        while first <= version:
            for event in (yield from self._load(first, min(first + PAGE - 1, version))):
                if window.ends(event.at_ns):
                    return found
                item = wanted(event) if window.takes(event.at_ns, event.version) else None
                if item is not None:
                    found.append(item)
                    if len(found) > window.limit:
                        return found
            first += PAGE
        return found

    def _matching_backwards(self, wanted: Callable[[Event], T | None], window: Window) -> Flow[list[T]]:
        found: list[T] = []
        first, events = yield from self._backwards(window)
        while events:
            for event in events:
                if event.at_ns < window.begins_ns:
                    return found
                item = wanted(event) if window.takes(event.at_ns, event.version) else None
                if item is not None:
                    found.append(item)
                    if len(found) > window.limit:
                        return found
            first, events = yield from self._page_before(first)
        return found

    def _orders_backwards(self, wanted: OrderFilter, window: Window) -> Flow[list[Order]]:
        """The last orders that fit. What happened to one is met before its beginning is, and is kept until then."""
        found: list[Order] = []
        later: dict[int, list[Event]] = {}
        first, events = yield from self._backwards(window)
        while events:
            for event in events:
                if event.at_ns < window.begins_ns:
                    return found
                for number in numbers_of(event):
                    later.setdefault(number, []).append(event)
                if isinstance(event, (OrderAccepted, OrderRejected)):
                    order = yield from self._begun(event, later.pop(event.number)[::-1], wanted, window)
                    if order is not None:
                        found.append(order)
                        if len(found) > window.limit:
                            return found
            first, events = yield from self._page_before(first)
        return found

    def _begun(
        self, event: OrderAccepted | OrderRejected, events: list[Event], wanted: OrderFilter, window: Window
    ) -> Flow[Order | None]:
        """An order as it is now, if it fits: open, or from its events, also from those after the window."""
        if not window.takes(event.at_ns, event.number) or not wanted.may_take(event.terms.symbol, event.terms.tags):
            return None
        desk, account = self._reader.desk, self._reader.account
        seat = yield from desk.seat(account)
        still_open = seat.state.orders.get(event.number)
        order: Order | None = fold_order(events, event.number) if still_open is None else still_open.copy()
        if order is not None and still_open is None and not order.is_final:
            try:
                order = yield from desk.history(account).order(event.number)
            except StoreCorruptError as fault:
                desk.stop(account, fault)
                raise
        return order if order is not None and wanted.takes(order) else None

    def orders(self, wanted: OrderFilter, window: Window) -> Flow[list[Order]]:
        """The first orders that fit, one more than the limit.

        An open order is in the account's state. One that has ended is folded from its own events, which are kept only
        until it ends, and nothing new is begun once enough orders have been found.
        """
        if window.newest_first:
            return (yield from self._orders_backwards(wanted, window))
        seat = yield from self._reader.desk.seat(self._reader.account)
        version = seat.state.version
        search = _OrderSearch(wanted, window, seat.state.orders)
        first = yield from self._first(version, self._begins_ns)
        while first <= version and not search.is_done():
            for event in (yield from self._load(first, min(first + PAGE - 1, version))):
                search.take(event)
                if search.is_done():
                    break
            first += PAGE
        return search.answer()


def _missing(trimmed: StoreTrimmedError) -> StoreTrimmedError:
    return StoreTrimmedError(trimmed.stream, trimmed.base, trimmed.base, "some of what is searched")


class _OrderSearch:
    def __init__(self, wanted: OrderFilter, window: Window, still_open: dict[int, Order]) -> None:
        self._wanted, self._window, self._open = wanted, window, still_open
        self._found: dict[int, Order] = {}  # orders that fit, by number
        self._events: dict[int, list[Event]] = {}  # of orders that have not ended yet
        self._full = False

    def take(self, event: Event) -> None:
        if isinstance(event, (OrderAccepted, OrderRejected)):
            self._begin(event)
        number = getattr(event, "number", 0)
        for about in (number, getattr(event, "oco", 0), getattr(event, "other", 0)):
            if about in self._events:
                self._add(about, event)

    def _begin(self, event: OrderAccepted | OrderRejected) -> None:
        if self._window.ends(event.at_ns):
            self._full = True
        terms = event.terms
        if self._full or not self._window.takes(event.at_ns, event.number):
            return
        if not self._wanted.may_take(terms.symbol, terms.tags):
            return
        order = self._open.get(event.number)
        if order is None:
            self._events[event.number] = []
        else:
            self._keep(order.copy())

    def _add(self, number: int, event: Event) -> None:
        events = self._events[number]
        events.append(event)
        order = fold_order(events, number)
        if order is not None and order.is_final:
            del self._events[number]
            self._keep(order)

    def _keep(self, order: Order) -> None:
        if self._wanted.takes(order):
            self._found[order.number] = order
            self._full = self._full or len(self._found) > self._window.limit

    def is_done(self) -> bool:
        """Can nothing that comes change the answer?"""
        if not self._full:
            return False
        enough = sorted(self._found)[: self._window.limit + 1]
        return not self._events or (len(enough) > self._window.limit and min(self._events) > enough[-1])

    def answer(self) -> list[Order]:
        """Those that fit, by number."""
        return [order for _, order in sorted(self._found.items())][: self._window.limit + 1]
