"""Hard cases that once went wrong: each is the shortest session that shows the promise kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.instants import to_datetime
from papertrade.errors import InvalidValueError, KeyConflictError, StoreUnavailableError
from papertrade.matching.models import Candidate

DAY = "2026-01-05T14:30:"


def opened(store: MemoryStore | None = None, clock: object = "data", **options: object) -> pt.Exchange:
    exchange = pt.Exchange(store, clock=clock, **options)
    exchange.add_instrument("X")
    exchange.add_instrument("Y")
    return exchange


def quote(exchange: pt.Exchange, bid: object, ask: object, second: int, symbol: str = "X") -> None:
    exchange.on_quote(symbol, bid, ask, 100_000, 100_000, at=f"{DAY}{second:02d}Z")


def test_a_pair_of_day_orders_before_any_datum_is_misuse() -> None:
    """Before the first datum of a replay there is no day: day orders are refused, and nothing waits for 1970."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=1000)
    legs = [
        pt.OrderRequest(symbol="X", side="buy", quantity=1, limit_price=price, time_in_force="day")
        for price in (90, 91)
    ]

    with pytest.raises(InvalidValueError):
        alice.place_oco(*legs)

    assert exchange.next_deadline() is None
    quote(exchange, "100", "100.02", 0)


def test_orders_before_any_datum_open_no_days_since_1970() -> None:
    """The first datum of a replay opens its own day, not every day since the epoch."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=1000)
    alice.buy("X", 1, limit_price=90)
    quote(exchange, "89", "90", 0)

    assert [e.to_dict()["day"] for e in alice.events(kinds="day_opened")] == ["2026-01-05"]


@pytest.mark.parametrize("limits", [None, pt.RiskLimits(max_daily_loss=100)])
def test_a_position_that_came_in_before_any_datum_has_its_first_day_opened_once(limits: pt.RiskLimits | None) -> None:
    """The first datum that reaches an order opens the first day, whoever else asks for one in the same step."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=1000, limits=limits)
    alice.import_positions([{"symbol": "X", "quantity": 1, "average_price": 90}])
    alice.sell("X", 1, limit_price=95)
    quote(exchange, "96", "97", 0)

    assert [e.kind for e in alice.events(3)] == ["order_accepted", "day_opened", "order_filled"]


def test_a_position_without_a_mark_still_needs_its_margin() -> None:
    """After a restart nobody may spend the margin of a position whose price is not known yet."""
    store = MemoryStore()
    exchange = opened(store)
    alice = exchange.open_account("alice", cash=10_000, kind="margin")
    quote(exchange, "100", "100", 0)
    alice.buy("X", 190)
    before = alice.account().available

    again = opened(store)
    bob = again.open_account("alice", kind="margin")
    quote(again, "50", "50", 1, "Y")

    assert before == bob.account().available == Decimal(500)
    assert bob.buy("Y", 300).reason == "insufficient_funds"


def test_a_reduce_only_order_passes_whatever_else_works() -> None:
    """The kill switch stops what could enlarge a position; a reduce-only order cannot, even beside a take-profit."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=100_000, kind="margin")
    quote(exchange, "100", "100.02", 0)
    alice.buy("X", 10)
    alice.sell("X", 10, limit_price="110")
    alice.kill()

    assert alice.sell("X", 20, reduce_only=True).filled_quantity == 10
    assert alice.position("X").is_flat


def test_a_low_sell_limit_evades_no_limit_and_no_margin() -> None:
    """A sell limit far below the market fills at the market: limits and holds look at that."""
    exchange = opened()
    limits = pt.RiskLimits(max_order_notional=1000)
    alice = exchange.open_account("alice", cash=100_000, kind="margin", limits=limits)
    bob = exchange.open_account("bob", cash=1000, kind="margin")
    quote(exchange, "187", "187.02", 0)
    exchange.on_halt("X")

    assert alice.sell("X", 100, limit_price=1).reason == "max_order_notional"
    assert bob.sell("X", 100, limit_price=1).reason == "insufficient_funds"


class Fractions:
    """A fee model that is finer than the currency."""

    name = "thirds"

    def owed(self, tally: object) -> tuple[tuple[str, int], ...]:
        return (("x", tally.value_units // 3000 if tally.quantity_units else 0),)


def test_a_fee_is_whole_minor_units_by_either_way() -> None:
    """Own fee models are rounded to the currency for a market order as for any other."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=1000, fees=Fractions())
    quote(exchange, "10.00", "10.02", 0)

    assert alice.buy("X", 1).fees == alice.buy("X", 1, limit_price="10.02").fees == 0


def test_a_rebate_is_not_counted_on() -> None:
    """A taker rebate does not buy more than the cash that is there."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=10, fees=pt.MakerTakerFee(maker=0, taker="-0.01"))
    quote(exchange, "10.00", "10.02", 0)

    assert alice.buy("X", 1).reason == "insufficient_funds"


class Torn(MemoryStore):
    """A store that fails one append of one account and then cannot give its journal back."""

    torn = False

    def append(self, batch):
        if self.torn and batch.stream == "bob":
            raise StoreUnavailableError("no")
        return super().append(batch)

    def load(self, stream, start=1, stop=None):
        events = list(super().load(stream, start, stop))
        return iter(events[1:] if self.torn and stream == "bob" else events)


def test_one_torn_journal_stops_one_account() -> None:
    """Whatever is wrong with bob's journal, alice's orders meet the market."""
    store = Torn()
    exchange = opened(store)
    alice, bob = (exchange.open_account(name, cash=1000) for name in ("alice", "bob"))
    quote(exchange, "99", "100", 0)
    order = alice.buy("X", 1, limit_price=90)
    store.torn = True
    with pytest.raises(StoreUnavailableError):
        bob.buy("X", 1)
    quote(exchange, "95", "96", 1)
    quote(exchange, "88", "89", 2)

    assert alice.order(order.id).status is pt.OrderStatus.FILLED
    with pytest.raises(pt.StoreError):
        bob.account()


def test_a_modified_order_meets_no_data_from_before_the_change() -> None:
    """A new price is known since the change: of a bar that began before it, only the close counts."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=100_000)
    quote(exchange, "104", "105", 0)
    order = alice.buy("X", 5, limit_price=90)
    exchange.advance(f"{DAY}40Z")
    alice.modify_order(order.id, limit_price=100)
    exchange.on_bar("X", 104, 105, 95, 104, 1000, start=f"{DAY}10Z", end=f"{DAY}50Z")

    assert alice.order(order.id).filled_quantity == 0


def test_news_that_is_too_old_fills_nothing() -> None:
    """A quote older than max_quote_age fills neither arriving nor waiting orders."""
    clock = pt.ManualClock("2026-01-05T15:00:00Z")
    exchange = opened(clock=clock, fill=pt.FillSettings(max_quote_age_s=60))
    alice = exchange.open_account("alice", cash=100_000)
    exchange.on_quote("X", 99, 100, 10, 10, at="2026-01-05T14:00:00Z")
    order = alice.buy("X", 5)
    exchange.on_quote("X", 89, 90, 10, 10, at="2026-01-05T14:10:00Z")

    assert alice.order(order.id).is_open
    assert alice.explain(order.id).reason == "waiting_fresh_quote"


def test_a_halt_does_not_make_old_quotes_new() -> None:
    """What was late before a halt is late after it."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=1000)
    quote(exchange, "104", "105", 20)
    order = alice.buy("X", 5, limit_price=100)
    exchange.on_halt("X")
    exchange.on_resume("X")
    quote(exchange, "98", "99", 5)

    assert alice.order(order.id).is_open
    assert exchange.market("X").counts["late"] == 1


def test_a_datum_cannot_fill_an_order_that_has_expired_by_then() -> None:
    """An order that ends at :31 is not there for a quote dated :45, whatever the clock says."""
    clock = pt.ManualClock(f"{DAY}00Z")
    exchange = opened(clock=clock)
    alice = exchange.open_account("alice", cash=1000)
    order = alice.buy("X", 1, limit_price=100, time_in_force="gtd", expires_at=f"{DAY}31Z")
    quote(exchange, "98", "99", 45)

    assert alice.order(order.id).status is pt.OrderStatus.EXPIRED


def test_a_repeated_reset_opens_no_newer_latch() -> None:
    """A retry of a reset is answered, not repeated."""
    alice = opened().open_account("alice", cash=1000)
    alice.kill()
    alice.reset_limit("kill_switch", command_id="r1")
    alice.kill()
    alice.reset_limit("kill_switch", command_id="r1")

    assert alice.account().latched == ("kill_switch",)


def test_the_five_line_form_opens_again_on_its_store() -> None:
    """A symbol seen on first sight is seen again when the account is."""
    store = MemoryStore()
    broker = pt.open_paper_broker(cash=1000, store=store, clock="data")
    broker.on_quote("AAPL", 99, 100, at=f"{DAY}00Z")
    broker.buy("AAPL", 1)
    again = pt.open_paper_broker(cash=1000, store=store, clock="data")

    assert again.digest() == broker.digest()
    assert again.position("AAPL").quantity == 1


def test_a_lonely_ask_makes_nobody_rich() -> None:
    """With one side of the market gone the mark is kept, not taken from the side a holder cannot trade at."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=1000)
    quote(exchange, "99", "100", 0)
    alice.buy("X", 10)
    exchange.on_quote("X", None, 500, None, 5, at=f"{DAY}01Z")

    assert alice.account().equity == Decimal(995)


def test_a_survivor_can_be_linked_again() -> None:
    """A link ends with the other order: its survivor may have a new partner."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=10_000)
    quote(exchange, "99", "100", 0)
    alice.buy("X", 10)
    stop = pt.OrderRequest(symbol="X", side="sell", quantity=10, stop_price=90)
    target = pt.OrderRequest(symbol="X", side="sell", quantity=10, limit_price=110)
    first, second = alice.place_oco(stop, target)
    alice.cancel_order(second)
    third = alice.sell("X", 10, limit_price=120, oco_with=first.id)

    assert third.linked_order_id == first.id
    assert alice.order(first).linked_order_id == third.id


def test_a_sequence_number_alone_says_what_is_a_repetition() -> None:
    """Three equal prints with three numbers are three prints."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=10_000)
    order = alice.buy("X", 15, limit_price=99)
    for number in (1, 2, 2, 3):
        exchange.on_trade("X", 98, 5, at=f"{DAY}05Z", sequence=number)

    assert alice.order(order.id).status is pt.OrderStatus.FILLED
    assert len(alice.fills()) == 3


def test_a_price_band_changes_with_the_day() -> None:
    """The circuit limits of a new day replace those of the old one."""
    exchange = opened()
    exchange.set_price_band("X", (90, 110))
    alice = exchange.open_account("alice", cash=10_000)

    assert alice.buy("X", 1, limit_price=120).reason == "outside_price_band"
    exchange.set_price_band("X", (100, 130))
    assert alice.buy("X", 1, limit_price=120).is_open


def test_a_key_is_for_one_change_only() -> None:
    """The same command id with another price is a conflict, not a silence."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=10_000)
    order = alice.buy("X", 1, limit_price=5)
    alice.modify_order(order, limit_price=6, command_id="m")

    assert alice.modify_order(order, limit_price=6, command_id="m").limit_price == 6
    with pytest.raises(KeyConflictError):
        alice.modify_order(order, limit_price=7, command_id="m")


def test_an_order_in_hand_is_not_the_engine_s_own() -> None:
    """What somebody does to the order they hold stays with them."""
    exchange = opened()
    alice = exchange.open_account("alice", cash=10_000)
    order = alice.buy("X", 1, limit_price=5)
    order.status = pt.OrderStatus.FILLED

    assert [o.status for o in alice.orders("open")] == [pt.OrderStatus.ACCEPTED]


def test_nothing_is_sold_above_a_bid_that_is_finer_than_the_tick() -> None:
    """A default tick of 0.01 and a coin at a thousandth of a cent: selling waits, and says for what."""
    broker = pt.open_paper_broker(cash=1000, clock="data", kind="margin")
    broker.on_quote("COIN", "0.00001234", "0.00001235", at="2026-01-05T14:30:00Z")
    order = broker.sell("COIN", 10_000)
    assert broker.fills() == []
    assert broker.account().equity == 1000
    assert "one tick (0.01)" in str(broker.explain(order))
    broker.on_price("COIN", "0.00001234", at="2026-01-05T14:30:01Z")
    assert broker.fills() == []


def test_errors_name_what_the_caller_typed() -> None:
    """A limit by its own name, a symbol in another case, the price that an order type lacks."""
    with pytest.raises(pt.PaperTradeError, match=r"max_daily_loss: found .*-5"):
        pt.RiskLimits(max_daily_loss=-5)
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("AAPL")
    account = exchange.open_account("a", cash=1000)
    with pytest.raises(pt.PaperTradeError, match="did you mean 'AAPL'"):
        account.buy("aapl", 1)
    with pytest.raises(pt.PaperTradeError, match=r"found 'stop_limit with stop_price'; accepted: .*limit_price"):
        account.place_order(symbol="AAPL", side="sell", quantity=1, type="SL", stop_price="9")


def test_feed_ahead_of_the_clock_is_not_from_the_future() -> None:
    """A quote stamped later than the clock may be traded on at once, and no fill is dated before its evidence."""
    clock = pt.ManualClock("2026-01-05T10:00:00Z")
    broker = pt.open_paper_broker(cash=10_000, clock=clock)
    broker.on_quote("X", "10.00", "10.02", at="2026-01-05T10:00:05Z")
    order = broker.buy("X", 1)
    fill = broker.fills(order)[0]
    assert fill.evidence_age == timedelta(0)
    assert fill.filled_at == to_datetime(fill.evidence.at_ns)


def test_order_that_grows_is_limited_by_its_whole_size() -> None:
    """A fat finger cannot be had in two steps: the limits on one order look at what it would become."""
    limits = pt.RiskLimits(max_order_quantity=15, max_open_orders=1)
    broker = pt.open_paper_broker(cash=100_000, clock="data", limits=limits)
    broker.on_quote("X", "10.00", "10.02", at="2026-01-05T10:00:00Z")
    order = broker.buy("X", 10, limit_price=9)
    assert broker.modify_order(order, quantity=15).quantity == 15  # it is not one open order more
    refused = broker.modify_order(order, quantity=16)
    assert refused.quantity == 15
    assert refused.reason == "max_order_quantity"


def test_order_whose_partner_ended_may_be_linked_again() -> None:
    """A link is about two open orders: when one has ended, the other is free for another partner."""
    broker = pt.open_paper_broker(cash=100_000, clock="data")
    broker.on_quote("X", "10.00", "10.02", at="2026-01-05T10:00:00Z")
    one, two, three = (broker.buy("X", 10, limit_price=price) for price in (9, 8, 7))
    broker.link_orders(one, two)
    with pytest.raises(InvalidValueError):
        broker.link_orders(one, three)
    broker.cancel_order(two)
    broker.link_orders(one, three)
    broker.on_quote("X", "8.96", "8.98", at="2026-01-05T10:00:01Z")
    assert [broker.order(order).status for order in (one, two, three)] == ["filled", "canceled", "canceled"]


def test_one_feed_ahead_does_not_age_the_others() -> None:
    """The age of a quote is judged by the clock, not by what another symbol's feed believes the time is."""
    clock = pt.ManualClock("2026-01-05T10:00:00Z")
    broker = pt.open_paper_broker(cash=10_000, clock=clock, fill=pt.FillSettings(max_quote_age_s=60))
    broker.on_quote("AHEAD", "10.00", "10.02", at="2026-01-05T11:00:00Z")
    broker.on_quote("TRUE", "10.00", "10.02", at="2026-01-05T10:00:00Z")
    assert broker.buy("TRUE", 1).status == "filled"
    assert broker.buy("AHEAD", 1).status == "filled"
    assert broker.buy("TRUE", 1).status == "filled"


def test_first_day_asks_a_model_once() -> None:
    """The day opens with the first thing that happens to an order, and a fill model is asked once for it."""
    asked = []

    class Model:
        name = "asked"

        def quantity(self, candidate: Candidate) -> Decimal:
            asked.append(candidate)
            return candidate.quantity

    broker = pt.open_paper_broker(cash=10_000, clock="data", fill=pt.FillSettings(fill_model=Model()))
    order = broker.buy("X", 5, limit_price=11)
    assert [event.kind for event in broker.events()][-1] == "order_accepted"
    broker.on_quote("X", "10.00", "10.02", 100, 100, at="2026-01-05T10:00:00Z")
    assert broker.order(order).status == "filled"
    assert [event.kind for event in broker.events()][-2:] == ["day_opened", "order_filled"]
    assert len(asked) == 1
