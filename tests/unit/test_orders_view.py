"""What a person sees of an order: its sentence, numbers and fields by name; and that it never changes in a hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

import papertrade as pt

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOON.replace(minute=1)


@pytest.fixture
def broker() -> pt.PaperBroker:
    broker = pt.open_paper_broker(cash=100_000, kind="margin", clock="data", fees=pt.PerUnitFee("0.01"))
    broker.on_quote("X", bid="99.98", ask="100.00", bid_size=30, ask_size=30, at=NOON)
    return broker


def test_an_order_says_itself_in_a_sentence(broker: pt.PaperBroker) -> None:
    """Side, size, symbol, type, prices, time in force, status, what filled, and why it ended."""
    broker.buy("X", 10)
    broker.sell("X", 4, limit_price=110, time_in_force="day")
    broker.sell("X", 3, stop_price=90)
    broker.sell("X", 2, limit_price=88, stop_price=89)
    broker.buy("X", 50, limit_price=100)
    broker.buy("X", 1, stop_price=95)
    broker.cancel_order("main-3")
    assert [repr(order) for order in broker.orders()] == [
        "<Order main-1: buy 10 X market gtc, filled 10 at 100>",
        "<Order main-2: sell 4 X limit at 110 day, accepted>",
        "<Order main-3: sell 3 X stop at 90 gtc, canceled (requested)>",
        "<Order main-4: sell 2 X stop_limit at 88 stop 89 gtc, accepted>",
        "<Order main-5: buy 50 X limit at 100 gtc, partially filled 20 at 100>",
        "<Order main-6: buy 1 X stop at 95 gtc, rejected (stop_would_trigger)>",
    ]


def test_a_refused_change_is_not_why_an_order_stands(broker: pt.PaperBroker) -> None:
    """The sentence of a working order does not end in the reason of a change that was refused."""
    broker.buy("X", 1, limit_price=90)
    changed = broker.modify_order("main-1", quantity=1_000_000)
    assert changed.reason == "insufficient_funds"
    assert repr(changed) == "<Order main-1: buy 1 X limit at 90 gtc, accepted>"


def test_every_field_is_there_by_name(broker: pt.PaperBroker) -> None:
    """``to_dict`` gives every public field as people read it: Decimals, words and aware instants."""
    order = broker.place_order(
        symbol="X", side="buy", quantity=40, limit_price=100, time_in_force="gtd", expires_at="2026-02-01T00:00:00Z",
        client_order_id="k", tags={"a": "b"},
    )  # fmt: skip
    assert order.to_dict() == {
        "id": "main-1", "account": "main", "symbol": "X", "product": "", "side": "buy", "type": "limit", "quantity": 40,
        "notional": None, "limit_price": 100, "stop_price": None, "time_in_force": "gtd",
        "expires_at": datetime(2026, 2, 1, tzinfo=UTC), "ttl_minutes": None, "extended_hours": False,
        "after_market": False, "post_only": False, "reduce_only": False,
        "linked_order_id": None, "client_order_id": "k", "tags": {"a": "b"}, "status": "partially_filled",
        "filled_quantity": 30, "remaining_quantity": 10, "canceled_quantity": 0, "average_price": 100,
        "fees": Decimal("0.30"), "hold": order.hold, "placed_at": NOON, "triggered_at": None, "updated_at": NOON,
        "reason": None, "source": "paper",
    }  # fmt: skip
    assert order.hold > 0
    assert "<td>" in order._repr_html_()
    assert "Order main-1" in order._repr_html_()


def test_quantities_add_up_whatever_happened(broker: pt.PaperBroker) -> None:
    """quantity = filled + remaining + canceled, in Decimals and in units, open and closed."""
    order = broker.buy("X", 40, limit_price=100)
    assert (order.quantity, order.filled_quantity, order.remaining_quantity, order.canceled_quantity) == (40, 30, 10, 0)
    assert (order.is_open, order.is_final) == (True, False)
    order = broker.cancel_order(order)
    assert (order.quantity, order.filled_quantity, order.remaining_quantity, order.canceled_quantity) == (40, 30, 0, 10)
    assert (order.is_open, order.is_final) == (False, True)
    units = (order.filled_quantity_units, order.remaining_quantity_units, order.canceled_quantity_units)
    assert units == (30 * 10**9, 0, 10 * 10**9)


def test_an_average_is_exact_to_nine_places_and_missing_before_a_fill(broker: pt.PaperBroker) -> None:
    """Σ price × quantity ÷ Σ quantity, half to even at the ninth place; the whole units are rounded down."""
    order = broker.buy("X", 32)
    assert broker.buy("X", 1, limit_price=50).average_price is None
    assert broker.order("main-2").average_price_units is None
    broker.on_quote("X", bid="99.98", ask="100.01", bid_size=30, ask_size=1, at=LATER)
    assert broker.order(order).filled_quantity == 31
    broker.on_quote("X", bid="99.98", ask="100.02", bid_size=30, ask_size=1, at=NOON.replace(minute=2))
    order = broker.order(order)
    assert order.average_price == Decimal("3200.03") / 32 == Decimal("100.0009375")
    assert order.average_price_units == 100_000_937_500
    assert type(order.average_price_units) is int
    assert order.fees == Decimal("0.32")


def test_an_order_sized_by_money_and_one_with_flags_say_so(broker: pt.PaperBroker) -> None:
    """Notional, post-only and reduce-only are as they were asked."""
    money = broker.place_order(symbol="X", side="buy", notional="1000")
    assert (money.notional, money.notional_units, money.quantity) == (1000, 1000 * 10**9, 10)
    post = broker.place_order(symbol="X", side="buy", quantity=1, limit_price=90, post_only=True)
    reduce = broker.sell("X", 1, limit_price=120, reduce_only=True)
    flags = [(o.post_only, o.reduce_only) for o in (money, post, reduce)]
    assert flags == [(False, False), (True, False), (False, True)]


def test_linked_orders_know_each_other(broker: pt.PaperBroker) -> None:
    """Each of two linked orders names the other; an order alone names none."""
    first, second = (pt.OrderRequest(symbol="X", side="buy", quantity=1, limit_price=p) for p in (90, 91))
    one, two = broker.place_oco(first, second)
    assert (one.linked_order_id, two.linked_order_id) == ("main-2", "main-1")
    assert broker.buy("X", 1, limit_price=92).linked_order_id is None


def test_what_was_compared_is_readable(broker: pt.PaperBroker) -> None:
    """A refusal carries its numbers by name, as Decimals."""
    order = broker.buy("X", 1_000_000)
    assert order.status == "rejected"
    assert set(order.compared()) == {"required", "available"}
    assert order.compared()["available"] == 100_000
    assert order.compared()["required"] > 100_000


def test_a_trigger_is_seen_with_its_instant(broker: pt.PaperBroker) -> None:
    """A stop that fired says when; before that it says nothing."""
    order = broker.buy("X", 40, stop_price=101)
    assert (order.triggered_at, order.stop_price, order.stop_price_units) == (None, 101, 101 * 10**9)
    broker.on_quote("X", bid=101, ask=102, bid_size=30, ask_size=30, at=LATER)
    order = broker.order(order)
    assert (order.triggered_at, order.updated_at, order.placed_at) == (LATER, LATER, NOON)
    assert (order.status, order.filled_quantity) == ("partially_filled", 30)


def test_an_order_in_a_hand_never_changes(broker: pt.PaperBroker) -> None:
    """Whatever comes later, what somebody holds is as it was; equal means the same in every field."""
    held = broker.buy("X", 40, limit_price=100)
    before, same = held.to_dict(), broker.order("main-1")
    assert held == same
    assert held is not same
    broker.modify_order("main-1", quantity=50)
    broker.on_quote("X", bid="99.98", ask="100.00", bid_size=30, ask_size=5, at=LATER)
    broker.cancel_order("main-1")
    assert held.to_dict() == before
    assert held != broker.order("main-1")
    assert held == same
    assert held != "main-1"
    assert held.copy() == held
    with pytest.raises(TypeError):
        hash(held)


def test_keys_and_prices_of_an_order_can_be_read_in_units(broker: pt.PaperBroker) -> None:
    """The integers behind the Decimals are there under their own names."""
    order = broker.sell("X", 2, limit_price=110, client_order_id="k", tags={"a": "b"})
    assert (order.limit_price_units, order.stop_price_units, order.notional_units) == (110 * 10**9, None, None)
    assert (order.client_order_id, order.tags, order.side, order.type) == ("k", {"a": "b"}, "sell", "limit")
    assert (order.symbol, order.time_in_force, order.account) == ("X", "gtc", "main")
