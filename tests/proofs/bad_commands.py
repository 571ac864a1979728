"""Give an exchange thousands of generated bad commands: ``python -m tests.proofs.bad_commands --count 20000``.

Each ends in a ``UsageError`` that left no trace, or means something. With ``--memory`` the same commands are measured
in memory instead of time (tracing memory makes everything slower). The first line of a finding names its seed.
"""

from __future__ import annotations

import argparse
import sys
import tracemalloc
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))
from hostile_commands import bad_command, judge
from hostile_fields import Scene

from papertrade.testing.invariants import check_account

EACH = 100  # commands given to one exchange


def run(seed: int, count: int, memory: bool) -> tuple[list[str], Counter[str], list[tuple[float, str]]]:
    """What was wrong, how often what happened, and the dearest commands of one exchange."""
    draw, scene = Random(f"several {seed}"), Scene()
    wrong, counts, dear = [], Counter[str](), []
    for number in range(count):
        bad = bad_command(draw)
        if memory:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
        outcome = judge(scene, bad)
        cost = (tracemalloc.get_traced_memory()[1] - before) / 2**20 if memory else outcome.seconds * 1000
        dear.append((cost, bad.what))
        counts[f"{bad.name}: {'UsageError' if outcome.refused else 'done'}"] += 1
        if outcome.wrong is not None:
            wrong.append(f"seed {seed}, number {number}: {outcome.wrong}")
    check_account(scene.broker)
    for event in scene.broker.events():
        counts[f"event {event.kind}"] += 1
    return wrong, counts, sorted(dear, reverse=True)[:3]


def main() -> int:
    """Run and report."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--count", type=int, default=20_000)
    asked.add_argument("--first", type=int, default=0, help="the first seed; each seed is an exchange of 100 commands")
    asked.add_argument("--memory", action="store_true")
    said = asked.parse_args()
    if said.memory:
        tracemalloc.start()
    wrong: list[str] = []
    counts, dear, done = Counter[str](), [], 0
    for seed in range(said.first, said.first + -(-said.count // EACH)):
        found, counted, costs = run(seed, min(EACH, said.count - done), said.memory)
        done += min(EACH, said.count - done)
        wrong += found
        counts += counted
        dear = sorted([*dear, *costs], reverse=True)[:3]
    for what, count in sorted(counts.items()):
        print(f"{count:8,} {what}")
    unit = "MiB at most beside what there was" if said.memory else "ms of process time"
    for cost, what in dear:
        print(f"{cost:8.1f} {unit}: {what}")
    refused = sum(count for what, count in counts.items() if what.endswith("UsageError"))
    print(f"{done:,} commands, {refused:,} of them UsageError, {len(wrong)} wrong")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
