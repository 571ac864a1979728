"""Forms: the canonical text of one kind of event, as fixed text with a blank for each field.

Canonical JSON leaves nothing free but the values: keys, their order and all punctuation follow from the kind. So
writing is filling in blanks, and reading is one match against the whole text. What a form takes is canonical by
construction, because its fixed text is and because a blank takes one spelling of each value: there is no need to write
it again and compare. What it does not take is not thereby wrong, and is for the general reader to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final

from papertrade.codec.blanks import Blank, blank_of
from papertrade.codec.shapes import RECORDS, public_name
from papertrade.domain.straight import straight

Leaf = tuple[int, ...]
"""Where a value belongs: the place of a field, or the place of a record and that of a field in it."""


class Form:
    """How named tuples of one class are spelled, between two texts that are always the same."""

    __slots__ = ("_arrange", "_fixed", "_grammar", "_inner", "_make", "_order", "_pattern", "_readers", "_writers")

    def __init__(self, cls: Any, before: str, after: str) -> None:
        parts = list(_parts(cls, ()))
        leaves = [part[0] for part in parts if not isinstance(part, str)]
        blanks = [part[1] for part in parts if not isinstance(part, str)]
        self._fixed: Final = before + "".join(p if isinstance(p, str) else "%s" for p in parts) + after
        middle = "".join(re.escape(p) if isinstance(p, str) else p[1].pattern for p in parts)
        self._grammar: Final = re.escape(before) + middle + re.escape(after)
        self._pattern: re.Pattern[str] | None = None
        self._readers: Final = tuple((i, blank.read) for i, blank in enumerate(blanks) if blank.read is not None)
        self._writers: Final = tuple((i, blank.write) for i, blank in enumerate(blanks) if blank.write is not None)
        records = [(place, RECORDS[name]) for place, name in enumerate(cls._fields) if name in RECORDS]
        # Writing: the fields of the event and then those of its records, in the order of the text.
        start, starts = len(cls._fields), {}
        for place, record in records:
            starts[place] = start
            start += len(record._fields)
        flat = (leaf[0] if len(leaf) == 1 else starts[leaf[0]] + leaf[1] for leaf in leaves)
        self._arrange: Final = itemgetter(*flat)
        # Reading: the values in the order of the text and then the records made of them, in the order of the fields.
        self._inner: Final = tuple((place, *_maker(record, place, leaves)) for place, record in records)
        where = {place: len(leaves) + i for i, (place, _) in enumerate(records)}
        self._order: Final = itemgetter(
            *(where[i] if i in where else leaves.index((i,)) for i in range(len(cls._fields)))
        )
        self._make: Final = straight(cls)

    def write(self, record: Any) -> str:
        """The canonical text of a record."""
        source = record
        for place, _, _ in self._inner:
            source = (*source, *record[place])
        values = list(self._arrange(source))
        for place, write in self._writers:
            values[place] = write(values[place])
        return self._fixed % tuple(values)

    def read(self, text: str) -> Any:
        """The record of canonical text; None, KeyError, ValueError or InvalidValueError when it is not of this form."""
        pattern = self._pattern
        if pattern is None:  # compiling takes milliseconds: not before somebody reads
            pattern = self._pattern = re.compile(self._grammar)
        found = pattern.fullmatch(text)
        if found is None:
            return None
        values = list(found.groups())
        for place, read in self._readers:
            values[place] = read(values[place])
        for _, fields, make in self._inner:
            values.append(make(fields(values)))
        return self._make(self._order(values))


def _parts(cls: Any, path: Leaf) -> Iterator[str | tuple[Leaf, Blank]]:
    """Fixed text and blanks in the order of the text, which is that of the public names."""
    before = "{"
    for public, place, name in sorted((public_name(name), place, name) for place, name in enumerate(cls._fields)):
        yield f'{before}"{public}":'
        before = ","
        if name in RECORDS:
            yield from _parts(RECORDS[name], (*path, place))
        else:
            yield (*path, place), blank_of(name)
    yield "}"


def _maker(record: Any, place: int, leaves: list[Leaf]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """What picks the fields of an inner record from the values of the text, and what makes it of them."""
    return itemgetter(*(leaves.index((place, i)) for i in range(len(record._fields)))), straight(record)
