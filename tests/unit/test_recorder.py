"""A recorded session replays to the same bytes, whatever the clock did, and a recording is read like any stranger's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.events import encode_event
from papertrade.domain.events import OrderFilled
from papertrade.errors import InvalidValueError, StoreUnavailableError, UsageError
from papertrade.testing.recorder import RecordingError, RecordingExchange, open_recording_broker, replay
from papertrade.testing.replaying import ACCOUNT, EXCHANGE
from papertrade.testing.short_hours import ShortHours

START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def log() -> ModuleType:
    """The command log of the determinism tests: every kind of datum, order and event."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "properties"))
        import command_log

    return command_log


class Restless:
    """A clock that never says the same twice, and sometimes goes back."""

    def __init__(self) -> None:
        self.ns = START
        self.asked = 0

    def now_ns(self) -> int:
        self.asked += 1
        self.ns += 400_000_007
        return self.ns - (3 * SECOND if self.asked % 11 == 0 else 0)


def journals(exchange: pt.Exchange) -> dict[str, tuple[list[bytes], str]]:
    """Every account's events as bytes, and its digest."""
    found = {}
    for name in exchange.accounts():
        broker = exchange.account(name)
        found[name] = ([encode_event(event) for event in broker.events()], broker.digest())
    return found


def play_log(log: ModuleType, exchange: pt.Exchange) -> None:
    """The whole command log, given to an exchange."""
    player = log.Player(names=[])
    player.exchange = exchange
    for listed in log.INSTRUMENTS:
        exchange.add_instrument(**listed)
    exchange.advance(to=log.START)
    player.brokers = {name: exchange.open_account(name, **how) for name, how in log.accounts().items()}
    for command in log.commands():
        player.give(command)


def restless_session(exchange: pt.Exchange, clock: Restless) -> None:
    """Orders, data and expiries under a clock that moves at every look."""
    exchange.list_unknown_in("USD")
    broker = exchange.open_account("main", cash="50000.50", fees=pt.PercentFee("0.001"), trading_day="Asia/Kolkata")
    other = exchange.open_account("other", cash=1_000, kind="margin", fill="lenient")
    heard: list[str] = []

    def on_fill(event: Any) -> None:
        heard.append(event.kind)
        if isinstance(event, OrderFilled) and len(heard) < 40:
            broker.sell("AAPL", 1, limit_price="150.00", tags={"for": event.fill_id})

    broker.subscribe(on_fill, kinds="order_filled")
    for turn in range(60):
        bid = 100 - turn % 9
        exchange.on_quote("AAPL", bid, bid + 0.5, bid_size=Decimal("7.0"), ask_size="9")
        broker.buy("AAPL", 2 + turn % 3, limit_price=f"{bid}.25", time_in_force="gtd", expires_at=clock.ns + 9 * SECOND)
        broker.account()
        if turn % 4 == 0:
            broker.buy("AAPL", 1)
            other.sell("AAPL", 1, stop_price=bid - 3)
        if turn % 7 == 0:
            exchange.on_trade("AAPL", f"{bid}.10", 3, "sell")
        if turn % 11 == 5:
            clock.ns += 3_600 * SECOND
            exchange.advance()
    broker.deposit("10.5", command_id="d", note="ünïcödé")
    broker.close_all_positions()


def test_every_kind_of_input_replays_to_the_same_bytes(log: ModuleType) -> None:
    """Record the whole command log under clock='data': the replay has equal bytes and digests."""
    lines: list[str] = []
    recorded = RecordingExchange(lines.append, clock="data")
    play_log(log, recorded)
    plain = pt.Exchange(clock="data")
    play_log(log, plain)
    assert journals(recorded) == journals(plain)
    again = replay(lines)
    assert journals(again) == journals(recorded)
    assert {line.count("\n") for line in lines} == {0}
    done = {json.loads(line)["do"] for line in lines}
    assert {"on_quote", "on_bar", "on_depth", "on_trade", "on_price", "on_halt", "place_oco", "modify_order"} <= done
    assert {"kill", "reset_limit", "link_orders", "withdraw", "close_position", "advance"} <= done


def test_a_restless_clock_replays_to_the_same_bytes() -> None:
    """What the clock said at each input is part of the recording, handlers' orders included, once each."""
    lines: list[str] = []
    clock = Restless()
    recorded = RecordingExchange(lines.append, clock=clock)
    restless_session(recorded, clock)
    assert journals(replay(lines)) == journals(recorded)
    orders = [order for name in recorded.accounts() for order in recorded.account(name).orders()]
    placed = [order for order in orders if not order.reduce_only]  # the others are close_all_positions'
    assert sum(json.loads(line)["do"] == "place_order" for line in lines) == len(placed) > 100
    assert any(order.status == "expired" for order in orders)


def test_the_system_clock_is_recorded() -> None:
    """A session under the system clock, with its quote age and its first-datum check, replays anywhere."""
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=10_000)
    with pytest.raises(pt.UsageError, match="the clock says"):
        broker.on_quote("AAPL", 1, 2, at="2001-01-01T00:00:00Z")
    broker.on_quote("AAPL", bid="187.10", ask="187.14")
    order = broker.buy("AAPL", 10, client_order_id="one")
    assert broker.buy("AAPL", 10, client_order_id="one").id == order.id
    assert "at most 60 s old" in " ".join(broker.assumptions())
    again = replay(lines)
    assert journals(again) == journals(broker.exchange)
    assert again.account("main").assumptions() == broker.assumptions()


def test_the_recording_does_not_change_the_session() -> None:
    """A recording exchange decides what a plain one decides, at the same instants."""
    clock, lines = pt.ManualClock(START), []
    plain, taped = pt.Exchange(clock=clock), RecordingExchange(lines.append, clock=clock)
    for exchange in (plain, taped):
        exchange.add_instrument("AAPL")
        exchange.open_account("main", cash=1_000)
    for step in range(20):
        clock.advance(seconds=1)
        for exchange in (plain, taped):
            exchange.on_quote("AAPL", 10 + step % 3, 11 + step % 3)
            exchange.account("main").buy("AAPL", 1, limit_price=11)
    assert journals(plain) == journals(taped)


def test_the_tape_is_recorded() -> None:
    """Whole ticks and lots are written as the quotes, prints and bars that they are."""
    lines: list[str] = []

    def session(exchange: pt.Exchange) -> pt.Exchange:
        exchange.add_instrument("BTC", tick_size="0.5", lot_size="0.001")
        broker = exchange.open_account("main", cash=1_000_000)
        tape = exchange.tape("BTC")
        for turn in range(12):
            at = START + turn * 10 * SECOND
            tape.quote(200 - turn % 5, 201 - turn % 5, 300, 200, at)
            broker.buy("BTC", "0.05", limit_price=f"{98 + turn % 3}.5")
            tape.trade(195 - turn % 4, 40, at + SECOND, -1 if turn % 2 else 0)
            tape.bar(200, 205, 190 - turn % 7, 199, None if turn % 3 else 5_000, at + 2 * SECOND)
        return exchange

    recorded = session(RecordingExchange(lines.append, clock="data"))
    assert journals(recorded) == journals(session(pt.Exchange(clock="data"))) == journals(replay(lines))
    assert len(recorded.account("main").fills()) > 5


def test_refused_input_is_recorded_and_refused_again() -> None:
    """Misuse that reached the exchange is a line with its error; what never could is none."""
    lines: list[str] = []
    exchange = RecordingExchange(lines.append, clock="data")
    exchange.add_instrument("AAPL")
    broker = exchange.open_account("main", cash=1_000)
    calls: list[Callable[[], object]] = [
        lambda: broker.on_quote("AAPL", "-1", "2", at=START),
        lambda: broker.on_quote("AAPL", object(), 2, at=START),  # type: ignore[arg-type]
        lambda: broker.on_bar("AAPL", 1, 2, 3, 4, end=START),
        lambda: broker.on_depth("AAPL", [(1, "x")], [], at=START),  # type: ignore[list-item]
        lambda: broker.cancel_order("main-7"),
        lambda: broker.buy("MSFT", 1),
        lambda: broker.buy("MSFT", 0),
    ]
    for call in calls:
        with pytest.raises(UsageError):
            call()
    refused = [json.loads(line) for line in lines if "refused" in line]
    wanted = ["InvalidValueError"] * 3 + ["UnknownOrderError", "UnknownSymbolError"]
    assert [line["refused"] for line in refused] == wanted
    assert journals(replay(lines)) == journals(broker.exchange)
    turned = json.dumps({**json.loads(lines[-1]), "refused": "KeyConflictError"}, sort_keys=True, separators=(",", ":"))
    with pytest.raises(RecordingError, match="UnknownSymbolError"):
        replay([*lines[:-1], turned])


def test_a_product_that_is_none_is_refused_and_recorded_or_left_out() -> None:
    """A conversion without a product is refused again; one with something that no line can hold did nothing."""
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=1_000, clock="data", products=["CNC", "MIS"])
    broker.on_quote("AAPL", 10, 11, at=START)
    broker.buy("AAPL", 3)
    for source, target, written in (("CNC", None, 1), (None, "MIS", 1), ("CNC", b"MIS", 0), (object(), "MIS", 0)):
        before = len(lines)
        with pytest.raises(InvalidValueError, match="the name of a product"):
            broker.convert_position("AAPL", 1, from_product=source, to_product=target)  # type: ignore[arg-type]
        assert len(lines) - before == written
    with pytest.raises(InvalidValueError, match="CNC, MIS"):
        broker.close_position("AAPL", product=b"MIS")  # type: ignore[arg-type]
    broker.convert_position("AAPL", 1, from_product="CNC", to_product="MIS")
    assert journals(replay(lines)) == journals(broker.exchange)


def test_a_look_that_lists_a_symbol_is_an_input() -> None:
    """In the one-account form, looking at a market lists its symbol; the replay lists it at the same place."""
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=1_000, clock="data")
    broker.on_quote("AAPL", 10, 11, at=START)
    broker.market("NEW")
    broker.market("NEW")
    broker.buy("NEW", 1, limit_price=5)
    broker.market("LAST")
    assert [json.loads(line)["do"] for line in lines].count("market") == 2
    again = replay(lines)
    assert journals(again) == journals(broker.exchange)
    assert again.instruments() == broker.exchange.instruments()


def test_every_field_of_a_datum_is_an_input() -> None:
    """Who took, how much, in which sequence, from when: what decides a fill is on its line."""
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=10_000, clock="data", fill="lenient")
    broker.on_quote("AAPL", 99, 101, at=START, sequence=7)
    broker.buy("AAPL", 1, limit_price=100)
    broker.on_trade("AAPL", 100, 5, "buy", at=START + 1)  # a buyer took: nobody sold to us
    assert not broker.fills()
    broker.on_trade("AAPL", 100, None, pt.Side.SELL, at=START + 2, sequence=9)
    broker.on_quote("AAPL", 50, 51, at=START + 3, sequence=7)  # a repetition
    broker.on_bar("AAPL", 1.5, "2.50", Decimal("1.50"), 2, volume=0, start=START + 4, end="2026-01-05T20:00:05+05:30")
    assert len(broker.fills()) == 1
    told = [{k: v for k, v in json.loads(line).items() if k not in ("at", "end", "start")} for line in lines]
    assert {"do": "on_trade", "symbol": "AAPL", "price": "100", "size": "5", "aggressor": "buy"} in told
    assert {"do": "on_trade", "symbol": "AAPL", "price": "100", "aggressor": "sell", "sequence": 9} in told
    bar = {"open": "1.5", "high": "2.50", "low": "1.5", "close": "2", "volume": "0"}
    assert {"do": "on_bar", "symbol": "AAPL", **bar} in told
    assert journals(replay(lines)) == journals(broker.exchange)


class HalfACent:
    """Somebody's own slippage model."""

    name = "half a cent"

    def slip(self, candidate: object) -> str:
        return "0.005"


def test_own_models_are_named_and_brought_along() -> None:
    """A recording names a model of somebody's own; the replay asks for it, and without it says so."""
    lines: list[str] = []
    fill = pt.FillSettings.preset("realistic", slippage=HalfACent())
    broker = open_recording_broker(lines.append, cash=1_000, clock="data", fill=fill)
    broker.on_quote("AAPL", 10, 11, at=START)
    broker.buy("AAPL", 1)
    with pytest.raises(RecordingError, match="half a cent"):
        replay(lines)
    own = {"half a cent": fill.slippage}
    assert journals(replay(lines, own=own)) == journals(broker.exchange)


MENDED = pt.calendar("XNYS").with_days({"2026-01-05": "09:30-13:00", "2026-01-06": None}, note="Trauertag, § 2")
DESK = pt.Calendar(
    name="desk",
    zone="America/New_York",
    hours={
        "2020-01-01": pt.Hours("pre_market 08:00-09:30, 09:30-12:00, 13:00-16:00"),
        "2025-01-01": pt.Hours(
            "pre_market 08:00-09:30, 09:30-16:00",
            auctions=[
                pt.AuctionTimes("open", at="09:30", accepts_until="09:28", accepts_from="08:00"),
                pt.AuctionTimes("close", at="16:00", accepts_until="15:50"),
            ],
        ),
    },
    weekdays="Mon-Sat",
    closed={"2026-01-01": "New Year"},
    special=[("2026-01-06", "10:00-11:00", "a drill")],
    known=("2020-01-01", "2026-12-31"),
    tentative_from="2026-06-01",
    source="a circular",
)


@pytest.mark.parametrize("hours", ["XNYS", MENDED, DESK, ShortHours()], ids=lambda hours: getattr(hours, "name", hours))
@pytest.mark.parametrize("later", [False, True])
def test_calendars_are_recorded_with_their_days(hours: Any, later: bool) -> None:
    """A replay keeps the same hours: those that ship by name, mended and own ones as they were, at any moment."""
    lines: list[str] = []
    day = None if isinstance(hours, ShortHours) else pt.TradingDay("America/New_York", calendar=hours)
    start = "XNYS" if later and hours == MENDED else "24x7" if later else hours
    broker = open_recording_broker(
        lines.append, cash=10_000, clock="data", calendar=start, trading_day=day, square_off=pt.SquareOff()
    )
    broker.exchange.add_instrument("XYZ", calendar="XNYS")
    for at in ("15:00", "17:30", "18:30", "20:45", "21:30"):
        if later and at == "17:30":
            broker.exchange.use_calendar(hours)
            with pytest.raises(InvalidValueError):
                broker.exchange.use_calendar(5)  # type: ignore[arg-type]  # that is the point
        for symbol in ("ABC", "XYZ"):
            broker.on_quote(symbol, 99, 100, 50, 50, at=f"2026-01-05T{at}:00Z")
            broker.buy(symbol, 1)
            broker.buy(symbol, 1, limit_price=90, time_in_force="day")
    broker.advance("2026-01-07T15:00:00Z")
    again = replay(lines, own={"short": ShortHours()})
    assert journals(again) == journals(broker.exchange)


def test_a_recording_says_which_calendar_it_needs() -> None:
    """An exchange of one's own with other hours is refused before anything is given to it."""
    lines: list[str] = []
    open_recording_broker(lines.append, clock="data", calendar="XNYS")
    with pytest.raises(RecordingError, match="another calendar than the recording, which has 'XNYS'"):
        replay(lines, pt.Exchange(clock="data"))
    assert replay(lines, pt.Exchange(clock="data", calendar="XNYS")).accounts() == ["main"]


def test_a_replay_goes_to_an_exchange_of_ones_own() -> None:
    """Another store, the right clock and settings: fine. The wrong clock or settings: a typed error."""
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=1_000, clock="data")
    broker.on_quote("AAPL", 10, 11, at=START)
    broker.buy("AAPL", 1)
    store = MemoryStore()
    replay(lines, pt.Exchange(store, clock="data"))
    assert store.head("main") == len(broker.events())
    for wrong in (pt.Exchange(), pt.Exchange(clock=pt.ManualClock())):
        with pytest.raises(RecordingError, match="clock") as caught:
            replay(lines, wrong)
        assert caught.value.line == 1
    with pytest.raises(RecordingError, match="fill settings"):
        replay(lines, pt.Exchange(clock="data", fill="strict"))
    begun = pt.Exchange(store, clock="data")
    begun.add_instrument("AAPL")
    with pytest.raises(RecordingError, match="did not begin as it did there"):
        replay(lines, begun)


def test_a_store_that_failed_cannot_be_replayed() -> None:
    """A failure of the store is part of the session and written down; a replay stops there and says so."""

    class Failing(MemoryStore):
        def append(self, batch: Any) -> Any:
            if self.head("main") > 3:
                raise StoreUnavailableError("no")
            return super().append(batch)

    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=1_000, clock="data", store=Failing())
    broker.on_quote("AAPL", 10, 11, at=START)
    broker.buy("AAPL", 1)
    with pytest.raises(StoreUnavailableError):
        broker.buy("AAPL", 1)
    with pytest.raises(RecordingError, match="StoreUnavailableError") as caught:
        replay(lines)
    assert caught.value.line == len(lines)


def test_threads_are_written_in_the_order_of_service() -> None:
    """Four threads trade and feed at once; the lines replay to what happened."""
    lines: list[str] = []
    exchange = RecordingExchange(lines.append, clock="data")
    exchange.add_instrument("AAPL")
    brokers = [exchange.open_account(f"a{n}", cash=10**6) for n in range(2)]
    exchange.on_quote("AAPL", 100, 101, at=START)
    at = iter(range(START + 1, START + 10**6))

    def work(number: int) -> None:
        for turn in range(60):
            exchange.on_quote("AAPL", 100 - turn % 5, 101 - turn % 5, at=next(at))
            brokers[(number + turn) % 2].buy("AAPL", 1, limit_price=99 + turn % 3)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journals(replay(lines)) == journals(exchange)


READS = "account account_id assumptions capabilities digest entries events exchange explain fills find_order market"
READS += " order order_history orders position positions preview_order snapshot source subscribe subscribe_market wait"
READS += " day_positions day_summaries day_summary equity_points search_entries search_fills search_orders"
READS += " owns_exchange"


def test_nothing_that_changes_an_account_is_forgotten() -> None:
    """Whatever a broker or an exchange can be told is recorded and can be replayed; the rest is known to be a read."""
    told = {name for name in dir(pt.PaperBroker) if not name.startswith("_")} - set(READS.split()) - {"close"}
    assert told == {*ACCOUNT, "buy", "sell", *(name for name in EXCHANGE if name.startswith("on_")), "advance"}
    exchange = {name for name in dir(pt.Exchange) if not name.startswith("_")}
    passed_on = {"account", "accounts", "instruments", "next_deadline", "describe", "close", "run_flow", "tape"}
    passed_on |= {"end_of_day"}  # it advances, which is recorded
    passed_on |= {"run", "poll", "stop"}  # they give data to on_quote and the others, which are recorded
    passed_on |= {"close_account"}  # refused while recording
    assert exchange - passed_on - {"subscribe", "subscribe_market"} == set(EXCHANGE)


# -------------------------------------------------------------- hostile lines


def good_lines() -> list[str]:
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=1_000, clock="data")
    broker.on_quote("AAPL", 10, 11, at=START)
    broker.buy("AAPL", 1, client_order_id="k")
    broker.exchange.use_calendar(DESK)
    return lines


def changed(line: str, **fields: object) -> str:
    record = {**json.loads(line), **fields}
    return json.dumps({k: v for k, v in record.items() if v is not ...}, sort_keys=True, separators=(",", ":"))


HOSTILE: list[object] = [
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"do":5}',
    '{"do":"kill","do":"kill"}',
    '{ "do":"kill" }',
    '{"do":"__class__"}',
    '{"do":"close"}',
    '{"do":"run"}',
    '{"do":"subscribe"}',
    '{"account":"main","do":"events"}',
    '{"account":"main","do":"__init__"}',
    '{"account":"nobody","do":"kill"}',
    '{"account":["main"],"do":"kill"}',
    '{"do":"kill"}',
    '{"account":"main","amount":NaN,"do":"deposit"}',
    '{"account":"main","amount":1.5,"do":"deposit"}',
    "[" * 5_000,
    '{"do":"' + "x" * 2_000_000 + '"}',
    "\ud800",
    b'{"do":"kill"}',
    None,
    7,
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: repr(line)[:40])
def test_hostile_lines_are_refused(line: Any) -> None:
    """Whatever a line is, it is a RecordingError with its number, in first place as in the middle."""
    lines = good_lines()
    for place in (0, len(lines)):
        with pytest.raises(RecordingError) as caught:
            replay([*lines[:place], line])
        assert caught.value.line == place + 1
        assert len(str(caught.value)) < 2_000


VALUES: list[object] = [None, True, 5, -1, "", "x", "-1", "NaN", "\x00", "1" * 400, [], [[]], {}, {"is": "Exchange"}]
VALUES += [{"is": "Calendar"}, {"is": "Calendar", "name": "x", "zone": "UTC", "hours": [["x"]], "known": [5]}]
VALUES += [{"is": "Calendar", "name": 5, "zone": "UTC", "hours": "09:00-17:00", "known": ["2026-01-01", "2026-01-02"]}]
VALUES += [{"own": "m"}, {"own": 5}, {"is": "FlatMargin", "nothing": 1}, {"is": "RiskLimits", "max_position": "x"}, ...]


def test_hostile_fields_are_refused_or_harmless() -> None:
    """Every field of every kind of line, with every hostile value: a RecordingError, or a replay that agrees."""
    lines = good_lines()
    refused = 0
    for place, line in enumerate(lines):
        for field in (*json.loads(line), "surplus"):
            for value in VALUES:
                try:
                    replay([*lines[:place], changed(line, **{field: value}), *lines[place + 1 :]])
                except RecordingError:
                    refused += 1
    assert refused > 300


def test_a_recording_of_nothing() -> None:
    """No lines are no recording."""
    with pytest.raises(RecordingError, match="there is none"):
        replay([])


def test_a_changed_line_is_noticed() -> None:
    """A recording knows how far each account had come: a line that was left out is found at the next command."""
    lines: list[str] = []
    broker = open_recording_broker(lines.append, cash=1_000, clock="data")
    broker.on_quote("AAPL", 10, 11, at=START)
    broker.buy("AAPL", 1)
    broker.deposit(5)
    cut = next(number for number, line in enumerate(lines) if '"place_order"' in line)
    with pytest.raises(RecordingError, match="in the recording") as caught:
        replay(lines[:cut] + lines[cut + 1 :])
    assert caught.value.line == len(lines) - 1
