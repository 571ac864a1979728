"""(state, event) → state. The same functions move a live account and fold a journal; nothing else writes state.

Each is short, trusts the numbers on the event, and never decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from papertrade.domain.events import (
    AccountCloned,
    AccountOpened,
    AccountReset,
    CashDeposited,
    CashWithdrawn,
    DayClosed,
    DayOpened,
    DayRevalued,
    EquityMarked,
    Event,
    GoodFaithViolation,
    LimitLatched,
    LimitReset,
    MarginCallCleared,
    MarginCalled,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderModifyRejected,
    OrderReduced,
    OrderRejected,
    OrdersLinked,
    OrderTriggered,
    PositionConverted,
    PositionImported,
    SettlementSet,
    SquaredOff,
    TradesSettled,
    WithdrawalRejected,
)
from papertrade.domain.orders import Order
from papertrade.domain.words import CostMethod
from papertrade.engine import order_moves as moves
from papertrade.engine import settlement_moves as settlement
from papertrade.engine.conversion_moves import converted
from papertrade.engine.state import AccountState, Squared
from papertrade.errors import InvariantError
from papertrade.ledger.days import DaySums
from papertrade.ledger.entries import book
from papertrade.ledger.positions import PositionState, Unvalued, apply_fill, apply_import, unvalued
from papertrade.ledger.postings import postings_of, postings_of_fill
from papertrade.risk.limits import DAILY_LOSS, DRAWDOWN

_FIFO: Final = CostMethod.FIFO


def evolve(state: AccountState, event: Event) -> None:
    """Move the state by one event. An event out of turn is a broken invariant."""
    version = event.version
    if version != state.version + 1:
        raise InvariantError("E1 gap-free versions", state.account, version, state.version + 1)
    MOVERS[type(event)](state, event)
    state.version = version
    state.at_ns = event.at_ns


def fold(state: AccountState, events: Iterable[Event]) -> AccountState:
    """Move the state by many stored events."""
    for event in events:
        evolve(state, event)
        state.finished.clear()
    return state


# ------------------------------------------------------------- the account


def _opened(state: AccountState, event: AccountOpened) -> None:
    state.account = event.account
    state.currency = event.currency
    state.decimals = event.decimals
    state.account_kind = event.account_kind
    state.cost_method = event.cost_method


def _deposited(state: AccountState, event: CashDeposited) -> None:
    _move_cash(state, event, event.amount_units)


def _withdrawn(state: AccountState, event: CashWithdrawn) -> None:
    _move_cash(state, event, -event.amount_units)


def _move_cash(state: AccountState, event: CashDeposited | CashWithdrawn, change: int) -> None:
    book(state.books, postings_of(event), state.account, event.version)
    _came_in(state, change)
    if state.today is not None:
        state.today.move_cash(change)


def _came_in(state: AccountState, change: int) -> None:
    """Money in or out is neither profit nor loss: the bases that profit is measured from move along."""
    state.day_deposits_units += change
    state.peak_units += change


def _imported(state: AccountState, event: PositionImported) -> None:
    key, symbol, quantity, cost = event.key, event.symbol, event.quantity_units, event.cost_units
    position = state.positions.get(key)
    if position is None:
        position = state.positions[key] = PositionState(symbol, event.product)
    if position.quantity_units * quantity < 0:
        raise InvariantError("P8 an import closes nothing", state.account, quantity, position.quantity_units)
    if not position.quantity_units:
        state.open_positions += 1
        state.holdings[key] = position
    apply_import(position, event, state.cost_method == _FIFO)
    book(state.books, postings_of(event), state.account, event.version)
    _came_in(state, cost)
    if state.today is not None:
        state.today.import_value(cost)
    if state.day:  # it came in at its cost; the day is measured from what it was worth
        state.unvalued = (*state.unvalued, Unvalued(symbol, quantity, cost, None, None, True, True))


def _begun_again(state: AccountState, event: AccountReset) -> None:
    if state.orders:
        raise InvariantError("O1 no order survives a reset", state.account, sorted(state.orders), [])
    book(state.books, postings_of(event), state.account, event.version)
    state.positions, state.holdings, state.open_positions = {}, {}, 0
    state.day_equity_units = state.loss_base_units = state.peak_units = event.cash_units
    state.day_deposits_units = 0
    state.latches, state.unvalued, state.margin_call = (), (), False
    if state.today is not None:
        _begin_sums(state, event.at_ns, event.cash_units)
    state.settling, state.unpaid, state.violated, state.restricted_until_ns = (), (), (), 0


def _day_opened(state: AccountState, event: DayOpened) -> None:
    is_first = not state.day
    in_peak = (part._replace(of_day=False) for part in state.unvalued if part.imported)
    of_day = (unvalued(state.holdings[key], event.at_ns, is_first) for key in event.unmarked)
    state.unvalued = (*in_peak, *of_day)
    state.day = event.day
    state.day_equity_units = state.loss_base_units = event.equity_units
    state.day_deposits_units = 0
    if is_first:  # before its first day an account has neither won nor lost
        state.peak_units = event.equity_units
    elif not event.unmarked:  # an equity at cost is no peak
        state.peak_units = max(state.peak_units, event.equity_units)
    state.latches = tuple(name for name in state.latches if name != DAILY_LOSS)
    _begin_sums(state, event.at_ns, event.equity_units)


def _begin_sums(state: AccountState, at_ns: int, equity: int) -> None:
    state.today = DaySums(at_ns, state.books, (state.next_order, state.next_fill), equity)


def _day_closed(state: AccountState, event: DayClosed) -> None:
    state.today = None
    for symbol, mark in event.marks:
        state.positions[symbol].note_price(mark, event.at_ns)


def _squared_off(state: AccountState, event: SquaredOff) -> None:
    what = event.calendar, event.product
    others = [part for part in state.squared if (part.calendar, part.product) != what]
    state.squared = tuple(sorted([*others, Squared(event.calendar, event.stage, event.closes_ns, event.product)]))


def _day_revalued(state: AccountState, event: DayRevalued) -> None:
    change = event.equity_units - state.day_equity_units
    if state.today is not None:
        state.today.revalue(change)
    state.loss_base_units += change
    state.day_equity_units = event.equity_units
    state.peak_units = event.peak_units
    state.unvalued = ()


def _equity_marked(state: AccountState, event: EquityMarked) -> None:
    state.peak_units = max(state.peak_units, event.equity_units)
    _note(state, event.equity_units)


def _note(state: AccountState, equity: int) -> None:
    if state.today is not None:
        state.today.note(equity)


def _latched(state: AccountState, event: LimitLatched) -> None:
    state.latches = tuple(sorted({*state.latches, event.limit}))


def _reset(state: AccountState, event: LimitReset) -> None:
    state.latches = tuple(name for name in state.latches if name != event.limit)
    _note(state, event.equity_units)
    if event.limit == DAILY_LOSS:
        state.loss_base_units = event.equity_units - state.day_deposits_units
    elif event.limit == DRAWDOWN:
        state.peak_units = event.equity_units


def _margin_called(state: AccountState, event: MarginCalled) -> None:
    state.margin_call = True
    _note(state, event.equity_units)


def _margin_cleared(state: AccountState, event: MarginCallCleared) -> None:
    state.margin_call = False
    _note(state, event.equity_units)


def _nothing(state: AccountState, event: WithdrawalRejected | AccountCloned) -> None:
    pass


# ------------------------------------------------------------------ orders


def _accepted(state: AccountState, event: OrderAccepted) -> None:
    order = moves.accepted(event)
    number, terms, quantity = event.number, event.terms, event.quantity_units
    state.orders[number] = order
    state.next_order = number + 1
    key, sign = terms.key, terms.sign
    position = state.positions.get(key)
    if position is None:
        position = state.positions[key] = PositionState(terms.symbol, terms.product)
    if event.oco:
        other = _own(state, event.oco)
        other.oco = event.number
        other.version = event.version
        quantity -= moves.shared(order, other)
    if sign > 0:
        position.working_buy_units += quantity
    else:
        position.working_sell_units += quantity
    if event.held_units:
        book(state.books, postings_of(event), state.account, event.version)


def _rejected(state: AccountState, event: OrderRejected) -> None:
    state.next_order = event.number + 1
    state.finished.append(moves.rejected(event))


def _triggered(state: AccountState, event: OrderTriggered) -> None:
    moves.triggered(_own(state, event.number), event)


def _filled(state: AccountState, event: OrderFilled) -> None:
    order = _own(state, event.number)
    before = order.quantity_units - order.filled_units - order.canceled_units
    quantity = event.quantity_units
    moves.filled(order, event)
    if state.unvalued:
        _note_price(state, event)
    key = order.terms.key
    position = state.positions[key]
    was_flat = not position.quantity_units
    apply_fill(position, event, state.cost_method == _FIFO)
    if was_flat:
        state.open_positions += 1
        state.holdings[key] = position
    elif not position.quantity_units:
        state.open_positions -= 1
        del state.holdings[key]
    state.next_fill = event.fill_number + 1
    if state.today is not None:
        state.today.count(event)
    book(state.books, postings_of_fill(event), state.account, event.version)
    if state.settling:
        settlement.filled(state, event, position.quantity_units)
    _shrunk(state, order, before, quantity)


def _note_price(state: AccountState, event: OrderFilled) -> None:
    """A holding without a price trades: its first price is one that the day can be measured from."""
    state.unvalued = tuple(
        part._replace(first_units=event.price_units)
        if part.symbol == event.symbol and part.first_units is None
        else part
        for part in state.unvalued
    )


def _reduced(state: AccountState, event: OrderReduced) -> None:
    order = _own(state, event.number)
    before = order.remaining_units
    moves.reduced(order, event)
    _book_hold(state, event)
    _shrunk(state, order, before, event.quantity_units)


def _canceled(state: AccountState, event: OrderCanceled) -> None:
    order = _own(state, event.number)
    before = order.remaining_units
    moves.canceled(order, event)
    _book_hold(state, event)
    _shrunk(state, order, before, before)


def _expired(state: AccountState, event: OrderExpired) -> None:
    order = _own(state, event.number)
    before = order.remaining_units
    moves.expired(order, event)
    _book_hold(state, event)
    _shrunk(state, order, before, before)


def _modified(state: AccountState, event: OrderModified) -> None:
    order = _own(state, event.number)
    before = order.remaining_units
    moves.modified(order, event)
    _book_hold(state, event)
    _shrunk(state, order, before, before - order.remaining_units)


def _change_refused(state: AccountState, event: OrderModifyRejected) -> None:
    if event.number in state.orders:
        moves.change_refused(_own(state, event.number), event)


def _linked(state: AccountState, event: OrdersLinked) -> None:
    order, other = _own(state, event.number), _own(state, event.other)
    moves.linked(order, event)
    moves.linked(other, event)
    state.positions[order.terms.key].add_working(order.terms.sign, -moves.shared(order, other))
    _book_hold(state, event)


def _book_hold(
    state: AccountState, event: OrderReduced | OrderCanceled | OrderExpired | OrderModified | OrdersLinked
) -> None:
    if event.held_units:
        book(state.books, postings_of(event), state.account, event.version)


def _shrunk(state: AccountState, order: Order, before: int, gone: int) -> None:
    """An order has less to fill than before: the working quantity falls, and it leaves if that was all."""
    sibling = state.orders.get(order.oco) if order.oco else None
    freed = gone
    if sibling is not None:
        freed = moves.left_to_both(order, sibling, before) - moves.left_to_both(order, sibling, before - gone)
    terms = order.terms
    if terms.sign > 0:
        state.positions[terms.key].working_buy_units -= freed
    else:
        state.positions[terms.key].working_sell_units -= freed
    if gone == before:
        del state.orders[order.number]
        state.finished.append(order)


def _own(state: AccountState, number: int) -> Order:
    """The order, copied first if somebody may hold it."""
    order = state.orders.get(number)
    if order is None:
        raise InvariantError("O1 order is open", state.account, number, sorted(state.orders))
    if order.version <= state.committed:
        order = state.orders[number] = order.copy()
    return order


MOVERS: Final[dict[type, Callable[[AccountState, Any], None]]] = {
    AccountOpened: _opened,
    CashDeposited: _deposited,
    CashWithdrawn: _withdrawn,
    WithdrawalRejected: _nothing,
    PositionImported: _imported,
    PositionConverted: converted,
    AccountReset: _begun_again,
    AccountCloned: _nothing,
    DayOpened: _day_opened,
    DayClosed: _day_closed,
    DayRevalued: _day_revalued,
    SquaredOff: _squared_off,
    SettlementSet: settlement.day_set,
    TradesSettled: settlement.settled,
    GoodFaithViolation: settlement.violated,
    OrderAccepted: _accepted,
    OrderRejected: _rejected,
    OrderTriggered: _triggered,
    OrderFilled: _filled,
    OrderModified: _modified,
    OrderModifyRejected: _change_refused,
    OrderReduced: _reduced,
    OrderCanceled: _canceled,
    OrderExpired: _expired,
    OrdersLinked: _linked,
    LimitLatched: _latched,
    LimitReset: _reset,
    EquityMarked: _equity_marked,
    MarginCalled: _margin_called,
    MarginCallCleared: _margin_cleared,
}
