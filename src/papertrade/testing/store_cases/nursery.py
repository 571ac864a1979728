"""The parent's side of child processes: starting them so that they see what we see, and killing them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import NamedTuple

from papertrade.testing.contract import ContractViolation, expect

CHILDREN = "papertrade.testing.store_cases.children"
_FORKS = hasattr(os, "fork")


def start(*words: object) -> subprocess.Popen[str]:
    """A child process that finds papertrade and the store where we find them, in a process group of its own."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-m", CHILDREN, *map(str, words)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
        process_group=0 if _FORKS else None,
    )  # fmt: skip


def end(child: subprocess.Popen[str]) -> None:
    """Kill a child, and whatever it has forked."""
    if child.returncode is None:
        if _FORKS:
            os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        child.wait()


def lines_of(child: subprocess.Popen[str], patience_s: float) -> list[str]:
    """What a child says until it ends, which must be soon and without an error."""
    try:
        said, _ = child.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        end(child)
        child.communicate()
        raise ContractViolation("a process that uses the store comes to an end", f"none in {patience_s} s") from None
    expect(child.returncode == 0, "a process that uses the store ends without an error", child.args, said)
    return said.splitlines()


def race(target: str, location: str, racers: int, count: int, patience_s: float) -> list[tuple[int, int]]:
    """Let processes loose on a place in the same instant; how often each won and lost.

    Where processes fork, all are forked by one: what takes long is to import the store, and not to race.
    """
    numbers = range(1, racers + 1)
    teams = [numbers] if _FORKS else [[number] for number in numbers]
    children = [start("race", target, location, count, *team) for team in teams]
    try:
        for child in children:
            said = child.stdout.readline() if child.stdout else ""
            expect(said == "ready\n", "a child process finds the store by its target", target, said)
        for child in children:
            if child.stdin is not None:
                child.stdin.write("go\n")
                child.stdin.flush()
        said_by = [lines_of(child, patience_s) for child in children]
    finally:
        for child in children:
            end(child)
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
    ends = sorted([int(word) for word in line.split()] for lines in said_by for line in lines)
    expect([number for number, *_ in ends] == list(numbers), "every racer comes to the end", target, ends)
    return [(won, lost) for _, won, lost in ends]


class Life(NamedTuple):
    """What a writer said before it died."""

    stored: dict[str, int]  # the last number that was answered, by stream
    odd: list[str]
    calls: int
    killed: bool


class Nursery:
    """Writers on a place, one after the other; each dies by SIGKILL, or when its rounds are over."""

    def __init__(self, target: str, draw: Random, patience_s: float) -> None:
        self.child = start("nursery", target)
        self.draw, self.patience_s = draw, patience_s

    def close(self) -> None:
        """No more children."""
        self.child.kill()
        self.child.communicate()

    def life(self, location: str, first: int, rounds: int, answers: int = 0, point: str = "", calls: int = 0) -> Life:
        """One writer. It is killed after so many answers, or kills itself at so many calls at a point."""
        job = {"location": location, "first": first, "rounds": rounds, "point": point, "calls": calls}
        if self.child.stdin is None:
            raise ContractViolation("the nursery has an input")
        self.child.stdin.write(json.dumps(job) + "\n")
        self.child.stdin.flush()
        stored: dict[str, int] = {}
        odd: list[str] = []
        made = pid = heard = 0
        code = None
        for what, *rest in self._lines():
            if what == "born":
                pid = int(rest[0])
            elif what == "stored":
                stored[rest[0]] = int(rest[1])
                heard += 1
                if heard == answers:
                    time.sleep(self.draw.random() * 0.003)  # so that it dies anywhere, and not as it speaks
                    with suppress(ProcessLookupError):  # it came to the end of its rounds before us
                        os.kill(pid, signal.SIGKILL)
            elif what == "odd":
                odd.append(" ".join(rest))
            elif what == "calls":
                made = int(rest[0])
            elif what == "died":
                code = int(rest[0])
                break
        expect(code is not None, "a writer comes to an end", f"none in {self.patience_s} s")
        if code not in (0, -signal.SIGKILL) and not odd:
            odd.append(f"exit status {code}")
        return Life(stored, odd, made, code == -signal.SIGKILL)

    def _lines(self) -> Iterator[list[str]]:
        watch = threading.Timer(self.patience_s, self.child.kill)
        watch.start()
        try:
            while self.child.stdout is not None and (line := self.child.stdout.readline()):
                yield line.split()
        finally:
            watch.cancel()
