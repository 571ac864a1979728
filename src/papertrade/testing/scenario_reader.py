"""Reading scenario text: files, blocks, lines, words, instants.

Nothing here knows a broker. A line becomes ``Words``, read from left to right; whatever nobody took is an unknown word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from papertrade.errors import UsageError

ARROW: Final = "->"


class ScenarioError(UsageError):
    """A scenario says something that it cannot say: which file, which line, which word, what is accepted."""

    def __init__(self, where: str, line: int, what: str) -> None:
        self.where, self.line, self.what = where, line, what
        super().__init__(f"{where}:{line}: {what}")


class Line(NamedTuple):
    """One statement of a scenario, with the place it was written at."""

    where: str
    number: int
    text: str

    def error(self, what: str) -> ScenarioError:
        """An error about this line."""
        return ScenarioError(self.where, self.number, f"{what}\n    {self.text}")


class Block(NamedTuple):
    """A title and its lines; the lines that every scenario of the file shares come first."""

    title: str
    lines: tuple[Line, ...]


def read_blocks(text: str, where: str) -> list[Block]:
    """The scenarios of a text. Each begins with ``scenario <title>``; without such a line the text is one."""
    shared: list[Line] = []
    found: list[tuple[str, list[Line]]] = []
    for line in _lines(text, where):
        first, _, rest = line.text.partition(" ")
        if first == "scenario":
            title = rest.strip()
            if not title or title in [known for known, _ in found]:
                raise line.error("scenario: found no title, or the title of another; accepted: a title of its own")
            found.append((title, []))
        else:
            (found[-1][1] if found else shared).append(line)
    if not found:
        return [Block(where, tuple(shared))]
    return [Block(title, (*shared, *lines)) for title, lines in found]


def _lines(text: str, where: str) -> Iterator[Line]:
    for number, raw in enumerate(text.splitlines(), 1):
        # A comment begins a line or follows a blank, so that a symbol may contain the sign.
        plain = re.sub(r"(^|\s)#.*", "", raw).strip()
        if plain:
            yield Line(where, number, plain)


# ------------------------------------------------------------------- words


class Words:
    """The words of a line or of a part of it."""

    def __init__(self, line: Line, words: list[str]) -> None:
        self.line = line
        self._words = words

    def __bool__(self) -> bool:
        return bool(self._words)

    def error(self, what: str) -> ScenarioError:
        """An error about this line."""
        return self.line.error(what)

    def peek(self) -> str:
        """The next word, or an empty one."""
        return self._words[0] if self._words else ""

    def take(self, what: str) -> str:
        """The next word, which has to be there."""
        if not self._words:
            raise self.error(f"the line ends where {what} was expected")
        return self._words.pop(0)

    def skip(self, word: str) -> bool:
        """Take the next word if it is this one."""
        if self.peek() != word:
            return False
        self._words.pop(0)
        return True

    def need(self, word: str) -> None:
        """Take this word, which has to be next."""
        if not self.skip(word):
            raise self.error(f"found {self.peek() or 'the end of the line'!r}; accepted: {word!r}")

    def choose(self, what: str, accepted: Collection[str]) -> str:
        """The next word, which has to be one of these."""
        word = self.take(what)
        if word not in accepted:
            raise self.error(f"unknown word {word!r} for {what}; accepted: {', '.join(accepted)}")
        return word

    def number(self, what: str) -> Decimal:
        """The next word as a number."""
        return self.as_number(self.take(what), what)

    def as_number(self, word: str, what: str) -> Decimal:
        """A word as a number."""
        try:
            return Decimal(word)
        except InvalidOperation:
            raise self.error(f"{what}: found {word!r}; accepted: a number") from None

    def maybe(self, what: str) -> Decimal | None:
        """The next word as a number, where ``-`` says that there is none."""
        return None if self.skip("-") else self.number(what)

    def facts(self, known: Collection[str]) -> dict[str, str]:
        """Everything that is left, as ``key=value``; a key that is not known is an error."""
        found: dict[str, str] = {}
        while self._words:
            word = self._words.pop(0)
            key, equals, value = word.partition("=")
            if not equals or key not in known:
                accepted = ", ".join(f"{name}=" for name in known) or "nothing more"
                raise self.error(f"unknown word {word!r}; accepted: {accepted}")
            if key in found:
                raise self.error(f"{key}= is said twice")
            found[key] = value
        return found

    def end(self) -> None:
        """Nothing may be left."""
        self.facts(())

    def rest(self) -> str:
        """Everything that is left, as text."""
        text = " ".join(self._words)
        self._words.clear()
        return text

    def split(self, mark: str) -> list[Words]:
        """Everything that is left, in parts between a mark."""
        parts: list[list[str]] = [[]]
        while self._words:
            word = self._words.pop(0)
            if word == mark:
                parts.append([])
            else:
                parts[-1].append(word)
        return [Words(self.line, part) for part in parts]


def words_of(line: Line) -> Words:
    """The words of a whole line; a comma or semicolon is a word of its own."""
    return Words(line, re.sub(r"([,;])", r" \1 ", line.text).split())


# ------------------------------------------------------------------- time


class Calendar:
    """Turns the times that a scenario writes into instants: ``09:30:00`` is of its date and zone."""

    def __init__(self) -> None:
        self.day = date(2026, 1, 5)
        self.zone = ZoneInfo("UTC")

    def set_day(self, text: str, words: Words) -> None:
        """Times without a date are of this day."""
        try:
            self.day = date.fromisoformat(text)
        except ValueError:
            raise words.error(f"date: found {text!r}; accepted: a day such as 2026-01-05") from None

    def instant(self, text: str, now: datetime, words: Words) -> datetime:
        """``09:30:00``, ``2026-01-05T09:30``, the same with an offset, or ``+90s`` from now."""
        step = re.fullmatch(r"\+(\d+)(ms|s|m|h|d)", text)
        if step:
            return now + int(step[1]) * _STEPS[step[2]]
        try:
            found = datetime.fromisoformat(text if "T" in text else f"{self.day}T{text}")
        except ValueError:
            accepted = "09:30:00, 2026-01-05T09:30, 2026-01-05T09:30+05:30, or +90s"
            raise words.error(f"time: found {text!r}; accepted: {accepted}") from None
        return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)


_STEPS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
