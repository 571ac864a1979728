"""Failures that users of other systems met, each as a world that must not have it.

A bug that somebody met in the field and that the simulator cannot express is a bug of the simulator. Each scenario is
played untouched, and once more for each guard that protects us, with the guard removed: then the invariant that the
guard is for has to break.
"""

from __future__ import annotations

from .edges import EDGES
from .fills import FILLS
from .money import MONEY
from .restarts import RESTARTS
from .scene import Failure
from .sets import SETS

FAILURES: tuple[Failure, ...] = tuple(kind() for kind in (*MONEY, *RESTARTS, *SETS, *FILLS, *EDGES))
"""All twelve."""
