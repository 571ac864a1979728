"""Two stores as one: the trading day on a fast one, everything before it in an archive.

Appends go to the day store. ``settle`` copies what the day store has to the archive, compares the hashes, and only then
drops it from the day store, so a stream is always whole: what is not in the day store any more is in the archive.
Whoever reads goes through both. Nothing that stops halfway does harm: run it again, from as many processes as you like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from heapq import merge
from itertools import islice
from typing import Final, Protocol, TypeVar

from papertrade.adapters.seals import check_ranges
from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.errors import StoreCorruptError, StoreError, StoreMismatchError, StoreTrimmedError
from papertrade.ports.store import (
    AlreadyAppended,
    Append,
    Appended,
    Conflict,
    Outcome,
    Store,
    StoredSnapshot,
    Verification,
)
from papertrade.ports.store_extras import Commit, Fencing, Moving, Record, Trimming, Waiting

T = TypeVar("T")
CHUNK: Final = 2_000  # records that go to the archive at once; a batch with a commit id is never divided


class DayStore(Store, Fencing, Moving, Trimming, Waiting, Protocol):
    """What the day store has to be able to do; ``RedisStore`` is one."""


class ArchiveStore(Store, Moving, Protocol):
    """What the archive has to be able to do."""


class TieredStore:
    """A day store and an archive that are one store. Safe to share as far as the two are.

    Args:
        day: takes the appends, for example ``RedisStore(...)``.
        archive: keeps what was settled, for example a PostgreSQL or SQLite store.
    """

    def __init__(self, day: DayStore, archive: ArchiveStore) -> None:
        self.day, self.archive = day, archive
        self._begun: set[str] = set()  # streams that the day store has, or nobody
        self._absent: dict[str, str] = {}  # the commit id that a stream was just found not to have

    # ------------------------------------------------------------- writing

    def append(self, batch: Append) -> Outcome:
        """Store one batch in the day store, unless its commit id is in the archive."""
        (found,) = self.append_many((batch,))
        if isinstance(found, StoreError):
            raise found
        return found

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches in one trip to the day store, one outcome each."""
        found: dict[int, Outcome | StoreError] = {}
        for at, batch in enumerate(batches):
            try:
                known = self._absent.pop(batch.stream, None)
                self._begin(batch.stream)
                repeated = None if batch.commit_id in (None, known) else self._archived(batch)
                if repeated is not None:
                    found[at] = repeated
            except StoreError as why:
                found[at] = why
        open_ones = [at for at in range(len(batches)) if at not in found]
        answers = self.day.append_many([batches[at] for at in open_ones])
        for at, answer in zip(open_ones, answers, strict=True):
            found[at] = answer
            if isinstance(answer, Conflict) and batches[at].commit_id is not None:
                try:  # somebody may have stored it and settled it since we looked
                    found[at] = self._archived(batches[at]) or answer
                except StoreError as why:
                    found[at] = why
        return [found[at] for at in range(len(batches))]

    def _archived(self, batch: Append) -> Outcome | None:
        """The answer to a batch whose commit id is in the archive."""
        found = self.archive.find(batch.stream, str(batch.commit_id))
        if found is None:
            return None
        kept = [record.data for record in self.archive.records(batch.stream, found.first, found.last)]
        if kept != [encode_event(event) for event in batch.events]:
            raise StoreMismatchError(batch.stream, str(batch.commit_id))
        return AlreadyAppended(found.first, found.last)

    def _begin(self, stream: str) -> None:
        """A stream that only the archive has begins in the day store where it ends in the archive."""
        if stream in self._begun:
            return
        if not self.day.head(stream):
            last = self.archive.head(stream)
            if last:
                with suppress(StoreTrimmedError):  # somebody else began it, and settled more since
                    self.day.seed(stream, last, self.archive.chain_at(stream, last))
        self._begun.add(stream)

    # ------------------------------------------------------------- settling

    def archive_day(self) -> dict[str, int]:
        """Settle every stream of the day store: names, and the versions they are archived up to.

        A stream that cannot be settled leaves the others alone; the first such error is raised at the end.
        """
        done: dict[str, int] = {}
        failed: list[StoreError] = []
        after = ""
        while names := self.day.streams(after, 1000):
            for name in names:
                try:
                    done[name] = self.settle(name)
                except StoreError as why:
                    failed.append(why)
            after = names[-1]
        if failed:
            raise failed[0]
        return done

    def settle(self, stream: str) -> int:
        """Move what the day store has of a stream to the archive, and drop it there. Answers the version archived.

        Safe to run at any time, while accounts trade, again after it failed, and by several at once.
        """
        # In this order, because others may be at it: at any moment base <= archived <= head, and all of them only grow.
        base = self.day.base(stream).version
        archived = self.archive.head(stream)
        head = self.day.head(stream)
        if not head:
            return archived
        if archived < base:
            raise StoreCorruptError(f"{stream!r} begins after {base} here, and the archive ends at {archived}")
        if archived > head:
            raise StoreCorruptError(f"{stream!r} is at {archived} in the archive and at {head} in the day store")
        while archived < head:
            self._same(stream, archived)
            try:
                archived = self._move(stream, archived, head)
            except StoreTrimmedError:  # another archiver was quicker, and dropped what it had moved
                archived = self.archive.head(stream)
        self._same(stream, archived)
        snapshot = self.day.get_snapshot(stream)
        if snapshot is not None and snapshot.version <= archived:
            kept = self.archive.get_snapshot(stream)
            if kept is None or kept.version < snapshot.version:
                self.archive.put_snapshot(stream, snapshot)
        self.day.trim(stream, archived)
        return archived

    def _move(self, stream: str, done: int, head: int) -> int:
        """Copy the next records with their commit ids; answers where the archive is then."""
        cut = min(done + CHUNK, head)
        commits = [one for one in self.day.commits(stream, done, head) if one.first > done]
        for commit in commits:  # in the order of their versions
            if commit.first <= cut < commit.last:
                cut = commit.last
        # The commit id of an empty batch goes with what comes after it: until then another one may join it.
        moved = [one for one in commits if one.last < cut or one.first <= one.last == cut]
        outcome = self.archive.put_records(stream, done, list(self.day.records(stream, done + 1, cut)), moved)
        return self.archive.head(stream) if isinstance(outcome, Conflict) else cut

    def _same(self, stream: str, version: int) -> None:
        """Both stores have the same history up to a version; one that the day store dropped was compared before."""
        try:
            mine = self.day.chain_at(stream, version)
        except StoreTrimmedError:
            return
        if mine != self.archive.chain_at(stream, version):
            raise StoreCorruptError(f"{stream!r} has another history in the archive than in the day store: {version}")

    # ------------------------------------------------------------- reading

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events of a stream as they stood when this was called, from the archive and then from the day store."""
        return self._through(stream, start, stop, lambda tier: tier.load, lambda event: event.version)

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored records of a range, from the archive and then from the day store."""
        return self._through(stream, start, stop, lambda tier: tier.records, lambda record: record.version)

    def _through(
        self,
        stream: str,
        start: int,
        stop: int | None,
        of: Callable[[DayStore | ArchiveStore], Callable[[str, int, int | None], Iterator[T]]],
        version_of: Callable[[T], int],
    ) -> Iterator[T]:
        head = self.head(stream)
        return self._tiers(stream, max(start, 1), head if stop is None else min(stop, head), of, version_of)

    def _tiers(
        self,
        stream: str,
        first: int,
        last: int,
        of: Callable[[DayStore | ArchiveStore], Callable[[str, int, int | None], Iterator[T]]],
        version_of: Callable[[T], int],
    ) -> Iterator[T]:
        while first <= last:
            end, tier = last, of(self.day)
            base = self.day.base(stream).version if self.day.head(stream) else last
            if first <= base:
                end, tier = min(base, last), of(self.archive)
            before = first
            try:
                for found in tier(stream, first, end):
                    yield found
                    first = version_of(found) + 1
            except StoreTrimmedError:  # settled while we read: the archive has it now
                continue
            if first == before:
                raise StoreCorruptError(f"version {first} of {stream!r} is in neither store")

    def head(self, stream: str) -> int:
        """The version of the last event."""
        self._absent.pop(stream, None)
        return self.day.head(stream) or self.archive.head(stream)

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored. The day store is asked first: keys move from it to the archive only."""
        found = self.day.find(stream, commit_id) or self.archive.find(stream, commit_id)
        if found is None:
            self._absent[stream] = commit_id
        return found

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids of a range, in the order of their versions."""
        found = {one.commit_id: one for one in self.day.commits(stream, start, stop)}
        found |= {one.commit_id: one for one in self.archive.commits(stream, start, stop)}
        return iter(sorted(found.values(), key=lambda one: (one.last, one.first)))

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names of streams in order, of both stores."""
        names = merge(self.day.streams(after, limit), self.archive.streams(after, limit))
        return list(islice(dict.fromkeys(names), max(limit, 0)))

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return self._either(stream, lambda tier: tier.chain_at(stream, version))

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot: in the day store, or in the archive if its version was settled."""
        self._either(stream, lambda tier: tier.put_snapshot(stream, snapshot))

    def _either(self, stream: str, of: Callable[[DayStore | ArchiveStore], T]) -> T:
        """Ask the day store, or the archive for what only that has."""
        if not self.day.head(stream) and self.archive.head(stream):
            return of(self.archive)
        try:
            return of(self.day)
        except StoreTrimmedError:
            return of(self.archive)

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        return self.day.get_snapshot(stream) or self.archive.get_snapshot(stream)

    def verify(self, stream: str) -> Verification:
        """Verify both stores, and that the day store goes on where the archive has the same history and other keys."""
        archived = self.archive.verify(stream)
        if not self.day.head(stream):
            return archived
        found = self.day.verify(stream)
        if self.day.base(stream).version > self.archive.head(stream) or archived.version > found.version:
            raise StoreCorruptError(f"{stream!r} has a gap between the archive and the day store")
        self._same(stream, archived.version)
        self._check_commits(stream, found.version)
        return found

    def _check_commits(self, stream: str, version: int) -> None:
        """A commit id that both have leads to the same versions, and no two lead to the same."""
        kept = {one.commit_id: one for one in self.day.commits(stream, 0, version)}  # first: keys move to the archive
        for one in self.archive.commits(stream, 0, version):
            if kept.setdefault(one.commit_id, one) != one:
                raise StoreCorruptError(f"commit {one.commit_id!r} of {stream!r} leads elsewhere in the archive")
        check_ranges(stream, sorted(kept.values(), key=lambda one: (one.last, one.first)), version)

    # ------------------------------------- owned, moved, erased, followed

    def take(self, stream: str) -> int:
        """Own a stream: the fence for its appends.

        The day store may be a new and empty one and count from 1 again, so the archive counts along. A fence is
        answered only when the archive has given as many: then none is given twice, whatever the day store forgets.
        """
        self._begin(stream)
        counting = self.archive if isinstance(self.archive, Fencing) else None
        floor = 0 if counting is None else _counted(counting, stream)
        fence = self.day.take(stream)
        while fence < floor:
            fence = self.day.take(stream)
        while counting is not None and floor < fence:
            floor = _counted(counting, stream)
        return fence

    def release(self, stream: str, fence: int) -> None:
        """Give a stream up."""
        self.day.release(stream, fence)

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids to the day store."""
        self._begin(stream)
        archived = [one for one in commits if self.archive.find(stream, one.commit_id) not in (None, one[1:])]
        if archived:
            if records and type(expected) is int and expected < self.head(stream):
                raise StoreMismatchError(stream, archived[0].commit_id)
            raise StoreCorruptError(f"commit {archived[0].commit_id!r} of {stream!r} leads elsewhere already")
        if type(expected) is int and records and 0 <= expected < self.day.base(stream).version:
            return self.archive.put_records(stream, expected, records, commits)
        return self.day.put_records(stream, expected, records, commits)

    def erase(self, stream: str, note: str = "") -> None:
        """Delete a stream for good from both stores; one that failed in between is to be asked again."""
        self.day.erase(stream, note)
        self.archive.erase(stream, note)

    def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Wait until a stream is past a version."""
        self._begin(stream)
        self._absent.pop(stream, None)  # who waits learns a version, as by head
        return self.day.wait(stream, after, timeout_s)

    # ----------------------------------------------------------- the store

    def describe(self) -> Mapping[str, str]:
        """What both stores say of themselves; what is promised of an append is what the day store promises."""
        day, archive = self.day.describe(), self.archive.describe()
        return {
            "kind": "tiered",
            "durability": day["durability"],
            **{f"day.{name}": value for name, value in day.items()},
            **{f"archive.{name}": value for name, value in archive.items()},
        }

    def close(self) -> None:
        """Close both stores."""
        try:
            self.day.close()
        finally:
            self.archive.close()


def _counted(archive: Fencing, stream: str) -> int:
    """One fence more that the archive has given. Nobody writes by it: what is settled comes as records."""
    fence = archive.take(stream)
    archive.release(stream, fence)
    return fence
