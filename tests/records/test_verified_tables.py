"""``verify`` holds the SQL tables of history to the journal: no row of any table may differ, be missing or too many."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from moved_accounts import trade

import papertrade as pt
from papertrade.__main__ import main
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.adapters.tables import BY_NAME, TABLES
from papertrade.errors import StoreCorruptError, StoreUnavailableError
from papertrade.hosting import tabling
from papertrade.ports.store_extras import Compared
from papertrade.records import history, verify_account, verify_tables
from papertrade.tables import rebuild_tables
from papertrade.testing import driving
from papertrade.testing.chance import draw_setup
from papertrade.testing.differential import SideBySide
from papertrade.testing.drawing import Drawer

LATER = {"text": "'?'", "json": "'{\"a\":\"b\"}'", "amount": "'3.25'", "instant": "'2031-01-01T00:00:00Z'"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts over two days, with orders that ended and one that waits, positions and days."""
    path = tmp_path_factory.mktemp("whole") / "paper.db"
    with closing(SQLiteStore(path, durability="memory")) as store:
        for account in ("alice", "bob"):
            broker = trade(store, account, rounds=2)
            broker.buy("AAPL", 1, limit_price="100", tags={"strategy": "gap"})
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    copy = tmp_path / "paper.db"
    copy.write_bytes(whole.read_bytes())
    return copy


def changed(path: Path, *statements: str) -> None:
    """Damage it, and see to it that something was."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert sum(connection.execute(statement).rowcount for statement in statements) != 0


def verdict(path: Path, account: str = "alice") -> str:
    """What is wrong with an account, or nothing."""
    with closing(SQLiteStore(path, durability="memory")) as store:
        try:
            verify_account(store, account)
        except StoreCorruptError as why:
            return str(why)
    return ""


def verdict_of_all(path: Path) -> str:
    """What is wrong with the tables as a whole, or nothing."""
    with closing(SQLiteStore(path, durability="memory")) as store:
        try:
            verify_tables(store)
        except StoreCorruptError as why:
            return str(why)
    return ""


def alice(store: SQLiteStore) -> pt.PaperBroker:
    """The account, opened again."""
    exchange = pt.Exchange(store, clock="data")
    exchange.add_instrument("AAPL")
    return exchange.open_account("alice")


def another(sort: str, name: str) -> str:
    """A value that a column does not have."""
    return LATER.get(sort, f"coalesce({name}, 0) + 77")


@pytest.mark.parametrize(("table", "name"), [(t.name, c.name) for t in TABLES for c in t.columns()])
def test_each_column_of_each_row_counts(table: str, name: str, path: Path) -> None:
    """Any value of any row that is another one is found, named with its table, column and what it should be."""
    (column,) = [c for c in BY_NAME[table].columns() if c.name == name]
    with closing(sqlite3.connect(path)) as connection:
        rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table} WHERE account = 'alice'")]
    assert rows
    before = path.read_bytes()
    for row in rows[:3] + rows[-1:]:
        path.write_bytes(before)
        changed(path, f"UPDATE {table} SET {name} = {another(column.sort, name)} WHERE rowid = {row}")
        said = verdict(path)
        assert f"the row of {table} with account 'alice'" in said
        assert name in said or "is missing" in said  # a key that is another is a row less
        assert "papertrade rebuild-tables" in said
        assert verdict(path, "bob") == ""


@pytest.mark.parametrize("table", BY_NAME)
def test_each_row_that_is_gone(table: str, path: Path) -> None:
    """One row less, wherever it stands."""
    with closing(sqlite3.connect(path)) as connection:
        rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table} WHERE account = 'bob'")]
    before = path.read_bytes()
    for row in rows:
        path.write_bytes(before)
        changed(path, f"DELETE FROM {table} WHERE rowid = {row}")
        assert f"the row of {table} with account 'bob'" in verdict(path, "bob")
        assert verdict(path) == ""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_row_that_is_too_many(table: Any, path: Path) -> None:
    """A copy of a row under another key, which any sum over the table would count."""
    names = [c.name for c in table.columns()]
    other = table.key[-1]
    picked = ", ".join(f"{other} || 9" if name == other else name for name in names)
    changed(path, f"INSERT INTO {table.name} SELECT {picked} FROM {table.name} WHERE account = 'alice' LIMIT 1")
    assert f"{table.name} has " in verdict(path)
    assert verdict(path, "bob") == ""


@pytest.mark.parametrize(
    "damage",
    ["SET version = version - 1", "SET version = version + 1", "SET form = 9", "SET version = 'x'", "SET version = -1"],
)
def test_how_far_the_tables_are_kept_is_checked_too(damage: str, path: Path) -> None:
    """Less than it was, and the rows are ahead of it; more, and it is ahead of the journal."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM tabled")
        if "'x'" in damage:  # as on a page that was damaged: a table that is not strict stands in
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE name = 'tabled'")
    changed(path, f"UPDATE tabled {damage} WHERE account = 'alice'")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'tabled' "
                           "AND sql NOT LIKE '%STRICT'")  # fmt: skip
    assert "the tables of 'alice' are wrong" in verdict(path)
    assert verdict(path, "bob") == ""


def test_tables_that_are_behind_are_right_as_far_as_they_go(path: Path) -> None:
    """After somebody wrote without rows; and before anybody opened what was moved in."""
    with closing(SQLiteStore(path, durability="memory", tables=False)) as store:
        kept = store.head("alice")
        broker = alice(store)
        broker.deposit(1)
        found = verify_account(store, "alice")
        assert (found.tables, found.version) == (kept, kept + 1)
    changed(path, "UPDATE orders SET reason = 'x' WHERE account = 'alice' AND number = 3")
    assert "reason" in verdict(path)


def test_what_is_left_of_tables_that_nobody_keeps_is_too_much(path: Path) -> None:
    """Without its row in ``tabled`` an account has no tables yet, and then no rows either."""
    changed(path, "DELETE FROM tabled WHERE account = 'alice'")
    assert "orders has 9 rows, and 0 follow from the journal" in verdict(path)


def test_rebuilding_makes_them_right(path: Path) -> None:
    """What is said to be the remedy is one."""
    changed(path, "UPDATE fills SET price = '1'", "DELETE FROM entries", "UPDATE tabled SET version = 3")
    assert verdict(path)
    with closing(SQLiteStore(path, durability="memory")) as store:
        rebuild_tables(store)
        assert [verify_account(store, name).tables == store.head(name) for name in ("alice", "bob")] == [True, True]
        verify_tables(store)


def test_rows_of_nobody_and_rows_that_no_index_has(path: Path) -> None:
    """What no account's check can see is found by a look at the tables as a whole."""
    assert verdict_of_all(path) == ""
    before = path.read_bytes()
    changed(path, "UPDATE equity_points SET account = 'ghost' WHERE account = 'bob'")
    assert "equity_points has rows of 'ghost'" in verdict_of_all(path)
    path.write_bytes(before)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'orders_by_status'").fetchone()
    page = bytearray(path.read_bytes())
    place = page.index(b"canceled", (root - 1) * 4096)
    page[place : place + 8] = b"accepted"
    path.write_bytes(page)
    assert verdict(path) == ""  # each row is there
    assert "orders_by_status" in verdict_of_all(path)
    verify_tables(MemoryStore())  # has none


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("page", [1, 512])
def test_no_history_is_taken_for_damage(
    seed: int, page: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resets, imports, copies, links, days: whatever is drawn, good tables are good, read in pages of any size."""
    path = tmp_path / "paper.db"
    monkeypatch.setattr(driving, "MemoryStore", lambda: SQLiteStore(path, durability="memory"))
    monkeypatch.setattr(history, "PAGE", page)
    monkeypatch.setattr(tabling, "PAGE", 7)
    rng = Random(seed)
    setup = draw_setup(rng)
    both, drawer = SideBySide(setup), Drawer(rng, setup)
    for _ in range(100):
        both.give(drawer.draw(both.oracle))
    with closing(SQLiteStore(path, durability="memory")) as store:
        assert verify_account(store, setup.account).tables == len(both.oracle.events)


class Busy:
    """A store on which the account goes on, or has its tables made anew, whenever somebody compares."""

    def __init__(self, real: SQLiteStore, meanwhile: Any, times: int) -> None:
        self.real, self.meanwhile, self.times = real, meanwhile, times
        self.wants_rows = True
        for name in ("head", "load", "tabled", "put_rows", "search", "strange_rows"):
            setattr(self, name, getattr(real, name))

    def compare_rows(self, stream: str, rows: Any, counted: bool = False) -> Compared:
        if self.times:
            self.times -= 1
            self.meanwhile()
        return self.real.compare_rows(stream, rows, counted)


def test_the_account_may_go_on_meanwhile(path: Path) -> None:
    """What it does between two looks is compared as well, and is no damage."""
    store = SQLiteStore(path, durability="memory")
    broker = alice(store)

    def more() -> None:
        broker.cancel_order(broker.buy("AAPL", 1, limit_price="50"))
        for order in broker.orders(status="open")[:1]:
            broker.cancel_order(order)

    busy: Any = Busy(store, more, times=5)
    assert history.verify_rows(busy, "alice") == store.head("alice")
    assert busy.times == 0
    store.close()


def test_tables_that_are_made_anew_meanwhile_are_looked_at_again(path: Path) -> None:
    """Rows that are gone for a moment are no damage; who makes them anew without end is said to do so."""
    store = SQLiteStore(path, durability="memory")

    def anew() -> None:
        if store.tabled("alice").version:
            changed(path, *(f"DELETE FROM {name} WHERE account = 'alice'" for name in (*BY_NAME, "tabled")))
        else:
            rebuild_tables(store, "alice")

    twice: Any = Busy(store, anew, times=2)
    assert history.verify_rows(twice, "alice") == store.head("alice")
    always: Any = Busy(store, anew, times=100)
    with pytest.raises(StoreUnavailableError, match="made anew"):
        history.verify_rows(always, "alice")
    store.close()


def test_the_command_says_it(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The line of the account says which row; the tables as a whole have a line of their own; both can be left out."""
    monkeypatch.chdir(path.parent)
    assert main(["verify", "paper.db"]) == 0
    changed(path, "UPDATE positions SET quantity = '1000' WHERE account = 'bob'",
            "INSERT INTO tabled VALUES ('ghost', 1, 1)")  # fmt: skip
    capsys.readouterr()
    assert main(["verify", "paper.db"]) == 1
    alice, bob, tables = capsys.readouterr().out.splitlines()
    assert alice.startswith("alice: good")
    assert bob.startswith("bob: WRONG: the tables of 'bob' are wrong: the row of positions with account 'bob', symbol ")
    assert "has quantity '1000' and not '14'; the journal is good" in bob
    assert tables.startswith("tables: WRONG: the tables of history are wrong: tabled has rows of 'ghost'")
    assert main(["verify", "paper.db", "--no-tables"]) == 0
    assert main(["rebuild-tables", "paper.db"]) == 0
