"""A position goes over to another product, by the oracle; and which product is meant where none is named."""

from __future__ import annotations

from fractions import Fraction

from papertrade.domain.events import PositionConverted
from papertrade.domain.orders import OrderTerms
from papertrade.domain.position_keys import position_key
from papertrade.errors import UsageError
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.hours import only_reduces
from papertrade.testing.oracle.lots import close_lots
from papertrade.testing.oracle.squaring import MINUTE, rule_of
from papertrade.testing.oracle.vocabulary import Convert


def meant(account: SlowAccount, product: str) -> str:
    """The product that is named, else the first."""
    names = [one.name for one in account.setup.products]
    if product and product not in names:
        raise UsageError(f"no product {product}")
    return product or (names[0] if names else "")


def with_product(account: SlowAccount, terms: OrderTerms) -> OrderTerms:
    """Terms with the product that is meant."""
    return terms._replace(product=meant(account, terms.product))


def check(account: SlowAccount, wanted: Convert) -> None:
    """There is so much that no working order may close, and the other product takes it."""
    source, target = (position_key(wanted.symbol, name) for name in (wanted.source, wanted.target))
    held = account.quantity(source)
    sign = 1 if held > 0 else -1
    if not held or wanted.quantity > abs(held) - account.working(source, -sign):
        raise UsageError("not so much is available")
    if held * account.quantity(target) < 0 or (held < 0 and not account.may_short(wanted.target)):
        raise UsageError("the other product does not take it")
    account.now = max(account.clock, account.events[-1].at_ns)
    if only_reduces(account, wanted.symbol, wanted.target) or _is_late(account, wanted):
        raise UsageError("the other product is being squared off")


def _is_late(account: SlowAccount, wanted: Convert) -> bool:
    """Would it be squared off at once, though nothing of its product was held so far?"""
    hours, now = account.markets[wanted.symbol].hours, account.now
    rule = None if hours is None or not now else rule_of(account, wanted.target, hours.name)
    if hours is None or rule is None:
        return False
    close = hours.day_close(now, False)
    minutes = rule.minutes_before_close + rule.reduce_only_minutes
    return rule.covers(hours, close) and close - minutes * MINUTE <= now


def convert(account: SlowAccount, wanted: Convert) -> None:
    """What was opened first goes first, at what it cost."""
    source = position_key(wanted.symbol, wanted.source)
    step = money.minor(account.markets[wanted.symbol].instrument)
    sign = 1 if account.quantity(source) > 0 else -1
    _, cost = close_lots(account.holding(source).lots, wanted.quantity, step)
    _, exact = close_lots(account.replayed(source, True).lots, wanted.quantity, 1)
    price = round(Fraction(exact, sign * wanted.quantity))
    about = account.name, account.next_version, account.now, wanted.symbol, wanted.source, wanted.target
    moved = sign * wanted.quantity, cost, price, wanted.command_id, wanted.note
    account.emit(PositionConverted(*about, *moved))
