"""Answers that are cut off, on any store behind a proxy: repeated with its key, every batch is stored once (G9)."""

from __future__ import annotations

from collections import Counter
from random import Random

from cutting_proxy import CuttingProxy
from store_cases import batch

from papertrade.domain.events import CashDeposited
from papertrade.errors import OutcomeUnknownError, StoreUnavailableError
from papertrade.ports.store import AlreadyAppended, Appended, Store

RECORD = b"cash_deposited"
"""What a request to store one of our batches has in it, whatever the protocol: the kind of its one event."""


def cut_and_repeat(store: Store, proxy: CuttingProxy, cuts: int, *, seed: int = 1) -> Counter[str]:
    """Append so often with every request cut, before or after it was executed; each is repeated until it is answered.

    Every batch has its own amount, so that what is stored twice, or not at all, shows in the journal.
    """
    draw, said = Random(seed), Counter[str]()
    for number in range(cuts):
        made = batch(number, commit=f"k{number}", amount=number + 1)
        proxy.cut_next(draw.choice(["before", "after"]))
        outcome = None
        while outcome is None:
            try:
                outcome = store.append(made)
            except (OutcomeUnknownError, StoreUnavailableError) as why:
                said[type(why).__name__] += 1
        assert outcome in (Appended(number + 1, number + 1), AlreadyAppended(number + 1, number + 1)), outcome
        said[type(outcome).__name__] += 1
    assert amounts(store) == list(range(1, cuts + 1))
    return said


def cut_and_guess(store: Store, proxy: CuttingProxy, cuts: int) -> list[int]:
    """The control, which does what keys are there to prevent: no key, and after a cut once more at the new head."""
    for number in range(cuts):
        made = batch(store.head("main"), amount=number + 1)
        proxy.cut_next("after")
        try:
            store.append(made)
        except (OutcomeUnknownError, StoreUnavailableError):
            store.append(batch(store.head("main"), amount=number + 1))
    return amounts(store)


def amounts(store: Store) -> list[int]:
    """What is in the journal."""
    return [event.amount_units for event in store.load("main") if isinstance(event, CashDeposited)]
