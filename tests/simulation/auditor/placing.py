"""Acceptances and refusals: what an order may look like, and whether it was allowed."""

from __future__ import annotations

from typing import Any

from . import risk
from .batches import Batches
from .hours import expiry, waits, why_not
from .orders import REJECT_REASONS, REJECTED, Ticket, amounts
from .reading import AMOUNTS, maybe, maybe_ns
from .squaring import is_squared

_LIMIT = 10**24
GIVES_WAY = ("order_canceled", "order_reduced")


class Placing(Batches):
    """Folds the beginnings of orders."""

    def _begin(self, fields: dict[str, Any], status: str) -> Ticket:
        books = self.books
        number, terms = fields["number"], fields["terms"]
        if number != len(books.orders) + 1:
            books.fail("O4", f"order {number}", len(books.orders) + 1)
        quantity, asked = AMOUNTS[fields["quantity"]], AMOUNTS[terms["quantity"]]
        if asked and asked != quantity:
            books.fail("O2", f"an order of {quantity}", f"the {asked} that was asked for")
        self.keys.order(terms["client_order_id"])
        order = books.orders[number] = Ticket(number, terms, quantity, status)
        order.begun, order.commit, order.process = books.version, self.commit, self.process
        order.placed = order.since = books.now
        return order

    def accepted(self, fields: dict[str, Any], at: int) -> None:
        """An order begins to work."""
        books, oco = self.books, fields["oco"]
        order = self._begin(fields, "accepted")
        self._check_terms(order, fields["terms"], maybe_ns(fields["expires"]), at)
        # What a pair had filled already is canceled next, all of it or a part; of that nothing was ever at stake.
        number = order.number
        self.doubt(
            risk.accepted(books, order, oco),
            lambda kind, f: kind in GIVES_WAY and f["number"] == number and f["reason"] == "oco",
        )
        other = None
        if oco:
            other = books.open.get(oco)
            if other is None or books.sibling(other) is not None or other.key != order.key:
                books.fail("O7", f"{order.describe()} linked to {oco}", "an open, unlinked order of its symbol")
            order.oco, other.oco = oco, number
        hold, held = amounts(fields, "hold", "held")
        if hold and (order.reduce_only or (books.only_long(order.product) and order.sign < 0)):
            books.fail("L5", f"a hold of {hold} for {order.describe()}", "nothing held by what only reduces")
        books.move_hold(order, hold, held, other)
        books.holding(order.key)
        books.open[number] = self.touched[number] = order
        order.arrived = at
        if order.tif in ("ioc", "fok"):
            self.at_once.append(order)

    def _check_terms(self, order: Ticket, terms: dict[str, Any], expires: int | None, at: int) -> None:
        books = self.books
        tool = books.tool(order.symbol)
        self._check_size(order, order.quantity)
        self._check_prices(order, order.limit, order.stop)
        shape = {(False, False): "market", (True, False): "limit", (False, True): "stop", (True, True): "stop_limit"}
        expected = shape[order.limit is not None, order.stop is not None]
        books.equal("O1", order.kind, expected, "type of an order")
        due = expiry(books, order, at)
        closed = why_not(books, order, at)
        if closed is not None:
            books.fail("T2", f"{order.describe()} accepted", f"a refusal: {closed}")
        books.reached["order waits for the open"] += waits(books, order, at)
        if expires != due or (due is not None and due <= at):
            books.fail("O6", f"a {order.tif} order that expires at {expires}", f"{due}, after {at}")
        order.expires = expires
        if at and books.day != books.days.name(at):
            books.fail("T2", f"an order accepted in {books.day!r}", books.days.name(at))
        money, price = maybe(terms["notional"]), order.limit or order.stop
        if money is None or price is None:
            return
        more = tool.exact(price, order.quantity + tool.lot) + tool.minor
        if not tool.exact(price, order.quantity) <= money < more:
            books.fail("O2", f"{order.quantity} for {money} at {price}", "the most lots that it buys")

    def _check_size(self, order: Ticket, quantity: int) -> None:
        tool = self.books.tool(order.symbol)
        most = tool.largest or _LIMIT
        if quantity % tool.lot or not tool.smallest <= quantity <= most:
            self.books.fail("M5", f"an order of {quantity}", f"lots of {tool.lot}, {tool.smallest} to {most}")
        if quantity >= _LIMIT:
            self.books.fail("L8", f"a quantity of {quantity}", f"less than {_LIMIT}")

    def _check_prices(self, order: Ticket, *prices: int | None) -> None:
        tool = self.books.tool(order.symbol)
        for price in prices:
            if price is None:
                continue
            if price <= 0 or price % tool.tick:
                self.books.fail("M5", f"a price of {price}", f"above zero, on the tick of {tool.tick}")
            if tool.band is not None and not tool.band[0] <= price <= tool.band[1]:
                self.books.fail("M5", f"a price of {price}", f"within {tool.band}")
            if price >= _LIMIT:
                self.books.fail("L8", f"a price of {price}", f"less than {_LIMIT}")

    def rejected(self, fields: dict[str, Any], at: int) -> None:
        """An order is refused, and nothing else happens."""
        books, reason = self.books, fields["reason"]
        order = self._begin(fields, REJECTED)
        order.canceled = order.quantity
        if reason not in REJECT_REASONS:
            books.fail("O8", f"a refusal for {reason!r}", "a reason from the list")
        order.oco = fields["terms"]["oco_with"]
        wrong = risk.refused(books, order, reason, fields["numbers"]) or self._refused_in_hours(order, reason, at)
        order.oco = 0
        kind, before = self.last
        if kind == "order_rejected" and before["reason"] == reason and before["terms"]["symbol"] == order.symbol:
            wrong = None  # a pair is refused whole, with the reason of the one that was refused
        self.doubt(wrong, lambda kind, f: kind == "order_rejected" and f["reason"] == reason)

    def _refused_in_hours(self, order: Ticket, reason: str, at: int) -> tuple[str, object, object] | None:
        """What is wrong with a refusal that has to do with the hours of a market."""
        if reason in ("market_open", "market_closed", "auction_closed") and reason != why_not(self.books, order, at):
            return "T2", f"{order.describe()} refused: {reason}", "an order that its market takes"
        if reason == "square_off" and not is_squared(self.books, order.symbol, order.product, at):
            return "T3", f"{order.describe()} refused: {reason}", "an account that is being squared off"
        return None
