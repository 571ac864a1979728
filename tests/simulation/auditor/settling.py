"""Records about settlement: each trade date settles once, on its day, with what its fills left of it."""

from __future__ import annotations

from typing import Any

from .batches import Batches
from .books import CASH, HOLDS
from .facts import key_of, symbol_of
from .reading import AMOUNTS, INSTANTS, maybe_ns, pairs

_DAY = 86_400 * 10**9
GIVES_WAY = ("order_canceled", "order_reduced")  # a linked order, to the fill behind it


class Pile:
    """What one symbol's fills of one trade date have not settled."""

    def __init__(self, symbol: str, day: str, ends: int, due: int) -> None:
        self.symbol, self.day, self.ends, self.due = symbol, day, ends, due
        self.cash = self.shares = 0


class Settling(Batches):
    """Folds settlement."""

    def on_time(self, kind: str, at: int) -> None:
        """Nothing is written of a time after a settlement before that settlement is."""
        piles = self.books.piles
        if piles and kind != "trades_settled" and at > piles[0].due:
            self.books.fail("S2", f"{kind} at {at}", f"the settlement of {piles[0].day} at {piles[0].due} first")

    def settlement_set(self, fields: dict[str, Any], at: int) -> None:
        """The first fill of a symbol on a trade date, which comes next."""
        books, symbol, product = self.books, fields["symbol"], fields["product"]
        key = key_of(symbol, product)
        rule, ends, due = books.facts.settlement, INSTANTS[fields["ends"]], INSTANTS[fields["settles"]]
        if rule is None or books.day == "":
            books.fail("S2", f"a settlement day of {symbol}", "none: trades settle at once")
        if any(pile.symbol == key and at < pile.ends for pile in books.piles):
            books.fail("S2", f"{fields['day']} of {symbol} set again", "once a trade date")
        if books.tool(symbol).calendar is None:
            end = at
            for count in range(fields["sessions"]):
                end = books.days.end(end)
                if count == 0:
                    books.equal("S2", ends, end, "end of a trade date")
            books.equal("S2", (fields["day"], due), (books.days.name(at), end), "settlement of a trade date")
        row = [sessions for since, sessions in rule.cycle if since.isoformat() <= fields["day"]]
        books.equal("S2", fields["sessions"], row[-1], f"sessions to settle {fields['day']}")
        if not at < ends <= due:
            books.fail("S2", f"a trade date to {ends} that settles at {due}", f"after {at}, the end first")
        books.piles.append(Pile(key, fields["day"], ends, due))
        books.piles.sort(key=lambda pile: (pile.due, pile.symbol, pile.day))
        self.doubt(
            ("S2", f"{fields['day']} of {symbol} set", "a fill of it next"),
            lambda kind, f: (
                (f["symbol"], f["product"]) == (symbol, product) if kind == "order_filled" else kind in GIVES_WAY
            ),
        )

    def settled(self, fields: dict[str, Any], at: int) -> None:
        """The piles of a trade date are gone, once, when they are due."""
        books, day, due = self.books, fields["day"], INSTANTS[fields["due"]]
        piles = [pile for pile in books.piles if (pile.due, pile.day) == (due, day)]
        if not piles or (piles[0] is not books.piles[0] and books.piles[0].due < due):
            books.fail("S2", f"{day} settled", f"what is due first of {[(p.day, p.due) for p in books.piles]}")
        books.equal("S2", at, max(due, books.at_before), f"settlement of {day} at")
        books.equal("S2", AMOUNTS[fields["cash"]], sum(pile.cash for pile in piles), f"cash of {day}")
        shares = [(pile.symbol, pile.shares) for pile in piles if pile.shares]
        books.equal("S2", pairs(fields["holdings"]), shares, f"deliveries of {day}")
        books.piles = [pile for pile in books.piles if pile not in piles]
        books.owed = [debt for debt in books.owed if debt[0] > due]
        books.reached["trades_settled"] += 1

    def fill_settles(self, symbol: str, sign: int, quantity: int, paid: int, at: int) -> None:
        """A booked fill joins its pile; what it spends and sells leaves the piles, the next to settle first."""
        books = self.books
        if books.facts.settlement is not None:
            self._has_a_pile(symbol, at)
        if not books.piles:
            return
        for pile in books.piles:
            if pile.symbol == symbol and at < pile.ends:
                pile.cash += max(-paid, 0)
                pile.shares += max(sign, 0) * quantity
        spent, last = sum(pile.cash for pile in books.piles) - max(books.balances[CASH] + books.balances[HOLDS], 0), 0
        left = spent
        for pile in books.piles:
            if left > 0 < pile.cash:
                part = min(left, pile.cash)
                pile.cash, left, last = pile.cash - part, left - part, pile.due
        held = max(books.holding(symbol).quantity, 0)
        own = [pile for pile in books.piles if pile.symbol == symbol]
        gone = sum(pile.shares for pile in own) - held
        for pile in own:
            part = max(0, min(gone, pile.shares))
            pile.shares, gone = pile.shares - part, gone - part
        if sign > 0 and spent > 0 and paid > 0 and books.is_cash:
            books.owe(last, symbol, -(-quantity * spent // paid), spent)
        elif sign < 0 and books.owed:
            self._too_early(symbol, held)

    def _has_a_pile(self, symbol: str, at: int) -> None:
        """A fill that does not settle at once has a trade date that was set."""
        books, rule = self.books, self.books.facts.settlement
        calendar = books.tool(symbol_of(symbol)).calendar
        if calendar is not None or rule.calendars is not None:
            return  # whose sessions count is for those to say who know them
        row = [sessions for since, sessions in rule.cycle if since.isoformat() <= books.days.name(at)]
        found = any(pile.symbol == symbol and at < pile.ends for pile in books.piles)
        books.equal("S2", found, row[-1] > 0, f"a settlement day of {symbol}")

    def _too_early(self, symbol: str, held: int) -> None:
        books = self.books
        early = sum(debt[2] for debt in books.owed if debt[1] == symbol) - held
        if early <= 0:
            return
        shares = cash = due = 0
        for debt in [debt for debt in books.owed if debt[1] == symbol]:
            part = min(early - shares, debt[2])
            if part:
                paid = debt[3] * part // debt[2]
                books.owed.remove(debt)
                if part < debt[2]:
                    books.owe(debt[0], symbol, debt[2] - part, debt[3] - paid)
                shares, cash, due = shares + part, cash + paid, debt[0]
        self.doubt(
            ("S3", f"{shares} of {symbol} sold before {due}", "a good-faith violation of that, next"),
            lambda kind, f: (
                kind == "good_faith_violation"
                and (key_of(f["symbol"], f["product"]), AMOUNTS[f["quantity"]], AMOUNTS[f["cash"]])
                == (symbol, shares, cash)
                and INSTANTS[f["settles"]] == due
            ),
        )

    def goes_over(self, source: str, target: str) -> None:
        """Of what left a position for another, what is not delivered went last; then what settles first."""
        books = self.books
        held = max(books.holding(source).quantity, 0)
        gone = sum(pile.shares for pile in books.piles if pile.symbol == source) - held
        for pile in [pile for pile in books.piles if pile.symbol == source]:
            part = max(0, min(gone, pile.shares))
            if part:
                pile.shares, gone = pile.shares - part, gone - part
                there = [p for p in books.piles if (p.symbol, p.day, p.due) == (target, pile.day, pile.due)]
                if not there:
                    there = [Pile(target, pile.day, pile.ends, pile.due)]
                    books.piles += there
                there[0].shares += part
        books.piles.sort(key=lambda pile: (pile.due, pile.symbol, pile.day))
        early = sum(debt[2] for debt in books.owed if debt[1] == source) - held
        for debt in [debt for debt in books.owed if debt[1] == source]:
            part = min(early, debt[2])
            if part > 0:
                early, paid = early - part, debt[3] * part // debt[2]
                books.owed.remove(debt)
                if part < debt[2]:
                    books.owe(debt[0], source, debt[2] - part, debt[3] - paid)
                books.owe(debt[0], target, part, paid)

    def violated(self, fields: dict[str, Any], at: int) -> None:
        """It answers the fill before it, counts with those of a year, and restricts as the rule says."""
        books, rule = self.books, self.books.facts.settlement
        kind, fill = self.last
        if kind != "order_filled" or fill["sign"] > 0 or fields["fill_number"] != fill["fill_number"]:
            books.fail("S3", f"a violation by fill {fields['fill_number']}", "the sale before it")
        if not self.was_doubted:
            books.fail("S3", f"a violation in {fields['symbol']}", "none: it was paid with settled money")
        year_ago = f"{int(books.day[:4]) - 1:04d}{books.day[4:]}"
        books.violations = [day for day in books.violations if day > year_ago] + [books.day]
        books.equal("S3", fields["violations"], len(books.violations), "violations in twelve months")
        free = maybe_ns(fields["free"])
        restricts = rule.on_violation == "restrict" and fields["violations"] >= rule.most_violations
        books.equal("S3", free, at + rule.restricted_days * _DAY if restricts else None, "restricted until")
        books.restricted_until = free or books.restricted_until
        books.reached["good_faith_violation"] += 1
