"""Numbered SQL files that ship with an adapter: 1, 2, … without a gap, each applied once, never changed."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from papertrade.errors import StoreMisconfiguredError


class Migration(NamedTuple):
    """One step from a schema number to the next."""

    number: int
    name: str
    sql: str

    @property
    def hash(self) -> str:
        """Of the text, so that tables made by another text show."""
        return sha256(self.sql.encode("utf-8")).hexdigest()


@cache
def numbered(package: str) -> tuple[Migration, ...]:
    """All steps of an adapter, by number."""
    folder = files(package) / "sql"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    steps = tuple(Migration(int(n[:4]), n, (folder / n).read_text(encoding="utf-8")) for n in found)
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise StoreMisconfiguredError(f"the schema files of this installation have a gap: {', '.join(found)}")
    return steps
