"""What is usual is read by its form: the general reader gives the same answers, so nothing else would show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from papertrade.codec import events as codec
from papertrade.codec.events import decode_event, encode_event, general_event
from papertrade.domain.events import EVENT_TYPES, Event
from papertrade.domain.words import OrderType, TimeInForce

GOLDEN = Path(__file__).parents[1] / "golden"


def golden(kind: str) -> Any:
    return decode_event((GOLDEN / f"{kind}.json").read_bytes())


def quick(event: Event) -> Event | None:
    """The event as its form reads it; None when the form leaves it to the general reader."""
    read: Event | None = codec._FORMS[type(event)].read(encode_event(event).decode())
    return read


def typed(value: Any) -> object:
    return (type(value), [typed(part) for part in value]) if isinstance(value, tuple) else (type(value), value)


@pytest.mark.parametrize("kind", list(EVENT_TYPES))
def test_every_kind_is_read_by_its_form(kind: str) -> None:
    """A usual record of each kind is taken by the form, part by part as the general reader takes it."""
    event = golden(kind)
    event = event._replace(note="plain") if "note" in event._fields else event
    assert typed(quick(event)) == typed(event) == typed(general_event(encode_event(event)))


def accepted(**terms: Any) -> Any:
    event = golden("order_accepted")
    return event._replace(terms=event.terms._replace(**terms))


def seen(*units: int | None) -> Any:
    event = golden("order_filled")
    return event._replace(evidence=event.evidence._replace(seen_units=units))


USUAL: dict[str, Any] = {
    "no tags": accepted(tags=()),
    "a tag": accepted(tags=(("a", "b"),)),
    "three tags, one without text": accepted(tags=(("a", "b"), ("c d", ""), ("e", "f, [g]"))),
    "nothing optional": accepted(
        notional_units=None, limit_units=None, stop_units=None, expires_ns=None, client_order_id=None
    ),
    "everything optional": accepted(
        notional_units=5, limit_units=10**18, stop_units=1, expires_ns=1_767_623_400_000_000_001, client_order_id="k"
    ),
    "flags": accepted(post_only=True, reduce_only=True),
    "no flags": accepted(post_only=False, reduce_only=False),
    **{f"type {word}": accepted(type=word) for word in OrderType},
    **{f"tif {word}": accepted(tif=word) for word in TimeInForce},
    "a sale linked to the 15-digit order": accepted(sign=-1, oco_with=999_999_999_999_999),
    "nothing seen": seen(),
    "one price": seen(10**9),
    "a missing side": seen(None, 10**9, None, 1),
    "nobody": seen(None, None),
    "no fees": golden("order_filled")._replace(fees=()),
    "a rebate": golden("order_filled")._replace(fees=(("commission", -5),)),
    "three fees": golden("order_filled")._replace(fees=(("a", 1), ("b", 10**9), ("c d", -(10**30)))),
    "no numbers": golden("order_rejected")._replace(numbers=()),
    "two numbers": golden("order_rejected")._replace(numbers=(("required", 5), ("available", 0))),
}


@pytest.mark.parametrize("name", USUAL)
def test_what_is_usual_is_read_by_its_form(name: str) -> None:
    """Empty and longer lists, missing and present fields, every word: none of it needs the general reader."""
    event = USUAL[name]
    assert typed(quick(event)) == typed(event) == typed(general_event(encode_event(event)))


def test_what_is_rare_is_left_to_the_general_reader() -> None:
    """A record that needs an escape is not taken by a form, and is read all the same."""
    event = golden("cash_deposited")._replace(note='a "quoted" note')
    assert quick(event) is None
    assert decode_event(encode_event(event)) == event


def test_a_whole_record_is_taken_or_none_of_it() -> None:
    """Before, behind and between: whatever is not the form's own text makes the form refuse."""
    event = golden("cash_deposited")._replace(note="")
    form, text = codec._FORMS[type(event)], encode_event(event).decode()
    assert form.read(text) == event
    for other in (f" {text}", f"{text} ", text.replace(":", " :", 1), text.replace("cash_deposited", "cash_withdrawn")):
        assert form.read(other) is None
