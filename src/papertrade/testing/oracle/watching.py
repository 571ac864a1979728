"""What happens by itself: days begin, orders expire, losses latch, margin is called."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from papertrade.domain.events import (
    DayOpened,
    DayRevalued,
    EquityMarked,
    LimitLatched,
    LimitReset,
    MarginCallCleared,
    MarginCalled,
    Numbers,
    OrderExpired,
    OrderFilled,
)
from papertrade.domain.words import CancelReason, TimeInForce
from papertrade.testing.oracle import bookends, closing, settling, squaring
from papertrade.testing.oracle.account import DAILY_LOSS, DRAWDOWN, KILL_SWITCH, SlowAccount
from papertrade.testing.oracle.arithmetic import ONE, value
from papertrade.testing.oracle.auctions import meet_last_of_session, note_closings
from papertrade.testing.oracle.filling import cancel

# -------------------------------------------------------------------- time


def next_due(account: SlowAccount, now: int) -> int | None:
    """The next expiry, the end of the day, or the next instant to note the equity of what is held."""
    if now and squaring.waits_for_the_time(account):
        return now
    orders = account.open_orders()
    due = [order.expires for order in orders if order.expires is not None]
    bases = account.bases()
    if bases.is_open:
        due.append(account.setup.trading_day.ends(bases.day_began))
        every = closing.interval(account.setup.equity_points)
        if every and account.held_keys():
            due.append((account.looked // every + 1) * every)
    stage = squaring.due(account, account.now)
    if stage is not None:
        due.append(stage[0])
    settles = settling.next_due(account)
    if settles is not None:
        due.append(settles)
    bookend = bookends.due(account)
    if bookend is not None:
        due.append(bookend)
    return min(due, default=None)


def catch_up(account: SlowAccount, now: int) -> None:
    """Do everything that was due by now, each at its own instant."""
    note_closings(account, now)
    while (due := next_due(account, now)) is not None and due <= now:
        held = bool(account.held_keys())
        account.begin_step(due)
        bookend = bookends.due(account)
        account.given = due  # after a jump too, what stands is as old as it was then
        for order in account.open_orders():
            if order.expires is not None and order.expires <= account.now:
                if order.terms.tif is TimeInForce.CLS:
                    begin_day(account)
                    meet_last_of_session(account, order)
                if not order.is_open:
                    continue
                freed = account.held({order.number: 0}) - account.held()
                account.emit(
                    OrderExpired(account.name, account.next_version, account.now, order.number, freed)
                )
        bases = account.bases()
        if bases.is_open and account.now >= account.setup.trading_day.ends(bases.day_began):
            closing.close_day(account)
        settles = settling.next_due(account)
        if account.open_orders() or account.held_keys() or (settles is not None and settles <= account.now):
            begin_day(account)
        settling.settle(account)
        squaring.square_off(account)
        review(account)
        closing.note_fills(account)
        if bookend is not None and bookend <= account.now:
            bookends.note(account)
        every = closing.interval(account.setup.equity_points)
        if every and held and account.held_keys() and (account.looked // every + 1) * every <= account.now:
            closing.note_equity(account)
            account.looked = now  # no price comes on the way
        if any(isinstance(event, OrderFilled) for event in account.events[account.step_began :]):
            account.looked = account.now  # and yet it is worth something else from here on
    account.looked = max(account.looked, now)


def begin_day(account: SlowAccount) -> None:
    """Open the day that now belongs to, unless it is open or nobody has said yet what time it is."""
    if not account.now:
        return
    bases = account.bases()
    if bases.is_open:
        if account.now < account.setup.trading_day.ends(bases.day_began):
            return
        closing.close_day(account)
    day = account.setup.trading_day.day_of(account.now)
    none = tuple(sorted(closing.without_mark(account)))
    old = len(closing.old_marks(account)) + len(none)
    account.emit(
        DayOpened(account.name, account.next_version, account.now, day, account.equity(), old, none)
    )


# ----------------------------------------------------------- losses, margin


def review(account: SlowAccount) -> None:
    """Look at margin and losses: after every command, every datum and every deadline."""
    limits = account.setup.limits
    if any(account.market_of(key).mark() is None for key in account.held_keys()):
        return  # after a restart nobody is judged by what a position once cost
    if account.bases().at_cost:
        _revalue(account)
    if account.margin.marked_to_market:
        _review_margin(account)
    if limits.max_daily_loss is not None or limits.max_drawdown is not None:
        _review_losses(account, account.equity())


def _revalue(account: SlowAccount) -> None:
    """Every price is known: the day is measured as if the first one of each had been known when it began."""
    bases = account.bases()
    equity, peak = bases.day_equity, bases.peak
    for part in bases.at_cost:
        price = account.first_price(part)
        if price is not None:
            worth = value(account.markets[part.symbol].instrument, price, abs(part.quantity))
            gained = (worth if part.quantity > 0 else -worth) - part.cost
            equity += gained if part.today else 0
            peak += gained if part.imported else 0
    if any(part.today and not part.imported for part in bases.at_cost):  # the day began at cost, and was no peak then
        peak = max(peak, equity + bases.day_deposits)
    account.emit(DayRevalued(account.name, account.next_version, account.now, equity, peak))


def _review_margin(account: SlowAccount) -> None:
    equity, (_, maintenance) = account.equity(), account.margins()
    called = account.bases().margin_call
    if (equity < maintenance) == called:
        return
    what = MarginCallCleared if called else MarginCalled
    account.emit(what(account.name, account.next_version, account.now, equity, maintenance))


def _review_losses(account: SlowAccount, equity: int) -> None:
    limits, bases = account.setup.limits, account.bases()
    if limits.max_daily_loss is not None and bases.day and DAILY_LOSS not in bases.latches:
        loss, allowed = bases.loss_base + bases.day_deposits - equity, _units(limits.max_daily_loss)
        if loss >= allowed:
            latch(account, DAILY_LOSS, (("loss", loss), ("allowed", allowed)))
    if limits.max_drawdown is None or not bases.day:
        return
    fallen, allowed = bases.peak - equity, _units(limits.max_drawdown)
    if fallen < 0:
        # A new peak is only noted together with something else that happened: a price alone makes no event.
        if len(account.events) > account.step_began:
            account.emit(EquityMarked(account.name, account.next_version, account.now, equity))
    elif DRAWDOWN not in bases.latches and fallen >= allowed:
        latch(account, DRAWDOWN, (("drawdown", fallen), ("allowed", allowed)))


def _units(amount: Decimal) -> int:
    return int(Fraction(amount) * ONE)


def latch(account: SlowAccount, limit: str, numbers: Numbers) -> None:
    """Latch a limit and cancel what could enlarge a position."""
    account.emit(LimitLatched(account.name, account.next_version, account.now, limit, numbers))
    for order in account.open_orders():
        if not order.terms.reduce_only and not account.closable(order.key, order.sign):
            cancel(account, order, CancelReason.LIMIT_LATCHED)


def throw_kill_switch(account: SlowAccount) -> None:
    """Only reducing orders pass from now on."""
    if KILL_SWITCH not in account.bases().latches:
        latch(account, KILL_SWITCH, ())


def reset_limit(account: SlowAccount, limit: str) -> None:
    """Open a latch; losses are measured anew from here, where what is held has a price."""
    if limit not in account.bases().latches:
        return
    equity = account.equity()
    account.emit(LimitReset(account.name, account.next_version, account.now, limit, equity, None))
