"""A snapshot of a schema that kept less is neither damage nor believed: the account is the fold of its events."""

from __future__ import annotations

from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.canonical import from_bytes, to_bytes
from papertrade.engine.snapshot import digest, forgets, restore
from papertrade.engine.state import AccountState
from papertrade.errors import StoreCorruptError
from papertrade.ports.store import StoredSnapshot
from papertrade.records import verify_account

MONDAY, TUESDAY = "2026-01-05", "2026-01-06"
LATER = ("ttl_minutes", "extended_hours", "after_market", "product")


def opened(store: Any) -> pt.PaperBroker:
    """The account, with two symbols."""
    exchange = pt.Exchange(store, clock="data", snapshots="on demand")
    for symbol in ("ABC", "XYZ"):
        exchange.add_instrument(symbol)
    return exchange.open_account("main", cash=200_000, limits=pt.RiskLimits(max_drawdown=5_000))


def over_midnight() -> tuple[MemoryStore, int]:
    """Two imports without prices, one of which is sold before a midnight at which the other still has none."""
    store = MemoryStore()
    broker = opened(store)
    for symbol in ("ABC", "XYZ"):
        broker.exchange.on_quote(symbol, "99.99", "100.01", at=f"{MONDAY}T14:00:00Z")
    broker.buy("ABC", 1)
    broker = opened(store)
    broker.import_positions([{"symbol": s, "quantity": 200, "average_price": "100"} for s in ("ABC", "XYZ")])
    broker.exchange.on_quote("XYZ", "49.99", "50.01", at=f"{MONDAY}T20:00:00Z")
    broker.sell("XYZ", 200)
    broker = opened(store)
    broker.exchange.advance(to=f"{TUESDAY}T09:00:00Z")
    broker.sell("ABC", 1, limit_price="500")
    return store, broker.snapshot()


def written_by(schema: int, data: bytes) -> bytes:
    """The snapshot as an older papertrade wrote it."""
    record = from_bytes(data)
    for order in record["orders"]:
        order["terms"] = {name: value for name, value in order["terms"].items() if name not in LATER}
    for position in record["positions"]:
        del position["mark"], position["marked"]
    parts = record.pop("unvalued")
    for part in parts:
        del part["at"]
    for later in ("squared", "today", "settling", "unpaid", "violated"):
        del record[later]
    del record["account"]["restricted_until"]
    for position in record["positions"]:
        del position["product"]
    if schema == 2:  # it forgot at midnight what only the peak counts
        record["unvalued"] = [{n: v for n, v in p.items() if n != "of_day"} for p in parts if p["of_day"]]
    return to_bytes({**record, "schema": schema})


@pytest.mark.parametrize("schema", [1, 2])
def test_an_outdated_snapshot_is_told_apart_from_damage(schema: int) -> None:
    """It opens, as the fold of its events; what else is wrong with it is damage as ever; the next one is a new one."""
    store, version = over_midnight()
    whole = digest(restore(store.get_snapshot("main").data))  # type: ignore[union-attr]
    assert not verify_account(store, "main").outdated
    chain = store.chain_at("main", version)
    old = written_by(schema, store.get_snapshot("main").data)  # type: ignore[union-attr]
    assert digest(restore(old)) != whole
    for data, damaged in ((old, False), (old.replace(b'"next_order":4', b'"next_order":5'), True)):
        store._streams["main"].snapshot = StoredSnapshot(version, chain, data)
        if damaged:
            assert data != old
            with pytest.raises(StoreCorruptError, match="not the fold of its events"):
                verify_account(store, "main")
            continue
        found = verify_account(store, "main")
        assert (found.outdated, found.snapshot) == (True, version)
        broker = opened(store)
        assert broker.digest() == whole
        broker.deposit(1)
        broker.snapshot()
        assert not verify_account(store, "main").outdated


def test_only_what_counts_at_cost_is_forgotten() -> None:
    """A snapshot of today forgets nothing, whatever its texts say; nor does an old one of an account without parts."""
    state = AccountState()
    store, _ = over_midnight()
    assert not forgets(store.get_snapshot("main").data)  # type: ignore[union-attr]
    state.account = ',"schema":1,'
    from papertrade.engine.snapshot import snapshot

    assert not forgets(snapshot(state))
    assert not forgets(written_by(2, snapshot(state)))
    assert not forgets(b"")
    with pytest.raises(StoreCorruptError):
        restore(b"")
