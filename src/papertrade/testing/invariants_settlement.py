"""S: every fill settles once, on its day; what has not settled is never more than there is."""

from __future__ import annotations

from papertrade.domain.events import AccountReset, OrderFilled, SettlementSet, TradesSettled
from papertrade.domain.hours import Phase
from papertrade.domain.position_keys import split_key
from papertrade.testing.case import Case
from papertrade.testing.oracle.arithmetic import minor


def s1_settled_and_unsettled(case: Case) -> None:
    """Settled and unsettled cash are all cash, delivered and undelivered shares all shares; neither is below zero."""
    view = case.view
    case.equal("S1", view.settled_cash_units + view.unsettled_cash_units, view.total_units, "settled and unsettled")
    case.need("S1", 0 <= view.unsettled_cash_units <= max(view.total_units, 0), view.unsettled_cash, "0 to all cash")
    for position in case.broker.positions():
        held, t1 = max(position.quantity_units, 0), position.t1_quantity_units
        case.need("S1", 0 <= t1 <= held, f"{t1} of {position.symbol}", f"0 to {held}")


def s2_each_fill_settles_once(case: Case) -> None:
    """A trade date of a symbol is set once, before its first fill; it settles once, not before its day, and what

    settles is no more than its sales brought and its purchases bought. What should have settled by now has.
    """
    due: dict[tuple[int, str], list[SettlementSet]] = {}
    for event in case.events:
        if isinstance(event, AccountReset):
            due = {}
        elif isinstance(event, SettlementSet):
            case.need("S2", event.at_ns < event.ends_ns <= event.settles_ns, event, "a fill, the next day, settlement")
            hours = case.broker.exchange.market(event.symbol).hours
            if hours is not None:  # on a holiday nothing settles
                phase = hours.span_at(event.settles_ns).phase
                case.need("S2", phase is not Phase.CLOSED, event, "settlement in a session")
            open_now = [e for found in due.values() for e in found if e.key == event.key]
            double = [e for e in open_now if event.at_ns < e.ends_ns]
            case.equal("S2", double, [], f"trade date {event.day} of {event.symbol} set beside")
            due.setdefault((event.settles_ns, event.day), []).append(event)
        elif isinstance(event, TradesSettled):
            parts = due.pop((event.due_ns, event.day), None)
            case.need("S2", parts is not None, event, "a trade date that was set and has not settled")
            case.need("S2", event.at_ns >= event.due_ns, f"settled at {event.at_ns}", f"{event.due_ns} or later")
            _amounts(case, event, parts or [])
        for settles, _ in due:
            late = event.at_ns > settles and not isinstance(event, TradesSettled)
            case.need("S2", not late, f"{event!r} before settlement", f"settlement at {settles} first")


def _amounts(case: Case, event: TradesSettled, parts: list[SettlementSet]) -> None:
    fills = [f for f in case.fills if any(_is_of(f, p) for p in parts) and f.version < event.version]
    brought = sum(max(0, -f.sign * f.value_units - sum(u for _, u in f.fees)) for f in fills)
    case.need("S2", 0 <= event.cash_units <= brought, f"{event.cash_units} settled", f"at most {brought}")
    case.equal("S2", event.cash_units % minor(case.instrument(parts[0].symbol)), 0, "a part of a minor unit settled")
    bought = {symbol: 0 for symbol, _ in map(split_key, dict(event.holdings))}
    for fill in fills:
        bought[fill.symbol] = bought.get(fill.symbol, 0) + (fill.quantity_units if fill.sign > 0 else 0)
    for key, units in event.holdings:  # what went over to another product is delivered to that
        symbol = split_key(key)[0]
        case.need("S2", 0 < units <= bought[symbol], f"{units} of {key} delivered", f"0 to {bought[symbol]}")
        bought[symbol] -= units


def _is_of(fill: OrderFilled, part: SettlementSet) -> bool:
    return fill.symbol == part.symbol and part.version < fill.version and fill.at_ns < part.ends_ns
