"""Events as canonical bytes: a stable name, a schema number, and every field.

An event's name and fields never change their meaning. A field that changes gets a new schema number and an upcaster
here that lifts old records when they are read; what is stored is never rewritten.

There are two readers. The form of a kind (``forms.py``) reads the usual record in one match. Whatever it does not take
goes to ``general_event``, which parses the JSON, writes it again, compares, and looks at each field: it reads the
unusual, and it is the only one that finds fault. A test holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from papertrade.codec.canonical import MAX_BYTES, from_bytes
from papertrade.codec.forms import Form
from papertrade.codec.shapes import Shape
from papertrade.domain.events import EVENT_TYPES, Event
from papertrade.errors import InvalidValueError, StoreCorruptError

SCHEMA: Final = 1
"""The schema of most kinds."""

LATER: Final = {
    "day_opened": 2,
    "order_accepted": 3,
    "order_rejected": 3,
    **dict.fromkeys(("order_filled", "position_imported", "squared_off", "settlement_set", "good_faith_violation"), 2),
}
"""The schema of kinds whose fields have changed since."""

def added(record: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """A record with one field more; it must not have been there before."""
    if name in record:
        raise InvalidValueError("stored record", sorted(record), f"no {name}, which came later")
    return {**record, name: value}


def with_hours(terms: dict[str, Any]) -> dict[str, Any]:
    """The terms of an order from before there were hours: no minutes to stand, regular hours."""
    for name, value in (("ttl_minutes", 0), ("extended_hours", False), ("after_market", False)):
        terms = added(terms, name, value)
    return terms


def _order_with_hours(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "terms": with_hours(fields["terms"])}


def _order_without_product(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "terms": added(fields["terms"], "product", "")}


def _without_product(fields: dict[str, Any]) -> dict[str, Any]:
    """There were no products, so it was of none."""
    return added(fields, "product", "")


UPCASTERS: Final[dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    # What had no mark was not said; the day was measured from its cost, and stays so.
    ("day_opened", 1): lambda fields: added(fields, "unmarked", []),
    ("order_accepted", 1): _order_with_hours,
    ("order_rejected", 1): _order_with_hours,
    ("order_accepted", 2): _order_without_product,
    ("order_rejected", 2): _order_without_product,
    ("order_filled", 1): _without_product,
    ("position_imported", 1): _without_product,
    ("squared_off", 1): _without_product,
    ("settlement_set", 1): _without_product,
    ("good_faith_violation", 1): _without_product,
}
"""(kind, old schema) → a pure function from the old fields to those of the next schema."""


def schema_of(kind: str) -> int:
    """The schema in which a kind is written."""
    return LATER.get(kind, SCHEMA)



# The kind stands at the end of a record, so its last bytes say which form to try.
_LAST: Final = b'},"kind":"'
_ENDS: Final = {cls: f',"kind":"{kind}","schema":{schema_of(kind)}}}' for kind, cls in EVENT_TYPES.items()}
_BY_END: Final[dict[bytes, type]] = {b"}" + end.encode(): cls for cls, end in _ENDS.items()}
_SHAPES: Final = {cls: Shape(cls._fields) for cls in EVENT_TYPES.values()}


class _Forms(dict[type, Form]):
    """The form of each class of events, made when the first of them comes along."""

    def __missing__(self, cls: type[Event]) -> Form:
        form = self[cls] = Form(cls, '{"data":', _ENDS[cls])
        return form


_FORMS: Final = _Forms()


def encode_event(event: Event) -> bytes:
    """The canonical bytes of an event; equal events have equal bytes."""
    data = _FORMS[type(event)].write(event).encode("utf-8")
    if len(data) > MAX_BYTES:  # it could not be read again
        raise InvalidValueError(event.kind, f"{len(data)} bytes", f"a record of at most {MAX_BYTES} bytes")
    return data


def decode_event(data: bytes) -> Event:
    """The event of canonical bytes. Unknown kinds, newer schemas and damaged records are reported, never guessed."""
    if type(data) is bytes and len(data) <= MAX_BYTES:
        cls = _BY_END.get(data[data.rfind(_LAST) :])
        if cls is not None:
            try:
                event: Event | None = _FORMS[cls].read(data.decode("utf-8"))
            except (InvalidValueError, ValueError, KeyError):  # the general reader says what is wrong
                event = None
            if event is not None:
                return event
    return general_event(data)


def general_event(data: bytes) -> Event:
    """Like ``decode_event``, by way of the JSON values: slower, for every schema and spelling, and with a reason."""
    record = from_bytes(data)
    if not isinstance(record, dict) or set(record) != {"kind", "schema", "data"}:
        raise StoreCorruptError("a stored record has other parts than kind, schema and data")
    kind, schema, fields = record["kind"], record["schema"], record["data"]
    cls = EVENT_TYPES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise StoreCorruptError(f"a stored record is of unknown kind {str(kind)[:60]!r}")
    newest = schema_of(kind)
    if type(schema) is not int or not 1 <= schema <= newest:
        raise StoreCorruptError(f"a stored {kind} has schema {schema!s:.20}; this version reads 1 to {newest}")
    try:
        while schema < newest:
            fields = UPCASTERS[kind, schema](fields)
            schema += 1
        return cls(**_SHAPES[cls].decode(fields))
    except (InvalidValueError, ValueError, TypeError, LookupError, AttributeError) as why:  # an upcaster met damage
        raise StoreCorruptError(f"a stored {kind} cannot be read: {why}") from None
