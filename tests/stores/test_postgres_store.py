"""What the PostgreSQL store does beyond the contract: opening, settings, names, secrets, owning, moving, waiting."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from servers_postgres import PASSWORD, PostgresServer
from store_cases import HOSTILE_NAMES, batch, chain, event

import papertrade as pt
from papertrade.codec.chain import GENESIS
from papertrade.errors import (
    InvalidValueError,
    StoreClosedError,
    StoreCorruptError,
    StoreErasedError,
    StoreFencedError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from papertrade.ports.store import AlreadyAppended, Appended, Conflict, StoredSnapshot
from papertrade.ports.store_extras import Fencing, Moving, Waiting

try:
    import psycopg

    from papertrade.adapters.migrations import numbered
    from papertrade.adapters.postgres import AsyncPostgresStore, PostgresStore, reading
except ModuleNotFoundError:  # then the fixture of the server skips each test, and the summary names it
    pass

pytestmark = pytest.mark.external_service


@pytest.fixture
def schema(postgres_server: PostgresServer) -> str:
    return postgres_server.schema()


@pytest.fixture
def opened(postgres_server: PostgresServer, schema: str) -> Iterator[Callable[..., PostgresStore]]:
    """Opens stores on one schema, and closes them."""
    made: list[PostgresStore] = []

    def open_one(**options: Any) -> PostgresStore:
        made.append(PostgresStore(postgres_server.dsn, **{"schema": schema, **options}))
        return made[-1]

    yield open_one
    for store in made:
        store.close()


@pytest.fixture
def sql(postgres_server: PostgresServer, schema: str) -> Iterator[Any]:
    """A connection of our own that sees the same tables."""
    with psycopg.connect(postgres_server.dsn, autocommit=True, options=f"-c search_path={schema}") as connection:
        yield connection


# ------------------------------------------------------------------- opening


def test_describe_tells_what_the_server_says(opened: Callable[..., PostgresStore]) -> None:
    """Version and settings are read back, and the synchronous commit is that of a transaction of ours."""
    for durability, commit in [("every command", "on"), ("batched", "off"), ("memory", "off")]:
        told = opened(durability=durability).describe()
        assert told["synchronous_commit"] == commit
        assert told["durability"].startswith(durability)
    assert told["kind"] == "postgres"
    assert (told["fsync"], told["full_page_writes"], told["schema_number"]) == ("on", "on", "5 of 5")
    assert int(told["server_version"].split(".")[0]) >= 13


@pytest.mark.parametrize("schema_name", ["", "1a", "A", "a" * 32, "a-b", 'a"', "a;b", "ä", "a b", "pg_x", None, 3])
def test_a_schema_is_a_plain_name(postgres_server: PostgresServer, schema_name: Any) -> None:
    """Nothing from outside becomes SQL: the one name that is not bound is checked letter by letter."""
    with pytest.raises((InvalidValueError, StoreMisconfiguredError)):
        PostgresStore(postgres_server.dsn, schema=schema_name)


@pytest.mark.parametrize("options", [{"durability": "safe"}, {"wait_s": 0}, {"wait_s": "5"}, {"connections": 0},
                                     {"accept_unsafe_server": 1}])  # fmt: skip
def test_options_are_checked(postgres_server: PostgresServer, options: dict[str, Any]) -> None:
    """A wrong option is said before anything is connected."""
    with pytest.raises(InvalidValueError):
        PostgresStore(postgres_server.dsn, **options)
    with pytest.raises(InvalidValueError):
        AsyncPostgresStore(postgres_server.dsn, **options)


def test_a_newer_schema_is_refused_and_left_alone(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """Tables of a newer version, or made by other files, are not touched."""
    opened().append(batch(0, 2))
    sql.execute("INSERT INTO migrations VALUES (6, '0006_later.sql', 'x')")
    with pytest.raises(StoreMisconfiguredError, match="newer version"):
        opened()
    sql.execute("DELETE FROM migrations WHERE number = 6")
    sql.execute("UPDATE migrations SET hash = 'x'")
    with pytest.raises(StoreCorruptError, match="other files"):
        opened()
    assert sql.execute("SELECT version FROM streams").fetchall() == [(2,)]


def test_tables_of_another_program_are_refused(opened: Callable[..., PostgresStore], sql: Any, schema: str) -> None:
    """A schema in which somebody has a table of one of our names is nobody's but his."""
    sql.execute(f"CREATE SCHEMA {schema}")
    sql.execute("CREATE TABLE events (mine text)")
    with pytest.raises(StoreMisconfiguredError):
        opened()
    assert sql.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (schema,)).fetchone() == (1,)


def test_an_unsafe_server_is_refused(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """fsync or full_page_writes off breaks the promise: refused, unless somebody says that he knows, and then told."""
    opened()
    for setting in ("fsync", "full_page_writes"):
        try:
            sql.execute(f"ALTER SYSTEM SET {setting} = off")
            sql.execute("SELECT pg_reload_conf()")
            _until(lambda name=setting: sql.execute(f"SHOW {name}").fetchone() == ("off",))
            with pytest.raises(StoreMisconfiguredError, match=f"{setting}=off"):
                opened()
            store = opened(accept_unsafe_server=True)
            assert store.describe()["durability"].startswith("none")
            assert store.append(batch(0, stream=setting)) == Appended(1, 1)
        finally:
            sql.execute(f"ALTER SYSTEM RESET {setting}")
            sql.execute("SELECT pg_reload_conf()")
            _until(lambda name=setting: sql.execute(f"SHOW {name}").fetchone() == ("on",))


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
    pytest.fail("it did not come true")


def test_a_read_only_database_is_refused(postgres_server: PostgresServer, opened: Any, schema: str) -> None:
    """Read-only by default, or turned so later: misconfigured, and nothing stored."""
    opened().append(batch(0, 1))
    dsn = f"{postgres_server.dsn}?options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(StoreMisconfiguredError, match="read-only"):
        PostgresStore(dsn, schema=schema)


def test_many_threads_open_a_new_schema_at_once(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """C31: whoever is second finds the work done."""
    found: list[object] = []

    def work(number: int) -> None:
        try:
            found.append(opened().append(batch(0, stream=f"s{number}")))
        except BaseException as why:
            found.append(why)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Appended(1, 1)] * 8
    assert sql.execute("SELECT count(*) FROM migrations").fetchone() == (5,)


# ------------------------------------------------------------------- secrets


def test_the_password_is_never_shown(
    postgres_server: PostgresServer, schema: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in errors and their causes, not in repr, describe or logs, whatever is wrong."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    good = postgres_server.dsn
    wrong = [
        good.replace("/postgres", "/nowhere"),
        good.replace("trader:", "nobody:"),
        good.replace("%2Fx", "%2Fxy"),
        good.replace(f":{postgres_server.port}", ":1"),
        good.replace("postgresql:", "mysql:"),
        good + "?sslmode=verify-full",
        good + "?nonsense=1",
        f"host=127.0.0.1 password={PASSWORD} broken",
        f"host=127.0.0.1 port={postgres_server.port} user=trader dbname=x password='{PASSWORD}'",
        good.replace("%2F", "%ZZ"),
    ]
    for dsn in wrong:
        for attempt in (lambda d: PostgresStore(d, schema=schema), lambda d: pt.open_store(d)):
            with pytest.raises(pt.PaperTradeError) as caught:
                attempt(dsn)
            shown += ["".join(traceback.format_exception(caught.value)), repr(pickle.loads(pickle.dumps(caught.value)))]  # noqa: S301
    store = PostgresStore(good, schema=schema)
    shown += [repr(store), repr(store.describe()), repr(store._db), repr(AsyncPostgresStore(good).describe())]
    store.append(batch(0))
    with psycopg.connect(good, autocommit=True) as connection:
        connection.execute(f"DROP TABLE {schema}.events")
    with pytest.raises(StoreCorruptError) as caught_late:
        store.append(batch(1))
    store.close()
    shown += ["".join(traceback.format_exception(caught_late.value)), repr(store), caplog.text, *capfd.readouterr()]
    for text in shown:
        assert "Pa55word" not in text
        assert "marker-" not in text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda dsn: dsn.replace("/postgres", "/nowhere"), StoreMisconfiguredError),
        (lambda dsn: dsn.replace("%2Fx", "%2Fxy"), StoreMisconfiguredError),
        (lambda dsn: re.sub(r":\d+/", ":1/", dsn), StoreUnavailableError),
    ],
)
def test_a_server_that_cannot_be_had(postgres_server: PostgresServer, change: Any, error: type[Exception]) -> None:
    """What somebody has to mend is told apart from what may come back by itself."""
    with pytest.raises(error):
        PostgresStore(change(postgres_server.dsn))


# -------------------------------------------------------------- names and bytes


def test_names_and_keys_are_kept_byte_for_byte(opened: Callable[..., PostgresStore]) -> None:
    """Keys that look alike or hold a NUL are different keys; what UTF-8 cannot spell is misuse."""
    store = opened()
    keys = ["k", "K", "k ", "\x00", "k\x00", "é", "e\u0301", "ß", "ss", "'", "%s", "{}"]
    for number, key in enumerate(keys):
        assert store.append(batch(number, commit=key)) == Appended(number + 1, number + 1)
    for number, key in enumerate(keys):
        assert store.find("main", key) == Appended(number + 1, number + 1)
    assert [commit.commit_id for commit in store.commits("main")] == keys
    for call in (lambda: store.head("\ud800"), lambda: store.find("main", "\ud800"), lambda: store.head(3)):
        with pytest.raises(InvalidValueError):
            call()


def test_damage_is_found(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """A changed byte, a row that is gone, a head or key that leads elsewhere: reported by whatever reads it."""
    damages = [
        "UPDATE events SET record = 'x' WHERE version = 2",
        "UPDATE events SET chain = 'x' WHERE version = 2",
        "DELETE FROM events WHERE version = 2",
        "DELETE FROM events WHERE version = 3",
        "UPDATE streams SET version = 2",
        "UPDATE streams SET chain = 'x'",
        "UPDATE commits SET last_version = 9",
        "UPDATE commits SET first_version = 1, last_version = 2",
        "UPDATE commits SET first_version = 3",
        "UPDATE commits SET commit_id = 'c'",
        "UPDATE commits SET last_version = -1",
        "UPDATE commits SET seal = sha256(seal)",
        "UPDATE commits SET seal = ''",
        "DELETE FROM commits",
        "UPDATE streams SET keyed = 1",
        "UPDATE streams SET keyed = 3",
        "UPDATE snapshots SET data = 'x'",
        "UPDATE snapshots SET chain = 'x'",
        "UPDATE snapshots SET version = 1",
    ]
    for number, damage in enumerate(damages):
        store = opened()
        stream = f"s{number}"
        store.append(batch(0, 1, stream, commit="a"))
        store.append(batch(1, 2, stream, commit="b"))
        store.put_snapshot(stream, StoredSnapshot(2, chain(2, stream), b"snapshot"))
        assert store.verify(stream).version == 3
        name = "name = convert_to(%s, 'UTF8')" if "streams" in damage else (
            "stream = (SELECT id FROM streams WHERE name = convert_to(%s, 'UTF8'))")  # fmt: skip
        if "commits" in damage:
            name += " AND commit_id = 'b'"
        joined = f"{damage} AND {name}" if "WHERE" in damage else f"{damage} WHERE {name}"
        assert sql.execute(joined, (stream,)).rowcount == 1
        with pytest.raises(StoreCorruptError):
            store.verify(stream)
        store.close()


def unsealed(sql: Any) -> None:
    """Make the schema one of number 2, as there are some: without seals, closed days and products."""
    sql.execute("ALTER TABLE commits DROP COLUMN seal")
    (later,) = [step.sql for step in numbered("papertrade.adapters.postgres") if step.name == "0004_closed_days.sql"]
    for line in later.splitlines():
        if "ADD COLUMN" in line:
            sql.execute(f"ALTER TABLE wallets DROP COLUMN {line.split()[5]}")
    for table in ("orders", "fills", "positions"):
        sql.execute(f"ALTER TABLE {table} DROP COLUMN product")
    sql.execute("DELETE FROM migrations WHERE number > 2")


def test_keys_that_were_stored_without_seals_are_sealed(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """Each gets the seal that it would have been written with: also of an empty batch, and under hostile names."""
    store = opened()
    for name in HOSTILE_NAMES:
        store.append(batch(0, 0, stream=name, commit="nothing"))
        store.append(batch(0, 2, stream=name, commit=name))
    query = "SELECT stream, commit_id, first_version, last_version, seal FROM commits ORDER BY 1, 2"
    before = sql.execute(query).fetchall()
    assert len({row[4] for row in before}) == len(before) == 2 * len(HOSTILE_NAMES)
    unsealed(sql)
    assert opened().find(HOSTILE_NAMES[0], "nothing") == Appended(1, 0)
    assert sql.execute(query).fetchall() == before


def test_keys_that_lead_nowhere_are_not_sealed(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """What is damaged stays as it is, so that no damage gets a seal."""
    for number, change in enumerate(("first_version = 5", "last_version = 9", "stream = 7777", "first_version = 0")):
        opened().append(batch(number, commit=f"k{number}"))
        unsealed(sql)
        where = f"WHERE commit_id = 'k{number}'"
        sql.execute("CREATE TABLE good AS SELECT stream, first_version, last_version FROM commits " + where)
        sql.execute(f"UPDATE commits SET {change} {where}")
        with pytest.raises(StoreCorruptError, match="23502"):
            opened()
        assert sql.execute("SELECT max(number) FROM migrations").fetchone() == (2,)
        sql.execute("UPDATE commits SET (stream, first_version, last_version) = (SELECT * FROM good) " + where)
        sql.execute("DROP TABLE good")
        assert opened().verify("main").version == number + 1


def test_keys_are_read_while_others_write(
    opened: Callable[..., PostgresStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is stored after a reader saw the head leads beyond it, and is no damage."""
    store, other = opened(), opened()
    store.append(batch(0, commit="k0"))
    real = reading.head_of

    def overtaken(db: Any, stream: str) -> Any:
        head = yield from real(db, stream)
        assert other.append(batch(head.version, commit=f"k{head.version}")) == (head.version + 1, head.version + 1)
        return head

    monkeypatch.setattr(reading, "head_of", overtaken)
    assert store.verify("main").version == 1
    keys = [commit.commit_id for commit in store.commits("main")]
    assert keys == [f"k{number}" for number in range(len(keys))]
    assert len(keys) > 3


# -------------------------------------------------- owning, moving and erasing


def test_it_can_do_everything(opened: Callable[..., PostgresStore]) -> None:
    """A host asks by isinstance."""
    store = opened()
    assert isinstance(store, Fencing)
    assert isinstance(store, Moving)
    assert isinstance(store, Waiting)


def test_c18_fences(opened: Callable[..., PostgresStore]) -> None:
    """Only the latest owner writes; a stored key is answered to anybody; a stream can be taken before it exists."""
    store = opened()
    assert store.take("main") == 1
    assert store.streams() == []
    first = batch(0, commit="k")._replace(fence=1)
    assert store.append(first) == Appended(1, 1)
    assert store.take("main") == 2
    assert store.append(first) == AlreadyAppended(1, 1)
    for fence, owner in [(1, 2), (None, 2), (3, 2), (True, 2)]:
        with pytest.raises(StoreFencedError) as caught:
            store.append(batch(1)._replace(fence=fence))
        assert caught.value.owner == owner
    assert store.append(batch(9)._replace(fence=2)) == Conflict(1)
    assert store.append(batch(1)._replace(fence=2)) == Appended(2, 2)
    store.release("main", 1)
    assert store.append(batch(2)._replace(fence=2)) == Appended(3, 3)
    store.release("main", 2)
    with pytest.raises(StoreFencedError):
        store.append(batch(3)._replace(fence=2))
    assert store.append(batch(3)) == Appended(4, 4)
    assert store.take("main") == 3


def test_records_move_as_they_are(opened: Callable[..., PostgresStore], postgres_server: PostgresServer) -> None:
    """What leaves one store enters another with the same hashes and keys; the same again is answered."""
    store = opened()
    store.append(batch(0, 2, commit="a"))
    store.append(batch(2, 0, commit="empty"))
    store.append(batch(2, 600, commit="b"))
    records, keys = list(store.records("main")), list(store.commits("main"))
    assert [commit.commit_id for commit in keys] == ["a", "empty", "b"]
    assert [record.version for record in store.records("main", 500, 520)] == list(range(500, 521))
    assert [commit.commit_id for commit in store.commits("main", 3)] == ["b"]
    other = PostgresStore(postgres_server.dsn, schema=postgres_server.schema())
    try:
        assert other.put_records("main", 0, records[:2], keys[:2]) == Appended(1, 2)
        for wrong in (records[3:], [records[2]._replace(data=b"x")], [records[2]._replace(chain=GENESIS)]):
            with pytest.raises(StoreCorruptError):
                other.put_records("main", 2, wrong)
        assert other.put_records("main", 1, records[1:]) == Conflict(2)
        assert other.put_records("main", 2, records[2:], keys[2:]) == Appended(3, 602)
        assert other.put_records("main", 2, records[2:], keys[2:]) == AlreadyAppended(3, 602)
        assert other.verify("main") == store.verify("main")
        assert list(other.commits("main")) == keys
        assert other.append(batch(0, 2, commit="a")) == AlreadyAppended(1, 2)
    finally:
        other.close()


def test_c42_an_erased_stream_leaves_a_tombstone(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """Nothing of it is left but its name, and the name is used up."""
    store = opened()
    store.append(batch(0, 3, commit="k"))
    store.append(batch(0, 3, "other"))
    store.put_snapshot("main", StoredSnapshot(1, chain(1), b"x"))
    reader = store.load("main")
    store.erase("main", "asked for")
    store.erase("main", "again")
    store.erase("never")
    for call in (
        lambda: store.append(batch(0)), lambda: store.append(batch(0, 3, commit="k")), lambda: store.load("main"),
        lambda: store.head("main"), lambda: store.find("main", "k"), lambda: store.take("main"),
        lambda: store.verify("main"), lambda: store.get_snapshot("main"), lambda: store.put_records("main", 0, []),
        lambda: store.append(batch(0, stream="never")), lambda: list(reader), lambda: store.release("main", 1),
        lambda: store.wait("main", 0, 0), lambda: store.chain_at("main", 0),
    ):  # fmt: skip
        with pytest.raises(StoreErasedError):
            call()
    with pytest.raises(StoreErasedError, match="asked for"):
        store.head("main")
    assert store.streams() == ["other"]
    assert sql.execute("SELECT count(*) FROM events").fetchone() == (3,)
    assert sql.execute("SELECT count(*) FROM commits").fetchone() == (0,)
    outcomes = store.append_many([batch(0), batch(3, stream="other")])
    assert [type(outcome) for outcome in outcomes] == [StoreErasedError, Appended]


def test_waiting_ends_when_somebody_appends(opened: Callable[..., PostgresStore]) -> None:
    """A waiter hears of its stream, whatever else is written, and of nothing when the time is over."""
    store, other = opened(), opened()
    assert store.wait("main", 0, 0) == 0
    assert store.wait("main", 0, 0.05) == 0
    found: list[int] = []
    waiter = threading.Thread(target=lambda: found.append(store.wait("main", 1, 60)))
    waiter.start()
    other.append(batch(0))
    other.append(batch(0, stream="noise"))
    other.append(batch(1, 2))
    waiter.join(60)
    assert found
    assert 2 <= found[0] <= 3


# ------------------------------------------------------------- processes, close


def test_c35_after_a_fork(opened: Callable[..., PostgresStore]) -> None:
    """A child gets a typed error from its parent's store, may close it, and does the parent no harm."""
    store = opened()
    store.append(batch(0))
    ears, mouth = os.pipe()
    child = os.fork()
    if not child:
        said = b"nothing"
        try:
            store.append(batch(1))
        except StoreMisconfiguredError:
            store.close()
            said = b"typed"
        except BaseException as why:
            said = repr(why).encode()
        os.write(mouth, said)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(ears, 200) == b"typed"
    os.close(ears)
    os.close(mouth)
    assert store.append(batch(1)) == Appended(2, 2)


def test_c38_closing_lets_go_of_every_connection(opened: Callable[..., PostgresStore], sql: Any) -> None:
    """A closed store has no session on the server; one that is open has few."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'papertrade'"
    (before,) = sql.execute(query).fetchone()
    for _ in range(20):
        store = opened()
        store.append_many([batch(store.head("main"))])
        store.close()
    _until(lambda: sql.execute(query).fetchone()[0] <= before)  # sessions of an earlier test may be ending
    with pytest.raises(StoreClosedError):
        store.wait("main", 0, 1)


class StoppedError(BaseException):
    """Not an Exception, as an interrupt is none."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("trip", [1, 2])
def test_interrupted_at_every_trip(
    opened: Callable[..., PostgresStore], monkeypatch: pytest.MonkeyPatch, trip: int, after: bool
) -> None:
    """An interrupt before or after a trip leaves nothing begun: the next call works, and the key says what was."""
    from papertrade.adapters.postgres import trips

    store, real, left = opened(connections=1), trips._send, [trip]

    def send(connection: Any, asked: Any) -> None:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise StoppedError
        real(connection, asked)
        if left[0] == 0:
            raise StoppedError

    monkeypatch.setattr(trips, "_send", send)
    with pytest.raises(StoppedError):
        store.append(batch(0, 2, commit="k"))
    stored = trip == 2 and after
    assert store.append(batch(0, 2, commit="k")) == (AlreadyAppended if stored else Appended)(1, 2)
    assert store.verify("main").version == 2


def test_a_missing_driver_is_said(monkeypatch: pytest.MonkeyPatch, postgres_server: PostgresServer) -> None:
    """Without psycopg the address says which extra brings it, and shows nothing of itself."""
    for name in [name for name in sys.modules if name.startswith("papertrade.adapters.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for attempt in (pt.open_store, pt.AsyncExchange):
        with pytest.raises(StoreMisconfiguredError, match=r"papertrade-core\[postgres\]"):
            attempt(postgres_server.dsn)


# ---------------------------------------------------------------------- async


def test_the_async_store_gives_the_same_answers(
    postgres_server: PostgresServer, opened: Callable[..., PostgresStore], schema: str
) -> None:
    """Written by one, read by the other: the same outcomes, errors, hashes and tables."""
    plain = opened()

    async def play() -> None:
        store = AsyncPostgresStore(postgres_server.dsn, schema=schema)
        assert "not asked yet" in store.describe()["server"]
        await store.open()
        assert store.describe() == plain.describe()
        assert await store.append(batch(0, 600, commit="k")) == Appended(1, 600)
        assert await store.append(batch(0, 600, commit="k")) == AlreadyAppended(1, 600)
        assert await store.append_many([batch(0), batch(0, stream="b")]) == [Conflict(600), Appended(1, 1)]
        assert list(await store.load("main", 5, 7)) == [event(5), event(6), event(7)]
        assert await store.head("main") == 600
        assert await store.find("main", "k") == plain.find("main", "k") == Appended(1, 600)
        assert await store.verify("main") == plain.verify("main")
        assert await store.chain_at("main", 513) == plain.chain_at("main", 513) == chain(513)
        await store.put_snapshot("main", StoredSnapshot(3, chain(3), b"x"))
        assert await store.get_snapshot("main") == plain.get_snapshot("main")
        assert await store.streams() == ["b", "main"]
        assert await store.take("b") == 1
        await store.release("b", 1)
        assert list(await store.records("main")) == list(plain.records("main"))
        assert list(await store.commits("main")) == list(plain.commits("main"))
        records = [one._replace(version=1) for one in await store.records("b")]
        assert await store.put_records("b", 0, records) == AlreadyAppended(1, 1)
        waiting = asyncio.ensure_future(store.wait("b", 1, 60))
        await asyncio.sleep(0)
        assert await store.append(batch(1, stream="b")) == Appended(2, 2)
        assert await waiting == 2
        await store.erase("b")
        with pytest.raises(StoreErasedError):
            await store.head("b")
        await store.close()
        await store.close()
        with pytest.raises(StoreClosedError):
            await store.head("main")

    asyncio.run(play())


def test_c37_canceled_at_every_await(postgres_server: PostgresServer, schema: str) -> None:
    """Whenever an append is canceled, the store goes on working, and the same key finds out what happened."""

    async def play() -> int:
        store = AsyncPostgresStore(postgres_server.dsn, schema=schema, connections=1)
        await store.open()
        cut = 0
        for turns in range(1, 60):
            stream = f"s{turns}"
            task = asyncio.ensure_future(store.append(batch(0, 2, stream, commit="k")))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                cut += 1
            assert type(await store.append(batch(0, 2, stream, commit="k"))) in (Appended, AlreadyAppended)
            assert (await store.verify(stream)).version == 2
        await store.close()
        return cut

    assert asyncio.run(play()) > 5


# ---------------------------------------------------------------------- hosts


def test_an_account_lives_in_postgres(postgres_server: PostgresServer) -> None:
    """By its address: open, trade, close, open again, by threads or with awaits; the journals are the same."""
    address = postgres_server.dsn.replace("postgresql:", "postgres:")
    broker = pt.open_paper_broker(cash=100_000, store=address, clock="data", account="alice")
    broker.on_quote("AAPL", bid="187.10", ask="187.14", at="2026-01-05T15:00:00Z")
    broker.buy("AAPL", 10, client_order_id="entry-1")
    broker.exchange.close()

    async def play() -> str:
        again = await pt.open_async_paper_broker(store=address, clock="data", account="alice")
        assert again.exchange.describe()["kind"] == "postgres"
        order = await again.buy("AAPL", 10, client_order_id="entry-1")
        await again.exchange.close()
        return str(order)

    assert "filled 10 at 187.14" in asyncio.run(play())
