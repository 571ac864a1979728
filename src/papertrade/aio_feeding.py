"""Runs in an event loop: the same flow, with awaits where a feed, a source or the exchange makes it wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from papertrade.hosting.feeding import ErrorHandler, Pull, Run, Stopping, live_pull, pull_of
from papertrade.hosting.flow import Flow
from papertrade.hosting.polling import REFRESH_S, Polled
from papertrade.ports.feed import END, FeedRun, StopSignal, Waiter

if TYPE_CHECKING:
    from papertrade.aio import AsyncExchange

T = TypeVar("T")
TURNS: Final = 64
"""After so many data that came without a wait, the loop's other tasks have a turn."""


async def drive_async(exchange: AsyncExchange, flow: Flow[T]) -> T:
    """Run a flow to its end, awaiting whatever it calls that has to be awaited."""
    try:
        call, args = next(flow)
        while True:
            try:
                answer = call(*args)
                if isawaitable(answer):
                    # A datum in hand is not dropped because its task is canceled while somebody else has the turn.
                    waits = getattr(call, "__self__", None) is exchange and exchange._is_busy()
                    answer = await (exchange._see_through(_all_of(answer)) if waits else answer)
            except BaseException as why:
                call, args = flow.throw(why)
            else:
                call, args = flow.send(answer)
    except StopIteration as stop:
        found: T = stop.value
        return found


async def _all_of(work: Awaitable[T]) -> T:
    return await work


class AsyncWaiter:
    """Waits for time to pass, or to be woken."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    async def wait(self, timeout_s: float) -> None:
        """Come back after so long, or when woken."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), timeout_s)

    def wake(self) -> None:
        """End the wait, and every later one; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._woken.set)


class Awaited:
    """An async iterable, or a queue, as a feed that can be waited on for a while.

    What it was asked for goes on while nobody waits, because an async generator whose wait is canceled is at its end.
    """

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask
        self._asked: asyncio.Future[Any] | None = None
        self._loop = asyncio.get_running_loop()
        self._woken: asyncio.Future[None] = self._loop.create_future()

    def wake(self) -> None:
        """End the wait, and every later one; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if not self._woken.done():
            self._woken.set_result(None)

    async def next(self, timeout_s: float) -> Any:
        """The next datum, None for silence, END."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._ask())
        await asyncio.wait((self._asked, self._woken), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not self._asked.done():
            return None
        asked, self._asked = self._asked, None
        return asked.result()

    async def close(self) -> Any:
        """Ask no more; a datum that had arrived after all is answered, so that a run can still take it."""
        asked, self._asked = self._asked, None
        if asked is None:
            return None
        asked.cancel()
        try:
            return await asked
        except (asyncio.CancelledError, Exception):
            return None


def awaited_pull(feed: Any) -> tuple[Pull, object]:
    """How data are pulled from what an asynchronous exchange runs, and whoever can be woken while it waits."""
    if isinstance(feed, asyncio.Queue):
        return _of(Awaited(feed.get))
    if hasattr(feed, "__aiter__") and not callable(getattr(feed, "next", None)):
        items: AsyncIterator[Any] = aiter(feed)

        async def following() -> Any:
            return await anext(items, END)

        return _of(Awaited(following))
    pull, wakes = pull_of(feed)
    return (_with_turns(pull) if wakes is None else pull), wakes


def _with_turns(pull: Pull) -> Pull:
    """Data that come without a wait leave the loop's other tasks a turn now and then."""
    pulls = 0

    def pulled(timeout_s: float) -> Flow[object]:
        nonlocal pulls
        pulls += 1
        if pulls % TURNS == 0:
            yield asyncio.sleep, (0,)
        return (yield from pull(timeout_s))

    return pulled


def _of(awaited: Awaited) -> tuple[Pull, object]:
    return live_pull(awaited.next), awaited


async def run_feed(
    exchange: AsyncExchange,
    feed: object,
    stop: StopSignal | None = None,
    bad_data: str = "stop",
    on_error: ErrorHandler | None = None,
    patience_s: float = 1.0,
) -> FeedRun:
    """Run a feed in the task that asks."""
    pull, wakes = awaited_pull(feed)
    stopping = Stopping(stop, wakes)
    desk = exchange._desk
    run = Run(exchange, desk, pull, stopping, bad_data=bad_data, on_error=on_error, patience_s=patience_s)
    return await _driven(exchange, run, stop, wakes)


async def poll_source(
    exchange: AsyncExchange,
    source: Callable[..., object],
    symbols: Iterable[str] | None = None,
    every_s: float | None = None,
    stop: StopSignal | None = None,
    bad_data: str = "stop",
    on_error: ErrorHandler | None = None,
    patience_s: float = 1.0,
    on_failure: str = "stop",
    refresh_s: float | None = REFRESH_S,
    waiter: Waiter | None = None,
) -> FeedRun:
    """Poll a source in the task that asks: once, or round after round."""
    desk = exchange._desk
    waits = AsyncWaiter() if waiter is None else waiter
    polled = Polled(source, symbols, every_s, refresh_s, waits, exchange._floor.polled, desk.clock.now_ns)
    stopping = Stopping(stop, polled)
    run = Run(
        exchange,
        desk,
        polled.pull,
        stopping,
        bad_data=bad_data,
        on_failure=on_failure,
        on_error=on_error,
        patience_s=patience_s,
    )
    return await _driven(exchange, run, stop, polled)


async def _driven(exchange: AsyncExchange, run: Run, stop: object, wakes: object) -> FeedRun:
    runs = exchange._floor.runs
    runs.append(run.stopping)
    heard: asyncio.Future[Any] | None = None
    if isinstance(stop, asyncio.Event):  # a wait under way is to end when it is set
        heard = asyncio.ensure_future(stop.wait())
        heard.add_done_callback(lambda done: None if done.cancelled() else run.stopping.ask())
    ended: FeedRun | None = None
    try:
        ended = await drive_async(exchange, run.flow())
    finally:
        runs.remove(run.stopping)
        if heard is not None:
            heard.cancel()
        datum = await wakes.close() if isinstance(wakes, Awaited) else None
        if datum is not None and datum is not END:  # it had arrived while the run was told to end
            ended = await exchange._see_through(drive_async(exchange, run.last(datum)))
        await exchange._deliver()
    return ended
