"""What an account has, what an order needs, and how much of it must be held."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.events import Numbers
from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import SCALE, divide_up
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.engine.profile import AccountProfile
from papertrade.engine.state import AccountState
from papertrade.engine.step import Step
from papertrade.ledger.fees import FeeLines, FeeTally, charge, lines_owed
from papertrade.ledger.positions import PositionState
from papertrade.matching.market import Market


class Appraisal(NamedTuple):
    """An account at its marks, in units."""

    equity: int
    market_value: int
    initial: int
    maintenance: int
    missing: int  # positions of which the market knows no price: valued at the last one that the journal tells
    unknown: int  # those of which that does not either, valued at cost


def appraise(state: AccountState, profile: AccountProfile, markets: dict[str, Market]) -> Appraisal:
    """Equity is all cash plus positions at their marks, worked out when asked."""
    value = initial = maintenance = missing = unknown = 0
    margin = profile.margin
    for position in state.holdings.values():
        quantity = position.quantity_units
        market = markets[position.symbol]
        mark = market.mark_units
        if mark is None:
            missing += 1
            mark = position.mark_units
        if mark is None:
            unknown += 1
            value += position.cost_units
            mark = market.instrument.price_of(position.cost_units, quantity)  # it still needs its margin: at cost
        else:
            value += signed_value(market.instrument, quantity, mark)
        if margin.marked_to_market:
            initial += margin.initial(market.instrument, quantity, mark)
            maintenance += margin.maintenance(market.instrument, quantity, mark)
    return Appraisal(state.total + value, value, initial, maintenance, missing, unknown)


def last_price(position: PositionState, market: Market) -> int | None:
    """The mark of a position: of the market, or else the last price that the journal tells."""
    mark = market.mark_units
    return position.mark_units if mark is None else mark


def signed_value(instrument: Instrument, quantity_units: int, price_units: int) -> int:
    """The value of a position: negative for a short."""
    value = instrument.value(price_units, abs(quantity_units))
    return value if quantity_units > 0 else -value


def available(step: Step) -> int:
    """What a new order may use: cash that is not held, or for a margin account equity less margin less holds."""
    state, profile = step.state, step.profile
    if not profile.margin.marked_to_market:
        return state.cash - withheld_cash(state, profile, step.now_ns)
    if not state.open_positions:
        return state.cash
    now = appraise(state, profile, step.markets)
    return now.equity - now.initial - state.held


def withheld_cash(state: AccountState, profile: AccountProfile, now_ns: int) -> int:
    """Sale proceeds that a new order may not use before they settle; behind a margin account's stands its equity."""
    rule = profile.settlement
    if rule is None or profile.margin.marked_to_market:
        return 0
    return state.unsettled_cash if rule.refuses_cash or now_ns < state.restricted_until_ns else 0


def refuse_funds(step: Step, need: int, there: int) -> tuple[RejectReason, Numbers]:
    """Why an order that needs this much of what is there is refused: would it do once everything has settled?"""
    withheld = withheld_cash(step.state, step.profile, step.now_ns)
    if withheld and need <= there + withheld:
        return RejectReason.UNSETTLED_FUNDS, (("required", need), ("available", there), ("unsettled", withheld))
    return RejectReason.INSUFFICIENT_FUNDS, (("required", need), ("available", there))


# ----------------------------------------------------- opening and closing


def closable(position: PositionState | None, sign: int) -> int:
    """How much an order of this side could close, were nothing else working."""
    if position is None:
        return 0
    opposite = -sign * position.quantity_units
    return max(opposite, 0)


def opening_part(
    position: PositionState | None, sign: int, quantity: int, sibling: Order | None = None, own: Order | None = None
) -> int:
    """The part of an order that could enlarge the position, counting the working orders of its side as filled.

    A linked order of the same side competes for the same part, so it is not counted; nor is the order itself when it
    is being changed.
    """
    room = closable(position, sign)
    if not room or position is None:
        return quantity
    apart = 0 if own is None else own.remaining_units
    if sibling is not None and sibling.terms.sign == sign:
        apart = max(apart, sibling.remaining_units)
    return quantity - min(quantity, max(0, room - position.working(sign) + apart))


# ------------------------------------------------------------------- needs


def fee_lines(step: Step, order: Order, instrument: Instrument, quantity: int, value: int, made: int) -> FeeLines:
    """What a fill of an order adds to its fees."""
    symbol, sign, minor = order.terms.symbol, order.terms.sign, instrument.minor_units
    model = step.profile.fees
    before: FeeLines = ()
    if order.filled_units:
        so_far = FeeTally(symbol, sign, order.filled_units, order.value_units, order.maker_units, minor)
        before = lines_owed(model, so_far)
    after = lines_owed(
        model,
        FeeTally(
            symbol,
            sign,
            order.filled_units + quantity,
            order.value_units + value,
            order.maker_units + made,
            minor,
        ),
    )
    return charge(before, after)


def first_fees(step: Step, terms: OrderTerms, instrument: Instrument, quantity: int, value: int) -> int:
    """What an order that has not filled would owe for filling this much as taker."""
    if not step.profile.charges or not quantity:
        return 0
    tally = FeeTally(terms.symbol, terms.sign, quantity, value, 0, instrument.minor_units)
    return sum(units for _, units in lines_owed(step.profile.fees, tally))


def hold_price(step: Step, market: Market, sign: int, limit: int | None, stop: int | None) -> int | None:
    """The price a hold is worked out at: the limit, or the stop or reference price and the collar on top."""
    if limit is not None:
        # A sell limit far below the market will not fill there: what it opens is worth at least the market.
        return limit if sign > 0 else max(limit, market.reference(sign) or 0)
    reference = stop if stop is not None else market.reference(sign)
    if reference is None:
        return None
    return reference + divide_up(reference * step.profile.fill.collar_units, SCALE)


def hold_for(step: Step, instrument: Instrument, opening: int, price: int, fees: int) -> int:
    """What must be held for the opening part of an order that waits: its margin or cost, and its fees."""
    margin = step.profile.margin
    if margin.marked_to_market:
        need = margin.initial(instrument, opening, price)
    else:
        need = instrument.value_up(price, opening)
    return need + max(0, fees)


def held_change(order_hold: int, sibling: Order | None, new_hold: int) -> int:
    """By how much the account's held money changes when an order's own need does: linked orders share one hold."""
    if sibling is None:
        return new_hold - order_hold
    other = sibling.hold_units
    return max(new_hold, other) - max(order_hold, other)
