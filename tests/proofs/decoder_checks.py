"""What the fuzzer holds the readers of stored bytes to, the records it starts from, and how it changes them.

The promise: any bytes are read into a value that is written again as the same bytes, or they are ``StoreCorruptError``.
Nothing else may be raised, and nothing may take long.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import papertrade as pt
from papertrade.codec.canonical import from_bytes, to_bytes
from papertrade.codec.events import decode_event, encode_event, schema_of
from papertrade.codec.shapes import Shape
from papertrade.domain.events import EVENT_TYPES
from papertrade.engine.snapshot import restore, snapshot
from papertrade.errors import StoreCorruptError

GOLDEN = Path(__file__).parents[1] / "golden"
START = 1_767_623_400_000_000_000
HANG_S = 10.0  # of the wall clock, far above any real cost: it finds what does not end, and measures nothing

READERS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    "from_bytes": (from_bytes, to_bytes),
    "decode_event": (decode_event, encode_event),
    "restore": (restore, snapshot),
}


class Seen:
    """How often each reader took the bytes, how often it refused them, and the longest it needed."""

    def __init__(self) -> None:
        self.taken = dict.fromkeys(READERS, 0)
        self.refused = dict.fromkeys(READERS, 0)
        self.worst = dict.fromkeys(READERS, 0.0)

    def __str__(self) -> str:
        return "\n".join(
            f"{name}: {self.taken[name]:,} read and written again, {self.refused[name]:,} refused, "
            f"at most {self.worst[name] * 1000:.0f} ms"
            for name in READERS
        )


def check(data: bytes, seen: Seen) -> None:
    """Give the same bytes to every reader; an ``AssertionError`` or any other error is a finding."""
    for name, (read, write) in READERS.items():
        began = time.perf_counter()
        try:
            value = read(data)
        except StoreCorruptError:
            seen.refused[name] += 1
            assert name != "decode_event" or plainly(data) is None, f"{data!r} is refused, and is an event"
        else:
            seen.taken[name] += 1
            again = write(value)
            assert again == data, f"{name}: {data!r} is written again as {again!r}"
            assert name != "decode_event" or plainly(data) == value, f"{data!r} is read as {value!r}"
        took = time.perf_counter() - began
        seen.worst[name] = max(seen.worst[name], took)
        assert took < HANG_S, f"{name}: {took:.1f} s for {len(data)} bytes that begin {data[:60]!r}"


def plainly(data: bytes) -> Any:
    """The event, read field by field from the JSON; None when it is none. What is quicker has to answer the same."""
    try:
        record = from_bytes(data)
        cls = EVENT_TYPES[record["kind"]]
        newest = schema_of(record["kind"])
        if set(record) != {"kind", "schema", "data"} or type(record["schema"]) is not int or record["schema"] != newest:
            return None
        return cls(**Shape(cls._fields).decode(record["data"]))
    except (StoreCorruptError, ValueError, TypeError, KeyError):
        return None


def seeds() -> list[bytes]:
    """The golden records, two snapshots, and a few bytes that are nobody's."""
    return [*(path.read_bytes() for path in sorted(GOLDEN.glob("*.json"))), *_snapshots(), b"", b"{}", b'["\\u0001"]']


def _snapshots() -> list[bytes]:
    broker = pt.open_paper_broker(cash=100_000, kind="margin", cost_method="fifo", clock=pt.ManualClock(START))
    kept = [snapshot(_state(broker))]
    for ask in ("100.02", "101.02"):
        broker.on_quote("AAPL", "100", ask, at=START)
        broker.buy("AAPL", 10)
    broker.sell("MSFT", 1, limit_price=90, tags={"why": "test"}, client_order_id="one")
    broker.on_quote("MSFT", "89", "89.02", at=START)
    broker.buy("AAPL", 5, stop_price=105)
    return [*kept, snapshot(_state(broker))]


def _state(broker: pt.PaperBroker) -> Any:
    return broker.exchange._desk.engine.seats[broker.account_id].state


# ------------------------------------------------------------------ changes

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**53, 10**17, "", "0", "-0", "1", "-1", "1.5", "1.50", "01", ".5", "1.", "a1", "１",
    "9" * 4300, "9" * 4301, "-", "--1", "1e5", "AAPL", "2026-01-05T14:30:00Z", "2026-01-05T14:30:60Z",
    "2026-01-05T14:30:00.5Z", "1970-01-01T00:00:00Z", "2262-04-11T23:47:16.854775807Z", "9999-12-31T23:59:59Z",
    "market", "gtd", "filled", "[", '"', "\\", "\x00", "é", "\ud800", [], {}, [[]], ["a1"], [["a", "1"]], [["a", 1]],
    [{"1": 0, "a": 0}], {"a": "1"}, [["a", "1", "2"]], [None], "x" * 300,
)  # fmt: skip


def change(data: bytes, seed: int) -> bytes:
    """Another record: one or two places of the JSON replaced, dropped, doubled or swapped; canonical again.

    Mostly a good record is changed instead: what is damaged already is refused for that damage.
    """
    draw = Random(seed)
    if draw.random() < 0.8:
        data = draw.choice(_good())
    try:
        record = json.loads(data)
        for _ in range(draw.randrange(1, 3)):
            record = _changed(record, draw)
        return to_bytes(record)
    except (ValueError, RecursionError):  # no JSON any more: the fuzzer changes its bytes
        return data


@cache
def _good() -> list[bytes]:
    return [data for data in seeds() if len(data) > 2]


def _changed(node: Any, draw: Random) -> Any:
    parts = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    if not parts or draw.random() < 0.03:
        # Mostly of the same kind, or nearly everything would be refused at the first look.
        alike = [value for value in _VALUES if type(value) is type(node)] if draw.random() < 0.8 else None
        return draw.choice(alike or _VALUES)
    part, what = draw.choice(parts), draw.randrange(24)
    if what < 18:
        return _with(node, part, _changed(node[part], draw))
    if what < 22:
        return _with(node, part, node[draw.choice(parts)])
    if isinstance(node, dict):
        rest = {name: value for name, value in node.items() if name != part}
        return rest if what == 22 else {**rest, f"{part}x": node[part]}
    return node[:part] + node[part + 1 :] if what == 22 else [*node, node[part]]


def _with(node: Any, part: Any, value: Any) -> Any:
    if isinstance(node, dict):
        return {**node, part: value}
    return [*node[:part], value, *node[part + 1 :]]
