"""The tables of history worked out a second time: from a whole journal, in decimals, one event after the other.

Nothing here is shared with the code that writes the rows; only the averages of positions come from the fold of the
account, which has proofs of its own. ``read_sqlite`` reads a file as any program would.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from papertrade.adapters.tables import TABLES
from papertrade.domain.events import Event
from papertrade.domain.position_keys import position_key
from papertrade.engine.evolve import fold
from papertrade.engine.state import AccountState

Row = dict[str, Any]
Found = dict[str, list[Row]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AMOUNT = re.compile(r"-?(0|[1-9]\d*)(\.\d{0,8}[1-9])?")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
ZERO = Decimal(0)
NOTED = (
    "account_reset", "day_opened", "day_closed", "day_revalued", "equity_marked", "limit_reset", "margin_called",
    "margin_call_cleared",
)  # fmt: skip


def amount(units: int | None) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-9)


def when(name: str, ns: int | None) -> Row:
    """An instant as the two columns that show it."""
    at = None if ns is None else EPOCH + timedelta(microseconds=ns // 1000)
    return {"at" if name == "at" else f"{name}_at": at, f"{name}_ns": ns}


# ------------------------------------------------------------------------ from events


def expected(events: Sequence[Event]) -> Found:
    """Every table of one account."""
    state = fold(AccountState(), events)
    lines = [line for event in events for line in _lines(event, state.currency)]
    return {
        "orders": _orders(events),
        "fills": [_fill(e) for e in events if e.kind == "order_filled"],
        "positions": _positions(events, state),
        "entries": lines,
        "wallets": _wallets(events, lines),
        "equity_points": [_equity(e) for e in events if e.kind in NOTED],
    }


def _equity(e: Any) -> Row:
    worth = e.cash if e.kind == "account_reset" else e.equity
    return {"account": e.account, "version": e.version, **when("at", e.at_ns), "equity": worth, "cause": e.kind}


def _orders(events: Sequence[Event]) -> list[Row]:
    rows: dict[int, Row] = {}
    worth: dict[int, Decimal] = {}
    for e in events:
        number = getattr(e, "number", 0)
        if e.kind in ("order_accepted", "order_rejected"):
            rows[number] = _placed(e)
            worth[number] = ZERO
            if getattr(e, "oco", 0):
                rows[number]["linked_order_id"] = f"{e.account}-{e.oco}"
                rows[e.oco].update(linked_order_id=f"{e.account}-{number}", version=e.version)
        elif e.kind == "orders_linked":
            for one, two in ((number, e.other), (e.other, number)):
                rows[one].update(linked_order_id=f"{e.account}-{two}", version=e.version)
                # being linked changes no status, price or size, so the time of the last change stays
        elif number:
            row = rows[number]
            if e.kind == "order_modify_rejected" and row["status"] in ("filled", "canceled", "expired", "rejected"):
                continue
            if e.kind == "order_filled":
                worth[number] += e.price * e.quantity
            _change(row, e, worth[number])
            row.update(when("updated", e.at_ns), version=e.version)
    for row in rows.values():
        row["remaining_quantity"] = row["quantity"] - row["filled_quantity"] - row["canceled_quantity"]
    return [rows[number] for number in sorted(rows)]


def _placed(e: Any) -> Row:
    terms, refused = e.terms, e.kind == "order_rejected"
    tags = dict(terms.tags)
    return {
        "account": e.account, "number": e.number, "id": f"{e.account}-{e.number}",
        "client_order_id": terms.client_order_id, "symbol": terms.symbol, "side": "buy" if terms.sign > 0 else "sell",
        "type": str(terms.type), "quantity": e.quantity, "notional": amount(terms.notional_units),
        "limit_price": amount(terms.limit_units), "stop_price": amount(terms.stop_units),
        "time_in_force": str(terms.tif), **when("expires", terms.expires_ns if refused else e.expires_ns),
        "post_only": terms.post_only, "reduce_only": terms.reduce_only, "linked_order_id": None,
        "strategy": tags.get("strategy"), "tags": tags, "status": "rejected" if refused else "accepted",
        "filled_quantity": ZERO, "canceled_quantity": e.quantity if refused else ZERO, "average_price": None,
        "value": ZERO, "fees": ZERO, "hold": ZERO if refused else e.hold, "reason": e.reason if refused else None,
        **when("placed", e.at_ns), **when("triggered", None), **when("updated", e.at_ns), "version": e.version,
        "product": terms.product,
    }  # fmt: skip


def _change(row: Row, e: Any, worth: Decimal) -> None:
    """What one more event means for an order."""
    if e.kind == "order_triggered":
        row.update(when("triggered", e.at_ns), status="triggered")
    elif e.kind == "order_filled":
        row["filled_quantity"] += e.quantity
        row["value"] += e.value
        row["fees"] += sum((amount(units) for _, units in e.fees), ZERO)
        row["hold"] = amount(e.hold_units)
        row["average_price"] = (worth / row["filled_quantity"]).quantize(Decimal("1e-9"))
        done = row["filled_quantity"] + row["canceled_quantity"] == row["quantity"]
        row["status"] = "filled" if done else "partially_filled"
        if done:
            row["reason"] = None
    elif e.kind == "order_modified":
        row.update(
            quantity=e.quantity, limit_price=amount(e.limit_units), stop_price=amount(e.stop_units),
            hold=amount(e.hold_units), reason=None, **when("expires", e.expires_ns),
        )  # fmt: skip
    elif e.kind == "order_modify_rejected":
        row["reason"] = e.reason
    elif e.kind == "order_reduced":
        row.update(reason=e.reason, hold=amount(e.hold_units))
        row["canceled_quantity"] += e.quantity
    else:  # canceled or expired
        row.update(status=e.kind.removeprefix("order_"), reason=getattr(e, "reason", None), hold=ZERO)
        row["canceled_quantity"] = row["quantity"] - row["filled_quantity"]


def _fill(e: Any) -> Row:
    return {
        "account": e.account, "number": e.fill_number, "id": f"{e.account}-F{e.fill_number}", "order_number": e.number,
        "order_id": f"{e.account}-{e.number}", "symbol": e.symbol, "side": "buy" if e.sign > 0 else "sell",
        "quantity": e.quantity, "price": e.price, "value": e.value,
        "fee": sum((amount(units) for _, units in e.fees), ZERO), "realized": e.realized, "role": str(e.role),
        "rule": e.rule, **when("filled", e.at_ns), "version": e.version, "product": e.product,
    }  # fmt: skip


def _positions(events: Sequence[Event], state: AccountState) -> list[Row]:
    rows: dict[tuple[str, str], Row] = {}
    for e in events:
        if e.kind == "account_reset":
            rows.clear()
        if e.kind not in ("order_filled", "position_imported"):
            continue
        row = rows.setdefault(
            (e.symbol, e.product),
            {"account": e.account, "symbol": e.symbol, "product": e.product, "quantity": ZERO, "average_price": None,
             "cost": ZERO, "realized": ZERO, "fees": ZERO, **when("opened", None)},
        )  # fmt: skip
        if e.kind == "position_imported":
            if not row["quantity"]:
                row.update(when("opened", e.at_ns))
            row["quantity"] += e.quantity
            row["cost"] += e.cost
            row.update(when("updated", e.at_ns), version=e.version)
            continue
        before, closed = row["quantity"], amount(e.closed_units)
        row["quantity"] += e.sign * e.quantity
        row["cost"] += e.sign * (e.value - amount(e.closed_value_units)) - amount(e.released_units)
        row["realized"] += e.realized
        row["fees"] += sum((amount(units) for _, units in e.fees), ZERO)
        if not row["quantity"]:
            row.update(when("opened", None))
        elif not before or (closed and closed < e.quantity):
            row.update(when("opened", e.at_ns))
        row.update(when("updated", e.at_ns), version=e.version)
    for what, row in rows.items():
        if row["quantity"]:
            row["average_price"] = (amount(state.positions[position_key(*what)].pq) / row["quantity"] / 10**9).quantize(
                Decimal("1e-9")
            )
    return [rows[what] for what in sorted(rows)]


def _lines(e: Any, currency: str) -> Iterable[Row]:
    """The entry of an event, as ``docs/reference/postings.md`` has it."""
    moved: list[tuple[str, Decimal]] = []
    if e.kind in ("cash_deposited", "cash_withdrawn"):
        change = e.amount if e.kind == "cash_deposited" else -e.amount
        moved = [("assets:cash", change), ("equity:deposits", -change)]
    elif e.kind == "order_filled":
        cost = e.sign * (e.value - amount(e.closed_value_units)) - amount(e.released_units)
        fees = [(f"expenses:fees:{kind}", amount(units)) for kind, units in e.fees]
        held = amount(e.held_units)
        cash = -e.sign * e.value - sum((fee for _, fee in fees), ZERO) - held
        moved = [("assets:positions", cost), ("income:realized", -e.realized)]
        moved = [line for line in moved if line[1]] + fees
        moved += [line for line in (("assets:holds", held), ("assets:cash", cash)) if line[1]]
    elif e.kind == "position_imported":
        moved = [line for line in (("assets:positions", e.cost), ("equity:deposits", -e.cost)) if line[1]]
    elif e.kind == "account_reset":
        books = {name: -amount(units) for name, units in e.balances}
        books["assets:cash"] = books.get("assets:cash", ZERO) + e.cash
        books["equity:deposits"] = books.get("equity:deposits", ZERO) - e.cash
        moved = [line for line in books.items() if line[1]]
    elif getattr(e, "held_units", 0):
        moved = [("assets:holds", amount(e.held_units)), ("assets:cash", -amount(e.held_units))]
    assert sum((units for _, units in moved), ZERO) == 0
    for number, (name, units) in enumerate(moved, 1):
        yield {
            "account": e.account, "version": e.version, "line": number, **when("at", e.at_ns), "kind": e.kind,
            "ledger_account": name, "amount": units, "currency": currency,
        }  # fmt: skip


def _wallets(events: Sequence[Event], lines: Sequence[Row]) -> list[Row]:
    """Cut at each opening of a day; a part that is empty has no wallet."""
    cuts = [1, *(e.version for e in events if e.kind in ("day_opened", "account_reset")), len(events) + 1]
    days: list[str | None] = [None]
    rows = []
    for first, after in pairwise(cuts):
        part = list(events[first - 1 : after - 1])
        if not part:
            continue
        begun, last = part[0], part[-1]
        measured = [e.equity for e in part if e.kind in ("day_opened", "day_revalued")]
        if begun.kind == "account_reset":
            measured.insert(0, begun.cash)
        days.append(getattr(begun, "day", days[-1]))
        came = [e.cost for e in part if e.kind == "position_imported"]

        def cash(*names: str, upto: int = after) -> Decimal:
            return sum((x["amount"] for x in lines if x["version"] < upto and x["ledger_account"] in names), ZERO)

        def total(kind: str, name: str, events: Sequence[Any] = part) -> Decimal:
            return sum((getattr(e, name) for e in events if e.kind == kind), ZERO)

        row = {
            "account": begun.account, "since_version": first, "day": days[-1],
            **when("opened", begun.at_ns), "opening_equity": measured[-1] if measured else None,
            "cash": cash("assets:cash", "assets:holds"), "held": cash("assets:holds"),
            "deposits": total("cash_deposited", "amount") + sum((c for c in came if c > 0), ZERO),
            "withdrawals": total("cash_withdrawn", "amount") - sum((c for c in came if c < 0), ZERO),
            "realized": total("order_filled", "realized"), "fees": total("order_filled", "fee"),
            "fills": sum(e.kind == "order_filled" for e in part),
            "orders": sum(e.kind in ("order_accepted", "order_rejected") for e in part),
            **when("updated", last.at_ns), "version": last.version, **_closing(last),
        }  # fmt: skip
        rows.append(row)
    return rows


def _closing(e: Any) -> Row:
    """What a day came to; nothing of it before it has ended."""
    closed = e.kind == "day_closed"

    def said(name: str) -> Any:
        return getattr(e, name) if closed else None

    return {
        **when("closed", e.at_ns if closed else None), "closing_equity": said("equity"),
        "unrealized": said("unrealized"), "imported": said("imported"), "turnover": said("turnover"),
        "wins": said("wins"), "losses": said("losses"), "highest_equity": said("highest"),
        "lowest_equity": said("lowest"), "drawdown": said("drawdown"), "stale_marks": said("stale_marks"),
    }  # fmt: skip


# ------------------------------------------------------------------------ from a file


def read_sqlite(path: Path, account: str) -> tuple[Found, int]:
    """Every table of one account as plain SQL finds it, and up to which version they are kept."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN")  # all of it at one moment
        found = {
            table.name: [
                _plain(table, dict(row))
                for row in connection.execute(
                    f"SELECT * FROM {table.name} WHERE account = ? ORDER BY {', '.join(table.key)}", (account,)
                )
            ]
            for table in TABLES
        }
        kept = connection.execute("SELECT version FROM tabled WHERE account = ?", (account,)).fetchone()
        return found, 0 if kept is None else kept[0]
    finally:
        connection.close()


def _plain(table: Any, row: Row) -> Row:
    """The values as Python has them; their spelling is part of the promise."""
    for column in table.columns():
        value = row[column.name]
        if value is None:
            continue
        if column.sort == "amount":
            assert AMOUNT.fullmatch(value), (table.name, column.name, value)
            row[column.name] = Decimal(value)
        elif column.sort == "instant":
            assert INSTANT.fullmatch(value), (table.name, column.name, value)
            row[column.name] = datetime.fromisoformat(value)
        elif column.sort == "flag":
            row[column.name] = bool(value)
        elif column.sort == "json":
            row[column.name] = json.loads(value)
    row.pop("detail", None)  # for papertrade itself: the searches are held to it
    return row


def check_same(found: Found, journal: Sequence[Event]) -> None:
    """The tables hold what the journal comes to, row by row."""
    wanted = expected(journal)
    for name, rows in wanted.items():
        assert found[name] == rows, _difference(name, found[name], rows)


def _difference(name: str, found: list[Row], rows: list[Row]) -> str:
    for one, two in zip(found, rows, strict=False):
        if one != two:
            return f"{name}: {({k: (one.get(k), two.get(k)) for k in {*one, *two} if one.get(k) != two.get(k)})}"
    return f"{name}: {len(found)} rows, {len(rows)} expected"


def read_postgres(dsn: str, schema: str, account: str) -> tuple[Found, int]:
    """The same of a PostgreSQL server; numbers, instants, flags and tags come as Python has them."""
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(dsn, options="-c TimeZone=UTC", row_factory=dict_row) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found: Found = {}
        for table in TABLES:
            query = f"SELECT * FROM {schema}.{table.name} WHERE account = %s ORDER BY {', '.join(table.key)}"
            found[table.name] = rows = connection.execute(query.encode(), (account,)).fetchall()
            for row in rows:
                row.pop("detail", None)
                for column in table.columns():
                    if column.sort == "amount" and row[column.name] is not None:
                        assert isinstance(row[column.name], Decimal)
        kept = connection.execute(f"SELECT version FROM {schema}.tabled WHERE account = %s".encode(), (account,))
        row = kept.fetchone()
        return found, 0 if row is None else row["version"]
