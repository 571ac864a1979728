"""The tables of history on a PostgreSQL server: what the journal comes to, and the same pages as from a journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from history_oracle import check_same, read_postgres
from servers_postgres import PostgresServer

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.tables import TABLES, create
from papertrade.domain.rows import Upto
from papertrade.errors import StoreConflictError, StoreCorruptError, StoreErasedError, StoreMisconfiguredError
from papertrade.ports.store import Append
from papertrade.ports.store_extras import Search
from papertrade.records import verify_account, verify_tables
from papertrade.tables import rebuild_tables, schema_sql
from papertrade.testing import driving
from papertrade.testing.chance import draw_setup
from papertrade.testing.differential import SideBySide
from papertrade.testing.drawing import Drawer

pytestmark = pytest.mark.external_service
AT = "2026-01-05T15:00:00Z"


class Place:
    """A schema on the server, and what is in it."""

    def __init__(self, server: PostgresServer) -> None:
        self.server, self.schema = server, server.schema()
        self.stores: list[Any] = []

    def another(self) -> Place:
        """Another schema on the same server."""
        made = Place(self.server)
        made.stores = self.stores  # closed together
        return made

    def store(self, **options: Any) -> Any:
        """One more store on it."""
        from papertrade.adapters.postgres import PostgresStore

        self.stores.append(PostgresStore(self.server.dsn, schema=self.schema, durability="memory", **options))
        return self.stores[-1]

    def broker(self, **options: Any) -> pt.PaperBroker:
        """An account on it, with a quote that stands."""
        broker = pt.open_paper_broker(cash=100_000, clock="data", store=self.store(**options))
        broker.on_quote("AAPL", bid="187.10", ask="187.14", at=AT)
        return broker

    def is_kept(self, account: str = "main") -> bool:
        """Are the tables kept up to the journal? What they hold has to be right in any case."""
        journal = list(self.store().load(account))
        found, kept = read_postgres(self.server.dsn, self.schema, account)
        check_same(found, journal[:kept])
        return kept == len(journal)

    def sql(self, *statements: str) -> None:
        """Do something that papertrade would not."""
        import psycopg

        with psycopg.connect(self.server.dsn) as connection:
            for statement in statements:
                connection.execute(statement.format(s=self.schema).encode())


@pytest.fixture
def place(postgres_server: PostgresServer) -> Iterator[Place]:
    made = Place(postgres_server)
    yield made
    for store in made.stores:
        store.close()


def trade(broker: pt.PaperBroker, times: int = 1) -> None:
    """An order that fills, one that is canceled, one that waits."""
    for _ in range(times):
        broker.buy("AAPL", 2, tags={"strategy": "gap", "desk": "7"})
        broker.cancel_order(broker.buy("AAPL", 1, limit_price="100"))
        broker.sell("AAPL", 1, limit_price="300", time_in_force="day")


@pytest.mark.parametrize("seed", range(4))
def test_tables_are_the_journal_and_searches_its_pages(
    seed: int, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any drawn history, restarts included; and any search gives the pages that a journal gives."""
    monkeypatch.setattr(driving, "MemoryStore", place.store)
    rng = Random(seed)
    setup = draw_setup(rng)
    both, drawer = SideBySide(setup), Drawer(rng, setup)
    for _ in range(100):
        both.give(drawer.draw(both.oracle))
    assert place.is_kept(setup.account)
    monkeypatch.setattr(driving, "MemoryStore", MemoryStore)
    again = driving.Driven.__new__(driving.Driven)
    again.setup, again.store, again.manual = setup, MemoryStore(), both.driven.manual
    again.store.append(Append(setup.account, 0, both.oracle.events))
    again.open()
    one, two = both.driven.broker, again.broker
    times = [event.at_ns for event in both.oracle.events]
    for _ in range(10):
        since, until = rng.choice([None, rng.choice(times)]), rng.choice([None, rng.choice(times)])
        status = rng.choice([None, "open", "closed", "canceled"])
        for search, wanted in (
            ("search_orders", {"status": status, "symbol": rng.choice([None, setup.instruments[0].symbol])}),
            ("search_fills", {"side": rng.choice([None, "buy"])}),
            ("search_entries", {"ledger_account": rng.choice([None, "assets:holds"])}),
            ("equity_points", {}),
        ):
            options = {"since": since, "until": until, "limit": rng.choice((1, 3, 100)), **wanted}
            options["newest_first"] = rng.random() < 0.5
            assert every(getattr(one, search), **options) == every(getattr(two, search), **options)


def every(search: Callable[..., Any], **wanted: Any) -> list[Any]:
    """All pages of a search."""
    pages = [search(**wanted)]
    while pages[-1].next is not None:
        pages.append(search(**wanted, after=pages[-1].next))
    return pages


def test_strategies_and_tags(place: Place) -> None:
    """By their text, whatever stands in it."""
    broker = place.broker()
    trade(broker)
    broker.buy("AAPL", 1, tags={'odd"na%me': 'a":"b%s'})
    assert [o.id for o in broker.search_orders(strategy="gap", tags={"desk": "7"})] == ["main-1"]
    assert [o.id for o in broker.search_orders(tags={'odd"na%me': 'a":"b%s'})] == ["main-4"]
    assert list(broker.search_orders(tags={"desk": "8"})) == []
    assert list(broker.search_orders()) == broker.orders()


def test_what_was_written_without_rows_is_brought_up(place: Place) -> None:
    """By a store without tables, by moved records, or damaged and made anew."""
    trade(place.broker(), 2)
    assert place.is_kept()
    trade(place.broker(tables=False), 2)
    assert not place.is_kept()
    trade(place.broker())
    assert place.is_kept()
    place.sql("UPDATE {s}.entries SET amount = 1", "DELETE FROM {s}.wallets", "DELETE FROM {s}.orders")
    assert rebuild_tables(place.store()) == ["main"]
    assert place.is_kept()
    target, source = place.another(), place.stores[0]
    moved = target.store()
    moved.put_records("main", 0, list(source.records("main")), list(source.commits("main")))
    assert not target.is_kept()
    target.broker()
    assert target.is_kept()


def test_several_accounts_in_one_trip(place: Place) -> None:
    """A quote that fills orders of many writes the rows of all, each only if its tables are kept."""
    with pt.Exchange(place.store(), clock="data") as exchange:
        exchange.add_instrument("AAPL")
        exchange.on_quote("AAPL", bid="187.10", ask="187.14", at=AT)
        names = ["alice", "bob", "carol"]
        for name in names:
            exchange.open_account(name, cash=10_000).buy("AAPL", 2, limit_price="187")
        place.sql("UPDATE {s}.tabled SET version = 1 WHERE account = 'bob'")
        exchange.on_quote("AAPL", bid="186.10", ask="186.14", at="2026-01-05T15:00:01Z")
    kept = [read_postgres(place.server.dsn, place.schema, name)[1] for name in names]
    assert kept[1] == 1 < kept[0] == kept[2]
    assert place.is_kept("alice")
    assert place.is_kept("carol")


def test_two_batches_of_one_account_in_one_trip(place: Place) -> None:
    """The rows of the second replace those of the first."""
    source = pt.open_paper_broker(cash=10_000, clock="data", store=place.store())
    batches: list[Append] = []
    other = place.another()
    target = other.store()
    keep = source.exchange._desk.batch_of
    source.exchange._desk.batch_of = lambda step, key: batches.append(keep(step, key)) or batches[-1]  # type: ignore
    source.on_quote("AAPL", bid="187.10", ask="187.14", at=AT)
    trade(source)
    first = source.events()[: batches[0].expected]
    target.append(Append("main", 0, first))
    assert rebuild_tables(target) == ["main"]
    target.append_many(batches)
    assert other.is_kept()


def test_a_conflict_and_an_erased_account(place: Place) -> None:
    """The loser's rows are not there; and nothing is left of who was erased."""
    one, two = place.broker(), place.broker()
    trade(one, 2)
    with pytest.raises(StoreConflictError):
        two.buy("AAPL", 7)
    assert place.is_kept()
    trade(two)
    assert place.is_kept()
    place.store().erase("main")
    assert read_postgres(place.server.dsn, place.schema, "main") == ({table.name: [] for table in TABLES}, 0)
    with pytest.raises(StoreErasedError):
        place.store().tabled("main")


def test_the_asynchronous_store_has_tables_too(place: Place) -> None:
    """The same statements with awaits."""
    from papertrade.adapters.postgres import AsyncPostgresStore

    async def run() -> int:
        store = AsyncPostgresStore(place.server.dsn, schema=place.schema, durability="memory")
        broker = await pt.open_async_paper_broker(cash=10_000, clock="data", store=store)  # type: ignore[arg-type]
        await broker.on_quote("AAPL", bid="187.10", ask="187.14", at=AT)
        for _ in range(3):
            await broker.buy("AAPL", 1, tags={"strategy": "gap"})
        found = await broker.search_orders(strategy="gap")
        fills = await broker.search_fills(limit=2)
        await store.close()
        return len(found) * 10 + len(fills)

    assert asyncio.run(run()) == 32
    assert place.is_kept()


def test_tables_made_by_the_script_are_ours(place: Place) -> None:
    """Who runs migrations of his own gets a schema that the store takes as it is."""
    place.sql(schema_sql("postgres", place.schema))
    store = place.store()
    assert store.describe()["schema_number"] == "5 of 5"
    trade(place.broker())
    assert place.is_kept()
    with pytest.raises(pt.UsageError, match="a to z"):
        schema_sql("postgres", "public; DROP TABLE x")


def test_the_schema_file_is_what_the_description_makes() -> None:
    """One description for every database."""
    pytest.importorskip("psycopg", reason="NOT RUN: the driver of the PostgreSQL store is not installed")
    from papertrade.adapters.migrations import numbered
    from papertrade.adapters.postgres.tables import POSTGRES

    steps = {step.name: step.sql for step in numbered("papertrade.adapters.postgres")}
    first, days, products = (steps[f"{name}.sql"] for name in ("0002_history", "0004_closed_days", "0005_products"))
    for table in TABLES:
        made, *indexes = create(table, POSTGRES)
        assert all(statement in first for statement in indexes)
        assert made in first or table.name in ("orders", "fills", "positions", "wallets")
        for c in table.columns():
            sort = POSTGRES.types[c.sort]
            needed = "" if c.optional else " NOT NULL"
            product = f"ALTER TABLE IF EXISTS {table.name} ADD COLUMN IF NOT EXISTS {c.name} {sort}{needed} DEFAULT"
            later = f"    ADD COLUMN IF NOT EXISTS {c.name} {sort}" in days or product in products
            assert f"    {c.name} {sort}{needed}," in first or later


@pytest.mark.parametrize("dropped", [table.name for table in TABLES] + ["tabled"])
def test_a_table_that_was_dropped_is_said_and_made_again(dropped: str, place: Place) -> None:
    """The journal is whole: it is not called damaged, the table is named, and rebuilding brings all accounts back."""
    trade(place.broker())
    bob = pt.Exchange(place.store(), clock="data").open_account("bob", cash=1_000)
    bob.deposit(1)
    place.sql(f"DROP TABLE {{s}}.{dropped}")
    store = place.store()
    with pytest.raises(StoreMisconfiguredError, match=rf"the table {dropped} of history is missing.*rebuild-tables"):
        ask_every_table(store)
    assert rebuild_tables(store, "main") == ["main"]
    assert place.is_kept()
    assert not place.is_kept("bob")  # nothing of it is taken for kept any more
    with pt.Exchange(place.store(), clock="data") as exchange:
        assert len(exchange.open_account("bob").search_entries()) == 2
    assert place.is_kept("bob")
    assert rebuild_tables(store) == ["bob", "main"]  # nothing is missing: as ever


def ask_every_table(store: Any) -> None:
    """Progress, a search, and the deletion of rows."""
    kept = store.tabled("main")
    store.search(Search("fills", "main", "version"))
    store.put_rows("main", kept, [Upto("main", 1, 0)], True)


def test_awaited_stores_make_them_again_too(place: Place) -> None:
    """The same method, awaited."""
    from papertrade.adapters.postgres import AsyncPostgresStore

    trade(place.broker())
    place.sql("DROP TABLE {s}.wallets")

    async def run() -> int:
        store = AsyncPostgresStore(place.server.dsn, schema=place.schema, durability="memory")
        with pytest.raises(StoreMisconfiguredError, match="the table wallets"):
            await store.tabled("main")
        await store.make_tables()
        kept = await store.tabled("main")
        await store.close()
        return kept.version

    assert asyncio.run(run()) == 0


# ------------------------------------------------------------------------ held against the journal

OTHERWISE = {
    "text": "coalesce({c}, '') || '?'", "json": "jsonb_set({c}, '{{other}}', '\"x\"')",
    "count": "coalesce({c}, 0) + 77",
    "flag": "NOT {c}", "amount": "coalesce({c}, 0) + 0.01", "ns": "coalesce({c}, 0) + 1",
    "instant": "coalesce({c}, 'epoch') + interval '1 microsecond'",
}  # fmt: skip


def verdict(store: Any) -> str:
    """What ``verify`` says is wrong with the tables of the account, or nothing."""
    try:
        assert verify_account(store, "main").tables == store.head("main")
    except StoreCorruptError as why:
        return str(why)
    return ""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_row_that_is_not_what_the_journal_says_is_found(table: Any, place: Place) -> None:
    """Another value in any column, a row less, a row too many; what was rebuilt is right again."""
    trade(place.broker(), 2)
    store = place.store()
    assert verdict(store) == ""
    name, last = table.name, table.key[-1]
    place.sql(f"CREATE TABLE {{s}}.as_it_was AS TABLE {{s}}.{name}")
    changes = [f"UPDATE {{s}}.{name} SET {c.name} = {OTHERWISE[c.sort].format(c=c.name)}" for c in table.columns()]
    copied = ", ".join(f"{c.name}{' || 9' * (c.sort == 'text')}{' + 99' * (c.sort != 'text')}" if c.name == last
                       else c.name for c in table.columns())  # fmt: skip
    too_many = f"INSERT INTO {{s}}.{name} SELECT {copied} FROM {{s}}.as_it_was LIMIT 1"
    for change in (*changes, f"DELETE FROM {{s}}.{name} WHERE ctid = (SELECT min(ctid) FROM {{s}}.{name})", too_many):
        place.sql(change.replace("{other}", "{{other}}"))
        said = verdict(store)
        assert f"{name} ha" in said if change == too_many else f"the row of {name} with account 'main'" in said, change
        assert "papertrade rebuild-tables" in said
        place.sql(f"DELETE FROM {{s}}.{name}", f"INSERT INTO {{s}}.{name} TABLE {{s}}.as_it_was")
    assert verdict(store) == ""


def test_how_far_tables_are_kept_and_whose_rows_there_are(place: Place) -> None:
    """Progress that was changed, in either direction; rows of an account that nobody has; the remedy."""
    trade(place.broker())
    store = place.store()
    verify_tables(store)
    for change in ("SET version = version - 1", "SET version = version + 1", "SET form = 7"):
        place.sql(f"UPDATE {{s}}.tabled {change}")
        assert "the tables of 'main' are wrong" in verdict(store)
        rebuild_tables(store)
        assert verdict(store) == ""
    place.sql("INSERT INTO {s}.tabled VALUES ('ghost', 1, 1)")
    with pytest.raises(StoreCorruptError, match="tabled has rows of 'ghost'"):
        verify_tables(store)
    assert verdict(store) == ""


@pytest.mark.parametrize("seed", range(4))
def test_no_history_is_taken_for_damage(seed: int, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is drawn, good tables are good; so are those that a store with awaits asks about."""
    from papertrade.adapters.postgres import AsyncPostgresStore

    monkeypatch.setattr(driving, "MemoryStore", place.store)
    rng = Random(seed)
    setup = draw_setup(rng)
    both, drawer = SideBySide(setup), Drawer(rng, setup)
    for _ in range(100):
        both.give(drawer.draw(both.oracle))
    store = place.store()
    assert verify_account(store, setup.account).tables == len(both.oracle.events)
    assert verify_account(place.store(), setup.account, tables=False).tables is None

    async def run() -> tuple[int, list[str]]:
        awaited = AsyncPostgresStore(place.server.dsn, schema=place.schema, durability="memory")
        found = await awaited.compare_rows(setup.account, [], counted=True)
        strange = await awaited.strange_rows()
        await awaited.close()
        return found.version, strange

    assert asyncio.run(run()) == (len(both.oracle.events), [])
