"""K1: a key has led to one decision at most."""

from __future__ import annotations

from typing import Any

from .books import Books

# What may be decided under one key, whichever of the two answers it was.
_GROUPS = {
    "cash_deposited": "deposit",
    "cash_withdrawn": "withdrawal",
    "withdrawal_rejected": "withdrawal",
    "order_modified": "change",
    "order_modify_rejected": "change",
    "order_canceled": "cancel",
    "limit_reset": "reset",
    "position_imported": "import",
    "position_converted": "convert",
    "account_reset": "account_reset",
    "account_cloned": "account_cloned",
}


class Keys:
    """Every key that was decided."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._seen: dict[tuple[str, str], tuple[str | None, int]] = {}

    def order(self, key: str | None) -> None:
        """An order was accepted or refused under a key."""
        if key is not None:
            self._decide("order", key, None, 0)

    def command(self, kind: str, fields: dict[str, Any], commit_id: str | None) -> None:
        """Something else was decided under a key; one command may cancel several orders."""
        key = fields.get("command_id")
        if key is not None:
            number = fields.get("number", 0) if kind == "order_canceled" else 0
            if kind == "position_imported":  # of one command too
                number = fields["version"]
            self._decide(_GROUPS[kind], key, commit_id, number)

    def _decide(self, group: str, key: str, commit_id: str | None, number: int) -> None:
        before = self._seen.get((group, key))
        if before is not None and not (number > before[1] and commit_id is not None and before[0] == commit_id):
            self._books.fail("K1", f"a second decision about {group} {key!r}", "one decision for a key")
        self._seen[group, key] = (commit_id, number)
