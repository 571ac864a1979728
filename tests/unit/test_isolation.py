"""Engines, accounts and threads leave each other alone."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

import papertrade as pt
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event, OrderFilled
from papertrade.errors import ThreadError
from papertrade.ledger.entries import trial_balance

START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def log() -> ModuleType:
    """The command log of the determinism tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "properties"))
        import command_log

    return command_log


def open_exchange(**options: object) -> pt.Exchange:
    exchange = pt.Exchange(clock="data", **options)  # type: ignore[arg-type]
    exchange.add_instrument("AAPL")
    exchange.on_quote("AAPL", bid="100.00", ask="100.02", at=START)
    return exchange


# ----------------------------------------------------------------- engines


def small_log(seed: int) -> list[tuple[str, dict[str, object]]]:
    """A short log of its own for each engine."""
    found: list[tuple[str, dict[str, object]]] = []
    for number in range(12):
        price = 100 + (seed * 7 + number * 3) % 11
        at = START + number * SECOND
        found.append(("on_quote", {"symbol": "AAPL", "bid": price, "ask": f"{price}.02", "at": at}))
        found.append((("buy", "sell")[number % 3 == 2], {"symbol": "AAPL", "quantity": 1 + (seed + number) % 5}))
        if number % 4 == 1:
            found.append(("buy", {"symbol": "AAPL", "quantity": 2, "limit_price": price - 1}))
    return found


def test_a_hundred_engines_stay_independent() -> None:
    """A hundred engines given their logs in turns do what each does alone, to the byte."""

    def journal(broker: pt.PaperBroker) -> list[bytes]:
        return [encode_event(event) for event in broker.events()]

    alone = []
    for seed in range(100):
        broker = pt.open_paper_broker(cash=100_000, clock="data")
        for method, fields in small_log(seed):
            getattr(broker, method)(**fields)
        alone.append((journal(broker), broker.digest()))
    brokers = [pt.open_paper_broker(cash=100_000, clock="data") for _ in range(100)]
    logs = [small_log(seed) for seed in range(100)]
    for turn in range(max(map(len, logs))):
        for broker, own in zip(brokers, logs, strict=True):
            for method, fields in own[turn : turn + 1]:
                getattr(broker, method)(**fields)
    assert [(journal(b), b.digest()) for b in brokers] == alone
    assert len({digest for _, digest in alone}) > 50


# ----------------------------------------------------------------- accounts


def test_a_command_on_one_account_leaves_the_other_alone(log: ModuleType) -> None:
    """A4: whatever is asked of one account, the digest of the other stands."""
    player = log.Player()
    moved = 0
    for command in log.commands():
        others = [who for who in player.brokers if who != command.who] if command.who != log.MARKET else []
        before = {who: player.brokers[who].digest() for who in others}
        own = player.brokers[command.who].digest() if others else ""
        # Under the data clock time only moves with data, so nobody is woken by the command of another.
        player.give(command)
        assert {who: player.brokers[who].digest() for who in others} == before
        moved += bool(others) and player.brokers[command.who].digest() != own
    assert moved > 100


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_an_accounts_bytes_know_nobody_else(log: ModuleType, who: str) -> None:
    """The same commands with nobody, somebody, or five idle and busy others beside give the same bytes."""
    together = log.play().journal(who)
    alone = log.Player(names=[who])
    crowded = log.Player()
    busy = [crowded.exchange.open_account(f"a{n}", cash=1_000_000) for n in range(5)]
    for number, command in enumerate(log.commands()):
        alone.give(command)
        if number % 9 == 0 and number:
            busy[number % 5].buy("AAPL", 1 + number % 40, time_in_force="day")
            busy[number % 4].sell("AAPL", 1, limit_price="187.05")
        crowded.give(command)
    assert alone.journal(who) == together
    assert crowded.journal(who) == together


# ------------------------------------------------------------------ threads


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads change places as often as the interpreter allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run work(0), work(1), … each in a thread, and raise what any of them raised."""
    failures: list[BaseException] = []
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            gate.wait()
            work(number)
        except BaseException as why:
            failures.append(why)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def check_account(broker: pt.PaperBroker, heard: list[Event]) -> None:
    """Versions without a gap, position = sum of fills, holds = what open orders hold, books in balance."""
    events = broker.events()
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert heard == events[len(events) - len(heard) :]
    fills = [event for event in events if isinstance(event, OrderFilled)]
    assert broker.position("AAPL").quantity_units == sum(fill.sign * fill.quantity_units for fill in fills)
    assert len({fill.fill_id for fill in fills}) == len(fills)
    orders = broker.orders()
    assert sorted(order.number for order in orders) == list(range(1, len(orders) + 1))
    for order in orders:
        own = [fill for fill in fills if fill.number == order.number]
        assert order.filled_units == sum(fill.quantity_units for fill in own)
        assert order.quantity_units == order.filled_units + order.remaining_units + order.canceled_units
    account = broker.account()
    assert account.held_units == sum(order.hold_units for order in orders if order.is_open)
    assert account.total_units >= 0
    balances: dict[str, int] = {}
    for entry in broker.entries():
        for posting in entry.postings:
            name = posting.ledger_account
            balances[name] = balances.get(name, 0) + posting.amount_units
    assert trial_balance(balances) == 0


def test_eight_threads_lose_nothing(restless: None) -> None:
    """Eight threads trade on their own and on two shared accounts while quotes move: nothing is lost or doubled."""
    exchange = open_exchange()
    brokers = {name: exchange.open_account(name, cash=1_000_000) for name in (*map(str, range(8)), "x", "y")}
    heard: dict[str, list[Event]] = {name: [] for name in brokers}
    for name, broker in brokers.items():
        broker.subscribe(heard[name].append)
    placed: dict[str, list[str]] = {name: [] for name in brokers}
    at = iter(range(START + 1, START + 10**9))

    def work(number: int) -> None:
        for turn in range(40):
            for name in (str(number), "xy"[(number + turn) % 2]):
                broker = brokers[name]
                order = broker.buy("AAPL", 1 + turn % 3, client_order_id=f"{number}-{turn}")
                resting = broker.buy("AAPL", 1, limit_price="99.50")
                placed[name] += [order.id, resting.id]
                if turn % 3 == 0:
                    broker.cancel_order(resting)
                if turn % 4 == 0:
                    broker.sell("AAPL", 1)
                    placed[name].append("sold")
            if turn % 5 == number % 5:
                bid = 98 + turn % 4
                exchange.on_quote("AAPL", bid=bid, ask=f"{bid}.02", at=next(at))

    in_threads(8, work)
    assert exchange.accounts() == sorted(brokers)
    for name, broker in brokers.items():
        check_account(broker, heard[name])
        assert len(broker.orders()) == len(placed[name])
        keyed = [order for order in broker.orders() if order.client_order_id]
        assert len({order.client_order_id for order in keyed}) == len(keyed) == (40 if name not in "xy" else 160)


def test_eight_threads_with_one_key_place_one_order(restless: None) -> None:
    """K1 under contention: the same key from eight threads is one order, and all of them are answered with it."""
    exchange = open_exchange()
    broker = exchange.open_account("main", cash=1_000_000)
    answers: list[str] = []
    in_threads(8, lambda _: answers.extend(broker.buy("AAPL", 3, client_order_id=f"k{n}").id for n in range(30)))
    assert len(answers) == 240
    assert len(set(answers)) == len(broker.orders()) == 30
    assert broker.position("AAPL").quantity == 90


def test_a_stranger_thread_is_told_so() -> None:
    """With threadsafe=False every call from another thread is a ThreadError, and nothing changes."""
    exchange = open_exchange(threadsafe=False)
    broker = exchange.open_account("main", cash=1_000)
    order = broker.buy("AAPL", 1, limit_price=90)
    tape = exchange.tape("AAPL")
    before = (broker.digest(), broker.events(), repr(broker.market("AAPL")))
    calls: list[Callable[[], object]] = [
        lambda: broker.buy("AAPL", 1),
        lambda: broker.cancel_order(order),
        lambda: broker.modify_order(order, quantity=2),
        lambda: broker.deposit(5),
        lambda: broker.close_all_positions(),
        lambda: broker.account(),
        lambda: broker.events(),
        lambda: broker.wait(order, 0),
        lambda: broker.subscribe(),
        lambda: exchange.on_quote("AAPL", 1, 2, at=START + 5),
        lambda: tape.quote(1, 2, 3, 4, START + 5),
        lambda: tape.trade(1, 2, START + 5),
        lambda: tape.bar(1, 1, 1, 1, None, START + 5),
        lambda: exchange.advance(to=START + 5),
        lambda: exchange.add_instrument("NEW"),
        lambda: exchange.open_account("other", cash=1),
        lambda: exchange.close(),
    ]
    for call in calls:
        with pytest.raises(ThreadError, match="threadsafe=True"):
            in_threads(1, lambda _, call=call: call())  # type: ignore[misc]
    assert (broker.digest(), broker.events(), repr(broker.market("AAPL"))) == before
    assert exchange.accounts() == ["main"]
    assert broker.buy("AAPL", 1).is_final


# ----------------------------------------------------------------- handlers


def test_ten_thousand_orders_from_a_handler() -> None:
    """NEEDS 23: a handler that orders on each fill is answered at once, without recursion, and hears all in order."""
    broker = open_exchange().open_account("main", cash=10**9)
    heard: list[Event] = []
    depths: list[int] = []

    def on_event(event: Event) -> None:
        heard.append(event)
        depth, frame = 0, sys._getframe()
        while frame.f_back is not None:
            depth, frame = depth + 1, frame.f_back
        depths.append(depth)
        if isinstance(event, OrderFilled) and event.fill_number < 10_000:
            order = broker.buy("AAPL", 1)
            assert order.number == event.number + 1
            assert order.is_final

    broker.subscribe(on_event)
    broker.buy("AAPL", 1)
    fills = [event for event in heard if isinstance(event, OrderFilled)]
    assert [fill.fill_number for fill in fills] == list(range(1, 10_001))
    assert heard == broker.events()[-len(heard) :]
    assert len(set(depths)) == 1
    assert broker.position("AAPL").quantity == 10_000


def test_a_handler_that_raises_loses_nothing() -> None:
    """What a handler raises goes to whoever caused the event; what is queued behind it still arrives, once."""
    broker = open_exchange().open_account("main", cash=10_000)
    heard: list[int] = []
    fails = [True]

    def on_event(event: Event) -> None:
        if fails.pop() if fails else False:
            raise ZeroDivisionError
        heard.append(event.version)

    broker.subscribe(on_event)
    with pytest.raises(ZeroDivisionError):
        broker.buy("AAPL", 1)
    assert len(broker.orders()) == 1
    broker.deposit(1)
    stored = [event.version for event in broker.events()]
    assert heard == stored[len(stored) - len(heard) :]
    assert len(heard) == len(stored) - 3  # opening, first deposit, and the one the handler dropped


# ------------------------------------------------------- clocks and event loops


def no_time(*_: object) -> int:
    raise AssertionError("somebody asked the system for the time")


@pytest.mark.parametrize("clock", ["data", "manual"])
def test_nothing_reads_the_system_clock(clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """NEEDS 26: with the system clock gone, a whole session works under the data clock and a manual clock."""
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "localtime", "gmtime", "perf_counter"):
        monkeypatch.setattr(time, name, no_time)
    manual = pt.ManualClock(START)
    broker = pt.open_paper_broker(cash=10_000, clock=manual if clock == "manual" else "data")
    for second in range(30):
        manual.advance(seconds=1)
        at = START + (second + 1) * SECOND
        broker.on_quote("AAPL", bid=100 - second % 7, ask=101 - second % 7, at=at)
        broker.buy("AAPL", 1, limit_price=97)
    broker.sell("AAPL", 2, stop_price=90)
    broker.close_all_positions()
    assert broker.fills()
    assert max(event.at_ns for event in broker.events()) <= START + 30 * SECOND
    assert broker.account().at_ns == START + 30 * SECOND


def test_the_control_system_clock_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: under the system clock the same patch is felt."""
    broker = pt.open_paper_broker(cash=10_000)
    monkeypatch.setattr(time, "time_ns", no_time)
    with pytest.raises(AssertionError, match="asked the system"):
        broker.on_quote("AAPL", bid=1, ask=2)


def test_works_inside_a_running_event_loop() -> None:
    """The synchronous broker starts no loop and minds none: it works where one is running."""

    async def session() -> pt.Order:
        broker = pt.open_paper_broker(cash=10_000, clock="data")
        heard: list[Event] = []
        broker.subscribe(heard.append)
        broker.on_quote("AAPL", bid=100, ask=101, at=START)
        order = broker.buy("AAPL", 1)
        await asyncio.sleep(0)
        assert broker.wait(order, 0) == order
        assert len(heard) == len(broker.events()) - 2
        return order

    assert asyncio.run(session()).is_final


def test_no_thread_is_started_and_none_is_left() -> None:
    """A session starts no thread."""
    before = threading.active_count()
    broker = pt.open_paper_broker(cash=10_000, clock="data")
    broker.on_quote("AAPL", bid=100, ask=101, at=START)
    broker.buy("AAPL", 1)
    assert threading.active_count() == before


class Asking(Mapping[str, str]):
    """Tags that look at the exchange before they tell themselves."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self.ask = ask

    def __getitem__(self, name: str) -> str:
        return "gap"

    def __iter__(self) -> Iterator[str]:
        self.ask()
        return iter(["strategy"])

    def __len__(self) -> int:
        return 1


def test_what_a_caller_hands_over_may_use_the_exchange() -> None:
    """Levels from a generator and tags of a kind of their own are read before anything is locked."""
    exchange = open_exchange()
    broker = exchange.open_account("asks", cash=10_000)

    def levels(price: int) -> Iterator[tuple[int, int]]:
        assert "asks" in exchange.accounts()
        yield price, 1

    def work() -> None:
        exchange.on_depth("AAPL", levels(99), levels(101), at="2026-01-07T14:30:00Z")
        placed = broker.buy("AAPL", 1, tags=Asking(exchange.accounts))
        found = broker.search_orders(tags=Asking(exchange.accounts)).items
        assert [order.id for order in found] == [placed.id]
        done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert done
