"""Planted in settlement: when trades settle, how often, and what is left of them by then."""

from __future__ import annotations

from typing import Any

from papertrade.domain.events import TradesSettled
from papertrade.engine import filling, funds, settlement
from papertrade.ledger import settling

from .plant import Plant, saboteur


@saboteur("S2")
def trades_settle_twice(plant: Plant) -> None:
    """Whoever wakes the account writes its settlement again."""

    def make(true: Any) -> Any:
        def twice(step: Any) -> None:
            true(step)
            for event in [event for event in step.events if isinstance(event, TradesSettled)]:
                step.emit(event._replace(version=step.state.version + 1))

        return twice

    plant.everywhere(settlement, "settle", make)


@saboteur("S2", differential=True)
def trades_settle_a_day_early(plant: Plant) -> None:
    """What takes two days is there on the first."""
    plant.here(settlement, "SettlementSet", lambda true: lambda *about: true(*about[:-2], about[-3], about[-1]))


@saboteur("S2", differential=True)
def settlement_counts_from_the_first_trade(plant: Plant) -> None:
    """The trade date that is known for a symbol is kept for ever, so that later fills join it."""
    plant.everywhere(settling, "is_set", lambda true: lambda parts, symbol, ns: any(p.symbol == symbol for p in parts))


@saboteur("S1", "S2", "A3", "S3")
def purchases_leave_what_is_unsettled(plant: Plant) -> None:
    """Spending takes nothing of what has not settled, so that more is unsettled than there is."""
    plant.here(settling, "_spend", lambda true: lambda parts, amount: (parts, 0))


@saboteur("S3", differential=True)
def early_sale_goes_unnoticed(plant: Plant) -> None:
    """Nobody asks what the shares that are sold were bought with."""
    plant.everywhere(settling, "sold_early", lambda true: lambda now, symbol, held: None)


@saboteur("A3", "L5", "M10", differential=True)
def unsettled_cash_buys_in_spite_of_the_rule(plant: Plant) -> None:
    """The rule that only settled cash buys is not asked."""
    plant.everywhere(funds, "withheld_cash", lambda true: lambda state, profile, now_ns: 0)


@saboteur("S2", differential=True)
def sale_is_settled_at_once(plant: Plant) -> None:
    """A fill that closes a position says nothing about its settlement."""

    def make(true: Any) -> Any:
        def only_openings(step: Any, market: Any, terms: Any) -> None:
            if not step.state.quantity(terms.key):
                true(step, market, terms)

        return only_openings

    plant.here(filling, "note_trade_day", make)
