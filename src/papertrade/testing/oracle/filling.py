"""From an offer to a fill: how much, at which price, can it be paid, and what it does to a linked order."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.events import Numbers, OrderCanceled, OrderFilled, OrderReduced
from papertrade.domain.words import CancelReason, LiquidityRole
from papertrade.testing.oracle import arithmetic as money
from papertrade.testing.oracle import settling
from papertrade.testing.oracle.account import SlowAccount
from papertrade.testing.oracle.hours import only_reduces
from papertrade.testing.oracle.lots import close_lots, closing_part
from papertrade.testing.oracle.market import SlowMarket
from papertrade.testing.oracle.offers import Offer
from papertrade.testing.oracle.orders import SlowOrder


class Piece(NamedTuple):
    """A part of an order that is about to fill."""

    quantity: int
    price: int
    offer: Offer


def pieces(
    account: SlowAccount, market: SlowMarket, sign: int, offers: list[Offer], wanted: int, budget: int | None = None
) -> list[Piece]:
    """Offers cut to what is wanted, to what is there (``budget``: of a bar or print), and to whole lots."""
    settings, instrument = account.fill, market.instrument
    found = []
    for offer in offers:
        if sign < 0 and offer.price < instrument.tick_units:
            continue
        there = [wanted]
        if offer.size is None and budget is None and settings.missing_size == "refuse":
            break
        if settings.displayed_size == "respect":
            there += [size for size in (offer.size, budget) if size is not None]
        quantity = money.whole_lots(instrument, min(there))
        if quantity <= 0:
            continue
        price = offer.price
        if offer.slips:
            bid, ask = offer.quote or (market.bid, market.ask)
            price += sign * money.slippage(settings.slippage, instrument, price, bid, ask)
        if price != offer.price or price % instrument.tick_units:
            price = money.settled_price(instrument, offer.price, price, sign)
        found.append(Piece(quantity, price, offer))
        wanted -= quantity
        budget = None if budget is None else budget - quantity
        if wanted <= 0:
            break
    return found


def allowed_now(account: SlowAccount, order: SlowOrder) -> tuple[int, CancelReason | None]:
    """How much of an order the position lets it fill, and why not the rest."""
    closable = account.closable(order.key, order.sign)
    if closable >= order.remaining:
        return order.remaining, None
    if order.terms.reduce_only:
        return closable, CancelReason.NOTHING_TO_REDUCE
    if account.restricted():
        return closable, CancelReason.LIMIT_LATCHED if account.bases().latches else CancelReason.MARGIN_CALL
    if only_reduces(account, order.symbol, order.terms.product):
        return closable, CancelReason.SQUARE_OFF
    if order.sign < 0 and not account.may_short(order.terms.product):
        return closable, CancelReason.INSUFFICIENT_POSITION
    return order.remaining, None


def execute(
    account: SlowAccount, market: SlowMarket, order: SlowOrder, offers: list[Offer], budget: int | None = None
) -> int:
    """Fill an open order from offers, as far as position and funds allow. Answers how much."""
    if not offers:
        return 0
    allowed, why_not = allowed_now(account, order)
    done = 0
    for piece in pieces(account, market, order.sign, offers, allowed, budget):
        piece, numbers = cut_to_funds(account, market, order, piece)
        if piece.quantity:
            # What a cut fill leaves is canceled, so its hold goes with the fill.
            book(account, market, order, piece, order.remaining if numbers else piece.quantity)
            done += piece.quantity
        if not order.is_open:
            return done
        if numbers:
            cancel(account, order, CancelReason.INSUFFICIENT_FUNDS, numbers)
            return done
    if why_not is not None and done == allowed:
        cancel(account, order, why_not, (("remaining", order.remaining), ("allowed", 0)))
    return done


# ------------------------------------------------------------------ funds


def cut_to_funds(
    account: SlowAccount, market: SlowMarket, order: SlowOrder, piece: Piece
) -> tuple[Piece, Numbers]:
    """A piece cut to what can be paid, with the numbers compared; what only closes is never cut."""
    closing = closing_part(account.holding(order.key).lots, order.sign, piece.quantity)
    if closing == piece.quantity:
        return piece, ()
    need, there = _need_and_there(account, market, order, piece, piece.quantity, closing, piece.quantity)
    if need <= there:
        return piece, ()
    _, at_most = _need_and_there(account, market, order, piece, piece.quantity, closing, order.remaining)
    if at_most < need:
        there = at_most
    quantity = piece.quantity
    while quantity > closing:
        fits = _need_and_there(account, market, order, piece, quantity, closing, order.remaining)
        if fits[0] <= fits[1]:
            break
        quantity -= market.instrument.lot_units
    return piece._replace(quantity=max(quantity, closing)), (("required", need), ("available", there))


def _need_and_there(
    account: SlowAccount,
    market: SlowMarket,
    order: SlowOrder,
    piece: Piece,
    quantity: int,
    closing: int,
    captures: int,
) -> tuple[int, int]:
    """What filling this much needs, and what is there once the hold of ``captures`` and the closed part are free."""
    instrument, price = market.instrument, piece.price
    need = sum(fee for _, fee in fees_of_fill(account, market, order, piece, quantity))
    if quantity > closing:
        need += money.initial_margin(account.margin, instrument, quantity - closing, price)
    there = account.available() + account.held() - account.held(_needs_after(account, order, quantity, captures))
    if closing and account.margin.marked_to_market:
        there += money.initial_margin(account.margin, instrument, closing, price)
    return need, there


def _needs_after(account: SlowAccount, order: SlowOrder, quantity: int, captures: int) -> dict[int, int]:
    """What the order and its linked order need held after a fill of this much."""
    after = {order.number: _hold_after(account, order, captures)}
    other = account.sibling(order)
    if other is not None:
        gone = other.remaining if _ends_linked(account, order, other, quantity) else quantity
        after[other.number] = _hold_after(account, other, gone)
    return after


def _hold_after(account: SlowAccount, order: SlowOrder, gone: int) -> int:
    step = money.minor(account.markets[order.symbol].instrument)
    return order.hold - money.share(order.hold, gone, order.remaining, step)


def fees_of_fill(
    account: SlowAccount, market: SlowMarket, order: SlowOrder, piece: Piece, quantity: int, worth: int | None = None
) -> tuple[tuple[str, int], ...]:
    """What the order owes with this fill, less what it owed without it."""
    step = money.minor(market.instrument)
    if worth is None:
        worth = money.value(market.instrument, piece.price, quantity)
    made = worth if piece.offer.role is LiquidityRole.MAKER else 0
    model = account.setup.fees
    before = money.fees_owed(model, order.filled, order.value, order.made, step)
    after = money.fees_owed(model, order.filled + quantity, order.value + worth, order.made + made, step)
    return tuple((kind, now - was) for (kind, now), (_, was) in zip(after, before, strict=True) if now != was)


# ---------------------------------------------------------------- booking


def book(account: SlowAccount, market: SlowMarket, order: SlowOrder, piece: Piece, captures: int) -> None:
    """Make a fill a fact; the linked order gives way first. The hold of ``captures`` goes with it."""
    settling.before_fill(account, market, order.terms)
    _give_way(account, order, piece.quantity)
    instrument, quantity, price, offer = market.instrument, piece.quantity, piece.price, piece.offer
    early = settling.early_part(account, order.key, order.sign, quantity)
    before = account.holding(order.key)
    closed = closing_part(before.lots, order.sign, quantity)
    # A fill that crosses zero is a close followed by an open, each priced on its own.
    got = money.value(instrument, price, closed) if closed else 0
    worth = got + (money.value(instrument, price, quantity - closed) if quantity > closed else 0)
    _, released = close_lots(before.lots, closed, money.minor(instrument))
    hold = _hold_after(account, order, captures)
    account.emit(
        OrderFilled(
            account.name,
            account.next_version,
            account.now,
            order.number,
            account.next_fill,
            order.symbol,
            order.sign,
            quantity,
            price,
            offer.price,
            worth,
            closed,
            got,
            released,
            -order.sign * got - released if closed else 0,
            fees_of_fill(account, market, order, piece, quantity, worth),
            hold,
            account.held({order.number: hold}) - account.held(),
            offer.role,
            offer.rule,
            market.evidence(offer.rule, order.sign),
            account.fill.label,
            order.terms.product,
        )
    )
    settling.after_fill(account, order.terms, early)
    if offer.rule[1] == "8":
        return
    if offer.rule[0] in "QLD":
        market.taken[order.sign] += quantity
    elif offer.rule[0] == "B":
        market.taken_of_bar += quantity


def _ends_linked(account: SlowAccount, order: SlowOrder, other: SlowOrder, quantity: int) -> bool:
    """Does a fill of this much end the linked order, or only shrink it?"""
    whole = quantity == order.remaining or account.fill.oco_partial == "cancel"
    return whole or quantity >= other.remaining


def _give_way(account: SlowAccount, order: SlowOrder, quantity: int) -> None:
    other = account.sibling(order)
    if other is None:
        return
    if _ends_linked(account, order, other, quantity):
        cancel(account, other, CancelReason.OCO)
    else:
        reduce(account, other, quantity, CancelReason.OCO)


def cancel(
    account: SlowAccount, order: SlowOrder, reason: CancelReason, numbers: Numbers = (), command_id: str | None = None
) -> None:
    """End an order with what it has filled."""
    freed = account.held({order.number: 0}) - account.held()
    account.emit(
        OrderCanceled(
            account.name, account.next_version, account.now, order.number, reason, numbers, freed, command_id
        )
    )


def reduce(account: SlowAccount, order: SlowOrder, quantity: int, reason: CancelReason) -> None:
    """Take a part of what an order may still fill."""
    hold = _hold_after(account, order, quantity)
    change = account.held({order.number: hold}) - account.held()
    account.emit(
        OrderReduced(
            account.name, account.next_version, account.now, order.number, quantity, reason, (), hold, change
        )
    )
