"""A feed that other threads fill: for hosts whose market data arrive in callbacks of somebody's library.

>>> import papertrade as pt
>>> feed = pt.QueueFeed()
>>> feed.put(pt.Quote("AAPL", "187.10", "187.14", at="2026-01-05T14:30:00Z"))
>>> feed.end()
>>> exchange = pt.Exchange(clock="data")
>>> _ = exchange.add_instrument("AAPL")
>>> exchange.run(feed)
FeedRun(ended=<RunEnd.END_OF_FEED: 'end_of_feed'>, taken=1, skipped=0, failures=0, faults=0)
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import Any

from papertrade.ports.feed import END, DataQueue, Datum, Pulled


class QueueFeed:
    """Data in the order in which they were put, from any thread; the run waits when there are none."""

    def __init__(self, queue: DataQueue | None = None) -> None:
        """A queue of its own, or around one of yours with ``get`` and ``put``, such as ``queue.Queue()``.

        In a queue of yours, ``papertrade.ports.feed.END`` says that there will be no more data.
        """
        self._own = queue is None
        self._queue: Any = SimpleQueue() if queue is None else queue

    def put(self, datum: Datum) -> None:
        """Data that arrived."""
        self._queue.put(datum)

    def fail(self, why: Exception) -> None:
        """The line broke: the run takes what was put before, then raises this as a ``FeedLostError``."""
        self._queue.put(_Broken(why))

    def end(self) -> None:
        """There will be no more data: the run takes what was put before, then ends."""
        self._queue.put(END)

    def wake(self) -> None:
        """End a wait under way. A queue of yours may be full, so there a wait ends by itself."""
        if self._own:
            self._queue.put(None)

    def next(self, timeout_s: float) -> Pulled:
        """The next datum, None for silence, END."""
        try:
            found = self._queue.get(True, timeout_s)
        except Empty:
            return None
        if isinstance(found, _Broken):
            raise found.why
        pulled: Pulled = found
        return pulled


class _Broken:
    """Stands in the queue where the line broke."""

    def __init__(self, why: Exception) -> None:
        self.why = why
