"""Position arithmetic: what a fill closes, what it opens, and what the closed part had cost.

A position keeps two numbers beside its quantity: the exact Σ price × quantity (for averages) and its booked cost in
money. A partial close releases floor(cost × closed ÷ quantity), the last close the rest, so nothing is ever lost to
rounding. A fill that crosses zero is a close followed by an open.
"""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.events import OrderFilled, PositionConverted, PositionImported
from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import share_down
from papertrade.domain.positions import Lot


class _Unvalued(NamedTuple):
    symbol: str
    quantity_units: int  # signed like the position
    cost_units: int
    at_units: int | None  # the price at which it is counted: the last that the journal told; None is its cost
    first_units: int | None  # the price of its first fill since
    imported: bool
    of_day: bool


class Unvalued(_Unvalued):
    """A holding that a figure counts at an old price or at its cost: the market knew none when it began to be counted.

    The equity that the day began with counts what is ``of_day``, and the peak counts what was ``imported``. The peak
    outlives the day: what came in on an earlier day stays here for its sake, whether or not it is held at midnight.
    """

    __slots__ = ()


class PositionState:
    """One symbol of one account, and one product of it where it has some, as the fold of its fills."""

    __slots__ = (
        "cost_units",
        "fees_units",
        "lots",
        "mark_units",
        "marked_ns",
        "opened_ns",
        "pq",
        "product",
        "quantity_units",
        "realized_units",
        "symbol",
        "working_buy_units",
        "working_sell_units",
    )

    def __init__(self, symbol: str, product: str = "") -> None:
        self.symbol = symbol
        self.product = product
        self.quantity_units = 0
        self.pq = 0
        self.cost_units = 0
        self.realized_units = 0
        self.fees_units = 0
        self.opened_ns: int | None = None
        self.lots: tuple[Lot, ...] = ()  # kept under FIFO only; an average position is one pool
        # The last price of it that the journal tells: of its last fill, or at the last close. What the market knows is
        # newer, until a process starts again and the market knows nothing.
        self.mark_units: int | None = None
        self.marked_ns: int | None = None
        # What open orders may still buy and sell; linked orders count once.
        self.working_buy_units = 0
        self.working_sell_units = 0

    def copy(self) -> PositionState:
        """Another position with the same fields."""
        twin = PositionState.__new__(PositionState)
        for name in PositionState.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    def note_price(self, price: int, at_ns: int) -> None:
        """The journal tells a price."""
        self.mark_units, self.marked_ns = price, at_ns

    def working(self, sign: int) -> int:
        """What open orders of one side may still fill."""
        return self.working_buy_units if sign > 0 else self.working_sell_units

    def add_working(self, sign: int, units: int) -> None:
        """Change what open orders of one side may still fill."""
        if sign > 0:
            self.working_buy_units += units
        else:
            self.working_sell_units += units


def unvalued(position: PositionState, opened_ns: int, imported: bool) -> Unvalued:
    """What a day that opens now counts a position at, of which the market knows no price.

    It is the price at which the day before closed in the same instant; what that had none of is counted at its cost,
    and so was all of it before closings told older prices.
    """
    at = position.mark_units if position.marked_ns == opened_ns else None
    return Unvalued(position.symbol, position.quantity_units, position.cost_units, at, None, imported, True)


def closing_part(quantity_units: int, sign: int, fill_units: int) -> int:
    """How much of a fill closes an opposite position."""
    opposite = -sign * quantity_units
    if opposite <= 0:
        return 0
    return min(opposite, fill_units)


def split_fill(
    position: PositionState, instrument: Instrument, sign: int, fill_units: int, price_units: int, whole: int
) -> tuple[int, int, int, int, int]:
    """Price the two parts of a fill, each rounded on its own, as if they were two orders.

    ``whole`` is the value of the fill in one piece. Answers what is closed, the value of the fill, the value of the
    closing part, the booked cost it releases and the profit it realizes.
    """
    quantity = position.quantity_units
    if sign * quantity >= 0:
        return 0, whole, 0, 0, 0
    closed = closing_part(quantity, sign, fill_units)
    value = closed_value = whole
    if closed < fill_units:
        closed_value = instrument.value(price_units, closed)
        value = closed_value + instrument.value(price_units, fill_units - closed)
    released = released_cost(position, closed, instrument.minor_units)
    # Closing a long brings its value and gives up its cost; closing a short the reverse. ``released`` is signed.
    realized = -sign * closed_value - released
    return closed, value, closed_value, released, realized


def released_cost(position: PositionState, closed_units: int, minor_units: int) -> int:
    """The booked cost of what is closed, signed like the position: whole minor units, the last close gets the rest."""
    size = abs(position.quantity_units)
    if closed_units == size:
        return position.cost_units
    if not position.lots:
        return share_down(position.cost_units, closed_units, size, minor_units)
    released = 0
    for lot in position.lots:
        taken = min(abs(lot.quantity_units), closed_units)
        released += share_down(lot.cost_units, taken, abs(lot.quantity_units), minor_units)
        closed_units -= taken
        if not closed_units:
            break
    return released


def apply_fill(position: PositionState, fill: OrderFilled, fifo: bool) -> None:
    """Move a position by a fill: close first, then open."""
    closed, sign = fill.closed_units, fill.sign
    if fill.fees:
        position.fees_units += fill.fee_units
    position.mark_units, position.marked_ns = fill.price_units, fill.at_ns
    if closed:
        position.realized_units += fill.realized_units
        _close(position, sign, closed, fill.released_units)
    opened = fill.quantity_units - closed
    if opened:
        value = fill.value_units - fill.closed_value_units
        _open(position, sign, opened, fill.price_units, value, fill.at_ns, fifo)


def apply_import(position: PositionState, event: PositionImported, fifo: bool) -> None:
    """Move a position by what comes in without a trade: a lot of its own, on the side that is held already."""
    sign, size = (1, event.quantity_units) if event.quantity_units > 0 else (-1, -event.quantity_units)
    _open(position, sign, size, event.price_units, sign * event.cost_units, event.at_ns, fifo)


def apply_conversion(source: PositionState, target: PositionState, event: PositionConverted) -> None:
    """Move a part of a position to another product: as if closed at its cost there, and opened when it had been here.

    The lots go in the order in which they were opened, the last of them perhaps in part; in the other position they
    stand among its own by the time at which they were opened.
    """
    lots, pq, opened = source.lots, source.pq, source.opened_ns
    _close(source, -1 if event.quantity_units > 0 else 1, abs(event.quantity_units), event.cost_units)
    pq -= source.pq
    moved = _moved_lots(lots, source.lots)
    if moved:
        opened = moved[0].opened_ns
    if target.quantity_units and target.opened_ns is not None and opened is not None:
        opened = min(opened, target.opened_ns)
    target.opened_ns = opened
    if source.mark_units is not None and (target.marked_ns or -1) < (source.marked_ns or 0):
        target.mark_units, target.marked_ns = source.mark_units, source.marked_ns
    target.quantity_units += event.quantity_units
    target.pq += pq
    target.cost_units += event.cost_units
    if moved:
        target.lots = tuple(sorted((*target.lots, *moved), key=lambda lot: lot.opened_ns))


def released_pq(position: PositionState, closed_units: int) -> int:
    """The exact Σ price × quantity of what is closed, signed like the position."""
    size, sign = abs(position.quantity_units), 1 if position.quantity_units > 0 else -1
    if closed_units == size:
        return position.pq
    twin = position.copy()
    _close(twin, -sign, closed_units, 0)
    return position.pq - twin.pq


def _moved_lots(before: tuple[Lot, ...], left: tuple[Lot, ...]) -> list[Lot]:
    """What is gone of some lots of which these are left."""
    whole = len(before) - len(left)
    moved = list(before[:whole])
    if left and left[0] != before[whole]:
        one, rest = before[whole], left[0]
        quantity, cost = one.quantity_units - rest.quantity_units, one.cost_units - rest.cost_units
        moved.append(Lot(quantity, one.pq - rest.pq, cost, one.opened_ns))
    return moved


def _close(position: PositionState, sign: int, closed: int, released: int) -> None:
    size = abs(position.quantity_units)
    if closed == size:
        position.quantity_units = position.pq = position.cost_units = 0
        position.lots = ()
        position.opened_ns = None
        return
    if position.lots:
        position.pq -= _drop_lots(position, sign, closed, released)
    else:
        position.pq -= share_down(position.pq, closed, size)
    position.cost_units -= released
    position.quantity_units += sign * closed


def _drop_lots(position: PositionState, sign: int, closed: int, released: int) -> int:
    """Take ``closed`` from the oldest lots, at the cost that was released; answers their exact Σ price × quantity."""
    gone, lots = 0, list(position.lots)
    while closed:
        lot = lots[0]
        size = abs(lot.quantity_units)
        if size <= closed:
            gone += lot.pq
            released -= lot.cost_units
            closed -= size
            lots.pop(0)
            continue
        pq = share_down(lot.pq, closed, size)
        lots[0] = Lot(lot.quantity_units + sign * closed, lot.pq - pq, lot.cost_units - released, lot.opened_ns)
        gone, closed = gone + pq, 0
    position.lots = tuple(lots)
    return gone


def _open(
    position: PositionState, sign: int, opened: int, price: int, value: int, at_ns: int, fifo: bool
) -> None:
    if not position.quantity_units:
        position.opened_ns = at_ns
    quantity, pq, cost = sign * opened, sign * price * opened, sign * value
    position.quantity_units += quantity
    position.pq += pq
    position.cost_units += cost
    if fifo:
        position.lots = (*position.lots, Lot(quantity, pq, cost, at_ns))
