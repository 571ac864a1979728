"""Months of quoted accounts in processes that are killed at the ends of their days, held against a calm month."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import quoted_month
from quoted_month import figures, undisturbed

from papertrade.adapters.postgres import PostgresStore
from papertrade.adapters.redis import RedisStore
from papertrade.adapters.tiered import TieredStore

MOST_CHILDREN = 200


def play(
    day_url: str, archive_dsn: str, prefix: str, folder: Path, days: int, kills: dict[int, tuple[int, str]]
) -> int:
    """One month with these kills; answers how many processes it took, and leaves its notes behind."""
    asked = {
        "day": day_url, "archive": archive_dsn, "prefix": prefix, "progress": str(folder / f"{prefix}.json"),
        "days": days, "kills": kills,
    }  # fmt: skip
    for children in range(1, MOST_CHILDREN):
        done = subprocess.run(
            [sys.executable, quoted_month.__file__, json.dumps(asked)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return children
        if done.returncode != -9:
            raise AssertionError(done.stderr[-3000:])
    raise AssertionError(f"{MOST_CHILDREN} processes were not enough")


def rounds(day_url: str, archive_dsn: str, folder: Path, days: int, most: int | None = None) -> tuple[int, int, int]:
    """Months until every call was fatal before and after; answers rounds, kills, and the calls of an end of day."""
    expected = undisturbed(days)
    play(day_url, archive_dsn, "calm", folder, days, {})
    calls = max(json.loads((folder / "calm.json").read_text())["calls"].values())
    points = [(call, when) for call in range(1, calls + 1) for when in ("before", "after")]
    played = killed = 0
    while points and (most is None or played < most):
        now, points = points[:days], points[days:]
        prefix = f"month{played}"
        kills = dict(enumerate(now, 1))
        children = play(day_url, archive_dsn, prefix, folder, days, kills)
        store = TieredStore(day=RedisStore(day_url, prefix=prefix), archive=PostgresStore(archive_dsn, schema=prefix))
        found = figures(store)
        store.close()
        assert found == expected, f"{prefix} with {kills}: {found}, and not {expected}"
        played, killed = played + 1, killed + children - 1
    return played, killed, calls
