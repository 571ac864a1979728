"""What the broker shows to people, beside the books: slow, now and then."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .books import CASH, DEPOSITS, FEES, HOLDS, PROFIT, Books
from .facts import ONE, Tool, key_of, product_of, units_of, upwards
from .positions import Holding


def compare(books: Books, broker: Any, records: int, averaged: dict[int, int], entries: bool) -> None:
    """Account, positions, orders and fills; entries too, if asked for."""
    positions = {key_of(position.symbol, position.product): position for position in broker.positions()}
    held = sorted(key for key, holding in books.holdings.items() if holding.quantity)
    books.equal("A3", sorted(positions), held, "positions shown")
    _account(books, broker.account(), positions)
    for key in held:
        _position(books, key, books.holdings[key], positions[key])
    for key, holding in books.holdings.items():
        if not holding.quantity:
            _flat(books, broker.position(holding.symbol, product_of(key) or None))
    _orders(books, broker, averaged)
    if entries:
        _entries(books, broker)
    books.equal("E1", len(broker.events()), records, "records")


def _account(books: Books, view: Any, positions: dict[str, Any]) -> None:
    balances = books.balances
    charged = sum(units for name, units in balances.items() if name.startswith(FEES))
    total = balances[CASH] + balances[HOLDS]
    books.equal("L2", view.total_units, total, "total")
    books.equal("L5", view.held_units, balances[HOLDS], "held")
    books.equal("L5", view.held_units, needed(books), "held, and what open orders need:")
    books.equal("L3", view.fees_units, charged, "fees")
    books.equal("A3", view.realized_units, -balances[PROFIT], "realized")
    books.equal("A3", view.net_deposits_units, -balances[DEPOSITS], "net deposits")
    books.equal("A3", (view.version, view.open_orders), (books.version, len(books.open)), "version, open orders")
    books.equal("A3", (sorted(view.latched), view.margin_call), (sorted(books.latches), books.called), "restrictions")
    worth = initial = maintenance = missing = 0
    for key, held in books.holdings.items():
        if not held.quantity:
            continue
        tool, shown = books.tools[held.symbol], positions.get(key)
        mark = None if shown is None else shown.mark_units
        missing += mark is None
        worth += held.cost if mark is None else _worth(tool, held.quantity, mark)
        price = mark if mark is not None else _cost_price(tool, held)
        initial += _margin(books, tool, "initial_fraction", held.quantity, price)
        maintenance += _margin(books, tool, "maintenance_fraction", held.quantity, price)
    unrealized = worth - sum(held.cost for held in books.holdings.values())
    books.equal("L4", view.equity_units, total + worth, "equity")
    gained = -balances[PROFIT] - charged + unrealized
    books.equal("L4", view.equity_units + balances[DEPOSITS], gained, "equity less deposits")
    books.equal("L4", view.total_profit_units, gained, "total profit")
    books.equal("P6", (view.unrealized_units, view.missing_marks), (unrealized, missing), "unrealized, missing marks")
    books.equal("R1", (view.initial_margin_units, view.maintenance_margin_units), (initial, maintenance), "margin")
    rule = books.facts.settlement
    keeps = rule is not None and (rule.unsettled_cash == "refuse" or view.at_ns < books.restricted_until)
    cash = balances[CASH] - (books.unsettled if keeps else 0)
    books.equal("S1", view.unsettled_cash_units, books.unsettled, "unsettled cash")
    free = cash if books.is_cash else total + worth - initial - balances[HOLDS]
    books.equal("L5", view.available_units, free, "available")
    if books.at_cost:
        books.equal("A3", view.day_profit_units, None, "profit of a day that counts something at cost")
    elif books.day:
        profit = total + worth - books.day_equity - books.day_deposits
        books.equal("A3", view.day_profit_units, profit, "profit of the day")
        books.equal("A3", view.equity_units - view.day_base_units, profit, "base of the day's profit")


def needed(books: Books) -> int:
    """What open orders need held, a pair once at the larger."""
    total = 0
    for number, order in books.open.items():
        other = books.sibling(order)
        if other is None:
            total += order.hold
        elif number < other.number:
            total += max(order.hold, other.hold)
    return total


def _worth(tool: Tool, quantity: int, mark: int) -> int:
    value = tool.value(mark, abs(quantity))
    return value if quantity > 0 else -value


def _cost_price(tool: Tool, held: Holding) -> int:
    return abs(held.cost) * ONE * ONE // (abs(held.quantity) * tool.multiplier)


def _margin(books: Books, tool: Tool, which: str, quantity: int, price: int) -> int:
    """A flat fraction of the exposure, up to whole minor units."""
    if books.is_cash:
        return 0
    fraction = units_of(getattr(books.facts.margin, which))
    return upwards(tool.value(price, abs(quantity)) * fraction, ONE * tool.minor) * tool.minor


def _position(books: Books, symbol: str, held: Holding, shown: Any) -> None:
    tool = books.tools[held.symbol]
    books.equal("P1", shown.quantity_units, held.quantity, f"quantity of {symbol}")
    found = (shown.cost_units, shown.realized_units, shown.fees_units)
    books.equal("P2", found, (held.cost, held.realized, held.fees), f"cost, profit, fees of {symbol}")
    books.equal("P2", sum(lot.quantity_units for lot in shown.lots), held.quantity, f"lots of {symbol}")
    books.equal("P2", sum(lot.cost_units for lot in shown.lots), held.cost, f"cost of lots of {symbol}")
    average = Fraction(shown.average_price) * ONE
    # A lot that shrank keeps a whole number of Σ price × quantity: the average moves by less than a unit.
    if not held.lowest - 1 <= average <= held.highest + 1:
        books.fail("P2", f"an average of {shown.average_price}", f"{held.lowest} to {held.highest} units")
    if abs(average - Fraction(held.pq, held.quantity)) > 1:
        books.fail("P2", f"an average of {shown.average_price}", Fraction(held.pq, held.quantity))
    if shown.mark_units is not None:
        unrealized = _worth(tool, held.quantity, shown.mark_units) - held.cost
        books.equal("P6", shown.unrealized_units, unrealized, f"unrealized of {symbol}")
    kept = books.working(symbol, -1) if books.only_long(shown.product) else 0
    books.equal("L5", shown.held_units, kept, f"held of {symbol}")


def _flat(books: Books, shown: Any) -> None:
    found = (shown.quantity_units, shown.cost_units, shown.pq, shown.lots, shown.unrealized_units or 0)
    books.equal("P4", found, (0, 0, 0, (), 0), f"flat {shown.symbol}")


def _orders(books: Books, broker: Any, averaged: dict[int, int]) -> None:
    shown = broker.orders("all")
    books.equal("O4", [order.number for order in shown], sorted(books.orders), "orders")
    for order in shown:
        own = books.orders[order.number]
        if _said(order) != _own(own):
            _differs(books, order, own)
        if own.filled != averaged.get(own.number, 0):  # an average is worked out once for what has filled
            exact = Fraction(own.pq, own.filled * ONE)
            if 2 * abs(Fraction(order.average_price) - exact) > Fraction(1, ONE):
                books.fail("O3", f"an average of {order.average_price}", exact)
            averaged[own.number] = own.filled
        if order.is_open and not str(broker.explain(order)):
            books.fail("O8", own.describe(), "something that it waits for")
    fills = broker.fills()
    books.equal("A3", [fill.id for fill in fills], [f"{books.account}-F{n + 1}" for n in range(books.fills)], "fills")


def _said(order: Any) -> tuple[Any, ...]:
    size = (order.filled_units, order.remaining_units, order.canceled_quantity_units, order.quantity_units)
    return str(order.status), size, (order.value_units, order.fees_units), order.hold_units


def _own(own: Any) -> tuple[Any, ...]:
    return own.status, (own.filled, own.left, own.canceled, own.quantity), (own.value, own.fees), own.hold


def _differs(books: Books, order: Any, own: Any) -> None:
    """Say what it is that differs."""
    parts = (("O1", "status of"), ("O2", "sizes of"), ("O3", "value and fees of"), ("L5", "hold of"))
    for (name, what), found, expected in zip(parts, _said(order), _own(own), strict=True):
        books.equal(name, found, expected, f"{what} {own.describe()}")


def _entries(books: Books, broker: Any) -> None:
    """The entries that are shown are those that the events ask for: one each, summing to zero."""
    shown: list[tuple[int, dict[str, int]]] = []
    for entry in broker.entries():
        lines: dict[str, int] = {}
        for posting in entry.postings:
            lines[posting.ledger_account] = lines.get(posting.ledger_account, 0) + posting.amount_units
        books.equal("L1", sum(lines.values()), 0, f"entry {entry.version} sums to")
        shown.append((entry.version, lines))
    if len({version for version, _ in shown}) != len(shown):
        books.fail("L7", "two entries of one event", "one")
    if shown != books.entries:
        wrong = next(((a, b) for a, b in zip(shown, books.entries, strict=False) if a != b), (shown[-1:], "no more"))
        books.fail("L7", wrong[0], wrong[1])
