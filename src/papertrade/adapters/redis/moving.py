"""Streams that enter as stored bytes, leave for good, lose their beginning or begin at a base; and who owns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from papertrade.adapters.redis import scripts
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.reading import LIMIT, Head, Walk, events_of, head_of
from papertrade.adapters.redis.talk import Call, Talk, answer, ask, keys_of, number, one, text, trimmed
from papertrade.adapters.redis.writing import Tip, Tips, other_history
from papertrade.codec.chain import link
from papertrade.errors import InvalidValueError, StoreCorruptError
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, Outcome
from papertrade.ports.store_extras import Base, Commit, Record


def put_records(
    place: Place, tips: Tips, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit]
) -> Talk[Outcome]:
    """Append records with their commit ids, all or nothing."""
    head = yield from head_of(place, stream)
    if type(expected) is not int or expected != head.version:
        return (yield from _put_before(place, stream, head, expected, records))
    _check(stream, head, expected, records, commits)
    args: list[Any] = [expected, "*", head.chain, len(commits)]
    for commit in commits:
        args += commit
    for record in records:
        args += record
    (reply,) = yield from ask([Call(scripts.APPEND, keys_of(place, stream), tuple(args))])
    tips.pop(stream, None)
    found = answer(place, stream, reply, writes=True)
    if found[0] == "OK":
        last = expected + len(records)
        tips.learn(stream, Tip(last, records[-1].chain if records else head.chain))
        return Appended(expected + 1, last)
    if found[0] == "CONFLICT":
        return Conflict(number(found[1]))
    if found[0] == "SEEN":
        raise StoreCorruptError(f"a commit id is in {stream!r} already, as {text(found[1])}..{text(found[2])}")
    raise other_history(place, stream, expected)


def _put_before(place: Place, stream: str, head: Head, expected: object, records: Sequence[Record]) -> Talk[Outcome]:
    """The same records at their versions were put before; anything else is a conflict."""
    if type(expected) is not int or not 0 <= expected <= head.version or not records:
        return Conflict(head.version)
    if expected < head.base or expected + len(records) > head.version:
        return Conflict(head.version)
    walk = Walk(place, stream, head, expected + 1, expected + len(records))
    at = 0
    while page := (yield from walk.page()):
        if page != list(records[at : at + len(page)]):
            return Conflict(head.version)
        at += len(page)
    return AlreadyAppended(expected + 1, expected + len(records))


def _check(stream: str, head: Head, expected: int, records: Sequence[Record], commits: Sequence[Commit]) -> None:
    """The records follow on the stream, are events of it, and the commits lead to them."""
    chain, last = head.chain, expected + len(records)
    if last >= LIMIT:
        raise InvalidValueError("version", last, "below 2**53")
    for version, record in enumerate(records, expected + 1):
        chain = link(chain, record.data)
        if record.version != version or record.chain != chain:
            raise StoreCorruptError(f"version {record.version} does not follow on version {version - 1} of {stream!r}")
    for _ in events_of(stream, records):
        pass
    seen = set()
    for commit_id, first, end in commits:
        if not expected < first <= end + 1 <= last + 1 or commit_id in seen:
            raise StoreCorruptError(f"commit {commit_id!r} of {stream!r} leads to {first}..{end}, not to these")
        seen.add(commit_id)


def erase(place: Place, tips: Tips, stream: str, note: str) -> Talk[None]:
    """Delete everything of a stream and leave a tombstone."""
    tips.pop(stream, None)
    yield from one(place, stream, scripts.ERASE, note, writes=True)


# ------------------------------------------------------------------- trimming


def base(place: Place, stream: str) -> Talk[Base]:
    """Where a stream begins."""
    head = yield from head_of(place, stream)
    return Base(head.base, head.base_chain)


def trim(place: Place, stream: str, version: int) -> Talk[None]:
    """Drop a beginning, in steps that each leave a whole stream behind."""
    _check_version(version)
    while True:
        found = yield from one(place, stream, scripts.TRIM, version, writes=True)
        if number(found[1]) >= version:
            return


def seed(place: Place, stream: str, version: int, chain: str) -> Talk[None]:
    """Begin a stream at a base."""
    _check_version(version)
    if type(chain) is not str or len(chain) != 64 or not set(chain) <= set("0123456789abcdef"):
        raise InvalidValueError("chain", chain, "a hash of 64 hexadecimal digits")
    found = yield from one(place, stream, scripts.SEED, version, chain, writes=True)
    if found[0] == "TRIMMED":
        trimmed(stream, version, found[1])


def _check_version(version: int) -> None:
    if type(version) is not int or not 0 <= version < LIMIT:
        raise InvalidValueError("version", version, "a whole number from 0 to 2**53 - 1")


# --------------------------------------------------------------------- fences


def take(place: Place, stream: str) -> Talk[int]:
    """Own a stream from now on."""
    found = yield from one(place, stream, scripts.TAKE, writes=True)
    return number(found[1])


def release(place: Place, stream: str, fence: int) -> Talk[None]:
    """Give a stream up, if it is still owned by this fence."""
    yield from one(place, stream, scripts.RELEASE, str(fence), writes=True)
