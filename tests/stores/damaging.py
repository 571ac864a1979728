"""A closed file, everything that can be read of it, and ways in which its bytes and rows change by themselves (G16)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

from store_cases import HOSTILE_NAMES, batch, chain

import papertrade as pt
from papertrade.adapters.sqlite import SQLiteStore, journal
from papertrade.adapters.tables import TABLES as HISTORY
from papertrade.errors import StoreCorruptError, StoreErasedError, StoreError
from papertrade.ports.store import Append, StoredSnapshot
from papertrade.records import verify_account, verify_tables

PAGE = 4096
MASKS = (1, 4, 0x20, 0x80, 0xFF)
TRADED = "books"  # an account of a host, which has rows in every table of history
TABLES = (
    "streams", "events", "commits", "snapshots", "tombstones", "totals", "migrations",
    *(table.name for table in HISTORY), "tabled",
)  # fmt: skip
# Columns that say where a row belongs are moved with what they say; these are what it says.
SWAPPED = {
    "streams": ("name", "version", "chain", "keyed", "fence", "owner", "fence_sum"),
    "events": ("stream", "version", "chain", "record"),
    "commits": ("stream", "commit_id", "first_version", "last_version", "size", "seal"),
    "snapshots": ("version", "chain", "data", "hash"),
    "tombstones": ("note", "hash"),
    **{table.name: tuple(column.name for column in table.columns()) for table in HISTORY},
}


def trade(store: SQLiteStore) -> None:
    """Orders that fill, end and wait, on two days."""
    exchange = pt.Exchange(store, clock="data")
    exchange.add_instrument("ABC")
    broker = exchange.open_account(TRADED, cash=10_000, fees=pt.PercentFee("0.001"))
    for day, price in (("05", 100), ("06", 105)):
        exchange.on_quote("ABC", bid=price, ask=price + 1, at=f"2026-01-{day}T15:00:00Z")
        broker.buy("ABC", 3, tags={"strategy": "gap"}, client_order_id=f"in-{day}")
    broker.cancel_order(broker.buy("ABC", 1, limit_price="90"))
    broker.sell("ABC", 1, limit_price="180")
    exchange.add_instrument("XYZ")
    exchange.on_quote("XYZ", bid=50, ask=51, at="2026-01-06T15:00:00Z")
    broker.buy("XYZ", 2)


class Whole:
    """A file with one long journal, short ones, an account with its tables, keys, snapshots, fences and tombstones."""

    def __init__(self, path: Path, long: int, names: list[str]) -> None:
        self.path, self.long, self.names = path, long, names
        store = SQLiteStore(path, durability="memory")
        for number in range(long):
            store.append(batch(number, commit=f"key-{number}"))
        store.append(Append("main", long, [], "nothing"))
        for name in names:
            store.append(batch(0, 2, stream=name, commit="k"))
        trade(store)
        store.put_snapshot("main", StoredSnapshot(long - 2, chain(long - 2), b"a snapshot" * 20))
        store.put_snapshot(names[0], StoredSnapshot(1, chain(1, names[0]), b"another"))
        store.release("main", store.take("main"))
        store.take("taken")
        store.take(names[0])
        store.erase("erased", "on request")
        store.erase(names[-1], "asked for by its owner")
        store.close()
        self.data = path.read_bytes()
        self.good = self._everything(path)

    def outcome(self, path: Path, damaged: bytes) -> str:
        """What comes of a damaged file: found out, of no effect on anything that is read, or another state."""
        path.write_bytes(damaged)
        for beside in ("-wal", "-shm"):
            Path(f"{path}{beside}").unlink(missing_ok=True)
        return self.judge(path)

    def judge(self, path: Path) -> str:
        """Likewise, of a file as it is there."""
        try:
            found = self._everything(path)
        except StoreError:
            return "found out"
        if found == self.good:
            return "no effect"
        # The account is then read from its journal, and is the same one.
        return "a snapshot less" if found[:2] == self.good[:2] else "another state"

    def _everything(self, path: Path) -> tuple[object, object, object]:
        """All that a host can read of a file; not finding a key would act twice, and a repeat has to be one."""
        store = SQLiteStore(path, durability="memory")
        try:
            verify_tables(store)
            listed = [*store.streams(), repr(verify_account(store, TRADED))]
            kept = [self._stream(store, name) for name in ("main", "taken", "erased", "never", *self.names)]
            repeats = [store.append(batch(n, commit=f"key-{n}")) for n in range(self.long)]
            repeats += [store.append(batch(0, 2, stream=name, commit="k")) for name in self.names[:-1]]
            repeats.append(store.append(Append("main", self.long, [], "nothing")))
            snapshots = [store.get_snapshot(name) for name in ("main", *self.names[:-1])]
            return (listed, kept), repeats, snapshots
        finally:
            store.close()

    def _stream(self, store: SQLiteStore, name: str) -> object:
        try:
            head = store._read(lambda connection: journal.head_of(connection, name))
            keys = [store.find(name, f"key-{number}") for number in range(self.long)] if name == "main" else []
            return (
                head[1:], keys, store.find(name, "k"), list(store.load(name)), list(store.records(name)),
                list(store.commits(name)), store.verify(name),
            )  # fmt: skip
        except StoreErasedError as why:
            return "erased", why.note

    # ------------------------------------------------------------------ damage

    def flipped(self, at: int, draw: Random) -> bytes:
        """One byte is another."""
        damaged = bytearray(self.data)
        damaged[at] ^= draw.choice(MASKS)
        return bytes(damaged)

    def misdirected(self) -> Iterator[tuple[str, bytes]]:
        """Each page holds nothing, or what another page holds."""
        pages = [self.data[at : at + PAGE] for at in range(0, len(self.data), PAGE)]
        for target in range(len(pages)):
            for what, page in [("nothing", bytes(PAGE)), *((f"page {n}", other) for n, other in enumerate(pages))]:
                damaged = b"".join([*pages[:target], page, *pages[target + 1 :]])
                if damaged != self.data:
                    yield f"page {target} holds {what}", damaged

    def changed_rows(self, path: Path) -> Iterator[tuple[str, str]]:
        """Each row dropped, each column of two neighbors exchanged: what, and what came of it."""
        path.write_bytes(self.data)
        connection = sqlite3.connect(path)
        rows = {t: [r for (r,) in connection.execute(f"SELECT rowid FROM {t} ORDER BY rowid")] for t in TABLES}
        connection.close()
        for table, numbers in rows.items():
            for number in numbers:
                yield f"a row of {table} dropped", self._dropped(path, table, number)
            for column in SWAPPED.get(table, ()):
                for one, two in pairwise(numbers):
                    said = self._exchanged(path, table, column, one, two)
                    if said is not None:
                        yield f"{column} of two rows of {table} exchanged", said

    def changed_keys(self, path: Path, every: int = 1) -> Iterator[tuple[str, str]]:
        """Each commit id with another letter, range or seal, its index included: what ``verify`` alone says of it."""
        path.write_bytes(self.data)
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT rowid, commit_id, seal FROM commits ORDER BY rowid").fetchall()
        connection.close()
        changes = []
        for number, name, seal in rows:
            for at in range(len(name)):
                other = name[:at] + chr(ord(name[at]) ^ 64) + name[at + 1 :]
                changes.append(("letter of a commit id", number, "commit_id = ?", (other,)))
            for by in ("first_version = first_version + 1, size = size - 1",
                       "last_version = last_version - 1, size = size - 1",
                       "first_version = first_version + 1, last_version = last_version + 1",
                       "first_version = first_version - 1, last_version = last_version - 1"):  # fmt: skip
                changes.append(("range of a commit id", number, by, ()))
            for at in range(len(seal)):
                other = seal[:at] + bytes([seal[at] ^ 4]) + seal[at + 1 :]
                changes.append(("byte of a seal", number, "seal = ?", (other,)))
        for what, number, change, values in changes[::every]:
            path.write_bytes(self.data)
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute(f"UPDATE commits SET {change} WHERE rowid = ?", (*values, number))
            connection.close()
            yield what, self._verified(path)

    def _verified(self, path: Path) -> str:
        store = SQLiteStore(path, durability="memory")
        try:
            for name in store.streams():
                store.verify(name)
            return "another state"
        except StoreCorruptError:
            return "found out"
        finally:
            store.close()

    def _dropped(self, path: Path, table: str, number: int) -> str:
        path.write_bytes(self.data)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
        connection.close()
        return self.judge(path)

    def _exchanged(self, path: Path, table: str, column: str, one: int, two: int) -> str | None:
        """What comes of it; None where they are the same, or where SQLite does not let them stand."""
        path.write_bytes(self.data)
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            query = f"SELECT {column} FROM {table} WHERE rowid IN (?, ?) ORDER BY rowid"
            (first,), (second,) = connection.execute(query, (one, two))
            if first == second:
                return None
            passing = {int: -99, str: "passing", bytes: b"passing"}[type(second if first is None else first)]
            for value, number in ((passing, one), (first, two), (second, one)):
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, number))
        except sqlite3.IntegrityError:
            return None
        finally:
            connection.close()
        return self.judge(path)


def small(path: Path) -> Whole:
    """Little enough to change every byte of it."""
    return Whole(path, 12, ["alice", "bob", "carol", "dave"])


def hostile(path: Path) -> Whole:
    """With every hostile name."""
    return Whole(path, 40, HOSTILE_NAMES)
