"""Runs written down: one line a turn, readable, and read back as the same values without evaluating anything."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.testing.oracle import vocabulary as say

from . import turns as acts
from .store_sim import Fault
from .turns import Turn

DEEDS: dict[str, Any] = {
    kind.__name__: kind
    for module in (say, acts)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, tuple) and kind is not Turn and kind.__module__ == module.__name__
}
WORDS = {"type": OrderType, "tif": TimeInForce}
PLAIN = OrderTerms(
    "", 0, OrderType.MARKET, 0, None, None, None, TimeInForce.GTC, None, False, False, 0, None, ()
)
"""What is not said of an order."""


def write_turn(turn: Turn) -> str:
    """A turn as one line: ``at host account | what it is | fault``."""
    fault = "" if turn.fault is None else f" | {turn.fault.kind} @ call {turn.fault.call}"
    wrong = " | misuse" if turn.wrong else ""
    return f"{turn.at_ns} {turn.host} {turn.account or '-'} | {_write(turn.deed)}{fault}{wrong}"


def _write(value: Any) -> str:
    """A named tuple as its name and the fields that differ from their defaults; everything else as a literal."""
    if isinstance(value, Enum):
        return repr(value.value)
    if not hasattr(value, "_fields"):
        return repr(value)
    left_out = PLAIN._asdict() if isinstance(value, OrderTerms) else value._field_defaults
    shown = (
        f"{name}={_write(part)}"
        for name, part in zip(value._fields, value, strict=True)
        if name not in left_out or part != left_out[name]
    )
    return f"{type(value).__name__}({', '.join(shown)})"


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
    said = _read(ast.parse(deed, mode="eval").body)
    return Turn(int(at_ns), int(host), "" if account == "-" else account, said, fault, wrong)


def _read(node: ast.expr, word: str = "") -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        fields = {keyword.arg or "": _read(keyword.value, keyword.arg or "") for keyword in node.keywords}
        return PLAIN._replace(**fields) if node.func.id == "OrderTerms" else DEEDS[node.func.id](**fields)
    value = ast.literal_eval(node)
    return WORDS[word](value) if word in WORDS else value


def write_table(path: Path, seed: int, name: str, why: str, turns: Iterable[Turn]) -> None:
    """Keep a failure: the seed that gives the profile, the invariant it broke, and its turns."""
    lines = [f"# {why}", f"profile of seed {seed}", f"broke {name}", *map(write_turn, turns)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_table(path: Path) -> tuple[int, str, list[Turn]]:
    """The seed of the profile, the invariant that was broken, and the turns."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    seed, name = lines[0].removeprefix("profile of seed "), lines[1].removeprefix("broke ")
    return int(seed), name, [read_turn(line) for line in lines[2:]]
