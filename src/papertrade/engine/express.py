"""The express lane: a market order of a cash account that one plain quote fills whole.

It is most of what a fast strategy sends, and most of what the general way does for it comes to nothing: an order that
rests for no time, a hold of zero, a working quantity that goes up and down again. This lane makes the same two events
and the same state in one go; whatever is not that simple answers None and goes the general way, with nothing changed.
``tests/properties/test_express_lane.py`` compares the two, byte for byte.
"""

from __future__ import annotations

from typing import Final

from papertrade.domain.events import OrderAccepted, OrderFilled
from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.straight import straight
from papertrade.domain.words import CostMethod, OrderType, TimeInForce
from papertrade.engine import order_moves as moves
from papertrade.engine.budgets import use_up
from papertrade.engine.hours import in_hours, only_reduces
from papertrade.engine.step import Step
from papertrade.ledger.chart import CASH
from papertrade.ledger.entries import book
from papertrade.ledger.fees import FeeLines, FeeTally, charge, lines_owed
from papertrade.ledger.positions import PositionState, apply_fill, split_fill
from papertrade.ledger.postings import postings_of_fill
from papertrade.matching.market import Market
from papertrade.matching.rules import TAKER

_accepted = straight(OrderAccepted)
_filled = straight(OrderFilled)
_MARKET: Final = OrderType.MARKET
_GTC: Final = TimeInForce.GTC
_FIFO: Final = CostMethod.FIFO
_NO_FEES: Final[FeeLines] = ()
_RULE: Final = "Q1"  # a market order on arrival, on a quote


def place_plain(step: Step, terms: OrderTerms) -> Order | None:
    """The finished order, or None when it is not that simple."""
    market = step.markets[terms.symbol]
    price = _plain_price(step, market, terms)
    if price is None:
        return None
    sign, quantity, instrument = terms.sign, terms.quantity_units, market.instrument
    state = step.state
    key = terms.key
    position = state.positions.get(key)
    value = instrument.value(price, quantity)
    fees = _fees(step, terms, instrument, quantity, value) if step.profile.charges else _NO_FEES
    if sign > 0:
        owed = 0
        for _, units in fees:
            owed += units
        if value + max(0, owed) > state.books.get(CASH, 0):  # a rebate is not counted on
            return None
        if position is None:
            position = state.positions[key] = PositionState(terms.symbol, terms.product)
    elif position is None or position.quantity_units - position.working_sell_units < quantity:
        return None
    return _book(step, market, terms, position, price, value, fees)


def _plain_price(step: Step, market: Market, terms: OrderTerms) -> int | None:
    """The touch, if order, account and market are plain and the touch is fresh, on the tick, and large enough."""
    if not market.plain or terms.type is not _MARKET or terms.tif is not _GTC or terms.reduce_only or terms.oco_with:
        return None
    if terms.after_market or (market.hours is not None and not in_hours(step, market)):
        return None
    profile, state, instrument = step.profile, step.state, market.instrument
    settings, quantity = profile.fill, terms.quantity_units
    if profile.margin.marked_to_market or profile.limits.on_orders or settings.has_models:
        return None
    if state.latches or state.unvalued or (state.squared and only_reduces(step, market, terms.product)):
        return None
    if state.settling or profile.settlement is not None:
        return None
    if quantity % instrument.lot_units or not instrument.min_units <= quantity <= instrument.most_units:
        return None
    if terms.sign > 0:
        price, size, side = market.ask_units, market.ask_size_units, 0
    else:
        price, size, side = market.bid_units, market.bid_size_units, 1
    if price is None or size is None or price % instrument.tick_units:
        return None
    if market.used:
        size -= market.used.get(state.account, (0, 0))[side]
    most = settings.max_age_ns
    if size < quantity or (most is not None and step.clock_ns - market.quote_ns > most):
        return None
    return price


def _fees(step: Step, terms: OrderTerms, instrument: Instrument, quantity: int, value: int) -> FeeLines:
    tally = FeeTally(terms.symbol, terms.sign, quantity, value, 0, instrument.minor_units)
    return charge((), lines_owed(step.profile.fees, tally))


def _book(
    step: Step, market: Market, terms: OrderTerms, position: PositionState, price: int, value: int, fees: FeeLines
) -> Order:
    """Both events, and the state that their fold would make."""
    state = step.state
    account, version, now, number = state.account, state.version, step.now_ns, state.next_order
    symbol, sign, quantity, fill_number = terms.symbol, terms.sign, terms.quantity_units, state.next_fill
    closed, value, closed_value, released, realized = split_fill(
        position, market.instrument, sign, quantity, price, value
    )
    accepted = _accepted((account, version + 1, now, number, terms, quantity, None, 0, 0, 0))
    about = (account, version + 2, now, number, fill_number, symbol, sign, quantity, price, price)
    booked = (value, closed, closed_value, released, realized, fees, 0, 0)
    filled = _filled((*about, *booked, TAKER, _RULE, market.evidence(), step.profile.fill.label, terms.product))
    was_flat = not position.quantity_units
    apply_fill(position, filled, state.cost_method == _FIFO)
    if was_flat:
        state.open_positions += 1
        state.holdings[terms.key] = position
    elif not position.quantity_units:
        state.open_positions -= 1
        del state.holdings[terms.key]
    book(state.books, postings_of_fill(filled), account, version + 2)
    state.next_order = number + 1
    state.next_fill = fill_number + 1
    if state.today is not None:
        state.today.count(filled)
    state.version = version + 2
    state.at_ns = now
    step.events += (accepted, filled)
    use_up(step.seat, market.used, sign, quantity)
    order = moves.accepted(accepted)
    moves.filled(order, filled)
    return order
