"""A store that fails when it is told to, in front of a real one: for the tests of whoever hosts papertrade.

    store = FaultyStore(MemoryStore())
    exchange = pt.Exchange(store)
    store.fail("unavailable", first=3)          # the third call from now on, once
    store.fail("unknown, stored", first=1, last=FOREVER, calls=("append", "append_many"))
    store.heal()

A plan can be given at once: ``FaultyStore(MemoryStore(), Plan("full", first=10))``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import attrs

from papertrade.errors import (
    InvalidValueError,
    OutcomeUnknownError,
    StoreConflictError,
    StoreFullError,
    StoreUnavailableError,
)
from papertrade.ports.store import Append, Conflict, Outcome
from papertrade.ports.store_extras import EXTRAS

FOREVER: Final = 10**9
Work = Callable[[], Any]


def _instead(make: Callable[[], BaseException]) -> Callable[[Work], Any]:
    def fail(work: Work) -> Any:
        raise make()

    return fail


def _after(make: Callable[[], BaseException]) -> Callable[[Work], Any]:
    def fail(work: Work) -> Any:
        work()
        raise make()

    return fail


FAULTS: Final[dict[str, Callable[[Work], Any]]] = {
    "unavailable": _instead(lambda: StoreUnavailableError("planned")),
    "unknown, not stored": _instead(lambda: OutcomeUnknownError("planned")),
    "unknown, stored": _after(lambda: OutcomeUnknownError("planned")),
    "full": _instead(lambda: StoreFullError("planned")),
    "conflict raised": _instead(lambda: StoreConflictError("planned", 0, 0)),
    "foreign error": _instead(lambda: ZeroDivisionError("planned")),
    "foreign error, stored": _after(lambda: ZeroDivisionError("planned")),
    "interrupted": _instead(lambda: KeyboardInterrupt("planned")),
    "interrupted, stored": _after(lambda: KeyboardInterrupt("planned")),
}
"""What a call can do instead of its work, by name; ``stored`` means that it did its work and nobody hears of it."""

ANSWERS: Final[dict[str, Callable[[Work], Any]]] = {
    "conflict": lambda work: Conflict(99),
    "no answer": lambda work: None,
}
"""What only an append can answer wrongly."""


@attrs.frozen
class Plan:
    """Which calls fail, and how: the first-th to last-th call from now on, counted from 1, of those named."""

    fault: str
    first: int = 1
    last: int | None = None
    calls: Collection[str] = ()

    def __attrs_post_init__(self) -> None:
        if self.fault not in FAULTS and self.fault not in ANSWERS:
            raise InvalidValueError("fault", self.fault, ", ".join([*FAULTS, *ANSWERS]))


class FaultyStore:
    """Passes everything to a real store, but for the planned calls. ``calls`` are the names of those counted."""

    def __init__(self, store: Any, plan: Plan | None = None) -> None:
        self.real = store
        self.calls: list[str] = []
        self.plan = plan
        for name in EXTRAS:
            if hasattr(store, name):
                found = getattr(store, name)
                setattr(self, name, self._front(name) if callable(found) else found)

    def fail(self, fault: str, first: int = 1, last: int | None = None, calls: Collection[str] = ()) -> None:
        """Fail calls from now on, counted from 1; once, unless ``last`` says how long."""
        self.arm(Plan(fault, first, last, calls))

    def arm(self, plan: Plan | None) -> None:
        """Begin to count, with a plan or with none."""
        self.calls, self.plan = [], plan

    def heal(self) -> None:
        """Work again."""
        self.plan = None

    def do(self, name: str, work: Work) -> Any:
        """One call: as it is, or as planned."""
        plan = self.plan
        if plan is not None and plan.calls and name not in plan.calls:
            return work()
        self.calls.append(name)
        if plan is None or not plan.first <= len(self.calls) <= (plan.last or plan.first):
            return work()
        fault = FAULTS.get(plan.fault)
        if fault is not None:
            return fault(work)
        return ANSWERS[plan.fault](work) if name.startswith("append") else work()

    def append(self, batch: Append) -> Outcome:
        """Store one batch, unless it is to fail."""
        found: Outcome = self.do("append", lambda: self.real.append(batch))
        return found

    def append_many(self, batches: Sequence[Append]) -> Any:
        """Store several in one trip, unless it is to fail."""
        found = self.do("append_many", lambda: self.real.append_many(batches))
        return [found] * len(batches) if isinstance(found, Conflict) else found

    def _front(self, name: str) -> Callable[..., Any]:
        return lambda *arguments, **named: self.do(name, lambda: getattr(self.real, name)(*arguments, **named))

    def __getattr__(self, name: str) -> Any:
        """Every other call; what the real store does not have, this one has not either."""
        getattr(self.real, name)
        return self._front(name)
