"""The client of one account: what it asked with a key, what it was answered, and what it still does not know."""

from __future__ import annotations

from papertrade.domain.orders import Order
from papertrade.testing.oracle import vocabulary as say

from .auditor.broken import BrokenInvariantError
from .turns import Asked, Clone, Deed

MOST_ENDED = 12


def key_of(command: Deed) -> str | None:
    """The key by which a command can be repeated, with its kind, as the store knows it."""
    if isinstance(command, say.Place):
        key = command.terms.client_order_id
        return None if key is None else f"order:{key}"
    if isinstance(command, say.PlacePair):
        key = command.first.client_order_id or command.second.client_order_id
        return None if key is None else f"order:{key}"
    if isinstance(command, Clone):
        return None if command.command_id is None else f"clone:{command.target}:{command.command_id}"
    if isinstance(command, say.Reset) and command.command_id is not None:
        return f"account_reset:{command.command_id}"
    moves = (say.Deposit, say.Withdraw, say.Modify, say.Import, say.Convert)
    if isinstance(command, moves) and command.command_id is not None:
        return f"{type(command).__name__.lower()}:{command.command_id}"
    return None


class Client:
    """Keeps its own record, so that answers can be held against it."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.keyed: dict[str, Asked] = {}
        self.waiting: dict[str, int] = {}  # keys without an answer, and since which turn
        self.numbers: dict[str, tuple[int, ...]] = {}  # the orders that a key brought
        self.ended: dict[int, Order] = {}  # some orders that have ended

    def asks(self, command: Asked, turn: int) -> None:
        """A command goes out."""
        key = key_of(command)
        if key is not None and key not in self.keyed:
            self.keyed[key] = command
            self.waiting[key] = turn

    def is_reuse(self, command: Asked) -> bool:
        """Does this command carry a key that belongs to another one, which has been answered?"""
        key = key_of(command)
        return key is not None and self.keyed.get(key, command) != command and key not in self.waiting

    def is_answered(self, command: Asked, answer: object) -> None:
        """An answer came. K2: the same key brings the same orders, for ever."""
        orders = _orders(answer)
        for order in orders:
            if order.is_final:
                self.ended[order.number] = order
                if len(self.ended) > MOST_ENDED:
                    del self.ended[next(iter(self.ended))]
        key = key_of(command)
        if key is None:
            return
        numbers = tuple(order.number for order in orders)
        if self.keyed.get(key) != command:
            raise BrokenInvariantError("K3", self.account, f"an answer to {command!r}", f"{self.keyed.get(key)!r} only")
        if self.numbers.setdefault(key, numbers) != numbers:
            raise BrokenInvariantError("K2", self.account, f"{key} answered by {numbers}", self.numbers[key])
        self.waiting.pop(key, None)

    def is_misuse(self, command: Asked) -> None:
        """It was refused as misuse: its key stays free (K7)."""
        key = key_of(command)
        if key is not None and key in self.waiting and self.keyed[key] == command:
            del self.waiting[key], self.keyed[key]


def _orders(answer: object) -> list[Order]:
    if isinstance(answer, Order):
        return [answer]
    if isinstance(answer, (tuple, list)):
        return [order for order in answer if isinstance(order, Order)]
    return []
