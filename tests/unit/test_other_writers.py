"""Two processes share a store: whoever comes second is told so, reads again, and is right from then on."""

from __future__ import annotations

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.errors import OutcomeUnknownError, StoreConflictError, StoreError
from papertrade.ports.clock import ManualClock
from papertrade.ports.store import Appended
from papertrade.testing.faulty_store import FaultyStore

NOON = 1_767_614_400_000_000_000
TOMORROW = NOON + 86_400 * 10**9


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


def test_time_passes_for_an_account_that_has_to_be_read_again(first: Process, second: Process) -> None:
    """T3: a deadline that met another writer's append is not lost: advancing again does what was due."""
    second.broker.deposit(5)
    first.clock.set(TOMORROW)
    with pytest.raises(StoreConflictError):
        first.exchange.advance()
    first.exchange.advance()
    assert first.broker.events()[-1].kind != "cash_deposited"
    assert first.broker.order("main-1").status == "expired"


def test_what_was_due_comes_before_a_command_that_reads_the_account_again(first: Process, second: Process) -> None:
    """O6: no command is decided with an order in the book whose time is over, whoever else wrote meanwhile."""
    second.broker.deposit(5)
    first.clock.set(TOMORROW)
    for _ in range(2):
        try:
            assert first.broker.buy("AAPL", 1, client_order_id="k").status == "filled"
        except StoreError:
            continue
    kinds = [event.kind for event in first.broker.events()]
    assert kinds.index("order_expired") < kinds.index("order_filled")


def test_a_snapshot_of_an_account_that_somebody_else_moved(first: Process, second: Process) -> None:
    """E4: nothing is corrupt because another process wrote: the snapshot is a conflict, and works when repeated."""
    second.broker.deposit(5)
    with pytest.raises(StoreConflictError):
        first.broker.snapshot()
    assert first.broker.snapshot() == len(second.broker.events())


class LateLook(MemoryStore):
    """The first look for a key finds nothing, as when another process stores it in the next instant."""

    late = False

    def find(self, stream: str, commit_id: str) -> Appended | None:
        if self.late:
            self.late = False
            return None
        return super().find(stream, commit_id)


def test_same_key_by_two_processes_at_once() -> None:
    """K5: who comes second by a hair meets a conflict, and asking again he is answered by the one order there is."""
    store = LateLook()
    one, other = Process(store), Process(store)
    other.clock.advance(seconds=1)  # so that his bytes differ
    order = one.broker.buy("AAPL", 1, limit_price=90, client_order_id="k")
    store.late = True
    with pytest.raises(StoreConflictError):
        other.broker.buy("AAPL", 1, limit_price=90, client_order_id="k")
    assert other.broker.buy("AAPL", 1, limit_price=90, client_order_id="k") == order
    one.broker.deposit(1, command_id="d")
    store.late = True
    with pytest.raises(StoreConflictError):
        other.broker.deposit(1, command_id="d")
    assert other.broker.deposit(1, command_id="d").total == one.broker.account().total


@pytest.mark.parametrize("datum", ["quote", "depth", "bar"])
def test_size_that_was_taken_unheard_stays_taken(datum: str) -> None:
    """M3: a fill that was stored while its answer was lost has taken its size, and nobody is sold the same again."""
    store = FaultyStore(MemoryStore())
    exchange = pt.Exchange(store, "data", fill=pt.FillSettings(participation=1))
    exchange.add_instrument("X")
    broker = exchange.open_account("main", cash=100_000)
    exchange.advance(NOON)
    if datum == "bar":
        orders = [broker.buy("X", 60, limit_price=20) for _ in range(2)]
    elif datum == "quote":
        exchange.on_quote("X", "10", "11", 100, 100, at=NOON + 1)
    else:
        exchange.on_depth("X", [("10", 100)], [("11", 100)], at=NOON + 1)
    store.fail("unknown, stored")
    with pytest.raises(OutcomeUnknownError):
        broker.on_bar("X", 11, 11, 11, 11, 100, end=NOON + 1) if datum == "bar" else broker.buy("X", 60)
    store.heal()
    if datum == "bar":
        assert [broker.order(order).filled_quantity for order in orders] == [60, 40]
    else:
        assert broker.buy("X", 60, time_in_force="ioc").filled_quantity == 40


def test_fills_in_a_symbol_that_is_not_listed_here() -> None:
    """Another process may trade what this one does not list; the account is read again all the same."""
    store = MemoryStore()
    one, other = Process(store), Process(store)
    other.exchange.add_instrument("MSFT")
    other.exchange.on_quote("MSFT", "50", "51")
    other.broker.buy("MSFT", 1)
    other.broker.sell("MSFT", 1)
    with pytest.raises(StoreConflictError):
        one.broker.buy("AAPL", 1)
    assert one.broker.buy("AAPL", 1).status == "filled"
    assert len(one.broker.fills()) == 3
