"""What an event costs as bytes and back, beside ``json`` on the same data. Microseconds per event, in one run.

    python tests/benchmarks/codec.py [--seeds 60] [--orders 20000] [--rounds 5]

Two journals: *drawn* holds every kind of event, from seeded random worlds; *one strategy* is a single account that
trades a walking price, where each event has an instant of its own and most have a price of their own. The figure is
the median of the rounds; *first* is the first time that these events pass, before any table of values seen is filled.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from random import Random
from typing import Any

import papertrade as pt
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import restore, snapshot
from papertrade.engine.state import AccountState
from papertrade.testing.chance import draw_setup
from papertrade.testing.drawing import Drawer
from papertrade.testing.driving import Driven
from papertrade.testing.oracle import Oracle

START_NS = 1_767_623_400_000_000_000
Journals = list[list[Event]]


def drawn(seeds: int) -> Journals:
    """One journal per seed, with every kind of command in it."""
    found: Journals = []
    for seed in range(seeds):
        chance = Random(seed)
        setup = draw_setup(chance)
        oracle, driven, drawer = Oracle(setup), Driven(setup), Drawer(chance, setup)
        for _ in range(300):
            command = drawer.draw(oracle)
            for give in (driven.give, oracle.give):
                with suppress(pt.PaperTradeError):  # a command that is refused leaves no event
                    give(command)
        found.append(driven.new_events())
    return found


def one_strategy(orders: int) -> Journals:
    """Market and limit orders at a price that walks, a fraction of a second apart."""
    chance, price = Random(1), 18_710
    exchange = pt.Exchange(clock="data")
    exchange.add_instrument("AAPL", tick_size="0.01")
    broker = exchange.open_account("main", cash=10**9)
    quote, at_ns = exchange.tape("AAPL").quote, START_NS
    for i in range(orders):
        price = max(1_000, price + chance.randint(-7, 7))
        at_ns += chance.randint(1, 2 * 10**9)
        quote(price, price + 2, 1_000, 1_000, at_ns)
        trade = broker.buy if i % 2 == 0 else broker.sell
        if i % 8 < 2:
            trade("AAPL", 10, limit_price=f"{price / 100 + (1 if i % 2 == 0 else -1):.2f}")
        else:
            trade("AAPL", chance.randint(1, 40) if i % 2 == 0 else 10)
    return [list(broker.events())]


def microseconds(work: Callable[[Any], object], items: Iterable[Any], count: int) -> float:
    """Mean time per event of one pass."""
    gc.collect()
    begin = time.process_time_ns()
    for item in items:
        work(item)
    return (time.process_time_ns() - begin) / count / 1_000


def measure(journals: Journals, rounds: int) -> dict[str, list[float]]:
    events = [event for journal in journals for event in journal]
    stored = [encode_event(event) for event in events]
    states = [fold(AccountState(), journal) for journal in journals]
    kept = [snapshot(state) for state in states]
    # What json works on: the same text, without anything that only we check.
    plain = [json.loads(data) for data in stored]
    texts = [data.decode() for data in stored]
    per_journal = [[encode_event(event) for event in journal] for journal in journals]
    passes: dict[str, tuple[Callable[[Any], object], Iterable[Any]]] = {
        "json.dumps": (lambda value: json.dumps(value, sort_keys=True, separators=(",", ":")), plain),
        "json.loads": (json.loads, texts),
        "encode_event": (encode_event, events),
        "decode_event": (decode_event, stored),
        "fold": (lambda journal: fold(AccountState(), journal), journals),
        "decode and fold": (lambda records: fold(AccountState(), map(decode_event, records)), per_journal),
        "snapshot of the end": (snapshot, states),
        "restore of the end": (restore, kept),
    }
    taken: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(rounds):
        for name, (work, items) in passes.items():
            count = len(states) if name.endswith("end") else len(events)
            taken[name].append(microseconds(work, items, count))
    return taken


def first_pass(journals: Journals) -> None:
    """The figures of events that were never seen before, which only a fresh process can tell."""
    events = [event for journal in journals for event in journal]
    stored: list[bytes] = []
    writing = microseconds(lambda event: stored.append(encode_event(event)), events, len(events))
    reading = microseconds(decode_event, stored, len(events))
    size = sum(map(len, stored)) // len(stored)
    print(f"{len(events)} events of {size} bytes; first time: encode {writing:.2f} µs, decode {reading:.2f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    for title, journals in (("drawn", drawn(asked.seeds)), ("one strategy", one_strategy(asked.orders))):
        print(f"\n{title}: ", end="")
        first_pass(journals)
        for name, times in measure(journals, asked.rounds).items():
            unit = "per snapshot" if name.endswith("end") else "per event"
            print(f"  {name:22}{statistics.median(times):9.2f} µs {unit}")


if __name__ == "__main__":
    main()
