"""Watched accounts: margin calls and loss limits, looked at only when a price leaves its band.

After each step the distance to the nearest threshold is split over the positions: no single price can bring the account
there without leaving its own part of the way. Between two such moments a tick costs the account nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from papertrade.domain.events import (
    DayRevalued,
    EquityMarked,
    LimitLatched,
    LimitReset,
    MarginCallCleared,
    MarginCalled,
)
from papertrade.domain.numbers import SCALE
from papertrade.domain.words import CancelReason
from papertrade.engine.filling import cancel
from papertrade.engine.funds import Appraisal, appraise, closable, signed_value
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.matching.market import Market
from papertrade.matching.resting import FAR, HIGH_WATCH, LOW_WATCH
from papertrade.risk.limits import DAILY_LOSS, DRAWDOWN, KILL_SWITCH


def review(step: Step) -> None:
    """Value what had no price, raise and clear margin calls, latch loss limits, and set the bands for the next look."""
    state = step.state
    if not (step.profile.watches or state.unvalued or step.seat.watched):
        return
    if state.open_positions or step.events or step.seat.watched:
        now = appraise(state, step.profile, step.markets)
        if not now.missing:  # after a restart nobody is judged by what a position once cost
            if state.unvalued:
                _revalue(step)
            _review_margin(step, now)
            _review_losses(step, now)
        if step.live:
            _set_bands(step, now)


def _revalue(step: Step) -> None:
    """Every price is known: what the day counts without one counts from now on as if its first had been known then.

    That is the price of its first fill since, or else its mark. What else was won or lost since the day began stays
    profit or loss of the day, and so does what a holding did after its first fill. What came in on an earlier day
    moves the peak only: the day began with what it was worth by then, or counts what is left of it once more.

    A day that began with holdings at cost has not raised the peak yet, and does so now. What came in later raises
    nothing: the peak may have been measured anew since that day began.
    """
    state = step.state
    equity, peak = state.day_equity_units, state.peak_units
    for part in state.unvalued:
        market = step.markets[part.symbol]
        price = market.mark_units if part.first_units is None else part.first_units
        if price is None:  # it left again without ever having one
            continue
        counted = part.cost_units
        if part.at_units is not None:
            counted = signed_value(market.instrument, part.quantity_units, part.at_units)
        gain = signed_value(market.instrument, part.quantity_units, price) - counted
        equity += gain if part.of_day else 0
        peak += gain if part.imported else 0
    if any(part.of_day and not part.imported for part in state.unvalued):
        peak = max(peak, equity + state.day_deposits_units)
    step.emit(DayRevalued(state.account, state.version + 1, step.now_ns, equity, peak))


def _review_margin(step: Step, now: Appraisal) -> None:
    state = step.state
    if not step.profile.margin.marked_to_market:
        return
    below = now.equity < now.maintenance
    if below == state.margin_call:
        return
    what = MarginCalled if below else MarginCallCleared
    step.emit(what(state.account, state.version + 1, step.now_ns, now.equity, now.maintenance))


def _review_losses(step: Step, now: Appraisal) -> None:
    limits, state = step.profile.limits, step.state
    most = limits.daily_loss_units
    if most is not None and state.day and DAILY_LOSS not in state.latches:
        loss = state.loss_base_units + state.day_deposits_units - now.equity
        if loss >= most:
            latch(step, DAILY_LOSS, (("loss", loss), ("allowed", most)))
    most = limits.drawdown_units
    if most is None or not state.day:  # before its first day an account has neither won nor lost
        return
    if now.equity > state.peak_units:
        if not step.events:  # a peak is noted together with something else: when a band is left proves nothing
            return
        step.emit(EquityMarked(state.account, state.version + 1, step.now_ns, now.equity))
    elif DRAWDOWN not in state.latches and state.peak_units - now.equity >= most:
        latch(step, DRAWDOWN, (("drawdown", state.peak_units - now.equity), ("allowed", most)))


def latch(step: Step, limit: str, numbers: tuple[tuple[str, int], ...]) -> None:
    """Latch a limit and cancel every working order that could enlarge a position."""
    state = step.state
    step.emit(LimitLatched(state.account, state.version + 1, step.now_ns, limit, numbers))
    for number, order in sorted(state.orders.items()):
        position = state.positions.get(order.terms.key)
        if number in state.orders and not order.terms.reduce_only and not closable(position, order.terms.sign):
            cancel(step, order, CancelReason.LIMIT_LATCHED, ())


def reset_limit(step: Step, limit: str, command_id: str | None) -> None:
    """Open a latch again. The loss of the day and the drawdown are measured anew from the equity at this moment.

    Whoever asks has seen to it that this equity is known: see ``unpriced``.
    """
    state = step.state
    if limit not in state.latches:
        return
    equity = appraise(state, step.profile, step.markets).equity
    step.emit(LimitReset(state.account, state.version + 1, step.now_ns, limit, equity, command_id))


def unpriced(state: AccountState, markets: Mapping[str, Market], limit: str) -> list[str]:
    """The holdings without a price for which a latched loss cannot be measured anew."""
    if limit == KILL_SWITCH or limit not in state.latches:
        return []
    return sorted({p.symbol for p in state.holdings.values() if markets[p.symbol].mark_units is None})


def throw_kill_switch(step: Step) -> None:
    """Only reducing orders pass from now on."""
    if KILL_SWITCH not in step.state.latches:
        latch(step, KILL_SWITCH, ())


# ------------------------------------------------------------------- bands


def _set_bands(step: Step, now: Appraisal) -> None:
    state, seat = step.state, step.seat
    sizes = _sizes(state) if step.profile.watches or state.unvalued else {}
    for symbol in seat.watched:
        if symbol not in sizes:
            step.markets[symbol].index.remove_watch(state.account)
    seat.watched = tuple(sizes)
    if not sizes:
        return
    fall, rise = _distances(step, now)
    for symbol, (long, short) in sizes.items():
        _set_band(step, symbol, long, short, fall, rise)


def _sizes(state: AccountState) -> dict[str, tuple[int, int]]:
    """What is held of each symbol, long and short."""
    sizes: dict[str, tuple[int, int]] = {}
    for position in state.holdings.values():
        long, short = sizes.get(position.symbol, (0, 0))
        quantity = position.quantity_units
        sizes[position.symbol] = (long + quantity, short) if quantity > 0 else (long, short - quantity)
    return sizes


def watch_next_datum(step: Step, symbol: str) -> None:
    """Without a mark there is no band: whatever comes next for the symbol is looked at."""
    step.markets[symbol].index.add(step.state.account, 0, LOW_WATCH, FAR - 1, 0)


def watch_from_storage(step: Step) -> None:
    """An account just opened from storage looks at the first datum of each of its positions."""
    if not (step.profile.watches or step.state.unvalued):
        return
    step.seat.watched = tuple(_sizes(step.state))
    for symbol in step.seat.watched:
        watch_next_datum(step, symbol)


def _distances(step: Step, now: Appraisal) -> tuple[int | None, int | None]:
    """How far equity may fall before something happens, and how far it must rise to clear a margin call."""
    state, limits = step.state, step.profile.limits
    falls = []
    rise = None
    if step.profile.margin.marked_to_market:
        if state.margin_call:
            rise = now.maintenance - now.equity
        else:
            falls.append(now.equity - now.maintenance)
    if limits.daily_loss_units is not None and state.day and DAILY_LOSS not in state.latches:
        floor = state.loss_base_units + state.day_deposits_units - limits.daily_loss_units
        falls.append(now.equity - floor)
    if limits.drawdown_units is not None and DRAWDOWN not in state.latches:
        falls.append(now.equity - (state.peak_units - limits.drawdown_units))
    return min(falls, default=None), rise


def _set_band(step: Step, symbol: str, long: int, short: int, fall: int | None, rise: int | None) -> None:
    state, market = step.state, step.markets[symbol]
    mark = market.mark_units
    market.index.remove_watch(state.account)
    if mark is None:
        watch_next_datum(step, symbol)
        return
    # Equity moves with the price, and maintenance with it by at most as much again: hence twice. Each position is
    # rounded when it is valued, so a few minor units are never relied on.
    count, instrument = len(state.holdings), market.instrument
    rounding = 3 * count * instrument.minor_units
    lows: list[int] = []
    highs: list[int] = []
    for size, towards, away in ((long, lows, highs), (short, highs, lows)):
        per_unit = instrument.value_up(SCALE, size)  # money per 1.0 of price
        for distance, prices in ((fall, towards), (rise, away)):
            if size and distance is not None:
                move = max(distance - rounding, 0) * SCALE // (2 * count * per_unit)
                prices.append(max(mark - move, 0) if prices is lows else mark + move)
    if lows:
        market.index.add(state.account, 0, LOW_WATCH, max(lows), 0)
    if highs:
        market.index.add(state.account, 0, HIGH_WATCH, min(highs), 0)
