"""A disk that outlives its processes, and each process's line to it: slow, failing, cut off, or dead in the middle.

The disk keeps canonical bytes. What is written is not yet kept: a crash drops what was not synced. The store answers
only after it has synced, and that is the promise that everybody is held to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from papertrade.codec.chain import GENESIS
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event
from papertrade.errors import (
    OutcomeUnknownError,
    StoreConflictError,
    StoreCorruptError,
    StoreError,
    StoreFencedError,
    StoreFullError,
    StoreMismatchError,
    StoreUnavailableError,
)
from papertrade.ports.store import (
    AlreadyAppended,
    Append,
    Appended,
    Conflict,
    Outcome,
    StoredSnapshot,
    Verification,
)


class ProcessKilled(BaseException):
    """The process that made the store call is dead. Nothing of it runs any more."""


def _link(previous: str, data: bytes) -> str:
    """The hash after one more record, spelled out here a second time so that the library's own is not its judge."""
    return sha256(previous.encode("ascii") + data).hexdigest()


class Fault(NamedTuple):
    """What goes wrong in a turn: the ``call``-th store call of the process (counted from 1) meets ``kind``."""

    kind: str
    call: int


REFUSED: dict[str, type[StoreError]] = {
    "unavailable": StoreUnavailableError,
    "full": StoreFullError,
    "cut before": OutcomeUnknownError,
}
FAULTS = (*REFUSED, "conflict raised", "cut after", "slow", "killed before", "killed after", "power lost")
"""What a store call can meet. ``cut after`` and ``killed after`` have been executed; ``power lost`` only written."""


class Written(NamedTuple):
    """One record of a journal, and where it came from."""

    data: bytes
    process: int
    now_ns: int
    commit_id: str | None
    clock_ns: int  # of the process, without what its data say


class Stream:
    """The journal of one account on the disk."""

    __slots__ = ("chain", "commits", "decoded", "ends", "records", "snapshot", "synced")

    def __init__(self) -> None:
        self.records: list[Written] = []
        self.decoded: list[Event] = []  # of the first records, decoded from their bytes when first asked for
        self.ends = {0}  # the versions at which a batch ended
        self.synced = 0
        self.chain: list[str] = [GENESIS]  # the hash after each version
        self.commits: dict[str, Appended] = {}
        self.snapshot: StoredSnapshot | None = None


    def events(self) -> list[Event]:
        """Every event, decoded once from its bytes."""
        known = self.decoded
        if len(known) < len(self.records):
            known.extend([decode_event(record.data) for record in self.records[len(known) :]])
        return known


class Owner(NamedTuple):
    """Who may write to a stream: the process that took it last, with the fence that it was given."""

    fence: int
    process: int


class Disk:
    """What is left when every process is dead."""

    def __init__(self) -> None:
        self.owners: dict[str, Owner] = {}
        self.fences = 0  # that were ever given
        self.streams: dict[str, Stream] = {}
        self.slow_ns = 0  # how long the processes waited for slow calls
        self.dropped = 0  # records that a power loss took back

    def sync(self, stream: Stream) -> None:
        """From here on nothing takes back what is written."""
        stream.synced = len(stream.records)

    def lose_power(self) -> None:
        """Forget what was not synced."""
        for stream in self.streams.values():
            self.dropped += len(stream.records) - stream.synced
            del stream.records[stream.synced :], stream.decoded[stream.synced :], stream.chain[stream.synced + 1 :]
            stream.commits = {key: done for key, done in stream.commits.items() if done.last <= stream.synced}

    def head(self, account: str) -> int:
        """The version that a new process would find."""
        stream = self.streams.get(account)
        return len(stream.records) if stream else 0

    def journal(self, account: str) -> list[bytes]:
        """The bytes of a journal."""
        stream = self.streams.get(account)
        return [record.data for record in stream.records] if stream else []


class SimStore:
    """The line of one process to the disk. ``plan`` is what its calls meet until the turn is over."""

    def __init__(self, disk: Disk, process: int, now: Callable[[], int], clock: Callable[[], int]) -> None:
        self.disk = disk
        self.process = process
        self.now, self.clock = now, clock
        self.plan: Fault | None = None
        self.calls = 0
        self.met: str | None = None  # the fault that was met in this turn
        self.conflicts = 0

    def arm(self, plan: Fault | None) -> None:
        """A new turn begins."""
        self.plan, self.calls, self.met = plan, 0, None

    # ------------------------------------------------------------- faults

    def _before(self, stream: str) -> str | None:
        """Counts the call; raises what keeps it from being executed, answers what happens after it."""
        self.calls += 1
        plan = self.plan
        if plan is None or plan.call != self.calls:
            return None
        self.met = kind = plan.kind
        if kind in REFUSED:
            raise REFUSED[kind]("planned")
        if kind == "conflict raised":
            raise StoreConflictError(stream, 0, self.disk.head(stream))
        if kind == "killed before":
            raise ProcessKilled
        if kind == "slow":
            self.disk.slow_ns += 1_500_000_000
        return kind

    def _after(self, kind: str | None) -> None:
        if kind in ("cut after", "killed after", "power lost"):
            if kind == "cut after":
                raise OutcomeUnknownError("planned")
            raise ProcessKilled

    # ------------------------------------------------------------- writing

    def append(self, batch: Append) -> Outcome:
        """Store one batch: written, synced, answered, in this order."""
        kind = self._before(batch.stream)
        answer = self.write(batch, kind == "power lost")
        self._after(kind)
        return answer

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store batches of several accounts; each meets its own fault."""
        found: list[Outcome | StoreError] = []
        for batch in batches:
            try:
                found.append(self.append(batch))
            except StoreError as why:
                found.append(why)
        return found

    def write(self, batch: Append, unsynced: bool) -> Outcome:
        """Put a batch on the disk, if the stream is where it is expected."""
        name, expected, events, commit_id = batch[:4]
        stream = self.disk.streams.get(name)
        if stream is None:
            stream = self.disk.streams[name] = Stream()
        done = None if commit_id is None else stream.commits.get(commit_id)
        if done is not None:
            if [encode_event(e) for e in events] != [r.data for r in stream.records[done.first - 1 : done.last]]:
                raise StoreMismatchError(name, commit_id or "")
            return AlreadyAppended(*done)
        owner = self.disk.owners.get(name)
        if batch.fence != (None if owner is None else owner.fence):
            raise StoreFencedError(name, batch.fence, None if owner is None else owner.fence)
        if expected != len(stream.records):
            self.conflicts += 1
            return Conflict(len(stream.records))
        for event in events:
            data = encode_event(event)
            # An account's own time never falls: a slower clock writes at the time of the faster one before it.
            now_ns = max(self.now(), stream.records[-1].now_ns if stream.records else 0)
            stream.records.append(Written(data, self.process, now_ns, commit_id, self.clock()))
            stream.chain.append(_link(stream.chain[-1], data))
        stream.ends.add(len(stream.records))
        answer = Appended(expected + 1, len(stream.records))
        if commit_id is not None:
            stream.commits[commit_id] = answer
        if not unsynced:
            self.disk.sync(stream)
        return answer

    # ------------------------------------------------------------- owning

    def take(self, stream: str) -> int:
        """Make this process the owner of a stream; from now on nobody else may write to it."""
        kind = self._before(stream)
        self.disk.fences += 1
        self.disk.owners[stream] = Owner(self.disk.fences, self.process)
        self._after(kind)
        return self.disk.fences

    def release(self, stream: str, fence: int) -> None:
        """Nobody owns the stream any more, unless somebody else took it meanwhile."""
        kind = self._before(stream)
        owner = self.disk.owners.get(stream)
        if owner is not None and owner.fence == fence:
            del self.disk.owners[stream]
        self._after(kind)

    # ------------------------------------------------------------- reading

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events from ``start`` to ``stop``, decoded from their bytes."""
        self._after(self._before(stream))
        found = self.disk.streams.get(stream)
        return iter(found.events()[start - 1 : stop] if found else [])

    def head(self, stream: str) -> int:
        """The version of the last event."""
        self._after(self._before(stream))
        return self.disk.head(stream)

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a commit id was stored."""
        self._after(self._before(stream))
        found = self.disk.streams.get(stream)
        return found.commits.get(commit_id) if found else None

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names in order."""
        self._after(self._before(after))
        return sorted(name for name in self.disk.streams if name > after)[:limit]

    # ---------------------------------------------- snapshots and the chain

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        self._after(self._before(stream))
        found = self.disk.streams.get(stream) or Stream()
        if not 0 <= version < len(found.chain):
            raise StoreCorruptError(f"{stream!r} has no version {version}")
        return found.chain[version]

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot that belongs to the stream."""
        kind = self._before(stream)
        found = self.disk.streams.get(stream)
        if found is None or snapshot.version > len(found.records):
            raise StoreCorruptError(f"a snapshot of {stream!r} is ahead of its stream")
        if snapshot.chain != found.chain[snapshot.version]:
            raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")
        found.snapshot = snapshot
        self._after(kind)

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        self._after(self._before(stream))
        found = self.disk.streams.get(stream)
        return found.snapshot if found else None

    def verify(self, stream: str) -> Verification:
        """The head of the chain, worked out again from the bytes."""
        self._after(self._before(stream))
        head = GENESIS
        journal = self.disk.journal(stream)
        for data in journal:
            head = _link(head, data)
        return Verification(stream, len(journal), head)

    def describe(self) -> Mapping[str, str]:
        """What it is."""
        return {"kind": "simulated", "durability": "synced before it answers"}

    def close(self) -> None:
        """Nothing to let go of."""
