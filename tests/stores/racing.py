"""Processes and threads that race for the versions of one stream, and what must be true of it afterwards (G8)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier

from store_cases import event

from papertrade.domain.events import CashDeposited
from papertrade.errors import StoreError
from papertrade.ports.store import Append, Appended, Conflict, Outcome, Store

SCRIPT = Path(__file__).with_name("writers.py")
HEAD_START = 5_000  # turns of an empty loop: some tenths of a millisecond


def race(place: str, writers: int, count: int, env: dict[str, str]) -> list[tuple[int, int]]:
    """Let processes loose on a place in the same instant; how often each won and lost."""
    command = [sys.executable, str(SCRIPT), place, str(writers), str(count)]
    children = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, process_group=0)
    try:
        said, _ = children.communicate(timeout=300)
    finally:
        if children.returncode is None:  # then some writer is still at it
            os.killpg(children.pid, signal.SIGKILL)
            children.wait()
    assert children.returncode == 0
    ends = sorted([int(word) for word in line.split()] for line in said.splitlines())
    assert [number for number, *_ in ends] == list(range(1, writers + 1))
    return [(won, lost) for _, won, lost in ends]


def check_race(store: Store, found: list[tuple[int, int]], count: int) -> None:
    """The journal is dense, and holds as many events of each writer as it was told it won, under its keys."""
    writers = len(found)
    assert [won for won, _ in found] == [count] * writers
    events = list(store.load("main"))
    assert [event.version for event in events] == list(range(1, writers * count + 1))
    stored = Counter(event.amount_units for event in events if isinstance(event, CashDeposited))
    assert stored == dict.fromkeys(range(1, writers + 1), count)
    assert store.verify("main").version == writers * count
    for number in range(1, writers + 1):
        for turn in range(count):
            kept = store.find("main", f"{number}-{turn}")
            assert kept is not None
            assert events[kept.first - 1].amount_units == number  # type: ignore[union-attr]


def race_in_step(stores: Sequence[Store], least: int, most: int) -> list[list[Outcome | StoreError]]:
    """A thread for each store; all append to the same version at once, until each has won one. What each was told."""
    told: list[list[Outcome | StoreError]] = []
    line = Barrier(len(stores))

    def write(number: int) -> None:
        draw = Random(number)
        for version in range(most):
            made = Append("main", version, [event(version + 1, amount=number + 1)], f"{number + 1}-{version}")
            line.wait(60)
            if number == 0:
                told.append([Conflict(-1)] * len(stores))
            line.wait(60)
            for _ in range(draw.randrange(HEAD_START) if version % len(stores) != number else 0):
                pass  # who has the head start changes, or whoever came to the line last might always win
            (told[version][number],) = stores[number].append_many([made])
            line.wait(60)
            winners = {at for row in told for at, outcome in enumerate(row) if isinstance(outcome, Appended)}
            if version + 1 >= least and len(winners) == len(stores):
                return

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(stores)) as threads:
            for done in [threads.submit(write, number) for number in range(len(stores))]:
                done.result()
    finally:
        sys.setswitchinterval(before)
    return told
