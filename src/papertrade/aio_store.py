"""Blocking stores in an event loop: each call in a thread of its own, so that the loop never waits for a disk.

The exchange makes one call at a time and sees it through, whoever is canceled meanwhile, as with any store that waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from inspect import isawaitable, iscoroutinefunction
from typing import Any, cast

from papertrade.domain.words import plain_text
from papertrade.errors import InvalidValueError, StoreClosedError
from papertrade.hosting.setup import kind_of, parse_async_store
from papertrade.ports.async_store import AsyncStore
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


class LateStore:
    """A file that is opened at the first call, in a thread as well: making it, and looking at it, takes its time.

    What cannot be opened is said by the call that wanted it, and the next call tries again.
    """

    def __init__(self, opening: Callable[[], Store], like: type, told: Mapping[str, str]) -> None:
        from papertrade.ports.store_extras import EXTRAS  # only who waits in threads

        self.wants_rows = True
        self._opening, self._like, self._told = opening, like, told
        self._first = asyncio.Lock()
        self._store: ThreadedStore | None = None
        self._closed = False
        for name in EXTRAS:
            if hasattr(like, name):
                setattr(self, name, self.__getattr__(name))

    def __getattr__(self, name: str) -> Any:
        if not callable(getattr(self._like, name)):
            raise AttributeError(name)

        async def called(*args: Any, **kwargs: Any) -> Any:
            return await getattr(await self._opened(), name)(*args, **kwargs)

        return called

    async def _opened(self) -> ThreadedStore:
        async with self._first:
            if self._closed:
                raise StoreClosedError(f"the store {self._told['path']} was closed")
            if self._store is None:
                self._store = ThreadedStore(await asyncio.to_thread(self._opening))
            return self._store

    def describe(self) -> Mapping[str, str]:
        """What the store says of itself; before it is open, what it was asked to be."""
        return self._told if self._store is None else self._store.describe()

    async def close(self) -> None:
        """Close what was opened; what was not, is not opened any more."""
        async with self._first:
            self._closed = True
            if self._store is not None:
                await self._store.close()


def for_a_loop(store: Store | AsyncStore | str | None) -> Store:
    """The store of an asynchronous host, from what its user gave. Nothing here waits: a file is opened later."""
    if isinstance(store, str):
        from papertrade.compose import late_file

        found = late_file(plain_text(store) or "")
        if found is not None:
            like, path, durability = found
            told = {"kind": "sqlite", "path": path, "durability": durability, "waiting": "opened at the first call"}
            return cast("Store", LateStore(lambda: like(path, durability=durability), like, told))
    return unblocking(parse_async_store(store))


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
