"""Names that beancount takes, for symbols and kinds of fees that may hold any printable character.

A name that is legal already is kept. Any other is respelled, and numbered if somebody has that name already; which one
comes first decides, so the names of a journal do not change when it grows. The way back is in the books themselves:
each declaration says in its metadata what it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# Narrower than beancount 3, because beancount 2 takes no commodity of one letter and none above 24 characters.
_COMMODITY: Final = re.compile(r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]", re.ASCII)
COMPONENT: Final = re.compile(r"[A-Z0-9][A-Za-z0-9-]*", re.ASCII)
"""One part of an account's name."""
_WORDS: Final = ("TRUE", "FALSE", "NULL")  # words of beancount's own
_LONGEST: Final = 24


class Names:
    """Legal names, one for each thing and none for two."""

    def __init__(self, commodities: bool, taken: Iterable[str] = ()) -> None:
        self._legal: Final = _COMMODITY if commodities else COMPONENT
        self._respell: Final = _commodity if commodities else _component
        self._names: dict[str, str] = {}
        self._taken: set[str] = {name.upper() for name in taken}

    def of(self, what: str) -> str:
        """The name of something, from now on."""
        name = self._names.get(what)
        if name is None:
            name = self._names[what] = self._new(what)
            self._taken.add(name.upper())
        return name

    def _new(self, what: str) -> str:
        if self._is_free(what):
            return what
        base, number = self._respell(what), 1
        name = base
        while not self._is_free(name):
            number += 1
            ending = f"-{number}"
            name = base[: _LONGEST - len(ending)] + ending
        return name

    def _is_free(self, name: str) -> bool:
        return bool(self._legal.fullmatch(name)) and name not in _WORDS and name.upper() not in self._taken


def _commodity(what: str) -> str:
    text = re.sub(r"[^A-Z0-9'._-]+", "-", what.upper())[:_LONGEST].strip("-'._")
    return text if text[:1].isalpha() else f"X{text}"[:_LONGEST]


def _component(what: str) -> str:
    text = re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-") or "X"
    return text[0].upper() + text[1:]


def quoted(text: str) -> str:
    """A text as beancount writes it, on one line whatever is in it."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
