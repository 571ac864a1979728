"""Users of a PostgreSQL schema need the rights that the page about it grants them, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers_postgres import PASSWORD, PostgresServer

import papertrade as pt
from papertrade.errors import StoreMisconfiguredError
from papertrade.records import erase_account, export_account, verify_account
from papertrade.tables import rebuild_tables, schema_sql

pytestmark = pytest.mark.external_service
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "keep-accounts-in-postgres.md"
ROLES = ("trader", "watcher", "dashboard")


@pytest.fixture
def granted(postgres_server: PostgresServer) -> Iterator[tuple[str, dict[str, str]]]:
    """A schema made by its script, the page's grants on it, and the address of each user."""
    psycopg = pytest.importorskip("psycopg")
    schema = postgres_server.schema()
    dsn = postgres_server.dsn
    users = {role: f"{schema}_{role}" for role in ROLES}
    grants = re.findall(r"```sql\n(GRANT .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(grants) == 1
    text = grants[0].replace("SCHEMA papertrade", f"SCHEMA {schema}").replace("papertrade.", f"{schema}.")
    for role, user in users.items():
        text = re.sub(rf"\b{role}\b(?=[,;])", user, text)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(schema_sql("postgres", schema))
        for user in users.values():
            owner.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")
        owner.execute(text)
        yield schema, {role: dsn.replace("//trader:", f"//{user}:") for role, user in users.items()}
        owner.execute(f"DROP SCHEMA {schema} CASCADE")
        for user in users.values():
            owner.execute(f"DROP ROLE {user}")


def test_each_user_can_do_its_work_and_no_more(granted: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """Who trades does everything but change the schema; who watches reads; who asks with SQL sees the tables only."""
    import psycopg

    from papertrade.adapters.postgres import PostgresStore

    schema, addresses = granted
    store = PostgresStore(addresses["trader"], schema=schema)
    exchange = pt.Exchange(store, "data", snapshots=pt.SnapshotPolicy(every_events=2))
    exchange.add_instrument("AAPL")
    for name in ("alice", "bob"):
        broker = exchange.open_account(name, cash=1000, exclusive=True)
        exchange.on_quote("AAPL", "10", "10.01", at="2026-01-05T15:00:00Z")
        broker.buy("AAPL", 10, client_order_id="entry-1")
    assert rebuild_tables(store) == ["alice", "bob"]
    erase_account(store, "bob")

    watching = PostgresStore(addresses["watcher"], schema=schema)
    assert [event.version for event in pt.follow(watching, "alice", timeout_s=0)] == [1, 2, 3, 4, 5]
    assert verify_account(watching, "alice").version == 5
    assert export_account(watching, "alice", str(tmp_path / "alice.jsonl")).version == 5
    with pytest.raises(StoreMisconfiguredError, match="permission denied"):
        erase_account(watching, "alice")

    with psycopg.connect(addresses["dashboard"], autocommit=True) as asking:
        assert asking.execute(f"SELECT account, id FROM {schema}.orders").fetchall() == [("alice", "alice-1")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asking.execute(f"SELECT * FROM {schema}.events")

    refused: list[Callable[[], object]] = [
        lambda: PostgresStore(addresses["dashboard"], schema=schema),
        lambda: PostgresStore(addresses["trader"], schema=f"{schema}_of_its_own"),
    ]
    for opening in refused:
        with pytest.raises(StoreMisconfiguredError, match="permission denied"):
            opening()
    exchange.close()
    watching.close()
