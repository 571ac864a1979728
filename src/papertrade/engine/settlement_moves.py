"""What settlement does to a state: the part of ``evolve`` that is about trades that have not settled."""

from __future__ import annotations

from papertrade.domain.events import GoodFaithViolation, OrderFilled, SettlementSet, TradesSettled
from papertrade.domain.words import AccountKind
from papertrade.engine.state import AccountState
from papertrade.ledger import settling


def day_set(state: AccountState, event: SettlementSet) -> None:
    """A symbol trades on a new trade date."""
    state.settling, state.unpaid = settling.with_day(state.unsettled, event)


def filled(state: AccountState, event: OrderFilled, held: int) -> None:
    """A fill, after it is booked; ``held`` is the position behind it."""
    is_cash = state.account_kind == AccountKind.CASH
    state.settling, state.unpaid = settling.with_fill(state.unsettled, event, state.total, held, is_cash)


def settled(state: AccountState, event: TradesSettled) -> None:
    """The trades of a trade date settle."""
    state.settling, state.unpaid = settling.with_settled(state.unsettled, event)


def violated(state: AccountState, event: GoodFaithViolation) -> None:
    """A good-faith violation counts for twelve months."""
    state.violated = settling.with_violation(state.violated, state.day, event)
    state.restricted_until_ns = event.free_ns or state.restricted_until_ns


def converted(state: AccountState, source: str, target: str, held: int) -> None:
    """A part of a position went over to another product, of which ``held`` is left."""
    state.settling, state.unpaid = settling.with_conversion(state.unsettled, source, target, held)
