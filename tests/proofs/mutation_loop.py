"""A pytest plugin that judges mutants: tests are collected once, and each mutant runs them in a fork of its own.

mutmut's own loop starts pytest anew for each mutant, which takes many times longer than the tests that then fail. Here
a first fork runs every test on the code as it is and notes which functions each of them calls; then each mutant gets
the tests that call its function, until one fails: first those that noticed another change of the same function, then
the quickest. A test that takes a second or more is no judge of mutants.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation import trampoline

from .mutation_parts import KILLED, SURVIVED, TIMED_OUT

NAMES, RESULTS = "MUTATION_NAMES", "MUTATION_RESULTS"
SWITCH = "MUTANT_UNDER_TEST"
SLOW = 1.0  # seconds of process time


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Judge every mutant that the file of names lists."""
    names: list[str] = json.loads(Path(os.environ[NAMES]).read_text("utf-8"))
    results = Path(os.environ[RESULTS])
    calls, spent = _look(session, results.with_suffix(".calls"))
    found: dict[str, str] = {}
    sharp: dict[str, list[int]] = {}  # tests that noticed a change of a function, the latest first
    failed = results.with_suffix(".failed")
    gc.collect()
    gc.freeze()  # what is shared with the forks stays shared
    for name in names:
        function = name.rpartition("__mutmut_")[0]
        first = sharp.setdefault(function, [])
        rest = {number for number in calls.get(function, []) if spent[number] < SLOW}.difference(first)
        failed.unlink(missing_ok=True)
        tests = [*first, *sorted(rest, key=spent.__getitem__)]
        found[name] = _judge(session, name, tests, spent, failed) if tests else _judge_anew(session, name)
        if found[name] == KILLED and failed.exists():
            number = int(failed.read_text("utf-8"))
            sharp[function] = [number, *(other for other in first if other != number)]
        if len(found) % 25 == 0:
            results.write_text(json.dumps(found), "utf-8")
    results.write_text(json.dumps(found), "utf-8")
    return True


def _fork(work: Callable[[], int], most_seconds: int) -> int:
    """Run something in a child; answers its exit code, or what killed it as a negative number."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (most_seconds, most_seconds + 1))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        code = work()
    finally:
        os._exit(code)


def _first_failure(session: pytest.Session, numbers: list[int], done: Callable[[int], None]) -> int | None:
    """Run tests until one fails; answers which."""
    for number, after in zip(numbers, [*numbers[1:], None], strict=True):
        item, follows = session.items[number], None if after is None else session.items[after]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=follows)
        if session.testsfailed:
            return number
        done(number)
    return None


def _look(session: pytest.Session, notes: Path) -> tuple[dict[str, list[int]], list[float]]:
    """Which tests call which function, and how long each takes; every one of them has to pass on the code as it is."""

    def look() -> int:
        called: set[str] = set()
        trampoline.record_trampoline_hit = lambda name, caller=None: called.add(name)  # type: ignore[assignment]
        os.environ[SWITCH] = "stats"
        calls: dict[str, list[int]] = {}
        spent: list[float] = []
        began = time.process_time()

        def note(number: int) -> None:
            spent.append(time.process_time() - began - sum(spent))
            for name in called:
                calls.setdefault(name, []).append(number)
            called.clear()

        failed = _first_failure(session, list(range(len(session.items))), note)
        notes.write_text(json.dumps([calls, spent] if failed is None else session.items[failed].nodeid), "utf-8")
        return int(failed is not None)

    if _fork(look, 1_200):
        raise pytest.UsageError(f"a test fails without any mutant: {notes.read_text('utf-8')}")
    found: Any = json.loads(notes.read_text("utf-8"))
    return found[0], found[1]


def _judge(session: pytest.Session, name: str, tests: list[int], spent: list[float], failed: Path) -> str:
    """Run the tests until one fails, and note which."""

    def judge() -> int:
        os.environ[SWITCH] = name
        number = _first_failure(session, tests, lambda number: None)
        if number is not None:
            failed.write_text(str(number), "utf-8")
        return int(number is not None)

    code = _fork(judge, 5 + int(3 * sum(spent[number] for number in tests)))
    if code == 0:
        return SURVIVED
    return KILLED if code > 0 else TIMED_OUT


def _judge_anew(session: pytest.Session, name: str) -> str:
    """For what is called when the package is imported and not later: a new process, in which it is changed by then."""
    files = sorted({str(item.path) for item in session.items}, key=lambda path: "proofs" in path)
    command = [sys.executable, "-m", "pytest", "-x", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, env={**os.environ, SWITCH: name}, check=False, capture_output=True)
    return KILLED if done.returncode else SURVIVED
