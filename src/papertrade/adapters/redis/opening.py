"""Settings of the server, read back whenever a connection is made, and held to the durability that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.exceptions import RedisError

from papertrade.adapters.redis.faults import Lost, typed
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.talk import Talk, lost
from papertrade.errors import InvalidValueError, StoreMisconfiguredError, StoreUnavailableError

DURABILITIES: Final[Mapping[str, tuple[Mapping[str, tuple[str, ...]], str]]] = {
    "every command": (
        {"appendonly": ("yes",), "appendfsync": ("always",), "no-appendfsync-on-rewrite": ("no",)},
        "what was answered is in the server's append-only file: it survives a kill and a power loss of the server",
    ),
    "batched": (
        {"appendonly": ("yes",), "appendfsync": ("everysec", "always")},
        "survives a kill of the client; a power loss or a kill of the server may take the last two seconds",
    ),
    "memory": ({}, "what the server keeps by itself: nothing is promised if it stops"),
}
"""Name → the server's settings that it needs, and what it means."""

OLDEST: Final = (6, 2)
_SETTINGS: Final = ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy", "maxmemory", "save")
_FACTS: Final = ("redis_version", "role", "cluster_enabled")
DECLARABLE: Final = (*_SETTINGS, *_FACTS)


def check_asked(durability: object, declared: Mapping[str, str] | None) -> None:
    """What the caller asks for and declares makes sense."""
    if durability not in DURABILITIES:
        raise InvalidValueError("durability", durability, ", ".join(map(repr, DURABILITIES)))
    for name, value in (declared or {}).items():
        if name not in DECLARABLE or type(value) is not str:
            raise InvalidValueError(f"declared[{name!r}]", value, f"text, under one of {', '.join(DECLARABLE)}")


def settings(place: Place) -> Talk[Mapping[str, str]]:
    """Ask the server for its settings and facts; refuse one that cannot keep the promise. Answers what describes it."""
    replies = yield [("INFO",), *(("CONFIG", "GET", name) for name in _SETTINGS)]
    facts = _told(place, replies[0])
    if facts is not None:
        facts = {name: facts.get(name, "") for name in _FACTS}
    read = _config(place, replies[1:])
    found: dict[str, str] = {name: place.declared[name] for name in DECLARABLE if name in place.declared}
    found |= (facts or {}) | (read or {})
    how = "read back" if facts is not None and read is not None else "declared, not read back"
    _check(place, found, how)
    return {
        **announced(place),
        "settings": how,
        **{name: found.get(name, "unknown") for name in DECLARABLE},
        "failover": "not covered: a replica that takes over may lack what was answered",
    }


def announced(place: Place) -> dict[str, str]:
    """What can be said before the server was asked."""
    return {
        "kind": "redis",
        "durability": f"{place.durability}: {DURABILITIES[place.durability][1]}",
        "address": place.shown,
        "prefix": place.prefix,
        "settings": "not read yet: the store connects at its first call",
    }


def _told(place: Place, reply: Any) -> dict[str, str] | None:
    """The facts of INFO; None when this user may not ask."""
    text = _allowed(place, reply)
    if text is None:
        return None
    lines = text.decode("utf-8", "replace").splitlines() if isinstance(text, bytes) else []
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _config(place: Place, replies: Sequence[Any]) -> dict[str, str] | None:
    """The settings; None when this user may not ask, as on most managed servers."""
    found: dict[str, str] = {}
    for reply in replies:
        pair = _allowed(place, reply)
        if pair is None:
            return None
        if isinstance(pair, list) and len(pair) == 2:
            found[pair[0].decode()] = pair[1].decode("utf-8", "replace")
    return found


def _allowed(place: Place, reply: Any) -> Any:
    if isinstance(reply, Lost):
        raise lost(place, reply, writes=False)
    if isinstance(reply, RedisError):
        why = typed(reply, place)
        if isinstance(why, StoreUnavailableError):
            raise why
        if "AUTH" in str(reply) or "uthentication" in str(reply):
            raise why
        return None
    return reply


def _check(place: Place, found: Mapping[str, str], how: str) -> None:
    """Refuse what breaks the promise, saying what was found and what would be accepted."""
    needed = {"maxmemory-policy": ("noeviction",), "role": ("master",), **DURABILITIES[place.durability][0]}
    for name, accepted in needed.items():
        if name not in found:
            raise StoreMisconfiguredError(
                f"{place.shown}: the server does not say its {name}; if you know it, declare it: "
                f"declared={{{name!r}: {accepted[0]!r}, …}}, with every one of {', '.join(needed)}"
            )
        if found[name] not in accepted:
            weaker = ", or ask for another durability" if name in DURABILITIES[place.durability][0] else ""
            raise StoreMisconfiguredError(
                f"{place.shown}: {name} is {found[name]!r} ({how}); {place.durability!r} accepts "
                f"{' or '.join(map(repr, accepted))}; set it on the server{weaker}"
            )
    if found.get("cluster_enabled", "0") == "1":
        raise StoreMisconfiguredError(f"{place.shown} is a node of a cluster; a single server is accepted")
    version = found.get("redis_version", "")
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if parts and parts < OLDEST:
        raise StoreMisconfiguredError(f"{place.shown} is Redis {version}; 6.2 and newer are accepted")
