"""``python -m tests.simulation.snapshots --runs 200 --steps 500``: a snapshot at every version, and the tail after it.

However a run went, the state restored from a snapshot of any version and moved on by the events after it has to be the
state that all events give: in every field, at the end of the journal.
"""

from __future__ import annotations

import argparse
import sys

from papertrade.codec.events import decode_event
from papertrade.domain.events import Event
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest, restore, snapshot
from papertrade.engine.state import AccountState

from .auditor.broken import BrokenInvariantError
from .run import CANARY, journals_of


def every_point(account: str, events: list[Event]) -> int:
    """Check every version of a journal; answers how many there are."""
    whole, moving = digest(fold(AccountState(), events)), AccountState()
    for version in range(len(events) + 1):
        if digest(fold(restore(snapshot(moving)), events[version:])) != whole:
            raise BrokenInvariantError("E4", account, f"another state by a snapshot at {version}", "that of all events")
        if version < len(events):
            moving = fold(moving, events[version : version + 1])
    return len(events) + 1


def main() -> int:
    """Run seeds and check every point of every journal."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.snapshots", description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--steps", type=int, default=500)
    options = parser.parse_args()
    points = runs = 0
    for seed in range(options.first, options.first + options.runs):
        if seed == CANARY:
            continue
        runs += 1
        for account, records in journals_of(seed, options.steps).items():
            points += every_point(account, [decode_event(data) for data in records])
    print(f"{runs} runs of {options.steps} steps: {points} snapshots, each with its tail the whole state")
    return 0


if __name__ == "__main__":
    sys.exit(main())
