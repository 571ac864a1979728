"""C45: streams that lose their beginning, and streams that begin late. A store without it is not asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from papertrade.codec.chain import GENESIS
from papertrade.errors import StoreCorruptError, StoreTrimmedError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, StoredSnapshot
from papertrade.ports.store_extras import Commit, Fencing, Moving, Trimming
from papertrade.testing.contract import expect, refuses
from papertrade.testing.store_cases.moving import MovingCases
from papertrade.testing.store_cases.opening import inner_of
from papertrade.testing.store_cases.samples import batch, chain


class TrimmingCases(MovingCases):
    """What stays when the beginning of a stream is dropped, and what is said of it."""

    def _trimmed(self, upto: int = 4) -> Any:
        """A stream of six events and three keys without its first versions."""
        store = self.extra(Trimming, "trimming")
        self.store.append(batch(0, 3, commit="a"))
        self.store.append(batch(3, 3, commit="b"))
        self.store.append(Append("main", 6, [], "nothing"))
        expect(store.base("main") == (0, GENESIS), "a whole stream begins before its first event", store.base("main"))
        store.trim("main", upto)
        return store

    def test_c45_head_and_chain_stay(self) -> None:
        """Trimmed, a stream has its head, its hash and what was not dropped, and goes on as before."""
        store = self._trimmed()
        expect(store.base("main") == (4, chain(4)), "it begins where it was trimmed", store.base("main"))
        expect(store.head("main") == 6, "its head stays", store.head("main"))
        expect([event.version for event in store.load("main", 5)] == [5, 6], "the rest can be read")
        found = [store.chain_at("main", version) for version in (4, 5, 6)]
        expect(found == [chain(4), chain(5), chain(6)], "and the hashes from the base on", found)
        expect(store.verify("main") == ("main", 6, chain(6)), "it is whole from its base on")
        expect(store.append(batch(4)) == Conflict(6), "a version that is taken is a conflict")
        expect(store.append(batch(6)) == Appended(7, 7), "the next append follows on it")
        store.trim("main", 7)
        expect(store.base("main") == (7, chain(7)), "all of it can be dropped", store.base("main"))
        expect((store.head("main"), store.streams()) == (7, ["main"]), "and the stream is still there")
        expect(store.append(batch(7, 2)) == Appended(8, 9), "the next append follows on the base")
        expect(store.verify("main") == ("main", 9, chain(9)), "with the hash of the whole")

    def test_c45_what_was_dropped_is_said(self) -> None:
        """What begins at or before the base is a StoreTrimmedError that names it."""
        store = self._trimmed()
        reads: dict[str, Callable[[], object]] = {
            "load": lambda: list(store.load("main")),
            "load from the base": lambda: list(store.load("main", 4)),
            "chain_at before the base": lambda: store.chain_at("main", 3),
            "seed before the base": lambda: store.seed("main", 3, chain(3)),
            "a snapshot before the base": lambda: store.put_snapshot("main", StoredSnapshot(3, chain(3), b"")),
        }
        if isinstance(inner_of(store), Moving):
            reads["records"] = lambda: list(store.records("main", 2, 3))
        for what, read in reads.items():
            with refuses(StoreTrimmedError, f"{what} of a trimmed stream") as caught:
                read()
            why: Any = caught.error
            expect((why.stream, why.base) == ("main", 4), "the error names the stream and its base", what, why)

    def test_c45_keys_of_what_stays_are_kept(self) -> None:
        """A key goes with the last version of its batch; one of an empty batch right behind the version is kept."""
        store = self._trimmed()
        found = [store.find("main", key) for key in ("a", "b", "nothing")]
        expect(found == [None, (4, 6), (7, 6)], "keys of what was dropped are gone, the others are kept", found)
        outcome = store.append(batch(3, 3, commit="b"))
        expect(outcome == AlreadyAppended(4, 6), "a kept key is answered", outcome)
        store.trim("main", 6)
        expect(store.find("main", "b") is None, "a key goes with its last version")
        expect(store.find("main", "nothing") == (7, 6), "an empty batch behind the version is kept")
        if isinstance(inner_of(store), Moving):
            kept = list(store.commits("main"))
            expect(kept == [Commit("nothing", 7, 6)], "commits() knows the same", kept)

    def test_c45_the_fence_stays(self) -> None:
        """Trimming neither frees a stream nor fences its owner off, and fences go on counting."""
        store = self.extra(Trimming, "trimming")
        self.need(isinstance(inner_of(store), Fencing), "the store does not have Fencing")
        store.append(batch(0, 3))
        fence = store.take("main")
        store.trim("main", 2)
        self.fenced(batch(3), fence)
        outcome = self.said(lambda: store.append(batch(3)._replace(fence=fence)))
        expect(outcome == Appended(4, 4), "the owner still is", outcome)
        expect(store.take("main") > fence, "fences go on counting")

    def test_c45_snapshots(self) -> None:
        """A snapshot older than the base goes; one at the base or after it stays and may be put."""
        store = self._trimmed(1)
        store.put_snapshot("main", StoredSnapshot(2, chain(2), b"two"))
        store.trim("main", 2)
        kept = store.get_snapshot("main")
        expect(kept == (2, chain(2), b"two"), "a snapshot at the base stays", kept)
        store.trim("main", 3)
        expect(store.get_snapshot("main") is None, "an older one goes", store.get_snapshot("main"))
        store.put_snapshot("main", StoredSnapshot(3, chain(3), b"three"))
        kept = store.get_snapshot("main")
        expect(kept == (3, chain(3), b"three"), "one at the base may be put", kept)

    def test_c45_trimming_again(self) -> None:
        """Dropping the same or less again changes nothing; more than there is drops nothing and is an error."""
        store = self._trimmed()
        for upto in (4, 2, 0):
            store.trim("main", upto)
            expect(store.base("main") == (4, chain(4)), f"trimmed up to {upto} again", store.base("main"))
        with refuses(StoreCorruptError, "a version that the stream does not have"):
            store.trim("main", 7)
        expect(store.base("main") == (4, chain(4)), "and nothing is dropped", store.base("main"))
        expect([event.version for event in store.load("main", 5)] == [5, 6], "of what is there")

    def test_c45_a_stream_that_begins_late(self) -> None:
        """Seeded, a stream is at its base; again it stays as it is, and another past is a StoreCorruptError."""
        store = self.extra(Trimming, "trimming")
        store.seed("main", 4, chain(4))
        store.seed("main", 4, chain(4))
        found = store.head("main"), store.base("main"), store.streams()
        expect(found == (4, (4, chain(4)), ["main"]), "a seeded stream is there, at its base", found)
        expect(store.append(batch(0)) == Conflict(4), "what came before is taken")
        expect(store.append(batch(4, 2, commit="k")) == Appended(5, 6), "an append follows on the base")
        expect(store.verify("main") == ("main", 6, chain(6)), "with the hash of the whole")
        store.seed("main", 5, chain(5))
        for version, head in ((4, chain(5)), (6, chain(5)), (7, chain(7))):
            with refuses(StoreCorruptError, f"seeding version {version} with another past"):
                store.seed("main", version, head)
        expect(store.head("main") == 6, "and nothing is changed")

    def test_c45_opened_again(self) -> None:
        """The base is where it was."""
        self.need_shared()
        self._trimmed()
        store: Any = self.reopened()
        expect(store.base("main") == (4, chain(4)), "opened again, it begins there", store.base("main"))
        expect(store.append(batch(6)) == Appended(7, 7), "and goes on", store.head("main"))
