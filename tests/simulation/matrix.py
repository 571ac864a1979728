"""``python -m tests.simulation.matrix --seeds 200``: the same seeds in fresh processes that differ in everything else.

Hash seeds, time zones, with and without ``-O``: eighteen processes, each of which runs all seeds, every other one in
reverse order so that what leaks from one run into the next shows too. All have to make the same bytes, and the same
live state at every look on the way.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import NamedTuple

from .run import CANARY, run_seed

MODULE = "tests.simulation.matrix"
HASH_SEEDS, ZONES, FLAGS = ("0", "1", "random"), ("UTC", "Asia/Kolkata", "America/New_York"), ((), ("-O",))


class Variant(NamedTuple):
    """One process."""

    hash_seed: str
    zone: str
    flags: tuple[str, ...]
    backwards: bool

    def __str__(self) -> str:
        return " ".join((f"PYTHONHASHSEED={self.hash_seed}", f"TZ={self.zone}", *self.flags))


def variants() -> list[Variant]:
    """Every combination; every other one runs its seeds backwards."""
    every = product(HASH_SEEDS, ZONES, FLAGS)
    return [Variant(*parts, backwards=number % 2 == 1) for number, parts in enumerate(every)]


def lines(first: int, seeds: int, steps: int, backwards: bool) -> Iterator[str]:
    """What a process says: of each seed the hash of its journals and of its live states on the way."""
    chosen = [seed for seed in range(first, first + seeds) if seed != CANARY]
    for seed in reversed(chosen) if backwards else chosen:
        done = run_seed(seed, steps, thorough=False)
        yield f"{seed} {done.digest} {done.trail}"


def said_by(variant: Variant, first: int, seeds: int, steps: int) -> list[str]:
    """What a fresh process says, sorted by seed."""
    command = [sys.executable, *variant.flags, "-m", MODULE, "--child", str(first), str(seeds), str(steps)]
    env = {**os.environ, "PYTHONHASHSEED": variant.hash_seed, "TZ": variant.zone}
    done = subprocess.run(
        [*command, str(int(variant.backwards))], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"{variant}: {done.stderr[-2000:]}")
    return sorted(done.stdout.split("\n"))


def main() -> int:
    """Run every variant and compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.matrix", description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--child", nargs=4, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        first, seeds, steps, backwards = options.child
        print("\n".join(lines(first, seeds, steps, bool(backwards))))
        return 0
    every = variants()
    with ThreadPoolExecutor(options.jobs) as pool:
        said = list(pool.map(lambda v: said_by(v, options.first, options.seeds, options.steps), every))
    for variant, found in zip(every, said, strict=True):
        different = [f"{a} / {b}" for a, b in zip(said[0], found, strict=False) if a != b]
        if different or len(found) != len(said[0]):
            print(f"{variant} differs from {every[0]} in {len(different)} seeds, first {different[:1]}")
            return 1
    print(f"{len(said[0]) - 1} seeds of {options.steps} steps in {len(every)} processes: identical bytes and states")
    return 0


if __name__ == "__main__":
    sys.exit(main())
