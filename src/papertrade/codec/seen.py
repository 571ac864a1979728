"""Bounded tables of values seen: a journal repeats its prices, names and instants, so most are read and written once.

What a table answers is a fact about its key alone, so it makes no difference who asked before. A full table forgets
everything and goes on; a long key is worked out each time, so that no record can make a table large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

MAX_SEEN: Final = 4096
MAX_TEXT: Final = 64
MAX_SIZE: Final = 2**64


class Seen(dict[Any, Any]):
    """A dictionary that works out what it does not hold. Whatever cannot be worked out raises and leaves no trace."""

    __slots__ = ("_work_out",)

    def __init__(self, work_out: Callable[[Any], Any]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, key: Any) -> Any:
        value = self._work_out(key)
        # A subclass of str could equal what it is not, and answer for others: what is kept is its bare text.
        kept: Any = str.__str__(key) if isinstance(key, str) else key
        if _is_small(kept):
            if len(self) >= MAX_SEEN:
                self.clear()
            self[kept] = value
        return value


class SeenText(dict[Any, Any]):
    """The same for reading: its keys are plain texts that a grammar found, or None, which stands for itself."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[str], int]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str | None) -> int | None:
        value = None if text is None else self._read(text)
        if text is None or len(text) <= MAX_TEXT:
            if len(self) >= MAX_SEEN:
                self.clear()
            self[text] = value
        return value


def _is_small(key: Any) -> bool:
    if type(key) is str:
        return len(key) <= MAX_TEXT
    return key is None or (type(key) is int and -MAX_SIZE < key < MAX_SIZE)
