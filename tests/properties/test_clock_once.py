"""What the clock does is done once, when it is due: one journal stepped, jumped, at random instants, and restarted.

What a restart may change: no quote stands after it and numbers of data begin again. So where quotes matter, the feed
sends again what stood, and the numbers are left out of the comparison; where nothing but time matters, nobody sends
anything, days pass while no process is up, and every byte is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from random import Random
from typing import Any, NamedTuple

import pytest

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.domain.hours import MarketHours
from papertrade.testing.short_hours import ShortHours

MINUTE = 60 * 10**9
DAY = 1_440 * MINUTE
STEPS = 60


class Window(NamedTuple):
    """A market and a time in which something about its clock is special; the closes that there are in it, in UTC."""

    calendar: str
    first: str
    last: str
    closes: tuple[str, ...]  # some of those that stages have to name


WINDOWS = {
    "many sessions a day": Window("short", "2026-01-05T09:00", "2026-01-05T21:00", ()),
    "New York leaps ahead": Window(
        "XNYS", "2026-03-06T09:00", "2026-03-10T23:00", ("2026-03-06T21:00:00Z", "2026-03-09T20:00:00Z")
    ),
    "New York falls back": Window(
        "XNYS", "2026-10-30T09:00", "2026-11-03T23:00", ("2026-10-30T20:00:00Z", "2026-11-02T21:00:00Z")
    ),
    "a half day": Window(
        "XNYS", "2026-11-25T09:00", "2026-12-01T23:00", ("2026-11-25T21:00:00Z", "2026-11-27T18:00:00Z")
    ),
    "muhurat on a Sunday": Window(
        "XNSE", "2026-11-06T02:00", "2026-11-09T23:00", ("2026-11-06T10:00:00Z", "2026-11-09T10:00:00Z")
    ),
    "the evening session moves with New York": Window(
        "MCX", "2026-10-30T02:00", "2026-11-03T23:00", ("2026-10-30T18:00:00Z", "2026-11-02T18:25:00Z")
    ),
}
Deed = tuple[int, str, dict[str, Any]]
"""(instant, what, with what)"""


def ns(text: str) -> int:
    """An instant."""
    return int(datetime.fromisoformat(f"{text}:00+00:00").timestamp()) * 10**9


def hours_of(window: Window) -> MarketHours:
    """The hours of its market."""
    return ShortHours() if window.calendar == "short" else pt.calendar(window.calendar)


def edges_of(window: Window) -> list[int]:
    """Where phases change, and midnight of every day."""
    hours, at, end = hours_of(window), ns(window.first), ns(window.last)
    found = list(range(at // DAY * DAY + DAY, end, DAY))
    while (at := hours.span_at(at).until_ns) < end:
        found.append(at)
    return found


@cache
def script(window: Window, seed: int, fills: bool) -> tuple[Deed, ...]:
    """Data and commands about the edges of sessions, and an order in the middle of each.

    Without ``fills`` nobody quotes and no order can fill.
    """
    rng, hours, price = Random(f"{window.calendar} {window.first} {seed}"), hours_of(window), 100
    edges = edges_of(window)
    times = [rng.choice(edges) + rng.randrange(-25 * MINUTE, 25 * MINUTE) for _ in range(STEPS)]
    times += [(span.from_ns + span.until_ns) // 2 for span in map(hours.span_at, edges) if span.phase == "regular"]
    found: list[Deed] = []
    for at in sorted(time for time in times if ns(window.first) <= time < ns(window.last)):
        price = max(90, min(110, price + rng.randint(-3, 3)))
        if fills and rng.random() < 0.6:
            found.append((at, "quote", {"symbol": rng.choice(("A", "B")), "bid": price - 1, "ask": price}))
        found.append((at + 1, "order", _order(rng, price, fills)))
    return tuple(found)


def _order(rng: Random, price: int, fills: bool) -> dict[str, Any]:
    side = rng.choice(("buy", "buy", "sell")) if fills else "buy"
    asked: dict[str, Any] = {"symbol": rng.choice(("A", "A", "B")), "side": side, "quantity": rng.choice((1, 2, 5))}
    kind = rng.choice(("market", "limit", "limit", "stop")) if fills else "limit"
    if kind == "limit":
        asked["limit_price"] = price + rng.randint(-4, 4) if fills else 1
        asked["extended_hours"] = rng.random() < 0.3
    if kind == "stop":
        asked["stop_price"] = price + (3 if side == "buy" else -3)
    asked["time_in_force"] = rng.choice(("day", "day", "gtc", "ttl"))
    if asked["time_in_force"] == "ttl":
        asked["ttl_minutes"] = rng.choice((1, 7, 600))
    return asked


def insist(ask: Callable[[], Any]) -> Any:
    """Ask, and once more if another process wrote first: nothing was done then, and the account was read again."""
    try:
        return ask()
    except pt.errors.StoreConflictError:
        return ask()


class Run:
    """One account and its processes, one after the other, on one store."""

    def __init__(self, window: Window, kind: str, options: dict[str, Any] | None) -> None:
        """With options the clock is that of a live host, which moves though nobody is told; else the data's."""
        self.window, self.kind, self.options, self.store = window, kind, options, MemoryStore()
        self.clock: pt.ManualClock | None = None if options is None else pt.ManualClock(ns(window.first) - DAY)
        self.stood: dict[str, tuple[int, dict[str, Any]]] = {}
        self.older: list[tuple[pt.Exchange, Any]] = []  # processes that live on beside the one that works
        self.ended: list[str] = []  # days that an end of day answered
        self.start()

    def start(self) -> None:
        """A process starts: it knows what is stored, and no price."""
        if self.clock is not None:
            self.clock = pt.ManualClock(self.clock.now_ns())
        fill = pt.FillSettings(max_quote_age_s=None)
        self.exchange = pt.Exchange(self.store, clock=self.clock or "data", fill=fill)
        self.exchange.use_calendar(hours_of(self.window))
        self.exchange.add_instrument("A", calendar=self.window.calendar)
        self.exchange.add_instrument("B")
        known = self.window.calendar != "short" and self.kind == "margin"  # else those of what it holds count
        noted = {
            "trading_day": pt.TradingDay(calendar=self.window.calendar) if known else None,
            "equity_points": "session",
        }
        self.broker = self.exchange.open_account(
            "main",
            cash=100_000,
            kind=self.kind,
            square_off=pt.SquareOff(minutes_before_close=5),
            **(noted if self.options is None else self.options),
        )

    def move(self, at: int) -> None:
        """The clock of a live host moves, and nobody is told; that of data is told."""
        if self.clock is None:
            insist(partial(self.exchange.advance, at))
        elif at > self.clock.now_ns():
            self.clock.set(at)

    def advance(self, at: int) -> None:
        """The clock moves, and what was due by then is done."""
        self.move(at)
        if self.clock is not None:
            insist(self.exchange.advance)

    def end_of_day(self, exchange: pt.Exchange) -> None:
        """Asked twice, it answers the second time that nothing was left to close; no day is ever closed again."""
        self.ended += [summary.day for summary in insist(exchange.end_of_day)]
        assert exchange.end_of_day() == []
        assert len(set(self.ended)) == len(self.ended)

    def restart(self, at: int) -> None:
        """A process dies and another one starts, to which the feed sends again what stood."""
        self.advance(at)
        self.start()
        for when, quote in sorted(self.stood.values(), key=lambda part: part[0]):
            self.exchange.on_quote(**quote, at=when)
        self.advance(at)

    def due(self, at: int) -> None:
        """The clock stops at every deadline up to an instant."""
        while (deadline := self.exchange._desk.engine.next_deadline()) is not None and deadline <= at:
            self.advance(deadline)

    def do(self, deed: Deed) -> None:
        """A datum or a command."""
        at, what, about = deed
        if what == "quote":
            self.stood[about["symbol"]] = at, about
            if self.clock is not None:
                self.move(at)
            self.exchange.on_quote(**about, at=at)
        else:
            self.advance(at)
            insist(lambda: self.broker.place_order(pt.OrderRequest(**about)))

    def journal(self) -> list[dict[str, Any]]:
        """The events as data."""
        return [event.to_dict() for event in self.store.load("main")]


Before = Callable[[Run, int, int, Random], None]
"""What the clock does between two instants."""


def stepped(run: Run, since: int, at: int, rng: Random) -> None:
    """It stops at every deadline."""
    run.due(at)


def anyhow(run: Run, since: int, at: int, rng: Random) -> None:
    """It stops wherever it happens to."""
    for stop in sorted(rng.randrange(since, at + 1) for _ in range(rng.randint(0, 4))):
        run.advance(stop)


def jumped(run: Run, since: int, at: int, rng: Random) -> None:
    """It does not stop."""


def restarted(run: Run, since: int, at: int, rng: Random) -> None:
    """Processes die and start on the way."""
    if since < at and rng.random() < 0.3:
        run.restart(rng.randrange(since, at))


def nobody_up(run: Run, since: int, at: int, rng: Random) -> None:
    """A process died, and nobody was up until now."""
    if rng.random() < 0.3:
        run.start()


def ended(run: Run, since: int, at: int, rng: Random) -> None:
    """The host ends the day whenever it likes: too early, late, after days in which it forgot to."""
    if rng.random() < 0.5:
        run.move(rng.randrange(since, at + 1))
        run.end_of_day(run.exchange)


def ended_by_the_next(run: Run, since: int, at: int, rng: Random) -> None:
    """A process dies, and what the next one does with what stood is to end the day."""
    restarted(run, since, at, rng)
    run.move(rng.randrange(since, at + 1))
    run.end_of_day(run.exchange)


def ended_by_an_older(run: Run, since: int, at: int, rng: Random) -> None:
    """Processes that were thought dead end the day as well, in any order, each by a clock of its own."""
    if rng.random() < 0.3:
        run.older.append((run.exchange, run.clock))
        run.start()
    rng.shuffle(run.older)
    for exchange, clock in run.older:
        if rng.random() < 0.5:
            clock.set(max(clock.now_ns(), rng.randrange(since, at + 1)))
        run.end_of_day(exchange)


ENDING = (ended, ended_by_the_next, ended_by_an_older)


def played(
    window: Window, seed: int, before: Before, fills: bool = True, options: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The journal of a script under a clock; at its end the clock jumps over several days."""
    run, rng = Run(window, ("cash", "margin")[seed % 2], options), Random(seed)
    since = ns(window.first) - MINUTE
    run.advance(since)
    for deed in script(window, seed, fills):
        before(run, since, deed[0], rng)
        run.do(deed)
        since = deed[0]
    end = since + 4 * DAY
    for part in range(8 if before in ENDING else 1):
        before(run, since + part * DAY // 2, end, rng)
    run.advance(end)
    if before in ENDING:
        assert run.ended, "nobody had a day to end"
    return run.journal()


def without_numbers(journal: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Data are numbered by each process anew."""
    return [
        {**event, "evidence": {**event["evidence"], "number": 0}} if event.get("evidence") else event
        for event in journal
    ]


@cache
def jumped_journal(window: Window, seed: int) -> list[dict[str, Any]]:
    """What every other way is compared with."""
    return played(window, seed, jumped)


@pytest.mark.parametrize("way", [stepped, anyhow])
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_stepped_and_jumped_clocks_make_one_journal(window: Window, way: Before) -> None:
    """T3: whether the clock stops at every deadline, at any instants, or nowhere, the journals are the same."""
    for seed in range(2):
        assert played(window, seed, way) == jumped_journal(window, seed)


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_restarts_change_nothing_but_the_numbers_of_data(window: Window) -> None:
    """T3: with what stood sent again to each process that starts, the journals are the same but for those numbers."""
    for seed in range(2):
        assert without_numbers(played(window, seed, restarted)) == without_numbers(jumped_journal(window, seed))


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_time_that_passes_with_nobody_up_is_made_up_for(window: Window) -> None:
    """T3: of orders that no price reaches every byte is the same, though no process was up when they were due."""
    for seed in range(2):
        expected = played(window, seed, stepped, fills=False)
        assert played(window, seed, nobody_up, fills=False) == expected
        assert Counter(event["kind"] for event in expected)["order_expired"] > 0


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_time_never_falls_and_each_stage_comes_once(window: Window) -> None:
    """T1, T2: instants never fall, each stage comes once for a close, and closes are where the wall clock has them."""
    named = set[str]()
    for seed in range(2):
        journal = jumped_journal(window, seed)
        at = [event["at"] for event in journal]
        assert at == sorted(at)
        squared = [event for event in journal if event["kind"] == "squared_off"]
        stages = Counter((f"{event['closes_at']:%Y-%m-%dT%H:%M:%SZ}", event["stage"]) for event in squared)
        assert set(stages.values()) == {1}
        named |= {closes for closes, _ in stages}
        kinds = Counter(event["kind"] for event in journal)
        once = ("order_filled", "order_expired", "squared_off", "day_opened", "equity_marked")
        assert min(kinds[kind] for kind in once) > 0
        noted = Counter(event["at"] for event in journal if event["kind"] == "equity_marked")
        assert set(noted.values()) == {1}
    assert set(window.closes) <= named


DAYS: dict[str, dict[str, Any]] = {
    "of midnight": {},
    "of 17:00 in New York": {"trading_day": pt.TradingDay("America/New_York", "17:00"), "equity_points": "1h"},
}


@pytest.mark.parametrize("options", DAYS.values(), ids=DAYS)
@pytest.mark.parametrize("way", [ended, ended_by_the_next])
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_an_end_of_day_at_any_time_and_twice(window: Window, way: Before, options: dict[str, Any]) -> None:
    """T3: whoever ends days, when and how often, the journal is that of a clock that jumps alone."""
    expected = without_numbers(played(window, 1, jumped, options=options))
    assert without_numbers(played(window, 1, way, options=options)) == expected
    assert [event["kind"] for event in expected].count("day_closed") > 1


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_an_end_of_day_out_of_order(window: Window) -> None:
    """T3: of several processes each ends days by its own clock, behind or ahead of the others; no byte changes."""
    for seed in range(2):
        expected = played(window, seed, stepped, fills=False, options={})
        assert played(window, seed, ended_by_an_older, fills=False, options={}) == expected
        assert [event["kind"] for event in expected].count("day_closed") > 1
