"""Small parsers that both brokers share."""

from __future__ import annotations

from typing import Final, NamedTuple

from papertrade.domain.instants import parse_instant
from papertrade.domain.names import parse_key, parse_name
from papertrade.domain.numbers import parse_positive, parse_units
from papertrade.domain.orders import OrderRequest, OrderTerms
from papertrade.domain.words import STATUS_SPELLINGS, OrderType, TimeInForce, parse_word
from papertrade.errors import InvalidValueError
from papertrade.hosting.requests import field_terms, maybe_positive, terms_of, unknown_fields
from papertrade.ports.broker import Capabilities, OrderFields


def request_or_fields(account: str, request: OrderRequest | None, fields: OrderFields) -> OrderTerms:
    """Terms from a request, or from its fields, but not from both."""
    if request is None:
        return field_terms(account, fields)
    for name, value in fields.items():
        if value is not None and value is not False:
            raise InvalidValueError(name, value, "a request, or its fields by name, not both")
    return terms_of(request, account)


def request_of(fields: OrderFields) -> OrderRequest:
    """The request that says what these fields say; what is missing is missing in it too."""
    try:
        return OrderRequest(**{"symbol": None, "side": None, **fields})  # type: ignore[arg-type]  # checked when placed
    except TypeError:
        raise unknown_fields(fields) from None


def parse_changes(
    quantity: object, limit_price: object, stop_price: object, expires_at: object, command_id: object
) -> tuple[int | None, int | None, int | None, int | None, str | None]:
    """What is to change about an order; at least one thing has to."""
    if quantity is limit_price is stop_price is expires_at is None:
        raise InvalidValueError("modify_order", "no change", "quantity, limit_price, stop_price or expires_at")
    return (
        maybe_positive(quantity, "quantity"),
        maybe_positive(limit_price, "limit_price"),
        maybe_positive(stop_price, "stop_price"),
        None if expires_at is None else parse_instant(expires_at, "expires_at"),
        maybe_key(command_id, "command_id"),
    )


def maybe_key(value: object, field: str) -> str | None:
    """A caller's own key, or None."""
    return None if value is None else parse_key(value, field)


def parse_status(status: object) -> str | None:
    """A group of orders: ``"open"``, ``"closed"``, any status, or None for all."""
    if status is None or (type(status) is str and status in ("open", "closed", "all")):
        return None if status is None or status == "all" else status
    return parse_word(status, STATUS_SPELLINGS, "status (or open, closed, all)")


def parse_note(note: object) -> str:
    """A short free text."""
    if type(note) is str and len(note) <= 255 and note.isprintable():
        return note
    raise InvalidValueError("note", note, "at most 255 printable characters")


class ImportedRow(NamedTuple):
    """A position that somebody has elsewhere, in units; the quantity is negative for a short."""

    symbol: str
    quantity: int
    price: int
    product: str = ""


ROW: Final = ("symbol", "quantity", "average_price")
MOST_ROWS: Final = 1_000


def parse_imported(positions: object) -> list[ImportedRow]:
    """Positions as a list of dictionaries with a symbol, a quantity and an average price each, perhaps a product."""
    if type(positions) not in (list, tuple) or not 0 < len(positions) <= MOST_ROWS:  # type: ignore[arg-type]  # a list
        raise InvalidValueError("positions", positions, f"a list of 1 to {MOST_ROWS} dictionaries")
    return [_row(row) for row in positions]  # type: ignore[attr-defined]  # a list


def _row(row: object) -> ImportedRow:
    # A dictionary of its own kind could have any number of keys, and answer with anything.
    if type(row) is not dict or len(row) != len(ROW) + ("product" in row) or not all(name in row for name in ROW):
        found = list(row)[:8] if type(row) is dict else row
        raise InvalidValueError("positions", found, f"dictionaries with {', '.join(ROW)}, and product if need be")
    quantity = parse_units(row["quantity"], "quantity")
    if not quantity:
        raise InvalidValueError("quantity", row["quantity"], "a number above 0, or below for a short")
    price, product = parse_positive(row["average_price"], "average_price"), row.get("product")
    named = "" if product is None else parse_name(product, "product")
    return ImportedRow(parse_name(row["symbol"], "symbol"), quantity, price, named)


def parse_after(after: object) -> int:
    """A version to read after."""
    if type(after) is int and 0 <= after < 2**53:
        return after
    raise InvalidValueError("after", after, "a version: 0 or the version of the last event seen")


def parse_timeout(timeout_s: object) -> float:
    """How long to wait, in seconds."""
    if type(timeout_s) in (int, float) and 0 <= timeout_s <= 86_400:  # type: ignore[operator]  # a number
        return float(timeout_s)  # type: ignore[arg-type]  # a number
    raise InvalidValueError("timeout_s", timeout_s, "seconds from 0 to 86,400")


def paper_capabilities(may_short: bool) -> Capabilities:
    """Everything a paper broker can do."""
    return Capabilities(
        source="paper",
        order_types=frozenset(OrderType),
        times_in_force=frozenset(TimeInForce),
        post_only=True,
        reduce_only=True,
        linked_orders=True,
        notional_orders=True,
        modify_orders=True,
        preview_orders=True,
        short_selling=may_short,
    )
