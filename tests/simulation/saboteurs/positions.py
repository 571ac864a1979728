"""Planted in the positions: what a fill closes, opens, costs and earns, and what is shown of it."""

from __future__ import annotations

from typing import Any

from papertrade.domain.numbers import SCALE
from papertrade.hosting import reading
from papertrade.ledger import positions

from .plant import Plant, saboteur


@saboteur("P1", "P2")
def flip_opens_the_whole_fill(plant: Plant) -> None:
    """A fill that crosses zero opens what it closed a second time."""

    def make(true: Any) -> Any:
        def apply(position: Any, fill: Any, fifo: bool) -> None:
            true(position, fill, fifo)
            if 0 < fill.closed_units < fill.quantity_units:
                position.quantity_units += fill.sign * fill.closed_units

        return apply

    plant.everywhere(positions, "apply_fill", make)


@saboteur("P2", differential=True)
def cost_released_rounded_up(plant: Plant) -> None:
    """A partial close releases its part of the cost rounded up."""

    def share_up(amount: int, part: int, whole: int, step: int = 1) -> int:
        size = -(-abs(amount) * part // (whole * step)) * step
        return size if amount >= 0 else -size

    plant.patch.setattr(positions, "share_down", share_up)


@saboteur("P2", "P3")
def newest_lot_closed_first(plant: Plant) -> None:
    """Cost is released from the newest lot, while the oldest goes."""

    def make(true: Any) -> Any:
        def released(position: Any, closed: int, minor: int) -> int:
            twin = position.copy()
            twin.lots = position.lots[::-1]
            return int(true(twin, closed, minor))

        return released

    plant.everywhere(positions, "released_cost", make)


@saboteur("P2")
def average_not_reduced_by_a_close(plant: Plant) -> None:
    """After a partial close the average is still worked out from everything that was ever opened."""

    def make(true: Any) -> Any:
        def close(position: Any, sign: int, closed: int, released: int) -> None:
            pq = position.pq
            true(position, sign, closed, released)
            if position.quantity_units:
                position.pq = pq

        return close

    plant.here(positions, "_close", make)


@saboteur("P3")
def flip_realizes_on_the_whole_fill(plant: Plant) -> None:
    """The profit of a fill that crosses zero counts what it opens as well."""

    def make(true: Any) -> Any:
        def split(position: Any, instrument: Any, sign: int, units: int, price: int, whole: int) -> Any:
            closed, value, _, released, realized = true(position, instrument, sign, units, price, whole)
            return closed, value, value if closed else 0, released, -sign * value - released if closed else realized

        return split

    plant.everywhere(positions, "split_fill", make)


@saboteur("P4")
def position_worth_a_unit_at_least(plant: Plant) -> None:
    """Nothing is ever worth nothing, a flat position included."""

    def make(true: Any) -> Any:
        return lambda instrument, quantity, price: true(instrument, quantity, price) or instrument.minor_units

    plant.here(reading, "signed_value", make)


@saboteur("P6")
def multiplier_forgotten_in_a_view(plant: Plant) -> None:
    """What a position is worth is shown without the multiplier of its instrument."""

    def value(instrument: Any, quantity: int, price: int) -> int:
        minor = int(instrument.minor_units)
        return quantity * price // (SCALE * minor) * minor

    plant.patch.setattr(reading, "signed_value", value)


@saboteur("P6", "L4")
def unrealized_shown_from_the_bid(plant: Plant) -> None:
    """The money of an account counts its positions at the bid, and each position is shown at its mark."""

    def make(true: Any) -> Any:
        def appraise(state: Any, profile: Any, markets: Any) -> Any:
            now = true(state, profile, markets)
            for position in state.holdings.values():
                market = markets[position.symbol]
                mark, bid, size = market.mark_units, market.bid_units, position.quantity_units
                if mark is not None and bid is not None:
                    lost = reading.signed_value(market.instrument, size, mark) - reading.signed_value(
                        market.instrument, size, bid
                    )
                    now = now._replace(equity=now.equity - lost, market_value=now.market_value - lost)
            return now

        return appraise

    plant.here(reading, "appraise", make)
