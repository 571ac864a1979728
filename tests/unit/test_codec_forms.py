"""The quick way of the codec is held to the slow one: the same bytes, the same events, the same refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from enum import StrEnum
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from event_strategies import EVENTS, UNITS
from hypothesis import given, settings
from hypothesis import strategies as st

from papertrade.codec import events as codec
from papertrade.codec.blanks import blank_of
from papertrade.codec.canonical import MAX_BYTES, MAX_DEPTH, from_bytes, to_bytes
from papertrade.codec.events import decode_event, encode_event, general_event, schema_of
from papertrade.codec.seen import MAX_SEEN, MAX_TEXT, Seen
from papertrade.domain.events import EVENT_TYPES, CashDeposited, Event
from papertrade.domain.instants import instant_of_text, text_of_instant
from papertrade.domain.numbers import text_of, units_of_text
from papertrade.domain.words import DataKind, OrderType
from papertrade.errors import InvalidValueError, StoreCorruptError

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS = list(EVENT_TYPES)
ROOMY = Context(prec=6_000)


# ---------------------------------------------------- the rules, spelled out


def amount_text(units: int) -> str:
    """Decimal text without exponent and without zeros at the end."""
    text = f"{Decimal(units).scaleb(-9, ROOMY):.9f}".rstrip("0").rstrip(".")
    return text if units else "0"


def instant_text(ns: int) -> str:
    """ISO text in UTC with Z, and as many decimals as it takes."""
    whole = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 10**9)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ns % 10**9:09d}".rstrip("0").rstrip(".") + "Z"


def json_value(name: str, value: Any) -> Any:
    """A field as JSON."""
    if value is None:
        return None
    if name in ("evidence", "terms"):
        return json_fields(value)
    if name in ("fees", "numbers", "balances", "holdings", "charges", "costs", "averages", "marks"):
        return [[what, amount_text(units)] for what, units in value]
    if name == "tags":
        return [list(pair) for pair in value]
    if name == "seen_units":
        return [None if units is None else amount_text(units) for units in value]
    if name.endswith("_units"):
        return amount_text(value)
    return instant_text(value) if name.endswith("_ns") else value


def json_fields(record: Any) -> dict[str, Any]:
    """All fields of a record, named without their unit."""
    named = zip(record._fields, record, strict=True)
    return {re.sub("_(units|ns)$", "", name): json_value(name, value) for name, value in named}


def reference_bytes(event: Event) -> bytes:
    """An event as the documentation says it is stored, in the most obvious way."""
    record = {"kind": event.kind, "schema": schema_of(event.kind), "data": json_fields(event)}
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def outcome(read: Callable[[Any], Event], data: Any) -> object:
    """The event with the type of each part, or the refusal in words."""
    try:
        event = read(data)
    except StoreCorruptError as why:
        return str(why)
    return typed(event)


def typed(value: Any) -> object:
    return (type(value), [typed(part) for part in value]) if isinstance(value, tuple) else (type(value), value)


# ----------------------------------------------------------------- writing


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_forms_write_what_the_rules_say(kind: str, data: st.DataObject) -> None:
    """Filling in a form gives the bytes of sorted, unpadded JSON."""
    event = data.draw(EVENTS[kind])
    assert encode_event(event) == reference_bytes(event)


def test_words_are_written_as_their_text() -> None:
    """A field of text may hold a word of ours: it is written as its value, whoever wrote the same text before."""
    golden = decode_event((GOLDEN / "order_filled.json").read_bytes())
    for kind in (DataKind.QUOTE, "quote", DataKind.QUOTE):
        event = golden._replace(evidence=golden.evidence._replace(kind=kind))
        assert b'"kind":"quote"' in encode_event(event)
        assert encode_event(event) == reference_bytes(event)


# ----------------------------------------------------------------- reading


def test_the_grammar_of_amounts_is_the_parser() -> None:
    """Of all short texts of these characters, a blank takes those that the parser takes, as the same number."""
    blank, taken = blank_of("value_units"), 0
    pattern = re.compile(blank.pattern)
    for length in range(1, 7):
        for characters in product("-0.19", repeat=length):
            text = "".join(characters)
            try:
                units: int | None = units_of_text(text)
            except InvalidValueError:
                units = None
            found = pattern.fullmatch(f'"{text}"')
            assert (found is not None) == (units is not None), text
            if found is not None and blank.read is not None:
                assert blank.read(found[1]) == units, text
                taken += 1
    assert taken > 1_000


@pytest.mark.parametrize("places", range(1, 12))
def test_amounts_have_nine_places(places: int) -> None:
    """Every number of decimals, and too many; large wholes; the sign."""
    blank = blank_of("value_units")
    for whole in ("0", "7", "12345678901234567890", "-0", "-31"):
        text = f"{whole}.{'0' * (places - 1)}5"
        found = re.fullmatch(blank.pattern, f'"{text}"')
        assert (found is not None) == (places <= 9)
        if found is not None and blank.read is not None:
            assert blank.read(found[1]) == units_of_text(text)


def test_the_grammar_of_instants_is_the_parser() -> None:
    """Up to two characters of an instant changed, left out or put in: a blank reads what the parser reads."""
    blank, chance = blank_of("at_ns"), Random(1)
    assert blank.read is not None
    pattern, taken = re.compile(blank.pattern), 0
    for start in ("2026-01-05T15:00:00.123456789Z", "2024-02-29T23:59:59Z", "2262-04-11T23:47:16.854775807Z"):
        for _ in range(4_000):
            text = start
            for _ in range(chance.randint(0, 2)):
                place = chance.randrange(len(text))
                text = text[:place] + chance.choice(["", *"0123456789-:.TZ +,"]) + text[place + chance.randint(0, 1) :]
            try:
                known: int | None = instant_of_text(text)
            except InvalidValueError:
                known = None
            found, ns = pattern.fullmatch(f'"{text}"'), None
            if found is not None:
                with suppress(InvalidValueError, ValueError):
                    ns = blank.read(found[1])
            assert ns == known, text
            taken += ns is not None
    assert taken > 1_000


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_both_readers_read_the_same(kind: str, data: st.DataObject) -> None:
    """A stored event reads the same by its form and by its JSON, in every part and its type."""
    stored = reference_bytes(data.draw(EVENTS[kind]))
    assert outcome(decode_event, stored) == outcome(general_event, stored)


# What a value could be replaced by: spellings that a parser might take and that are not the one we write.
SPELLINGS = [
    "null", "true", "false", "0", "-0", "1", "01", "1.0", "1e3", "NaN", "Infinity", "-1", "1_0", "+1", " 1", "1 ", "[]",
    "{}", "[null]", "[[]]", "[[[]]]", '[["a","1"]]', '[["a","1"],]', '[["a","1","2"]]', '[["a"]]', '[["a",null]]',
    '["00"]', '["1","2",null]', '["1",null,]', '["x"]', '[["a","01"]]', '[["a","b"],["c","1"]]', '[["\\u0061","1"]]',
    str(10**14), str(10**15 - 1), str(10**15), str(2**53 - 1), str(2**53), str(-(2**53)), str(10**30), "9" * 5000,
    '""', '"0"', '"-0"', '"00"', '"1.10"', '"-0.0"', '"0.0000000001"', '"1."', '".1"', '"-"', '"--1"', '"1-"',
    '"1.1.1"', '"1_0"', '" 1"', '"+1"', '"1e3"', '"٣"', '"１"', '"1.٣"', '"0.000000001"', '"-0.5"', f'"{10**40}.5"',
    f'"{"9" * 4400}"', f'"{"9" * 4295}.5"', '"\\u0041"', '"\\/"', '"a\\nb"', '"\\\\"', '"\\""', '"\x7f"', '"\n"',
    '"a\x00"', '"é"', '"\\u00e9"', '"\U0001f600"', '"\\ud83d\\ude00"', '"\\ud800"', '"a","b"', '"a":"b"', '"[{"',
    '"%s"', '"market"', '"Market"', '"gtc"', '"buy"', '"2026-01-05T14:30:00Z"', '"2026-01-05T14:30:00.5Z"',
    '"1970-01-01T00:00:00Z"', '"2026-01-05T14:30:00.50Z"', '"2026-01-05T14:30:00.Z"', '"2026-01-05T14:30:00"',
    '"2026-01-05T14:30:00+00:00"', '"2026-01-05 14:30:00Z"', '"2026-01-05T24:00:00Z"', '"2026-01-05T23:59:60Z"',
    '"2026-02-30T00:00:00Z"', '"2026-01-05T14:30Z"', '"2026-01-05T14+01:00Z"', '"2026-W02-1T14:30:00Z"',
    '"1969-12-31T23:59:59Z"', '"2262-04-11T23:47:16.854775807Z"', '"2262-04-11T23:47:16.854775808Z"',
    '"9999-12-31T23:59:59Z"', '"0000-01-01T00:00:00Z"', '"2026-01-05T14:30:00.0000000001Z"',
    '"2026-01-05T14:30:00z"', '"-2026-01-05T14:30:00Z"', '"2026-01-05T14:30:00.-5Z"',
]  # fmt: skip
VALUE = re.compile(r'(?<=:)(?:"(?:[^"\\]|\\.)*"|null|true|false|-?[0-9]+|\[[^{}]*?\](?=[,}]))')


def respelled(stored: str) -> Iterator[str]:
    """A record with each of its values in turn replaced by each spelling."""
    for found in VALUE.finditer(stored):
        for spelling in SPELLINGS:
            yield stored[: found.start()] + spelling + stored[found.end() :]


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_spelling_slips_through_a_form(kind: str) -> None:
    """Whatever stands where a value stood, both readers agree, and what is read is written again as it was."""
    stored = (GOLDEN / f"{kind}.json").read_text(encoding="utf-8")
    read = refused = 0
    for text in respelled(stored):
        data = text.encode("utf-8")
        found = outcome(decode_event, data)
        assert found == outcome(general_event, data), text
        if isinstance(found, str):
            refused += 1
        else:
            read += 1
            assert reference_bytes(decode_event(data)) == data
    assert read > 20
    assert refused > 200


PIECES = [*'",:{}[]\\0-.TZ \n', "", "null", '"a":1,', '},"kind":"']


@settings(max_examples=400)
@given(st.sampled_from(KINDS), st.data())
def test_both_readers_agree_on_damage(kind: str, data: st.DataObject) -> None:
    """A record with pieces cut out and put in gives the same event or the same refusal by either reader."""
    stored = (GOLDEN / f"{kind}.json").read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(stored)))
        gone = data.draw(st.integers(0, 3))
        stored = stored[:place] + data.draw(st.sampled_from(PIECES)) + stored[place + gone :]
    damaged = stored.encode("utf-8")
    found = outcome(decode_event, damaged)
    assert found == outcome(general_event, damaged)
    if not isinstance(found, str):
        assert reference_bytes(decode_event(damaged)) == damaged


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_does_not_take_the_end_of_another(kind: str) -> None:
    """A record under another kind's name is refused, unless the two kinds have the same fields."""
    stored = (GOLDEN / f"{kind}.json").read_bytes()
    for other, cls in EVENT_TYPES.items():
        renamed = stored.replace(f'}},"kind":"{kind}"'.encode(), f'}},"kind":"{other}"'.encode())
        found = outcome(decode_event, renamed)
        assert isinstance(found, str) == (cls._fields != EVENT_TYPES[kind]._fields)
        assert found == outcome(general_event, renamed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_usual_record_needs_one_reader(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What papertrade writes all day, without escapes, is read by its form: speed lost in silence fails here."""
    monkeypatch.setattr(codec, "general_event", lambda data: pytest.fail("went to the general reader"))
    stored = (GOLDEN / f"{kind}.json").read_bytes().replace(rb'\\ \" ', b"")
    assert encode_event(decode_event(stored)) == stored


def test_size_is_looked_at_first() -> None:
    """A record of the right form is refused when it is too large, and read when it just fits."""
    event = CashDeposited("main", 2, 5, 10**9, "USD", None, "")
    room = MAX_BYTES - len(encode_event(event))
    fits = encode_event(event._replace(note="x" * room))
    assert decode_event(fits).note == "x" * room
    with pytest.raises(StoreCorruptError, match="too large"):
        decode_event(fits.replace(b'"note":"', b'"note":"x'))


# ------------------------------------------------------ amounts and instants


@given(UNITS, st.integers(0, 2**63 - 1))
def test_text_of_amounts_and_instants(units: int, ns: int) -> None:
    """Both are written as the rules say, and read back."""
    assert text_of(units) == amount_text(units)
    assert text_of_instant(ns) == instant_text(ns)
    assert units_of_text(amount_text(units)) == units
    assert instant_of_text(instant_text(ns)) == ns


AMOUNT = re.compile(r"(?!-0\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]{0,8}[1-9])?", re.ASCII)


@settings(max_examples=500)
@given(st.text("0123456789-+._ e٣１", max_size=14) | st.from_regex(AMOUNT, fullmatch=True))
def test_an_amount_is_read_only_in_its_own_spelling(text: str) -> None:
    """Text is an amount exactly when it has the canonical form."""
    if AMOUNT.fullmatch(text):
        assert amount_text(units_of_text(text)) == text
    else:
        with pytest.raises(InvalidValueError):
            units_of_text(text)


@settings(max_examples=500)
@given(st.integers(0, 2**63 - 1).map(instant_text), st.data())
def test_an_instant_is_read_only_in_its_own_spelling(text: str, data: st.DataObject) -> None:
    """Text with a few characters changed is refused, or it is another instant in its one spelling."""
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(st.text("0123456789-:.TZ+W ,٣", max_size=2)) + text[place + 1 :]
    try:
        ns = instant_of_text(text)
    except InvalidValueError:
        return
    assert 0 <= ns < 2**63
    assert instant_text(ns) == text


# ---------------------------------------------------------------- nesting


def parts(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def levels(value: Any) -> int:
    return 1 + max(map(levels, parts(value)), default=0)


LISTS = st.recursive(
    st.just([]), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("[{a", max_size=2), inner)
)


@given(LISTS)
def test_nesting_is_counted_as_it_is(value: Any) -> None:
    """Values nest as deeply as allowed and not one level more, whatever stands beside and in their texts."""
    while levels(value) < MAX_DEPTH:
        value = [[], value, {"]": []}]
    while levels(value) > MAX_DEPTH:
        value = max(parts(value), key=levels)
    assert from_bytes(to_bytes(value)) == value
    with pytest.raises(StoreCorruptError, match="deep"):
        from_bytes(to_bytes([value]))


# ---------------------------------------------------------- tables of values


def test_tables_stay_bounded() -> None:
    """However many different values pass, a table holds no more than its bound, and none that is long."""
    asked: list[object] = []
    table = Seen(lambda key: asked.append(key) or key)
    for key in range(3 * MAX_SEEN):
        assert table[key] == key
        assert len(table) <= MAX_SEEN
    asked.clear()
    for _ in range(2):
        assert table["x" * MAX_TEXT] == "x" * MAX_TEXT
        assert table["x" * (MAX_TEXT + 1)] == "x" * (MAX_TEXT + 1)
        assert table[10**30] == 10**30
        assert table[None] is None
    assert asked == ["x" * MAX_TEXT, "x" * (MAX_TEXT + 1), 10**30, None, "x" * (MAX_TEXT + 1), 10**30]


def test_what_cannot_be_read_leaves_no_trace() -> None:
    """A refusal is not remembered, and does not become an answer."""
    table = Seen(units_of_text)
    for _ in range(2):
        with pytest.raises(InvalidValueError):
            table["1.10"]
    assert len(table) == 0


class Impostor(str):
    """A text that claims to be another one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("victim")


def test_a_text_that_lies_spoils_nothing_for_others() -> None:
    """Tables are shared by all accounts, so nobody's odd str may answer for somebody else's text."""
    write = blank_of("note").write
    assert write is not None
    write(Impostor("culprit"))
    assert write("victim") == '"victim"'
    assert write("culprit") == '"culprit"'


def test_words_share_the_entry_of_their_text() -> None:
    """A word and its text are one key: both are worked out once."""
    asked: list[str] = []
    table = Seen(lambda key: asked.append(key) or json.dumps(key))
    assert isinstance(OrderType.LIMIT, StrEnum)
    assert [table[OrderType.LIMIT], table["limit"], table[OrderType.LIMIT]] == ['"limit"'] * 3
    assert len(asked) == 1
    assert type(next(iter(table))) is str
