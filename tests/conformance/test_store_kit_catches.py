"""The kit for stores is tested like a store: honest ones pass every case, and each saboteur fails the case named."""

from __future__ import annotations

from unittest import SkipTest

import pytest

from papertrade.errors import PaperTradeError
from papertrade.testing.contract import ContractViolation
from papertrade.testing.store_saboteurs.table import (
    SABOTAGES,
    AwaitedContract,
    PlainContract,
    Sabotage,
    ServedContract,
    TrimmedContract,
)

PATIENCE_S = 2  # one of them never answers

TRIES = 10


class TestPlain(PlainContract):
    """The honest store that the saboteurs spoil."""


class TestServed(ServedContract):
    """The honest client of a server."""

    races = 20


class TestAwaited(AwaitedContract):
    """The honest store whose methods are coroutines."""


@pytest.mark.parametrize("case", [name for name in TrimmedContract.case_names() if name.startswith("test_c45")])
def test_a_plain_store_can_be_trimmed(case: str) -> None:
    """The honest one that the saboteurs of trimming spoil; in everything else it is the plain one."""
    TrimmedContract().run_case(case)


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda s: f"{s.name}-{s.case[5:8]}")
def test_a_saboteur_fails_the_case_named(sabotage: Sabotage) -> None:
    """A case that a saboteur passes would be passed by a store with the same mistake.

    Where the mistake shows only in a race, the case may have to be run again until it does.
    """
    for _ in range(TRIES):
        under = sabotage.under_test()
        if sabotage.name == "GlobalLockLeak":
            under.patience_s = PATIENCE_S
        try:
            under.run_case(sabotage.case)
        except SkipTest as why:
            pytest.fail(f"{sabotage.case} did not run: {why}")
        except (ContractViolation, PaperTradeError):
            return
    pytest.fail(f"{sabotage.name} passes {sabotage.case}")
