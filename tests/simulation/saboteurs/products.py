"""Planted in products: positions that net, the wrong one squared off, and conversions that lose something."""

from __future__ import annotations

from typing import Any

from papertrade.domain import orders
from papertrade.engine import conversion_moves, converting, gatekeeping, squaring
from papertrade.ledger import settling

from .plant import Plant, saboteur


@saboteur("P1", "M10", "P2", "P3", "O2", "A3", "R2", differential=True)
def products_are_netted(plant: Plant) -> None:
    """Whatever product an order names, it moves the one position of its symbol."""
    plant.patch.setattr(orders.OrderTerms, "key", property(lambda terms: terms.symbol))


@saboteur("T3", "R5", "M10", differential=True)
def wrong_product_is_squared_off(plant: Plant) -> None:
    """The stage of one product goes over all that is held on its market."""

    def make(true: Any) -> Any:
        def is_of(step: Any, what: Any, stage: Any) -> bool:
            hours = step.markets[what.symbol].hours
            return hours is not None and bool(hours.name == stage.calendar)

        return is_of

    plant.here(squaring, "_is_of", make)


@saboteur("P9", "P2", "M10", differential=True)
def conversion_loses_the_cost_of_a_lot(plant: Plant) -> None:
    """What goes over is worth its share of the whole, and not what its own lots cost."""

    def make(true: Any) -> Any:
        def released(position: Any, quantity: int, minor: int) -> int:
            size = abs(position.quantity_units)
            return int(position.cost_units * quantity // size // minor * minor)

        return released

    plant.here(converting, "released_cost", make)


@saboteur("P2", "E2", "M10", differential=True)
def converted_lots_stand_behind_the_others(plant: Plant) -> None:
    """In the other product what came over closes last, however old it is."""

    def make(true: Any) -> Any:
        def apply(source: Any, target: Any, event: Any) -> None:
            there = target.lots
            true(source, target, event)
            target.lots = (*there, *(lot for lot in target.lots if lot not in there))

        return apply

    plant.here(conversion_moves, "apply_conversion", make)


@saboteur("R2", "M10", differential=True)
def limit_counts_one_product_alone(plant: Plant) -> None:
    """The limit on a position does not see what other products hold of the symbol."""
    plant.here(gatekeeping, "_beside", lambda true: lambda step, terms: 0)


@saboteur("S2", "S1", "A3", "M10", differential=True)
def conversion_delivers_what_it_moves(plant: Plant) -> None:
    """What was not delivered is forgotten when it goes over to another product."""

    def make(true: Any) -> Any:
        def with_conversion(now: Any, source: str, target: str, held: int) -> Any:
            moved = true(now, source, target, held)
            known, parts = {part[:3]: part for part in now.settling}, []
            for part in moved.settling:
                before = known.get(part[:3], part._replace(quantity_units=0))
                parts.append(before if part.symbol == target else part)
            return moved._replace(settling=tuple(parts))

        return with_conversion

    plant.everywhere(settling, "with_conversion", make)
