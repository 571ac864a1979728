"""Processes that move an account are killed in the middle: the next one goes on, and nothing is half there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from moved_accounts import exported, trade

from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.records import export_account, import_account, verify_account

IMPORTING = """
import os, signal, sys
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.records import import_account, reading

class Killed(SQLiteStore):
    left, after = int(sys.argv[3]), sys.argv[4] == "after"

    def put_records(self, *what):
        self.left -= 1
        if self.left == 0 and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = super().put_records(*what)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

reading.PAGE = 7
import_account(Killed(sys.argv[1]), sys.argv[2])
"""
EXPORTING = """
import os, signal, sys
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.records import export_account

class Killed(SQLiteStore):
    def records(self, *what):
        for number, record in enumerate(super().records(*what)):
            if number == int(sys.argv[3]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield record

export_account(Killed(sys.argv[1]), "alice", sys.argv[2])
"""


def run(code: str, env: dict[str, str], *arguments: object) -> int:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=env, timeout=120, check=False).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_import_that_is_killed_goes_on(tmp_path: Path, child_env: dict[str, str], when: str) -> None:
    """Killed at its second page each time, it comes to its end after some runs, and the account is the same."""
    memory = MemoryStore()
    trade(memory, rounds=4)
    file, store = exported(memory), tmp_path / "new.db"
    (tmp_path / "alice.jsonl").write_bytes(file)
    heads, answers = [0], []
    while not answers or answers[-1]:
        answers.append(run(IMPORTING, child_env, store, tmp_path / "alice.jsonl", 2, when))
        with_head = SQLiteStore(store)
        heads.append(with_head.head("alice"))
        if heads[-1]:
            assert verify_account(with_head, "alice").version == heads[-1]  # what is there is whole
        with_head.close()
        assert heads[-1] > heads[-2] or not answers[-1]  # the last may have found all of it there
    assert answers == [-signal.SIGKILL] * (len(answers) - 1) + [0]
    assert len(answers) > 2
    done = SQLiteStore(store)
    assert exported(done) == file
    done.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_an_export_that_is_killed_leaves_the_last_one(tmp_path: Path, child_env: dict[str, str]) -> None:
    """Killed while it writes, the old file is as it was, and a new export takes its place."""
    store = SQLiteStore(tmp_path / "paper.db")
    trade(store)
    path = tmp_path / "alice.jsonl"
    export_account(store, "alice", path)
    kept = path.read_bytes()
    trade(store, rounds=2)
    store.close()
    assert run(EXPORTING, child_env, tmp_path / "paper.db", path, 12) == -signal.SIGKILL
    assert path.read_bytes() == kept
    assert run(EXPORTING, child_env, tmp_path / "paper.db", path, 10**6) == 0
    assert path.read_bytes() != kept
    assert import_account(MemoryStore(), path).version > 12
