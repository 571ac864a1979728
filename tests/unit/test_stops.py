"""An account whose check fails stops: it takes no commands, gives the evidence, and is read as it last stood."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import Event
from papertrade.errors import AccountSuspendedError, InvariantError, StoreCorruptError
from papertrade.ports.store import Append, Outcome

NOON = 1_767_614_400_000_000_000


class Damaged(MemoryStore):
    """A store that finds a record of one account damaged when told to."""

    where = ""  # which call finds it

    def find_damage(self, call: str, stream: str) -> None:
        if call == self.where and stream == "alice":
            raise StoreCorruptError("version 3 of 'alice' does not follow on the hash before it")

    def append(self, batch: Append) -> Outcome:
        self.find_damage("append", batch.stream)
        return super().append(batch)

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        def late() -> Iterator[Event]:
            yield from found
            self.find_damage("load", stream)

        found = list(super().load(stream, start, stop))
        return late()

    def find(self, stream: str, commit_id: str):  # type: ignore[no-untyped-def]
        self.find_damage("find", stream)
        return super().find(stream, commit_id)


def opened() -> tuple[Damaged, pt.Exchange, pt.PaperBroker, pt.PaperBroker]:
    store = Damaged()
    exchange = pt.Exchange(store, "data")
    exchange.add_instrument("AAPL")
    exchange.on_quote("AAPL", "100.00", "100.02", at=NOON)
    alice, bob = (exchange.open_account(name, cash=10_000) for name in ("alice", "bob"))
    for broker in (alice, bob):
        broker.buy("AAPL", 1, client_order_id="k")
        broker.buy("AAPL", 1, limit_price="99.00")
    return store, exchange, alice, bob


COMMANDS = {
    "buy": lambda broker: broker.buy("AAPL", 1),
    "keyed": lambda broker: broker.buy("AAPL", 1, client_order_id="k"),
    "cancel": lambda broker: broker.cancel_order(broker.orders("open")[0]),
    "deposit": lambda broker: broker.deposit(1, command_id="d"),
    "close": lambda broker: broker.close_position("AAPL"),
    "preview": lambda broker: broker.preview_order(pt.OrderRequest(symbol="AAPL", side="buy", quantity=1)),
    "snapshot": lambda broker: broker.snapshot(),
    "kill": lambda broker: broker.kill(),
}


@pytest.mark.parametrize("where", ["append", "load", "find"])
def test_damage_stops_its_account_only(where: str) -> None:
    """Whoever finds it: from then on nothing is written to the account; reads go on; the others trade."""
    store, exchange, alice, bob = opened()
    before, version = alice.digest(), alice.account().version
    store.where = where
    with pytest.raises(StoreCorruptError):
        alice.orders() if where == "load" else alice.buy("AAPL", 1, client_order_id="new")
    store.where = "load" if where == "load" else ""  # damage that is read again, or that is out of the way
    for name, command in COMMANDS.items():
        if name in ("keyed", "cancel") and where == "load":
            continue  # they begin by reading: that is refused by the store itself
        with pytest.raises(AccountSuspendedError) as found:
            command(alice) if name != "keyed" else alice.buy("AAPL", 1, client_order_id="other")
        error = found.value
        assert (error.account, error.check) == ("alice", "StoreCorruptError")
        assert (error.version, error.digest) == (version, before)
        assert "version 3 of 'alice'" in str(error.found)
        assert "version 3 of 'alice'" in str(error)
    assert alice.position("AAPL").quantity == 1
    assert alice.account().version == version
    assert [order.id for order in alice.orders("open")] == ["alice-2"]
    assert exchange.account("alice").digest() == before
    assert bob.buy("AAPL", 1).status == "filled"
    exchange.on_quote("AAPL", "98.90", "98.92", at=NOON + 1)
    assert bob.orders("open") == []
    assert store.head("alice") == version
    assert exchange.describe()["suspended"] == "alice"
    with pytest.raises(AccountSuspendedError):
        exchange.open_account("alice")


def test_when_nothing_can_be_read_the_evidence_is_what_is_left() -> None:
    """Memory had moved and the journal is damaged: commands and reads alike get the evidence."""
    store, _, alice, _ = opened()
    version = alice.account().version
    store.where = "append"
    with pytest.raises(StoreCorruptError):
        alice.buy("AAPL", 1)
    store.where = "load"
    for use in (alice.account, lambda: alice.deposit(1), alice.positions):
        with pytest.raises(AccountSuspendedError, match="not readable") as found:
            use()
        assert (found.value.version, found.value.digest) == (version, None)


def test_a_broken_invariant_gives_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check by name, what it found, what it expected, and the state that the journal says."""
    from papertrade.engine import evolve as module

    _, _, alice, _ = opened()
    before, version = alice.digest(), alice.account().version

    def wrong(books: object, lines: object, account: str, at: int) -> None:
        raise InvariantError("L1 balanced entry", account, 1, 0)

    with monkeypatch.context() as patch:
        patch.setattr(module, "book", wrong)
        with pytest.raises(InvariantError):
            alice.deposit(1)
    with pytest.raises(AccountSuspendedError) as found:
        alice.deposit(1)
    error = found.value
    assert (error.check, error.found, error.expected) == ("L1 balanced entry", 1, 0)
    assert (error.version, error.digest) == (version, before)
    assert alice.digest() == before
    assert alice.fills()


def test_damage_found_when_it_is_read_again_stops_it_too() -> None:
    """An account that waits to be folded again finds its journal damaged: stopped, and the market goes on."""
    store, exchange, alice, bob = opened()
    exchange._desk.spoil("alice")
    store.where = "load"
    exchange.on_quote("AAPL", "98.90", "98.92", at=NOON + 1)
    exchange.on_quote("AAPL", "98.90", "98.92", at=NOON + 2)
    assert bob.orders("open") == []
    with pytest.raises(AccountSuspendedError, match="version 3"):
        alice.buy("AAPL", 1)
