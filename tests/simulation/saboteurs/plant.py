"""Planting a bug: something wrong stands where the library looks for a function, for as long as a run lasts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest


class Plant:
    """Puts something else where the library looks for one of its functions. The oracle and the auditor stay honest."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def everywhere(self, home: object, name: str, make: Callable[[Any], Any]) -> None:
        """Replace a function in its module and wherever it was imported; ``make`` is given the true one."""
        true = getattr(home, name)
        wrong = make(true)
        for module in [m for n, m in sys.modules.items() if n.startswith("papertrade.")]:
            if not module.__name__.startswith("papertrade.testing") and getattr(module, name, None) is true:
                self.patch.setattr(module, name, wrong)
        self.patch.setattr(home, name, wrong)

    def here(self, home: object, name: str, make: Callable[[Any], Any]) -> None:
        """Replace a function or method in one place only."""
        self.patch.setattr(home, name, make(getattr(home, name)))

    def entry(self, table: Any, key: object, make: Callable[[Any], Any]) -> None:
        """Replace a function in a table of functions."""
        self.patch.setitem(table, key, make(table[key]))


class Saboteur(NamedTuple):
    """A planted bug."""

    plant: Callable[[Plant], None]
    names: tuple[str, ...]  # invariants that may name it; the first is the one that it breaks by its nature
    differential: bool  # can the comparison of one account with the oracle find it, without a simulator?

    @property
    def name(self) -> str:
        """What it is called."""
        return self.plant.__name__

    @property
    def mistake(self) -> str:
        """What somebody got wrong."""
        return (self.plant.__doc__ or "").strip()


SABOTEURS: dict[str, Saboteur] = {}
"""Every planted bug by its name, in the order of the modules that hold them."""


def saboteur(*names: str, differential: bool = False) -> Callable[[Callable[[Plant], None]], Callable[[Plant], None]]:
    """Enter a bug into the table, with the invariants that may name it."""

    def enter(plant: Callable[[Plant], None]) -> Callable[[Plant], None]:
        if plant.__name__ in SABOTEURS:
            raise ValueError(f"there are two planted bugs called {plant.__name__}")
        SABOTEURS[plant.__name__] = Saboteur(plant, names, differential)
        return plant

    return enter
