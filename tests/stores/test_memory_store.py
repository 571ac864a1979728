"""What is true of the memory store alone; the rest is in ``test_conformance.py``."""

from __future__ import annotations

import pytest
from store_cases import batch, event

from papertrade.adapters.memory import MemoryStore
from papertrade.errors import StoreCorruptError
from papertrade.ports.store import Append, Appended


def test_verify_finds_what_is_not_the_streams() -> None:
    """An event of another account or version in a stream is corruption."""
    store = MemoryStore()
    store.append(batch(0, 3))
    for odd in (event(2, "other"), event(7)):
        store._streams["main"].events[1] = odd
        with pytest.raises(StoreCorruptError):
            store.verify("main")


def test_verify_finds_commit_ids_that_lead_elsewhere() -> None:
    """Beyond the stream, before it, or to events of another: one that somebody else's code moved is corruption."""
    store = MemoryStore()
    store.append(batch(0, 2, commit="one"))
    store.append(Append("main", 2, [], "nothing"))
    store.append(batch(2, 2, commit="two"))
    assert store.verify("main").version == 4
    commits = store._streams["main"].commits
    assert commits is not None
    for odd in ((3, 5), (2, 4), (0, 4), (4, 2), (-1, 0)):
        commits["two"] = Appended(*odd)
        with pytest.raises(StoreCorruptError):
            store.verify("main")
    commits["two"] = Appended(3, 4)
    assert store.verify("main").version == 4


def test_it_says_that_it_forgets() -> None:
    """Nobody takes it for a durable store."""
    assert "nothing survives" in MemoryStore().describe()["durability"]
