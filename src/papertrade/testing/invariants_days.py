"""T2 and T5: each day is opened and closed once, nothing happens outside of one, and the days add up."""

from __future__ import annotations

from papertrade.domain.events import (
    AccountCloned,
    AccountOpened,
    AccountReset,
    CashDeposited,
    CashWithdrawn,
    DayClosed,
    DayOpened,
    Event,
    OrderExpired,
    PositionImported,
)
from papertrade.errors import UnknownDayError
from papertrade.testing.case import Case


def t2_each_day_once(case: Case) -> None:
    """A day that was opened is closed once, at its end, before the next; after the first all happens on one."""
    ends = case.seat.profile.trading_day.ends
    opened: DayOpened | None = None
    days = 0
    for event in case.events:
        if isinstance(event, DayOpened):
            case.need("T2", opened is None, event, "the day before closed first")
            opened, days = event, days + 1
        elif isinstance(event, DayClosed):
            case.equal("T2", event.day, opened and opened.day, "closed")
            case.need("T2", opened is not None and event.at_ns >= ends(opened.at_ns), event, "the end of the day")
            opened = None
        elif days and not isinstance(event, (AccountOpened, AccountCloned)):
            case.need("T2", opened is not None, event, "a day that is open")
            over = opened is not None and event.at_ns >= ends(opened.at_ns)
            case.need("T2", not over or isinstance(event, OrderExpired), event, "the end of the day before it")


def t5_days_add_up(case: Case) -> None:
    """Each day explains its cash and cost, goes on where the one before ended, and all of them sum to the account."""
    closed = case.of(DayClosed)
    for day in closed:
        before, after = day.opening_cash_units + day.opening_cost_units, day.closing_cash_units + day.closing_cost_units
        gained = day.realized_units - day.fees_paid_units + _came_in(day)
        case.equal("T5", after, before + gained, f"cash and cost at the end of {day.day}")
        worth = day.closing_cash_units + day.closing_cost_units + day.unrealized_units
        case.equal("T5", day.equity_units, worth, f"equity at the end of {day.day}")
        case.need("T5", day.lowest_units <= day.highest_units and day.drawdown_units >= 0, day, "low ≤ high")
        following = case.events[day.version] if day.version < len(case.events) else None
        if isinstance(following, DayOpened) and following.at_ns == day.at_ns:
            case.equal("T5", following.equity_units, day.equity_units, f"equity that {following.day} begins with")
    _check_sums(case, closed)


def _check_sums(case: Case, closed: list[DayClosed]) -> None:
    """What the days since the account began (again) sum to; a day of a reset counts from it."""
    life = case.life
    days = [day for day in closed if day.version > life[0].version]
    try:
        so_far = case.broker.day_summary()
    except UnknownDayError:
        pass
    else:
        days.append(so_far.event)
    case.equal("T5", sum(day.realized_units for day in days), case.view.realized_units, "realized on all days")
    case.equal("T5", sum(day.fees_paid_units for day in days), case.view.fees_units, "fees of all days")
    came_in = sum(map(_came_in, days)) + _before_days(life)
    case.equal("T5", came_in, case.view.net_deposits_units, "deposits of all days")


def _came_in(day: DayClosed) -> int:
    return day.deposits_units + day.imported_units - day.withdrawals_units


def _before_days(life: list[Event]) -> int:
    """What came in before there was a day, or with the reset."""
    total = 0
    for event in life:
        if isinstance(event, AccountReset):
            total += event.cash_units
        elif isinstance(event, CashDeposited):
            total += event.amount_units
        elif isinstance(event, CashWithdrawn):
            total -= event.amount_units
        elif isinstance(event, PositionImported):
            total += event.cost_units
        if isinstance(event, (AccountReset, DayOpened)):
            break
    return total
