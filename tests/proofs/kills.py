"""Kill processes that trade on a file: ``python -m tests.proofs.kills --kills 5000 [--seed 1] [--journal rollback]``.

Each child opens the file, repeats what nobody heard an answer to, trades on for two accounts, and is killed by
SIGKILL. After each kill the file is held against what was heard: nothing acknowledged is missing, no key acted twice,
no batch is half there, both accounts are what their journals say. The first finding ends the run and is printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "stores"))
from killing import Killer

from papertrade.adapters.sqlite import JOURNALS, SQLiteStore


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the file is; a temporary folder by default")
    parser.add_argument("--journal", choices=JOURNALS, default="write-ahead")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        tally = Killer(
            Path(folder) / "paper.db", asked.seed, lambda path: SQLiteStore(path, journal=asked.journal)
        ).run(asked.kills)
    kinds = ", ".join(f"{count} at {kind}" for kind, count in sorted(tally.at.items()))
    print(f"{tally.kills} kills ({kinds}) on {tally.files} files; {tally.heard} commands acknowledged;")
    print(f"{tally.unheard} times a command was stored and its answer not heard; {len(tally.broken)} findings")
    for broken in tally.broken:
        print(f"  {broken.what}: {broken.detail}")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
