"""A server, a line and a client in one process: what the cases about servers, lost answers and lost power are tried on.

The server executes requests on plain stores. It keeps what was synced when it loses power, and everything when it is
killed. A place is named ``pretend:NUMBER``, and ``pretend:NUMBER#line`` by way of a line that can be cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from papertrade.domain.events import Event
from papertrade.errors import (
    OutcomeUnknownError,
    StoreClosedError,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from papertrade.ports.store import Append, Appended, Outcome, StoredSnapshot, Verification
from papertrade.testing.store_saboteurs.plain import PlainStore

FOREVER: Final = 10**9
WRITES: Final = ("append", "append_many", "put_snapshot")


class PretendServer:
    """One place on a server that is not there."""

    def __init__(self) -> None:
        self.data = PlainStore(":memory:")
        self.written: list[tuple[str, tuple[Any, ...]]] = []
        self.synced = 0
        self.up = True
        self.sync_works = True
        self.line = PretendLine(self)

    def execute(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """One request."""
        if not self.up:
            raise ConnectionRefusedError("nobody listens")
        if name == "sync":
            self.synced = len(self.written)
            return None
        if name in WRITES:
            self.written.append((name, arguments))
        return getattr(self.data, name)(*arguments)

    def stop(self) -> None:
        """End it."""
        self.up = False

    def kill(self) -> None:
        """End it at once; what a dead process wrote, the system keeps."""
        self.up = False

    def restart(self) -> None:
        """Start it again."""
        self.up = True

    def lose_power(self) -> None:
        """What was not synced never was."""
        self.data, kept = PlainStore(":memory:"), self.written[: self.synced]
        self.written = kept
        for name, arguments in kept:
            try:
                getattr(self.data, name)(*arguments)
            except StoreError:
                continue  # it failed the first time, too

    def proxy(self, location: str) -> PretendLine:
        """The line to this place."""
        self.line.location = f"{location}#line"
        return self.line


class PretendLine:
    """A line on which answers get lost."""

    def __init__(self, server: PretendServer) -> None:
        self.server, self.location = server, ""
        self.count, self.lost = 0, 0

    def requests(self) -> int:
        """How many came through."""
        return self.count

    def cut_answer(self) -> None:
        """Executed, and no answer, once."""
        self.lost = 1

    def hold_answers(self) -> None:
        """The same until it is healed, as a client sees it whose patience is at its end."""
        self.lost = FOREVER

    def heal(self) -> None:
        """Work again."""
        self.lost = 0

    def execute(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """One request through the line."""
        self.count += 1
        answer = self.server.execute(name, arguments)
        if self.lost:
            self.lost -= 1
            raise ConnectionResetError("the line broke")
        return answer


_PLACES: Final[dict[str, PretendServer]] = {}


def new_place(sync_works: bool = True) -> str:
    """A fresh place on the server."""
    location = f"pretend:{len(_PLACES) + 1}"
    _PLACES[location] = PretendServer()
    _PLACES[location].sync_works = sync_works
    return location


def place_of(location: str) -> PretendServer:
    """The server of a place; there is one wherever somebody looks for it."""
    return _PLACES.setdefault(location.partition("#")[0], PretendServer())


class ServedStore:
    """The honest client: it asks once, syncs before it answers, and says when it does not know."""

    def __init__(self, location: str) -> None:
        place = place_of(location)
        if not place.sync_works:
            raise StoreMisconfiguredError(f"{location} does not sync, and was asked to keep what it acknowledges")
        self.line: Any = place.line if location.endswith("#line") else place
        self.closed = False

    def ask(self, name: str, *arguments: Any) -> Any:
        """One request."""
        if self.closed:
            raise StoreClosedError("the store was closed")
        try:
            return self.line.execute(name, arguments)
        except ConnectionRefusedError as why:
            raise StoreUnavailableError(str(why)) from why
        except ConnectionError as why:
            raise (OutcomeUnknownError if name in (*WRITES, "sync") else StoreUnavailableError)(str(why)) from why

    def append(self, batch: Append) -> Outcome:
        """Store one batch."""
        outcome: Outcome = self.ask("append", batch)
        self.ask("sync")
        return outcome

    def append_many(self, batches: Sequence[Append]) -> list[Outcome | StoreError]:
        """Store several in one trip."""
        try:
            found: list[Outcome | StoreError] = self.ask("append_many", list(batches))
            self.ask("sync")
        except StoreError as why:
            return [why for _ in batches]
        return found

    def load(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Event]:
        """The events."""
        found: Iterator[Event] = self.ask("load", stream, start, stop)
        return found

    def head(self, stream: str) -> int:
        """The last version."""
        return int(self.ask("head", stream))

    def find(self, stream: str, commit_id: str) -> Appended | None:
        """Where a key was stored."""
        found: Appended | None = self.ask("find", stream, commit_id)
        return found

    def chain_at(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        return str(self.ask("chain_at", stream, version))

    def put_snapshot(self, stream: str, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot."""
        self.ask("put_snapshot", stream, snapshot)
        self.ask("sync")

    def get_snapshot(self, stream: str) -> StoredSnapshot | None:
        """The latest snapshot."""
        found: StoredSnapshot | None = self.ask("get_snapshot", stream)
        return found

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Names."""
        return list(self.ask("streams", after, limit))

    def verify(self, stream: str) -> Verification:
        """Read everything."""
        found: Verification = self.ask("verify", stream)
        return found

    def describe(self) -> Mapping[str, str]:
        """What it is."""
        return {"kind": "pretended", "durability": "synced before it answers, on a server that is not there"}

    def close(self) -> None:
        """Let go of the line."""
        self.closed = True


class SilentRetry(ServedStore):
    """Asks again when the line broke, and tells nobody."""

    def ask(self, name: str, *arguments: Any) -> Any:
        """Twice if need be."""
        try:
            return super().ask(name, *arguments)
        except OutcomeUnknownError:
            return super().ask(name, *arguments)


class GuessesSuccess(ServedStore):
    """Takes a lost answer for a good one."""

    def append(self, batch: Append) -> Outcome:
        """What else can it have been."""
        try:
            return super().append(batch)
        except OutcomeUnknownError:
            return Appended(batch.expected + 1, batch.expected + len(batch.events))


class NoSync(ServedStore):
    """Answers before what it wrote is kept, and syncs now and then."""

    def ask(self, name: str, *arguments: Any) -> Any:
        """Three of four syncs do not happen."""
        if name == "sync" and place_of_line(self.line).synced + 4 > len(place_of_line(self.line).written):
            return None
        return super().ask(name, *arguments)


def place_of_line(line: Any) -> PretendServer:
    """The server at the end of a line."""
    found: PretendServer = line.server if isinstance(line, PretendLine) else line
    return found
