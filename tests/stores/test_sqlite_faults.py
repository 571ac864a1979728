"""Whatever SQLite says and whenever it says it: a typed error, nothing half done, and the next call works (G7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from faulty_connection import FAULTS, Plan, sqlite_error
from store_cases import batch, chain, event

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.adapters.sqlite.faults import typed
from papertrade.codec.events import encode_event
from papertrade.errors import (
    OutcomeUnknownError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, StoredSnapshot
from papertrade.ports.store_extras import Commit, Record

FOREVER = 10**9
IN_DOUBT = (OutcomeUnknownError, KeyboardInterrupt)
TRIP = [batch(5, 2, commit="new"), batch(0, 2, stream="fresh", commit="new"), batch(2, stream="other", commit="new")]
RECORDS = [Record(v, chain(v, "fresh"), encode_event(event(v, "fresh"))) for v in (1, 2)]

OPERATIONS: dict[str, Callable[[SQLiteStore], Any]] = {
    "append": lambda s: s.append(batch(5, 2)),
    "append with a key": lambda s: s.append(TRIP[0]),
    "append to a new stream": lambda s: s.append(TRIP[1]),
    "append again": lambda s: s.append(batch(0, 3, commit="k")),
    "append many": lambda s: s.append_many(TRIP),
    "load": lambda s: list(s.load("main")),
    "head": lambda s: s.head("main"),
    "find": lambda s: s.find("main", "k"),
    "streams": lambda s: s.streams(),
    "put snapshot": lambda s: s.put_snapshot("main", StoredSnapshot(5, chain(5), b"later")),
    "get snapshot": lambda s: s.get_snapshot("main"),
    "verify": lambda s: s.verify("main"),
    "take": lambda s: s.take("main"),
    "take a new stream": lambda s: s.take("fresh"),
    "release": lambda s: s.release("main", s.take("main")),
    "put records": lambda s: s.put_records("fresh", 0, RECORDS, [Commit("k", 1, 2)]),
    "put records again": lambda s: s.put_records("main", 1, list(s.records("main", 2, 3))),
    "records": lambda s: list(s.records("main")),
    "commits": lambda s: list(s.commits("main")),
    "erase": lambda s: s.erase("main"),
    "erase what never was": lambda s: s.erase("fresh"),
    "wait": lambda s: s.wait("main", 0, 0),
}
LOOKS = ("load", "head", "find", "streams", "get snapshot", "verify", "records", "commits", "wait")


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Plan:
    return Plan(monkeypatch)


@cache
def two_journals() -> bytes:
    """A file with two journals and a snapshot, as a store that was closed leaves it."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "paper.db")
        store = SQLiteStore(path, durability="memory", wait_s=0)
        store.append(batch(0, 3, commit="k"))
        store.append(batch(3, 2))
        store.append(batch(0, 2, stream="other", commit="k"))
        store.put_snapshot("main", StoredSnapshot(4, chain(4), b"snapshot"))
        store.close()
        assert [found.name for found in path.parent.iterdir()] == [path.name]
        return path.read_bytes()


class Scene:
    """A file with two journals, and a store on it that can fail."""

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path, self.plan = path, plan
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
        path.write_bytes(two_journals())
        self.store = SQLiteStore(path, durability="memory", wait_s=0)

    def attempt(self, operation: Callable[[SQLiteStore], Any]) -> list[BaseException]:
        """The errors that an operation raised or answered."""
        try:
            answer = operation(self.store)
        except (StoreError, KeyboardInterrupt) as why:
            return [why]
        answers = answer if isinstance(answer, list) else []
        return [one for one in answers if isinstance(one, StoreError)]

    def sizes(self) -> dict[str, int]:
        """Version by stream, as another process sees it, which must not be locked out."""
        other = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            return dict(other.execute("SELECT name, version FROM streams").fetchall())
        finally:
            other.close()

    def check(self) -> None:
        """Every stream is whole."""
        for name in self.store.streams():
            self.store.verify(name)


@pytest.fixture
def scene(tmp_path: Path, plan: Plan) -> Iterator[Scene]:
    made = Scene(tmp_path / "paper.db", plan)
    yield made
    made.store.close()


@pytest.mark.parametrize("last", [None, FOREVER], ids=["once", "for ever"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_statement_fails_in_every_way(
    name: str, fault: str, last: int | None, tmp_path: Path, plan: Plan
) -> None:
    """The k-th statement fails, k = 1, 2, … until the operation succeeds, once and for ever.

    What only looks is tried on one store again and again, which has to get over every fault before.
    """
    operation = OPERATIONS[name]
    scene = Scene(tmp_path / "paper.db", plan)
    before = scene.sizes()
    assert not scene.attempt(operation)
    done = scene.sizes()
    for k in range(1, 60):
        if name not in LOOKS:
            scene.store.close()
            scene = Scene(tmp_path / "paper.db", plan)
        plan.arm(FAULTS[fault], k, last or k)
        errors = scene.attempt(operation)
        seen = plan.statements
        plan.heal()
        after = scene.sizes()
        for stream in done:
            assert after.get(stream, 0) in (before.get(stream, 0), done[stream]), (k, seen[-1])
        if not errors:
            assert after == done
        elif name != "append many" and not any(isinstance(why, IN_DOUBT) for why in errors):
            assert after == before, (k, seen[k - 1])
        scene.check()
        assert not scene.attempt(operation)
        assert scene.sizes() == done, "asked again, it has happened once"
        scene.check()
        if len(seen) < k:
            assert not errors
            break
    else:
        pytest.fail("the operation never ends")
    assert k > 1, "the operation makes no statement"
    scene.store.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_trip_whose_commit_fails_is_unknown_for_each(fault: str, scene: Scene) -> None:
    """What the disk may have is neither acknowledged nor denied, and the key tells it afterwards."""
    scene.plan.arm(None, 0, 0)
    scene.store.append_many([batch(5, commit="a"), batch(2, stream="other", commit="a")])
    commit = scene.plan.statements.index("COMMIT") + 1
    trip = [batch(6, commit="b"), batch(3, stream="other", commit="b")]
    scene.plan.arm(FAULTS[fault], commit, commit)
    errors = scene.attempt(lambda store: store.append_many(trip))
    assert scene.plan.statements[commit - 1] == "COMMIT"
    scene.plan.heal()
    assert [type(why) for why in errors] in ([OutcomeUnknownError] * 2, [KeyboardInterrupt])
    kept = scene.store.find("main", "b")
    assert (kept is not None) == fault.endswith(", done")
    assert {type(one) for one in scene.store.append_many(trip)} == {AlreadyAppended if kept else Appended}
    scene.check()


@pytest.mark.parametrize("statement", ["SELECT s.id", "INSERT INTO events", "INSERT INTO commits"])
@pytest.mark.parametrize("at", range(3))
def test_a_batch_that_fails_leaves_the_others_of_its_trip(scene: Scene, at: int, statement: str) -> None:
    """A statement that fails for one batch, as often as it is made, fails that batch, wherever it is in the trip."""
    names = ("main", "other", "third")
    new = [batch(scene.store.head(name), stream=name, commit=f"of {name}") for name in names]

    def concerns(sql: str, values: tuple[Any, ...]) -> bool:
        texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
        return statement in sql and any(f"of {names[at]}" == text or f'"{names[at]}"' in text for text in texts)

    scene.plan.fail_each(concerns)
    found = scene.store.append_many(new)
    scene.plan.heal()
    assert [isinstance(one, Appended) for one in found] == [n != at for n in range(3)]
    assert isinstance(found[at], StoreUnavailableError)
    scene.check()
    assert isinstance(scene.store.append(new[at]), Appended)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_trip_that_fails_once_is_done_or_not_for_each(fault: str, scene: Scene) -> None:
    """The k-th statement fails once: each batch of the trip is stored as it is answered, or in doubt."""
    for k in range(1, 80):
        new = [batch(scene.store.head(name), stream=name) for name in ("main", "other", "third")]
        scene.plan.arm(FAULTS[fault], k, k)
        try:
            found = scene.store.append_many(new)
        except KeyboardInterrupt:
            found = []
        seen = scene.plan.statements
        scene.plan.heal()
        for one, outcome in zip(new, found, strict=False):
            if not isinstance(outcome, OutcomeUnknownError):
                assert scene.store.head(one.stream) == one.expected + isinstance(outcome, Appended), (k, seen[k - 1])
        scene.check()
        if len(seen) < k:
            break
    else:
        pytest.fail("the trip never ends")


@pytest.mark.parametrize("fault", FAULTS)
def test_opening_fails_in_every_way(fault: str, tmp_path: Path, plan: Plan) -> None:
    """A new file whose k-th statement fails: a typed error, and the next attempt opens it."""
    for k in range(1, 200):
        path = tmp_path / f"{k}.db"
        plan.arm(FAULTS[fault], k, FOREVER)
        errors: list[BaseException] = []
        try:
            SQLiteStore(path, wait_s=0, durability="memory").close()
        except (StoreError, KeyboardInterrupt) as why:
            errors.append(why)
        seen = plan.statements
        plan.heal()
        if len(seen) < k:
            assert not errors
            return
        assert errors, seen[k - 1]
        store = SQLiteStore(path, wait_s=0, durability="memory")
        assert store.append(batch(0)) == Appended(1, 1)
        store.close()
    pytest.fail("opening never ends")


# ------------------------------------------------------------------ real failures


def test_c28_a_full_disk(scene: Scene) -> None:
    """No room: said so, nothing stored, reading goes on, and with room again the same append works."""
    store = scene.store
    assert store._connection is not None
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    found = [store.append_many([batch(version)])[0] for version in range(5, 105)]
    first = next(at for at, one in enumerate(found) if not isinstance(one, Appended))
    assert {type(one) for one in found[first:]} <= {StoreFullError, Conflict}
    assert isinstance(found[first], StoreFullError)
    stored = store.head("main")
    scene.check()
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert store.append(batch(stored)) == Appended(stored + 1, stored + 1)


def test_c29_a_file_that_cannot_be_written(scene: Scene) -> None:
    """Read-only: a setting to mend, and reading goes on."""
    store = scene.store
    assert store._connection is not None
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreMisconfiguredError):
        store.append(batch(5))
    assert list(store.load("main")) == [event(v) for v in range(1, 6)]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (sqlite3.SQLITE_BUSY, StoreUnavailableError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreUnavailableError),
        (sqlite3.SQLITE_LOCKED, StoreUnavailableError),
        (sqlite3.SQLITE_IOERR_WRITE, StoreUnavailableError),
        (sqlite3.SQLITE_NOMEM, StoreUnavailableError),
        (sqlite3.SQLITE_INTERRUPT, StoreUnavailableError),
        (sqlite3.SQLITE_FULL, StoreFullError),
        (sqlite3.SQLITE_CORRUPT, StoreCorruptError),
        (sqlite3.SQLITE_CORRUPT_VTAB, StoreCorruptError),
        (sqlite3.SQLITE_NOTADB, StoreCorruptError),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, StoreCorruptError),
        (sqlite3.SQLITE_ERROR, StoreCorruptError),
        (10 | (32 << 8), StoreCorruptError),
        (sqlite3.SQLITE_READONLY, StoreMisconfiguredError),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StoreMisconfiguredError),
        (sqlite3.SQLITE_CANTOPEN, StoreMisconfiguredError),
        (sqlite3.SQLITE_PERM, StoreMisconfiguredError),
    ],
)
def test_what_sqlite_says_becomes_what_to_do(code: int, error: type[StoreError]) -> None:
    """Every result code has its remedy, and the text names the file."""
    found = typed(sqlite_error(code, "said"), "/there/paper.db")
    assert type(found) is error
    assert str(found) == "/there/paper.db: said"
