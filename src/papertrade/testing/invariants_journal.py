"""E, T and A: the journal is whole, state is its fold, time never falls, and asking changes nothing."""

from __future__ import annotations

from contextlib import suppress

from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import OrderCanceled, OrderExpired, OrderRejected
from papertrade.domain.orders import OrderRequest
from papertrade.domain.position_keys import split_key
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest, restore, snapshot
from papertrade.engine.state import AccountState
from papertrade.errors import UsageError
from papertrade.testing.case import BrokenInvariantError, Case
from papertrade.testing.oracle.lots import keys_of


def e1_versions_without_gap(case: Case) -> None:
    """Versions are 1 to n."""
    case.equal("E1", [e.version for e in case.events], list(range(1, len(case.events) + 1)), "versions")
    case.equal("E1", case.view.version, len(case.events), "version of the account")


def e2_state_is_the_fold(case: Case) -> None:
    """The live state is the fold of the journal, in every field."""
    case.equal("E2", digest(fold(AccountState(), case.events)), case.broker.digest(), "digest of the fold")


def e4_snapshot_and_tail(case: Case) -> None:
    """A snapshot from the middle and the events after it give the same state as all events."""
    middle = len(case.events) // 2
    early = restore(snapshot(fold(AccountState(), case.events[:middle])))
    case.equal("E4", digest(fold(early, case.events[middle:])), case.broker.digest(), "digest by a snapshot")


def e7_asking_changes_nothing(case: Case) -> None:
    """Reading and previewing leave the account as it was."""
    before, version = case.broker.digest(), case.view.version
    for symbol in sorted(case.broker.exchange._desk.engine.markets):
        if case.instrument(symbol).currency.code == case.view.currency:
            case.broker.position(symbol)
            size = case.instrument(symbol).lot_size
            with suppress(UsageError):  # a market with hours takes no orders before anybody knows the time
                case.broker.preview_order(OrderRequest(symbol=symbol, side="buy", quantity=size))
    case.equal("E7", case.broker.digest(), before, "digest after asking")
    case.equal("E7", case.broker.account().version, version, "version after asking")


def e8_one_spelling(case: Case) -> None:
    """Every event is written in one way and read back as it was."""
    for event in case.events:
        data = encode_event(event)
        case.equal("E8", decode_event(data), event, "event read back")
        case.equal("E8", encode_event(decode_event(data)), data, "bytes written again")


def t1_time_never_falls(case: Case) -> None:
    """An account's own time never falls."""
    last = 0
    for event in case.events:
        case.need("T1", event.at_ns >= last, event, f"an instant not before {last}")
        last = event.at_ns


def a2_misuse_changes_nothing(case: Case) -> None:
    """A call that is wrong is a ``UsageError`` and leaves no trace."""
    before = case.broker.digest()
    for quantity in ("-1", "NaN", 0):
        try:
            case.broker.buy(next(iter(case.broker.exchange._desk.engine.markets), "X"), quantity)
        except UsageError:
            continue
        raise BrokenInvariantError("A2", case.account, f"an answer to quantity {quantity!r}", "a UsageError")
    case.equal("A2", case.broker.digest(), before, "digest after misuse")


def a3_views_from_events(case: Case) -> None:
    """What the broker shows of orders and fills is what its events say."""
    case.equal("A3", [fill.event for fill in case.broker.fills()], case.fills, "fills")
    ended = {e.number for e in case.events if isinstance(e, (OrderCanceled, OrderExpired, OrderRejected))}
    for order in case.orders:
        filled = sum(f.quantity_units for f in case.fills if f.number == order.number)
        case.equal("A3", order.filled_units, filled, f"filled of {order.id}")
        is_open = order.number not in ended and order.remaining_units > 0
        case.equal("A3", order.is_open, is_open, f"open {order.id}")
    shown = [order.number for order in case.broker.orders("open")]
    case.equal("A3", shown, [order.number for order in case.orders if order.is_open], "open orders")
    keys = {key for move in case.moves() for key in keys_of(move)}
    moved = [case.broker.position(symbol, product or None) for symbol, product in sorted(map(split_key, keys))]
    case.equal("A3", case.broker.positions(), [position for position in moved if not position.is_flat], "positions")


def a4_own_events_only(case: Case) -> None:
    """A journal is about its own account."""
    case.equal("A4", {event.account for event in case.events}, {case.account}, "accounts in the journal")
