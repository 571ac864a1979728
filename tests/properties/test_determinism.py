"""Same commands, same bytes: in any process, under any hash seed, time zone, optimization level and decimal context."""

from __future__ import annotations

import decimal
import os
import subprocess
import sys
from pathlib import Path

import command_log
import pytest
from command_log import Player, commands, fingerprint, play

from papertrade.codec.events import decode_event
from papertrade.domain.events import EVENT_TYPES
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState

SCRIPT = str(Path(command_log.__file__))
ELSEWHERE = {"LC_ALL": "tr_TR.UTF-8", "PYTHONUTF8": "0"}  # where "I".lower() is not "i" for C programs


@pytest.fixture(scope="module")
def expected() -> str:
    return fingerprint(play())


def test_the_log_is_rich_enough() -> None:
    """The log reaches every kind of event, every order type and every kind of data, or it would prove little."""
    player = play()
    events = [event for broker in player.brokers.values() for event in broker.events()]
    assert {event.kind for event in events} == set(EVENT_TYPES)
    accepted = [event for event in events if event.kind == "order_accepted"]
    assert {str(event.terms.type) for event in accepted} == {"market", "limit", "stop", "stop_limit"}
    assert {str(event.terms.tif) for event in accepted} == {"day", "gtc", "ioc", "fok", "gtd", "ttl"}
    assert {event.rule[0] for event in events if event.kind == "order_filled"} == set("QLDPB")


PROCESSES = [
    ("UTC", "0", ()),
    ("UTC", "random", ("-O",)),
    ("Asia/Kolkata", "1", ()),
    ("Asia/Kolkata", "0", ("-O",)),
    ("America/New_York", "random", ()),
    ("America/New_York", "1", ("-O",)),
]
"""Zone, hash seed and options: each of the three zones and of the three seeds with and without -O."""


@pytest.mark.parametrize(("zone", "seed", "optimize"), PROCESSES)
def test_fresh_processes_agree(
    zone: str, seed: str, optimize: tuple[str, ...], expected: str, child_env: dict[str, str]
) -> None:
    """Hash seed, time zone, locale and -O leave every byte and every digest as they are.

    ``python -m tests.simulation.matrix`` runs seeds of the simulator in all eighteen such processes.
    """
    env = {**child_env, **ELSEWHERE, "PYTHONHASHSEED": seed, "TZ": zone}
    done = subprocess.run([sys.executable, *optimize, SCRIPT], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == expected


def test_hash_seeds_do_change_set_order(child_env: dict[str, str]) -> None:
    """The control: under these seeds a program that iterates over a set does print something else."""
    script = "print(list({str(n) for n in range(100)}))"
    found = set()
    for seed in ("0", "1"):
        env = {**child_env, "PYTHONHASHSEED": seed}
        found.add(subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, check=True).stdout)
    assert len(found) == 2


def test_twice_in_one_process(expected: str) -> None:
    """A second run beside the first sees nothing of it."""
    assert fingerprint(play()) == expected
    assert fingerprint(play(threadsafe=False)) == expected


def test_the_hosts_decimal_context_is_not_asked(expected: str) -> None:
    """Precision 6, another rounding and every trap set: not a byte differs, and no flag of the host is raised."""
    with decimal.localcontext() as context:
        context.prec, context.rounding, context.Emax, context.Emin = 6, decimal.ROUND_UP, 8, -8
        for signal in context.traps:
            context.traps[signal] = True
        context.clear_flags()
        assert fingerprint(play()) == expected
        assert not any(context.flags.values())


def test_the_working_directory_and_environment_are_not_asked(
    tmp_path: Path, expected: str, child_env: dict[str, str]
) -> None:
    """An empty environment in another folder gives the same bytes."""
    env = {"PYTHONPATH": child_env["PYTHONPATH"], "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, SCRIPT], env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
    assert not list(tmp_path.iterdir())


def test_replay_of_the_journal_gives_the_digest() -> None:
    """An account is nothing but the fold of its stored bytes."""
    player = play()
    for who, broker in player.brokers.items():
        state = fold(AccountState(), [decode_event(data) for data in player.journal(who)])
        assert digest(state) == broker.digest()


def test_the_past_does_not_depend_on_the_future() -> None:
    """What a part of the log leads to is the beginning of what the whole of it leads to."""
    whole = {who: play().journal(who) for who in ("alice", "bob")}
    part = Player()
    for number, command in enumerate(commands()):
        part.give(command)
        if number % 40 == 0:
            for who, journal in whole.items():
                found = part.journal(who)
                assert found == journal[: len(found)]
