"""What the risk gate is told about an order: worked out once, only for accounts that have limits."""

from __future__ import annotations

from papertrade.domain.events import Numbers
from papertrade.domain.numbers import SCALE
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.rejections import RejectReason
from papertrade.engine.funds import last_price, opening_part
from papertrade.engine.hours import only_reduces
from papertrade.engine.step import Step
from papertrade.ledger.positions import PositionState
from papertrade.matching.market import Market
from papertrade.risk.gate import Situation, gate, latch_refusal


def refuse_risk(
    step: Step,
    market: Market,
    terms: OrderTerms,
    quantity: int,
    limit: int | None,
    stop: int | None,
    sibling: Order | None,
    own: Order | None = None,
) -> tuple[RejectReason, Numbers] | None:
    """Latches, margin call, negative cash, then the limits; an order that can only reduce passes them all.

    ``own`` is the order that grows by this quantity, when it is not a new one.
    """
    state, profile, sign, key = step.state, step.profile, terms.sign, terms.key
    total = state.total
    exposed = state.restricted or (total < 0 and not profile.margin.marked_to_market)
    squaring = bool(state.squared) and only_reduces(step, market, terms.product)
    if not exposed and not squaring and not profile.limits.on_orders:
        return None
    asked = quantity if own is None else quantity + own.remaining_units
    if not opening_part(state.positions.get(key), sign, asked, sibling, own):
        return None
    latched = latch_refusal(state.latches)
    if latched is not None:
        return latched
    if state.margin_call:
        return RejectReason.MARGIN_CALL, ()
    if squaring:
        return RejectReason.SQUARE_OFF, ()
    if exposed:
        return RejectReason.NEGATIVE_CASH, (("total", total),)
    # Of two linked orders of a side only one can fill: what counts is by how much the larger of them grows.
    before = 0 if own is None else own.remaining_units
    if sibling is not None and sibling.terms.sign == sign:
        before = max(before, sibling.remaining_units)
    return gate(profile.limits, _situation(step, market, terms, quantity, max(0, asked - before), limit, stop, own))


def _situation(
    step: Step,
    market: Market,
    terms: OrderTerms,
    quantity: int,
    more: int,
    limit: int | None,
    stop: int | None,
    own: Order | None,
) -> Situation:
    """What the limits compare. An order that grows is judged by its whole size, and is not one order more."""
    size, sign, key = quantity if own is None else quantity + own.quantity_units, terms.sign, terms.key
    reference = market.reference(sign) or 0
    price = limit or stop or reference
    if sign < 0:
        price = max(price, reference)  # a sell limit far below the market will not fill there
    position = step.state.positions.get(key)
    held = 0 if position is None else position.quantity_units
    working = 0 if position is None else position.working(sign)
    reached = abs(held + sign * (working + more))
    beside = _beside(step, terms) if terms.product else 0
    return Situation(
        size,
        market.instrument.value(price, size),
        len(step.state.orders) - (own is not None),
        reached + beside,
        _gross(step, market, key, reached, price),
        SCALE,
    )


def _gross(step: Step, market: Market, key: str, reached: int, price: int) -> int:
    """The sum of absolute position values, each at the larger end of its working orders."""
    gross = market.instrument.value(price, reached)
    for other_key, position in step.state.positions.items():
        if other_key == key:
            continue
        most = _at_most(position)
        if most:
            other = step.markets[position.symbol]
            gross += other.instrument.value(_mark(other, position), most)  # type: ignore[assignment]
    return gross


def _at_most(position: PositionState) -> int:
    """How large a position would be at the larger end of its working orders."""
    quantity = position.quantity_units
    return max(quantity + position.working_buy_units, position.working_sell_units - quantity, 0)


def _beside(step: Step, terms: OrderTerms) -> int:
    """The sizes of the other products of a symbol: they do not net."""
    others = (p for key, p in step.state.positions.items() if p.symbol == terms.symbol and key != terms.key)
    return sum(_at_most(position) for position in others)


def _mark(market: Market, position: PositionState) -> int:
    """The mark; without one, the last price that the journal tells, or what the position cost on average."""
    mark = last_price(position, market)
    if mark is not None:
        return mark
    quantity = position.quantity_units
    return market.instrument.price_of(position.cost_units, quantity) if quantity else 0
