"""Lots as the oracle keeps them: what was opened together and goes together, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from papertrade.domain.events import AccountReset, DayClosed, Event, OrderFilled, PositionConverted, PositionImported
from papertrade.domain.position_keys import position_key
from papertrade.testing.oracle import arithmetic as money


class Lot(NamedTuple):
    """What was opened together, signed like the position: ``worth`` is its booked cost, or its price × quantity."""

    quantity: int
    worth: int
    opened: int = 0


Move = OrderFilled | PositionImported | PositionConverted
"""What changes a position."""


def change_of(move: Move, key: str) -> int:
    """By how much something changed a position."""
    if isinstance(move, PositionConverted):
        leaves = key == position_key(move.symbol, move.from_product)
        return -move.quantity_units if leaves else move.quantity_units
    return getattr(move, "sign", 1) * move.quantity_units


def closing_part(lots: list[Lot], sign: int, quantity: int) -> int:
    """How much of a trade closes what is held."""
    return min(quantity, max(0, -sign * sum(lot.quantity for lot in lots)))


def close_lots(lots: list[Lot], closed: int, step: int) -> tuple[list[Lot], int]:
    """The lots without ``closed``, oldest first, and what went was worth. Part of a lot takes part of it."""
    left, released = [], 0
    for quantity, worth, opened in lots:
        part = min(closed, abs(quantity))
        gone = money.share(worth, part, abs(quantity), step) if part < abs(quantity) else worth
        closed -= part
        released += gone
        if part < abs(quantity):
            left.append(Lot(quantity - part if quantity > 0 else quantity + part, worth - gone, opened))
    return left, released


def gone_from(before: list[Lot], left: list[Lot]) -> list[Lot]:
    """What went of some lots of which these are left; the last of it perhaps a part."""
    whole = len(before) - len(left)
    gone = list(before[:whole])
    if left and left[0] != before[whole]:
        one, rest = before[whole], left[0]
        gone.append(Lot(one.quantity - rest.quantity, one.worth - rest.worth, one.opened))
    return gone


def keys_of(move: Move) -> tuple[str, ...]:
    """The positions that something moves."""
    if isinstance(move, PositionConverted):
        return tuple(position_key(move.symbol, product) for product in (move.from_product, move.to_product))
    return (move.key,)


def told_price(events: Sequence[Event], key: str) -> tuple[int, int] | None:
    """(when, price) of what events tell last of a position: a fill, a close, or where it was converted from."""
    for count in range(len(events) - 1, -1, -1):
        event = events[count]
        if isinstance(event, OrderFilled) and event.key == key:
            return event.at_ns, event.price_units
        if isinstance(event, DayClosed) and key in dict(event.marks):
            return event.at_ns, dict(event.marks)[key]
        if isinstance(event, PositionConverted) and key == keys_of(event)[1]:
            before = [told_price(events[:count], either) for either in (key, keys_of(event)[0])]
            return max((told for told in before if told is not None), key=lambda told: told[0], default=None)
        if isinstance(event, AccountReset):
            break
    return None
