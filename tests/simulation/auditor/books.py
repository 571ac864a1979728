"""The account as the auditor keeps it: balances, holdings, orders, and what restricts it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from .broken import BrokenInvariantError
from .days import Days
from .facts import Facts, Tool, maybe_units, symbol_of
from .fees import lines_of
from .orders import Ticket
from .positions import Holding
from .sessions import Sessions

if TYPE_CHECKING:
    from .settling import Pile

CASH, HOLDS, STOCK = "assets:cash", "assets:holds", "assets:positions"
PROFIT, DEPOSITS, FEES = "income:realized", "equity:deposits", "expenses:fees:"


class AtCost:
    """A holding that the day that has begun or the peak counts at its cost, or at an older price."""

    __slots__ = ("at", "booked", "cost", "first", "imported", "quantity", "symbol", "today")

    def __init__(
        self, symbol: str, quantity: int, cost: int, imported: bool, booked: int | None = None, at: int | None = None
    ) -> None:
        self.symbol, self.quantity, self.cost, self.imported = symbol, quantity, cost, imported
        self.booked = cost if booked is None else booked
        self.at = at
        self.first = 0  # the price of its first fill since
        self.today = True


class Books:
    """One account, folded from its journal."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.account = facts.account
        self.reached: Counter[str] = Counter()
        self.minor = 10 ** (9 - facts.decimals)
        own = [i for i in facts.instruments if facts.currency in ("", i.currency.code)]
        self.tools = {i.symbol: Tool(i, facts.decimals) for i in own}
        self.is_cash = facts.kind == "cash"
        self.fee_lines = lines_of(facts.fees, self.minor, self.reached)
        self.days = Days(facts.trading_day)
        limits = facts.limits
        self.most_quantity = maybe_units(limits.max_order_quantity)
        self.most_notional = maybe_units(limits.max_order_notional)
        self.most_open: int | None = limits.max_open_orders
        self.most_position = maybe_units(limits.max_position)
        self.most_loss, self.most_drawdown = maybe_units(limits.max_daily_loss), maybe_units(limits.max_drawdown)
        # The balances themselves, and every entry that led to them: (version, lines that are not zero).
        self.balances: dict[str, int] = {CASH: 0, HOLDS: 0, STOCK: 0, PROFIT: 0, DEPOSITS: 0}
        self.entries: list[tuple[int, dict[str, int]]] = []
        self.currency = facts.currency
        self.clock: int | None = None  # of the process that wrote the record being read
        self.version = self.at = 0
        self.now = 0  # the instant of the record being read
        self.orders: dict[int, Ticket] = {}
        self.open: dict[int, Ticket] = {}
        self.holdings: dict[str, Holding] = {}
        self.fills = 0
        self.latches: set[str] = set()
        self.calendars = {name: Sessions(name) for name in sorted(set(facts.hours.values()))}
        self.sessions = {symbol: self.calendars[name] for symbol, name in facts.hours.items()}
        # By calendar and product: the close, and the last stage before it.
        self.squared: dict[tuple[str, str], tuple[int, str]] = {}
        self.staged_at = -1  # the instant of the last stage
        self.exposed: dict[tuple[str, str], int] = {}  # the same: since when there is something to square off
        self.called = False
        self.piles: list[Pile] = []  # what has not settled, the next to settle first
        self.owed: list[tuple[int, str, int, int]] = []  # (due, symbol, shares, money) bought with unsettled money
        self.violations: list[str] = []  # their days, of twelve months
        self.restricted_until = self.at_before = 0
        self.day = ""
        self.at_cost: list[AtCost] = []
        self.day_equity = self.day_deposits = self.loss_base = self.peak = 0

    # ------------------------------------------------------------- answers

    def fail(self, name: str, found: object, expected: object) -> NoReturn:
        """Something is wrong."""
        raise BrokenInvariantError(name, self.account, f"{found} (version {self.version})", expected)

    def equal(self, name: str, found: object, expected: object, about: str) -> None:
        """Raise unless the two are the same."""
        if found != expected:
            self.fail(name, f"{about} {found}", expected)

    @property
    def unsettled(self) -> int:
        """Sale proceeds that have not settled and were not spent."""
        return sum(pile.cash for pile in self.piles)

    def owe(self, due: int, symbol: str, shares: int, cash: int) -> None:
        """Shares were paid with money that has not settled."""
        for debt in self.owed:
            if debt[:2] == (due, symbol):
                self.owed.remove(debt)
                shares, cash = shares + debt[2], cash + debt[3]
                break
        self.owed.append((due, symbol, shares, cash))
        self.owed.sort()

    @property
    def restricted(self) -> bool:
        """May it only reduce?"""
        return self.called or bool(self.latches)

    def tool(self, symbol: str) -> Tool:
        """The instrument of a symbol; one that is not listed is nobody's to trade."""
        tool = self.tools.get(symbol)
        if tool is None:
            self.fail("L10", f"an order for {symbol!r}", "a listed instrument of the account's currency")
        return tool

    def holding(self, key: str) -> Holding:
        """What is held of a symbol, in one product where there are some."""
        found = self.holdings.get(key)
        if found is None:
            found = self.holdings[key] = Holding(symbol_of(key), self.facts.cost_method == "average")
        return found

    def only_long(self, product: str) -> bool:
        """May nothing be sold short in this product?"""
        return self.is_cash or any(p.name == product and p.shorting is False for p in self.facts.products)

    def rule_of(self, product: str, calendar: str) -> Any:
        """The rule by which a product is squared off: its own, else that of the account; the first for a calendar."""
        own = [p.square_off for p in self.facts.products if p.name == product and p.square_off is not None]
        rules = own[0] if own else (self.facts.square_off,)
        return next((r for r in rules if r is not None and (r.calendars is None or calendar in r.calendars)), None)

    def sibling(self, order: Ticket) -> Ticket | None:
        """The other leg of a pair, while it is open."""
        return self.open.get(order.oco) if order.oco else None

    def working(self, key: str, sign: int, without: tuple[int, ...] = ()) -> int:
        """What open orders of a side may still fill, a pair counted once at the larger."""
        total = 0
        for number, order in self.open.items():
            if order.key != key or order.sign != sign or number in without:
                continue
            other = self.open.get(order.oco)
            paired = other is not None and other.sign == sign and order.oco not in without
            # Of a pair the leg with more left counts, and the older of two that are equal.
            if paired and other is not None and (order.left, -number) < (other.left, -order.oco):
                continue
            total += order.left
        return total

    # --------------------------------------------------------------- money

    def book(self, lines: dict[str, int]) -> None:
        """One entry: it has to sum to zero."""
        lines = {name: units for name, units in lines.items() if units}
        if sum(lines.values()):
            self.fail("L1", f"an entry that sums to {sum(lines.values())}", 0)
        for name, units in lines.items():
            self.balances[name] = self.balances.get(name, 0) + units
        if lines:
            self.entries.append((self.version, lines))

    def move_hold(self, order: Ticket, hold: int, held: int, other: Ticket | None, booked: bool = True) -> None:
        """An order needs another hold: a pair shares the larger of two, and cash moves by the difference."""
        beside = 0 if other is None else other.hold
        change = max(hold, beside) - max(order.hold, beside)
        if held != change:
            self.fail("L5", f"held money changed by {held} for {order.describe()}", change)
        if hold < 0 or hold % self.minor:
            self.fail("L5", f"a hold of {hold}", f"whole minor units of {self.minor}, 0 or more")
        order.hold = hold
        if booked and change:
            self.book({HOLDS: change, CASH: -change})

    def fees_of(self, order: Ticket, quantity: int, value: int, made: int) -> list[Any] | None:
        """What a fill adds to an order's fees; None where the model is a stranger."""
        if self.fee_lines is None:
            return None
        found = []
        after = (order.filled + quantity, order.value + value, order.made + made)
        for kind, owed in self.fee_lines:
            change = owed(*after) - (owed(order.filled, order.value, order.made) if order.filled else 0)
            if change:
                found.append((kind, change))
        return found
