"""C01 to C08, C12, C36, C41: appending, expecting, repeating, listing, closing."""

from __future__ import annotations

from collections.abc import Callable

from papertrade.codec.chain import GENESIS
from papertrade.errors import StoreClosedError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, StoredSnapshot
from papertrade.testing.contract import expect, refuses
from papertrade.testing.store_cases.base import StoreCases
from papertrade.testing.store_cases.samples import batch, chain, event


class BasicCases(StoreCases):
    """What one reader and writer sees."""

    def test_c01_empty_stream(self) -> None:
        """A stream that does not exist has version 0, no events, no keys, no snapshot, and is not listed."""
        store = self.store
        expect(store.head("main") == 0, "the head of no stream is 0", store.head("main"))
        expect(list(store.load("main")) == [], "no stream has no events")
        expect(store.get_snapshot("main") is None, "no stream has no snapshot")
        expect(store.find("main", "k") is None, "no stream has no keys")
        expect(store.streams() == [], "no stream is listed", store.streams())
        found = store.verify("main")
        expect(found == ("main", 0, GENESIS), "no stream is whole, with the hash before any event", found)
        expect(store.chain_at("main", 0) == GENESIS, "version 0 is before the first event")

    def test_c02_append_and_the_same_back(self) -> None:
        """What was appended is what is loaded, in order."""
        outcome = self.store.append(batch(0, 3))
        expect(outcome == Appended(1, 3), "an append answers its versions", outcome)
        found = list(self.store.load("main"))
        expect(found == [event(1), event(2), event(3)], "what was appended is what is loaded", found)
        expect(self.store.head("main") == 3, "the head is the last version")

    def test_c03_wrong_expected_version(self) -> None:
        """Too low, too high, negative, absurd or no whole number: a conflict that names the version, nothing stored."""
        self.store.append(batch(0, 2))
        for expected in (0, 1, 3, -1, 2**53, 10**30):
            outcome = self.store.append(batch(expected))
            expect(outcome == Conflict(2), f"expected {expected} at version 2 is a conflict", outcome)
        for odd in (0.0, "0", None, False):
            made = Append("other", odd, [event(1, "other")])  # type: ignore[arg-type]  # that is the question
            outcome = self.store.append(made)
            expect(outcome == Conflict(0), f"{odd!r} is no version, even where it equals one", outcome)
        expect(self.store.head("main") == 2, "a conflict stores nothing", self.store.head("main"))
        expect(self.store.streams() == ["main"], "a conflict makes no stream", self.store.streams())

    def test_c04_a_batch_is_whole_or_nothing(self) -> None:
        """A batch with a gap, a repeat or a wrong start is refused whole."""
        for versions in ((1, 3), (2,), (1, 1), (1, 2, 2), (0, 1), (1, 2, 4)):
            with refuses(StoreMismatchError, f"a batch of versions {versions} after 0"):
                self.store.append(Append("main", 0, [event(v) for v in versions], "k"))
            expect(self.store.head("main") == 0, f"nothing of a batch of versions {versions} is stored")
            expect(self.store.find("main", "k") is None, "the key of a refused batch is free")
        expect(self.store.streams() == [], "a refused batch makes no stream", self.store.streams())

    def test_c04_one_outcome_for_each_of_a_trip(self) -> None:
        """Stored, stored before, conflict and mismatch stand side by side; a bad one leaves the others alone."""
        store = self.store
        store.append(batch(0, stream="seen", commit="k"))
        found = store.append_many(
            [
                batch(0, 2, stream="a"),
                batch(5, stream="b"),
                batch(0, stream="seen", commit="k"),
                batch(0, stream="seen", commit="k", amount=7),
                Append("c", 0, [event(2, "c")]),
                batch(2, stream="a"),
            ]
        )
        expect(found[:3] == [Appended(1, 2), Conflict(0), AlreadyAppended(1, 1)], "one outcome each, in order", found)
        kinds = [type(outcome) for outcome in found[3:5]]
        expect(kinds == [StoreMismatchError] * 2, "what is refused is answered as an error, not raised", found)
        expect(found[5:] == [Appended(3, 3)], "a batch sees those before it in the trip", found)
        expect(store.streams() == ["a", "seen"], "what failed made no stream", store.streams())
        expect(store.append_many([]) == [], "a trip of nothing answers nothing")

    def test_c05_empty_batch(self) -> None:
        """An empty batch stores no event and moves no version."""
        self.store.append(batch(0, 2))
        self.store.append(Append("main", 2, []))
        expect(self.store.head("main") == 2, "an empty batch moves no version", self.store.head("main"))
        outcome = self.store.append(batch(2))
        expect(outcome == Appended(3, 3), "the next append follows on", outcome)

    def test_c06_a_repeat_is_answered_with_the_first_range(self) -> None:
        """Asked again, a commit id leads to where it went, whatever version is expected now."""
        first = batch(0, 2, commit="k")
        self.store.append(first)
        self.store.append(batch(2))
        for expected in (0, 2, 3, 99):
            outcome = self.store.append(first._replace(expected=expected))
            expect(outcome == AlreadyAppended(1, 2), f"a repeat that expects {expected} is a repeat", outcome)
        expect(self.store.head("main") == 3, "a repeat stores nothing", self.store.head("main"))
        found = self.store.find("main", "k")
        expect(found == Appended(1, 2), "a key leads to its versions", found)

    def test_c06_keys_belong_to_their_stream(self) -> None:
        """The same key in two streams is two keys."""
        for stream, amount in (("a", 1), ("b", 9)):
            outcome = self.store.append(batch(0, stream=stream, commit="k", amount=amount))
            expect(outcome == Appended(1, 1), "a key of another stream is free", outcome)
        expect(self.store.find("c", "k") is None, "a third stream has neither")

    def test_c07_a_repeat_with_other_content(self) -> None:
        """The same commit id with other, fewer or more events is a mismatch that names it, and stores nothing."""
        self.store.append(batch(0, 2, commit="k"))
        for other in (batch(0, 2, commit="k", amount=2), batch(0, 1, commit="k"), batch(0, 3, commit="k")):
            with refuses(StoreMismatchError, "a key with other content") as caught:
                self.store.append(other)
            why = caught.error
            named = isinstance(why, StoreMismatchError) and (why.stream, why.commit_id) == ("main", "k")
            expect(named, "a mismatch names stream and key", why)
            expect(self.store.head("main") == 2, "a mismatch stores nothing")

    def test_c08_the_key_is_looked_up_before_the_version(self) -> None:
        """A repeat of a stored append is never reported as a conflict."""
        first = batch(0, 1, commit="k")
        self.store.append(first)
        outcome = self.store.append(first)
        expect(outcome == AlreadyAppended(1, 1), "a repeat is no conflict", outcome)

    def test_c12_ranges(self) -> None:
        """Both ends of a range are included, and ends beyond the stream are cut."""
        self.store.append(batch(0, 10))
        cases = [((1, 10), (1, 10)), ((3, 5), (3, 5)), ((5, 5), (5, 5)), ((9, 99), (9, 10)), ((0, 2), (1, 2)),
                 ((-5, 2), (1, 2))]  # fmt: skip
        for (start, stop), (first, last) in cases:
            found = [e.version for e in self.store.load("main", start, stop)]
            expect(found == list(range(first, last + 1)), f"from {start} to {stop} of ten", found)
        for start, end in [(6, 5), (11, 12), (1, 0), (1, -1), (99, None)]:
            expect(list(self.store.load("main", start, end)) == [], f"nothing is from {start} to {end}")
        for version in (0, 1, 7, 10):
            expect(self.store.chain_at("main", version) == chain(version), f"the hash up to version {version}")

    def test_c36_use_after_close(self) -> None:
        """Closing twice is fine; every use afterwards is a StoreClosedError, describing it excepted."""
        store = self.store
        store.append(batch(0))
        store.close()
        store.close()
        calls: dict[str, Callable[[], object]] = {
            "append": lambda: store.append(batch(0)),
            "load": lambda: list(store.load("main")),
            "head": lambda: store.head("main"),
            "find": lambda: store.find("main", "k"),
            "streams": lambda: store.streams(),
            "verify": lambda: store.verify("main"),
            "chain_at": lambda: store.chain_at("main", 0),
            "get_snapshot": lambda: store.get_snapshot("main"),
            "put_snapshot": lambda: store.put_snapshot("main", StoredSnapshot(0, GENESIS, b"")),
        }
        for name, call in calls.items():
            with refuses(StoreClosedError, f"{name} after close"):
                call()
        found = store.append_many([batch(0)])
        expect([type(one) for one in found] == [StoreClosedError], "append_many answers it for each", found)
        expect(store.describe()["durability"], "describe() says what the durability is")
        expect(store.describe()["kind"], "describe() says what kind of store it is")

    def test_c41_stable_listing(self) -> None:
        """Streams are listed in the order of their names, a page begins after a name, and new ones disturb nothing."""
        for name in "edcba":
            self.store.append(batch(0, stream=name))
        pages = [self.store.streams(limit=2), self.store.streams(after="b", limit=2), self.store.streams(after="d")]
        expect(pages == [["a", "b"], ["c", "d"], ["e"]], "pages follow on each other", pages)
        for limit in (0, -1):
            expect(self.store.streams(limit=limit) == [], f"a page of {limit} is empty")
        expect(self.store.streams(after="z") == [], "there is nothing after the last")
        self.store.append(batch(0, stream="bb"))
        self.store.append(batch(1, stream="a"))
        found = self.store.streams(after="b", limit=2)
        expect(found == ["bb", "c"], "a page says what is there now, in order", found)
        for _ in range(3):
            found = self.store.streams()
            expect(found == ["a", "b", "bb", "c", "d", "e"], "the list is the same each time", found)
