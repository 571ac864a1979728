"""The end of a day on an exchange: a method of it that stands here, because it has to advance like any caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from papertrade.domain.summaries import DaySummary
    from papertrade.exchange import Exchange


def end_of_day(self: Exchange) -> list[DaySummary]:
    """Close every day that is over by now, of every account; answers those that this closed. Again: none."""
    from papertrade.hosting.daily import closed_since, versions  # only who asks pays for it

    self.run_flow(self._desk.heal())  # an account that waits to be read again has days to end, too
    with self._lock:
        before = versions(self._desk)
    self.advance()
    return self.run_flow(closed_since(self._desk, before))
