"""What the tests lend to the conformance kit for the stores on servers: the servers, lines to them, and their calls."""

from __future__ import annotations

import json
import signal
from random import Random
from typing import Any

import pytest
from cuts import RECORD
from cutting_proxy import CuttingProxy
from servers_postgres import PostgresServer
from servers_redis import RedisServer


class Behind:
    """A server that the kit may end and start again, and lines to it that it may cut."""

    def __init__(self, server: Any, stop: signal.Signals) -> None:
        self.server, self._stop = server, stop
        self.lines: list[Line] = []

    def stop(self) -> None:
        self.server.end(self._stop)

    def kill(self) -> None:
        self.server.end(signal.SIGKILL)

    def restart(self) -> None:
        self.server.start()

    def close(self) -> None:
        for line in self.lines:
            line.proxy.close()


class PostgresBehind(Behind):
    """An orderly end does not wait for those who are connected; a crash takes every process of the server.

    A store on it waits half a second for an answer, so that a silent server can be waited for.
    """

    def __init__(self, server: PostgresServer) -> None:
        super().__init__(server, signal.SIGINT)

    def proxy(self, location: str) -> Line:
        proxy = CuttingProxy(self.server.port, RECORD, lambda dropped: b"COMMIT\0" in dropped)
        _, schema, options = json.loads(location)
        hasty = {**options, "timeout_s": 0.25, "wait_s": 0.25}
        self.lines.append(Line(proxy, json.dumps([self.server.dsn_at(proxy.port), schema, hasty])))
        return self.lines[-1]


class RedisBehind(Behind):
    """A store on it that waits two seconds for an answer, so that a silent server can be waited for."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(server, signal.SIGTERM)

    def proxy(self, location: str) -> Line:
        proxy = CuttingProxy(self.server.port, RECORD)
        _, prefix, options, *rest = json.loads(location)
        address = f"redis://127.0.0.1:{proxy.port}/0"
        self.lines.append(Line(proxy, json.dumps([address, prefix, {**options, "timeout_s": 2.0}, *rest])))
        return self.lines[-1]


class Line:
    """A line on which answers are lost when the kit says so."""

    def __init__(self, proxy: CuttingProxy, location: str) -> None:
        self.proxy, self.location = proxy, location

    def requests(self) -> int:
        return self.proxy.requests

    def cut_answer(self) -> None:
        self.proxy.cut_next("after")

    def hold_answers(self) -> None:
        self.proxy.hold()

    def heal(self) -> None:
        self.proxy.heal()


# ------------------------------------------------------------------------- calls


class Counted:
    """Trips to a server, the planned ones of which fail. What a failing trip does is said by the kind of server."""

    kinds = ("unavailable", "unknown", "full", "read only")

    def __init__(self) -> None:
        self.kind, self.first, self.last, self.made = "", 0, 0, 0

    def fail(self, kind: str, first: int, last: int) -> None:
        self.kind, self.first, self.last, self.made = kind, first, last, 0

    def calls(self) -> int:
        return self.made

    def heal(self) -> None:
        self.kind = ""

    def due(self) -> str:
        """What is to happen to the trip that is made now."""
        self.made += 1
        return self.kind if self.first <= self.made <= self.last else ""


class PostgresFaults(Counted):
    """A line that breaks before or after the server got a trip, and errors that the server itself raises in one."""

    STATES = {"full": "53100", "read only": "25006"}  # noqa: RUF012  # a table

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        from papertrade.adapters.postgres import trips

        send, send_async = trips._send, trips._send_async

        def trip(connection: Any, asked: Any) -> None:
            how = self._begin(connection, asked)
            if how:
                connection.execute(how)
            send(connection, asked)
            self._end(connection)

        async def trip_async(connection: Any, asked: Any) -> None:
            how = self._begin(connection, asked)
            if how:
                await connection.execute(how)
            await send_async(connection, asked)
            self._end(connection)

        patch.setattr(trips, "_send", trip)
        patch.setattr(trips, "_send_async", trip_async)

    def _begin(self, connection: Any, asked: Any) -> str:
        self.how = self.due()
        if self.how == "unavailable":
            self._break(connection)
        writes = any(b"INSERT" in text or b"UPDATE" in text or b"DELETE" in text for text, _ in asked.statements)
        if self.how == "full" or (self.how == "read only" and writes):
            return f"DO $$ BEGIN RAISE 'planned' USING ERRCODE = '{self.STATES[self.how]}'; END $$"
        return ""

    def _end(self, connection: Any) -> None:
        if self.how == "unknown":
            self._break(connection)

    def _break(self, connection: Any) -> None:
        import psycopg

        connection.pgconn.finish()
        raise psycopg.OperationalError("planned: the line broke")


class RedisFaults(Counted):
    """A line that breaks before or after the server got a trip, and the error replies of a server that cannot write."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        from papertrade.adapters.redis.aio import AsyncLine
        from papertrade.adapters.redis.line import Line as RealLine

        send, send_async = RealLine._trip, AsyncLine._trip

        def trip(line: Any, connection: Any, commands: Any) -> list[Any]:
            how = self.due()
            replies = self._replies(how, commands) or send(line, connection, commands)
            if how in ("unavailable", "unknown"):
                line.drop()
            return self._lost(commands) if how == "unknown" else replies

        async def trip_async(line: Any, connection: Any, commands: Any) -> list[Any]:
            how = self.due()
            replies = self._replies(how, commands) or await send_async(line, connection, commands)
            if how in ("unavailable", "unknown"):
                await line.drop()
            return self._lost(commands) if how == "unknown" else replies

        patch.setattr(RealLine, "_trip", trip)
        patch.setattr(AsyncLine, "_trip", trip_async)

    def _replies(self, how: str, commands: Any) -> list[Any]:
        """What is answered in place of the server; nothing where it is asked."""
        from redis.exceptions import ReadOnlyError, ResponseError

        if how == "unavailable":
            return self._lost(commands)
        if how == "full":
            return [ResponseError("OOM command not allowed when used memory > 'maxmemory'.") for _ in commands]
        if how == "read only" and any(map(_writes, commands)):
            return [ReadOnlyError("You can't write against a read only replica.") for _ in commands]
        return []

    @staticmethod
    def _lost(commands: Any) -> list[Any]:
        from papertrade.adapters.redis.faults import Lost

        return [Lost("planned") for _ in commands]


def _writes(command: Any) -> bool:
    from papertrade.adapters.redis.scripts import APPEND, PUT_SNAPSHOT

    return command[0] in ("EVAL", "EVALSHA") and command[1] in (APPEND.sha, APPEND.text, PUT_SNAPSHOT.sha)


# ------------------------------------------------------------------------ damage

ROWS = (
    ("events", "record"), ("events", "chain"), ("snapshots", "data"), ("snapshots", "chain"), ("snapshots", "hash"),
    ("streams", "chain"), ("commits", "commit_id"), ("commits", "seal"),
)  # fmt: skip
NUMBERS = (
    ("streams", "version"), ("events", "version"), ("snapshots", "version"),
    ("streams", "keyed"), ("commits", "first_version"), ("commits", "last_version"),
)  # fmt: skip


def run_sql(dsn: str, schema: str, statement: str) -> None:
    """Somebody else at a PostgreSQL server."""
    import psycopg

    with psycopg.connect(dsn, options=f"-c search_path={schema}") as sql:
        sql.execute(statement)


def damage_rows(dsn: str, schema: str, draw: Random) -> None:
    """One bit of one value of one row changes on a PostgreSQL server."""
    import psycopg

    with psycopg.connect(dsn, options=f"-c search_path={schema}") as sql:
        table, column = draw.choice(ROWS + NUMBERS)
        found: Any = sql.execute(f"SELECT ctid::text, {column} FROM {table} ORDER BY 1, 2").fetchall()
        row, value = draw.choice(found)
        changed = value ^ 1 if isinstance(value, int) else _flipped(value, draw)
        sql.execute(f"UPDATE {table} SET {column} = %s WHERE ctid = %s::tid", (changed, row))


def damage_keys(url: str, prefix: str, draw: Random) -> None:
    """One bit of one value under one key changes on a Redis server."""
    import redis

    with redis.Redis.from_url(url) as client:
        kinds = ("stream", "journal", "snapshot", "commits", "order")
        key = draw.choice([f"{{{prefix}}}:{kind}:{b'main'.hex()}".encode() for kind in kinds])
        if key.split(b":")[1] == b"order":
            ((name, place),) = client.zrange(key, 0, -1, withscores=True)
            client.zadd(key, {name: int(place) ^ (1 << draw.randrange(8))})
            return
        if key.split(b":")[1] != b"journal":
            field, value = draw.choice(sorted(client.hgetall(key).items()))
            client.hset(key, field, _flipped(value, draw))
            return
        entries: Any = client.xrange(key)
        at, name = draw.randrange(len(entries)), draw.choice([b"chain", b"record"])
        entries[at][1][name] = _flipped(entries[at][1][name], draw)
        client.delete(key)
        for number, fields in entries:
            client.xadd(key, fields, id=number)


def _flipped(value: bytes, draw: Random) -> bytes:
    at = draw.randrange(len(value))
    return value[:at] + bytes([value[at] ^ (1 << draw.randrange(8))]) + value[at + 1 :]
