"""Hypothesis strategies for every kind of event, built from the field names, so that a new kind cannot be forgotten."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from papertrade.domain.events import EVENT_TYPES, Event, Evidence
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, TimeInForce

UNITS = st.integers(-(10**30), 10**30) | st.sampled_from([0, 1, -1, 10**9, 1_100_000_000])
NS = st.integers(0, 2**63 - 1)
COUNT = st.integers(0, 2**53 - 1)
NAME = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["[[[[[[[[[{{{{{{{{{{", '"\\"', "é", "é"]
)
PAIRS = st.lists(st.tuples(NAME, UNITS), max_size=3).map(tuple)
OPTIONAL = {"notional_units", "limit_units", "stop_units", "expires_ns", "command_id", "client_order_id", "free_ns"}

SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("fees", "numbers", "balances", "holdings", "charges", "costs", "averages", "marks"), PAIRS),
    "tags": st.lists(st.tuples(NAME, TEXT), max_size=3).map(tuple),
    "seen_units": st.lists(st.none() | UNITS, max_size=6).map(tuple),
    "unmarked": st.lists(TEXT, max_size=3).map(tuple),
    "type": st.sampled_from(OrderType),
    "tif": st.sampled_from(TimeInForce),
    "sign": st.sampled_from([1, -1]),
    "post_only": st.booleans(),
    **dict.fromkeys(("reduce_only", "extended_hours", "after_market"), st.booleans()),
    **dict.fromkeys(("version", "number", "other", "fill_number", "oco", "oco_with", "decimals", "stale_marks"), COUNT),
    **dict.fromkeys(("source_version", "ttl_minutes", "fills", "orders", "wins", "losses"), COUNT),
    **dict.fromkeys(("sessions", "violations"), COUNT),
}


def field(name: str) -> st.SearchStrategy[Any]:
    """A strategy for one field, by what its name says."""
    if name in SPECIAL:
        return SPECIAL[name]
    plain = UNITS if name.endswith("_units") else NS if name.endswith("_ns") else TEXT
    return st.none() | plain if name in OPTIONAL else plain


def record(cls: Any) -> st.SearchStrategy[Any]:
    """A strategy for a named tuple."""
    return st.builds(cls, **{name: field(name) for name in cls._fields})


SPECIAL["evidence"] = record(Evidence)
SPECIAL["terms"] = record(OrderTerms)

EVENTS: dict[str, st.SearchStrategy[Event]] = {kind: record(cls) for kind, cls in EVENT_TYPES.items()}
ANY_EVENT = st.one_of(list(EVENTS.values()))
