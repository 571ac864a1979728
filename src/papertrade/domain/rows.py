"""Rows: what the SQL tables of history hold, for applications that read them with queries of their own.

The journal stays the truth. Whoever decides a step computes these rows from the state after it and hands them to the
store together with the events; the store puts them into its tables in the same transaction and interprets nothing.
Names end in their unit as everywhere (``quantity_units``, ``placed_ns``); how a table shows them is for the adapter to
say. ``docs/reference/sql-tables.md`` describes the tables.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

ROWS_FORM: Final = 3
"""Counts up when rows are computed in another way; tables of another form are made anew from the journal."""


class Upto(NamedTuple):
    """The first of the rows of an append: with them the tables are complete up to this version."""

    account: str
    version: int
    form: int


class Cleared(NamedTuple):
    """The account began again: the positions that it had are gone, before the rows that follow."""

    account: str


class OrderRow(NamedTuple):
    """An order as it is now."""

    account: str
    number: int
    id: str
    client_order_id: str | None
    symbol: str
    side: str
    type: str
    quantity_units: int
    notional_units: int | None
    limit_price_units: int | None
    stop_price_units: int | None
    time_in_force: str
    expires_ns: int | None
    post_only: bool
    reduce_only: bool
    linked_order_id: str | None
    strategy: str | None  # its tag of this name
    tags: str  # a JSON object
    status: str
    filled_quantity_units: int
    remaining_quantity_units: int
    canceled_quantity_units: int
    average_price_units: int | None
    value_units: int
    fees_units: int
    hold_units: int
    reason: str | None
    placed_ns: int
    triggered_ns: int | None
    updated_ns: int
    version: int  # of the last event that changed it
    detail: str  # every field as JSON, for papertrade to read it back
    product: str  # empty in an account without products


class FillRow(NamedTuple):
    """A fill."""

    account: str
    number: int
    id: str
    order_number: int
    order_id: str
    symbol: str
    side: str
    quantity_units: int
    price_units: int
    value_units: int
    fee_units: int
    realized_units: int
    role: str
    rule: str
    filled_ns: int
    version: int
    product: str


class PositionRow(NamedTuple):
    """The holding of one symbol in one product now; one that was closed stays, with quantity 0 and what it brought."""

    account: str
    symbol: str
    quantity_units: int
    average_price_units: int | None
    cost_units: int
    realized_units: int
    fees_units: int
    opened_ns: int | None
    updated_ns: int
    version: int
    product: str


class EntryRow(NamedTuple):
    """One line of a balanced entry; the lines of a version sum to zero."""

    account: str
    version: int
    line: int
    at_ns: int
    kind: str
    ledger_account: str
    amount_units: int
    currency: str


class WalletRow(NamedTuple):
    """The money of an account on one trading day, from the event that opened it to the one that opens the next."""

    account: str
    since_version: int
    day: str | None  # None: before the first trading day
    opened_ns: int
    opening_equity_units: int | None  # corrected when prices that were missing are known
    cash_units: int  # all of it, as of the last event of the day
    held_units: int  # the part that working orders kept then
    deposits_units: int
    withdrawals_units: int
    realized_units: int
    fees_units: int
    fills: int
    orders: int
    updated_ns: int
    version: int
    closed_ns: int | None  # None, and so are the others: the day has not ended
    closing_equity_units: int | None
    unrealized_units: int | None
    imported_units: int | None
    turnover_units: int | None
    wins: int | None
    losses: int | None
    highest_equity_units: int | None
    lowest_equity_units: int | None
    drawdown_units: int | None
    stale_marks: int | None


class EquityRow(NamedTuple):
    """Equity at a moment at which the journal notes it, and what the occasion was."""

    account: str
    version: int
    at_ns: int
    equity_units: int
    cause: str


Row: TypeAlias = OrderRow | FillRow | PositionRow | EntryRow | WalletRow | EquityRow
"""A row of one of the tables."""
