"""Mutation testing of the core: small changes are planted, and the tests have to notice each of them.

``python -m tests.proofs.mutation --only ledger`` copies the package and its tests into a work folder, lets mutmut plant
its changes, and prints how many the judges of that part noticed. ``--again`` repeats only what survived, for the round
after new tests were written. mutmut has to be installed; it is no requirement of the tests.

What is not mutated: module-level tables and whatever has a decorator other than ``@property`` or ``@classmethod``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents

from . import mutation_loop as loop
from .mutation_parts import PARTS, Part
from .mutation_report import HEAD, Score, read_results, read_score, read_survivors
from .mutation_source import open_properties

ROOT = Path(__file__).resolve().parents[2]


def plant(work: Path, part: Part) -> list[str]:
    """Copy the package with all mutants of a part in it, each asleep until it is named; answers their names."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(ROOT / "src", work / "src", ignore=shutil.ignore_patterns("__pycache__"))
    names = []
    for path in sorted(path for pattern in part.files for path in (work / "src" / "papertrade").glob(pattern)):
        if path.suffix == ".py":
            mutated = mutate_file_contents(str(path), open_properties(path.read_text("utf-8")))
            path.write_text(mutated.code, "utf-8")
            module = ".".join(path.relative_to(work / "src").with_suffix("").parts)
            names += [f"{module}.{name}" for name in mutated.mutant_names]
    return names


def judge(work: Path, part: Part, names: list[str]) -> None:
    """Let the judges look at mutants, and keep what they found beside what was found before."""
    shutil.copytree(ROOT / "tests", work / "tests", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", work)
    judges = [str(path.relative_to(ROOT)) for pattern in part.judges for path in sorted(ROOT.glob(pattern))]
    listed, found = work / "names.json", work / "found.json"
    listed.write_text(json.dumps(names), "utf-8")
    found.write_text("{}", "utf-8")
    plugins = [word for name in ("tests.proofs.mutation_loop", *part.plugins) for word in ("-p", name)]
    quick = ["-s", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:logging"]
    command = [sys.executable, "-m", "pytest", *quick, *plugins, *judges]
    paths = os.pathsep.join((str(work / "src"), str(work)))
    settings = {"PYTHONPATH": paths, loop.NAMES: str(listed), loop.RESULTS: str(found), "HYPOTHESIS_PROFILE": "ci"}
    around = {**os.environ, **settings}
    done = subprocess.run(command, cwd=work, env=around, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the judges could not work:\n{(done.stdout + done.stderr)[-3000:]}")
    results = read_results(work) | json.loads(found.read_text("utf-8"))
    (work / "results.json").write_text(json.dumps(results), "utf-8")


def run_part(name: str, work: Path, again: bool) -> Score:
    """Mutate one part; answers its score."""
    part = PARTS[name]
    began = time.monotonic()
    names = [survivor.name for survivor in read_survivors(work)] if again else plant(work, part)
    if names:
        judge(work, part, names)
    return read_score(name, work, time.monotonic() - began)


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
