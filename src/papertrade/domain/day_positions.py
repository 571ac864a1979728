"""Positions as Indian brokers show them: everything bought and sold in a set, beside what was carried in."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.fields import Amount, MaybeAmount, record_dict
from papertrade.domain.numbers import text_of
from papertrade.domain.position_keys import titled
from papertrade.domain.tables import html_table


class _DayPosition(NamedTuple):
    account: str
    symbol: str
    product: str
    view: str  # "net": carried in and traded today; "day": traded today only
    day: str
    quantity_units: int
    overnight_quantity_units: int  # 0 in the view of the day
    buy_quantity_units: int
    buy_price_units: int
    buy_value_units: int
    sell_quantity_units: int
    sell_price_units: int
    sell_value_units: int
    buy_m2m_units: int
    sell_m2m_units: int
    average_price_units: int
    close_price_units: int | None
    last_price_units: int | None
    last_is_stale: bool
    last_value_units: int | None
    total_profit_units: int | None


class DayPosition(_DayPosition):
    """What was bought and sold in a symbol: with what was carried in (``view="net"``), or today only (``view="day"``).

    ``buy_price`` and ``sell_price`` are plain averages of all that was bought and sold in the set, so selling never
    changes the price at which was bought. What was carried in counts at its average in the values, and at yesterday's
    close in ``buy_m2m`` and ``sell_m2m``. So ``pnl`` is measured from what things cost, and ``m2m``, the profit of
    the day, from yesterday's close. ``total_profit`` is everything that the symbol brought since the account began (or
    was reset), realized and not, before fees.
    """

    __slots__ = ()
    quantity = Amount()
    overnight_quantity = Amount()
    buy_quantity = Amount()
    buy_price = Amount()
    buy_value = Amount()
    sell_quantity = Amount()
    sell_price = Amount()
    sell_value = Amount()
    buy_m2m = Amount()
    sell_m2m = Amount()
    average_price = Amount()
    close_price = MaybeAmount()
    last_price = MaybeAmount()
    last_value = MaybeAmount()
    total_profit = MaybeAmount()
    value = Amount()
    pnl = MaybeAmount()
    m2m = MaybeAmount()
    day_profit = MaybeAmount()

    @property
    def value_units(self) -> int:
        """What the sales brought less what the purchases cost."""
        return self.sell_value_units - self.buy_value_units

    @property
    def pnl_units(self) -> int | None:
        """Profit from cost, before fees; None without a price of what is held."""
        return None if self.last_value_units is None else self.value_units + self.last_value_units

    @property
    def m2m_units(self) -> int | None:
        """Profit of the day: from yesterday's close, or from the trade or import that opened it; before fees."""
        worth = self.last_value_units
        return None if worth is None else self.sell_m2m_units - self.buy_m2m_units + worth

    @property
    def day_profit_units(self) -> int | None:
        """The same by another name."""
        return self.m2m_units

    def to_dict(self) -> dict[str, object]:
        """Every public field by name."""
        return {**record_dict(self), "value": self.value, "pnl": self.pnl, "m2m": self.m2m}

    def __repr__(self) -> str:
        gain = "" if self.pnl is None else f", pnl {self.pnl}, m2m {self.m2m}"
        return f"<DayPosition {titled(self.symbol, self.product)} {self.view}: {text_of(self.quantity_units)}{gain}>"

    def _repr_html_(self) -> str:
        return html_table(f"Position {titled(self.symbol, self.product)} ({self.view})", self.to_dict())
