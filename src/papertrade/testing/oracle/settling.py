"""Settlement, slowly: which day each fill settles on, and what has not settled, from the first fill on each time."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from papertrade.domain.events import (
    AccountReset,
    CashDeposited,
    CashWithdrawn,
    Event,
    GoodFaithViolation,
    Numbers,
    OrderFilled,
    PositionConverted,
    PositionImported,
    SettlementSet,
    TradesSettled,
)
from papertrade.domain.orders import OrderTerms
from papertrade.domain.position_keys import position_key
from papertrade.domain.rejections import RejectReason
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.market import SlowMarket

DAY = 86_400 * 10**9
SETTLING = (AccountReset, CashDeposited, CashWithdrawn, GoodFaithViolation, OrderFilled, PositionConverted,
            PositionImported, SettlementSet, TradesSettled)  # fmt: skip


class Batch:
    """One symbol's trades of one trade date."""

    def __init__(self, event: SettlementSet) -> None:
        self.symbol, self.day, self.ends, self.due = event.key, event.day, event.ends_ns, event.settles_ns
        self.cash = self.shares = 0


class Debt(NamedTuple):
    """Shares that were paid with money of a batch that has not settled."""

    due: int
    symbol: str
    shares: int
    cash: int


class Open:
    """What has not settled."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.debts: list[Debt] = []
        self.cash = 0
        self.held: dict[str, int] = {}

    def in_order(self) -> list[Batch]:
        """What settles first first; on one day by symbol."""
        return sorted(self.batches, key=lambda batch: (batch.due, batch.symbol, batch.day))

    @property
    def proceeds(self) -> int:
        """Sale proceeds that were not spent."""
        return sum(batch.cash for batch in self.batches)

    def shares(self, symbol: str) -> int:
        """What was bought and is not delivered."""
        return sum(batch.shares for batch in self.batches if batch.symbol == symbol)


def counting(account: SlowAccount) -> list[Event]:
    """The events that settlement follows from; the others are many, and each is looked at once."""
    account.settling += [event for event in account.events[account.sifted :] if isinstance(event, SETTLING)]
    account.sifted = len(account.events)
    return account.settling


def now_open(account: SlowAccount) -> Open:
    """From the first event on; only what moves money, positions or settlement counts."""
    found = Open()
    is_cash = not account.margin.marked_to_market
    for event in counting(account):
        if isinstance(event, AccountReset):
            found = Open()
            found.cash = event.cash_units
        elif isinstance(event, (CashDeposited, CashWithdrawn)):
            found.cash += event.amount_units if isinstance(event, CashDeposited) else -event.amount_units
        elif isinstance(event, SettlementSet):
            found.batches.append(Batch(event))
        elif isinstance(event, TradesSettled):
            found.batches = [b for b in found.batches if b.due > event.due_ns or b.day != event.day]
            found.debts = [debt for debt in found.debts if debt.due > event.due_ns]
        elif isinstance(event, (OrderFilled, PositionImported)):
            _move(found, event, is_cash)
        elif isinstance(event, PositionConverted):
            _convert(found, event)
    return found


def _convert(found: Open, event: PositionConverted) -> None:
    """What is delivered goes over first; of the rest what settles first, with its debts."""
    source, target = (position_key(event.symbol, name) for name in (event.from_product, event.to_product))
    found.held[source] = found.held.get(source, 0) - event.quantity_units
    found.held[target] = found.held.get(target, 0) + event.quantity_units
    more = found.shares(source) - max(found.held[source], 0)
    for batch in found.in_order():
        gone = min(more, batch.shares) if batch.symbol == source else 0
        if gone <= 0:
            continue
        more, batch.shares = more - gone, batch.shares - gone
        same = [b for b in found.batches if (b.symbol, b.due, b.day) == (target, batch.due, batch.day)]
        if not same:
            same = [copy.copy(batch)]
            same[0].symbol, same[0].cash, same[0].shares = target, 0, 0
            found.batches += same
        same[0].shares += gone
    before = [debt for debt in found.debts if debt.symbol == source]
    _sold(found, source)
    for debt in before:
        left = [d for d in found.debts if (d.due, d.symbol) == (debt.due, source)]
        shares, cash = debt.shares - sum(d.shares for d in left), debt.cash - sum(d.cash for d in left)
        if shares:
            _owe(found, Debt(debt.due, target, shares, cash))


def _move(found: Open, event: OrderFilled | PositionImported, is_cash: bool) -> None:
    symbol, quantity = event.key, event.quantity_units
    if not isinstance(event, OrderFilled):
        found.held[symbol] = found.held.get(symbol, 0) + quantity
        return
    found.held[symbol] = found.held.get(symbol, 0) + event.sign * quantity
    change = -event.sign * event.value_units - sum(fee for _, fee in event.fees)
    found.cash += change
    for batch in found.batches:
        if batch.symbol == symbol and event.at_ns < batch.ends:
            batch.cash += max(change, 0)
            batch.shares += quantity if event.sign > 0 else 0
    spent, due = found.proceeds - max(found.cash, 0), 0
    left = spent
    for batch in found.in_order():
        if left > 0 and batch.cash:
            gone = min(left, batch.cash)
            batch.cash, left, due = batch.cash - gone, left - gone, batch.due
    gone_shares = found.shares(symbol) - max(found.held[symbol], 0)
    for batch in found.in_order():
        if batch.symbol == symbol and gone_shares > 0:
            gone = min(gone_shares, batch.shares)
            batch.shares, gone_shares = batch.shares - gone, gone_shares - gone
    if event.sign > 0 and spent > 0 and change < 0 and is_cash:
        _owe(found, Debt(due, symbol, money.up(Fraction(quantity * spent, -change)), spent))
    elif event.sign < 0:
        _sold(found, symbol)


def _owe(found: Open, debt: Debt) -> None:
    same = [old for old in found.debts if (old.due, old.symbol) == (debt.due, debt.symbol)]
    shares, cash = sum(d.shares for d in [*same, debt]), sum(d.cash for d in [*same, debt])
    found.debts = sorted([d for d in found.debts if d not in same] + [Debt(debt.due, debt.symbol, shares, cash)])


def _sold(found: Open, symbol: str) -> tuple[int, int, int] | None:
    """What of the debts is sold now: (shares, money, when it settles); the debts are without it."""
    owed = [debt for debt in found.debts if debt.symbol == symbol]
    early = sum(debt.shares for debt in owed) - max(found.held.get(symbol, 0), 0)
    if early <= 0:
        return None
    shares = cash = due = 0
    for debt in owed:
        gone = min(early - shares, debt.shares)
        if not gone:
            break
        paid = money.down(Fraction(debt.cash * gone, debt.shares))
        found.debts.remove(debt)
        if gone < debt.shares:
            found.debts = sorted([*found.debts, Debt(debt.due, symbol, debt.shares - gone, debt.cash - paid)])
        shares, cash, due = shares + gone, cash + paid, debt.due
    return shares, cash, due


# ------------------------------------------------------------------- events


def trade_date(account: SlowAccount, market: SlowMarket) -> tuple[str, int, int, int] | None:
    """(trade date, sessions, its end, when it settles) of what fills now; None when that settles at once."""
    rule, hours, now = account.setup.settlement, market.hours, account.now
    if rule is None or not (rule.calendars is None or (hours is not None and hours.name in rule.calendars)):
        return None
    days = account.setup.trading_day
    day = days.day_of(now) if hours is None else hours.trade_day(now)
    sessions = [count for since, count in rule.cycle if since.isoformat() <= day][-1]
    if not sessions:
        return None
    begins = [now]
    while len(begins) <= sessions:
        begins.append(days.ends(begins[-1]) if hours is None else hours.begins_after(begins[-1], 1))
    return day, sessions, begins[1], begins[-1]


def before_fill(account: SlowAccount, market: SlowMarket, terms: OrderTerms) -> None:
    """The first fill of a symbol on a trade date says when it settles."""
    if account.setup.settlement is None:
        return
    if any(batch.symbol == terms.key and account.now < batch.ends for batch in now_open(account).batches):
        return
    found = trade_date(account, market)
    if found is not None:
        day, *rest = found
        about = account.name, account.next_version, account.now, terms.symbol, day
        account.emit(SettlementSet._make((*about, *rest, terms.product)))


def early_part(account: SlowAccount, symbol: str, sign: int, quantity: int) -> tuple[int, int, int] | None:
    """What a fill of this much would sell too early."""
    if account.setup.settlement is None or sign > 0:
        return None
    found = now_open(account)
    found.held[symbol] = found.held.get(symbol, 0) - quantity
    return _sold(found, symbol)


def after_fill(account: SlowAccount, terms: OrderTerms, early: tuple[int, int, int] | None) -> None:
    """A good-faith violation counts with those of the twelve months before it."""
    rule = account.setup.settlement
    if early is None or rule is None:
        return
    today = date.fromisoformat(account.bases().day)
    count = 1
    for at, _ in violations(account):
        count += _days_ago(account, at, today) < (today - _year_before(today)).days
    free = None
    if rule.on_violation == "restrict" and count >= rule.most_violations:
        free = account.now + rule.restricted_days * DAY
    about = (account.name, account.next_version, account.now, terms.symbol, account.next_fill - 1)
    account.emit(GoodFaithViolation(*about, *early, count, free, terms.product))


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # the 29th of February: a year ago it was the 28th
        return day.replace(year=day.year - 1, day=28)


def _days_ago(account: SlowAccount, at: int, today: date) -> int:
    then = date.fromisoformat(account.setup.trading_day.day_of(at))
    return (today - then) // timedelta(days=1)


def violations(account: SlowAccount) -> list[tuple[int, int | None]]:
    """(when, restricted until) of every violation since the account began (again)."""
    found: list[tuple[int, int | None]] = []
    for event in counting(account):
        if isinstance(event, AccountReset):
            found = []
        elif isinstance(event, GoodFaithViolation):
            found.append((event.at_ns, event.free_ns))
    return found


def next_due(account: SlowAccount) -> int | None:
    """When something settles next."""
    if account.setup.settlement is None:
        return None
    return min((batch.due for batch in now_open(account).batches), default=None)


def settle(account: SlowAccount) -> None:
    """What was due by now, one trade date after the other."""
    while (due := next_due(account)) is not None and due <= account.now:
        batches = [batch for batch in now_open(account).in_order() if batch.due == due]
        day = min(batch.day for batch in batches)
        ours = [batch for batch in batches if batch.day == day]
        shares = tuple((batch.symbol, batch.shares) for batch in ours if batch.shares)
        cash = sum(batch.cash for batch in ours)
        account.emit(TradesSettled(account.name, account.next_version, account.now, day, due, cash, shares))


# ----------------------------------------------------------------- refusals


def withheld(account: SlowAccount) -> int:
    """Sale proceeds that may not buy anything before they settle."""
    rule = account.setup.settlement
    if rule is None or account.margin.marked_to_market:
        return 0
    restricted = any(free is not None and account.now < free for _, free in violations(account))
    return now_open(account).proceeds if restricted or rule.unsettled_cash == "refuse" else 0


def short_of_funds(account: SlowAccount, need: int, free: int) -> tuple[RejectReason, Numbers]:
    """Would it do with what has not settled?"""
    more = withheld(account)
    if more and free + more >= need:
        return RejectReason.UNSETTLED_FUNDS, (("required", need), ("available", free), ("unsettled", more))
    return RejectReason.INSUFFICIENT_FUNDS, (("required", need), ("available", free))


def refuse_shares(account: SlowAccount, symbol: str, wanted: int, free: int) -> tuple[RejectReason, Numbers] | None:
    """``free`` is what no other order would sell."""
    rule = account.setup.settlement
    if rule is None or rule.unsettled_shares != "refuse":
        return None
    kept = now_open(account).shares(symbol)
    wanted, there = min(wanted, free), max(0, free - kept)
    if not kept or wanted <= there:
        return None
    return RejectReason.UNSETTLED_SHARES, (("required", wanted), ("available", there), ("unsettled", kept))
