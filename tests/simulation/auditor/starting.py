"""Records about how an account starts: positions that come in, resets, copies."""

from __future__ import annotations

from typing import Any

from .books import CASH, DEPOSITS, STOCK, AtCost
from .money import Money
from .orders import amounts
from .reading import AMOUNTS, pairs


class Starting(Money):
    """Folds what gives an account a state to start from."""

    def imported(self, fields: dict[str, Any], at: int) -> None:
        """A position comes in at a cost, on the side that is held; it is a deposit in kind."""
        books, symbol = self.books, fields["symbol"]
        quantity, price, cost = amounts(fields, "quantity", "price", "cost")
        tool, held = books.tool(symbol), books.holding(symbol)
        books.equal("L10", fields["currency"], books.currency, "imported in")
        if not quantity or quantity % tool.lot or price <= 0:
            books.fail("P8", f"{quantity} of {symbol} at {price} imported", f"whole lots of {tool.lot}, and a price")
        if held.quantity * quantity < 0:
            books.fail("P8", f"{quantity} of {symbol} imported", f"nothing against the {held.quantity} that are held")
        if quantity < 0 and books.is_cash:
            books.fail("R2", f"{quantity} of {symbol} imported", "no short position in a cash account")
        worth = tool.value(price, abs(quantity))
        books.equal("P8", cost, worth if quantity > 0 else -worth, f"cost of {symbol}")
        self.keys.command("position_imported", fields, self.commit)
        held.come_in(1 if quantity > 0 else -1, abs(quantity), price, cost)
        books.book({STOCK: cost, DEPOSITS: -cost})
        books.day_deposits += cost
        books.peak += cost
        if books.day:
            books.at_cost.append(AtCost(symbol, quantity, cost, True))

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
        books.latches.clear()
        books.called, books.at_cost, books.day_deposits = False, [], 0
        books.day_equity = books.loss_base = books.peak = cash
        if held:
            books.reached["reset_with_positions"] += 1
