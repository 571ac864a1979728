"""Plain stores with one promise broken in each. The case that finds it out is in ``table.py``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event
from papertrade.errors import OutcomeUnknownError, StoreError, StoreFullError, StoreUnavailableError
from papertrade.ports.store import Append, Appended, Conflict, Outcome, StoredSnapshot
from papertrade.ports.store_extras import Commit, Record
from papertrade.testing.store_saboteurs.plain import PlainStore

DAY_S = 86_400


class IgnoresVersion(PlainStore):
    """Appends wherever the stream is, whatever was expected: the last writer wins."""

    def store_batch(self, batch: Append, encoded: list[bytes]) -> Outcome:
        """Expect what is there."""
        head = self.tip(batch.stream)[0]
        moved: list[Any] = [e._replace(version=v) for v, e in enumerate(batch.events, head + 1)]
        return super().store_batch(batch._replace(expected=head, events=moved), [encode_event(e) for e in moved])


class CheckThenWrite(PlainStore):
    """Compares the version in one transaction and writes in another."""

    def append(self, batch: Append) -> Outcome:
        """Look, take a breath, and write without looking."""
        with self.transaction():
            repeated = self.repeated(batch, [encode_event(event) for event in batch.events])
            head, chain = self.tip(batch.stream)
        if repeated is not None:
            return repeated
        if batch.expected != head:
            return Conflict(head)
        time.sleep(0.001)
        done = Appended(head + 1, head + len(batch.events))
        with self.transaction():
            self.write(batch.stream, head, chain, [encode_event(event) for event in batch.events])
            if batch.commit_id is not None:
                self.keep_commit(batch.stream, Commit(batch.commit_id, *done))
        return done


class TornBatch(PlainStore):
    """One transaction per event."""

    def append(self, batch: Append) -> Outcome:
        """Event by event, the key with the first of them."""
        with self.transaction():
            repeated = self.repeated(batch, [encode_event(event) for event in batch.events])
        if repeated is not None or not batch.events:
            return repeated or Appended(batch.expected + 1, batch.expected)
        outcome: Outcome = Conflict(-1)
        for offset, event in enumerate(batch.events):
            outcome = super().append(Append(batch.stream, batch.expected + offset, [event]))
            if isinstance(outcome, Conflict):
                return outcome
        done = Appended(batch.expected + 1, batch.expected + len(batch.events))
        with self.transaction():
            if batch.commit_id is not None:
                self.keep_commit(batch.stream, Commit(batch.commit_id, *done))
        return done


class AckBeforeWrite(PlainStore):
    """Says that a batch is stored, and stores it when there are some more, or when somebody wants to read."""

    later: tuple[Append, ...] = ()

    def append(self, batch: Append) -> Outcome:
        """Promise."""
        if batch.commit_id is None or len(self.later) > 3:
            self.flush()
            return super().append(batch)
        known = [one for one in self.later if one.stream == batch.stream]
        head = known[-1].expected + len(known[-1].events) if known else super().head(batch.stream)
        if batch.expected != head or [e.version for e in batch.events] != list(
            range(head + 1, head + 1 + len(batch.events))
        ):
            self.flush()
            return super().append(batch)
        self.later += (batch,)
        return Appended(head + 1, head + len(batch.events))

    def flush(self) -> None:
        """Keep the promises."""
        later, self.later = self.later, ()
        for batch in later:
            super().append(batch)

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """Nobody notices while it lives."""
        self.flush()
        return super().load(stream, start, stop)

    def close(self) -> None:
        """Nor when it is closed."""
        if not self.closed:
            self.flush()
        super().close()


class VersionBeforeKey(PlainStore):
    """Compares the version before it looks the key up."""

    def store_batch(self, batch: Append, encoded: list[bytes]) -> Outcome:
        """The wrong order."""
        head = self.tip(batch.stream)[0]
        return Conflict(head) if batch.expected != head else super().store_batch(batch, encoded)


class ForgetsKeys(PlainStore):
    """Keeps no key."""

    def keep_commit(self, stream: str, commit: Commit) -> None:
        """Nothing."""


class UnsealedKeys(PlainStore):
    """Believes a key and its range as they are stored."""

    def check_commit(self, stream: str, commit: Commit, seal: object) -> Commit:
        """Whatever it is."""
        return commit


class KeysExpire(PlainStore):
    """Keeps a key for a day, as a cache would."""

    def keep_commit(self, stream: str, commit: Commit) -> None:
        """With its date."""
        super().keep_commit(stream, commit)
        self.sql("CREATE TABLE IF NOT EXISTS dates (id, at)")
        self.sql("INSERT INTO dates VALUES (?, ?)", commit.commit_id, time.time())

    def commit_of(self, stream: str, commit_id: str) -> Appended | None:
        """Unless it is too old."""
        found = super().commit_of(stream, commit_id)
        if found is not None and self.sql(
            "SELECT 1 FROM dates WHERE id = ? AND at < ?", commit_id, time.time() - DAY_S
        ):
            return None
        return found


class LossyBytes(PlainStore):
    """Takes bytes for text."""

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Through a text."""
        text = snapshot.data.decode("utf-8", "replace")
        super().put_snapshot(stream, snapshot._replace(data=text.encode("utf-8")))


class FloatVersions(PlainStore):
    """Keeps versions as a script language does that has one kind of number."""

    def head(self, stream: str) -> int:
        """A version that looks like one."""
        found: Any = float(super().head(stream))
        return found  # type: ignore[no-any-return]  # that is the sabotage


class StaleReader(PlainStore):
    """Reads from a copy that follows the writers of other handles one reading late."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.seen: dict[str, int] = {}

    def append(self, batch: Append) -> Outcome:
        """What this handle wrote, it sees."""
        outcome = super().append(batch)
        self.seen[batch.stream] = super().head(batch.stream)
        return outcome

    def head(self, stream: str) -> int:
        """As it was when somebody asked last."""
        now = super().head(stream)
        before, self.seen[stream] = self.seen.get(stream, now), now
        return before


class GappyReader(PlainStore):
    """Reads a stream in two parts, at two moments."""

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """Odd versions first."""
        parts = []
        for odd in (1, 0):
            with self.transaction():
                self.check(stream)
                parts += [record for record in self.rows(stream, start, stop) if record.version % 2 == odd]
            for _ in range(100 if odd else 0):  # until the stream has moved on, if it does
                time.sleep(0.001)
                if self.head(stream) > len(parts) * 2:
                    break
        return iter([decode_event(record.data) for record in sorted(parts)])


class CaseFoldsNames(PlainStore):
    """Takes two names for one if they differ in case only."""

    def key(self, stream: str) -> object:
        """As some databases compare texts."""
        return stream.casefold().encode("utf-8")


class SnapshotAhead(PlainStore):
    """Keeps any snapshot."""

    def check_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Nothing."""


class KeepsTheLatestPut(PlainStore):
    """Keeps the snapshot that was put last, though a newer one may be there."""

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Whichever it is."""
        super().put_snapshot(stream, snapshot)
        with self.transaction():
            self.sql("DELETE FROM snapshots WHERE stream = ? AND version > ?", self.key(stream), snapshot.version)


class SwallowsErrors(PlainStore):
    """Answers that a batch is stored when its transaction failed."""

    def append(self, batch: Append) -> Outcome:
        """Whatever happens."""
        try:
            return super().append(batch)
        except (StoreUnavailableError, StoreFullError, OutcomeUnknownError):
            return Appended(batch.expected + 1, batch.expected + len(batch.events))


class IgnoresFences(PlainStore):
    """Gives fences and asks for none."""

    def check_fence(self, stream: str, fence: int | None) -> None:
        """Nothing."""


class ReusesErased(PlainStore):
    """Deletes a stream and forgets that there was one."""

    def check(self, stream: str) -> None:
        """Any name is as good as new."""


class RewritesBytes(PlainStore):
    """Reads its JSON and writes it again on the way out, with hashes to match."""

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The same values, other bytes."""
        chain = GENESIS
        for record in super().records(stream, start, stop):
            data = json.dumps(json.loads(record.data), indent=1).encode()
            chain = link(chain, data)
            yield Record(record.version, chain, data)


class LeaksLines(PlainStore):
    """Never lets go of its file."""

    kept: list[Any] = []  # noqa: RUF012  # allowed: the leak itself

    def close(self) -> None:
        """As if."""
        self.kept.append(self.line)
        self.closed = True


class RaisesForeignErrors(PlainStore):
    """Lets the errors of its driver out."""

    def append(self, batch: Append) -> Outcome:
        """With the error that was behind it."""
        try:
            return super().append(batch)
        except StoreError as why:
            raise why.__cause__ or why from None
