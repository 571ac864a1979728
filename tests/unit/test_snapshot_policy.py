"""Snapshots by policy: taken when the work is done, one for many events; what befalls one befalls nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import Event
from papertrade.engine.snapshot import digest
from papertrade.errors import InvalidValueError, OutcomeUnknownError, StoreConflictError
from papertrade.ports.clock import ManualClock
from papertrade.ports.store import StoredSnapshot, Verification

NOON = 1_767_614_400_000_000_000
MINUTE = 60_000_000_000
Policy = pt.SnapshotPolicy


class Kept(MemoryStore):
    """A store that notes what it is asked about snapshots, and can refuse or damage them."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[int] = []
        self.calls: list[str] = []
        self.reads: list[int] = []  # from which version somebody read
        self.fault: Exception | None = None
        self.damage: dict[str, StoredSnapshot] = {}

    def describe(self) -> Mapping[str, str]:
        return {"kind": "test", "durability": "as long as the test"}

    def append(self, batch):  # type: ignore[no-untyped-def]
        self.calls.append("append")
        return super().append(batch)

    def append_many(self, batches):  # type: ignore[no-untyped-def]
        self.calls.append("append")
        return super().append_many(batches)

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        self.calls.append("snapshot")
        if self.fault is not None:
            raise self.fault
        super().put_snapshot(stream, snapshot)
        self.versions.append(snapshot.version)

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        return self.damage.get(stream) or super().get_snapshot(stream)

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        self.reads.append(start)
        return super().load(stream, start, stop)

    def verify(self, stream: str) -> Verification:
        raise AssertionError("a snapshot does not read the whole journal")


def opened(store: Kept, snapshots: Policy | str | None, **options: object) -> tuple[pt.Exchange, pt.PaperBroker]:
    exchange = pt.Exchange(store, "data", snapshots=snapshots)
    exchange.add_instrument("AAPL")
    exchange.advance(NOON)
    broker = exchange.open_account("main", cash=1_000_000)
    exchange.on_quote("AAPL", "100.00", "100.02", at=NOON)
    return exchange, broker


@pytest.mark.parametrize(
    ("policy", "events", "minutes", "due"),
    [
        (Policy(every_events=10, every_minutes=None), 9, 10_000, False),
        (Policy(every_events=10, every_minutes=None), 10, 0, True),
        (Policy(every_events=10, every_minutes=5), 9, 100, False),  # too few, however long it took
        (Policy(every_events=100, every_minutes=5, at_least=9), 9, 5, True),
        (Policy(every_events=100, every_minutes=5, at_least=9), 9, 4, False),
        (Policy(every_events=100, every_minutes=5, at_least=9), 8, 5, False),
        (Policy(every_events=None, every_minutes=5, at_least=1), 10**9, 4, False),
        (Policy(every_events=None, every_minutes=5, at_least=1), 1, 5, True),
    ],
)
def test_when_one_is_due(policy: Policy, events: int, minutes: int, due: bool) -> None:
    """After so many events; or after so much time, if there were enough events meanwhile."""
    assert policy.is_due(events, minutes * MINUTE) is due


@pytest.mark.parametrize(
    "fields",
    [
        {"every_events": 0},
        {"every_events": True},
        {"every_minutes": -1},
        {"every_minutes": 1.5},
        {"at_least": None},
        {"every_events": None, "every_minutes": None},
    ],
)
def test_a_policy_is_checked(fields: dict[str, object]) -> None:
    """Whole numbers above 0, or None; and something has to bring a snapshot about."""
    with pytest.raises(InvalidValueError):
        Policy(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["sometimes", 1000, True])
def test_snapshots_are_a_policy_or_a_word(wrong: object) -> None:
    """What is no policy is refused by name."""
    with pytest.raises(InvalidValueError, match="snapshots"):
        pt.Exchange(snapshots=wrong)  # type: ignore[arg-type]


def test_one_is_taken_when_enough_happened_since_the_last() -> None:
    """Never two within so many events, each after the append it comes from, and bound to the journal."""
    store = Kept()
    exchange, broker = opened(store, Policy(every_events=10, every_minutes=None))
    for _ in range(100):
        broker.deposit(1)
    gaps = [b - a for a, b in zip([0, *store.versions], store.versions, strict=False)]
    assert gaps == [10] * len(gaps)
    assert store.versions[-1] == broker.account().version // 10 * 10
    kept = store.get_snapshot("main")
    assert kept is not None
    assert kept.chain == store.chain_at("main", kept.version)
    assert exchange.describe()["snapshots"] == f"every 10 events; {len(gaps)} kept, 0 failed, 0 found damaged"


def test_a_burst_makes_one() -> None:
    """One datum fills sixty orders: sixty events and more are one snapshot, of the state after all of them."""
    store = Kept()
    exchange, broker = opened(store, Policy(every_events=200, every_minutes=None))
    for _ in range(60):
        broker.buy("AAPL", 1, limit_price="99.00")
    broker.snapshot()
    store.versions.clear()
    store.calls.clear()
    exchange._desk.snapshots.policy = Policy(every_events=10, every_minutes=None)  # type: ignore[union-attr]
    exchange.on_quote("AAPL", "98.90", "98.95", at=NOON + 1)
    assert len(broker.orders("open")) == 0
    assert store.calls == ["append", "snapshot"]
    assert store.versions == [broker.account().version]


def test_time_is_the_clock_of_the_exchange() -> None:
    """Minutes pass by the exchange's own clock, and are looked at when something happens."""
    store, clock = Kept(), ManualClock(NOON)
    exchange = pt.Exchange(store, clock, snapshots=Policy(every_events=None, every_minutes=15, at_least=2))
    broker = exchange.open_account("main", cash=1)
    broker.deposit(1)
    clock.advance(seconds=14 * 60)
    broker.deposit(1)
    assert store.versions == []
    clock.advance(seconds=60)
    assert store.versions == []
    broker.deposit(1)
    assert store.versions == [5]
    clock.advance(seconds=6000)
    broker.deposit(1)  # one event is not two
    assert store.versions == [5]


def test_one_that_fails_fails_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """The command is answered; the failure is counted and logged; the next try comes so many events later."""
    store = Kept()
    exchange, broker = opened(store, Policy(every_events=10, every_minutes=None))
    store.fault = OutcomeUnknownError("planned")
    with caplog.at_level(logging.WARNING, "papertrade"):
        for _ in range(30):
            broker.deposit(1)
    tries = store.calls.count("snapshot")
    assert tries == broker.account().version // 10
    assert [record.message.startswith("a snapshot of account 'main'") for record in caplog.records] == [True] * tries
    assert f"0 kept, {tries} failed" in exchange.describe()["snapshots"]
    store.fault = None
    for _ in range(10):
        broker.deposit(1)
    assert len(store.versions) == 1
    exchange._desk.spoil("main")
    assert broker.account().total == 1_000_040


def test_memory_takes_none_by_itself() -> None:
    """Nothing outlives the process, so nothing has to be opened quickly; on demand it works."""
    exchange = pt.Exchange(clock="data")
    broker = exchange.open_account("main", cash=1)
    for _ in range(1100):
        broker.deposit(1)
    assert exchange._desk.store.get_snapshot("main") is None
    assert broker.snapshot() == broker.account().version
    assert exchange.describe()["snapshots"] == "on demand"


@pytest.mark.parametrize("word", ["off", "on demand"])
def test_a_word_turns_them_off(word: str) -> None:
    """None by itself; one when asked."""
    store = Kept()
    _, broker = opened(store, word)
    for _ in range(1100):
        broker.deposit(1)
    assert store.versions == []
    assert broker.snapshot() == store.versions[0]


def test_what_outlives_the_process_takes_them_by_default() -> None:
    """Every thousand events, without a word."""
    store = Kept()
    _, broker = opened(store, None)
    for _ in range(1000):
        broker.deposit(1)
    assert store.versions == [1000]


def test_the_tape_takes_them_too() -> None:
    """The fast entrance is no way around."""
    store = Kept()
    exchange, broker = opened(store, Policy(every_events=3, every_minutes=None))
    tape = exchange.tape("AAPL")
    broker.buy("AAPL", 1, limit_price="99.00")
    store.versions.clear()
    for second in range(1, 4):
        for _ in range(3):
            broker.buy("AAPL", 1, limit_price="99.00")
        store.versions.clear()
        if second == 1:
            tape.quote(9800, 9810, 5, 5, NOON + second)
        elif second == 2:
            tape.trade(9700, 5, NOON + second)
        else:
            tape.bar(9700, 9700, 9600, 9650, 100, NOON + second)
        assert store.versions == [broker.account().version], second
        exchange.on_quote("AAPL", "100.00", "100.02", at=NOON + second)


def test_the_asynchronous_host_takes_them_too() -> None:
    """The same policy, in the same turn as the command."""
    store = Kept()

    async def main() -> int:
        exchange = pt.AsyncExchange(store, "data", snapshots=Policy(every_events=10, every_minutes=None))
        broker = await exchange.open_account("main", cash=1)
        for _ in range(25):
            await broker.deposit(1)
        return (await broker.account()).version

    assert asyncio.run(main()) == 27
    assert store.versions == [10, 20]


# ------------------------------------------------------------ at the next opening


def damaged(store: Kept, how: str) -> StoredSnapshot:
    kept = MemoryStore.get_snapshot(store, "main")
    assert kept is not None
    return {
        "cut": kept._replace(data=kept.data[:-1]),
        "not one": kept._replace(data=b"snapshot"),
        "another version": kept._replace(version=kept.version - 1, chain=store.chain_at("main", kept.version - 1)),
        "another history": kept._replace(chain="0" * 64),
        "another account": kept._replace(data=kept.data.replace(b'"account":"main"', b'"account":"niam"')),
        "ahead": kept._replace(version=999),
    }[how]


@pytest.mark.parametrize("how", ["cut", "not one", "another version", "another history", "another account", "ahead"])
def test_a_damaged_one_is_said_and_not_needed(how: str, caplog: pytest.LogCaptureFixture) -> None:
    """D13: with a snapshot that cannot be used the journal is read in whole: the same account, and a warning."""
    store = Kept()
    _, broker = opened(store, Policy(every_events=10, every_minutes=None))
    for _ in range(30):
        broker.buy("AAPL", 1)
    expected = broker.digest()
    store.damage["main"] = damaged(store, how)
    with caplog.at_level(logging.WARNING, "papertrade"):
        exchange, again = opened(store, Policy(every_events=10, every_minutes=None))
    assert again.digest() == expected == digest(exchange._desk.engine.seats["main"].state)
    assert [record.message.startswith("the snapshot of account 'main' cannot be used") for record in caplog.records]
    assert exchange.describe()["snapshots"].endswith("1 found damaged")
    store.damage.clear()
    store.versions.clear()
    again.buy("AAPL", 1)
    assert store.versions == [again.account().version], "it is replaced by the next one"


def test_one_that_is_whole_is_used() -> None:
    """The control: opening reads the snapshot and the tail, and nothing before it."""
    store = Kept()
    _, broker = opened(store, Policy(every_events=10, every_minutes=None))
    for _ in range(30):
        broker.buy("AAPL", 1)
    version, expected = store.versions[-1], broker.digest()
    store.reads.clear()
    exchange, again = opened(store, "off")
    assert store.reads == [version + 1]
    assert again.digest() == expected
    assert exchange.describe()["snapshots"] == "on demand; 0 kept, 0 failed, 0 found damaged"


def test_on_demand_it_is_refused_behind_the_journal() -> None:
    """E4: who fell behind hears of it, and is right the second time; the whole journal is not read for it."""
    store = Kept()
    _, one = opened(store, "off")
    _, two = opened(store, "off")
    one.deposit(1)
    with pytest.raises(StoreConflictError):
        two.snapshot()
    assert two.snapshot() == one.account().version
