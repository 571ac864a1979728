"""The SQL tables of history hold what the journal comes to: after any history, and after whatever went wrong."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from faulty_connection import FAULTS, Plan
from history_oracle import check_same, read_sqlite
from sqlite_files import sql

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.adapters.sqlite.schema import migrations
from papertrade.adapters.sqlite.tables import SQLITE
from papertrade.adapters.tables import BY_NAME, TABLES, create, select
from papertrade.domain.rows import ROWS_FORM, EntryRow, EquityRow, FillRow, OrderRow, PositionRow, WalletRow
from papertrade.engine.snapshot import digest
from papertrade.errors import InvalidValueError, StoreErasedError, StoreMisconfiguredError
from papertrade.hosting import tabling
from papertrade.hosting.desk import batch_of
from papertrade.ports.store import Store
from papertrade.ports.store_extras import Search
from papertrade.tables import rebuild_tables, schema_sql
from papertrade.testing import driving
from papertrade.testing.chance import draw_setup
from papertrade.testing.differential import SideBySide
from papertrade.testing.drawing import Drawer

SEEDS = range(12)
STEPS = 120


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_are_the_journal_after_any_drawn_history(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands, data, clocks and restarts as the differential proof draws them: every row is what its events say."""
    path = tmp_path / "paper.db"
    monkeypatch.setattr(driving, "MemoryStore", lambda: SQLiteStore(path, durability="memory"))
    rng = Random(seed)
    setup = draw_setup(rng)
    both, drawer = SideBySide(setup), Drawer(rng, setup)
    for step in range(1, STEPS + 1):
        both.give(drawer.draw(both.oracle))
        if step % 40 == 0:
            found, kept = read_sqlite(path, setup.account)
            assert kept == len(both.oracle.events)
            check_same(found, both.oracle.events)


# ------------------------------------------------------------------------ brought up


def opened(store: Store) -> pt.PaperBroker:
    """One account on a store, with a quote that stands."""
    broker = pt.open_paper_broker(cash=100_000, clock="data", store=store, fees=pt.PercentFee("0.0003"))
    broker.on_quote("AAPL", bid="187.10", ask="187.14", at="2026-01-05T15:00:00Z")
    return broker


def trade(broker: pt.PaperBroker, times: int = 1) -> None:
    """An order that fills, one that is canceled, one that waits."""
    for _ in range(times):
        broker.buy("AAPL", 2, tags={"strategy": "gap"})
        broker.cancel_order(broker.buy("AAPL", 1, limit_price="100"))
        broker.sell("AAPL", 1, limit_price="300", time_in_force="day")


def is_kept(path: Path, account: str = "main") -> bool:
    """Are the tables kept up to the journal? What they hold has to be right in any case."""
    store = SQLiteStore(path, durability="memory")
    journal = list(store.load(account))
    store.close()
    found, kept = read_sqlite(path, account)
    check_same(found, journal[:kept])
    return kept == len(journal)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "paper.db"


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("page", [1, 7, 512])
def test_what_was_written_without_rows_is_brought_up(
    before: int, page: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By code that gives no rows: the tables stay behind, right as far as they go, until the account is opened."""
    monkeypatch.setattr(tabling, "PAGE", page)
    with opened(SQLiteStore(path, durability="memory")).exchange as exchange:
        trade(exchange.account("main"), before)
    with opened(SQLiteStore(path, durability="memory", tables=False)).exchange as exchange:
        trade(exchange.account("main"), 5)
    assert not is_kept(path)
    with opened(SQLiteStore(path, durability="memory")).exchange as exchange:
        assert is_kept(path)
        trade(exchange.account("main"))
        exchange.account("main").on_quote("AAPL", bid="188", ask="188.04", at="2026-01-06T15:00:00Z")
    assert is_kept(path)


def test_a_file_from_before_the_tables_gets_them(path: Path) -> None:
    """Its account is opened once, and its whole history can be queried."""
    shutil.copyfile(Path(__file__).with_name("files") / "schema-1.db", path)
    store = SQLiteStore(path, durability="memory")
    with pt.Exchange(store, clock="data") as exchange:
        exchange.add_instrument("AAPL")
        broker = exchange.open_account("main")
        assert list(broker.search_orders()) == broker.orders() != []
    assert is_kept(path)


def test_records_that_were_moved_in_are_brought_up(path: Path, tmp_path: Path) -> None:
    """Bytes come without rows; opening the account makes them."""
    source = SQLiteStore(tmp_path / "source.db", durability="memory")
    trade(opened(source), 3)
    target = SQLiteStore(path, durability="memory")
    target.put_records("main", 0, list(source.records("main")), list(source.commits("main")))
    assert not is_kept(path)
    opened(target)
    assert is_kept(path)


def test_a_search_brings_up_what_somebody_left_behind(path: Path) -> None:
    """Even while the account stays open: nothing is missing from a page."""
    store = SQLiteStore(path, durability="memory")
    broker = opened(store)
    trade(broker)
    desk = broker.exchange._desk
    desk.batch_of = batch_of  # as code does that gives no rows
    trade(broker)
    assert not is_kept(path)
    assert list(broker.search_orders()) == broker.orders()
    assert is_kept(path)


def test_tables_of_another_form_are_made_anew(path: Path) -> None:
    """What an older version computed in another way is not mixed with what this one computes."""
    with opened(SQLiteStore(path, durability="memory")).exchange as exchange:
        trade(exchange.account("main"), 2)
    sql(path, "UPDATE tabled SET form = 0", "UPDATE orders SET reason = 'of old'", "DELETE FROM fills")
    with opened(SQLiteStore(path, durability="memory")).exchange:
        assert is_kept(path)


def test_rows_are_computed_as_they_were_when_their_form_was_counted() -> None:
    """Whoever changes the rows or what an order has counts ROWS_FORM up, or old files keep rows of the old form."""
    rows = (OrderRow, FillRow, PositionRow, EntryRow, WalletRow, EquityRow)
    text = repr([(row.__name__, row._fields) for row in rows] + sorted(pt.Order.__slots__))
    assert (ROWS_FORM, sha256(text.encode()).hexdigest()[:16]) == (3, "2b444ef9ab76eff2")


def test_tables_are_rebuilt_when_somebody_asks(path: Path) -> None:
    """Whatever was done to them, of one account or of all."""
    store = SQLiteStore(path, durability="memory")
    with pt.Exchange(store, clock="data") as exchange:
        exchange.add_instrument("AAPL")
        exchange.on_quote("AAPL", bid="187.10", ask="187.14", at="2026-01-05T15:00:00Z")
        for name in ("alice", "bob"):
            trade(exchange.open_account(name, cash=1000), 2)
    sql(path, "UPDATE entries SET amount = '1'", "DELETE FROM wallets", "DELETE FROM orders WHERE number = 2")
    store = SQLiteStore(path, durability="memory")
    assert rebuild_tables(store, "bob") == ["bob"]
    assert is_kept(path, "bob")
    assert rebuild_tables(store) == ["alice", "bob"]
    assert is_kept(path, "alice")
    with pytest.raises(pt.UsageError, match="has no tables"):
        rebuild_tables(MemoryStore())


@pytest.mark.parametrize("dropped", [f"TABLE {name}" for name in (*BY_NAME, "tabled")] + ["INDEX orders_by_status"])
@pytest.mark.parametrize("schema", [3, 4, 5, 6])
def test_a_table_that_was_dropped_is_said_and_made_again(dropped: str, schema: int, path: Path) -> None:
    """The journal is whole and opens, also in an older file; what is missing is named, and rebuilt when asked."""
    trade(opened(SQLiteStore(path, durability="memory")))
    bob = pt.Exchange(SQLiteStore(path, durability="memory"), clock="data").open_account("bob", cash=1_000)
    bob.deposit(1)
    if schema < 6:
        sql(path, *[f"ALTER TABLE {name} DROP COLUMN product" for name in ("orders", "fills")])
        sql(path, "UPDATE tabled SET form = 2", "DELETE FROM migrations WHERE number > 5", "PRAGMA user_version = 5")
    if schema < 5:
        added = [line.split()[5] for line in migrations()[4].sql.splitlines() if line.startswith("ALTER")]
        sql(path, *[f"ALTER TABLE wallets DROP COLUMN {name}" for name in added])
        sql(path, f"DELETE FROM migrations WHERE number > {schema}", f"PRAGMA user_version = {schema}")
    if schema == 3:
        sql(path, "ALTER TABLE commits DROP COLUMN seal")
    sql(path, f"DROP {dropped}")
    if dropped == "TABLE positions" and schema < 6:  # its key is another since then, so migrating makes it anew
        with opened(SQLiteStore(path, durability="memory")).exchange:
            assert is_kept(path)
        return
    with pytest.raises(StoreMisconfiguredError, match=rf"{dropped.split()[1]} of history is missing.*rebuild-tables"):
        opened(SQLiteStore(path, durability="memory"))
    store = SQLiteStore(path, durability="memory")
    assert store.verify("main").version == store.head("main") > 2
    assert rebuild_tables(store, "main") == ["main"]
    assert is_kept(path)
    assert not is_kept(path, "bob")  # nothing of it is taken for kept any more
    with pt.Exchange(SQLiteStore(path, durability="memory"), clock="data") as exchange:
        assert len(exchange.open_account("bob").search_entries()) == 2
    assert rebuild_tables(store) == ["bob", "main"]  # nothing is missing: as ever
    assert is_kept(path, "bob")
    store.close()


def test_a_table_that_is_dropped_under_a_host_is_said(path: Path) -> None:
    """The command that would write to it is refused by name, and nothing of it is stored."""
    broker = opened(SQLiteStore(path, durability="memory"))
    trade(broker)
    before = broker.exchange._desk.store.head("main")
    sql(path, "DROP TABLE fills")
    with pytest.raises(StoreMisconfiguredError, match=r"the table fills of history is missing.*rebuild-tables"):
        broker.buy("AAPL", 1)
    store = SQLiteStore(path, durability="memory")
    assert store.head("main") == before
    rebuild_tables(store)
    trade(broker)
    assert is_kept(path)


# ------------------------------------------------------------------------ together, or not at all


@pytest.mark.parametrize("fault", FAULTS)
def test_events_and_rows_are_stored_together(fault: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The k-th statement of a trip fails: both are there or neither, and the account goes on from what is."""
    plan = Plan(monkeypatch)
    broker = opened(SQLiteStore(path, durability="memory", wait_s=0))
    trade(broker)
    for k in range(1, 200):
        plan.arm(FAULTS[fault], k, k)
        with suppress(pt.StoreError, KeyboardInterrupt):
            broker.on_quote("AAPL", bid="187.10", ask="187.14", at=f"2026-01-05T15:{k // 60:02}:{k % 60:02}Z")
            broker.buy("AAPL", 1, tags={"strategy": "gap"})
        seen = list(plan.statements)
        plan.heal()
        assert is_kept(path), seen[k - 1 : k]
        trade(broker)
        assert is_kept(path)
        if len(seen) < k:
            assert any("INSERT INTO fills" in statement for statement in seen)
            return
    pytest.fail("a trip never ends")


def test_a_conflict_leaves_the_tables_to_the_winner(path: Path) -> None:
    """Two hosts on one account: the loser's rows are not there; when it has read the journal again, its own are."""
    one, two = (opened(SQLiteStore(path, durability="memory")) for _ in range(2))
    trade(one, 2)
    with pytest.raises(pt.StoreError):
        two.buy("AAPL", 7)
    assert is_kept(path)
    trade(two)
    assert is_kept(path)
    assert list(two.search_orders()) == two.orders()


def test_an_erased_account_leaves_the_tables_too(path: Path) -> None:
    """Not a row of it is left; those of others are."""
    store = SQLiteStore(path, durability="memory")
    with pt.Exchange(store, clock="data") as exchange:
        exchange.add_instrument("AAPL")
        exchange.on_quote("AAPL", bid="187.10", ask="187.14", at="2026-01-05T15:00:00Z")
        for name in ("alice", "bob"):
            trade(exchange.open_account(name, cash=1000))
        store.erase("alice")
        with pytest.raises(StoreErasedError):
            store.tabled("alice")
        with pytest.raises(StoreErasedError):
            store.search(Search("fills", "alice", "version"))
    assert read_sqlite(path, "alice") == ({table.name: [] for table in TABLES}, 0)
    assert is_kept(path, "bob")


# ------------------------------------------------------------------------ the schema


def test_the_schema_file_is_what_the_description_makes() -> None:
    """One description for every database; what is released is never changed, so a change is a new file."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema_sql("sqlite"))
    for table in TABLES:
        found = connection.execute(f"PRAGMA table_xinfo({table.name})").fetchall()
        wanted = [(c.name, SQLITE.types[c.sort], not c.optional) for c in table.columns()]
        assert [(name, sort, bool(needed)) for _, name, sort, needed, *_ in found] == wanted
        made, *indexes = create(table, SQLITE)
        (step,) = [step for step in migrations() if step.name == "0003_history.sql"]
        assert table.name in ("orders", "fills", "positions", "wallets") or made in step.sql
        assert all(index in step.sql for index in indexes)
    connection.close()


def test_a_file_made_by_the_script_is_ours(path: Path) -> None:
    """Who runs migrations of his own gets a file that the store takes as it is."""
    connection = sqlite3.connect(path)
    connection.executescript(schema_sql("sqlite"))
    connection.close()
    before = path.read_bytes()[:100]
    broker = opened(SQLiteStore(path, durability="memory"))
    assert path.read_bytes()[:18] == before[:18]
    trade(broker)
    assert is_kept(path)
    with pytest.raises(InvalidValueError, match="'sqlite'"):
        schema_sql("oracle")


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Search("orders", "main", "detail"), "orders_by_time"),
        (Search("orders", "main", "detail", [("status", ["accepted"])]), "orders_by_status"),
        (Search("orders", "main", "detail", [("symbol", ["AAPL"])], after=(5, 1)), "orders_by_symbol"),
        (Search("orders", "main", "detail", [("strategy", ["gap"])]), "orders_by_strategy"),
        (Search("fills", "main", "version", since_ns=5, until_ns=9), "sqlite_autoindex_fills_1"),
        (Search("fills", "main", "version", [("symbol", ["AAPL"])]), "fills_by_symbol"),
        (Search("fills", "main", "version", [("order_id", ["main-1"])]), "fills_by_order"),
        (Search("entries", "main", "version", after=(5, 1)), "sqlite_autoindex_entries_1"),
        (Search("orders", "main", "detail", newest_first=True), "orders_by_time"),
        (Search("orders", "main", "detail", [("symbol", ["A"])], after=(5, 1), newest_first=True), "orders_by_symbol"),
        (Search("entries", "main", "version", after=(5, 1), newest_first=True), "sqlite_autoindex_entries_1"),
        (Search("equity_points", "main", "version", since_ns=5), "sqlite_autoindex_equity_points_1"),
    ],
)
def test_searches_use_an_index_and_sort_nothing(wanted: Search, index: str, path: Path) -> None:
    """A page costs what it holds, however long the history is."""
    SQLiteStore(path).close()
    connection = sqlite3.connect(path)
    statement, values = select(wanted, SQLITE)
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values))
    connection.close()
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_only_columns_of_the_tables_are_searched(path: Path) -> None:
    """Names become part of a statement, so they come from the description and from nowhere else."""
    store = SQLiteStore(path)
    for wanted in (
        Search("orders", "main", "1; DROP TABLE orders"),
        Search("orders", "main", "detail", [("1 = 1 OR symbol", ["x"])]),
        Search("wallets", "main", "day"),
        Search("fills", "main", "version", tags=[("a", "b")]),
    ):
        with pytest.raises(ValueError, match="no search"):
            store.search(wanted)
    store.close()


@pytest.mark.parametrize("fault", [ZeroDivisionError, KeyboardInterrupt])
def test_rows_that_cannot_be_computed_leave_nobody_ahead(
    fault: type[BaseException], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A datum fills orders of three accounts, and the rows of one fail: it is folded again, the others are filled."""
    exchange = pt.Exchange(SQLiteStore(path, durability="memory"), "data")
    exchange.add_instrument("ABC")
    exchange.on_quote("ABC", "99", "100", at="2026-01-05T14:30:00Z")
    brokers = [exchange.open_account(name, cash=1000) for name in ("alice", "bob", "carol")]
    for broker in brokers:
        broker.buy("ABC", 1, limit_price="98")
    rows_of = tabling.rows_of

    def failing(events: Any, state: Any, *more: Any) -> Any:
        if state.account == "bob":
            raise fault("planned")
        return rows_of(events, state, *more)

    with monkeypatch.context() as patch:
        patch.setattr(tabling, "rows_of", failing)
        with pytest.raises(fault):
            exchange.on_quote("ABC", "97", "97.5", at="2026-01-05T14:31:00Z")
    store = exchange._desk.store
    for broker in brokers:
        stored = exchange._desk.engine.folded(store.load(broker.account_id))
        assert broker.digest() == digest(stored)
    held = [broker.position("ABC").quantity for broker in brokers]
    assert held == ([1, 0, 1] if fault is ZeroDivisionError else [0, 0, 0])
    exchange.on_quote("ABC", "96", "96.5", at="2026-01-05T14:32:00Z")
    assert [broker.position("ABC").quantity for broker in brokers] == [1, 1, 1]
    exchange.close()


def test_a_refused_change_of_an_order_of_an_earlier_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that are brought up page by page leave an ended order as it is, whatever else is on the page."""
    monkeypatch.setattr(tabling, "PAGE", 6)
    exchange = pt.Exchange(SQLiteStore(path, durability="memory", tables=False), "data")
    exchange.add_instrument("ABC")
    exchange.on_quote("ABC", "99", "100", at="2026-01-05T14:30:00Z")
    broker = exchange.open_account("main", cash=1000)
    first = broker.buy("ABC", 1)
    for _ in range(3):
        broker.deposit(1)
    broker.buy("ABC", 1000)  # more than can be paid: refused
    with suppress(pt.PaperTradeError):
        broker.modify_order(first, quantity=2)
    broker.buy("ABC", 1)
    kinds = [event.kind for event in broker.events()]
    assert kinds.index("order_modify_rejected") == kinds.index("order_rejected") + 1
    exchange.close()
    exchange = pt.Exchange(SQLiteStore(path, durability="memory"), "data")
    exchange.add_instrument("ABC")
    broker = exchange.open_account("main")
    found = [(order.number, order.status) for order in broker.search_orders().items]
    assert found == [(1, "filled"), (2, "rejected"), (3, "filled")]
    exchange.close()
