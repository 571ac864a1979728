"""Risk limits, each a small fact with a name: how large one order, one position or one loss may be.

All limits count working orders, and an order that only reduces a position always passes. The two loss limits latch:
once reached, an event says so, working orders that could enlarge a position are canceled, and only reducing orders pass
until the latch is reset (the daily one also with a new day).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from papertrade.domain.numbers import Number, parse_count, parse_positive, parse_units, to_decimal

DAILY_LOSS: Final = "max_daily_loss"
DRAWDOWN: Final = "max_drawdown"
KILL_SWITCH: Final = "kill_switch"
LATCHES: Final = (KILL_SWITCH, DAILY_LOSS, DRAWDOWN)


def _amount(value: Number | None) -> Decimal | None:
    return None if value is None else to_decimal(parse_units(value, "risk limit"))


def _count(value: int | None) -> int | None:
    return None if value is None else parse_count(value, "max_open_orders", least=1)


def _units(value: Decimal | None, field: str) -> int | None:
    return None if value is None else parse_positive(value, field)


@attrs.frozen(kw_only=True)
class RiskLimits:
    """What an account may do at most; None means no limit. Checked in this order, first refusal wins.

    >>> RiskLimits(max_order_notional="50000", max_daily_loss=1000).max_daily_loss
    Decimal('1000')

    Attributes:
        max_order_quantity: the largest quantity of one order.
        max_order_notional: the largest value of one order, at its limit or reference price.
        max_open_orders: how many orders may be open at once.
        max_position: the largest position in one symbol, long or short, were all working orders of a side to fill.
        max_gross_notional: the largest sum of absolute position values, working orders included.
        max_daily_loss: how far equity may fall below its value when the day opened (deposits aside).
        max_drawdown: how far equity may fall below its highest recorded value (deposits aside).
    """

    max_order_quantity: Decimal | None = attrs.field(default=None, converter=_amount)
    max_order_notional: Decimal | None = attrs.field(default=None, converter=_amount)
    max_open_orders: int | None = attrs.field(default=None, converter=_count)
    max_position: Decimal | None = attrs.field(default=None, converter=_amount)
    max_gross_notional: Decimal | None = attrs.field(default=None, converter=_amount)
    max_daily_loss: Decimal | None = attrs.field(default=None, converter=_amount)
    max_drawdown: Decimal | None = attrs.field(default=None, converter=_amount)

    # The same as units, worked out once.
    quantity_units: int | None = attrs.field(init=False, repr=False, eq=False)
    notional_units: int | None = attrs.field(init=False, repr=False, eq=False)
    position_units: int | None = attrs.field(init=False, repr=False, eq=False)
    gross_units: int | None = attrs.field(init=False, repr=False, eq=False)
    daily_loss_units: int | None = attrs.field(init=False, repr=False, eq=False)
    drawdown_units: int | None = attrs.field(init=False, repr=False, eq=False)
    on_orders: bool = attrs.field(init=False, repr=False, eq=False)
    on_losses: bool = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        put = object.__setattr__
        put(self, "quantity_units", _units(self.max_order_quantity, "max_order_quantity"))
        put(self, "notional_units", _units(self.max_order_notional, "max_order_notional"))
        put(self, "position_units", _units(self.max_position, "max_position"))
        put(self, "gross_units", _units(self.max_gross_notional, "max_gross_notional"))
        put(self, "daily_loss_units", _units(self.max_daily_loss, "max_daily_loss"))
        put(self, "drawdown_units", _units(self.max_drawdown, "max_drawdown"))
        of_orders = (self.max_order_quantity, self.max_order_notional, self.max_open_orders, self.max_position)
        put(self, "on_orders", any(v is not None for v in (*of_orders, self.max_gross_notional)))
        put(self, "on_losses", self.max_daily_loss is not None or self.max_drawdown is not None)
