"""Twelve kinds of work on a file, each of which may lose power at any instant, and how to tell what was lost."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
from power_disk import Connection, Disk, Log, Step
from store_cases import batch, chain

from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore, opening, places
from papertrade.domain.events import CashDeposited
from papertrade.ports.store import Append, StoredSnapshot

T = TypeVar("T")
OLD = Path(__file__).parents[1] / "stores" / "files" / "schema-1.db"
TABLES = (
    "SELECT * FROM streams ORDER BY id", "SELECT stream, version, chain FROM events ORDER BY stream, version",
    "SELECT * FROM commits ORDER BY rowid", "SELECT * FROM snapshots ORDER BY stream",
    "SELECT * FROM tombstones ORDER BY stream", "SELECT * FROM totals",
)  # fmt: skip


def state_of(store: SQLiteStore) -> object:
    """All that a file holds."""
    connection: Any = store._connection
    return tuple(tuple(map(tuple, connection.execute(table).fetchall())) for table in TABLES)


class Run:
    """A scenario under way: stores over the disk that writes everything down, and the states that were acknowledged."""

    def __init__(self, folder: Path, durability: str, journal: str) -> None:
        self.path, self.options = folder / "paper.db", {"durability": durability, "journal": journal}
        self.log = Log()
        self.files: dict[str, bytes] = {}
        self.states: list[object] = []

    def begin(self, data: bytes | None) -> None:
        """With a file that has been there for a while, or with none."""
        if data is not None:
            self.path.write_bytes(data)
            self.files = {self.path.name: data}
            self.log.names[self.path.name] = self.log.files = 1
        copy = self.path.with_name("begin.db")
        if data is not None:
            copy.write_bytes(data)
        store = SQLiteStore(copy, durability="memory")
        self.states.append(state_of(store))
        store.close()

    def open(self, pages: int = 1000) -> SQLiteStore:
        """A store on the file. Its log is carried over into the file after so many pages."""
        store = SQLiteStore(self.path, wait_s=0, **self.options)  # type: ignore[arg-type]
        assert store._connection is not None
        store._connection.execute(f"PRAGMA wal_autocheckpoint = {pages}").fetchall()
        return store

    def do(self, store: SQLiteStore, work: Callable[[], T]) -> T:
        """Something that is acknowledged when it returns."""
        found = work()
        self.states.append(state_of(store))
        self.log.steps.append(Step("acknowledged"))
        return found


@contextmanager
def on_disk(log: Log, sync_names: bool = True) -> Iterator[None]:
    """Stores that are opened in this block work on the disk that writes everything down."""
    disk, real, sync = Disk(log), opening._connection, places._sync_directory
    opening._connection = lambda place, mode: Connection(place.path, mode, place.wait_s)  # type: ignore
    create = places._create

    def creating(path: str) -> None:
        if not Path(path).exists():
            log.opened(Path(path).name)
        create(path)

    def syncing(path: str) -> None:
        if sync_names:
            log.steps.append(Step("directory"))

    places._create, places._sync_directory = creating, syncing
    try:
        yield
    finally:
        opening._connection, places._create, places._sync_directory = real, create, sync
        disk.unregister()


@cache
def used() -> bytes:
    """A closed file with two journals, keys and a snapshot."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paper.db"
        store = SQLiteStore(path, durability="memory")
        for number in range(30):
            store.append(batch(number, commit=f"key-{number}"))
        store.append(batch(0, 3, stream="other", commit="k"))
        store.put_snapshot("main", StoredSnapshot(10, chain(10), b"snapshot" * 50))
        store.close()
        return path.read_bytes()


# ------------------------------------------------------------------ the scenarios


def append(run: Run) -> None:
    """A new file, and single appends."""
    store = run.open()
    for number in range(12):
        run.do(store, lambda n=number: store.append(batch(n)))  # type: ignore[misc]
    store.close()


def append_many(run: Run) -> None:
    """Several streams in one trip."""
    store = run.open()
    for turn in range(8):
        trip = [batch(turn * 2, 2, stream=name, commit=f"t{turn}") for name in ("a", "b", "c")]
        run.do(store, lambda t=trip: store.append_many(t))  # type: ignore[misc]
    store.close()


def keyed(run: Run) -> None:
    """Appends with keys, each asked twice."""
    store = run.open()
    for number in range(30, 40):
        made = batch(number, 2, commit=f"again-{number}")._replace(expected=30 + 2 * (number - 30))
        made = batch(made.expected, 2, commit=made.commit_id)
        run.do(store, lambda m=made: store.append(m))  # type: ignore[misc]
        store.append(made)
    store.close()


def snapshots(run: Run) -> None:
    """Snapshots of two pages, replaced again and again."""
    store = run.open()
    for version in range(20, 28):
        kept = StoredSnapshot(version, chain(version), b"%d" % version * 3_000)
        run.do(store, lambda k=kept: store.put_snapshot("main", k))  # type: ignore[misc]
    store.close()


def migration(run: Run) -> None:
    """A file of schema 1 is opened, and goes on."""
    store = run.open()
    for number in range(3, 6):
        run.do(store, lambda n=number: store.append(batch(n, stream="plain")))  # type: ignore[misc]
    store.close()


def checkpoints(run: Run) -> None:
    """The log is carried over into the file every few pages, and begins anew."""
    store = run.open(pages=12)
    for number in range(30, 60):
        run.do(store, lambda n=number: store.append(batch(n, commit=f"c{n}")))  # type: ignore[misc]
    store.close()


def put_records(run: Run) -> None:
    """A stream moves in, in chunks with their keys."""
    source = MemoryStore()
    for number in range(40):
        source.append(batch(number, stream="moved", commit=f"m{number}"))
    store = run.open()
    for first in range(0, 40, 8):
        records, commits = (list(f("moved", first + 1, first + 8)) for f in (source.records, source.commits))
        run.do(store, lambda f=first, r=records, c=commits: store.put_records("moved", f, r, c))  # type: ignore[misc]
    store.close()


def erase(run: Run) -> None:
    """Streams are erased, one that never was among them, and the rest goes on."""
    store = run.open()
    for name in ("other", "main", "never"):
        run.do(store, lambda n=name: store.erase(n, "asked for"))  # type: ignore[misc]
        run.do(store, lambda n=name: store.append(batch(0, stream=f"after {n}")))  # type: ignore[misc]
    store.close()


def fences(run: Run) -> None:
    """Taken, written to, taken over, given up."""
    store = run.open()
    for turn in range(4):
        fence = run.do(store, lambda: store.take("main"))
        made = batch(30 + turn)._replace(fence=fence)
        run.do(store, lambda m=made: store.append(m))  # type: ignore[misc]
        if turn % 2:
            run.do(store, lambda f=fence: store.release("main", f))  # type: ignore[misc]
    store.close()


def two_connections(run: Run) -> None:
    """Two stores write in turns; one of them carries the log over."""
    one, two = run.open(pages=10), run.open()
    for number in range(30, 46):
        store = (one, two)[number % 2]
        run.do(store, lambda n=number, s=store: s.append(batch(n, commit=f"w{n}")))  # type: ignore[misc]
    one.close()
    two.close()


def large(run: Run) -> None:
    """Batches of many pages, more than SQLite keeps in memory by itself."""
    store = run.open()
    assert store._connection is not None
    store._connection.execute("PRAGMA cache_size = 10").fetchall()
    for turn in range(2):
        first = turn * 200
        events = [CashDeposited("large", first + n, 5, 1, "USD", "x" * 100, "") for n in range(1, 201)]
        made = Append("large", first, events, f"large-{turn}")
        run.do(store, lambda m=made: store.append(m))  # type: ignore[misc]
    store.close()


def reopen(run: Run) -> None:
    """Closed and opened between appends: the log goes and comes."""
    for number in range(30, 36):
        store = run.open()
        run.do(store, lambda n=number, s=store: s.append(batch(n)))  # type: ignore[misc]
        store.close()


def old() -> bytes:
    """A file that was written before schema 2."""
    return OLD.read_bytes()


def none() -> None:
    """No file yet."""


class Scenario(NamedTuple):
    """A file that has been there for a while, and work on it."""

    begin: Callable[[], bytes | None]
    work: Callable[[Run], None]


SCENARIOS: dict[str, Scenario] = {
    "append": Scenario(none, append),
    "append many": Scenario(used, append_many),
    "keys": Scenario(used, keyed),
    "snapshots": Scenario(used, snapshots),
    "migration": Scenario(old, migration),
    "checkpoints": Scenario(used, checkpoints),
    "records moved in": Scenario(used, put_records),
    "erase": Scenario(used, erase),
    "fences": Scenario(used, fences),
    "two connections": Scenario(used, two_connections),
    "large batches": Scenario(used, large),
    "closed and opened": Scenario(used, reopen),
}
