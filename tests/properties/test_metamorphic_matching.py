"""Markets told in two ways: another limit, a mirror, another future, the same datum twice.

Many more examples: ``HYPOTHESIS_PROFILE=long pytest tests/properties/test_metamorphic_matching.py``.
"""

from __future__ import annotations

import os
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_trading import MIDDLE, SECOND, START, market_data, order_terms

from papertrade.codec.events import encode_event
from papertrade.domain.events import OrderFilled
from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.ledger.margin import FlatMargin
from papertrade.matching.settings import FillSettings
from papertrade.matching.slippage import TickSlippage
from papertrade.testing.chance import draw_setup
from papertrade.testing.drawing import Drawer
from papertrade.testing.driving import Driven
from papertrade.testing.oracle import Command, Oracle, Setup
from papertrade.testing.oracle import vocabulary as say

EXAMPLES = 2_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 40
DATA = (say.Quote, say.LastPrice, say.Print, say.Bar, say.Depth)

INSTRUMENT = Instrument("X", tick_size="0.01", lot_size="1")


@st.composite
def some_data(draw: st.DrawFn, kinds: tuple[type, ...] = DATA, most: int = 10) -> list[Command]:
    """A run of market data, an instant after the other."""
    count = draw(st.integers(1, most))
    found = [draw(market_data(INSTRUMENT, START + n)) for n in range(count)]
    return [datum for datum in found if isinstance(datum, kinds)]


def rich_setup(fill: FillSettings) -> Setup:
    return Setup(instruments=(INSTRUMENT,), cash_units=10**20, margin=FlatMargin(), fill=fill)


def fills_of(setup: Setup, commands: list[Command]) -> list[OrderFilled]:
    driven = Driven(setup)
    for command in [say.Advance(START - 1), *commands]:
        driven.give(command)
    return [event for event in driven.new_events() if isinstance(event, OrderFilled)]


def limit_buy(ticks: int) -> Command:
    """A lone resting buy of 15 lots."""
    return say.Place(
        OrderTerms(
            symbol="X",
            sign=1,
            type=OrderType.LIMIT,
            quantity_units=15 * INSTRUMENT.lot_units,
            notional_units=None,
            limit_units=ticks * INSTRUMENT.tick_units,
            stop_units=None,
            tif=TimeInForce.GTC,
            expires_ns=None,
            post_only=False,
            reduce_only=False,
            oco_with=0,
            client_order_id=None,
            tags=(),
        )
    )


@given(data=some_data(), ticks=st.integers(-6, 6), higher=st.integers(1, 4), touch=st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_m8_higher_limit_never_fills_less(data: list[Command], ticks: int, higher: int, touch: bool) -> None:
    """M8: raising the limit of a lone buy never lowers what it fills on the same data."""
    setup = rich_setup(FillSettings(limit_fill="touch" if touch else "through"))
    filled = [
        sum(f.quantity_units for f in fills_of(setup, [limit_buy(MIDDLE + limit), *data]))
        for limit in (ticks, ticks + higher)
    ]
    assert filled[0] <= filled[1]


def mirrored(command: Command) -> Command:
    """The same story in a mirror: prices turned around the middle, buyers for sellers."""
    center = 2 * MIDDLE * INSTRUMENT.tick_units

    def turn(price: int | None) -> int | None:
        return None if price is None else center - price

    if isinstance(command, say.Quote):
        bid, ask = turn(command.ask), turn(command.bid)
        return command._replace(bid=bid, ask=ask, bid_size=command.ask_size, ask_size=command.bid_size)
    if isinstance(command, say.Print):
        return command._replace(price=center - command.price, aggressor=-command.aggressor)
    if isinstance(command, say.Bar):
        turned = {name: center - getattr(command, name) for name in ("open", "close")}
        return command._replace(**turned, high=center - command.low, low=center - command.high)
    if isinstance(command, say.Depth):
        sides = [tuple((center - price, size) for price, size in side) for side in (command.asks, command.bids)]
        return command._replace(bids=sides[0], asks=sides[1])
    assert isinstance(command, say.Place)
    t = command.terms
    return say.Place(t._replace(sign=-t.sign, limit_units=turn(t.limit_units), stop_units=turn(t.stop_units)))


@given(draw=st.data(), sign=st.sampled_from((1, -1)), slip=st.integers(0, 2), gap=st.sampled_from(("limit", "open")))
@settings(max_examples=EXAMPLES, deadline=None)
def test_m9_mirrored_market_mirrors_the_fills(draw: st.DataObject, sign: int, slip: int, gap: str) -> None:
    """M9: with prices and sides mirrored, every fill is mirrored."""
    fill = FillSettings(slippage=TickSlippage(slip), gap_fill=gap, stop_through="trigger")
    setup = rich_setup(fill)
    story: list[Command] = []
    for datum in draw.draw(some_data((say.Quote, say.Print, say.Bar, say.Depth), most=8)):
        if draw.draw(st.booleans()):
            terms = draw.draw(order_terms(INSTRUMENT, START))
            if terms.notional_units is None and not (terms.limit_units or 0) % INSTRUMENT.tick_units:
                story.append(say.Place(terms._replace(sign=sign)))
        story.append(datum)
    center = 2 * MIDDLE * INSTRUMENT.tick_units
    turned = [mirrored(command) for command in story]
    seen = [(f.rule, f.number, f.quantity_units, f.price_units) for f in fills_of(setup, story)]
    assert seen == [(f.rule, f.number, f.quantity_units, center - f.price_units) for f in fills_of(setup, turned)]


@pytest.mark.parametrize("sign", [1, -1])
def test_who_takes_meets_a_moment_of_a_bar_before_who_rests(sign: int) -> None:
    """What is left of a stop, then the limit that came with it inside the bar: for buyers and for sellers."""
    broker = Driven(rich_setup(FillSettings(slippage=TickSlippage(0), stop_through="trigger")))
    tick = INSTRUMENT.tick_units
    low, high = MIDDLE * tick, (MIDDLE + 1) * tick
    broker.give(say.Quote("X", low, high, 10**9, 10**9, START, None))
    place = broker.broker.buy if sign > 0 else broker.broker.sell
    place("X", 3, stop_price=Decimal(low if sign > 0 else high) / 10**9)  # displayed size fills one of three
    place("X", 1, limit_price=Decimal(low if sign > 0 else high) / 10**9)
    end = low - tick if sign > 0 else high + tick  # the bar closes through the limit
    first = low if sign > 0 else high
    broker.give(say.Bar("X", first, max(first, end), min(first, end), end, None, START - 60 * SECOND, START + 1))
    fills = [(e.number, e.rule) for e in broker.new_events() if isinstance(e, OrderFilled)]
    assert fills[-2:] == [(1, "B2"), (2, "B3")]


@given(data=some_data(most=6), sign=st.sampled_from((1, -1)), stop=st.integers(-6, 6))
@settings(max_examples=EXAMPLES, deadline=None)
def test_stop_is_never_better_than_trigger_and_first_price(data: list[Command], sign: int, stop: int) -> None:
    """A stop fills at the worse of its trigger and the first price there was, and inside the bar."""
    trigger = (MIDDLE + stop) * INSTRUMENT.tick_units
    broker = Driven(rich_setup(FillSettings(stop_through="trigger")))
    broker.give(say.Advance(START - 3_600 * SECOND))  # before every bar that is drawn
    place = broker.broker.buy if sign > 0 else broker.broker.sell
    place("X", 1, stop_price=Decimal(trigger) / 10**9)
    for datum in data:
        broker.give(datum)
    for event in broker.new_events():
        if isinstance(event, OrderFilled) and event.rule[1] == "5":
            assert sign * (event.price_units - trigger) >= 0, "never better than the trigger"
            seen = event.evidence.seen_units
            if event.rule == "B5":
                opened, high, low = seen[0] or 0, seen[1] or 0, seen[2] or 0
                worse = max(trigger, opened) if sign > 0 else min(trigger, opened)
                assert event.price_units == worse
                assert low <= event.price_units <= high
            elif event.rule in ("Q5", "L5"):
                opposite = (seen[1] if sign > 0 else seen[0]) or 0
                assert event.price_units == (max(trigger, opposite) if sign > 0 else min(trigger, opposite))


# ------------------------------------------------------------------ look-ahead


def told(seed: int, steps: int) -> tuple[Setup, list[Command]]:
    """The commands of a seeded run."""
    rng = Random(seed)
    setup = draw_setup(rng)
    oracle, drawer, story = Oracle(setup), Drawer(rng, setup), []
    for _ in range(steps):
        story.append(drawer.draw(oracle))
        oracle.give(story[-1])
    return setup, story


def journal(setup: Setup, story: list[Command]) -> list[bytes]:
    """The bytes that a story makes."""
    driven = Driven(setup)
    for command in story:
        driven.give(command)
    return [encode_event(event) for event in driven.new_events()]


@pytest.mark.parametrize("seed", range(100, 112))
def test_m2_the_future_changes_nothing_that_was(seed: int) -> None:
    """M2: events on a prefix of the inputs are a prefix of all events, whatever comes later."""
    setup, story = told(seed, 160)
    cut = 40 + seed % 50
    before = journal(setup, story[:cut])
    assert journal(setup, story)[: len(before)] == before
    # Another future: only its prints come, and at other prices.
    tick = setup.instruments[0].tick_units
    prints = [c._replace(price=c.price + tick) for c in story[cut:] if isinstance(c, say.Print)]
    assert journal(setup, story[:cut] + prints)[: len(before)] == before


@pytest.mark.parametrize("seed", range(200, 212))
def test_t4_every_datum_twice_is_every_datum_once(seed: int) -> None:
    """T4: a datum that is delivered twice acts once."""
    setup, story = told(seed, 160)
    twice = [c for c in story for _ in range(2 if _dated(c) else 1)]
    assert len(twice) > len(story)
    assert journal(setup, twice) == journal(setup, story)


def _dated(command: Command) -> bool:
    """Is the instant on the datum itself? What is stamped on arrival cannot be told from something new."""
    at = command.end if isinstance(command, say.Bar) else getattr(command, "at", None)
    return isinstance(command, DATA) and at is not None
