"""What the server says went wrong, as the store errors that say what to do about it.

An error reply to a script means that nothing was written: a script looks before it writes, and what it writes after
that cannot fail. An answer that did not come is ``Lost``.
"""

from __future__ import annotations

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
)

from papertrade.adapters.redis.place import Place
from papertrade.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)


class Lost(Exception):  # noqa: N818  # not raised: it stands where the answer would
    """The request may have arrived, and its answer did not."""


def is_noscript(reply: object) -> bool:
    """The server does not know the script, so it has done nothing."""
    return isinstance(reply, NoScriptError) or (isinstance(reply, RedisError) and "NOSCRIPT" in str(reply))


def typed(why: RedisError, place: Place) -> StoreError:
    """The store error for an error reply."""
    said = str(why)
    text = place.clean(f"{place.shown}: {said}")
    if "maxmemory" in said or said.startswith("OOM") or "No space left" in said:
        return StoreFullError(text)
    if isinstance(why, BusyLoadingError):
        return StoreUnavailableError(text)
    if isinstance(why, (ReadOnlyError, NoPermissionError, AuthenticationError, AuthorizationError)) or _refused(said):
        return StoreMisconfiguredError(text)
    if said.startswith("WRONGTYPE") or "wrong kind of value" in said:
        return StoreCorruptError(text)
    if said.startswith(("BUSY", "MISCONF", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "max number of clients")):
        return StoreUnavailableError(text)
    if type(why).__name__ == "ResponseError":
        # The scripts are constant, so a command in one of them that fails met keys that are not as they were left.
        return StoreCorruptError(text)
    return StoreUnavailableError(text)


def _refused(said: str) -> bool:
    return said.startswith(("NOAUTH", "WRONGPASS", "NOPERM", "READONLY", "MOVED", "ASK", "CROSSSLOT", "unknown command",
                            "ERR unknown command", "DB index", "invalid DB", "this user has no permissions",
                            "invalid username-password", "Authentication required"))  # fmt: skip
