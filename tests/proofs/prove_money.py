"""Run CrossHair over the money functions and over the planted mistakes: ``python -m tests.proofs.prove_money``.

Exit status 0 means that no promise was broken and that every planted mistake was found. What is neither broken nor
confirmed was searched for as long as ``--seconds`` says (20 for each promise) without a counterexample.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
MONEY, PLANTED = HERE / "crosshair_money.py", HERE / "crosshair_planted.py"


def promises(path: Path) -> list[str]:
    """The functions of a file that have a contract: those that assert something."""
    return [
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and any(isinstance(part, ast.Assert) for part in ast.walk(node))
    ]


def search(path: Path, name: str, seconds: float) -> tuple[str, str]:
    """("broken", "confirmed" or "not broken", what CrossHair said) of one promise."""
    target = f"tests.proofs.{path.stem}.{name}"
    options = ("--analysis_kind=asserts", f"--per_condition_timeout={seconds}", "--report_all")
    command = [sys.executable, "-m", "crosshair", "check", *options, target]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parents[1], check=False)
    said = (done.stdout + done.stderr).strip()
    if done.returncode not in (0, 1) or not said or "No module named" in said or "no checkable functions" in said:
        raise SystemExit(f"CrossHair could not look at {target}: {said or f'status {done.returncode}'}")
    if done.returncode == 1:
        return "broken", said
    return ("confirmed" if "Confirmed over all paths" in said else "not broken"), said


def main() -> int:
    """Search every promise; say what came of it."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seconds", type=float, default=20, help="for each promise")
    seconds = asked.parse_args().seconds
    wrong, counts = 0, {"confirmed": 0, "not broken": 0, "broken": 0}
    for path, should in ((MONEY, False), (PLANTED, True)):
        for name in promises(path):
            began = time.monotonic()
            result, said = search(path, name, seconds)
            took = time.monotonic() - began
            print(f"{path.stem}.{name}: {result} ({took:.1f} s)", flush=True)
            if result == "broken":
                print(f"    {said}", flush=True)
            if should is not (result == "broken"):
                wrong += 1
            if not should:
                counts[result] += 1
    print(", ".join(f"{count} {what}" for what, count in counts.items()), "of the promises; as expected:", not wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
