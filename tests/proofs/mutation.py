"""Mutation testing of the core: small changes are planted, and the tests have to notice each of them.

``python -m tests.proofs.mutation --only ledger`` copies the package and its tests into a work folder, lets mutmut plant
one change after the other, and prints how many the judges of that part noticed. ``--again`` repeats only what survived,
for the round after new tests were written. mutmut has to be installed; it is no requirement of the tests.

What is not mutated: module-level tables and whatever has a decorator other than ``@property`` or ``@classmethod``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.proofs.mutation_parts import PARTS, Part
from tests.proofs.mutation_report import HEAD, Score, read_score, read_survivors
from tests.proofs.mutation_source import open_properties

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "src/papertrade"


def prepare(work: Path, part: Part, fresh: bool) -> None:
    """A copy of the project in the work folder, told what to mutate and who judges."""
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        shutil.copytree(ROOT / "src", work / "src", ignore=shutil.ignore_patterns("__pycache__"))
        for path in _files(work, part):
            path.write_text(open_properties(path.read_text("utf-8")), "utf-8")
    shutil.copytree(ROOT / "tests", work / "tests", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    (work / "pyproject.toml").write_text(_project(part), "utf-8")


def _files(work: Path, part: Part) -> list[Path]:
    return [path for pattern in part.files for path in sorted((work / PACKAGE).glob(pattern)) if path.suffix == ".py"]


def _project(part: Part) -> str:
    """The project's own settings, with those of the mutation run behind them."""
    judges = [str(path.relative_to(ROOT)) for pattern in part.judges for path in sorted(ROOT.glob(pattern))]
    settings = {
        "source_paths": ["src/"],
        "only_mutate": [f"{PACKAGE}/{pattern}" for pattern in part.files],
        "pytest_add_cli_args_test_selection": judges,
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "timeout_multiplier": 3.0,
        "use_git_change_detection": False,
        "on_dependency_change": "ignore",
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join([(ROOT / "pyproject.toml").read_text("utf-8"), "[tool.mutmut]", *lines, ""])


def run_part(name: str, work: Path, again: bool) -> Score:
    """Mutate one part; answers its score."""
    part = PARTS[name]
    began = time.monotonic()
    prepare(work, part, fresh=not again)
    names = [survivor.name for survivor in read_survivors(work, part)] if again else []
    if names or not again:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
        done = subprocess.run(command, cwd=work, check=False, capture_output=True, text=True)
        (work / "mutmut.log").write_text(done.stdout + done.stderr, "utf-8")
        if done.returncode:
            raise SystemExit(f"mutmut failed on {name}:\n{(done.stdout + done.stderr)[-3000:]}")
    return read_score(name, work, part, time.monotonic() - began)


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.mutation", description=__doc__)
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="one part (may be given again)")
    parser.add_argument("--again", action="store_true", help="only what survived the last run in the work folder")
    parser.add_argument("--least", type=float, default=90.0, help="the score in percent that each part has to reach")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "papertrade-mutation", help="the work folder"
    )
    options = parser.parse_args(args)
    scores = [run_part(name, options.work / name, options.again) for name in options.only or PARTS]
    for score in scores:
        for survivor in score.survived:
            sys.stdout.write(f"{survivor}\n\n")
    sys.stdout.write(f"{HEAD}\n" + "".join(f"{score}\n" for score in scores))
    return int(any(score.percent < options.least for score in scores))


if __name__ == "__main__":
    sys.exit(main())
