"""A store on plain dictionaries, and the conformance kit run on it: a beginning for a store of your own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event
from papertrade.errors import StoreClosedError, StoreCorruptError, StoreError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Outcome, StoredSnapshot, Verification
from papertrade.testing import Level, StoreContract
from papertrade.testing.contract import run_cases


class Shelf:
    """What outlives a store that is closed; a database in earnest."""

    def __init__(self) -> None:
        self.records: dict[str, list[bytes]] = {}
        self.keys: dict[tuple[str, str], Appended] = {}
        self.snapshots: dict[str, StoredSnapshot] = {}


SHELVES: dict[str, Shelf] = {}


class DictStore:
    """Journals in dictionaries, one shelf of them for each location. For one thread."""

    def __init__(self, location: str = "here") -> None:
        self.shelf = SHELVES.setdefault(location, Shelf())
        self.closed = False

    def append(self, batch: Append) -> Outcome:
        """All events, at the version that was expected, or none. The key is looked up before the version."""
        stored, new = self._journal(batch.stream), [encode_event(event) for event in batch.events]
        if batch.commit_id is not None and (found := self.find(batch.stream, batch.commit_id)):
            if stored[found.first - 1 : found.last] != new:
                raise StoreMismatchError(batch.stream, batch.commit_id)
            return AlreadyAppended(*found)
        if type(batch.expected) is not int or len(stored) != batch.expected:
            return Conflict(len(stored))
        done = Appended(len(stored) + 1, len(stored) + len(new))
        if [event.version for event in batch.events] != list(range(done.first, done.last + 1)):
            raise StoreMismatchError(batch.stream, batch.commit_id or f"version {done.first}")
        if new or batch.commit_id is not None:
            self.shelf.records[batch.stream] = stored + new
        if batch.commit_id is not None:
            self.shelf.keys[batch.stream, batch.commit_id] = done
        return done

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """One outcome each; a failed one leaves the others alone."""
        outcomes: list[Outcome | StoreError] = []
        for batch in batches:
            try:
                outcomes.append(self.append(batch))
            except StoreError as why:
                outcomes.append(why)
        return outcomes

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events from ``start`` to ``stop``, both included."""
        last = None if stop is None else max(stop, 0)
        return map(decode_event, self._journal(stream)[max(start, 1) - 1 : last])

    def head(self, stream: str) -> int:
        """The version of the last event."""
        return len(self._journal(stream))

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a key was stored."""
        self._journal(stream)
        return self.shelf.keys.get((stream, commit_id))

    def chain_at(self, stream: str, version: int) -> str:
        """The hash over all records up to a version."""
        records = self._journal(stream)
        if type(version) is not int or not 0 <= version <= len(records):
            raise StoreCorruptError(f"stream {stream!r} has no version {version!r}")
        chain = GENESIS
        for record in records[:version]:
            chain = link(chain, record)
        return chain

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to this very stream, unless a newer one is there."""
        if snapshot.chain != self.chain_at(stream, snapshot.version) or snapshot.version < 1:
            raise StoreCorruptError(f"a snapshot of another journal than that of {stream!r}")
        kept = self.shelf.snapshots.get(stream)
        if kept is None or kept.version <= snapshot.version:
            self.shelf.snapshots[stream] = snapshot

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        self._journal(stream)
        return self.shelf.snapshots.get(stream)

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names in order, after a name."""
        self._journal("")
        return sorted(name for name in self.shelf.records if name > after)[: max(limit, 0)]

    def verify(self, stream: str) -> Verification:
        """Read all of it."""
        for _ in self.load(stream):
            pass
        return Verification(stream, self.head(stream), self.chain_at(stream, self.head(stream)))

    def describe(self) -> Mapping[str, str]:
        """What it is and what it promises."""
        return {"kind": "dict", "durability": "memory: gone with the process"}

    def close(self) -> None:
        """Twice is fine."""
        self.closed = True

    def _journal(self, stream: str) -> list[bytes]:
        if self.closed:
            raise StoreClosedError("this store was closed")
        return self.shelf.records.get(stream, [])


class DictStoreContract(StoreContract):
    """The kit, told which store it is about. Named ``Test…`` in a test file, pytest collects it."""

    level = Level.BASIC
    target = "dict_store:DictStore"
    shared = False  # other processes would not find what is stored


def main() -> None:
    """Every case of the level, and what came of it."""
    found = run_cases(DictStoreContract())
    broken = {name: said for name, said in found.items() if said != "kept" and not said.startswith("skipped")}
    for name, said in broken.items():
        print(f"{name}: {said}")
    print(f"{sum(said == 'kept' for said in found.values())} cases kept, {len(broken)} broken")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
