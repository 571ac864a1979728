"""Position arithmetic: what a fill closes and opens, what the closed part had cost, and what average is left."""

from __future__ import annotations

from decimal import Decimal

import pytest

import papertrade as pt
from papertrade.domain.events import Evidence, OrderFilled
from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import SCALE
from papertrade.domain.positions import Lot
from papertrade.ledger.positions import PositionState, apply_fill, closing_part, released_cost, split_fill

X = Instrument("X")
CENT = SCALE // 100


def fill(position: PositionState, sign: int, quantity: int, price: int, at_ns: int, fifo: bool = True) -> OrderFilled:
    """Fill an order for whole pieces at a whole price, as the engine would, and move the position by it."""
    units, price_units = quantity * SCALE, price * SCALE
    whole = X.value(price_units, units)
    closed, value, closed_value, released, realized = split_fill(position, X, sign, units, price_units, whole)
    event = OrderFilled(
        "main", 1, at_ns, 1, 1, "X", sign, units, price_units, price_units, value, closed, closed_value, released,
        realized, (("commission", CENT),), 0, 0, "taker", "Q1", Evidence("quote", 1, at_ns, ()), "m",
    )  # fmt: skip
    apply_fill(position, event, fifo)
    return event


def lots(position: PositionState) -> list[tuple[int, int, int, int]]:
    """Each lot as quantity, Σ price × quantity, cost and when it was opened, in whole pieces."""
    return [(t.quantity_units // SCALE, t.pq // SCALE**2, t.cost_units // SCALE, t.opened_ns) for t in position.lots]


# ------------------------------------------------------------------ exact sums


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("fifo", [True, False])
def test_a_position_begins_with_nothing_and_sums_exactly(sign: int, fifo: bool) -> None:
    """Σ price × quantity, cost and fees of a position are exactly those of its fills, long and short."""
    position = PositionState("X")
    fill(position, sign, 3, 10, 5, fifo)
    fill(position, sign, 1, 14, 6, fifo)
    assert position.quantity_units == sign * 4 * SCALE
    assert position.pq == sign * 44 * SCALE**2
    assert position.cost_units == sign * 44 * SCALE
    assert position.fees_units == 2 * CENT
    assert position.opened_ns == 5


@pytest.mark.parametrize("sign", [1, -1])
def test_oldest_lots_close_first_over_several_lots(sign: int) -> None:
    """FIFO: a close takes whole lots from the oldest on and the rest out of the next, which keeps its own instant."""
    position = PositionState("X")
    for quantity, price, at_ns in ((2, 10, 1), (3, 20, 2), (5, 30, 3), (1, 40, 4)):
        fill(position, sign, quantity, price, at_ns)
    closing = fill(position, -sign, 6, 50, 5)
    assert closing.released_units == sign * (20 + 60 + 30) * SCALE
    assert closing.realized_units == sign * (6 * 50 - 110) * SCALE
    assert lots(position) == [(sign * 4, sign * 120, sign * 120, 3), (sign, sign * 40, sign * 40, 4)]
    assert position.pq == sign * 160 * SCALE**2
    assert position.cost_units == sign * 160 * SCALE
    assert position.opened_ns == 1


def test_a_close_up_to_the_end_of_a_lot_leaves_the_next_untouched() -> None:
    """FIFO: a close that ends where a lot ends takes nothing from the lot behind it."""
    position = PositionState("X")
    fill(position, 1, 2, 10, 1)
    fill(position, 1, 3, 20, 2)
    fill(position, -1, 2, 30, 3)
    assert lots(position) == [(3, 60, 60, 2)]
    assert (position.pq, position.cost_units) == (60 * SCALE**2, 60 * SCALE)


def test_a_flat_position_knows_nothing_of_its_past_but_profit_and_fees() -> None:
    """Flat: no cost, no lots, no average, no instant; realized profit and fees stay."""
    position = PositionState("X")
    fill(position, 1, 2, 10, 1)
    fill(position, -1, 2, 12, 2)
    assert (position.quantity_units, position.pq, position.cost_units) == (0, 0, 0)
    assert (position.lots, position.opened_ns) == ((), None)
    assert (position.realized_units, position.fees_units) == (4 * SCALE, 2 * CENT)


def test_a_fill_through_zero_opens_at_its_own_price_and_instant() -> None:
    """What is left of a fill after closing opens a new position: its lot, its cost, its instant."""
    position = PositionState("X")
    fill(position, 1, 2, 10, 1)
    event = fill(position, -1, 5, 12, 2)
    assert (event.closed_units, event.closed_value_units) == (2 * SCALE, 24 * SCALE)
    assert (position.opened_ns, position.realized_units) == (2, 4 * SCALE)
    assert lots(position) == [(-3, -36, -36, 2)]


# ------------------------------------------------------------------ parts of a fill


@pytest.mark.parametrize(
    ("quantity", "sign", "units", "closes"),
    [(0, 1, 5, 0), (3, 1, 5, 0), (-3, 1, 5, 3), (-3, 1, 2, 2), (3, -1, 5, 3), (-3, -1, 5, 0), (-1, 1, 5, 1)],
)
def test_only_the_opposite_position_is_closed(quantity: int, sign: int, units: int, closes: int) -> None:
    """A fill closes at most what is held the other way, and nothing of a position on its own side."""
    assert closing_part(quantity, sign, units) == closes


def test_a_fill_in_one_piece_is_worth_what_it_was_worth() -> None:
    """Only a fill that crosses zero is priced in two parts; any other keeps the value it came with."""
    flat, held = PositionState("X"), PositionState("X")
    fill(held, 1, 2, 10, 1)
    assert split_fill(flat, X, 1, SCALE, 10 * SCALE, 77) == (0, 77, 0, 0, 0)
    assert split_fill(held, X, 1, SCALE, 10 * SCALE, 77) == (0, 77, 0, 0, 0)
    assert split_fill(held, X, -1, 2 * SCALE, 10 * SCALE, 77)[:3] == (2 * SCALE, 77, 77)


def test_lots_release_whole_cents_and_the_last_close_the_rest() -> None:
    """Thirds of a cent are released as cents; what rounding kept back leaves with the last piece of the lot."""
    position = PositionState("X")
    position.quantity_units, position.cost_units = 6, 201 * CENT
    position.lots = (Lot(3, 30, 100 * CENT, 1), Lot(3, 30, 101 * CENT, 2))
    assert released_cost(position, 1, CENT) == 33 * CENT
    assert released_cost(position, 3, CENT) == 100 * CENT
    assert released_cost(position, 5, CENT) == (100 + 67) * CENT
    assert released_cost(position, 6, CENT) == 201 * CENT


# ------------------------------------------------------------------ working orders


def test_working_orders_are_counted_for_each_side() -> None:
    """What open orders may still buy and what they may still sell are two figures that rise and fall on their own."""
    position = PositionState("X")
    for sign, units in ((1, 7), (-1, 5), (1, -3), (-1, -4)):
        position.add_working(sign, units)
    assert (position.working(1), position.working(-1)) == (4, 1)
    assert (position.working_buy_units, position.working_sell_units) == (4, 1)


def test_a_copy_has_every_field_and_shares_none() -> None:
    """A rehearsal works on a copy: it begins equal and changes alone."""
    position = PositionState("X")
    fill(position, 1, 2, 10, 1)
    twin = position.copy()
    assert all(getattr(twin, name) == getattr(position, name) for name in PositionState.__slots__)
    fill(twin, -1, 2, 10, 2)
    assert position.quantity_units == 2 * SCALE


def test_the_trader_sees_when_and_at_what_average_a_position_was_opened() -> None:
    """An average has no hidden remainder, and a position says since when it has been open."""
    broker = pt.open_paper_broker(cash=1_000_000, clock="data", cost_method="fifo")
    broker.on_quote("X", bid=10, ask=10, at="2026-01-05T10:00:00Z")
    broker.buy("X", 3)
    broker.on_quote("X", bid=11, ask=11, at="2026-01-05T11:00:00Z")
    broker.buy("X", 1)
    position = broker.position("X")
    assert position.average_price == Decimal("10.25")
    assert position.opened_at.isoformat() == "2026-01-05T10:00:00+00:00"
    assert [lot.opened_at.hour for lot in position.lots] == [10, 11]
