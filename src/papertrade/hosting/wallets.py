"""The wallet of a day: what came in, went out, was earned and paid since the day was opened.

It is a fold of its own beside the account's state, which keeps no sums of days that it does not need for trading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from papertrade.domain.events import (
    AccountReset,
    DayClosed,
    DayOpened,
    DayRevalued,
    Event,
    OrderAccepted,
    OrderFilled,
    OrderRejected,
)
from papertrade.domain.rows import WalletRow
from papertrade.ledger.chart import CASH, DEPOSITS, FEES, HOLDS, REALIZED
from papertrade.ledger.postings import Lines

# What a row has from the event that closes its day.
_CLOSING: Final = {
    "closed_ns": "at_ns",
    "closing_equity_units": "equity_units",
    "unrealized_units": "unrealized_units",
    "imported_units": "imported_units",
    "turnover_units": "turnover_units",
    "wins": "wins",
    "losses": "losses",
    "highest_equity_units": "highest_units",
    "lowest_equity_units": "lowest_units",
    "drawdown_units": "drawdown_units",
    "stale_marks": "stale_marks",
}


class DayTally:
    """The sums of one account's day so far. A day lasts until the journal opens the next one."""

    __slots__ = WalletRow._fields

    def __init__(self, account: str) -> None:
        self.account = account
        self.since_version = 1
        self.day: str | None = None
        self.opened_ns = self.updated_ns = self.version = 0
        self.opening_equity_units: int | None = None
        self.cash_units = self.held_units = 0
        self._begin()

    def _begin(self) -> None:
        self.deposits_units = self.withdrawals_units = self.realized_units = self.fees_units = 0
        self.fills = self.orders = 0
        for name in _CLOSING:
            setattr(self, name, None)

    @classmethod
    def of(cls, row: WalletRow) -> DayTally:
        """A day that goes on from what a table has of it."""
        tally = cls(row.account)
        for name, value in zip(WalletRow._fields, row, strict=True):
            setattr(tally, name, value)
        return tally

    def row(self) -> WalletRow:
        """The day as it stands."""
        return WalletRow(*(getattr(self, name) for name in WalletRow._fields))

    def take(self, event: Event, lines: Lines) -> Iterator[WalletRow]:
        """Count an event whose entry has these lines; a day that it ends is answered as it stood."""
        if isinstance(event, DayOpened):
            yield self.row()
            self._begin()
            self.since_version, self.day = event.version, event.day
            self.opened_ns, self.opening_equity_units = event.at_ns, event.equity_units
        elif isinstance(event, AccountReset):
            yield self.row()
            self._begin()
            self.since_version = event.version
            self.opened_ns, self.opening_equity_units = event.at_ns, event.cash_units
            lines = [line for line in lines if line[0] in (CASH, HOLDS)]  # what the other books were is closed
        elif isinstance(event, (OrderAccepted, OrderRejected)):
            self.orders += 1
        elif isinstance(event, OrderFilled):
            self.fills += 1
        elif isinstance(event, DayRevalued):
            self.opening_equity_units = event.equity_units
        elif isinstance(event, DayClosed):
            for name, figure in _CLOSING.items():
                setattr(self, name, getattr(event, figure))
        for name, units in lines:
            self._book(name, units)
        if event.version == 1:
            self.opened_ns = event.at_ns
        self.updated_ns, self.version = event.at_ns, event.version

    def _book(self, name: str, units: int) -> None:
        """Count one line of an entry."""
        if name in (CASH, HOLDS):
            self.cash_units += units
            self.held_units += units if name == HOLDS else 0
        elif name == DEPOSITS:
            self.deposits_units += max(-units, 0)
            self.withdrawals_units += max(units, 0)
        elif name == REALIZED:
            self.realized_units -= units
        elif name.startswith(FEES):
            self.fees_units += units
