"""The equity before each regular session and after it: where its two bookends stand.

The first is due when the session opens, before anything of that instant is taken; the second a minute after the close,
so that the last bar and the closing price have arrived by then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from papertrade.domain.hours import MarketHours, Phase
from papertrade.domain.instants import SECOND_NS
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.errors import CalendarRangeError
from papertrade.matching.market import Market

AFTER_NS: Final = 60 * SECOND_NS
_MOST_JOINED: Final = 8  # sessions without a pause between them that are looked through, such as those of a week


def hours_at_stake(state: AccountState, markets: dict[str, Market]) -> list[MarketHours]:
    """The hours of every market on which the account holds something or has an order, by name."""
    found: dict[str, MarketHours] = {}
    held = (position.symbol for position in state.holdings.values())
    for symbol in (*held, *(order.terms.symbol for order in state.orders.values())):
        hours = markets[symbol].hours
        if hours is not None:
            found[hours.name] = hours
    return [hours for _, hours in sorted(found.items())]


def next_bookend(step: Step) -> int:
    """The next instant at which an account with a day notes its equity for the sake of a session; 0 for none."""
    state, own, now = step.state, step.profile.trading_day.calendar, step.now_ns
    if state.today is None:
        return 0
    if own is not None:  # its sessions are the same whatever is held: what was found stands until it is over
        return step.seat.point_ns if step.seat.point_ns > now else _next_of(own, now)
    passed = max(now, step.clock_ns)  # with a late datum the account's own time may be earlier than the last bookend
    due = (_next_of(hours, passed) for hours in hours_at_stake(state, step.markets))
    return min((ns for ns in due if ns), default=0)


def _next_of(hours: MarketHours, now_ns: int) -> int:
    """The first bookend of a market after an instant; 0 if it never opens or closes as far as anybody knows."""
    due = (_known(_open_after, hours, now_ns), _known(_point_after_close, hours, now_ns))
    return min((ns for ns in due if ns), default=0)


def _known(look: Callable[[MarketHours, int], int], hours: MarketHours, now_ns: int) -> int:
    """What a calendar says; 0 where it knows nothing. It is asked when a step is stored already: nobody can be told."""
    try:
        return look(hours, now_ns)
    except CalendarRangeError:
        return 0


def _open_after(hours: MarketHours, now_ns: int) -> int:
    if not _is_on(hours, now_ns):
        return hours.next_regular(now_ns)
    ends = _close_after(hours, now_ns)
    return hours.next_regular(ends) if ends else 0


def _point_after_close(hours: MarketHours, now_ns: int) -> int:
    ends = _close_after(hours, max(now_ns - AFTER_NS, 0))
    return ends + AFTER_NS if ends else 0


def _is_on(hours: MarketHours, ns: int) -> bool:
    """Has the session opened that an instant is in, so that a break in it is no end?"""
    span, close = hours.span_at(ns), hours.day_close(ns, False)
    while span.phase is not Phase.REGULAR:
        before = span.from_ns - 1
        if span.phase is Phase.CLOSED or hours.day_close(before, False) != close:
            return False
        span = hours.span_at(before)
    return True


def _close_after(hours: MarketHours, ns: int) -> int:
    """When the regular session closes that is on or comes next; 0 if one follows the other without a pause."""
    for _ in range(_MOST_JOINED):
        ns = hours.day_close(ns, False)
        if hours.span_at(ns).phase is not Phase.REGULAR:
            return ns
    return 0
