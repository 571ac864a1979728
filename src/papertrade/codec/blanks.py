"""What may stand in one blank of a form: how a field of each sort is spelled in canonical text, and read from it.

A blank's grammar is narrow on purpose. It takes only spellings that are canonical as they stand; rare ones (escaped
characters, integers of sixteen digits) are left to the general reader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from papertrade.codec.canonical import to_text
from papertrade.codec.seen import Seen, SeenText
from papertrade.codec.shapes import WORDS, is_optional, sort_of
from papertrade.domain.instants import LATEST_NS, SECOND_NS, instant_of_text, text_of_instant
from papertrade.domain.numbers import PLACES, SCALE, text_of

# How an amount and an instant are spelled, to the digit: no zero is idle, -0 and a second of 60 are none. What matches
# needs no writing back to see that it is canonical; whether there is such a day is for the calendar to say.
_UNITS: Final = r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]{1,9}+(?<!0))?+(?<!-0)"
_NS: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,9}+(?<!0))?+Z"
# Text that needs no escape is spelled in one way.
_TEXT: Final = r'[^"\\\x00-\x1f]*+'

MINUTE_NS: Final = 60 * SECOND_NS
# Units in the last of so many decimals.
_STEPS: Final[tuple[int, ...]] = tuple(10 ** (PLACES - places) for places in range(PLACES + 1))


def _units(text: str) -> int:
    """Units of a decimal text that the grammar found."""
    dot = text.find(".")
    if dot < 0:
        return int(text) * SCALE
    return int(text[:dot] + text[dot + 1 :]) * _STEPS[len(text) - dot - 1]


def _ns(text: str) -> int:
    """Nanoseconds of an instant that the grammar found: a journal stays within a minute for many events."""
    ns: int = _MINUTES[text[:16]] + int(text[17:19] + text[20:-1].ljust(9, "0"))
    if ns > LATEST_NS:
        raise ValueError(text)
    return ns


def _text_of_ns(ns: int) -> str:
    """The same back."""
    minute, rest = divmod(ns, MINUTE_NS)
    seconds, fraction = divmod(rest, SECOND_NS)
    text = f"{_MINUTE_TEXTS[minute]}:{seconds:02d}"
    return f"{text}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{text}Z"


# None is written null, and a blank that holds null is read as None.
_WRITE_UNITS: Final = Seen(lambda units: "null" if units is None else f'"{text_of(units)}"')
_READ_UNITS: Final = SeenText(_units)
_WRITE_NS: Final = Seen(lambda ns: "null" if ns is None else f'"{_text_of_ns(ns)}"')
_READ_NS: Final = SeenText(_ns)
_MINUTE_TEXTS: Final = Seen(lambda minute: text_of_instant(minute * MINUTE_NS)[:16])
_MINUTES: Final = SeenText(lambda minute: instant_of_text(f"{minute}:00Z"))
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
    if "n" in inside or not inside:
        found = inside.split(",") if inside else ()
        return tuple([None if item == "null" else _READ_UNITS[item[1:-1]] for item in found])
    return tuple([_READ_UNITS[item] for item in inside[1:-1].split('","')])


def _list_of(item: str) -> str:
    """A list in brackets, with all that is inside as its group."""
    return rf"\[((?:{item}(?:,{item})*+)?+)\]"


_BLANKS: Final[dict[str, Blank]] = {
    "text": Blank(f'"({_TEXT})"', None, _WRITE_TEXT.__getitem__),
    "units": Blank(f'"({_UNITS})"', _READ_UNITS.__getitem__, _WRITE_UNITS.__getitem__),
    "ns": Blank(f'"({_NS})"', _READ_NS.__getitem__, _WRITE_NS.__getitem__),
    "count": Blank("(0|-?+[1-9][0-9]{0,14}+)", int, None),
    "flag": Blank("(true|false)", {"true": True, "false": False}.__getitem__, ("false", "true").__getitem__),
    "tags": Blank(_list_of(rf'\["{_TEXT}","{_TEXT}"\]'), _read_tags, _write_tags),
    "unmarked": Blank(_list_of(f'"{_TEXT}"'), _read_texts, _write_texts),
    "seen_units": Blank(_list_of(f'(?:"{_UNITS}"|null)'), _read_seen, _write_seen),
    **dict.fromkeys(
        ("fees", "numbers", "balances", "holdings", "charges", "costs", "averages", "marks"),
        Blank(_list_of(rf'\["{_TEXT}","{_UNITS}"\]'), _read_pairs, _write_pairs),
    ),
    **{
        name: Blank(f'"({_TEXT})"', {word.value: word for word in words}.__getitem__, _WRITE_TEXT.__getitem__)
        for name, words in WORDS.items()
    },
}


def blank_of(name: str) -> Blank:
    """The blank of a field, by its name."""
    blank = _BLANKS[sort_of(name)]
    return blank._replace(pattern=f"(?:{blank.pattern}|null)") if is_optional(name) else blank
