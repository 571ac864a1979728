"""Checking an account, its balance at any version, and beliefs about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from moved_accounts import STORES, trade

import papertrade as pt
import papertrade.records
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import Event
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import snapshot
from papertrade.engine.state import AccountState
from papertrade.errors import (
    BalanceMismatchError,
    InvalidValueError,
    InvariantError,
    StoreCorruptError,
    UnknownAccountError,
)
from papertrade.ports.store import Store, StoredSnapshot
from papertrade.records import assert_balance, balance_at, verify_account


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with an account that has traded."""
    made = STORES[request.param](tmp_path)
    trade(made)
    yield made
    made.close()


def test_a_good_account(store: Store) -> None:
    """The check answers the head of the chain, as the store's own check does."""
    found = verify_account(store, "alice")
    assert (found.version, found.chain, found.snapshot) == (*store.verify("alice")[1:], 0)


def test_a_snapshot_is_held_against_the_events(store: Store) -> None:
    """A snapshot that belongs to the stream and says something else than its events is found."""
    state = fold(AccountState(), store.load("alice", 1, 4))
    store.put_snapshot("alice", StoredSnapshot(4, store.chain_at("alice", 4), snapshot(state)))
    assert verify_account(store, "alice").snapshot == 4
    state.next_order += 1
    store.put_snapshot("alice", StoredSnapshot(4, store.chain_at("alice", 4), snapshot(state)))
    with pytest.raises(StoreCorruptError, match=r"good up to version 4 .*not the fold"):
        verify_account(store, "alice")


class _Wrong:
    """A store that answers one event as it should not be."""

    def __init__(self, store: Store, change: Callable[[Event], Event]) -> None:
        self._store, self._change = store, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        return map(self._change, self._store.load(stream, start, stop))


def test_an_account_that_goes_on_while_it_is_checked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is answered was checked: events and a snapshot that came meanwhile are not in it."""
    head, load = store.head("alice"), store.load
    before = store.chain_at("alice", head)

    def overtaken(*asked: Any) -> Iterator[Event]:
        monkeypatch.setattr(store, "load", load)
        broker = pt.open_paper_broker(store=store, account="alice", clock="data")
        broker.deposit(5)
        state = fold(AccountState(), load("alice"))
        chain = store.chain_at("alice", state.version)
        store.put_snapshot("alice", StoredSnapshot(state.version, chain, snapshot(state)))
        return load(*asked)

    monkeypatch.setattr(store, "load", overtaken)
    assert verify_account(store, "alice")[:4] == ("alice", head, before, 0)
    assert verify_account(store, "alice")[1:4:2] == (head + 1, head + 1)


def test_books_that_do_not_add_up(store: Store) -> None:
    """Events that were stored as they are, and whose entries do not balance, are our own fault and said as such."""

    def wrong(event: Event) -> Event:
        return event._replace(realized_units=event.realized_units + 1) if event.kind == "order_filled" else event

    with pytest.raises(InvariantError, match="balance") as caught:
        verify_account(_Wrong(store, wrong), "alice")  # type: ignore[arg-type]
    assert any("folds up to version" in note for note in caught.value.__notes__)


def test_an_account_that_is_not_there() -> None:
    """A slip in the name is not a good account."""
    for ask in (verify_account, balance_at, assert_balance):
        with pytest.raises(UnknownAccountError):
            ask(MemoryStore(), "alice")


@pytest.mark.parametrize("name", ["verify_account", "balance_at", "export_account", "export_beancount",
                                  "import_account", "erase_account"])  # fmt: skip
def test_an_address_is_no_store(name: str, tmp_path: Path) -> None:
    """Who gives the address is told what opens it, and the address, which may hold a password, is not shown."""
    file = [str(tmp_path / "a.file")] if name.endswith(("beancount", "export_account", "import_account")) else []
    (tmp_path / "a.file").write_text("{}")
    arguments = file if name == "import_account" else ["alice", *file]
    with pytest.raises(InvalidValueError, match="open_store") as refused:
        getattr(papertrade.records, name)("postgresql://me:secret@host/db", *arguments)
    assert "secret" not in str(refused.value)


def test_the_balance_at_every_version(store: Store) -> None:
    """It is the fold up to there, and its ledger sums to zero."""
    for version in range(1, store.head("alice") + 1):
        found, state = balance_at(store, "alice", version), fold(AccountState(), store.load("alice", 1, version))
        assert (found.total_units, found.held_units, found.cash) == (state.total, state.held, found.total - found.held)
        assert sum(found.ledger.values()) == 0
        assert found.ledger.get("assets:cash", 0) == found.cash
    assert found.positions == {"AAPL": Decimal(7)}
    assert repr(found).startswith(f"<Balance alice@{version}: cash {found.total} USD (0 held)")


@pytest.mark.parametrize("version", [0, -1, 10**6, True, "2", 2.0])
def test_versions_that_it_does_not_have(store: Store, version: Any) -> None:
    """A version is a whole number that the account has reached."""
    with pytest.raises(InvalidValueError, match="version"):
        balance_at(store, "alice", version)


def test_beliefs(store: Store) -> None:
    """What is so is answered; what is not is said with both numbers, each of them."""
    now = balance_at(store, "alice")
    same = assert_balance(
        store,
        "alice",
        cash=now.cash,
        held=0,
        total=now.total,
        realized=now.realized,
        fees=now.fees,
        net_deposits="100012.34",
        positions={"AAPL": 7, "MSFT": 0},
    )
    assert same == now
    assert assert_balance(store, "alice", 2, total=100_000).version == 2
    with pytest.raises(BalanceMismatchError) as caught:
        assert_balance(store, "alice", total=now.total + 1, held=0, positions={"MSFT": 1})
    assert [what for what, _, _ in caught.value.differences] == ["total", "position AAPL", "position MSFT"]
    assert str(caught.value).endswith("position AAPL is 7 and not 0; position MSFT is 0 and not 1")
    with pytest.raises(InvalidValueError, match="at least one"):
        assert_balance(store, "alice")


def test_a_belief_in_no_positions() -> None:
    """That an account is flat is something to believe, and is answered like any other."""
    store = MemoryStore()
    trade(store)
    assert assert_balance(store, "alice", 2, positions={}).positions == {}
    with pytest.raises(BalanceMismatchError, match="position AAPL is 7 and not 0"):
        assert_balance(store, "alice", positions={})
