"""Triggers and fills: quantity, datum, price, money, fees and hold."""

from __future__ import annotations

from typing import Any

from .books import CASH, FEES, HOLDS, PROFIT, STOCK
from .linking import Linking
from .orders import FILLED, FOR_AUCTION, PARTIAL, TRIGGERED, Ticket, amounts
from .reached import count_fill
from .reading import pairs
from .squaring import is_squared


class Filling(Linking):
    """Folds triggers and fills."""

    def triggered(self, fields: dict[str, Any], at: int) -> None:
        """A stop's price was reached."""
        order = self.own("order_triggered", fields)
        self.market.trigger(self.process, order, fields, at)
        order.waits_for_stop = False
        order.status = TRIGGERED
        order.since = at
        self._not_expired(order, at)

    def filled(self, fields: dict[str, Any], at: int) -> None:
        """An order fills, whole or in part."""
        books, order = self.books, self.own("order_filled", fields)
        names = ("quantity", "price", "base", "value", "closed", "closed_value", "released", "realized", "hold", "held")
        fill = dict(zip(names, amounts(fields, *names), strict=True))
        quantity = fill["quantity"]
        books.equal("O4", fields["fill_number"], books.fills + 1, "fill number")
        found = (fields["symbol"], fields["product"], fields["sign"])
        books.equal("O3", found, (order.symbol, order.product, order.sign), "a fill of")
        books.equal("M1", fields["model"], books.facts.fill.label, "fill settings")
        if not 0 < quantity <= order.left:
            books.fail("O2", f"{quantity} filled of {order.describe()}", f"at most {order.left}")
        if fields["rule"][1:] != "8":  # that is what its last instant is for
            self._not_expired(order, at)
        if at and books.day != books.days.name(at):
            books.fail("T2", f"a fill in {books.day!r}", books.days.name(at))
        other = self._linked_gave_way(order, quantity)
        seen = self.market.check(self.process, order, fields, fill, at)
        fees = pairs(fields["fees"])
        fill["fee"] = sum(units for _, units in fees)
        count_fill(books, order, fill, fields["rule"], seen, books.orders.get(order.oco))
        self._check_money(order, fields, fill, fees)
        self.fill_settles(order.key, order.sign, quantity, order.sign * fill["value"] + fill["fee"], at)
        self._move_fill_hold(order, fields["rule"], fill, at, other)
        order.filled += quantity
        order.value += fill["value"]
        order.made += fill["value"] if fields["role"] == "maker" else 0
        order.fees += fill["fee"]
        order.pq += fill["price"] * quantity
        order.fills += 1
        books.fills += 1
        for part in books.at_cost:
            if part.symbol == order.symbol and not part.first:
                part.first = fill["price"]
        order.status = PARTIAL
        if order.tif in FOR_AUCTION:
            self.at_once.append(order)
        if not order.left:
            self._end(order, FILLED)

    def _check_money(
        self, order: Ticket, fields: dict[str, Any], fill: dict[str, int], fees: list[tuple[str, int]]
    ) -> None:
        """Value, profit and fees by the auditor's own arithmetic, then one entry for all of it."""
        books, sign = self.books, order.sign
        held, tool = books.holding(order.key), books.tool(order.symbol)
        before, cost = held.quantity, held.cost
        size, price = fill["quantity"], fill["price"]
        value, closed, closed_value, released, realized = held.fill(tool, sign, size, price, books.now)
        squared = is_squared(books, order.symbol, order.product, books.now)
        if (order.reduce_only or books.restricted or squared) and closed != fill["quantity"]:
            name = "O7" if order.reduce_only else "R5"
            books.fail(name, f"{fill['quantity']} filled of {order.describe()} with {before} held", "only reducing")
        if books.only_long(order.product) and held.quantity < 0:
            books.fail("R2", f"a position of {held.quantity}", "no short position in a cash account")
        books.equal("P3", fill["closed"], closed, "closed")
        books.equal("P3", fill["closed_value"], closed_value, "value of what was closed")
        books.equal("L9", fill["value"], value, "value of a fill")
        books.equal("P2", fill["released"], released, "cost released")
        books.equal("P3", fill["realized"], realized, "realized")
        made = value if fields["role"] == "maker" else 0
        expected = books.fees_of(order, fill["quantity"], value, made)
        if expected is not None and fees != expected:
            books.fail("L3", f"fees of {fees}", expected)
        held.fees += fill["fee"]
        cash = -sign * value - fill["fee"]
        lines = {CASH: cash - fill["held"], HOLDS: fill["held"], STOCK: held.cost - cost, PROFIT: -realized}
        for kind, units in fees:
            lines[FEES + kind] = lines.get(FEES + kind, 0) + units
        total = books.balances[CASH] + books.balances[HOLDS]
        books.book(lines)
        if total >= 0 > total + cash and books.is_cash:
            books.reached["fee_takes_cash_below_zero"] += 1

    def _move_fill_hold(self, order: Ticket, rule: str, fill: dict[str, int], at: int, other: Ticket | None) -> None:
        """A fill captures its part of the hold: all of it with the last, or when the rest cannot be paid."""
        books, hold, quantity = self.books, fill["hold"], fill["quantity"]
        tool = books.tool(order.symbol)
        allowed = [order.hold - tool.share(order.hold, quantity, order.left)]
        if rule in ("Q1", "L1", "D1", "B1", "Q3", "L3", "D3") and order.arrived == at and quantity < order.left:
            allowed.append(order.hold)  # what fills on arrival captures nothing: the hold is for what waits
        if hold not in allowed:
            number = order.number
            wrong = ("L5", f"a hold of {hold} after a fill of {order.describe()}", f"one of {allowed}")
            if hold:
                books.fail(*wrong)
            self.doubt(
                wrong,
                lambda kind, f: (
                    kind == "order_canceled" and f["number"] == number and f["reason"] == "insufficient_funds"
                ),
            )
        books.move_hold(order, hold, fill["held"], other, booked=False)
