"""Planted in the store: what it acknowledges, keeps, finds and links."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ..store_sim import Disk, SimStore
from .plant import Plant, saboteur


@saboteur("E9")
def acknowledged_before_it_is_synced(plant: Plant) -> None:
    """The store answers when it has written, and syncs with the next write."""

    def make(true: Any) -> Any:
        def write(self: Any, batch: Any, unsynced: bool) -> Any:
            stream = self.disk.streams.get(batch.stream)
            if stream is not None:
                self.disk.sync(stream)
            return true(self, batch, True)

        return write

    plant.here(SimStore, "write", make)


@saboteur("A2")
def half_a_batch_left_by_a_power_loss(plant: Plant) -> None:
    """Records are synced one by one, so that a power loss can leave the first half of a batch."""

    def make(true: Any) -> Any:
        def lose_power(self: Any) -> None:
            for stream in self.streams.values():
                stream.synced += (len(stream.records) - stream.synced) // 2
            true(self)

        return lose_power

    plant.here(Disk, "lose_power", make)


@saboteur("E1", "E10", "A1")
def expected_version_ignored(plant: Plant) -> None:
    """The store appends at its end, wherever the writer took the end to be."""

    def make(true: Any) -> Any:
        def write(self: Any, batch: Any, unsynced: bool) -> Any:
            return true(self, batch._replace(expected=self.disk.head(batch.stream)), unsynced)

        return write

    plant.here(SimStore, "write", make)


@saboteur("E1", "E2", "E10", "A1", "A3", "A6", "K5")
def reads_from_a_lagging_copy(plant: Plant) -> None:
    """Reading to the end of a stream stops before its newest record."""

    def make(true: Any) -> Any:
        def load(self: Any, stream: str, start: int = 1, stop: int | None = None) -> Any:
            found = list(true(self, stream, start, stop))
            return iter(found[:-1] if stop is None else found)

        return load

    plant.here(SimStore, "load", make)


@saboteur("E5", "A1")
def link_without_what_came_before(plant: Plant) -> None:
    """A record's hash covers the record alone."""

    def make(true: Any) -> Any:
        def write(self: Any, batch: Any, unsynced: bool) -> Any:
            answer = true(self, batch, unsynced)
            stream = self.disk.streams[batch.stream]
            stream.chain[1:] = [sha256(record.data).hexdigest() for record in stream.records]
            return answer

        return write

    plant.here(SimStore, "write", make)


def _forgets(plant: Plant, forgotten: Any) -> None:
    """After each write the store forgets some of its commit ids."""

    def make(true: Any) -> Any:
        def write(self: Any, batch: Any, unsynced: bool) -> Any:
            answer = true(self, batch, unsynced)
            stream = self.disk.streams[batch.stream]
            for key in [key for key in stream.commits if forgotten(self, key)]:
                del stream.commits[key]
            return answer

        return write

    plant.here(SimStore, "write", make)


@saboteur("K1", "K2", "K3", "K4")
def withdrawals_stored_without_their_keys(plant: Plant) -> None:
    """The store keeps the keys of orders, and forgets those of cash."""
    _forgets(plant, lambda store, key: not key.startswith("order:"))


@saboteur("K5", "K1", "K2", "K3", "K4")
def key_lost_when_the_answer_is_cut(plant: Plant) -> None:
    """The key is stored after the answer, which never happens when the line is cut in between."""
    _forgets(plant, lambda store, key: store.met in ("cut after", "killed after"))


@saboteur("K4", "K1", "K2", "K3")
def keys_kept_by_the_process(plant: Plant) -> None:
    """Keys live in the memory of a process, and end with it."""

    def known(store: Any, stream: str, key: str | None) -> bool:
        found = store.disk.streams.get(stream)
        done = None if found is None or key is None else found.commits.get(key)
        return done is None or found.records[done.first - 1].process == store.process

    def find(true: Any) -> Any:
        def asked(self: Any, stream: str, commit_id: str) -> Any:
            found = true(self, stream, commit_id)
            return found if known(self, stream, commit_id) else None

        return asked

    def write(true: Any) -> Any:
        def done(self: Any, batch: Any, unsynced: bool) -> Any:
            known_here = known(self, batch.stream, batch.commit_id)
            return true(self, batch if known_here else batch._replace(commit_id=None), unsynced)

        return done

    plant.here(SimStore, "find", find)
    plant.here(SimStore, "write", write)


@saboteur("A4", "A6", "A1", "A2", "K1", "K2", "K3")
def keys_shared_by_all_accounts(plant: Plant) -> None:
    """A key is looked up without the account that it belongs to."""

    def make(true: Any) -> Any:
        def find(self: Any, stream: str, commit_id: str) -> Any:
            found = true(self, stream, commit_id)
            others = (self.disk.streams[name].commits.get(commit_id) for name in sorted(self.disk.streams))
            return found or next((done for done in others if done is not None), None)

        return find

    plant.here(SimStore, "find", make)
