"""C39, C42: streams that leave and enter as bytes, and streams that are erased. A store without it is not asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import encode_event
from papertrade.errors import StoreClosedError, StoreCorruptError, StoreErasedError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Store, StoredSnapshot
from papertrade.ports.store_extras import Commit, Fencing, Moving, Record, Waiting
from papertrade.testing.contract import expect, refuses
from papertrade.testing.store_cases.fencing import FencingCases
from papertrade.testing.store_cases.opening import inner_of
from papertrade.testing.store_cases.samples import HOSTILE_NAMES, TEXTS, batch, chain, event
from papertrade.testing.store_saboteurs.plain import PlainStore

COMMITS = [Commit("one", 1, 2), Commit("nothing", 6, 5), Commit("two", 6, 7)]


def records_of(count: int, stream: str = "main", amount: int = 1) -> list[Record]:
    """The records of so many deposits."""
    return relinked([encode_event(event(version, stream, amount)) for version in range(1, count + 1)])


def relinked(data: list[bytes]) -> list[Record]:
    """These bytes as records, every hash right."""
    made, head = [], GENESIS
    for version, one in enumerate(data, 1):
        head = link(head, one)
        made.append(Record(version, head, one))
    return made


def filled(store: Store) -> None:
    """Seven events, three commit ids of which one is of an empty batch, and a batch without."""
    store.append(batch(0, 2, commit="one"))
    store.append(batch(2, 3))
    store.append(Append("main", 5, [], "nothing"))
    store.append(batch(5, 2, commit="two"))


def wrong_records() -> dict[str, list[Any]]:
    """Three records each, with one thing wrong."""
    good = records_of(3)
    data = [record.data for record in good]
    odd: Any = "text"
    return {
        "a wrong hash": [good[0], good[1]._replace(chain=GENESIS), good[2]],
        "hashes in capitals": [one._replace(chain=one.chain.upper()) for one in good],
        "a version of its own": [good[0], good[1]._replace(version=5), good[2]],
        "another amount": [good[0], good[1]._replace(data=encode_event(event(2, amount=9))), good[2]],
        "what is no event": relinked([data[0], b"{}", data[2]]),
        "what is no bytes": [good[0], good[1]._replace(data=odd), good[2]],
        "one of another stream": relinked([data[0], encode_event(event(2, "other")), data[2]]),
        "one of another version": relinked([data[0], encode_event(event(3)), data[2]]),
        "a gap": [good[0], good[2]],
        "two swapped": [good[1], good[0], good[2]],
        "one twice": [good[0], good[0], good[1]],
    }


WRONG_COMMITS = [
    [Commit("k", 0, 1)], [Commit("k", 2, 4)], [Commit("k", 4, 4)], [Commit("k", 3, 1)], [Commit("k", -1, -2)],
    [Commit("k", 1, 1), Commit("k", 2, 2)], [Commit("k", 1, 2), Commit("l", 2, 3)],
    [Commit("l", 2, 2), Commit("k", 1, 1)],
]  # fmt: skip


class MovingCases(FencingCases):
    """Moving and erasing."""

    def test_c39_records_are_the_stored_bytes(self) -> None:
        """Bytes, hashes and commit ids, in the order of versions, by ranges with both ends, as they stood."""
        store = self.extra(Moving, "records")
        filled(self.store)
        wanted = records_of(7)
        expect(list(store.records("main")) == wanted, "records are the canonical bytes", list(store.records("main")))
        for (start, stop), found in {(3, 5): wanted[2:5], (0, 99): wanted, (6, 5): [], (8, 9): []}.items():
            expect(list(store.records("main", start, stop)) == found, f"records from {start} to {stop}")
        for (start, stop), commits in {
            (1, 9): COMMITS,
            (3, 6): COMMITS[1:2],
            (6, 9): COMMITS[2:],
            (1, 4): COMMITS[:1],
        }.items():
            kept = list(store.commits("main", start, stop))
            expect(kept == commits, f"keys whose last version is from {start} to {stop}", kept)
        expect(list(store.records("nobody")) == list(store.commits("nobody")) == [], "nothing where nothing is")
        reader = iter(store.records("main"))
        next(reader)
        self.store.append(batch(7, 2))
        rest = [record.version for record in reader]
        expect(rest == [2, 3, 4, 5, 6, 7], "records are seen as they stood", rest)

    def test_c39_a_stream_that_moved_has_the_same_hash(self) -> None:
        """Moved to another store and to a fresh place: the same bytes, hash and keys, and it goes on."""
        store = self.extra(Moving, "records")
        filled(self.store)
        for version, text in enumerate(TEXTS, 7):
            self.store.append(Append("main", version, [event(version + 1, amount=2**60 + 1, note=text)], f"k{version}"))
        head = self.store.verify("main")
        plain = PlainStore(":memory:")
        try:
            outcome = plain.put_records("main", 0, list(store.records("main")), list(store.commits("main")))
            expect(outcome == Appended(1, head.version), "another store takes the records", outcome)
            expect(plain.verify("main") == head, "with the same hash", plain.verify("main"), head)
            records, commits = list(plain.records("main")), list(plain.commits("main"))
        finally:
            plain.close()
        fresh: Any = self.open(self.new_location())
        if isinstance(inner_of(fresh), Fencing):
            fresh.take("main")  # whoever owns the stream: a fence does not apply to records
        expect(fresh.put_records("main", 2, records[2:5]) == Conflict(0), "records after a gap are a conflict")
        outcome = fresh.put_records("main", 0, records[:5], commits[:2])
        expect(outcome == Appended(1, 5), "a part of the records", outcome)
        outcome = fresh.put_records("main", 5, records[5:], commits[2:])
        expect(outcome == Appended(6, head.version), "and the rest follows on", outcome)
        expect(fresh.verify("main") == head, "the hash is the same everywhere", fresh.verify("main"), head)
        expect(list(fresh.load("main")) == list(self.store.load("main")), "the events are the same")
        expect(list(fresh.records("main")) == records, "and so is every byte")
        expect(list(fresh.commits("main")) == commits, "and every key")
        again = fresh.append(batch(0, 2, commit="one"))
        expect(again == AlreadyAppended(1, 2), "a key that moved is still that key", again)
        expect(fresh.find("main", "nothing") == (6, 5), "also that of an empty batch")

    def test_c39_records_are_stored_once(self) -> None:
        """The same records again are answered; what is neither these nor next is a conflict."""
        store = self.extra(Moving, "records")
        records, commits = records_of(7), COMMITS
        expect(store.put_records("main", 0, records, commits) == Appended(1, 7), "stored")
        for first, last in ((1, 7), (1, 5), (6, 7), (4, 4)):
            found = store.put_records("main", first - 1, records[first - 1 : last])
            expect(found == AlreadyAppended(first, last), "the same again are there already", found)
        other = records_of(9, amount=2)
        for part in (other[:2], other[6:]):
            outcome = store.put_records("main", part[0].version - 1, part)
            expect(outcome == Conflict(7), "other records are a conflict", outcome)
        for expected in (99, -1):
            expect(store.put_records("main", expected, []) == Conflict(7), f"version {expected} of seven is a conflict")
        expect(self.store.verify("main") == ("main", 7, chain(7)), "and nothing of them is stored")
        expect(list(store.commits("main")) == commits, "nor of their keys")

    def test_c39_nothing_to_move(self) -> None:
        """No records are none; commit ids of empty batches move by themselves."""
        store = self.extra(Moving, "records")
        expect(store.put_records("main", 0, []) == Appended(1, 0), "nothing is stored as nothing")
        expect(self.store.streams() == [], "and makes no stream", self.store.streams())
        expect(store.put_records("main", 0, [], [Commit("k", 1, 0)]) == Appended(1, 0), "a key of an empty batch")
        expect(self.store.find("main", "k") == (1, 0), "leads to where that was")

    def test_c39_what_does_not_follow_is_refused(self) -> None:
        """Bytes, hashes, versions and keys are checked before anything is stored."""
        store = self.extra(Moving, "records")
        for what, records in wrong_records().items():
            with refuses(StoreCorruptError, f"records with {what}"):
                store.put_records("main", 0, records)
            expect((self.store.head("main"), self.store.streams()) == (0, []), f"nothing of {what} is stored")
        for commits in WRONG_COMMITS:
            with refuses(StoreCorruptError, f"three records with the keys {commits}"):
                store.put_records("main", 0, records_of(3), commits)
            expect(self.store.head("main") == 0, "nothing of records with wrong keys is stored")
            expect(self.store.find("main", "k") is None, "nor is a key")
        self.store.append(batch(0, commit="k"))
        with refuses(StoreCorruptError, "a key that the stream has"):
            store.put_records("main", 1, records_of(3)[1:], [Commit("k", 2, 3)])
        expect((self.store.head("main"), self.store.find("main", "k")) == (1, (1, 1)), "it leads where it led")
        expect(store.put_records("main", 1, records_of(3)[1:]) == Appended(2, 3), "good ones are taken afterwards")

    # --------------------------------------------------------------- erasing

    def test_c42_an_erased_name_stays_erased(self) -> None:
        """Every read and write of it says so, with the note, for ever; others, and the list of names, go on."""
        store = self.extra(Moving, "erasing")
        filled(self.store)
        self.store.put_snapshot("main", StoredSnapshot(2, chain(2), b"x"))
        self.store.append(batch(0, stream="other", commit="one"))
        store.erase("main", "asked for by its owner")
        store.erase("main", "again")
        self._all_refused("main", "asked for by its owner")
        if self.shared:
            store = self.reopened()
            self._all_refused("main", "asked for by its owner")
        found = self.store.append_many([batch(0), batch(1, stream="other")])
        expect(type(found[0]) is StoreErasedError, "a trip answers it as an outcome", found)
        expect(found[1] == Appended(2, 2), "and stores the others", found)
        expect(self.store.streams() == ["other"], "an erased stream is not listed", self.store.streams())
        expect(self.store.verify("other").version == 2, "other streams are untouched")

    def test_c42_what_never_existed_can_be_erased(self) -> None:
        """Its name cannot be used from then on, and nobody else's is touched."""
        store = self.extra(Moving, "erasing")
        for name in HOSTILE_NAMES:
            store.erase(name)
        expect(self.store.streams() == [], "nothing is listed")
        for name in HOSTILE_NAMES:
            with refuses(StoreErasedError, f"an append to the erased {name!r}"):
                self.store.append(batch(0, stream=name))
        expect(self.store.append(batch(0)) == Appended(1, 1), "other names are free")

    def test_c42_a_reader_that_is_under_way(self) -> None:
        """Reading on may give the events that were there, or say that they were erased; nothing else."""
        store = self.extra(Moving, "erasing")
        self.store.append(batch(0, 500))
        reader = iter(self.store.load("main"))
        found = [next(reader)]
        store.erase("main")
        try:
            found += reader
        except StoreErasedError:
            expect(found == [event(v) for v in range(1, len(found) + 1)], "what was read was there", len(found))
        else:
            expect(found == [event(v) for v in range(1, 501)], "a reader ends where the stream did", len(found))

    def _all_refused(self, name: str, note: str) -> None:
        for what, call in self._everything(name).items():
            with refuses(StoreErasedError, f"{what} of an erased stream") as caught:
                call()
            why: Any = caught.error
            expect((why.stream, why.note) == (name, note), "the error names the stream and the note", what, why)

    def test_c36_use_of_the_rest_after_close(self) -> None:
        """Every use of the extras of a closed store is a StoreClosedError, too."""
        store = self.extra(Moving, "records and erasing")
        self.store.close()
        calls = self._everything("main")
        calls["erase"] = lambda: store.erase("main")
        for what, call in calls.items():
            with refuses(StoreClosedError, f"{what} after close"):
                call()

    def _everything(self, name: str) -> dict[str, Callable[[], object]]:
        raw: Any = self.store
        calls: dict[str, Callable[[], object]] = {
            "append": lambda: raw.append(batch(0, stream=name)),
            "a repeat": lambda: raw.append(batch(0, 2, stream=name, commit="one")),
            "load": lambda: list(raw.load(name)),
            "head": lambda: raw.head(name),
            "find": lambda: raw.find(name, "one"),
            "chain_at": lambda: raw.chain_at(name, 0),
            "verify": lambda: raw.verify(name),
            "get_snapshot": lambda: raw.get_snapshot(name),
            "put_snapshot": lambda: raw.put_snapshot(name, StoredSnapshot(1, chain(1), b"")),
            "records": lambda: list(raw.records(name)),
            "commits": lambda: list(raw.commits(name)),
            "put_records": lambda: raw.put_records(name, 0, records_of(1, name)),
        }
        if isinstance(inner_of(raw), Fencing):
            calls |= {"take": lambda: raw.take(name), "release": lambda: raw.release(name, 1)}
        if isinstance(inner_of(raw), Waiting):
            calls["wait"] = lambda: raw.wait(name, 0, 0)
        return calls
