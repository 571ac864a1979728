"""Turns: inputs one after another, each seen through to its end.

Inputs are served in the order in which they arrive. What touches no store never suspends the caller. An append that has
begun is finished even when the caller is canceled: nobody is left in doubt because a task was dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from inspect import isawaitable
from typing import Any, TypeVar

from papertrade.errors import PaperTradeError
from papertrade.hosting.closing import closed_error
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow

T = TypeVar("T")


class Turns:
    """Who may work on a desk, one at a time, and the delivery of what came of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = asyncio.Lock()  # first come, first served
        self._delivering = self._closed = False
        self._working: set[asyncio.Future[Any]] = set()

    async def run_flow(self, flow: Flow[T]) -> T:
        """Run a flow when its turn comes, then deliver what it made. For brokers, not for strategies."""
        await self._take_turn()
        return await self._go(flow)

    async def _take_turn(self) -> None:
        """Wait for one's turn; does not suspend when nobody has it. After the host was closed nobody gets one."""
        await self._turn.acquire()
        if self._closed:
            self._turn.release()
            raise closed_error()

    def _is_busy(self) -> bool:
        """Would the next input have to wait for its turn?"""
        return self._turn.locked() or bool(self._turn._waiters)

    async def _go(self, flow: Flow[T]) -> T:
        """Holding the turn: run on without suspending while the store answers at once."""
        flow = self._with_snapshots(flow)
        try:
            waiting = _until_it_waits(flow, None)
        except StopIteration as stop:
            self._turn.release()
            await self._deliver()
            answer: T = stop.value
            return answer
        except BaseException:
            self._turn.release()
            await self._deliver()  # what was stored before something failed is still news
            raise
        # From here on the store is at work: the rest belongs to a task of its own that nobody's cancellation reaches.
        return await self._see_through(self._finish(flow, waiting))

    def _with_snapshots(self, flow: Flow[T]) -> Flow[T]:
        """A flow, and then the snapshots that it made due."""
        answer = yield from flow
        if self._desk.wanted:
            yield from self._desk.keep_snapshots()
        return answer

    async def _see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Let it finish whoever is canceled. A loop keeps no hold of its tasks, so we do."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_nobody_waits)
            raise

    async def _finish(self, flow: Flow[T], waiting: Awaitable[Any]) -> T:
        try:
            while True:
                try:
                    answer = await waiting
                except BaseException as why:
                    waiting = _until_it_waits(flow, why)
                else:
                    waiting = _until_it_waits(flow, None, answer)
        except StopIteration as stop:
            found: T = stop.value
        except BaseException:
            self._turn.release()
            await self._deliver()
            raise
        self._turn.release()
        await self._deliver()
        return found

    async def _deliver(self) -> None:
        """Hand queued events over, one after another; an async handler is awaited before the next event."""
        if self._delivering or not self._desk.outbox.waiting:
            return
        self._delivering = True
        answer: Awaitable[object] | None = None
        try:
            answer = self._hand_over()
        finally:
            self._delivering = answer is not None
        if answer is not None:  # the others do not miss their events because this caller is canceled
            await self._see_through(self._deliver_on(answer))

    async def _deliver_on(self, answer: Awaitable[object] | None) -> None:
        try:
            while answer is not None:
                await answer
                answer = self._hand_over()
        finally:
            self._delivering = False

    def _hand_over(self) -> Awaitable[object] | None:
        """Hand queued events over until a handler has to be awaited."""
        waiting = self._desk.outbox.waiting
        while waiting:
            subscription, event = waiting.popleft()
            answer = subscription.take(event)
            if isawaitable(answer):
                return answer
        return None


def _until_it_waits(flow: Flow[Any], error: BaseException | None, answer: object = None) -> Awaitable[Any]:
    """Run a flow until a store call answers with something to await; its end is a StopIteration."""
    call, args = flow.send(answer) if error is None else flow.throw(error)
    while True:
        try:
            result = call(*args)
        except BaseException as why:
            call, args = flow.throw(why)
            continue
        if isawaitable(result):
            return result
        call, args = flow.send(result)


def _nobody_waits(task: asyncio.Future[Any]) -> None:
    """Its caller is gone. A failed store is found out by the account's next command; a failed handler is said aloud."""
    why = None if task.cancelled() else task.exception()
    if why is not None and not isinstance(why, PaperTradeError):
        message = "an event handler failed after its caller was canceled"
        task.get_loop().call_exception_handler({"message": message, "exception": why, "future": task})
