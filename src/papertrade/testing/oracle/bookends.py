"""The points before a session and after it, by the oracle: session by session, each from its close backwards."""

from __future__ import annotations

from papertrade.domain.events import EquityMarked
from papertrade.domain.hours import MarketHours
from papertrade.errors import CalendarRangeError
from papertrade.testing.oracle.account import SlowAccount

MINUTE = 60 * 10**9


def due(account: SlowAccount) -> int | None:
    """When the next one is due, after the last that was looked at and after everything that happened."""
    if account.setup.equity_points != "session" or not account.bases().is_open:
        return None
    own = account.setup.trading_day.calendar
    keys = {*account.held_keys(), *(order.key for order in account.open_orders())}
    theirs = [account.market_of(key).hours for key in keys]
    since = max(account.bookended, account.events[-1].at_ns)
    found = [_after(hours, since) for hours in ([own] if own is not None else theirs) if hours is not None]
    return min((at for at in found if at is not None), default=None)


def _after(hours: MarketHours, since: int) -> int | None:
    """Of this session and the next ones: their opens, and a minute after their closes."""
    points, close = [], max(since - MINUTE, 0)
    for _ in range(4):
        try:
            close = hours.day_close(close, False)
            points += [_opened(hours, close), close + MINUTE]
        except CalendarRangeError:
            break
    return min((at for at in points if at > since), default=None)


def _opened(hours: MarketHours, close: int) -> int:
    """The earliest part of the regular session that ends with this close."""
    opens = at = close
    while hours.day_close(at - 1, False) == close and (span := hours.span_at(at - 1)).phase != "closed":
        at = span.from_ns
        opens = at if span.phase == "regular" else opens
    return opens


def note(account: SlowAccount) -> None:
    """Note the equity, if every price is known, whatever was noted last."""
    account.bookended = account.now
    if account.bases().is_open and all(account.price(key) is not None for key in account.held_keys()):
        account.emit(EquityMarked(account.name, account.next_version, account.now, account.equity()))
