"""What the plugin collects: the contract of the store that was named on the command line."""

from __future__ import annotations

from typing import Any

from papertrade.testing.store_kit import StoreContract

SETTINGS = ("level", "target", "shared", "kills", "races", "seed", "new_location")


class TestStore(StoreContract):
    """The plugin gives it its settings."""


def pytest_generate_tests(metafunc: Any) -> None:
    """Before the first case: the settings of the command line."""
    asked = metafunc.config.pluginmanager.get_plugin("papertrade-report").contract
    for name in SETTINGS:
        setattr(metafunc.cls, name, vars(asked)[name])
