"""The doctor: what is installed, what a store says of itself, and an exit code for scripts."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import papertrade
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.doctor import hider, run


def told(address: str | None) -> tuple[int, list[str]]:
    lines: list[str] = []
    return run(address, lines.append), lines


def test_it_says_what_is_installed() -> None:
    """Versions of papertrade, Python, SQLite and what they need; drivers that are missing are no problem."""
    code, lines = told(None)
    assert code == 0
    assert f"papertrade {papertrade.__version__}" in lines
    assert f"sqlite {sqlite3.sqlite_version}" in lines
    assert {line.split(" ")[0] for line in lines} >= {"python", "attrs", "tzdata", "psycopg", "redis"}
    assert lines[-1] == "nothing wrong was found"


def test_it_asks_the_store_what_it_promises(tmp_path: Path) -> None:
    """describe() in full, and how many accounts there are."""
    path = tmp_path / "paper.db"
    with closing(SQLiteStore(path)) as store:
        described = store.describe()
    code, lines = told(str(path))
    text = "\n".join(lines)
    assert code == 0
    for key, value in described.items():
        assert f"  {key}: {value.removeprefix('warning: ')}" in text
    assert ("warning: " in text) == any("warning" in value for value in described.values())
    assert "  accounts: 0" in lines


@pytest.mark.parametrize("what", ["missing", "damaged", "nothing that it knows"])
def test_a_problem_is_an_exit_code(what: str, tmp_path: Path) -> None:
    """A file that is not there is not made; one that is no store, and an address that means nothing, are problems."""
    path = tmp_path / "paper.db"
    if what == "damaged":
        path.write_bytes(b"no SQLite file" * 100)
    code, lines = told("somewhere" if what.startswith("nothing") else str(path))
    assert code == 1
    assert any(line.startswith("problem: ") for line in lines)
    assert lines[-1] == "1 problem"
    assert path.exists() is (what == "damaged")


@pytest.mark.parametrize(
    "address",
    [
        "nosuch://user:s3cr%2Ft@host/db",
        "nosuch://:s3cr%2Ft@host",
        "nosuch://host/db?password=s3cr%2Ft&x=1",
        "nosuch: host=h password=s3cr%2Ft user=u",
        "nosuch: host=h password='s3cr%2Ft' user=u",
        "redis://:s3cr%2Ft@127.0.0.1:1/0",
        "postgresql://u:s3cr%2Ft@127.0.0.1:1/db",
    ],
)
def test_a_password_is_never_shown(address: str) -> None:
    """Neither as it is written nor as it is meant, whoever quotes it."""
    code, lines = told(address)
    text = "\n".join(lines)
    assert code == 1
    assert "s3cr" not in text
    assert hider(address)("said: s3cr/t and s3cr%2Ft") == "said: … and …"


def test_the_command(tmp_path: Path, child_env: dict[str, str]) -> None:
    """As it is typed: the exit code says whether there is a problem."""
    for address, code in ((tmp_path / "missing.db", 1), ("memory:", 0)):
        command = [sys.executable, "-m", "papertrade", "doctor", str(address)]
        done = subprocess.run(command, env=child_env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert f"store {address}" in done.stdout
