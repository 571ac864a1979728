"""Saboteurs: planted bugs, each a small mistake that somebody could make, and the invariants that must name it.

The first invariant is the one that a bug breaks by its nature. The others are what it can look like from outside: a
wrong price may end in a refusal, of which only the comparison with the oracle (M10) knows that it is wrong.
"""

from __future__ import annotations

from . import (  # noqa: F401 - each enters its bugs
    auctions,
    days,
    hosts,
    hours,
    keys,
    matching,
    money,
    orders,
    positions,
    products,
    risk,
    settling,
    starting,
    stores,
)
from .plant import SABOTEURS, Plant, Saboteur, saboteur

__all__ = ["SABOTEURS", "Plant", "Saboteur", "saboteur"]
