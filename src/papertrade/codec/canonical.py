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


def to_bytes(value: Any) -> bytes:
    """Canonical bytes of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def from_bytes(data: bytes, most: int | None = MAX_BYTES) -> Any:
    """The JSON value of canonical bytes; anything else is reported as corrupt."""
    if type(data) is not bytes or (most is not None and len(data) > most):
        raise StoreCorruptError("stored bytes are not a record of papertrade: wrong type or too large")
    if _depth(data) > MAX_DEPTH:
        raise StoreCorruptError("stored bytes are not a record of papertrade: nested too deeply")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_small_int,
        )
        canonical = to_bytes(value)
    except (ValueError, RecursionError) as why:
        raise StoreCorruptError(f"stored bytes are not canonical JSON: {why}") from None
    if canonical != data:
        raise StoreCorruptError("stored bytes are JSON, but not spelled the one canonical way")
    return value


def _depth(data: bytes) -> int:
    """How deeply brackets nest, counted without parsing; brackets inside text are text."""
    depth = deepest = 0
    for byte in _TEXTS.sub(b"", data):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:20]} is not written by papertrade")


def _small_int(text: str) -> int:
    if len(text) > 17:
        raise ValueError("an integer that belongs in text")
    return int(text)
