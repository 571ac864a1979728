"""What may stand in one blank of a form: how a field of each sort is spelled in canonical text, and read from it.

A blank's grammar is narrow on purpose. It takes only spellings that are canonical as they stand; rare ones (escaped
characters, integers of sixteen digits) are left to the general reader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from papertrade.codec.canonical import to_text
from papertrade.codec.seen import Seen
from papertrade.codec.shapes import WORDS, is_optional, sort_of
from papertrade.domain.instants import instant_of_text, text_of_instant
from papertrade.domain.numbers import text_of, units_of_text

# None is written null, and a blank that holds null is read as None.
_WRITE_UNITS: Final = Seen(lambda units: "null" if units is None else f'"{text_of(units)}"')
_READ_UNITS: Final = Seen(lambda text: None if text is None else units_of_text(text))
_WRITE_NS: Final = Seen(lambda ns: "null" if ns is None else f'"{text_of_instant(ns)}"')
_READ_NS: Final = Seen(lambda text: None if text is None else instant_of_text(text))
_WRITE_TEXT: Final = Seen(to_text)


class Blank(NamedTuple):
    """A pattern with one group, and what turns the group into the field's value and back; None where nothing does."""

    pattern: str
    read: Callable[[Any], Any] | None
    write: Callable[[Any], Any] | None


def _write_pairs(pairs: tuple[tuple[str, int], ...]) -> str:
    return f"[{','.join([f'[{_WRITE_TEXT[name]},{_WRITE_UNITS[units]}]' for name, units in pairs])}]"


def _read_pairs(inside: str) -> tuple[tuple[str, int], ...]:
    # No text of a blank holds a quotation mark, so these three can only be what stands between two texts.
    found = [pair.split('","') for pair in inside[2:-2].split('"],["')] if inside else ()
    return tuple([(name, _READ_UNITS[units]) for name, units in found])


def _write_tags(tags: tuple[tuple[str, str], ...]) -> str:
    return f"[{','.join([f'[{_WRITE_TEXT[name]},{_WRITE_TEXT[text]}]' for name, text in tags])}]"


def _read_tags(inside: str) -> tuple[tuple[str, str], ...]:
    found = [pair.split('","') for pair in inside[2:-2].split('"],["')] if inside else ()
    return tuple([(name, text) for name, text in found])


def _write_texts(texts: tuple[str, ...]) -> str:
    return f"[{','.join([_WRITE_TEXT[text] for text in texts])}]"


def _read_texts(inside: str) -> tuple[str, ...]:
    return tuple(inside[1:-1].split('","')) if inside else ()


def _write_seen(seen: tuple[int | None, ...]) -> str:
    return f"[{','.join([_WRITE_UNITS[units] for units in seen])}]"


def _read_seen(inside: str) -> tuple[int | None, ...]:
    found = inside.split(",") if inside else ()
    return tuple([_READ_UNITS[None if item == "null" else item[1:-1]] for item in found])


def _list_of(item: str) -> str:
    """A list in brackets, with all that is inside as its group."""
    return rf"\[((?:{item}(?:,{item})*+)?+)\]"


# Text that needs no escape is spelled in one way. Amounts and instants are checked to the digit when they are read.
_TEXT: Final = r'[^"\\\x00-\x1f]*+'
_UNITS: Final = "[-0-9.]++"
_NS: Final = "[-0-9T:.]++Z"

_BLANKS: Final[dict[str, Blank]] = {
    "text": Blank(f'"({_TEXT})"', None, _WRITE_TEXT.__getitem__),
    "units": Blank(f'"({_UNITS})"', _READ_UNITS.__getitem__, _WRITE_UNITS.__getitem__),
    "ns": Blank(f'"({_NS})"', _READ_NS.__getitem__, _WRITE_NS.__getitem__),
    "count": Blank("(0|-?+[1-9][0-9]{0,14}+)", int, None),
    "flag": Blank("(true|false)", {"true": True, "false": False}.__getitem__, ("false", "true").__getitem__),
    "tags": Blank(_list_of(rf'\["{_TEXT}","{_TEXT}"\]'), _read_tags, _write_tags),
    "unmarked": Blank(_list_of(f'"{_TEXT}"'), _read_texts, _write_texts),
    "seen_units": Blank(_list_of(f'(?:"{_UNITS}"|null)'), _read_seen, _write_seen),
    **dict.fromkeys(("fees", "numbers"), Blank(_list_of(rf'\["{_TEXT}","{_UNITS}"\]'), _read_pairs, _write_pairs)),
    **{
        name: Blank(f'"({_TEXT})"', {word.value: word for word in words}.__getitem__, _WRITE_TEXT.__getitem__)
        for name, words in WORDS.items()
    },
}


def blank_of(name: str) -> Blank:
    """The blank of a field, by its name."""
    blank = _BLANKS[sort_of(name)]
    return blank._replace(pattern=f"(?:{blank.pattern}|null)") if is_optional(name) else blank
