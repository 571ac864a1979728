"""The live account beside the books: cheap, after every step."""

from __future__ import annotations

from typing import Any

from .books import CASH, HOLDS, Books
from .orders import Ticket


def state_of(broker: Any, account: str) -> Any:
    """The engine's own state of an account, only to be read."""
    return broker.exchange._desk.engine.seats[account].state


def compare(books: Books, state: Any, touched: dict[int, Ticket]) -> None:
    """Versions, balances, restrictions, open orders, and the positions of what was touched."""
    if state.version != books.version:
        books.fail("E1", f"a live version of {state.version}", books.version)
    balances, live = books.balances, state.books
    for name, units in balances.items():
        if live.get(name, 0) != units:
            name_of = "L5" if name == HOLDS else "L2" if name == CASH else "L1"
            books.fail(name_of, f"{name} of {live.get(name, 0)}", units)
    if len(live) > len(balances) or state.cash != balances[CASH] or state.held != balances[HOLDS]:
        books.fail("L1", f"balances {live}", balances)
    if state.margin_call != books.called or len(state.latches) != len(books.latches):
        books.fail("E2", f"latches {state.latches}, called {state.margin_call}", (sorted(books.latches), books.called))
    if len(state.orders) != len(books.open):
        books.fail("O1", f"open orders {sorted(state.orders)}", sorted(books.open))
    for number, order in books.open.items():
        _compare_order(books, state.orders.get(number), order)
    for order in touched.values():
        _compare_position(books, state, order.key)


def _compare_order(books: Books, live: Any, order: Ticket) -> None:
    if live is None or live.status != order.status:
        books.fail("O1", f"{live and live.status} for {order.describe()}", order.status)
    if live.filled_units != order.filled or live.remaining_units != order.left or live.quantity_units != order.quantity:
        found = (live.quantity_units, live.filled_units, live.remaining_units)
        books.fail("O2", f"{found} of {order.describe()}", (order.quantity, order.filled, order.left))
    if live.hold_units != order.hold:
        books.fail("L5", f"{order.describe()} holds {live.hold_units}", order.hold)
    prices = (order.limit, order.stop, order.expires, order.oco)
    if (live.limit_units, live.stop_units, live.expires_ns, live.oco) != prices:
        books.fail("O9", f"{order.describe()} is {live!r} with link {live.oco}", prices)
    if (live.triggered_ns is None) != (order.triggered is None):
        books.fail("O9", f"{order.describe()} triggered at {live.triggered_ns}", order.triggered)
    if order.expires is not None and order.expires <= books.at:
        books.fail("O6", f"{order.describe()} open at {books.at}", f"its end at {order.expires}")


def _compare_position(books: Books, state: Any, symbol: str) -> None:
    held, live = books.holdings.get(symbol), state.positions.get(symbol)
    if held is None or live is None:
        if (held is None or not held.was_held) and (live is None or not live.quantity_units):
            return
        books.fail("P1", f"position {live}", held and held.quantity)
    if live.quantity_units != held.quantity:
        books.fail("P1", f"{live.quantity_units} of {symbol}", held.quantity)
    if live.cost_units != held.cost or live.pq != held.pq:
        books.fail("P2", f"{symbol} at cost {live.cost_units}, Σpq {live.pq}", (held.cost, held.pq))
    if live.realized_units != held.realized or live.fees_units != held.fees:
        found = (live.realized_units, live.fees_units)
        books.fail("P3", f"{symbol} realized and charged {found}", (held.realized, held.fees))


def compare_rest(books: Books, state: Any) -> None:
    """What is compared now and then: every position, and the bases that losses are measured from."""
    for symbol in sorted({*books.holdings, *state.positions}):
        _compare_position(books, state, symbol)
        held, live = books.holdings.get(symbol), state.positions.get(symbol)
        if held is not None and live is not None and not held.pool:
            lots = [[lot.quantity_units, lot.pq, lot.cost_units, lot.opened_ns] for lot in live.lots]
            books.equal("P2", lots, held.lots, f"lots of {symbol}")
        if held is not None and live is not None:
            books.equal("E2", live.mark_units, held.told, f"last price of {symbol} that is told")
        if live is not None:
            found = (live.working_buy_units, live.working_sell_units)
            books.equal("O2", found, (books.working(symbol, 1), books.working(symbol, -1)), f"working in {symbol}")
    books.equal("E2", sorted(state.latches), sorted(books.latches), "latches")
    found = (state.day, state.day_equity_units, state.day_deposits_units, state.loss_base_units, state.peak_units)
    at_cost = [(p.symbol, p.quantity, p.booked, p.at, p.first or None, p.imported, p.today) for p in books.at_cost]
    books.equal("E2", [tuple(part) for part in state.unvalued], at_cost, "counted at cost")
    expected = (books.day, books.day_equity, books.day_deposits, books.loss_base, books.peak)
    books.equal("E2", found, expected, "day, its equity and deposits, loss base and peak")
    books.equal("O4", (state.next_order, state.next_fill), (len(books.orders) + 1, books.fills + 1), "next numbers")
