"""Ends of day on real servers, killed at their calls to the stores: wallets and fills are those of calm days.

Every call of an end of day, over whole months, is ``python -m tests.proofs.month``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from servers_postgres import PostgresServer
from servers_redis import DURABLE, shared_server

pytestmark = pytest.mark.external_service


def test_ends_of_day_that_are_killed(
    postgres_server: PostgresServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Four days on Redis, settled into PostgreSQL each evening; each evening somebody dies, and somebody goes on."""
    pytest.importorskip("redis", reason="redis is missing: pip install -e '.[redis]'", exc_type=ImportError)
    from playing_months import rounds

    played, killed, calls = rounds(shared_server(request, DURABLE).url, postgres_server.dsn, tmp_path, days=4, most=1)
    assert (played, killed) == (1, 4)
    assert calls > 20
