"""What the child processes of the cases run: ``python -m papertrade.testing.store_cases.children TASK TARGET …``.

A child imports the store by its target; nothing is pickled. It is told what to do on its command line or, line by
line, on its input, and says what came of it on its output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

from papertrade.codec.chain import GENESIS
from papertrade.errors import StoreError
from papertrade.ports.store import Append, Appended, Conflict, Store, StoredSnapshot
from papertrade.testing.store_cases.opening import inner_of, open_target, opener_of, the_loop
from papertrade.testing.store_cases.samples import batch, event, numbered, start_of

POINTS = ("opening", "append", "trip", "snapshot")
"""Where a writer can be told to die: at a call that the store makes while it does this."""


def say(*words: object) -> None:
    """One line to whoever started us, in one piece."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


# ---------------------------------------------------------------------- racing


def race(target: str, location: str, count: int, numbers: list[int]) -> None:
    """Race under these numbers, each in a process of its own: forked, so that the store is imported once for all."""
    opener_of(target)
    gate, held = os.pipe()
    children = {}
    for number in numbers[1:]:
        child = os.fork()
        if not child:
            os.close(held)
            _forked(lambda number=number: _race(target, location, count, number, gate))  # type: ignore[misc]
        children[child] = number
    say("ready")
    sys.stdin.readline()
    os.close(held)  # nobody holds it any more: whoever reads at the gate goes
    _race(target, location, count, numbers[0], gate)
    ends = {number: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child, number in children.items()}
    if any(ends.values()):
        sys.exit(f"racers ended with {ends}")


def _forked(work: Callable[[], None]) -> NoReturn:
    """Work in a forked process, which ends with it."""
    code = 3
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _race(target: str, location: str, count: int, number: int, gate: int) -> None:
    """Win so many versions of one stream, each by reading the head and appending after it."""
    os.read(gate, 1)
    store = open_target(target, location)
    won = lost = 0
    while won < count:
        head = store.head("main")
        made = Append("main", head, [event(head + 1, amount=number)], f"{number}-{won}")
        try:
            outcome = store.append(made)
        except StoreError:  # busy, or nobody knows: the key tells
            won += store.find("main", f"{number}-{won}") is not None
            continue
        if isinstance(outcome, Conflict):
            lost += 1
        else:
            won += 1
    store.close()
    say(number, won, lost)


# --------------------------------------------------------------------- forking


def fork(target: str, location: str) -> None:
    """Open, fork, and use the store in both processes; says what the child met and what the parent did afterwards."""
    store = open_target(target, location)
    store.append(batch(0))
    child = os.fork()
    if not child:
        code = 3
        try:
            signal.alarm(30)
            code = _use(store)
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    say("child", {0: "worked", 1: "typed error"}.get(status, f"failed with {status}"))
    head = store.head("main")
    outcome = store.append(batch(head))
    store.verify("main")
    say("parent", "works" if outcome == Appended(head + 1, head + 1) else outcome)
    store.close()


def _use(store: Store) -> int:
    try:
        store.append(batch(store.head("main")))
        store.close()
    except StoreError:
        return 1
    return 0


# --------------------------------------------------------------------- dying


class Doom:
    """Kills this process at the n-th call made inside the store's work, once it is at a point."""

    def __init__(self, point: str, calls: int) -> None:
        self.point, self.left = point, calls
        self.made = 0

    def at(self, point: str, work: Callable[[], Any]) -> Any:
        """Do something that the store is asked for; at our point each call in it counts."""
        if point != self.point:
            return work()
        self._watch(self._count)
        try:
            return work()
        finally:
            self._watch(None)

    def _count(self, frame: object, what: str, argument: object) -> None:
        self.made += 1
        if self.made == self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def _watch(self, function: Any) -> None:
        threading.setprofile(function)
        sys.setprofile(function)
        if the_loop.cache_info().currsize:
            the_loop().loop.call_soon_threadsafe(sys.setprofile, function)


def write(target: str, job: Mapping[str, Any]) -> None:
    """Open the place and write the numbered batches of two streams from a number on; each answer is said aloud.

    The batches before the first are known to be stored; the first may be stored, and is then a repeat.
    """
    doom = Doom(job["point"], job["calls"])
    store = doom.at("opening", lambda: open_target(target, job["location"]))
    for number in range(job["first"], job["first"] + job["rounds"]):
        pair = [numbered("main", number), numbered("other", number)]
        if number % 2:
            found = doom.at("trip", partial(store.append_many, pair))
        else:
            found = [doom.at("append", partial(store.append, one)) for one in pair]
        for one, outcome in zip(pair, found, strict=True):
            if tuple(outcome) != (one.expected + 1, one.expected + len(one.events)):
                say("odd", one.stream, number, repr(outcome))
                return
            say("stored", one.stream, number)
        if number % 3 == 2:
            _snapshot(store, doom, start_of(number))
    say("calls", doom.made)
    store.close()


def _snapshot(store: Store, doom: Doom, version: int) -> None:
    head = store.chain_at("main", version) if version else GENESIS
    doom.at("snapshot", lambda: store.put_snapshot("main", StoredSnapshot(version, head, b"%d" % version)))


def nursery(target: str) -> None:
    """Fork one writer after the other, as told by lines of JSON, and say how each of them died."""
    opener_of(target)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 3
            try:
                say("born", os.getpid())
                write(target, json.loads(line))
                code = 0
            except BaseException as why:
                say("odd", "error", 0, f"{type(why).__name__}: {why}".replace("\n", " "))
            finally:
                os._exit(code)
        say("died", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


# ---------------------------------------------------------------- leaking


def leak(target: str, location: str, openings: int) -> None:
    """Open and close again and again; says how many descriptors and threads there are early and late."""
    for number in range(openings):
        if number == openings // 4:
            say(*_held())
        store = open_target(target, location)
        store.append(batch(store.head("main")))
        inner_of(store)
        store.close()
    say(*_held())


def _held() -> tuple[int, int]:
    folder = "/proc/self/fd"
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0, threading.active_count()


def main(words: list[str]) -> None:
    """Run a task by its name."""
    task, target, *rest = words
    if task == "race":
        race(target, rest[0], int(rest[1]), [int(number) for number in rest[2:]])
    elif task == "fork":
        fork(target, rest[0])
    elif task == "leak":
        leak(target, rest[0], int(rest[1]))
    else:
        nursery(target)


if __name__ == "__main__":
    main(sys.argv[1:])
