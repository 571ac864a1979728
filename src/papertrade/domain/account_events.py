"""Events about the account itself: cash, days, limits and margin."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.fields import Amount, Instant
from papertrade.domain.happenings import Happening, Numbers


class _AccountOpened(NamedTuple):
    account: str
    version: int
    at_ns: int
    currency: str
    decimals: int
    account_kind: str
    cost_method: str


class AccountOpened(Happening, _AccountOpened):
    """An account began: its currency, what stands behind its orders, how lots are closed."""

    __slots__ = ()
    kind = "account_opened"


class _CashDeposited(NamedTuple):
    account: str
    version: int
    at_ns: int
    amount_units: int
    currency: str
    command_id: str | None
    note: str


class CashDeposited(Happening, _CashDeposited):
    """Money came in."""

    __slots__ = ()
    kind = "cash_deposited"
    amount = Amount()


class CashWithdrawn(Happening, _CashDeposited):
    """Money went out."""

    __slots__ = ()
    kind = "cash_withdrawn"
    amount = Amount()


class _WithdrawalRejected(NamedTuple):
    account: str
    version: int
    at_ns: int
    amount_units: int
    currency: str
    available_units: int
    command_id: str | None


class WithdrawalRejected(Happening, _WithdrawalRejected):
    """More was asked for than is available; nothing moved."""

    __slots__ = ()
    kind = "withdrawal_rejected"
    amount = Amount()
    available = Amount()


class _DayOpened(NamedTuple):
    account: str
    version: int
    at_ns: int
    day: str
    equity_units: int
    stale_marks: int
    unmarked: tuple[str, ...]  # symbols held without any price: they are in the equity at their cost


class DayOpened(Happening, _DayOpened):
    """A trading day began for the account. The only thing that resets daily figures."""

    __slots__ = ()
    kind = "day_opened"
    equity = Amount()


class _DayRevalued(NamedTuple):
    account: str
    version: int
    at_ns: int
    equity_units: int
    peak_units: int


class DayRevalued(Happening, _DayRevalued):
    """The prices that were missing are known: what the day's profit and the drawdown are measured from, corrected."""

    __slots__ = ()
    kind = "day_revalued"
    equity = Amount()
    peak = Amount()


class _SquaredOff(NamedTuple):
    account: str
    version: int
    at_ns: int
    calendar: str
    stage: str
    flat_ns: int
    closes_ns: int
    product: str = ""


class SquaredOff(Happening, _SquaredOff):
    """A stage of squaring off before a close: ``warned``, then ``reduce_only``, then ``flat``."""

    __slots__ = ()
    kind = "squared_off"
    flat_at = Instant()
    closes_at = Instant()


class _LimitLatched(NamedTuple):
    account: str
    version: int
    at_ns: int
    limit: str
    numbers: Numbers


class LimitLatched(Happening, _LimitLatched):
    """A loss limit was reached (or the kill switch thrown): only reducing orders pass until it is reset."""

    __slots__ = ()
    kind = "limit_latched"


class _LimitReset(NamedTuple):
    account: str
    version: int
    at_ns: int
    limit: str
    equity_units: int  # losses are measured anew from here
    command_id: str | None


class LimitReset(Happening, _LimitReset):
    """A latch was opened again by hand (a new day opens the daily one with ``DayOpened``)."""

    __slots__ = ()
    kind = "limit_reset"
    equity = Amount()


class _EquityMarked(NamedTuple):
    account: str
    version: int
    at_ns: int
    equity_units: int


class EquityMarked(Happening, _EquityMarked):
    """A new highest equity, from which drawdown is measured."""

    __slots__ = ()
    kind = "equity_marked"
    equity = Amount()


class _MarginCalled(NamedTuple):
    account: str
    version: int
    at_ns: int
    equity_units: int
    maintenance_units: int


class MarginCalled(Happening, _MarginCalled):
    """Equity fell below the maintenance margin: only reducing orders pass."""

    __slots__ = ()
    kind = "margin_called"
    equity = Amount()
    maintenance = Amount()


class MarginCallCleared(Happening, _MarginCalled):
    """Equity is back above the maintenance margin."""

    __slots__ = ()
    kind = "margin_call_cleared"
    equity = Amount()
    maintenance = Amount()
