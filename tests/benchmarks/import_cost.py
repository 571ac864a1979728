"""What ``import papertrade`` costs over a bare interpreter. Run: ``python tests/benchmarks/import_cost.py [rounds]``.

A script and not a test: a number of milliseconds says as much about the machine as about the code. Every figure is a
median over fresh processes, taken in turn, so that a slow moment of the machine falls on all of them alike.
"""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time
from pathlib import Path

# attrs is shown on its own because it is the one package that the bare import loads.
CASES = {"bare interpreter": "", "import attrs": "import attrs", "import papertrade": "import papertrade"}


def package_root() -> str:
    """The papertrade of this interpreter if it has one, else the one of this checkout."""
    spec = importlib.util.find_spec("papertrade")
    if spec is not None and spec.submodule_search_locations:
        return str(Path(next(iter(spec.submodule_search_locations))).resolve().parent)
    return str(Path(__file__).resolve().parents[2] / "src")


def command(statement: str) -> list[str]:
    # -I keeps the caller's environment out. Every case does the same insert, so that it cancels out.
    code = f"import sys; sys.path.insert(0, sys.argv[1]); {statement}"
    return [sys.executable, "-I", "-c", code, package_root()]


def milliseconds(argv: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def measure(rounds: int) -> dict[str, list[float]]:
    commands = {name: command(statement) for name, statement in CASES.items()}
    for argv in commands.values():  # a first run of each writes the bytecode and warms the disk
        milliseconds(argv)
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for turn in range(rounds):
        # Start each round with another case, so that none always runs just after the same neighbor.
        names = list(commands)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken[name].append(milliseconds(commands[name]))
    return taken


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    taken = measure(rounds)
    bare = statistics.median(taken["bare interpreter"])
    print(f"Python {sys.version.split()[0]}, {rounds} fresh processes each, in turn")
    print(f"{'':20}{'median ms':>10}{'fastest':>9}{'over bare ms':>14}{'ratio':>7}")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:20}{median:10.1f}{min(times):9.1f}{median - bare:14.1f}{median / bare:7.2f}")


if __name__ == "__main__":
    main()
