"""Which trading day an instant belongs to, worked out from a zone and a wall-clock time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from .facts import ONE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Days:
    """The days of one account; the one last asked for is kept, because the next question is about the same."""

    def __init__(self, trading_day: Any) -> None:
        self._zone, self._starts = trading_day.zone, trading_day.starts
        self._first, self._end, self._name = 0, 0, ""

    def name(self, ns: int) -> str:
        """The day as ISO text."""
        if not self._first <= ns < self._end:
            self._find(ns)
        return self._name

    def end(self, ns: int) -> int:
        """The first instant of the next day."""
        if not self._first <= ns < self._end:
            self._find(ns)
        return self._end

    def _start(self, day: date) -> int:
        moment = datetime.combine(day, self._starts, tzinfo=self._zone).astimezone(UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000

    def _find(self, ns: int) -> None:
        local = (_EPOCH + timedelta(seconds=ns // ONE)).astimezone(self._zone).date()
        for day in (local + timedelta(days=1), local, local - timedelta(days=1), local - timedelta(days=2)):
            first = self._start(day)
            if first <= ns:
                self._first, self._end, self._name = first, self._start(day + timedelta(days=1)), day.isoformat()
                return
        raise AssertionError(f"no day for {ns}")
