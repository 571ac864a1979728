"""Events move state: what each leaves behind on the order and on the account, and what is out of turn is stopped."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import papertrade as pt
from papertrade.domain.events import (
    CashDeposited,
    Event,
    Evidence,
    LimitReset,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderModifyRejected,
    OrderReduced,
    OrderRejected,
    OrdersLinked,
    OrderTriggered,
)
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.engine.evolve import evolve, fold
from papertrade.engine.order_moves import fold_order
from papertrade.engine.state import AccountState
from papertrade.errors import InvariantError

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SEEN = Evidence("quote", 1, 0, ())
TERMS = OrderTerms(
    "X", 1, OrderType.STOP_LIMIT, 100, None, 60, 50, TimeInForce.GTD, 900, False, False, 0, None, ()
)  # fmt: skip


def accepted(number: int = 1, version: int = 1, sign: int = 1, oco: int = 0, quantity: int = 100) -> OrderAccepted:
    terms = TERMS._replace(sign=sign, quantity_units=quantity)
    return OrderAccepted("main", version, 10 * version, number, terms, quantity, 900, 7, 7, oco)


def filled(quantity: int, version: int, number: int = 1, role: str = "taker", **other: object) -> OrderFilled:
    event = OrderFilled(
        "main", version, 10 * version, number, version, "X", 1, quantity, 55, 55, quantity * 55, 0, 0, 0, 0,
        (("commission", 3),), 2, -5, role, "Q6", SEEN, "m",
    )  # fmt: skip
    return event._replace(**other)


def order_of(*events: Event) -> Order:
    order = fold_order(events, 1)
    assert order is not None
    return order


def facts(order: Order, *names: str) -> list[object]:
    return [getattr(order, name) for name in names]


# ------------------------------------------------------------------ the order


def test_an_accepted_order_begins_as_it_was_asked() -> None:
    """Terms, size, prices, expiry, hold and link are on the order; nothing has filled, and it is new in every sense."""
    order = order_of(accepted(oco=4))
    assert facts(order, "account", "number", "status", "terms", "quantity_units", "limit_units", "stop_units") == [
        "main", 1, "accepted", TERMS, 100, 60, 50,
    ]  # fmt: skip
    assert facts(order, "expires_ns", "hold_units", "oco", "version", "priority") == [900, 7, 4, 1, 1]
    assert facts(order, "placed_ns", "since_ns", "updated_ns") == [10, 10, 10]
    assert facts(order, "triggered_ns", "reason", "numbers") == [None, None, ()]
    assert facts(order, "filled_units", "canceled_units", "value_units", "maker_units", "pq", "fees_units") == [0] * 6


def test_a_refused_order_has_nothing_left() -> None:
    """All of it is canceled, with the reason and the numbers; it holds nothing and is linked to nothing."""
    order = order_of(OrderRejected("main", 3, 30, 1, TERMS, 100, "insufficient_funds", (("required", 9),)))
    assert facts(order, "status", "canceled_units", "remaining_units") == ["rejected", 100, 0]
    assert facts(order, "hold_units", "oco") == [0, 0]
    assert facts(order, "reason", "numbers", "expires_ns", "version") == [
        "insufficient_funds", (("required", 9),), 900, 3,
    ]  # fmt: skip
    assert facts(order, "placed_ns", "since_ns", "updated_ns") == [30, 30, 30]


def test_a_trigger_gives_a_new_place_in_time() -> None:
    """From its trigger on, the order is new to the market: instant, priority and what older data says of it."""
    order = order_of(accepted(), OrderTriggered("main", 2, 20, 1, "Q6", SEEN))
    assert facts(order, "status", "triggered_ns", "since_ns", "updated_ns", "version", "priority", "placed_ns") == [
        "triggered", 20, 20, 20, 2, 2, 10,
    ]  # fmt: skip


def test_fills_add_up_by_role() -> None:
    """Quantity, value, Σ price × quantity and fees are sums; only what filled as maker counts as made."""
    order = order_of(accepted(), filled(30, 2, role="maker"), filled(50, 3))
    assert facts(order, "status", "filled_units", "value_units", "pq", "maker_units", "fees_units") == [
        "partially_filled", 80, 80 * 55, 80 * 55, 30 * 55, 6,
    ]  # fmt: skip
    assert facts(order, "hold_units", "updated_ns", "version", "priority") == [2, 30, 3, 1]
    assert facts(order_of(accepted(), filled(30, 2, fees=())), "fees_units") == [0]
    assert order_of(accepted(), filled(10, 2, role="maker"), filled(20, 3, role="maker")).maker_units == 30 * 55


def test_the_last_fill_ends_an_order_without_a_reason() -> None:
    """What was cut or refused along the way is not why a filled order ended."""
    cut = OrderReduced("main", 2, 20, 1, 40, "oco_partial_fill", (("a", 1),), 6, -1)
    order = order_of(accepted(), cut)
    assert facts(order, "status", "canceled_units", "hold_units", "reason", "numbers", "updated_ns", "version") == [
        "accepted", 40, 6, "oco_partial_fill", (("a", 1),), 20, 2,
    ]  # fmt: skip
    twice = order_of(accepted(), cut, cut._replace(version=3, quantity_units=5))
    assert twice.canceled_units == 45
    order = order_of(accepted(), cut, filled(30, 3))
    assert facts(order, "status", "reason", "numbers") == ["partially_filled", "oco_partial_fill", (("a", 1),)]
    order = order_of(accepted(), cut, filled(60, 3))
    assert facts(order, "status", "reason", "numbers", "remaining_units") == ["filled", None, (), 0]


@pytest.mark.parametrize(
    ("ending", "reason", "numbers"),
    [
        (OrderCanceled("main", 3, 30, 1, "requested", (("b", 2),), -5, None), "requested", (("b", 2),)),
        (OrderExpired("main", 3, 30, 1, -5), None, ()),
    ],
)
def test_the_end_of_an_order_cancels_what_remains(ending: Event, reason: str | None, numbers: object) -> None:
    """Whatever was left is canceled, nothing is held any more, and the reason is that of the end."""
    cut = OrderReduced("main", 2, 20, 1, 10, "oco_partial_fill", (("a", 1),), 6, -1)
    order = order_of(accepted(), filled(30, 2), cut, ending)
    assert facts(order, "filled_units", "canceled_units", "remaining_units", "hold_units") == [30, 70, 0, 0]
    assert facts(order, "reason", "numbers", "updated_ns", "version", "is_final") == [reason, numbers, 30, 3, True]


@pytest.mark.parametrize(
    ("change", "priority", "since"),
    [
        ({}, 1, 10),
        ({"quantity_units": 99}, 1, 10),
        ({"quantity_units": 101}, 2, 20),
        ({"limit_units": 61}, 2, 20),
        ({"stop_units": 51}, 1, 20),
        ({"expires_ns": 901}, 1, 10),
    ],
)
def test_a_new_price_or_more_size_loses_time_priority(change: dict[str, int], priority: int, since: int) -> None:
    """Less size or another expiry keeps the place in the queue; a new stop price keeps it but older data is void."""
    fields = {"quantity_units": 100, "limit_units": 60, "stop_units": 50, "expires_ns": 900, **change}
    event = OrderModified("main", 2, 20, 1, *fields.values(), 8, 1, None)  # type: ignore[arg-type]
    refused = OrderModifyRejected("main", 1, 15, 1, None, None, None, None, "x", (("c", 3),), None)
    order = order_of(accepted(), refused, event)
    assert facts(order, *fields) == list(fields.values())
    assert facts(order, "priority", "since_ns", "updated_ns", "version", "hold_units") == [priority, since, 20, 2, 8]
    assert facts(order, "status", "reason", "numbers") == ["accepted", None, ()]


def test_a_refused_change_leaves_an_order_as_it_stood_and_says_why() -> None:
    """Only reason, numbers, instant and version move; an order that had ended is not touched at all."""
    refused = OrderModifyRejected("main", 4, 40, 1, 5, None, None, None, "too_small", (("c", 3),), "k")
    order = order_of(accepted(), refused)
    assert facts(order, "status", "quantity_units", "reason", "numbers", "updated_ns", "version") == [
        "accepted", 100, "too_small", (("c", 3),), 40, 4,
    ]  # fmt: skip
    ended = (accepted(), OrderCanceled("main", 3, 30, 1, "requested", (), -5, None))
    assert order_of(*ended, refused) == order_of(*ended)


def test_links_are_seen_from_both_sides() -> None:
    """A link names the other order on each, whichever order it is asked for, and an acceptance may bring it."""
    link = OrdersLinked("main", 5, 50, 1, 2, 0)
    assert facts(order_of(accepted(), link), "oco", "version", "updated_ns") == [2, 5, 10]
    other = fold_order([accepted(2), link], 2)
    assert other is not None
    assert other.oco == 1
    brought = fold_order([accepted(1), accepted(2, 2, oco=1)], 1)
    assert brought is not None
    assert (brought.oco, brought.version) == (2, 2), "as in memory"
    stranger = fold_order([accepted(1), accepted(2, 2, oco=3)], 1)
    assert stranger is not None
    assert stranger.oco == 0


def test_events_without_a_beginning_are_no_order() -> None:
    """History that does not begin with acceptance or refusal answers nothing; what is no order's is passed over."""
    assert fold_order([], 1) is None
    assert fold_order([filled(30, 2)], 1) is None
    assert fold_order([accepted(2, oco=1)], 1) is None
    assert order_of(accepted(), CashDeposited("main", 2, 20, 5, "USD", None, "")) == order_of(accepted())


# ------------------------------------------------------------------ the account


def state_of(*events: Event) -> AccountState:
    state = AccountState()
    state.account = "main"
    return fold(state, events)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_an_event_out_of_turn_is_a_broken_invariant(version: int) -> None:
    """Versions have no gap and no repeat: what was found and what had to come are named."""
    state = state_of(accepted())
    with pytest.raises(InvariantError) as caught:
        evolve(state, OrderTriggered("main", version, 20, 1, "Q6", SEEN))
    error = caught.value
    assert (error.check, error.account, error.found, error.expected) == ("E1 gap-free versions", "main", version, 2)
    assert (state.version, state.at_ns) == (1, 10)


def test_an_event_about_no_open_order_is_a_broken_invariant() -> None:
    """Only an open order can move: the error names the number and those that are open."""
    state = state_of(accepted(), accepted(2, 2))
    with pytest.raises(InvariantError) as caught:
        evolve(state, filled(30, 3, number=7))
    error = caught.value
    assert (error.check, error.account, error.found, error.expected) == ("O1 order is open", "main", 7, [1, 2])


def test_a_fill_that_does_not_balance_is_a_broken_invariant() -> None:
    """Figures of a fill that contradict each other never reach the books unnoticed: account and version are named."""
    state = state_of(accepted())
    with pytest.raises(InvariantError) as caught:
        evolve(state, filled(30, 2, released_units=1))
    error = caught.value
    assert (error.check, error.account, error.found) == (
        "L1 balanced entry", "main", "a sum of -0.000000001 at version 2",
    )  # fmt: skip


END = OrderExpired("main", 2, 20, 1, 0)
FROM_ACCEPTED = ["canceled", "expired", "filled", "modified", "partly_filled", "reduced", "triggered"]


@pytest.mark.parametrize(
    ("before", "event", "found", "legal"),
    [
        (OrderTriggered("main", 2, 20, 1, "Q6", SEEN), OrderTriggered("main", 3, 30, 1, "Q6", SEEN),
         "triggered when triggered", [what for what in FROM_ACCEPTED if what != "triggered"]),
        (END, OrderTriggered("main", 3, 30, 1, "Q6", SEEN), "triggered when expired", "nothing: final"),
        (END, filled(30, 3), "partly_filled when expired", "nothing: final"),
        (END, OrderReduced("main", 3, 30, 1, 5, "x", (), 0, 0), "reduced when expired", "nothing: final"),
    ],
)  # fmt: skip
def test_a_move_that_is_not_in_the_table_is_a_broken_invariant(
    before: Event, event: Event, found: str, legal: object
) -> None:
    """A trigger is one-way and final is final: the error names account, move, and what would have been legal."""
    with pytest.raises(InvariantError) as caught:
        fold_order([accepted(), before, event], 1)
    error = caught.value
    assert (error.check, error.account, error.found, error.expected) == ("O1 order lifecycle", "main", found, legal)


def test_each_event_moves_version_and_instant_and_folding_keeps_no_ended_orders() -> None:
    """After a fold the state stands at the last event, and what ended on the way is not kept in memory."""
    state = state_of(accepted(), OrderExpired("main", 2, 25, 1, -7))
    assert (state.version, state.at_ns, state.orders, state.finished) == (2, 25, {}, [])
    assert (state.next_order, state.books) == (2, {"assets:holds": 0, "assets:cash": 0})
    evolve(state, OrderRejected("main", 3, 30, 2, TERMS, 100, "x", ()))
    assert [o.number for o in state.finished] == [2]
    assert state.next_order == 3


@pytest.mark.parametrize("sign", [1, -1])
def test_working_quantities_follow_the_orders(sign: int) -> None:
    """What open orders may still fill is counted by side; linked orders of one side count once, the larger of them."""
    state = state_of(accepted(1, 1, sign), accepted(2, 2, sign, oco=1, quantity=70))
    position = state.positions["X"]

    def working() -> tuple[int, int]:
        return position.working(sign), position.working(-sign)

    assert working() == (100, 0)
    assert (state.orders[1].oco, state.orders[1].version, state.orders[2].oco) == (2, 2, 1)
    evolve(state, OrderReduced("main", 3, 30, 1, 20, "x", (), 7, 0))
    assert working() == (80, 0)
    evolve(state, OrderReduced("main", 4, 40, 1, 20, "x", (), 7, 0))
    assert working() == (70, 0)
    evolve(state, OrderCanceled("main", 5, 50, 2, "requested", (), 0, None))
    assert working() == (60, 0)
    evolve(state, accepted(3, 6, sign, quantity=40))
    assert working() == (100, 0)
    evolve(state, OrdersLinked("main", 7, 70, 1, 3, 0))
    assert working() == (60, 0)
    evolve(state, OrderModified("main", 8, 80, 3, 90, 60, 50, 900, 7, 0, None))
    assert working() == (90, 0)
    evolve(state, OrderExpired("main", 9, 90, 3, 0))
    assert working() == (60, 0)
    evolve(state, OrderCanceled("main", 10, 99, 1, "requested", (), 0, None))
    assert working() == (0, 0)


def test_linked_orders_of_two_sides_count_on_their_own() -> None:
    """A buy and a sale that are linked can each be what fills, so each is counted whole."""
    state = state_of(accepted(1, 1, 1), accepted(2, 2, -1, oco=1, quantity=70))
    position = state.positions["X"]
    assert (position.working(1), position.working(-1)) == (100, 70)
    evolve(state, OrderCanceled("main", 3, 30, 1, "requested", (), 0, None))
    assert (position.working(1), position.working(-1)) == (0, 70)


def test_a_refused_change_of_an_ended_order_is_no_news() -> None:
    """A change that came too late is an event, and moves no order."""
    late = OrderModifyRejected("main", 3, 30, 1, 5, None, None, None, "order_final", (), None)
    state = state_of(accepted(), OrderExpired("main", 2, 20, 1, -7), late)
    assert (state.version, state.orders) == (3, {})
    working = state_of(accepted(), late._replace(version=2))
    assert working.orders[1].reason == "order_final"


def test_holdings_are_the_positions_that_are_not_flat() -> None:
    """Opening adds a holding, closing takes it out, and going on in one direction changes nothing."""
    state = state_of(accepted(), filled(30, 2))
    assert (state.open_positions, list(state.holdings), state.next_fill) == (1, ["X"], 3)
    evolve(state, filled(20, 3))
    assert (state.open_positions, list(state.holdings)) == (1, ["X"])
    evolve(state, accepted(9, 4)._replace(terms=TERMS._replace(symbol="Y")))
    evolve(state, filled(10, 5, 9, symbol="Y"))
    assert (state.open_positions, list(state.holdings)) == (2, ["X", "Y"])
    evolve(state, accepted(2, 6, -1))
    closing = filled(50, 7, 2, sign=-1, closed_units=50, closed_value_units=50 * 55, released_units=50 * 55)
    evolve(state, closing)
    assert (state.open_positions, list(state.holdings)) == (1, ["Y"])
    evolve(state, accepted(3, 8, -1)._replace(terms=TERMS._replace(symbol="Y", sign=-1)))
    other = {"symbol": "Y", "sign": -1, "closed_units": 10, "closed_value_units": 550, "released_units": 550}
    evolve(state, filled(10, 9, 3, **other))
    assert (state.open_positions, state.holdings) == (0, {})


def test_an_order_that_somebody_may_hold_is_copied_before_it_moves() -> None:
    """Orders up to the committed version are in readers' hands; younger ones move in place."""
    state = state_of(accepted())
    state.committed = 1
    held = state.orders[1]
    evolve(state, filled(30, 2))
    assert (held.filled_units, state.orders[1].filled_units) == (0, 30)
    young = state.orders[1]
    evolve(state, filled(20, 3))
    assert state.orders[1] is young


# ------------------------------------------------------------------ limits and days


@pytest.fixture
def broker() -> pt.PaperBroker:
    broker = pt.open_paper_broker(cash=1000, clock="data", kind="margin")
    broker.on_quote("X", bid=100, ask=100, at=NOON)
    return broker


def state(broker: pt.PaperBroker) -> AccountState:
    return broker.exchange._desk.engine.seats["main"].state


UNIT = 10**9


def test_money_in_or_out_is_neither_profit_nor_loss(broker: pt.PaperBroker) -> None:
    """Deposits move the bases of the day's profit and of the drawdown along, up and down."""
    broker.buy("X", 1)
    peak = state(broker).peak_units
    broker.deposit(50)
    broker.withdraw(20)
    assert (state(broker).day_deposits_units, state(broker).peak_units) == (30 * UNIT, peak + 30 * UNIT)
    assert broker.account().day_profit == 0


def test_a_new_day_measures_anew_and_opens_the_daily_latch_only(broker: pt.PaperBroker) -> None:
    """Equity at the opening is what the day is measured from; the kill switch stays thrown, the peak only rises."""
    broker.buy("X", 5)
    broker.deposit(50)
    broker.kill()
    state(broker).latches = ("kill_switch", "max_daily_loss")
    broker.on_quote("X", bid=90, ask=90, at=NOON.replace(hour=13))
    peak = state(broker).peak_units
    broker.on_quote("X", bid=90, ask=90, at=NOON.replace(day=6))
    broker.exchange.advance()
    broker.buy("X", 1)
    now = state(broker)
    assert (now.day, now.latches, now.day_deposits_units) == ("2026-01-06", ("kill_switch",), 0)
    assert now.day_equity_units == now.loss_base_units == 1000 * UNIT
    assert now.peak_units == peak >= 1050 * UNIT


@pytest.mark.parametrize(
    ("limit", "loss_base", "peak"), [("max_daily_loss", 70, 5), ("max_drawdown", 3, 100), ("kill_switch", 3, 5)]
)
def test_a_reset_measures_from_now_on(limit: str, loss_base: int, peak: int) -> None:
    """A reset opens one latch: the daily loss starts at the equity without the day's deposits, the drawdown at it."""
    state = state_of()
    state.latches = ("kill_switch", "max_daily_loss", "max_drawdown")
    state.day_deposits_units, state.loss_base_units, state.peak_units = 30, 3, 5
    evolve(state, LimitReset("main", 1, 10, limit, 100, None))
    assert state.latches == tuple(name for name in ("kill_switch", "max_daily_loss", "max_drawdown") if name != limit)
    assert (state.loss_base_units, state.peak_units) == (loss_base, peak)
