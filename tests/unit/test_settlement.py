"""Settlement: every trade settles once, on its day, whatever the clock does; what has not settled is known and kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.events import decode_event
from papertrade.domain.events import GoodFaithViolation, OrderFilled, SettlementSet, TradesSettled
from papertrade.errors import CalendarRangeError, InvalidValueError
from papertrade.ledger.settling import NOTHING, with_day, with_fill
from papertrade.testing.invariants import BrokenInvariantError, check_account

SETTLING = ("settlement_set", "trades_settled", "good_faith_violation")
MONDAY, TUESDAY, WEDNESDAY = (f"2026-01-{day}T15:00:00Z" for day in ("05", "06", "07"))


def opened(settlement: pt.Settlement | str | None = "T+1", cash: int = 0, **options: Any) -> pt.PaperBroker:
    """A broker on New York hours."""
    options = {"calendar": "XNYS", "clock": "data", **options}
    return pt.open_paper_broker(cash=cash, settlement=settlement, **options)


def quote(broker: pt.PaperBroker, at: str, *symbols: str, price: int = 50) -> None:
    """The same bid and ask in each symbol."""
    for symbol in symbols or ("A", "B"):
        broker.on_quote(symbol, price, price, 10_000, 10_000, at=at)


def hold(broker: pt.PaperBroker, symbol: str, quantity: int) -> None:
    """A holding that settled long ago."""
    broker.import_positions([{"symbol": symbol, "quantity": quantity, "average_price": 40}])


def settled(broker: pt.PaperBroker) -> list[tuple[str, str, Decimal, tuple[tuple[str, int], ...]]]:
    """(trade date, when it settled, cash, what was delivered) so far."""
    found = broker.events(kinds="trades_settled")
    return [
        (e.day, e.at.isoformat()[:16], e.cash, tuple((symbol, units // 10**9) for symbol, units in e.holdings))
        for e in found
        if isinstance(e, TradesSettled)
    ]


def violations(broker: pt.PaperBroker) -> list[GoodFaithViolation]:
    """The good-faith violations so far."""
    return [e for e in broker.events(kinds="good_faith_violation") if isinstance(e, GoodFaithViolation)]


# ---------------------------------------------------------------------- when


def test_a_trade_settles_on_the_next_session() -> None:
    """Bought on Monday, delivered when Tuesday's session begins; until then it is T1 and may be sold."""
    broker = opened(cash=1_000)
    quote(broker, MONDAY)
    broker.buy("A", 10)
    position = broker.position("A")
    assert (position.t1_quantity, position.settled_quantity, position.available) == (10, 0, 10)
    broker.advance("2026-01-06T08:59:59Z")
    assert settled(broker) == []
    broker.advance("2026-01-06T09:00:00Z")
    assert settled(broker) == [("2026-01-05", "2026-01-06T09:00", 0, (("A", 10),))]
    position = broker.position("A")
    assert (position.t1_quantity, position.settled_quantity) == (0, 10)
    check_account(broker)


@pytest.mark.parametrize(
    ("traded", "settles", "cycle"),
    [
        ("2026-01-16T15:00:00Z", "2026-01-20T09:00", "T+1"),  # Friday; Monday is Martin Luther King Day
        ("2026-01-15T15:00:00Z", "2026-01-20T09:00", "T+2"),
        ("2026-01-05T23:00:00Z", "2026-01-06T09:00", "T+1"),  # after hours belong to the day
        ("2024-05-24T15:00:00Z", "2024-05-29T08:00", "us_shares"),  # T+2, over Memorial Day
        ("2024-05-28T15:00:00Z", "2024-05-29T08:00", "us_shares"),  # the first day of T+1
    ],
)
def test_settlement_days_are_sessions(traded: str, settles: str, cycle: str) -> None:
    """Holidays and weekends do not count, and the table is looked up by trade date."""
    broker = opened(cycle, cash=1_000)
    quote(broker, traded)
    broker.buy("A", 10, limit_price=50, extended_hours=True)
    broker.advance("2026-02-01T00:00:00Z")
    assert [at for _, at, _, _ in settled(broker)] == [settles]


def test_without_a_calendar_the_trading_days_of_the_account_count() -> None:
    """An instrument that trades around the clock, of an account whose days follow Mumbai: Friday settles on Tuesday."""
    day = pt.TradingDay("Asia/Kolkata", calendar="XNSE")
    broker = opened("T+1", cash=1_000, calendar=None, trading_day=day)
    quote(broker, "2026-01-23T06:00:00Z")  # Monday is Republic Day
    broker.buy("A", 1)
    broker.advance("2026-02-01T00:00:00Z")
    assert settled(broker) == [("2026-01-23", "2026-01-23T18:30", 0, (("A", 1),))]
    assert day.of("2026-01-23T18:30:00Z") == "2026-01-27"


@pytest.mark.parametrize(("name", "expected"), [("NYSE", 1), ("XNYS", 1), ("XNSE", 0)])
def test_rules_name_calendars_by_any_of_their_names(name: str, expected: int) -> None:
    """A rule for NYSE is one for what calls itself XNYS; one for another market is none for it."""
    broker = opened(pt.Settlement("T+1", calendars=name), cash=1_000)
    quote(broker, MONDAY)
    broker.buy("A", 1)
    assert broker.position("A").t1_quantity == expected


def test_indian_shares_are_delivered_after_a_holiday_and_may_be_sold_before() -> None:
    """Bought on Monday, delivered on Wednesday, because Tuesday is a holiday; half is sold before, as BTST."""
    broker = opened("india_shares", cash=1_000, calendar="XNSE")
    quote(broker, "2026-11-09T06:00:00Z")
    broker.buy("A", 10)
    assert broker.sell("A", 5).status == "filled"
    assert (broker.position("A").t1_quantity, broker.position("A").settled_quantity) == (5, 0)
    broker.advance("2026-11-12T00:00:00Z")
    assert settled(broker) == [("2026-11-09", "2026-11-11T03:30", 250, (("A", 5),))]


def test_several_cycles_side_by_side() -> None:
    """T+0 and what the rule is not for settle at once, and no event says so."""
    exchange = pt.Exchange(clock="data", calendar="XNYS")
    for symbol, calendar in (("A", "XNYS"), ("BTC", "24x7")):
        exchange.add_instrument(symbol, calendar=calendar)
    broker = exchange.open_account("main", cash=1_000, settlement=pt.Settlement("us_shares", calendars="XNYS"))
    quote(broker, MONDAY, "A", "BTC")
    broker.buy("A", 1)
    broker.buy("BTC", 1)
    assert (broker.position("A").t1_quantity, broker.position("BTC").t1_quantity) == (1, 0)
    coins = opened("crypto", cash=1_000)
    quote(coins, MONDAY)
    coins.buy("A", 1)
    assert coins.events(kinds="settlement_set") == []


def test_a_settlement_day_that_forgets_a_holiday_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were weekdays counted instead of sessions, the invariants would say so."""

    def weekday_after(self: pt.Calendar, ns: int, sessions: int) -> int:
        begun = self.session(self.trade_day(ns))
        assert begun is not None
        assert sessions == 1
        days = 3 if begun.day.weekday() == 4 else 1
        return begun.begins_ns + days * 86_400 * 10**9

    for planted in (False, True):
        if planted:
            monkeypatch.setattr(pt.Calendar, "begins_after", weekday_after)
        broker = opened(cash=1_000)
        quote(broker, "2026-01-16T15:00:00Z")  # Monday is a holiday
        broker.buy("A", 1)
        if planted:
            with pytest.raises(BrokenInvariantError, match="S2"):
                check_account(broker)
        else:
            check_account(broker)


def _days(broker: pt.PaperBroker, way: str, store: MemoryStore) -> pt.PaperBroker:
    for day in ("05", "06", "07", "08", "09"):
        quote(broker, f"2026-01-{day}T15:00:00Z")
        broker.buy("A", 3, client_order_id=f"buy-{day}")
        broker.sell("A", 2, client_order_id=f"sell-{day}")
        broker.buy("B", 2, client_order_id=f"b-{day}")
        if way == "steps":
            for hour in range(16, 24):
                broker.advance(f"2026-01-{day}T{hour}:00:00Z")
        if way == "restart":
            broker = opened("T+2", store=store)
    broker.advance("2026-01-20T15:00:00Z")
    return broker


@pytest.mark.parametrize("way", ["steps", "restart"])
def test_stepped_jumped_and_restarted_clocks_make_one_journal(way: str) -> None:
    """The same events however time passes and whoever opens the store in between."""
    journals = []
    for how in ("jump", way):
        store = MemoryStore()
        broker = _days(opened("T+2", cash=2_000, store=store), how, store)
        # After a restart marks are missing, and the days that open say so.
        events = broker.events(kinds=SETTLING if way == "restart" else None)
        journals.append([{**event.to_dict(), "version": 0} for event in events])
        check_account(broker)
    assert journals[0] == journals[1]
    assert [event["kind"] for event in journals[0]].count("trades_settled") == 5


def test_a_rule_that_is_left_out_later_lets_what_was_set_settle() -> None:
    """Opened again without a rule: Monday's trades settle on their day, new ones at once."""
    store = MemoryStore()
    broker = opened("T+1", cash=1_000, store=store)
    quote(broker, MONDAY)
    broker.buy("A", 5)
    broker = opened(None, store=store)
    quote(broker, TUESDAY)
    assert settled(broker) == [("2026-01-05", "2026-01-06T09:00", 0, (("A", 5),))]
    broker.buy("A", 5)
    assert broker.position("A").t1_quantity == 0


def test_a_snapshot_keeps_what_has_not_settled() -> None:
    """Restored from a snapshot, the account settles as it would have."""
    store = MemoryStore()
    broker = opened(store=store, snapshots="on demand")
    quote(broker, MONDAY)
    hold(broker, "A", 10)
    broker.sell("A", 10)
    broker.buy("B", 4)
    broker.snapshot()
    again = opened(store=store)
    assert again.digest() == broker.digest()
    again.advance(WEDNESDAY)
    assert settled(again) == [("2026-01-05", "2026-01-06T09:00", 300, (("B", 4),))]


# ------------------------------------------------- where a calendar ends


LAST_SESSION = "2027-12-31T06:00:00Z"  # of XNSE


def _longer() -> pt.Calendar:
    return pt.calendar("XNSE").with_days({"2028-01-26": None}, known_through="2028-12-31")


def test_a_trade_whose_settlement_nobody_knows_is_not_made() -> None:
    """On the last session of a calendar what rests waits and who places an order is told, until a longer one comes."""
    broker = opened(cash=1_000, calendar="XNSE")
    quote(broker, "2027-12-30T06:00:00Z", price=60)
    waits = broker.buy("A", 10, limit_price=50)
    quote(broker, LAST_SESSION)
    assert broker.order(waits).status == "accepted"
    with pytest.raises(CalendarRangeError, match="2027-12-31"):
        broker.buy("A", 1)
    assert len(broker.orders("all")) == 1
    broker.exchange.use_calendar(_longer())
    quote(broker, "2027-12-31T06:00:01Z")
    assert broker.order(waits).status == "filled"
    broker.advance("2028-01-04T00:00:00Z")
    assert settled(broker) == [("2027-12-31", "2028-01-03T03:30", 0, (("A", 10),))]
    check_account(broker)


def test_an_account_that_is_squared_off_there_carries_what_it_holds() -> None:
    """Its closing order waits, and expires with the session; nothing breaks."""
    broker = opened(cash=1_000, calendar="XNSE", square_off=pt.SquareOff())
    quote(broker, LAST_SESSION)
    hold(broker, "A", 10)
    quote(broker, "2027-12-31T09:58:00Z")
    assert [order.status for order in broker.orders("all")] == ["accepted"]
    assert broker.position("A").quantity == 10


def test_a_calendar_that_changes_leaves_what_was_set() -> None:
    """A holiday that is announced after the trade moves the settlement of later trades, not of this one."""
    broker = opened(cash=1_000)
    quote(broker, MONDAY)
    broker.buy("A", 5)
    broker.exchange.use_calendar(pt.calendar("XNYS").with_days({"2026-01-06": None}))
    broker.buy("A", 5)
    broker.buy("B", 1)
    broker.advance("2026-01-09T00:00:00Z")
    assert [(at, shares) for _, at, _, shares in settled(broker)] == [
        ("2026-01-06T09:00", (("A", 10),)),
        ("2026-01-07T09:00", (("B", 1),)),
    ]


# ---------------------------------------------------------------------- cash


def test_sale_proceeds_are_unsettled_until_their_day() -> None:
    """Settled and unsettled cash are all cash; only what has settled can be withdrawn, refused with the numbers."""
    broker = opened(cash=100)
    quote(broker, MONDAY)
    hold(broker, "A", 10)
    broker.sell("A", 10)
    view = broker.account()
    assert (view.total, view.settled_cash, view.unsettled_cash, view.available) == (600, 100, 500, 600)
    broker.withdraw(101)
    refused = broker.events(kinds="withdrawal_rejected")[0]
    assert refused.to_dict()["available"] == 100
    broker.withdraw(100)
    broker.advance(TUESDAY)
    broker.withdraw(500)
    assert broker.account().total == 0


def test_purchases_spend_settled_cash_first_and_what_settles_first_next() -> None:
    """Two days' proceeds under T+2: the older ones are spent before the newer."""
    broker = opened("T+2", cash=100)
    quote(broker, MONDAY)
    hold(broker, "A", 20)
    broker.sell("A", 10)
    quote(broker, TUESDAY)
    broker.sell("A", 10)
    broker.buy("B", 6)  # 300: 100 settled, 200 of Monday's 500
    assert (broker.account().settled_cash, broker.account().unsettled_cash) == (0, 800)
    broker.advance("2026-01-09T15:00:00Z")
    assert [(day, cash) for day, _, cash, _ in settled(broker)] == [("2026-01-05", 300), ("2026-01-06", 500)]


def test_only_settled_cash_buys_where_the_rule_says_so() -> None:
    """A refusal of its own names what is available and what has not settled; a change is asked the same."""
    broker = opened(pt.Settlement("T+1", unsettled_cash="refuse"), cash=100)
    quote(broker, MONDAY)
    hold(broker, "A", 10)
    broker.sell("A", 10)
    assert broker.account().available == 100
    order = broker.buy("B", 5)
    assert order.reason == "unsettled_funds"
    assert order.compared() == {"required": 250, "available": 100, "unsettled": 500}
    assert broker.buy("B", 13).reason == "insufficient_funds"
    waits = broker.buy("B", 2, limit_price=40)
    assert broker.modify_order(waits, quantity=4).reason == "unsettled_funds"
    broker.cancel_order(waits)
    quote(broker, TUESDAY)
    assert broker.buy("B", 5).status == "filled"


def test_unsettled_shares_are_kept_where_the_rule_says_so() -> None:
    """What was bought today is not sold today, in any way; what was held before may be."""
    broker = opened(pt.Settlement("T+1", unsettled_shares="refuse"), cash=1_000)
    quote(broker, MONDAY)
    hold(broker, "A", 5)
    broker.buy("A", 10)
    order = broker.sell("A", 6)
    assert (order.reason, order.compared()) == ("unsettled_shares", {"required": 6, "available": 5, "unsettled": 10})
    assert broker.close_position("A").reason == "unsettled_shares"
    waits = broker.sell("A", 4, limit_price=60)
    assert broker.modify_order(waits, quantity=6).reason == "unsettled_shares"
    assert broker.sell("A", 2).reason == "unsettled_shares"
    assert broker.sell("A", 1).status == "filled"
    quote(broker, TUESDAY)
    broker.cancel_order(waits)
    assert broker.sell("A", 14).status == "filled"


@pytest.mark.parametrize("more", [0, 1])
def test_selling_settled_holdings_never_makes_a_short(more: int) -> None:
    """A cash account sells what it holds, settled or not, and nothing beyond."""
    broker = opened(cash=1_000)
    quote(broker, MONDAY)
    broker.buy("A", 10)
    quote(broker, TUESDAY)
    broker.buy("A", 5)
    order = broker.sell("A", 15 + more)
    assert broker.position("A").quantity == (15 if more else 0)
    assert order.reason == ("insufficient_position" if more else None)


# ------------------------------------------------------- good-faith violations


@pytest.mark.parametrize(("day", "expected"), [(MONDAY, 1), (TUESDAY, 0), (WEDNESDAY, 0)])
def test_good_faith(day: str, expected: int) -> None:
    """Monday: sell A for 5,000, buy B with that, sell B on Monday is a violation; on Tuesday or later it is none."""
    broker = opened()
    quote(broker, MONDAY)
    hold(broker, "A", 100)
    broker.sell("A", 100)
    broker.buy("B", 100)
    quote(broker, day)
    broker.sell("B", 100)
    found = violations(broker)
    assert [(e.quantity, e.cash, e.violations, e.free_at) for e in found] == [(100, 5_000, 1, None)] * expected
    assert [e.settles_at.isoformat()[:16] for e in found] == ["2026-01-06T09:00"] * expected
    check_account(broker)


def test_only_the_part_that_was_bought_with_unsettled_money_must_be_kept() -> None:
    """Settled money is spent first, and what it bought, and what was held, may be sold."""
    broker = opened(cash=200)
    quote(broker, MONDAY)
    hold(broker, "A", 10)
    hold(broker, "B", 3)
    broker.sell("A", 10)
    broker.buy("B", 6)  # 300: 100 of it unsettled, which is 2 of 6
    broker.sell("B", 7)
    assert violations(broker) == []
    broker.sell("B", 1)
    assert [(e.quantity, e.cash) for e in violations(broker)] == [(1, 50)]
    broker.sell("B", 1)
    assert [(e.quantity, e.cash, e.violations) for e in violations(broker)][1:] == [(1, 50, 2)]


def _violate(broker: pt.PaperBroker, day: str) -> None:
    quote(broker, f"{day}T15:00:00Z")
    hold(broker, "A", 1)
    broker.withdraw(max(broker.account().settled_cash, Decimal("0.01")))
    broker.sell("A", 1)
    broker.buy("B", 1)
    broker.sell("B", 1)


def test_the_third_in_twelve_months_restricts_for_ninety_days() -> None:
    """One of more than a year ago does not count. While restricted only settled cash buys; then as before."""
    broker = opened(pt.Settlement("T+1", on_violation="restrict"))
    for day in ("2024-11-05", "2025-03-04", "2025-06-03"):
        _violate(broker, day)
    _violate(broker, "2025-11-05")
    counts = [(e.violations, e.free_at and e.free_at.isoformat()[:10]) for e in violations(broker)]
    assert counts == [(1, None), (2, None), (3, "2025-09-01"), (3, "2026-02-03")]
    quote(broker, "2026-02-02T15:00:00Z")
    hold(broker, "A", 2)
    broker.withdraw(broker.account().settled_cash)
    broker.sell("A", 1)
    assert broker.buy("B", 1).reason == "unsettled_funds"
    quote(broker, "2026-02-04T15:00:00Z")
    broker.withdraw(broker.account().settled_cash)
    broker.sell("A", 1)
    assert broker.buy("B", 1).status == "filled"


def test_a_note_is_only_a_note() -> None:
    """By default violations are counted and nothing else."""
    broker = opened()
    for day in ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"):
        _violate(broker, day)
    assert [(e.violations, e.free_at) for e in violations(broker)] == [(n, None) for n in (1, 2, 3, 4)]


def test_a_margin_account_has_no_good_faith_to_break() -> None:
    """Its equity stands behind a purchase; what settles when is known all the same, and limits withdrawals."""
    broker = opened(pt.Settlement("T+1", unsettled_cash="refuse"), cash=1_000, margin=pt.FlatMargin("0.5", "0.25"))
    quote(broker, MONDAY)
    broker.buy("A", 20)
    broker.sell("A", 20)
    assert (broker.account().unsettled_cash, broker.account().available) == (1_000, 1_000)
    broker.buy("B", 20)
    broker.sell("B", 20)
    assert violations(broker) == []
    assert broker.sell("B", 5).status == "filled"
    assert broker.position("B").t1_quantity == 0
    check_account(broker)


def test_a_reset_begins_with_settled_cash() -> None:
    """Nothing of what was unsettled, and no violation, is left."""
    broker = opened(pt.Settlement("T+1", on_violation="restrict", most_violations=1))
    _violate(broker, "2026-01-05")
    broker.reset(cash=1_000)
    assert (broker.account().settled_cash, broker.account().unsettled_cash) == (1_000, 0)
    broker.advance(WEDNESDAY)
    assert settled(broker) == []
    check_account(broker)


@pytest.mark.parametrize("sell", [False, True], ids=["held", "flat"])
def test_a_settlement_is_of_its_day(sell: bool) -> None:
    """It comes after the end of the day that ends then, on the next one, also of an account that holds nothing."""
    broker = opened("T+2", cash=1_000, calendar=None)
    quote(broker, MONDAY, "A")
    broker.buy("A", 2)
    if sell:
        broker.sell("A", 2)
    broker.advance("2026-01-07T12:00:00Z")
    last = [event.kind for event in broker.events() if event.at.isoformat()[:10] >= "2026-01-06"]
    began = ["day_closed"] if sell else ["day_closed", "day_opened", "day_closed"]
    assert last == [*began, "day_opened", "trades_settled"]
    check_account(broker)


# ---------------------------------------------------------------- the rule


def test_what_no_table_knows_is_refused() -> None:
    """A trade date before the first row is an error that says how to add one, and the order was never there."""
    broker = opened("india_shares", cash=1_000, calendar="XNYS")
    quote(broker, "2022-06-01T15:00:00Z")
    with pytest.raises(CalendarRangeError, match="2023-01-27") as caught:
        broker.buy("A", 1)
    assert "Settlement({'2022-06-01': 'T+2', '2023-01-27': 'T+1'})" in str(caught.value)
    assert "with_days" not in str(caught.value)
    assert broker.orders("all") == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"cycle": "T+x"}, "cycle"),
        ({"cycle": {}}, "cycle"),
        ({"cycle": {"2024-13-01": "T+1"}}, "cycle"),
        ({"cycle": {"2024-W22-2": "T+1"}}, "cycle"),
        ({"cycle": "T+1", "unsettled_cash": "sell"}, "unsettled_cash"),
        ({"cycle": "T+1", "unsettled_shares": True}, "unsettled_shares"),
        ({"cycle": "T+1", "on_violation": "freeze"}, "on_violation"),
        ({"cycle": "T+10"}, r"'T\+0' to 'T\+9'"),
        ({"cycle": "T+1", "most_violations": 0}, "most_violations: found 0"),
        ({"cycle": "T+1", "restricted_days": 3_651}, "restricted_days: found 3651"),
        ({"cycle": "T+1", "calendars": ()}, "calendars"),
        ({"cycle": "T+1", "source": 5}, "source"),
    ],
)
def test_rules_are_checked(options: dict[str, Any], field: str) -> None:
    """A rule that means nothing is refused by the name of its field."""
    with pytest.raises(InvalidValueError, match=field):
        pt.Settlement(**options)


def test_rules_say_where_they_are_from() -> None:
    """A table that ships has its source, also when it is written out; one of somebody's own says so."""
    assert "15c6-1" in pt.Settlement("us_shares").source
    assert pt.Settlement({"2017-09-05": "T+2", "2024-05-28": 1}).source == pt.Settlement("us_shares").source
    assert "memory" in pt.Settlement("india_shares").source
    assert str(pt.Settlement("T+1")) == "T+1 (given by hand)"
    assert any("T+1 (given by hand)" in line for line in opened("T+1").assumptions())
    with pytest.raises(InvalidValueError, match="settlement"):
        opened(1)  # type: ignore[arg-type]


# ---------------------------------------------------------- other beginnings


def test_a_copy_begins_with_everything_settled() -> None:
    """Its past stays with the other account, so nothing of it settles here."""
    exchange = pt.Exchange(clock="data", calendar="XNYS")
    for symbol in ("A", "B"):
        exchange.add_instrument(symbol)
    broker = exchange.open_account("main", cash=0, settlement="T+1")
    quote(broker, MONDAY)
    hold(broker, "A", 10)
    broker.sell("A", 4)
    broker.buy("B", 2)
    twin = exchange.clone_account("main", "twin")
    assert (broker.account().unsettled_cash, twin.account().unsettled_cash) == (100, 0)
    assert (broker.position("B").t1_quantity, twin.position("B").t1_quantity) == (2, 0)
    broker.advance(TUESDAY)
    assert (len(settled(broker)), settled(twin)) == (1, [])
    check_account(twin)


def test_fills_that_cross_zero_leave_no_more_unsettled_than_there_is() -> None:
    """Of a purchase that covers a short only what is held is undelivered; a sale beyond what is held leaves nothing."""
    broker = opened(cash=1_000, kind="margin")
    quote(broker, MONDAY)
    broker.buy("A", 5)
    broker.sell("A", 12)
    assert (broker.position("A").quantity, broker.position("A").t1_quantity) == (-7, 0)
    broker.buy("A", 10)
    assert (broker.position("A").quantity, broker.position("A").t1_quantity) == (3, 3)
    check_account(broker)


def test_a_restriction_keeps_unsettled_money_from_an_order_that_waits() -> None:
    """It was taken when it could use that money, and is canceled when it would fill."""
    broker = opened(pt.Settlement("T+1", on_violation="restrict", most_violations=1))
    quote(broker, MONDAY, "A", "B", "C")
    hold(broker, "A", 20)
    broker.sell("A", 20)
    waits = broker.buy("C", 10, limit_price=40)
    broker.buy("B", 10)
    broker.sell("B", 10)
    quote(broker, "2026-01-05T15:01:00Z", "C", price=39)
    assert broker.order(waits).reason == "insufficient_funds"
    check_account(broker)


def test_a_purchase_that_brings_money_owes_nothing() -> None:
    """A rebate above the price: the purchase is proceeds itself, of an account whose cash was below zero."""
    day = SettlementSet("main", 1, 0, "A", "2026-01-05", 1, 10, 20)
    stored = (Path(__file__).parent.parent / "golden" / "order_filled.json").read_bytes()
    fill = decode_event(stored.rstrip())
    assert isinstance(fill, OrderFilled)
    fill = fill._replace(symbol="A", product="", at_ns=5, sign=1, value_units=1, fees=(("rebate", -100),))
    found = with_fill(with_day(NOTHING, day), fill, 49, fill.quantity_units, True)
    assert (found.settling[0].cash_units, found.unpaid) == (49, ())
