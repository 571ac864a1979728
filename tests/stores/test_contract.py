"""Every store that is shipped keeps the contract of ``ports/store.py``. One suite, run on each of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from store_cases import HOSTILE_NAMES, batch, chain, event

from papertrade.codec.chain import GENESIS
from papertrade.errors import StoreClosedError, StoreCorruptError, StoreError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Store, StoredSnapshot


def test_c01_empty_stream(store: Store) -> None:
    """A stream that does not exist has version 0, no events, no snapshot, and is not listed."""
    assert store.head("main") == 0
    assert list(store.load("main")) == []
    assert store.get_snapshot("main") is None
    assert store.find("main", "k") is None
    assert store.streams() == []
    assert store.verify("main") == ("main", 0, GENESIS)


def test_c02_append_and_the_same_back(store: Store) -> None:
    """What was appended is what is loaded, in order."""
    assert store.append(batch(0, 3)) == Appended(1, 3)
    assert list(store.load("main")) == [event(1), event(2), event(3)]
    assert store.head("main") == 3


@pytest.mark.parametrize("expected", [0, 1, 3, -1, 2**53, 10**30])
def test_c03_wrong_expected_version(store: Store, expected: int) -> None:
    """Too low, too high, negative or absurd: a conflict that names the version, and nothing is stored."""
    store.append(batch(0, 2))
    assert store.append(batch(expected)) == Conflict(2)
    assert store.head("main") == 2


@pytest.mark.parametrize("expected", [0.0, "0", None, False])
def test_c03_an_expected_version_is_a_whole_number(store: Store, expected: object) -> None:
    """What merely equals a version is not one: nothing is stored under it."""
    made = Append("main", expected, [event(1)])  # type: ignore[arg-type]
    assert store.append(made) == Conflict(0)
    assert store.head("main") == 0


@pytest.mark.parametrize("versions", [(1, 3), (2,), (1, 1), (1, 2, 2), (0, 1), (1, 2, 4)])
def test_c04_a_batch_is_whole_or_nothing(store: Store, versions: tuple[int, ...]) -> None:
    """A batch with a gap, a repeat or a wrong start is refused whole."""
    with pytest.raises(StoreMismatchError):
        store.append(Append("main", 0, [event(v) for v in versions]))
    assert store.head("main") == 0
    assert store.streams() == []


def test_c05_empty_batch(store: Store) -> None:
    """An empty batch stores no event and moves no version."""
    store.append(batch(0, 2))
    store.append(Append("main", 2, []))
    assert store.head("main") == 2
    assert store.append(batch(2)) == Appended(3, 3)


def test_c06_a_repeat_is_answered_with_the_first_range(store: Store) -> None:
    """Asked again, a commit id leads to where it went, whatever version is expected now."""
    first = batch(0, 2, commit="k")
    assert store.append(first) == Appended(1, 2)
    store.append(batch(2))
    for expected in (0, 2, 3, 99):
        assert store.append(first._replace(expected=expected)) == AlreadyAppended(1, 2)
    assert store.head("main") == 3
    assert store.find("main", "k") == Appended(1, 2)


@pytest.mark.parametrize("other", [batch(0, 2, commit="k", amount=2), batch(0, 1, commit="k"), batch(0, 3, commit="k")])
def test_c07_a_repeat_with_other_content(store: Store, other: Append) -> None:
    """The same commit id with other, fewer or more events is a mismatch that names it, and stores nothing."""
    store.append(batch(0, 2, commit="k"))
    with pytest.raises(StoreMismatchError) as caught:
        store.append(other)
    assert (caught.value.stream, caught.value.commit_id) == ("main", "k")
    assert store.head("main") == 2


def test_c08_the_commit_id_is_looked_up_before_the_version(store: Store) -> None:
    """A repeat of a stored append is never reported as a conflict."""
    first = batch(0, 1, commit="k")
    store.append(first)
    assert store.append(first) == AlreadyAppended(1, 1)


def test_commit_ids_belong_to_their_stream(store: Store) -> None:
    """The same key in two accounts is two keys."""
    assert store.append(batch(0, stream="a", commit="k")) == Appended(1, 1)
    assert store.append(batch(0, stream="b", commit="k", amount=9)) == Appended(1, 1)
    assert store.find("c", "k") is None


def test_c09_hostile_names_stay_apart(store: Store) -> None:
    """Names with quotes, brackets, newlines, NUL, accents or case never meet."""
    for number, name in enumerate(HOSTILE_NAMES, 1):
        assert store.append(batch(0, number % 4 + 1, stream=name)) == Appended(1, number % 4 + 1)
    for number, name in enumerate(HOSTILE_NAMES, 1):
        assert [e.account for e in store.load(name)] == [name] * (number % 4 + 1)
        assert store.verify(name).version == number % 4 + 1
    assert store.streams() == sorted(HOSTILE_NAMES)


def test_c12_ranges_and_paging(store: Store) -> None:
    """Both ends of a range are included, ends beyond the stream are cut, and a page begins after a name."""
    store.append(batch(0, 10))
    cases = [
        ((1, 10), (1, 10)),
        ((3, 5), (3, 5)),
        ((5, 5), (5, 5)),
        ((9, 99), (9, 10)),
        ((0, 2), (1, 2)),
        ((-5, 2), (1, 2)),
    ]
    for (start, stop), (first, last) in cases:
        assert [e.version for e in store.load("main", start, stop)] == list(range(first, last + 1))
    for start, stop in [(6, 5), (11, 12), (1, 0), (1, -1), (99, None)]:
        assert list(store.load("main", start, stop)) == []
    for name in "edcba":
        store.append(batch(0, stream=name))
    assert store.streams(limit=2) == ["a", "b"]
    assert store.streams(after="b", limit=2) == ["c", "d"]
    assert store.streams(after="e") == ["main"]
    assert store.streams(limit=0) == store.streams(limit=-1) == store.streams(after="z") == []


def test_loading_is_a_view_of_one_moment(store: Store) -> None:
    """A reader that is still reading does not see what is appended meanwhile."""
    store.append(batch(0, 2))
    reader = store.load("main")
    next(reader)
    store.append(batch(2, 2))
    assert [e.version for e in reader] == [2]
    assert len(list(store.load("main"))) == 4


def test_append_many_gives_one_outcome_each(store: Store) -> None:
    """Stored, stored before, conflict and mismatch stand side by side; a bad one leaves the others alone."""
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
    assert found[:3] == [Appended(1, 2), Conflict(0), AlreadyAppended(1, 1)]
    assert [type(outcome) for outcome in found[3:5]] == [StoreMismatchError] * 2
    assert found[5] == Appended(3, 3)
    assert store.streams() == ["a", "seen"]
    assert store.append_many([]) == []


# ------------------------------------------------------ snapshots and the chain


def test_snapshots_belong_to_their_stream(store: Store) -> None:
    """C19, C20: a snapshot ahead of the stream, of another history, of no version or of no stream is refused."""
    store.append(batch(0, 5))
    good = StoredSnapshot(3, chain(3), b"x")
    store.put_snapshot("main", good)
    assert store.get_snapshot("main") == good
    bad = [(6, chain(6)), (3, chain(2)), (3, GENESIS), (3, ""), (-1, chain(4)), (-5, GENESIS), (4, chain(4, "other"))]
    for version, head in bad:
        with pytest.raises(StoreCorruptError):
            store.put_snapshot("main", StoredSnapshot(version, head, b"y"))
    with pytest.raises(StoreCorruptError):
        store.put_snapshot("nobody", StoredSnapshot(0, GENESIS, b"y"))
    assert store.get_snapshot("main") == good


def test_the_chain_covers_every_byte(store: Store) -> None:
    """E5: the head is the hash of all records in order, and another amount anywhere is another head."""
    store.append(batch(0, 5))
    assert store.verify("main").chain == chain(5)
    store.append(batch(5, 1))
    assert store.verify("main") == ("main", 6, chain(6))
    differing = [event(1, "other"), event(2, "other", amount=2), event(3, "other"), event(4, "other")]
    store.append(Append("other", 0, differing))
    assert store.verify("other").chain != chain(4, "other")


def test_c36_use_after_close(store: Store) -> None:
    """Closing twice is fine; every use afterwards is a StoreClosedError, describing it excepted."""
    store.append(batch(0))
    store.close()
    store.close()
    for call in (
        lambda: store.append(batch(0)),
        lambda: store.load("main"),
        lambda: store.head("main"),
        lambda: store.find("main", "k"),
        lambda: store.streams(),
        lambda: store.verify("main"),
        lambda: store.get_snapshot("main"),
        lambda: store.put_snapshot("main", StoredSnapshot(0, GENESIS, b"")),
    ):
        with pytest.raises(StoreClosedError):
            call()
    assert [type(outcome) for outcome in store.append_many([batch(0)])] == [StoreClosedError]
    assert store.describe()["durability"]


# ------------------------------------------------------------------ threads


@pytest.fixture
def restless() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_c14_c15_c17_racing_writers_and_a_reader(store: Store, restless: None) -> None:
    """Eight writers race for each version: one winner each, and every reader sees a dense prefix."""
    wins = [0] * 8
    seen: list[list[int]] = []
    done = threading.Event()

    def write(number: int) -> None:
        for _ in range(200):
            while True:
                outcome = store.append(batch(store.head("main"), 2))
                if isinstance(outcome, Appended):
                    wins[number] += 1
                    break
                assert isinstance(outcome, Conflict)

    def read() -> None:
        while not done.is_set():
            seen.append([e.version for e in store.load("main")])

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    reader.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert wins == [200] * 8
    assert store.verify("main").version == 3_200
    assert seen
    for versions in seen:
        assert versions == list(range(1, len(versions) + 1))
        assert len(versions) % 2 == 0


def test_store_errors_are_one_family() -> None:
    """A host can catch everything a store says by one name."""
    assert issubclass(StoreClosedError, StoreError)
