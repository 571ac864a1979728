"""The gate: the limits in their documented order, asked about one order; the first refusal wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from papertrade.domain.rejections import RejectReason
from papertrade.risk.limits import DAILY_LOSS, DRAWDOWN, KILL_SWITCH, RiskLimits

Refusal = tuple[RejectReason, tuple[tuple[str, int], ...]]
"""A reason and the numbers compared, in units."""


class Situation(NamedTuple):
    """What the gate needs to know of an order and its account, in units."""

    quantity_units: int
    notional_units: int
    open_orders: int
    position_units: int  # the largest the position could become, were this side to fill
    gross_units: int  # the largest the gross exposure could become
    scale: int  # units in 1, to show counts as numbers


def latch_refusal(latches: tuple[str, ...]) -> Refusal | None:
    """The kill switch and the loss latches stop every order that does not only reduce."""
    if KILL_SWITCH in latches:
        return RejectReason.KILL_SWITCH, ()
    if DAILY_LOSS in latches or DRAWDOWN in latches:
        return RejectReason.LIMIT_LATCHED, ()
    return None


def _order_quantity(limits: RiskLimits, s: Situation) -> tuple[int, int] | None:
    most = limits.quantity_units
    return None if most is None or s.quantity_units <= most else (s.quantity_units, most)


def _order_notional(limits: RiskLimits, s: Situation) -> tuple[int, int] | None:
    most = limits.notional_units
    return None if most is None or s.notional_units <= most else (s.notional_units, most)


def _open_orders(limits: RiskLimits, s: Situation) -> tuple[int, int] | None:
    most = limits.max_open_orders
    return None if most is None or s.open_orders < most else ((s.open_orders + 1) * s.scale, most * s.scale)


def _position(limits: RiskLimits, s: Situation) -> tuple[int, int] | None:
    most = limits.position_units
    return None if most is None or s.position_units <= most else (s.position_units, most)


def _gross(limits: RiskLimits, s: Situation) -> tuple[int, int] | None:
    most = limits.gross_units
    return None if most is None or s.gross_units <= most else (s.gross_units, most)


CHECKS: Final[tuple[tuple[RejectReason, Callable[[RiskLimits, Situation], tuple[int, int] | None]], ...]] = (
    (RejectReason.MAX_ORDER_QUANTITY, _order_quantity),
    (RejectReason.MAX_ORDER_NOTIONAL, _order_notional),
    (RejectReason.MAX_OPEN_ORDERS, _open_orders),
    (RejectReason.MAX_POSITION, _position),
    (RejectReason.MAX_GROSS_NOTIONAL, _gross),
)
"""The limits on orders, in the order in which they are asked."""


def gate(limits: RiskLimits, situation: Situation) -> Refusal | None:
    """The first limit that the order would break, with what it needs and what is allowed; None when it may pass."""
    for reason, check in CHECKS:
        broken = check(limits, situation)
        if broken is not None:
            return reason, (("required", broken[0]), ("allowed", broken[1]))
    return None
