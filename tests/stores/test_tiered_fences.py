"""Fences of two tiers: whoever had one before a day store was lost does not pass for the owner of today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from store_cases import batch

from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.adapters.tiered import TieredStore
from papertrade.errors import StoreFencedError, StoreUnavailableError
from papertrade.testing.store_saboteurs.trimmed import TrimmedStore


def tiered(archive: Any) -> TieredStore:
    """A day store that knows nothing yet, over an archive."""
    return TieredStore(TrimmedStore(":memory:"), archive)  # type: ignore[arg-type]  # it is not waited on here


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_late_worker_of_yesterday_stays_out(kind: str, settled: bool, tmp_path: Path) -> None:
    """The day store is empty again: the next fence is one that nobody was given, whether or not the day was settled."""
    archive: Any = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "archive.db", durability="memory")
    yesterday = tiered(archive)
    given = [yesterday.take("main") for _ in range(3)]
    yesterday.append(batch(0)._replace(fence=given[-1]))
    if settled:
        yesterday.settle("main")
    today = tiered(archive)
    at = today.head("main")
    owner = today.take("main")
    for late in given:
        with pytest.raises(StoreFencedError):
            today.append(batch(at)._replace(fence=late))
    today.append(batch(at)._replace(fence=owner))
    assert owner not in given
    today.settle("main")  # the archive takes records whoever owns the stream


def test_a_day_store_that_counted_alone_is_caught_up_with() -> None:
    """Fences that the day store gave before the archive counted along are not given again either."""
    store = tiered(MemoryStore())
    alone = [store.day.take("main") for _ in range(5)]
    fence = store.take("main")
    assert fence not in alone
    assert tiered(store.archive).take("main") not in {*alone, fence}


def test_two_workers_that_take_by_turns_never_share_a_fence() -> None:
    """Whoever comes between the two counts of another gets a fence of its own, and so does the next after a loss."""
    archive = MemoryStore()
    store, given = tiered(archive), list[int]()
    taking = archive.take

    def between(stream: str) -> int:
        fence = taking(stream)
        if len(given) < 3:
            given.append(0)  # once each: the other does not come between itself
            given[-1] = store.day.take(stream)
        return fence

    archive.take = between  # type: ignore[method-assign]
    given += [store.take("main"), store.take("main")]
    archive.take = taking  # type: ignore[method-assign]
    assert len(set(given)) == len(given)
    assert tiered(archive).take("main") > given[-1]


def test_no_fence_without_the_archive() -> None:
    """An archive that cannot count now is said; the stream stays with whoever has it."""
    store = tiered(MemoryStore())
    fence = store.take("main")

    def down(stream: str) -> int:
        raise StoreUnavailableError("down")

    store.archive.take = down  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailableError):
        store.take("main")
    store.append(batch(0)._replace(fence=fence))
