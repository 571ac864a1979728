"""How each record changes the books, and what has to hold while it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import risk
from .books import CASH, DEPOSITS, FEES, HOLDS, PROFIT, STOCK, Books
from .keys import Keys
from .matching import Market
from .orders import (
    CANCEL_REASONS,
    CANCELED,
    CHANGE_REASONS,
    EXPIRED,
    FILLED,
    PARTIAL,
    REDUCE_REASONS,
    REJECT_REASONS,
    REJECTED,
    TRIGGERED,
    Ticket,
    amounts,
)
from .reached import count_fill
from .reading import AMOUNTS, maybe, maybe_ns, pairs
from .risk import compared

Doubt = tuple[str, object, object, Callable[[str, dict[str, Any]], bool]]
"""What is wrong unless the very next record explains it."""
_LIMIT = 10**24


class Folding:
    """Folds records into the books. What one record leaves open, the next has to answer."""

    def __init__(self, books: Books, market: Market) -> None:
        self.books, self.market, self.keys = books, market, Keys(books)
        self.doubts: list[Doubt] = []
        self.process = 0
        self.commit: str | None = None
        self.last: tuple[str, dict[str, Any]] = ("", {})
        self.at_once: list[Ticket] = []  # ioc and fok orders that have to end with their batch
        self.touched: dict[int, Ticket] = {}
        self._due: tuple[int, str, int, int] | None = None  # a linked order gave way to a fill of this one
        self._perhaps = False  # or it was the second of a pair whose first had filled on arrival

    def fold(self, kind: str, fields: dict[str, Any], at: int, process: int, commit_id: str | None) -> None:
        """The next record."""
        if commit_id != self.commit:
            self.settle()
        self.process, self.commit = process, commit_id
        if self.doubts:
            doubts, self.doubts = self.doubts, []
            for name, found, expected, answered in doubts:
                if not answered(kind, fields):
                    self.books.fail(name, found, expected)
        if self._due is not None and (kind != "order_filled" or fields["number"] != self._due[0]):
            if self._perhaps:
                self._due = None
            else:
                self.books.fail("O7", f"{kind} after order {self._due[0]}'s linked order gave way", "its fill")
        free = self.books.balances[CASH]
        handler = _HANDLERS.get(kind)
        if handler is None:
            self.books.fail("E8", f"a record of kind {kind!r}", "a kind that is documented")
        handler(self, fields, at)
        after = self.books.balances[CASH]
        if after < 0 and after < free and self.books.is_cash and not self._reducing(kind, fields):
            self.books.fail("L6", f"free cash of {after} after {kind}", "no less than zero")
        self.last = (kind, fields)

    def settle(self) -> None:
        """A batch is over: nothing is left in doubt, and what fills at once or never has ended."""
        for name, found, expected, _ in self.doubts:
            self.books.fail(name, found, expected)
        if self._due is not None and self._perhaps:
            self._due = None
        if self._due is not None:
            self.books.fail("O7", f"order {self._due[0]} without the fill its linked order gave way to", "its fill")
        for order in self.at_once:
            if order.left:
                self.books.fail("O6", f"{order.describe()} still open", "an end at once")
        self.at_once.clear()

    def _reducing(self, kind: str, fields: dict[str, Any]) -> bool:
        return kind == "order_filled" and fields["closed"] == fields["quantity"]

    def doubt(self, wrong: tuple[str, object, object] | None, answered: Callable[[str, dict[str, Any]], bool]) -> None:
        """Something that is wrong unless the next record says why."""
        if wrong is not None:
            self.doubts.append((*wrong, answered))

    # ------------------------------------------------------------- the account

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

    # ------------------------------------------------------------------ orders

    def own(self, kind: str, fields: dict[str, Any]) -> Ticket:
        """The order that a record is about; what happened has to be a legal move."""
        order = self.books.orders.get(fields["number"])
        if order is None or not order.may(kind):
            ended = order is not None and order.status in (CANCELED, EXPIRED, FILLED)
            name = "O5" if ended else "O1"
            self.books.fail(name, f"{kind} of {order and order.describe()}", "a legal move")
        self.touched[order.number] = order
        return order

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
        order.begun, order.commit = books.version, self.commit
        return order

    def accepted(self, fields: dict[str, Any], at: int) -> None:
        """An order begins to work."""
        books, oco = self.books, fields["oco"]
        order = self._begin(fields, "accepted")
        self._check_terms(order, fields["terms"], maybe_ns(fields["expires"]), at)
        # What a pair had filled already is canceled next; of that nothing was ever at stake.
        number = order.number
        self.doubt(
            risk.accepted(books, order, oco),
            lambda kind, f: kind == "order_canceled" and f["number"] == number and f["reason"] == "oco",
        )
        other = None
        if oco:
            other = books.open.get(oco)
            if other is None or other.oco or other.symbol != order.symbol:
                books.fail("O7", f"{order.describe()} linked to {oco}", "an open, unlinked order of its symbol")
            order.oco, other.oco = oco, number
        hold, held = amounts(fields, "hold", "held")
        if hold and (order.reduce_only or (books.is_cash and order.sign < 0)):
            books.fail("L5", f"a hold of {hold} for {order.describe()}", "nothing held by what only reduces")
        books.move_hold(order, hold, held, other)
        books.holding(order.symbol)
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
        due = books.days.end(at) if order.tif == "day" else order.expires if order.tif == "gtd" else None
        if expires != due or (due is not None and due <= at):
            books.fail("O6", f"a {order.tif} order that expires at {expires}", f"{due}, after {at}")
        order.expires = expires
        if at and books.day != books.days.name(at):
            books.fail("T2", f"an order accepted in {books.day!r}", books.days.name(at))
        money, price = maybe(terms["notional"]), order.limit or order.stop
        if money is not None and price is not None:
            if not tool.exact(price, order.quantity) <= money < tool.exact(price, order.quantity + tool.lot) + tool.minor:
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
        wrong = risk.refused(books, order, reason, fields["numbers"])
        order.oco = 0
        kind, before = self.last
        if kind == "order_rejected" and before["reason"] == reason and before["terms"]["symbol"] == order.symbol:
            wrong = None  # a pair is refused whole, with the reason of the one that was refused
        self.doubt(wrong, lambda kind, f: kind == "order_rejected" and f["reason"] == reason)

    def triggered(self, fields: dict[str, Any], at: int) -> None:
        """A stop's price was reached."""
        order = self.own("order_triggered", fields)
        self.market.trigger(self.process, order, fields, at)
        order.waits_for_stop = False
        order.status = TRIGGERED
        self._not_expired(order, at)

    def _not_expired(self, order: Ticket, at: int) -> None:
        if order.expires is not None and at >= order.expires:
            self.books.fail("O6", f"{order.describe()} at {at}", f"its end at {order.expires}")

    def filled(self, fields: dict[str, Any], at: int) -> None:
        """An order fills, whole or in part."""
        books, order = self.books, self.own("order_filled", fields)
        names = ("quantity", "price", "base", "value", "closed", "closed_value", "released", "realized", "hold", "held")
        fill = dict(zip(names, amounts(fields, *names), strict=True))
        quantity = fill["quantity"]
        books.equal("O4", fields["fill_number"], books.fills + 1, "fill number")
        books.equal("O3", (fields["symbol"], fields["sign"]), (order.symbol, order.sign), "a fill of")
        books.equal("M1", fields["model"], books.facts.fill.label, "fill settings")
        if not 0 < quantity <= order.left:
            books.fail("O2", f"{quantity} filled of {order.describe()}", f"at most {order.left}")
        self._not_expired(order, at)
        if at and books.day != books.days.name(at):
            books.fail("T2", f"a fill in {books.day!r}", books.days.name(at))
        other = self._linked_gave_way(order, quantity)
        seen = self.market.check(self.process, order, fields, fill, at)
        fees = pairs(fields["fees"])
        fill["fee"] = sum(units for _, units in fees)
        count_fill(books, order, fill, fields["rule"], seen, books.orders.get(order.oco))
        self._check_money(order, fields, fill, fees)
        self._move_fill_hold(order, fields["rule"], fill, at, other)
        order.filled += quantity
        order.value += fill["value"]
        order.made += fill["value"] if fields["role"] == "maker" else 0
        order.fees += fill["fee"]
        order.pq += fill["price"] * quantity
        order.fills += 1
        books.fills += 1
        order.status = PARTIAL
        if not order.left:
            self._end(order, FILLED)

    def _check_money(
        self, order: Ticket, fields: dict[str, Any], fill: dict[str, int], fees: list[tuple[str, int]]
    ) -> None:
        """Value, profit and fees by the auditor's own arithmetic, then one entry for all of it."""
        books, sign = self.books, order.sign
        held, tool = books.holding(order.symbol), books.tool(order.symbol)
        before, cost = held.quantity, held.cost
        value, closed, closed_value, released, realized = held.fill(tool, sign, fill["quantity"], fill["price"])
        if (order.reduce_only or books.restricted) and closed != fill["quantity"]:
            name = "O7" if order.reduce_only else "R5"
            books.fail(name, f"{fill['quantity']} filled of {order.describe()} with {before} held", "only reducing")
        if books.is_cash and held.quantity < 0:
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
                lambda kind, f: kind == "order_canceled"
                and f["number"] == number
                and f["reason"] == "insufficient_funds",
            )
        books.move_hold(order, hold, fill["held"], other, booked=False)

    # -------------------------------------------------------------- linked pairs

    def _linked_gave_way(self, order: Ticket, quantity: int) -> Ticket | None:
        """Before a leg fills, the other gives way: it ends, or shrinks by as much. Answers it if it is still open."""
        books, due, other = self.books, self._due, self.books.sibling(order)
        self._due = None
        if due is None:
            if other is not None:
                books.fail("O7", f"{order.describe()} filled beside order {other.number}", "that gave way first")
            return None
        _, how, by, left = due
        ends = quantity == order.left or books.facts.fill.oco_partial == "cancel" or quantity >= left
        if ends != (how == "order_canceled") or (not ends and by != quantity):
            expected = "canceled" if ends else f"reduced by {quantity}"
            books.fail("O7", f"{how} by {by} of {left} before a fill of {quantity}", expected)
        return other

    def _gives_way(self, order: Ticket, kind: str, by: int, left: int) -> None:
        """An order was canceled or reduced because of its linked order."""
        books, other = self.books, self.books.sibling(order)
        before, fields = self.last
        arriving = before == "order_accepted" and fields["number"] == order.number
        first = books.orders.get(order.number - 1)
        # The second of a pair arrives: what the first has filled already it no longer wants.
        second = arriving and first is not None and first.filled > 0 and order.oco in (0, first.number)
        self._perhaps = second and (kind == "order_canceled" or (first is not None and by == first.filled))
        if other is not None:
            self._due = (other.number, kind, by, left)
        elif not self._perhaps:
            books.fail("O7", f"{order.describe()} gave way by {by}", "a linked order that fills, or filled on arrival")

    def linked(self, fields: dict[str, Any], at: int) -> None:
        """Two open orders become a pair."""
        books = self.books
        one = self.own("orders_linked", fields)
        two = self.own("orders_linked", {"number": fields["other"]})
        held = AMOUNTS[fields["held"]]
        if one.symbol != two.symbol or one.oco or two.oco or one is two:
            books.fail("O7", f"{one.describe()} linked to {two.describe()}", "two unlinked orders of one symbol")
        books.equal("L5", held, max(one.hold, two.hold) - one.hold - two.hold, "held money changed by")
        one.oco, two.oco = two.number, one.number
        one.arrived = two.arrived = -1
        books.book({HOLDS: held, CASH: -held})

    # -------------------------------------------------------- changes and ends

    def modified(self, fields: dict[str, Any], at: int) -> None:
        """An order has a new size, price or expiry."""
        books, order = self.books, self.own("order_modified", fields)
        quantity, hold, held = amounts(fields, "quantity", "hold", "held")
        limit, stop, expires = maybe(fields["limit"]), maybe(fields["stop"]), maybe_ns(fields["expires"])
        if quantity <= order.filled + order.canceled:
            books.fail("O5", f"{quantity} for {order.describe()}", f"more than {order.filled + order.canceled}")
        if (limit is None) != (order.limit is None) or (stop is None) != (order.stop is None):
            books.fail("O1", f"prices {limit} and {stop} for a {order.kind} order", "the prices that it has")
        if stop != order.stop and not order.waits_for_stop:
            books.fail("O5", f"a new stop price for {order.describe()}", "none once it was triggered")
        if expires != order.expires and (order.tif != "gtd" or expires is None or expires <= at):
            books.fail("O6", f"a {order.tif} order that now expires at {expires}", order.expires)
        self._not_expired(order, at)
        self._check_size(order, quantity)
        self._check_prices(order, limit, stop)
        self.keys.command("order_modified", fields, self.commit)
        growth = quantity - order.quantity
        if growth > 0 and not risk.only_reduces(books, order, order.left + growth, order.oco):
            self._check_growth(order, quantity, growth)
        order.quantity, order.limit, order.stop, order.expires = quantity, limit, stop, expires
        order.arrived = -1
        books.move_hold(order, hold, held, books.sibling(order))

    def _check_growth(self, order: Ticket, quantity: int, growth: int) -> None:
        books = self.books
        if books.restricted:
            books.fail("R5", f"{order.describe()} enlarged to {quantity}", "a refusal")
        if books.is_cash and order.sign < 0:
            books.fail("R2", f"{order.describe()} enlarged to {quantity}", "no sale of more than is held")
        wrong = risk.over_position(books, order, order.left + growth)
        if wrong is not None:
            books.fail(*wrong)
        if books.most_quantity is not None and quantity > books.most_quantity:
            books.fail("R2", f"{order.describe()} enlarged to {quantity}", f"at most {books.most_quantity}")

    def change_refused(self, fields: dict[str, Any], at: int) -> None:
        """An order stands as it stood."""
        books, reason = self.books, fields["reason"]
        order = books.orders.get(fields["number"])
        if order is None:
            books.fail("O1", f"a change of order {fields['number']}", "an order that there is")
        if reason not in REJECT_REASONS and reason not in CHANGE_REASONS:
            books.fail("O8", f"a refused change for {reason!r}", "a reason from the list")
        if (reason == "order_is_final") != (order.number not in books.open):
            books.fail("O8", f"{reason} about {order.describe()}", "the reason that applies")
        if reason == "insufficient_funds" and order.reduce_only:
            books.fail("R3", f"a change of {order.describe()} refused for funds", "no such refusal: it only reduces")
        compared(books, fields["numbers"])
        self.keys.command("order_modify_rejected", fields, self.commit)

    def reduced(self, fields: dict[str, Any], at: int) -> None:
        """A part is canceled and the rest goes on."""
        books, order = self.books, self.own("order_reduced", fields)
        quantity, hold, held = amounts(fields, "quantity", "hold", "held")
        reason = fields["reason"]
        if not 0 < quantity < order.left:
            books.fail("O2", f"{order.describe()} reduced by {quantity}", f"less than {order.left}")
        if reason not in REDUCE_REASONS:
            books.fail("O8", f"reduced for {reason!r}", "a reason from the list")
        compared(books, fields["numbers"])
        expected = order.hold
        if reason == "oco":
            self._gives_way(order, "order_reduced", quantity, order.left)
            if not self._perhaps or hold != order.hold:  # on arrival the hold was worked out without that part
                expected -= books.tool(order.symbol).share(order.hold, quantity, order.left)
        elif order.arrived != at:
            books.fail("O8", f"{order.describe()} reduced for {reason}", "that only on arrival")
        books.equal("L5", hold, expected, f"after a reduction {order.describe()} holds")
        order.canceled += quantity
        books.move_hold(order, hold, held, books.sibling(order))

    def canceled(self, fields: dict[str, Any], at: int) -> None:
        """What remained is canceled."""
        books, order = self.books, self.own("order_canceled", fields)
        reason = fields["reason"]
        if reason not in CANCEL_REASONS:
            books.fail("O8", f"canceled for {reason!r}", "a reason from the list")
        compared(books, fields["numbers"])
        expected = {"ioc_remainder": "ioc", "fok_unfilled": "fok"}.get(reason)
        if expected is not None and order.tif != expected:
            books.fail("O8", f"{order.describe()} canceled for {reason}", "the reason that applies")
        if reason == "oco":
            self._gives_way(order, "order_canceled", order.left, order.left)
        self.keys.command("order_canceled", fields, self.commit)
        if order.filled:
            books.reached["partial_fill_then_cancel"] += 1
        books.move_hold(order, 0, AMOUNTS[fields["held"]], books.sibling(order))
        order.canceled += order.left
        self._end(order, CANCELED)

    def expired(self, fields: dict[str, Any], at: int) -> None:
        """Its time was up."""
        books, order = self.books, self.own("order_expired", fields)
        if order.expires is None or at < order.expires:
            books.fail("O6", f"{order.describe()} expired at {at}", order.expires)
        books.move_hold(order, 0, AMOUNTS[fields["held"]], books.sibling(order))
        order.canceled += order.left
        self._end(order, EXPIRED)

    def _end(self, order: Ticket, status: str) -> None:
        books = self.books
        if order.hold:
            books.fail("L5", f"{order.describe()} ended with a hold of {order.hold}", 0)
        if order.tif == "fok" and order.filled not in (0, order.quantity):
            books.fail("O6", f"{order.filled} of {order.quantity} filled of a fok order", "all or nothing")
        order.status = status
        del books.open[order.number]


_HANDLERS: dict[str, Callable[[Folding, dict[str, Any], int], None]] = {
    "account_opened": Folding.opened,
    "cash_deposited": Folding.deposited,
    "cash_withdrawn": Folding.withdrawn,
    "withdrawal_rejected": Folding.withdrawal_refused,
    "day_opened": Folding.day_opened,
    "order_accepted": Folding.accepted,
    "order_rejected": Folding.rejected,
    "order_triggered": Folding.triggered,
    "order_filled": Folding.filled,
    "order_modified": Folding.modified,
    "order_modify_rejected": Folding.change_refused,
    "order_reduced": Folding.reduced,
    "order_canceled": Folding.canceled,
    "order_expired": Folding.expired,
    "orders_linked": Folding.linked,
    "limit_latched": Folding.latched,
    "limit_reset": Folding.reset,
    "equity_marked": Folding.equity_marked,
    "margin_called": Folding.called,
    "margin_call_cleared": Folding.cleared,
}
