"""The store that a command works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from papertrade.ports.store import Store


def is_new(address: str) -> bool:
    """Would opening this address make a file?"""
    from papertrade.compose import file_of

    path = file_of(address)
    return bool(path) and not os.path.exists(path)


@contextmanager
def opened(address: str, *, create: bool = False) -> Iterator[Store]:
    """The store at an address. A file has to be there: a slip in its name would make a new and empty one."""
    from papertrade.compose import file_of, open_store
    from papertrade.errors import StoreMisconfiguredError

    if not create and is_new(address):
        raise StoreMisconfiguredError(f"{file_of(address)} does not exist")
    store = open_store(address)
    try:
        yield store
    finally:
        store.close()
