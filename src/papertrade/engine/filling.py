"""From a rule's proposal to a booked fill: how much, at which price, and can it be paid?

The order of work for one fill: base price by the rule, slippage, clamp to limit and band, round to the tick against the
trader, cut to size and lots, cut to what the position or the funds allow, fees, linked order, booking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from papertrade.domain.events import OrderCanceled, OrderFilled, OrderReduced
from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import round_to_step, share_down
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.straight import straight
from papertrade.domain.words import CancelReason
from papertrade.engine.budgets import evidence_of, takes_up, use_up
from papertrade.engine.funds import available, closable, fee_lines, held_change
from papertrade.engine.hours import only_reduces
from papertrade.engine.settlement import may_settle, note_trade_day, violate
from papertrade.engine.step import Step
from papertrade.ledger.positions import closing_part, split_fill
from papertrade.ledger.settling import sold_early
from papertrade.matching.market import Market
from papertrade.matching.models import Candidate, quantity_units, slip_units
from papertrade.matching.rules import LAST_OF_SESSION, MAKER, Proposal, worse


class Slice(NamedTuple):
    """A part of an order that is about to fill: how much, at which final price, by which proposal."""

    quantity_units: int
    price_units: int
    value_units: int
    proposal: Proposal


_slice = straight(Slice)
_filled = straight(OrderFilled)


# ------------------------------------------------------------ how much, at what


def slices(
    step: Step,
    market: Market,
    terms: OrderTerms,
    proposals: Sequence[Proposal],
    quantity: int,
    budget: int | None = None,
) -> list[Slice]:
    """Proposals cut to what is wanted, to what is displayed, to whole lots, and moved by the models."""
    settings, instrument, sign = step.profile.fill, market.instrument, terms.sign
    if step.profile.settlement is not None and not may_settle(step, market, terms):
        return []
    if len(proposals) == 1 and budget is None and not settings.has_models:
        # The commonest case, taken whole from one displayed size: the loop below would say the same.
        _, price, size, _, _, _ = only = proposals[0]
        if size is not None and size >= quantity > 0 and not price % instrument.tick_units:
            return [_slice((quantity, price, instrument.value(price, quantity), only))]
    found = []
    for proposal in proposals:
        if quantity <= 0:
            break
        if sign < 0 and proposal.price_units < instrument.tick_units:
            continue  # a feed finer than the tick: nothing on the tick is as low, and more than was bid is not had
        size = proposal.size_units
        if size is None and settings.missing_size == "refuse" and budget is None:
            break
        take = quantity
        if settings.displayed_size == "respect":
            if size is not None and size < take:
                take = size
            if budget is not None and budget < take:
                take = budget
            if take != quantity:
                take = instrument.lots_down(take)
        price = proposal.price_units
        if settings.has_models and take:
            take, price = _ask_models(step, market, sign, proposal, take)
        if take <= 0:
            continue
        # Slippage moved it, or the feed is finer than the tick: no fill is off the tick, with or without a limit.
        if price % instrument.tick_units or price != proposal.price_units:
            price = settle_price(proposal.price_units, price, sign, instrument)
        found.append(_slice((take, price, instrument.value(price, take), proposal)))
        quantity -= take
        if budget is not None:
            budget -= take
    return found


def _ask_models(step: Step, market: Market, sign: int, proposal: Proposal, take: int) -> tuple[int, int]:
    settings, instrument = step.profile.fill, market.instrument
    bid, ask = market.bid_units, market.ask_units
    if proposal.rule[1] == LAST_OF_SESSION and market.closing is not None:
        bid, ask = market.closing.quote  # what has come since then is from the future of this price
    candidate = Candidate(
        market.symbol,
        sign,
        proposal.rule,
        proposal.price_units,
        take,
        bid,
        ask,
        instrument.tick_units,
    )
    if settings.fill_model is not None:
        take = instrument.lots_down(quantity_units(settings.fill_model, candidate))
    price = proposal.price_units
    if proposal.slips:
        price += sign * slip_units(settings.slippage, candidate)
    return take, price


def settle_price(base: int, slipped: int, sign: int, instrument: Instrument) -> int:
    """A price that slippage may have moved: no further than the band, no better than it was, on the tick against the

    trader, above zero. What the data themselves say beyond the band stays: an order's limit may lie there too.
    """
    price = base if slipped == base else worse(sign, base, instrument.clamp_to_band(slipped))
    return max(round_to_step(price, instrument.tick_units, sign), instrument.tick_units)


# ----------------------------------------------------- what may be filled at all


def fillable(step: Step, order: Order) -> tuple[int, CancelReason | None]:
    """How much of what remains the account may fill now, and why it may not fill the rest."""
    remaining = order.remaining_units
    state, sign = step.state, order.terms.sign
    position = state.positions.get(order.terms.key)
    squaring = bool(state.squared) and only_reduces(step, step.markets[order.terms.symbol], order.terms.product)
    if order.terms.reduce_only or state.restricted or squaring:
        most = closable(position, sign)
        if most < remaining:
            if order.terms.reduce_only:
                return most, CancelReason.NOTHING_TO_REDUCE
            if state.restricted:
                return most, CancelReason.LIMIT_LATCHED if state.latches else CancelReason.MARGIN_CALL
            return most, CancelReason.SQUARE_OFF
    if sign < 0 and not step.profile.may_short(order.terms.product):
        most = closable(position, sign)
        if most < remaining:
            return most, CancelReason.INSUFFICIENT_POSITION
    return remaining, None


def execute(
    step: Step, market: Market, number: int, proposals: Sequence[Proposal], budget: int | None = None
) -> int:
    """Fill an open order as far as proposals, position and funds allow. Answers how much filled."""
    order = step.state.orders[number]
    if not proposals:
        return 0
    allowed, why_not = fillable(step, order)
    done = 0
    for piece in slices(step, market, order.terms, proposals, allowed, budget):
        piece, short = fit_to_funds(step, market.instrument, order, piece)
        if piece.quantity_units:
            # What a cut fill leaves is canceled, so it captures the whole hold.
            book_fill(step, market, number, piece, order.remaining_units if short else piece.quantity_units)
            done += piece.quantity_units
        current = step.state.orders.get(number)
        if current is None:
            return done
        order = current
        if short:
            cancel(step, order, CancelReason.INSUFFICIENT_FUNDS, short)
            return done
    # What the position no longer allows is canceled at the fill that finds it out.
    if why_not is not None and done == allowed:
        cancel(step, order, why_not, (("remaining", order.remaining_units), ("allowed", 0)))
    return done


def fit_to_funds(
    step: Step, instrument: Instrument, order: Order, piece: Slice
) -> tuple[Slice, tuple[tuple[str, int], ...]]:
    """Cut a fill to what hold and available funds can pay; a reducing fill is never cut."""
    position = step.state.positions.get(order.terms.key)
    sign = order.terms.sign
    quantity = 0 if position is None else position.quantity_units
    closing = closing_part(quantity, sign, piece.quantity_units)
    if closing == piece.quantity_units:
        return piece, ()
    free = available(step)

    def short_by(take: int, captures: int) -> tuple[int, int]:
        """(needed, there) for filling this much, with the hold of so much captured."""
        opening = take - closing
        need = step.profile.margin.initial(instrument, opening, piece.price_units) if opening > 0 else 0
        value = instrument.value(piece.price_units, take)
        made = value if piece.proposal.role is MAKER else 0
        fees = sum(u for _, u in fee_lines(step, order, instrument, take, value, made)) if step.profile.charges else 0
        captured = _captured(step, order, take, captures)
        return need + fees, free + captured + _freed(step, instrument, closing, sign, piece)

    def fits(lots: int) -> bool:
        need, there = short_by(lots * instrument.lot_units, order.remaining_units)
        return need <= there

    need, there = short_by(piece.quantity_units, piece.quantity_units)
    if need <= there:
        return piece, ()
    _, at_most = short_by(piece.quantity_units, order.remaining_units)
    if at_most < need:  # otherwise its own share of the hold was what fell short, and that is what is compared
        there = at_most
    lots = most_lots(fits, piece.quantity_units // instrument.lot_units)
    fitting = max(lots * instrument.lot_units, closing)
    value = instrument.value(piece.price_units, fitting)
    return piece._replace(quantity_units=fitting, value_units=value), (("required", need), ("available", there))


def most_lots(fits: Callable[[int], bool], most: int) -> int:
    """The largest number of lots that fits, by halving."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _captured(step: Step, order: Order, take: int, captures: int) -> int:
    """How much of what is held for an order and its linked order a fill sets free: the linked one gives way first."""
    hold = hold_after(step, order, captures)
    sibling = step.state.sibling(order)
    if sibling is None:
        return order.hold_units - hold
    other = 0
    if not _ends_linked(step, order, sibling, take):
        other = hold_after(step, sibling, take)
    return max(order.hold_units, sibling.hold_units) - max(hold, other)


def hold_after(step: Step, order: Order, gone: int) -> int:
    """What an order still needs held when so much of what remains has gone: whole minor units, all with the last."""
    minor = step.markets[order.terms.symbol].instrument.minor_units
    return order.hold_units - share_down(order.hold_units, gone, order.remaining_units, minor)


def _freed(step: Step, instrument: Instrument, closing: int, sign: int, piece: Slice) -> int:
    """What the closing part of a flip sets free before its opening part needs it."""
    if not closing:
        return 0
    margin = step.profile.margin
    if margin.marked_to_market:
        return margin.initial(instrument, closing, piece.price_units)
    return instrument.value(piece.price_units, closing) if sign < 0 else 0


# ---------------------------------------------------------------- booking


def book_fill(step: Step, market: Market, number: int, piece: Slice, captures: int) -> None:
    """Make a fill a fact: linked order first, then position, entry, fees and hold in one event.

    ``captures`` is the part of the remaining quantity whose hold goes with it.
    """
    state = step.state
    order = state.orders[number]
    if step.profile.settlement is not None:
        note_trade_day(step, market, order.terms)
    if order.oco:
        _settle_linked(step, order, piece.quantity_units)
        order = state.orders[number]
    symbol, key, sign, instrument = market.symbol, order.terms.key, order.terms.sign, market.instrument
    quantity, price, value, proposal = piece
    closed, value, closed_value, released, realized = split_fill(
        state.positions[key], instrument, sign, quantity, price, value
    )
    fees: tuple[tuple[str, int], ...] = ()
    if step.profile.charges:
        fees = fee_lines(step, order, instrument, quantity, value, value if proposal.role is MAKER else 0)
    hold = held = 0
    if order.hold_units:
        hold = hold_after(step, order, captures)
        held = held_change(order.hold_units, state.sibling(order), hold)
    rule, base, _, role, _, _ = proposal
    evidence = evidence_of(market, rule, sign)
    about = (state.account, state.version + 1, step.now_ns, number, state.next_fill, symbol, sign)
    booked = (value, closed, closed_value, released, realized, fees, hold, held)
    why = (role, rule, evidence, step.profile.fill.label)
    early = None
    if state.unpaid and sign < 0:
        early = sold_early(state.unsettled, key, state.quantity(key) - quantity)
    step.emit(_filled((*about, quantity, price, base, *booked, *why, order.terms.product)))
    if early is not None:
        violate(step, order.terms, early)
    if takes_up(rule):
        use_up(step.seat, market.bar_used if rule[0] == "B" else market.used, sign, quantity)


def _settle_linked(step: Step, order: Order, quantity: int) -> None:
    """One cancels the other, in the same step and before the fill that causes it."""
    sibling = step.state.sibling(order)
    if sibling is None:
        return
    if _ends_linked(step, order, sibling, quantity):
        cancel(step, sibling, CancelReason.OCO, ())
    else:
        reduce(step, sibling, quantity, CancelReason.OCO, ())


def _ends_linked(step: Step, order: Order, sibling: Order, quantity: int) -> bool:
    """Does a fill of this much end the linked order, or only shrink it?"""
    whole = quantity == order.remaining_units or step.profile.fill.oco_partial == "cancel"
    return whole or quantity >= sibling.remaining_units


def cancel(
    step: Step, order: Order, reason: CancelReason, numbers: tuple[tuple[str, int], ...]
) -> None:
    """Cancel what remains of an open order and release its hold."""
    state = step.state
    held = held_change(order.hold_units, state.sibling(order), 0)
    step.emit(
        OrderCanceled(
            state.account, state.version + 1, step.now_ns, order.number, reason, numbers, held, None
        )
    )


def reduce(
    step: Step, order: Order, quantity: int, reason: CancelReason, numbers: tuple[tuple[str, int], ...]
) -> None:
    """Cancel a part of an open order and release its share of the hold."""
    state = step.state
    hold = hold_after(step, order, quantity)
    held = held_change(order.hold_units, state.sibling(order), hold)
    step.emit(
        OrderReduced(
            state.account,
            state.version + 1,
            step.now_ns,
            order.number,
            quantity,
            reason,
            numbers,
            hold,
            held,
        )
    )
