"""What the tests of stores have in common with the cases of the conformance kit."""

from __future__ import annotations

from papertrade.testing.store_cases.samples import HOSTILE_NAMES, batch, chain, event

__all__ = ["HOSTILE_NAMES", "batch", "chain", "event"]
