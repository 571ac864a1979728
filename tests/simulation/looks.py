"""Full looks at one account on one process: its state rebuilt from the bytes, and every question asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from papertrade.codec.events import encode_event
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest, restore, snapshot
from papertrade.engine.state import AccountState
from papertrade.errors import StoreError

from .auditor.broken import BrokenInvariantError

if TYPE_CHECKING:
    from .audit import AuditedWorld
    from .hosts import Host


def need_equal(name: str, account: str, found: object, expected: object) -> None:
    """Raise unless the two are the same."""
    if found != expected:
        raise BrokenInvariantError(name, account, found, expected)


def folded_on(world: AuditedWorld, account: str) -> str:
    """E2: the digest of the state that was folded at the last look, moved on by what was stored since."""
    state, events = world.folded[account], world.disk.streams[account].events()
    world.folded[account] = state = fold(state, events[state.version :])
    return digest(state)


def rebuilt(world: AuditedWorld, account: str) -> str:
    """E2, E4, E8: the digest of what the stored bytes fold to; by way of a snapshot from anywhere it is the same."""
    stream = world.disk.streams[account]
    events = stream.events()
    cut = world.turns * 7919 % (len(events) + 1)
    early = fold(AccountState(), events[:cut])
    kept = snapshot(early)
    found = digest(fold(early, events[cut:]))
    need_equal("E4", account, digest(fold(_restored(account, kept), events[cut:])), found)
    if cut:
        need_equal("E8", account, encode_event(events[cut - 1]), stream.records[cut - 1].data)
    return found


def by_snapshot(world: AuditedWorld, account: str, folded: str) -> None:
    """E4: the snapshot that is kept, and the tail after it, are the state that all events give."""
    stream = world.disk.streams[account]
    if stream.snapshot is not None:
        state = _restored(account, stream.snapshot.data)
        need_equal("E4", account, digest(fold(state, stream.events()[state.version :])), folded)


def _restored(account: str, kept: bytes) -> AccountState:
    try:
        return restore(kept)
    except StoreError as why:
        raise BrokenInvariantError("E8", account, f"a snapshot that is refused: {why}", "what was written") from why


def look(world: AuditedWorld, host: Host, account: str) -> None:
    """E7 and A3: whoever asks gets the same answer twice, and leaves nothing behind."""
    broker = host.broker(account)
    before = broker.digest()
    first, second = ((b.account(), b.positions(), b.orders("open"), b.fills()) for b in (broker, broker))
    need_equal("A3", account, first, second)
    need_equal("L1", account, sum(p.amount_units for e in broker.entries() for p in e.postings), 0)
    for order in broker.orders("open"):
        said = broker.explain(order)
        if not said.reason or not said.sentence:
            raise BrokenInvariantError("O8", account, f"{order!r} waits without a reason", "a stated reason")
    need_equal("E7", account, broker.digest(), before)
    world.marks["everything was asked"] += 1
