"""Several processes on one server: they open a new schema at once, and race for every version (G8)."""

from __future__ import annotations

import pytest
from racing import check_race, race
from servers_postgres import PostgresServer

pytestmark = pytest.mark.external_service


@pytest.mark.parametrize(("writers", "count"), [(2, 150), (8, 25)])
def test_c16_c17_c31_one_winner_for_each_version(
    writers: int, count: int, postgres_server: PostgresServer, child_env: dict[str, str]
) -> None:
    """Nobody's append is lost or doubled, and everybody wins; the tables are made once, under the same race."""
    from papertrade.adapters.postgres import PostgresStore

    schema = postgres_server.schema()
    found = race(f"{postgres_server.dsn}#{schema}", writers, count, child_env)
    store = PostgresStore(postgres_server.dsn, schema=schema)
    check_race(store, found, count)
    assert store.describe()["schema_number"] == "5 of 5"
    store.close()
