"""Symbols, ids, keys and tags: what a name may look like, decided once.

Names are compared byte for byte. Nothing is folded, trimmed or normalized: a name that would need it is refused,
because every database and every locale would do it differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from papertrade.errors import InvalidValueError

Tags: TypeAlias = tuple[tuple[str, str], ...]

_NAME = "1 to 64 printable ASCII characters, no space at either end"
_KEY = "1 to 255 printable ASCII characters, no space at either end"
MAX_TAGS = 16
_TAGS = f"a mapping of at most {MAX_TAGS} short texts"


def parse_name(value: object, field: str) -> str:
    """A symbol, an account name or a currency code, exactly as given."""
    return _checked(value, field, 64, _NAME)


def parse_key(value: object, field: str) -> str:
    """A caller's own key (client_order_id, command id), exactly as given."""
    return _checked(value, field, 255, _KEY)


def _checked(value: object, field: str, most: int, accepted: str) -> str:
    if (
        type(value) is str
        and 0 < len(value) <= most
        and value.isascii()
        and value.isprintable()
        and value[0] != " "
        and value[-1] != " "
    ):
        return value
    raise InvalidValueError(field, value, accepted)


def parse_calendars(value: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """The names of the calendars that a rule is for, sorted; None for all."""
    if value is None:
        return None
    names = (value,) if type(value) is str else tuple(value) if isinstance(value, (list, tuple)) else ()
    if names:
        return tuple(sorted({parse_name(name, "calendars") for name in names}))
    raise InvalidValueError("calendars", value, "the name of a calendar, or several")


def parse_tags(value: object) -> Tags:
    """Tags as sorted pairs, so that the same tags give the same bytes."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise InvalidValueError("tags", value, _TAGS)
    try:
        found = list(islice(value.items(), MAX_TAGS + 1))  # what its len said need not be so
        pairs = {parse_name(k, "tags (name)"): parse_label(v, "tags (text)") for k, v in found}
    except InvalidValueError:
        raise
    except Exception:
        raise InvalidValueError("tags", value, _TAGS) from None
    if len(found) > MAX_TAGS or len(pairs) != len(found):
        raise InvalidValueError("tags", value, _TAGS)
    return tuple(sorted(pairs.items()))


def parse_label(value: object, field: str) -> str:
    """A short text for people to read; it may hold any printable character."""
    if type(value) is str and len(value) <= 255 and value.isprintable() and _encodes(value):
        return value
    raise InvalidValueError(field, value, "at most 255 printable characters")


def _encodes(text: str) -> bool:
    # A lone surrogate is a str but no text: it fails only when somebody tries to store it.
    return not any("\ud800" <= c <= "\udfff" for c in text)
