"""Events about one order: from its acceptance or refusal to its end."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.fields import Amount, MaybeAmount
from papertrade.domain.happenings import Evidence, Numbers, OrderHappening
from papertrade.domain.orders import OrderTerms
from papertrade.domain.position_keys import OfPosition
from papertrade.domain.words import Side


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


class OrderAccepted(OrderHappening, _OrderAccepted):
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


class OrderRejected(OrderHappening, _OrderRejected):
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


class OrderTriggered(OrderHappening, _OrderTriggered):
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
    product: str = ""


class OrderFilled(OfPosition, OrderHappening, _OrderFilled):
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


class OrderModified(OrderHappening, _OrderModified):
    """The order has a new total quantity, price or expiry."""

    __slots__ = ()
    kind = "order_modified"
    quantity = Amount()


class _OrderModifyRejected(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    new_quantity_units: int | None  # what was asked for, None where no change was
    new_limit_units: int | None
    new_stop_units: int | None
    new_expires_ns: int | None
    reason: str
    numbers: Numbers
    command_id: str | None


class OrderModifyRejected(OrderHappening, _OrderModifyRejected):
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


class OrderReduced(OrderHappening, _OrderReduced):
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


class OrderCanceled(OrderHappening, _OrderCanceled):
    """What remained of the order is canceled."""

    __slots__ = ()
    kind = "order_canceled"


class _OrderExpired(NamedTuple):
    account: str
    version: int
    at_ns: int
    number: int
    held_units: int


class OrderExpired(OrderHappening, _OrderExpired):
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


class OrdersLinked(OrderHappening, _OrdersLinked):
    """Two working orders were linked: a fill of one cancels or shrinks the other."""

    __slots__ = ()
    kind = "orders_linked"
