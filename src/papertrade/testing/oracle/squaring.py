"""Squaring off before a close: which stages the events show, and what the next one does."""

from __future__ import annotations

from papertrade.domain.events import SquaredOff
from papertrade.domain.position_keys import split_key
from papertrade.domain.words import CancelReason, TimeInForce
from papertrade.risk.square_off import SquareOff
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.changing import market_terms
from papertrade.testing.oracle.filling import cancel
from papertrade.testing.oracle.hours import told
from papertrade.testing.oracle.placing import place

MINUTE = 60 * 10**9
ORDER = ("warned", "reduce_only", "flat")


def exposed(account: SlowAccount) -> list[tuple[str, str]]:
    """(symbol, product) of markets with hours on which the account holds something or has an order open."""
    keys = {*account.held_keys(), *(order.key for order in account.open_orders())}
    return [split_key(key) for key in sorted(keys) if account.market_of(key).hours is not None]


def rule_of(account: SlowAccount, product: str, calendar: str) -> SquareOff | None:
    """The rule of a product, its own or else that of the account: of several the first that is for a calendar."""
    own = [p.square_off for p in account.setup.products if p.name == product and p.square_off is not None]
    rules = own[0] if own else account.setup.square_off
    for rule in (rules,) if isinstance(rules, SquareOff) else rules or ():
        if rule.calendars is None or calendar in rule.calendars:
            return rule
    return None


def waits_for_the_time(account: SlowAccount) -> bool:
    """Is it to be squared off, and has something since before anybody said what time it is?"""
    setup = account.setup
    squares = setup.square_off is not None or any(product.square_off for product in setup.products)
    began = bool(account.events) and not account.events[-1].at_ns
    return squares and began and bool(account.held_keys() or account.open_orders())


def due(account: SlowAccount, now: int) -> tuple[int, str, str, str, int, int] | None:
    """The next stage: when, for which calendar and product, which, and the two instants that it names."""
    stages = []
    every = [(account.markets[symbol].hours, product) for symbol, product in exposed(account)]
    for hours, product in {(id(hours), product): (hours, product) for hours, product in every}.values():
        if hours is None or not now:  # nobody has said yet what time it is
            continue
        rule = rule_of(account, product, hours.name)
        if rule is None:
            continue
        close, earliest = hours.day_close(now, False), now
        if any(e.stage == "flat" and e.closes_ns == close for e in told(account, hours, product)):
            earliest, close = close, hours.day_close(close, False)
        if not rule.covers(hours, close):
            continue
        flat = close - rule.minutes_before_close * MINUTE
        before = (rule.warn_minutes, rule.reduce_only_minutes, 0)
        done = {e.stage for e in told(account, hours, product) if e.closes_ns == close}
        for stage, minutes in zip(ORDER, before, strict=True):
            if stage not in done:
                stages.append((max(flat - minutes * MINUTE, earliest), hours.name, product, stage, flat, close))
                break
    return min(stages, default=None)


def square_off(account: SlowAccount) -> None:
    """Every stage that is due."""
    while (stage := due(account, account.now)) is not None and stage[0] <= account.now:
        _, calendar, product, word, flat, close = stage
        about = (account.name, account.next_version, account.now, calendar, word)
        account.emit(SquaredOff(*about, flat, close, product))
        for order in account.open_orders():
            ours = _is_of(account, order.key, calendar, product)
            reduces = order.terms.reduce_only or account.closable(order.key, order.sign) > 0
            if ours and order.is_open and (word == "flat" or (word == "reduce_only" and not reduces)):
                cancel(account, order, CancelReason.SQUARE_OFF)
        if word == "flat":
            for key in sorted(account.held_keys()):
                if _is_of(account, key, calendar, product):
                    _close(account, key)


def _is_of(account: SlowAccount, key: str, calendar: str, product: str) -> bool:
    hours = account.market_of(key).hours
    return hours is not None and (hours.name, split_key(key)[1]) == (calendar, product)


def _close(account: SlowAccount, key: str) -> None:
    symbol, product = split_key(key)
    held = account.quantity(key)
    size, most = abs(held), account.markets[symbol].instrument.max_units
    parts = [size] if most is None else [most] * (size // most) + [size % most] * (size % most > 0)
    for part in parts:
        terms = market_terms(symbol, -1 if held > 0 else 1, part)._replace(product=product)
        place(account, terms._replace(tif=TimeInForce.DAY, tags=(("by", "square_off"),)))
