"""``python -m tests.simulation.covering``: few seeds that together reach every rare situation.

Whenever the way runs are drawn changes, other seeds reach other things; then this finds those for ``test_reached.py``.
"""

from __future__ import annotations

import argparse
import sys

from .reached import REACHED, missing
from .run import RunFailedError, run_seed


def covering(reached: dict[int, set[str]]) -> list[int]:
    """Seeds that together reach what all of them do: each time the one that adds most."""
    left, found = set().union(*reached.values()), list[int]()
    while left:
        best = max(reached, key=lambda seed: (len(reached[seed] & left), -seed))
        found.append(best)
        left -= reached[best]
    return sorted(found)


def main() -> int:
    """Run seeds and choose among them."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.covering", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--runs", type=int, default=300, help="how many seeds")
    parser.add_argument("--steps", type=int, default=250, help="turns in each run")
    options = parser.parse_args()
    reached: dict[int, set[str]] = {}
    for seed in range(options.seed, options.seed + options.runs):
        try:
            reached[seed] = REACHED.keys() & run_seed(seed, options.steps).marks.keys()
        except RunFailedError as why:
            print(f"seed {seed} is left out: {why.broken}")
    print("seeds:", covering(reached))
    print("not reached, so they have to be scripted:", missing(set().union(*reached.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
