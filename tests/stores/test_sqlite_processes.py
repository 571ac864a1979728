"""Several processes on one file: they open it at once, race for every version, and each wins what it is told it won."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from papertrade.adapters.sqlite import SQLiteStore
from papertrade.domain.events import CashDeposited

SCRIPT = Path(__file__).with_name("writers.py")


def race(path: Path, writers: int, count: int, env: dict[str, str]) -> list[tuple[int, int]]:
    """Let processes loose on a file in the same instant; how often each won and lost."""
    children = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(path), str(number), str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
        )
        for number in range(1, writers + 1)
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate(timeout=300)[0] for child in children]
    assert [child.returncode for child in children] == [0] * writers
    return [(int(won), int(lost)) for won, lost in (line.split() for line in said)]


@pytest.mark.parametrize(("writers", "count"), [(2, 200), (8, 40)])
def test_c16_c17_c31_one_winner_for_each_version(
    writers: int, count: int, tmp_path: Path, child_env: dict[str, str]
) -> None:
    """Nobody's append is lost or doubled: the journal is dense and holds as many events of each as it was told it won.

    All of them open the same new file at once, so that its tables are made under the same race.
    """
    path = tmp_path / "paper.db"
    found = race(path, writers, count, child_env)
    assert [won for won, _ in found] == [count] * writers
    store = SQLiteStore(path)
    events = list(store.load("main"))
    assert [event.version for event in events] == list(range(1, writers * count + 1))
    stored = Counter(event.amount_units for event in events if isinstance(event, CashDeposited))
    assert stored == dict.fromkeys(range(1, writers + 1), count)
    assert store.verify("main").version == writers * count
    for number in range(1, writers + 1):
        for turn in range(count):
            kept = store.find("main", f"{number}-{turn}")
            assert kept is not None
            assert events[kept.first - 1].amount_units == number  # type: ignore[union-attr]
    store.close()


def test_c31_eight_processes_make_the_tables_once(tmp_path: Path, child_env: dict[str, str]) -> None:
    """Opened by eight at once while there is no file: each schema file is applied once, and all of them work."""
    for attempt in range(3):
        path = tmp_path / f"{attempt}.db"
        assert [won for won, _ in race(path, 8, 1, child_env)] == [1] * 8
        store = SQLiteStore(path)
        assert store.describe()["schema"] == "2 of 2"
        assert store.head("main") == 8
        store.close()
