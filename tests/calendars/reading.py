"""Golden sessions as compact text: a line for each year and pair of UTC opening and closing times, then the days.

``2026 14:30-21:00 0102 0105`` says that there were sessions on 2 and 5 January 2026, both from 14:30 to 21:00 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent / "golden"
Row = tuple[date, datetime, datetime]


def write(name: str, head: str, rows: Iterable[Row]) -> None:
    """Write the sessions (day, opens, closes) of a golden file; no session crosses midnight UTC."""
    lines: dict[tuple[int, str], list[str]] = {}
    for day, opens, closes in rows:
        first, last = opens.astimezone(UTC), closes.astimezone(UTC)
        if not first.date() == last.date() == day or first.second or last.second:
            raise ValueError(f"{day} {first} {last} does not fit the form")
        lines.setdefault((day.year, f"{first:%H:%M}-{last:%H:%M}"), []).append(f"{day:%m%d}")
    text = "".join(f"# {line}\n" for line in head.splitlines())
    text += "".join(f"{year} {hours} {' '.join(days)}\n" for (year, hours), days in lines.items())
    (HERE / name).write_text(text, encoding="utf-8")


def read(name: str) -> dict[date, tuple[datetime, datetime]]:
    """The sessions of a golden file by day."""
    rows = dict(_rows((HERE / name).read_text(encoding="utf-8")))
    return {day: rows[day] for day in sorted(rows)}


def _rows(text: str) -> Iterator[tuple[date, tuple[datetime, datetime]]]:
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        year, hours, *days = line.split()
        for found in days:
            day = date.fromisoformat(f"{year}-{found[:2]}-{found[2:]}")
            opens, closes = (datetime.fromisoformat(f"{day}T{time}:00+00:00") for time in hours.split("-"))
            yield day, (opens, closes)
