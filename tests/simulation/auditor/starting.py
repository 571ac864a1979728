"""Records about how an account starts: positions that come in, resets, copies."""

from __future__ import annotations

from typing import Any, NamedTuple

from .books import CASH, DEPOSITS, HOLDS, STOCK, AtCost, Books
from .facts import key_of
from .money import Money
from .orders import amounts
from .reading import AMOUNTS, pairs
from .squaring import is_squared

_COPIED = ("cash_deposited", "cash_withdrawn", "position_imported")


class Origin(NamedTuple):
    """What a copy has to begin with: the money and the lots of another account, at one of its versions."""

    account: str
    version: int
    cash: int
    lots: tuple[tuple[str, int, int, int], ...]  # key, quantity, price, cost

    @classmethod
    def of(cls, books: Books) -> Origin:
        """An account as its books stand."""
        lots = [
            # The average to nine places, half away from zero.
            (symbol, quantity, (2 * abs(pq) + abs(quantity)) // (2 * abs(quantity)), cost)
            for symbol, held in sorted(books.holdings.items())
            for quantity, pq, cost, _ in held.lots
        ]
        return cls(books.account, books.version, books.balances[CASH] + books.balances[HOLDS], tuple(lots))


class Starting(Money):
    """Folds what gives an account a state to start from."""

    origin: Origin | None = None  # of an account that is a copy
    coming: tuple[tuple[str, object], ...] = ()  # the records that a copy still has to begin with

    def cloned(self, fields: dict[str, Any], at: int) -> None:
        """The second record of a copy; what comes after it is the other account's, to the unit."""
        books, origin = self.books, self.origin
        books.equal("E1", books.version, 2, "copied at version")
        found = (fields["source_account"], fields["source_version"])
        books.equal("P8", found, origin and origin[:2], "copied from")
        self.keys.command("account_cloned", fields, self.commit)
        assert origin is not None
        money = "cash_deposited" if origin.cash > 0 else "cash_withdrawn"
        self.coming = ((money, abs(origin.cash)),) if origin.cash else ()
        self.coming += tuple(("position_imported", lot) for lot in origin.lots)

    def is_copied(self, kind: str, fields: dict[str, Any]) -> bool:
        """Is this record of what a copy begins with? Then it is the one whose turn it is."""
        if not self.coming:
            return False
        found: object = None
        if kind == "position_imported":
            found = (key_of(fields["symbol"], fields["product"]), *amounts(fields, "quantity", "price", "cost"))
        elif kind in _COPIED:
            found = AMOUNTS[fields["amount"]]
        (due, *others), self.coming = self.coming, self.coming[1:]
        self.books.equal("P8", (kind, found), due, "a copy begins with")
        if not others:
            self.books.reached["copied_with_positions"] += kind == "position_imported"
        return True

    def imported(self, fields: dict[str, Any], at: int) -> None:
        """A position comes in at a cost, on the side that is held; it is a deposit in kind."""
        books, symbol = self.books, fields["symbol"]
        quantity, price, cost = amounts(fields, "quantity", "price", "cost")
        tool, held = books.tool(symbol), books.holding(key_of(symbol, fields["product"]))
        books.equal("L10", fields["currency"], books.currency, "imported in")
        if not quantity or quantity % tool.lot or price <= 0:
            books.fail("P8", f"{quantity} of {symbol} at {price} imported", f"whole lots of {tool.lot}, and a price")
        if held.quantity * quantity < 0:
            books.fail("P8", f"{quantity} of {symbol} imported", f"nothing against the {held.quantity} that are held")
        if quantity < 0 and books.only_long(fields["product"]):
            books.fail("R2", f"{quantity} of {symbol} imported", "no short position in a cash account")
        if not self.copied:  # what a copy's lots cost is what those of its source are booked at
            worth = tool.value(price, abs(quantity))
            books.equal("P8", cost, worth if quantity > 0 else -worth, f"cost of {symbol}")
        self.keys.command("position_imported", fields, self.commit)
        held.come_in(1 if quantity > 0 else -1, abs(quantity), price, cost, at)
        books.book({STOCK: cost, DEPOSITS: -cost})
        books.day_deposits += cost
        books.peak += cost
        if books.day:
            books.at_cost.append(AtCost(symbol, quantity, cost, True))
        if self.market.sight.view(self.process, symbol) is None:
            books.reached["imported_unpriced"] += 1

    def converted(self, fields: dict[str, Any], at: int) -> None:
        """A part of a position is of another product from now on, at its cost; nothing else moves."""
        books, (quantity, cost, price) = self.books, amounts(fields, "quantity", "cost", "price")
        names = fields["from_product"], fields["to_product"]
        source, target = (key_of(fields["symbol"], name) for name in names)
        there, tool, sign = books.holding(source), books.tool(fields["symbol"]), 1 if quantity > 0 else -1
        free = max(sign * there.quantity, 0) - books.working(source, -sign)
        if source == target or {*names} - {product.name for product in books.facts.products}:
            books.fail("P9", f"{source} converted to {target}", "two products of the account")
        if quantity % tool.lot or not 0 < abs(quantity) <= free:
            books.fail("P9", f"{quantity} of {source} converted", f"up to {free} that no order closes")
        if books.holding(target).quantity * quantity < 0 or (quantity < 0 and books.only_long(names[1])):
            books.fail("P9", f"{quantity} converted to {target}", "a product that takes them")
        if is_squared(books, fields["symbol"], names[1], at):
            books.fail("R5", f"{quantity} converted to {target}", "a refusal: it is being squared off")
        self.keys.command("position_converted", fields, self.commit)
        before = there.pq
        books.equal("P9", cost, there.go_over(tool, books.holding(target), abs(quantity)), "cost of a conversion")
        exact = before - there.pq
        if 2 * abs(price * quantity - exact) > abs(quantity):
            books.fail("P9", f"converted at {price}", f"{exact}/{quantity}")
        self.goes_over(source, target)
        books.reached["position_converted: lots"] += len(books.holding(target).lots) > 1

    def begun_again(self, fields: dict[str, Any], at: int) -> None:
        """Nothing of before is in the books any more; the record says what there was."""
        books, cash = self.books, AMOUNTS[fields["cash"]]
        books.equal("L10", fields["currency"], books.currency, "reset in")
        if books.open:
            books.fail("O5", f"a reset with open orders {sorted(books.open)}", "a cancellation of each before")
        if cash < 0 or cash % books.minor:
            books.fail("L8", f"a reset to {cash}", "an amount of 0 or more, in minor units")
        there = {name: units for name, units in books.balances.items() if units}
        books.equal("P8", pairs(fields["balances"]), sorted(there.items()), "balances before the reset")
        held = sorted((symbol, h.quantity) for symbol, h in books.holdings.items() if h.quantity)
        books.equal("P8", pairs(fields["holdings"]), held, "holdings before the reset")
        self.keys.command("account_reset", fields, self.commit)
        lines = {name: -units for name, units in there.items()}
        lines[CASH] = lines.get(CASH, 0) + cash
        lines[DEPOSITS] = lines.get(DEPOSITS, 0) - cash
        books.book(lines)
        books.holdings.clear()
        books.piles, books.owed, books.violations, books.restricted_until = [], [], [], 0
        books.latches.clear()
        books.called, books.at_cost, books.day_deposits = False, [], 0
        books.day_equity = books.loss_base = books.peak = cash
        if held:
            books.reached["reset_with_positions"] += 1
        if self.last[0] == "day_opened":
            books.reached["reset_on_a_new_day"] += 1
