"""Whatever fails, and wherever: an account is what its journal says, nothing is heard that is not stored, and the next
call works.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event, OrderAccepted, OrderRejected
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.errors import AccountSuspendedError, InvariantError, StoreError, UsageError
from papertrade.ports.store import Append
from papertrade.testing.faulty_store import ANSWERS, FAULTS, FaultyStore, Plan

START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000
FOREVER = 10**9


class Scene:
    """Two accounts with positions, resting orders, a stop, a pair and a deadline each, on a store that can fail."""

    def __init__(self, **account: Any) -> None:
        self.store = FaultyStore(MemoryStore())
        self.exchange = pt.Exchange(store=self.store, clock="data")
        self.exchange.add_instrument("AAPL")
        self.quote(0, "100.00", "100.02")
        self.a = self.exchange.open_account("a", cash=100_000, **account)
        self.b = self.exchange.open_account("b", cash=100_000)
        self.heard: list[Event] = []
        self.exchange.subscribe(self.heard.append)
        for broker in (self.a, self.b):
            broker.buy("AAPL", 20, client_order_id="first")
            broker.buy("AAPL", 5, limit_price="99", client_order_id="limit")
            broker.sell("AAPL", 5, stop_price="95", client_order_id="stop")
            broker.buy("AAPL", 2, limit_price="98.50", time_in_force="day")
            leg = {"symbol": "AAPL", "side": "sell", "quantity": 4}
            broker.place_oco(pt.OrderRequest(**leg, limit_price=105), pt.OrderRequest(**leg, stop_price=94))

    def quote(self, second: int, bid: Any, ask: Any, **sizes: Any) -> None:
        self.exchange.on_quote("AAPL", bid, ask, at=START + second * SECOND, **sizes)

    def check(self) -> None:
        """A2, E1, E7, E9, E10, K1: memory is the fold of the journal, and the heard is the stored."""
        for broker in (self.a, self.b):
            events = list(self.store.real.load(broker.account_id))
            assert [event.version for event in events] == list(range(1, len(events) + 1))
            assert broker.digest() == digest(fold(AccountState(), [decode_event(encode_event(e)) for e in events]))
            heard = [event for event in self.heard if event.account == broker.account_id]
            assert heard == events[2:], "subscribers hear what is stored: all of it, once and in order"
            keys = [e.terms.client_order_id for e in events if isinstance(e, (OrderAccepted, OrderRejected))]
            named = [key for key in keys if key is not None]
            assert len(set(named)) == len(named)
            open_now = {order.number for order in broker.orders("open")}
            index = self.exchange.market("AAPL").index
            assert {entry[1] for entry in index.entries if entry[0] == broker.account_id and entry[1]} == open_now


OPERATIONS: dict[str, Callable[[Scene], object]] = {
    "buy": lambda s: s.a.buy("AAPL", 3, client_order_id="k"),
    "buy and rest": lambda s: s.a.buy("AAPL", 3, limit_price=97, client_order_id="k"),
    "refused": lambda s: s.a.buy("AAPL", 1_000_000, client_order_id="k"),
    "sell": lambda s: s.a.place_order(symbol="AAPL", side="sell", quantity=3),
    "oco": lambda s: s.a.place_oco(
        pt.OrderRequest(symbol="AAPL", side="sell", quantity=2, limit_price=106, client_order_id="k"),
        pt.OrderRequest(symbol="AAPL", side="sell", quantity=2, stop_price=93),
    ),
    "link": lambda s: s.a.link_orders("a-2", "a-4"),
    "preview": lambda s: s.a.preview_order(pt.OrderRequest(symbol="AAPL", side="buy", quantity=1)),
    "modify": lambda s: s.a.modify_order("a-2", quantity=7, limit_price="99.50", command_id="k"),
    "cancel": lambda s: s.a.cancel_order("a-2"),
    "cancel all": lambda s: s.a.cancel_all_orders(),
    "close position": lambda s: s.a.close_position("AAPL", client_order_id="k"),
    "close all": lambda s: s.a.close_all_positions(),
    "deposit": lambda s: s.a.deposit(5, command_id="k"),
    "withdraw": lambda s: s.a.withdraw(5, command_id="k"),
    "kill": lambda s: s.a.kill(),
    "reset": lambda s: (s.a.kill(), s.a.reset_limit("kill_switch", command_id="k")),
    "order": lambda s: s.a.order("a-1"),
    "orders": lambda s: s.a.orders(),
    "fills": lambda s: s.a.fills(),
    "history": lambda s: s.a.order_history("a-2"),
    "explain": lambda s: s.a.explain("a-1"),
    "events": lambda s: s.a.events(),
    "entries": lambda s: s.a.entries(),
    "account": lambda s: s.a.account(),
    "open again": lambda s: s.exchange.open_account("a", cash=1),
    "quote fills both": lambda s: s.quote(5, "98.90", "98.95", bid_size=8, ask_size=8),
    "quote triggers both": lambda s: s.quote(5, "94.50", "94.60"),
    "bar": lambda s: s.exchange.on_bar("AAPL", 100, 106, 93, 100, end=START + 5 * SECOND),
    "trade": lambda s: s.exchange.on_trade("AAPL", "98", at=START + 5 * SECOND),
    "new day": lambda s: s.exchange.advance(to=START + 86_400 * SECOND),
    "buy on a new day": lambda s: (s.quote(86_400, 100, 101), s.a.buy("AAPL", 1)),
}  # fmt: skip


def attempt(scene: Scene, operation: Callable[[Scene], object]) -> BaseException | None:
    try:
        operation(scene)
    except (StoreError, ZeroDivisionError, KeyboardInterrupt) as why:
        return why
    return None


@pytest.mark.parametrize("last", [None, FOREVER], ids=["once", "for ever"])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_every_call_fails_in_every_way(name: str, last: int | None) -> None:
    """The k-th store call fails, k = 1, 2, … until the operation succeeds, once and for ever, in each way."""
    operation, failed, reached = OPERATIONS[name], 0, 0
    for fault in (*FAULTS, *(ANSWERS if last is None else ())):
        for k in range(1, 40):
            scene = Scene()
            scene.store.arm(Plan(fault, k, last))
            why = attempt(scene, operation)
            calls = scene.store.calls
            scene.store.heal()
            if len(calls) < k:
                break  # the operation makes fewer calls than that
            reached += 1
            failed += why is not None
            for broker in (scene.a, scene.b):
                broker.deposit(1)  # works again, without opening anything
            scene.check()
            with suppress(UsageError):  # without a key a repeat may be too late: linked already, closed already
                assert attempt(scene, operation) is None
            scene.check()
            scene.quote(200_000, "97.00", "97.05")
            scene.check()
        else:
            pytest.fail("the operation never ends")
    if reached:
        assert failed


def test_the_operations_do_call_the_store() -> None:
    """The control: without faults every operation works, and those that change something append."""
    for name, operation in OPERATIONS.items():
        scene = Scene()
        scene.store.arm(None)
        operation(scene)
        appends = [call for call in scene.store.calls if call.startswith("append")]
        reading = name in (
            "preview",
            "order",
            "orders",
            "fills",
            "history",
            "explain",
            "events",
            "entries",
            "account",
            "open again",
        )
        assert bool(appends) is not reading, name
        scene.store.heal()
        scene.check()


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_retried_command_finds_its_first_decision(fault: str) -> None:
    """K5: after an unknown outcome the same key gives the first answer or the first execution, never both."""
    scene = Scene()
    scene.store.fail(fault, 2)  # the first call looks for the key, the second appends
    assert attempt(scene, OPERATIONS["buy"]) is not None
    assert scene.store.calls == ["find", "append"]
    stored = [e for e in scene.store.real.load("a") if isinstance(e, OrderAccepted) and e.terms.client_order_id == "k"]
    assert bool(stored) is ("stored" in fault.split(", ")[1:])
    scene.store.heal()
    order = scene.a.buy("AAPL", 3, client_order_id="k")
    assert order.filled_quantity == 3
    assert scene.a.buy("AAPL", 3, client_order_id="k") == order
    assert scene.a.position("AAPL").quantity == 23
    scene.check()


def test_a_fill_that_was_not_stored_takes_no_liquidity() -> None:
    """What an unstored order would have taken of the displayed size is there for its retry."""
    scene = Scene()
    scene.quote(1, "100.00", "100.02", bid_size=10, ask_size=10)
    scene.store.fail("unavailable", 1, 3)
    for _ in range(3):
        assert isinstance(attempt(scene, lambda s: s.a.buy("AAPL", 8)), StoreError)
    scene.store.heal()
    assert scene.a.buy("AAPL", 8).filled_quantity == 8
    assert scene.a.buy("AAPL", 8).filled_quantity == 2
    assert scene.b.buy("AAPL", 8).filled_quantity == 8


# --------------------------------------------------- one account's fault is its own


class OneFails(FaultyStore):
    """append_many answers with an error for one account and stores the others."""

    victim = "a"
    broken = False

    def append(self, batch: Append) -> Any:
        if self.broken and batch.stream == self.victim:
            raise pt.errors.StoreUnavailableError("planned")
        return self.real.append(batch)

    def append_many(self, batches: Any) -> Any:
        found = []
        for batch in batches:
            try:
                found.append(self.append(batch))
            except StoreError as why:
                found.append(why)
        return found


@pytest.mark.parametrize("victim", ["a", "b"])
def test_a_fault_in_append_many_stops_that_account_only(victim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A4: the datum that one account could not store fills the other, and the failed one stands where it stood."""
    monkeypatch.setattr("test_store_faults.FaultyStore", OneFails)
    scene = Scene()
    scene.store.victim = victim  # type: ignore[attr-defined]
    other = scene.b if victim == "a" else scene.a
    failing = scene.a if victim == "a" else scene.b
    before = failing.digest()
    scene.store.broken = True  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="planned"):
        OPERATIONS["quote fills both"](scene)
    scene.store.broken = False  # type: ignore[attr-defined]
    assert other.position("AAPL").quantity > 20
    assert failing.digest() == before
    scene.check()


def test_fills_that_never_became_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted before the store is asked, while batches and their rows are made: nobody keeps a fill."""
    scene = Scene()

    def interrupted(step: Step, commit_id: str | None) -> Append:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scene.exchange._desk, "batch_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scene.quote(1, "98.90", "98.92")
    scene.check()
    scene.quote(2, "98.90", "98.93")
    scene.check()
    assert scene.a.position("AAPL").quantity == 25


def test_a_fault_on_the_clock_does_not_block_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A4: while the new day of one account cannot be stored, another account trades and the market moves."""
    monkeypatch.setattr("test_store_faults.FaultyStore", OneFails)
    scene = Scene()
    scene.store.broken = True  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="planned"):
        scene.quote(86_400, "100.10", "100.12")
    assert scene.exchange.market("AAPL").ask == Decimal("100.12")
    assert scene.b.buy("AAPL", 1).average_price == Decimal("100.12")
    with pytest.raises(StoreError, match="planned"):
        scene.a.buy("AAPL", 1)
    scene.store.broken = False  # type: ignore[attr-defined]
    assert scene.a.buy("AAPL", 1).is_final
    scene.check()


@pytest.mark.parametrize("answer", [None, [], [None, None], "ab", [pt.errors.StoreFullError("x")] * 3])
def test_a_store_that_answers_nonsense(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few, too many or meaningless answers to append_many are no acknowledgment of anything."""
    scene = Scene()
    before = (scene.a.digest(), scene.b.digest())
    with monkeypatch.context() as patch:
        patch.setattr(scene.store, "append_many", lambda batches: answer)
        with pytest.raises(StoreError):
            OPERATIONS["quote fills both"](scene)
    assert (scene.a.digest(), scene.b.digest()) == before
    scene.check()


# ------------------------------------------------------------- models that fail


class Model:
    """A slippage, fill and fee model that works until it is told to fail."""

    name = "planned"
    answer: Any = None

    def _answer(self, good: Any) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return good if self.answer is None else self.answer

    def slip(self, candidate: Any) -> Any:
        return self._answer("0.01")

    def quantity(self, candidate: Any) -> Any:
        return self._answer(candidate.quantity)

    def owed(self, tally: Any) -> Any:
        return self._answer((("commission", 10**7),))


BAD_ANSWERS: list[Any] = [
    ZeroDivisionError("planned"), KeyboardInterrupt("planned"), RecursionError("planned"), -1, "-1", "x", float("nan"),
    Decimal("sNaN"), Decimal("1E+999999"), 10**5_000, True, [], object(), "0.0000000001", ("commission", 5),
    (("commission", 0.5),), (("commission", True),), ((5, 5),), (("a\n", 5),), (("commission",),), 5,
]  # fmt: skip


def scene_with(model: Model, role: str) -> Scene:
    if role == "fees":
        return Scene(fees=model)
    return Scene(fill=pt.FillSettings(**{role: model}))


@pytest.mark.parametrize("role", ["slippage", "fill_model", "fees"])
@pytest.mark.parametrize("answer", BAD_ANSWERS, ids=lambda v: type(v).__name__)
def test_models_that_fail(role: str, answer: Any) -> None:
    """A user's model that raises or answers nonsense leaves every account and the market as they were."""
    for name in ("buy", "quote triggers both", "quote fills both", "close all"):
        model = Model()
        scene = scene_with(model, role)
        before = scene.a.digest()
        model.answer = answer
        why: BaseException | None = None
        try:
            OPERATIONS[name](scene)
        except (UsageError, ZeroDivisionError, KeyboardInterrupt, RecursionError) as raised:
            why = raised
        model.answer = None
        scene.check()
        if why is not None and name == "buy":
            assert scene.a.digest() == before
        if why is not None and name.startswith("quote") and not isinstance(why, KeyboardInterrupt):
            assert len(scene.b.fills()) > 1, "the other account met the datum"
        scene.a.buy("AAPL", 1)
        scene.quote(50, "98.00", "98.10")
        scene.check()


@pytest.mark.parametrize("role", ["slippage", "fill_model", "fees"])
def test_the_control_models_are_asked(role: str) -> None:
    """The control: with a model that fails, a market order does fail."""
    model = Model()
    scene = scene_with(model, role)
    model.answer = ZeroDivisionError("planned")
    with pytest.raises(ZeroDivisionError):
        scene.a.buy("AAPL", 1)


# ---------------------------------------------------------- books found wrong


@pytest.mark.parametrize("name", ["buy", "buy and rest", "quote fills both", "cancel", "deposit", "new day"])
def test_a_broken_invariant_stops_its_account_only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A6: an account whose books are found wrong stops and says why; the journal and the others stand."""
    scene = Scene()
    stored = list(scene.store.real.load("a"))
    from papertrade.engine import evolve as module

    real = module.book

    def wrong(books: Any, lines: Any, account: str, version: int) -> None:
        if account == "a":
            raise InvariantError("L1 balanced entry", account, 1, 0)
        real(books, lines, account, version)

    with monkeypatch.context() as patch:
        patch.setattr(module, "book", wrong)
        with pytest.raises(InvariantError, match="L1"):
            OPERATIONS[name](scene)
    for use in (lambda: scene.a.buy("AAPL", 1), lambda: scene.a.deposit(1), lambda: scene.a.cancel_order("a-2")):
        with pytest.raises(AccountSuspendedError, match="L1 balanced entry"):
            use()
    assert scene.a.account().version == len(stored)
    assert list(scene.store.real.load("a")) == stored
    assert scene.b.buy("AAPL", 1).is_final
    scene.quote(300_000, "98.90", "98.95")
    assert list(scene.store.real.load("a")) == stored
