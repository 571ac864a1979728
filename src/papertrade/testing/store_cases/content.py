"""C09 to C11, C13, C19 to C21, C43: what is stored is what comes back, by any name, of any size, however late."""

from __future__ import annotations

import time
from unittest.mock import patch

from papertrade.codec.chain import GENESIS
from papertrade.codec.events import encode_event
from papertrade.errors import PaperTradeError, StoreCorruptError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, StoredSnapshot
from papertrade.testing.contract import expect, refuses
from papertrade.testing.store_cases.basic import BasicCases
from papertrade.testing.store_cases.samples import BIG_NUMBERS, HOSTILE_NAMES, TEXTS, batch, chain, event

YEAR_S = 366 * 86_400


class ContentCases(BasicCases):
    """Names, bytes, numbers, snapshots, and time."""

    def test_c09_hostile_names_stay_apart(self) -> None:
        """Names with quotes, brackets, newlines, NUL, accents or case never meet; one may be refused, by its error."""
        taken = []
        for number, name in enumerate(HOSTILE_NAMES, 1):
            count = number % 4 + 1
            try:
                outcome = self.store.append(batch(0, count, stream=name, commit=name, amount=number))
            except PaperTradeError:
                continue
            expect(outcome == Appended(1, count), "a name that differs is another stream", name, outcome)
            taken.append((name, number, count))
        expect(len(taken) > len(HOSTILE_NAMES) // 2, "most names are taken", [name for name, _, _ in taken])
        for name, number, count in taken:
            found = list(self.store.load(name))
            wanted = [event(v, name, number) for v in range(1, count + 1)]
            expect(found == wanted, "a stream holds its own events", name, found)
            expect(self.store.verify(name).version == count, "a stream is whole", name)
            expect(self.store.find(name, name) == Appended(1, count), "a key may be any text", name)
        names = sorted(name for name, _, _ in taken)
        expect(self.store.streams() == names, "every name is listed as it is spelled", self.store.streams())

    def test_c10_every_byte_comes_back(self) -> None:
        """Texts of every character and snapshots of every byte, empty or large, are what they were; or are refused."""
        version = 0
        for text in TEXTS:
            made = event(version + 1, note=text)
            outcome = self.store.append(Append("main", version, [made], f"k{text}"))
            version += 1
            expect(outcome == Appended(version, version), "a text of any character is stored", text, outcome)
            found = list(self.store.load("main", version))
            expect(found == [made], "a text comes back as it was", found)
            expect(encode_event(found[0]) == encode_event(made), "to the byte", found)
        head = self.store.verify("main").chain
        for data in (b"", bytes(range(256)), bytes(range(255, -1, -1)) * 4096, b"\xff\xfe", b"{}"):
            kept = StoredSnapshot(version, head, data)
            self.store.put_snapshot("main", kept)
            again = self.store.get_snapshot("main")
            expect(again == kept, f"a snapshot of {len(data)} bytes comes back as it was")
            expect(again is not None and type(again.data) is bytes, "the data of a snapshot are bytes")

    def test_c10_what_is_too_large_is_refused(self) -> None:
        """A record of a mebibyte is stored and can be read, or it is refused and nothing of it is stored."""
        self.store.append(batch(0))
        large = Append("main", 1, [event(2, note="x" * 2**20)], "large")
        try:
            self.store.append(large)
        except PaperTradeError:
            expect(self.versions(self.store) == [1], "what is refused is not stored")
            expect(self.store.find("main", "large") is None, "nor is its key")
            expect(self.store.append(batch(1)) == Appended(2, 2), "and the next append works")
        else:
            expect(list(self.store.load("main", 2)) == list(large.events), "what was taken comes back")

    def test_c11_numbers_are_whole_and_exact(self) -> None:
        """Versions are ints, and numbers near and beyond 2^53 are not rounded, in events, ranges and comparisons."""
        for version, number in enumerate(BIG_NUMBERS):
            outcome = self.store.append(batch(version, amount=number, commit=f"k{version}"))
            expect(outcome == Appended(version + 1, version + 1), "it is stored", outcome)
            expect({type(part) for part in outcome} == {int}, "versions are whole numbers", outcome)
        found = [getattr(e, "amount_units", None) for e in self.store.load("main")]
        expect(found == BIG_NUMBERS, "a large number is exact", found)
        head, kept = self.store.head("main"), self.store.find("main", "k0")
        expect(type(head) is int, "a head is a whole number", head)
        expect(kept is not None and {type(part) for part in kept} == {int}, "so is where a key led", kept)
        for far in BIG_NUMBERS:
            last = len(BIG_NUMBERS)
            outcome = self.store.append(batch(far))
            expect(outcome == Conflict(last) and type(outcome[0]) is int, f"expected {far} is a conflict", outcome)
            expect(len(list(self.store.load("main", 1, far))) == last, f"up to {far} is all there is")
            expect(list(self.store.load("main", far)) == [], f"from {far} there is nothing")
            with refuses(StoreCorruptError, f"a snapshot of version {far}"):
                self.store.put_snapshot("main", StoredSnapshot(far, chain(1), b""))

    def test_c13_read_your_own_write(self) -> None:
        """What was answered as stored is there for the next reader, by this handle and by another on the same place."""
        other = self.open() if self.shared else self.store
        for version in range(20):
            self.store.append(batch(version, commit=f"k{version}"))
            for reader in (self.store, other):
                expect(reader.head("main") == version + 1, "a head is never behind an answer")
                expect(len(list(reader.load("main"))) == version + 1, "what was appended is there to read")
                found = reader.find("main", f"k{version}")
                expect(found == Appended(version + 1, version + 1), "so is its key", found)
                expect(reader.chain_at("main", version + 1) == chain(version + 1), "and its hash")
            self.store.put_snapshot("main", StoredSnapshot(version + 1, chain(version + 1), b"%d" % version))
            kept = other.get_snapshot("main")
            expect(kept is not None and kept.data == b"%d" % version, "so is a snapshot", kept)

    def test_c19_snapshot_rules(self) -> None:
        """A snapshot ahead of the stream, of no version or of no stream is refused, and the last one stays."""
        self.store.append(batch(0, 5))
        good = StoredSnapshot(3, chain(3), b"x")
        self.store.put_snapshot("main", good)
        for version, head in ((6, chain(6)), (7, chain(5)), (-1, chain(4)), (-5, GENESIS)):
            with refuses(StoreCorruptError, f"a snapshot of version {version} of five"):
                self.store.put_snapshot("main", StoredSnapshot(version, head, b"y"))
        with refuses(StoreCorruptError, "a snapshot of no stream"):
            self.store.put_snapshot("nobody", StoredSnapshot(0, GENESIS, b"y"))
        found = self.store.get_snapshot("main")
        expect(found == good, "a refused snapshot changes nothing", found)

    def test_c19_the_newest_snapshot_stays(self) -> None:
        """Two hosts put their snapshots in any order: the newer one stays, and one of its own version mends it."""
        self.store.append(batch(0, 5))
        other = self.open() if self.shared else self.store
        self.store.put_snapshot("main", StoredSnapshot(4, chain(4), b"newer"))
        other.put_snapshot("main", StoredSnapshot(2, chain(2), b"older"))
        for version, data in ((4, b"newer"), (4, b"again"), (5, b"newest")):
            if data != b"newer":
                other.put_snapshot("main", StoredSnapshot(version, chain(version), data))
            for reader in (self.store, other):
                kept = reader.get_snapshot("main")
                expect(kept == (version, chain(version), data), f"the newest snapshot is {data!r}", kept)

    def test_c20_snapshots_are_bound_to_the_chain(self) -> None:
        """A snapshot of another history is refused; the chain covers every byte of every record."""
        self.store.append(batch(0, 5))
        good = StoredSnapshot(5, chain(5), b"x")
        self.store.put_snapshot("main", good)
        for version, head in ((3, chain(2)), (3, GENESIS), (3, ""), (4, chain(4, "other"))):
            with refuses(StoreCorruptError, "a snapshot of another history"):
                self.store.put_snapshot("main", StoredSnapshot(version, head, b"y"))
        expect(self.store.get_snapshot("main") == good, "a refused snapshot changes nothing")
        found = self.store.verify("main")
        expect(found == ("main", 5, chain(5)), "verify answers the hash of all records in order", found)
        differing = [event(1, "other"), event(2, "other", amount=2), event(3, "other")]
        self.store.append(Append("other", 0, differing))
        expect(self.store.verify("other").chain != chain(3, "other"), "another amount anywhere is another hash")
        for version in (-1, 6, 2**53):
            with refuses(StoreCorruptError, f"the hash up to version {version} of five"):
                self.store.chain_at("main", version)

    def test_c21_reopen(self) -> None:
        """Closed and opened again, everything is as it was, and the next append follows on."""
        self.need_shared()
        self.store.append(batch(0, 3, commit="k"))
        self.store.put_snapshot("main", StoredSnapshot(2, chain(2), b"snapshot"))
        for turn in range(3, 6):
            store = self.reopened()
            expect(len(self.versions(store)) == turn, "the events are there")
            expect(store.find("main", "k") == Appended(1, 3), "the keys are there")
            expect(store.get_snapshot("main") == StoredSnapshot(2, chain(2), b"snapshot"), "the snapshot is there")
            expect(store.verify("main") == ("main", turn, chain(turn)), "it is whole")
            expect(store.append(batch(turn)) == Appended(turn + 1, turn + 1), "and it goes on")

    def test_c43_keys_are_kept_for_as_long_as_the_stream(self) -> None:
        """Keys survive hundreds of others, a snapshot, opening again, and a year of the clock."""
        made = [batch(version, commit=f"k{version}") for version in range(300)]
        for one in made:
            self.store.append(one)
        self.store.put_snapshot("main", StoredSnapshot(300, chain(300), b""))
        store = self.reopened() if self.shared else self.store
        real, real_ns = time.time, time.time_ns
        with patch("time.time", lambda: real() + YEAR_S), patch("time.time_ns", lambda: real_ns() + YEAR_S * 10**9):
            store.append(batch(300))
            store = self.reopened() if self.shared else store
            for version in (0, 1, 150, 299):
                found = store.find("main", f"k{version}")
                expect(found == Appended(version + 1, version + 1), "a key is never forgotten", version, found)
                outcome = store.append(made[version])
                expect(outcome == AlreadyAppended(version + 1, version + 1), "nor is its content", version, outcome)
