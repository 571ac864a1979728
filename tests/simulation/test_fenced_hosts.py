"""Hosts that take an account from each other, on the simulated disk: one writes, the late ones hear that they are late.

Each seed draws who takes the account, who commands it and who is given data, the late ones included, which believe that
the account is still theirs. Two saboteurs show that a store that forgets its fences would be noticed.
"""

from __future__ import annotations

from random import Random

import pytest

from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.errors import AccountSuspendedError, StoreConflictError, StoreError, StoreFencedError
from papertrade.exchange import Exchange
from papertrade.paper import PaperBroker
from papertrade.ports.clock import ManualClock
from papertrade.ports.store import Append, Outcome

from .store_sim import Disk, SimStore

NOON = 1_767_614_400_000_000_000
ACCOUNT = "main"


class Fences:
    """Who owns what, on the disk."""

    def __init__(self) -> None:
        self.given = 0
        self.owner: tuple[int, int] | None = None  # fence and process


class FencedStore(SimStore):
    """One process's line to a disk that can be owned."""

    def __init__(self, disk: Disk, process: int, fences: Fences) -> None:
        super().__init__(disk, process, lambda: NOON, lambda: NOON)
        self.fences = fences

    def take(self, stream: str) -> int:
        self.fences.given += 1
        self.fences.owner = self.fences.given, self.process
        return self.fences.given

    def release(self, stream: str, fence: int) -> None:
        if self.fences.owner is not None and self.fences.owner[0] == fence:
            self.fences.owner = None

    def write(self, batch: Append, unsynced: bool = False) -> Outcome:
        if not self.is_stored(batch) and not self.may_write(batch.fence):
            owner = self.fences.owner
            raise StoreFencedError(batch.stream, batch.fence, None if owner is None else owner[0])
        return super().write(batch._replace(fence=None), unsynced)

    def is_stored(self, batch: Append) -> bool:
        stream = self.disk.streams.get(batch.stream)
        return stream is not None and batch.commit_id in stream.commits

    def may_write(self, fence: int | None) -> bool:
        owner = self.fences.owner
        return fence == (None if owner is None else owner[0])


class IgnoresFences(FencedStore):
    """Anybody may write."""

    def may_write(self, fence: int | None) -> bool:
        return True


class RefusesOnlyWhoHasNone(FencedStore):
    """A fence is enough, however old."""

    def may_write(self, fence: int | None) -> bool:
        return self.fences.owner is None or fence is not None


class Town:
    """Three workers and one account."""

    def __init__(self, seed: int, kind: type[FencedStore]) -> None:
        self.rng = Random(seed)
        self.disk, self.fences, self.kind = Disk(), Fences(), kind
        self.clock = ManualClock(NOON)
        self.seen = {"late": 0, "suspended": 0, "taken": 0, "given up": 0}
        self.exchanges = [self.start(process) for process in range(3)]
        self.brokers: list[PaperBroker | None] = [None, None, None]
        self.take(0)

    def start(self, process: int) -> Exchange:
        exchange = Exchange(self.kind(self.disk, process, self.fences), self.clock)
        exchange.add_instrument("AAPL")
        exchange.on_quote("AAPL", "100.00", "100.02")
        return exchange

    def owner(self) -> int | None:
        return None if self.fences.owner is None else self.fences.owner[1]

    def take(self, process: int) -> None:
        self.seen["taken"] += 1
        self.brokers[process] = self.exchanges[process].open_account(ACCOUNT, cash=10_000_000, exclusive=True)
        assert self.owner() == process

    def command(self, process: int) -> None:
        """The owner is served; whoever is late hears it, is refused from then on, and changes nothing."""
        broker, before = self.brokers[process], self.disk.head(ACCOUNT)
        if broker is None:
            return
        deed = self.rng.choice(
            (
                lambda: broker.buy("AAPL", 1),
                lambda: broker.deposit(1),
                lambda: broker.sell("AAPL", 1, stop_price="99.00"),
                broker.cancel_all_orders,
            )
        )
        if self.owner() == process:
            deed()
            return
        try:
            deed()
        except StoreFencedError:
            self.seen["late"] += 1
        except AccountSuspendedError:
            self.seen["suspended"] += 1
        except StoreConflictError as why:
            raise AssertionError("a late worker was let in to the door") from why
        assert self.disk.head(ACCOUNT) == before, "a late worker wrote"

    def datum(self, process: int) -> None:
        """Data reach every worker; only the owner's account may move by them."""
        before = self.disk.head(ACCOUNT)
        bid = self.rng.randrange(9800, 10100)
        try:
            self.exchanges[process].on_quote("AAPL", f"{bid / 100:.2f}", f"{bid / 100 + 0.02:.2f}")
        except StoreFencedError:
            self.seen["late"] += 1
        assert self.owner() == process or self.disk.head(ACCOUNT) == before, "a late worker wrote"

    def step(self) -> None:
        self.clock.advance(seconds=1)
        process, deed = self.rng.randrange(3), self.rng.random()
        if deed < 0.08 or self.owner() is None:
            self.take(process)
        elif deed < 0.12 and self.owner() == process:
            self.exchanges[process].close_account(ACCOUNT)
            self.brokers[process] = None
            self.seen["given up"] += 1
        elif deed < 0.5:
            self.datum(process)
        else:
            self.command(process)

    def look(self) -> None:
        """Everybody who has the account open reads the fold of what is stored."""
        events = self.disk.streams[ACCOUNT].events()
        stored = digest(fold(AccountState(), events))
        for process, broker in enumerate(self.brokers):
            if broker is None:
                continue
            if process != self.owner():
                with pytest.raises((StoreFencedError, AccountSuspendedError)):
                    broker.deposit(1)
            assert broker.digest() == stored
        writers = [record.process for record in self.disk.streams[ACCOUNT].records]
        assert len(events) == len(writers)


def play(seed: int, kind: type[FencedStore], steps: int = 150) -> Town:
    town = Town(seed, kind)
    for _ in range(steps):
        town.step()
    if town.owner() is not None:
        town.look()
    return town


def test_one_writes_and_the_late_ones_hear_it() -> None:
    """C18: in every run each append is the owner's; across the runs everything that can happen has happened."""
    seen: dict[str, int] = {}
    for seed in range(12):
        for what, count in play(seed, FencedStore).seen.items():
            seen[what] = seen.get(what, 0) + count
    assert all(count >= 10 for count in seen.values()), seen


@pytest.mark.parametrize("kind", [IgnoresFences, RefusesOnlyWhoHasNone])
def test_a_store_that_forgets_its_fences_is_noticed(kind: type[FencedStore]) -> None:
    """The control: within a few runs a late worker gets further than it may."""
    for seed in range(12):
        try:
            play(seed, kind)
        except (AssertionError, StoreError, pytest.fail.Exception):
            return
    pytest.fail("nobody noticed")
