"""What a command finds when it arrives: time that passed, a store that failed, an account that stopped."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.errors import AccountSuspendedError, InvariantError, KeyConflictError, StoreUnavailableError
from papertrade.ledger.fees import FeeLines, FeeTally
from papertrade.testing.faulty_store import FaultyStore

START = "2026-01-05T12:00:00Z"
Call = Callable[[pt.PaperBroker], object]


def opened(store: object = None, fees: object = None) -> tuple[pt.PaperBroker, pt.ManualClock]:
    """An account under a clock that stands still, with a waiting order (1) that expires in a minute."""
    clock = pt.ManualClock(START)
    exchange = pt.Exchange(store, clock=clock)  # type: ignore[arg-type]
    exchange.add_instrument("X")
    broker = exchange.open_account("main", cash=10_000, fees=fees)  # type: ignore[arg-type]
    exchange.on_quote("X", bid="9.98", ask="10.00")
    broker.buy("X", 1, limit_price=8, time_in_force="gtd", expires_at="2026-01-05T12:01:00Z")
    return broker, clock


def kinds(broker: pt.PaperBroker, last: int) -> list[str]:
    return [event.kind for event in broker.events()[-last:]]


ARRIVALS: dict[str, Call] = {
    "order": lambda b: b.buy("X", 1, limit_price=7),
    "pair": lambda b: b.place_oco(
        *(pt.OrderRequest(symbol="X", side="buy", quantity=1, limit_price=price) for price in (6, 7))
    ),
    "deposit": lambda b: b.deposit(5),
}


@pytest.mark.parametrize("seconds", [60, 61])
@pytest.mark.parametrize("name", ARRIVALS)
def test_what_was_due_comes_before_what_arrives(name: str, seconds: int) -> None:
    """An order that expired, at this very instant or before, is gone before the next command is decided."""
    broker, clock = opened()
    clock.advance(seconds=seconds)
    version = broker.account().version
    ARRIVALS[name](broker)
    assert broker.events(after=version)[0].kind == "order_expired"
    assert len(broker.events(after=version)) > 1


def test_an_order_that_expired_before_its_cancel_is_answered_as_it_ended() -> None:
    """Canceling an order whose time was up answers the expired order, and adds no event of its own."""
    broker, clock = opened()
    clock.advance(seconds=60)
    assert broker.cancel_order("main-1").status == "expired"
    assert kinds(broker, 1) == ["order_expired"]


def test_what_is_not_due_stays() -> None:
    """A moment before its expiry an order still stands when another arrives."""
    broker, clock = opened()
    clock.advance(milliseconds=59_999)
    broker.buy("X", 1, limit_price=7)
    assert kinds(broker, 2) == ["order_accepted", "order_accepted"]


@pytest.mark.parametrize("call", [
    lambda b: b.buy("X", 1, limit_price=7, oco_with="main-1"),
    lambda b: b.link_orders("main-1", b.buy("X", 1, limit_price=7)),
])  # fmt: skip
def test_an_order_that_just_expired_cannot_be_linked(call: Call) -> None:
    """A link looks at the account as it is now, not as it was before time passed."""
    broker, clock = opened()
    clock.advance(seconds=60)
    with pytest.raises(LookupError, match="no order 'main-1'"):
        call(broker)


@pytest.mark.parametrize("call", [
    lambda b: b.buy("X", 1, limit_price=7),
    lambda b: b.buy("X", 1),
    lambda b: b.sell("X", 1, limit_price=7, oco_with="main-1", reduce_only=True),
])  # fmt: skip
def test_after_a_store_failed_the_next_order_finds_what_is_stored(call: Call) -> None:
    """An order that was not stored never was: the next one gets its number and goes on from what is stored."""
    store = FaultyStore(MemoryStore())
    broker, _ = opened(store)
    version = broker.account().version
    store.fail("unavailable")
    with pytest.raises(StoreUnavailableError):
        broker.buy("X", 3)
    assert broker.exchange._desk.stale.keys() == {"main"}
    store.heal()
    call(broker)
    assert broker.events(after=version)[0].order_id == "main-2"  # type: ignore[attr-defined]
    assert not broker.exchange._desk.stale


def test_an_order_that_was_stored_leaves_its_account_in_memory() -> None:
    """Only what went wrong is folded again: after an order that was stored there is nothing to read back."""
    store = FaultyStore(MemoryStore())
    broker, _ = opened(store)
    store.arm(None)
    broker.buy("X", 3)
    broker.buy("X", 3, limit_price=5)
    assert store.calls == ["append", "append"]


class Broken:
    """A fee model that finds the books wrong."""

    name = "broken"
    wrong = False

    def owed(self, tally: FeeTally) -> FeeLines:
        if self.wrong:
            raise InvariantError("L9 planted", "main", "a lie", "the truth")
        return ()


@pytest.mark.parametrize("call", [
    lambda b: b.buy("X", 1),
    lambda b: b.buy("X", 1, limit_price=11),
    lambda b: b.deposit(1),
    lambda b: b.sell("X", 1, limit_price=20, oco_with="main-1"),
])  # fmt: skip
def test_an_account_whose_books_are_wrong_stops_and_says_why(call: Call) -> None:
    """A broken invariant is raised as it is; from then on every command is refused with the same words."""
    fees = Broken()
    broker, _ = opened(fees=fees)
    broker.buy("X", 1)
    fees.wrong = True
    with pytest.raises(InvariantError, match="L9 planted"):
        broker.buy("X", 1)
    for _ in range(2):
        with pytest.raises(AccountSuspendedError, match="L9 planted broken in account 'main': found a lie"):
            call(broker)


# ------------------------------------------------------------------ keys


class Misled(FaultyStore):
    """A store that answers another commit than it was asked for."""

    def find(self, account: str, commit_id: str) -> Any:
        return self.real.find(account, "deposit:d")


def test_a_key_that_leads_to_no_order_is_a_broken_invariant() -> None:
    """A commit id that answers without its order means that the store or the books are wrong."""
    broker, _ = opened(Misled(MemoryStore()))
    broker.deposit(5, command_id="d")
    with pytest.raises(InvariantError) as caught:
        broker.buy("X", 1, client_order_id="k")
    error = caught.value
    assert (error.check, error.account, error.found) == ("K1 a key leads to its order", "main", "order:k")
    assert error.expected == "an order"


def test_an_order_without_a_record_is_a_broken_invariant() -> None:
    """What was placed has either ended or is open; anything else is named with the orders that are."""
    broker, _ = opened()
    step: Any = SimpleNamespace(state=SimpleNamespace(orders={4: None, 2: None}))
    with pytest.raises(InvariantError) as caught:
        broker._desk._answer(step, (), 7)
    error = caught.value
    assert (error.check, error.account, error.found, error.expected) == (
        "O8 every order has a record", "main", 7, [2, 4],
    )  # fmt: skip


def test_a_change_that_filled_at_once_is_answered_when_repeated() -> None:
    """A commit may hold more than the change itself; the key finds the change among it."""
    broker, _ = opened()
    broker.modify_order("main-1", limit_price=10, command_id="k")
    assert kinds(broker, 2) == ["order_modified", "order_filled"]
    version = broker.account().version
    assert broker.modify_order("main-1", limit_price=10, command_id="k").status == "filled"
    assert broker.account().version == version
    with pytest.raises(KeyConflictError) as caught:
        broker.modify_order("main-1", limit_price=11, command_id="k")
    assert caught.value.key == "k"


def test_a_close_that_canceled_first_is_answered_when_repeated() -> None:
    """A keyed close that had to cancel a working sale finds itself behind the cancel in its commit."""
    broker, _ = opened()
    broker.buy("X", 5)
    broker.sell("X", 5, limit_price=20)
    first = broker.close_position("X", client_order_id="k")
    assert kinds(broker, 3) == ["order_canceled", "order_accepted", "order_filled"]
    version = broker.account().version
    assert broker.close_position("X", client_order_id="k") == first
    assert broker.account().version == version


def test_an_order_on_a_new_day_is_found_behind_the_opening_of_the_day() -> None:
    """The first command of a day shares its commit with the opening of the day, and is found all the same."""
    for call in (
        lambda b: b.buy("X", 1, limit_price=7, client_order_id="k"),
        lambda b: b.modify_order("main-2", quantity=2, command_id="k"),
        lambda b: b.deposit(5, command_id="k"),
        lambda b: b.withdraw(5, command_id="k"),
    ):
        broker, clock = opened()
        broker.buy("X", 1, limit_price=6)
        clock.advance(days=1)
        first = call(broker)
        version = broker.account().version
        again = call(broker)
        assert broker.account().version == version
        assert getattr(again, "id", None) == getattr(first, "id", None)
