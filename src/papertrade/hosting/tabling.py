"""From a step to the rows of the SQL tables: touched orders, fills, positions, entries, the day's wallet.

Only hosts on a store that wants rows import this. Rows are computed from the events and from the state after them, so
they are the same whether an account lives through its steps or is folded from its journal; a store puts them beside
the events in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from papertrade.codec.canonical import to_text
from papertrade.codec.shapes import Shape
from papertrade.domain.events import (
    AccountReset,
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
    OrdersLinked,
    PositionConverted,
)
from papertrade.domain.numbers import SCALE, ratio_units
from papertrade.domain.orders import Order
from papertrade.domain.position_keys import OfPosition, position_key
from papertrade.domain.rows import ROWS_FORM, Cleared, EntryRow, EquityRow, FillRow, OrderRow, PositionRow, Row, Upto
from papertrade.engine.evolve import evolve
from papertrade.engine.order_moves import fold_order
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.hosting.flow import Flow
from papertrade.hosting.wallets import DayTally
from papertrade.ledger.positions import PositionState
from papertrade.ledger.postings import Lines, postings_of
from papertrade.ports.store import Append, Store
from papertrade.ports.store_extras import Tabled, Tabling

PAGE: Final = 512  # events whose rows are written together when tables are brought up
DETAIL: Final = Shape(Order.__slots__)
STRATEGY: Final = "strategy"
EQUITY_EVENTS: Final = (DayOpened, DayClosed, DayRevalued, EquityMarked, LimitReset, MarginCalled, MarginCallCleared)


class Tables:
    """The rows of every account of a host, and how the tables of a store are brought up to its journals."""

    def __init__(self, store: Store, tabled: Tabled) -> None:
        self.store = store
        self.tabled = tabled
        self._tallies: dict[str, DayTally] = {}

    def batch_of(self, step: Step, commit_id: str | None) -> Append:
        """What a step asks the store to keep, with its rows."""
        state = step.state
        committed = max(state.committed, 0)
        if not committed:
            self._tallies[state.account] = DayTally(state.account)
        tally = self._tallies.get(state.account)
        rows: Sequence[object] = ()
        if tally is not None:  # else the tables stay behind until somebody asks them
            rows = rows_of(step.events, state, {order.number: order for order in state.finished}, tally)
        return Append(state.account, committed, step.events, commit_id, None, rows)

    def forget(self, account: str) -> None:
        """An account's step may not be what the store has: what is known of its day neither."""
        self._tallies.pop(account, None)

    def bring_up(self, account: str, version: int) -> Flow[None]:
        """See to it that the tables of an account are kept up to a version of its journal."""
        kept: Tabling = yield self.tabled.tabled, (account,)
        if kept.form == ROWS_FORM and kept.version == version and kept.wallet is not None:
            self._tallies[account] = DayTally.of(kept.wallet)
            return
        self._tallies[account] = yield from tabulate(self.store, self.tabled, account, version, kept)

    def keep_up(self, account: str, version: int) -> Flow[None]:
        """Before the tables are asked: what somebody wrote without rows is brought up."""
        kept: Tabling = yield self.tabled.tabled, (account,)
        if kept.form != ROWS_FORM or kept.version < version:
            self._tallies[account] = yield from tabulate(self.store, self.tabled, account, version, kept)


def tables_of(store: Store) -> Tables | None:
    """The tables of a store, if it has any."""
    return Tables(store, store) if isinstance(store, Tabled) else None


def tabulate(
    store: Store, tabled: Tabled, account: str, version: int, kept: Tabling, anew: bool = False
) -> Flow[DayTally]:
    """Fold a journal from its beginning and write the rows that the tables do not have, page by page.

    Should somebody else write them at the same time, theirs are the same, and ours are not needed.
    """
    anew = anew or kept.form != ROWS_FORM
    have = 0 if anew else kept.version
    state, tally, mine, first = AccountState(), DayTally(account), have < version, 1
    while first <= version:
        last = min(first + PAGE - 1, version)
        if first <= have:
            last = min(last, have)  # a page is either in the tables or it is not
        events: list[Event] = list((yield store.load, (account, first, last)))
        finished: dict[int, Order] = {}
        for event in events:
            evolve(state, event)
            finished.update((order.number, order) for order in state.finished)
            state.finished.clear()
        rows = rows_of(events, state, finished, tally)
        if mine and first > have:
            mine = yield tabled.put_rows, (account, kept, rows, anew)
            kept, anew = Tabling(last, ROWS_FORM, None), False
        first = last + 1
    return tally


# ------------------------------------------------------------------------ rows


def rows_of(
    events: Sequence[Event], state: AccountState, finished: dict[int, Order], tally: DayTally
) -> list[Row | Upto | Cleared]:
    """The rows that events change, from the state after them; ``finished`` are the orders that ended in them."""
    rows: list[Row | Upto | Cleared] = [Upto(state.account, state.version, ROWS_FORM)]
    orders: dict[int, None] = {}
    moved: dict[str, Event] = {}
    for event in events:
        number = getattr(event, "number", 0)
        if number:
            orders[number] = None
        if isinstance(event, PositionConverted):
            for product in (event.from_product, event.to_product):
                moved[position_key(event.symbol, product)] = event
        elif isinstance(event, OfPosition):
            moved[event.key] = event
        if isinstance(event, OrderFilled):
            rows.append(_fill_row(event))
        elif isinstance(event, (OrderAccepted, OrdersLinked)):
            other = event.oco if isinstance(event, OrderAccepted) else event.other
            if other:
                orders[other] = None
        elif isinstance(event, AccountReset):
            moved.clear()
            rows.append(Cleared(event.account))
            rows.append(EquityRow(event.account, event.version, event.at_ns, event.cash_units, event.kind))
        elif isinstance(event, EQUITY_EVENTS):
            rows.append(EquityRow(event.account, event.version, event.at_ns, event.equity_units, event.kind))
        lines = postings_of(event)
        rows.extend(_entry_rows(event, lines, state.currency))
        rows.extend(tally.take(event, lines))
    for number in orders:
        order = state.orders.get(number) or finished.get(number) or fold_order(_about(events, number), number)
        if order is not None:  # else a change was refused to an order that had ended before: it stays as it was
            rows.append(order_row(order))
    rows.extend(_position_row(state.positions[key], event) for key, event in moved.items())
    rows.append(tally.row())
    return rows


def _about(events: Sequence[Event], number: int) -> list[Event]:
    """Those of some events that are about one order."""
    names = ("number", "oco", "other")
    return [event for event in events if number in [getattr(event, name, None) for name in names]]


def order_row(order: Order) -> OrderRow:
    """An order as the table of orders shows it."""
    terms = order.terms
    tags = dict(terms.tags)
    filled = order.filled_units
    return OrderRow(
        account=order.account,
        number=order.number,
        id=order.id,
        client_order_id=terms.client_order_id,
        symbol=terms.symbol,
        product=terms.product,
        side=order.side.value,
        type=terms.type.value,
        quantity_units=order.quantity_units,
        notional_units=terms.notional_units,
        limit_price_units=order.limit_units,
        stop_price_units=order.stop_units,
        time_in_force=terms.tif.value,
        expires_ns=order.expires_ns,
        post_only=terms.post_only,
        reduce_only=terms.reduce_only,
        linked_order_id=order.linked_order_id,
        strategy=tags.get(STRATEGY),
        tags=to_text(tags),
        status=order.status.value,
        filled_quantity_units=filled,
        remaining_quantity_units=order.remaining_units,
        canceled_quantity_units=order.canceled_units,
        average_price_units=ratio_units(order.pq, filled * SCALE) if filled else None,
        value_units=order.value_units,
        fees_units=order.fees_units,
        hold_units=order.hold_units,
        reason=None if order.reason is None else str(order.reason),
        placed_ns=order.placed_ns,
        triggered_ns=order.triggered_ns,
        updated_ns=order.updated_ns,
        version=order.version,
        detail=to_text(DETAIL.encode(order)),
    )


def _fill_row(event: OrderFilled) -> FillRow:
    return FillRow(
        account=event.account,
        number=event.fill_number,
        id=event.fill_id,
        order_number=event.number,
        order_id=event.order_id,
        symbol=event.symbol,
        product=event.product,
        side=event.side.value,
        quantity_units=event.quantity_units,
        price_units=event.price_units,
        value_units=event.value_units,
        fee_units=event.fee_units,
        realized_units=event.realized_units,
        role=str(event.role),
        rule=event.rule,
        filled_ns=event.at_ns,
        version=event.version,
    )


def _position_row(position: PositionState, event: Event) -> PositionRow:
    quantity = position.quantity_units
    return PositionRow(
        account=event.account,
        symbol=position.symbol,
        product=position.product,
        quantity_units=quantity,
        average_price_units=ratio_units(position.pq, quantity * SCALE) if quantity else None,
        cost_units=position.cost_units,
        realized_units=position.realized_units,
        fees_units=position.fees_units,
        opened_ns=position.opened_ns,
        updated_ns=event.at_ns,
        version=event.version,
    )


def _entry_rows(event: Event, lines: Lines, currency: str) -> Iterable[EntryRow]:
    about = event.account, event.version
    for number, (name, units) in enumerate(lines, 1):
        yield EntryRow(*about, number, event.at_ns, event.kind, name, units, currency)
