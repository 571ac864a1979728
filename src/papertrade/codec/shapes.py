"""How a class of fields becomes a dictionary of JSON values, and back, without loss and with one spelling only.

The ending of a field's name says what it is (``_units`` a decimal text, ``_ns`` an ISO instant); the few fields of
another kind are listed. Numbers that a reader might turn into a float are text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from papertrade.domain.events import Evidence
from papertrade.domain.instants import instant_of_text, text_of_instant
from papertrade.domain.numbers import text_of, units_of_text
from papertrade.domain.orders import OrderTerms
from papertrade.domain.positions import Lot
from papertrade.domain.words import OrderStatus, OrderType, TimeInForce, parse_enum
from papertrade.errors import InvalidValueError

Json = Any
Encode = Callable[[Any], Json]
Decode = Callable[[Json], Any]
_SAFE: Final = 2**53


def _plain(value: Any) -> Json:
    return value


def _count(value: Json) -> int:
    if type(value) is int and abs(value) < _SAFE:
        return value
    raise InvalidValueError("stored number", value, "a whole number below 2^53")


def _flag(value: Json) -> bool:
    if type(value) is bool:
        return value
    raise InvalidValueError("stored flag", value, "true or false")


def _maybe_text(value: Json) -> str | None:
    return None if value is None else _text(value)


def _units(value: int | None) -> Json:
    return None if value is None else text_of(value)


def _from_units(value: Json) -> int | None:
    if value is None:
        return None
    if type(value) is not str:
        raise InvalidValueError("stored amount", value, "decimal text")
    return units_of_text(value)


def _ns(value: int | None) -> Json:
    return None if value is None else text_of_instant(value)


def _from_ns(value: Json) -> int | None:
    if value is None:
        return None
    if type(value) is not str:
        raise InvalidValueError("stored instant", value, "ISO text")
    return instant_of_text(value)


def _big(value: int) -> Json:
    return str(value)


def _from_big(value: Json) -> int:
    if type(value) is str and value.isascii() and value.removeprefix("-").isdigit() and str(int(value)) == value:
        return int(value)
    raise InvalidValueError("stored integer", value, "a whole number as text")


def _pairs(value: tuple[tuple[str, int], ...]) -> Json:
    return [[name, text_of(units)] for name, units in value]


def _from_pairs(value: Json) -> tuple[tuple[str, int], ...]:
    return tuple((_text(name), units_of_text(_text(units))) for name, units in map(_list, _list(value)))


def _from_tags(value: Json) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(text)) for name, text in map(_list, _list(value)))


def _from_texts(value: Json) -> tuple[str, ...]:
    return tuple(_text(item) for item in _list(value))


def _text(value: Json) -> str:
    if type(value) is str:
        return value
    raise InvalidValueError("stored text", value, "text")


def _list(value: Json) -> list[Json]:
    if isinstance(value, list):
        return value
    raise InvalidValueError("stored list", value, "a list")


class Shape:
    """The fields of one class, with how each is written and read."""

    def __init__(self, fields: Iterable[str]) -> None:
        self.fields = tuple((name, public_name(name), *_converters(name)) for name in fields)
        self.names = frozenset(public for _, public, _, _ in self.fields)

    def encode(self, record: object) -> dict[str, Json]:
        """A record as a dictionary of JSON values."""
        return {public: write(getattr(record, name)) for name, public, write, _ in self.fields}

    def decode(self, data: Json) -> dict[str, Any]:
        """Back: values by field name. Missing and unknown fields are refused."""
        if not isinstance(data, dict) or set(data) != self.names:
            found = sorted(data) if isinstance(data, dict) else data
            raise InvalidValueError("stored record", found, ", ".join(sorted(self.names)))
        return {name: read(data[public]) for name, public, _, read in self.fields}


def public_name(name: str) -> str:
    """A field as it is called in what is stored: without its unit."""
    for ending in ("_units", "_ns"):
        if name.endswith(ending):
            return name[: -len(ending)]
    return name


def sort_of(name: str) -> str:
    """What a field holds, by its name: units, ns, count, flag or text; a field of its own sort answers its name."""
    if name in _SPECIAL:
        return name
    for ending in ("units", "ns"):
        if name.endswith(f"_{ending}"):
            return ending
    return "count" if name in _COUNTS else "flag" if name in _FLAGS else "text"


def is_optional(name: str) -> bool:
    """May the field be null?"""
    return name in _OPTIONAL


def _record(cls: Any) -> tuple[Encode, Decode]:
    shape = Shape(cls._fields)
    return shape.encode, lambda data: cls(**shape.decode(data))


def _converters(name: str) -> tuple[Encode, Decode]:
    special = _SPECIAL.get(name)
    if special is not None:
        return special
    sort, optional = sort_of(name), name in _OPTIONAL
    if sort == "units":
        return _units, _from_units if optional else _always(_from_units)
    if sort == "ns":
        return _ns, _from_ns if optional else _always(_from_ns)
    if sort == "count":
        return _plain, _count
    if sort == "flag":
        return _plain, _flag
    return _plain, _maybe_text if optional else _text


def _always(read: Decode) -> Decode:
    """The same reader, for a field that is never null."""

    def required(value: Json) -> Any:
        if value is None:
            raise InvalidValueError("stored field", None, "a value")
        return read(value)

    return required


def _word(words: Any, field: str) -> tuple[Encode, Decode]:
    return str, lambda value: parse_enum(value, words, field)


# Fields that are neither amounts nor instants are text, but for these.
_COUNTS: Final = frozenset(
    (
        "version",
        "number",
        "other",
        "fill_number",
        "sign",
        "ttl_minutes",
        "oco",
        "oco_with",
        "priority",
        "decimals",
        "stale_marks",
        "sessions",
        "violations",
        "source_version",
        "next_order",
        "next_fill",
        "open_positions",
        "fills",
        "orders",
        "wins",
        "losses",
        "orders_before",
        "fills_before",
    )
)
_FLAGS: Final = frozenset(
    ("post_only", "reduce_only", "extended_hours", "after_market", "margin_call", "imported", "of_day")
)
# What may be null; everything else is always there.
_OPTIONAL: Final = frozenset(
    (
        "new_quantity_units",
        "new_limit_units",
        "new_stop_units",
        "new_expires_ns",
        "notional_units",
        "limit_units",
        "stop_units",
        "expires_ns",
        "triggered_ns",
        "opened_ns",
        "free_ns",
        "first_units",
        "at_units",
        "mark_units",
        "marked_ns",
        "command_id",
        "client_order_id",
        "reason",
    )
)

WORDS: Final = {"type": OrderType, "tif": TimeInForce, "status": OrderStatus}
"""The fields that hold a word, with its vocabulary."""

_SPECIAL: Final[dict[str, tuple[Encode, Decode]]] = {
    "fees": (_pairs, _from_pairs),
    "numbers": (_pairs, _from_pairs),
    "balances": (_pairs, _from_pairs),
    "holdings": (_pairs, _from_pairs),
    "charges": (_pairs, _from_pairs),
    "costs": (_pairs, _from_pairs),
    "averages": (_pairs, _from_pairs),
    "marks": (_pairs, _from_pairs),
    "tags": (lambda tags: [list(pair) for pair in tags], _from_tags),
    "latches": (list, _from_texts),
    "unmarked": (list, _from_texts),
    "seen_units": (
        lambda seen: [_units(units) for units in seen],
        lambda seen: tuple(_from_units(units) for units in _list(seen)),
    ),
    **{name: _word(words, name) for name, words in WORDS.items()},
    "pq": (_big, _from_big),
}
RECORDS: Final[dict[str, Any]] = {"evidence": Evidence, "terms": OrderTerms}
"""The fields of an event that hold a record of their own, with its class."""

_SPECIAL.update({name: _record(cls) for name, cls in RECORDS.items()})
_LOT = _record(Lot)
_SPECIAL["lots"] = (
    lambda lots: [_LOT[0](lot) for lot in lots],
    lambda lots: tuple(_LOT[1](lot) for lot in _list(lots)),
)
