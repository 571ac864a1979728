"""Planted where commands come in: keys, answers, errors."""

from __future__ import annotations

from typing import Any

from papertrade.domain.events import OrderRejected
from papertrade.engine import sizing
from papertrade.errors import KeyConflictError, StoreUnavailableError
from papertrade.hosting import account as asking
from papertrade.hosting import desk, requests
from papertrade.hosting.account import AccountDesk
from papertrade.hosting.history import History

from .plant import Plant, saboteur


@saboteur("K1", "K2", "K3", "K4")
def key_not_given_to_the_store(plant: Plant) -> None:
    """The key of a command is written into its events, and the store never hears of it."""
    plant.everywhere(desk, "batch_of", lambda true: lambda step, commit_id: true(step, None))


@saboteur("K2", "K4")
def repeat_answered_by_the_latest_order(plant: Plant) -> None:
    """Whoever asks again gets the newest order for an answer."""

    def make(true: Any) -> Any:
        def first_order(self: Any, *asked: Any) -> Any:
            found = yield from true(self, *asked)
            if found is None:
                return None
            seat = yield from self.desk.seat(self.account)
            return (yield from self.order(f"{self.account}-{seat.state.next_order - 1}"))

        return first_order

    plant.here(AccountDesk, "_first_order", make)


@saboteur("K3")
def other_content_under_a_key_accepted(plant: Plant) -> None:
    """A key that was used before brings its first answer, whatever is asked under it now."""
    plant.patch.setattr(asking, "check_same", lambda key, first, now: None)


@saboteur("K5", "A1")
def key_in_progress_for_ever(plant: Plant) -> None:
    """A key is locked while its order is placed, and stays locked when the store fails."""

    def make(true: Any) -> Any:
        def place(self: Any, terms: Any) -> Any:
            busy, key = self.desk.__dict__.setdefault("busy", set()), (self.account, terms.client_order_id)
            if key[1] is not None and key in busy:
                raise StoreUnavailableError("the order is being placed")
            busy.add(key)
            order = yield from true(self, terms)
            busy.discard(key)
            return order

        return place

    plant.here(AccountDesk, "place", make)


@saboteur("K7", "K1", "K2", "K3", "K4")
def refused_order_leaves_its_key_free(plant: Plant) -> None:
    """An order that is refused does not use up its key, so that asking again decides again."""

    def make(true: Any) -> Any:
        def batch_of(step: Any, commit_id: str | None) -> Any:
            refused = any(isinstance(event, OrderRejected) for event in step.events)
            return true(step, None if refused else commit_id)

        return batch_of

    plant.everywhere(desk, "batch_of", make)


@saboteur("A1")
def amount_of_money_without_a_price(plant: Plant) -> None:
    """An order for an amount of money takes it that there is a price."""

    def size(step: Any, market: Any, terms: Any) -> Any:
        price = terms.limit_units or terms.stop_units or market.reference(terms.sign)
        return market.instrument.quantity_for(terms.notional_units, price)

    plant.everywhere(sizing, "size_by_money", lambda true: size)


@saboteur("A1")
def sign_of_a_price_dropped(plant: Plant) -> None:
    """A price below zero is read as one above it."""

    def make(true: Any) -> Any:
        return lambda value, field: true(abs(value), field)

    plant.here(requests, "parse_positive", make)


@saboteur("A2")
def conflict_noticed_after_the_deed(plant: Plant) -> None:
    """An order under a used key with another content is placed, and then refused as misuse."""

    def make(true: Any) -> Any:
        def place(self: Any, terms: Any) -> Any:
            try:
                return (yield from true(self, terms))
            except KeyConflictError:
                yield from true(self, terms._replace(client_order_id=None))
                raise

        return place

    plant.here(AccountDesk, "place", make)


@saboteur("A3")
def newest_fill_left_out(plant: Plant) -> None:
    """The list of fills ends one too early."""

    def make(true: Any) -> Any:
        def fills(self: Any) -> Any:
            return (yield from true(self))[:-1]

        return fills

    plant.here(History, "all_fills", make)
