"""Cases about changing orders, repeating commands, being refused, and closing positions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from papertrade.domain.orders import Order, OrderRequest
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.errors import KeyConflictError, UnknownOrderError, UnsupportedError, UsageError
from papertrade.testing.broker_cases.orders import OrderCases
from papertrade.testing.contract import ContractViolation, expect, refuses

TOO_MUCH = 1_000_000


class ChangeCases(OrderCases):
    """B-23 to B-43: what is done to orders and positions."""

    # ---------------------------------------------------------------- modify

    def test_b23_modify_limit(self) -> None:
        """A modified order is the same order with another price, and fills by that price."""
        self.need_type(OrderType.LIMIT)
        self.need(self.can.modify_orders, "modify_order")
        order = self.resting(10, "99.00")
        answer = self.broker.modify_order(order.id, limit_price="99.50")
        expect(answer.id == order.id, "a modified order keeps its id", answer.id, order.id)
        now = self.until(order, "the new limit price is told", lambda o: o.limit_price == Decimal("99.50"))
        expect(now.quantity == 10 and now.is_open, "what was not changed stands", now)
        self.quote("99.30", "99.34")
        self.ended(order, "filled", "the new price is the one that fills")

    def test_b24_modify_total(self) -> None:
        """The quantity of a modify is the new total, what has filled included."""
        self.need_type(OrderType.LIMIT)
        self.need(self.can.modify_orders, "modify_order")
        order = self.partly_filled()
        self.broker.modify_order(order.id, quantity=15)
        now = self.until(order, "the new total is told", lambda o: o.quantity == 15)
        expect(now.filled_quantity == 4 and now.remaining_quantity == 11, "15 in total, 4 filled, 11 remain", now)
        self.quote("98.90", "98.94")
        self.ended(order, "filled", "the rest fills when the market comes again")
        expect(self.held() == 15, "never more than the total", self.held())

    def test_b25_modify_below_filled(self) -> None:
        """A new total at or below what has filled is refused; the order stands as it stood, and says why."""
        self.need_type(OrderType.LIMIT)
        self.need(self.can.modify_orders, "modify_order")
        order = self.partly_filled()
        for total in (4, 3):
            answer = self.broker.modify_order(order.id, quantity=total)
            expect(answer.quantity == 10 and answer.is_open, "a refused change leaves the order alone", answer)
            expect(answer.remaining_quantity == 6, "what remains still remains", answer)
            expect(answer.reason, "a refused change is told with its reason", answer.reason)

    def test_b26_modify_finished(self) -> None:
        """An order that has ended cannot be changed: it is answered as it is."""
        self.need_type(OrderType.LIMIT)
        self.need(self.can.modify_orders, "modify_order")
        order = self.resting(10, "99.00")
        self.broker.cancel_order(order.id)
        before = self.ended(order, "canceled", "a canceled order ends canceled")
        answer = self.broker.modify_order(order.id, quantity=20)
        expect(answer.status == "canceled" and answer.quantity == before.quantity, "final is final", answer)

    # ---------------------------------------------------------------- cancel

    def test_b27_cancel_filled(self) -> None:
        """Canceling a filled order answers it, filled, and changes nothing."""
        self.need_type(OrderType.MARKET)
        order = self.bought(10)
        before = self.broker.order_history(order.id)
        answer = self.broker.cancel_order(order.id)
        expect(answer.status == "filled" and answer.filled_quantity == 10, "a filled order stays filled", answer)
        expect(self.broker.order_history(order.id) == before, "and nothing happened to it")
        expect(self.held() == 10, "the position stands", self.held())

    def test_b28_cancel_twice(self) -> None:
        """Canceling a canceled order answers it and changes nothing."""
        self.need_type(OrderType.LIMIT)
        order = self.resting(10, "99.00")
        self.broker.cancel_order(order.id)
        self.ended(order, "canceled", "a canceled order ends canceled")
        before = self.broker.order_history(order.id)
        expect(self.broker.cancel_order(order.id).status == "canceled", "canceled stays canceled")
        expect(self.broker.order_history(order.id) == before, "and nothing more happened to it")

    def test_b29_cancel_all(self) -> None:
        """cancel_all_orders cancels what is open, of one symbol if given, and answers those."""
        self.need_type(OrderType.LIMIT)
        mine = [self.resting(5, "99.00"), self.resting(5, "98.00")]
        other = self.working(self.order("buy", self.other_symbol, 5, {"limit_price": "49.00"}))
        answer = self.broker.cancel_all_orders(self.symbol)
        expect([o.id for o in answer] == [o.id for o in mine], "it answers what it canceled", answer)
        expect(self.broker.order(other.id).is_open, "other symbols are left alone")
        self.broker.cancel_all_orders()
        self.ended(other, "canceled", "without a symbol, all of them")
        expect(not self.broker.orders("open"), "nothing is open any more", self.broker.orders("open"))

    def test_b30_unknown_order(self) -> None:
        """An order that does not exist is an UnknownOrderError, which is a LookupError; find_order answers None."""
        for unknown in ("no-such-order", "", "999999"):
            calls: tuple[Callable[[str], object], ...] = (
                self.broker.order,
                self.broker.cancel_order,
                self.broker.order_history,
            )
            for call in calls:
                with refuses(UnknownOrderError, f"an unknown order {unknown!r} in {call.__name__}"):
                    call(unknown)
            expect(self.broker.find_order(unknown) is None, "find_order answers None for an unknown order")

    # ------------------------------------------------------------------ keys

    def test_b31_same_key_same_order(self) -> None:
        """The same client_order_id with the same payload is the same order: it is answered, not repeated."""
        self.need_type(OrderType.MARKET)
        first = self.ended(self.buy(10, client_order_id="k-1"), "filled", "a market buy fills")
        again = self.ended(self.buy(10, client_order_id="k-1"), "filled", "it is answered as it is now")
        expect(again.id == first.id, "the same key is the same order", first.id, again.id)
        expect(self.held() == 10, "the same key trades once", self.held())
        expect(len(self.broker.orders()) == 1, "one order is on record", self.broker.orders())

    def test_b32_same_key_other_payload(self) -> None:
        """The same client_order_id with another payload is a KeyConflictError, and nothing happens."""
        self.need_type(OrderType.LIMIT)
        self.resting(10, "99.00", client_order_id="k-1")
        for change in ("quantity", "price", "side"):
            with refuses(KeyConflictError, f"a used key with another {change}"):
                side, quantity = ("sell" if change == "side" else "buy"), (11 if change == "quantity" else 10)
                limit = "99.10" if change == "price" else "99.00"
                fields = {"limit_price": limit, "client_order_id": "k-1"}
                self.order(side, self.symbol, quantity, fields)  # type: ignore[arg-type]  # two of the options
        expect(len(self.broker.orders()) == 1, "nothing was placed", self.broker.orders())

    def test_b33_key_of_a_refusal(self) -> None:
        """A refusal is remembered under its key: the same call again answers the same refusal."""
        self.need_type(OrderType.LIMIT)
        first = self.refused(client_order_id="k-2")
        again = self.refused(client_order_id="k-2")
        expect(first.id == again.id, "a repeated refusal is the same record", first.id, again.id)

    # -------------------------------------------------------------- refusals

    def test_b34_refusal_is_a_record(self) -> None:
        """An order without the money is not an exception: it is an order, rejected, with reason and numbers."""
        self.need_type(OrderType.LIMIT)
        before = self.broker.account()
        order = self.refused()
        expect(order.reason, "a refusal has a reason", order.reason)
        numbers = order.compared()
        expect(len(numbers) >= 2, "a refusal tells the numbers that were compared", numbers)
        expect(order.id in [o.id for o in self.broker.orders("rejected")], "a refusal is on record")
        expect(not order.filled_quantity and not order.remaining_quantity, "nothing of it fills or remains", order)
        after = self.broker.account()
        money = (before.total, before.held) == (after.total, after.held)
        expect(money and not self.broker.positions(), "a refusal changes no money and no position", after)

    def test_b35_no_shorts(self) -> None:
        """Without short selling, a sell of what is not held is refused, on record."""
        self.need_type(OrderType.MARKET)
        self.only_if(not self.can.short_selling, "the broker offers short selling")
        order = self.until(self.sell(10), "it is refused", lambda o: o.is_final)
        expect(order.status == "rejected" and order.reason, "a sell of nothing is refused, with a reason", order)
        expect(not self.held(), "nothing was sold", self.held())

    def test_b36_misuse(self) -> None:
        """A call that makes no sense is a UsageError, which is a ValueError, and leaves no trace."""
        wrong: list[dict[str, object]] = [
            {"quantity": 0},
            {"quantity": -5},
            {"quantity": "NaN"},
            {"quantity": float("inf")},
            {"quantity": None},
            {"quantity": True},
            {"limit_price": "-1"},
            {"limit_price": "1e3"},
            {"side": "hold"},
            {"time_in_force": "whenever"},
            {"type": "limit"},
            {"type": "market", "limit_price": "99"},
            {"notional": 5},
            {"expires_at": "2026-01-01"},
        ]
        for fields in wrong:
            with refuses(UsageError, f"an order with {fields}"):
                order = {"symbol": self.symbol, "side": "buy", "quantity": 10, **fields}
                self.broker.place_order(**order)  # type: ignore[arg-type]  # that is the point
        expect(not self.broker.orders() and not self.broker.positions(), "misuse leaves no trace")

    def test_b37_unsupported(self) -> None:
        """What the broker cannot do is an UnsupportedError, before anything changes."""
        attempts = list(self.unsupported())
        self.only_if(bool(attempts), "the broker offers everything")
        before = self.broker.account()
        for what, fields in attempts:
            with refuses(UnsupportedError, f"{what} is not offered"):
                order = {"symbol": self.symbol, "side": "buy", "quantity": 10, **fields}
                self.broker.place_order(**order)  # type: ignore[arg-type]  # fields of place_order
        expect(not self.broker.orders() and not self.broker.positions(), "nothing was placed", self.broker.orders())
        after = self.broker.account()
        expect((before.total, before.held) == (after.total, after.held), "and no money moved", after)

    def unsupported(self) -> list[tuple[str, dict[str, object]]]:
        """An order for each thing that this broker does not offer."""
        can, tif = self.can, self.tif
        found: list[tuple[str, dict[str, object]]] = []
        prices: dict[OrderType, dict[str, object]] = {
            OrderType.MARKET: {},
            OrderType.LIMIT: {"limit_price": "99.00"},
            OrderType.STOP: {"stop_price": "101.00"},
            OrderType.STOP_LIMIT: {"stop_price": "101.00", "limit_price": "102.00"},
        }
        for kind in OrderType:
            if kind not in can.order_types:
                found.append((f"order type {kind}", {**prices[kind], "time_in_force": tif}))
        limit = prices[OrderType.LIMIT]
        for word in TimeInForce:
            if word not in can.times_in_force:
                until = self.broker.account().at.replace(year=2100)
                needs: dict[str, dict[str, object]] = {"gtd": {"expires_at": until}, "ttl": {"ttl_minutes": 5}}
                found.append((f"time in force {word}", {**limit, **needs.get(word, {}), "time_in_force": word}))
        if not can.post_only:
            found.append(("post_only", {**limit, "post_only": True, "time_in_force": tif}))
        if not can.reduce_only:
            found.append(("reduce_only", {"reduce_only": True, "time_in_force": tif}))
        if not can.notional_orders:
            found.append(("notional", {"quantity": None, "notional": 1000, "time_in_force": tif}))
        return found

    def test_b38_no_modify(self) -> None:
        """A broker that cannot modify says so, and the order stands as it stood."""
        self.need_type(OrderType.LIMIT)
        self.only_if(not self.can.modify_orders, "the broker offers modify_order")
        order = self.resting(10, "99.00")
        with refuses(UnsupportedError, "modify_order is not offered"):
            self.broker.modify_order(order.id, quantity=20)
        expect(self.broker.order(order.id) == order, "the order stands as it stood", self.broker.order(order.id))

    def refused(self, **fields: object) -> Order:
        """An order that asks for far more than the account has."""
        asked = {"limit_price": "99.00", **fields}
        try:
            order = self.order("buy", self.symbol, TOO_MUCH, asked)  # type: ignore[arg-type]  # options of an order
        except Exception as why:
            raise ContractViolation("a refusal is an order record, not an exception", why) from why
        now = self.until(order, "an order that cannot be paid is refused", lambda o: o.is_final)
        expect(now.status == "rejected", "an order that cannot be paid is rejected", now)
        return now

    # --------------------------------------------------------------- closing

    def test_b39_close_position(self) -> None:
        """close_position flattens a position at the market and cancels the orders that would close it."""
        self.need_type(OrderType.MARKET, OrderType.LIMIT)
        self.bought(10)
        closer = self.working(self.sell(10, limit_price="105.00"))
        order = self.ended(self.broker.close_position(self.symbol), "filled", "a position closes at the market")
        expect(order.filled_quantity == 10 and not self.held(), "all of it", order, self.held())
        self.ended(closer, "canceled", "an order that would close it is canceled")

    def test_b40_close_a_part(self) -> None:
        """close_position closes a part when asked, never more than there is, and is repeatable by its key."""
        self.need_type(OrderType.MARKET)
        self.bought(10)
        for _ in range(2):
            answer = self.broker.close_position(self.symbol, 4, client_order_id="close-1")
            self.ended(answer, "filled", "a part closes at the market")
            expect(self.held() == 6, "four of ten, once", self.held())
        self.ended(self.broker.close_position(self.symbol, 100), "filled", "more than there is closes what there is")
        expect(not self.held(), "and does not open the other side", self.held())

    def test_b41_close_nothing(self) -> None:
        """Closing a position that is not there is a UsageError and leaves no trace."""
        with refuses(UsageError, "closing a flat position"):
            self.broker.close_position(self.symbol)
        expect(not self.broker.orders(), "nothing was placed", self.broker.orders())

    def test_b42_close_all(self) -> None:
        """close_all_positions cancels every order and flattens every position."""
        self.need_type(OrderType.MARKET, OrderType.LIMIT)
        self.bought(10)
        other = self.order("buy", self.other_symbol, 20, {})
        self.ended(other, "filled", "a market buy fills")
        self.resting(10, "99.00")
        for order in self.broker.close_all_positions():
            self.ended(order, "filled", "each position closes at the market")
        expect(not self.broker.positions(), "every position is flat", self.broker.positions())
        expect(not self.broker.orders("open"), "no order is left open", self.broker.orders("open"))

    def test_b43_request_or_fields(self) -> None:
        """A request and its fields mean the same; both at once are misuse."""
        self.need_type(OrderType.LIMIT)
        fields = {"symbol": self.symbol, "side": "buy", "quantity": "5", "limit_price": "99", "client_order_id": "r"}
        request = OrderRequest(**fields, time_in_force=self.tif)  # type: ignore[arg-type]  # texts for numbers
        order = self.broker.place_order(request)
        again = self.broker.place_order(**fields, time_in_force=self.tif)  # type: ignore[arg-type]  # likewise
        expect(order.id == again.id, "the same key and payload, typed in two ways", order.id, again.id)
        with refuses(UsageError, "a request and fields at once"):
            self.broker.place_order(request, quantity=5)
