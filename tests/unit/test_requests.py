"""From what a caller typed to exact terms: what is understood, and how each mistake is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import papertrade as pt
from papertrade.domain.instants import parse_instant
from papertrade.domain.numbers import SCALE
from papertrade.domain.orders import OrderTerms
from papertrade.errors import CurrencyMismatchError, InvalidValueError, UnknownOrderError, UsageError
from papertrade.hosting.requests import MAX_SEEN, SeenTerms, make_terms, parse_order_id, side_terms, terms_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
RESTS = "an order that may rest: day, gtc or gtd"
PAIRS = "an order that may rest: day, gtc, gtd or ttl"


def terms(**fields: Any) -> OrderTerms:
    """The terms of a request for 5 AAPL, with other fields as given."""
    return terms_of(pt.OrderRequest(**{"symbol": "AAPL", "side": "buy", "quantity": 5, **fields}), "main")


# ------------------------------------------------------------------ what is understood


def test_every_field_of_a_request_reaches_the_terms() -> None:
    """Nothing that a caller asks for is dropped or changes place, and it becomes exact integers."""
    full = terms(
        side="sell", type="stop_limit", limit_price="9.5", stop_price=10, time_in_force="gtd",
        expires_at="2026-02-01T00:00:00Z", reduce_only=True, oco_with="main-3", client_order_id="k", tags={"a": "b"},
    )  # fmt: skip
    assert full == OrderTerms(
        "AAPL", -1, pt.OrderType.STOP_LIMIT, 5 * SCALE, None, 9_500_000_000, 10 * SCALE, pt.TimeInForce.GTD,
        parse_instant("2026-02-01T00:00:00Z", "x"), False, True, 3, "k", (("a", "b"),),
    )  # fmt: skip


def test_what_is_left_out_is_a_plain_market_order() -> None:
    """Side and size are enough: a market order, good till canceled, with no flags, links, keys or tags."""
    plain = (None, None, None, pt.TimeInForce.GTC, None, False, False, 0, None, ())
    assert terms() == OrderTerms("AAPL", 1, pt.OrderType.MARKET, 5 * SCALE, *plain)
    assert side_terms("main", "AAPL", pt.Side.SELL, 5, {}, {}) == OrderTerms(
        "AAPL", -1, pt.OrderType.MARKET, 5 * SCALE, *plain
    )


def test_any_text_may_be_a_symbol_here() -> None:
    """Whether a symbol is listed is for the market to say, with its "did you mean": the terms take any text."""
    assert terms(symbol="").symbol == ""


def test_money_can_be_the_size() -> None:
    """A notional is an order without a quantity of its own."""
    money = terms(quantity=None, notional="99.50")
    assert (money.quantity_units, money.notional_units) == (0, 99_500_000_000)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "market"),
        ({"limit_price": 9}, "limit"),
        ({"stop_price": 9}, "stop"),
        ({"limit_price": 9, "stop_price": 8}, "stop_limit"),
        ({"type": "SL-M", "stop_price": 9}, "stop"),
        ({"type": "sl", "limit_price": 9, "stop_price": 8}, "stop_limit"),
        ({"type": pt.OrderType.LIMIT, "limit_price": 9}, "limit"),
    ],
)
def test_the_prices_say_the_type(fields: dict[str, object], kind: str) -> None:
    """A type may be left to the prices, or said in any accepted spelling, if it fits them."""
    assert terms(**fields).type == kind


@pytest.mark.parametrize("flag", ["post_only", "reduce_only"])
def test_flags_are_what_they_say(flag: str) -> None:
    """Each flag is its own: setting one leaves the other."""
    found = terms(limit_price=9, **{flag: True})
    assert (found.post_only, found.reduce_only) == (flag == "post_only", flag == "reduce_only")


# ------------------------------------------------------------------ mistakes, by name

MISTAKES: list[tuple[dict[str, object], str, object, str | None]] = [
    ({"side": "long"}, "side", "long", "buy, b, sell, s"),
    ({"symbol": 5}, "symbol", 5, None),
    ({"quantity": None}, "quantity", None, "a quantity, or a notional (an amount of money)"),
    ({"quantity": 0}, "quantity", 0, "a number above 0"),
    ({"notional": 7}, "notional", 7, "a quantity or a notional, not both"),
    ({"quantity": None, "notional": -1}, "notional", -1, "a number above 0"),
    ({"limit_price": 0}, "limit_price", 0, "a number above 0"),
    ({"stop_price": "x"}, "stop_price", "x", None),
    ({"type": "iceberg"}, "type", "iceberg", None),
    ({"type": "limit"}, "type", "limit with no price", "for limit: limit_price"),
    ({"type": "market", "limit_price": 9}, "type", "market with limit_price", "for market: no price"),
    (
        {"type": "stop", "limit_price": 9, "stop_price": 9},
        "type", "stop with limit_price and stop_price", "for stop: stop_price",
    ),
    (
        {"type": "sl", "stop_price": 9},
        "type", "stop_limit with stop_price", "for stop_limit: limit_price and stop_price",
    ),
    ({"time_in_force": "forever"}, "time_in_force", "forever", None),
    ({"expires_at": NOON}, "expires_at", NOON, "only with time_in_force='gtd'"),
    ({"time_in_force": "gtd"}, "expires_at", None, "an instant, because time_in_force is 'gtd'"),
    ({"time_in_force": "gtd", "expires_at": "soon"}, "expires_at", "soon", None),
    ({"post_only": 1, "limit_price": 9}, "post_only", 1, "True or False"),
    ({"reduce_only": "no"}, "reduce_only", "no", "True or False"),
    ({"post_only": True}, "post_only", "with a market order", "only with a limit order"),
    ({"post_only": True, "limit_price": 9, "time_in_force": "ioc"}, "post_only", "with ioc", RESTS),
    ({"post_only": True, "limit_price": 9, "time_in_force": "fok"}, "post_only", "with fok", RESTS),
    ({"client_order_id": ""}, "client_order_id", "", None),
    ({"tags": 5}, "tags", 5, None),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "field", "found", "accepted"), MISTAKES)
def test_a_mistake_names_its_field(
    fields: dict[str, object], field: str, found: object, accepted: str | None
) -> None:
    """What cannot be understood is misuse: the error says which field, what was found and what is accepted."""
    with pytest.raises(InvalidValueError) as caught:
        terms(**fields)
    error = caught.value
    assert (error.field, error.found) == (field, found)
    assert accepted is None or error.accepted == accepted


def test_only_a_request_is_a_request() -> None:
    """A dictionary is not silently taken for a request."""
    with pytest.raises(InvalidValueError) as caught:
        terms_of({"symbol": "AAPL"}, "main")  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.found) == ("request", {"symbol": "AAPL"})
    assert caught.value.accepted == "an OrderRequest, or its fields by name"


def test_an_unknown_option_is_named_with_those_that_exist() -> None:
    """``buy(..., limit=5)`` says that there is no such option and lists what there is."""
    with pytest.raises(InvalidValueError) as caught:
        side_terms("main", "AAPL", pt.Side.BUY, 5, {"limit": 9, "stop": 8}, {})  # type: ignore[typeddict-unknown-key]
    error = caught.value
    assert (error.field, error.found) == ("option", ["limit", "stop"])
    assert error.accepted.startswith("after_market, client_order_id, expires_at, extended_hours, limit_price, ")
    assert error.__suppress_context__


def test_a_quantity_of_a_plain_order_is_named_too() -> None:
    """The short way for plain market orders refuses like the long one."""
    for symbol, quantity, field in (("AAPL", 0, "quantity"), ("AAPL", "x", "quantity"), (5, 1, "symbol")):
        with pytest.raises(InvalidValueError) as caught:
            side_terms("main", symbol, pt.Side.BUY, quantity, {}, {})  # type: ignore[arg-type]
        assert caught.value.field == field


# ------------------------------------------------------------------ plain terms, kept


def test_plain_terms_are_made_once_and_the_table_is_bounded() -> None:
    """A size that a strategy repeats is parsed once; True is not 1, and the table never outgrows its bound."""
    seen: SeenTerms = {}
    first = side_terms("main", "AAPL", pt.Side.BUY, 1, {}, seen)
    assert side_terms("main", "AAPL", pt.Side.BUY, 1, {}, seen) is first
    assert side_terms("main", "AAPL", pt.Side.SELL, 1, {}, seen) is not first
    assert side_terms("main", "MSFT", pt.Side.BUY, 1, {}, seen).symbol == "MSFT"
    assert side_terms("main", "AAPL", pt.Side.BUY, 1, {"limit_price": 9}, seen).limit_units == 9 * SCALE
    with pytest.raises(InvalidValueError):
        side_terms("main", "AAPL", pt.Side.BUY, True, {}, seen)
    side_terms("main", "AAPL", pt.Side.BUY, "1", {}, seen)
    assert len(seen) == 3
    for quantity in range(2, MAX_SEEN - 1):
        side_terms("main", "AAPL", pt.Side.BUY, quantity, {}, seen)
    assert len(seen) == MAX_SEEN
    side_terms("main", "AAPL", pt.Side.BUY, MAX_SEEN + 1, {}, seen)
    assert list(seen) == [("AAPL", pt.Side.BUY, MAX_SEEN + 1)]


# ------------------------------------------------------------------ order ids

LONGEST = "a" * 64


@pytest.mark.parametrize(
    ("order_id", "account", "number"),
    [("main-7", "main", 7), ("a-b-12", "a-b", 12), (f"{LONGEST}-{'1' * 31}", LONGEST, int("1" * 31))],
)
def test_an_order_id_is_the_account_and_a_number(order_id: str, account: str, number: int) -> None:
    """Everything before the last dash is the account, which may hold dashes itself."""
    assert parse_order_id(order_id, account) == number


@pytest.mark.parametrize(
    "order_id",
    ["main-0", "main-07", "main-", "main7", "-7", "other-7", "main-+7", "main-٧", "main-²", "main--7", 7, None,
     f"main-{'1' * 92}"],
)  # fmt: skip
def test_what_is_no_id_of_this_account_is_an_unknown_order(order_id: object) -> None:
    """One order has one id: no leading zeros, no other digits, no other account; the error says both."""
    with pytest.raises(UnknownOrderError) as caught:
        parse_order_id(order_id, "main")
    assert (caught.value.order_id, caught.value.account) == (order_id, "main")


# ------------------------------------------------------------------ on an account

Call = Callable[[pt.PaperBroker], object]


@pytest.fixture
def broker() -> pt.PaperBroker:
    """10 AAPL; waiting: a sale (2), a stop (3), both linked, a buy (4) and an order for MSFT (5)."""
    broker = pt.open_paper_broker(cash=100_000, clock="data")
    broker.on_quote("AAPL", bid="99.98", ask="100.00", at=NOON)
    broker.on_quote("MSFT", bid="49.98", ask="50.00", at=NOON)
    broker.buy("AAPL", 10)
    broker.place_oco(request(limit_price=120), request(stop_price=80))
    broker.buy("AAPL", 5, limit_price=90)
    broker.buy("MSFT", 5, limit_price=40)
    return broker


def request(**fields: Any) -> pt.OrderRequest:
    return pt.OrderRequest(**{"symbol": "AAPL", "side": "sell", "quantity": 5, **fields})


def pair(one: pt.OrderRequest, two: pt.OrderRequest | None = None) -> Call:
    return lambda broker: broker.place_oco(one, two or request(limit_price=130))


REFUSED: list[tuple[Call, str, object, str]] = [
    (
        lambda b: b.buy("AAPL", 1, limit_price=80, oco_with="main-5"),
        "oco_with", "an order for MSFT", "an order for AAPL",
    ),
    (
        lambda b: b.buy("AAPL", 1, limit_price=80, oco_with="main-2"),
        "oco_with", "main-2, linked to main-3", "an order without a link",
    ),
    (lambda b: b.buy("AAPL", 1, limit_price=80, oco_with="main-4", time_in_force="ioc"), "oco_with", "with ioc", PAIRS),
    (lambda b: b.buy("AAPL", 1, limit_price=80, oco_with="main-4", time_in_force="fok"), "oco_with", "with fok", PAIRS),
    (lambda b: b.link_orders("main-4", "main-5"), "oco_with", "an order for MSFT", "an order for AAPL"),
    (lambda b: b.link_orders("main-4", "main-2"), "oco_with", "main-2, linked to main-3", "an order without a link"),
    (lambda b: b.link_orders("main-2", "main-4"), "oco_with", "main-2, linked to main-3", "an order without a link"),
    (pair(request(limit_price=120, symbol="MSFT")), "oco", "MSFT and AAPL", "two orders of one symbol and product"),
    (
        pair(request(limit_price=120, oco_with="main-4")),
        "oco", "oco_with", "two orders that may rest, linked to nothing else",
    ),
    (
        pair(request(limit_price=120, time_in_force="ioc")),
        "oco", "ioc", "two orders that may rest, linked to nothing else",
    ),
    (
        pair(request(limit_price=120), request(limit_price=130, time_in_force="fok")),
        "oco", "fok", "two orders that may rest, linked to nothing else",
    ),
    (
        lambda b: b.modify_order("main-3", limit_price=5),
        "limit_price", "for a stop order", "only for limit and stop-limit orders",
    ),
    (
        lambda b: b.modify_order("main-4", stop_price=5),
        "stop_price", "for a limit order", "only for stop and stop-limit orders",
    ),
    (lambda b: b.modify_order("main-4", expires_at=NOON), "expires_at", "for a gtc order", "only for gtd orders"),
    (lambda b: b.close_position("MSFT"), "symbol", "MSFT", "a symbol with an open position"),
    (lambda b: b.reset_limit("loss"), "limit", "loss", "kill_switch, max_daily_loss, max_drawdown"),
    (lambda b: b.reset_limit(None), "limit", None, "kill_switch, max_daily_loss, max_drawdown"),  # type: ignore[arg-type]
    (lambda b: b.reset_limit([]), "limit", [], "kill_switch, max_daily_loss, max_drawdown"),  # type: ignore[arg-type]
    (lambda b: b.deposit("0.001"), "amount", Decimal("0.001"), "an amount with at most 2 decimals"),
    (lambda b: b.withdraw("0.001"), "amount", Decimal("0.001"), "an amount with at most 2 decimals"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "field", "found", "accepted"), REFUSED)
def test_misuse_of_an_account_is_named_and_leaves_no_trace(
    broker: pt.PaperBroker, call: Call, field: str, found: object, accepted: str
) -> None:
    """A call that cannot be meant changes nothing: no event, no version, the same state."""
    before = broker.account().version, broker.digest()
    with pytest.raises(InvalidValueError) as caught:
        call(broker)
    error = caught.value
    assert (error.field, error.found, error.accepted) == (field, found, accepted)
    assert (broker.account().version, broker.digest()) == before


@pytest.mark.parametrize(
    ("call", "order_id"),
    [
        (lambda b: b.buy("AAPL", 1, limit_price=80, oco_with="main-1"), "main-1"),
        (lambda b: b.link_orders("main-9", "main-4"), "main-9"),
        (lambda b: b.link_orders("main-4", "main-1"), "main-1"),
        (lambda b: b.cancel_order("main-99"), "main-99"),
        (lambda b: b.modify_order("main-99", quantity=1), "main-99"),
    ],
)
def test_an_order_that_is_not_there_is_named(broker: pt.PaperBroker, call: Call, order_id: str) -> None:
    """Only an open order can be linked, and only a known one changed: the error says which id was given."""
    with pytest.raises(UnknownOrderError) as caught:
        call(broker)
    assert (caught.value.order_id, caught.value.account) == (order_id, "main")


def test_an_order_is_not_linked_to_itself(broker: pt.PaperBroker) -> None:
    """A link is between two orders."""
    with pytest.raises(UsageError, match=r"^an order cannot be linked to itself; accepted: two different open orders$"):
        broker.link_orders("main-4", "main-4")


def test_a_link_whose_other_order_has_ended_is_no_link(broker: pt.PaperBroker) -> None:
    """An order that outlives its linked order may be linked anew."""
    late = broker.buy("AAPL", 5, limit_price=85, time_in_force="gtd", expires_at=NOON.replace(hour=13))
    broker.link_orders("main-4", late)
    broker.modify_order(late, quantity=4)
    third = broker.buy("AAPL", 5, limit_price=84)
    broker.exchange.advance(NOON.replace(hour=14))
    assert [broker.order(o).status for o in ("main-4", late)] == ["accepted", "expired"]
    assert broker.order("main-4").linked_order_id == late.id
    assert [o.linked_order_id for o in broker.link_orders("main-4", third)] == [third.id, "main-4"]


def test_an_order_object_stands_for_its_id(broker: pt.PaperBroker) -> None:
    """What was closed is named by its id, also when the order itself was handed in."""
    gone = broker.order("main-1")
    with pytest.raises(UnknownOrderError) as caught:
        broker.link_orders("main-4", gone)
    assert caught.value.order_id == "main-1"


def test_a_day_order_before_any_datum_has_no_day() -> None:
    """A replay has no day before its first datum, so an order for the day is misuse, alone and in a pair."""
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("AAPL")
    broker = exchange.open_account("main", cash=1000)
    for call in (lambda: broker.buy("AAPL", 1, limit_price=5, time_in_force="day"),
                 lambda: broker.place_oco(request(limit_price=5), request(limit_price=6, time_in_force="day"))):
        with pytest.raises(InvalidValueError) as caught:
            call()
        error = caught.value
        assert (error.field, error.found) == ("time_in_force", "day, before any datum")
        assert error.accepted == "gtc, or place it after the first datum"
    assert broker.buy("AAPL", 1, limit_price=5).is_open


def test_an_instrument_of_another_currency_is_refused_by_every_command() -> None:
    """Orders, pairs, previews, cancels and closes of a symbol in another currency say so, and nothing happens."""
    exchange = pt.Exchange()
    exchange.add_instrument("INFY", currency="INR")
    broker = exchange.open_account("main", cash=1000)
    before = broker.account().version
    calls: list[Call] = [
        lambda b: b.buy("INFY", 1),
        lambda b: b.place_oco(request(symbol="INFY", limit_price=5), request(symbol="INFY", limit_price=6)),
        lambda b: b.preview_order(request(symbol="INFY")),
        lambda b: b.cancel_all_orders("INFY"),
        lambda b: b.close_position("INFY"),
    ]
    for call in calls:
        with pytest.raises(CurrencyMismatchError):
            call(broker)
    assert broker.account().version == before


def test_whole_cents_are_moved_and_seen(broker: pt.PaperBroker) -> None:
    """Deposits and withdrawals of whole cents move the cash, keep note and key, and are no profit or loss."""
    assert broker.deposit("10.25", command_id="d", note="salary").total == 99_000 + Decimal("10.25")
    assert broker.withdraw("10.25", command_id="w", note="rent").net_deposits == 100_000
    events = [(e.kind, e.command_id, e.note) for e in broker.events()[-2:]]  # type: ignore[attr-defined]
    assert events == [("cash_deposited", "d", "salary"), ("cash_withdrawn", "w", "rent")]


def test_a_cancel_answers_the_order_it_canceled(broker: pt.PaperBroker) -> None:
    """Cancel answers the ended order; again it answers the same and adds no event; of all it answers them in order."""
    order = broker.cancel_order("main-4")
    assert (order.id, order.status) == ("main-4", "canceled")
    version = broker.account().version
    assert broker.cancel_order("main-4") == order
    assert broker.account().version == version
    assert [o.id for o in broker.cancel_all_orders("AAPL")] == ["main-2", "main-3"]
    assert [o.id for o in broker.orders("open")] == ["main-5"]
    assert [o.id for o in broker.cancel_all_orders()] == ["main-5"]


def test_closing_everything_cancels_and_closes_by_symbol(broker: pt.PaperBroker) -> None:
    """Closing orders come in the order of the symbols, after every open order was canceled."""
    broker.buy("MSFT", 3)
    closed = broker.close_all_positions()
    assert [(o.symbol, o.side, o.filled_quantity) for o in closed] == [("AAPL", "sell", 10), ("MSFT", "sell", 3)]
    assert broker.orders("open") == []
    assert broker.positions() == []


def test_a_preview_says_what_would_come_and_leaves_no_trace(broker: pt.PaperBroker) -> None:
    """A preview fills on paper only: sizes taken from the quote are put back, and nothing is stored."""
    broker.on_quote("AAPL", bid="99.98", ask="100.00", bid_size=4, ask_size=4, at=NOON.replace(minute=1))
    before = broker.account().version, broker.digest()
    for _ in range(2):
        seen = broker.preview_order(request(side="buy", quantity=3))
        assert (seen.accepted, seen.side, seen.symbol, seen.filled, seen.value) == (True, "buy", "AAPL", 3, 300)
    assert broker.preview_order(request(quantity=1)).side == "sell"
    assert (broker.account().version, broker.digest()) == before
    assert broker.buy("AAPL", 4).filled_quantity == 4


def test_who_forgets_the_quantity_is_told_of_both_ways_to_give_one() -> None:
    """A short call says what a long one does."""
    broker = pt.open_paper_broker(cash=100)
    for forgot in (lambda: broker.buy("ABC"), lambda: broker.buy("ABC", limit_price=1)):
        with pytest.raises(InvalidValueError) as caught:
            forgot()
        assert str(caught.value) == "quantity: found None; accepted: a quantity, or a notional (an amount of money)"


def test_a_pair_is_refused_whole_for_the_reason_of_one(broker: pt.PaperBroker) -> None:
    """Both orders of a pair are refused when one is, each with its own number and terms and the reason of the one."""
    one, two = broker.place_oco(request(limit_price=120, quantity=11), request(limit_price=130, quantity=2))
    assert [o.status for o in (one, two)] == ["rejected", "rejected"]
    assert one.reason == two.reason == "insufficient_position"
    assert (one.id, one.quantity, two.id, two.quantity) == ("main-6", 11, "main-7", 2)
    assert one.compared() == two.compared() != {}
    assert two.limit_price == 130


def test_a_pair_is_accepted_and_linked_both_ways(broker: pt.PaperBroker) -> None:
    """Both orders of a pair come back, in the order given, and each knows the other."""
    one, two = broker.place_oco(request(limit_price=120), request(limit_price=130, quantity=3))
    assert (one.id, one.limit_price, two.id, two.limit_price) == ("main-6", 120, "main-7", 130)
    assert (one.linked_order_id, two.linked_order_id) == ("main-7", "main-6")


def test_terms_from_bare_fields_are_those_of_the_request() -> None:
    """Fields by name and a request are two spellings of one thing."""
    bare = make_terms("main", "AAPL", "b", 5, None, None, 9, None, "day", None, False, False, None, "k", {"a": "b"})
    assert bare == terms(limit_price=9, time_in_force="day", client_order_id="k", tags={"a": "b"})
