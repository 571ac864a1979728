"""``python -m tests.simulation --seed 1 --runs 1000 --steps 300``: run seeds until something breaks.

A failure prints the line that repeats it. ``--shrink FILE`` makes it short and writes it down, ready to be a test.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from .run import CANARY, RunFailedError, profile_of, run_seed
from .shrink import breaks, shrunk
from .table import write_table, write_turn

CHUNK = 50


class Tally(NamedTuple):
    """What some seeds came to."""

    runs: int
    steps: int
    events: int
    marks: Counter[str]
    failures: list[tuple[int, str]]  # seed and story
    canary: str  # its story, if it was met
    spent: float  # seconds of one core


def run_seeds(first: int, runs: int, steps: int, most: int = 1, notices: bool = True) -> Tally:
    """Run seeds one after the other, until so many have failed. Some are run twice, some past the oracle as well."""
    gc.set_threshold(50_000, 20, 20)  # there is much that lives for one run, and nothing that lives longer
    began, done_steps, events, marks = time.process_time(), 0, 0, Counter[str]()
    failures, canary, runs_done = list[tuple[int, str]](), "", 0
    for seed in range(first, first + runs):
        runs_done += 1
        try:
            done = run_seed(seed, steps, again=seed % 20 == 0, thorough=seed % 10 < 2, notices=notices)
        except RunFailedError as why:
            if seed == CANARY and why.broken.name == "canary":
                canary = str(why)
                continue
            failures.append((seed, str(why)))
            if len(failures) >= most:
                break
            continue
        done_steps, events = done_steps + done.turns, events + done.events
        marks += done.marks
    return Tally(runs_done, done_steps, events, marks, failures, canary, time.process_time() - began)


def _tallies(options: argparse.Namespace) -> Iterator[Tally]:
    last = options.seed + options.runs
    chunks = [(first, min(CHUNK, last - first)) for first in range(options.seed, last, CHUNK)]
    if options.jobs == 1:
        for first, runs in chunks:
            yield run_seeds(first, runs, options.steps, options.most, options.marks)
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        ask = (options.steps, options.most, options.marks)
        work = [pool.submit(run_seeds, first, runs, *ask) for first, runs in chunks]
        try:
            for waiting in work:
                yield waiting.result()
        finally:  # whoever has heard enough does not wait for the rest
            pool.shutdown(cancel_futures=True)


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    options = _options(args)
    steps, events, spent, marks = 0, 0, 0.0, Counter[str]()
    failed, canary, runs = list[int](), _canary_is_heard(), 0
    for tally in _tallies(options):
        runs += tally.runs
        steps, events, spent = steps + tally.steps, events + tally.events, spent + tally.spent
        marks += tally.marks
        for seed, story in tally.failures:
            failed.append(seed)
            print(story, "\n", flush=True)
        if tally.canary:
            print(f"{tally.canary}\nthe canary, seed {CANARY}, failed as it has to\n", flush=True)
        if len(failed) >= options.most:
            break
    print(
        f"{runs} runs from seed {options.seed}: {steps} checked steps, {events} events, "
        f"{len(failed)} violations; {steps / max(spent, 1e-9):.0f} checked steps a second and core"
    )
    if options.marks:
        print("\n".join(f"{count:9} {mark}" for mark, count in sorted(marks.items())))
    if failed and options.shrink:
        _keep(failed[0], options.steps, options.shrink)
    if not failed and not canary:
        print(f"the canary, seed {CANARY}, was not reported: nothing else can be believed either")
    return 1 if failed or not canary else 0


def _canary_is_heard() -> bool:
    """Does the seed that always fails fail? It is asked each time, whichever seeds are run."""
    try:
        run_seed(CANARY, 5)
    except RunFailedError as why:
        return why.broken.name == "canary"
    return False


def _options(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--runs", type=int, default=100, help="how many seeds")
    parser.add_argument("--steps", type=int, default=300, help="turns in each run")
    parser.add_argument("--jobs", type=int, default=1, help="processes to run them in")
    parser.add_argument("--most", type=int, default=1, help="stop after so many failures")
    parser.add_argument("--marks", action="store_true", help="list the rare situations that were reached")
    parser.add_argument("--shrink", type=Path, help="make the first failure short and write it to this file")
    return parser.parse_args(args)


def _keep(seed: int, steps: int, path: Path) -> None:
    """Make a failure short and write it down."""
    try:
        run_seed(seed, steps)
    except RunFailedError as why:
        profile, name = profile_of(seed), why.broken.name
        short = shrunk(why.turns, lambda turns: breaks(profile, turns) == name)
        write_table(path, profile, name, str(why.broken).replace("\n", " ")[:300], short)
        print(f"{len(why.turns)} turns became {len(short)}, written to {path}:")
        print("\n".join(map(write_turn, short)))
    else:
        print(f"seed {seed} fails only beside other runs, or when it is run twice: it cannot be made shorter")


if __name__ == "__main__":
    sys.exit(main())
