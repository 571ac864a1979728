"""The state of one account: nothing but the fold of its events.

Everything in ``SNAPSHOT_FIELDS`` is stored in snapshots and covered by the digest. Market data, budgets and watches are
not here: they are volatile and belong to the seat.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from papertrade.domain.orders import Order
from papertrade.ledger.chart import CASH, DEPOSITS, FEES, HOLDS, REALIZED
from papertrade.ledger.days import DaySums
from papertrade.ledger.positions import PositionState, Unvalued
from papertrade.ledger.settling import Settling, Unpaid, Unsettled, Violated, cash_of

NO_DAY: Final = ""


class Squared(NamedTuple):
    """The last stage of squaring off, before one close."""

    calendar: str
    stage: str
    closes_ns: int
    product: str


SNAPSHOT_FIELDS: Final = (
    "account",
    "version",
    "at_ns",
    "currency",
    "decimals",
    "account_kind",
    "cost_method",
    "next_order",
    "next_fill",
    "orders",
    "positions",
    "books",
    "open_positions",
    "day",
    "day_equity_units",
    "day_deposits_units",
    "loss_base_units",
    "peak_units",
    "latches",
    "margin_call",
    "unvalued",
    "squared",
    "today",
    "settling",
    "unpaid",
    "violated",
    "restricted_until_ns",
)


class AccountState:
    """One account. Only ``evolve`` writes to it."""

    __slots__ = (*SNAPSHOT_FIELDS, "committed", "finished", "holdings")

    def __init__(self) -> None:
        self.account = ""
        self.version = 0
        self.at_ns = 0
        self.currency = ""
        self.decimals = 0
        self.account_kind = ""
        self.cost_method = ""
        self.next_order = 1
        self.next_fill = 1
        self.orders: dict[int, Order] = {}
        self.positions: dict[str, PositionState] = {}
        self.books: dict[str, int] = {}
        self.open_positions = 0  # how many positions are not flat
        self.day = NO_DAY
        self.day_equity_units = 0
        self.day_deposits_units = 0  # deposits less withdrawals since the day opened
        self.loss_base_units = 0  # equity that the loss of the day is measured from, deposits aside
        self.peak_units = 0
        self.latches: tuple[str, ...] = ()
        self.margin_call = False
        self.unvalued: tuple[Unvalued, ...] = ()  # what the figures of the day count at cost, until a price is known
        self.squared: tuple[Squared, ...] = ()  # how far squaring off has come before the close of each calendar
        self.today: DaySums | None = None  # the day that is open
        self.settling: tuple[Settling, ...] = ()  # what has not settled, in the order in which it will
        self.unpaid: tuple[Unpaid, ...] = ()  # holdings bought with money that has not settled
        self.violated: tuple[Violated, ...] = ()  # good-faith violations of twelve months
        self.restricted_until_ns = 0  # until when only settled cash may buy
        # Volatile: orders up to this version may be in somebody's hands and are copied before they change.
        self.committed = -1
        # Derived: the positions that are not flat, so that what was traded once costs nothing any more.
        self.holdings: dict[str, PositionState] = {}
        # Volatile: orders that ended in the step being decided.
        self.finished: list[Order] = []

    # ------------------------------------------------------------- reading

    @property
    def cash(self) -> int:
        """Cash that is not held."""
        return self.books.get(CASH, 0)

    @property
    def held(self) -> int:
        """Cash held for working orders."""
        return self.books.get(HOLDS, 0)

    @property
    def total(self) -> int:
        """All cash."""
        return self.books.get(CASH, 0) + self.books.get(HOLDS, 0)

    @property
    def unsettled(self) -> Unsettled:
        """Everything that has not settled."""
        return Unsettled(self.settling, self.unpaid)

    @property
    def unsettled_cash(self) -> int:
        """Sale proceeds that have not settled; the rest of all cash has."""
        return cash_of(self.settling) if self.settling else 0

    @property
    def realized(self) -> int:
        """Realized profit, before fees."""
        return -self.books.get(REALIZED, 0)

    @property
    def net_deposits(self) -> int:
        """Deposits less withdrawals."""
        return -self.books.get(DEPOSITS, 0)

    @property
    def fees(self) -> int:
        """All fees paid."""
        return sum(units for name, units in self.books.items() if name.startswith(FEES))

    @property
    def restricted(self) -> bool:
        """May it only reduce positions?"""
        return bool(self.latches) or self.margin_call

    def find_holdings(self) -> None:
        """Work the holdings out again, after the positions came from elsewhere."""
        self.holdings = {key: p for key, p in sorted(self.positions.items()) if p.quantity_units}

    def quantity(self, key: str) -> int:
        """The signed position, 0 when there is none."""
        position = self.positions.get(key)
        return 0 if position is None else position.quantity_units

    def sibling(self, order: Order) -> Order | None:
        """The other leg of a linked pair while it is open."""
        return self.orders.get(order.oco) if order.oco else None
