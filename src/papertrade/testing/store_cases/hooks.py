"""What an author can lend to the kit, so that it can break what is behind a store: a server, its line, its calls."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class Proxy(Protocol):
    """A line to the server on which answers can be lost."""

    location: str
    """The place of the case, by way of this line."""

    def requests(self) -> int:
        """How many requests went to the server so far."""
        ...

    def cut_answer(self) -> None:
        """The next request is executed and the line breaks before its answer; whoever connects again is served."""
        ...

    def hold_answers(self) -> None:
        """From now on requests are executed and no answer comes; the line stays."""
        ...

    def heal(self) -> None:
        """Work again."""
        ...


class Server(Protocol):
    """The server behind a store, started by the author's own fixture. Every case leaves it running."""

    def stop(self) -> None:
        """End it in the orderly way."""
        ...

    def kill(self) -> None:
        """End it at once, as a crash does."""
        ...

    def restart(self) -> None:
        """Start it again with what it had kept."""
        ...

    def proxy(self, location: str) -> Proxy | None:
        """A line to a place on this server; None if there is no such thing."""
        ...


class Faults(Protocol):
    """The calls that a store makes to its database, which can be made to fail."""

    kinds: Collection[str]
    """What can be done to a call, out of these four.

    ``"unavailable"``: it fails and was not executed. ``"unknown"``: it fails and was executed. ``"full"``: it fails for
    want of room. ``"read only"``: it fails if it writes.
    """

    def fail(self, kind: str, first: int, last: int) -> None:
        """Fail the first-th to last-th call from now on, counted from 1."""
        ...

    def calls(self) -> int:
        """How many calls were made since ``fail``."""
        ...

    def heal(self) -> None:
        """Work again."""
        ...
