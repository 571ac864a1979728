"""Appending one batch in a single trip, for whoever goes on where it was: the usual case.

The head is the one that this store left behind. The trip takes the same locks as every other, and writes only if the
server finds the stream exactly there: the same version, hash, number of keys and owner, confirmed by the last event,
and the key not used. Otherwise it ends with nothing stored, and the batch is looked at in two trips as if nothing had
been known. A line on which the server has said something meanwhile, its farewell perhaps, is left to the two trips too:
of these the first can still say that nothing was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.numeric import Int8

from papertrade.adapters.postgres.exchanges import Statement
from papertrade.adapters.postgres.reading import Database, as_bytes
from papertrade.adapters.postgres.statements import BEGIN
from papertrade.adapters.postgres.trips import Flow
from papertrade.adapters.postgres.writing import Plan, Wanted, commit, settings

if TYPE_CHECKING:
    from papertrade.adapters.postgres.appending import Draft


def append_one(db: Database, draft: Draft, rows: list[Statement]) -> Flow[bool]:
    """Whether a draft with at most one key was stored behind the head that it was made for."""
    plan = Plan([_write(db, draft), *rows], [draft.stream])
    begin = (BEGIN, settings(db, [Wanted(draft.stream)]))
    return (yield from commit(db, plan, begin))


def _write(db: Database, draft: Draft) -> Statement:
    head = draft.head
    keys: list[tuple[Any, ...]] = [*draft.sealed()]
    ((commit_id, first, last, seal),) = keys or [(None,) * 4]
    return db.sql.follow, {
        "version": Int8(draft.version),
        "chain": draft.chain,
        "keyed": Int8(draft.keyed),
        "name": as_bytes(draft.stream, "stream"),
        "after": Int8(head.version),
        "after_chain": head.chain,
        "after_keyed": Int8(head.keyed),
        "fence": Int8(head.fence),
        "owned": Int8(head.owned),
        "commit_id": commit_id,
        "first": first,
        "last": last,
        "seal": seal,
        "chains": [chain for _, chain, _ in draft.events],
        "records": [record for _, _, record in draft.events],
    }
