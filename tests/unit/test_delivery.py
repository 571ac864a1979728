"""Events reach who subscribed: in order, once, after the state they describe can be read, whoever raises or trades."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.events import encode_event
from papertrade.domain.events import EVENT_TYPES, Event, OrderFilled
from papertrade.errors import InvalidValueError, StoreError
from papertrade.testing.faulty_store import FaultyStore

START = 1_767_623_400_000_000_000


def open_exchange(*names: str) -> tuple[pt.Exchange, list[pt.PaperBroker]]:
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("AAPL")
    exchange.on_quote("AAPL", bid="100.00", ask="100.02", at=START)
    return exchange, [exchange.open_account(name, cash=1_000_000) for name in names or ("main",)]


def open_broker() -> pt.PaperBroker:
    return open_exchange()[1][0]


def versions(events: Any) -> list[int]:
    return [event.version for event in events]


# --------------------------------------------------------- order, once, after


def test_in_order_and_once() -> None:
    """Two subscribers hear every stored event, in the order of its version, exactly once, and the same objects."""
    broker = open_broker()
    first: list[Event] = []
    second: list[Event] = []
    broker.subscribe(first.append)
    broker.subscribe(second.append)
    for number in range(30):
        broker.buy("AAPL", 1 + number % 3, limit_price=99 + number % 3)
        broker.exchange.on_quote("AAPL", 99 - number % 2, 100 - number % 2, at=START + number + 1)
    broker.close_all_positions()
    assert first == second == broker.events(after=2)
    assert versions(first) == list(range(3, len(first) + 3))
    assert [encode_event(event) for event in first] == [encode_event(event) for event in broker.events(after=2)]


def test_after_the_state_is_visible() -> None:
    """When an event arrives, everything it says can be read: order, fill, position, money, journal."""
    broker = open_broker()
    checked: list[str] = []

    def on_event(event: Event) -> None:
        checked.append(event.kind)
        assert event in broker.events(after=event.version - 1)
        assert broker.account().version >= event.version
        if isinstance(event, OrderFilled):
            order = broker.order(event.order_id)
            assert order.filled_quantity >= event.quantity
            assert event.fill_id in [fill.id for fill in broker.fills(order.id)]
            assert broker.position("AAPL").quantity == sum(f.quantity for f in broker.fills(symbol="AAPL"))
            assert broker.account().total == 1_000_000 - sum(f.value for f in broker.fills())

    broker.subscribe(on_event)
    broker.buy("AAPL", 5)
    broker.buy("AAPL", 5, limit_price=99)
    broker.exchange.on_quote("AAPL", 98, 98, at=START + 1)
    assert checked.count("order_filled") == 2
    assert "order_accepted" in checked


def test_nothing_is_heard_of_what_was_not_stored() -> None:
    """A preview, a misuse and a question make no event."""
    broker = open_broker()
    heard: list[Event] = []
    broker.subscribe(heard.append)
    broker.preview_order(pt.OrderRequest(symbol="AAPL", side="buy", quantity=5))
    with pytest.raises(pt.UsageError):
        broker.buy("AAPL", -5)
    broker.account()
    broker.orders()
    assert not heard


# ------------------------------------------------------------ handlers that raise


def test_a_handler_that_raises_does_not_lose_later_events() -> None:
    """Its error reaches the caller after the deed; all others, and it too from the next event on, miss nothing."""
    broker = open_broker()
    before: list[Event] = []
    angry: list[Event] = []
    after: list[Event] = []

    def raise_once(event: Event) -> None:
        angry.append(event)
        if len(angry) == 1:
            raise ZeroDivisionError("planned")

    broker.subscribe(before.append)
    broker.subscribe(raise_once)
    broker.subscribe(after.append)
    with pytest.raises(ZeroDivisionError, match="planned"):
        broker.buy("AAPL", 1)
    assert broker.position("AAPL").quantity == 1
    broker.deposit(1)
    stored = broker.events(after=2)
    assert before == angry == after == stored


def test_every_handler_that_raises_is_heard() -> None:
    """A handler that always raises raises on each delivery, and never stops the others for good."""
    broker = open_broker()
    heard: list[Event] = []

    def always(event: Event) -> None:
        raise ZeroDivisionError

    broker.subscribe(always)
    broker.subscribe(heard.append)
    raised = 0
    for _ in range(20):
        try:
            broker.deposit(1)
        except ZeroDivisionError:
            raised += 1
    assert raised == 20
    broker.exchange._desk.outbox.deliver()
    assert heard == broker.events(after=2)


def test_a_refused_call_still_delivers_what_was_stored() -> None:
    """What was stored before a call failed is news all the same: one account's fault is not the other's silence."""
    exchange, (one, two) = open_exchange("one", "two")
    for broker in (one, two):
        broker.buy("AAPL", 1, limit_price=95)
    heard: list[str] = []
    exchange.subscribe(lambda event: heard.append(event.account), kinds="order_filled")
    store = exchange._desk.store
    append_many = store.append_many

    def failing(batches: Any) -> Any:
        return [pt.StoreError("no") if b.stream == "one" else append_many([b])[0] for b in batches]

    store.append_many = failing  # type: ignore[method-assign]
    with pytest.raises(pt.StoreError):
        exchange.on_quote("AAPL", 94, 94, at=START + 1)
    assert heard == ["two"]


# ----------------------------------------------------------------- subscriptions


def test_by_kind() -> None:
    """A subscription by kind hears that kind and no other; several kinds may be named."""
    broker = open_broker()
    fills: list[Event] = []
    money: list[Event] = []
    nothing: list[Event] = []
    broker.subscribe(fills.append, kinds="order_filled")
    broker.subscribe(money.append, kinds=["cash_deposited", "cash_withdrawn"])
    broker.subscribe(nothing.append, kinds=[])
    broker.buy("AAPL", 1)
    broker.deposit(5)
    broker.withdraw(5)
    assert [event.kind for event in fills] == ["order_filled"]
    assert [event.kind for event in money] == ["cash_deposited", "cash_withdrawn"]
    assert not nothing


@pytest.mark.parametrize("kinds", ["fill", "", ["order_filled", "x"], 5, [5], object(), iter([None])])
def test_unknown_kinds_are_refused(kinds: Any) -> None:
    """A kind that does not exist would never be heard: it is refused, with those that do."""
    with pytest.raises(InvalidValueError, match="kinds") as caught:
        open_broker().subscribe(print, kinds=kinds)
    assert all(kind in str(caught.value) for kind in EVENT_TYPES)


@pytest.mark.parametrize("handler", ["print", 5, object()])
def test_a_handler_can_be_called(handler: Any) -> None:
    """What cannot be called is refused when it subscribes, not when something happens."""
    with pytest.raises(InvalidValueError, match="handler"):
        open_broker().subscribe(handler)


def test_by_account() -> None:
    """An exchange's subscription hears all accounts or one; a broker's hears its own."""
    exchange, (one, two) = open_exchange("one", "two")
    every: list[str] = []
    second: list[str] = []
    own: list[str] = []
    exchange.subscribe(lambda event: every.append(event.account))
    exchange.subscribe(lambda event: second.append(event.account), account="two")
    one.subscribe(lambda event: own.append(event.account))
    one.deposit(1)
    two.deposit(1)
    one.deposit(1)
    assert (every, second, own) == (["one", "two", "one"], ["two"], ["one", "one"])


def test_iteration() -> None:
    """Without a callback, iterating takes what has arrived, then stops; iterating again takes what came since."""
    broker = open_broker()
    with broker.subscribe(kinds=["order_accepted", "order_filled"]) as arrived:
        assert list(arrived) == []
        broker.buy("AAPL", 1)
        assert [event.kind for event in arrived] == ["order_accepted", "order_filled"]
        assert list(arrived) == []
        broker.buy("AAPL", 2)
        broker.buy("AAPL", 3)
        assert len(list(arrived)) == 4
        for _ in zip(range(5), arrived, strict=False):  # what happens while iterating arrives in the same loop
            broker.buy("AAPL", 1)


def test_after_the_fact() -> None:
    """events(after) answers what is stored after a version, by kind, and takes up where a subscription ended."""
    broker = open_broker()
    heard: list[Event] = []
    with broker.subscribe(heard.append):
        broker.buy("AAPL", 1)
    broker.buy("AAPL", 2)
    missed = broker.events(after=heard[-1].version)
    assert [*heard, *missed] == broker.events(after=2)
    assert [event.kind for event in broker.events(kinds="order_filled")] == ["order_filled"] * 2
    assert broker.events(after=10_000) == []
    for wrong in (-1, True, 1.5, "1", None):
        with pytest.raises(InvalidValueError, match="after"):
            broker.events(after=wrong)  # type: ignore[arg-type]


def test_close() -> None:
    """A closed subscription hears nothing more; closing twice is fine; closing one leaves its twin alone."""
    broker = open_broker()
    heard: list[Event] = []
    first = broker.subscribe(heard.append)
    second = broker.subscribe(heard.append)
    broker.deposit(1)
    first.close()
    first.close()
    broker.deposit(1)
    second.close()
    broker.deposit(1)
    assert versions(heard) == [3, 3, 4]


def test_closing_inside_a_handler() -> None:
    """A handler may end its own subscription: what was queued for it before still arrives, nothing after."""
    broker = open_broker()
    heard: list[int] = []

    def once(event: Event) -> None:
        heard.append(event.version)
        subscription.close()

    subscription = broker.subscribe(once, kinds="cash_deposited")
    broker.deposit(1)
    broker.deposit(1)
    assert heard == [3]


def test_subscribing_inside_a_handler() -> None:
    """Who subscribes inside a handler hears what is stored from then on, and not the event that is being delivered."""
    broker = open_broker()
    late: list[Event] = []

    def on_event(event: Event) -> None:
        if not late:
            broker.subscribe(late.append, kinds="cash_deposited")
            broker.deposit(2)

    broker.subscribe(on_event, kinds="order_filled")
    broker.buy("AAPL", 1)
    assert [str(event.amount) for event in late] == ["2"]  # type: ignore[union-attr]


# --------------------------------------------------------------- nested commands


def test_nested_commands_do_not_recurse() -> None:
    """A handler that trades on each fill is always called from the same depth, answered at once, heard in order."""
    broker = open_broker()
    heard: list[Event] = []
    other: list[Event] = []
    depths: set[int] = set()

    def on_event(event: Event) -> None:
        heard.append(event)
        depth, frame = 0, sys._getframe()
        while frame.f_back is not None:
            depth, frame = depth + 1, frame.f_back
        depths.add(depth)
        if isinstance(event, OrderFilled) and event.fill_number < 500:
            order = broker.buy("AAPL", 1)
            assert order.is_final
            assert len(heard) < order.version  # its own events are still on their way

    broker.subscribe(on_event)
    broker.subscribe(other.append)
    broker.buy("AAPL", 1)
    assert heard == other == broker.events(after=2)
    assert len(depths) == 1
    assert broker.position("AAPL").quantity == 500


def test_a_cancel_inside_a_handler_is_answered() -> None:
    """A handler cancels another order on a fill and sees it canceled; nobody hears the cancel before the fill."""
    broker = open_broker()
    other = broker.buy("AAPL", 1, limit_price=50)
    kinds: list[str] = []

    def on_fill(event: Event) -> None:
        assert broker.cancel_order(other).status == "canceled"

    broker.subscribe(on_fill, kinds="order_filled")
    broker.subscribe(lambda event: kinds.append(event.kind))
    broker.buy("AAPL", 1)
    assert kinds == ["order_accepted", "order_filled", "order_canceled"]


def test_market_handlers() -> None:
    """A market's handler is called once after each of its data, with events of the datum delivered before it."""
    exchange, (broker,) = open_exchange()
    exchange.add_instrument("MSFT")
    trail: list[str] = []
    broker.subscribe(lambda event: trail.append(event.kind), kinds="order_filled")
    broker.buy("AAPL", 1, limit_price=99)
    stop = broker.subscribe_market("AAPL", lambda market: trail.append(f"{market.symbol} {market.bid}"))
    exchange.on_quote("AAPL", 98, 98, at=START + 1)
    exchange.on_quote("MSFT", 98, 98, at=START + 2)
    exchange.on_quote("AAPL", 97, 98, at=START + 3)
    stop()
    exchange.on_quote("AAPL", 96, 97, at=START + 4)
    assert trail == ["order_filled", "AAPL 98", "AAPL 97"]


# --------------------------------------------------------------------- threads


def in_threads(*work: Callable[[], None]) -> None:
    failures: list[BaseException] = []
    gate = threading.Barrier(len(work))

    def guarded(task: Callable[[], None]) -> None:
        try:
            gate.wait()
            task()
        except BaseException as why:
            failures.append(why)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    if failures:
        raise failures[0]


@pytest.fixture
def _restless() -> Any:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_restless")
def test_two_threads() -> None:
    """Two threads trade while one handler listens: it is never in two places at once, and hears all in order."""
    broker = open_broker()
    heard: list[Event] = []
    inside = [0]

    def on_event(event: Event) -> None:
        inside[0] += 1
        assert inside[0] == 1
        heard.append(event)
        assert broker.account().version >= event.version
        inside[0] -= 1

    broker.subscribe(on_event)

    def trade() -> None:
        for _ in range(200):
            broker.buy("AAPL", 1)

    in_threads(trade, trade)
    broker.exchange._desk.outbox.deliver()
    assert heard == broker.events(after=2)
    assert len(broker.fills()) == 400


@pytest.mark.usefixtures("_restless")
def test_nothing_stays_behind_when_threads_stop() -> None:
    """When every call has returned, everything stored has been handed over: nobody's last event waits for the next."""
    for _ in range(30):
        broker = open_broker()
        heard: list[Event] = []
        broker.subscribe(heard.append)

        def deposit(broker: pt.PaperBroker = broker) -> None:
            for _ in range(10):
                broker.deposit(1)

        in_threads(deposit, deposit)
        assert heard == broker.events(after=2)


def test_what_is_queued_at_the_last_moment_is_delivered() -> None:
    """An event that another thread queues just as a delivery ends is handed over by that delivery, not left lying."""
    broker = open_broker()
    outbox = broker.exchange._desk.outbox
    heard: list[int] = []
    subscription = broker.subscribe(lambda event: heard.append(event.version))
    late = broker.events()[0]

    class Lock:
        """Stands in for the outbox's lock, to be at the one place where the other thread would have to come in."""

        entered = 0

        def __enter__(self) -> None:
            self.entered += 1
            if self.entered == 2:  # the delivery has found nothing more and is about to say so
                outbox.waiting.append((subscription, late))

        def __exit__(self, *_: object) -> None:
            pass

    outbox._lock = Lock()  # type: ignore[assignment]
    broker.deposit(1)
    assert heard == [3, late.version]


@pytest.mark.usefixtures("_restless")
def test_a_thread_waits_while_another_feeds() -> None:
    """wait() in one thread ends when another thread's data fills the order."""
    exchange, (broker,) = open_exchange()
    order = broker.buy("AAPL", 1, limit_price=90)
    answers: list[pt.Order] = []

    def feed() -> None:
        for step in range(1, 40):
            exchange.on_quote("AAPL", 100 - step, 100 - step, at=START + step)

    in_threads(lambda: answers.append(broker.wait(order, 30)), feed)
    assert answers[0].status == "filled"
    assert not exchange._desk.outbox.subscriptions


@pytest.mark.parametrize("how", ["opened", "cloned"])
@pytest.mark.parametrize("fault", ["unknown, stored", "unknown, not stored", "unavailable", "interrupted, stored"])
def test_the_beginning_of_an_account_is_heard_once(fault: str, how: str) -> None:
    """Also when the store's answer to it did not arrive: whoever asks again makes subscribers hear of it."""
    store = FaultyStore(MemoryStore())
    exchange = pt.Exchange(store, clock="data")  # type: ignore[arg-type]
    exchange.open_account("main", cash=1000)
    heard = exchange.subscribe(account="other")

    def begin() -> pt.PaperBroker:
        if how == "opened":
            return exchange.open_account("other", cash=500)
        return exchange.clone_account("main", "other", command_id="c")

    store.fail(fault, calls=("append",))
    with suppress(StoreError, KeyboardInterrupt):
        begin()
    store.heal()
    broker = begin()
    begin()
    broker.deposit(1)
    assert list(heard) == broker.events()
