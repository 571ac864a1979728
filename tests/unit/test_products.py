"""Products: positions of a symbol that do not net, each by its rules, and what goes over from one to another."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.instants import parse_instant
from papertrade.domain.position_keys import position_key, split_key
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest, restore, snapshot
from papertrade.engine.state import AccountState
from papertrade.errors import BalanceMismatchError, InvalidValueError, KeyConflictError, StoreConflictError, UsageError
from papertrade.records import assert_balance, export_beancount, verify_account

SYMBOL = "NSE:INFY"
MIS = pt.SquareOff(at={"2015-01-01": "15:20", "2026-08-03": "15:12"}, calendars="XNSE-CAS")
PRODUCTS = [pt.Product("CNC", shorting=False), pt.Product("MIS", square_off=MIS), pt.Product("NRML")]
DAY = "2026-08-10"


def opened(store: Any = None, calendar: str | None = "XNSE-CAS", **options: Any) -> pt.PaperBroker:
    exchange = pt.Exchange(store if store is not None else MemoryStore(), clock="data")
    exchange.add_instrument(SYMBOL, currency="INR", tick_size="0.05", calendar=calendar)
    exchange.add_instrument("NSE:TCS", currency="INR", tick_size="0.05", calendar=calendar)
    words = {"cash": "1000000", "currency": "INR", "products": PRODUCTS, **options}
    return exchange.open_account("alice", **words)


def quoted(broker: pt.PaperBroker, at: str, price: float = 1500, symbol: str = SYMBOL) -> None:
    broker.on_quote(symbol, price, price + 0.05, 5000, 5000, at=f"{DAY}T{at}Z")


@pytest.fixture
def alice() -> pt.PaperBroker:
    broker = opened()
    quoted(broker, "04:30:00")
    return broker


@pytest.fixture
def short() -> pt.PaperBroker:
    """The same on margin, so that there may be shorts."""
    broker = opened(kind="margin")
    quoted(broker, "04:30:00")
    return broker


def held(broker: pt.PaperBroker) -> dict[str, Decimal]:
    return {position.product: position.quantity for position in broker.positions()}


# ---------------------------------------------------------------------- a trading day


def test_what_is_for_the_day_is_closed_and_what_is_for_delivery_is_carried(alice: pt.PaperBroker) -> None:
    """200 in MIS and 100 in CNC: at 15:12 the broker closes the MIS, its orders are gone, and the CNC is held."""
    alice.buy(SYMBOL, 200, product="MIS")
    alice.buy(SYMBOL, 100)
    resting = [alice.buy(SYMBOL, 1, product=name, limit_price=1400) for name in ("MIS", "CNC")]
    quoted(alice, "09:37:10", 1510)  # 15:07:10: only MIS reduces
    late = [alice.buy(SYMBOL, 1, product=name, limit_price=1400) for name in ("MIS", "CNC")]
    quoted(alice, "09:42:10", 1510)
    assert [(e.product, e.stage, e.at.strftime("%H:%M")) for e in alice.events(kinds="squared_off")] == [
        ("MIS", "warned", "09:27"),
        ("MIS", "reduce_only", "09:37"),
        ("MIS", "flat", "09:42"),
    ]
    assert [order.reason for order in late] == ["square_off", None]
    assert [alice.order(order).status for order in resting] == ["canceled", "accepted"]
    assert held(alice) == {"CNC": 100}
    traded = ("buy_quantity", "buy_price", "sell_quantity", "sell_price")
    shown = [
        (row.product, row.quantity, *(getattr(row, name) for name in traded), row.pnl, row.m2m)
        for row in alice.day_positions()
    ]
    bought = Decimal("1500.05")
    assert shown == [
        ("CNC", 100, 100, bought, 0, 0, Decimal("997.5"), Decimal("997.5")),
        ("MIS", 0, 200, bought, 200, 1510, 1990, 1990),
    ]
    alice.advance(f"{DAY}T19:00:00Z")
    summary = alice.day_summaries().items[0]
    assert [(part.symbol, part.product, part.quantity) for part in summary.positions] == [(SYMBOL, "CNC", 100)]


def test_the_rule_of_the_account_is_for_products_without_one() -> None:
    """A rule for the account squares off each product on its own, unless it has another."""
    broker = opened(square_off=pt.SquareOff(minutes_before_close=30), products=["NRML", PRODUCTS[1]])
    quoted(broker, "04:30:00")
    broker.buy(SYMBOL, 5)
    broker.buy(SYMBOL, 7, product="MIS")
    quoted(broker, "09:20:00")
    stages = [(e.product, e.stage) for e in broker.events(kinds="squared_off")]
    assert [stage for stage in stages if stage[0] == "NRML"] == [("NRML", s) for s in ("warned", "reduce_only", "flat")]
    assert held(broker) == {"MIS": 7}


# ---------------------------------------------------------------------- what does not net


def test_products_of_a_symbol_do_not_net(short: pt.PaperBroker) -> None:
    """A short in one and a long in another stand beside each other, and close each by its own orders."""
    short.buy(SYMBOL, 10, product="NRML")
    short.sell(SYMBOL, 4, product="MIS")
    assert held(short) == {"MIS": -4, "NRML": 10}
    nothing = short.sell(SYMBOL, 5, product="CNC", reduce_only=True)
    assert nothing.reason == "nothing_to_reduce"
    assert short.sell(SYMBOL, 1, product="CNC").reason == "insufficient_position"
    assert short.close_position(SYMBOL, product="MIS").average_price == Decimal("1500.05")
    assert held(short) == {"NRML": 10}
    short.sell(SYMBOL, 3, product="MIS")
    assert {(order.product, order.side) for order in short.close_all_positions()} == {("MIS", "buy"), ("NRML", "sell")}
    assert held(short) == {}


def test_a_position_limit_counts_the_sizes_of_all_products() -> None:
    """Long 10 in one and short 10 in another are 20 at stake in the symbol, working orders counted."""
    broker = opened(kind="margin", limits=pt.RiskLimits(max_position=25))
    quoted(broker, "04:30:00")
    broker.buy(SYMBOL, 10, product="NRML")
    broker.sell(SYMBOL, 10, product="MIS")
    assert broker.buy(SYMBOL, 6, limit_price=1400).reason == "max_position"
    assert broker.buy(SYMBOL, 5, limit_price=1400).status == "accepted"
    assert broker.sell(SYMBOL, 1, product="MIS").reason == "max_position"
    assert broker.buy(SYMBOL, 10, product="MIS").status == "filled"


def test_linked_orders_are_of_one_product(alice: pt.PaperBroker) -> None:
    """A pair, and a link, name one position."""
    alice.buy(SYMBOL, 10, product="MIS")
    stop = alice.sell(SYMBOL, 10, product="MIS", stop_price=1400)
    words = "found 'an order for NSE:INFY MIS'; accepted: an order for NSE:INFY NRML"
    with pytest.raises(InvalidValueError, match=words):
        alice.buy(SYMBOL, 1, product="NRML", limit_price=1300, oco_with=stop.id)
    with pytest.raises(InvalidValueError, match="two orders of one symbol and product"):
        alice.place_oco(
            pt.OrderRequest(symbol=SYMBOL, side="buy", quantity=1, limit_price=1300, product="MIS"),
            pt.OrderRequest(symbol=SYMBOL, side="buy", quantity=1, stop_price=1600),
        )


def test_a_margin_call_is_seen_though_products_pull_in_both_directions() -> None:
    """Long in one product and short in another: whichever way the price goes, the band that is left is one of both."""
    model = pt.FlatMargin(initial="0.2", maintenance="0.1")
    for side, price in ((20, 1150), (-20, 1900)):
        broker = opened(kind="margin", cash="8000", margin=model)
        quoted(broker, "04:30:00")
        (broker.buy if side > 0 else broker.sell)(SYMBOL, 22, product="NRML")
        (broker.sell if side > 0 else broker.buy)(SYMBOL, 2, product="MIS")
        for minute in range(31, 50):
            step = (price - 1500) * (minute - 30) // 19
            quoted(broker, f"04:{minute}:00", 1500 + step)
        account = broker.account()
        assert (account.equity < account.maintenance_margin) is account.margin_call is True


# ---------------------------------------------------------------------- conversion


def test_a_conversion_moves_the_oldest_lots_at_their_exact_cost() -> None:
    """Lot by lot, with the times at which they were opened; no money moves, and nothing is realized."""
    broker = opened(cost_method="fifo")
    for minute, price in ((30, 1500), (31, 1501), (32, 1502)):
        quoted(broker, f"04:{minute}:00", price)
        broker.buy(SYMBOL, 10, product="MIS")
    quoted(broker, "04:33:00", 1503)
    broker.buy(SYMBOL, 5)
    before, lots = broker.account(), broker.position(SYMBOL, "MIS").lots
    answer = broker.convert_position(SYMBOL, 12, from_product="MIS", to_product="CNC")
    left = broker.position(SYMBOL, "MIS")
    assert [(lot.quantity, lot.average_price, lot.opened_at) for lot in answer.lots] == [
        (10, lots[0].average_price, lots[0].opened_at),
        (2, lots[1].average_price, lots[1].opened_at),
        (5, Decimal("1503.05"), broker.position(SYMBOL).lots[2].opened_at),
    ]
    kept = [(lot.quantity, lot.average_price) for lot in left.lots]
    assert kept == [(8, Decimal("1501.05")), (10, Decimal("1502.05"))]
    assert left.cost + answer.cost == sum(lot.cost for lot in lots) + Decimal("7515.25")
    assert answer.opened_at == lots[0].opened_at
    after = broker.account()
    same = ("total", "held", "available", "equity", "realized", "unrealized", "fees")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    [event] = broker.events(kinds="position_converted")
    assert (event.quantity, event.cost, event.price) == (12, Decimal("18002.6"), Decimal("1500.216666667"))


def test_an_average_position_gives_its_share_and_the_last_part_the_rest(alice: pt.PaperBroker) -> None:
    """Nothing is lost to rounding: the parts that went over cost what the whole did."""
    alice.buy(SYMBOL, 7, product="MIS")
    quoted(alice, "04:31:00", 1503)
    alice.buy(SYMBOL, 4, product="MIS")
    cost = alice.position(SYMBOL, "MIS").cost
    for size in (3, 3, 5):
        alice.convert_position(SYMBOL, size, from_product="MIS", to_product="NRML")
    there, gone = alice.position(SYMBOL, "NRML"), alice.position(SYMBOL, "MIS")
    assert (there.quantity, there.cost, gone.is_flat, gone.cost, gone.opened_at) == (11, cost, True, 0, None)
    assert there.opened_at is not None
    assert alice.digest() == digest(fold(AccountState(), alice.events()))


def test_a_short_goes_over_to_a_product_that_may_be_short(short: pt.PaperBroker) -> None:
    """And to no other."""
    short.sell(SYMBOL, 6, product="MIS")
    with pytest.raises(InvalidValueError, match="a product that may be short"):
        short.convert_position(SYMBOL, 6, from_product="MIS", to_product="CNC")
    assert short.convert_position(SYMBOL, 2, from_product="MIS", to_product="NRML").quantity == -2
    assert held(short) == {"MIS": -4, "NRML": -2}


def test_what_a_conversion_is_refused_for_leaves_no_trace(short: pt.PaperBroker) -> None:
    """Too much, nothing there, the other side, the same product, a lot that is not whole: named, and no event."""
    short.buy(SYMBOL, 10, product="NRML")
    short.sell(SYMBOL, 4, product="NRML", stop_price=1400)
    short.sell(SYMBOL, 3, product="MIS")
    version = short.account().version
    for quantity, source, target, words in (
        (7, "NRML", "CNC", "at most the 6 NSE:INFY NRML that are available"),
        (1, "CNC", "NRML", "an open position in from_product"),
        (1, "MIS", "NRML", "a product that does not hold the other side: 10 NSE:INFY NRML"),
        (1, "NRML", "NRML", "another product than from_product"),
        ("0.5", "NRML", "CNC", "whole lots of 1"),
        (1, "NRML", "BO", "CNC, MIS, NRML"),
        (1, "NRML", None, "the name of a product"),
    ):
        with pytest.raises(UsageError, match=words):
            short.convert_position(SYMBOL, quantity, from_product=source, to_product=target)  # type: ignore[arg-type]
    assert short.account().version == version
    assert short.convert_position(SYMBOL, 6, from_product="NRML", to_product="CNC").quantity == 6


def test_nothing_goes_over_to_a_product_that_is_being_squared_off(alice: pt.PaperBroker) -> None:
    """Out of it, it may."""
    alice.buy(SYMBOL, 10)
    alice.buy(SYMBOL, 10, product="MIS")
    quoted(alice, "09:38:00")
    with pytest.raises(InvalidValueError, match="not being squared off"):
        alice.convert_position(SYMBOL, 5, from_product="CNC", to_product="MIS")
    alice.convert_position(SYMBOL, 6, from_product="MIS", to_product="CNC")
    quoted(alice, "09:43:00")
    assert held(alice) == {"CNC": 16}


def test_nothing_goes_over_to_a_product_that_would_be_squared_off_at_once(alice: pt.PaperBroker) -> None:
    """Its stages come for what it holds. It holds nothing, and from reduce-only on it is not to be given any."""
    alice.buy(SYMBOL, 10)
    for at in ("09:37:00", "09:43:00", "09:59:59"):
        quoted(alice, at)
        with pytest.raises(InvalidValueError, match="not being squared off"):
            alice.convert_position(SYMBOL, 5, from_product="CNC", to_product="MIS")
    assert alice.convert_position(SYMBOL, 1, from_product="CNC", to_product="NRML").quantity == 1
    alice.advance(f"{DAY}T10:15:00Z")  # the session is over: what comes in now is there until the next one ends
    assert alice.convert_position(SYMBOL, 5, from_product="CNC", to_product="MIS").quantity == 5
    assert not alice.events(kinds="squared_off")


class Running:
    """A clock that goes on by a step whenever it is asked."""

    def __init__(self, at: str) -> None:
        self.ns = parse_instant(f"{DAY}T{at}Z", "at")
        self.step = 0

    def now_ns(self) -> int:
        self.ns += self.step
        return self.ns


def test_what_comes_due_while_a_conversion_is_looked_at_refuses_it() -> None:
    """The position is squared off between the first look and the decision: refused, nothing broken, none stopped."""
    words = set()
    for asked in range(6):
        clock = Running("04:30:00")
        exchange = pt.Exchange(MemoryStore(), clock=clock)
        exchange.add_instrument(SYMBOL, currency="INR", tick_size="0.05", calendar="XNSE-CAS")
        broker = exchange.open_account("alice", cash="1000000", currency="INR", products=PRODUCTS)
        quoted(broker, "04:30:00")
        broker.buy(SYMBOL, 10, product="MIS")
        clock.ns = parse_instant(f"{DAY}T09:41:59Z", "at")
        quoted(broker, "09:41:59")
        clock.ns, clock.step = clock.ns + 10**9 - 1000 * asked, 1000
        try:
            broker.convert_position(SYMBOL, 5, from_product="MIS", to_product="CNC")
        except InvalidValueError as refused:
            words.add(str(refused))
        assert broker.deposit(1).total  # which lets everything happen that is due, and finds it in order
        assert held(broker).get("CNC", 0) == 5 * len(broker.events(kinds="position_converted"))
        assert broker.digest() == digest(fold(AccountState(), broker.events()))
    assert words == {"symbol: found 'NSE:INFY MIS'; accepted: a symbol with an open position in from_product"}


def test_a_conversion_happens_once(alice: pt.PaperBroker) -> None:
    """The same key again is answered; with something else it is a conflict that names what."""
    alice.buy(SYMBOL, 10, product="MIS")
    asked: dict[str, Any] = {"from_product": "MIS", "to_product": "CNC", "command_id": "keep", "note": "for later"}
    for _ in range(2):
        assert alice.convert_position(SYMBOL, 10, **asked).quantity == 10
    assert len(alice.events(kinds="position_converted")) == 1
    for change, words in (
        ({"to_product": "NRML"}, "to_product"),
        ({"note": ""}, "note"),
    ):
        with pytest.raises(KeyConflictError, match=words):
            alice.convert_position(SYMBOL, 10, **{**asked, **change})
    with pytest.raises(KeyConflictError, match="quantity"):
        alice.convert_position(SYMBOL, 9, **asked)


def test_what_is_not_delivered_goes_over_last() -> None:
    """Of 6 settled and 4 unsettled shares the settled ones go first, as when they are sold."""
    broker = opened(settlement="T+1")
    broker.import_positions([{"symbol": SYMBOL, "quantity": 6, "average_price": 1490, "product": "NRML"}])
    quoted(broker, "04:30:00")
    broker.buy(SYMBOL, 4, product="NRML")
    for size, unsettled in ((6, (4, 0)), (1, (3, 1))):
        broker.convert_position(SYMBOL, size, from_product="NRML", to_product="CNC")
        found = tuple(broker.position(SYMBOL, product).t1_quantity for product in ("NRML", "CNC"))
        assert found == unsettled
    broker.advance("2026-08-11T04:00:00Z")
    [settled] = broker.events(kinds="trades_settled")
    assert {split_key(key): units for key, units in settled.holdings} == {
        (SYMBOL, "CNC"): 10**9,
        (SYMBOL, "NRML"): 3 * 10**9,
    }
    assert [broker.position(SYMBOL, product).t1_quantity for product in ("NRML", "CNC")] == [0, 0]


def test_a_conversion_of_the_day_counts_at_its_cost_on_both_sides(alice: pt.PaperBroker) -> None:
    """The rows of the two products add up to what one row without the conversion would say."""
    alice.buy(SYMBOL, 10, product="MIS")
    quoted(alice, "05:00:00", 1510)
    before = alice.day_positions()
    alice.convert_position(SYMBOL, 4, from_product="MIS", to_product="CNC")
    after = alice.day_positions()
    assert [(row.product, row.quantity, row.buy_quantity, row.sell_quantity) for row in after] == [
        ("CNC", 4, 4, 0),
        ("MIS", 6, 10, 4),
    ]
    for name in ("pnl", "m2m"):
        assert sum(getattr(row, name) for row in after) == getattr(before[0], name)


def test_a_conversion_of_the_day_counts_though_the_products_are_gone(tmp_path: Path) -> None:
    """Everything is closed, and the account is opened without products: its rows of the day are flat all the same."""
    path = str(tmp_path / "paper.db")
    broker = opened(path)
    quoted(broker, "04:30:00")
    broker.buy(SYMBOL, 10, product="MIS")
    broker.convert_position(SYMBOL, 4, from_product="MIS", to_product="CNC")
    broker.close_all_positions()
    before = broker.day_positions()
    broker.exchange.close()
    plain = opened(path, products=None)
    quoted(plain, "04:31:00")
    after = plain.day_positions()
    assert [(row.product, row.quantity, row.pnl) for row in after] == [(r.product, 0, r.pnl) for r in before]
    plain.exchange.close()


# ---------------------------------------------------------------------- names


def test_a_product_is_named_as_the_account_has_it(alice: pt.PaperBroker) -> None:
    """An unknown one, and any in an account without products, is misuse and leaves no trace."""
    version = alice.account().version
    for call in (
        lambda: alice.buy(SYMBOL, 1, product="BO"),
        lambda: alice.position(SYMBOL, product="mis"),
        lambda: alice.close_position(SYMBOL, product=5),  # type: ignore[arg-type]
        lambda: alice.import_positions([{"symbol": SYMBOL, "quantity": 1, "average_price": 1, "product": "BO"}]),
    ):
        with pytest.raises(InvalidValueError, match="accepted: CNC, MIS, NRML"):
            call()
    assert alice.account().version == version
    plain = opened(products=None)
    quoted(plain, "04:30:00")
    with pytest.raises(InvalidValueError, match="no product: the account was opened without"):
        plain.buy(SYMBOL, 1, product="MIS")
    assert plain.buy(SYMBOL, 1).product == ""


@pytest.mark.parametrize(
    ("products", "words"),
    [
        ([], "1 to 16 products"),
        ("MIS", "1 to 16 products"),
        (["MIS", "MIS"], "no two alike"),
        ([pt.Product("MIS", shorting=True)], "lets nothing be sold short"),
        ([5], "product"),
    ],
)
def test_products_that_make_no_sense_are_refused(products: Any, words: str) -> None:
    """When the account is opened, and nothing is stored then."""
    with pytest.raises(UsageError, match=words):
        opened(products=products)
    for wrong in ({"shorting": 1}, {"square_off": "15:20"}):
        with pytest.raises(InvalidValueError):
            pt.Product("MIS", **wrong)  # type: ignore[arg-type]


def test_a_product_that_holds_something_cannot_be_left_out(tmp_path: Path) -> None:
    """Products may change between two openings, but for those with a position or an open order."""
    path = str(tmp_path / "paper.db")
    broker = opened(path)
    quoted(broker, "04:30:00")
    broker.buy(SYMBOL, 1, product="MIS")
    broker.buy(SYMBOL, 1, product="NRML", limit_price=1400)
    broker.exchange.close()
    for products in (["CNC", "MIS"], ["CNC", "NRML"], None):
        with pytest.raises(UsageError, match="close what it has there before you leave it out"):
            opened(path, products=products)
    again = opened(path, products=["MIS", "MTF", "NRML"])
    assert held(again) == {"MIS": 1}
    quoted(again, "04:31:00")
    assert again.buy(SYMBOL, 1).product == "MIS"
    again.exchange.close()


@pytest.mark.parametrize("products", [["CNC"], None])
def test_what_another_process_holds_in_a_product_of_its_own_can_be_closed(products: Any, tmp_path: Path) -> None:
    """Two processes opened one account with other products: closing everything closes the other's positions as well."""
    path = str(tmp_path / "paper.db")
    one, other = opened(path), opened(path, products=products)
    for broker in (one, other):
        quoted(broker, "04:30:00")
    one.buy(SYMBOL, 1, product="MIS")
    one.buy(SYMBOL, 2, product="CNC")
    with pytest.raises(StoreConflictError):
        other.deposit(1)
    assert [(order.product, order.status) for order in other.close_all_positions()] == [
        ("CNC", "filled"),
        ("MIS", "filled"),
    ]
    assert held(other) == {}
    for broker in (one, other):
        broker.exchange.close()


def test_keys_are_the_symbol_alone_without_a_product() -> None:
    """So an account without products keeps everything as it was; with one, the key comes apart again."""
    assert position_key("NSE:INFY", "") == "NSE:INFY"
    assert split_key("NSE:INFY") == ("NSE:INFY", "")
    assert split_key(position_key("A B", "M-I S")) == ("A B", "M-I S")


@pytest.mark.parametrize("method", ["average", "fifo"])
def test_records_of_an_account_tell_its_products_apart(method: str, tmp_path: Path) -> None:
    """Balances by symbol and product, rows of the tables verified, and books for accountants that go by symbol."""
    path = str(tmp_path / "paper.db")
    broker = opened(path, cost_method=method)
    for minute, size in ((30, 7), (31, 4)):
        quoted(broker, f"04:{minute}:00", 1500 + minute)
        broker.buy(SYMBOL, size, product="MIS")
    broker.buy(SYMBOL, 2)
    broker.convert_position(SYMBOL, 8, from_product="MIS", to_product="CNC")
    broker.sell(SYMBOL, 6)
    broker.exchange.close()
    store = pt.open_store(path)
    assert_balance(store, "alice", positions={(SYMBOL, "CNC"): 4, (SYMBOL, "MIS"): 3})
    with pytest.raises(BalanceMismatchError, match="position"):
        assert_balance(store, "alice", positions={SYMBOL: 7})
    verify_account(store, "alice")
    books = export_beancount(store, "alice", str(tmp_path / "alice.beancount"))
    assert books.symbols == 1


def test_a_belief_about_positions_names_a_symbol_or_a_symbol_and_product(alice: pt.PaperBroker) -> None:
    """Whatever else stands for a position is misuse that says what would do."""
    store = alice.exchange._desk.store
    for wrong in ((SYMBOL,), (SYMBOL, "CNC", "x"), (SYMBOL, 5), 5, None):
        with pytest.raises(InvalidValueError, match="a symbol, or a symbol and product"):
            assert_balance(store, "alice", positions={wrong: 1})  # type: ignore[dict-item]


def test_what_is_held_is_listed_by_symbol_and_product_everywhere(alice: pt.PaperBroker) -> None:
    """Also where one symbol begins as another does; a day that is closed lists it in the order of one that is open."""
    wanted = []
    for symbol in ("A", "A B", "AB"):
        alice.exchange.add_instrument(symbol, currency="INR")
        quoted(alice, "04:31:00", 10, symbol)
        for product in ("CNC", "MIS"):
            alice.buy(symbol, 1, product=product)
            wanted.append((symbol, product))
    lists = [alice.positions(), alice.day_positions()]
    alice.advance(f"{DAY}T23:00:00Z")
    lists += [alice.day_summaries().items[0].positions]  # type: ignore[list-item]
    for found in lists:
        assert [(part.symbol, part.product) for part in found] == wanted


def test_an_account_with_products_comes_back_from_its_snapshot(short: pt.PaperBroker) -> None:
    """Positions, orders and stages by product, to the byte."""
    short.buy(SYMBOL, 10, product="MIS")
    short.buy("NSE:TCS", 1, limit_price=90, product="NRML")
    short.sell(SYMBOL, 3, product="NRML")
    quoted(short, "09:38:00")
    state = fold(AccountState(), short.events())
    assert snapshot(restore(snapshot(state))) == snapshot(state)
    assert digest(state) == short.digest()
    copied = short.exchange.clone_account("alice", "twin")
    assert held(copied) == held(short)
