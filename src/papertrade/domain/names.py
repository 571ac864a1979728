"""Symbols, ids, keys and tags: what a name may look like, decided once.

Names are compared byte for byte. Nothing is folded, trimmed or normalized: a name that would need it is refused,
because every database and every locale would do it differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from papertrade.errors import InvalidValueError

Tags: TypeAlias = tuple[tuple[str, str], ...]

_NAME = "1 to 64 printable ASCII characters, no space at either end"
_KEY = "1 to 255 printable ASCII characters, no space at either end"
MAX_TAGS = 16


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


def parse_tags(value: object) -> Tags:
    """Tags as sorted pairs, so that the same tags give the same bytes."""
    if value is None:
        return ()
    if not isinstance(value, Mapping) or len(value) > MAX_TAGS:
        raise InvalidValueError("tags", value, f"a mapping of at most {MAX_TAGS} short texts")
    pairs = [(parse_name(k, "tags (name)"), _tag_text(v)) for k, v in value.items()]
    return tuple(sorted(pairs))


def _tag_text(value: object) -> str:
    if type(value) is str and len(value) <= 255 and value.isprintable() and _encodes(value):
        return value
    raise InvalidValueError("tags (text)", value, "at most 255 printable characters")


def _encodes(text: str) -> bool:
    # A lone surrogate is a str but no text: it fails only when somebody tries to store it.
    return not any("\ud800" <= c <= "\udfff" for c in text)
