"""Searching an account's history page by page: through SQL where the store has tables, else by reading its journal.

Both ways give the same pages. An account's own time never falls, so the order of the journal is also the order of time,
and the place where a page ended (an instant, and the number or version of its last item) is the same in both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from papertrade.domain.events import EVENT_TYPES, AccountReset, Event, OrderFilled
from papertrade.domain.fills import Fill
from papertrade.domain.names import parse_key, parse_name
from papertrade.domain.orders import Order
from papertrade.domain.pages import EquityPoint, Page
from papertrade.domain.words import SIDE_SPELLINGS, Side, parse_word
from papertrade.errors import InvalidValueError, StoreCorruptError
from papertrade.hosting.account_reading import AccountReader
from papertrade.hosting.flow import Flow
from papertrade.hosting.reading_back import JournalReader
from papertrade.hosting.requests import parse_order_id
from papertrade.hosting.tabling import DETAIL, EQUITY_EVENTS, STRATEGY
from papertrade.hosting.windows import MAX_LIMIT, OrderFilter, Place, Window, parse_filter, parse_window, place_text
from papertrade.ledger.entries import Entry, entry_of
from papertrade.ledger.postings import POSTINGS
from papertrade.ports.broker import When
from papertrade.ports.store_extras import Search

T = TypeVar("T")
Among: TypeAlias = "list[tuple[str, tuple[str, ...]]]"
_MOVING_MONEY = tuple(kind for kind, cls in EVENT_TYPES.items() if cls in POSTINGS)


def orders(
    reader: AccountReader,
    *,
    symbol: str | None = None,
    status: str | None = None,
    strategy: str | None = None,
    tags: Mapping[str, str] | None = None,
    since: When | None = None,
    until: When | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Flow[Page[Order]]:
    """Orders in the order in which they were placed, as they are now."""
    # What a mapping of the caller's does, it does before anything is locked.
    window = parse_window(since, until, after, limit, newest_first)
    return _orders(reader, parse_filter(symbol, status, strategy, tags), window)


def _orders(reader: AccountReader, wanted: OrderFilter, window: Window) -> Flow[Page[Order]]:
    if (yield from _has_tables(reader)):
        among: Among = [] if wanted.symbol is None else [("symbol", (wanted.symbol,))]
        if wanted.statuses is not None:
            among.append(("status", tuple(sorted(wanted.statuses))))
        among.extend(("strategy", (text,)) for name, text in wanted.tags if name == STRATEGY)
        others = [pair for pair in wanted.tags if pair[0] != STRATEGY]
        found = [_order_of(detail) for detail in (yield from _ask(reader, "orders", "detail", among, window, others))]
    else:
        found = yield from JournalReader(reader, window.begins_ns).orders(wanted, window)
    return _page(found, window, lambda order: (order.placed_ns, order.number))


def fills(
    reader: AccountReader,
    *,
    symbol: str | None = None,
    side: Side | str | None = None,
    order_id: str | Order | None = None,
    since: When | None = None,
    until: When | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Flow[Page[Fill]]:
    """Fills in the order in which they happened."""
    window = parse_window(since, until, after, limit, newest_first)
    among: Among = [] if symbol is None else [("symbol", (parse_name(symbol, "symbol"),))]
    if side is not None:
        among.append(("side", (parse_word(side, SIDE_SPELLINGS, "side").value,)))
    if order_id is not None:
        among.append(("order_id", (f"{reader.account}-{parse_order_id(order_id, reader.account)}",)))

    def wanted(event: Event) -> Fill | None:
        if not isinstance(event, OrderFilled) or any(getattr(event, name) not in values for name, values in among):
            return None
        return Fill(event)

    found = yield from of_events(reader, "fills", among, window, wanted)
    return _page(found, window, lambda fill: (fill.event.at_ns, fill.event.version))


def entries(
    reader: AccountReader,
    *,
    kind: str | None = None,
    ledger_account: str | None = None,
    since: When | None = None,
    until: When | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Flow[Page[Entry]]:
    """Balanced entries in the order in which they were booked."""
    window = parse_window(since, until, after, limit, newest_first)
    if kind is not None and (type(kind) is not str or kind not in _MOVING_MONEY):
        raise InvalidValueError("kind", kind, f"an event that moves money: {', '.join(_MOVING_MONEY)}")
    name = None if ledger_account is None else parse_key(ledger_account, "ledger_account")
    among: Among = [] if kind is None else [("kind", (kind,))]
    among += [] if name is None else [("ledger_account", (name,))]

    def wanted(event: Event) -> Entry | None:
        entry = entry_of(event, reader.currency) if kind in (None, event.kind) else None
        if entry is None or (name is not None and all(line.ledger_account != name for line in entry.postings)):
            return None
        return entry

    found = yield from of_events(reader, "entries", among, window, wanted)
    return _page(found, window, lambda entry: (entry.at_ns, entry.version))


def equity_points(
    reader: AccountReader,
    *,
    thin: int | None = None,
    since: When | None = None,
    until: When | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Flow[Page[EquityPoint]]:
    """Equity wherever the journal notes it; with ``thin`` all of it on one page, but at most so many points."""
    if thin is not None:
        return (yield from _thinned(reader, thin, after, parse_window(since, until, None, MAX_LIMIT, newest_first)))
    return (yield from _points(reader, parse_window(since, until, after, limit, newest_first)))


def _thinned(reader: AccountReader, thin: int, after: str | None, window: Window) -> Flow[Page[EquityPoint]]:
    from papertrade.hosting.daily import parse_thin, thinned  # it searches with what is here

    most = parse_thin(thin)
    points: list[EquityPoint] = []
    if after is not None:
        raise InvalidValueError("after", after, "no after with thin: the points come on one page")
    while True:
        page = yield from _points(reader, window)
        points.extend(page.items)
        if page.next is None:
            return Page(tuple(thinned(points, most)), None)
        window = window._replace(after=(points[-1].at_ns, points[-1].version))


def _points(reader: AccountReader, window: Window) -> Flow[Page[EquityPoint]]:
    def wanted(event: Event) -> EquityPoint | None:
        if isinstance(event, AccountReset):
            return EquityPoint(event.account, event.version, event.at_ns, event.cash_units, event.kind)
        if not isinstance(event, EQUITY_EVENTS):
            return None
        return EquityPoint(event.account, event.version, event.at_ns, event.equity_units, event.kind)

    found = yield from of_events(reader, "equity_points", [], window, wanted)
    return _page(found, window, lambda point: (point.at_ns, point.version))


# ------------------------------------------------------------- tables, or the journal

def of_events(
    reader: AccountReader,
    table: str,
    among: Among,
    window: Window,
    wanted: Callable[[Event], T | None],
) -> Flow[list[T]]:
    """What events come to: those that a table names, or those that the journal has."""
    journal = JournalReader(reader, window.begins_ns)
    if (yield from _has_tables(reader)):
        versions = yield from _ask(reader, table, "version", among, window)
        found: Iterable[Event] = yield from journal.at(sorted(versions))
        items = [item for item in map(wanted, found) if item is not None]
        return items[::-1] if window.newest_first else items
    return (yield from journal.matching(wanted, window))


def _has_tables(reader: AccountReader) -> Flow[bool]:
    """Are there tables to ask? They are brought up first, should somebody have written without rows."""
    seat = yield from reader.desk.seat(reader.account)
    tables = reader.desk.tables
    if tables is None or reader.account in reader.desk.stopped:  # whoever stopped it may have gone on elsewhere
        return False
    yield from tables.keep_up(reader.account, seat.state.version)
    return True


def _ask(
    reader: AccountReader,
    table: str,
    answer: str,
    among: Among,
    window: Window,
    tags: Sequence[tuple[str, str]] = (),
) -> Flow[list[Any]]:
    tables = reader.desk.tables
    query = Search(
        table, reader.account, answer, among, tags, window.since_ns, window.until_ns, window.after, window.limit + 1,
        window.newest_first,
    )  # fmt: skip
    values: list[Any] = yield tables.tabled.search, (query,)  # type: ignore[union-attr]  # _has_tables said so
    return values


def _order_of(detail: object) -> Order:
    """An order as its row has it."""
    try:
        fields: Mapping[str, Any] = DETAIL.decode(json.loads(detail))  # type: ignore[arg-type]  # that is what fails
    except (InvalidValueError, TypeError, ValueError) as why:
        raise StoreCorruptError(f"a row of orders cannot be read, rebuild the tables: {why}") from None
    order = Order.__new__(Order)
    for name, value in fields.items():
        setattr(order, name, value)
    return order


def _page(found: Sequence[T], window: Window, place: Callable[[T], Place]) -> Page[T]:
    items = tuple(found[: window.limit])
    return Page(items, place_text(place(items[-1])) if len(found) > window.limit else None)
