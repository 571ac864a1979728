"""The same work given to papertrade and to its peers, in turn, each time in a process of its own.

    python -m pip install nautilus_trader==1.221.0 backtesting==0.6.6
    python tests/benchmarks/beside_peers.py

A peer that is not installed is left out, and the table says so. Building everything and converting the data to what a
side wants is not in the times; running is. Every side says how often it filled, and one that filled too seldom or too
often ends the run: a fast wrong answer is no answer.

``quotes`` is 1,000,000 quotes to a callback with a market order on every 1,000th, buy and sell in turn. ``text`` is
the same with prices and sizes as text, where a side takes text. ``orders`` is 50,000 market orders, one on each quote.
``brackets`` is 500,000 bars, on every 500th a market order with a stop and a limit 20 ticks away, one canceling the
other.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

UNITS, SIZE, CASH, GAP = 100, 1_000, 10_000_000, 20
SECOND, MINUTE, START = 10**9, 60 * 10**9, 1_577_836_800 * 10**9
SIDES = {"papertrade": "papertrade", "nautilus": "nautilus_trader", "backtesting": "backtesting"}


class Work(NamedTuple):
    """How many data, on which of them there is an order, and how many fills that makes."""

    data: int
    every: int
    fills: int


WORKS = {
    "quotes": Work(1_000_000, 1_000, 1_000),
    "text": Work(1_000_000, 1_000, 1_000),
    "brackets": Work(500_000, 500, 2_000),
    "orders": Work(50_000, 1, 50_000),
}


def quotes(count: int) -> tuple[list[int], list[int]]:
    """A walk in whole ticks: bids and asks, one tick or two from a middle that is whole."""
    draw, middle, bids, asks = random.Random(11), 10_000, [], []
    for _ in range(count):
        middle = max(6_000, middle + draw.choice((-1, 0, 1)))
        half = draw.choice((1, 2))
        bids.append(middle - half)
        asks.append(middle + half)
    return bids, asks


def bars(count: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Open, high, low and close without gaps, never so wide that a bar holds both ends of a bracket."""
    draw, close = random.Random(12), 20_000
    columns: tuple[list[int], list[int], list[int], list[int]] = ([], [], [], [])
    for _ in range(count):
        start, close = close, max(5_000, close + draw.randint(-5, 5))
        high, low = max(start, close) + draw.randint(0, 3), min(start, close) - draw.randint(0, 3)
        for column, ticks in zip(columns, (start, high, low, close), strict=True):
            column.append(ticks)
    return columns


# ------------------------------------------------------------------ papertrade


def papertrade(name: str, work: Work) -> tuple[Callable[[], object], Callable[[], int]]:
    import papertrade as pt

    brackets = name == "brackets"
    fill = pt.FillSettings.preset("realistic", **({"limit_fill": "touch", "bar_entry": "close"} if brackets else {}))
    exchange = pt.Exchange(clock="data", fill=fill)
    tick = exchange.add_instrument("X").tick_size
    broker = exchange.open_account("a", cash=CASH, margin=pt.FlatMargin("0.1", "0.05") if brackets else None)
    turn = count = 0

    def on_quote(market: object) -> None:
        nonlocal turn, count
        if count % work.every == 0:
            (broker.sell if turn % 2 else broker.buy)("X", UNITS)
            turn += 1
        count += 1

    def on_bar(market: object) -> None:
        nonlocal turn, count
        if count % work.every == 0:
            entry, leave, gap = (pt.Side.SELL, pt.Side.BUY, -GAP) if turn % 2 else (pt.Side.BUY, pt.Side.SELL, GAP)
            broker.place_order(symbol="X", side=entry, quantity=UNITS)
            stop, limit = (closes[count] - gap) * tick, (closes[count] + gap) * tick
            broker.place_oco(
                pt.OrderRequest(symbol="X", side=leave, quantity=UNITS, stop_price=stop),
                pt.OrderRequest(symbol="X", side=leave, quantity=UNITS, limit_price=limit),
            )
            turn += 1
        count += 1

    exchange.subscribe_market("X", on_bar if brackets else on_quote)
    tape = exchange.tape("X")
    if brackets:
        columns = bars(work.data)
        closes = columns[3]
        rows: list[tuple[object, ...]] = list(zip(*columns, strict=True))
    else:
        rows = list(zip(*quotes(work.data), strict=True))
    if name == "text":
        rows = [(f"{bid / 100:.2f}", f"{ask / 100:.2f}") for bid, ask in rows]  # type: ignore[operator]

    def run() -> None:
        times: Iterator[int] = iter(range(START, START + work.data * MINUTE, MINUTE if brackets else SECOND))
        if brackets:
            for (o, h, l, c), at in zip(rows, times, strict=False):
                tape.bar(o, h, l, c, None, at)
        elif name == "text":
            for (bid, ask), at in zip(rows, times, strict=False):
                exchange.on_quote("X", bid, ask, "1000", "1000", at)
        else:
            for (bid, ask), at in zip(rows, times, strict=False):
                tape.quote(bid, ask, SIZE, SIZE, at)

    return run, lambda: len(broker.fills())


# ------------------------------------------------------------------ nautilus_trader


def nautilus(name: str, work: Work) -> tuple[Callable[[], object], Callable[[], int]]:
    """Logging and closing statistics off; risk checks stay, their order rate raised."""
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.common.config import LoggingConfig
    from nautilus_trader.model.currencies import USD
    from nautilus_trader.model.data import Bar, BarType, QuoteTick
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId, Venue
    from nautilus_trader.model.instruments import Equity
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.risk.config import RiskEngineConfig
    from nautilus_trader.trading.strategy import Strategy

    symbol, kind = InstrumentId.from_str("X.SIM"), BarType.from_str("X.SIM-1-MINUTE-LAST-EXTERNAL")
    lot, shown = Quantity.from_int(UNITS), Quantity.from_int(SIZE)

    class Trader(Strategy):  # type: ignore[misc]
        count = turn = fills = 0

        def on_start(self) -> None:
            self.subscribe_bars(kind) if name == "brackets" else self.subscribe_quote_ticks(symbol)

        def due(self) -> object:
            due = self.count % work.every == 0
            self.count += 1
            self.turn += due
            return due and (OrderSide.BUY if self.turn % 2 else OrderSide.SELL)

        def on_quote_tick(self, tick: object) -> None:
            if side := self.due():
                self.submit_order(self.order_factory.market(symbol, side, lot))

        def on_bar(self, bar: Bar) -> None:
            if side := self.due():
                close, gap = bar.close.as_double(), GAP / 100 if side == OrderSide.BUY else -GAP / 100
                stop, limit = Price(close - gap, 2), Price(close + gap, 2)
                self.submit_order_list(
                    self.order_factory.bracket(symbol, side, lot, sl_trigger_price=stop, tp_price=limit)
                )

        def on_order_filled(self, event: object) -> None:
            self.fills += 1

    config = BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True),
        run_analysis=False,
        risk_engine=RiskEngineConfig(max_order_submit_rate="1000000/00:00:01"),
    )
    engine, trader = BacktestEngine(config), Trader()
    money, leverage = [Money(CASH, USD)], Decimal(10)
    engine.add_venue(
        Venue("SIM"), OmsType.NETTING, AccountType.MARGIN, money, base_currency=USD, default_leverage=leverage
    )
    engine.add_instrument(Equity(symbol, symbol.symbol, USD, 2, Price.from_str("0.01"), Quantity.from_int(1), 0, 0))
    data: list[object]
    if name == "brackets":
        rows = enumerate(zip(*bars(work.data), strict=True))
        prices = (([Price(ticks / 100, 2) for ticks in row], START + n * MINUTE) for n, row in rows)
        data = [Bar(kind, *row, shown, at, at) for row, at in prices]
    else:
        pairs = enumerate(zip(*quotes(work.data), strict=True))
        times = ((bid, ask, START + n * SECOND) for n, (bid, ask) in pairs)
        data = [
            QuoteTick(symbol, Price(bid / 100, 2), Price(ask / 100, 2), shown, shown, at, at) for bid, ask, at in times
        ]
    engine.add_data(data)
    engine.add_strategy(trader)
    return engine.run, lambda: trader.fills


# ------------------------------------------------------------------ backtesting.py


def backtesting(name: str, work: Work) -> tuple[Callable[[], object], Callable[[], int]]:
    """It knows bars only: a quote is a bar at its middle, and an order fills one later. Its statistics stay on."""
    import pandas as pd
    from backtesting import Backtest, Strategy

    class Trader(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.count = self.turn = 0

        def next(self) -> None:
            if self.count % work.every == 0 and self.turn < work.data // work.every:
                order, gap = (self.sell, -GAP / 100) if self.turn % 2 else (self.buy, GAP / 100)
                close = self.data.Close[-1] if name == "brackets" else 0
                ends = {"sl": round(close - gap, 2), "tp": round(close + gap, 2)} if name == "brackets" else {}
                order(size=UNITS, **ends)
                self.turn += 1
            self.count += 1

    if name == "brackets":
        columns: list[list[int]] = list(bars(work.data))
    else:
        columns = [[(bid + ask) // 2 for bid, ask in zip(*quotes(work.data), strict=True)]] * 4
    # It never shows its first row to the strategy and fills on the row after: one more at each end.
    frame = {
        title: [column[0], *column, column[-1]]
        for title, column in zip(("Open", "High", "Low", "Close"), columns, strict=True)
    }
    table = pd.DataFrame(frame) / 100
    table.index = pd.to_datetime(START + pd.RangeIndex(len(table)) * MINUTE)
    test, stats = Backtest(table, Trader, cash=CASH, finalize_trades=True), []
    return lambda: stats.append(test.run()), lambda: 2 * len(stats[0]._trades)


# ------------------------------------------------------------------ the rounds


def once(side: str, name: str) -> float:
    """One run in this process: seconds."""
    run, fills = globals()[side](name, WORKS[name])
    gc.collect()
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    if fills() != WORKS[name].fills:
        raise SystemExit(f"{side} filled {fills()} times in {name}, which makes {WORKS[name].fills}")
    return seconds


def measured(side: str, name: str) -> float:
    command = [sys.executable, "-W", "ignore", __file__, "--once", side, name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    options = argparse.ArgumentParser(description="papertrade and its peers on the same work")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--once", nargs=2, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.once:
        print(json.dumps(once(*asked.once)), flush=True)
        return
    sides = [side for side, module in SIDES.items() if importlib.util.find_spec(module)]
    for side in SIDES.keys() - set(sides):
        print(f"{side} is not installed and is left out")
    print(f"{'work':10} {'side':12} {'seconds':>8} {'papertrade is faster by':>24}")
    for name in WORKS:
        takers = [side for side in sides if (name, side) != ("text", "backtesting")]
        times: dict[str, list[float]] = {side: [] for side in takers}
        for _ in range(asked.rounds):
            for side in takers:
                times[side].append(measured(side, name))
        ours = statistics.median(times["papertrade"])
        for side in takers:
            seconds = statistics.median(times[side])
            print(f"{name:10} {side:12} {seconds:8.3f} {seconds / ours:24.2f}", flush=True)


if __name__ == "__main__":
    main()
