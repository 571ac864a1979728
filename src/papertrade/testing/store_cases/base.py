"""What every case stands on: the store under test, its place, and what its author lends for breaking it.

A case has a level. What is beyond the level asked for, what a store does not offer and what its author lends nothing
for is skipped with a reason that begins with NOT RUN, so that nobody takes it for kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from unittest import SkipTest

from papertrade.errors import StoreError
from papertrade.ports.store import Store
from papertrade.testing.contract import ContractViolation, expect
from papertrade.testing.store_cases.hooks import Faults, Server
from papertrade.testing.store_cases.opening import Blocking, inner_of, open_target

F = TypeVar("F", bound=Callable[..., None])


class Level(IntEnum):
    """How much a store promises; each level includes those before it."""

    BASIC = 1
    """What one process sees of it."""
    CONCURRENT = 2
    """Threads, processes and tasks that use it at once."""
    DURABLE = 3
    """Kills, faults, lost answers, damage."""
    ATTESTED = 4
    """The loss of power, with a control that shows that the loss was one."""


def at(level: Level) -> Callable[[F], F]:
    """Mark a case with the level that it belongs to."""

    def mark(case: F) -> F:
        case.level = level  # type: ignore[attr-defined]  # a mark on a function
        return case

    return mark


class StoreCases:
    """The ground of all cases: what is under test, opening and closing, and the words in which they are written."""

    level = Level.BASIC
    target = ""
    """Where the store is opened from, as an import string: child processes import it, nothing is pickled."""
    shared = True
    """Is whatever is opened at one location one store, also from another process and after closing?"""
    kills = 30
    seed = 1
    races = 100
    openings = 200
    damages = 40
    losses = 20
    patience_s = 60.0

    # -------------------------------------------------- what its author defines

    def new_location(self) -> str:
        """A fresh, empty place. The default is the path of a file that does not exist, in a folder of its own."""
        folder = tempfile.TemporaryDirectory(prefix="papertrade-")
        self._folders.append(folder)
        return str(Path(folder.name) / "store.db")

    def server(self) -> Server | None:
        """The server behind the store, if there is one that may be stopped and killed."""
        return None

    def faults(self, store: Any) -> Faults | None:
        """How to make the store's calls to its database fail."""
        return None

    def misconfigured(self) -> Iterable[str]:
        """Places whose settings break the promise: opening them is refused, or ``describe`` warns."""
        return ()

    def make_newer(self, location: str) -> bool:
        """Make a closed place look as if a newer version had written it; False if there is no such thing."""
        return False

    def damage(self, location: str, draw: Random) -> bool:
        """Change some of what is stored at a closed place; False if that cannot be done."""
        return False

    def lose_power(self, location: str) -> bool:
        """Take back whatever was not synced at a place; False if that cannot be done."""
        return False

    control = ""
    """For the attested level: a target whose store does not sync, which has to lose what it acknowledged."""

    # ------------------------------------------------------- opening and closing

    _opened: list[Store]
    _folders: list[tempfile.TemporaryDirectory[str]]
    _location: str | None
    _store: Store | None

    def setup_method(self, method: Callable[..., object] | None = None) -> None:
        """Before each case: nothing is open, and the case belongs to the level asked for."""
        self._opened, self._folders, self._location, self._store = [], [], None, None
        if method is not None and (needed := self.level_of(method.__name__)) > self.level:
            raise SkipTest(f"NOT RUN: beyond the level asked for ({self.level.name.lower()}), it is {needed.name}")

    def teardown_method(self, method: Callable[..., object] | None = None) -> None:
        """After each case: whatever it opened is closed."""
        for store in self._opened:
            with suppress(StoreError):
                store.close()
        for folder in self._folders:
            folder.cleanup()

    @classmethod
    def level_of(cls, name: str) -> Level:
        """The level of a case; one that its author wrote anew keeps the level of ours."""
        marks = [vars(base)[name].level for base in cls.__mro__ if hasattr(vars(base).get(name), "level")]
        return marks[0] if marks else Level.BASIC

    @property
    def location(self) -> str:
        """The place of this case."""
        if self._location is None:
            self._location = self.new_location()
        return self._location

    @property
    def store(self) -> Store:
        """The store of this case."""
        if self._store is None:
            self._store = self.open()
        return self._store

    def open(self, location: str | None = None, target: str = "") -> Store:
        """A store at a place; closed when the case is over."""
        store = open_target(target or self.target, location or self.location)
        if isinstance(store, Blocking):
            store.patience_s = self.patience_s
        self._opened.append(store)
        return store

    def reopened(self) -> Store:
        """Close the store of this case and open its place again."""
        self.store.close()
        self._store = self.open()
        return self._store

    # ------------------------------------------------------------- the words

    def need(self, offered: object, why_not: str) -> None:
        """Skip the case unless this is there."""
        if not offered:
            raise SkipTest(f"NOT RUN: {why_not}")

    def need_shared(self) -> None:
        """Skip the case where a place is not one store for everybody."""
        self.need(self.shared, "the store lives in the process that opened it")

    def extra(self, protocol: Any, what: str) -> Any:
        """The store as one that has an extra; the case is skipped where it has not."""
        inner = inner_of(self.store)
        self.need(isinstance(inner, protocol), f"the store does not have {protocol.__name__}: {what}")
        return self.store  # an asynchronous one is behind a face that isinstance cannot look through

    def said(self, work: Callable[[], object]) -> object:
        """What a call answers, or the store error that it raises; anything else that it raises is a broken promise."""
        try:
            return work()
        except StoreError as why:
            return why
        except ContractViolation:
            raise
        except Exception as why:
            raise ContractViolation("what a store cannot do is a StoreError", why) from why

    def versions(self, store: Store, stream: str = "main") -> list[int]:
        """The versions that are stored, which must be those from 1 to the head."""
        found = [event.version for event in store.load(stream)]
        expect(found == list(range(1, len(found) + 1)), "versions begin at 1 and have no gap", stream, found[:50])
        return found
