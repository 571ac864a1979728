"""From the bytes of a journal to plain values: text to units and nanoseconds, and only the one spelling of each."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from .facts import ONE

_AMOUNT = re.compile(r"(-?)(0|[1-9]\d*)(?:\.(\d{0,8}[1-9]))?", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)(?:\.(\d{0,8}[1-9]))?Z", re.ASCII)
_MOST = 50_000
# What is written now; the others are as they were from the first.
SCHEMAS = {
    "day_opened": 2,
    "order_accepted": 3,
    "order_rejected": 3,
    **dict.fromkeys(("order_filled", "position_imported", "squared_off", "settlement_set", "good_faith_violation"), 2),
}

_plain = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_compiled: Any = getattr(json.encoder, "c_make_encoder", None)
# encode() makes an encoder anew for each record, which costs more than writing it does.
_write = _compiled and _compiled(
    None, _plain.default, json.encoder.encode_basestring, None, ":", ",", True, False, False
)
_scan = json.JSONDecoder().scan_once


def canonical(record: Any) -> str:
    """The one way to write a record."""
    return "".join(_write(record, 0)) if _write else _plain.encode(record)


class MisspeltError(ValueError):
    """A text that is not the one way to write what it says."""


class Amounts(dict[str, int]):
    """Units by their decimal text, remembered, because a journal repeats itself."""

    def __missing__(self, text: str) -> int:
        found = _AMOUNT.fullmatch(text) if type(text) is str else None
        if found is None or text == "-0":
            raise MisspeltError(f"{text!r} is not an amount")
        sign, whole, places = found.groups()
        units = int(whole) * ONE + (int(places.ljust(9, "0")) if places else 0)
        if len(self) >= _MOST:
            self.clear()
        self[text] = units = -units if sign else units
        return units


class Instants(dict[str, int]):
    """Nanoseconds since 1970 by their ISO text, remembered minute by minute."""

    def __init__(self) -> None:
        super().__init__()
        self._minutes: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        found = _INSTANT.fullmatch(text) if type(text) is str else None
        if found is None:
            raise MisspeltError(f"{text!r} is not an instant")
        minute, seconds, places = found.groups()
        since = self._minutes.get(minute)
        if since is None:
            since = (datetime.fromisoformat(minute + ":00+00:00") - _EPOCH) // timedelta(seconds=1)
            if len(self._minutes) >= _MOST:
                self._minutes.clear()
            self._minutes[minute] = since
        if len(self) >= _MOST:
            self.clear()
        self[text] = ns = (since + int(seconds)) * ONE + (int(places.ljust(9, "0")) if places else 0)
        return ns


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AMOUNTS = Amounts()
INSTANTS = Instants()


def read(data: bytes) -> tuple[str, dict[str, Any]]:
    """The kind and the fields of a record; anything but canonical bytes is misspelt."""
    try:
        text = data.decode("utf-8")
        record, end = _scan(text, 0)
        kind, fields, schema = record["kind"], record["data"], record["schema"]
    except (ValueError, KeyError, TypeError, StopIteration) as why:
        raise MisspeltError(f"not a record: {why}") from None
    if canonical(record) != text or end != len(text) or len(record) != 3:
        raise MisspeltError("not spelled the one canonical way")
    if schema != SCHEMAS.get(kind, 1) or type(fields) is not dict or type(kind) is not str:
        raise MisspeltError(f"schema {schema!r} of {kind!r}")
    return kind, fields


def maybe(text: str | None) -> int | None:
    """Units, where None stays None."""
    return None if text is None else AMOUNTS[text]


def maybe_ns(text: str | None) -> int | None:
    """Nanoseconds, where None stays None."""
    return None if text is None else INSTANTS[text]


def pairs(lines: list[list[str]]) -> list[tuple[str, int]]:
    """Named amounts."""
    return [(name, AMOUNTS[units]) for name, units in lines]
