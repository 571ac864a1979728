"""One connection to the server: requests go out once, and what did not come back is said to be lost.

The driver's own connection is used without its client and its pool, because both send again by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from redis.connection import Connection, parse_url
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    RedisError,
    ResponseError,
)

from papertrade.adapters.redis.faults import Lost, typed
from papertrade.adapters.redis.opening import settings
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.talk import Command, Talk
from papertrade.errors import StoreError, StoreUnavailableError

T = TypeVar("T")


class Line:
    """A connection, made when it is needed; every new one begins with a look at the server's settings."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection: Any = None
        self.described: Mapping[str, str] = {}

    def drive(self, talk: Talk[T]) -> T:
        """Hold a conversation to its end."""
        try:
            commands = next(talk)
            while True:
                try:
                    replies = self.exchange(commands)
                except BaseException as why:
                    commands = talk.throw(why)
                else:
                    commands = talk.send(replies)
        except StopIteration as stop:
            found: T = stop.value
            return found

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands once; one reply each. Raises only when nothing was sent."""
        connection = self.ready()
        try:
            return self._trip(connection, commands)
        except BaseException:
            self.drop()  # interrupted: the next answer on this connection would be another's
            raise

    def _trip(self, connection: Any, commands: Sequence[Command]) -> list[Any]:
        replies: list[Any] = []
        try:
            connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            while len(replies) < len(commands):
                try:
                    replies.append(connection.read_response())
                except ResponseError as reply:
                    replies.append(reply)
        except (BusyLoadingError, AuthenticationError) as reply:  # answers too, but the driver hangs up on them
            self.drop()
            replies.append(reply)
        except (RedisError, OSError) as why:
            self.drop()
            replies.append(Lost(self._place.clean(why)))
        return replies + [Lost("the connection broke before")] * (len(commands) - len(replies))

    def ready(self) -> Any:
        """A connection that is alive as far as one can see before anything is sent on it."""
        if self._connection is not None and _is_stale(self._connection):
            self.drop()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Any:
        place = self._place
        options = place.options(parse_url)
        connection = place.connection(Connection, options)
        try:
            try:
                connection.connect()
            except (AuthenticationError, ResponseError, BusyLoadingError) as why:
                raise typed(why, place) from None
            except (RedisError, OSError) as why:
                raise StoreUnavailableError(place.clean(f"{place.shown}: {why}")) from None
            talk = settings(place)
            try:
                commands = next(talk)
                while True:
                    commands = talk.send(self._trip(connection, commands))
            except StopIteration as stop:
                self.described = stop.value
        except BaseException as why:
            connection.disconnect()
            if isinstance(why, (StoreError, KeyboardInterrupt)) or not isinstance(why, ValueError):
                raise
            raise StoreUnavailableError(place.clean(f"{place.shown}: {why}")) from None
        return connection

    def drop(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def __repr__(self) -> str:
        return f"<Line to {self._place.shown}>"


def _is_stale(connection: Any) -> bool:
    """Closed by the server, or with something on it that nobody asked for."""
    try:
        return bool(connection.can_read(0))
    except (RedisError, OSError):
        return True
