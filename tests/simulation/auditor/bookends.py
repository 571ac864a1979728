"""The equity before a session and after it: noted when it is asked for, and at no other instant."""

from __future__ import annotations

from typing import Any

from .money import Money
from .reading import AMOUNTS


class Bookends(Money):
    """Judges the points that sessions ask for."""

    def need_bookends(self, kind: str, at: int) -> None:
        """T3: what was due before this record was noted. It is known of who has nothing but orders."""
        books = self.books
        asked = books.facts.equity_points == "session" and self.daily.today is not None
        if not asked or any(held.quantity for held in books.holdings.values()):
            return
        for name, _ in books.exposed:
            due = books.calendars[name].bookend(books.at)
            if due < at:
                books.fail("T3", f"{kind} at {at}", f"the equity at {due}, which {name} asks for")

    def equity_marked(self, fields: dict[str, Any], at: int) -> None:
        """The equity is noted: a peak, or when the account was set to."""
        books = self.books
        if books.facts.equity_points == "session" and AMOUNTS[fields["equity"]] <= books.peak:
            if all(books.calendars[name].bookend(at - 1) != at for name, _ in books.exposed):
                books.fail("T3", f"an equity noted at {at}", f"one at an open or a close of {sorted(books.exposed)}")
            books.reached["bookend"] += 1
        super().equity_marked(fields, at)
