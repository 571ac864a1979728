"""Accounts to move, and the stores to move them between."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.ports.store import Store
from papertrade.records import export_account

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SQLiteStore(folder / "moved.db", durability="memory"),
}


def trade(store: Store, account: str = "alice", rounds: int = 1) -> pt.PaperBroker:
    """A little of everything that leaves events: cash, fills with fees, holds, a cancel, a refusal, keys."""
    exchange = pt.Exchange(store, clock="data")
    exchange.add_instrument("AAPL")
    broker = exchange.open_account(account, cash=100_000, fees=pt.PercentFee("0.0003", cap=20))
    for i in range(rounds):
        at = f"2026-01-{5 + i % 20:02}T15:{i // 20:02}:00Z"
        exchange.on_quote("AAPL", bid="187.10", ask="187.14", bid_size=300, ask_size=200, at=at)
        broker.buy("AAPL", 10, client_order_id=f"in-{i}")
        waiting = broker.buy("AAPL", 5, limit_price="180", tags={"note": 'é "quoted" \\ [x]'})
        broker.cancel_order(waiting)
        broker.sell("AAPL", 3, client_order_id=f"out-{i}")
        broker.buy("AAPL", 1_000_000, client_order_id=f"refused-{i}")
    broker.deposit("12.34", command_id="gift")
    return broker


def exported(store: Store, account: str = "alice") -> bytes:
    """The file of an account, as bytes."""
    stream = io.BytesIO()
    export_account(store, account, stream)
    return stream.getvalue()
