"""Where the journals are: a server, a schema, and how to use them. Nothing here ever shows a password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from papertrade.errors import InvalidValueError

DURABILITIES: Final[Mapping[str, tuple[str, str]]] = {
    "every command": ("on", "what was answered is on the server's disk: it survives a kill and a power loss"),
    "batched": ("off", "survives a kill; a crash of the server may take the last commands, never part of one"),
    "memory": ("off", "as batched, because PostgreSQL knows nothing weaker"),
}
"""Name → synchronous_commit, and what it means."""

_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,30}", re.ASCII)
_SECRETS: Final = ("password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret")
_STORES: Final = ("schema", "wait_s", "timeout_s", "connections", "accept_unsafe_server")  # what an address cannot say
_SPELLED: Final = re.compile(r"//[^/@:]*:([^/@]+)@")  # as it stands in an address, with letters quoted
# A line that is dead without saying so is given up after about a minute; whoever wants it otherwise says so in the DSN.
_LINE: Final = {
    "application_name": "papertrade",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def parse_schema(schema: object) -> str:
    """The name of a schema, letter by letter: it becomes part of statements."""
    if type(schema) is str and _SCHEMA.fullmatch(schema):
        return schema
    raise InvalidValueError("schema", schema, "a to z, 0 to 9 and _, at most 31 of them, no digit first")


class Place:
    """A server and a schema on it. Its text is the address without secrets."""

    __slots__ = (
        "_label", "_secrets", "accept_unsafe_server", "durability", "parameters", "schema", "timeout_s", "wait_s",
    )  # fmt: skip

    def __init__(
        self, dsn: str, durability: str, schema: str, wait_s: float, timeout_s: float, accept_unsafe_server: bool
    ) -> None:
        if durability not in DURABILITIES:
            raise InvalidValueError("durability", durability, ", ".join(map(repr, DURABILITIES)))
        parse_schema(schema)
        for name, seconds in (("wait_s", wait_s), ("timeout_s", timeout_s)):
            if type(seconds) not in (int, float) or not 0 < seconds <= 3600:
                raise InvalidValueError(name, seconds, "seconds, more than 0 and at most 3600")
        if type(accept_unsafe_server) is not bool:
            raise InvalidValueError("accept_unsafe_server", accept_unsafe_server, "True or False")
        given = _parsed(dsn)
        self.parameters = {**_LINE, "connect_timeout": str(max(2, round(wait_s))), **given}
        self._secrets = [*_SPELLED.findall(dsn), *(given[key] for key in _SECRETS if given.get(key))]
        self.durability, self.schema = durability, schema
        self.wait_s, self.timeout_s = float(wait_s), float(timeout_s)
        self.accept_unsafe_server = accept_unsafe_server
        user = f"{given['user']}@" if given.get("user") else ""
        port = f":{given['port']}" if given.get("port") else ""
        database = given.get("dbname") or ""
        self._label = self.without_secrets(f"postgresql://{user}{given.get('host', '')}{port}/{database}")

    @property
    def synchronous_commit(self) -> str:
        """The durability, as the server calls it."""
        return DURABILITIES[self.durability][0]

    @property
    def wait_ms(self) -> str:
        """How long to wait for a lock, as the server wants it."""
        return str(max(1, round(self.wait_s * 1000)))

    @property
    def listen(self) -> bytes:
        """The one statement in which a name cannot be bound."""
        return f'LISTEN "{self.channel}"'.encode("ascii")

    @property
    def channel(self) -> str:
        """Where appends are announced."""
        return f"{self.schema}_appended"

    def without_secrets(self, text: str) -> str:
        """A text that somebody will read: what libpq says may quote what it was given."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def __str__(self) -> str:
        return self._label

    def __repr__(self) -> str:
        return f"<Place {self._label} {self.schema}>"


def _parsed(dsn: object) -> dict[str, str]:
    """The parts of a DSN; what is wrong with one is not quoted, because it may hold a password."""
    found = None
    if type(dsn) is str and dsn and "\0" not in dsn:
        try:
            found = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
        except (psycopg.Error, UnicodeError):
            found = None
    if found is None and type(dsn) is str:
        for option in _STORES:
            if f"?{option}=" in dsn or f"&{option}=" in dsn:
                raise InvalidValueError("dsn", f"an address with {option}", f"PostgresStore(address, {option}=…)")
    if found is None:
        raise InvalidValueError("dsn", "…", "'postgresql://user@host/database', or libpq's 'host=… dbname=…'")
    return found
