"""M: is a fill or a trigger one that the data could have given? The fill rules, read once more from their tables."""

from __future__ import annotations

from typing import Any

from papertrade.matching.models import NoSlippage
from papertrade.matching.slippage import BasisPointSlippage, SpreadSlippage, TickSlippage

from . import auctions
from .books import Books
from .facts import ONE, Tool, maybe_units, units_of, upwards
from .hours import need_open
from .orders import SITUATIONS, Ticket
from .reading import INSTANTS, maybe
from .sight import Datum, Seen, Sight, View

KINDS = {"Q": "quote", "L": "price", "D": "depth", "P": "trade", "B": "bar", "A": "auction"}


def worse(sign: int, *prices: int) -> int:
    """The worst of several prices for a trader of this side."""
    return max(prices) if sign > 0 else min(prices)


class Market:
    """Checks fills and triggers of one account against what its processes were shown."""

    def __init__(self, books: Books, sight: Sight) -> None:
        self.books, self.sight = books, sight
        fill = books.facts.fill
        self.fill = fill
        self.age = maybe_units(fill.max_quote_age_s)  # seconds carry 10⁹, and so do nanoseconds
        self.participation = units_of(fill.participation)
        self.still = isinstance(fill.slippage, NoSlippage)
        self.respects = fill.displayed_size == "respect"

    # ------------------------------------------------------------ the datum

    def datum(self, process: int, order: Ticket, rule: str, evidence: dict[str, Any], at: int) -> tuple[View, Datum]:
        """The datum that an event names: it has to be one that this process was shown, and not from the future."""
        books = self.books
        when = INSTANTS[evidence["at"]]
        datum = (evidence["kind"], when, tuple(map(maybe, evidence["seen"])))
        if when > at:
            books.fail("M2", f"evidence of {when}", f"nothing later than the event of {at}")
        if len(rule) != 2 or KINDS.get(rule[0]) != datum[0]:
            books.fail("M1", f"rule {rule!r} on a {datum[0]}", "a rule of the datum's kind")
        view = self.sight.view(process, order.symbol)
        if view is None or (datum[0], when) not in view.times:
            books.fail("M7", f"{datum} of {order.symbol}", f"a datum that process {process} was shown")
        if not view.news.get(datum):
            books.fail("M1", f"{datum} of {order.symbol}", "what that datum said, when it was news")
        number = evidence["number"]
        least = 1 if rule[1] == "8" else max(view.last_number, 1)  # those go back to the close
        if number < least:
            books.fail("M7", f"datum number {number}", f"at least {least}")
        view.last_number = max(view.last_number, number)
        if rule[1] != "8":
            self._stands(view, rule, datum, at)
        need_open(books, view, order, rule, datum, at)
        return view, datum

    def _stands(self, view: View, rule: str, datum: Datum, at: int) -> None:
        # The account's own time may be ahead of the clock, by which the age of data is judged.
        at = at if self.books.clock is None else min(at, self.books.clock)
        aged = self.age is not None and at - datum[1] > self.age
        if aged and (rule[0] in "QLD" or rule == "B1"):
            self.books.fail("M1", f"a datum of {at - datum[1]} ns ago", f"at most {self.age}")
        if not view.exact:
            return
        called = None if view.called is None else view.called[1]
        latest = {"P": [view.printed], "B": [view.ranged], "A": [called]}.get(rule[0], view.standing)
        if datum not in latest and not (self.books.staged_at == self.books.now and datum in view.stood):
            self.books.fail("M1", datum, f"the latest of its kind: {latest}")

    # -------------------------------------------------------------- triggers

    def trigger(self, process: int, order: Ticket, fields: dict[str, Any], at: int) -> None:
        """A stop is triggered by a price at or beyond it."""
        rule, books = fields["rule"], self.books
        view, datum = self.datum(process, order, rule, fields["evidence"], at)
        if rule[1] != ("5" if order.limit is None else "6"):
            books.fail("M1", f"{order.describe()} triggered by rule {rule}", "rule 5 for a stop, 6 for a stop-limit")
        if rule[0] in "QD" and self.fill.stop_trigger == "last":
            books.fail("M1", f"a stop triggered by a {datum[0]}", "a last price, as the settings ask")
        reached = any(price is not None and _beyond(order, price) for price in self._triggers(view, order, rule, datum))
        if not reached:
            books.fail("M1", f"a stop at {order.stop} triggered by {datum}", "a price at or beyond it")
        order.triggered = (process, datum)

    def _triggers(self, view: View, order: Ticket, rule: str, datum: Datum) -> tuple[int | None, ...]:
        seen, sign = datum[2], order.sign
        if rule[0] == "L":
            return (view.prices.get(datum),)
        if rule[0] == "B":
            return (seen[1] if sign > 0 else seen[2],)
        return (_touch(rule, sign, seen),)

    # ----------------------------------------------------------------- fills

    def check(self, process: int, order: Ticket, fields: dict[str, Any], fill: dict[str, int], at: int) -> Seen:
        """A fill: its datum, its base price, what slippage made of it, and how much there was."""
        rule, books = fields["rule"], self.books
        view, datum = self.datum(process, order, rule, fields["evidence"], at)
        tool = books.tool(order.symbol)
        auctions.need_met(books, view, order, process, rule, datum, at)
        self._situation(process, order, rule, fields["role"], datum)
        if rule[0] in "QL" and datum[2][0] is not None and datum[2][1] is not None and datum[2][1] < datum[2][0]:
            books.fail("M1", f"a fill on {datum}", "a market that is not crossed")
        self._base(view, tool, order, rule, fields["role"], datum, fill["base"])
        self._price(tool, order, rule, datum, fill)
        self._size(view, tool, order, rule, datum, fill["quantity"])
        return datum[2]

    def _situation(self, process: int, order: Ticket, rule: str, role: str, datum: Datum) -> None:
        """Which digits an order's type allows, and who provides: a resting limit makes, what takes takes."""
        digit, books = rule[1], self.books
        if digit not in SITUATIONS[order.kind] and digit not in auctions.DIGITS.get(order.tif, ""):
            books.fail("M1", f"rule {rule} for {order.describe()}", f"one of {SITUATIONS[order.kind]}")
        if digit in "56" and order.triggered != (process, datum):
            books.fail("M1", f"rule {rule} on {datum}", f"the datum that triggered it: {order.triggered}")
        roles = {"4": "maker", "1": "taker", "2": "taker", "5": "taker"}.get(digit)
        if rule[0] == "A" or digit in "78" or (digit == "3" and rule != "B3"):
            roles = "taker"
        if roles is not None and role != roles:
            books.fail("M1", f"a {role} by rule {rule}", roles)
        if order.post_only and role != "maker":
            books.fail("O6", f"a post-only order that is a {role} by rule {rule}", "a maker")
        if order.tif in ("ioc", "fok") and digit in "24":
            books.fail("O6", f"a {order.tif} order filled by rule {rule}", "nothing after its arrival")

    def _base(self, view: View, tool: Tool, order: Ticket, rule: str, role: str, datum: Datum, base: int) -> None:
        sign, limit, seen = order.sign, order.limit, datum[2]
        if limit is not None and sign * (base - limit) > 0:
            self.books.fail("M1", f"a base price of {base}", f"the limit {limit} or better")
        if rule[0] == "A" or (rule[0] in "PB" and rule[1] in "78"):
            allowed = self._call_bases(tool, order, rule, seen)
        elif rule[0] == "B":
            allowed = self._bar_bases(tool, order, rule, role, seen)
        elif rule[0] == "D":
            allowed = _depth_bases(order, rule, seen)
        elif rule[0] == "P":
            allowed = self._print_bases(view, tool, order, rule, seen)
        else:
            touch = _touch(rule, sign, seen)
            allowed = [] if touch is None else [_standing_base(order, rule[1], touch)]
        if base in allowed:
            return
        if rule[1] in "56" and allowed and all(sign * (base - price) < 0 for price in allowed if price is not None):
            self.books.fail("M4", f"a base price of {base} by rule {rule} on {datum}", f"{allowed} or worse")
        self.books.fail("M1", f"a base price of {base} by rule {rule} on {datum}", f"one of {allowed}")

    def _call_bases(self, tool: Tool, order: Ticket, rule: str, seen: Seen) -> list[int | None]:
        """One price for all: for a limit it has to be better, or as good where a touch is enough."""
        price = seen[0] if rule[0] != "B" or (order.tif == "opg" and rule[1] == "7") else seen[3]
        if price is None or _at_end(tool, order.sign, price):
            return []
        return [] if price == order.limit and self.fill.limit_fill != "touch" else [price]

    def _print_bases(self, view: View, tool: Tool, order: Ticket, rule: str, seen: Seen) -> list[int | None]:
        price, sign = seen[0], order.sign
        if price is None or _at_end(tool, sign, price):
            return []
        if rule[1] == "4":
            return [order.limit] if self._through(tool, sign, price, order.limit) else []
        found = [price]
        # A quote that stands may make it worse. Whether trading was halted is not known here.
        for standing in view.standing:
            touch = _touch("Q" if standing[0] != "depth" else "D", sign, standing[2])
            if touch is not None:
                found.append(worse(sign, price, touch))
        if rule[1] in "56" and order.stop is not None:
            found = [worse(sign, each, order.stop) for each in found]
        return list(found)

    def _bar_bases(self, tool: Tool, order: Ticket, rule: str, role: str, seen: Seen) -> list[int | None]:
        """Of the whole bar, and of its close alone: that is all that an order placed inside the bar meets."""
        opened, high, low, close = seen[:4]
        if opened is None or high is None or low is None or close is None:
            return []
        if rule == "B1":
            found = [close]
        else:
            found = self._of_bar(tool, order, rule[1], role, (opened, high, low, close))
            found += self._of_bar(tool, order, rule[1], role, (close, close, close, close))
        return [price for price in found if not _at_end(tool, order.sign, price)]

    def _of_bar(self, tool: Tool, order: Ticket, digit: str, role: str, bar: tuple[int, int, int, int]) -> list[int]:
        opened, high, low, close = bar
        sign, limit, stop, fill = order.sign, order.limit, order.stop, self.fill
        near, far = (low, high) if sign > 0 else (high, low)  # where limits and where stops are reached
        if digit == "2":
            return [opened]
        if digit in "34" and limit is not None:
            at_open = self._through(tool, sign, opened, limit)
            if digit == "4":
                return [limit] if not at_open and self._through(tool, sign, near, limit) else []
            takes = fill.gap_fill == "open" and not order.post_only
            if not at_open or role != ("taker" if takes else "maker"):
                return []
            return [opened] if takes else [limit]
        if stop is None or sign * (far - stop) < 0:
            return []
        at = worse(sign, stop, opened)
        if digit == "5":
            return [at]
        if limit is None:
            return []
        if sign * (at - limit) <= 0:
            return [at] if role == "taker" else []
        gapped = sign * (opened - stop) >= 0
        later = [close] if fill.intrabar == "adverse" and not gapped else [near, close]
        through = any(self._through(tool, sign, price, limit) for price in later)
        return [limit] if role == "maker" and through else []

    def _through(self, tool: Tool, sign: int, price: int, limit: int | None) -> bool:
        beyond = self.fill.through_ticks * tool.tick if self.fill.limit_fill == "through" else 0
        return limit is not None and sign * (limit - price) >= beyond

    # ------------------------------------------------------- price and size

    def _price(self, tool: Tool, order: Ticket, rule: str, datum: Datum, fill: dict[str, int]) -> None:
        books, sign, base, price = self.books, order.sign, fill["base"], fill["price"]
        if price <= 0 or price % tool.tick or fill["quantity"] <= 0 or fill["quantity"] % tool.lot:
            books.fail("M5", f"{fill['quantity']} at {price}", f"ticks of {tool.tick}, lots of {tool.lot}, above zero")
        if order.limit is not None and sign * (price - order.limit) > 0:
            books.fail("M1", f"a price of {price}", f"the limit {order.limit} or better")
        moved: int | None = 0
        if order.limit is None and rule[1] in "12578" and not self.still:
            moved = self._slippage(tool, rule, base, datum[2])
        if moved is None:
            if sign * (price - base) < 0:
                books.fail("M5", f"a price of {price}", f"{base} or worse")
            return
        slipped = base + sign * moved
        if tool.band is not None and moved:
            slipped = min(max(slipped, tool.band[0]), tool.band[1])
        expected = max(tool.against(worse(sign, base, slipped), sign), tool.tick)
        if price != expected:
            books.fail("M5", f"a price of {price} from {base}", expected)

    def _slippage(self, tool: Tool, rule: str, base: int, seen: Seen) -> int | None:
        """How far a price is moved against the trader, up to a unit; None where the evidence cannot say."""
        model = self.fill.slippage
        if isinstance(model, TickSlippage):
            return model.ticks * tool.tick
        if isinstance(model, BasisPointSlippage):
            return upwards(base * units_of(model.basis_points), 10_000 * ONE)
        if isinstance(model, SpreadSlippage) and rule[0] in "QL":
            bid, ask = seen[:2]
            wide = 0 if bid is None or ask is None else max(0, ask - bid)
            return upwards(wide * units_of(model.share), ONE)
        return None

    def _size(self, view: View, tool: Tool, order: Ticket, rule: str, datum: Datum, quantity: int) -> None:
        """One size is sold once: a quote's by side, a print's and a bar's to both sides together."""
        letter, seen, books = rule[0], datum[2], self.books
        if rule[1] == "8":
            there = None  # how much was there is not known
        elif letter == "A":
            there = None if seen[1] is None else seen[1] * self.participation // ONE // tool.lot * tool.lot
        elif letter in "QL":
            there = seen[3] if order.sign > 0 else seen[2]
        elif letter == "D":
            there = _within(order, seen)
        elif letter == "P":
            there = seen[1]
        else:
            there = None if seen[4] is None else seen[4] * self.participation // ONE // tool.lot * tool.lot
        if there is None:
            if self.fill.missing_size == "refuse":
                books.fail("M3", f"{quantity} filled on {datum}", "nothing, because it has no size")
            return
        if not self.respects:
            return
        key = (datum, order.sign if letter in "QLD" else 0)
        sold = view.sold.get(key, 0) + quantity
        view.sold[key] = sold
        if letter == "D":
            there = sum(size or 0 for size in seen[1::2])
            if quantity > (_within(order, seen) or 0):
                books.fail("M3", f"{quantity} filled on {datum}", f"at most {_within(order, seen)} within the limit")
        if sold > there * view.news[datum]:
            books.fail("M3", f"{sold} sold of {datum}", f"at most {there}, {view.news[datum]} times")


def _touch(rule: str, sign: int, seen: Seen) -> int | None:
    """The opposite side: a depth shows the side that is taken, best first; a print shows its price."""
    if rule[0] in "DP":
        return seen[0] if seen else None
    return seen[1] if sign > 0 else seen[0]


def _beyond(order: Ticket, price: int) -> bool:
    return order.stop is not None and order.sign * (price - order.stop) >= 0


def _at_end(tool: Tool, sign: int, price: int) -> bool:
    """At the end of the band where this side finds nobody?"""
    return tool.band is not None and (price >= tool.band[1] if sign > 0 else price <= tool.band[0])


def _standing_base(order: Ticket, digit: str, touch: int) -> int | None:
    sign, limit = order.sign, order.limit
    if digit == "4":
        return limit if limit is not None and sign * (limit - touch) >= 0 else None
    if digit in "56" and order.stop is not None:
        return worse(sign, touch, order.stop)
    return touch


def _depth_bases(order: Ticket, rule: str, seen: Seen) -> list[int | None]:
    return [_standing_base(order, rule[1], level) for level in seen[::2] if level is not None]


def _within(order: Ticket, seen: Seen) -> int | None:
    """How much of a depth lies within the order's limit."""
    limit = order.limit
    total = 0
    for price, size in zip(seen[::2], seen[1::2], strict=True):
        if price is not None and size is not None and (limit is None or order.sign * (limit - price) >= 0):
            total += size
    return total
