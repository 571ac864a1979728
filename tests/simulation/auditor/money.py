"""Records about the account itself: cash, days, latches and margin calls."""

from __future__ import annotations

from typing import Any

from . import risk
from .books import CASH, DEPOSITS, HOLDS, AtCost
from .facts import symbol_of
from .orders import amounts
from .reading import AMOUNTS, pairs
from .settling import Settling


class Money(Settling):
    """Folds what is about the account."""

    def opened(self, fields: dict[str, Any], at: int) -> None:
        """The first record."""
        books, facts = self.books, self.books.facts
        found = (fields["decimals"], fields["account_kind"], fields["cost_method"])
        books.equal("E1", (found, books.version), ((facts.decimals, facts.kind, facts.cost_method), 1), "opened")
        books.currency = books.currency or fields["currency"]
        books.equal("L10", fields["currency"], books.currency, "opened in")

    def deposited(self, fields: dict[str, Any], at: int) -> None:
        """Money in."""
        self._cash("cash_deposited", fields, AMOUNTS[fields["amount"]])

    def withdrawn(self, fields: dict[str, Any], at: int) -> None:
        """Money out: no more than there is."""
        amount = AMOUNTS[fields["amount"]]
        self._cash("cash_withdrawn", fields, -amount)
        if self.books.balances[CASH] < self.books.unsettled and not self.copied:  # what is owed is copied too
            self.books.fail("L6", f"{amount} withdrawn, leaving {self.books.balances[CASH]}", "no more than is free")

    def _cash(self, kind: str, fields: dict[str, Any], change: int) -> None:
        books = self.books
        books.equal("L10", fields["currency"], books.currency, f"{kind} in")
        if (change > 0) != (kind == "cash_deposited") or change % books.minor:
            books.fail("L8", f"{kind} of {change}", "an amount above zero, in minor units")
        if books.version == 2 and books.facts.start_cash_units:
            books.equal("L2", change, books.facts.start_cash_units, "opened with")
        self.keys.command(kind, fields, self.commit)
        books.book({CASH: change, DEPOSITS: -change})
        books.day_deposits += change
        books.peak += change

    def withdrawal_refused(self, fields: dict[str, Any], at: int) -> None:
        """Nothing moved; more was asked for than is there."""
        amount, there = amounts(fields, "amount", "available")
        books = self.books
        if there < 0 or amount <= there or there > max(books.balances[CASH], 0):
            books.fail("O8", f"{amount} refused with {there} available", f"at most the free {books.balances[CASH]}")
        if books.is_cash:
            books.equal("A3", there, max(books.balances[CASH] - books.unsettled, 0), "available")
        self.keys.command("withdrawal_rejected", fields, self.commit)

    def day_opened(self, fields: dict[str, Any], at: int) -> None:
        """A day begins, once."""
        books = self.books
        books.equal("T2", fields["day"], books.days.name(at), "day")
        if fields["day"] <= books.day:
            books.fail("T2", f"{fields['day']} opened", f"a day after {books.day}")
        if books.day:
            books.reached["day_rolled"] += 1
            books.reached["day_rolled_over_import"] += any(part.imported for part in books.at_cost)
        equity = AMOUNTS[fields["equity"]]
        self._flat_equity(equity)
        self._unmarked(fields)
        if not books.day:
            books.peak = equity
        elif not fields["unmarked"]:
            books.peak = max(books.peak, equity)
        books.day, books.day_equity, books.loss_base, books.day_deposits = fields["day"], equity, equity, 0
        books.latches.discard("max_daily_loss")

    def day_closed(self, fields: dict[str, Any], at: int) -> None:
        """A day ends, once, with what it came to."""
        self._seen_marks(fields, dict(pairs(fields["marks"])))
        self.daily.close(fields, at)
        self.books.reached["day_closed_idle"] += not fields["holdings"]

    def _unmarked(self, fields: dict[str, Any]) -> None:
        """What is held and this process was never shown has no mark; it is counted at cost until it has one."""
        books = self.books
        _, found = self._seen_marks(fields, None)
        books.at_cost = [part for part in books.at_cost if part.imported]  # the peak counts them on
        for part in books.at_cost:
            part.today = False
        for key in found:
            holding = books.holdings[key]
            counted = holding.counted(books.tool(holding.symbol))
            about = (not books.day, holding.cost, holding.told)
            books.at_cost.append(AtCost(holding.symbol, holding.quantity, counted, *about))
            books.reached["day_opened_at_old_price"] += holding.told is not None

    def _seen_marks(self, fields: dict[str, Any], marks: dict[str, int] | None) -> tuple[list[str], list[str]]:
        """What is held, and what of it has no mark: at least what this process was never shown.

        A closing has a mark of that too, if an earlier record tells one: exactly that.
        """
        books, found = self.books, fields["unmarked"]
        held = sorted(symbol for symbol, holding in books.holdings.items() if holding.quantity)
        unseen = [symbol for symbol in held if self.market.sight.view(self.process, symbol_of(symbol)) is None]
        if marks is not None:
            for symbol in [symbol for symbol in held if books.holdings[symbol].told is not None]:
                if symbol in unseen:
                    books.equal("T5", marks.get(symbol), books.holdings[symbol].told, f"closing price of {symbol}")
                    books.reached["day_closed_at_old_price"] += 1
                if symbol in found:
                    books.fail("T5", f"{symbol} without a price", f"{books.holdings[symbol].told}")
            unseen = [symbol for symbol in unseen if books.holdings[symbol].told is None]
        if found != sorted(set(found)) or not set(unseen) <= set(found) <= set(held):
            books.fail("L4", f"without a mark {found}", f"at least {unseen} of {held}")
        if len(found) > fields["stale_marks"]:
            books.fail("L4", f"{fields['stale_marks']} old marks", f"at least the {len(found)} that are missing")
        if len(found) == len(held) and found:
            cost = sum(books.holdings[symbol].counted(books.tool(symbol_of(symbol))) for symbol in held)
            at_cost = books.balances[CASH] + books.balances[HOLDS] + cost
            books.equal("L4", AMOUNTS[fields["equity"]], at_cost, "equity of an account without any mark")
        return held, found

    def day_revalued(self, fields: dict[str, Any], at: int) -> None:
        """Prices are known: the day is measured from what its holdings were worth, and it is so once."""
        books = self.books
        equity, peak = amounts(fields, "equity", "peak")
        if not books.at_cost:
            books.fail("R4", "a day valued again", "a day that counts something at cost")
        self._priced("a day valued")
        low = high = books.day_equity
        lowered = raised = books.peak
        for part in books.at_cost:
            least, most = self._gains(part)
            if part.today:
                low, high = low + least, high + most
            if part.imported:
                lowered, raised = lowered + least, raised + most
        if any(part.today and not part.imported for part in books.at_cost):  # the day began with an equity at cost
            lowered, raised = equity + books.day_deposits, max(raised, equity + books.day_deposits)
        if not low <= equity <= high:
            books.fail("R4", f"a day that began with {equity}", f"{low} to {high}")
        if not lowered <= peak <= raised:
            books.fail("R4", f"a peak of {peak}", f"{lowered} to {raised}")
        books.loss_base += equity - books.day_equity
        books.day_equity, books.peak, books.at_cost = equity, peak, []

    def _priced(self, what: str) -> None:
        """Nothing is held that this process was never shown a price of."""
        for key, held in self.books.holdings.items():
            if held.quantity and self.market.sight.view(self.process, held.symbol) is None:
                self.books.fail("R4", f"{what} without a price of {key}", "one that waits for it")

    def _gains(self, part: AtCost) -> tuple[int, int]:
        """The least and the most that a holding can have gained before its first price, by what it was shown."""
        tool = self.books.tool(part.symbol)
        prices = [part.first] if part.first else self.market.sight.prices(self.process, part.symbol)
        sign = 1 if part.quantity > 0 else -1
        gains = [sign * tool.value(price, abs(part.quantity)) - part.cost for price in prices] or [0]
        return min(gains), max(gains)

    def _flat_equity(self, equity: int) -> None:
        """The equity of an account that holds nothing is its cash."""
        books = self.books
        if not any(held.quantity for held in books.holdings.values()):
            books.equal("L4", equity, books.balances[CASH] + books.balances[HOLDS], "equity of a flat account")

    def latched(self, fields: dict[str, Any], at: int) -> None:
        """Only reducing orders pass from here."""
        risk.latched(self.books, fields)
        if self.books.at_cost and fields["limit"] == "max_daily_loss":
            self.books.fail("R4", "a loss latched from holdings at cost", "a day that waits for their prices")
        numbers = dict(pairs(fields["numbers"]))
        if "loss" in numbers:
            self._flat_equity(self.books.loss_base + self.books.day_deposits - numbers["loss"])
        elif "drawdown" in numbers:
            self._flat_equity(self.books.peak - numbers["drawdown"])
        self.books.latches.add(fields["limit"])

    def reset(self, fields: dict[str, Any], at: int) -> None:
        """A latch is opened by hand."""
        books, limit, equity = self.books, fields["limit"], AMOUNTS[fields["equity"]]
        if limit not in books.latches:
            books.fail("R5", f"{limit} reset", f"one of {sorted(books.latches)}")
        self.keys.command("limit_reset", fields, self.commit)
        self._flat_equity(equity)
        if limit != "kill_switch":
            self._priced("a loss measured anew")
        books.latches.discard(limit)
        if limit == "max_daily_loss":
            books.loss_base = equity - books.day_deposits
        elif limit == "max_drawdown":
            books.peak = equity

    def equity_marked(self, fields: dict[str, Any], at: int) -> None:
        """A new highest equity."""
        equity, every = AMOUNTS[fields["equity"]], self.books.facts.equity_points
        is_peak = equity > self.books.peak
        if not is_peak and every == "off":
            self.books.fail("R4", f"a peak of {equity}", f"more than {self.books.peak}")
        today = self.daily.today
        # A margin call or its end notes the equity too; as a peak it is entered all the same.
        told = every != "session" and not is_peak and today is not None
        if told and today is not None and equity == today.points[-1][0]:
            self.books.fail("R4", f"an equity of {equity} noted again", "another one than was noted last")
        self._flat_equity(equity)
        self.books.peak = max(self.books.peak, equity)

    def called(self, fields: dict[str, Any], at: int) -> None:
        """A margin call."""
        self._flat_equity(AMOUNTS[fields["equity"]])
        risk.called(self.books, fields, True)

    def cleared(self, fields: dict[str, Any], at: int) -> None:
        """The end of one."""
        self._flat_equity(AMOUNTS[fields["equity"]])
        risk.called(self.books, fields, False)
