"""A copy of an account, slowly: what it begins with is worked out from everything that ever moved the first one."""

from __future__ import annotations

from fractions import Fraction

import attrs

from papertrade.domain.events import (
    AccountCloned,
    CashDeposited,
    CashWithdrawn,
    PositionImported,
)
from papertrade.domain.position_keys import split_key
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle import watching
from papertrade.testing.oracle.oracle import Oracle


def copied(source: Oracle, account: str, command_id: str | None = None, note: str = "") -> Oracle:
    """Another account with the words, the money and the lots of this one, and none of its orders or past."""
    watching.catch_up(source, source.clock)
    new = Oracle(attrs.evolve(source.setup, account=account, cash_units=0, start_ns=source.clock))
    new.read = source.read
    new.markets = {symbol: market.twin() for symbol, market in source.markets.items()}
    for market in new.markets.values():  # what the first account took of the market is there for the second
        market.taken, market.taken_of_bar = {1: 0, -1: 0}, 0
    version = len(source.events)
    new.emit(AccountCloned(account, new.next_version, new.now, source.name, version, command_id, note))
    said, code = f"from {source.name} at version {version}", source.setup.currency.code
    cash = source.total()
    if cash:
        kind = CashDeposited if cash > 0 else CashWithdrawn
        new.emit(kind(account, new.next_version, new.now, abs(cash), code, None, said))
    for key in sorted(source.held_keys()):
        symbol, product = split_key(key)
        for lot, exact in zip(source.holding(key).lots, source.replayed(key, True).lots, strict=True):
            price = money.nearest(Fraction(exact.worth, exact.quantity), 1)
            about = account, new.next_version, new.now, symbol, lot.quantity, price, lot.worth
            new.emit(PositionImported(*about, code, None, said, product))
    if new.held_keys():
        watching.begin_day(new)
    watching.review(new)
    return new
