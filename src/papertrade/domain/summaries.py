"""What people see of a trading day: its roll-up, and what was held when it ended."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from papertrade.domain.day_events import DayClosed
from papertrade.domain.fields import Amount, Instant, MaybeAmount, record_dict
from papertrade.domain.numbers import text_of, to_decimal
from papertrade.domain.position_keys import split_key, titled
from papertrade.domain.tables import html_table


class _DayHolding(NamedTuple):
    symbol: str
    product: str
    quantity_units: int
    cost_units: int
    average_price_units: int
    mark_units: int | None


class DayHolding(_DayHolding):
    """What was held of a symbol at the close, and its closing price; None when nobody had given one."""

    __slots__ = ()
    quantity = Amount()
    cost = Amount()
    average_price = Amount()
    mark = MaybeAmount()

    def to_dict(self) -> dict[str, object]:
        """Every field by name."""
        return record_dict(self)

    def __repr__(self) -> str:
        mark = "no price" if self.mark_units is None else text_of(self.mark_units)
        return f"<DayHolding {text_of(self.quantity_units)} {titled(self.symbol, self.product)} closed at {mark}>"


class DaySummary:
    """What a trading day of an account came to; of a day that is open what it has come to so far.

    ``is_final`` tells them apart: a day that has ended never changes again. ``profit`` is the closing equity less
    ``profit_base``: the opening equity plus what came in on the day, less what went out.
    """

    __slots__ = ("event", "is_final")
    source = "paper"

    def __init__(self, event: DayClosed, is_final: bool) -> None:
        self.event = event
        self.is_final = is_final

    @property
    def account(self) -> str:
        """Whose day."""
        return self.event.account

    @property
    def day(self) -> str:
        """The day as ISO text."""
        return self.event.day

    @property
    def fees(self) -> dict[str, Decimal]:
        """Fees of the day by kind; a rebate is negative."""
        return {kind: to_decimal(units) for kind, units in self.event.charges}

    @property
    def fills(self) -> int:
        """How many."""
        return self.event.fills

    @property
    def orders(self) -> int:
        """How many were placed, refused ones included."""
        return self.event.orders

    @property
    def wins(self) -> int:
        """Fills that closed something with a profit, before fees."""
        return self.event.wins

    @property
    def losses(self) -> int:
        """Fills that closed something with a loss, before fees."""
        return self.event.losses

    @property
    def stale_marks(self) -> int:
        """How many held symbols had a price of an earlier day or of before a restart, or none."""
        return self.event.stale_marks

    @property
    def positions(self) -> tuple[DayHolding, ...]:
        """What was held at the close, by symbol and product."""
        e = self.event
        costs, averages, marks = dict(e.costs), dict(e.averages), dict(e.marks)
        found = (DayHolding(*split_key(k), q, costs[k], averages[k], marks.get(k)) for k, q in e.holdings)
        return tuple(sorted(found))  # the keys do not sort as symbols do of which one begins with the other

    # Amounts, read from the event's integers.
    opening_equity = Amount()
    closing_equity = Amount()
    profit_base = Amount()
    profit = Amount()
    opening_cash = Amount()
    closing_cash = Amount()
    on_hold = Amount()
    realized = Amount()
    unrealized = Amount()
    fees_paid = Amount()
    deposits = Amount()
    withdrawals = Amount()
    imported = Amount()
    turnover = Amount()
    highest = Amount()
    lowest = Amount()
    drawdown = Amount()
    began_at = Instant()
    closed_at = Instant()

    def __getattr__(self, name: str) -> int:
        # Only the integers behind the amounts and instants above.
        if name == "closed_ns":
            return self.event.at_ns
        if name == "closing_equity_units":
            return self.event.equity_units
        if name.endswith(("_units", "_ns")):
            units: int = getattr(self.event, name)
            return units
        raise AttributeError(name)

    def to_dict(self) -> dict[str, object]:
        """Every public field by name."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        return {**fields, "positions": [holding.to_dict() for holding in self.positions]}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DaySummary) and (self.event, self.is_final) == (other.event, other.is_final)

    def __hash__(self) -> int:
        return hash((self.event.version, self.event.at_ns))  # allowed: of whole numbers it is the same everywhere

    def __repr__(self) -> str:
        e = self.event
        state = "closed" if self.is_final else "so far"
        figures = f"equity {text_of(e.equity_units)}, profit {text_of(e.profit_units)}"
        return f"<DaySummary {e.account} {e.day} {state}: {figures}>"

    def _repr_html_(self) -> str:
        return html_table(f"Day {self.day} of {self.account}", self.to_dict())


_FIELDS = (
    "account",
    "day",
    "is_final",
    "began_at",
    "closed_at",
    "opening_equity",
    "closing_equity",
    "profit_base",
    "profit",
    "opening_cash",
    "closing_cash",
    "on_hold",
    "realized",
    "unrealized",
    "fees",
    "fees_paid",
    "deposits",
    "withdrawals",
    "imported",
    "turnover",
    "fills",
    "orders",
    "wins",
    "losses",
    "highest",
    "lowest",
    "drawdown",
    "stale_marks",
    "source",
)
