"""An account is erased: everything of it is gone for good, and its name with it."""

from __future__ import annotations

from contextlib import suppress

from papertrade.domain.names import parse_label
from papertrade.errors import StoreErasedError
from papertrade.ports.store import Store
from papertrade.records.support import known_head, moving


def erase_account(store: Store, account: str, note: str = "") -> None:
    """Delete an account from a store, leaving a tombstone with a note instead of its journal.

    The name cannot be used again, so that nobody takes a new account for the old one. Erasing twice is fine; erasing
    an account that never existed is an ``UnknownAccountError``, because it is a slip. A file that it was exported to is
    another copy, and yours to delete. So are backups of the store.
    """
    target, said = moving(store), parse_label(note, "note")
    with suppress(StoreErasedError):  # by somebody who may not have heard that it went well
        known_head(store, account)
    target.erase(account, said)
