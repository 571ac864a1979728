"""Which server, under which prefix, and how to reach it without anything being sent twice or a password being shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

from papertrade.errors import InvalidValueError

SCHEMES: Final = ("redis", "rediss", "unix")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_OURS: Final = {"retry", "retry_on_timeout", "retry_on_error", "decode_responses", "protocol", "health_check_interval",
                "encoding", "encoding_errors", "socket_timeout", "socket_connect_timeout"}  # fmt: skip
_STORES: Final = {"prefix", "timeout_s", "declared"}  # what an address cannot say
_ADDRESS: Final = "redis://host:6379/0, rediss://host:6380/0 or unix:///path/of/redis.sock?db=0"


class Place:
    """A server and a prefix. The password is in ``options`` only, and in nothing that is ever printed."""

    def __init__(
        self, url: object, prefix: object, durability: str, timeout_s: float, declared: Mapping[str, str] | None
    ) -> None:
        if type(url) is not str or urlsplit(url).scheme not in SCHEMES:
            raise InvalidValueError("url", "…", _ADDRESS)  # whatever it is, it may hold a password
        if type(prefix) is not str or not _PREFIX.fullmatch(prefix):
            raise InvalidValueError("prefix", prefix, "1 to 40 letters, digits, '_', '.' and '-'")
        if type(timeout_s) not in (int, float) or not 0 < timeout_s <= 3600:
            raise InvalidValueError("timeout_s", timeout_s, "seconds, above 0 to 3600")
        self.prefix, self.durability, self.timeout_s = prefix, durability, float(timeout_s)
        self.declared = dict(declared or {})
        self._url = url
        self.shown = _shown(url)
        parts = urlsplit(url)
        hidden = [part for part in (parts.password, *_queried(parts.query)) if part]
        self._secrets = [text for part in hidden for text in (part, unquote(part))]

    def options(self, parse_url: Any, retry_class: Any = Retry) -> dict[str, Any]:
        """What a connection is made with. Nothing is retried, whatever the address says: an append sent twice by the

        driver is an append that happened twice.
        """
        try:
            found: dict[str, Any] = dict(parse_url(self._url))
        except ValueError:
            raise InvalidValueError("url", self.shown, _ADDRESS) from None
        for refused in sorted(_OURS & found.keys()):
            raise InvalidValueError("url", f"an address with {refused}", "one without it: the store sets it itself")
        for option in sorted(_STORES & found.keys()):
            raise InvalidValueError("url", f"an address with {option}", f"RedisStore(address, {option}=…)")
        found.pop("max_connections", None)
        found.update(
            retry=retry_class(NoBackoff(), 0),
            retry_on_timeout=False,
            retry_on_error=[],
            health_check_interval=0,
            protocol=2,
            decode_responses=False,
            socket_timeout=self.timeout_s,
            socket_connect_timeout=self.timeout_s,
        )
        return found

    def connection(self, kind: Any, options: dict[str, Any]) -> Any:
        """A connection that is not connected yet. The driver tells unknown options by a bare TypeError."""
        try:
            return options.pop("connection_class", kind)(**options)
        except TypeError:
            accepted = "options that redis-py's connections take; those of the store go to RedisStore(address, …)"
            raise InvalidValueError("url", "an address with an option that nobody knows", accepted) from None

    def clean(self, text: object) -> str:
        """A text without the password, whoever put it there."""
        shown = str(text)
        for secret in self._secrets:
            shown = shown.replace(secret, "***")
        return shown[:300]

    def __repr__(self) -> str:
        return f"<Place {self.shown}>"


def _shown(url: str) -> str:
    """The address without user, password and options."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _queried(query: str) -> list[str]:
    """What the options of an address say of passwords."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return [value for name, _, value in pairs if "pass" in name.lower()]
