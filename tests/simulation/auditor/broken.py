"""How the auditor says that something is wrong."""

from __future__ import annotations


class BrokenInvariantError(AssertionError):
    """An invariant does not hold: its id, and what was found instead of what."""

    def __init__(self, name: str, account: str, found: object, expected: object) -> None:
        self.name, self.account, self.found, self.expected = name, account, found, expected
        super().__init__(f"{name} is broken in account {account!r}: found {found}; expected {expected}")
