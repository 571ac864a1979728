"""``python -m tests.simulation --seed 1 --runs 1000 --steps 300``: run seeds until something breaks.

A failure prints the line that repeats it. ``--shrink FILE`` makes it short and writes it down as a test.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .run import CANARY, RunFailedError, profile_of, run_seed
from .shrink import breaks, shrunk
from .table import write_table, write_turn


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(args)
    began, steps, events, failed, marks = time.process_time(), 0, 0, 0, Counter[str]()
    for seed in range(options.seed, options.seed + options.runs):
        try:
            done = run_seed(seed, options.steps, again=seed % 10 == 0, oracle=seed % 3 == 0)
        except RunFailedError as why:
            print(why, "\n", flush=True)
            if seed == CANARY and why.broken.name == "canary":
                continue
            failed += 1
            if options.shrink:
                _keep(why, options.shrink)
            if failed >= options.most:
                break
            continue
        steps, events = steps + done.turns, events + done.events
        marks += done.marks
    spent = time.process_time() - began
    print(
        f"{options.runs} runs from seed {options.seed}: {steps} checked steps, {events} events, {failed} violations; "
        f"{steps / max(spent, 1e-9):.0f} checked steps a second and core"
    )
    if options.marks:
        print("\n".join(f"{count:9} {mark}" for mark, count in sorted(marks.items())))
    return 1 if failed else 0


def _options(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--runs", type=int, default=100, help="how many seeds")
    parser.add_argument("--steps", type=int, default=300, help="turns in each run")
    parser.add_argument("--most", type=int, default=1, help="stop after so many failures")
    parser.add_argument("--marks", action="store_true", help="list the rare situations that were reached")
    parser.add_argument("--shrink", type=Path, help="make the failure short and write it to this file")
    return parser.parse_args(args)


def _keep(why: RunFailedError, path: Path) -> None:
    profile, name = profile_of(why.seed), why.broken.name
    short = shrunk(why.turns, lambda turns: breaks(profile, turns) == name)
    write_table(path, why.seed, name, str(why.broken).replace("\n", " ")[:300], short)
    print(f"{len(why.turns)} turns became {len(short)}, written to {path}:")
    print("\n".join(map(write_turn, short)))


if __name__ == "__main__":
    sys.exit(main())
