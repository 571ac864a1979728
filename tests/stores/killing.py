"""Processes that trade on a store and are killed, and a parent that holds what is stored against what it was told.

A child opens the place, retries the commands that nobody heard an answer to, goes on with new ones, and says each
answer aloud. It dies by SIGKILL: at a statement to the database that was drawn before (just before it, or just after),
or whenever the parent has heard enough. Statements are counted from the first one of opening, so that children die
while they make the tables and while they recover, too. Where there is a server, harm can come to that first; the child
then repeats its command until it is answered.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol, TypeVar

from history_oracle import Found, check_same, read_sqlite

import papertrade as pt
from papertrade.adapters.sqlite import SQLiteStore, opening
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import CashDeposited, Event, OrderAccepted, OrderFilled, OrderRejected
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.errors import OutcomeUnknownError, StoreUnavailableError
from papertrade.ports.store import Store

T = TypeVar("T")
START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000
ACCOUNTS = ("alice", "bob")
Opener = Callable[[Path], Store]
PATIENCE = 2_000


def open_durable(path: Path) -> Store:
    """The store as it is shipped."""
    return SQLiteStore(path)


class Place(Protocol):
    """Where children trade."""

    def fresh(self) -> None:
        """Begin with nothing."""
        ...

    def exists(self) -> bool:
        """Whether anything may be there."""
        ...

    def open(self) -> Store:
        """The store at this place."""
        ...

    def arm(self, statements: int, before: bool) -> None:
        """In the child: die at the n-th statement from here, just before it or just after."""
        ...

    def harm(self, draw: Random) -> str:
        """Do something to the server that the child works on, until it works again; says what."""
        ...


class File:
    """An SQLite file."""

    def __init__(self, path: Path, opener: Opener = open_durable) -> None:
        self.path, self.opener = path, opener

    def fresh(self) -> None:
        """No file, and nothing beside it."""
        for name in (self.path, Path(f"{self.path}-wal"), Path(f"{self.path}-shm"), Path(f"{self.path}-journal")):
            name.unlink(missing_ok=True)

    def exists(self) -> bool:
        """A child may die before it makes the file."""
        return self.path.exists()

    def open(self) -> Store:
        """The store on the file."""
        return self.opener(self.path)

    def tables(self, account: str) -> tuple[Found, int]:
        """As a reader finds them."""
        return read_sqlite(self.path, account)

    def arm(self, statements: int, before: bool) -> None:
        """Die at a statement to SQLite."""
        real, life = opening._connection, Life(statements, before)
        opening._connection = lambda place, mode: _Deadly(real(place, mode), life)  # type: ignore

    def harm(self, draw: Random) -> str:
        """There is no server."""
        raise NotImplementedError


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


class Life:
    """How many statements are left to a process."""

    def __init__(self, statements: int, before: bool) -> None:
        self.left, self.before = statements, before

    def spend(self, work: Callable[[], Any]) -> Any:
        """Do one statement, and die just before or just after it if it is the last."""
        self.left -= 1
        if self.left == 0 and self.before:
            os.kill(os.getpid(), signal.SIGKILL)
        done = work()
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


class _Deadly:
    """A connection whose process dies at the n-th statement of its life."""

    def __init__(self, real: sqlite3.Connection, life: Life) -> None:
        self.real, self.life = real, life

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        return self.life.spend(lambda: self.real.execute(sql, parameters))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def trade(place: Place, first: int, ears: int) -> None:
    """Open the place and give commands from a number on, for ever; each answer is said aloud when it has come."""
    store = patiently(place.open)
    exchange = pt.Exchange(store, clock="data")
    exchange.add_instrument("ABC")
    brokers = [patiently(lambda n=name: exchange.open_account(n, cash=10**12)) for name in ACCOUNTS]  # type: ignore
    at = max((e.at_ns for b in brokers for e in patiently(b.events)), default=START) + SECOND
    number = first
    while True:
        # Resting orders of both accounts fill by one quote: two accounts in one trip to the store.
        patiently(lambda: exchange.on_quote("ABC", "99.98", "100.00", at=at))  # noqa: B023 - called at once
        for broker in brokers:
            for key, command in _commands(broker, number):
                os.write(ears, f"{broker.account_id} {key} {patiently(command)}\n".encode())
        patiently(lambda: exchange.on_quote("ABC", "98.98", "99.00", at=at + SECOND))  # noqa: B023
        at += 2 * SECOND
        number += 1


def patiently(call: Callable[[], T]) -> T:
    """Do it again, with the same key, while the store cannot say or is not there. A file never lets it come to that."""
    for _ in range(PATIENCE):
        try:
            return call()
        except (StoreUnavailableError, OutcomeUnknownError):
            time.sleep(0.01)
    raise AssertionError("the store did not come back")


def _commands(broker: pt.PaperBroker, number: int) -> Iterator[tuple[str, Callable[[], str]]]:
    yield f"b{number}", lambda: broker.buy("ABC", 3, client_order_id=f"b{number}").id
    yield f"l{number}", lambda: broker.buy("ABC", 1, limit_price="99", client_order_id=f"l{number}").id
    yield f"s{number}", lambda: broker.sell("ABC", 1, client_order_id=f"s{number}").id
    yield f"d{number}", lambda: _deposited(broker, number)


def _deposited(broker: pt.PaperBroker, number: int) -> str:
    broker.deposit(1, command_id=f"d{number}")
    return "deposit"


# ------------------------------------------------------------------ the parent


class Killer:
    """Starts children on a place one after the other, and kills them.

    Args:
        place: the path of a file, or a place.
        seed: what is drawn.
        opener: opens a file.
        harmful: whether something happens to the server before each child is killed.
        tabled: whether the tables of history are held against the journal, too.
    """

    def __init__(
        self,
        place: Path | Place,
        seed: int,
        opener: Opener = open_durable,
        *,
        harmful: bool = False,
        tabled: bool = True,
    ) -> None:
        self.tabled = tabled
        self.place = File(place, opener) if isinstance(place, Path) else place
        self.draw, self.harmful = Random(f"kills {seed}"), harmful
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
        self.place.fresh()
        self.tally.heard += len(self.heard)
        self.tally.files += 1
        self.heard.clear()

    def _kill_one(self) -> None:
        planned = not self.harmful and self.draw.random() < 0.6
        statements = self.draw.randint(1, self.draw.choice([40, 150, 600])) if planned else -1
        answers = 10**9 if planned else self.draw.randint(1, 80)
        first = min((self._next(account) for account in ACCOUNTS), default=0)
        before = self.draw.random() < 0.5
        ears, mouth = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(ears)
                self.place.arm(statements, before)
                trade(self.place, first, mouth)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(3)  # an error where there was to be a kill
        os.close(mouth)
        said = self._listen(ears, child, answers)
        status = os.waitpid(child, 0)[1]
        self.tally.kills += 1
        if not self.harmful:
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
        said, alive, harmless = b"", True, self.harmful
        while data := os.read(ears, 4096):
            said += data
            if harmless and said.count(b"\n") >= answers:
                harmless, answers = False, said.count(b"\n") + self.draw.randint(1, 40)
                self.tally.at[self.place.harm(self.draw)] += 1
            elif alive and said.count(b"\n") >= answers:
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
            if self.place.exists():
                self._compare()
        except pt.PaperTradeError as why:
            self.tally.broken.append(Broken("what is stored cannot be read", repr(why)))

    def _compare(self) -> None:
        if self.tabled and hasattr(self.place, "tables"):
            self._tables(self.place.tables)
        with pt.Exchange(self.place.open(), clock="data") as exchange:
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

    def _tables(self, tables: Callable[[str], tuple[Found, int]]) -> None:
        """What a reader of the tables finds after a kill, before anybody opens the accounts again."""
        store = self.place.open()
        try:
            for account in store.streams():
                journal = list(store.load(account))
                found, kept = tables(account)
                if kept != len(journal):
                    self._found("tables of another version", f"{account}: {kept}, {len(journal)}")
                check_same(found, journal)
        except AssertionError as why:
            self._found("tables are not the journal", str(why)[:500])
        finally:
            store.close()

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
