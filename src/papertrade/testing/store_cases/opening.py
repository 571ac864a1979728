"""Stores by their import string, whether their methods answer at once or are coroutines.

``"mypkg.store:open_store"`` is called with a location. What it opens may be a store or, in an ``async def``, one whose
methods are coroutines: then a loop in a thread of its own runs them, and the cases see an ordinary store.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import cache, partial
from importlib import import_module
from inspect import isawaitable, iscoroutinefunction
from typing import Any, cast

from papertrade.errors import InvalidValueError
from papertrade.ports.store import Store
from papertrade.testing.contract import ContractViolation

PATIENCE_S = 60.0
"""How long one call may take before it counts as one that never returns."""


def opener_of(target: str) -> Callable[[str], Any]:
    """What an import string such as ``"mypkg.store:open_store"`` names."""
    module, colon, names = target.partition(":")
    if not colon or not module or not names:
        raise InvalidValueError("target", target, "an import string such as 'mypkg.store:open_store'")
    found: Any = import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return cast(Callable[[str], Any], found)


def open_target(target: str, location: str) -> Store:
    """The store at a location, behind an ordinary face if it is asynchronous."""
    opener = opener_of(target)
    made = the_loop().run(_call(opener, location)) if iscoroutinefunction(opener) else opener(location)
    if isawaitable(made):
        made = the_loop().run(_wait(made))
    return cast(Store, Blocking(made)) if iscoroutinefunction(made.append) else cast(Store, made)


def inner_of(store: object) -> Any:
    """The store itself, without the face."""
    return store.inner if isinstance(store, Blocking) else store


class Blocking:
    """An asynchronous store, called from any thread: each call waits until the loop has its answer."""

    def __init__(self, inner: object, patience_s: float = PATIENCE_S) -> None:
        self.inner, self.patience_s = inner, patience_s

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return partial(self._call, found) if iscoroutinefunction(found) else found

    def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return the_loop().run(_call(method, *args, **kwargs), self.patience_s)


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="store cases", daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, Any], patience_s: float = PATIENCE_S) -> Any:
        """Run something to its end; what never ends is a broken promise."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(patience_s)
        except TimeoutError:
            if future.done():
                raise
            future.cancel()
            raise ContractViolation("every call of a store returns", f"one that did not in {patience_s} s") from None


@cache
def the_loop() -> Loop:
    """The one loop of this process; made when the first asynchronous store is opened."""
    return Loop()


async def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    answer = function(*args, **kwargs)
    return await answer if isawaitable(answer) else answer


async def _wait(made: Any) -> Any:
    return await made
