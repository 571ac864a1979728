"""Records about the account itself: cash, days, latches and margin calls."""

from __future__ import annotations

from typing import Any

from . import risk
from .batches import Batches
from .books import CASH, DEPOSITS, HOLDS
from .orders import amounts
from .reading import AMOUNTS, pairs


class Money(Batches):
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
        if self.books.balances[CASH] < 0:
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
            books.equal("A3", there, max(books.balances[CASH], 0), "available")
        self.keys.command("withdrawal_rejected", fields, self.commit)

    def day_opened(self, fields: dict[str, Any], at: int) -> None:
        """A day begins, once."""
        books = self.books
        books.equal("T2", fields["day"], books.days.name(at), "day")
        if fields["day"] <= books.day:
            books.fail("T2", f"{fields['day']} opened", f"a day after {books.day}")
        if books.day:
            books.reached["day_rolled"] += 1
        equity = AMOUNTS[fields["equity"]]
        self._flat_equity(equity)
        books.day, books.day_equity, books.loss_base, books.day_deposits = fields["day"], equity, equity, 0
        books.peak = max(books.peak, equity)
        books.latches.discard("max_daily_loss")

    def _flat_equity(self, equity: int) -> None:
        """The equity of an account that holds nothing is its cash."""
        books = self.books
        if not any(held.quantity for held in books.holdings.values()):
            books.equal("L4", equity, books.balances[CASH] + books.balances[HOLDS], "equity of a flat account")

    def latched(self, fields: dict[str, Any], at: int) -> None:
        """Only reducing orders pass from here."""
        risk.latched(self.books, fields)
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
        books.latches.discard(limit)
        if limit == "max_daily_loss":
            books.loss_base = equity - books.day_deposits
        elif limit == "max_drawdown":
            books.peak = equity

    def equity_marked(self, fields: dict[str, Any], at: int) -> None:
        """A new highest equity."""
        equity = AMOUNTS[fields["equity"]]
        if equity <= self.books.peak:
            self.books.fail("R4", f"a peak of {equity}", f"more than {self.books.peak}")
        self._flat_equity(equity)
        self.books.peak = equity

    def called(self, fields: dict[str, Any], at: int) -> None:
        """A margin call."""
        self._flat_equity(AMOUNTS[fields["equity"]])
        risk.called(self.books, fields, True)

    def cleared(self, fields: dict[str, Any], at: int) -> None:
        """The end of one."""
        self._flat_equity(AMOUNTS[fields["equity"]])
        risk.called(self.books, fields, False)
