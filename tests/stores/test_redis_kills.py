"""Clients and servers that are killed: nothing acknowledged is lost, doubled or half there (G5c).

A long run of the same is ``python -m tests.proofs.kills --store redis``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import Killer
from servers_redis import DURABLE, needed, redis_server

pytestmark = pytest.mark.external_service

KILLS = 12


def test_clients_that_are_killed(tmp_path: Path) -> None:
    """Processes trade on one server and are killed; each time it holds what was answered."""
    needed()
    from killing_redis import Prefix

    with redis_server(tmp_path, *DURABLE) as server:
        tally = Killer(Prefix(server), seed=1).run(KILLS, each=6)
    assert tally.broken == []
    assert tally.kills == KILLS
    assert tally.heard > 50
    assert min(tally.at["a statement"], tally.at["any moment"]) > 1


def test_servers_that_are_killed(tmp_path: Path) -> None:
    """What was answered before the server died is in its append-only file; the client goes on by itself."""
    needed()
    from killing_redis import Prefix

    with redis_server(tmp_path, *DURABLE) as server:
        tally = Killer(Prefix(server), seed=2, harmful=True).run(5)
    assert tally.broken == []
    assert tally.at == {"server killed": 5}


def test_a_server_that_keeps_nothing_is_found_out(tmp_path: Path) -> None:
    """The control: without an append-only file a killed server has lost what it answered, and the parent sees it."""
    needed()
    from killing_redis import Prefix

    with redis_server(tmp_path, "--appendonly", "no") as server:
        tally = Killer(Prefix(server, "memory"), seed=3, harmful=True).run(3)
    assert tally.broken
