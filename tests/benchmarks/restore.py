"""How long an account of many events takes to open, in whole and in parts.

    python tests/benchmarks/restore.py [--events 1000000] [--tail 1000] [--rounds 3] [--file restore.db]

The account is made once through the engine, on an SQLite file: market orders that fill, limit orders that rest and are
changed, canceled or filled in parts, stops that trigger, refusals and deposits, on twenty symbols whose prices walk,
with fees and with a key on every third order; without the SQL tables of history. Each figure is that of a process of
its own, with nothing read before but for the file, which the system may still have in its memory.

*full replay* opens the account without a snapshot; *snapshot* opens it with one that is ``--tail`` events old. The
parts are passes that do a little more each time: rows from SQLite, the hash chain, the events, and the fold, as the
store and the host do them. With ``--file`` the file is kept, and used again if it is there.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

import papertrade as pt
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import snapshot
from papertrade.engine.state import AccountState
from papertrade.ports.store import StoredSnapshot

SYMBOLS = [f"S{i:02}" for i in range(20)]
START_NS = 1_767_623_400_000_000_000
ACCOUNT = "main"
MOST_RESTING = 200
GATES = {"full": 20.0, "snapshot": 1.0}  # seconds, for a million events


def exchange_on(store: pt.Store) -> pt.Exchange:
    exchange = pt.Exchange(store, clock="data")
    for symbol in SYMBOLS:
        exchange.add_instrument(symbol, tick_size="0.01")
    return exchange


def open_account(store: pt.Store, cash: int | None = None) -> pt.PaperBroker:
    return exchange_on(store).open_account(ACCOUNT, cash=cash, fees=pt.PercentFee("0.0003", cap=20))


class Strategy:
    """Trades at random: a little of everything that leaves events."""

    def __init__(self, broker: pt.PaperBroker) -> None:
        self.broker = broker
        self.chance = Random(1)
        self.prices = dict.fromkeys(SYMBOLS, 18_710)
        self.quotes = {symbol: broker.exchange.tape(symbol).quote for symbol in SYMBOLS}
        self.at_ns = START_NS
        self.resting: list[str] = []
        self.number = 0

    def step(self) -> None:
        symbol = self.chance.choice(SYMBOLS)
        price = self.prices[symbol] = max(2_000, self.prices[symbol] + self.chance.randint(-9, 9))
        self.at_ns += self.chance.randint(1, 2 * 10**8)
        self.quotes[symbol](price, price + 2, self.chance.randint(5, 60), self.chance.randint(5, 60), self.at_ns)
        self.number += 1
        key = f"order-{self.number}" if self.number % 3 == 0 else None
        trade = self.broker.buy if self.chance.random() < 0.52 else self.broker.sell
        away = self.chance.randint(1, 30) * (-1 if trade == self.broker.buy else 1)
        what = self.chance.random()
        if what < 0.35:
            trade(symbol, self.chance.randint(1, 40), client_order_id=key)
        elif what < 0.70:
            placed = trade(symbol, self.chance.randint(1, 90), limit_price=f"{(price + away) / 100:.2f}",
                           client_order_id=key, tags={"strategy": "walk"})  # fmt: skip
            self.resting.append(placed.id)
        elif what < 0.75:
            trade(symbol, self.chance.randint(1, 40), stop_price=f"{(price - away) / 100:.2f}", client_order_id=key)
        elif what < 0.80 and self.resting:
            self.change(lambda order: self.broker.modify_order(order, quantity=self.chance.randint(90, 120)))
        elif what < 0.995:
            self.change(self.broker.cancel_order)
        else:
            self.broker.deposit(self.chance.randint(1, 10_000))
        if self.number % 50 == 0:
            self.resting = [order.id for order in self.broker.orders("open")]
        while len(self.resting) > MOST_RESTING:
            self.change(self.broker.cancel_order)

    def change(self, work: Callable[[str], object]) -> None:
        """One of the orders that rested lately, if it is still open."""
        if self.resting:
            with suppress(pt.PaperTradeError):
                work(self.resting.pop(self.chance.randrange(len(self.resting))))


def build(path: Path, events: int) -> None:
    store = SQLiteStore(path, durability="memory", tables=False)
    strategy = Strategy(open_account(store, cash=10**9))
    begin = time.perf_counter()
    while store.head(ACCOUNT) < events:
        for _ in range(200):
            strategy.step()
    kinds = Counter(event.kind for event in store.load(ACCOUNT))
    store.close()
    print(f"made {sum(kinds.values())} events in {time.perf_counter() - begin:.0f} s: "
          + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))  # fmt: skip


def take_snapshot(path: Path, tail: int) -> None:
    """A snapshot that is some events old."""
    store = SQLiteStore(path, tables=False)
    version = store.head(ACCOUNT) - tail
    state = fold(AccountState(), store.load(ACCOUNT, 1, version))
    store.put_snapshot(ACCOUNT, StoredSnapshot(version, store.chain_at(ACCOUNT, version), snapshot(state)))
    store.close()


def drop_snapshot(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM snapshots")
    connection.close()


# ------------------------------------------------------------------ one figure, in a process of its own


def opened(path: str) -> None:
    store = SQLiteStore(path, tables=False)
    open_account(store)
    store.close()


def passed(path: str, upto: str) -> None:
    """A pass over all records that does a little more than the one before it."""
    if upto == "rows":
        connection = sqlite3.connect(path)
        found = connection.execute("SELECT version, chain, record FROM events ORDER BY stream, version")
        while found.fetchmany(512):
            pass
        connection.close()
        return
    store = SQLiteStore(path, tables=False)
    if upto == "fold":
        fold(AccountState(), store.load(ACCOUNT))
    else:
        for _ in store.records(ACCOUNT) if upto == "chain" else store.load(ACCOUNT):
            pass
    store.close()


def child(what: str, path: str) -> None:
    gc.collect()
    begin, working = time.perf_counter(), time.process_time()
    if what in GATES:
        opened(path)
    else:
        passed(path, what)
    taken, worked = time.perf_counter() - begin, time.process_time() - working
    print(taken, worked, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


class Figure(NamedTuple):
    """Seconds by the clock, seconds of processor, and megabytes."""

    seconds: float
    worked: float
    memory: int


def measured(what: str, path: Path, rounds: int) -> Figure:
    """The process whose processor time is the median."""
    command = [sys.executable, __file__, "--child", what, "--file", str(path)]
    found = []
    for _ in range(rounds):
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        found.append(Figure(float(said[0]), float(said[1]), int(said[2])))
    return sorted(found, key=lambda figure: figure.worked)[rounds // 2]


def report(path: Path, rounds: int, tail: int) -> None:
    store = SQLiteStore(path, tables=False)
    events, size = store.head(ACCOUNT), path.stat().st_size
    store.close()
    drop_snapshot(path)
    print(f"{events} events, {size / events:.0f} bytes of file each; {rounds} processes for each line, their median")
    print(f"{'':28}{'clock':>8} s{'processor':>11} s")
    before = 0.0
    for what, words in {
        "rows": "rows from SQLite",
        "chain": "and records on the chain",
        "events": "and the events",
        "fold": "and the fold",
    }.items():
        found = measured(what, path, rounds)
        more = (found.worked - before) / events * 1e6
        print(f"  {words:26}{found.seconds:8.2f}  {found.worked:11.2f}    {more:6.2f} µs of processor per event more")
        before = found.worked
    gates(measured("full", path, rounds), "full replay", GATES["full"] * events / 1e6)
    take_snapshot(path, tail)
    gates(measured("snapshot", path, rounds), f"snapshot + {tail} events", GATES["snapshot"])


def gates(found: Figure, words: str, most: float) -> None:
    print(f"{words:28}{found.seconds:8.2f}  {found.worked:11.2f}    gate {most:.1f} s; {found.memory} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--tail", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child, str(asked.file))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = asked.file or Path(folder) / "restore.db"
        if not path.exists():
            build(path, asked.events)
        report(path, asked.rounds, asked.tail)


if __name__ == "__main__":
    main()
