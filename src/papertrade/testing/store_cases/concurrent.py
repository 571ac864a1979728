"""C14 to C17, C31, C34, C35, C37, C38: threads, processes and tasks that use a store at once."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from papertrade.domain.events import CashDeposited
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Store
from papertrade.testing.contract import expect
from papertrade.testing.store_cases import nursery
from papertrade.testing.store_cases.base import Level, at
from papertrade.testing.store_cases.opening import inner_of, the_loop
from papertrade.testing.store_cases.samples import batch, event
from papertrade.testing.store_cases.trimming import TrimmingCases

QUICK_SWITCHES_S = 1e-6
READINGS = 10


class ConcurrentCases(TrimmingCases):
    """Everything at once."""

    def test_c14_a_view_of_one_moment(self) -> None:
        """A reader that is still reading does not see what is appended meanwhile."""
        self.store.append(batch(0, 2))
        reader = iter(self.store.load("main"))
        next(reader)
        self.store.append(batch(2, 2))
        rest = [e.version for e in reader]
        expect(rest == [2], "a reader sees one moment", rest)
        expect(len(self.versions(self.store)) == 4, "the next one sees the next moment")

    def test_c14_readers_see_a_dense_prefix(self) -> None:
        """While somebody appends pairs, every reader sees whole pairs from 1 on without a gap, and never fewer."""
        seen: list[list[int]] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.append([e.version for e in self.store.load("main")])

        def write() -> None:
            for turn in range(20 * self.races):
                if turn >= self.races and len(seen) >= READINGS:
                    break
                self.store.append(batch(2 * turn, 2))
            done.set()

        self._together([read, write])
        expect(seen, "somebody read")
        for versions in seen:
            expect(versions == list(range(1, len(versions) + 1)), "a reader sees a dense prefix", versions[-20:])
            expect(len(versions) % 2 == 0, "a reader sees whole batches", versions[-3:])
        sizes = [len(versions) for versions in seen]
        expect(sizes == sorted(sizes), "a reader never sees less than before")

    @at(Level.CONCURRENT)
    def test_c15_threads_race(self) -> None:
        """Two threads race for each version: one winner each, and both win what they were told."""
        self._race([self.store, self.store], self.races)

    @at(Level.CONCURRENT)
    def test_c16_processes_race(self) -> None:
        """Two processes race for each version of one stream: nothing is lost, doubled or overwritten."""
        self.need_shared()
        self._processes(2, self.races)

    @at(Level.CONCURRENT)
    def test_c17_eight_writers(self) -> None:
        """Eight handles read, append and try again after a conflict: each append is there once, and nobody starves."""
        stores = [self.store, *(self.open() if self.shared else self.store for _ in range(7))]
        self._race(stores, max(self.races // 4, 1))

    @at(Level.CONCURRENT)
    def test_c31_eight_processes_open_at_once(self) -> None:
        """A place that does not exist yet is opened by eight processes in one instant, and all of them work."""
        self.need_shared()
        self._processes(8, 5)

    def _race(self, stores: list[Store], count: int) -> None:
        won = [0] * len(stores)

        def write(number: int) -> None:
            store = stores[number]
            while won[number] < count:
                head = store.head("main")
                made = Append("main", head, [event(head + 1, amount=number + 1)], f"{number + 1}-{won[number]}")
                outcome = self.said(partial(store.append, made))
                if isinstance(outcome, Appended):
                    won[number] += 1
                else:
                    expect(isinstance(outcome, Conflict), "who lost a race is told so", outcome)

        self._together([partial(write, number) for number in range(len(stores))])
        self._check_race(self.store, len(stores), count)

    def _processes(self, racers: int, count: int) -> None:
        found = nursery.race(self.target, self.location, racers, count, self.patience_s)
        expect([won for won, _ in found] == [count] * racers, "every racer wins in the end", found)
        self._check_race(self.open(), racers, count)

    def _check_race(self, store: Store, racers: int, count: int) -> None:
        events = list(store.load("main"))
        versions = [e.version for e in events]
        expect(versions == list(range(1, racers * count + 1)), "one winner for each version", len(versions))
        stored = Counter(e.amount_units for e in events if isinstance(e, CashDeposited))
        wanted = dict.fromkeys(range(1, racers + 1), count)
        expect(stored == wanted, "each has stored what it was told it won", stored)
        expect(store.verify("main").version == racers * count, "and it is whole")
        for number in range(1, racers + 1):
            for turn in range(count):
                kept = store.find("main", f"{number}-{turn}")
                amount = 0 if kept is None else getattr(events[kept.first - 1], "amount_units", 0)
                expect(amount == number, "a key leads to its own event", f"{number}-{turn}", kept)

    def _together(self, works: list[Callable[[], None]]) -> None:
        """Run these in threads that switch as often as they can; the first error is ours."""
        errors: list[BaseException] = []

        def run(work: Callable[[], None]) -> None:
            try:
                work()
            except BaseException as why:
                errors.append(why)

        before = sys.getswitchinterval()
        sys.setswitchinterval(QUICK_SWITCHES_S)
        threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(self.patience_s)
                expect(not thread.is_alive() or errors, "threads that share a store come to an end")
        finally:
            sys.setswitchinterval(before)
        if errors:
            raise errors[0]

    @at(Level.CONCURRENT)
    def test_c34_other_threads(self) -> None:
        """A store is used by another thread than the one that opened it, and closed by a third."""
        store = self.store
        self._together([lambda: expect(store.append(batch(0)) == Appended(1, 1), "another thread appends")])
        self._together([lambda: expect(self.versions(store) == [1], "another thread reads")])
        self._together([store.close])

    @at(Level.CONCURRENT)
    def test_c35_use_after_fork(self) -> None:
        """In a forked process an open store works or says that it does not; the parent's goes on either way."""
        self.need(hasattr(os, "fork"), "no fork on this system")
        self.need(not self._is_async, "an event loop does not outlive a fork")
        said = nursery.lines_of(nursery.start("fork", self.target, self.location), self.patience_s)
        expect(said[0] in ("child worked", "child typed error"), "a forked child works or is told why not", said)
        expect(said[1] == "parent works", "the parent goes on", said)
        if self.shared:
            self.versions(self.open())

    @at(Level.CONCURRENT)
    def test_c38_opening_and_closing_leaks_nothing(self) -> None:
        """Hundreds of openings leave no descriptor and no thread behind."""
        said = nursery.lines_of(nursery.start("leak", self.target, self.location, self.openings), self.patience_s)
        early, late = ([int(number) for number in line.split()] for line in said)
        expect(late[0] <= early[0] + 1, "descriptors are given back", early, late)
        expect(late[1] <= early[1], "threads come to an end", early, late)

    # ------------------------------------------------------------- coroutines

    @property
    def _is_async(self) -> bool:
        return iscoroutinefunction(inner_of(self.store).append)

    @at(Level.CONCURRENT)
    def test_c37_cancel_at_every_await(self) -> None:
        """Canceled at its k-th await, k = 1, 2, …: stored whole or not at all, and the next call works."""
        self.need(self._is_async, "the store's methods are no coroutines")
        inner: Any = inner_of(self.store)
        works: dict[str, Callable[[int], Awaitable[object]]] = {
            "append": lambda v: inner.append(batch(v, 2, commit=f"k{v}")),
            "append_many": lambda v: inner.append_many([batch(v, 2, commit=f"k{v}")]),
            "load": lambda v: inner.load("main"),
            "head": lambda v: inner.head("main"),
            "find": lambda v: inner.find("main", "k0"),
            "verify": lambda v: inner.verify("main"),
            "get_snapshot": lambda v: inner.get_snapshot("main"),
        }
        for name, work in works.items():
            for k in range(1, 500):
                if not self._canceled(name, work, k):
                    break
            else:
                expect(False, f"{name} comes to an end")

    def _canceled(self, name: str, work: Callable[[int], Awaitable[object]], k: int) -> bool:
        """Cancel one call at its k-th await; False if it had fewer."""
        before = self.store.head("main")
        met = the_loop().run(_cancel_at(work(before), k), self.patience_s)
        made = batch(before, 2, commit=f"k{before}")
        outcome = self.store.append(made)
        wanted = {Appended(before + 1, before + 2), AlreadyAppended(before + 1, before + 2)}
        expect(outcome in wanted, f"after a canceled {name} the same key tells", k, outcome)
        self.versions(self.store)
        expect(self.store.verify("main").version == before + 2, "the stream is whole", name, k)
        return bool(met)


async def _cancel_at(work: Awaitable[object], k: int) -> bool:
    """Run something in a task and cancel it at its k-th await; was there one?"""
    counted = _Counted(work, k)
    task = asyncio.ensure_future(_awaiting(counted))
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
    return counted.left <= 0


async def _awaiting(work: Awaitable[object]) -> object:
    return await work


class _Counted:
    """Something to await that cancels its own task when it waits for the k-th time."""

    def __init__(self, work: Awaitable[object], k: int) -> None:
        self.work, self.left = work, k

    def __await__(self) -> Generator[Any, None, object]:
        inner = self.work.__await__()
        send: Callable[[], Any] = lambda: next(inner)  # noqa: E731 - it is exchanged below
        while True:
            try:
                waited = send()
            except StopIteration as end:
                return end.value
            self.left -= 1
            task = asyncio.current_task()
            if self.left == 0 and task is not None:
                task.cancel()
            try:
                yield waited
            except BaseException as why:
                send = lambda why=why: inner.throw(why)  # type: ignore[misc]  # noqa: E731
            else:
                send = lambda: next(inner)  # noqa: E731
