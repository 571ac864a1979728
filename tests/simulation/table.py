"""Failures written down: the profile, then one line a turn; ready to be read back and played as a test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .spelling import spell, unspell
from .store_sim import Fault
from .swarm import Profile
from .turns import Turn


class Kept(NamedTuple):
    """A failure that was found once."""

    profile: Profile
    broke: str  # the invariant
    turns: list[Turn]


def write_turn(turn: Turn) -> str:
    """A turn as one line: ``at host account | what it is | fault``."""
    fault = "" if turn.fault is None else f" | {turn.fault.kind} @ call {turn.fault.call}"
    wrong = " | misuse" if turn.wrong else ""
    return f"{turn.at_ns} {turn.host} {turn.account or '-'} | {spell(turn.deed)}{fault}{wrong}"


def read_turn(line: str) -> Turn:
    """The turn of a line."""
    head, deed, *rest = (part.strip() for part in line.split(" | "))
    at_ns, host, account = head.split()
    fault, wrong = None, False
    for part in rest:
        if part == "misuse":
            wrong = True
        else:
            kind, _, call = part.partition(" @ call ")
            fault = Fault(kind, int(call))
    return Turn(int(at_ns), int(host), "" if account == "-" else account, unspell(deed), fault, wrong)


def write_table(path: Path, profile: Profile, broke: str, why: str, turns: Iterable[Turn]) -> None:
    """Keep a failure: the world it happened in, the invariant it broke, and its turns."""
    lines = [f"# {why}", f"broke {broke}", spell(profile), *map(write_turn, turns)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_table(path: Path) -> Kept:
    """A kept failure."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return Kept(unspell(lines[1]), lines[0].removeprefix("broke "), [read_turn(line) for line in lines[2:]])
