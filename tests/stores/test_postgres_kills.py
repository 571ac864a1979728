"""Clients, backends and servers that are killed: nothing acknowledged is lost, doubled or half there (G5b).

A long run of the same is ``python -m tests.proofs.kills --store postgres``.
"""

from __future__ import annotations

import pytest
from killing import Killer
from servers_postgres import PostgresServer

pytestmark = pytest.mark.external_service

KILLS = 12


def test_clients_that_are_killed(postgres_server: PostgresServer) -> None:
    """Processes trade on one server and are killed; each time it holds what was answered."""
    from killing_postgres import Schema

    tally = Killer(Schema(postgres_server), seed=1).run(KILLS, each=6)
    assert tally.broken == []
    assert tally.kills == KILLS
    assert tally.heard > 50
    assert min(tally.at["a statement"], tally.at["any moment"]) > 1


@pytest.mark.usefixtures("postgres_server")  # which says what is missing, if something is
def test_servers_and_backends_that_are_killed() -> None:
    """What was answered before a backend or the whole server died is there; the client goes on by itself."""
    from killing_postgres import Schema

    server = PostgresServer()
    try:
        for harm in ("backend ended", "server killed"):
            tally = Killer(Schema(server, (harm,)), seed=2, harmful=True).run(1)
            assert tally.broken == []
            assert tally.at == {harm: 1}
    finally:
        server.remove()


@pytest.mark.usefixtures("postgres_server")
def test_a_server_that_answers_before_it_syncs_is_found_out() -> None:
    """The control: with ``batched`` a killed server loses what it answered last, and the parent sees it."""
    from killing_postgres import Schema

    server = PostgresServer(wal_writer_delay="10000")
    try:
        tally = Killer(Schema(server, ("server killed",), "batched"), seed=3, harmful=True).run(5)
    finally:
        server.remove()
    assert "an acknowledged command is not stored" in {broken.what for broken in tally.broken}
