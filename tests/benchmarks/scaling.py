"""What a quote costs beside what does not concern it, and what an idle account weighs. Ratios of one run.

    python tests/benchmarks/scaling.py [--closed 1000000] [--quotes 50000]

Every arrangement is measured beside the bare one, in turn, in the same process; the figure is the median of the rounds
(mean cost) and the 99.9th percentile of single quotes (worst; the single slowest says more about the machine).
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from itertools import count

import papertrade as pt

START_NS = 1_577_836_800_000_000_000
ROUNDS = 7


def exchange_with(symbols: int = 1) -> pt.Exchange:
    exchange = pt.Exchange(clock="data")
    for i in range(symbols):
        exchange.add_instrument("X" if i == 0 else f"S{i}")
    return exchange


def bare() -> pt.Exchange:
    exchange = exchange_with()
    exchange.open_account("one", cash=1_000_000)
    return exchange


def resting(orders: int) -> pt.Exchange:
    exchange = exchange_with()
    broker = exchange.open_account("one", cash=10**12)
    for i in range(orders):
        broker.buy("X", 1, limit_price=f"{10 + i % 4000 / 100:.2f}")
    return exchange


def closed(orders: int) -> pt.Exchange:
    exchange = exchange_with()
    broker = exchange.open_account("one", cash=10**12)
    quote = exchange.tape("X").quote
    quote(9_999, 10_001, 10**9, 10**9, START_NS - 1)
    for i in range(orders):
        (broker.buy if i % 2 == 0 else broker.sell)("X", 1)
    return exchange


def holders(accounts: int) -> pt.Exchange:
    exchange = exchange_with()
    quote = exchange.tape("X").quote
    quote(9_999, 10_001, 10**6, 10**6, START_NS - 1)
    for i in range(accounts):
        exchange.open_account(f"a{i}", cash=1_000).buy("X", 1)
    return exchange


def single(exchange: pt.Exchange, quotes: int) -> tuple[float, float]:
    """(mean, 99.9th percentile) of one pass, in nanoseconds."""
    quote, clock = exchange.tape("X").quote, time.perf_counter_ns
    at = next_instant(exchange)
    gc.collect()
    cpu = time.process_time_ns()
    for i in range(quotes):
        quote(9_999 - i % 2, 10_001, 1_000, 1_000, at + i)
    mean = (time.process_time_ns() - cpu) / quotes
    times = []
    for i in range(quotes, 2 * quotes):
        begin = clock()
        quote(9_999 - i % 2, 10_001, 1_000, 1_000, at + i)
        times.append(clock() - begin)
    return mean, sorted(times)[len(times) * 999 // 1000]


_instants = count(START_NS, 10**9)


def next_instant(exchange: pt.Exchange) -> int:
    return next(_instants)


def idle_bytes(accounts: int) -> float:
    exchange = exchange_with()
    gc.collect()
    tracemalloc.start()
    brokers = [exchange.open_account(f"account-{i}", cash="10000") for i in range(accounts)]
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(brokers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--closed", type=int, default=1_000_000)
    parser.add_argument("--quotes", type=int, default=50_000)
    args = parser.parse_args()
    arrangements: dict[str, Callable[[], pt.Exchange]] = {
        "one account, nothing resting": bare,
        "100,000 orders resting far away": lambda: resting(100_000),
        f"{args.closed:,} closed orders behind": lambda: closed(args.closed),
        "10,000 accounts holding the symbol": lambda: holders(10_000),
        "1,000 other symbols": lambda: exchange_with(1_001),
    }
    made = {name: make() for name, make in arrangements.items()}
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in made}
    for _ in range(ROUNDS):
        for name, exchange in made.items():
            figures[name].append(single(exchange, args.quotes))
    base = [statistics.median(f[i] for f in next(iter(figures.values()))) for i in (0, 1)]
    print(f"{'a quote with':<38}{'mean ns':>9}{'ratio':>7}{'99.9 % ns':>11}{'ratio':>7}")
    for name, rounds in figures.items():
        mean, worst = (statistics.median(f[i] for f in rounds) for i in (0, 1))
        print(f"{name:<38}{mean:>9.0f}{mean / base[0]:>7.2f}{worst:>11.0f}{worst / base[1]:>7.2f}")
    made.clear()
    print(f"\nan idle account with its journal: {idle_bytes(10_000):,.0f} bytes (10,000 accounts)")


if __name__ == "__main__":
    main()
