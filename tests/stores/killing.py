"""Processes that trade on a file and are killed, and a parent that holds what is stored against what it was told.

A child opens the file, retries the commands that nobody heard an answer to, goes on with new ones, and says each answer
aloud. It dies by SIGKILL: at a statement to SQLite that was drawn before (just before it, or just after), or whenever
the parent has heard enough. Statements are counted from the first one of opening, so that children die while they make
the tables and while they recover, too.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import papertrade as pt
from papertrade.adapters.sqlite import SQLiteStore, opening
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import CashDeposited, Event, OrderAccepted, OrderFilled, OrderRejected
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.ports.store import Store

START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000
ACCOUNTS = ("alice", "bob")
Opener = Callable[[Path], Store]


def open_durable(path: Path) -> Store:
    """The store as it is shipped."""
    return SQLiteStore(path)


class Broken(NamedTuple):
    """What was found wrong after a kill."""

    what: str
    detail: str


class Tally:
    """What happened in a run."""

    def __init__(self) -> None:
        self.kills = self.heard = self.unheard = self.files = 0
        self.at: Counter[str] = Counter()
        self.broken: list[Broken] = []


# ------------------------------------------------------------------- the child


class _Deadly:
    """A connection whose process dies at the n-th statement of its life."""

    def __init__(self, real: sqlite3.Connection, life: list[int], before: bool) -> None:
        self.real, self.life, self.before = real, life, before

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        self.life[0] -= 1
        if self.life[0] == 0 and self.before:
            os.kill(os.getpid(), signal.SIGKILL)
        done = self.real.execute(sql, parameters)
        if self.life[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def trade(path: Path, opener: Opener, first: int, ears: int, statements: int, before: bool) -> None:
    """Open the file and give commands from a number on, for ever; each answer is said aloud when it has come."""
    real, life = opening._connection, [statements]
    opening._connection = lambda place, mode: _Deadly(real(place, mode), life, before)  # type: ignore
    exchange = pt.Exchange(opener(path), clock="data")
    exchange.add_instrument("ABC")
    brokers = [exchange.open_account(name, cash=10**12) for name in ACCOUNTS]
    at = max((e.at_ns for b in brokers for e in b.events()), default=START) + SECOND
    number = first
    while True:
        # Resting orders of both accounts fill by one quote: two accounts in one trip to the store.
        exchange.on_quote("ABC", "99.98", "100.00", at=at)
        for broker in brokers:
            for key, answer in _commands(broker, number):
                os.write(ears, f"{broker.account_id} {key} {answer}\n".encode())
        exchange.on_quote("ABC", "98.98", "99.00", at=at + SECOND)
        at += 2 * SECOND
        number += 1


def _commands(broker: pt.PaperBroker, number: int) -> Iterator[tuple[str, str]]:
    yield f"b{number}", broker.buy("ABC", 3, client_order_id=f"b{number}").id
    yield f"l{number}", broker.buy("ABC", 1, limit_price="99", client_order_id=f"l{number}").id
    yield f"s{number}", broker.sell("ABC", 1, client_order_id=f"s{number}").id
    broker.deposit(1, command_id=f"d{number}")
    yield f"d{number}", "deposit"


# ------------------------------------------------------------------ the parent


class Killer:
    """Starts children on a file one after the other, and kills them."""

    def __init__(self, path: Path, seed: int, opener: Opener = open_durable) -> None:
        self.path, self.draw, self.opener = path, Random(f"kills {seed}"), opener
        self.tally = Tally()
        self.heard: dict[tuple[str, str], str] = {}

    def run(self, kills: int, each: int = 25) -> Tally:
        """Kill so many children, a new file for every few of them."""
        for number in range(kills):
            if number % each == 0:
                self._new_file()
            self._kill_one()
            self._look()
            if self.tally.broken:
                break
        self.tally.heard += len(self.heard)
        return self.tally

    def _new_file(self) -> None:
        for name in (self.path, Path(f"{self.path}-wal"), Path(f"{self.path}-shm"), Path(f"{self.path}-journal")):
            name.unlink(missing_ok=True)
        self.tally.heard += len(self.heard)
        self.tally.files += 1
        self.heard.clear()

    def _kill_one(self) -> None:
        planned = self.draw.random() < 0.6
        statements = self.draw.randint(1, self.draw.choice([40, 150, 600])) if planned else -1
        answers = 10**9 if planned else self.draw.randint(1, 80)
        first = min((self._next(account) for account in ACCOUNTS), default=0)
        before = self.draw.random() < 0.5
        ears, mouth = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(ears)
                trade(self.path, self.opener, first, mouth, statements, before)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(3)  # an error where there was to be a kill
        os.close(mouth)
        said = self._listen(ears, child, answers)
        status = os.waitpid(child, 0)[1]
        self.tally.kills += 1
        self.tally.at["a statement" if planned else "any moment"] += 1
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            self.tally.broken.append(Broken("the child failed by itself", f"exit status {status}"))
        for line in said.decode().splitlines():
            account, key, answer = line.split()
            first_answer = self.heard.setdefault((account, key), answer)
            if first_answer != answer:
                self.tally.broken.append(Broken("another answer to the same key", f"{key}: {first_answer}, {answer}"))

    def _listen(self, ears: int, child: int, answers: int) -> bytes:
        """What the child says until it dies; after so many answers it is killed, wherever it is."""
        said, alive = b"", True
        while data := os.read(ears, 4096):
            said += data
            if alive and said.count(b"\n") >= answers:
                os.kill(child, signal.SIGKILL)
                alive = False
        os.close(ears)
        return said

    def _next(self, account: str) -> int:
        """The first command that may be unheard, or the one before it, so that repetitions are always among them."""
        numbers = [int(key[1:]) for who, key in self.heard if who == account and key[0] == "d"]
        return max(0, max(numbers, default=0) - self.draw.randint(0, 1))

    # ------------------------------------------------------- what must be true

    def _look(self) -> None:
        """Acknowledged and not stored, stored twice, half stored, or not what the account says of itself."""
        try:
            if self.path.exists():
                self._compare()
        except pt.PaperTradeError as why:
            self.tally.broken.append(Broken("the file cannot be read", repr(why)))

    def _compare(self) -> None:
        with pt.Exchange(self.opener(self.path), clock="data") as exchange:
            exchange.add_instrument("ABC")
            store = exchange._desk.store
            stored = store.streams()
            for account in ACCOUNTS:
                events = list(store.load(account)) if account in stored else []
                self._keys(account, events)
                self._ranges(store, account, events)
                if events:
                    state = fold(AccountState(), [decode_event(encode_event(event)) for event in events])
                    if digest(state) != exchange.open_account(account).digest():
                        self._found("an account that is not the fold of its journal", account)

    def _keys(self, account: str, events: list[Event]) -> None:
        made = {}
        counts: Counter[str] = Counter()
        for event in events:
            if isinstance(event, (OrderAccepted, OrderRejected)) and event.terms.client_order_id:
                made[event.terms.client_order_id] = f"{account}-{event.number}"
                counts[event.terms.client_order_id] += 1
            elif isinstance(event, CashDeposited) and event.command_id:
                made[event.command_id] = "deposit"
                counts[event.command_id] += 1
        for key, times in counts.items():
            if times > 1:
                self._found("a key acted more than once", f"{account} {key}: {times} times")
        heard = {key: answer for (who, key), answer in self.heard.items() if who == account}
        for key, answer in heard.items():
            if made.get(key) != answer:
                self._found("an acknowledged command is not stored", f"{account} {key}: {answer}, {made.get(key)}")
        self.tally.unheard += len(counts) - len(heard)
        if len(counts) - len(heard) > 1:
            self._found("more was stored than could be in flight", f"{account}: {sorted(set(made) - set(heard))}")

    def _ranges(self, store: Store, account: str, events: list[Event]) -> None:
        """A market order and its fill are one batch: both, or neither."""
        if [event.version for event in events] != list(range(1, len(events) + 1)):
            self._found("a gap", account)
        store.verify(account)
        filled = {event.number for event in events if isinstance(event, OrderFilled)}
        for event in events:
            if isinstance(event, OrderAccepted) and event.terms.type == "market" and event.number not in filled:
                self._found("half a batch", f"{account}-{event.number} was accepted and not filled")

    def _found(self, what: str, detail: str) -> None:
        self.tally.broken.append(Broken(what, detail))
