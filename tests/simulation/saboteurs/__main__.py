"""``python -m tests.simulation.saboteurs --runs 50 --steps 300``: every planted bug, what named it, and how soon."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from statistics import median

from . import SABOTEURS
from .hunting import MOST_RUNS, Catch, hunt, keep_seeds


def main(args: Sequence[str] | None = None) -> int:
    """The command line. It fails if a bug is not found, or is named by an invariant that it does not break."""
    options = _options(args)
    chosen = [bug for name, bug in SABOTEURS.items() if not options.only or name in options.only]
    began, caught, missed, seeds = time.process_time(), list[Catch](), 0, dict[str, int]()
    for bug in chosen:
        found = hunt(bug, range(options.seed, options.seed + options.runs), options.steps)
        well = found is not None and found.invariant in bug.names
        missed += not well
        if found is None:
            print(f"{bug.name:45} breaks {bug.names[0]:4} NOT FOUND in {options.runs} runs", flush=True)
            continue
        if well:
            caught.append(found)
            seeds[bug.name] = found.seed
        verdict = "" if well else f"  NOT ONE OF {', '.join(bug.names)}"
        line = f"{bug.name:45} breaks {bug.names[0]:4} named by {found.invariant:4} runs {found.runs:5}{verdict}"
        print(line + (f"  seed {found.seed}: {found.said}" if options.why else ""), flush=True)
    spent = time.process_time() - began
    runs = [found.runs for found in caught]
    summary = f", median {median(runs):g} runs, worst {max(runs)}" if runs else ""
    print(f"{len(chosen)} planted bugs, {len(caught)} caught and named{summary}; {spent:.0f} seconds of one core")
    if options.keep:
        keep_seeds(seeds)
    return 1 if missed else 0


def _options(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.saboteurs", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--runs", type=int, default=MOST_RUNS, help="how many seeds each bug gets")
    parser.add_argument("--steps", type=int, default=300, help="turns in each run")
    parser.add_argument("--only", action="append", choices=sorted(SABOTEURS), help="this bug; may be given again")
    parser.add_argument("--keep", action="store_true", help="write down which seeds were first, for the quick hunt")
    parser.add_argument("--why", action="store_true", help="say what was found")
    return parser.parse_args(args)


if __name__ == "__main__":
    sys.exit(main())
