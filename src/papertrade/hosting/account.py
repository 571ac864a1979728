"""One account's flows: everything a broker can be asked, written once for both hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from papertrade.domain.events import (
    Event,
    OrderAccepted,
    OrderModified,
    OrderModifyRejected,
    OrderRejected,
)
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.position_keys import position_key, titled
from papertrade.domain.positions import Position
from papertrade.domain.words import TimeInForce
from papertrade.engine import change
from papertrade.engine.clockwork import begin_day
from papertrade.engine.express import place_plain
from papertrade.engine.place import place, place_pair
from papertrade.engine.step import Step
from papertrade.errors import InvalidValueError, InvariantError, KeyConflictError, UnsupportedError
from papertrade.hosting.account_reading import stops_if_corrupt
from papertrade.hosting.account_start import AccountStart
from papertrade.hosting.flow import Flow
from papertrade.hosting.requests import (
    UNLINKED,
    check_link,
    check_oco,
    check_same,
    check_same_change,
    check_same_close,
    parse_order_id,
)
from papertrade.hosting.stops import FAILURES
from papertrade.matching.auctions import next_bell
from papertrade.ports.store import Appended

if TYPE_CHECKING:
    from papertrade.hosting.previewing import Preview

_DAY: Final = TimeInForce.DAY
_OPG: Final = TimeInForce.OPG
_CLS: Final = TimeInForce.CLS


class AccountDesk(AccountStart):
    """The flows of one account on a desk."""

    __slots__ = ()

    # --------------------------------------------------------------- orders

    def place(self, terms: OrderTerms) -> Flow[Order]:
        """Place one order; a key that was used before brings its first answer."""
        terms = self._of_product(terms)
        if terms.symbol not in self._tradable:
            self._tradable |= {self.market(terms.symbol).symbol}
        key = terms.client_order_id
        commit_id = None
        if key is not None:
            commit_id = "order:" + key
            found = yield from self._first_order(key, commit_id, terms)
            if found is not None:
                return found
        if terms.oco_with:
            yield from self.desk.make_ready(self.account, self.desk.now())  # its linked order may just have expired
            seat = yield from self.desk.seat(self.account)
            check_oco(terms, seat.state.orders, self.account)
        # What follows is Desk.command with one frame and one closure less: orders are what there is most of.
        desk, account = self.desk, self.account
        now = desk.now()
        if not now or terms.tif is _OPG or terms.tif is _CLS:
            self.check_time(terms, now)
        deadlines = desk.engine.deadlines
        if (deadlines and deadlines[0][0] <= now) or desk.stale or desk.stopped or desk.waiting:
            yield from desk.make_ready(account, now)
        ok = False
        try:
            step = desk.engine.begin(account, now)
            order = place_plain(step, terms)
            number = place(step, terms) if order is None else order.number
            desk.engine.end(step)
            answer = yield desk.store.append, (desk.batch_of(step, commit_id),)
            ended = desk.settle(step, answer)
            ok = True
        except FAILURES as fault:
            raise (yield from desk.failed(account, fault)) from None
        finally:
            if not ok:
                desk.spoil(account)
        return self._answer(step, ended, number) if order is None else order

    def _of_product(self, terms: OrderTerms) -> OrderTerms:
        """The terms with the product that is meant, in an account that has products."""
        profile = self.profile()
        if profile is None or not (profile.products or terms.product):
            return terms
        return terms._replace(product=self.product(terms.product))

    def check_time(self, terms: OrderTerms, now: int) -> None:
        """A day order needs a day: before the first datum of a replay there is none. One for an auction needs that."""
        tif = terms.tif
        if not now and (tif is _DAY or tif.auction is not None):
            accepted = "gtc, or place it after the first datum"
            raise InvalidValueError("time_in_force", f"{tif}, before any datum", accepted)
        self.check_hours(terms.symbol, now)
        if tif.auction is not None and next_bell(self.market(terms.symbol), terms, now) is None:
            others = tuple(word for word in TimeInForce if word.auction is None)
            raise UnsupportedError(f"{tif} for {terms.symbol}, whose market has no such auction", others)

    def check_hours(self, symbol: str, now: int) -> None:
        """An order on a market with hours needs a time."""
        if not now and self.market(symbol).hours is not None:
            accepted = "an order after the first datum, or advance(to): until then nobody knows whether it is open"
            raise InvalidValueError("symbol", f"{symbol}, which has hours, before any datum", accepted)

    def _answer(self, step: Step, ended: Iterable[Order], number: int) -> Order:
        for order in ended:
            if order.number == number:
                return order
        open_order = step.state.orders.get(number)
        if open_order is not None:
            return open_order.copy()
        raise InvariantError("O8 every order has a record", self.account, number, sorted(step.state.orders))

    @stops_if_corrupt
    def _first_order(self, key: str, commit_id: str, terms: OrderTerms) -> Flow[Order | None]:
        found: Appended | None = yield self.desk.store.find, (self.account, commit_id)
        if found is None:
            return None
        events = yield self.desk.store.load, (self.account, found.first, found.last)
        for event in events:
            if isinstance(event, (OrderAccepted, OrderRejected)) and event.terms.client_order_id == key:
                check_same(key, event.terms, terms)
                return (yield from self.order(f"{self.account}-{event.number}"))
        raise InvariantError("K1 a key leads to its order", self.account, commit_id, "an order")

    def place_pair(self, first: OrderTerms, second: OrderTerms) -> Flow[tuple[Order, Order]]:
        """Place two linked orders in one step: both are accepted, or neither is."""
        self.market(first.symbol)
        first, second = self._of_product(first), self._of_product(second)
        if first.key != second.key:
            here, there = (titled(terms.symbol, terms.product) for terms in (first, second))
            raise InvalidValueError("oco", f"{here} and {there}", "two orders of one symbol and product")
        for terms in (first, second):
            self.check_time(terms, self.desk.now())
            if terms.oco_with or terms.tif in UNLINKED:
                found = "oco_with" if terms.oco_with else terms.tif
                raise InvalidValueError("oco", found, "two orders that may rest, linked to nothing else")
        keyed = first.client_order_id or second.client_order_id
        if first.client_order_id and second.client_order_id:
            raise InvalidValueError("client_order_id", "one on each order", "one for the pair: it is one command")
        commit_id = None if keyed is None else "order:" + keyed
        if commit_id is not None:
            done = yield from self._first_pair(commit_id, first, second)
            if done is not None:
                return done
        numbers: list[int] = []

        def decide(step: Step) -> None:
            numbers.extend(place_pair(step, first, second))

        # What was due comes first, so that the rehearsal stands where the command will.
        yield from self.desk.catch_up(self.desk.now())
        rehearsed = yield from self._rehearse(decide)
        refused = [e for e in rehearsed if isinstance(e, OrderRejected)]
        if refused:
            return (yield from self._refuse_pair(first, second, refused[0], commit_id))
        numbers.clear()
        step, ended = yield from self.desk.command(self.account, decide, commit_id)
        return self._answer(step, ended, numbers[0]), self._answer(step, ended, numbers[1])

    @stops_if_corrupt
    def _first_pair(
        self, commit_id: str, first: OrderTerms, second: OrderTerms
    ) -> Flow[tuple[Order, Order] | None]:
        found: Appended | None = yield self.desk.store.find, (self.account, commit_id)
        if found is None:
            return None
        events = yield self.desk.store.load, (self.account, found.first, found.last)
        begun = [e for e in events if isinstance(e, (OrderAccepted, OrderRejected))]
        key = commit_id.removeprefix("order:")
        if len(begun) != 2:
            raise KeyConflictError(key, "orders", len(begun), 2)
        check_same(key, begun[0].terms, first)
        check_same(key, begun[1].terms._replace(oco_with=0), second)
        one = yield from self.order(f"{self.account}-{begun[0].number}")
        two = yield from self.order(f"{self.account}-{begun[1].number}")
        return one, two

    def _refuse_pair(
        self, first: OrderTerms, second: OrderTerms, cause: OrderRejected, commit_id: str | None
    ) -> Flow[tuple[Order, Order]]:
        """Both orders are refused for the reason that one of them was."""
        numbers: list[int] = []

        def decide(step: Step) -> None:
            for terms in (first, second):
                number = step.state.next_order
                numbers.append(number)
                step.emit(
                    OrderRejected(
                        self.account,
                        step.state.version + 1,
                        step.now_ns,
                        number,
                        terms,
                        terms.quantity_units,
                        cause.reason,
                        cause.numbers,
                    )
                )

        _, ended = yield from self.desk.command(self.account, decide, commit_id)
        refused = {order.number: order for order in ended}
        return refused[numbers[0]], refused[numbers[1]]

    def modify(
        self,
        order_id: object,
        quantity: int | None,
        limit: int | None,
        stop: int | None,
        expires: int | None,
        command_id: str | None,
    ) -> Flow[Order]:
        """Change an open order; a refused change leaves it as it stood and says so in its reason."""
        number = parse_order_id(order_id, self.account)
        order = yield from self._known(number, order_id)
        _check_change(order, limit, stop, expires)
        commit_id = None if command_id is None else "modify:" + command_id
        asked = (quantity, limit, stop, expires)
        if commit_id is None or not (yield from self._modified_before(commit_id, number, asked)):
            def decide(step: Step) -> None:
                change.modify_order(step, number, quantity, limit, stop, expires, command_id)

            yield from self.desk.command(self.account, decide, commit_id)
        return (yield from self.order(order_id))

    @stops_if_corrupt
    def _modified_before(self, commit_id: str, number: int, asked: tuple[int | None, ...]) -> Flow[bool]:
        """Was this change stored before? With another content it is a conflict."""
        found: Appended | None = yield self.desk.store.find, (self.account, commit_id)
        if found is None:
            return False
        events = yield self.desk.store.load, (self.account, found.first, found.last)
        key = commit_id.removeprefix("modify:")
        for event in events:
            if isinstance(event, (OrderModified, OrderModifyRejected)) and event.command_id == key:
                check_same_change(key, event, number, asked)
        return True

    def cancel(self, order_id: object) -> Flow[Order]:
        """Cancel an open order; one that has ended is answered as it is."""
        number = parse_order_id(order_id, self.account)
        order = yield from self._known(number, order_id)
        if order.is_final:
            return order

        def decide(step: Step) -> None:
            change.cancel_order(step, number)

        _, ended = yield from self.desk.command(self.account, decide)
        found = [o for o in ended if o.number == number]
        return found[0] if found else (yield from self.order(order_id))

    def cancel_all(self, symbol: str | None) -> Flow[list[Order]]:
        """Cancel every open order."""
        if symbol is not None:
            self.market(symbol)

        def decide(step: Step) -> None:
            change.cancel_all(step, symbol)

        _, ended = yield from self.desk.command(self.account, decide)
        return sorted(ended, key=lambda o: o.number)

    def link(self, one: object, two: object) -> Flow[tuple[Order, Order]]:
        """Link two open orders."""
        numbers = parse_order_id(one, self.account), parse_order_id(two, self.account)
        yield from self.desk.make_ready(self.account, self.desk.now())  # one of them may just have expired
        seat = yield from self.desk.seat(self.account)
        orders = seat.state.orders
        check_link(numbers, orders, self.account)

        def decide(step: Step) -> None:
            change.link_orders(step, *numbers)

        yield from self.desk.command(self.account, decide)
        first = yield from self.order(one)
        second = yield from self.order(two)
        return first, second

    def close_position(
        self, symbol: str, named: object, quantity: int | None, key: str | None
    ) -> Flow[Order]:
        """Close a position, or a part of it, at the market."""
        self.market(symbol)
        product = self.product(named)
        if key is not None:
            found: Appended | None = yield self.desk.store.find, (self.account, "order:" + key)
            if found is not None:
                events = yield self.desk.store.load, (self.account, found.first, found.last)
                for event in events:
                    if isinstance(event, (OrderAccepted, OrderRejected)) and event.terms.client_order_id == key:
                        check_same_close(key, event.terms, symbol, product, quantity)
                        return (yield from self.order(f"{self.account}-{event.number}"))
        return (yield from self._close(symbol, product, quantity, key))

    def _close(self, symbol: str, product: str, quantity: int | None, key: str | None) -> Flow[Order]:
        commit_id = None if key is None else "order:" + key
        seat = yield from self.desk.able(self.account)
        if not seat.state.quantity(position_key(symbol, product)):
            raise InvalidValueError("symbol", titled(symbol, product), "a symbol with an open position")
        self.check_hours(symbol, self.desk.now())
        numbers: list[int] = []

        def decide(step: Step) -> None:
            numbers.append(change.close_position(step, symbol, product, quantity, key))

        step, ended = yield from self.desk.command(self.account, decide, commit_id)
        return self._answer(step, ended, numbers[-1])

    def close_all(self) -> Flow[list[Order]]:
        """Cancel every open order and close every position at the market."""
        seat = yield from self.desk.seat(self.account)
        for position in seat.state.holdings.values():  # what cannot be asked for cancels nothing either
            self.check_hours(position.symbol, self.desk.now())
        yield from self.cancel_all(None)
        seat = yield from self.desk.seat(self.account)
        held = [(position.symbol, position.product) for _, position in sorted(seat.state.holdings.items())]
        found: list[Order] = []
        for symbol, product in held:  # perhaps of a product that only another process has
            found.append((yield from self._close(symbol, product, None, None)))
        return found

    def convert(
        self, symbol: str, quantity: int, products: tuple[object, object], command_id: str | None, note: str
    ) -> Flow[Position]:
        """Let a part of a position go over to another product."""
        from papertrade.hosting.converting import convert  # only who converts pays for it

        return convert(self, symbol, quantity, products, command_id, note)

    def preview(self, terms: OrderTerms) -> Flow[Preview]:
        """What an order would do now."""
        self.market(terms.symbol)
        terms = self._of_product(terms)
        self.check_time(terms, self.desk.now())
        events = yield from self._rehearse(lambda step: _place(step, terms))
        from papertrade.hosting.previewing import preview_of  # only who asks pays for it

        return preview_of(events, terms.symbol, "buy" if terms.sign > 0 else "sell")

    def _rehearse(self, decide: Callable[[Step], None]) -> Flow[list[Event]]:
        yield from self.desk.able(self.account)
        step = self.desk.engine.rehearsal(self.account, self.desk.now())
        try:
            begin_day(step)
            decide(step)
        finally:  # what it took from displayed sizes is put back
            for used, side, quantity in step.seat.taken:
                used[side] -= quantity
        return step.events


def _place(step: Step, terms: OrderTerms) -> None:
    place(step, terms)


def _check_change(order: Order, limit: int | None, stop: int | None, expires: int | None) -> None:
    """A change must fit the order's type; what it has no place for is misuse."""
    if limit is not None and order.terms.limit_units is None:
        raise InvalidValueError("limit_price", f"for a {order.type} order", "only for limit and stop-limit orders")
    if stop is not None and order.terms.stop_units is None:
        raise InvalidValueError("stop_price", f"for a {order.type} order", "only for stop and stop-limit orders")
    if expires is not None and order.terms.tif != "gtd":
        raise InvalidValueError("expires_at", f"for a {order.time_in_force} order", "only for gtd orders")

