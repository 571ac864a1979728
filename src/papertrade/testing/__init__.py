"""For your own tests: scenario tables, the slow obvious oracle, conformance kits, a store that fails, a recorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from papertrade.testing.faulty_store import FaultyStore
    from papertrade.testing.store_kit import Level, StoreContract

__all__ = ["FaultyStore", "Level", "StoreContract"]


def __getattr__(name: str) -> object:
    """The kits are imported when somebody asks for them, and not with every other tool in this folder."""
    if name == "FaultyStore":
        from papertrade.testing.faulty_store import FaultyStore

        return FaultyStore
    if name in ("Level", "StoreContract"):
        from papertrade.testing import store_kit

        return getattr(store_kit, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
