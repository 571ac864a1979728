"""For your own tests: scenario tables, the oracle, conformance kits, a store that fails, a scripted feed, recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from papertrade.testing.faulty_store import FaultyStore
    from papertrade.testing.scripted_feed import ScriptedFeed
    from papertrade.testing.store_kit import Level, StoreContract

__all__ = ["FaultyStore", "Level", "ScriptedFeed", "StoreContract"]


def __getattr__(name: str) -> object:
    """The kits are imported when somebody asks for them, and not with every other tool in this folder."""
    if name == "FaultyStore":
        from papertrade.testing.faulty_store import FaultyStore

        return FaultyStore
    if name == "ScriptedFeed":
        from papertrade.testing.scripted_feed import ScriptedFeed

        return ScriptedFeed
    if name in ("Level", "StoreContract"):
        from papertrade.testing import store_kit

        return getattr(store_kit, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
