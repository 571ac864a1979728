"""The demo's report: plain text, and every total checked before it is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from papertrade import PaperBroker
from papertrade.domain.instants import parse_instant
from papertrade.errors import InvariantError


def lines(broker: PaperBroker) -> Iterator[str]:
    """The whole report."""
    yield from _section("Orders")
    orders = broker.orders()
    for order in orders:
        yield f"  {_time(order.placed_at)}  {order!r}"[:150]
    yield from _section("Fills, each with the rule that made it")
    rows = [
        (_time(f.filled_at), f.order_id, str(f.side), f"{f.quantity:f}", f.symbol, f"{f.price:f}", f.rule, f"{f.fee:f}")
        for f in broker.fills()
    ]
    yield from _table(("UTC", "order", "side", "quantity", "symbol", "price", "rule", "fees"), rows)
    yield from _section("Why")
    for order in orders:
        yield f"  {order.id}: {broker.explain(order)}"
    yield from _section("Positions")
    for position in broker.positions():
        yield f"  {position!r}"
    yield from _section("Statement")
    yield from _statement(broker)
    yield from _section("Assumptions in force")
    for sentence in broker.assumptions():
        yield f"  - {sentence}"


def _statement(broker: PaperBroker) -> Iterator[str]:
    account = broker.account()
    parts = (
        ("deposits less withdrawals", account.net_deposits),
        ("realized profit", account.realized),
        ("fees", -account.fees),
        ("unrealized profit", account.unrealized),
    )
    total = sum((amount for _, amount in parts), Decimal(0))
    if total != account.equity:
        raise InvariantError("L4 the statement adds up", account.id, total, account.equity)
    for name, amount in parts:
        yield f"  {name:<28}{amount:>14.2f}"
    yield f"  {'equity':<28}{account.equity:>14.2f}  ({account.total:.2f} cash + {account.market_value:.2f} positions)"
    entries = broker.entries()
    balance = sum((p.amount for entry in entries for p in entry.postings), Decimal(0))
    if balance:
        raise InvariantError("L1 trial balance", account.id, balance, 0)
    yield f"  {len(entries)} ledger entries, trial balance {balance:.2f}"


def _section(title: str) -> Iterator[str]:
    yield ""
    yield title
    yield "-" * len(title)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _time(at: object) -> str:
    seconds = parse_instant(at, "at") // 1_000_000_000 % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
