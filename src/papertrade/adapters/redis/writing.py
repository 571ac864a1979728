"""Appending: the hashes are made here, from the last head that this store knows, and the server checks that it is so.

A batch whose head is not known is first sent without its records, as a question: the server looks up commit id, fence
and version as always, and answers with the head instead of writing. So the usual append is one trip, and the first
one of a stream is two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from papertrade.adapters.redis import scripts
from papertrade.adapters.redis.faults import Lost
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.reading import LIMIT, range_of, record_of, spot_of
from papertrade.adapters.redis.talk import Call, Keys, Talk, answer, ask, keys_of, number, spelled, text
from papertrade.codec.chain import link
from papertrade.codec.events import encode_event
from papertrade.errors import (
    StoreCorruptError,
    StoreError,
    StoreFencedError,
    StoreMismatchError,
)
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Outcome
from papertrade.ports.store_extras import Commit

MOST_TIPS: Final = 65_536  # heads kept in memory


class Tip(NamedTuple):
    """The head of a stream as this store last saw it."""

    version: int
    chain: str


class Tips(dict[str, Tip]):
    """Heads that this store knows. Only a short cut: the server compares."""

    def learn(self, stream: str, tip: Tip) -> None:
        """Keep a head."""
        if len(self) >= MOST_TIPS and stream not in self:
            self.clear()
        self[stream] = tip


class Encoded(NamedTuple):
    """A batch as bytes, made before anything is sent."""

    batch: Append
    keys: Keys
    commit_id: bytes | None
    records: list[bytes]
    expected: str  # empty when no stream can be at it
    whole: bool  # its events carry the versions that they would get


def encoded(place: Place, batch: Append) -> Encoded:
    """A batch ready to be sent."""
    stream, expected, events, commit_id = batch[:4]
    possible = type(expected) is int and 0 <= expected < LIMIT - len(events)
    key = None if commit_id is None else spelled("commit id", commit_id)
    whole = possible and all(event.version == version for version, event in enumerate(events, expected + 1))
    records = [encode_event(event) for event in events]
    return Encoded(batch, keys_of(place, stream), key, records, str(expected) if possible else "", whole)


def append_many(place: Place, tips: Tips, batches: Sequence[Append]) -> Talk[list[Outcome | StoreError]]:
    """Store batches, one outcome each: in one trip when all heads are known, in two when not."""
    wanted = [encoded(place, batch) for batch in batches]
    found: list[Outcome | StoreError | None] = [None] * len(wanted)
    while any(outcome is None for outcome in found):
        calls, sent = _round(tips, wanted, found)
        try:
            replies = yield from ask(calls)
        except StoreError as why:  # nothing of this trip was sent
            return [why if outcome is None else outcome for outcome in found]
        for (at, tip), reply in zip(sent, replies, strict=True):
            try:
                found[at] = _outcome(place, tips, wanted[at], tip, reply)
            except StoreError as why:
                found[at] = why
    return [outcome for outcome in found if outcome is not None]


def _round(
    tips: Tips, wanted: Sequence[Encoded], found: Sequence[object]
) -> tuple[list[Call], list[tuple[int, Tip | None]]]:
    """The calls of one trip: what can be written is, what cannot be hashed yet asks, and what follows that waits."""
    calls: list[Call] = []
    sent: list[tuple[int, Tip | None]] = []  # which batch, and the head after it if it is written
    ahead: dict[str, Tip | None] = {}
    for at, one in enumerate(wanted):
        stream = one.batch.stream
        if found[at] is not None or (stream in ahead and ahead[stream] is None):
            continue
        tip = ahead.get(stream) or tips.get(stream)
        after: Tip | None = None
        if one.whole and tip is not None and str(tip.version) == one.expected:
            rows, after = _hashed(tip, one.records)
            calls.append(_call(one, tip.chain, rows, after.chain))
        else:
            calls.append(_call(one, "", [], ""))
        ahead[stream] = after
        sent.append((at, after))
    return calls, sent


def _hashed(tip: Tip, records: Sequence[bytes]) -> tuple[list[Any], Tip]:
    """Versions, hashes and records in a row, and the head after them."""
    rows: list[Any] = []
    version, chain = tip
    for record in records:
        version, chain = version + 1, link(chain, record)
        rows += (version, chain, record)
    return rows, Tip(version, chain)


def _call(one: Encoded, chain: str, rows: list[Any], after: str) -> Call:
    batch = one.batch
    fence = "" if batch.fence is None else batch.fence if type(batch.fence) is int else "none"
    commit: tuple[Any, ...] = ()
    if one.commit_id is not None:
        first = int(one.expected or 0) + 1
        done = Commit(str(batch.commit_id), first, first + len(one.records) - 1)
        commit = (one.commit_id, done.last, spot_of(batch.stream, done, after) if after else "")
    return Call(scripts.APPEND, one.keys, (one.expected, fence, chain, len(commit) // 3, *commit, *rows))


def _outcome(place: Place, tips: Tips, one: Encoded, tip: Tip | None, reply: Any) -> Outcome | None:
    """What a reply means for a batch; None for a question that was answered: it can be written now."""
    stream, expected, _, commit_id, fence = one.batch[:5]
    if isinstance(reply, Lost) and tip is not None:
        tips.pop(stream, None)
    found = answer(place, stream, reply, writes=tip is not None)
    word = found[0]
    if word == "OK" and tip is not None:
        tips.learn(stream, tip)
        return Appended(expected + 1, tip.version)
    if word == "SEEN":
        return _repeated(one, found)
    if word == "FENCED":
        raise StoreFencedError(stream, fence, number(found[1]) if found[1] else None)
    if word == "CONFLICT":
        return _conflict(place, tips, stream, number(found[1]))
    if word == "AT":
        if not one.whole:
            raise StoreMismatchError(stream, commit_id or f"version {expected + 1}")
        tips.learn(stream, Tip(number(found[1]), text(found[2])))
        return None
    raise other_history(place, stream, number(found[1]))


def _conflict(place: Place, tips: Tips, stream: str, actual: int) -> Conflict:
    """Another version than expected. A server that went back has lost what it answered."""
    known = tips.get(stream)
    if known is not None and actual < known.version and place.durability == "every command":
        raise StoreCorruptError(
            f"{place.shown} has {stream!r} at version {actual} and had answered {known.version}: it lost events"
        )
    return Conflict(actual)


def other_history(place: Place, stream: str, version: int) -> StoreCorruptError:
    """The right version with another hash: what the server holds is not what this store read or wrote."""
    return StoreCorruptError(
        f"{place.shown} has other events up to version {version} of {stream!r} than this store read or wrote; "
        "the server lost or replaced its data: look at it, then open the store again"
    )


def _repeated(one: Encoded, found: Sequence[Any]) -> AlreadyAppended:
    """A commit id that was stored before: with the same content, as far as that was not trimmed."""
    stream, commit_id = one.batch.stream, str(one.batch.commit_id)
    spot, chain, version, base = found[1], found[2], number(found[3]), number(found[4])
    first, last = range_of(stream, commit_id, spot, chain, version)
    records = [record_of(entry) for entry in found[5]]
    begin = max(first, base + 1)
    if [record.version for record in records] != list(range(begin, last + 1)):
        raise StoreCorruptError(f"commit {commit_id!r} of {stream!r} leads to records that are not there")
    kept = [record.data for record in records]
    if len(one.records) != last - first + 1 or kept != one.records[begin - first :]:
        raise StoreMismatchError(stream, commit_id)
    return AlreadyAppended(first, last)
