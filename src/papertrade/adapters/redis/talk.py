"""Conversations with the server, written once for the synchronous and the asynchronous store.

A conversation is a generator: it yields the commands of one trip and is sent back one reply for each. A reply is what
the driver made of it, an error that the server answered, or ``Lost``. Who drives it holds the line meanwhile.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeVar

from redis.exceptions import RedisError

from papertrade.adapters.redis.faults import Lost, is_noscript, typed
from papertrade.adapters.redis.place import Place
from papertrade.adapters.redis.scripts import Script
from papertrade.errors import (
    InvalidValueError,
    OutcomeUnknownError,
    StoreCorruptError,
    StoreErasedError,
    StoreTrimmedError,
    StoreUnavailableError,
)

T = TypeVar("T")
Command: TypeAlias = "tuple[Any, ...]"
Talk: TypeAlias = "Generator[list[Command], list[Any], T]"


class Keys(NamedTuple):
    """The keys of one stream. All keys of a store carry one hash tag, so that a script may use any of them together."""

    name: bytes
    all: tuple[str, ...]

    @property
    def journal(self) -> str:
        """The journal: a Redis stream."""
        return self.all[1]


def keys_of(place: Place, stream: str) -> Keys:
    """The keys of a stream. A name is spelled in hexadecimal, so that no name can be part of a key or another name."""
    name, tag = spelled("stream", stream), f"{{{place.prefix}}}"
    own = tuple(f"{tag}:{kind}:{name.hex()}" for kind in ("stream", "journal", "commits", "order", "snapshot"))
    return Keys(name, (*own, f"{tag}:names", f"{tag}:news"))


def spelled(what: str, text: str) -> bytes:
    """A name as bytes; one that UTF-8 cannot spell is misuse."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as why:
        raise InvalidValueError(what, why.object, "text that UTF-8 can spell") from None


class Call(NamedTuple):
    """One run of a script for a stream."""

    script: Script
    keys: Keys
    args: tuple[Any, ...] = ()

    def command(self, full: bool = False) -> Command:
        """By the script's hash, or with its text."""
        how = ("EVAL", self.script.text) if full else ("EVALSHA", self.script.sha)
        return (*how, len(self.keys.all), *self.keys.all, self.keys.name, *self.args)


def ask(calls: Sequence[Call]) -> Talk[list[Any]]:
    """One trip. What the server did not know the script of was not done, and is sent again with its text."""
    replies = yield [call.command() for call in calls]
    unknown = [at for at, reply in enumerate(replies) if is_noscript(reply)]
    if unknown:
        again = yield [calls[at].command(full=True) for at in unknown]
        for at, reply in zip(unknown, again, strict=True):
            replies[at] = reply
    return replies


def answer(place: Place, stream: str, reply: Any, writes: bool) -> list[Any]:
    """A reply as a list that begins with its word as text; or what it means, raised."""
    if isinstance(reply, Lost):
        raise lost(place, reply, writes)
    if isinstance(reply, RedisError):
        raise typed(reply, place)
    if not isinstance(reply, list) or not reply or not isinstance(reply[0], bytes):
        raise StoreCorruptError(f"{place.shown} answered {reply!r:.80} to a script")
    word = reply[0].decode("ascii", "replace")
    if word == "ERASED":
        raise StoreErasedError(stream, text(reply[1]))
    if word == "CORRUPT":
        raise StoreCorruptError(f"{stream!r} on {place.shown}: {text(reply[1])}")
    return [word, *reply[1:]]


def lost(place: Place, why: Lost, writes: bool) -> Exception:
    """What an answer that did not come means."""
    said = place.clean(f"{place.shown}: no answer came: {why}")
    return OutcomeUnknownError(said) if writes else StoreUnavailableError(said)


def one(place: Place, stream: str, script: Script, *args: Any, writes: bool = False) -> Talk[list[Any]]:
    """One script, one reply."""
    (reply,) = yield from ask([Call(script, keys_of(place, stream), args)])
    return answer(place, stream, reply, writes)


def trimmed(stream: str, version: int, base: bytes) -> NoReturn:
    """Raise that a version is not here any more."""
    raise StoreTrimmedError(stream, version, number(base))


def number(found: Any) -> int:
    """A version as it is stored: digits, and nothing else."""
    if isinstance(found, bytes) and found.isdigit() and len(found) <= 16:
        return int(found)
    raise StoreCorruptError(f"the server holds {found!r:.40} where a version should be")


def text(found: Any) -> str:
    """Stored text."""
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace")
    raise StoreCorruptError(f"the server holds {found!r:.40} where text should be")
