"""What is said of a record that cannot be read: which part of it, what was found, and what may stand there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from papertrade.codec import events
from papertrade.codec.canonical import MAX_BYTES, MAX_DEPTH, from_bytes, to_bytes
from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import decode_event
from papertrade.codec.forms import Form
from papertrade.codec.seen import MAX_SEEN, MAX_SIZE, MAX_TEXT, Seen
from papertrade.codec.shapes import Shape
from papertrade.domain.events import Evidence
from papertrade.domain.orders import OrderTerms
from papertrade.errors import InvalidValueError, StoreCorruptError

GOLDEN = Path(__file__).parents[1] / "golden"
NOT_OURS = "stored bytes are not a record of papertrade: "
DEPOSIT = "account, amount, at, command_id, currency, note, version"
NOT_JSON = "stored bytes are not canonical JSON: "


def changed(kind: str, /, **fields: Any) -> bytes:
    """A golden record with other fields or parts."""
    record = json.loads((GOLDEN / f"{kind}.json").read_bytes())
    for name, value in fields.items():
        (record if name in record else record["data"])[name] = value
    return to_bytes(record)


FIELDS: list[tuple[bytes, str]] = [
    (changed("cash_deposited", amount=1), "stored amount: found 1; accepted: decimal text"),
    (changed("cash_deposited", amount=None), "stored field: found None; accepted: a value"),
    (changed("cash_deposited", at=5), "stored instant: found 5; accepted: ISO text"),
    (changed("cash_deposited", at=None), "stored field: found None; accepted: a value"),
    (changed("cash_deposited", version="2"), "stored number: found '2'; accepted: a whole number below 2^53"),
    (changed("cash_deposited", version=True), "stored number: found True; accepted: a whole number below 2^53"),
    (changed("cash_deposited", version=2**53), f"stored number: found {2**53}; accepted: a whole number below 2^53"),
    (
        changed("cash_deposited", version=-(2**53)),
        f"stored number: found {-(2**53)}; accepted: a whole number below 2^53",
    ),
    (changed("cash_deposited", account=5), "stored text: found 5; accepted: text"),
    (changed("cash_deposited", command_id=5), "stored text: found 5; accepted: text"),
    (changed("order_filled", fees={}), "stored list: found {}; accepted: a list"),
    (changed("order_filled", fees=["ab"]), "stored list: found 'ab'; accepted: a list"),
    (changed("order_filled", fees=[[5, "1"]]), "stored text: found 5; accepted: text"),
    (changed("order_filled", fees=[["a", 1]]), "stored text: found 1; accepted: text"),
    (changed("cash_deposited", data=[]), f"stored record: found []; accepted: {DEPOSIT}"),
    (changed("cash_deposited", data="ab"), f"stored record: found 'ab'; accepted: {DEPOSIT}"),
    (changed("cash_deposited", data={"b": 1, "a": 2}), f"stored record: found ['a', 'b']; accepted: {DEPOSIT}"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), FIELDS)
def test_a_field_that_cannot_be_read_is_named(data: bytes, words: str) -> None:
    """The error names the kind of the record, what was found, and what may stand in such a field."""
    kind = json.loads(data)["kind"]
    with pytest.raises(StoreCorruptError) as caught:
        decode_event(data)
    assert str(caught.value) == f"a stored {kind} cannot be read: {words}"
    assert caught.value.__suppress_context__


PARTS: list[tuple[Any, str]] = [
    (changed("cash_deposited", kind="os.system"), "a stored record is of unknown kind 'os.system'"),
    (changed("cash_deposited", kind=5), "a stored record is of unknown kind '5'"),
    (changed("cash_deposited", kind="k" * 99), f"a stored record is of unknown kind '{'k' * 60}'"),
    (changed("cash_deposited", schema=2), "a stored cash_deposited has schema 2; this version reads 1 to 1"),
    (changed("cash_deposited", schema=0), "a stored cash_deposited has schema 0; this version reads 1 to 1"),
    (changed("cash_deposited", schema=True), "a stored cash_deposited has schema True; this version reads 1 to 1"),
    (b"[]", "a stored record has other parts than kind, schema and data"),
    (b'{"kind":"x"}', "a stored record has other parts than kind, schema and data"),
    ("text", NOT_OURS + "wrong type or too large"),
    (b" " * (MAX_BYTES + 1), NOT_OURS + "wrong type or too large"),
    (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), NOT_OURS + "nested too deeply, or not closed"),
    (b"1.5", NOT_JSON + "1.5 is not written by papertrade"),
    (b"1." + b"5" * 50, NOT_JSON + "1." + "5" * 18 + " is not written by papertrade"),
    (b"NaN", NOT_JSON + "NaN is not written by papertrade"),
    (b"1" * 18, NOT_JSON + "an integer that belongs in text"),
    (b"1 ", "stored bytes are JSON, but not spelled the one canonical way"),
    (b'{"b":1,"a":2}', "stored bytes are JSON, but not spelled the one canonical way"),
    (b'{"a":1,"a":1}', "stored bytes are JSON, but not spelled the one canonical way"),
]


@pytest.mark.parametrize(("data", "words"), PARTS)
def test_a_record_that_cannot_be_read_says_why(data: Any, words: str) -> None:
    """Kind, schema, size, depth, spelling: the first thing that is wrong is said in words."""
    with pytest.raises(StoreCorruptError) as caught:
        decode_event(data)
    assert str(caught.value) == words


def test_the_bounds_themselves_are_fine() -> None:
    """Exactly as large, as deep and as long as allowed is read; without a bound of size anything may be large."""
    assert from_bytes(b'"' + b"x" * (MAX_BYTES - 2) + b'"') == "x" * (MAX_BYTES - 2)
    assert from_bytes(b'"' + b"x" * MAX_BYTES + b'"', None) == "x" * MAX_BYTES
    assert from_bytes(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    assert from_bytes(b"1" * 17) == int("1" * 17)
    assert from_bytes(b'"a\\"[["') == 'a"[['
    assert decode_event(changed("cash_deposited", version=2**53 - 1)).version == 2**53 - 1


def test_canonical_text_is_sorted_unpadded_utf8() -> None:
    """Keys in order, no spaces, accents as they are; what is no JSON is refused."""
    assert to_bytes({"b": [1, None, True], "a": "é"}) == '{"a":"é","b":[1,null,true]}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_bytes(float("nan"))


# ------------------------------------------------------------------ fields of snapshots


@pytest.mark.parametrize("value", ["1.0", "01", "-0", "--1", "", "١", 5, None])
def test_a_large_integer_has_one_spelling(value: object) -> None:
    """Exact sums are stored as text of a whole number, without zeros in front."""
    with pytest.raises(InvalidValueError) as caught:
        Shape(["pq"]).decode({"pq": value})
    error = caught.value
    assert (error.field, error.found, error.accepted) == ("stored integer", value, "a whole number as text")


def test_fields_of_snapshots_come_back() -> None:
    """Large integers, flags, latches, status and lots are written and read as they are."""
    shape = Shape(["pq", "margin_call", "latches", "status", "realized_units", "opened_ns"])

    class Record:
        pq, margin_call, latches, status, realized_units, opened_ns = -(10**30), True, ("a", "b"), "filled", -5, None

    data = shape.encode(Record())
    assert data == {
        "pq": str(-(10**30)), "margin_call": True, "latches": ["a", "b"], "status": "filled",
        "realized": "-0.000000005", "opened": None,
    }  # fmt: skip
    found = shape.decode(data)
    assert found == {name: getattr(Record, name) for name in found}
    assert list(found) == ["pq", "margin_call", "latches", "status", "realized_units", "opened_ns"]
    with pytest.raises(InvalidValueError) as caught:
        shape.decode({**data, "margin_call": 1})
    assert (caught.value.field, caught.value.found, caught.value.accepted) == ("stored flag", 1, "true or false")
    for name in ("status", "type", "tif"):
        with pytest.raises(InvalidValueError) as caught:
            Shape([name]).decode({name: "gone"})
        assert caught.value.field == name


def test_what_may_be_missing_is_written_when_it_is_there() -> None:
    """Optional instants and amounts, and named amounts, are written as text; what is missing as null."""
    shape = Shape(["triggered_ns", "limit_units", "stop_units", "numbers"])

    class Record:
        triggered_ns, limit_units, stop_units, numbers = 1_767_623_400_000_000_000, 5 * 10**9, None, (("required", -1),)

    data = shape.encode(Record())
    assert data == {
        "triggered": "2026-01-05T14:30:00Z", "limit": "5", "stop": None, "numbers": [["required", "-0.000000001"]],
    }  # fmt: skip
    assert shape.decode(data) == {name: getattr(Record, name) for name in shape.decode(data)}


# ------------------------------------------------------------------ chain and tables


def test_the_chain_covers_every_byte_and_the_order() -> None:
    """Each hash is SHA-256 over the hash before it, as text, and the record."""
    one = link(GENESIS, b"a")
    assert GENESIS == "0" * 64
    assert one == "798681f5061511d34f32f43ab175a3ee7007fecfdc844295e054315b0af2d23d"
    assert len({one, link(GENESIS, b"b"), link(one, b"a"), link(one, b"")}) == 4


def test_a_table_of_values_seen_is_bounded() -> None:
    """A table keeps what is small, up to its bound, and then begins again; what is large is worked out each time."""
    asked: list[Any] = []

    def work_out(key: Any) -> str:
        asked.append(key)
        return f"<{key}>"

    seen = Seen(work_out)
    small = [None, "", "x" * MAX_TEXT, MAX_SIZE - 1, 1 - MAX_SIZE, 0]
    large = ["x" * (MAX_TEXT + 1), MAX_SIZE, -MAX_SIZE, 1.5, ()]
    for key in (*small, *large, *small, *large):
        assert seen[key] == f"<{key}>"
    assert asked == [*small, *large, *large]
    assert set(seen) == set(small)
    for number in range(1, MAX_SEEN - len(small) + 1):
        seen[number]
    assert len(seen) == MAX_SEEN
    seen[-1]
    assert dict(seen) == {-1: "<-1>"}


# ------------------------------------------------------------------ what is to come


def test_an_old_record_is_lifted_one_schema_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of schema 1 is read by a version that writes schema 3, through each upcaster in turn."""

    def rename(fields: dict[str, Any]) -> dict[str, Any]:
        return {name.replace("memo", "remark"): value for name, value in fields.items()}

    def again(fields: dict[str, Any]) -> dict[str, Any]:
        return {name.replace("remark", "note"): value for name, value in fields.items()}

    monkeypatch.setitem(events.LATER, "cash_deposited", 3)
    monkeypatch.setitem(events.UPCASTERS, ("cash_deposited", 1), rename)
    monkeypatch.setitem(events.UPCASTERS, ("cash_deposited", 2), again)
    record = json.loads(changed("cash_deposited", note="rent"))
    record["data"]["memo"] = record["data"].pop("note")
    assert events.general_event(to_bytes(record)).note == "rent"  # type: ignore[attr-defined]
    record["data"]["remark"] = record["data"].pop("memo")
    assert events.general_event(to_bytes({**record, "schema": 2})).note == "rent"  # type: ignore[attr-defined]


class Both(NamedTuple):
    """An event as none is yet, with two records in it."""

    terms: OrderTerms
    number: int
    evidence: Evidence


def test_a_form_holds_more_than_one_record() -> None:
    """Fields of several records find their way into the text and back, each into its own."""
    terms: Any = decode_event(changed("order_accepted")).terms  # type: ignore[attr-defined]
    evidence: Any = decode_event(changed("order_filled")).evidence  # type: ignore[attr-defined]
    both = Both(terms._replace(tags=(("a", "b"),)), 7, evidence)
    form = Form(Both, "", "")
    text = form.write(both)
    assert list(json.loads(text)) == ["evidence", "number", "terms"]
    assert json.loads(text)["terms"]["tags"] == [["a", "b"]]
    assert form.read(text) == both
