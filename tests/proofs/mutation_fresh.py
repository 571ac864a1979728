"""A plugin for the judges of the codec: before each test the codec is imported anew.

The codec works out its forms and tables once and keeps them. A mutant is planted into a process in which that has long
happened, so without this nobody would see a change in the making of them.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

MODULES = ("seen", "canonical", "chain", "shapes", "blanks", "forms", "events")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Import the codec again, and give the test module what it had taken from it."""
    fresh = [importlib.reload(importlib.import_module(f"papertrade.codec.{name}")) for name in MODULES]
    module = getattr(item, "module", None)
    if isinstance(module, ModuleType):
        for source in fresh:
            for name, value in vars(source).items():
                if getattr(value, "__module__", None) == source.__name__ and name in vars(module):
                    setattr(module, name, value)
