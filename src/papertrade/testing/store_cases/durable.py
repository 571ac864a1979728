"""C22, C23: writers are killed at random and at named points; what was answered is there, once and whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from random import Random

from papertrade.errors import StoreError
from papertrade.ports.store import Append, Appended, Store
from papertrade.testing.contract import expect
from papertrade.testing.store_cases.base import Level, at
from papertrade.testing.store_cases.children import POINTS
from papertrade.testing.store_cases.concurrent import ConcurrentCases
from papertrade.testing.store_cases.nursery import Life, Nursery
from papertrade.testing.store_cases.samples import numbered, start_of

ROUNDS = 10
EACH_PLACE = 10
FOREVER = 10**9


class Diary:
    """What the killed writers of one place were answered, and what must therefore be stored."""

    def __init__(self) -> None:
        self.stored = {"main": -1, "other": -1}

    @property
    def first(self) -> int:
        """The first number that may not be stored in both streams; what is below was answered."""
        return min(self.stored.values()) + 1

    def heard(self, life: Life) -> None:
        """A writer died."""
        expect(not life.odd, "whoever writes again after a kill is answered in order", life.odd)
        self.stored.update(life.stored)

    def compare(self, store: Store) -> None:
        """Everything answered is there, nothing twice, no part of a batch, and at most one batch in flight."""
        for stream, last in self.stored.items():
            events = list(store.load(stream))
            number = last + 1
            if len(events) > start_of(number):
                number += 1  # stored, and its answer was not heard
            wanted = [event for n in range(number) for event in numbered(stream, n).events]
            found = [event.version for event in events]
            expect(len(found) >= start_of(last + 1), "what was answered is stored", stream, last, found[-5:])
            expect(len(found) == len(wanted), "a batch is stored whole or not at all", stream, len(found), len(wanted))
            expect(events == wanted, "what is stored is what was written, once and in order", stream, found[-10:])
            for n in range(max(0, number - 3), number):
                kept, start = store.find(stream, f"k{n}"), start_of(n)
                expect(kept == Appended(start + 1, start_of(n + 1)), "a key is stored with its batch", stream, n, kept)
            expect(store.find(stream, f"k{number}") is None, "a key is stored with its batch, and not before")
            expect(store.verify(stream).version == len(events), "the stream is whole", stream)
        kept_one = store.get_snapshot("main")
        if kept_one is not None:
            expect(kept_one.data == b"%d" % kept_one.version, "a snapshot is whole", kept_one)
            expect(kept_one.chain == store.chain_at("main", kept_one.version), "and its stream's", kept_one)


class KillCases(ConcurrentCases):
    """Processes that die."""

    @at(Level.DURABLE)
    def test_c22_killed_at_random(self) -> None:
        """SIGKILL at any instant: nothing answered is lost, nothing is there twice, nothing is half there."""
        draw = Random(f"kills {self.seed}")
        killed = self._killing(draw, partial(self._at_random, draw))
        expect(killed >= self.kills * 3 // 4, "most of the writers were killed in time", killed)

    @at(Level.DURABLE)
    def test_c23_killed_at_named_points(self) -> None:
        """SIGKILL at a call that the store makes while it opens, recovers, appends, or keeps a snapshot: the same."""
        draw = Random(f"points {self.seed}")
        calls: dict[str, int] = {}
        nursery = self._nursery(draw)
        try:
            for point in POINTS:
                life = nursery.life(self.new_location(), 0, ROUNDS, point=point, calls=FOREVER)
                expect(not life.odd, "a writer that nobody kills is answered in order", life.odd)
                calls[point] = life.calls
        finally:
            nursery.close()
        expect(all(calls.values()), "the store makes calls at every point", calls)

        def die(nursery: Nursery, place: str, first: int) -> Life:
            point = draw.choice(POINTS)
            return nursery.life(place, first, ROUNDS, point=point, calls=draw.randint(1, calls[point]))

        killed = self._killing(draw, die)
        expect(killed >= self.kills // 4, "writers were killed at the points", killed)

    def _at_random(self, draw: Random, nursery: Nursery, place: str, first: int) -> Life:
        return nursery.life(place, first, 10 * ROUNDS, answers=draw.randint(1, ROUNDS))

    def _nursery(self, draw: Random) -> Nursery:
        self.need_shared()
        self.need(hasattr(os, "fork") and hasattr(signal, "SIGKILL"), "no fork and SIGKILL on this system")
        return Nursery(self.target, draw, self.patience_s)

    def _killing(self, draw: Random, kill: Callable[[Nursery, str, int], Life]) -> int:
        """Kill so many writers, a fresh place for every few of them; how many were killed before they were done."""
        killed = 0
        nursery = self._nursery(draw)
        try:
            place, diary = self.new_location(), Diary()
            for number in range(self.kills):
                if number % EACH_PLACE == EACH_PLACE - 1:
                    self._goes_on(place, diary)
                    place, diary = self.new_location(), Diary()
                life = kill(nursery, place, diary.first)
                killed += life.killed
                diary.heard(life)
                store = self.open(place)
                diary.compare(store)
                store.close()
            self._goes_on(place, diary)
        finally:
            nursery.close()
        return killed

    def _goes_on(self, place: str, diary: Diary) -> None:
        """After the last kill the next command works."""
        store = self.open(place)
        for stream in diary.stored:
            head = store.head(stream)
            made: Append = numbered(stream, 0)._replace(expected=head, commit_id="after")
            made = made._replace(events=[e._replace(version=head + 1) for e in made.events])
            outcome = self.said(partial(store.append, made))
            expect(outcome == Appended(head + 1, head + 1), "the next command works", outcome)
        expect(not isinstance(self.said(store.close), StoreError), "and the store closes")
