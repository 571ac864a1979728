"""What a day comes to, counted record by record from its opening, and what its closing has to say."""

from __future__ import annotations

from typing import Any

from .books import CASH, FEES, HOLDS, PROFIT, STOCK, Books
from .reading import AMOUNTS, INSTANTS, pairs

_FREE = ("account_opened", "account_cloned", "day_opened", "day_closed")
_NOTED = ("equity_marked", "limit_reset", "margin_called", "margin_call_cleared")


class Today:
    """An open day, since it was opened or the account began again on it."""

    def __init__(self, books: Books, at: int, opened: int, equity: int) -> None:
        self.at, self.opened = at, opened
        self.balances = dict(books.balances)
        self.orders, self.fills = len(books.orders), books.fills
        self.deposits = self.withdrawals = self.imported = self.turnover = self.wins = self.losses = 0
        self.base = equity
        self.points = [(equity, 0)]  # with what had come in by then
        self.fallen = 0

    @property
    def came_in(self) -> int:
        """Deposits and imports less withdrawals."""
        return self.deposits + self.imported - self.withdrawals

    def note(self, equity: int) -> None:
        """The journal notes an equity."""
        self.points.append((equity, self.came_in))
        best = max(worth - before for worth, before in self.points)
        self.fallen = max(self.fallen, best - (equity - self.came_in))

    def take(self, kind: str, fields: dict[str, Any]) -> None:
        """One more record."""
        if kind == "cash_deposited":
            self.deposits += AMOUNTS[fields["amount"]]
        elif kind == "cash_withdrawn":
            self.withdrawals += AMOUNTS[fields["amount"]]
        elif kind == "position_imported":
            self.imported += AMOUNTS[fields["cost"]]
        elif kind == "order_filled":
            self.turnover += AMOUNTS[fields["value"]]
            if AMOUNTS[fields["closed"]]:
                won = AMOUNTS[fields["realized"]]
                self.wins += won > 0
                self.losses += won < 0
        elif kind == "day_revalued":
            change = AMOUNTS[fields["equity"]] - self.base
            self.base += change
            self.points = [(worth + change, before) for worth, before in self.points]
        elif kind in _NOTED:
            self.note(AMOUNTS[fields["equity"]])


class Daily:
    """Which day is open, and that nothing happens outside of one."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.today: Today | None = None
        self.closed: tuple[int, int] | None = None  # the instant and the equity of the last closing, if it was last

    def before(self, kind: str, at: int) -> None:
        """After a first day nothing happens outside of a day, and a day that is over is closed first."""
        books, today = self.books, self.today
        if kind in _FREE or not books.day:
            return
        if today is None:
            books.fail("T2", f"{kind} between two days", "a day that is opened before")
        elif at >= books.days.end(today.opened) and kind != "order_expired":
            books.fail("T2", f"{kind} at {at}", f"the end of {books.day} before")

    def after(self, kind: str, fields: dict[str, Any], at: int) -> None:
        """A record was folded into the books."""
        if kind == "day_opened":
            if self.today is not None:
                self.books.fail("T2", f"{fields['day']} opened", f"{self.books.day} closed before")
            equity = AMOUNTS[fields["equity"]]
            if self.closed is not None and self.closed[0] == at:
                self.books.equal("T5", equity, self.closed[1], f"{fields['day']} begins with")
            self.today = Today(self.books, at, at, equity)
        elif kind == "account_reset" and self.today is not None:
            self.today = Today(self.books, at, self.today.opened, AMOUNTS[fields["cash"]])
        elif self.today is not None:
            self.today.take(kind, fields)

    def close(self, fields: dict[str, Any], at: int) -> None:
        """A day ends, once, and says what it came to."""
        books, today = self.books, self.today
        if today is None or fields["day"] != books.day:
            books.fail("T2", f"{fields['day']} closed", f"{books.day or 'no day'} open")
        books.equal("T2", at, max(books.days.end(today.opened), books.at), "closed at")
        books.equal("T2", INSTANTS[fields["began"]], today.at, "a day that began at")
        self._money(today, fields)
        self._worth(today, fields)
        self.today = None
        self.closed = at, AMOUNTS[fields["equity"]]

    def _money(self, today: Today, fields: dict[str, Any]) -> None:
        books, then = self.books, today.balances
        now = books.balances
        sums = {
            "opening_equity": books.day_equity,
            "opening_cash": then[CASH] + then[HOLDS],
            "closing_cash": now[CASH] + now[HOLDS],
            "on_hold": now[HOLDS],
            "opening_cost": then[STOCK],
            "closing_cost": now[STOCK],
            "realized": then[PROFIT] - now[PROFIT],
            "deposits": today.deposits,
            "withdrawals": today.withdrawals,
            "imported": today.imported,
            "turnover": today.turnover,
        }
        for name, units in sums.items():
            books.equal("T5", AMOUNTS[fields[name]], units, f"{name} of {books.day}")
        counts = (len(books.orders) - today.orders, books.fills - today.fills, today.wins, today.losses)
        found = tuple(fields[name] for name in ("orders", "fills", "wins", "losses"))
        books.equal("T5", found, counts, f"orders, fills, wins and losses of {books.day}")
        paid = {
            name.removeprefix(FEES): units - then.get(name, 0) for name, units in now.items() if name.startswith(FEES)
        }
        due = sorted((kind, units) for kind, units in paid.items() if units)
        books.equal("T5", pairs(fields["charges"]), due, f"charges of {books.day}")
        gained = sums["realized"] - sum(paid.values()) + today.came_in
        left = sums["closing_cash"] + sums["closing_cost"] - sums["opening_cash"] - sums["opening_cost"]
        books.equal("T5", left, gained, f"cash and cost of {books.day} changed by")

    def _worth(self, today: Today, fields: dict[str, Any]) -> None:
        books, unmarked, marks = self.books, fields["unmarked"], dict(pairs(fields["marks"]))
        held = {symbol: h for symbol, h in sorted(books.holdings.items()) if h.quantity}
        books.equal("T5", pairs(fields["holdings"]), [(s, h.quantity) for s, h in held.items()], "held at the close")
        books.equal("T5", pairs(fields["costs"]), [(s, h.cost) for s, h in held.items()], "cost at the close")
        books.equal("T5", sorted([*unmarked, *marks]), list(held), "with or without a mark")
        for symbol, average in pairs(fields["averages"]):
            if 2 * abs(average * held[symbol].quantity - held[symbol].pq) > abs(held[symbol].quantity):
                books.fail("T5", f"{symbol} at an average of {average}", f"{held[symbol].pq}/{held[symbol].quantity}")
        worth = sum(
            (1 if h.quantity > 0 else -1) * books.tool(h.symbol).value(marks[symbol], abs(h.quantity))
            if symbol in marks
            else h.cost
            for symbol, h in held.items()
        )
        equity, cash = AMOUNTS[fields["equity"]], books.balances[CASH] + books.balances[HOLDS]
        books.equal("T5", equity, cash + worth, f"equity at the close of {books.day}")
        books.equal("T5", AMOUNTS[fields["unrealized"]], worth - books.balances[STOCK], "unrealized")
        if not unmarked:
            today.note(equity)
        for symbol, mark in marks.items():
            held[symbol].told, held[symbol].told_at = mark, books.now
        points = [worth for worth, _ in today.points]
        found = tuple(AMOUNTS[fields[name]] for name in ("highest", "lowest", "drawdown"))
        books.equal("T5", found, (max(points), min(points), today.fallen), "highest, lowest and drawdown")
        if len(unmarked) > fields["stale_marks"]:
            books.fail("T5", f"{fields['stale_marks']} old marks", f"at least the {len(unmarked)} that are missing")
