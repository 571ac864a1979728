"""A whole account is checked: every byte, every commit id, every entry of its books."""

from __future__ import annotations

from typing import NamedTuple

from papertrade.domain.numbers import text_of
from papertrade.engine.evolve import evolve
from papertrade.engine.snapshot import forgets, restore, snapshot
from papertrade.engine.state import AccountState
from papertrade.errors import InvariantError, StoreCorruptError
from papertrade.ledger.entries import trial_balance
from papertrade.ports.store import Store
from papertrade.records.history import verify_rows
from papertrade.records.support import known_head


class Checked(NamedTuple):
    """What was found, all of it good. The chain hash stands for every byte of the account's events."""

    account: str
    version: int
    chain: str
    snapshot: int  # the version of the stored snapshot, which equals the fold of the events; 0 when there is none
    outdated: bool  # the snapshot is whole and of an older papertrade that kept less in it: the events are read instead
    tables: int | None  # up to which version the SQL tables are kept, and equal it too; None when nobody looked


def verify_account(store: Store, account: str, *, tables: bool = True) -> Checked:
    """Read everything of an account and check that it is whole and that its books balance.

    Where the store has SQL tables of history, each row of the account is compared with the journal as well, unless
    ``tables=False`` leaves that out. What is wrong is a ``StoreCorruptError`` (stored data is not what was written) or
    an ``InvariantError`` (it is, and the books do not add up). Both say how far the account is good.

    >>> import papertrade as pt
    >>> store = pt.open_store("memory:")
    >>> broker = pt.open_paper_broker(cash=1_000, store=store, clock="data")
    >>> verify_account(store, "main").version
    2
    """
    known_head(store, account)
    kept = store.get_snapshot(account)
    head = store.head(account)  # after the snapshot, which is not beyond it then: the account may go on meanwhile
    state, outdated = AccountState(), False
    try:
        for event in store.load(account, 1, head):
            evolve(state, event)
            state.finished.clear()
            if kept is not None and kept.version == state.version:
                outdated = _check_snapshot(kept.data, state)
        if state.version != head:
            raise StoreCorruptError(f"the store says version {head}")
        balance = trial_balance(state.books)
        if balance:
            raise InvariantError("L2 trial balance", account, text_of(balance), 0)
        store.verify(account)
        chain = store.chain_at(account, head)
    except StoreCorruptError as why:
        raise StoreCorruptError(f"{account!r} is good up to version {_good(store, account, state)}: {why}") from why
    except InvariantError as why:
        why.add_note(f"{account!r} folds up to version {state.version}")
        raise
    rows = verify_rows(store, account) if tables else None
    return Checked(account, head, chain, 0 if kept is None else kept.version, outdated, rows)


def _check_snapshot(data: bytes, state: AccountState) -> bool:
    """Is a snapshot, whole as it is, of a schema that did not keep all of what it would now?"""
    found = restore(data)
    if snapshot(found) == snapshot(state):
        return False
    if forgets(data):
        found.unvalued, found.today = state.unvalued, state.today
        for symbol, position in found.positions.items():
            known = state.positions[symbol]
            position.mark_units, position.marked_ns = known.mark_units, known.marked_ns
        if snapshot(found) == snapshot(state):
            return True
    raise StoreCorruptError(f"the snapshot of version {state.version} is not the fold of its events")



def _good(store: Store, account: str, state: AccountState) -> str:
    """The version up to which the account was read, with its hash if the store still knows it."""
    try:
        return f"{state.version} ({store.chain_at(account, state.version)})"
    except StoreCorruptError:
        return str(state.version)
