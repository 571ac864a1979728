"""Events as canonical bytes: a stable name, a schema number, and every field.

An event's name and fields never change their meaning. A field that changes gets a new schema number and an upcaster
here that lifts old records when they are read; what is stored is never rewritten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from papertrade.codec.canonical import from_bytes, to_bytes
from papertrade.codec.shapes import Shape
from papertrade.domain.events import EVENT_TYPES, Event
from papertrade.errors import InvalidValueError, StoreCorruptError

SCHEMA: Final = 1
_SHAPES: Final = {cls: Shape(cls._fields) for cls in EVENT_TYPES.values()}

UPCASTERS: Final[dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""(kind, old schema) → a pure function from the old fields to those of the next schema. None so far."""


def encode_event(event: Event) -> bytes:
    """The canonical bytes of an event; equal events have equal bytes."""
    fields = _SHAPES[type(event)].encode(event)
    return to_bytes({"kind": event.kind, "schema": SCHEMA, "data": fields})


def decode_event(data: bytes) -> Event:
    """The event of canonical bytes. Unknown kinds, newer schemas and damaged records are reported, never guessed."""
    record = from_bytes(data)
    if not isinstance(record, dict) or set(record) != {"kind", "schema", "data"}:
        raise StoreCorruptError("a stored record has other parts than kind, schema and data")
    kind, schema, fields = record["kind"], record["schema"], record["data"]
    cls = EVENT_TYPES.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise StoreCorruptError(f"a stored record is of unknown kind {str(kind)[:60]!r}")
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        raise StoreCorruptError(f"a stored {kind} has schema {schema!s:.20}; this version reads 1 to {SCHEMA}")
    while schema < SCHEMA:
        fields = UPCASTERS[kind, schema](fields)
        schema += 1
    try:
        return cls(**_SHAPES[cls].decode(fields))
    except (InvalidValueError, ValueError, TypeError) as why:
        raise StoreCorruptError(f"a stored {kind} cannot be read: {why}") from None
