"""Events about settlement: when a day's trades settle, that they did, and what was sold too early."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.fields import Amount, Instant, MaybeInstant
from papertrade.domain.happenings import Happening, Numbers
from papertrade.domain.position_keys import OfPosition


class _SettlementSet(NamedTuple):
    account: str
    version: int
    at_ns: int
    symbol: str
    day: str
    sessions: int
    ends_ns: int
    settles_ns: int
    product: str = ""


class SettlementSet(OfPosition, Happening, _SettlementSet):
    """The first trade of a symbol on a trade day: what fills until ``ends_ns`` settles at ``settles_ns``."""

    __slots__ = ()
    kind = "settlement_set"
    ends_at = Instant()
    settles_at = Instant()


class _TradesSettled(NamedTuple):
    account: str
    version: int
    at_ns: int
    day: str
    due_ns: int
    cash_units: int
    holdings: Numbers  # key of the position and quantity


class TradesSettled(Happening, _TradesSettled):
    """The trades of one trade day settled: sale proceeds that were not spent are cash, what was bought is delivered."""

    __slots__ = ()
    kind = "trades_settled"
    cash = Amount()
    due_at = Instant()


class _GoodFaithViolation(NamedTuple):
    account: str
    version: int
    at_ns: int
    symbol: str
    fill_number: int
    quantity_units: int
    cash_units: int
    settles_ns: int
    violations: int
    free_ns: int | None  # when an account that it restricts may use unsettled money again
    product: str = ""


class GoodFaithViolation(OfPosition, Happening, _GoodFaithViolation):
    """Something was bought with money that had not settled, and sold before it did."""

    __slots__ = ()
    kind = "good_faith_violation"
    quantity = Amount()
    cash = Amount()
    settles_at = Instant()
    free_at = MaybeInstant()
