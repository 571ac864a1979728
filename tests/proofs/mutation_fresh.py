"""A plugin for the judges of the codec: in the fork of a mutant the codec is imported anew.

The codec works out its forms and tables once and keeps them. A mutant is planted into a process in which that has long
happened, so without this nobody would see a change in the making of them. While it is noted which functions a test
calls, the codec is imported before each test, because every test depends on what is made then.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

import pytest

MODULES = ("seen", "canonical", "chain", "shapes", "blanks", "forms", "events")
DONE: list[object] = []
"""Test modules that have the new codec."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Import the codec again, and give the test module what it had taken from it."""
    module = getattr(item, "module", None)
    if os.environ.get("MUTANT_UNDER_TEST") != "stats" and module in DONE:
        return
    DONE.append(module)
    fresh = [importlib.reload(importlib.import_module(f"papertrade.codec.{name}")) for name in MODULES]
    if isinstance(module, ModuleType):
        for source in fresh:
            for name, value in vars(source).items():
                if getattr(value, "__module__", None) == source.__name__ and name in vars(module):
                    setattr(module, name, value)
