"""The simulator itself: runs hold, failures are reported, made short and kept, and nothing but the seed decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from papertrade.codec.events import decode_event
from papertrade.hosting.desk import Desk

from .__main__ import main
from .auditor.broken import BrokenInvariantError
from .matrix import said_by, variants
from .run import CANARY, RunFailedError, journals_of, profile_of, replayed, run_seed
from .shrink import breaks, shrunk
from .snapshots import every_point
from .spelling import spell, unspell
from .table import read_table, read_turn, write_table, write_turn

HERE = Path(__file__).parent
FAILURES = sorted((HERE / "failures").glob("*.txt"))
SEEDS = [line.split()[:2] for line in (HERE / "seeds.txt").read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_seeds_hold(first: int) -> None:
    """Whatever a seed draws, every invariant holds after every turn, and the end finds everything answered."""
    for seed in range(first, first + 10):
        assert run_seed(seed, 150, again=seed % 5 == 0).turns >= 150


@pytest.mark.parametrize(("seed", "steps"), SEEDS, ids=[seed for seed, _ in SEEDS])
def test_seeds_that_failed_hold(seed: str, steps: str) -> None:
    """What failed once is run for ever."""
    assert run_seed(int(seed), int(steps)).events


@pytest.mark.parametrize("path", FAILURES, ids=lambda path: path.stem)
def test_kept_failures_hold(path: Path) -> None:
    """A failure that was made short and written down does not come back, whatever the drawing of runs becomes."""
    kept = read_table(path)
    assert breaks(kept.profile, kept.turns) is None
    assert replayed(kept.profile, kept.turns).disk.streams, "the turns do nothing any more"


def test_failures_are_kept() -> None:
    """There are kept failures, and each names the invariant that it broke."""
    assert len(FAILURES) >= 5
    assert all(read_table(path).broke for path in FAILURES)


# ------------------------------------------------- reporting, making short


def _time_stays(self: Desk, at_ns: int) -> None:
    if self.data_clock is not None:
        self.data_clock.observe(at_ns)


@pytest.fixture
def feed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug that was mended, planted again: a datum of a later instant does not move the time."""
    monkeypatch.setattr(Desk, "observe", _time_stays)


@pytest.mark.usefixtures("feed_ahead")
def test_failure_is_reported_shortened_and_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A failure prints the line that repeats it, the invariant and the difference, and leaves a table that fails."""
    path = tmp_path / "failure.txt"
    assert main(["--seed", "2280", "--runs", "5", "--steps", "150", "--shrink", str(path)]) == 1
    said = capsys.readouterr().out
    kept = read_table(path)
    seed = said.partition("--seed ")[2].split()[0]
    assert f"python -m tests.simulation --seed {seed} --runs 1 --steps 150" in said
    assert "M2 is broken in account" in said
    assert "found:    evidence of" in said
    assert breaks(kept.profile, kept.turns) == kept.broke == "M2"
    assert len(kept.turns) <= 8
    with pytest.raises(RunFailedError):
        run_seed(int(seed), 150)


def test_canary_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """A seed that always fails is reported; if it were not, no silence could be believed."""
    assert main(["--seed", str(CANARY), "--runs", "1", "--steps", "20"]) == 0
    assert f"the canary, seed {CANARY}, failed as it has to" in capsys.readouterr().out
    with pytest.raises(RunFailedError, match="canary"):
        run_seed(CANARY, 20)


def test_canary_that_passes_is_a_failure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever silences the canary silences the whole run."""
    monkeypatch.setattr("simulation.run.CANARY", -1)
    assert main(["--seed", str(CANARY), "--runs", "1", "--steps", "20"]) == 1
    assert "was not reported" in capsys.readouterr().out


def test_shrunk_is_as_short_as_can_be() -> None:
    """Of a hundred turns of which three matter, three are left, in their order."""
    turns = replayed_turns(100)
    needed = {3, 50, 51}
    found = shrunk(turns, lambda some: needed <= {turns.index(turn) for turn in some})
    assert [turns.index(turn) for turn in found] == sorted(needed)


def replayed_turns(count: int) -> list:
    """Turns that differ."""
    return [read_turn(f"{number} 0 - | Die()") for number in range(count)]


# -------------------------------------------------------------- written down


@pytest.mark.parametrize("seed", range(0, 60, 7))
def test_profiles_are_read_back(seed: int) -> None:
    """A world is written as text and read back as the same world."""
    profile = profile_of(seed)
    assert unspell(spell(profile)) == profile


def test_table_is_read_back(tmp_path: Path) -> None:
    """A table holds the world, the invariant and every turn, faults and misuse included."""
    kept = read_table(FAILURES[0])
    write_table(tmp_path / "again.txt", kept.profile, kept.broke, "again", kept.turns)
    assert read_table(tmp_path / "again.txt") == kept
    line = "7 1 acc1 | Deposit(amount=5, note='a') | cut after @ call 2 | misuse"
    assert write_turn(read_turn(line)) == line


def test_nothing_is_evaluated() -> None:
    """A table is data: a name that it may not use is refused."""
    with pytest.raises((KeyError, ValueError)):
        read_turn("7 1 - | system(command='true')")


# -------------------------------------------------- the same in every process


def test_other_processes_make_the_same_bytes(child_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash seed, time zone, optimization and the order of runs decide nothing."""
    monkeypatch.chdir(HERE.parents[1])
    monkeypatch.setenv("PYTHONPATH", child_env["PYTHONPATH"])
    every = variants()
    assert len(every) == 18
    assert {variant.backwards for variant in every} == {True, False}
    said = [said_by(every[number], 0, 3, 120) for number in (0, 9, 17)]
    assert len(said[0]) == 4
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_snapshot_at_every_version(seed: int) -> None:
    """A snapshot of any version and the events after it are the whole state."""
    for account, records in journals_of(seed, 120).items():
        assert every_point(account, [decode_event(data) for data in records]) == len(records) + 1


def test_wrong_snapshot_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot that forgets something is found."""
    from papertrade.engine import snapshot as shots

    def forgetful(data: bytes) -> object:
        state = shots.restore(data)
        state.next_fill += bool(state.orders)
        return state

    monkeypatch.setattr("simulation.snapshots.restore", forgetful)
    events = [decode_event(data) for data in journals_of(1, 120)["main"]]
    with pytest.raises(BrokenInvariantError, match="E4"):
        every_point("main", events)
