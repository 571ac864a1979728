"""Streams that enter as stored bytes, leave for good, lose their beginning or begin at a base; and who owns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from papertrade.adapters.moved import check_commits, check_links, events_of
from papertrade.adapters.redis import scripts
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.reading import LIMIT, Head, Walk, head_of, spot_of
from papertrade.adapters.redis.reading import commits as commits_of
from papertrade.adapters.redis.talk import Talk, number, one, spelled, text, trimmed
from papertrade.adapters.redis.writing import Tip, Tips, other_history
from papertrade.errors import InvalidValueError, StoreCorruptError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, Outcome
from papertrade.ports.store_extras import Base, Commit, Record


def put_records(
    place: Place, tips: Tips, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit]
) -> Talk[Outcome]:
    """Append records with their commit ids, all or nothing."""
    head = yield from head_of(place, stream)
    if type(expected) is not int or not 0 <= expected < LIMIT - len(records):
        return Conflict(head.version)
    last = expected + len(records)
    events_of(stream, expected, records)
    check_commits(stream, expected, last, commits)
    if expected <= head.version and (yield from _is_there(place, stream, head, expected, records, commits)):
        return AlreadyAppended(expected + 1, last)
    if expected != head.version:
        return Conflict(head.version)
    check_links(stream, head.chain, records)
    args: list[Any] = [expected, "*", head.chain, len(commits)]
    hashes = [head.chain, *(record.chain for record in records)]
    for commit in commits:
        args += spelled("commit id", commit.commit_id), commit.last
        args.append(spot_of(stream, commit, hashes[commit.last - expected]))
    for record in records:
        args += record
    tips.pop(stream, None)
    found = yield from one(place, stream, scripts.APPEND, *args, writes=True)
    if found[0] == "OK":
        tips.learn(stream, Tip(last, records[-1].chain if records else head.chain))
        return Appended(expected + 1, last)
    if found[0] == "CONFLICT":
        return Conflict(number(found[1]))
    if found[0] == "SEEN":
        raise StoreCorruptError(f"a commit id of {stream!r} leads to {text(found[1]).rpartition(':')[0]} already")
    raise other_history(place, stream, expected)


def _is_there(
    place: Place, stream: str, head: Head, expected: int, records: Sequence[Record], wanted: Sequence[Commit]
) -> Talk[bool]:
    """Whether these records are stored at their versions; keys that lead elsewhere then are another content."""
    last = expected + len(records)
    if not head.base <= expected <= last <= head.version or not (records or wanted):
        return False
    walk, at = Walk(place, stream, head, expected + 1, last), 0
    while page := (yield from walk.page()):
        if page != list(records[at : at + len(page)]):
            return False
        at += len(page)
    kept = {commit.commit_id: commit for commit in (yield from commits_of(place, stream, expected, last))}
    if not records and not any(commit.commit_id in kept for commit in wanted):
        return False  # nothing but keys of empty batches, and none of them is known
    for commit in wanted:
        if kept.get(commit.commit_id) != tuple(commit):
            raise StoreMismatchError(stream, commit.commit_id)
    return True


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
    yield from one(place, stream, scripts.RELEASE, fence if type(fence) is int else "", writes=True)
