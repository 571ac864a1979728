"""How a day ends, by the oracle: everything that it came to, worked out from the events since it was opened."""

from __future__ import annotations

from fractions import Fraction

from papertrade.domain.events import (
    AccountReset,
    CashDeposited,
    CashWithdrawn,
    DayClosed,
    DayOpened,
    DayRevalued,
    EquityMarked,
    Event,
    LimitReset,
    MarginCallCleared,
    MarginCalled,
    OrderAccepted,
    OrderFilled,
    OrderRejected,
    PositionImported,
)
from papertrade.testing.oracle.account import SlowAccount

_NOTED = (EquityMarked, LimitReset, MarginCalled, MarginCallCleared)
_EVERY = {"s": 1, "m": 60, "h": 3600}


def close_day(account: SlowAccount) -> None:
    """End the day that is open."""
    first, since = since_opening(account)
    equity, cash = account.equity(), account.total()
    held = sorted(account.held_keys())
    holdings = {key: account.holding(key) for key in account._moves}
    before = {} if isinstance(first, AccountReset) else {k: account.holding(k, first.version) for k in account._moves}
    cost = sum(holding.cost for holding in holdings.values())
    unmarked = tuple(key for key in held if account.price(key) is None)
    points, drawdown = noted(first, since)
    if not unmarked:
        points, drawdown = noted(first, since, equity)
    marks = ((key, account.price(key)) for key in held)
    fills = [event for event in since if isinstance(event, OrderFilled)]
    account.emit(
        DayClosed(
            account=account.name,
            version=account.next_version,
            at_ns=account.now,
            day=account.bases().day,
            began_ns=first.at_ns,
            opening_equity_units=account.bases().day_equity,
            equity_units=equity,
            opening_cash_units=_cash_before(account, first),
            closing_cash_units=cash,
            on_hold_units=account.held(),
            opening_cost_units=sum(holding.cost for holding in before.values()),
            closing_cost_units=cost,
            realized_units=sum(h.realized for h in holdings.values()) - sum(h.realized for h in before.values()),
            unrealized_units=equity - cash - cost,
            charges=_charges(fills),
            deposits_units=sum(e.amount_units for e in since if isinstance(e, CashDeposited)),
            withdrawals_units=sum(e.amount_units for e in since if isinstance(e, CashWithdrawn)),
            imported_units=sum(e.cost_units for e in since if isinstance(e, PositionImported)),
            turnover_units=sum(fill.value_units for fill in fills),
            fills=len(fills),
            orders=sum(isinstance(e, (OrderAccepted, OrderRejected)) for e in since),
            wins=sum(bool(fill.closed_units) and fill.realized_units > 0 for fill in fills),
            losses=sum(bool(fill.closed_units) and fill.realized_units < 0 for fill in fills),
            highest_units=max(points),
            lowest_units=min(points),
            drawdown_units=drawdown,
            stale_marks=len(without_mark(account)) + len(old_marks(account)),
            unmarked=unmarked,
            holdings=tuple((key, holdings[key].quantity) for key in held),
            costs=tuple((key, holdings[key].cost) for key in held),
            averages=tuple((key, average_price(account, key)) for key in held),
            marks=tuple((key, mark) for key, mark in marks if mark is not None),
        )
    )


def without_mark(account: SlowAccount) -> list[str]:
    """Held symbols of which this process knows no price."""
    return [key for key in account.held_keys() if account.market_of(key).mark() is None]


def old_marks(account: SlowAccount) -> list[str]:
    """Held symbols whose mark is of an earlier day than the account's."""
    day, day_of, found = account.bases().day, account.setup.trading_day.day_of, []
    for key in account.held_keys():
        market = account.market_of(key)
        if market.mark() is not None and market.marked_at is not None and day_of(market.marked_at) < day:
            found.append(key)
    return found


def since_opening(account: SlowAccount) -> tuple[DayOpened | AccountReset, list[Event]]:
    """The event from which the open day is counted, and all that came after it."""
    for place in range(len(account.events) - 1, -1, -1):
        event = account.events[place]
        if isinstance(event, (DayOpened, AccountReset)):
            return event, account.events[place + 1 :]
    raise AssertionError("no day is open")


def _cash_before(account: SlowAccount, first: DayOpened | AccountReset) -> int:
    if isinstance(first, AccountReset):
        return first.cash_units
    cash = 0
    for event in account.events[: first.version]:
        if isinstance(event, AccountReset):
            cash = event.cash_units
        elif isinstance(event, CashDeposited):
            cash += event.amount_units
        elif isinstance(event, CashWithdrawn):
            cash -= event.amount_units
        elif isinstance(event, OrderFilled):
            cash -= event.sign * event.value_units + sum(fee for _, fee in event.fees)
    return cash


def _charges(fills: list[OrderFilled]) -> tuple[tuple[str, int], ...]:
    paid: dict[str, int] = {}
    for fill in fills:
        for kind, units in fill.fees:
            paid[kind] = paid.get(kind, 0) + units
    return tuple((kind, units) for kind, units in sorted(paid.items()) if units)


def average_price(account: SlowAccount, key: str) -> int:
    """The average price of what is held, to nine places, halves to the even digit."""
    held = account.replayed(key, True)
    return round(Fraction(held.cost, held.quantity))


# ------------------------------------------------------------- equity points


def noted(first: DayOpened | AccountReset, since: list[Event], *closing: int) -> tuple[list[int], int]:
    """The equities of the day that the journal notes, and the deepest fall below an earlier one, deposits aside."""
    base = first.cash_units if isinstance(first, AccountReset) else first.equity_units
    points, came_in = [(base, 0)], 0
    drawdown = 0

    def note(equity: int) -> None:
        nonlocal drawdown
        points.append((equity, came_in))
        drawdown = max(drawdown, max(was - before for was, before in points) - (equity - came_in))

    for event in since:
        if isinstance(event, CashDeposited):
            came_in += event.amount_units
        elif isinstance(event, CashWithdrawn):
            came_in -= event.amount_units
        elif isinstance(event, PositionImported):
            came_in += event.cost_units
        elif isinstance(event, DayRevalued):
            points = [(equity + event.equity_units - base, before) for equity, before in points]
            base = event.equity_units
        elif isinstance(event, _NOTED):
            note(event.equity_units)
    for equity in closing:
        note(equity)
    return [equity for equity, _ in points], drawdown


def interval(setup_says: str) -> int:
    """How often equity is noted, in nanoseconds; 0 for not by the clock."""
    return int(setup_says[:-1]) * _EVERY[setup_says[-1]] * 10**9 if setup_says[:-1].isdigit() else 0


def note_equity(account: SlowAccount) -> None:
    """Note the equity, unless it is what was noted last, or a price is missing."""
    if not account.bases().is_open or without_mark(account):
        return
    first, since = since_opening(account)
    points, _ = noted(first, since)
    if account.equity() != points[-1]:
        account.emit(EquityMarked(account.name, account.next_version, account.now, account.equity()))


def note_fills(account: SlowAccount) -> None:
    """The same at the end of a step, where that was asked for and something filled."""
    changed = any(isinstance(event, OrderFilled) for event in account.events[account.step_began :])
    if changed and account.setup.equity_points == "on change":
        note_equity(account)
