"""Every order in which the store calls of two hosts on one account can follow each other, and every way to lose one.

Two processes that share a store may each be anywhere in what they do when the other one writes. Threads meet a few of
these orders by luck. Here the two are stepped, store call by store call, through all of them: the first run always lets
the first host go on, and each further run changes the last choice that has an alternative left, until none has.

With losses, one host is also killed, or interrupted, at every one of its calls, before the store did it and after. A
killed host is replaced by a new process that opens the account from the store and is asked the same again, when the
other host has finished (or, with ``--at-once``, in every order with it, which is many runs).

``python -m tests.simulation.every_interleaving`` goes through all pairs with all losses and says how many runs that is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

from papertrade.adapters.memory import MemoryStore
from papertrade.domain.events import Event
from papertrade.hosting.flow import drive
from papertrade.ports.store import Append

from .aftermath import Aftermath, Seen
from .pairs import PAIRS, Pair
from .stepping import ACCOUNT, NOON, SYMBOL, Host, Process, answered, recovered

NO_LOSS: tuple[str, ...] = ()
LOSSES = ("killed before", "killed after", "interrupted before", "interrupted after")

Made = TypeVar("Made", bound="Scene")


class Move(NamedTuple):
    """What happens next, and to which of the two."""

    kind: str
    host: int


class Scene:
    """A pair at work on one store."""

    def __init__(
        self,
        pair: Pair,
        losses: Sequence[str] = NO_LOSS,
        store: type[MemoryStore] = MemoryStore,
        at_once: bool = False,
    ) -> None:
        self.pair = pair
        self.losses = losses
        self.at_once = at_once  # who was lost begins again at once, and not when the other has finished
        self.store = store()
        self.moves: list[Move] = []
        self.lost: int | None = None  # which of the two was killed or interrupted
        MemoryStore.append(self.store, Append(ACCOUNT, 0, beginning()))
        self.began = self.store.head(ACCOUNT)
        hosts = Host(self.store), Host(self.store, NOON + pair.apart_ns)
        for host in hosts:
            drive(host.open())
        self.processes = [
            Process(host, answered(host, ask)) for host, ask in zip(hosts, pair.asks, strict=True)
        ]
        self.heads = dict.fromkeys((0, 1), self.began)  # how long the journal was when each of them had its answer

    def choices(self) -> list[Move]:
        """What can happen next; nothing when both have their answers."""
        running = [i for i in (0, 1) if not self.processes[i].done]
        found = [Move("step", i) for i in running]
        if len(running) == 2 and self.lost is not None and not self.at_once:
            del found[self.lost]
        if self.lost is None:
            found += [Move(kind, i) for i in running for kind in self.losses]
        return found

    def take(self, move: Move) -> None:
        """Let it happen."""
        self.moves.append(move)
        process = self.processes[move.host]
        if move.kind == "step":
            process.step()
        else:
            self._lose(process, move)
        if self.processes[move.host].done:
            self.heads[move.host] = self.store.head(ACCOUNT)

    def _lose(self, process: Process, move: Move) -> None:
        self.lost = move.host
        if move.kind.endswith("after"):
            process.lose_the_answer()
        ask = self.pair.asks[move.host]
        if move.kind.startswith("killed"):
            process.kill()
            host = Host(self.store, process.host.clock.now_ns())
            again = Process(host, recovered(host, ask))
        else:
            process.interrupt()
            again = Process(process.host, answered(process.host, ask))
        self.processes[move.host] = again

    def check(self, seen: Seen) -> None:
        """Everything that has to hold after both have their answers."""
        try:
            Aftermath(self.store, self.began, self.processes, self.heads, seen).check(self.pair)
        except Exception as why:
            raise AssertionError(f"{self.story()}\n{type(why).__name__}: {why}") from why

    def story(self) -> str:
        """How it came to this."""
        return f"{self.pair.name}: " + ", ".join(f"{move.kind} {'AB'[move.host]}" for move in self.moves)


@cache
def beginning() -> tuple[Event, ...]:
    """What is stored before the two begin: a position, and orders that wait (a limit, a stop, one for the day)."""
    store = MemoryStore()
    host = Host(store)
    drive(host.open())
    host.exchange.stepping = False
    broker = host.broker
    broker.buy(SYMBOL, 10)
    broker.buy(SYMBOL, 5, limit_price="99")
    broker.sell(SYMBOL, 5, stop_price="95")
    broker.buy(SYMBOL, 1, limit_price="98", time_in_force="day")
    return tuple(store.load(ACCOUNT))


def every_run(make: Callable[[], Made]) -> Iterator[Made]:
    """Every run there is: depth first, each from the beginning, because a process cannot be copied."""
    path: list[int] = []
    while True:
        scene, taken, widths = make(), list[int](), list[int]()
        try:
            while choices := scene.choices():
                pick = path[len(taken)] if len(taken) < len(path) else 0
                taken.append(pick)
                widths.append(len(choices))
                scene.take(choices[pick])
        except Exception as why:
            raise AssertionError(f"{scene.story()}\n{type(why).__name__}: {why}") from why
        yield scene
        while taken and taken[-1] + 1 == widths[-1]:
            taken.pop()
            widths.pop()
        if not taken:
            return
        path = [*taken[:-1], taken[-1] + 1]


def walk(
    pair: Pair, losses: Sequence[str] = NO_LOSS, store: type[MemoryStore] = MemoryStore, at_once: bool = False
) -> int:
    """Go through every run of a pair; answers how many there were. Raises ``AssertionError`` at the first bad one."""
    runs, seen = 0, Seen()
    for scene in every_run(lambda: Scene(pair, losses, store, at_once)):
        scene.check(seen)
        runs += 1
    return runs


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.every_interleaving", description=__doc__)
    parser.add_argument("--no-losses", action="store_true", help="only the orders, nobody is killed or interrupted")
    parser.add_argument("--at-once", action="store_true", help="who was lost begins again while the other still works")
    options = parser.parse_args(args)
    began, total = time.monotonic(), 0
    for pair in PAIRS:
        runs = walk(pair, NO_LOSS if options.no_losses else LOSSES, at_once=options.at_once)
        total += runs
        print(f"{pair.name}: {runs} runs", flush=True)
    print(f"{len(PAIRS)} pairs, {total} runs, every one as it should be; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
