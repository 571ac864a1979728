"""Planted in auctions: who takes part, at which price, and what stands for a price that does not come."""

from __future__ import annotations

from typing import Any

from papertrade.domain.hours import Phase
from papertrade.domain.words import TimeInForce
from papertrade.engine import auctions, hours

from .plant import Plant, saboteur


@saboteur("M1", "M10")
def auction_pays_each_his_limit(plant: Plant) -> None:
    """Who has a limit gets that, and not the one price of the auction."""

    def make(true: Any) -> Any:
        def fill(rule: str, price: int, size: Any, sign: int, limit: Any, settings: Any) -> Any:
            found = true(rule, price, size, sign, limit, settings)
            return found if limit is None else [one._replace(price_units=limit) for one in found]

        return fill

    plant.here(auctions, "fill_in_auction", make)


@saboteur("O6", "M1", "M10")
def opg_fills_in_continuous_trading(plant: Plant) -> None:
    """An order for the opening auction takes what there is while the market trades."""

    def make(true: Any) -> Any:
        def allows(step: Any, terms: Any, phase: Any) -> bool:
            return bool(true(step, terms, phase) or (terms.tif is TimeInForce.OPG and phase is Phase.REGULAR))

        return allows

    plant.here(hours, "_allows", make)


@saboteur("M1", "M10")
def auction_takes_who_came_after_its_cut_off(plant: Plant) -> None:
    """Whoever waits when the price comes has it, also who came when the auction was over."""

    def make(true: Any) -> Any:
        def takes_part(market: Any, order: Any, near: Any) -> bool:
            if order.terms.tif.auction is None and near is not None and near.until_ns <= market.auction.at_ns:
                near = near._replace(until_ns=market.auction.at_ns)
            return bool(true(market, order, near))

        return takes_part

    plant.here(auctions, "_takes_part", make)


@saboteur("M1", "M10")
def last_price_of_another_session(plant: Plant) -> None:
    """An order for the closing price meets the last price that there is, of whichever session."""
    plant.here(
        auctions, "last_of_session", lambda true: lambda market, bell: true(market, bell._replace(opens_ns=0))
    )


@saboteur("O6", "M10")
def rest_of_an_auction_waits_for_another(plant: Plant) -> None:
    """What an order for an auction did not get there stays."""
    plant.here(auctions, "_end", lambda true: lambda step, order: None)


@saboteur("O6", "T2", "M10")
def order_for_an_auction_that_is_over(plant: Plant) -> None:
    """Between its cut-off and its price an auction still takes orders."""
    plant.here(hours, "_refuse_auction", lambda true: lambda step, market, terms: None)
