"""Events: what happened to an account, in order, for ever.

Every event is a named tuple of integers and words. It carries its account, its version (1, 2, 3 … without a gap) and
the instant it was given; ``price_units`` is the integer, ``price`` the same as a ``Decimal``. An account is
nothing but the fold of its events. Names and fields are stored, so they never change their meaning;
``docs/reference/events.md`` lists them.
"""

from __future__ import annotations

from typing import TypeAlias

from papertrade.domain.account_events import (
    AccountOpened,
    CashDeposited,
    CashWithdrawn,
    DayOpened,
    DayRevalued,
    EquityMarked,
    LimitLatched,
    LimitReset,
    MarginCallCleared,
    MarginCalled,
    SquaredOff,
    WithdrawalRejected,
)
from papertrade.domain.converting_events import PositionConverted
from papertrade.domain.day_events import DayClosed
from papertrade.domain.happenings import Evidence, Numbers, describe_numbers
from papertrade.domain.order_events import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderModifyRejected,
    OrderReduced,
    OrderRejected,
    OrdersLinked,
    OrderTriggered,
)
from papertrade.domain.settlement_events import GoodFaithViolation, SettlementSet, TradesSettled
from papertrade.domain.starting_events import AccountCloned, AccountReset, PositionImported

Event: TypeAlias = (
    AccountOpened
    | CashDeposited
    | CashWithdrawn
    | WithdrawalRejected
    | DayOpened
    | DayClosed
    | DayRevalued
    | OrderAccepted
    | OrderRejected
    | OrderTriggered
    | OrderFilled
    | OrderModified
    | OrderModifyRejected
    | OrderReduced
    | OrderCanceled
    | OrderExpired
    | OrdersLinked
    | LimitLatched
    | LimitReset
    | SquaredOff
    | SettlementSet
    | TradesSettled
    | GoodFaithViolation
    | EquityMarked
    | MarginCalled
    | MarginCallCleared
    | PositionImported
    | PositionConverted
    | AccountReset
    | AccountCloned
)
"""Everything that can happen to an account. The union is closed."""

EVENT_TYPES: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        AccountOpened,
        CashDeposited,
        CashWithdrawn,
        WithdrawalRejected,
        DayOpened,
        DayClosed,
        DayRevalued,
        OrderAccepted,
        OrderRejected,
        OrderTriggered,
        OrderFilled,
        OrderModified,
        OrderModifyRejected,
        OrderReduced,
        OrderCanceled,
        OrderExpired,
        OrdersLinked,
        LimitLatched,
        LimitReset,
        SquaredOff,
        SettlementSet,
        TradesSettled,
        GoodFaithViolation,
        EquityMarked,
        MarginCalled,
        MarginCallCleared,
        PositionImported,
        PositionConverted,
        AccountReset,
        AccountCloned,
    )
}
"""Every event by its stored name."""

__all__ = [
    "EVENT_TYPES",
    "AccountCloned",
    "AccountOpened",
    "AccountReset",
    "CashDeposited",
    "CashWithdrawn",
    "DayClosed",
    "DayOpened",
    "DayRevalued",
    "EquityMarked",
    "Event",
    "Evidence",
    "GoodFaithViolation",
    "LimitLatched",
    "LimitReset",
    "MarginCallCleared",
    "MarginCalled",
    "Numbers",
    "OrderAccepted",
    "OrderCanceled",
    "OrderExpired",
    "OrderFilled",
    "OrderModified",
    "OrderModifyRejected",
    "OrderReduced",
    "OrderRejected",
    "OrderTriggered",
    "OrdersLinked",
    "PositionConverted",
    "PositionImported",
    "SettlementSet",
    "SquaredOff",
    "TradesSettled",
    "WithdrawalRejected",
    "describe_numbers",
]
