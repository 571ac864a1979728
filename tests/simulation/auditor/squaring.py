"""Squaring off: three stages before each close, each once, when it is due, and nothing grows after the second."""

from __future__ import annotations

from typing import Any, NamedTuple

from .batches import Batches
from .books import Books
from .facts import ONE, key_of, symbol_of
from .reading import INSTANTS
from .sessions import Sessions

MINUTE = 60 * ONE
STAGES = ("warned", "reduce_only", "flat")


class Staged(NamedTuple):
    """What has to be done with a stage: orders that end, and holdings that orders with higher numbers close."""

    at: int
    ends: set[int]
    closes: set[str]
    before: int


def is_squared(books: Books, symbol: str, product: str, at: int) -> bool:
    """Is it between the second stage and the close, when only orders that reduce pass?"""
    sessions = books.sessions.get(symbol)
    closes, stage = books.squared.get((sessions.name, product), (0, "")) if sessions is not None else (0, "")
    return stage in ("reduce_only", "flat") and at < closes


class Squaring(Batches):
    """Judges the stages of squaring off. What the clock did not do in time shows in whatever comes later."""

    staged: Staged | None = None

    def _exposed(self, sessions: Sessions, product: str) -> bool:
        books = self.books
        keys = {order.key for order in books.open.values()}
        keys |= {key for key, held in books.holdings.items() if held.quantity}
        symbols = [symbol_of(key) for key in keys if key == key_of(symbol_of(key), product)]
        return any(books.sessions.get(symbol) is sessions for symbol in symbols)

    def _next_stage(self, sessions: Sessions, product: str, at: int) -> tuple[int, str, int, int] | None:
        """The next stage as it is at an instant: when, which, when everything is flat, and the close."""
        books, rule = self.books, self.books.rule_of(product, sessions.name)
        if rule is None:
            return None
        closes = sessions.close(at, False)
        done, stage = books.squared.get((sessions.name, product), (0, ""))
        place = STAGES.index(stage) + 1 if done == closes else 0
        if place == len(STAGES):
            return None
        flat = closes - rule.minutes_before_close * MINUTE
        before = (rule.warn_minutes, rule.reduce_only_minutes, 0)[place]
        return max(flat - before * MINUTE, books.exposed[sessions.name, product]), STAGES[place], flat, closes

    def need_done(self, kind: str, at: int) -> None:
        """T3: what was due before this record was done before it."""
        books = self.books
        if self.staged is not None and (at != self.staged.at or kind == "squared_off"):
            self._need_whole()
        for (name, product), since in books.exposed.items():
            due = self._next_stage(books.calendars[name], product, max(books.at, since))
            if due is not None and due[0] < at:
                books.fail("T3", f"{kind} at {at}", f"the stage {due[1]} before, which was due at {due[0]}")

    def expose(self, at: int) -> None:
        """After a record: since when does the account have something on each market, by a clock that knows the time?"""
        books = self.books
        products = [product.name for product in books.facts.products] or [""]
        pairs = [(name, product) for name in books.calendars for product in products]
        if not any(books.rule_of(product, name) for name, product in pairs) and books.facts.equity_points != "session":
            return
        for name, product in pairs:
            if not at or not self._exposed(books.calendars[name], product):
                books.exposed.pop((name, product), None)
            else:
                books.exposed.setdefault((name, product), at)

    def squared_off(self, fields: dict[str, Any], at: int) -> None:
        """A stage: the one that is next, at the instant at which it was due."""
        books, name, product = self.books, fields["calendar"], fields["product"]
        flat, closes = INSTANTS[fields["flat"]], INSTANTS[fields["closes"]]
        if (name, product) not in books.exposed or books.rule_of(product, name) is None:
            books.fail("T3", f"the stage {fields['stage']} of {name}", "nothing: there is nothing to square off")
        due = self._next_stage(books.calendars[name], product, at)
        books.equal("T3", (at, fields["stage"], flat, closes), due, "a stage of squaring off")
        books.squared[name, product] = closes, fields["stage"]
        books.staged_at = at
        if fields["stage"] != "warned":
            self.staged = self._staged(fields["stage"], name, product, at)
        books.reached[f"squared_off: {fields['stage']}"] += 1
        late = fields["stage"] == "warned" and at == books.exposed[name, product]
        books.reached["squared_off late in the session"] += late

    def _staged(self, stage: str, name: str, product: str, at: int) -> Staged:
        """What has to follow a stage: every order of its markets and product ends, or those that could not reduce."""
        books = self.books
        here = {key_of(symbol, product) for symbol, sessions in books.sessions.items() if sessions.name == name}
        held = {key: holding.quantity for key, holding in books.holdings.items() if holding.quantity}
        ends = {
            number
            for number, order in books.open.items()
            if order.key in here
            and (stage == "flat" or not (order.reduce_only or -order.sign * held.get(order.key, 0) > 0))
        }
        return Staged(at, ends, here & held.keys() if stage == "flat" else set(), len(books.orders))

    def settle(self) -> None:
        """With its batch a stage has done what it is for."""
        super().settle()
        if self.staged is not None:
            self._need_whole()

    def _need_whole(self) -> None:
        """R5: of a stage nothing is left undone."""
        books, staged = self.books, self.staged
        self.staged = None
        assert staged is not None
        left = sorted(staged.ends & books.open.keys())
        if left:
            books.fail("R5", f"{books.open[left[0]].describe()} open after squaring off", "a cancellation")
        tried = {order.key for number, order in books.orders.items() if number > staged.before}
        if not staged.closes <= tried:
            books.fail("R5", f"{sorted(staged.closes - tried)} held after squaring off", "orders that close it")
