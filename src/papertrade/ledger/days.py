"""What an open trading day has come to so far, as far as the books do not say it by themselves.

The books at the opening are kept, so profit, fees by kind and costs of the day are differences of two balances. What
no ledger account tells apart is summed here: what came in and went out, turnover, and the equity points of the day.
"""

from __future__ import annotations

from typing import Final

from papertrade.domain.events import OrderFilled
from papertrade.domain.happenings import Numbers
from papertrade.ledger.chart import CASH, FEES, HOLDS, POSITIONS, REALIZED

DAY_FIELDS: Final = (
    "began_ns",
    "balances",
    "orders_before",
    "fills_before",
    "deposits_units",
    "withdrawals_units",
    "imported_units",
    "turnover_units",
    "wins",
    "losses",
    "highest_units",
    "lowest_units",
    "peak_units",
    "drawdown_units",
    "last_units",
)


class DaySums:
    """The sums of one account's open day. Only ``evolve`` writes to it."""

    __slots__ = DAY_FIELDS

    def __init__(self, began_ns: int, books: dict[str, int], numbers: tuple[int, int], equity_units: int) -> None:
        self.began_ns = began_ns
        self.balances: Numbers = tuple(sorted((name, units) for name, units in books.items() if units))
        self.orders_before, self.fills_before = numbers
        self.deposits_units = self.withdrawals_units = self.imported_units = 0
        self.turnover_units = 0
        self.wins = self.losses = 0
        self.highest_units = self.lowest_units = self.peak_units = equity_units
        self.drawdown_units = 0
        self.last_units = equity_units  # the equity that was noted last

    def copy(self) -> DaySums:
        """Another one with the same sums."""
        twin = DaySums.__new__(DaySums)
        for name in DAY_FIELDS:
            setattr(twin, name, getattr(self, name))
        return twin

    def move_cash(self, change: int) -> None:
        """Money came in or went out: neither is profit or loss."""
        if change > 0:
            self.deposits_units += change
        else:
            self.withdrawals_units -= change
        self.peak_units += change

    def import_value(self, cost: int) -> None:
        """A position came in at this cost."""
        self.imported_units += cost
        self.peak_units += cost

    def count(self, fill: OrderFilled) -> None:
        """A fill; the part that closes something won or lost."""
        self.turnover_units += fill.value_units
        if fill.closed_units:
            self.wins += fill.realized_units > 0
            self.losses += fill.realized_units < 0

    def note(self, equity: int) -> None:
        """The journal notes an equity."""
        self.highest_units = max(self.highest_units, equity)
        self.lowest_units = min(self.lowest_units, equity)
        self.peak_units = max(self.peak_units, equity)
        self.drawdown_units = max(self.drawdown_units, self.peak_units - equity)
        self.last_units = equity

    def revalue(self, change: int) -> None:
        """What the day began with is worth more than was known: so is every equity that was noted since."""
        self.highest_units += change
        self.lowest_units += change
        self.peak_units += change
        self.last_units += change

    # ------------------------------------------------------------- reading

    @property
    def opening_cash(self) -> int:
        """All cash when the day was opened."""
        books = dict(self.balances)
        return books.get(CASH, 0) + books.get(HOLDS, 0)

    @property
    def opening_cost(self) -> int:
        """The booked cost of everything that was held then."""
        return dict(self.balances).get(POSITIONS, 0)

    def realized(self, books: dict[str, int]) -> int:
        """Profit realized since, before fees, by what the books are now."""
        return dict(self.balances).get(REALIZED, 0) - books.get(REALIZED, 0)

    def charges(self, books: dict[str, int]) -> Numbers:
        """Fees since by kind, by what the books are now."""
        before = dict(self.balances)
        paid = (
            (name.removeprefix(FEES), units - before.get(name, 0))
            for name, units in sorted(books.items())
            if name.startswith(FEES)
        )
        return tuple((kind, units) for kind, units in paid if units)
