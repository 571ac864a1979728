"""Saboteurs: planted bugs, each a small mistake that somebody could make, and the invariants that must name it."""

from __future__ import annotations

from . import hosts, keys, matching, money, orders, positions, risk, stores  # noqa: F401 - each enters its bugs
from .plant import SABOTEURS, Plant, Saboteur, saboteur

__all__ = ["SABOTEURS", "Plant", "Saboteur", "saboteur"]
