"""Planted in the life of orders: moves, quantities, numbers, conditions, links and reasons."""

from __future__ import annotations

from typing import Any

from papertrade.domain.events import OrderRejected
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import CancelReason, OrderStatus, TimeInForce
from papertrade.engine import change, filling, order_moves, place, sizing
from papertrade.engine.evolve import MOVERS

from .plant import Plant, saboteur

DAY_NS = 86_400 * 10**9


def _after(true: Any, then: Any) -> Any:
    """Move an order as it should be, and then once more."""

    def move(order: Any, event: Any) -> None:
        true(order, event)
        then(order, event)

    return move


def _unrefused(plant: Plant, reason: RejectReason) -> None:
    """Changes are not refused for this reason any more."""

    def make(true: Any) -> Any:
        def refuse(*about: Any) -> Any:
            found = true(*about)
            return None if found is not None and found[0] is reason else found

        return refuse

    plant.here(change, "_refuse_change", make)


@saboteur("O1")
def changed_order_begins_again(plant: Plant) -> None:
    """An order that was changed is back at accepted, whatever it had filled."""

    def begin(order: Any, event: Any) -> None:
        order.status = OrderStatus.ACCEPTED

    plant.here(order_moves, "modified", lambda true: _after(true, begin))


@saboteur("O2", "O1", "A6")
def canceled_part_counted_as_filled(plant: Plant) -> None:
    """What a linked order took away counts as filled."""

    def count(order: Any, event: Any) -> None:
        order.canceled_units -= event.quantity_units
        order.filled_units += event.quantity_units

    plant.here(order_moves, "reduced", lambda true: _after(true, count))


@saboteur("O3")
def average_of_the_last_fill(plant: Plant) -> None:
    """The average price of an order is the price of its last fill."""

    def forget(order: Any, event: Any) -> None:
        order.pq = event.price_units * order.filled_units

    plant.here(order_moves, "filled", lambda true: _after(true, forget))


@saboteur("O4", "A6", "K2")
def refused_order_takes_no_number(plant: Plant) -> None:
    """The next order gets the number of one that was refused."""

    def make(true: Any) -> Any:
        def rejected(state: Any, event: Any) -> None:
            true(state, event)
            state.next_order = event.number

        return rejected

    plant.entry(MOVERS, OrderRejected, make)


@saboteur("O5", "A1", "A6", "O2")
def change_below_what_is_filled(plant: Plant) -> None:
    """An order can be made smaller than what it has filled."""
    _unrefused(plant, RejectReason.BELOW_FILLED_QUANTITY)


@saboteur("O5")
def stop_moved_after_its_trigger(plant: Plant) -> None:
    """The stop price of an order that was triggered can be changed."""
    _unrefused(plant, RejectReason.ALREADY_TRIGGERED)


@saboteur("O6")
def immediate_order_rests(plant: Plant) -> None:
    """What an immediate order could not fill waits for more."""
    plant.patch.setattr(place, "_IOC", None)


@saboteur("O6", "M10")
def fill_or_kill_fills_in_part(plant: Plant) -> None:
    """A fill-or-kill order takes what there is."""
    plant.patch.setattr(sizing, "_FOK", None)


@saboteur("O6", "M1", "M10")
def post_only_order_takes(plant: Plant) -> None:
    """Nobody looks whether a post-only order would take."""

    def make(true: Any) -> Any:
        def refuse(*about: Any) -> Any:
            found = true(*about)
            return None if found is not None and found[0] is RejectReason.POST_ONLY_WOULD_TAKE else found

        return refuse

    plant.here(place, "refuse_conditions", make)


@saboteur("O6")
def day_order_ends_a_day_late(plant: Plant) -> None:
    """A day order lives to the end of the day after."""

    def make(true: Any) -> Any:
        def late(step: Any, market: Any, terms: Any) -> Any:
            expires = true(step, market, terms)
            return expires + DAY_NS if terms.tif is TimeInForce.DAY else expires

        return late

    plant.here(place, "expiry_of", make)


@saboteur("O7", differential=True)
def linked_order_left_alone(plant: Plant) -> None:
    """A fill of one leg does nothing to the other."""
    plant.patch.setattr(filling, "_settle_linked", lambda step, order, quantity: None)


@saboteur("O7", "R2", "O8", differential=True)
def reduce_only_forgotten(plant: Plant) -> None:
    """Whatever remains may fill, whether it reduces or not."""
    plant.everywhere(filling, "fillable", lambda true: lambda step, order: (order.remaining_units, None))


@saboteur("O7", "O9", "L5")
def link_known_to_one_side(plant: Plant) -> None:
    """Of two orders that are linked only the first hears of it."""

    def make(true: Any) -> Any:
        return lambda order, event: true(order, event) if order.number == event.number else None

    plant.here(order_moves, "linked", make)


@saboteur("O8")
def refusal_compares_the_wrong_way_round(plant: Plant) -> None:
    """A refusal says that less was needed than was there."""

    def make(true: Any) -> Any:
        def reject(step: Any, terms: Any, quantity: int, refused: Any) -> int:
            reason, numbers = refused
            if len(numbers) == 2 and numbers[0][0] == "required":
                numbers = ((numbers[0][0], numbers[1][1]), (numbers[1][0], numbers[0][1]))
            return int(true(step, terms, quantity, (reason, numbers)))

        return reject

    plant.here(place, "_reject", make)


@saboteur("O8")
def immediate_order_ends_for_another_reason(plant: Plant) -> None:
    """What an immediate order left is canceled as if it had been all or nothing."""

    def make(true: Any) -> Any:
        def cancel(step: Any, order: Any, reason: CancelReason, *rest: Any) -> None:
            wrong = CancelReason.FOK_UNFILLED if reason is CancelReason.IOC_REMAINDER else reason
            true(step, order, wrong, *rest)

        return cancel

    plant.here(place, "cancel", make)
