"""A memory store that fails when it is told to, in every way in which a store can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from papertrade.adapters.memory import MemoryStore
from papertrade.errors import OutcomeUnknownError, StoreConflictError, StoreUnavailableError
from papertrade.ports.store import Append, Conflict

Work = Callable[[], Any]


def _raise(why: BaseException) -> Any:
    raise why


def _after(work: Work, why: BaseException) -> Any:
    work()
    raise why


# name -> what an append (or any other call) does instead of its work
FAULTS: dict[str, Callable[[Work], Any]] = {
    "unavailable": lambda work: _raise(StoreUnavailableError("planned")),
    "unknown, not stored": lambda work: _raise(OutcomeUnknownError("planned")),
    "unknown, stored": lambda work: _after(work, OutcomeUnknownError("planned")),
    "conflict raised": lambda work: _raise(StoreConflictError("planned", 0, 0)),
    "foreign error": lambda work: _raise(ZeroDivisionError("planned")),
    "foreign error, stored": lambda work: _after(work, ZeroDivisionError("planned")),
    "interrupted": lambda work: _raise(KeyboardInterrupt("planned")),
    "interrupted, stored": lambda work: _after(work, KeyboardInterrupt("planned")),
}
# these only make sense as an answer to an append
ANSWERS: dict[str, Callable[[Work], Any]] = {
    "conflict": lambda work: Conflict(99),
    "no answer": lambda work: None,
}


class FaultyStore:
    """Passes everything to a memory store, but for the planned calls. ``calls`` counts while armed."""

    def __init__(self) -> None:
        self.real = MemoryStore()
        self.calls: list[str] = []
        self._fault: Callable[[Work], Any] | None = None
        self._first = self._last = 0
        self._armed = False

    def arm(self, fault: Callable[[Work], Any] | None, first: int, last: int | None = None) -> None:
        """Fail the first-th to last-th call from now on (counted from 1)."""
        self.calls = []
        self._fault, self._first, self._last, self._armed = fault, first, last or first, True

    def heal(self) -> None:
        """Work again."""
        self._armed = False

    def _do(self, name: str, work: Work) -> Any:
        if not self._armed:
            return work()
        self.calls.append(name)
        if self._fault is None or not self._first <= len(self.calls) <= self._last:
            return work()
        if self._fault in ANSWERS.values() and not name.startswith("append"):
            return work()
        return self._fault(work)

    def append(self, batch: Append) -> Any:
        return self._do("append", lambda: self.real.append(batch))

    def append_many(self, batches: Sequence[Append]) -> Any:
        def work() -> Any:
            return self.real.append_many(batches)

        found = self._do("append_many", work)
        return [found] * len(batches) if isinstance(found, Conflict) else found

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.real, name)
        return lambda *args, **kwargs: self._do(name, lambda: real(*args, **kwargs))
