"""The express lane and the general way make the same bytes and the same state."""

from __future__ import annotations

import random

import pytest

import papertrade as pt
from papertrade.codec.events import encode_event
from papertrade.hosting import account as account_flows

START_NS = 1_767_623_400_000_000_000


class Thirds:
    """Somebody's own fee model, finer than the currency."""

    name = "thirds"

    def owed(self, tally):
        return (("x", tally.value_units // 3000 if tally.quantity_units else 0),)


FEES = (
    None,
    pt.PercentFee("0.001", minimum="0.50"),
    pt.MakerTakerFee(maker="-0.0001", taker="0.0005"),
    pt.MakerTakerFee(maker="0", taker="-0.01"),
    Thirds(),
)


def play(seed: int) -> tuple[list[bytes], str]:
    """A random session of mostly plain market orders; answers its journal and its digest."""
    rnd = random.Random(seed)
    fees = rnd.choice(FEES)
    limits = rnd.choice([None, pt.RiskLimits(max_daily_loss=50), pt.RiskLimits(max_order_quantity=40)])
    fill = pt.FillSettings.preset(rnd.choice(["realistic", "strict"]), max_quote_age_s=rnd.choice([None, 2]))
    exchange = pt.Exchange(clock="data", fill=fill)
    exchange.add_instrument("X", lot_size=rnd.choice(["1", "5"]), price_band=rnd.choice([None, ("90", "110")]))
    broker = exchange.open_account(
        "a", cash=5_000, fees=fees, limits=limits, cost_method=rnd.choice(["average", "fifo"])
    )
    at, mid = START_NS, 10_000
    for _ in range(120):
        at += rnd.choice([0, 1, 10**9, 3 * 10**9])
        mid = max(mid + rnd.randint(-40, 40), 8_000)
        what = rnd.random()
        if what < 0.4:
            half = rnd.choice([1, 2, -1]) if rnd.random() < 0.1 else 2
            prices = [f"{(mid + sign * half) / 100:.2f}" for sign in (-1, 1)]
            prices[1] = f"{prices[1]}5" if rnd.random() < 0.05 else prices[1]
            sizes = rnd.choice([(None, None), (300, 200), (20, 20), (5, 5)])
            exchange.on_quote("X", *prices, *sizes, at=at)
        elif what < 0.45:
            rnd.choice([exchange.on_halt, exchange.on_resume, exchange.on_resume])("X")
        elif what < 0.5:
            exchange.on_trade("X", f"{mid / 100:.2f}", 50, at=at)
        else:
            place = rnd.choice([broker.buy, broker.sell])
            options = rnd.choice([{}, {}, {}, {"time_in_force": "ioc"}, {"tags": {"k": "v"}}, {"reduce_only": True}])
            place("X", rnd.choice([5, 10, 15, 30, 7]), **options)
    return [encode_event(event) for event in broker.events()], broker.digest()


@pytest.mark.parametrize("seed", range(40))
def test_the_express_lane_equals_the_general_way(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the express lane takes, the general way would have made the same events and the same state."""
    fast = play(seed)
    monkeypatch.setattr(account_flows, "place_plain", lambda step, terms: None)

    assert play(seed) == fast


def test_the_express_lane_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above is about something: the lane takes a good part of the orders of its sessions."""
    asked = taken = 0
    lane = account_flows.place_plain

    def counted(step, terms):
        nonlocal asked, taken
        order = lane(step, terms)
        asked += 1
        taken += order is not None
        return order

    monkeypatch.setattr(account_flows, "place_plain", counted)
    for seed in range(10):
        play(seed)

    assert taken >= 20 < asked
