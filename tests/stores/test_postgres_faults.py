"""Whatever the server says and whenever the line breaks: a typed error, nothing half done, and the next call works."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cuts import RECORD, amounts, cut_and_guess, cut_and_repeat
from cutting_proxy import CuttingProxy, cutting
from servers_postgres import PostgresServer
from store_cases import batch

from papertrade.adapters.seals import sealed
from papertrade.errors import (
    OutcomeUnknownError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreMismatchError,
    StoreUnavailableError,
)
from papertrade.ports.store import AlreadyAppended, Appended, Conflict
from papertrade.ports.store_extras import Commit

try:
    import psycopg

    from papertrade.adapters.postgres import AsyncPostgresStore, PostgresStore
    from papertrade.adapters.postgres.writing import Wanted, keys_of
except ModuleNotFoundError:  # then the fixture of the server skips each test, and the summary names it
    pass

pytestmark = pytest.mark.external_service

CUTS = 40


@pytest.fixture
def schema(postgres_server: PostgresServer) -> str:
    return postgres_server.schema()


@pytest.fixture
def store(postgres_server: PostgresServer, schema: str) -> Iterator[PostgresStore]:
    made = PostgresStore(postgres_server.dsn, schema=schema, durability="memory", wait_s=0.3)
    made.append(batch(0, 2, commit="k"))
    yield made
    made.close()


@pytest.fixture
def sql(postgres_server: PostgresServer, schema: str) -> Iterator[Any]:
    """A connection of our own that sees the same tables."""
    with psycopg.connect(postgres_server.dsn, autocommit=True, options=f"-c search_path={schema}") as connection:
        yield connection


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[CuttingProxy]:
    """Cuts at requests that have one of our events in them, when the commit was answered."""
    with cutting(postgres_server.port, RECORD, lambda dropped: b"COMMIT\0" in dropped) as made:
        yield made


def trigger(sql: Any, body: str, table: str = "events") -> None:
    """Let something happen on the server for each row that is inserted."""
    sql.execute(f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$")
    sql.execute(f"CREATE TRIGGER act BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION act()")


# --------------------------------------------------------------- the line breaks


def test_g9_answers_that_are_cut_off(postgres_server: PostgresServer, schema: str, proxy: CuttingProxy) -> None:
    """C25: cut before or after it was executed, nobody can tell; with its key each batch is stored once."""
    store = PostgresStore(postgres_server.dsn_at(proxy.port), schema=schema, durability="memory")
    said = cut_and_repeat(store, proxy, CUTS)
    store.close()
    assert said["OutcomeUnknownError"] == CUTS
    assert said["StoreUnavailableError"] == 0
    assert min(said["Appended"], said["AlreadyAppended"]) > 5


def test_g9_without_a_key_it_doubles(postgres_server: PostgresServer, schema: str, proxy: CuttingProxy) -> None:
    """The control: the cuts are such that a repetition without a key acts twice, every time."""
    store = PostgresStore(postgres_server.dsn_at(proxy.port), schema=schema, durability="memory")
    assert cut_and_guess(store, proxy, 10) == [number for number in range(1, 11) for _ in range(2)]
    store.close()


def test_c40_nothing_is_asked_twice(postgres_server: PostgresServer, schema: str, proxy: CuttingProxy) -> None:
    """One call is one request, also when it fails, and no line is opened before the next call."""
    store = PostgresStore(postgres_server.dsn_at(proxy.port), schema=schema, durability="memory", connections=1)
    for number in range(1, 21):
        assert store.append(batch(number - 1, commit=f"k{number}")) == Appended(number, number)
        assert proxy.requests == number
    assert len(proxy.lines) == 1
    for turn, when in enumerate(["before", "after"], 1):
        proxy.cut_next(when)
        with pytest.raises(OutcomeUnknownError):
            store.append(batch(20, commit="cut"))
        assert proxy.requests == 20 + turn
        assert len(proxy.lines) == turn
        assert store.head("main") == 19 + turn
        assert len(proxy.lines) == turn + 1
    store.close()


def test_the_async_store_is_in_doubt_too(postgres_server: PostgresServer, schema: str, proxy: CuttingProxy) -> None:
    """The same lines cut under the store with awaits: unknown, found out by the key, stored once."""

    async def play() -> list[int]:
        store = AsyncPostgresStore(postgres_server.dsn_at(proxy.port), schema=schema, durability="memory")
        for number, when in enumerate(["before", "after", "after", "before"]):
            made = batch(number, commit=f"k{number}", amount=number + 1)
            await store.open()
            proxy.cut_next(when)
            with pytest.raises(OutcomeUnknownError):
                await store.append(made)
            outcome = await store.append(made)
            assert outcome in (Appended(number + 1, number + 1), AlreadyAppended(number + 1, number + 1))
        found = [event.amount_units for event in await store.load("main")]  # type: ignore[union-attr]
        await store.close()
        return found

    assert asyncio.run(play()) == [1, 2, 3, 4]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_line_that_breaks_before_the_commit_was_sent(
    postgres_server: PostgresServer, schema: str, when: str
) -> None:
    """While it only looks, nothing can have been stored: unavailable and not unknown."""
    with cutting(postgres_server.port, b"the-key", lambda dropped: len(dropped) > 0) as proxy:
        store = PostgresStore(postgres_server.dsn_at(proxy.port), schema=schema, durability="memory")
        proxy.cut_next(when)
        with pytest.raises(StoreUnavailableError):
            store.append(batch(0, commit="the-key"))
        assert store.head("main") == 0
        assert store.append(batch(0, commit="the-key")) == Appended(1, 1)
        store.close()


def test_c24_backends_that_are_ended(store: PostgresStore, sql: Any) -> None:
    """Idle, the next call finds out and says so, and the one after it connects. While writing, it is unknown."""
    ended = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'papertrade'"
    sql.execute(ended)
    with pytest.raises(StoreUnavailableError):
        store.append(batch(2))
    assert store.append(batch(2)) == Appended(3, 3)
    trigger(sql, "PERFORM pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(OutcomeUnknownError):
        store.append(batch(3))
    sql.execute("DROP TRIGGER act ON events")
    assert store.head("main") == 3
    assert store.append(batch(3)) == Appended(4, 4)


# ----------------------------------------------------------- the server says no


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("53100", StoreFullError),  # disk full
        ("53200", StoreFullError),  # out of memory
        ("53300", StoreUnavailableError),  # too many connections
        ("25006", StoreMisconfiguredError),  # read-only
        ("42501", StoreMisconfiguredError),  # no right
        ("57014", StoreUnavailableError),  # canceled, as by a statement timeout
        ("40P01", StoreUnavailableError),  # deadlock
        ("40001", StoreUnavailableError),
        ("XX001", StoreCorruptError),
        ("23514", StoreCorruptError),
        ("58030", StoreUnavailableError),  # input or output failed
    ],
)
@pytest.mark.parametrize("table", ["streams", "events", "commits"])
def test_c28_c29_what_the_server_refuses(
    store: PostgresStore, sql: Any, state: str, error: type[StoreError], table: str
) -> None:
    """Full, not allowed, canceled, damaged: each by its name, nothing is stored, and it goes on when it is mended."""
    trigger(sql, f"RAISE EXCEPTION 'no' USING ERRCODE = '{state}'", table)
    trip = [batch(2, 2, commit="l"), batch(0, stream="other", commit="l")]
    found = store.append_many(trip)
    assert [type(outcome) for outcome in found] == [error, error]
    assert (store.head("main"), store.streams()) == (2, ["main"])
    sql.execute(f"DROP TRIGGER act ON {table}")
    assert store.append_many(trip) == [Appended(3, 4), Appended(1, 1)]
    assert store.verify("main").version == 4


def test_c26_a_statement_timeout(postgres_server: PostgresServer, store: PostgresStore, sql: Any, schema: str) -> None:
    """The server gives up, and says that nothing was stored."""
    hasty = PostgresStore(f"{postgres_server.dsn}?options=-c%20statement_timeout%3D100", schema=schema)
    trigger(sql, "PERFORM pg_sleep(100)")
    with pytest.raises(StoreUnavailableError, match="57014"):
        hasty.append(batch(2))
    sql.execute("DROP TRIGGER act ON events")
    assert hasty.append(batch(2)) == Appended(3, 3)
    hasty.close()


def test_waiting_for_another_writer_ends(store: PostgresStore, sql: Any) -> None:
    """Who holds the row, or the lock of the name, for longer than wait_s makes it unavailable; then it goes on."""
    with sql.transaction():
        sql.execute("SELECT * FROM streams FOR UPDATE")
        with pytest.raises(StoreUnavailableError, match="55P03"):
            store.append(batch(2))
        assert store.head("main") == 2
    with sql.transaction():
        sql.execute("SELECT pg_advisory_xact_lock(%s)", keys_of(store._db, [Wanted("main")]))
        assert [type(one) for one in store.append_many([batch(2), batch(0, stream="b")])] == [StoreUnavailableError] * 2
        assert store.append(batch(0, stream="c")) == Appended(1, 1)
    assert store.append(batch(2)) == Appended(3, 3)


def test_tables_that_are_gone(store: PostgresStore, sql: Any, schema: str) -> None:
    """A dropped table is damage, and not an empty journal."""
    sql.execute("DROP TABLE events")
    for call in (lambda: store.append(batch(2)), lambda: store.head("main"), lambda: store.verify("main")):
        with pytest.raises(StoreCorruptError):
            call()


# ---------------------------------------------- somebody who takes none of our locks


@pytest.mark.parametrize(
    ("row", "mine", "outcome"),
    [
        ("events", batch(2), StoreUnavailableError),  # its version only: the head does not confirm it
        ("all", batch(2), Conflict(3)),
        ("all", batch(2, commit="theirs", amount=9), StoreMismatchError),
        ("all", batch(2, commit="theirs"), AlreadyAppended(3, 3)),
    ],
)
def test_the_constraints_decide_who_was_first(
    postgres_server: PostgresServer, sql: Any, schema: str, row: str, mine: Any, outcome: Any
) -> None:
    """What is unique in the tables is unique whoever writes; what is there afterwards says what it was."""
    store = PostgresStore(postgres_server.dsn, schema=schema, durability="memory", wait_s=60)
    store.append(batch(0, 2, commit="k"))
    copy = PostgresStore(postgres_server.dsn, schema=postgres_server.schema(), durability="memory")
    copy.append(batch(0, 2))
    copy.append(batch(2))
    (record,) = copy.records("main", 3)
    chain = bytes.fromhex(record.chain)
    with psycopg.connect(postgres_server.dsn, options=f"-c search_path={schema}") as slow:
        slow.execute("INSERT INTO events SELECT id, 3, %b, %b FROM streams", (chain, record.data))
        if row == "all":
            columns = "stream, commit_id, first_version, last_version, seal"
            seal = sealed("main", Commit("theirs", 3, 3), chain)
            slow.execute(f"INSERT INTO commits ({columns}) SELECT id, 'theirs', 3, 3, %b FROM streams", (seal,))
            slow.execute("UPDATE streams SET version = 3, keyed = 2, chain = %b", (chain,))
        found: list[Any] = []
        writer = threading.Thread(target=lambda: found.append(store.append_many([mine])[0]))
        writer.start()
        _wait_for_a_blocked_backend(sql)
        slow.commit()
        writer.join(60)
    if isinstance(outcome, type):
        assert [type(one) for one in found] == [outcome]
    else:
        assert found == [outcome]
    store.close()
    copy.close()


def _wait_for_a_blocked_backend(sql: Any) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'papertrade' AND wait_event_type = 'Lock'"
    for _ in range(20_000):
        if sql.execute(query).fetchone()[0]:
            return
    pytest.fail("nobody waits")


def test_amounts_show_what_is_stored(store: PostgresStore) -> None:
    """The check of the cuts looks at every event."""
    store.append(batch(2, amount=7))
    assert amounts(store) == [1, 1, 7]
