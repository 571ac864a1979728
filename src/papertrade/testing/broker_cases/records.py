"""Cases about what a broker tells: orders, histories, fills, positions, money, and that they agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from papertrade.domain.events import OrderFilled
from papertrade.domain.orders import Order
from papertrade.domain.words import OrderStatus, OrderType, Side, TimeInForce
from papertrade.testing.broker_cases.changes import ChangeCases
from papertrade.testing.contract import expect

ENDINGS = frozenset({"order_rejected", "order_canceled", "order_expired"})
NANO = Decimal("0.000000001")


class RecordCases(ChangeCases):
    """B-44 to B-58: the records of a broker."""

    def busy(self) -> list[Order]:
        """A session in which something of everything happens; its orders as they were first answered."""
        self.need_type(OrderType.MARKET, OrderType.LIMIT)
        found = [self.buy(10, tags={"why": "test"}), self.buy(3, limit_price="99.00"), self.buy(2, limit_price="98.50")]
        self.quote(ask_size="4")
        found.append(self.buy(10, limit_price="100.02"))
        found.append(self.refused())
        if TimeInForce.IOC in self.can.times_in_force:
            found.append(self.buy(5, limit_price="99.00", time_in_force="ioc"))
        self.broker.cancel_order(found[2].id)
        self.quote("98.90", "98.94")
        self.until(found[1], "a limit that the market passed fills", lambda o: o.is_final)
        found.append(self.sell(6))
        found.append(self.order("buy", self.other_symbol, 7, {}))
        found.append(self.resting(4, "90.00"))
        return found

    # ---------------------------------------------------------------- orders

    def test_b44_orders_agree(self) -> None:
        """order, find_order and orders tell the same, oldest first; open and closed are all there is."""
        placed = self.busy()
        every = self.broker.orders()
        expect([o.id for o in every] == [o.id for o in placed], "every order is on record, oldest first", every)
        for order in every:
            one, found = self.broker.order(order.id), self.broker.find_order(order.id)
            expect(order == one == found, "three ways to ask, one answer", order, one, found)
            expect(self.broker.order(order).id == order.id, "an order stands for its id")
        expect([o.id for o in self.broker.orders("open")] == [o.id for o in every if o.is_open], "open orders are open")
        closed = [o.id for o in self.broker.orders("closed")]
        expect(closed == [o.id for o in every if o.is_final], "closed orders are final", closed)
        for status in OrderStatus:
            some = [o.id for o in self.broker.orders(status)]
            expect(some == [o.id for o in every if o.status == status], f"orders({status}) tells those {status}", some)
        mine = [o.id for o in self.broker.orders(symbol=self.symbol)]
        expect(mine == [o.id for o in every if o.symbol == self.symbol], "orders of one symbol are of that symbol")

    def test_b45_ids(self) -> None:
        """Ids are text, unique, and stay what they are."""
        placed = self.busy()
        ids = [order.id for order in placed]
        expect(all(type(i) is str and i for i in ids), "an id is text", ids)
        expect(len(set(ids)) == len(ids), "no two orders share an id", ids)
        again = [o.id for o in self.broker.orders()]
        expect(again == ids, "an order keeps its id", ids, again)
        fills = [fill.id for fill in self.broker.fills()]
        expect(len(set(fills)) == len(fills), "no two fills share an id", fills)

    def test_b46_statuses(self) -> None:
        """A status is one of the closed list, and it agrees with the quantities."""
        self.busy()
        for order in self.broker.orders():
            expect(isinstance(order.status, OrderStatus), "a status is an OrderStatus", order.status)
            expect(order.is_open is not order.is_final, "an order is open or final, never both", order)
            parts = order.filled_quantity + order.remaining_quantity + order.canceled_quantity
            expect(parts == order.quantity, "filled + remaining + canceled = quantity", order)
            if order.is_final:
                expect(not order.remaining_quantity, "nothing remains of a final order", order)
            if order.status in ("accepted", "rejected", "pending"):
                expect(not order.filled_quantity, f"{order.status} orders have not filled", order)
            if order.status == "filled":
                expect(order.filled_quantity, "filled orders have filled", order)

    def test_b47_average_price(self) -> None:
        """The average price is Σ price × quantity ÷ Σ quantity of the fills: never 0, None only before the first."""
        self.busy()
        for order in self.broker.orders():
            fills = self.broker.fills(order.id)
            if not fills:
                expect(order.average_price is None, "without a fill there is no average price", order)
                continue
            total = sum((f.price * f.quantity for f in fills), Decimal(0))
            average = order.average_price or Decimal(0)
            error = abs(average * order.filled_quantity - total)
            expect(average > 0, "a filled order has an average price", order)
            expect(error <= NANO * order.filled_quantity, "the average is that of the fills", average, fills)

    def test_b48_history(self) -> None:
        """A history begins with the answer to the order, counts upwards, and ends where the order ended."""
        self.busy()
        for order in self.broker.orders():
            history = self.broker.order_history(order.id)
            kinds = [event.kind for event in history]
            expect(kinds and kinds[0] in ("order_accepted", "order_rejected"), "it begins with the answer", kinds)
            versions = [event.version for event in history]
            expect(all(a < b for a, b in pairwise(versions)), "in order, each once", versions)
            filled = sum(e.quantity for e in history if isinstance(e, OrderFilled))
            expect(filled == order.filled_quantity, "its fills are the order's fills", filled, order)
            endings = [kind for kind in kinds if kind in ENDINGS]
            wanted = [f"order_{order.status}"] if order.is_final and order.status != "filled" else []
            expect(endings == wanted, "it ends once, and as the order says", kinds, order)

    def test_b49_final_is_final(self) -> None:
        """Whatever the market does, a final order stays as it is."""
        self.busy()
        before = [(o, self.broker.order_history(o.id)) for o in self.broker.orders("closed")]
        self.quote("80.00", "80.04")
        self.quote("120.00", "120.04")
        self.under.market.advance(86_400)
        for order, history in before:
            now = self.broker.order(order.id)
            expect(now == order, "a final order stays as it is", order, now)
            expect(self.broker.order_history(order.id) == history, "and nothing more happens to it", now)

    def test_b50_an_answer_stands_still(self) -> None:
        """An order that somebody holds does not change under their eyes."""
        self.need_type(OrderType.LIMIT)
        order = self.buy(10, limit_price="99.00")
        asked = self.working(order)
        listed = self.broker.orders("open")[0]
        before = [o.to_dict() for o in (order, listed, asked)]
        self.quote("98.90", "98.94")
        self.ended(order, "filled", "a limit that the market passed fills")
        after = [o.to_dict() for o in (order, listed, asked)]
        expect(after == before, "what was answered stays what it was", order.status, listed.status, asked.status)

    def test_b51_what_was_given_comes_back(self) -> None:
        """Client order id, tags, prices and conditions come back as they were given, numbers as Decimal."""
        self.need_type(OrderType.LIMIT)
        given = {"strategy": "gap", "leg": "1"}
        order = self.resting(10, "99.00", client_order_id="mine-1", tags=given)
        for told in (order, self.broker.order(order.id), self.broker.orders()[0]):
            expect(told.client_order_id == "mine-1" and told.tags == given, "key and tags come back", told.to_dict())
            expect(told.symbol == self.symbol and told.side is Side.BUY, "symbol and side come back", told)
            expect(told.time_in_force is self.tif and told.type is OrderType.LIMIT, "conditions come back", told)
            numbers = (told.quantity, told.limit_price, told.filled_quantity, told.remaining_quantity)
            expect(all(type(n) is Decimal for n in numbers), "numbers are Decimal", numbers)
            wanted = tuple(map(Decimal, (10, 99, 0, 10)))
            expect(numbers == wanted, "numbers come back", numbers)

    # ------------------------------------------------------- fills, positions

    def test_b52_fills(self) -> None:
        """Fills are told once each, oldest first, belong to an order on record, and add up to it."""
        self.busy()
        fills = self.broker.fills()
        instants = [fill.filled_at for fill in fills]
        expect(instants == sorted(instants), "oldest first", instants)
        for order in self.broker.orders():
            own = self.broker.fills(order.id)
            expect(own == [f for f in fills if f.order_id == order.id], "fills of one order are of that order", own)
            expect(sum(f.quantity for f in own) == order.filled_quantity, "fills add up to the order", own, order)
            expect(all(f.side == order.side and f.symbol == order.symbol for f in own), "and agree with it", own)
        expect(all(f.price > 0 and f.quantity > 0 for f in fills), "a fill has a price and a size", fills)
        other = self.broker.fills(symbol=self.other_symbol)
        expect(other == [f for f in fills if f.symbol == self.other_symbol], "fills of one symbol", other)

    def test_b53_positions(self) -> None:
        """A position is the sum of its fills; positions() lists what is not flat, position() anything."""
        self.busy()
        wanted: dict[str, Decimal] = {}
        for fill in self.broker.fills():
            signed = fill.quantity if fill.side == "buy" else -fill.quantity
            wanted[fill.symbol] = wanted.get(fill.symbol, Decimal(0)) + signed
        told = {p.symbol: p.quantity for p in self.broker.positions()}
        expect(told == {s: q for s, q in wanted.items() if q}, "a position is the sum of its fills", told, wanted)
        for symbol in wanted:
            expect(self.broker.position(symbol).quantity == wanted[symbol], "position() tells the same", symbol)
        lots = self.broker.position(self.symbol).lots
        expect(sum(lot.quantity for lot in lots) == wanted[self.symbol], "its lots add up to it", lots)

    def test_b54_flat(self) -> None:
        """A symbol without a position is told as flat, with no average price, and is not listed."""
        position = self.broker.position(self.symbol)
        expect(position.is_flat and not position.quantity, "nothing held is flat", position)
        expect(position.average_price is None, "nothing held has no average price", position.average_price)
        self.need_type(OrderType.MARKET)
        self.bought(10)
        self.ended(self.sell(10), "filled", "a market sell fills")
        expect(self.broker.position(self.symbol).is_flat, "bought and sold is flat")
        expect(not self.broker.positions(), "what is flat is not listed", self.broker.positions())

    # ----------------------------------------------------------------- money

    def test_b55_account(self) -> None:
        """Cash moves by what the fills paid and their fees; equity is cash plus positions at their marks."""
        before = self.broker.account()
        self.busy()
        after = self.broker.account()
        fills = self.broker.fills()
        paid = sum((f.value if f.side == "buy" else -f.value for f in fills), Decimal(0))
        fees = sum((f.fee for f in fills), Decimal(0))
        wanted = before.total - paid - fees
        expect(after.total == wanted, "cash moves by fills and fees", after.total, wanted)
        expect(after.fees - before.fees == fees, "the fees are those of the fills", after.fees, fees)
        expect(after.equity == after.total + after.market_value, "equity = cash + market value", after)
        held = sum((o.hold for o in self.broker.orders("open")), Decimal(0))
        expect(after.held == held, "what is held is what open orders hold", after.held, held)
        expect(after.open_orders == len(self.broker.orders("open")), "open orders are counted", after.open_orders)

    def test_b56_holds(self) -> None:
        """A working buy keeps its money from being spent twice, and gives it back to the cent when it ends."""
        self.need_type(OrderType.LIMIT)
        before = self.broker.account()
        order = self.resting(10, "99.00")
        during = self.broker.account()
        expect(during.available < before.available, "a working buy takes from what is available", during)
        expect(during.total == before.total, "but pays nothing yet", during.total)
        self.broker.cancel_order(order.id)
        self.ended(order, "canceled", "a canceled order ends canceled")
        after = self.broker.account()
        expect((after.available, after.held) == (before.available, before.held), "all of it comes back", after)

    # ------------------------------------------------------ time and the rest

    def test_b57_instants(self) -> None:
        """Every instant is an aware UTC datetime, and none is before the order was placed."""
        self.busy()
        instants: list[datetime] = [self.broker.account().at]
        for order in self.broker.orders():
            own = [order.placed_at, order.updated_at]
            own += [fill.filled_at for fill in self.broker.fills(order.id)]
            own += [event.at for event in self.broker.order_history(order.id)]
            own += [at for at in (order.triggered_at, order.expires_at) if at is not None]
            naive = [at for at in own if at.tzinfo is None]
            expect(not naive, "instants are aware", naive)
            expect(min(own) == order.placed_at, "nothing happens to an order before it is placed", own)
            instants += own
        for position in self.broker.positions():
            instants += [at for at in (position.opened_at, position.marked_at) if at is not None]
        offsets = {at.utcoffset() for at in instants}
        expect(offsets == {timedelta(0)} and all(at.tzinfo is UTC for at in instants), "instants are UTC", offsets)

    def test_b58_wait(self) -> None:
        """wait answers an order that has ended as it is, and one that has not as it is when the time is up."""
        self.need_type(OrderType.MARKET, OrderType.LIMIT)
        done = self.bought(10)
        expect(self.broker.wait(done.id, timeout_s=0) == self.broker.order(done.id), "what has ended is answered")
        order = self.resting(10, "99.00")
        answer = self.broker.wait(order.id, timeout_s=0)
        expect(answer.is_open and answer.id == order.id, "what has not ended is answered as it is", answer)
        self.broker.cancel_order(order.id)
        answer = self.broker.wait(order.id, timeout_s=self.patience_s)
        expect(answer.status == "canceled", "what has ended since is answered as it is now", answer)

    def test_b59_capabilities(self) -> None:
        """Capabilities are told in the closed words, stay what they are, and every record names the same source."""
        can = self.can
        expect(can.order_types and can.order_types <= frozenset(OrderType), "order types", can.order_types)
        expect(can.times_in_force and can.times_in_force <= frozenset(TimeInForce), "times in force", can)
        self.busy()
        expect(self.can == can, "what a broker can do does not change with use", self.can)
        expect(can.source, "a broker names its source", can.source)
        sources = {self.broker.account().source, *(order.source for order in self.broker.orders())}
        sources |= {fill.source for fill in self.broker.fills()}
        expect(sources == {can.source}, "every record names the source", sources)
