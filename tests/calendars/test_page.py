"""The reference page of calendars says what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import papertrade as pt
from papertrade.calendars.builtin import ALIASES, BUILDERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "calendars.md"


def rows(columns: int) -> list[list[str]]:
    """The cells of the rows of the page's tables with so many columns, without markup."""
    text = PAGE.read_text(encoding="utf-8")
    lines = [line.strip().strip("|").split("|") for line in text.splitlines() if "|" in line]
    return [[re.sub("`", "", cell).strip() for cell in line] for line in lines if len(line) == columns]


def test_each_calendar_has_its_row() -> None:
    """Names, aliases and known ranges are those of the code, in its order."""
    shown = {row[0]: (row[1], row[4]) for row in rows(5)[2:]}
    assert list(shown) == list(BUILDERS)
    for name, (also, known) in shown.items():
        assert [part.strip() for part in also.split(",") if part.strip()] == [a for a in ALIASES if ALIASES[a] == name]
        assert known == " to ".join(str(day) for day in pt.calendar(name).known)


def test_each_phase_has_its_row() -> None:
    """Each phase is on the page, with when it is continuous trading."""
    shown = {row[0]: row[1] for row in rows(3)[2:]}
    says = {(False, False): "no", (False, True): "with extended", (True, True): "yes"}
    assert shown == {phase.value: says[phase.is_open(), phase.is_open(extended=True)] for phase in pt.Phase}
