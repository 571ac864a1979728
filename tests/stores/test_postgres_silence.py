"""A line that is up and says nothing is given up: what was sent on it decides between unavailable and unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest
from cuts import RECORD
from cutting_proxy import CuttingProxy, cutting
from servers_postgres import PostgresServer
from store_cases import batch

from papertrade.errors import InvalidValueError, OutcomeUnknownError, StoreError, StoreUnavailableError
from papertrade.ports.store import AlreadyAppended, Appended

with suppress(ModuleNotFoundError):  # then the fixture of the server skips each test, and the summary names it
    import psycopg

    from papertrade.adapters.postgres import AsyncPostgresStore, PostgresStore, lines, trips

pytestmark = pytest.mark.external_service


class Both:
    """The two stores under one set of calls."""

    def __init__(self, store: Any, run: Callable[[Any], Any]) -> None:
        self.store, self.run = store, run

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **named: self.run(getattr(self.store, name)(*args, **named))


@pytest.fixture
def proxy(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[CuttingProxy]:
    """While answers are held, an hour passes at once: nobody sits through a timeout."""
    with cutting(postgres_server.port, RECORD) as made:
        monkeypatch.setattr(lines, "monotonic", lambda: monotonic() + (3600 if made.holding else 0))
        yield made


@pytest.fixture(params=["threads", "tasks"])
def store(postgres_server: PostgresServer, proxy: CuttingProxy, request: pytest.FixtureRequest) -> Iterator[Both]:
    """One that goes by way of the proxy, with a stream of one event."""
    dsn, schema = postgres_server.dsn_at(proxy.port), postgres_server.schema()
    loop = asyncio.new_event_loop()
    made: Any = PostgresStore(dsn, schema=schema, durability="memory", timeout_s=60)
    both = Both(made, lambda found: found)
    if request.param == "tasks":
        made.close()
        made = AsyncPostgresStore(dsn, schema=schema, durability="memory", timeout_s=60)
        both = Both(made, lambda found: loop.run_until_complete(found) if isinstance(found, Awaitable) else found)
    assert both.append(batch(0, commit="first")) == Appended(1, 1)
    yield both
    both.close()
    loop.close()


def test_c26_silence_after_an_append_was_sent_is_unknown(store: Both, proxy: CuttingProxy) -> None:
    """The server has it and answers nobody: the outcome is unknown, the line is dropped, and the key tells."""
    for version in range(1, 4):
        made = batch(version, commit=f"k{version}")
        lines_before = len(proxy.lines)
        proxy.cut_next("silent")
        with pytest.raises(OutcomeUnknownError, match="no answer came in time"):
            store.append(made)
        proxy.heal()
        assert store.append(made) in (Appended(version + 1, version + 1), AlreadyAppended(version + 1, version + 1))
        assert len(proxy.lines) == lines_before + 1
    assert store.head("main") == 4


def test_c26_silence_before_anything_was_sent_is_unavailable(store: Both, proxy: CuttingProxy) -> None:
    """A look at a stream that gets no answer has stored nothing, whoever wanted to know."""
    asked: list[Callable[[], Any]] = [
        lambda: store.head("main"),
        lambda: store.find("main", "first"),
        lambda: store.append(batch(0, stream="new")),
        lambda: store.take("main"),
        lambda: store.wait("main", 5, 10),
    ]
    for call in asked:
        proxy.hold()
        with pytest.raises(StoreUnavailableError, match="no answer came in time"):
            call()
        proxy.heal()
        assert store.head("main") == 1
    assert store.streams() == ["main"]


def test_c26_a_trip_of_many(store: Both, proxy: CuttingProxy) -> None:
    """Each of its batches is unknown, and each is found out by its own key."""
    trip = [batch(1, commit="a"), batch(0, stream="other", commit="b")]
    proxy.cut_next("silent")
    assert [type(one) for one in store.append_many(trip)] == [OutcomeUnknownError] * 2
    proxy.heal()
    found = store.append_many(trip)
    assert not any(isinstance(one, StoreError) for one in found)
    assert (store.head("main"), store.head("other")) == (2, 1)


def test_a_task_that_is_canceled_does_not_wait_for_the_silent_server(
    postgres_server: PostgresServer, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked of the server on behalf of a call that was given up, neither on this line nor on another."""
    monkeypatch.setattr(lines, "monotonic", monotonic)

    async def play() -> int:
        store = AsyncPostgresStore(postgres_server.dsn_at(proxy.port), schema=postgres_server.schema())
        await store.append(batch(0))
        used = len(proxy.lines)
        proxy.hold()
        call = asyncio.create_task(store.append(batch(1, commit="k")))
        while not any(line.held for line in proxy.lines):
            await asyncio.sleep(0.001)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(proxy.lines) == used
        proxy.heal()
        assert await store.append(batch(1, commit="k")) in (Appended(2, 2), AlreadyAppended(2, 2))
        await store.close()
        return used

    assert asyncio.run(play()) == 1


def test_who_waits_for_appends_is_not_hurried(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trips have an end, and listening has none but the one that was asked for; somebody appends when it has begun."""
    ends: list[float | None] = []
    wait = lines.Line.wait

    def noted(line: Any, *args: Any, **named: Any) -> Any:
        if line.until is None and None not in ends:
            theirs.append(batch(1))
        ends.append(line.until)
        return wait(line, *args, **named)

    schema = postgres_server.schema()
    store, theirs = (PostgresStore(postgres_server.dsn, schema=schema, durability="memory") for _ in range(2))
    store.append(batch(0))
    monkeypatch.setattr(lines.Line, "wait", noted)
    store.head("main")
    assert ends
    assert None not in ends
    assert store.wait("main", 1, 60) == 2
    assert None in ends
    store.close()
    theirs.close()


def test_who_changes_the_tables_is_not_hurried(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version may go through every row that is there, and emptying a table, too: they have an hour."""
    patient: set[tuple[bytes, bool]] = set()
    send = trips._send

    def noted(connection: Any, trip: Any) -> None:
        patient.update((query.split()[0], trip.patience == 3600) for query, _ in trip.statements)
        send(connection, trip)

    monkeypatch.setattr(trips, "_send", noted)
    store = PostgresStore(postgres_server.dsn, schema=postgres_server.schema(), durability="memory")
    store.head("main")
    with psycopg.connect(postgres_server.dsn) as sql:
        sql.execute(f"DROP TABLE {store._db.place.schema}.fills".encode())
    store.make_tables()
    store.close()
    assert {word for word, slow in patient if slow} >= {b"CREATE", b"ALTER", b"UPDATE", b"DELETE"}
    assert not {(b"ALTER", False), (b"UPDATE", False), (b"DELETE", False)} & patient


@pytest.mark.parametrize("seconds", [0, -1, 3601, "5", None, True])
def test_a_timeout_is_a_number_of_seconds(seconds: Any) -> None:
    """It is refused before anybody is asked anything."""
    pytest.importorskip("psycopg")
    with pytest.raises(InvalidValueError, match="timeout_s"):
        PostgresStore("postgresql://nobody@127.0.0.1:1/none", timeout_s=seconds)
