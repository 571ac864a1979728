"""Canonical JSON: one value, one spelling, whoever writes it.

Keys are sorted, nothing is padded, text is UTF-8. Reading refuses what writing would never produce: duplicate keys,
floats, constants that are not JSON, and anything too large or too deep to be ours.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from papertrade.errors import StoreCorruptError

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 8


def to_text(value: Any) -> str:
    """Canonical text of a JSON value."""
    return _ENCODER.encode(value)


def to_bytes(value: Any) -> bytes:
    """Canonical bytes of a JSON value."""
    return _ENCODER.encode(value).encode("utf-8")


def from_bytes(data: bytes, most: int | None = MAX_BYTES) -> Any:
    """The JSON value of canonical bytes; anything else is reported as corrupt."""
    if type(data) is not bytes or (most is not None and len(data) > most):
        raise StoreCorruptError("stored bytes are not a record of papertrade: wrong type or too large")
    if _too_deep(data):
        raise StoreCorruptError("stored bytes are not a record of papertrade: nested too deeply, or not closed")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        canonical = to_bytes(value)
    except (ValueError, RecursionError) as why:
        raise StoreCorruptError(f"stored bytes are not canonical JSON: {why}") from None
    # A key that occurs twice is written once, so this comparison is also what refuses it.
    if canonical != data:
        raise StoreCorruptError("stored bytes are JSON, but not spelled the one canonical way")
    return value


def _too_deep(data: bytes) -> bool:
    """Do brackets nest too deeply, or not close? Seen without parsing; brackets inside text are text.

    Each round takes the innermost pairs away, so as many rounds as there may be levels leave nothing.
    """
    brackets = _TEXTS.sub(b"", data).translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


# A text that never closes counts too: were it no match, the search would begin anew at each escaped quote in it.
_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:20]} is not written by papertrade")


def _small_int(text: str) -> int:
    if len(text) > 17:
        raise ValueError("an integer that belongs in text")
    return int(text)


# Made once: json makes a new pair for every call that asks for anything special.
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_DECODER: Final = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, parse_int=_small_int)
