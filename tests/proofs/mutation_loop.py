"""A pytest plugin that judges mutants: tests are collected once, and each mutant runs them in a fork of its own.

mutmut's own loop starts pytest anew for each mutant, which takes many times longer than the tests that then fail. Here
a first fork runs every test on the code as it is and notes which functions each of them calls; then each mutant gets
the tests that call its function, quickest first, until one fails.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation import trampoline

NAMES, RESULTS = "MUTATION_NAMES", "MUTATION_RESULTS"
SWITCH = "MUTANT_UNDER_TEST"
SURVIVED, KILLED, TIMED_OUT, UNCALLED = "survived", "killed", "timed out", "not called"


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Judge every mutant that the file of names lists."""
    names: list[str] = json.loads(Path(os.environ[NAMES]).read_text("utf-8"))
    results = Path(os.environ[RESULTS])
    calls, spent = _look(session, results.with_suffix(".calls"))
    found: dict[str, str] = {}
    for name in names:
        tests = sorted(calls.get(name.rpartition("__mutmut_")[0], []), key=spent.__getitem__)
        found[name] = _judge(session, name, tests, spent) if tests else UNCALLED
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


def _run(session: pytest.Session, item: pytest.Item) -> bool:
    """Run one test; answers whether it failed."""
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return bool(session.testsfailed)


def _look(session: pytest.Session, notes: Path) -> tuple[dict[str, list[int]], list[float]]:
    """Which tests call which function, and how long each takes; every one of them has to pass on the code as it is."""

    def look() -> int:
        called: set[str] = set()
        trampoline.record_trampoline_hit = lambda name, caller=None: called.add(name)  # type: ignore[assignment]
        os.environ[SWITCH] = "stats"
        calls: dict[str, list[int]] = {}
        spent = []
        for number, item in enumerate(session.items):
            called.clear()
            began = time.process_time()
            if _run(session, item):
                notes.write_text(json.dumps(item.nodeid), "utf-8")
                return 1
            spent.append(time.process_time() - began)
            for name in called:
                calls.setdefault(name, []).append(number)
        notes.write_text(json.dumps([calls, spent]), "utf-8")
        return 0

    if _fork(look, 1_200):
        raise pytest.UsageError(f"a test fails without any mutant: {notes.read_text('utf-8')}")
    found: Any = json.loads(notes.read_text("utf-8"))
    return found[0], found[1]


def _judge(session: pytest.Session, name: str, tests: list[int], spent: list[float]) -> str:
    """Run the tests until one fails."""

    def judge() -> int:
        os.environ[SWITCH] = name
        return int(any(_run(session, session.items[number]) for number in tests))

    code = _fork(judge, 5 + int(3 * sum(spent[number] for number in tests)))
    if code == 0:
        return SURVIVED
    return KILLED if code > 0 else TIMED_OUT
