"""The list of excused mutants stays true: each is about code that is there, and has a reason."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from types import FunctionType

import pytest

from .mutation_report import read_excused
from .mutation_source import open_properties

EXCUSED = read_excused()


def source_lines(function: str) -> set[str]:
    """Lines of a function that is there now, in the spelling of the list."""
    parts = function.split(".")
    found: object = importlib.import_module(".".join(parts[:3]))  # papertrade, the folder, the module
    for name in parts[3:]:
        found = inspect.getattr_static(found, name)
    found = found.fget if isinstance(found, property) else found
    assert isinstance(found, FunctionType), function
    node = ast.parse(textwrap.dedent(inspect.getsource(found))).body[0]
    assert isinstance(node, ast.FunctionDef)
    node.name = "f"
    return {line.strip() for line in ast.unparse(node).split("\n")}


@pytest.mark.parametrize(("function", "changed"), EXCUSED, ids=[f"{f} {n}" for n, (f, _) in enumerate(EXCUSED)])
def test_an_excuse_is_about_code_that_is_there(function: str, changed: tuple[str, ...]) -> None:
    """What an excused mutant changes is still written in its function, and the reason is a sentence."""
    before = [line[2:] for line in changed if line.startswith("- ")]
    assert before
    assert set(before) <= source_lines(function)
    assert EXCUSED[function, changed].endswith(".")


def test_properties_become_methods_that_can_be_changed() -> None:
    """A property is written as a method and a property of it; a protocol's, which has no body, stays."""
    source = "class A{}:\n    @property\n    def b(self) -> int:\n        return 5"
    opened = "class A:\n    def _read_b(self) -> int:\n        return 5\n    b = property(_read_b)"
    assert open_properties(source.format("")) == opened
    assert open_properties(source.format("(Protocol)")) == source.format("(Protocol)")
