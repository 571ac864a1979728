"""Searching history: the same pages whether a store has SQL tables or a journal only, and all of what is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from history_oracle import NOTED

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.domain.pages import EquityPoint, Page
from papertrade.errors import InvalidValueError
from papertrade.hosting import reading_back
from papertrade.ports.store import Append, Store
from papertrade.testing import driving
from papertrade.testing.chance import draw_setup
from papertrade.testing.differential import SideBySide
from papertrade.testing.drawing import Drawer
from papertrade.testing.driving import open_set_up

AT = "2026-01-05T15:00:00Z"


def pages_of(search: Callable[..., Page[Any]], **wanted: Any) -> Iterator[Page[Any]]:
    """Every page of a search."""
    page = search(**wanted)
    yield page
    while page.next is not None:
        page = search(**wanted, after=page.next)
        yield page


def opened_again(setup: Any, store: Store) -> pt.PaperBroker:
    """The account of a journal, as another process opens it."""
    exchange = pt.Exchange(store, "data", fill=setup.fill, threadsafe=False)
    for instrument in setup.instruments:
        exchange.add_instrument(instrument)
    return open_set_up(exchange, setup)


# ------------------------------------------------------------------------ the same on every store


@pytest.mark.parametrize("seed", range(100, 105))
def test_tables_and_journal_give_the_same_pages(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any search of any drawn history: the same items and cursors from SQL and from the journal, and none is lost."""
    monkeypatch.setattr(driving, "MemoryStore", lambda: SQLiteStore(tmp_path / "paper.db", durability="memory"))
    rng = Random(seed)
    setup = draw_setup(rng)
    both, drawer = SideBySide(setup), Drawer(rng, setup)
    for _ in range(150):
        both.give(drawer.draw(both.oracle))
    journal = MemoryStore()
    journal.append(Append(setup.account, 0, both.oracle.events))
    brokers = both.driven.broker, opened_again(setup, journal)
    assert brokers[0].exchange._desk.tables is not None
    assert brokers[1].exchange._desk.tables is None
    everything = brokers[1]
    times = [event.at_ns for event in both.oracle.events]
    for _ in range(40):
        window = {"since": rng.choice([None, rng.choice(times)]), "until": rng.choice([None, rng.choice(times)])}
        limit = rng.choice((1, 2, 7, 100))
        monkeypatch.setattr(reading_back, "PAGE", rng.choice((1, 5, 40, 512)))
        for name, wanted, whole in _searches(rng, everything, setup):
            found = [list(pages_of(getattr(broker, name), limit=limit, **window, **wanted)) for broker in brokers]
            assert found[0] == found[1], (name, wanted, window, limit)
            items = [item for page in found[0] for item in page]
            assert items == [item for item in whole if _inside(item, window)]
            assert all(len(page) == limit for page in found[0][:-1])
            turned = {"limit": limit, "newest_first": True, **window, **wanted}
            back = [list(pages_of(getattr(broker, name), **turned)) for broker in brokers]
            assert back[0] == back[1], (name, wanted, window, limit)
            assert [item for page in back[0] for item in page] == items[::-1]
            assert all(len(page) == limit for page in back[0][:-1])


def _inside(item: Any, window: dict[str, int | None]) -> bool:
    at = item.placed_ns if isinstance(item, pt.Order) else item.event.at_ns if isinstance(item, pt.Fill) else item.at_ns
    since, until = window["since"], window["until"]
    return (since is None or at >= since) and (until is None or at < until)


def _searches(rng: Random, broker: pt.PaperBroker, setup: Any) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """A search of each kind, with what it has to find: from the readings that load everything."""
    symbol = rng.choice([None, *(i.symbol for i in setup.instruments)])
    status = rng.choice([None, "open", "closed", "filled", "rejected", "canceled"])
    yield "search_orders", {"symbol": symbol, "status": status}, broker.orders(status, symbol)
    side = rng.choice([None, "buy", "sell"])
    orders = broker.orders()
    order = rng.choice([None, rng.choice(orders)]) if orders else None
    fills = [f for f in broker.fills(order, symbol) if side in (None, f.side)]
    yield "search_fills", {"symbol": symbol, "side": side, "order_id": order}, fills
    kind = rng.choice([None, "order_filled", "cash_deposited"])
    name = rng.choice([None, "assets:holds", "income:realized"])
    entries = [e for e in broker.entries() if kind in (None, e.kind)]
    entries = [e for e in entries if name is None or name in [p.ledger_account for p in e.postings]]
    yield "search_entries", {"kind": kind, "ledger_account": name}, entries
    noted = broker.events(kinds=NOTED)
    points = [EquityPoint(*e[:3], getattr(e, "equity_units", None) or e.cash_units, e.kind) for e in noted]
    yield "equity_points", {}, points


# ------------------------------------------------------------------------ with and without tables


@pytest.fixture(params=["memory", "sqlite", "sqlite without tables"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[pt.PaperBroker]:
    """An account with a quote that stands, on each kind of store."""
    store: Store = MemoryStore()
    if request.param != "memory":
        store = SQLiteStore(tmp_path / "paper.db", durability="memory", tables=request.param == "sqlite")
    made = pt.open_paper_broker(cash=1_000_000, clock="data", store=store)
    made.on_quote("AAPL", bid="187.10", ask="187.14", at=AT)
    made.on_quote("MSFT", bid="420.00", ask="420.05", at=AT)
    yield made
    made.exchange.close()


def ids(page: Page[pt.Order]) -> list[str]:
    return [order.id for order in page]


def test_orders_by_strategy_and_tags(broker: pt.PaperBroker) -> None:
    """All given tags have to be there; a strategy is the tag of that name."""
    broker.buy("AAPL", 1, tags={"strategy": "gap", "desk": "7"})
    broker.buy("AAPL", 1, tags={"strategy": "gap"})
    broker.buy("MSFT", 1, tags={"strategy": "drift", "desk": "7", 'odd"name': 'a":"b%'})
    broker.buy("MSFT", 1)
    assert ids(broker.search_orders(strategy="gap")) == ["main-1", "main-2"]
    assert ids(broker.search_orders(tags={"desk": "7"})) == ["main-1", "main-3"]
    assert ids(broker.search_orders(strategy="gap", tags={"desk": "7"})) == ["main-1"]
    assert ids(broker.search_orders(tags={"strategy": "drift", "desk": "7"}, symbol="MSFT")) == ["main-3"]
    assert ids(broker.search_orders(tags={'odd"name': 'a":"b%'})) == ["main-3"]
    assert ids(broker.search_orders(tags={"odd": 'a":"b%'})) == []
    assert ids(broker.search_orders(strategy="nobody's")) == []


def test_pages_stay_put_while_orders_arrive(broker: pt.PaperBroker) -> None:
    """Nothing is skipped or seen twice, though orders are placed and end between two pages."""
    resting = [broker.buy("AAPL", 1, limit_price="100") for _ in range(5)]
    first = broker.search_orders(limit=2)
    assert ids(first) == ["main-1", "main-2"]
    broker.cancel_order(resting[1])
    broker.cancel_order(resting[3])
    broker.buy("AAPL", 1)
    second = broker.search_orders(limit=2, after=first.next)
    assert [(o.id, str(o.status)) for o in second] == [("main-3", "accepted"), ("main-4", "canceled")]
    third = broker.search_orders(limit=2, after=second.next)
    assert ids(third) == ["main-5", "main-6"]
    assert third.next is None


def test_an_order_is_found_as_it_is_now(broker: pt.PaperBroker) -> None:
    """Every field, open and closed, modified and linked, as ``order`` answers it."""
    one = broker.buy("AAPL", 10, limit_price="180", tags={"strategy": "gap"})
    two = broker.buy("AAPL", 5, limit_price="170")
    broker.link_orders(one, two)
    broker.modify_order(one, quantity=8, limit_price="181")
    broker.on_quote("AAPL", bid="179", ask="180", ask_size=3, at="2026-01-05T15:00:01Z")
    broker.buy("AAPL", 1)
    broker.sell("MSFT", 1)  # refused: nothing to sell
    found = broker.search_orders()
    assert list(found) == [broker.order(order) for order in broker.orders()]
    assert len(found) == 4


def test_a_long_resting_order_comes_in_its_place(broker: pt.PaperBroker) -> None:
    """It ended after many that were placed later, and is still the first."""
    old = broker.buy("AAPL", 1, limit_price="100")
    for _ in range(30):
        broker.buy("AAPL", 1)
    broker.cancel_order(old)
    assert ids(broker.search_orders(status="closed", limit=3)) == ["main-1", "main-2", "main-3"]
    assert ids(broker.search_orders(status="filled", limit=1)) == ["main-2"]


def test_pages_are_read_with_len_and_for(broker: pt.PaperBroker) -> None:
    """A page is a small list that knows where to go on."""
    for _ in range(3):
        broker.buy("AAPL", 1)
    page = broker.search_fills(limit=2)
    assert (len(page), [fill.id for fill in page], page.items[0].id) == (2, ["main-F1", "main-F2"], "main-F1")
    assert [fill.id for fill in broker.search_fills(after=page.next)] == ["main-F3"]


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [
        ({"limit": 0}, "from 1 to 1000"),
        ({"limit": 1001}, "from 1 to 1000"),
        ({"limit": True}, "from 1 to 1000"),
        ({"limit": "10"}, "from 1 to 1000"),
        ({"after": 7}, "the next of a page"),
        ({"after": "main-7"}, "the next of a page"),
        ({"after": "01.1"}, "the next of a page"),
        ({"after": "٣.1"}, "the next of a page"),
        ({"since": "yesterday"}, "ISO text"),
        ({"status": "working"}, "open"),
        ({"symbol": ""}, "ASCII"),
        ({"tags": "gap"}, "mapping"),
        ({"strategy": "a", "tags": {"strategy": "b"}}, "the same as in tags"),
    ],
)
def test_what_a_search_does_not_take(wanted: dict[str, Any], accepted: str, broker: pt.PaperBroker) -> None:
    """The error says what would be accepted."""
    with pytest.raises(InvalidValueError, match=accepted):
        broker.search_orders(**wanted)


def test_other_searches_say_what_they_take(broker: pt.PaperBroker) -> None:
    """Sides, orders and kinds of entries."""
    with pytest.raises(InvalidValueError, match="buy"):
        broker.search_fills(side="up")
    with pytest.raises(InvalidValueError, match="moves money: cash_deposited"):
        broker.search_entries(kind="day_opened")
    with pytest.raises(pt.UsageError):
        broker.search_fills(order_id="somebody-1")


def test_the_asynchronous_broker_searches_too(tmp_path: Path) -> None:
    """The same pages with awaits."""

    async def run() -> list[Any]:
        broker = await pt.open_async_paper_broker(cash=10_000, clock="data", store=str(tmp_path / "paper.db"))
        await broker.on_quote("AAPL", bid="187.10", ask="187.14", at=AT)
        for _ in range(3):
            await broker.buy("AAPL", 1, tags={"strategy": "gap"})
        first = await broker.search_orders(strategy="gap", limit=2)
        rest = await broker.search_orders(strategy="gap", after=first.next)
        fills, entries, points = (
            await broker.search_fills(),
            await broker.search_entries(kind="order_filled"),
            await broker.equity_points(),
        )
        return [ids(first), ids(rest), len(fills), len(entries), [str(point.equity) for point in points]]

    assert asyncio.run(run()) == [["main-1", "main-2"], ["main-3"], 3, 3, ["10000"]]
