"""Squaring off: three stages before each close, once each, the same stepped, jumped or after a restart."""

from __future__ import annotations

from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.events import encode_event
from papertrade.errors import InvalidValueError
from papertrade.hosting import account as account_flows
from papertrade.testing.invariants import check_account
from papertrade.testing.short_hours import ShortHours

DAY = "2026-01-05T"  # a Monday; New York closes at 21:00 UTC
NOON, WARN, REDUCE, FLAT, CLOSE = (f"{DAY}{at}Z" for at in ("17:00:00", "20:35:00", "20:45:00", "20:50:00", "21:00:00"))
RULE = pt.SquareOff(minutes_before_close=10, reduce_only_minutes=5, warn_minutes=15)


def opened(store: MemoryStore | None = None, rule: pt.SquareOff = RULE, **options: Any) -> pt.PaperBroker:
    """An intraday broker on New York hours."""
    return pt.open_paper_broker(
        cash=100_000, clock="data", calendar="XNYS", store=store, square_off=rule, **options
    )


def quote(broker: pt.PaperBroker, at: str, bid: int = 99, symbol: str = "ABC") -> None:
    """A quote one wide."""
    broker.on_quote(symbol, bid, bid + 1, 1000, 1000, at=at)


def stages(broker: pt.PaperBroker) -> list[tuple[str, str]]:
    """The stages so far and when they came."""
    return [(e.stage, e.at.isoformat()[:19] + "Z") for e in broker.events(kinds="squared_off")]  # type: ignore[union-attr]


def test_stages_come_in_order_and_the_position_is_closed() -> None:
    """A warning, reduce-only, then flat, each dated when it was due, though time leaps over all three."""
    broker = opened()
    quote(broker, NOON)
    broker.buy("ABC", 10)
    waits = broker.buy("ABC", 5, limit_price=90)
    target = broker.sell("ABC", 10, limit_price=120)
    broker.advance(CLOSE)
    assert stages(broker) == [("warned", WARN), ("reduce_only", REDUCE), ("flat", FLAT)]
    assert broker.order(waits).reason == broker.order(target).reason == "square_off"
    assert broker.order(waits).updated_at < broker.order(target).updated_at  # what only reduces stays longer
    closing = broker.orders()[-1]
    assert (closing.tags, closing.reduce_only, closing.average_price) == ({"by": "square_off"}, True, 99)
    assert broker.positions() == []
    check_account(broker)


def test_from_reduce_only_on_nothing_grows() -> None:
    """What could enlarge a position is refused until the close; what reduces it passes; the next session is free."""
    broker = opened()
    quote(broker, NOON)
    broker.buy("ABC", 10)
    quote(broker, REDUCE)
    assert broker.buy("ABC", 1).reason == "square_off"
    assert broker.sell("ABC", 4).status == "filled"
    order = broker.sell("ABC", 6, limit_price=150)
    assert broker.modify_order(order, quantity=7).reason is not None
    quote(broker, CLOSE)
    assert broker.positions() == []
    quote(broker, "2026-01-06T15:00:00Z")
    assert broker.buy("ABC", 1).status == "filled"


@pytest.mark.parametrize("at", [REDUCE, FLAT])
def test_a_reset_does_not_open_a_session_that_is_being_ended(at: str) -> None:
    """The stages belong to the close of the market, which a reset does not move: it would be flat again at once."""
    broker = opened()
    quote(broker, NOON)
    broker.buy("ABC", 10)
    quote(broker, at)
    broker.reset(cash=50_000, command_id="again")
    assert broker.buy("ABC", 1).reason == "square_off"
    quote(broker, "2026-01-06T15:00:00Z")
    assert broker.buy("ABC", 1).status == "filled"
    check_account(broker)


def test_the_express_lane_is_free_again_after_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that was squared off once takes the short way in the next session, and makes the bytes of the long."""
    lane, taken, journals = account_flows.place_plain, [], []
    for way in (lambda step, terms: taken.append(lane(step, terms)) or taken[-1], lambda step, terms: None):
        monkeypatch.setattr(account_flows, "place_plain", way)
        broker = opened()
        for at in (NOON, REDUCE, FLAT, "2026-01-06T15:00:00Z"):
            quote(broker, at)
            broker.buy("ABC", 10)
            broker.sell("ABC", 5)
        journals.append([encode_event(event) for event in broker.events()])
    assert [order is not None for order in taken] == [True, True, False, False, False, False, True, True]
    assert journals[0] == journals[1]


def test_what_rests_stops_at_zero_once_only_reducing_passes() -> None:
    """Two sales of more than is held stay over the stage; they close the position and open none on the other side."""
    broker = opened(kind="margin")
    quote(broker, NOON)
    broker.buy("ABC", 10)
    first, second = (broker.sell("ABC", 7, limit_price=120) for _ in range(2))
    quote(broker, REDUCE)
    assert broker.order(first).is_open
    assert broker.order(second).is_open
    broker.on_trade("ABC", 121, 1000, at=f"{DAY}20:46:00Z")
    assert broker.positions() == []
    assert (broker.order(first).filled_quantity, broker.order(second).filled_quantity) == (7, 3)
    assert broker.order(second).reason == "square_off"
    check_account(broker)


def test_nothing_is_squared_off_before_the_time_is_known() -> None:
    """Under the data clock a position may come before the first datum; no stages of the years since 1970 follow it."""
    exchange = pt.Exchange(clock="data")
    exchange.use_calendar(ShortHours())
    exchange.add_instrument("ABC", calendar="short")
    broker = exchange.open_account("main", cash=10_000, square_off=RULE)
    broker.import_positions([{"symbol": "ABC", "quantity": 1, "average_price": 90}])
    quote(broker, NOON)
    assert stages(broker) == []


@pytest.mark.parametrize("step", ["jump", "steps", "restart"])
def test_stepped_jumped_and_restarted_clocks_make_one_journal(step: str) -> None:
    """Two days with positions: the same events however time passes, and whoever opens the store in between."""
    journals = []
    for way in ("jump", step):
        store = MemoryStore()
        broker = opened(store)
        for day in ("05", "06"):
            at = f"2026-01-{day}T"
            quote(broker, f"{at}17:00:00Z")
            broker.buy("ABC", 10, client_order_id=day)
            for minute in range(30, 59, 1 if way == "steps" else 60):
                broker.advance(f"{at}20:{minute}:00Z")
                if way == "restart":
                    broker = opened(store)
            if way == "restart":
                quote(broker, f"{at}17:00:00Z")  # a feed that sends again what stood
            broker.advance(f"{at}21:30:00Z")
        journals.append([event.to_dict() for event in broker.events()])
    assert [e["kind"] for e in journals[0]].count("squared_off") == 6
    if step == "restart":  # no quote stands after a restart, so the closing orders wait and expire
        kept = [[e for e in journal if e["kind"] == "squared_off"] for journal in journals]
        assert [(e["stage"], e["at"]) for e in kept[0]] == [(e["stage"], e["at"]) for e in kept[1]]
    else:
        assert journals[0] == journals[1]


def test_a_stage_seen_to_late_does_not_know_what_came_after_it() -> None:
    """An account is opened beside a quote of after the last stage: what closes it is the next quote, not that one."""
    store = MemoryStore()
    before = opened(store)
    quote(before, NOON)
    before.buy("ABC", 10)
    exchange = pt.Exchange(store, clock="data", calendar="XNYS")
    exchange.add_instrument("ABC")
    exchange.on_quote("ABC", 50, 51, at=f"{DAY}20:58:00Z")
    broker = exchange.open_account("main", square_off=RULE)
    exchange.advance(f"{DAY}20:58:30Z")
    assert stages(broker) == [("warned", WARN), ("reduce_only", REDUCE), ("flat", FLAT)]
    assert broker.position("ABC").quantity == 10
    exchange.on_quote("ABC", 98, 99, at=f"{DAY}20:59:00Z")
    assert broker.orders("all")[-1].average_price == 98


def test_what_is_carried_is_squared_off_before_the_next_close_though_nothing_else_happens() -> None:
    """The closing order is canceled, so that nothing is due at the close: the next stages come all the same."""
    store, day = MemoryStore(), pt.TradingDay("UTC", "20:49")
    broker = opened(store, trading_day=day)
    quote(broker, NOON)
    broker.buy("ABC", 10)
    broker.exchange.on_halt("ABC")
    broker.advance(FLAT)
    broker.cancel_all_orders()
    broker = opened(store, trading_day=day)
    broker.advance("2026-01-06T23:00:00Z")
    assert stages(broker)[3:] == [
        (stage, at.replace("05T", "06T")) for stage, at in (("warned", WARN), ("reduce_only", REDUCE), ("flat", FLAT))
    ]


def test_a_stage_at_midnight_belongs_to_the_day_that_begins() -> None:
    """The day ends at the instant of the last stage: it opens first, and the closing order is of the new day."""
    midnight = pt.TradingDay("UTC", "20:50")
    broker = opened(trading_day=midnight)
    quote(broker, NOON)
    broker.buy("ABC", 10)
    broker.advance(CLOSE)
    kinds = [event.kind for event in broker.events() if event.at.isoformat()[:19] + "Z" == FLAT]
    assert kinds == ["day_closed", "day_opened", "squared_off", "order_accepted", "order_filled"]
    check_account(broker)


def test_what_cannot_be_closed_is_carried_and_tried_again() -> None:
    """A halt over the close: the order expires, the position stays, and the next session squares it off."""
    broker = opened()
    quote(broker, NOON)
    broker.buy("ABC", 10)
    broker.exchange.on_halt("ABC")
    broker.advance("2026-01-06T12:00:00Z")
    assert broker.orders()[-1].status == "expired"
    assert broker.position("ABC").quantity == 10
    broker.exchange.on_resume("ABC")
    quote(broker, "2026-01-06T17:00:00Z")
    broker.advance("2026-01-06T20:55:00Z")
    assert broker.positions() == []


def test_what_is_refused_to_be_closed_is_tried_in_every_session_without_anybody_asking() -> None:
    """A position smaller than the smallest order: each session goes through its stages, by the clock alone."""
    exchange = pt.Exchange(clock="data", calendar="XNYS")
    exchange.add_instrument("ABC", min_quantity=5)
    broker = exchange.open_account("main", cash=100_000, square_off=RULE)
    exchange.on_quote("ABC", 99, 100, 1000, 1000, at=NOON)
    broker.buy("ABC", 20)
    broker.sell("ABC", 17)
    exchange.advance("2026-01-08T12:00:00Z")
    assert [stage for stage, _ in stages(broker)] == ["warned", "reduce_only", "flat"] * 3
    assert {order.reason for order in broker.orders()[2:]} == {"below_minimum_quantity"}


def test_a_position_larger_than_an_order_may_be_is_closed_in_parts() -> None:
    """An exchange's freeze quantity is no reason to carry a position over night."""
    exchange = pt.Exchange(clock="data", calendar="XNYS")
    exchange.add_instrument("ABC", max_quantity=25)
    broker = exchange.open_account("main", cash=100_000, square_off=RULE)
    exchange.on_quote("ABC", 99, 100, 1000, 1000, at=NOON)
    for _ in range(3):
        broker.buy("ABC", 20)
    exchange.advance(CLOSE)
    assert broker.positions() == []
    assert [int(order.quantity) for order in broker.orders()[3:]] == [25, 25, 10]


def test_a_position_opened_late_passes_every_stage_at_once() -> None:
    """Opened after the warning was due: the warning comes at once, the rest in its time."""
    broker = opened()
    quote(broker, f"{DAY}20:40:00Z")
    broker.buy("ABC", 10)
    broker.advance(f"{DAY}20:41:00Z")
    assert stages(broker) == [("warned", f"{DAY}20:40:00Z")]


def test_wall_clock_times_hold_from_their_day_and_give_way_to_an_early_close() -> None:
    """15:20 in Mumbai, 15:12 since August 2026; on a day that closes before, the minutes before the close count."""
    rule = pt.SquareOff(at={"2015-01-01": "15:20", "2026-08-03": "15:12"}, minutes_before_close=10)
    nse = pt.calendar("XNSE")
    for day, expected in (("2026-07-31", "09:50"), ("2026-08-03", "09:42"), ("2025-10-21", "09:05")):
        session = nse.session(day)
        assert session is not None
        flat = pt.units(0) + rule.flat_ns(nse, session.closes_ns)
        assert nse.session_at_or_after(flat).day.isoformat() == day
        assert f"{(flat // 60_000_000_000) % 1440 // 60:02d}:{(flat // 60_000_000_000) % 60:02d}" == expected


def indian(hours: pt.Calendar, rule: pt.SquareOff, at: str) -> pt.PaperBroker:
    """An intraday broker on Indian hours that bought ten at an instant."""
    broker = pt.open_paper_broker(cash=100_000, currency="INR", clock="data", calendar=hours, square_off=rule)
    quote(broker, at)
    broker.buy("ABC", 10)
    return broker


def test_a_session_that_opens_after_the_wall_clock_time_is_traded() -> None:
    """15:20 on the day of a muhurat session from 18:00 to 19:00: the minutes before its close count."""
    nse = pt.calendar("XNSE").with_days({"2026-11-08": "18:00-19:00"})
    broker = indian(nse, pt.SquareOff(at="15:20", minutes_before_close=10), "2026-11-08T12:35:00Z")
    broker.advance("2026-11-08T12:36:00Z")
    assert stages(broker) == []
    broker.advance("2026-11-08T13:30:00Z")
    assert stages(broker)[-1] == ("flat", "2026-11-08T13:20:00Z")
    assert broker.positions() == []


@pytest.mark.parametrize("rule", [pt.SquareOff(minutes_before_close=10), pt.SquareOff(at="15:20")])
def test_everything_is_closed_before_a_closing_auction_begins(rule: pt.SquareOff) -> None:
    """Continuous trading ends at 15:15 and the auction at 15:35: a market order at 15:25 would fill on nothing."""
    broker = indian(pt.calendar("XNSE-CAS"), rule, "2026-08-04T09:00:00Z")
    broker.advance("2026-08-04T10:10:00Z")
    assert stages(broker)[-1] == ("flat", "2026-08-04T09:35:00Z")
    assert broker.positions() == []


def test_rules_are_for_the_calendars_that_they_name() -> None:
    """Another market, and one that never closes, are left alone."""
    exchange = pt.Exchange(clock="data", calendar="XNYS")
    exchange.add_instrument("BTC", calendar="24x7")
    exchange.add_instrument("ABC")
    exchange.add_instrument("XYZ", calendar="XNSE")
    broker = exchange.open_account("main", cash=10_000, square_off=pt.SquareOff(calendars="XNYS"))
    for symbol in ("BTC", "ABC", "XYZ"):
        exchange.on_quote(symbol, 99, 100, at=f"{DAY}09:00:00Z")
    broker.buy("BTC", 1)
    broker.buy("XYZ", 1)
    exchange.on_quote("ABC", 99, 100, at=NOON)
    broker.buy("ABC", 1)
    exchange.advance(CLOSE)
    assert sorted(position.symbol for position in broker.positions()) == ["BTC", "XYZ"]
    other = exchange.open_account("other", cash=10_000, square_off=pt.SquareOff())
    exchange.on_quote("BTC", 99, 100, at="2026-01-05T23:00:00Z")
    other.buy("BTC", 1)
    exchange.advance("2026-01-09T00:00:00Z")
    assert [position.symbol for position in other.positions()] == ["BTC"]


@pytest.mark.parametrize("name", ["XNYS", "NYSE", "us"])
def test_a_rule_names_a_calendar_by_any_of_its_names(name: str) -> None:
    """The names that open a calendar name it in a rule too, or the rule would be for nothing without a word."""
    broker = opened(rule=pt.SquareOff(calendars=name))
    quote(broker, NOON)
    broker.buy("ABC", 10)
    broker.advance(CLOSE)
    assert broker.positions() == []


def test_a_close_that_is_announced_earlier_is_met() -> None:
    """A calendar mended during the session: the account is woken and squared off before the close that holds now."""
    broker = opened()
    quote(broker, NOON)
    broker.buy("ABC", 10)
    broker.exchange.use_calendar(pt.calendar("XNYS").with_days({"2026-01-05": "09:30-13:00"}))
    assert str(broker.exchange.next_deadline()) == "2026-01-05 17:35:00+00:00"
    broker.advance(f"{DAY}17:55:00Z")
    assert stages(broker)[-1] == ("flat", f"{DAY}17:50:00Z")
    assert broker.positions() == []


def test_what_a_calendar_does_not_know_any_more_breaks_no_stored_command() -> None:
    """After the last known close nobody knows the next one: commands are answered, and the account can be opened."""
    ends = pt.Calendar(name="ends", zone="UTC", hours="10:00-16:00", known=("2026-01-01", "2026-01-05"))
    store = MemoryStore()
    broker = pt.open_paper_broker(cash=100_000, clock="data", calendar=ends, store=store, square_off=RULE)
    quote(broker, f"{DAY}16:30:00Z")
    order = broker.buy("ABC", 1, limit_price=90)
    assert broker.order(order).status == "accepted"
    again = pt.open_paper_broker(clock="data", calendar=ends, store=store, square_off=RULE)
    assert again.cancel_order(order).status == "canceled"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"minutes_before_close": -1}, "minutes_before_close"),
        ({"minutes_before_close": 721}, "minutes_before_close"),
        ({"minutes_before_close": 0}, "minutes_before_close"),
        ({"warn_minutes": True}, "warn_minutes"),
        ({"reduce_only_minutes": -1}, "reduce_only_minutes"),
        ({"warn_minutes": 2}, "warn_minutes"),
        ({"at": "3 pm"}, "at"),
        ({"at": {}}, "at"),
        ({"at": {"soon": "15:20"}}, "at"),
        ({"at": {"2026-W32-1": "15:20"}}, "at"),
        ({"at": 15}, "at"),
        ({"calendars": []}, "calendars"),
        ({"calendars": 5}, "calendars"),
    ],
)
def test_rules_that_make_no_sense_are_refused(options: dict[str, Any], field: str) -> None:
    """A typed error that names the field."""
    with pytest.raises(InvalidValueError) as caught:
        pt.SquareOff(**options)
    assert caught.value.field == field


def test_something_else_than_a_rule_is_refused() -> None:
    """The account option takes a ``SquareOff``."""
    with pytest.raises(InvalidValueError, match="a SquareOff"):
        pt.open_paper_broker(cash=1, square_off="15:20")  # the name of no table


@pytest.mark.parametrize("first", ["another symbol", "its own", "only the time", "a restart before", "a restart after"])
def test_what_came_in_before_the_time_was_known_is_squared_off_too(first: str) -> None:
    """Imported before the first datum, and no command since: its day opens with the first instant; then the stages."""
    store = MemoryStore()
    broker = opened(store)
    broker.import_positions([{"symbol": "ABC", "quantity": 5, "average_price": 90}])
    assert broker.exchange.next_deadline() is None
    if first == "a restart before":
        broker = opened(store)
    if first == "only the time":
        broker.advance(NOON)
    else:
        quote(broker, NOON, symbol="ABC" if first == "its own" else "XYZ")
    if first == "a restart after":
        broker = opened(store)
    assert str(broker.exchange.next_deadline()) == "2026-01-05 20:35:00+00:00"
    broker.advance(CLOSE)
    assert stages(broker) == [("warned", WARN), ("reduce_only", REDUCE), ("flat", FLAT)]
    assert [str(event.at) for event in broker.events(kinds="day_opened")] == ["2026-01-05 17:00:00+00:00"]
    assert broker.orders()[-1].tags == {"by": "square_off"}
    check_account(broker)
