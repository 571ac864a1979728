"""Several processes on one file: they open it at once, race for every version, and each wins what it is told it won."""

from __future__ import annotations

from pathlib import Path

import pytest
from racing import check_race, race

from papertrade.adapters.sqlite import SQLiteStore


@pytest.mark.parametrize(("writers", "count"), [(2, 200), (8, 40)])
def test_c16_c17_c31_one_winner_for_each_version(
    writers: int, count: int, tmp_path: Path, child_env: dict[str, str]
) -> None:
    """Nobody's append is lost or doubled: the journal is dense and holds as many events of each as it was told it won.

    All of them open the same new file at once, so that its tables are made under the same race.
    """
    path = tmp_path / "paper.db"
    found = race(str(path), writers, count, child_env)
    store = SQLiteStore(path)
    check_race(store, found, count)
    store.close()


def test_c31_eight_processes_make_the_tables_once(tmp_path: Path, child_env: dict[str, str]) -> None:
    """Opened by eight at once while there is no file: each schema file is applied once, and all of them work."""
    for attempt in range(3):
        path = tmp_path / f"{attempt}.db"
        assert [won for won, _ in race(str(path), 8, 1, child_env)] == [1] * 8
        store = SQLiteStore(path)
        assert store.describe()["schema"] == "6 of 6"
        assert store.head("main") == 8
        store.close()
