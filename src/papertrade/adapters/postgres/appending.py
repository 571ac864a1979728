"""Appending batches: what is decided about them between the two trips, and the one statement that writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from psycopg.types.numeric import Int8

from papertrade.adapters import seals
from papertrade.adapters.chains import hash_after
from papertrade.adapters.postgres import quick, tables
from papertrade.adapters.postgres.exchanges import Statement
from papertrade.adapters.postgres.faults import said
from papertrade.adapters.postgres.known import Head
from papertrade.adapters.postgres.lines import Row
from papertrade.adapters.postgres.reading import Database, as_bytes, asked, commit_from, head_from
from papertrade.adapters.postgres.trips import Flow
from papertrade.adapters.postgres.writing import CollidedError, Plan, Wanted, heads_of, transact
from papertrade.errors import StoreError, StoreFencedError, StoreMismatchError, StoreUnavailableError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Outcome
from papertrade.ports.store_extras import Commit


class Encoded(NamedTuple):
    """A batch with its records as bytes, made before anything is locked."""

    batch: Append
    records: list[bytes]


_NO_ROW: Final[Row] = (None,) * 12  # of heads: no key was found


class Draft:
    """A stream as it will be after the trip, and what has to be written for it."""

    def __init__(self, stream: str, head: Head) -> None:
        self.stream, self.head = stream, head
        self.version, self.chain, self.keyed = head.version, head.chain, head.keyed
        self.events: list[tuple[int, bytes, bytes]] = []  # version, hash, record
        self.commits: dict[str, Appended] = {}
        self.seals: list[bytes] = []  # of these

    @property
    def changed(self) -> bool:
        """Whether anything has to be written."""
        return bool(self.events or self.commits)

    def after(self) -> Head:
        """The head, once this is stored."""
        return self.head._replace(version=self.version, chain=self.chain, keyed=self.keyed)

    def add(self, records: Sequence[tuple[bytes, bytes]], commits: Sequence[tuple[str, Appended]]) -> None:
        """Records (hash and bytes) behind what is there, and keys."""
        hashes = {self.version: self.chain}
        for chain, record in records:
            self.version += 1
            self.chain = hashes[self.version] = chain
            self.events.append((self.version, chain, record))
        self.commits.update(commits)
        self.seals += [seals.sealed(self.stream, Commit(name, *done), hashes[done.last]) for name, done in commits]
        self.keyed += len(commits)

    def sealed(self) -> list[tuple[bytes, Int8, Int8, bytes]]:
        """The keys that this trip writes: name, first and last version, seal."""
        return [
            (as_bytes(name, "commit_id"), Int8(done.first), Int8(done.last), seal)
            for (name, done), seal in zip(self.commits.items(), self.seals, strict=True)
        ]

    def records(self, found: Appended) -> list[bytes]:
        """The bytes that this trip writes at some versions."""
        return [record for version, _, record in self.events if found.first <= version <= found.last]


def append_many(db: Database, encoded: Sequence[Encoded]) -> Flow[list[Outcome | StoreError]]:
    """Batches in one transaction, one outcome each. A batch that is refused leaves the others alone."""
    try:
        if len(encoded) == 1 and (outcome := (yield from _quickly(db, encoded[0]))) is not None:
            return [outcome]
        return (yield from _carefully(db, encoded))
    except CollidedError as collided:
        return (yield from _after_collision(db, encoded, collided))


def _quickly(db: Database, one: Encoded) -> Flow[Appended | None]:
    """One batch that goes on where this store left its stream; nothing if it does not, or the stream is not there."""
    head = db.known.pop(one.batch.stream)
    if head is None:
        return None
    draft = Draft(one.batch.stream, head)
    try:
        outcome = _append({one.batch.stream: draft}, one, _NO_ROW, [])
    except StoreError:
        return None  # it is for the server to say
    if not isinstance(outcome, Appended) or not draft.changed:
        return None
    if not (yield from quick.append_one(db, draft, tables.statements_of(db, [one.batch]))):
        return None
    db.known.keep(draft.stream, draft.after())
    return outcome


def _carefully(db: Database, encoded: Sequence[Encoded]) -> Flow[list[Outcome | StoreError]]:
    """Lock and look, then decide."""
    drafts: dict[str, Draft] = {}

    def decide(rows: list[Row]) -> Flow[tuple[Plan, list[Outcome | StoreError]]]:
        stored = yield from _stored(db, encoded, rows)
        outcomes: list[Outcome | StoreError] = []
        for number, (one, row) in enumerate(zip(encoded, rows, strict=True)):
            try:
                outcomes.append(_append(drafts, one, row, stored.get(number, [])))
            except StoreError as why:
                outcomes.append(why)
        changed = [draft for draft in drafts.values() if draft.changed]
        stored_now = [e.batch for e, o in zip(encoded, outcomes, strict=True) if isinstance(o, Appended)]
        return plan_of(db, changed, stored_now), outcomes

    found = yield from transact(db, _wanted(encoded), decide)
    for draft in drafts.values():
        if draft.head.id or draft.changed:
            db.known.keep(draft.stream, draft.after())
    return found


def _wanted(encoded: Sequence[Encoded]) -> list[Wanted]:
    return [Wanted(one.batch.stream, one.batch.commit_id) for one in encoded]


def plan_of(db: Database, drafts: Sequence[Draft], batches: Sequence[Append] = ()) -> Plan:
    """Everything that a transaction writes: journals, and the rows that batches bring for the tables of history."""
    if not drafts:
        return Plan(())
    rows = tables.statements_of(db, batches)
    return Plan([write_statement(db, drafts), *rows], [draft.stream for draft in drafts])


def write_statement(db: Database, drafts: Sequence[Draft]) -> Statement:
    """Heads, events and keys of all streams of a trip, in one statement."""
    names = [as_bytes(draft.stream, "stream") for draft in drafts]
    events = [(name, *event) for name, draft in zip(names, drafts, strict=True) for event in draft.events]
    keys = [(name, *one) for name, draft in zip(names, drafts, strict=True) for one in draft.sealed()]
    return db.sql.write, (
        names,
        [Int8(draft.version) for draft in drafts],
        [draft.chain for draft in drafts],
        [Int8(draft.keyed) for draft in drafts],
        [event[0] for event in events],
        [Int8(event[1]) for event in events],
        [event[2] for event in events],
        [event[3] for event in events],
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
        [key[3] for key in keys],
        [key[4] for key in keys],
    )


def _stored(db: Database, encoded: Sequence[Encoded], rows: Sequence[Row]) -> Flow[dict[int, list[bytes]]]:
    """The records that batches with a known key are held against."""
    repeats = [(n, row[0], row[8], row[9]) for n, row in enumerate(rows) if row[8] is not None]
    if not repeats:
        return {}
    ranges = ([Int8(r[1]) for r in repeats], [Int8(r[2]) for r in repeats], [Int8(r[3]) for r in repeats])
    trip = yield from asked(db, (db.sql.ranges, ranges))
    found: dict[int, list[bytes]] = {number: [] for number, _, _, _ in repeats}
    for place, record in trip.rows:
        found[repeats[place - 1][0]].append(record)
    return found


def _append(drafts: dict[str, Draft], encoded: Encoded, row: Row, stored: list[bytes]) -> Outcome:
    """Decide on one batch: first its key, then its fence, then its version."""
    (name, expected, events, commit_id, fence, _), records = encoded
    draft = drafts.get(name)
    if draft is None:
        draft = drafts[name] = Draft(name, head_from(name, row))
    if commit_id is not None:
        repeated = _repeated(draft, encoded, row, stored)
        if repeated is not None:
            return repeated
    owner = draft.head.fence if draft.head.owned else None
    if fence != owner or (fence is not None and type(fence) is not int):
        raise StoreFencedError(name, fence, owner)
    if type(expected) is not int or expected != draft.version:
        return Conflict(draft.version)
    for version, event in enumerate(events, expected + 1):
        if event.version != version:
            raise StoreMismatchError(name, commit_id or f"version {version}")
    done = Appended(expected + 1, expected + len(records))
    chain, linked = draft.chain, []
    for record in records:
        chain = hash_after(chain, record)
        linked.append((chain, record))
    draft.add(linked, [] if commit_id is None else [(commit_id, done)])
    return done


def _repeated(draft: Draft, encoded: Encoded, row: Row, stored: list[bytes]) -> Outcome | None:
    """The answer to a key that is known, from an earlier trip or from this one."""
    (name, _, _, commit_id, _, _), records = encoded
    key = str(commit_id)
    found = draft.commits.get(key)
    if found is not None:
        stored = draft.records(found)
    elif row[8] is not None:
        found = commit_from(name, draft.head.version, key, row[8:])
    else:
        return None
    if stored != records:
        raise StoreMismatchError(name, key)
    return AlreadyAppended(found.first, found.last)


def _after_collision(
    db: Database, encoded: Sequence[Encoded], collided: CollidedError
) -> Flow[list[Outcome | StoreError]]:
    """Somebody stored a key or a version of ours first, without our locks. Nothing of this trip is stored:

    what is there now says for each batch whether it is a repetition, a conflict, or can be tried again.
    """
    trip = yield from asked(db, heads_of(db, _wanted(encoded)))
    stored = yield from _stored(db, encoded, trip.rows)
    outcomes: list[Outcome | StoreError] = []
    for number, (one, row) in enumerate(zip(encoded, trip.rows, strict=True)):
        try:
            outcome = _append({}, one, row, stored.get(number, []))
        except StoreError as why:
            outcomes.append(why)
            continue
        if isinstance(outcome, Appended):  # it could be stored now, and was not
            outcomes.append(StoreUnavailableError(f"another writer was quicker: {said(collided.why, db.place)}"))
        else:
            outcomes.append(outcome)
    return outcomes


