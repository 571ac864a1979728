"""C39: an account moves from any store to any other, and is the same there, down to the file that it makes."""

from __future__ import annotations

import io

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.errors import StoreErasedError, StoreHistoryError
from papertrade.ports.store import Store
from papertrade.records import (
    assert_balance,
    balance_at,
    erase_account,
    export_account,
    import_account,
    reading,
    verify_account,
)


def trade(store: Store) -> pt.PaperBroker:
    """An account with fills, holds and keys; on a store that has it, the keys are answered."""
    broker = pt.open_paper_broker(cash=10_000, account="alice", store=store, clock="data", fees=pt.PercentFee("0.001"))
    broker.on_quote("AAPL", bid="187.10", ask="187.14", bid_size=30, ask_size=20, at="2026-01-05T15:00:00Z")
    for i in range(6):
        broker.buy("AAPL", 1, client_order_id=f"in-{i}", tags={"note": 'é "[x]" \\'})
        broker.buy("AAPL", 1, limit_price="180", client_order_id=f"low-{i}")
    broker.sell("AAPL", 2, client_order_id="out")
    return broker


def exported(store: Store) -> bytes:
    stream = io.BytesIO()
    export_account(store, "alice", stream)
    return stream.getvalue()


def test_c39_from_here(store: Store) -> None:
    """An account that was made here makes the file that it makes in memory, and is the same account there."""
    memory = MemoryStore()
    trade(memory)
    trade(store)
    file = exported(memory)
    assert exported(store) == file
    other = MemoryStore()
    import_account(other, io.BytesIO(exported(store)))
    assert other.verify("alice") == store.verify("alice") == memory.verify("alice")


def test_c39_into_here(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imported page by page, again, and then traded on: keys are answered, books are the same, another is refused."""
    monkeypatch.setattr(reading, "PAGE", 5)
    memory = MemoryStore()
    before = trade(memory)
    file = exported(memory)
    done = import_account(store, io.BytesIO(file))
    assert done.added == done.version == memory.head("alice")
    assert import_account(store, io.BytesIO(file)).added == 0
    assert exported(store) == file
    assert verify_account(store, "alice").chain == done.chain
    assert balance_at(store, "alice", 7) == balance_at(memory, "alice", 7)
    assert_balance(store, "alice", total=before.account().total, positions={"AAPL": 4})
    assert trade(store).account().version == done.version  # nothing happened twice
    other = MemoryStore()
    pt.open_paper_broker(cash=5, account="alice", store=other, clock="data")
    with pytest.raises(StoreHistoryError):
        import_account(store, io.BytesIO(exported(other)))
    erase_account(store, "alice", "moved")
    with pytest.raises(StoreErasedError, match="moved"):
        import_account(store, io.BytesIO(file))
