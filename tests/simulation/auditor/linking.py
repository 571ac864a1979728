"""Linked pairs: one gives way before the other fills, in the same batch."""

from __future__ import annotations

from typing import Any

from .batches import Batches
from .books import CASH, HOLDS
from .orders import Ticket
from .reading import AMOUNTS


class Linking(Batches):
    """Folds what is about pairs."""

    def _linked_gave_way(self, order: Ticket, quantity: int) -> Ticket | None:
        """Before a leg fills, the other gives way: it ends, or shrinks by as much. Answers it if it is still open."""
        books, due, other = self.books, self._due, self.books.sibling(order)
        self._due = None
        if due is None:
            if other is not None:
                books.fail("O7", f"{order.describe()} filled beside order {other.number}", "that gave way first")
            return None
        _, how, by, left = due
        ends = quantity == order.left or books.facts.fill.oco_partial == "cancel" or quantity >= left
        if ends != (how == "order_canceled") or (not ends and by != quantity):
            expected = "canceled" if ends else f"reduced by {quantity}"
            books.fail("O7", f"{how} by {by} of {left} before a fill of {quantity}", expected)
        return other

    def _gives_way(self, order: Ticket, kind: str, by: int, left: int) -> None:
        """An order was canceled or reduced because of its linked order."""
        books, other = self.books, self.books.sibling(order)
        before, fields = self.last
        arriving = before == "order_accepted" and fields["number"] == order.number
        first = books.orders.get(order.number - 1)
        # The second of a pair arrives: what the first has filled already it no longer wants.
        second = arriving and first is not None and first.filled > 0 and order.oco in (0, first.number)
        self._perhaps = second and (kind == "order_canceled" or (first is not None and by == first.filled))
        if other is not None:
            self._due = (other.number, kind, by, left)
        elif not self._perhaps:
            books.fail("O7", f"{order.describe()} gave way by {by}", "a linked order that fills, or filled on arrival")

    def linked(self, fields: dict[str, Any], at: int) -> None:
        """Two open orders become a pair."""
        books = self.books
        one = self.own("orders_linked", fields)
        two = self.own("orders_linked", {"number": fields["other"]})
        held = AMOUNTS[fields["held"]]
        if one.key != two.key or books.sibling(one) or books.sibling(two) or one is two:
            books.fail("O7", f"{one.describe()} linked to {two.describe()}", "two unlinked orders of one symbol")
        books.equal("L5", held, max(one.hold, two.hold) - one.hold - two.hold, "held money changed by")
        one.oco, two.oco = two.number, one.number
        one.arrived = two.arrived = -1
        books.book({HOLDS: held, CASH: -held})
