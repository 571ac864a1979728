"""A copy of an account, slowly: what it begins with is worked out from everything that ever moved the first one."""

from __future__ import annotations

import copy
from fractions import Fraction

import attrs

from papertrade.domain.events import (
    AccountCloned,
    CashDeposited,
    CashWithdrawn,
    OrderFilled,
    PositionImported,
)
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle import watching
from papertrade.testing.oracle.account import SlowAccount, close_lots, closing_part
from papertrade.testing.oracle.oracle import Oracle


def copied(source: Oracle, account: str, command_id: str | None = None, note: str = "") -> Oracle:
    """Another account with the words, the money and the lots of this one, and none of its orders or past."""
    watching.catch_up(source, source.clock)
    new = Oracle(attrs.evolve(source.setup, account=account, cash_units=0, start_ns=source.clock))
    new.read = source.read
    new.markets = {symbol: copy.deepcopy(market) for symbol, market in source.markets.items()}
    for market in new.markets.values():  # what the first account took of the market is there for the second
        market.taken, market.taken_of_bar = {1: 0, -1: 0}, 0
    version = len(source.events)
    new.emit(AccountCloned(account, new.next_version, new.now, source.name, version, command_id, note))
    said, code = f"from {source.name} at version {version}", source.setup.currency.code
    cash = source.total()
    if cash:
        kind = CashDeposited if cash > 0 else CashWithdrawn
        new.emit(kind(account, new.next_version, new.now, abs(cash), code, None, said))
    for symbol in sorted(source.held_symbols()):
        costs = [cost for _, cost in source.holding(symbol).lots]
        for (quantity, exact), cost in zip(_exact_lots(source, symbol), costs, strict=True):
            price = money.nearest(Fraction(exact, quantity), 1)
            about = account, new.next_version, new.now, symbol, quantity, price, cost
            new.emit(PositionImported(*about, code, None, said))
    if new.held_symbols():
        watching.begin_day(new)
    watching.review(new)
    return new


def _exact_lots(account: SlowAccount, symbol: str) -> list[tuple[int, int]]:
    """The lots of a position as (quantity, price × quantity), which averages are made of."""
    lots: list[tuple[int, int]] = []
    for move in account._moves.get(symbol, []):
        if isinstance(move, OrderFilled):
            closed = closing_part(lots, move.sign, move.quantity_units)
            lots, _ = close_lots(lots, closed, 1)
            opened = move.sign * (move.quantity_units - closed)
        else:
            opened = move.quantity_units
        if opened:
            lots = account._pooled([*lots, (opened, opened * move.price_units)])
    return lots
