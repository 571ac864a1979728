"""A month of two quoted accounts, day by day, and an end of day that can be killed at any call to a store.

The day is traded on one store and settled into another. Whoever dies at the end of a day is started again by the script
that it is run as, and goes on with that end of day; in the end everything is what it is when nobody dies.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import papertrade as pt
from papertrade.adapters.tiered import TieredStore
from papertrade.codec.events import encode_event

SYMBOLS = ("AAPL", "MSFT")
ACCOUNTS = ("investor", "intraday")
QUOTES = 40  # a day
FIRST = date(2026, 10, 15)
MINUTE = 60 * 10**9
DAY = pt.TradingDay("America/New_York", calendar="XNYS")


def sessions(days: int) -> list[Any]:
    """So many sessions of New York, over the end of its daylight time."""
    return pt.calendar("XNYS").sessions(FIRST, FIRST + timedelta(days=2 * days + 10))[:days]


def open_month(store: Any) -> tuple[pt.Exchange, dict[str, pt.PaperBroker]]:
    """The exchange and its accounts, as a process finds them in the morning."""
    exchange = pt.Exchange(store, clock="data", calendar="XNYS")
    for symbol in SYMBOLS:
        exchange.add_instrument(symbol)
    fees = pt.PerUnitFee("0.005", minimum=1)
    rules: dict[str, dict[str, Any]] = {
        "investor": {"limits": pt.RiskLimits(max_daily_loss=20_000, max_drawdown=30_000)},
        "intraday": {"margin": pt.FlatMargin(initial="0.5"), "square_off": pt.SquareOff(minutes_before_close=10)},
    }
    brokers = {
        name: exchange.open_account(name, cash=100_000, trading_day=DAY, fees=fees, **rules[name]) for name in ACCOUNTS
    }
    return exchange, brokers


def trade(exchange: pt.Exchange, brokers: dict[str, pt.PaperBroker], number: int, session: Any) -> None:
    """One day's data and orders, the same whoever gives them."""
    rng = Random(number)
    length = session.closes_ns - session.opens_ns
    price = dict.fromkeys(SYMBOLS, 18_000 + 40 * number)
    for step in range(QUOTES):
        at = session.opens_ns + length * step // QUOTES
        for symbol in SYMBOLS:
            price[symbol] += rng.randint(-30, 30)
            bid, ask = price[symbol] / 100, (price[symbol] + 4) / 100
            exchange.on_quote(symbol, f"{bid:.2f}", f"{ask:.2f}", rng.randint(50, 400), rng.randint(50, 400), at=at)
        if step % 5 == 1:
            _orders(brokers, rng, f"{number}-{step}", price)
    closing_prices(exchange, number, session)


def closing_prices(exchange: pt.Exchange, number: int, session: Any) -> None:
    """The last quotes of a day, away from every order that rests.

    No quote outlives a process: who goes on with an evening sends them again.
    """
    for symbol in SYMBOLS:
        ask = 18_000 + 40 * number + 2_000
        exchange.on_quote(symbol, f"{ask / 100 - 0.04:.2f}", f"{ask / 100:.2f}", 10, 10, at=session.closes_ns - MINUTE)


def _orders(brokers: dict[str, pt.PaperBroker], rng: Random, key: str, price: dict[str, int]) -> None:
    symbol = rng.choice(SYMBOLS)
    away = rng.randint(-20, 60)
    for name, broker in brokers.items():
        size = rng.randint(1, 40)
        broker.buy(
            symbol, size, limit_price=f"{(price[symbol] - away) / 100:.2f}", time_in_force=rng.choice(("day", "gtc")),
            client_order_id=f"buy-{key}",
        )  # fmt: skip
        if broker.position(symbol).available >= 5:
            broker.sell(symbol, 5, client_order_id=f"sell-{key}", tags={"strategy": name})


def night(session: Any) -> int:
    """When the trading day of a session is over, and closed."""
    return DAY.ends(session.opens_ns)


def end_day(exchange: pt.Exchange, store: TieredStore, session: Any) -> None:
    """What the host does every evening, and can do again from the start whenever it was interrupted."""
    exchange.advance(session.ends)
    exchange.advance(night(session))
    exchange.end_of_day()
    for name in ACCOUNTS:
        exchange.account(name).snapshot()
    store.archive_day()


def figures(store: Any) -> dict[str, Any]:
    """Journals, wallets, fills and what each day came to, of both accounts, as anybody can read them."""
    _, brokers = open_month(store)
    found: dict[str, Any] = {}
    for name, broker in brokers.items():
        account, journal = broker.account(), sha256()
        for event in broker.events():
            journal.update(encode_event(_of_any_process(event)))
        found[name] = {
            "journal": journal.hexdigest(),
            "digest": broker.digest(),
            "version": account.version,
            "cash": str(account.total),
            "realized": str(account.realized),
            "fees": str(account.fees),
            "fills": len(broker.fills()),
            "orders": len(broker.orders("all")),
            "days": [summary.to_dict() for summary in broker.day_summaries() if summary.is_final],
            "closed": sum(event.kind == "day_closed" for event in broker.events()),
        }
        store.verify(name)
    return found


def _of_any_process(event: Any) -> Any:
    """An event without the number of its datum: each process counts the data that it was given."""
    evidence = getattr(event, "evidence", None)
    return event if evidence is None else event._replace(evidence=evidence._replace(number=0))


class Fatal:
    """Stands before a store; at one call, counted from when it is armed, the process kills itself."""

    def __init__(self, inner: Any, counter: Counter) -> None:
        self._inner, self._counter = inner, counter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name.startswith("_"):
            return found
        counter = self._counter

        def counted(*arguments: Any, **named: Any) -> Any:
            number = counter.next()
            counter.die_at(number, "before")
            answer = found(*arguments, **named)
            counter.die_at(number, "after")
            return answer

        return counted


class Counter:
    """How many calls there were since it was armed, and at which one it ends."""

    def __init__(self) -> None:
        self.calls, self.fatal, self.when = 0, 0, ""

    def arm(self, fatal: int, when: str) -> None:
        """From now on calls count; 0 is never fatal."""
        self.calls, self.fatal, self.when = 0, fatal, when

    def next(self) -> int:
        """The number of this call."""
        self.calls += 1
        return self.calls

    def die_at(self, number: int, when: str) -> None:
        """SIGKILL, if this is the call."""
        if number == self.fatal and when == self.when:
            os.kill(os.getpid(), signal.SIGKILL)


def live(day: Any, archive: Any, progress: Path, days: int, kills: dict[int, tuple[int, str]]) -> None:
    """Trade and settle what is left of the month; ``kills`` says at which call of which end of day to die.

    The host's own notes are one file, replaced whole: which day was traded, which was ended, which death was died.
    """
    counter = Counter()
    store = TieredStore(day=Fatal(day, counter), archive=Fatal(archive, counter))
    exchange, brokers = open_month(store)
    notes: dict[str, Any] = {"traded": 0, "ended": 0, "died": [], "calls": {}}
    if progress.exists():
        notes = json.loads(progress.read_text())
    for number, session in enumerate(sessions(days), 1):
        if notes["traded"] < number:
            trade(exchange, brokers, number, session)
            _note(progress, notes, traded=number)
        elif notes["ended"] < number:  # somebody died in the evening
            closing_prices(exchange, number, session)
        if notes["ended"] < number:
            fatal, when = kills.get(number, (0, "")) if number not in notes["died"] else (0, "")
            if fatal:
                _note(progress, notes, died=[*notes["died"], number])
            counter.arm(fatal, when)
            end_day(exchange, store, session)
            calls = counter.calls
            counter.arm(0, "")
            _note(progress, notes, ended=number, calls={**notes["calls"], str(number): calls})


def _note(progress: Path, notes: dict[str, Any], **news: Any) -> None:
    notes.update(news)
    fresh = progress.with_suffix(".new")
    fresh.write_text(json.dumps(notes))
    os.replace(fresh, progress)


def undisturbed(days: int) -> dict[str, Any]:
    """The same month on memory, with nobody dying and nothing settled."""
    store: Any = pt.open_store("memory:")
    exchange, brokers = open_month(store)
    for number, session in enumerate(sessions(days), 1):
        trade(exchange, brokers, number, session)
        exchange.advance(session.ends)
        exchange.advance(night(session))
    return figures(store)


def main() -> None:
    """What a child is run as: the addresses of both stores, the notes, the days and the kills."""
    from papertrade.adapters.postgres import PostgresStore
    from papertrade.adapters.redis import RedisStore

    asked = json.loads(sys.argv[1])
    day = RedisStore(asked["day"], prefix=asked["prefix"])
    archive = PostgresStore(asked["archive"], schema=asked["prefix"])
    kills: Callable[..., Any] = lambda pairs: {int(n): (k, w) for n, (k, w) in pairs.items()}  # noqa: E731
    live(day, archive, Path(asked["progress"]), asked["days"], kills(asked["kills"]))


if __name__ == "__main__":
    main()
