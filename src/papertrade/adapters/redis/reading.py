"""Reading streams: heads, pages of records that are checked against their hashes, commit ids, snapshots, waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from papertrade.adapters.redis import scripts
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.talk import Talk, answer, keys_of, number, one, spelled, text, trimmed
from papertrade.adapters.seals import check_ranges, check_seal, sealed
from papertrade.codec.chain import link
from papertrade.codec.events import decode_event
from papertrade.domain.events import Event
from papertrade.errors import InvalidValueError, StoreCorruptError
from papertrade.ports.store import Appended, StoredSnapshot
from papertrade.ports.store_extras import Commit, Record

PAGE: Final = 512  # records in one trip
WINDOW: Final = 2000  # versions whose commit ids come in one trip
LIMIT: Final = 2**53  # what Lua can count to
_SLICE_S: Final = 0.25  # how long one question of a waiting reader blocks: it has to hear of closing and erasing, too


class Head(NamedTuple):
    """Where a stream ends, and where it begins."""

    version: int
    chain: str
    base: int
    base_chain: str
    there: bool


def head_of(place: Place, stream: str) -> Talk[Head]:
    """The head of a stream, confirmed by its last record."""
    found = yield from one(place, stream, scripts.HEAD)
    return Head(number(found[1]), text(found[2]), number(found[3]), text(found[4]), found[5] == b"1")


def record_of(entry: Any) -> Record:
    """An entry of a journal as it was written."""
    try:
        place, fields = entry
        version, _, zero = place.partition(b"-")
        chain_name, chain, record_name, data = fields
    except (TypeError, ValueError, AttributeError):
        raise StoreCorruptError(f"a journal holds {entry!r:.80}") from None
    if (zero, chain_name, record_name) != (b"0", b"chain", b"record"):
        raise StoreCorruptError(f"a journal holds {entry!r:.80}")
    return Record(number(version), text(chain), data)


class Walk:
    """A reader's way through a range of a stream, page by page, as the stream stood when the reader began."""

    def __init__(self, place: Place, stream: str, head: Head, start: int, stop: int | None) -> None:
        self._place, self._stream, self._head = place, stream, head
        self._next = max(start, 1)
        self._last = head.version if stop is None else min(stop, head.version)
        self._chain: str | None = None
        if self._next <= min(self._last, head.base):
            trimmed(stream, self._next, str(head.base).encode())

    def page(self) -> Talk[list[Record]]:
        """The next records; none at the end."""
        first, last, stream = self._next, self._last, self._stream
        if first > last:
            if self._chain is not None and last == self._head.version and self._chain != self._head.chain:
                raise StoreCorruptError(f"the head of {stream!r} is not the hash of its events")
            return []
        begin = first - (self._chain is None)  # the record before the first says what its hash follows on
        found = yield from one(self._place, stream, scripts.PAGE, begin, last, PAGE)
        if first <= number(found[1]):
            trimmed(stream, first, found[1])
        records = [record_of(entry) for entry in found[3]]
        if self._chain is None:
            if first - 1 == number(found[1]):
                self._chain = text(found[2])
            elif records and records[0].version == first - 1:
                self._chain = records.pop(0).chain
            else:
                raise StoreCorruptError(f"version {first - 1} of {stream!r} is missing")
        if not records:
            raise StoreCorruptError(f"version {first} of {stream!r} is missing")
        for version, record in enumerate(records, first):
            self._chain = link(self._chain, record.data)
            if record.version != version or record.chain != self._chain:
                raise StoreCorruptError(f"version {version} of {stream!r} is not what was written")
        self._next = first + len(records)
        return records


def events_of(stream: str, records: Sequence[Record]) -> Iterator[Event]:
    """The events of records, each of this stream and its version."""
    for version, _, data in records:
        event = decode_event(data)
        if event.version != version or event.account != stream:
            raise StoreCorruptError(f"version {version} of {stream!r} holds {event!r:.200}")
        yield event


def chain_at(place: Place, stream: str, version: int) -> Talk[str]:
    """The hash up to a version that the stream has."""
    head = yield from head_of(place, stream)
    if type(version) is not int or not 0 <= version <= head.version:
        raise StoreCorruptError(f"{stream!r} has no version {version}")
    if version < head.base:
        trimmed(stream, version, str(head.base).encode())
    if version in (head.version, head.base):
        return head.chain if version == head.version else head.base_chain
    found = yield from one(place, stream, scripts.PAGE, version, version, 1)
    if version < number(found[1]):
        trimmed(stream, version, found[1])
    if version == number(found[1]):
        return text(found[2])
    if not found[3]:
        raise StoreCorruptError(f"version {version} of {stream!r} is missing")
    return record_of(found[3][0]).chain


# ---------------------------------------------------------------- commit ids


def spot_of(stream: str, commit: Commit, chain: str) -> str:
    """What is stored for a commit id: its range and its seal."""
    return f"{commit.first}:{commit.last}:{sealed(stream, commit, bytes.fromhex(chain)).hex()}"


def range_of(stream: str, commit_id: str, found: bytes, chain: bytes, version: int) -> Appended:
    """Where a commit id leads, which has to be inside its stream, and what was written."""
    first, last, seal = (*found.split(b":", 2), b"", b"")[:3]
    done = Commit(commit_id, number(first), number(last))
    check_ranges(stream, [done], version)
    check_seal(stream, done, _unhexed(seal), _unhexed(chain))
    return Appended(done.first, done.last)


def _unhexed(found: bytes) -> bytes | None:
    """A hash as bytes; None for what is none."""
    try:
        hashed = bytes.fromhex(found.decode("ascii"))
    except ValueError:
        return None
    return hashed if hashed.hex().encode() == found else None


def find(place: Place, stream: str, commit_id: str) -> Talk[Appended | None]:
    """Where a commit id was stored."""
    found = yield from one(place, stream, scripts.FIND, spelled("commit id", commit_id))
    return range_of(stream, commit_id, found[2], found[3], number(found[1])) if found[2] else None


def commits(place: Place, stream: str, start: int, stop: int) -> Talk[list[Commit]]:
    """The commit ids whose last version is in a range, in the order of their versions. An empty one is behind."""
    found = yield from one(place, stream, scripts.COMMITS, start, stop + 1)
    version, made = number(found[1]), []
    for key, spot, at, chain in zip(*(found[which::4] for which in (2, 3, 4, 5)), strict=True):
        commit_id = text(key)
        first, last = range_of(stream, commit_id, spot, chain, version)
        if number(at) != last:
            raise StoreCorruptError(f"commit {commit_id!r} of {stream!r} leads to {last} and stands at {at!r:.20}")
        made.append(Commit(commit_id, first, last))
    return sorted(made, key=lambda commit: (commit.last, commit.first))


# ------------------------------------------------------------------ the rest


def put_snapshot(place: Place, stream: str, snapshot: StoredSnapshot) -> Talk[None]:
    """Keep a snapshot that belongs to the stream as it is, unless a newer one is there that can be of this stream."""
    version, chain, data = snapshot
    if type(version) is not int or not 0 <= version < LIMIT:
        version, chain = LIMIT, ""  # ahead of everything
    hashed = sha256(data).hexdigest()
    found = yield from one(place, stream, scripts.PUT_SNAPSHOT, version, chain, data, hashed, writes=True)
    if found[0] == "AHEAD":
        raise StoreCorruptError(f"a snapshot of {stream!r} is ahead of its stream")
    if found[0] == "FOREIGN":
        raise StoreCorruptError(f"a snapshot of {stream!r} belongs to another history")
    if found[0] == "TRIMMED":
        trimmed(stream, version, found[1])


def get_snapshot(place: Place, stream: str) -> Talk[StoredSnapshot | None]:
    """The latest snapshot, if it is whole and still of this stream."""
    found = yield from one(place, stream, scripts.GET_SNAPSHOT)
    if found[0] == "NONE":
        return None
    version, chain, data, hashed, stored = number(found[1]), text(found[2]), found[3], text(found[4]), text(found[5])
    if chain != stored:
        raise StoreCorruptError(f"the snapshot of {stream!r} belongs to another history")
    if sha256(data).hexdigest() != hashed:
        raise StoreCorruptError(f"the snapshot of {stream!r} is not what was written")
    return StoredSnapshot(version, chain, data)


def streams(place: Place, after: str, limit: int) -> Talk[list[str]]:
    """Names in order: a sorted set whose members all weigh the same is in the order of their bytes."""
    keys = keys_of(place, after)
    least = b"(" + keys.name if after else b"-"
    command = ("ZRANGEBYLEX", keys.all[5], least, b"+", "LIMIT", 0, min(max(limit, 0), LIMIT))
    (reply,) = yield [command]
    names = answer(place, after, [b"NAMES", reply] if isinstance(reply, list) else reply, writes=False)[1]
    return [text(name) for name in names]


def following(place: Place, stream: str, after: int, timeout_s: float) -> Talk[int]:
    """Wait on the journal itself until it is past a version; answers the version it is at."""
    if type(timeout_s) not in (int, float) or not timeout_s >= 0:
        raise InvalidValueError("timeout_s", timeout_s, "seconds, 0 or more")
    until = time.monotonic() + timeout_s
    longest = min(_SLICE_S, place.timeout_s / 2)
    while True:
        head = yield from head_of(place, stream)
        left = until - time.monotonic()
        if head.version > after or left <= 0:
            return head.version
        ms = max(1, int(1000 * min(left, longest)))
        journal = keys_of(place, stream).journal
        (reply,) = yield [("XREAD", "COUNT", 1, "BLOCK", ms, "STREAMS", journal, f"{max(after, 0)}-0")]
        if reply is not None:
            answer(place, stream, [b"NEWS", reply] if isinstance(reply, list) else reply, writes=False)
