"""What msgspec could take over from the codec, and what that would save. Microseconds per record, in one run.

    python -m pip install msgspec
    python tests/benchmarks/codec_msgspec.py [--orders 10000] [--rounds 9]

A stored fill is text before it is numbers. Splitting the record into its parts is what msgspec could do instead of the
form's pattern; it takes any spelling of JSON, so the record has to be written again and compared to see that it is the
canonical one. What comes after it, numbers out of texts and the event out of numbers, is the same either way, and so
it is with writing: *parts of a record* are all that is compared. ``decode_event`` and ``encode_event`` are the whole.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from codec import one_strategy

from papertrade.codec import events as codec
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import OrderFilled


class Evidence(msgspec.Struct, forbid_unknown_fields=True):
    at: str
    kind: str
    number: int
    seen: list[str | None]


class Fill(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    at: str
    base: str
    closed: str
    closed_value: str
    evidence: Evidence
    fees: list[tuple[str, str]]
    fill_number: int
    held: str
    hold: str
    model: str
    number: int
    price: str
    quantity: str
    realized: str
    released: str
    role: str
    rule: str
    sign: int
    symbol: str
    value: str
    version: int


class Stored(msgspec.Struct, forbid_unknown_fields=True):
    data: Fill
    kind: str
    schema: int


EVIDENCE = [f"data.evidence.{name}" for name in Evidence.__struct_fields__]
LEAVES = attrgetter(*(f"data.{name}" for name in Fill.__struct_fields__ if name != "evidence"), *EVIDENCE)


def microseconds(work: Callable[[Any], object], items: list[Any], rounds: int) -> float:
    """Median over the rounds of the mean processor time for one."""
    taken = []
    for _ in range(rounds):
        gc.collect()
        begin = time.process_time_ns()
        for item in items:
            work(item)
        taken.append((time.process_time_ns() - begin) / len(items) / 1_000)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    fills = [event for event in one_strategy(asked.orders)[0] if isinstance(event, OrderFilled)]
    records = [encode_event(event) for event in fills]
    decode_event(records[0])  # compiles the pattern
    pattern: Any = codec._FORMS[OrderFilled]._pattern
    read, write = msgspec.json.Decoder(Stored).decode, msgspec.json.Encoder(order="sorted").encode
    structs = [read(record) for record in records]
    if [write(struct) for struct in structs] != records:
        raise SystemExit("msgspec does not write the canonical bytes: nothing to compare")

    def by_msgspec(record: bytes) -> object:
        struct = read(record)
        return LEAVES(struct) if write(struct) == record else None

    print(f"{len(records)} fills of {len(records[0])} bytes, msgspec {msgspec.__version__}")
    for name, work, items in (
        ("parts of a record, by the pattern", lambda r: pattern.fullmatch(r.decode("utf-8")).groups(), records),
        ("parts of a record, by msgspec, checked", by_msgspec, records),
        ("  of which msgspec reads", read, records),
        ("  of which msgspec writes again", write, structs),
        ("decode_event", decode_event, records),
        ("encode_event", encode_event, fills),
    ):
        print(f"  {name:42}{microseconds(work, items, asked.rounds):7.2f} µs")


if __name__ == "__main__":
    main()
