"""What came of a mutation run: scores, survivors as differences, and the list of excused mutants.

Excused is what no test can notice, because it makes no difference that anybody could see. The list names a mutant by
its function and its changed lines, so that it stays valid as the code around it changes; see ``mutation_excused.txt``.
"""

from __future__ import annotations

import ast
import difflib
import json
from pathlib import Path
from typing import NamedTuple

from .mutation_parts import KILLED, TIMED_OUT

EXCUSED = Path(__file__).with_name("mutation_excused.txt")
HEAD = f"{'part':10} {'mutants':>8} {'killed':>8} {'excused':>8} {'survived':>9} {'score':>8} {'minutes':>8}"


CAUGHT = (KILLED, TIMED_OUT)  # what never ends is noticed as well


class Survivor(NamedTuple):
    """A mutant that no judge noticed."""

    name: str
    function: str
    changed: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((self.function, *self.changed))


class Score(NamedTuple):
    """One part's figures."""

    name: str
    mutants: int
    killed: int
    excused: int
    survived: list[Survivor]
    seconds: float

    @property
    def percent(self) -> float:
        """Killed of those that could be."""
        return 100 * self.killed / max(1, self.mutants - self.excused)

    def __str__(self) -> str:
        figures = f"{self.mutants:8} {self.killed:8} {self.excused:8} {len(self.survived):9}"
        return f"{self.name:10} {figures} {self.percent:7.1f}% {self.seconds / 60:8.1f}"


def read_score(name: str, work: Path, seconds: float) -> Score:
    """The figures of a finished run."""
    results = read_results(work)
    survivors = read_survivors(work)
    excused = read_excused()
    left = [s for s in survivors if (s.function, s.changed) not in excused]
    return Score(name, len(results), len(results) - len(survivors), len(survivors) - len(left), left, seconds)


def read_survivors(work: Path) -> list[Survivor]:
    """Everything that was neither killed nor ran out of time."""
    names = [name for name, verdict in read_results(work).items() if verdict not in CAUGHT]
    functions: dict[str, dict[str, list[str]]] = {}
    found = []
    for name in sorted(names):
        module, _, mutant = name.rpartition(".")
        if module not in functions:
            functions[module] = _functions(work / "src" / (module.replace(".", "/") + ".py"))
        original = mutant.rpartition("__mutmut_")[0] + "__mutmut_orig"
        changed = _changes(functions[module][original], functions[module][mutant])
        found.append(Survivor(name, f"{module}.{_plain(original)}", changed))
    return found


def read_results(work: Path) -> dict[str, str]:
    """What the judges said of each mutant."""
    path = work / "results.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _plain(mutant: str) -> str:
    """The name that the function has in the source."""
    name = mutant.rpartition("__mutmut_")[0]
    name = name.removeprefix("x_") if name.startswith("x_") else name.removeprefix("xǁ").replace("ǁ", ".")
    return name.replace("._read_", ".")


def _functions(path: Path) -> dict[str, list[str]]:
    """Lines of every function in a mutated file, spelled in one way and under one name."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name:
            name, node.name, node.decorator_list = node.name, "f", []
            found[name] = [line.strip() for line in ast.unparse(node).split("\n")]
    return found


def _changes(before: list[str], after: list[str]) -> tuple[str, ...]:
    lines = difflib.ndiff(before, after)
    return tuple(line for line in lines if line.startswith(("- ", "+ ")))


def read_excused() -> dict[tuple[str, tuple[str, ...]], str]:
    """Function and changed lines of each excused mutant, with the reason."""
    found = {}
    if not EXCUSED.exists():
        return found
    for block in EXCUSED.read_text("utf-8").split("\n\n"):
        lines = [line for line in block.strip().split("\n") if line and not line.startswith("#")]
        if lines:
            reason = " ".join(line[2:] for line in lines if line.startswith("= "))
            found[lines[0], tuple(line for line in lines[1:] if line[0] in "+-")] = reason
    return found
