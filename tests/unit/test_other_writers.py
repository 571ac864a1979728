"""Two processes share a store: whoever comes second is told so, reads again, and is right from then on."""

from __future__ import annotations

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.errors import StoreConflictError
from papertrade.ports.clock import ManualClock

NOON = 1_767_614_400_000_000_000


class Process:
    """An exchange of its own, with a clock of its own, on a store that others write to as well."""

    def __init__(self, store: MemoryStore) -> None:
        self.clock = ManualClock(NOON)
        self.exchange = pt.Exchange(store, self.clock)
        self.exchange.add_instrument("AAPL")
        self.broker = self.exchange.open_account("main", cash=10_000)
        self.exchange.on_quote("AAPL", "100.00", "100.02")


@pytest.fixture
def first() -> Process:
    """The process that opened the account and placed an order for the day."""
    process = Process(MemoryStore())
    process.broker.buy("AAPL", 1, limit_price=98, time_in_force="day")
    return process


@pytest.fixture
def second(first: Process) -> Process:
    """Another one on the same store."""
    return Process(first.exchange._desk.store)


def test_a_snapshot_of_an_account_that_somebody_else_moved(first: Process, second: Process) -> None:
    """E4: nothing is corrupt because another process wrote: the snapshot is a conflict, and works when repeated."""
    second.broker.deposit(5)
    with pytest.raises(StoreConflictError):
        first.broker.snapshot()
    assert first.broker.snapshot() == len(second.broker.events())
