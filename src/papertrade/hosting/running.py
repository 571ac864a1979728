"""What a synchronous exchange does when it is told to run a feed or to poll a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypedDict

from papertrade.hosting.feeding import ErrorHandler, Run, Stopping, pull_of
from papertrade.hosting.flow import drive
from papertrade.hosting.polling import REFRESH_S, Polled
from papertrade.ports.feed import FeedRun, StopSignal, Waiter

if TYPE_CHECKING:
    from papertrade.exchange import Exchange


class RunOptions(TypedDict, total=False):
    """What a run can be told besides its feed; what is not said has its default."""

    stop: StopSignal | None
    bad_data: str
    on_error: ErrorHandler | None
    patience_s: float


class PollOptions(RunOptions, total=False):
    """What a poll can be told besides its source."""

    on_failure: str
    refresh_s: float | None
    waiter: Waiter | None


class QueueWaiter:
    """Waits for time to pass, or to be woken. A handler of signals may put to a simple queue."""

    def __init__(self) -> None:
        self._woken: SimpleQueue[None] = SimpleQueue()

    def wait(self, timeout_s: float) -> None:
        """Come back after so long, or when woken."""
        with suppress(Empty):
            self._woken.get(True, timeout_s)

    def wake(self) -> None:
        """End the wait."""
        self._woken.put(None)


def run_feed(
    exchange: Exchange,
    feed: object,
    stop: StopSignal | None = None,
    bad_data: str = "stop",
    on_error: ErrorHandler | None = None,
    patience_s: float = 1.0,
) -> FeedRun:
    """Run a feed on the thread that asks."""
    pull, wakes = pull_of(feed)
    stopping = Stopping(stop, wakes)
    desk = exchange._desk
    run = Run(exchange, desk, pull, stopping, bad_data=bad_data, on_error=on_error, patience_s=patience_s)
    return _driven(exchange, run)


def poll_source(
    exchange: Exchange,
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
    """Poll a source on the thread that asks: once, or round after round."""
    desk = exchange._desk
    waits = QueueWaiter() if waiter is None else waiter
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
    return _driven(exchange, run)


def _driven(exchange: Exchange, run: Run) -> FeedRun:
    runs = exchange._floor.runs
    runs.append(run.stopping)
    try:
        return drive(run.flow())
    finally:
        runs.remove(run.stopping)
        exchange._desk.outbox.deliver()  # what a handler that raised left behind
