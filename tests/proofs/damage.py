"""Change every byte, page and row of an SQLite file: ``python -m tests.proofs.damage [--seed 1]``.

The file has journals, keys, snapshots, fences and tombstones, and an account with rows in every table of history. Each
byte is changed once; the file ends after each 16th byte; each page holds nothing, or what each other page holds; each
row is dropped; each column of two neighboring rows is exchanged. Then everything is read, every command repeated, and
the account verified with its tables: it is found out, or nothing that is read differs.
Each commit id gets another letter, range and seal, its index as well, and ``verify`` by itself has to find that out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
from damaging import Whole, small

MEMORY = Path("/dev/shm")


def outcomes(whole: Whole, path: Path, seed: int, every: int) -> Iterator[tuple[str, str, str]]:
    """Kind of damage, where, and what came of it."""
    draw = Random(seed)
    for at in range(seed % every, len(whole.data), every):
        yield "bytes changed", f"byte {at}", whole.outcome(path, whole.flipped(at, draw))
    for size in range(1, len(whole.data), 16):
        yield "files cut off", f"after {size} bytes", whole.outcome(path, whole.data[:size])
    for where, damaged in whole.misdirected():
        yield "pages exchanged", where, whole.outcome(path, damaged)
    for where, found in whole.changed_rows(path):
        yield ("rows dropped" if "dropped" in where else "values exchanged"), where, found
    for where, found in whole.changed_keys(path):
        yield "commit ids changed", where, found


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="change every n-th byte only")
    asked = parser.parse_args()
    count: dict[str, Counter[str]] = {}
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        whole = small(Path(folder) / "whole.db")
        for kind, where, found in outcomes(whole, Path(folder) / "paper.db", asked.seed, asked.every):
            count.setdefault(kind, Counter())[found] += 1
            if found == "another state":
                wrong[f"{kind}, {where}"] += 1
    for kind, found in count.items():
        print(f"{kind:18}", ", ".join(f"{what} {number:,}" for what, number in sorted(found.items())))
    for where, times in wrong.items():
        print(f"another state: {where} ({times} times)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
