"""Squaring off before a close: which stages the events show, and what the next one does."""

from __future__ import annotations

from papertrade.domain.events import SquaredOff
from papertrade.domain.words import CancelReason, TimeInForce
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.changing import market_terms
from papertrade.testing.oracle.filling import cancel
from papertrade.testing.oracle.hours import told
from papertrade.testing.oracle.placing import place

MINUTE = 60 * 10**9
ORDER = ("warned", "reduce_only", "flat")


def exposed(account: SlowAccount) -> list[str]:
    """Symbols of markets with hours on which the account holds something or has an order open."""
    found = {*account.held_symbols(), *(order.symbol for order in account.open_orders())}
    return sorted(symbol for symbol in found if account.markets[symbol].hours is not None)


def due(account: SlowAccount, now: int) -> tuple[int, str, str, int, int] | None:
    """The next stage: when, for which calendar, which, and the two instants that it names."""
    rule = account.setup.square_off
    stages = []
    for hours in {account.markets[symbol].hours for symbol in exposed(account)}:
        if rule is None or hours is None or not now:  # nobody has said yet what time it is
            continue
        close, earliest = hours.day_close(now, False), now
        if any(e.stage == "flat" and e.closes_ns == close for e in told(account, hours)):
            earliest, close = close, hours.day_close(close, False)
        if not rule.covers(hours, close):
            continue
        flat = close - rule.minutes_before_close * MINUTE
        before = (rule.warn_minutes, rule.reduce_only_minutes, 0)
        done = {e.stage for e in told(account, hours) if e.closes_ns == close}
        for stage, minutes in zip(ORDER, before, strict=True):
            if stage not in done:
                stages.append((max(flat - minutes * MINUTE, earliest), hours.name, stage, flat, close))
                break
    return min(stages, default=None)


def square_off(account: SlowAccount) -> None:
    """Every stage that is due."""
    while (stage := due(account, account.now)) is not None and stage[0] <= account.now:
        _, calendar, word, flat, close = stage
        about = (account.name, account.next_version, account.now, calendar, word)
        account.emit(SquaredOff(*about, flat, close))
        theirs = [symbol for symbol in account.markets if _is_of(account, symbol, calendar)]
        for order in account.open_orders():
            reduces = order.terms.reduce_only or account.closable(order.symbol, order.sign) > 0
            if order.symbol in theirs and order.is_open and (word == "flat" or (word == "reduce_only" and not reduces)):
                cancel(account, order, CancelReason.SQUARE_OFF)
        if word == "flat":
            for symbol in sorted(set(theirs) & set(account.held_symbols())):
                _close(account, symbol)


def _is_of(account: SlowAccount, symbol: str, calendar: str) -> bool:
    hours = account.markets[symbol].hours
    return hours is not None and hours.name == calendar


def _close(account: SlowAccount, symbol: str) -> None:
    held = account.quantity(symbol)
    size, most = abs(held), account.markets[symbol].instrument.max_units
    parts = [size] if most is None else [most] * (size // most) + [size % most] * (size % most > 0)
    for part in parts:
        terms = market_terms(symbol, -1 if held > 0 else 1, part)
        place(account, terms._replace(tif=TimeInForce.DAY, tags=(("by", "square_off"),)))
