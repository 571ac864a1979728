"""Events: what happened to an account, in order, for ever.

Every event is a named tuple of integers and words. It carries its account, its version (1, 2, 3 … without a gap) and
the instant it was given; ``price_units`` is the integer, ``price`` the same as a ``Decimal``. An account is
nothing but the fold of its events. Names and fields are stored, so they never change their meaning;
``docs/reference/events.md`` lists them.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, TypeAlias

from papertrade.domain.fields import Amount, Instant, MaybeAmount, record_dict
from papertrade.domain.instants import text_of_instant
from papertrade.domain.numbers import text_of
from papertrade.domain.orders import OrderTerms
from papertrade.domain.tables import html_table
from papertrade.domain.words import Side

Numbers: TypeAlias = tuple[tuple[str, int], ...]
"""Named amounts that were compared, in units: ``(("required", …), ("available", …))``."""


class Evidence(NamedTuple):
    """The market data that justified something: which datum, when, and what it said."""

    kind: str  # a DataKind
    number: int  # counts the data of this symbol
    at_ns: int
    seen_units: tuple[int | None, ...]  # quote: bid, ask, sizes; trade: price, size; bar: o, h, l, c, volume


class _Common:
    """What every event has."""

    __slots__ = ()
    kind: ClassVar[str]
    source: ClassVar[str] = "paper"
    account: str
    version: int
    at_ns: int
    at = Instant()

    def to_dict(self) -> dict[str, object]:
        """Every field by name, numbers as Decimal and instants as datetime."""
        return {"kind": self.kind, "source": self.source, **record_dict(self)}

    def _repr_html_(self) -> str:
        return html_table(self.kind.replace("_", " "), self.to_dict())

    def __repr__(self) -> str:
        shown = {
            name: value
            for name, value in record_dict(self).items()
            if name not in ("account", "version", "at") and value not in (None, (), "", 0, {})
        }
        facts = ", ".join(f"{name}={value!s}" for name, value in shown.items())
        return f"<{type(self).__name__} {self.account}@{self.version} {text_of_instant(self.at_ns)}: {facts}>"


class _OfOrder(_Common):
    """What every event about one order has."""

    __slots__ = ()
    number: int

    @property
    def order_id(self) -> str:
        """The order it is about."""
        return f"{self.account}-{self.number}"


# ------------------------------------------------------------- the account


class _AccountOpened(NamedTuple):
    account: str
    version: int
    at_ns: int
    currency: str
    decimals: int
    account_kind: str
    cost_method: str


class AccountOpened(_Common, _AccountOpened):
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


class CashDeposited(_Common, _CashDeposited):
    """Money came in."""

    __slots__ = ()
    kind = "cash_deposited"
    amount = Amount()


class CashWithdrawn(_Common, _CashDeposited):
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


class WithdrawalRejected(_Common, _WithdrawalRejected):
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


class DayOpened(_Common, _DayOpened):
    """A trading day began for the account. The only thing that resets daily figures."""

    __slots__ = ()
    kind = "day_opened"
    equity = Amount()


# ------------------------------------------------------------------ orders


class _OrderAccepted(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    terms: OrderTerms
    quantity_units: int
    expires_ns: int | None
    hold_units: int  # what this order needs to be held
    held_units: int  # by how much the account's held money changed
    oco: int


class OrderAccepted(_OfOrder, _OrderAccepted):
    """The order is working; money or holdings are held for what could not fill at once."""

    __slots__ = ()
    kind = "order_accepted"
    quantity = Amount()
    hold = Amount()


class _OrderRejected(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    terms: OrderTerms
    quantity_units: int
    reason: str
    numbers: Numbers


class OrderRejected(_OfOrder, _OrderRejected):
    """The order was refused, with the reason and the numbers compared."""

    __slots__ = ()
    kind = "order_rejected"
    quantity = Amount()


class _OrderTriggered(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    rule: str
    evidence: Evidence


class OrderTriggered(_OfOrder, _OrderTriggered):
    """A stop price was reached. It happens once and cannot be undone."""

    __slots__ = ()
    kind = "order_triggered"


class _OrderFilled(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    fill_number: int
    symbol: str
    sign: int
    quantity_units: int
    price_units: int
    base_units: int  # the price before slippage
    value_units: int  # price × quantity × multiplier, booked
    closed_units: int  # the part that closed an opposite position
    closed_value_units: int
    released_units: int  # booked cost of what was closed, signed like the position
    realized_units: int  # profit or loss of what was closed, before fees
    fees: tuple[tuple[str, int], ...]  # (kind, units); a rebate is negative
    hold_units: int  # what the order still needs to be held
    held_units: int  # by how much the account's held money changed
    role: str
    rule: str
    evidence: Evidence
    model: str


class OrderFilled(_OfOrder, _OrderFilled):
    """A part or all of an order executed: price, rule, evidence, money and fees."""

    __slots__ = ()
    kind = "order_filled"
    quantity = Amount()
    price = Amount()
    base_price = MaybeAmount()
    value = Amount()
    realized = Amount()

    @property
    def base_price_units(self) -> int:
        """The price before slippage, in units."""
        return self.base_units

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return Side.BUY if self.sign > 0 else Side.SELL

    @property
    def fee_units(self) -> int:
        """All fees of the fill, in units."""
        return sum(units for _, units in self.fees)

    fee = Amount()

    @property
    def fill_id(self) -> str:
        """The account's own number for the fill, the same on every run."""
        return f"{self.account}-F{self.fill_number}"


class _OrderModified(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    quantity_units: int
    limit_units: int | None
    stop_units: int | None
    expires_ns: int | None
    hold_units: int
    held_units: int
    command_id: str | None


class OrderModified(_OfOrder, _OrderModified):
    """The order has a new total quantity, price or expiry."""

    __slots__ = ()
    kind = "order_modified"
    quantity = Amount()


class _OrderModifyRejected(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    reason: str
    numbers: Numbers
    command_id: str | None


class OrderModifyRejected(_OfOrder, _OrderModifyRejected):
    """A change was refused; the order stands as it stood."""

    __slots__ = ()
    kind = "order_modify_rejected"


class _OrderReduced(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    quantity_units: int
    reason: str
    numbers: Numbers
    hold_units: int
    held_units: int


class OrderReduced(_OfOrder, _OrderReduced):
    """A part of the order was canceled and the rest goes on."""

    __slots__ = ()
    kind = "order_reduced"
    quantity = Amount()


class _OrderCanceled(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    reason: str
    numbers: Numbers
    held_units: int
    command_id: str | None


class OrderCanceled(_OfOrder, _OrderCanceled):
    """What remained of the order is canceled."""

    __slots__ = ()
    kind = "order_canceled"


class _OrderExpired(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    held_units: int


class OrderExpired(_OfOrder, _OrderExpired):
    """The order's time was up."""

    __slots__ = ()
    kind = "order_expired"


class _OrdersLinked(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    other: int
    held_units: int


class OrdersLinked(_OfOrder, _OrdersLinked):
    """Two working orders were linked: a fill of one cancels or shrinks the other."""

    __slots__ = ()
    kind = "orders_linked"


# ------------------------------------------------------- limits and margin


class _LimitLatched(NamedTuple):
    account: str
    version: int
    at_ns: int
    limit: str
    numbers: Numbers


class LimitLatched(_Common, _LimitLatched):
    """A loss limit was reached (or the kill switch thrown): only reducing orders pass until it is reset."""

    __slots__ = ()
    kind = "limit_latched"


class _LimitReset(NamedTuple):
    account: str
    version: int
    at_ns: int
    limit: str
    command_id: str | None


class LimitReset(_Common, _LimitReset):
    """A latch was opened again, by hand or by a new day."""

    __slots__ = ()
    kind = "limit_reset"


class _EquityMarked(NamedTuple):
    account: str
    version: int
    at_ns: int
    equity_units: int


class EquityMarked(_Common, _EquityMarked):
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


class MarginCalled(_Common, _MarginCalled):
    """Equity fell below the maintenance margin: only reducing orders pass."""

    __slots__ = ()
    kind = "margin_called"
    equity = Amount()
    maintenance = Amount()


class MarginCallCleared(_Common, _MarginCalled):
    """Equity is back above the maintenance margin."""

    __slots__ = ()
    kind = "margin_call_cleared"
    equity = Amount()
    maintenance = Amount()


Event: TypeAlias = (
    AccountOpened
    | CashDeposited
    | CashWithdrawn
    | WithdrawalRejected
    | DayOpened
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
    | EquityMarked
    | MarginCalled
    | MarginCallCleared
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
        EquityMarked,
        MarginCalled,
        MarginCallCleared,
    )
}
"""Every event by its stored name."""


def describe_numbers(numbers: Numbers) -> str:
    """Compared numbers as text: ``required 1000.5, available 900``."""
    return ", ".join(f"{name} {text_of(units)}" for name, units in numbers)
