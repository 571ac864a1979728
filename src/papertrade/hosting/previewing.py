"""Previewing: what an order would do now, decided on a copy and forgotten."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.events import Event, OrderAccepted, OrderFilled, OrderRejected
from papertrade.domain.fields import Amount, MaybeAmount
from papertrade.domain.numbers import text_of
from papertrade.domain.rejections import REJECT_SENTENCES, RejectReason
from papertrade.domain.tables import html_table


class _Preview(NamedTuple):
    symbol: str
    side: str
    quantity_units: int
    reason: RejectReason | None
    numbers: tuple[tuple[str, int], ...]
    filled_units: int
    average_price_units: int | None
    value_units: int
    fees: tuple[tuple[str, int], ...]
    fee_units: int
    hold_units: int
    rules: tuple[str, ...]


class Preview(_Preview):
    """What placing an order now would do: refusal, or fills, fees and hold. Nothing happened."""

    __slots__ = ()
    quantity = Amount()
    filled = Amount()
    average_price = MaybeAmount()
    value = Amount()
    fee = Amount()
    hold = Amount()

    @property
    def accepted(self) -> bool:
        """Would it be accepted?"""
        return self.reason is None

    def __repr__(self) -> str:
        head = f"<Preview {self.side} {text_of(self.quantity_units)} {self.symbol}: "
        if self.reason is not None:
            numbers = ", ".join(f"{name} {text_of(units)}" for name, units in self.numbers)
            return f"{head}refused, {REJECT_SENTENCES[self.reason]}{f' ({numbers})' if numbers else ''}>"
        price = "" if self.average_price_units is None else f" at {text_of(self.average_price_units)}"
        return (
            f"{head}{text_of(self.filled_units)} would fill{price}, fees {text_of(self.fee_units)}, "
            f"hold {text_of(self.hold_units)}>"
        )

    def _repr_html_(self) -> str:
        fields = ("quantity", "reason", "filled", "average_price", "value", "fee", "hold", "rules")
        return html_table(f"Preview {self.symbol}", {name: getattr(self, name) for name in fields})


def preview_of(events: list[Event], symbol: str, side: str) -> Preview:
    """The preview of what a rehearsed step made."""
    fills = [e for e in events if isinstance(e, OrderFilled)]
    quantity = hold = 0
    reason: RejectReason | None = None
    numbers: tuple[tuple[str, int], ...] = ()
    for event in events:
        if isinstance(event, OrderAccepted):
            quantity, hold = event.quantity_units, event.hold_units
        elif isinstance(event, OrderRejected):
            quantity, reason, numbers = event.quantity_units, RejectReason(event.reason), event.numbers
    filled = sum(f.quantity_units for f in fills)
    exact = sum(f.price_units * f.quantity_units for f in fills)
    lines: dict[str, int] = {}
    for fill in fills:
        for kind, units in fill.fees:
            lines[kind] = lines.get(kind, 0) + units
    return Preview(
        symbol,
        side,
        quantity,
        reason,
        numbers,
        filled,
        exact // filled if filled else None,
        sum(f.value_units for f in fills),
        tuple(lines.items()),
        sum(lines.values()),
        hold,
        tuple(f.rule for f in fills),
    )
