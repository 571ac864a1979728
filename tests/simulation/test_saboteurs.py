"""The simulator can fail: every planted bug is named by an invariant that it breaks, and the canary is heard."""

from __future__ import annotations

import pytest

from papertrade.engine import filling
from papertrade.ledger import postings

from .__main__ import main
from .run import CANARY, RunFailedError, run_seed
from .saboteurs import SABOTEURS, Saboteur
from .saboteurs.hunting import hunt, kept_seeds, run_with

STEPS, MORE_SEEDS = 300, 6
# What of RELIABILITY.md applies to what there is today.
APPLY = (
    *(f"L{n}" for n in range(1, 11)),
    *("P1", "P2", "P3", "P4", "P6", "P8", "P9"),
    *(f"O{n}" for n in range(1, 9)),
    *("M1", "M2", "M3", "M4", "M5", "M7", "M10"),
    *("R1", "R2", "R3", "R4", "R5"),
    *(f"K{n}" for n in range(1, 8)),
    *("S1", "S2", "S3"),
    *("E1", "E2", "E4", "E5", "E7", "E8", "E9", "E10"),
    *("T1", "T2", "T3", "T4", "A1", "A2", "A3", "A4", "A6"),
)


def test_each_invariant_has_a_bug() -> None:
    """An invariant that no planted bug breaks proves nothing when it holds."""
    broken = {bug.names[0] for bug in SABOTEURS.values()}
    assert [name for name in APPLY if name not in broken] == []


@pytest.mark.parametrize("bug", SABOTEURS.values(), ids=SABOTEURS)
def test_planted_bug_is_named(bug: Saboteur) -> None:
    """A run with a bug planted fails, and says which invariant: one that this bug can break.

    The seed that found it first is only where the hunt begins; what the run says decides.
    """
    assert bug.mistake, "nobody says what is wrong"
    seeds = dict.fromkeys((kept_seeds().get(bug.name, 0), *range(MORE_SEEDS)))
    found = hunt(bug, seeds, STEPS)
    assert found is not None, f"{bug.name} went unnoticed in {len(seeds)} runs of {STEPS} turns"
    assert found.invariant in bug.names, found.said


def test_nothing_of_a_bug_is_left_behind() -> None:
    """After a run with a bug planted the library is as it was, wherever the bug was put."""
    before = filling.book_fill, filling.fee_lines, dict(postings.POSTINGS)
    digest = run_seed(0, 60).digest
    for name in ("maker_charged_as_taker", "profit_booked_as_cost", "withdrawal_leaves_the_cash"):
        run_with(SABOTEURS[name], 0, 60)
    assert (filling.book_fill, filling.fee_lines, dict(postings.POSTINGS)) == before
    assert run_seed(0, 60).digest == digest


def test_canary_always_fails() -> None:
    """A seed whose books are in order fails by agreement, so that a simulator that reports nothing is found out."""
    with pytest.raises(RunFailedError, match="canary is broken") as failed:
        run_seed(CANARY, 20)
    assert failed.value.broken.name == "canary"


def test_canary_is_reported_and_counts_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The command line reports the canary and exits 0 if nothing else failed."""
    assert main(["--seed", str(CANARY - 1), "--runs", "3", "--steps", "20"]) == 0
    said = capsys.readouterr().out
    assert f"canary, seed {CANARY}, failed" in said
    assert " 0 violations" in said


def test_bug_beside_the_canary_fails_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With anything else wrong the command line exits 1, and the canary is not what it counted."""
    from .saboteurs import Plant

    SABOTEURS["entry_without_its_hold"].plant(Plant(monkeypatch))
    assert main(["--seed", str(CANARY), "--runs", "40", "--steps", "60"]) == 1
    said = capsys.readouterr().out
    assert "L7 is broken" in said
    assert " 1 violations" in said
