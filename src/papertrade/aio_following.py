"""Following an account in an event loop: the same as ``following``, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from time import monotonic
from typing import Any

from papertrade.aio_store import unblocking
from papertrade.compose import check_address
from papertrade.domain.events import Event
from papertrade.following import PAGE, Wish, check_waiting, parse_wish
from papertrade.hosting.setup import parse_async_store
from papertrade.ports.async_store import AsyncStore
from papertrade.ports.store import Store


def follow_async(
    store: Store | AsyncStore | str,
    account: str,
    after: int = 0,
    *,
    kinds: str | Iterable[str] | None = None,
    timeout_s: float | None = None,
    stop: Callable[[], bool] | None = None,
) -> AsyncIterator[Event]:
    """The events of an account as they are stored: ``async for event in follow_async("paper.db", "main"): ...``

    The arguments are those of ``follow``; an address is opened when the iteration begins. A store that blocks is called
    in threads, and so is every wait: a loop that ends in the middle of one waits for it, half a second at most.
    """
    wish = parse_wish(account, after, kinds, timeout_s, stop)
    if isinstance(store, str):
        check_address(store)
        return _events(store, wish)
    found = parse_async_store(store)
    check_waiting(found)
    return _events(found, wish)


async def _events(store: Store | str, wish: Wish) -> AsyncIterator[Event]:
    """An address is opened when somebody begins to iterate, in a thread, because a file takes its time."""
    opened = isinstance(store, str)
    found = await asyncio.to_thread(parse_async_store, store)
    threaded: Any = unblocking(found, waits=True)
    seen = wish.after
    since = monotonic()
    try:
        check_waiting(found)
        while not wish.is_over():
            page = list(await threaded.load(wish.account, seen + 1, seen + PAGE))
            for event in page:
                seen = event.version
                if wish.kinds is None or event.kind in wish.kinds:
                    yield event
            if page:
                since = monotonic()
                continue
            left = wish.left(since)
            if left <= 0:
                return
            await threaded.wait(wish.account, seen, left)
    finally:
        if opened:
            await threaded.close()
