"""Positions as people read them: quantity, average, mark, profit."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from papertrade.domain.fields import Amount, Instant, MaybeAmount, MaybeInstant, record_dict
from papertrade.domain.numbers import decimal_ratio, text_of
from papertrade.domain.position_keys import titled
from papertrade.domain.tables import html_table


class _Lot(NamedTuple):
    quantity_units: int  # signed like the position
    pq: int  # exact Σ price × quantity
    cost_units: int  # booked cost, signed like the position
    opened_ns: int


class Lot(_Lot):
    """A part of a position with its own cost: what was opened together and closes together."""

    __slots__ = ()
    quantity = Amount()
    cost = Amount()
    opened_at = Instant()

    @property
    def average_price(self) -> Decimal:
        """Σ price × quantity ÷ quantity."""
        return decimal_ratio(self.pq, self.quantity_units * 10**9)

    def __repr__(self) -> str:
        return f"<Lot {text_of(self.quantity_units)} at {self.average_price}>"


class _Position(NamedTuple):
    account: str
    symbol: str
    product: str
    quantity_units: int
    pq: int
    cost_units: int
    realized_units: int
    fees_units: int
    held_units: int
    mark_units: int | None
    marked_ns: int | None
    mark_is_stale: bool
    market_value_units: int | None
    opened_ns: int | None
    lots: tuple[Lot, ...]
    t1_quantity_units: int


class Position(_Position):
    """The net holding of one symbol, in one product where there are some: positive when long, negative when short.

    ``available`` is what may be sold now: quantity less what working sell orders hold. ``t1_quantity`` was bought and
    is not delivered yet, ``settled_quantity`` is the rest.
    """

    __slots__ = ()
    quantity = Amount()
    cost = Amount()
    realized = Amount()
    fees = Amount()
    held = Amount()
    mark = MaybeAmount()
    market_value = MaybeAmount()
    marked_at = MaybeInstant()
    opened_at = MaybeInstant()
    available = Amount()
    unrealized = MaybeAmount()
    t1_quantity = Amount()
    settled_quantity = Amount()

    @property
    def settled_quantity_units(self) -> int:
        """What is delivered, in units."""
        return self.quantity_units - self.t1_quantity_units

    @property
    def available_units(self) -> int:
        """What may be sold now, in units."""
        return max(0, self.quantity_units - self.held_units)

    @property
    def unrealized_units(self) -> int | None:
        """Market value less cost, in units; None without a mark."""
        return None if self.market_value_units is None else self.market_value_units - self.cost_units

    @property
    def average_price(self) -> Decimal | None:
        """Average entry price; None when flat."""
        return decimal_ratio(self.pq, self.quantity_units * 10**9) if self.quantity_units else None

    @property
    def is_flat(self) -> bool:
        """Is there nothing held?"""
        return self.quantity_units == 0

    def to_dict(self) -> dict[str, object]:
        """Every public field by name."""
        fields = record_dict(self)
        del fields["pq"]
        return {
            **fields,
            "average_price": self.average_price,
            "available": self.available,
            "unrealized": self.unrealized,
            "settled_quantity": self.settled_quantity,
        }

    def __repr__(self) -> str:
        name = titled(self.symbol, self.product)
        if self.is_flat:
            return f"<Position {name}: flat, realized {text_of(self.realized_units)}>"
        word = "long" if self.quantity_units > 0 else "short"
        mark = "no mark yet" if self.mark_units is None else f"marked {text_of(self.mark_units)}"
        stale = " (stale)" if self.mark_is_stale else ""
        gain = "" if self.unrealized is None else f", unrealized {self.unrealized}"
        size = text_of(abs(self.quantity_units))
        return f"<Position {name}: {word} {size} at {self.average_price}, {mark}{stale}{gain}>"

    def _repr_html_(self) -> str:
        return html_table(f"Position {titled(self.symbol, self.product)}", {**self.to_dict(), "lots": None})


class _Account(NamedTuple):
    id: str
    currency: str
    account_kind: str
    margin_model: str
    at_ns: int
    version: int
    total_units: int
    held_units: int
    available_units: int
    equity_units: int
    market_value_units: int
    realized_units: int
    unrealized_units: int
    fees_units: int
    net_deposits_units: int
    initial_margin_units: int
    maintenance_margin_units: int
    margin_call: bool
    day: str
    day_opening_equity_units: int | None
    day_deposits_units: int
    day_profit_units: int | None
    stale_marks: int
    missing_marks: int
    open_orders: int
    latched: tuple[str, ...]
    unsettled_cash_units: int


class Account(_Account):
    """The money of an account at one instant.

    ``total`` is the cash, ``held`` the part that working orders keep, ``available`` what a new order may use
    (for a margin account: equity less initial margin less holds). ``equity`` is cash plus positions at their
    marks; ``stale_marks`` says how many of those marks are old. ``unsettled_cash`` is the part of ``total`` that sales
    brought and that has not settled, ``settled_cash`` the rest.

    Each profit is the equity less its base. ``day_base``, that of ``day_profit``, is the equity with which the day was
    opened (``day_opening_equity``) plus what came in since, less what went out (``day_deposits``, imports at their
    cost included). ``total_base``, that of ``total_profit``, is all that ever came in less what went out: the same as
    ``net_deposits``. Base and profit of the day are None as long as nobody knows what it began with.
    """

    __slots__ = ()
    source = "paper"
    total = Amount()
    held = Amount()
    available = Amount()
    equity = Amount()
    market_value = Amount()
    realized = Amount()
    unrealized = Amount()
    fees = Amount()
    net_deposits = Amount()
    initial_margin = Amount()
    maintenance_margin = Amount()
    day_opening_equity = MaybeAmount()
    day_deposits = Amount()
    day_base = MaybeAmount()
    day_profit = MaybeAmount()
    total_base = Amount()
    total_profit = Amount()
    unsettled_cash = Amount()
    settled_cash = Amount()
    at = Instant()

    @property
    def day_base_units(self) -> int | None:
        """What the profit of the day is measured from, in units."""
        opening = self.day_opening_equity_units
        return None if opening is None else opening + self.day_deposits_units

    @property
    def total_base_units(self) -> int:
        """What the total profit is measured from, in units."""
        return self.net_deposits_units

    @property
    def total_profit_units(self) -> int:
        """Everything won and lost since the account began or was reset, after fees, in units."""
        return self.equity_units - self.total_base_units

    @property
    def settled_cash_units(self) -> int:
        """Cash that is not a sale's proceeds before its settlement, in units."""
        return self.total_units - self.unsettled_cash_units

    @property
    def cash_is_negative(self) -> bool:
        """Did a reducing fill or a charge take cash below zero?"""
        return self.total_units < 0

    def to_dict(self) -> dict[str, object]:
        """Every public field by name."""
        worked_out = ("day_base", "total_base", "total_profit", "cash_is_negative", "settled_cash")
        return {**record_dict(self), **{name: getattr(self, name) for name in worked_out}, "source": self.source}

    def __repr__(self) -> str:
        c = self.currency
        return (
            f"<Account {self.id}: equity {text_of(self.equity_units)} {c}, cash {text_of(self.total_units)} "
            f"({text_of(self.held_units)} held, {text_of(self.available_units)} available), "
            f"realized {text_of(self.realized_units)}, unrealized {text_of(self.unrealized_units)}, "
            f"fees {text_of(self.fees_units)}>"
        )

    def _repr_html_(self) -> str:
        return html_table(f"Account {self.id}", self.to_dict())


