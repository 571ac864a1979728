"""G8a on each store that is shipped: whoever writes at once, each version has one winner, and nobody goes without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opening_stores import open_postgres, open_redis, open_restless, open_sqlite
from racing import race_in_step
from servers_redis import fresh_redis, shared_server

from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import CashDeposited
from papertrade.ports.store import Appended, Conflict

VERSIONS, MOST = 40, 2_000
ON_SERVERS = [pytest.param(kind, marks=pytest.mark.external_service) for kind in ("postgres", "redis", "tiered")]


def handles(kind: str, count: int, request: pytest.FixtureRequest, tmp_path: Path) -> list[Any]:
    """As many stores of one place; the one in memory is shared."""
    path = str(tmp_path / "paper.db")
    if kind == "memory":
        return [MemoryStore()] * count
    if kind == "sqlite":
        return [open_sqlite(path) for _ in range(count)]
    if kind == "postgres":
        server = request.getfixturevalue("postgres_server")
        place = json.dumps([server.dsn, server.schema(), {"connections": 1, "wait_s": 60}])
        return [open_postgres(place) for _ in range(count)]
    first = fresh_redis(request)
    prefix = first._place.prefix
    first.close()
    place = json.dumps([shared_server(request).url, prefix, {"timeout_s": 60}, *([path] if kind == "tiered" else [])])
    return [(open_restless if kind == "tiered" else open_redis)(place) for _ in range(count)]


@pytest.mark.parametrize("writers", [2, 8])
@pytest.mark.parametrize("kind", ["memory", "sqlite", *ON_SERVERS])
def test_g8_one_winner_for_each_version(
    kind: str, writers: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """All write the same version at once: one is told that it is stored, the others that it is taken, and by how much.

    What is stored is the winner's, and each of them wins at least once.
    """
    stores = handles(kind, writers, request, tmp_path)
    told = race_in_step(stores, VERSIONS, MOST)
    winners = []
    for version, outcomes in enumerate(told, 1):
        (winner,) = [at for at, outcome in enumerate(outcomes) if outcome == Appended(version, version)]
        assert [outcomes[at] for at in range(writers) if at != winner] == [Conflict(version)] * (writers - 1)
        winners.append(winner)
    assert set(winners) == set(range(writers))
    stored = [e.amount_units - 1 for e in stores[0].load("main") if isinstance(e, CashDeposited)]
    assert stored == winners
    assert stores[-1].verify("main").version == len(winners)
    for store in stores:
        store.close()
