"""What every shipped store can do beyond keeping journals (``ports/store_extras.py``), by the number of its rule."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from store_cases import HOSTILE_NAMES, batch, chain, event

from papertrade.adapters.memory import MemoryStore
from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import encode_event
from papertrade.errors import (
    InvalidValueError,
    StoreClosedError,
    StoreCorruptError,
    StoreErasedError,
    StoreFencedError,
    StoreMismatchError,
)
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Store, StoredSnapshot
from papertrade.ports.store_extras import Commit, Fencing, Moving, Record, Waiting


class Complete(Store, Fencing, Moving, Waiting, Protocol):
    """A store with all of it."""


def test_shipped_stores_can_do_all_of_it(store: Store) -> None:
    """A host asks by isinstance."""
    assert isinstance(store, Fencing)
    assert isinstance(store, Moving)
    assert isinstance(store, Waiting)


# ------------------------------------------------------------------ C18: fences


def fenced(store: Store, made: Append) -> tuple[int | None, int | None]:
    """What a refused append says of its own fence and the owner's; nothing of it is stored."""
    before = store.head(made.stream)
    with pytest.raises(StoreFencedError) as caught:
        store.append(made)
    assert store.head(made.stream) == before
    assert caught.value.stream == made.stream
    return caught.value.fence, caught.value.owner


def test_c18_the_old_fence_is_refused(store: Complete) -> None:
    """Whoever took it last may write; the one before, a made-up fence and none at all may not."""
    assert store.append(batch(0)) == Appended(1, 1)
    first = store.take("main")
    assert store.append(batch(1)._replace(fence=first)) == Appended(2, 2)
    second = store.take("main")
    assert second > first > 0
    assert fenced(store, batch(2)._replace(fence=first)) == (first, second)
    assert fenced(store, batch(2)._replace(fence=second + 1)) == (second + 1, second)
    assert fenced(store, batch(2)) == (None, second)
    assert fenced(store, batch(9)._replace(fence=first)) == (first, second)  # before the version is compared
    assert store.append(batch(2)._replace(fence=second)) == Appended(3, 3)
    assert store.append(batch(9)._replace(fence=second)) == Conflict(3)


def test_c18_a_fence_is_a_whole_number(store: Complete) -> None:
    """What merely equals a fence is none."""
    assert store.take("main") == 1
    for odd in (True, 1.0, "1"):
        with pytest.raises(StoreFencedError):
            store.append(batch(0)._replace(fence=odd))  # type: ignore[arg-type]
        store.release("main", odd)  # type: ignore[arg-type]
    assert store.append(batch(0)._replace(fence=1)) == Appended(1, 1)


def test_c18_given_up_and_taken_again(store: Complete) -> None:
    """A released stream takes appends without a fence and none with one; a fence is never given twice."""
    first = store.take("main")
    store.release("main", first)
    assert fenced(store, batch(0)._replace(fence=first)) == (first, None)
    assert store.append(batch(0)) == Appended(1, 1)
    second = store.take("main")
    assert second > first
    store.release("main", first)  # it does not own it any more: ignored
    assert fenced(store, batch(1)) == (None, second)
    store.release("main", second)
    store.release("main", second)
    store.release("nobody", 1)
    assert store.append(batch(1)) == Appended(2, 2)
    assert store.take("main") > second


def test_c18_what_was_stored_is_answered_whatever_the_fence(store: Complete) -> None:
    """A repeat is the truth: its answer, or its mismatch, comes before the fence."""
    first = store.take("main")
    made = batch(0, 2, commit="k")._replace(fence=first)
    assert store.append(made) == Appended(1, 2)
    store.take("main")
    for fence in (first, None, 77):
        assert store.append(made._replace(fence=fence)) == AlreadyAppended(1, 2)
        with pytest.raises(StoreMismatchError):
            store.append(batch(0, 2, commit="k", amount=3)._replace(fence=fence))


def test_c18_taken_before_it_exists(store: Complete) -> None:
    """Owning a name makes no stream of it, and every name has fences of its own."""
    for name in HOSTILE_NAMES:
        assert store.take(name) == 1
    assert store.streams() == []
    assert store.head("a") == 0
    assert store.verify("a") == ("a", 0, GENESIS)
    with pytest.raises(StoreCorruptError):
        store.put_snapshot("a", StoredSnapshot(0, GENESIS, b"x"))
    assert fenced(store, batch(0, stream="a")) == (None, 1)
    assert store.append(batch(0, stream="a")._replace(fence=1)) == Appended(1, 1)
    assert store.append(batch(0, stream="main")) == Appended(1, 1)
    assert store.streams() == ["a", "main"]


def test_c18_in_a_trip_of_several(store: Complete) -> None:
    """A fenced batch leaves the others alone."""
    fence = store.take("a")
    found = store.append_many(
        [batch(0, stream="a"), batch(0, stream="b"), batch(0, stream="a")._replace(fence=fence)]
    )
    assert isinstance(found[0], StoreFencedError)
    assert found[1:] == [Appended(1, 1), Appended(1, 1)]


# ------------------------------------------------- C39: the same bytes elsewhere


def filled(store: Store) -> None:
    """Seven events, three commit ids of which one is of an empty batch, and a batch without."""
    store.append(batch(0, 2, commit="one"))
    store.append(batch(2, 3))
    store.append(Append("main", 5, [], "nothing"))
    store.append(batch(5, 2, commit="two"))


COMMITS = [Commit("one", 1, 2), Commit("nothing", 6, 5), Commit("two", 6, 7)]


def test_c39_records_and_commits_are_what_is_stored(store: Complete) -> None:
    """Bytes, hashes and commit ids, in the order of versions, by ranges."""
    filled(store)
    found = list(store.records("main"))
    assert found == [Record(v, chain(v), encode_event(event(v))) for v in range(1, 8)]
    assert list(store.records("main", 3, 5)) == found[2:5]
    assert list(store.records("main", 0, 99)) == found
    assert list(store.records("main", 6, 5)) == list(store.records("main", 8)) == list(store.records("nobody")) == []
    assert list(store.commits("main")) == COMMITS
    assert list(store.commits("main", 3, 6)) == COMMITS[1:2]
    assert list(store.commits("main", 6)) == COMMITS[2:]
    assert list(store.commits("main", 1, 4)) == COMMITS[:1]
    assert list(store.commits("nobody")) == []


def test_c39_moved_to_another_store_the_hash_is_the_same(store: Complete) -> None:
    """Out of one store and into another: events, hash and keys are those of the first, whoever owns the stream."""
    source = MemoryStore()
    filled(source)
    store.take("main")
    assert store.put_records("main", 0, list(source.records("main")), list(source.commits("main"))) == Appended(1, 7)
    assert store.verify("main") == source.verify("main") == ("main", 7, chain(7))
    assert list(store.load("main")) == list(source.load("main"))
    assert list(store.records("main")) == list(source.records("main"))
    assert list(store.commits("main")) == COMMITS
    assert store.append(batch(0, 2, commit="one")) == AlreadyAppended(1, 2)
    assert store.find("main", "nothing") == (6, 5)
    back = MemoryStore()
    assert back.put_records("main", 0, list(store.records("main")), list(store.commits("main"))) == Appended(1, 7)
    assert back.verify("main") == source.verify("main")


def test_c39_in_pieces_and_again(store: Complete) -> None:
    """Chunks follow on each other; the same ones again are answered, and what is neither is a conflict."""
    source = MemoryStore()
    filled(source)
    records, commits = list(source.records("main")), list(source.commits("main"))
    assert store.put_records("main", 2, records[2:5]) == Conflict(0)
    assert store.put_records("main", 0, records[:5], commits[:2]) == Appended(1, 5)
    assert store.put_records("main", 5, records[5:], commits[2:]) == Appended(6, 7)
    assert store.put_records("main", 0, records[:5], commits[:2]) == AlreadyAppended(1, 5)
    assert store.put_records("main", 5, records[5:]) == AlreadyAppended(6, 7)
    assert store.put_records("main", 3, records[3:4]) == AlreadyAppended(4, 4)
    other = MemoryStore()
    other.append(batch(0, 9, amount=2))
    assert store.put_records("main", 0, list(other.records("main", 1, 2))) == Conflict(7)
    assert store.put_records("main", 6, list(other.records("main", 7, 9))) == Conflict(7)
    with pytest.raises(StoreMismatchError):
        store.put_records("main", 0, records[:2], [Commit("other", 1, 2)])
    for expected in (99, -1, 7.0, "7", None):
        assert store.put_records("main", expected, []) == Conflict(7)  # type: ignore[arg-type]
    assert store.verify("main") == source.verify("main")
    assert list(store.commits("main")) == COMMITS


def test_c39_nothing_to_move(store: Complete) -> None:
    """No records are none; commit ids of empty batches move by themselves."""
    assert store.put_records("main", 0, []) == Appended(1, 0)
    assert store.streams() == []
    assert store.put_records("main", 0, [], [Commit("k", 1, 0)]) == Appended(1, 0)
    assert store.put_records("main", 0, [], [Commit("k", 1, 0)]) == AlreadyAppended(1, 0)
    assert store.find("main", "k") == (1, 0)
    assert store.streams() == ["main"]


def changed(**parts: Any) -> Callable[[list[Record]], list[Record]]:
    return lambda records: [records[0], records[1]._replace(**parts), *records[2:]]


def relinked(records: list[Record], data: bytes) -> list[Record]:
    """Other bytes in the second place, and every hash right."""
    made, head = [], GENESIS
    for record in (records[0], records[1]._replace(data=data), *records[2:]):
        head = link(head, record.data)
        made.append(record._replace(chain=head))
    return made


WRONG: dict[str, Callable[[list[Record]], list[Record]]] = {
    "a hash": changed(chain=GENESIS),
    "a hash in capitals": lambda r: [one._replace(chain=one.chain.upper()) for one in r],
    "a version": changed(version=5),
    "another amount": changed(data=encode_event(event(2, amount=9))),
    "no event": lambda r: relinked(r, b"{}"),
    "no bytes": changed(data="text"),
    "of another stream": lambda r: relinked(r, encode_event(event(2, "other"))),
    "of another version": lambda r: relinked(r, encode_event(event(3))),
    "a gap": lambda r: [r[0], r[2]],
    "swapped": lambda r: [r[1], r[0], r[2]],
    "twice": lambda r: [r[0], r[0], r[1]],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_c39_records_that_do_not_follow_are_refused_whole(store: Complete, wrong: str) -> None:
    """Bytes, hashes and versions are checked before anything is stored."""
    source = MemoryStore()
    source.append(batch(0, 3))
    with pytest.raises(StoreCorruptError):
        store.put_records("main", 0, WRONG[wrong](list(source.records("main"))))
    assert (store.head("main"), store.streams()) == (0, [])


@pytest.mark.parametrize(
    "commits",
    [
        [Commit("k", 0, 1)], [Commit("k", 2, 4)], [Commit("k", 4, 4)], [Commit("k", 3, 1)], [Commit("k", -1, -2)],
        [Commit("k", 1, 1), Commit("k", 2, 2)], [Commit("k", 1, 2), Commit("l", 2, 3)], [Commit("l", 2, 2),
        Commit("k", 1, 1)], [Commit("k", 1.0, 1)], [Commit(5, 1, 1)],  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_c39_commits_lead_to_the_records(store: Complete, commits: list[Commit]) -> None:
    """A commit id outside of them, twice, or over another's is refused with everything."""
    source = MemoryStore()
    source.append(batch(0, 3))
    with pytest.raises(StoreCorruptError):
        store.put_records("main", 0, list(source.records("main")), commits)
    assert (store.head("main"), store.streams()) == (0, [])


def test_c39_a_commit_id_that_the_stream_has_is_refused(store: Complete) -> None:
    """It leads elsewhere already."""
    source = MemoryStore()
    source.append(batch(0, 3))
    store.append(batch(0, 1, commit="k"))
    with pytest.raises(StoreCorruptError):
        store.put_records("main", 1, list(source.records("main", 2)), [Commit("k", 2, 3)])
    assert (store.head("main"), store.find("main", "k")) == (1, (1, 1))


def test_c39_records_are_seen_as_they_stood(store: Complete) -> None:
    """What is appended while somebody reads is not among them."""
    filled(store)
    reader = store.records("main")
    next(reader)
    store.append(batch(7, 2))
    assert [record.version for record in reader] == [2, 3, 4, 5, 6, 7]


# ------------------------------------------------------------------ C42: erased


def test_c42_an_erased_name_is_gone_for_good(store: Complete) -> None:
    """Every read and write of it says so, with the note; others, and the list of names, go on."""
    filled(store)
    store.put_snapshot("main", StoredSnapshot(2, chain(2), b"x"))
    store.append(batch(0, stream="other"))
    fence = store.take("main")
    source = MemoryStore()
    source.append(batch(0))
    store.erase("main", "asked for by its owner")
    store.erase("main", "again")
    for call in (
        lambda: store.append(batch(7)._replace(fence=fence)),
        lambda: store.append(batch(0, 2, commit="one")),
        lambda: store.append(batch(0)),
        lambda: store.load("main"),
        lambda: store.head("main"),
        lambda: store.find("main", "one"),
        lambda: store.chain_at("main", 0),
        lambda: store.put_snapshot("main", StoredSnapshot(0, GENESIS, b"")),
        lambda: store.get_snapshot("main"),
        lambda: store.verify("main"),
        lambda: store.take("main"),
        lambda: store.release("main", fence),
        lambda: store.records("main"),
        lambda: store.commits("main"),
        lambda: store.put_records("main", 0, list(source.records("main"))),
        lambda: store.wait("main", 0, 0),
    ):
        with pytest.raises(StoreErasedError) as caught:
            call()
        assert (caught.value.stream, caught.value.note) == ("main", "asked for by its owner")
    found = store.append_many([batch(0), batch(1, stream="other")])
    assert isinstance(found[0], StoreErasedError)
    assert found[1] == Appended(2, 2)
    assert store.streams() == ["other"]
    assert store.verify("other").version == 2


def test_c42_what_never_existed_can_be_erased(store: Complete) -> None:
    """Its name cannot be used from then on."""
    for name in HOSTILE_NAMES:
        store.erase(name)
    store.take("taken")
    store.erase("taken")
    assert store.streams() == []
    for name in (*HOSTILE_NAMES, "taken"):
        with pytest.raises(StoreErasedError):
            store.append(batch(0, stream=name))
    assert store.append(batch(0)) == Appended(1, 1)


def test_c42_a_reader_that_is_under_way_learns_of_it_or_ends(store: Complete) -> None:
    """Reading on may give the events that were there, or say that they were erased; nothing else."""
    store.append(batch(0, 2_000))
    reader = store.load("main")
    assert next(reader) == event(1)
    store.erase("main")
    rest = []
    try:
        rest += reader
    except StoreErasedError:
        assert rest == [event(v) for v in range(2, len(rest) + 2)]
    else:
        assert rest == [event(v) for v in range(2, 2_001)]


# ------------------------------------------------------------------ waiting


def test_waiting_ends_when_something_is_appended(store: Complete) -> None:
    """Somebody else's append ends it, and the version is answered."""
    store.append(batch(0, 2))
    answers: list[int] = []
    waiter = threading.Thread(target=lambda: answers.append(store.wait("main", 2, 60)))
    waiter.start()
    store.append(batch(0, stream="other"))
    store.append(batch(2, 2))
    waiter.join()
    assert answers == [4]


def test_waiting_ends_with_the_time(store: Complete) -> None:
    """What is past already is answered at once; nothing new is the version it is at, with the time over."""
    store.append(batch(0, 2))
    assert store.wait("main", 0, 60) == store.wait("main", 1, 60) == 2
    assert store.wait("main", 2, 0) == store.wait("main", 99, 0.02) == 2
    assert store.wait("nobody", 0, 0) == 0
    for odd in (-1, float("nan"), "1", None):
        with pytest.raises(InvalidValueError):
            store.wait("main", 0, odd)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "error"),
    [(lambda s: s.close(), StoreClosedError), (lambda s: s.erase("main"), StoreErasedError)],
    ids=["closed", "erased"],
)
def test_waiting_ends_with_the_stream(
    store: Complete, end: Callable[[Complete], None], error: type[Exception]
) -> None:
    """Closing the store and erasing the stream wake whoever waits, with the reason."""
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            store.wait("main", 0, 60)
        except Exception as why:
            caught.append(why)

    waiter = threading.Thread(target=wait)
    waiter.start()
    end(store)
    waiter.join()
    assert [type(why) for why in caught] == [error]


def test_c36_use_of_the_rest_after_close(store: Complete) -> None:
    """Every use of a closed store is a StoreClosedError."""
    store.close()
    for call in (
        lambda: store.take("main"),
        lambda: store.release("main", 1),
        lambda: store.records("main"),
        lambda: store.commits("main"),
        lambda: store.put_records("main", 0, []),
        lambda: store.erase("main"),
        lambda: store.wait("main", 0, 0),
    ):
        with pytest.raises(StoreClosedError):
            call()
