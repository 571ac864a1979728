"""A Redis server as a place where children trade and are killed, and the server itself, killed under them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any

from killing import Life
from servers_redis import RedisServer

from papertrade.adapters.redis import RedisStore
from papertrade.adapters.redis.line import Line
from papertrade.ports.store import Store

_NUMBERS = count(1)  # two runs on one server do not meet


class Prefix:
    """A prefix on a server. Harm is SIGKILL of the server, which comes up again from its append-only file."""

    def __init__(self, server: RedisServer, durability: str = "every command") -> None:
        self.server, self.durability, self.number = server, durability, next(_NUMBERS)

    def fresh(self) -> None:
        """Another prefix."""
        self.number = next(_NUMBERS)

    def exists(self) -> bool:
        """Opening makes nothing, and nothing there is an account that does not exist."""
        return True

    def open(self) -> Store:
        """The store as it is shipped."""
        return RedisStore(self.server.url, durability=self.durability, prefix=f"kills-{self.number}")

    def arm(self, statements: int, before: bool) -> None:
        """Die at a trip to the server: just before it is sent, or just after it was answered."""
        real, life = Line._trip, Life(statements, before)

        def trip(line: Line, connection: Any, commands: Sequence[Any]) -> Any:
            return life.spend(lambda: real(line, connection, commands))

        Line._trip = trip  # type: ignore[method-assign]

    def harm(self, draw: Random) -> str:
        """Kill the server and start it again."""
        self.server.kill()
        self.server.start()
        return "server killed"
