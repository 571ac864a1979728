"""A PostgreSQL server as a place where children trade and are killed, and what can happen to the server meanwhile."""

from __future__ import annotations

import os
import signal
from random import Random
from typing import Any

import psycopg
from history_oracle import Found, read_postgres
from killing import Life
from servers_postgres import PostgresServer

from papertrade.adapters.postgres import PostgresStore, trips
from papertrade.ports.store import Store

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'papertrade' AND pid <> pg_backend_pid()"


class Schema:
    """A schema on a server; each of ``harms`` is one way to hurt the server."""

    def __init__(
        self, server: PostgresServer, harms: tuple[str, ...] = (), durability: str = "every command"
    ) -> None:
        self.server, self.harms, self.durability, self.name = server, harms, durability, server.schema()

    def fresh(self) -> None:
        """Another schema."""
        self.name = self.server.schema()

    def exists(self) -> bool:
        """Opening makes it, so it is looked at every time."""
        return True

    def open(self) -> Store:
        """The store; by default as it is shipped."""
        return PostgresStore(self.server.dsn, schema=self.name, connections=1, durability=self.durability)

    def tables(self, account: str) -> tuple[Found, int]:
        """The tables of history, as a reader finds them."""
        return read_postgres(self.server.dsn, self.name, account)

    def arm(self, statements: int, before: bool) -> None:
        """Die at a trip to the server: just before it is sent, or just after it was answered."""
        real, life = trips._send, Life(statements, before)

        def send(connection: Any, trip: Any) -> None:
            life.spend(lambda: real(connection, trip))

        trips._send = send

    def harm(self, draw: Random) -> str:
        """End backends or the server, by one of the ways that this place knows."""
        how = draw.choice(self.harms)
        if how == "backend ended":
            self._sql(f"SELECT pg_terminate_backend(pid) FROM ({BACKENDS}) AS found")
        elif how == "backend killed":  # the server notices, ends all others, and recovers
            for (pid,) in self._sql(BACKENDS):
                os.kill(pid, signal.SIGKILL)
            self.server.wait()
        else:
            self.server.end({"server stopped": signal.SIGQUIT, "server killed": signal.SIGKILL}[how])
            self.server.start()
        return how

    def _sql(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.server.dsn, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()
