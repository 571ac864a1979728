"""Fills: what a trader sees of an ``OrderFilled`` event."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from papertrade.domain.events import Evidence, OrderFilled
from papertrade.domain.fields import Amount, Instant
from papertrade.domain.instants import to_datetime
from papertrade.domain.numbers import text_of, to_decimal
from papertrade.domain.position_keys import titled
from papertrade.domain.tables import html_table
from papertrade.domain.words import LiquidityRole, Side


class Fill:
    """One execution for our account: price, size, fees, and why it happened at that price.

    ``rule`` is the number of the fill rule in ``docs/reference/fill-rules.md``; ``evidence`` the datum that made it.
    """

    __slots__ = ("event",)
    source = "paper"

    def __init__(self, event: OrderFilled) -> None:
        self.event = event

    @property
    def id(self) -> str:
        """The account's own number for the fill."""
        return self.event.fill_id

    @property
    def order_id(self) -> str:
        """The order it belongs to."""
        return self.event.order_id

    @property
    def account(self) -> str:
        """The account it belongs to."""
        return self.event.account

    @property
    def symbol(self) -> str:
        """What was traded."""
        return self.event.symbol

    @property
    def product(self) -> str:
        """The product that it was traded in; empty in an account without products."""
        return self.event.product

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return self.event.side

    @property
    def role(self) -> LiquidityRole:
        """Maker or taker."""
        return LiquidityRole(self.event.role)

    @property
    def rule(self) -> str:
        """The number of the fill rule that made it."""
        return self.event.rule

    @property
    def model(self) -> str:
        """The fill settings and models in force, with their versions."""
        return self.event.model

    @property
    def evidence(self) -> Evidence:
        """The market data that justified it."""
        return self.event.evidence

    @property
    def evidence_age(self) -> timedelta:
        """How old that data was when it filled the order."""
        return self.filled_at - to_datetime(self.event.evidence.at_ns)

    @property
    def fees(self) -> dict[str, Decimal]:
        """Fees by kind; a rebate is negative."""
        return {kind: to_decimal(units) for kind, units in self.event.fees}

    # Amounts, read from the event's integers.
    quantity = Amount()
    price = Amount()
    value = Amount()
    fee = Amount()
    realized = Amount()
    base_price = Amount()
    filled_at = Instant()

    def __getattr__(self, name: str) -> int:
        # Only the integers behind the amounts above: price_units, filled_ns and their like.
        if name == "filled_ns":
            return self.event.at_ns
        if name.endswith("_units"):
            units: int = getattr(self.event, name)
            return units
        raise AttributeError(name)

    def to_dict(self) -> dict[str, object]:
        """Every public field by name."""
        return {name: getattr(self, name) for name in _FILL_FIELDS}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fill) and self.event == other.event

    def __hash__(self) -> int:
        return self.event.version

    def __repr__(self) -> str:
        e = self.event
        return (
            f"<Fill {self.id}: {e.side} {text_of(e.quantity_units)} {titled(e.symbol, e.product)} "
            f"at {text_of(e.price_units)} by rule {e.rule} as {e.role}>"
        )

    def _repr_html_(self) -> str:
        return html_table(f"Fill {self.id}", self.to_dict())


_FILL_FIELDS = (
    "id",
    "order_id",
    "account",
    "symbol",
    "product",
    "side",
    "quantity",
    "price",
    "base_price",
    "value",
    "fee",
    "fees",
    "realized",
    "role",
    "rule",
    "model",
    "filled_at",
    "source",
)
