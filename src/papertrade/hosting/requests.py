"""From what a caller typed to exact terms: the edge where orders are parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from papertrade.domain.events import OrderModified, OrderModifyRejected
from papertrade.domain.fields import readable
from papertrade.domain.instants import parse_instant
from papertrade.domain.names import parse_key, parse_name, parse_tags
from papertrade.domain.numbers import parse_positive, to_decimal
from papertrade.domain.orders import Order, OrderRequest, OrderTerms
from papertrade.domain.position_keys import titled
from papertrade.domain.straight import straight
from papertrade.domain.words import (
    SIDE_SPELLINGS,
    TIF_SPELLINGS,
    TYPE_SPELLINGS,
    OrderType,
    Side,
    TimeInForce,
    parse_flag,
    parse_word,
)
from papertrade.errors import InvalidValueError, KeyConflictError, UnknownOrderError, UsageError
from papertrade.ports.broker import OrderFields, OrderOptions

_GTC: Final = TimeInForce.GTC
_GTD: Final = TimeInForce.GTD
_TTL: Final = TimeInForce.TTL
_OPG: Final = TimeInForce.OPG
_CLS: Final = TimeInForce.CLS
_MARKET: Final = OrderType.MARKET
_LIMIT: Final = OrderType.LIMIT
_STOP: Final = OrderType.STOP
_STOP_LIMIT: Final = OrderType.STOP_LIMIT
_terms = straight(OrderTerms)
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
SeenTerms: TypeAlias = "dict[tuple[str, Side, object], OrderTerms]"
MAX_SEEN: Final = 4096
# notional to product of a plain market order
_PLAIN: Final = (None, None, None, _GTC, None, False, False, 0, None, (), 0, False, False, "")
UNLINKED: Final = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS)
"""Orders that end at once or in one auction are linked to nothing."""
MOST_MINUTES: Final = 30 * 24 * 60


def terms_of(request: OrderRequest, account: str) -> OrderTerms:
    """The exact terms of a request; whatever is wrong with it is a ``UsageError`` and leaves no trace."""
    if not isinstance(request, OrderRequest):
        raise InvalidValueError("request", request, "an OrderRequest, or its fields by name")
    return make_terms(
        account,
        request.symbol,
        request.side,
        request.quantity,
        request.notional,
        request.type,
        request.limit_price,
        request.stop_price,
        request.time_in_force,
        request.expires_at,
        request.post_only,
        request.reduce_only,
        request.oco_with,
        request.client_order_id,
        request.tags,
        request.ttl_minutes,
        request.extended_hours,
        request.after_market,
        request.product,
    )


def field_terms(account: str, fields: OrderFields) -> OrderTerms:
    """The same from fields by name."""
    try:
        return make_terms(account, **fields)
    except TypeError:
        raise unknown_fields(fields) from None


def unknown_fields(fields: Mapping[str, object]) -> InvalidValueError:
    """The error for words that say nothing about an order."""
    known = OrderFields.__optional_keys__
    return InvalidValueError("option", sorted(set(fields) - known), ", ".join(sorted(known)))


def make_terms(
    account: str,
    symbol: object = None,
    side: object = None,
    quantity: object = None,
    notional: object = None,
    type: object = None,  # noqa: A002 - the word every broker uses
    limit_price: object = None,
    stop_price: object = None,
    time_in_force: object = None,
    expires_at: object = None,
    post_only: object = False,
    reduce_only: object = False,
    oco_with: object = None,
    client_order_id: object = None,
    tags: object = None,
    ttl_minutes: object = None,
    extended_hours: object = False,
    after_market: object = False,
    product: object = None,
) -> OrderTerms:
    """The same from bare objects."""
    side = side if side is _BUY or side is _SELL else parse_word(side, SIDE_SPELLINGS, "side")
    units, money = _size(quantity, notional)
    limit, stop = maybe_positive(limit_price, "limit_price"), maybe_positive(stop_price, "stop_price")
    kind = _MARKET if limit is stop is type is None else _type(type, limit, stop)
    tif = _GTC if time_in_force is None else parse_word(time_in_force, TIF_SPELLINGS, "time_in_force")
    expires = _expiry(expires_at, tif) if expires_at is not None or tif is _GTD else None
    minutes = _minutes(ttl_minutes, tif) if ttl_minutes is not None or tif is _TTL else 0
    if not (post_only is reduce_only is extended_hours is after_market is False) or tif is _OPG or tif is _CLS:
        _check_said(post_only, reduce_only, extended_hours, after_market, kind, tif)
    return OrderTerms(
        symbol if symbol.__class__ is str else parse_name(symbol, "symbol"),
        1 if side is _BUY else -1,
        kind,
        units,
        money,
        limit,
        stop,
        tif,
        expires,
        post_only is True,
        reduce_only is True,
        0 if oco_with is None else parse_order_id(oco_with, account),
        None if client_order_id is None else parse_key(client_order_id, "client_order_id"),
        parse_tags(tags),
        minutes,
        extended_hours is True,
        after_market is True,
        "" if product is None else parse_name(product, "product"),
    )


def side_terms(
    account: str, symbol: str, side: Side, quantity: object, options: OrderOptions, seen: SeenTerms
) -> OrderTerms:
    """The terms of ``buy`` and ``sell``; without options it is a plain market order, the commonest of all.

    A strategy repeats its sizes, so plain terms are kept in a bounded table: they are immutable and say nothing of who
    asked.
    """
    if not options and quantity.__class__ is int and type(symbol) is str:
        known = seen.get((symbol, side, quantity))
        if known is not None:
            return known
    if not options and quantity is not None and type(symbol) is str:
        units = parse_positive(quantity, "quantity")
        terms = _terms((symbol, 1 if side is _BUY else -1, _MARKET, units, *_PLAIN))
        if quantity.__class__ is int:
            if len(seen) >= MAX_SEEN:
                seen.clear()
            seen[symbol, side, quantity] = terms
        return terms
    return field_terms(account, {"symbol": symbol, "side": side, "quantity": quantity, **options})  # type: ignore[typeddict-item]


def maybe_positive(value: object, field: str) -> int | None:
    """An amount above zero, or None."""
    return None if value is None else parse_positive(value, field)


def _size(quantity: object, notional: object) -> tuple[int, int | None]:
    if notional is None:
        if quantity is None:
            raise InvalidValueError("quantity", None, "a quantity, or a notional (an amount of money)")
        return parse_positive(quantity, "quantity"), None
    if quantity is not None:
        raise InvalidValueError("notional", notional, "a quantity or a notional, not both")
    return 0, parse_positive(notional, "notional")


_NEEDS: Final = {
    # type: (needs a limit price, needs a stop price)
    _MARKET: (False, False),
    _LIMIT: (True, False),
    _STOP: (False, True),
    _STOP_LIMIT: (True, True),
}
_INFERRED: Final = {needs: kind for kind, needs in _NEEDS.items()}


def _type(said: object, limit: int | None, stop: int | None) -> OrderType:
    has = (limit is not None, stop is not None)
    inferred = _INFERRED[has]
    if said is None or said is inferred:
        return inferred
    kind = parse_word(said, TYPE_SPELLINGS, "type")
    if kind is not inferred:
        needs = " and ".join(n for n, want in zip(("limit_price", "stop_price"), _NEEDS[kind], strict=True) if want)
        found = " and ".join(n for n, there in zip(("limit_price", "stop_price"), has, strict=True) if there)
        raise InvalidValueError("type", f"{kind} with {found or 'no price'}", f"for {kind}: {needs or 'no price'}")
    return kind


def _expiry(expires_at: object, tif: TimeInForce) -> int:
    if tif is not _GTD:
        raise InvalidValueError("expires_at", expires_at, "only with time_in_force='gtd'")
    if expires_at is None:
        raise InvalidValueError("expires_at", None, "an instant, because time_in_force is 'gtd'")
    return parse_instant(expires_at, "expires_at")


def _minutes(ttl_minutes: object, tif: TimeInForce) -> int:
    if tif is not _TTL:
        raise InvalidValueError("ttl_minutes", ttl_minutes, "only with time_in_force='ttl'")
    if type(ttl_minutes) is int and 1 <= ttl_minutes <= MOST_MINUTES:
        return ttl_minutes
    raise InvalidValueError("ttl_minutes", ttl_minutes, f"whole minutes, 1 to {MOST_MINUTES}, for time_in_force 'ttl'")


def _check_hours(extended_hours: object, after_market: object, kind: OrderType, tif: TimeInForce) -> None:
    at_once = tif in (TimeInForce.IOC, TimeInForce.FOK)
    if parse_flag(extended_hours, "extended_hours") and kind is not _LIMIT:
        raise InvalidValueError("extended_hours", f"with a {kind} order", "only with a limit order")
    if parse_flag(after_market, "after_market") and (at_once or extended_hours):
        found = f"with {tif}" if at_once else "with extended_hours"
        raise InvalidValueError("after_market", found, "an order for regular hours that may wait: day, gtc, gtd or ttl")


def _check_said(
    post_only: object,
    reduce_only: object,
    extended_hours: object,
    after_market: object,
    kind: OrderType,
    tif: TimeInForce,
) -> None:
    if tif is _OPG or tif is _CLS:
        _check_auction(tif, kind, post_only, extended_hours, after_market)
    _check_flags(post_only, reduce_only, kind, tif)
    _check_hours(extended_hours, after_market, kind, tif)


def _check_auction(
    tif: TimeInForce, kind: OrderType, post_only: object, extended_hours: object, after_market: object
) -> None:
    """An order for an auction is a market or a limit order, and says nothing else about when it trades."""
    if kind is not _MARKET and kind is not _LIMIT:
        raise InvalidValueError("time_in_force", f"{tif} with a {kind} order", "a market or a limit order")
    said = {"post_only": post_only, "extended_hours": extended_hours, "after_market": after_market}
    for name, flag in said.items():
        if parse_flag(flag, name):
            raise InvalidValueError(name, f"with {tif}", "an order that trades outside auctions: day, gtc, gtd or ttl")


def _check_flags(post_only: object, reduce_only: object, kind: OrderType, tif: TimeInForce) -> None:
    parse_flag(reduce_only, "reduce_only")
    if parse_flag(post_only, "post_only"):
        if kind is not _LIMIT:
            raise InvalidValueError("post_only", f"with a {kind} order", "only with a limit order")
        if tif in (TimeInForce.IOC, TimeInForce.FOK):
            raise InvalidValueError("post_only", f"with {tif}", "an order that may rest: day, gtc or gtd")


def parse_order_id(order_id: object, account: str) -> int:
    """The number in an order id of this account, ``"main-7"`` → 7; an ``Order`` stands for its id."""
    if isinstance(order_id, Order):
        order_id = order_id.id
    if type(order_id) is str and len(order_id) <= 96:
        name, dash, number = order_id.rpartition("-")
        # Orders are numbered from 1; inside, 0 stands for none.
        if dash and name == account and number.isascii() and number.isdigit() and str(int(number)) == number != "0":
            return int(number)
    raise UnknownOrderError(order_id, account)


def check_same(key: str, first: OrderTerms, now: OrderTerms) -> None:
    """The same key has to come with the same terms; otherwise the first field that differs is named."""
    if first == now:
        return
    for name, one, two in zip(OrderTerms._fields, first, now, strict=True):
        if one != two:
            field, before = readable(name, one)
            raise KeyConflictError(key, field, before, readable(name, two)[1])


def check_same_change(
    key: str, first: OrderModified | OrderModifyRejected, number: int, asked: tuple[int | None, ...]
) -> None:
    """The same key has to come with the same change of the same order."""
    then: tuple[int | None, ...]
    if isinstance(first, OrderModified):
        then = (first.quantity_units, first.limit_units, first.stop_units, first.expires_ns)
        # What was not asked for then is not in the event: only what is asked for now can be compared.
        then = tuple(old if new is not None else None for old, new in zip(then, asked, strict=True))
    else:
        then = (first.new_quantity_units, first.new_limit_units, first.new_stop_units, first.new_expires_ns)
    if first.number != number:
        raise KeyConflictError(key, "order", first.order_id, f"{first.account}-{number}")
    names = ("quantity_units", "limit_price_units", "stop_price_units", "expires_ns")
    for name, old, new in zip(names, then, asked, strict=True):
        if old != new:
            field, before = readable(name, old)
            raise KeyConflictError(key, field, before, readable(name, new)[1])


def check_same_close(key: str, first: OrderTerms, symbol: str, product: str, quantity: int | None) -> None:
    """The same key has to come with the same closing order: this symbol, and a size the first could have had."""
    if first.symbol != symbol:
        raise KeyConflictError(key, "symbol", first.symbol, symbol)
    if first.product != product:
        raise KeyConflictError(key, "product", first.product, product)
    if not first.reduce_only or first.type is not _MARKET:
        raise KeyConflictError(key, "order", f"a {first.type} order", "close_position")
    if quantity is not None and quantity < first.quantity_units:
        raise KeyConflictError(key, "quantity", to_decimal(first.quantity_units), to_decimal(quantity))


def check_oco(terms: OrderTerms, orders: dict[int, Order], account: str) -> None:
    """An order can be linked to an open order of the same symbol that is not linked to another open one."""
    _check_link(terms, _open_order(terms.oco_with, orders, account), orders)
    if terms.tif in UNLINKED:
        raise InvalidValueError("oco_with", f"with {terms.tif}", "an order that may rest: day, gtc, gtd or ttl")


def check_link(numbers: tuple[int, int], orders: dict[int, Order], account: str) -> None:
    """Two different open, unlinked orders of one symbol can be linked."""
    one, two = (_open_order(number, orders, account) for number in numbers)
    if one is two:
        raise UsageError("an order cannot be linked to itself; accepted: two different open orders")
    _check_link(one.terms, two, orders)
    _check_link(two.terms, one, orders)


def _open_order(number: int, orders: dict[int, Order], account: str) -> Order:
    order = orders.get(number)
    if order is None:
        raise UnknownOrderError(f"{account}-{number}", account)
    return order


def _check_link(terms: OrderTerms, other: Order, orders: dict[int, Order]) -> None:
    if other.terms.key != terms.key:
        here, there = titled(terms.symbol, terms.product), titled(other.symbol, other.product)
        raise InvalidValueError("oco_with", f"an order for {there}", f"an order for {here}")
    if other.terms.tif in UNLINKED:
        raise InvalidValueError("oco_with", f"{other.id}, which is {other.terms.tif}", "an order for no auction")
    if other.oco in orders:
        raise InvalidValueError("oco_with", f"{other.id}, linked to {other.linked_order_id}", "an order without a link")
