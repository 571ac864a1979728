"""Events as bytes: one spelling each, nothing lost, and whatever is not ours is reported as corrupt."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from event_strategies import ANY_EVENT, EVENTS
from hypothesis import given, settings
from hypothesis import strategies as st

import papertrade as pt
from papertrade.codec.canonical import _TEXTS, MAX_BYTES, MAX_DEPTH, from_bytes, to_bytes
from papertrade.codec.events import SCHEMA, decode_event, encode_event
from papertrade.domain.events import EVENT_TYPES, CashDeposited, Event
from papertrade.domain.numbers import parse_units
from papertrade.errors import InvalidValueError, StoreCorruptError

GOLDEN = Path(__file__).parents[1] / "golden"
NEWEST = {
    "day_opened": 2,
    "order_accepted": 3,
    "order_rejected": 3,
    **dict.fromkeys(("order_filled", "position_imported", "squared_off", "settlement_set", "good_faith_violation"), 2),
}
DEPOSIT = CashDeposited("main", 2, 1_767_623_400_000_000_000, 1_100_000_000, "USD", None, "")
BYTES = encode_event(DEPOSIT)


def decodes(data: Any) -> Event | None:
    """The event, or None when it is corrupt; any other exception is a failure of the test."""
    try:
        return decode_event(data)
    except StoreCorruptError:
        return None


# ------------------------------------------------------------- round trips


@pytest.mark.parametrize("kind", list(EVENTS))
@settings(max_examples=60)
@given(data=st.data())
def test_every_kind_comes_back(kind: str, data: st.DataObject) -> None:
    """E8: decode(encode(e)) = e with the same types, and encode(decode(b)) = b."""
    event = data.draw(EVENTS[kind])
    stored = encode_event(event)
    again = decode_event(stored)
    assert again == event
    assert type(again) is type(event)
    assert [type(value) for value in again] == [type(value) for value in event]
    assert encode_event(again) == stored


@given(ANY_EVENT, ANY_EVENT)
def test_different_events_have_different_bytes(one: Event, two: Event) -> None:
    """Equal bytes mean equal events of one kind."""
    same = type(one) is type(two) and one == two
    assert (encode_event(one) == encode_event(two)) == same


@pytest.mark.parametrize(("one", "two"), [("1.10", "1.1"), ("-0", "0"), ("1", "1.000"), (1.5, "1.50"), ("-0.0", 0)])
def test_equal_values_have_equal_bytes(one: object, two: object) -> None:
    """Two spellings of a number are one number by the time it is stored."""
    first, second = (encode_event(DEPOSIT._replace(amount_units=parse_units(v, "x"))) for v in (one, two))
    assert first == second


def test_accents_are_stored_as_given() -> None:
    """Composed and decomposed accents are different texts and stay so; neither is repaired."""
    composed, decomposed = (encode_event(DEPOSIT._replace(note=note)) for note in ("\u00e9", "e\u0301"))
    assert composed != decomposed
    assert decode_event(composed) != decode_event(decomposed)


def test_brackets_in_text_are_text() -> None:
    """A note full of brackets is not deep nesting: what can be written can be read."""
    broker = pt.open_paper_broker(cash=1, clock="data")
    broker.deposit(1, note="[" * 255)
    broker.deposit(1, note='\\"' * 100 + "{[" * 20)
    for event in broker.events():
        assert decode_event(encode_event(event)) == event


# ------------------------------------------------------------------ damage


def changed(**parts: Any) -> bytes:
    """The deposit's record with other parts, canonically spelled."""
    record = json.loads(BYTES)
    for name, value in parts.items():
        (record if name in record else record["data"])[name] = value
    return to_bytes(record)


DAMAGED: dict[str, Callable[[], Any]] = {
    "unknown kind": lambda: changed(kind="os.system"),
    "kind in capitals": lambda: changed(kind="Cash_Deposited"),
    "kind is no text": lambda: changed(kind=["cash_deposited"]),
    "kind null": lambda: changed(kind=None),
    "kind long": lambda: changed(kind="k" * 60_000),
    "schema newer": lambda: changed(schema=SCHEMA + 1),
    "schema 0": lambda: changed(schema=0),
    "schema negative": lambda: changed(schema=-1),
    "schema true": lambda: changed(schema=True),
    "schema text": lambda: changed(schema="1"),
    "schema null": lambda: changed(schema=None),
    "data list": lambda: changed(data=[]),
    "data null": lambda: changed(data=None),
    "data text": lambda: changed(data="x"),
    "number for amount": lambda: changed(amount=1),
    "null for amount": lambda: changed(amount=None),
    "amount respelled": lambda: changed(amount="1.10"),
    "amount -0": lambda: changed(amount="-0"),
    "amount exponent": lambda: changed(amount="1e3"),
    "amount NaN": lambda: changed(amount="NaN"),
    "amount full-width": lambda: changed(amount="１"),
    "amount of 50,000 digits": lambda: changed(amount="9" * 50_000),
    "instant naive": lambda: changed(at="2026-01-05T14:30:00"),
    "instant respelled": lambda: changed(at="2026-01-05T14:30:00+00:00"),
    "instant number": lambda: changed(at=5),
    "instant null": lambda: changed(at=None),
    "version text": lambda: changed(version="2"),
    "version bool": lambda: changed(version=True),
    "version null": lambda: changed(version=None),
    "version beyond 2^53": lambda: changed(version=2**53),
    "account number": lambda: changed(account=5),
    "account null": lambda: changed(account=None),
    "account list": lambda: changed(account=[]),
    "note null": lambda: changed(note=None),
    "note bool": lambda: changed(note=False),
    "extra field": lambda: BYTES.replace(b'"note":""', b'"note":"","zz":1'),
    "missing field": lambda: BYTES.replace(b',"note":""', b""),
    "renamed field": lambda: BYTES.replace(b'"note"', b'"nota"'),
    "extra part": lambda: to_bytes({**json.loads(BYTES), "x": 1}),
    "duplicate key": lambda: BYTES.replace(b'"note":""', b'"note":"","note":""'),
    "space": lambda: BYTES.replace(b":", b": ", 1),
    "unsorted": lambda: json.dumps(dict(reversed(json.loads(BYTES).items())), separators=(",", ":")).encode(),
    "escaped": lambda: BYTES.replace(b"USD", b"\\u0055SD"),
    "lone surrogate": lambda: BYTES.replace(b'"note":""', b'"note":"\\ud800"'),
    "raw surrogate": lambda: BYTES.replace(b'"note":""', b'"note":"\xed\xa0\x80"'),
    "not UTF-8": lambda: BYTES.replace(b'"note":""', b'"note":"\xff"'),
    "float": lambda: BYTES.replace(b'"version":2', b'"version":2.0'),
    "exponent": lambda: BYTES.replace(b'"version":2', b'"version":2e0'),
    "overflowing float": lambda: BYTES.replace(b'"version":2', b'"version":1e400'),
    "NaN": lambda: BYTES.replace(b'"version":2', b'"version":NaN'),
    "Infinity": lambda: BYTES.replace(b'"version":2', b'"version":-Infinity'),
    "-0": lambda: BYTES.replace(b'"version":2', b'"version":-0'),
    "leading zero": lambda: BYTES.replace(b'"version":2', b'"version":02'),
    "5,000-digit integer": lambda: BYTES.replace(b'"version":2', b'"version":' + b"9" * 5_000),
    "deep": lambda: b"[" * 100_000 + b"]" * 100_000,
    "deep and within size": lambda: b"[" * 30_000 + b"]" * 30_000,
    "just too deep": lambda: b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "unclosed": lambda: b"[" * 5,
    "oversize": lambda: changed(note="x" * MAX_BYTES),
    "5 MB": lambda: b"x" * 5_000_000,
    "empty": lambda: b"",
    "space only": lambda: b" ",
    "BOM": lambda: b"\xef\xbb\xbf" + BYTES,
    "newline": lambda: BYTES + b"\n",
    "two records": lambda: BYTES + BYTES,
    "NUL": lambda: BYTES + b"\x00",
    "a list": lambda: b"[]",
    "a number": lambda: b"1",
    "null": lambda: b"null",
    "UTF-16": lambda: BYTES.decode().encode("utf-16"),
    "pickle": lambda: b"\x80\x04K\x01.",
    "str": lambda: BYTES.decode(),
    "bytearray": lambda: bytearray(BYTES),
    "memoryview": lambda: memoryview(BYTES),
    "None": lambda: None,
}


@pytest.mark.parametrize("name", list(DAMAGED))
def test_what_is_not_ours_is_corrupt(name: str) -> None:
    """Damage, other spellings, newer schemas and other people's bytes are StoreCorruptError, nothing else."""
    assert decode_event(BYTES) == DEPOSIT
    assert decodes(DAMAGED[name]()) is None


def test_a_text_that_never_closes_is_looked_through_once() -> None:
    """An open quote before many escaped ones is one text to the end; a new search at each would cost seconds."""
    record = b'"' + b'\\"' * 30_000
    assert _TEXTS.findall(record) == [record]
    assert decodes(record) is None


@pytest.mark.parametrize("pair", ["a1", {"a": 0, "1": 0}, ["a"], ["a", "1", "1"], 5, None], ids=repr)
@pytest.mark.parametrize(("kind", "field"), [("order_filled", "fees"), ("order_rejected", "numbers")])
def test_what_only_unpacks_like_a_pair_is_corrupt(kind: str, field: str, pair: object) -> None:
    """Two letters or two keys are not a pair: they would be written again as other bytes."""
    record = json.loads(golden(kind))
    record["data"][field] = [["a", "1"]]
    assert decodes(to_bytes(record)) is not None
    record["data"][field] = [pair]
    assert decodes(to_bytes(record)) is None


def test_exactly_deep_enough_is_read() -> None:
    """The control: nesting up to the bound is read."""
    assert from_bytes(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None


def golden(kind: str) -> bytes:
    return (GOLDEN / f"{kind}.json").read_bytes()


@pytest.mark.parametrize("kind", list(EVENT_TYPES))
def test_truncated_and_flipped(kind: str) -> None:
    """Every truncation is corrupt; a flipped byte is corrupt or is plainly another event, spelled canonically."""
    stored, draw = golden(kind), Random(kind)
    for end in range(len(stored)):
        assert decodes(stored[:end]) is None
    for _ in range(400):
        place, bit = draw.randrange(len(stored)), 1 << draw.randrange(8)
        flipped = stored[:place] + bytes([stored[place] ^ bit]) + stored[place + 1 :]
        event = decodes(flipped)
        if event is not None:
            assert encode_event(event) == flipped != stored


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes(data: bytes) -> None:
    """Bytes of no meaning are corrupt."""
    assert decodes(data) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", list(EVENT_TYPES))
@settings(max_examples=40)
@given(data=st.data())
def test_any_value_in_any_field(kind: str, data: st.DataObject) -> None:
    """Canonical JSON of the wrong shape in one field is corrupt, or it is a value that field can hold."""
    record = json.loads(golden(kind))
    name = data.draw(st.sampled_from(sorted(record["data"])))
    record["data"][name] = data.draw(JSON)
    stored = to_bytes(record)
    event = decodes(stored)
    if event is not None:
        assert encode_event(event) == stored


# ------------------------------------------------------------------ golden


def test_each_kind_has_a_golden_file() -> None:
    """One frozen record per kind of event, and none besides."""
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == sorted(EVENT_TYPES)


@pytest.mark.parametrize("kind", list(EVENT_TYPES))
def test_golden_records_stay_readable(kind: str) -> None:
    """What was once stored decodes to its kind and is written again byte for byte: a change of meaning fails here."""
    stored = golden(kind)
    event = decode_event(stored)
    assert event.kind == kind
    assert type(event) is EVENT_TYPES[kind]
    assert encode_event(event) == stored
    assert json.loads(stored)["schema"] == NEWEST.get(kind, 1)
    assert event.to_dict()["kind"] == kind
    assert repr(event)


def test_what_older_versions_wrote_stays_readable() -> None:
    """A day of schema 1 did not say which marks were missing; it is read as one that missed none."""
    stored = (GOLDEN / "old" / "day_opened_1.json").read_bytes()
    event = decode_event(stored)
    assert event.to_dict()["unmarked"] == ()
    assert json.loads(encode_event(event))["data"] == {**json.loads(stored)["data"], "unmarked": []}
    assert json.loads(encode_event(event))["schema"] == 2


@pytest.mark.parametrize("kind", ["order_accepted", "order_rejected"])
def test_orders_of_before_there_were_hours_stay_readable(kind: str) -> None:
    """An order of schema 1 stood in regular hours, for no number of minutes."""
    stored = (GOLDEN / "old" / f"{kind}_1.json").read_bytes()
    event = decode_event(stored)
    then, now = json.loads(stored)["data"], json.loads(encode_event(event))
    later = {"ttl_minutes": 0, "extended_hours": False, "after_market": False, "product": ""}
    assert now["data"] == {**then, "terms": {**then["terms"], **later}}
    assert now["schema"] == 3
    then["terms"]["ttl_minutes"] = 0  # a field that came later cannot have been there
    assert decodes(to_bytes({"kind": kind, "schema": 1, "data": then})) is None


@pytest.mark.parametrize("kind", sorted(NEWEST.keys() - {"day_opened"}))
def test_what_there_was_before_products_is_of_none(kind: str) -> None:
    """Orders, fills, imports, stages and settlements of before there were products are read as of no product."""
    schema = NEWEST[kind] - 1
    stored = (GOLDEN / "old" / f"{kind}_{schema}.json").read_bytes()
    then, now = json.loads(stored)["data"], json.loads(encode_event(decode_event(stored)))
    part = "terms" if "terms" in then else None
    assert now["schema"] == NEWEST[kind]
    before, after = (then, now["data"]) if part is None else (then[part], now["data"][part])
    assert after == {**before, "product": ""}
    before["product"] = ""  # a field that came later cannot have been there
    assert decodes(to_bytes({"kind": kind, "schema": schema, "data": then})) is None


@pytest.mark.parametrize("data", [None, 5, "text", ["a"]], ids=repr)
def test_an_old_record_without_fields_is_corrupt(data: object) -> None:
    """What cannot be lifted is damage, as it is for a record of today."""
    assert decodes(to_bytes({"kind": "day_opened", "schema": 1, "data": data})) is None


def test_a_record_that_could_not_be_read_is_not_written() -> None:
    """The size that reading bounds is bounded in writing, so that no store takes what it cannot give back."""
    room = MAX_BYTES - len(BYTES)
    largest = DEPOSIT._replace(note="x" * room)
    assert decode_event(encode_event(largest)) == largest
    with pytest.raises(InvalidValueError, match="at most 65536 bytes"):
        encode_event(DEPOSIT._replace(note="x" * (room + 1)))
