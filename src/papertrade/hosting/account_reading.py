"""One account's reading flows: orders, fills, positions, money and events, from committed state and the store."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from papertrade.domain.events import Event, OrderFilled
from papertrade.domain.fills import Fill
from papertrade.domain.names import parse_name
from papertrade.domain.orders import Order
from papertrade.domain.position_keys import position_key
from papertrade.domain.positions import Account, Position
from papertrade.domain.words import OrderStatus
from papertrade.engine.profile import AccountProfile
from papertrade.errors import (
    CurrencyMismatchError,
    InvalidValueError,
    StoreConflictError,
    StoreCorruptError,
    UnknownOrderError,
)
from papertrade.hosting.desk import Desk
from papertrade.hosting.flow import Flow
from papertrade.hosting.reading import account_view, open_orders, position_view, positions_view
from papertrade.hosting.requests import parse_order_id
from papertrade.ledger.entries import Entry, entry_of
from papertrade.ledger.positions import PositionState
from papertrade.matching.market import Market

if TYPE_CHECKING:
    from papertrade.hosting.explaining import Explanation
    from papertrade.risk.products import Product

F = TypeVar("F", bound="Callable[..., Flow[Any]]")


def stops_if_corrupt(flow_of: F) -> F:
    """Whoever finds the journal damaged stops its account: it is not written on."""

    @wraps(flow_of)
    def watched(self: AccountReader, *args: Any, **kwargs: Any) -> Flow[Any]:
        try:
            return (yield from flow_of(self, *args, **kwargs))
        except StoreCorruptError as fault:
            self.desk.stop(self.account, fault)
            raise

    return cast("F", watched)


class AccountReader:
    """What can be read of one account on a desk."""

    __slots__ = ("_tradable", "account", "currency", "desk")

    def __init__(self, desk: Desk, account: str, currency: str) -> None:
        self.desk = desk
        self.account = account
        self.currency = currency
        self._tradable: frozenset[str] = frozenset()  # symbols that were looked up once

    def market(self, symbol: object) -> Market:
        """The market of a symbol this account can trade."""
        market = self.desk.engine.markets.get(symbol) if type(symbol) is str else None
        if market is None:
            market = self.desk.market(symbol)
        code = market.instrument.currency.code
        if code != self.currency:
            raise CurrencyMismatchError(market.symbol, code, self.currency)
        return market

    def profile(self) -> AccountProfile | None:
        """The rules of the account; None when it is not open here."""
        seat = self.desk.engine.seats.get(self.account)
        return self.desk.stale.get(self.account) if seat is None else seat.profile

    def product(self, named: object = None) -> str:
        """The product that is meant: as it is named, or the default; nothing where there are none."""
        profile = self.profile()
        return named_product(named, () if profile is None else profile.products)

    @stops_if_corrupt
    def _known(self, number: int, order_id: object) -> Flow[Order]:
        seat = yield from self.desk.seat(self.account)
        working = seat.state.orders.get(number)
        if working is not None:
            return working.copy()  # the engine's own object stays in the engine
        order = yield from self.desk.history(self.account).order(number)
        if order is None:
            raise UnknownOrderError(order_id, self.account)
        return order

    def order(self, order_id: object) -> Flow[Order]:
        """An order as it is now, open or closed."""
        return (yield from self._known(parse_order_id(order_id, self.account), order_id))

    @stops_if_corrupt
    def orders(self, status: str | None, symbol: str | None) -> Flow[list[Order]]:
        """Orders of a status group, oldest first."""
        if symbol is not None:
            parse_name(symbol, "symbol")
        seat = yield from self.desk.seat(self.account)
        if status == "open":
            return open_orders(seat.state, symbol)
        working = seat.state.orders
        found = yield from self.desk.history(self.account).orders(
            lambda order: _matches(working.get(order.number, order), status, symbol)
        )
        return [working[order.number].copy() if order.number in working else order for order in found]

    @stops_if_corrupt
    def order_history(self, order_id: object) -> Flow[list[Event]]:
        """Everything that happened to an order."""
        number = parse_order_id(order_id, self.account)
        yield from self._known(number, order_id)
        return (yield from self.desk.history(self.account).events_of(number))

    @stops_if_corrupt
    def fills(self, order_id: object | None, symbol: str | None) -> Flow[list[Fill]]:
        """Fills, oldest first."""
        if symbol is not None:
            parse_name(symbol, "symbol")
        yield from self.desk.seat(self.account)
        if order_id is not None:
            events = yield from self.order_history(order_id)
            found = [e for e in events if isinstance(e, OrderFilled)]
        else:
            found = yield from self.desk.history(self.account).all_fills()
        return [Fill(e) for e in found if symbol is None or e.symbol == symbol]

    def positions(self) -> Flow[list[Position]]:
        """Every position that is not flat."""
        seat = yield from self.desk.seat(self.account)
        return positions_view(seat, self.desk.engine.markets, self.desk.now())

    def position(self, symbol: str, named: object = None) -> Flow[Position]:
        """The position in one symbol and product, flat or not."""
        market = self.market(symbol)
        seat = yield from self.desk.seat(self.account)
        product = named_product(named, seat.profile.products)
        key = position_key(market.symbol, product)
        position = seat.state.positions.get(key) or PositionState(market.symbol, product)
        return position_view(seat, position, market, self.desk.now())

    def account_view(self) -> Flow[Account]:
        """The money of the account."""
        seat = yield from self.desk.seat(self.account)
        return account_view(seat, self.desk.engine.markets, self.desk.now())

    @stops_if_corrupt
    def explain(self, order_id: object) -> Flow[Explanation]:
        """Why an order filled, waits or ended."""
        order = yield from self.order(order_id)
        events = yield from self.desk.history(self.account).events_of(order.number, ended=True)
        fills = [e for e in events if isinstance(e, OrderFilled)]
        seat = yield from self.desk.seat(self.account)
        now = max(self.desk.now(), seat.state.at_ns)  # a clock that follows data knows no time until some arrives
        from papertrade.hosting.explaining import explain  # only who asks pays for it

        return explain(order, fills, seat, self.desk.market(order.symbol), now)

    @stops_if_corrupt
    def events(self, after: int, kinds: frozenset[str] | None) -> Flow[list[Event]]:
        """Stored events after a version."""
        yield from self.desk.seat(self.account)
        events = yield self.desk.store.load, (self.account, after + 1, None)
        return [e for e in events if kinds is None or e.kind in kinds]

    @stops_if_corrupt
    def entries(self) -> Flow[list[Entry]]:
        """Every balanced entry of the account's books."""
        yield from self.desk.seat(self.account)
        events = yield self.desk.store.load, (self.account, 1, None)
        found = (entry_of(event, self.currency) for event in events)
        return [entry for entry in found if entry is not None]

    def digest(self) -> Flow[str]:
        """A fingerprint of every field of the account's state."""
        return self.desk.digest(self.account)

    def may_short(self) -> bool:
        """May it sell what it does not hold?"""
        profile = self.profile()
        if profile is None:
            raise self.desk.unknown_account(self.account)
        return any(map(profile.may_short, [product.name for product in profile.products] or [""]))

    def snapshot(self) -> Flow[int]:
        """Keep a snapshot in the store: it only speeds opening up."""
        desk, account = self.desk, self.account
        seat = yield from desk.able(account)
        version = seat.state.version
        head: int = yield desk.store.head, (account,)
        if head != version:  # somebody else wrote: what memory holds is older than what may be kept already
            desk.spoil(account)
            raise StoreConflictError(account, version, head)
        return (yield from desk.keep_snapshot(account))

    def assumptions(self) -> Flow[list[str]]:
        """Everything that is assumed about this account's fills, fees and margin."""
        seat = yield from self.desk.seat(self.account)
        return seat.profile.assumptions()


def named_product(named: object, products: tuple[Product, ...]) -> str:
    """The product of this name, or the first of all where none is named."""
    names = [product.name for product in products]
    if named is None or named == "":
        return names[0] if names else ""
    if type(named) is str and named in names:
        return named
    accepted = ", ".join(names) or "no product: the account was opened without products=[...]"
    raise InvalidValueError("product", named, accepted)


def _matches(order: Order, status: str | None, symbol: str | None) -> bool:
    if symbol is not None and order.symbol != symbol:
        return False
    if status is None:
        return True
    return order.is_final if status == "closed" else order.status == OrderStatus(status)
