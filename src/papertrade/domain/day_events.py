"""The event that ends a trading day of an account, with what the day came to."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.fields import Amount, Instant
from papertrade.domain.happenings import Happening, Numbers


class _DayClosed(NamedTuple):
    account: str
    version: int
    at_ns: int
    day: str
    began_ns: int  # when the day was opened, or the account began again on it
    opening_equity_units: int  # what the profit of the day is measured from
    equity_units: int
    opening_cash_units: int  # all cash, what working orders keep included
    closing_cash_units: int
    on_hold_units: int
    opening_cost_units: int  # booked cost of everything held
    closing_cost_units: int
    realized_units: int
    unrealized_units: int  # of everything held at the close, whenever it was bought
    charges: Numbers  # fees by kind
    deposits_units: int
    withdrawals_units: int
    imported_units: int
    turnover_units: int
    fills: int
    orders: int
    wins: int
    losses: int
    highest_units: int
    lowest_units: int
    drawdown_units: int
    stale_marks: int
    unmarked: tuple[str, ...]  # held, and neither the market nor the journal knows a price: counted at cost
    holdings: Numbers  # key of the position and quantity
    costs: Numbers
    averages: Numbers  # average prices
    marks: Numbers  # closing prices of what has one


class DayClosed(Happening, _DayClosed):
    """A trading day of the account ended: once for each that was opened, with what it came to."""

    __slots__ = ()
    kind = "day_closed"
    began_at = Instant()
    opening_equity = Amount()
    equity = Amount()
    opening_cash = Amount()
    closing_cash = Amount()
    on_hold = Amount()
    opening_cost = Amount()
    closing_cost = Amount()
    realized = Amount()
    unrealized = Amount()
    deposits = Amount()
    withdrawals = Amount()
    imported = Amount()
    turnover = Amount()
    highest = Amount()
    lowest = Amount()
    drawdown = Amount()

    @property
    def profit_base_units(self) -> int:
        """Opening equity, plus what came in, less what went out."""
        return self.opening_equity_units + self.deposits_units + self.imported_units - self.withdrawals_units

    @property
    def profit_units(self) -> int:
        """Closing equity less its base."""
        return self.equity_units - self.profit_base_units

    @property
    def fees_paid_units(self) -> int:
        """All fees of the day."""
        return sum(units for _, units in self.charges)

    profit_base = Amount()
    profit = Amount()
    fees_paid = Amount()
