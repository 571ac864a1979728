"""Positions told in two ways: flips, cost methods and multipliers may not change a unit of money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_trading import START

from papertrade import open_paper_broker
from papertrade.ledger.fee_models import PercentFee, PerUnitFee
from papertrade.ledger.margin import FlatMargin
from papertrade.paper import PaperBroker

History = list[tuple[int, int, int]]
"""(side, quantity, price) of each trade."""

steps = st.tuples(st.sampled_from((1, -1)), st.integers(1, 20), st.integers(90, 110))
trades = st.lists(steps, min_size=1, max_size=12)


def rich_broker(**options: object) -> PaperBroker:
    """A margin account with more money than any of these tests can spend."""
    return open_paper_broker(cash=10**12, margin=FlatMargin(), kind="margin", clock="data", **options)  # type: ignore[arg-type]


def trade(broker: PaperBroker, at: int, sign: int, quantity: object, price: object) -> None:
    """A market order that fills whole at a price."""
    broker.on_quote("X", price, price, at=START + at)
    order = broker.buy("X", quantity) if sign > 0 else broker.sell("X", quantity)
    assert order.filled_quantity == order.quantity


def figures(broker: PaperBroker) -> tuple[Decimal, ...]:
    """Every money figure of an account."""
    a = broker.account()
    return a.total, a.equity, a.realized, a.unrealized, a.fees, a.initial_margin, a.maintenance_margin



@pytest.mark.parametrize("method", ["average", "fifo"])
@given(history=trades, extra=st.integers(1, 30), price=st.integers(90, 110))
@settings(max_examples=40, deadline=None)
def test_p3_flip_equals_close_then_open(method: str, history: History, extra: int, price: int) -> None:
    """P3: a fill that crosses zero leaves what closing first and opening then leaves."""
    at_once, in_two = (rich_broker(cost_method=method, fees=PerUnitFee("0.05")) for _ in range(2))
    for broker in (at_once, in_two):
        for at, (sign, quantity, paid) in enumerate(history):
            trade(broker, at, sign, quantity, paid)
    held = at_once.position("X").quantity
    if held == 0:
        return
    sign = -1 if held > 0 else 1
    trade(at_once, 50, sign, abs(held) + extra, price)
    trade(in_two, 50, sign, abs(held), price)
    in_two.sell("X", extra) if sign < 0 else in_two.buy("X", extra)
    assert figures(at_once) == figures(in_two)
    assert at_once.position("X") == in_two.position("X")
    whole = at_once.fills()[-1]
    assert whole.quantity == abs(held) + extra, "a flip is one fill with one id"


@given(history=trades)
@settings(max_examples=60, deadline=None)
def test_p5_fifo_and_average_agree_once_flat(history: History) -> None:
    """P5: once flat, the realized profit is the same whichever lots were closed first."""
    realized = []
    for method in ("average", "fifo"):
        broker = rich_broker(cost_method=method)
        for at, (sign, quantity, price) in enumerate(history):
            trade(broker, at, sign, f"{quantity}", f"{price}.37")
        if not broker.position("X").is_flat:
            broker.close_position("X")
        assert broker.position("X").is_flat
        assert broker.position("X").cost == 0
        realized.append(broker.account().realized)
    assert realized[0] == realized[1]


@given(history=trades, multiplier=st.sampled_from((2, 50, 100)))
@settings(max_examples=40, deadline=None)
def test_p7_multiplier_is_quantity(history: History, multiplier: int) -> None:
    """P7: multiplier m with quantity q gives every money figure that multiplier 1 with m·q gives."""
    big, many = (rich_broker(fees=PercentFee("0.001")) for _ in range(2))
    big.exchange.add_instrument("X", multiplier=multiplier)
    many.exchange.add_instrument("X")
    for at, (sign, quantity, price) in enumerate(history):
        trade(big, at, sign, quantity, price)
        trade(many, at, sign, quantity * multiplier, price)
        assert figures(big) == figures(many)


def test_ten_tenths_bought_and_one_sold_is_flat() -> None:
    """Ten buys of 0.1 and one sell of 1.0 leave exactly nothing."""
    broker = open_paper_broker(cash=1_000, clock="data", cost_method="fifo")
    broker.exchange.add_instrument("X", lot_size="0.1")
    for at in range(10):
        trade(broker, at, 1, 0.1, 10)
    trade(broker, 10, -1, 1.0, 10)
    position = broker.position("X")
    assert (position.quantity, position.cost, position.lots) == (0, 0, ())
    assert broker.account().total == 1_000
