"""Lose power at every write of twelve kinds of work: ``python -m tests.proofs.power_loss [--only SCENARIO]``.

Each scenario runs once over a disk that writes down what SQLite does to its files. Then, for each of those steps, the
power is lost there in nine ways (what was not synced is gone, kept, kept in one file only, cut off, or torn), and what
is left is opened by SQLiteStore with the standard library's SQLite and held against what was acknowledged.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
from power_disk import Left
from power_scenarios import SCENARIOS, Run, on_disk, state_of

from papertrade.adapters.sqlite import JOURNALS, SQLiteStore
from papertrade.errors import StoreError

MEMORY = Path("/dev/shm")


class Found(NamedTuple):
    """What came of one scenario with one setting."""

    steps: int
    acknowledged: int
    images: int
    lost: int
    corrupt: int
    ahead: int  # what nobody had heard of yet was there, whole
    first: str  # the first loss or damage


def lose(
    scenario: str, durability: str, journal: str, every: int = 1, sync_names: bool = True, folder: Path | None = None
) -> Found:
    """Run a scenario, lose power at each step, look at what is left."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run = Run(Path(place), durability, journal)
        run.begin(SCENARIOS[scenario].begin())
        with on_disk(run.log, sync_names):
            SCENARIOS[scenario].work(run)
        return _look(scenario, run, Path(place) / "left", every)


def _look(scenario: str, run: Run, place: Path, every: int) -> Found:
    place.mkdir()
    left, heard, count, first = Left(run.files), 0, Counter[str](), ""
    numbers = {state: number for number, state in enumerate(run.states)}
    for step, done in enumerate([None, *run.log.steps]):
        if done is not None:
            left.play(done)
            heard += done.what == "acknowledged"
        if step % every and step < len(run.log.steps):
            continue
        for way, image in enumerate(left.images(f"{scenario} {step}")):
            what = _judge(image, place, run, numbers, heard)
            count[what] += 1
            if what in ("lost", "corrupt") and not first:
                first = f"{what} at step {step} of {len(run.log.steps)} ({done.what if done else 'begin'}), way {way}"
    return Found(
        len(run.log.steps), heard, sum(count.values()), count["lost"], count["corrupt"], count["ahead"], first
    )


def _judge(image: dict[str, bytes], place: Path, run: Run, numbers: dict[object, int], heard: int) -> str:
    for old in place.iterdir():
        old.unlink()
    for name, data in image.items():
        (place / name).write_bytes(data)
    try:
        store = SQLiteStore(place / run.path.name, durability="memory", journal=run.options["journal"])
        try:
            for name in store.streams():
                store.verify(name)
            state = state_of(store)
        finally:
            store.close()
    except (StoreError, sqlite3.Error):
        return "corrupt"
    number = numbers.get(state, -1)
    if number < 0 or number > heard + 1:
        return "corrupt"  # a state that never was
    return "lost" if number < heard else "ahead" if number > heard else "as heard"


def main() -> int:
    """Run, print, and say whether every promise held and every control failed as it has to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SCENARIOS)
    parser.add_argument("--every", type=int, default=1, help="look at every n-th step only")
    asked = parser.parse_args()
    scenarios: Iterable[str] = [asked.only] if asked.only else SCENARIOS
    folder = MEMORY if MEMORY.is_dir() else None
    wrong = []
    for journal in JOURNALS:
        for durability, (name, _, _) in JOURNALS[journal].durabilities.items():
            total = Counter[str]()
            for scenario in scenarios:
                found = lose(scenario, durability, journal, asked.every, folder=folder)
                total.update({k: v for k, v in found._asdict().items() if type(v) is int})
                print(f"{journal:12}{name:7}{scenario:18}", _row(found._asdict()), found.first, flush=True)
            print(f"{journal:12}{name:7}{'all':18}", _row(total), flush=True)
            wrong += judged(journal, durability, total["lost"], total["corrupt"])
    print(*wrong or ["every promise held, every control failed"], sep="\n")
    return 1 if wrong else 0


def _row(found: dict[str, int] | Counter[str]) -> str:
    return " ".join(f"{key} {found[key]:,}" for key in ("steps", "acknowledged", "images", "ahead", "lost", "corrupt"))


def judged(journal: str, durability: str, lost: int, corrupt: int) -> list[str]:
    """What of a setting's result is not as it has to be. The settings that promise less are the controls."""
    what = f"{journal}, {durability}:"
    wrong = []
    if durability == "every command" and lost:
        wrong.append(f"{what} {lost} images lost what was acknowledged")
    if durability != "memory" and corrupt:
        wrong.append(f"{what} {corrupt} images are corrupt")
    if durability != "every command" and not lost:
        wrong.append(f"{what} a control that loses nothing: the disk is too kind")
    if durability == "memory" and not corrupt:
        wrong.append(f"{what} a control that is never corrupt: the disk is too kind")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
