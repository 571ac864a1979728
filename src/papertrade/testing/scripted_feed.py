"""A market with a script: data, silence, jumps of the clock, failures and the end, exactly when the script says so.

>>> import papertrade as pt
>>> market = ScriptedFeed("2026-01-05T14:30:00Z")
>>> exchange = pt.Exchange(clock=market.clock)
>>> _ = exchange.add_instrument("AAPL")
>>> alice = exchange.open_account("alice", cash=10_000)
>>> _ = market.say(pt.Quote("AAPL", "187.10", "187.14")).silence(seconds=90).say(pt.Quote("AAPL", "187.20", "187.24"))
>>> _ = market.do(lambda: alice.buy("AAPL", 10))
>>> exchange.run(market).taken, alice.position("AAPL").average_price
(2, Decimal('187.24'))
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from inspect import isawaitable
from typing import Any, TypeAlias

from papertrade.domain.instants import SECOND_NS, parse_instant
from papertrade.ports.clock import ManualClock
from papertrade.ports.feed import END, Datum, Pulled

Step: TypeAlias = "Callable[[float], Pulled]"


class ScriptedFeed:
    """A live feed that follows a script, and the clock that it moves. Nothing waits: silence is time on that clock.

    Both hosts run it. Each method adds a step and answers the feed, so that a script can be written in one go.
    """

    def __init__(self, start: datetime | str | int | ManualClock = "2026-01-05T14:30:00Z") -> None:
        self.clock = start if isinstance(start, ManualClock) else ManualClock(start)
        self.asked: list[float] = []
        """How long it was asked to wait, each time."""
        self._steps: deque[Step] = deque()

    # ------------------------------------------------------------ the script

    def say(self, *data: Datum) -> ScriptedFeed:
        """Data, one after another, at the instant at which the clock then stands unless they say their own."""
        for datum in data:
            self._steps.append(lambda _, datum=datum: datum)  # type: ignore[misc]
        return self

    def silence(self, seconds: float) -> ScriptedFeed:
        """No data for so long; whoever waits is answered as often as it asks, and can serve its deadlines."""
        left_ns = _nanoseconds(seconds)

        def pass_time(timeout_s: float) -> None:
            nonlocal left_ns
            passed = min(left_ns, _nanoseconds(timeout_s))
            left_ns -= passed
            self._move(passed)
            if left_ns > 0:
                self._steps.appendleft(pass_time)

        self._steps.append(pass_time)
        return self

    def gap(self, seconds: float) -> ScriptedFeed:
        """The clock is so much further when the feed answers, however short the wait: a machine that was asleep."""
        self._steps.append(lambda _: self._move(_nanoseconds(seconds)))
        return self

    def until(self, at: datetime | str | int) -> ScriptedFeed:
        """Silence up to an instant."""
        until_ns = parse_instant(at, "at")

        def pass_time(timeout_s: float) -> None:
            left_ns = until_ns - self.clock.now_ns()
            self._move(max(min(left_ns, _nanoseconds(timeout_s)), 0))
            if self.clock.now_ns() < until_ns:
                self._steps.appendleft(pass_time)

        self._steps.append(pass_time)
        return self

    def fail(self, why: Exception) -> ScriptedFeed:
        """The feed raises this; asked again, it goes on with the script."""

        def broken(_: float) -> None:
            raise why

        self._steps.append(broken)
        return self

    def do(self, deed: Callable[[], object]) -> ScriptedFeed:
        """Between two data, call this: place an order, stop the exchange, look at something. May be async there."""

        def done(_: float) -> Any:
            answer = deed()
            return _nothing_after(answer) if isawaitable(answer) else None

        self._steps.append(done)
        return self

    def end(self) -> ScriptedFeed:
        """The feed says that there are no more data. A script that is at its end says so by itself."""
        self._steps.append(lambda _: END)
        return self

    # ------------------------------------------------------------ the ports

    def next(self, timeout_s: float) -> Pulled:
        """The next step of the script: a datum, None when time passed or something was done, END."""
        self.asked.append(timeout_s)
        return self._steps.popleft()(timeout_s) if self._steps else END

    def wait(self, timeout_s: float) -> None:
        """Let time pass on the clock: as the waiter of a poll, which then never waits."""
        self._move(_nanoseconds(timeout_s))

    def _move(self, ns: int) -> None:
        self.clock.set(self.clock.now_ns() + ns)


async def _nothing_after(work: Awaitable[object]) -> None:
    await work


def _nanoseconds(seconds: float) -> int:
    return round(seconds * SECOND_NS)
