"""C18, C44: streams that belong to a worker, and waiting for what is appended. A store without them is not asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from papertrade.codec.chain import GENESIS
from papertrade.errors import StoreClosedError, StoreErasedError, StoreFencedError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict
from papertrade.ports.store_extras import Fencing, Moving, Waiting
from papertrade.testing.contract import expect, refuses
from papertrade.testing.store_cases.base import Level, at
from papertrade.testing.store_cases.content import ContentCases
from papertrade.testing.store_cases.opening import inner_of
from papertrade.testing.store_cases.samples import HOSTILE_NAMES, batch


class FencingCases(ContentCases):
    """Owning and waiting."""

    def fenced(self, made: Append, owner: int | None) -> None:
        """An append that is refused for its fence, names it and the owner's, and stores nothing."""
        before = self.store.head(made.stream)
        with refuses(StoreFencedError, f"fence {made.fence!r} where the owner's is {owner}") as caught:
            self.store.append(made)
        why: Any = caught.error
        found = (why.stream, why.fence, why.owner)
        expect(found == (made.stream, made.fence, owner), "a StoreFencedError names stream, fence and owner", found)
        expect(self.store.head(made.stream) == before, "what is refused is not stored")

    @at(Level.CONCURRENT)
    def test_c18_the_latest_fence_writes(self) -> None:
        """Whoever took a stream last may write; the one before, a made-up fence and none at all may not."""
        store = self.extra(Fencing, "fences")
        expect(self.store.append(batch(0)) == Appended(1, 1), "a stream that nobody took is free")
        first = store.take("main")
        expect(type(first) is int and first > 0, "a fence is a whole number", first)
        expect(self.store.append(batch(1)._replace(fence=first)) == Appended(2, 2), "the owner writes")
        second = store.take("main")
        expect(second > first, "fences count up", first, second)
        for fence in (first, second + 1, None):
            self.fenced(batch(2)._replace(fence=fence), second)
        self.fenced(batch(9)._replace(fence=first), second)
        expect(self.store.append(batch(2)._replace(fence=second)) == Appended(3, 3), "the new owner writes")
        outcome = self.store.append(batch(9)._replace(fence=second))
        expect(outcome == Conflict(3), "a fence does not stand in for a version", outcome)

    @at(Level.CONCURRENT)
    def test_c18_a_fence_is_a_whole_number(self) -> None:
        """What merely equals a fence is none."""
        store = self.extra(Fencing, "fences")
        fence = store.take("main")
        odds: list[Any] = [fence + 0.0, str(fence), *([True] if fence == 1 else [])]
        for odd in odds:
            with refuses(StoreFencedError, f"fence {odd!r}"):
                self.store.append(batch(0)._replace(fence=odd))
            store.release("main", odd)
        expect(self.store.append(batch(0)._replace(fence=fence)) == Appended(1, 1), "the owner still is")

    @at(Level.CONCURRENT)
    def test_c18_a_stream_that_is_given_up(self) -> None:
        """A released stream takes appends without a fence and none with one; a fence is never given twice."""
        store = self.extra(Fencing, "fences")
        first = store.take("main")
        store.release("main", first)
        self.fenced(batch(0)._replace(fence=first), None)
        expect(self.store.append(batch(0)) == Appended(1, 1), "a free stream takes appends without a fence")
        second = store.take("main")
        expect(second > first, "a fence is never given twice", first, second)
        store.release("main", first)
        self.fenced(batch(1), second)
        store.release("main", second)
        store.release("main", second)
        store.release("nobody", 1)
        expect(self.store.append(batch(1)) == Appended(2, 2), "it is free again")
        expect(store.take("main") > second, "fences go on counting")

    @at(Level.CONCURRENT)
    def test_c18_a_key_is_answered_whatever_the_fence(self) -> None:
        """A repeat is the truth: its answer, or its mismatch, comes before the fence."""
        store = self.extra(Fencing, "fences")
        made = batch(0, 2, commit="k")._replace(fence=store.take("main"))
        self.store.append(made)
        store.take("main")
        for fence in (made.fence, None, 99):
            outcome = self.store.append(made._replace(fence=fence))
            expect(outcome == AlreadyAppended(1, 2), "a stored key is answered first", outcome)
            with refuses(StoreMismatchError, "a stored key with other content"):
                self.store.append(batch(0, 2, commit="k", amount=3)._replace(fence=fence))

    @at(Level.CONCURRENT)
    def test_c18_taken_before_it_exists(self) -> None:
        """Owning a name makes no stream of it, and every name has fences of its own."""
        store = self.extra(Fencing, "fences")
        fences = {name: store.take(name) for name in HOSTILE_NAMES}
        expect(self.store.streams() == [], "a stream that was taken and never written is not listed")
        expect(self.store.verify("a") == ("a", 0, GENESIS), "it has no events")
        self.fenced(batch(0, stream="a"), fences["a"])
        for name, fence in fences.items():
            outcome = self.store.append(batch(0, stream=name)._replace(fence=fence))
            expect(outcome == Appended(1, 1), "its owner begins it", name, outcome)
        expect(self.store.append(batch(0)) == Appended(1, 1), "other streams are free")

    @at(Level.CONCURRENT)
    def test_c18_in_a_trip_of_several(self) -> None:
        """A fenced batch is answered as an outcome and leaves the others alone."""
        fence = self.extra(Fencing, "fences").take("a")
        trip = [batch(0, stream="a"), batch(0, stream="b"), batch(0, stream="a")._replace(fence=fence)]
        found = self.store.append_many(trip)
        expect(type(found[0]) is StoreFencedError, "a trip answers it as an outcome", found)
        expect(found[1:] == [Appended(1, 1), Appended(1, 1)], "the others are stored", found)

    @at(Level.CONCURRENT)
    def test_c18_fences_outlive_their_worker(self) -> None:
        """Opened again, the owner is who it was, and fences go on counting."""
        self.need_shared()
        first = self.extra(Fencing, "fences").take("main")
        store = self.reopened()
        self.fenced(batch(0), first)
        expect(store.append(batch(0)._replace(fence=first)) == Appended(1, 1), "its fence stays good")
        second = self.extra(Fencing, "fences").take("main")
        expect(second > first, "fences go on counting", first, second)

    @at(Level.CONCURRENT)
    def test_c18_everybody_takes_another_fence(self) -> None:
        """Eight who take a stream at once get eight fences, and the largest of them writes."""
        store = self.extra(Fencing, "fences")
        fences: list[int] = []
        threads = [threading.Thread(target=lambda: fences.append(store.take("main"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(len(set(fences)) == 8, "no fence is given twice", fences)
        for fence in sorted(fences):
            outcome = self.said(partial(self.store.append, batch(0)._replace(fence=fence)))
            wanted = outcome == Appended(1, 1) if fence == max(fences) else isinstance(outcome, StoreFencedError)
            expect(wanted, "the latest writes, and nobody else", fence, outcome)

    # --------------------------------------------------------------- waiting

    @at(Level.CONCURRENT)
    def test_c44_waiting_for_an_append(self) -> None:
        """Whoever waits hears at once of what is there, later of what comes, and of nothing when time is over."""
        store = self.extra(Waiting, "waiting")
        self.store.append(batch(0, 2))
        for after in (0, 1):
            expect(store.wait("main", after, 30) == 2, "what is there is answered at once")
        expect(store.wait("main", 2, 0) == 2, "without time, the version as it is")
        expect(store.wait("main", 99, 0.01) == 2, "when time is over, the version as it is")
        expect(store.wait("nobody", 0, 0) == 0, "also where nothing is")
        other: Any = self.open() if self.shared else self.store
        heard: list[object] = []
        waiter = self._waiting(other, 2, heard)
        self.store.append(batch(0, stream="other"))
        self.store.append(batch(2, 2))
        waiter.join()
        expect(heard == [4], "an append ends the waiting, with the version", heard)

    @at(Level.CONCURRENT)
    def test_c44_waiting_ends_with_the_stream(self) -> None:
        """Closing the store and erasing the stream end the waiting, with the reason."""
        store = self.extra(Waiting, "waiting")
        ends: list[tuple[Callable[[], object], type[Exception]]] = [(self.store.close, StoreClosedError)]
        if isinstance(inner_of(store), Moving):
            ends.insert(0, (partial(self.extra(Moving, "erasing").erase, "main"), StoreErasedError))
        for stream, (end, error) in zip(("main", "other"), ends, strict=False):
            heard: list[object] = []
            waiter = self._waiting(store, 0, heard, stream)
            end()
            waiter.join(self.patience_s)
            expect([type(one) for one in heard] == [error], f"it ends with a {error.__name__}", heard)

    def _waiting(self, store: Any, after: int, heard: list[object], stream: str = "main") -> threading.Thread:
        def wait() -> None:
            try:
                heard.append(store.wait(stream, after, self.patience_s))
            except Exception as why:  # whatever it is, the case looks at it
                heard.append(why)

        waiter = threading.Thread(target=wait, daemon=True)
        waiter.start()
        return waiter
