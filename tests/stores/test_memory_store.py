"""What is true of the memory store alone; the rest is in ``test_conformance.py``."""

from __future__ import annotations

import pytest
from store_cases import batch, event

from papertrade.adapters.memory import MemoryStore
from papertrade.errors import StoreCorruptError


def test_verify_finds_what_is_not_the_streams() -> None:
    """An event of another account or version in a stream is corruption."""
    store = MemoryStore()
    store.append(batch(0, 3))
    for odd in (event(2, "other"), event(7)):
        store._streams["main"].events[1] = odd
        with pytest.raises(StoreCorruptError):
            store.verify("main")


def test_it_says_that_it_forgets() -> None:
    """Nobody takes it for a durable store."""
    assert "nothing survives" in MemoryStore().describe()["durability"]
