"""Blocking stores in an event loop: each call in a thread of its own, so that the loop never waits for a disk.

The exchange makes one call at a time and sees it through, whoever is canceled meanwhile, as with any store that waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from inspect import isawaitable, iscoroutinefunction
from typing import Any, cast

from papertrade.errors import InvalidValueError
from papertrade.hosting.setup import kind_of
from papertrade.ports.store import Store


class ThreadedStore:
    """A blocking store for ``AsyncExchange``: every method awaits a call in a thread.

    What the store can do beyond the contract (to be owned, moved, waited on) it can do here, awaited. What is iterated
    over (``load``, ``records``) is all read before it answers: who wants many asks for a page at a time.
    """

    def __init__(self, store: Store) -> None:
        given: object = store
        if isinstance(given, ThreadedStore) or not callable(getattr(given, "append_many", None)):
            raise InvalidValueError("store", given, "a store that blocks, such as SQLiteStore('paper.db')")
        from papertrade.ports.store_extras import EXTRAS  # only who waits in threads

        self.inner = store
        for name in EXTRAS:
            if hasattr(store, name):
                setattr(self, name, self.__getattr__(name))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return _in_a_thread(found) if callable(found) else found

    def describe(self) -> Mapping[str, str]:
        """What the store says of itself. It knows that since it was opened, so it is asked here and now."""
        return {**self.inner.describe(), "waiting": "in threads: the event loop is never blocked"}


def _in_a_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    def all_of_it(*args: Any, **kwargs: Any) -> Any:
        answer = call(*args, **kwargs)
        return iter(list(answer)) if isinstance(answer, Iterator) else answer  # it would be read in the loop

    async def called(*args: Any, **kwargs: Any) -> Any:
        answer = await asyncio.to_thread(all_of_it, *args, **kwargs)
        return await answer if isawaitable(answer) else answer

    return called


def unblocking(store: Store, waits: bool = False) -> Store:
    """The store for an event loop: as it is if it is asynchronous or in memory, else in threads.

    Who ``waits`` for what is appended blocks even on memory.
    """
    if iscoroutinefunction(getattr(store, "append", None)):
        return store
    if not waits and kind_of(store) in ("memory", ""):
        return store
    return cast("Store", ThreadedStore(store))
