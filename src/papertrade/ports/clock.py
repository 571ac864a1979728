"""Clocks: where a host gets its time from. The core never asks; it is told."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol

from papertrade.domain.instants import DAY_NS, parse_instant, text_of_instant
from papertrade.domain.numbers import parse_count
from papertrade.errors import ClockBackwardsError


class Clock(Protocol):
    """Whatever can say what time it is, in nanoseconds of UTC."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        ...


class SystemClock:
    """The computer's clock. The only place in papertrade that reads one."""

    def now_ns(self) -> int:
        """Now."""
        return time.time_ns()


class ManualClock:
    """A clock that stands still until somebody moves it, and never goes back.

    >>> clock = ManualClock("2026-01-05T09:15:00+05:30")
    >>> clock.advance(seconds=60)
    >>> clock.now_ns() % 3_600_000_000_000 // 60_000_000_000
    46
    """

    def __init__(self, start: datetime | str | int = 0) -> None:
        self._ns = parse_instant(start, "start")

    def now_ns(self) -> int:
        """Where it stands."""
        return self._ns

    def set(self, at: datetime | str | int) -> None:
        """Move to an instant."""
        ns = parse_instant(at, "at")
        if ns < self._ns:
            raise ClockBackwardsError(text_of_instant(ns), text_of_instant(self._ns))
        self._ns = ns

    def advance(self, *, days: int = 0, seconds: int = 0, milliseconds: int = 0) -> None:
        """Move on by a while."""
        ms = parse_count(milliseconds, "milliseconds") + 1_000 * parse_count(seconds, "seconds")
        self._ns = parse_instant(self._ns + ms * 1_000_000 + parse_count(days, "days") * DAY_NS, "advance to")


class DataClock:
    """Time is the latest datum: for replays. It starts at 1970 and only data moves it."""

    def __init__(self) -> None:
        self.ns = 0

    def now_ns(self) -> int:
        """The instant of the latest datum."""
        return self.ns

    def observe(self, ns: int) -> None:
        """A datum of this instant arrived."""
        if ns > self.ns:
            self.ns = ns
