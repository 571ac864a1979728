"""Planted in what is allowed: funds, limits, latches, margin."""

from __future__ import annotations

from typing import Any

from papertrade.domain.rejections import RejectReason
from papertrade.engine import change, funds, sizing, watch
from papertrade.engine.state import AccountState
from papertrade.hosting import reading
from papertrade.risk import gate

from .plant import Plant, saboteur


@saboteur("R1")
def initial_margin_shown_as_maintenance(plant: Plant) -> None:
    """The account shows its maintenance margin where its initial margin belongs."""

    def make(true: Any) -> Any:
        def appraise(*about: Any) -> Any:
            now = true(*about)
            return now._replace(initial=now.maintenance)

        return appraise

    plant.here(reading, "appraise", make)


@saboteur("R2", "L6", "L5", "M10", differential=True)
def held_money_available_again(plant: Plant) -> None:
    """What is held for one order may be spent on another."""
    plant.everywhere(funds, "available", lambda true: lambda step: true(step) + step.state.held)


@saboteur("R2", "L5", "M10", "R5", differential=True)
def working_orders_not_counted(plant: Plant) -> None:
    """Each order may close the whole position, whatever else is working."""
    plant.everywhere(
        funds,
        "opening_part",
        lambda true: lambda position, sign, quantity, sibling=None, own=None: quantity
        - min(quantity, funds.closable(position, sign)),
    )


@saboteur("R2", "M10", differential=True)
def no_collar_on_holds(plant: Plant) -> None:
    """A hold is worked out at the market's price, with nothing on top."""

    def make(true: Any) -> Any:
        return lambda step, market, sign, limit, stop: limit or stop or market.reference(sign)

    plant.everywhere(funds, "hold_price", make)


@saboteur("R2")
def one_open_order_too_many(plant: Plant) -> None:
    """As many orders as are allowed may be open when one more comes."""

    def orders(limits: Any, situation: Any) -> Any:
        most = limits.max_open_orders
        return None if most is None or situation.open_orders <= most else (situation.open_orders, most)

    checks = tuple((why, orders if why is RejectReason.MAX_OPEN_ORDERS else check) for why, check in gate.CHECKS)
    plant.patch.setattr(gate, "CHECKS", checks)


@saboteur("R2", "R5", "M10")
def enlarged_order_not_asked(plant: Plant) -> None:
    """An order may be made larger past every limit."""
    plant.patch.setattr(change, "_refuse_growth", lambda *about: None)


@saboteur("R3", "M10")
def every_order_needs_money(plant: Plant) -> None:
    """An order that only closes a position needs margin as if it opened one."""

    def need(step: Any, market: Any, terms: Any, taken: Any, sibling: Any) -> int | None:
        value = sum(piece.value_units for piece in taken)
        return value if terms.sign > 0 or step.profile.may_short(terms.product) else None

    plant.patch.setattr(sizing, "_need_now", need)


@saboteur("R5", "M10")
def latches_look_open(plant: Plant) -> None:
    """Only a margin call restricts an account; a limit that latched does not."""
    plant.patch.setattr(AccountState, "restricted", property(lambda state: state.margin_call))


@saboteur("R5", "M10")
def margin_call_restricts_nothing(plant: Plant) -> None:
    """Only a latched limit restricts an account; a margin call does not."""
    plant.patch.setattr(AccountState, "restricted", property(lambda state: bool(state.latches)))


@saboteur("M10", "R4", differential=True)
def band_of_a_watched_account_too_wide(plant: Plant) -> None:
    """An account near its limit is looked at too late."""
    true = watch._distances

    def distances(step: Any, now: Any) -> Any:
        fall, rise = true(step, now)
        return (None if fall is None else 100 * fall + 10**13), rise

    plant.patch.setattr(watch, "_distances", distances)
