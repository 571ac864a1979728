"""What every fold of a record shares: the books, what one record leaves open for the next, and the ends of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .books import Books
from .keys import Keys
from .matching import Market
from .orders import CANCELED, EXPIRED, FILLED, Ticket
from .today import Daily

Doubt = tuple[str, object, object, Callable[[str, dict[str, Any]], bool]]
"""What is wrong unless the very next record explains it."""


class Batches:
    """Records arrive in batches. What one record leaves open, the next has to answer."""

    def __init__(self, books: Books, market: Market) -> None:
        self.books, self.market, self.keys = books, market, Keys(books)
        self.daily = Daily(books)
        self.doubts: list[Doubt] = []
        self.process = 0
        self.commit: str | None = None
        self.last: tuple[str, dict[str, Any]] = ("", {})
        self.at_once: list[Ticket] = []  # orders that have to end with their batch: ioc, fok, and who met an auction
        self.was_doubted = False  # did the record before this one leave something open?
        self.copied = False  # is the record one of those that a copy of another account begins with?
        self.touched: dict[int, Ticket] = {}
        self._due: tuple[int, str, int, int] | None = None  # a linked order gave way to a fill of this one
        self._perhaps = False  # or it was the second of a pair whose first had filled on arrival

    def before(self, kind: str, fields: dict[str, Any]) -> None:
        """Does this record answer what the one before it left open?"""
        if self.doubts:
            doubts, self.doubts = self.doubts, []
            for name, found, expected, answered in doubts:
                if not answered(kind, fields):
                    self.books.fail(name, found, expected)
        if self._due is not None and (kind != "order_filled" or fields["number"] != self._due[0]):
            if self._perhaps:
                self._due = None
            else:
                self.books.fail("O7", f"{kind} after order {self._due[0]}'s linked order gave way", "its fill")

    def settle(self) -> None:
        """A batch is over: nothing is left in doubt, and what fills at once or never has ended."""
        for name, found, expected, _ in self.doubts:
            self.books.fail(name, found, expected)
        if self._due is not None and self._perhaps:
            self._due = None
        if self._due is not None:
            self.books.fail("O7", f"order {self._due[0]} without the fill its linked order gave way to", "its fill")
        for order in self.at_once:
            if order.left:
                self.books.fail("O6", f"{order.describe()} still open", "an end at once")
        self.at_once.clear()

    def _reducing(self, kind: str, fields: dict[str, Any]) -> bool:
        return kind == "order_filled" and fields["closed"] == fields["quantity"]

    def doubt(self, wrong: tuple[str, object, object] | None, answered: Callable[[str, dict[str, Any]], bool]) -> None:
        """Something that is wrong unless the next record says why."""
        if wrong is not None:
            self.doubts.append((*wrong, answered))

    def own(self, kind: str, fields: dict[str, Any]) -> Ticket:
        """The order that a record is about; what happened has to be a legal move."""
        order = self.books.orders.get(fields["number"])
        if order is None or not order.may(kind):
            ended = order is not None and order.status in (CANCELED, EXPIRED, FILLED)
            name = "O5" if ended else "O1"
            self.books.fail(name, f"{kind} of {order and order.describe()}", "a legal move")
        self.touched[order.number] = order
        return order

    def _not_expired(self, order: Ticket, at: int) -> None:
        if order.expires is not None and at >= order.expires:
            self.books.fail("O6", f"{order.describe()} at {at}", f"its end at {order.expires}")

    def _end(self, order: Ticket, status: str) -> None:
        books = self.books
        if order.hold:
            books.fail("L5", f"{order.describe()} ended with a hold of {order.hold}", 0)
        if order.tif == "fok" and order.filled not in (0, order.quantity):
            books.fail("O6", f"{order.filled} of {order.quantity} filled of a fok order", "all or nothing")
        order.status = status
        del books.open[order.number]
