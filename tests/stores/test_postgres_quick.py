"""Going on where one was takes one trip; whatever has happened meanwhile is found by the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from servers_postgres import PostgresServer
from store_cases import batch

from papertrade.errors import StoreCorruptError, StoreErasedError, StoreFencedError, StoreMismatchError
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict

with suppress(ModuleNotFoundError):  # then the fixture of the server skips each test, and the summary names it
    import psycopg

    from papertrade.adapters.postgres import PostgresStore, trips
    from papertrade.adapters.postgres.known import Head, KnownHeads

pytestmark = pytest.mark.external_service


@pytest.fixture
def schema(postgres_server: PostgresServer) -> str:
    return postgres_server.schema()


@pytest.fixture
def stores(postgres_server: PostgresServer, schema: str) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    """Two hosts with the same journals. The first has appended twice, so that it knows where it is."""
    mine, theirs = (PostgresStore(postgres_server.dsn, schema=schema, durability="memory") for _ in range(2))
    mine.append(batch(0, commit="a"))
    mine.append(batch(1, commit="b"))
    yield mine, theirs
    mine.close()
    theirs.close()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[list[bytes]]:
    """The first word of each statement of each trip."""
    seen: list[list[bytes]] = []
    send = trips._send

    def noted(connection: Any, trip: Any) -> None:
        seen.append([query.split()[0] for query, _ in trip.statements])
        send(connection, trip)

    monkeypatch.setattr(trips, "_send", noted)
    return seen


def test_going_on_is_one_trip(stores: tuple[PostgresStore, PostgresStore], made: list[list[bytes]]) -> None:
    """Locks, the look, the event and its key, the commit and the announcement leave together."""
    mine, theirs = stores
    assert mine.append(batch(2, 2, commit="c")) == Appended(3, 4)
    assert mine.append(Append("main", 4, (), "empty")) == Appended(5, 4)
    assert mine.append(batch(4)) == Appended(5, 5)
    assert made == [[b"BEGIN", b"SELECT", b"WITH", b"COMMIT", b"SELECT"]] * 3
    assert theirs.find("main", "empty") == Appended(5, 4)
    assert theirs.verify("main").version == 5


def test_keys_are_sealed_as_in_two_trips(
    stores: tuple[PostgresStore, PostgresStore], made: list[list[bytes]], postgres_server: PostgresServer, schema: str
) -> None:
    """Ranges and seals are the same, for one event, several and none; any other bit of an id is found."""
    mine, theirs = stores
    empty = Append("main", 6, (), "empty")
    batches = [batch(2, commit="c"), batch(3, 3, commit="é 漢"), empty, batch(6, commit="last")]
    for one in batches:
        assert isinstance(mine.append(one), Appended)
    assert [len(trip) for trip in made] == [5] * len(batches)
    assert theirs.verify("main").version == 7

    elsewhere = postgres_server.schema()
    with closing(PostgresStore(postgres_server.dsn, schema=elsewhere, durability="memory")) as careful:
        careful.append_many([batch(0, commit="a"), batch(1, commit="b"), *batches])
    query = "SELECT commit_id, first_version, last_version, seal FROM {}.commits ORDER BY number"
    with psycopg.connect(postgres_server.dsn, autocommit=True) as sql:
        quick, slow = (sql.execute(query.format(name).encode()).fetchall() for name in (schema, elsewhere))
        assert quick == slow
        assert len(quick) == 6
        change = f"UPDATE {schema}.commits SET commit_id = %s WHERE commit_id = %s".encode()
        for key, *_ in quick[1:]:
            for bit in (3, len(key) * 8 - 1):
                flipped = bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(key))
                assert sql.execute(change, (flipped, key)).rowcount == 1
                with pytest.raises(StoreCorruptError, match="is not what was written"):
                    theirs.verify("main")
                sql.execute(change, (key, flipped))
    assert theirs.verify("main").version == 7


def test_others_have_appended(stores: tuple[PostgresStore, PostgresStore]) -> None:
    """By version a conflict; by key the batch that is there, or a mismatch."""
    mine, theirs = stores
    assert theirs.append(batch(2, commit="c")) == Appended(3, 3)
    assert mine.append(batch(2)) == Conflict(3)
    assert theirs.append(batch(3, commit="d")) == Appended(4, 4)
    mine.append(batch(4, commit="mine"))
    theirs.append(batch(5, commit="e"))
    assert mine.append(batch(5, commit="e")) == AlreadyAppended(6, 6)
    assert mine.append(batch(6, commit="f")) == Appended(7, 7)
    with pytest.raises(StoreMismatchError):
        mine.append(batch(7, commit="f"))
    assert mine.append(batch(7, commit="g")) == Appended(8, 8)
    assert theirs.verify("main").version == 8


def test_others_have_used_a_key_without_an_event(
    stores: tuple[PostgresStore, PostgresStore], postgres_server: PostgresServer, schema: str
) -> None:
    """The version is the same, and the number of keys is not; both are counted, or a key could get lost unseen."""
    mine, theirs = stores
    theirs.append(Append("main", 2, (), "empty"))
    assert mine.append(batch(2, commit="c")) == Appended(3, 3)
    assert theirs.verify("main").version == 3
    assert [commit.commit_id for commit in theirs.commits("main")] == ["a", "b", "empty", "c"]
    with psycopg.connect(postgres_server.dsn, options=f"-c search_path={schema}") as sql:
        assert sql.execute("SELECT keyed FROM streams").fetchall() == [(4,)]


def test_the_owner_is_another(stores: tuple[PostgresStore, PostgresStore], made: list[list[bytes]]) -> None:
    """Taken by another host, given up, or taken again: the fence of the append decides as ever."""
    mine, theirs = stores
    fence = theirs.take("main")
    with pytest.raises(StoreFencedError):
        mine.append(batch(2))
    assert mine.append(batch(2)._replace(fence=fence)) == Appended(3, 3)
    assert mine.append(batch(3)._replace(fence=fence)) == Appended(4, 4)
    assert len(made[-1]) == 5  # an owner goes on in one trip, too
    theirs.release("main", fence)
    with pytest.raises(StoreFencedError):
        mine.append(batch(4)._replace(fence=fence))
    fence = theirs.take("main")
    assert mine.append(batch(4)._replace(fence=fence)) == Appended(5, 5)
    assert theirs.take("main") == fence + 1
    with pytest.raises(StoreFencedError):
        mine.append(batch(5)._replace(fence=fence))
    assert theirs.verify("main").version == 5


def test_the_stream_was_erased(stores: tuple[PostgresStore, PostgresStore]) -> None:
    """Its tombstone is found."""
    mine, theirs = stores
    theirs.erase("main")
    with pytest.raises(StoreErasedError):
        mine.append(batch(2))
    assert theirs.streams() == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE streams SET chain = sha256('x')",
        "UPDATE events SET chain = sha256('x') WHERE version = 2",
        "DELETE FROM events WHERE version = 2",
    ],
)
def test_the_head_is_not_what_was_written(
    stores: tuple[PostgresStore, PostgresStore], postgres_server: PostgresServer, schema: str, damage: str
) -> None:
    """The server says whether head and last event are those that the next one follows on."""
    mine, _ = stores
    with psycopg.connect(postgres_server.dsn, options=f"-c search_path={schema}") as sql:
        sql.execute(damage.encode())
        sql.commit()
        with pytest.raises(StoreCorruptError):
            mine.append(batch(2))
        assert sql.execute("SELECT count(*) FROM events WHERE version > 2").fetchall() == [(0,)]


def test_a_wrong_guess_is_rolled_back_before_anything_follows(
    stores: tuple[PostgresStore, PostgresStore], made: list[list[bytes]]
) -> None:
    """The trip ends at the guess; then the batch is looked at as if nothing had been known, and once."""
    mine, theirs = stores
    theirs.append(batch(2))
    made.clear()
    assert mine.append(batch(2, commit="c")) == Conflict(3)
    assert [trip[0] for trip in made] == [b"BEGIN", b"ROLLBACK", b"BEGIN", b"ROLLBACK"]
    made.clear()
    assert mine.append(batch(2, commit="c")) == Conflict(3)
    assert [trip[0] for trip in made] == [b"BEGIN", b"ROLLBACK"]  # it has learned where the stream is


def test_only_so_many_streams_are_known() -> None:
    """The one that was written to longest ago is forgotten first."""
    pytest.importorskip("psycopg")
    known = KnownHeads(2)
    for name in ("a", "b", "a", "c"):
        known.pop(name)
        known.keep(name, Head(0, 1, b"", 0, 0, False))
    found: Callable[[str], Any] = known.pop
    assert [found(name) is not None for name in ("a", "b", "c")] == [True, False, True]
