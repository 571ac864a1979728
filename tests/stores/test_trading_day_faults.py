"""G7: in a day of trading each storage call fails, once or until it is healed.

Every fault is met on the store in memory, and on each store that is shipped the two that a store can tell apart.

Commands have keys, so that whoever got an error asks again with the same key; the market, which does not repeat itself,
goes on with a new quote of the same prices. Whatever failed, in the end the day is the one on which nothing failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from opening_stores import RestlessStore, open_postgres
from servers_postgres import PostgresServer
from servers_redis import fresh_redis

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.adapters.sqlite import SQLiteStore
from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event, OrderAccepted, OrderRejected
from papertrade.engine.evolve import fold
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.errors import StoreError, UsageError
from papertrade.testing.faulty_store import FOREVER, FaultyStore

START = 1_767_623_400_000_000_000
SECOND = 1_000_000_000
ACCOUNTS = ("alice", "bob")
FAULTS = ("unavailable", "unknown, not stored", "unknown, stored", "full")
Step = Callable[["Day"], object]


class Day:
    """An exchange with two accounts on a store that can fail."""

    def __init__(self, store: Any) -> None:
        self.store = FaultyStore(store)
        self.later = 0
        self.exchange = pt.Exchange(self.store, clock="data")
        self.exchange.add_instrument("ABC")
        self.quote(0, "99.98", "100.00")
        for name in ACCOUNTS:
            self.exchange.open_account(name, cash=100_000)

    def quote(self, second: int, bid: str, ask: str) -> None:
        self.exchange.on_quote("ABC", bid, ask, at=START + (second + self.later) * SECOND)

    def broker(self, name: str) -> pt.PaperBroker:
        return self.exchange.account(name)

    def check(self) -> None:
        """Each account is the fold of its journal, no key acted twice, and the journal is whole."""
        for name in ACCOUNTS:
            events: list[Event] = list(self.store.real.load(name))
            assert [event.version for event in events] == list(range(1, len(events) + 1))
            stored = fold(AccountState(), [decode_event(encode_event(event)) for event in events])
            assert self.broker(name).digest() == digest(stored)
            keys = [e.terms.client_order_id for e in events if isinstance(e, (OrderAccepted, OrderRejected))]
            named = [key for key in keys if key is not None]
            assert len(set(named)) == len(named)
            self.store.real.verify(name)

    def figures(self) -> list[tuple[Any, ...]]:
        """What everybody has in the end."""
        found = []
        for name in ACCOUNTS:
            broker = self.broker(name)
            account, orders = broker.account(), broker.orders("all")
            found.append((account.total, account.equity, [(o.id, o.status, o.filled_quantity) for o in orders]))
        return found


DAY: list[Step] = [
    lambda d: d.broker("alice").buy("ABC", 20, client_order_id="first"),
    lambda d: d.broker("bob").buy("ABC", 10, client_order_id="first"),
    lambda d: d.broker("alice").buy("ABC", 5, limit_price="99", client_order_id="rests"),
    lambda d: d.broker("bob").buy("ABC", 5, limit_price="99", client_order_id="rests"),
    lambda d: d.broker("alice").sell("ABC", 10, stop_price="95", client_order_id="stop"),
    lambda d: d.broker("alice").deposit(500, command_id="cash"),
    lambda d: d.broker("bob").modify_order("bob-2", limit_price="98.5", command_id="change"),
    lambda d: d.quote(60, "98.90", "98.95"),
    lambda d: d.broker("bob").cancel_order("bob-2"),
    lambda d: d.broker("alice").snapshot(),
    lambda d: d.broker("alice").orders("all"),
    lambda d: d.quote(120, "94.00", "94.05"),
    lambda d: d.broker("bob").sell("ABC", 10, client_order_id="out"),
    lambda d: d.broker("alice").events(),
]


def run(day: Day, failing: int | None = None, fault: str = "", first: int = 0, last: int = 0) -> int:
    """The day with one step at which calls fail; how many calls that step made. A failed step is asked again."""
    made = 0
    for number, step in enumerate(DAY):
        if number != failing:
            step(day)
            continue
        before = [day.broker(name).digest() for name in ACCOUNTS]
        day.store.fail(fault, first, last)
        try:
            step(day)
            failed = False
        except StoreError:
            failed = True
        made = len(day.store.calls)
        day.store.heal()
        for name in ACCOUNTS:
            day.broker(name).account()  # works again, without opening anything
        if failed and fault in ("unavailable", "full", "unknown, not stored") and last == FOREVER:
            changed = [day.broker(name).digest() for name in ACCOUNTS] != before
            assert not changed or first > 1, "what failed from its first call changed nothing"
        day.check()
        if failed:
            day.later += 1
            with suppress(UsageError):  # a cancel without a key that was stored: it is canceled already
                step(day)
    day.check()
    return made


@cache
def schema_of(server: PostgresServer) -> str:
    """One for all these days: to make another takes longer than the day."""
    return server.schema()


def emptied(server: PostgresServer) -> Any:
    """A store whose tables are as if they had just been made."""
    import psycopg

    schema = schema_of(server)
    store = open_postgres(json.dumps([server.dsn, schema, {"connections": 1}]))
    with psycopg.connect(server.dsn, autocommit=True, options="-c synchronous_commit=off") as sql:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename != 'migrations'"
        names = [name for (name,) in sql.execute(query, (schema,))]
        sql.execute(";".join(f"DELETE FROM {schema}.{name}" for name in names))
    return store


@pytest.fixture
def fresh(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Callable[[], Any]:
    """A store of a kind, a new one each time."""
    number = iter(range(10_000))

    def make() -> Any:
        if kind == "memory":
            return MemoryStore()
        if kind == "postgres":
            return emptied(request.getfixturevalue("postgres_server"))
        if kind == "redis":
            return fresh_redis(request)
        if kind == "tiered":
            return RestlessStore(fresh_redis(request), MemoryStore())
        return SQLiteStore(tmp_path / f"{next(number)}.db", durability="memory")

    return make


def days() -> list[Any]:
    """Each fault, once and for ever, on the store in memory; on the others a call that is not made and one that is.

    The faults lie above the store, which sees nothing but that: whether a call comes, and whether more of them follow.
    """
    found = []
    for kind in ("memory", "sqlite", "redis", "tiered", "postgres"):
        marks = [pytest.mark.external_service] if kind in ("redis", "tiered", "postgres") else []
        for fault in FAULTS:
            for name, last in (("once", 0), ("for ever", FOREVER)):
                if kind == "memory" or (fault, name) in (("unavailable", "for ever"), ("unknown, stored", "once")):
                    found.append(pytest.param(kind, fault, last, marks=marks, id=f"{kind}-{fault}-{name}"))
    return found


@pytest.mark.parametrize(("kind", "fault", "last"), days())
def test_a_day_on_which_a_storage_call_fails(kind: str, fault: str, last: int, fresh: Callable[[], Any]) -> None:
    """The k-th storage call of each step fails, k = 1, 2, …: typed error, state unchanged, and healed it works."""
    good = Day(fresh())
    run(good)
    wanted = good.figures()
    good.exchange.close()
    met = 0
    for number in range(len(DAY)):
        for k in range(1, 40):
            day = Day(fresh())
            made = run(day, number, fault, k, last or k)
            assert day.figures() == wanted, (number, k)
            day.exchange.close()
            if made < k:
                break
            met += 1
        else:
            pytest.fail("the step never ends")
    assert met > len(DAY)
