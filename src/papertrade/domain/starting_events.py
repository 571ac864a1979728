"""Events about how an account starts, or starts again: positions that come in, resets, copies."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.fields import Amount
from papertrade.domain.happenings import Happening, Numbers
from papertrade.domain.position_keys import OfPosition


class _PositionImported(NamedTuple):
    account: str
    version: int
    at_ns: int
    symbol: str
    quantity_units: int  # signed: negative for a short
    price_units: int
    cost_units: int  # booked cost, signed like the quantity
    currency: str
    command_id: str | None
    note: str
    product: str = ""


class PositionImported(OfPosition, Happening, _PositionImported):
    """A position came in at a stated cost, without a trade: a deposit in kind."""

    __slots__ = ()
    kind = "position_imported"
    quantity = Amount()
    price = Amount()
    cost = Amount()


class _AccountReset(NamedTuple):
    account: str
    version: int
    at_ns: int
    cash_units: int
    currency: str
    balances: Numbers
    holdings: Numbers
    command_id: str | None
    note: str


class AccountReset(Happening, _AccountReset):
    """The account begins again with this cash; what its books and positions were before is in the event."""

    __slots__ = ()
    kind = "account_reset"
    cash = Amount()


class _AccountCloned(NamedTuple):
    account: str
    version: int
    at_ns: int
    source_account: str
    source_version: int
    command_id: str | None
    note: str


class AccountCloned(Happening, _AccountCloned):
    """The account began as a copy of another; the money and positions that follow were that one's at this version."""

    __slots__ = ()
    kind = "account_cloned"
