"""Snapshots and digests of one account: every state field, as canonical bytes.

A snapshot only speeds things up: it equals the fold of the events up to its version. The digest is the hash of the
snapshot, so two accounts with the same digest are the same in every field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from papertrade.codec.canonical import from_bytes, to_bytes
from papertrade.codec.events import added, with_hours
from papertrade.codec.shapes import Shape
from papertrade.domain.instants import text_of_instant
from papertrade.domain.numbers import text_of, units_of_text
from papertrade.domain.orders import Order
from papertrade.domain.position_keys import position_key
from papertrade.engine.state import SNAPSHOT_FIELDS, AccountState, Squared
from papertrade.errors import InvalidValueError, StoreCorruptError
from papertrade.ledger.days import DAY_FIELDS, DaySums
from papertrade.ledger.positions import PositionState, Unvalued
from papertrade.ledger.settling import Settling, Unpaid, Violated

SNAPSHOT_SCHEMA: Final = 9
_APART: Final = ("orders", "positions", "books", "unvalued", "squared", "today", "settling", "unpaid", "violated")
_PARTS: Final = frozenset(("schema", "account", *_APART))
_SCHEMA: Final = b',"schema":'
_FORGETFUL: Final = (b"1}", *(b"%d," % schema for schema in range(1, 8)))  # how the schemas go on that forgot something
_PLAIN: Final = Shape(name for name in SNAPSHOT_FIELDS if name not in _APART)
_ORDER: Final = Shape(Order.__slots__)
_POSITION: Final = Shape(PositionState.__slots__)
_UNVALUED: Final = Shape(Unvalued._fields)
_SQUARED: Final = Shape(Squared._fields)
_TODAY: Final = Shape(DAY_FIELDS)
_SETTLING: Final = Shape(Settling._fields)
_UNPAID: Final = Shape(Unpaid._fields)
_VIOLATED: Final = Shape(Violated._fields)


def _with_nothing_unvalued(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 did not say what the day counts at cost: it is measured from that, as it was then."""
    return added({**record, "schema": 2}, "unvalued", [])


def _all_of_the_day(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 2 forgot at midnight what only the peak counts at cost: all that it names, the day counts."""
    parts = [added(part, "of_day", True) for part in _rows(record, "unvalued")]
    return {**record, "schema": 3, "unvalued": parts}


def _with_orders_of_hours(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 3 knew orders of regular hours only."""
    orders = [{**order, "terms": with_hours(order["terms"])} for order in _rows(record, "orders")]
    return {**record, "schema": 4, "orders": orders}


def _counting_from_here(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 5 did not count what a day comes to: a day that is open is counted from the snapshot on.

    Whoever has the whole journal folds that instead (``forgets``).
    """
    account, books, today = record["account"], record["books"], None
    if account["day"]:
        equity = account["day_equity"]
        moved = units_of_text(account["day_deposits"])
        today = {
            "began": account["at"],
            "balances": [[name, units] for name, units in sorted(books.items()) if units != "0"],
            "orders_before": account["next_order"],
            "fills_before": account["next_fill"],
            "deposits": text_of(max(moved, 0)),
            "withdrawals": text_of(max(-moved, 0)),
            **dict.fromkeys(("imported", "turnover", "drawdown"), "0"),
            **dict.fromkeys(("wins", "losses"), 0),
            **dict.fromkeys(("highest", "lowest", "last"), equity),
            "peak": text_of(units_of_text(equity) + moved),
        }
    return added({**record, "schema": 6}, "today", today)


def _with_nothing_unsettled(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 6 settled every trade at once."""
    for part in ("settling", "unpaid", "violated"):
        record = added(record, part, [])
    account = added(record["account"], "restricted_until", text_of_instant(0))
    return {**record, "schema": 7, "account": account}


def _with_no_price(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 7 forgot the last price of what is held; who has the whole journal folds that instead (``forgets``)."""
    positions = [added(added(part, "mark", None), "marked", None) for part in _rows(record, "positions")]
    unvalued = [added(part, "at", None) for part in _rows(record, "unvalued")]  # all of it counts at cost
    return {**record, "schema": 8, "positions": positions, "unvalued": unvalued}


def _without_products(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 8 knew no products."""
    orders = [{**order, "terms": added(order["terms"], "product", "")} for order in _rows(record, "orders")]
    parts = {part: [added(row, "product", "") for row in _rows(record, part)] for part in ("positions", "squared")}
    return {**record, "schema": 9, "orders": orders, **parts}


UPCASTERS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    1: _with_nothing_unvalued,
    2: _all_of_the_day,
    3: _with_orders_of_hours,
    4: lambda record: added({**record, "schema": 5}, "squared", []),  # nobody squared off
    5: _counting_from_here,
    6: _with_nothing_unsettled,
    7: _with_no_price,
    8: _without_products,
}
"""Old schema → a pure function from an old snapshot to one of the next schema."""


def snapshot(state: AccountState) -> bytes:
    """The whole state as canonical bytes."""
    return to_bytes(
        {
            "schema": SNAPSHOT_SCHEMA,
            "account": _PLAIN.encode(state),
            "orders": [_ORDER.encode(order) for _, order in sorted(state.orders.items())],
            "positions": [_POSITION.encode(p) for _, p in sorted(state.positions.items())],
            "books": {name: text_of(units) for name, units in state.books.items()},
            "unvalued": [_UNVALUED.encode(part) for part in state.unvalued],
            "squared": [_SQUARED.encode(part) for part in state.squared],
            "today": None if state.today is None else _TODAY.encode(state.today),
            "settling": [_SETTLING.encode(part) for part in state.settling],
            "unpaid": [_UNPAID.encode(part) for part in state.unpaid],
            "violated": [_VIOLATED.encode(part) for part in state.violated],
        }
    )


def digest(state: AccountState) -> str:
    """A fingerprint of every field of the state."""
    from hashlib import sha256  # opens a library of its own: not before somebody asks

    return sha256(snapshot(state)).hexdigest()


def restore(data: bytes) -> AccountState:
    """The state of a snapshot; a damaged or newer one is reported, never guessed."""
    record = from_bytes(data, most=None)
    try:
        schema = record["schema"]
        if type(schema) is not int or not 1 <= schema <= SNAPSHOT_SCHEMA:
            raise StoreCorruptError(f"a snapshot has schema {schema!s:.20}; this version reads 1 to {SNAPSHOT_SCHEMA}")
        for old in range(schema, SNAPSHOT_SCHEMA):
            record = UPCASTERS[old](record)
        return _restored(record)
    except (InvalidValueError, AttributeError, KeyError, TypeError, ValueError) as why:
        raise StoreCorruptError(f"a snapshot cannot be read: {why}") from None


def forgets(data: bytes) -> bool:
    """Was a snapshot written by a schema that did not keep what a day comes to, or all that counts at cost?

    Then it is the fold of its events in everything but ``unvalued`` and ``today``, and who can read the events reads
    those.
    """
    end = data.rfind(_SCHEMA)  # in no text of a snapshot: a quote is escaped there
    if end < 0 or data[end + len(_SCHEMA) : end + len(_SCHEMA) + 2] not in _FORGETFUL:
        return False
    return bool(from_bytes(data, most=None)["account"]["day"])


def _restored(record: dict[str, Any]) -> AccountState:
    if record.keys() != _PARTS:
        raise InvalidValueError("snapshot", sorted(record), ", ".join(sorted(_PARTS)))
    state = AccountState()
    for name, value in _PLAIN.decode(record["account"]).items():
        setattr(state, name, value)
    for data in _rows(record, "orders"):
        order = Order.__new__(Order)
        for name, value in _ORDER.decode(data).items():
            setattr(order, name, value)
        state.orders[order.number] = order
    for data in _rows(record, "positions"):
        fields = _POSITION.decode(data)
        position = PositionState(fields["symbol"], fields["product"])
        for name, value in fields.items():
            setattr(position, name, value)
        state.positions[position_key(position.symbol, position.product)] = position
    _check_sorted("orders", list(state.orders), len(record["orders"]))
    _check_sorted("positions", list(state.positions), len(record["positions"]))
    state.books = {name: units_of_text(text) for name, text in record["books"].items()}
    state.unvalued = tuple(Unvalued(**_UNVALUED.decode(data)) for data in _rows(record, "unvalued"))
    state.squared = tuple(Squared(**_SQUARED.decode(data)) for data in _rows(record, "squared"))
    if record["today"] is not None:
        state.today = DaySums.__new__(DaySums)
        for name, value in _TODAY.decode(record["today"]).items():
            setattr(state.today, name, value)
    state.settling = tuple(Settling(**_SETTLING.decode(data)) for data in _rows(record, "settling"))
    state.unpaid = tuple(Unpaid(**_UNPAID.decode(data)) for data in _rows(record, "unpaid"))
    state.violated = tuple(Violated(**_VIOLATED.decode(data)) for data in _rows(record, "violated"))
    state.find_holdings()
    state.committed = state.version
    return state


def _rows(record: dict[str, Any], part: str) -> list[Any]:
    rows = record[part]
    if isinstance(rows, list):
        return rows
    raise InvalidValueError(part, rows, "a list")


def _check_sorted(part: str, keys: list[Any], count: int) -> None:
    """Each once and in order, as a snapshot writes them: of two orders with one number, one would be lost."""
    if len(keys) != count or keys != sorted(keys):
        raise InvalidValueError(part, keys, "each once, in order")
