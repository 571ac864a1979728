"""What a run over a feed costs beside the same quotes given by hand: ``python tests/benchmarks/feeding.py [quotes]``.

A script and not a test: only the ratios of one run say something. Medians of five rounds, in processor time.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable

import papertrade as pt

START_NS = 1_767_623_400_000_000_000


def quotes_of(count: int, stamped: bool) -> list[pt.Quote]:
    """Quotes that move a little and reach nothing; without an instant they are stamped on arrival."""
    found = []
    for number in range(count):
        tick = number % 7
        at = START_NS + number * 1_000_000 if stamped else None
        found.append(pt.Quote("ABC", f"{99 + tick}.98", f"{100 + tick}.00", "100", "200", at=at))
    return found


def opened(clock: str) -> pt.Exchange:
    """An exchange with one account that waits for something."""
    exchange = pt.Exchange(clock=clock)
    exchange.add_instrument("ABC")
    broker = exchange.open_account("main", cash=100_000)
    exchange.on_quote("ABC", "99", "100", at=START_NS - 1 if clock == "data" else None)
    broker.buy("ABC", 1, limit_price=50, time_in_force="day")
    return exchange


def by_hand(clock: str, quotes: list[pt.Quote]) -> float:
    """A loop over ``on_quote``."""
    take = opened(clock).on_quote
    began = time.process_time()
    for quote in quotes:
        take(quote.symbol, quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.at)
    return time.process_time() - began


def from_a_list(clock: str, quotes: list[pt.Quote]) -> float:
    """``run`` over a list."""
    exchange = opened(clock)
    began = time.process_time()
    exchange.run(quotes)
    return time.process_time() - began


def from_a_queue(clock: str, quotes: list[pt.Quote]) -> float:
    """``run`` over a queue that is full already."""
    exchange, feed = opened(clock), pt.QueueFeed()
    for quote in quotes:
        feed.put(quote)
    feed.end()
    began = time.process_time()
    exchange.run(feed)
    return time.process_time() - began


def with_awaits(clock: str, quotes: list[pt.Quote]) -> float:
    """``arun`` over a list."""

    async def main() -> float:
        exchange = pt.AsyncExchange(clock=clock)
        exchange.add_instrument("ABC")
        began = time.process_time()
        await exchange.arun(quotes)
        return time.process_time() - began

    return asyncio.run(main())


WAYS: tuple[Callable[[str, list[pt.Quote]], float], ...] = (by_hand, from_a_list, from_a_queue, with_awaits)


def main() -> None:
    """Print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for clock in ("data", "system"):
        quotes = quotes_of(count, clock == "data")
        found: dict[str, list[float]] = {way.__name__: [] for way in WAYS}
        for _ in range(5):
            for way in WAYS:
                found[way.__name__].append(way(clock, quotes) / count * 1e6)
        base = statistics.median(found["by_hand"])
        for name, figures in found.items():
            figure = statistics.median(figures)
            print(f"clock={clock!r:8} {name:12} {figure:6.2f} µs a quote, {figure / base:4.2f} by hand")


if __name__ == "__main__":
    main()
