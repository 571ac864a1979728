"""What stores of bytes have in common: hashes that follow on each other, and records that are held to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

from papertrade.codec.chain import GENESIS
from papertrade.codec.events import decode_event
from papertrade.domain.events import Event
from papertrade.errors import StoreCorruptError

FIRST_HASH: Final = bytes.fromhex(GENESIS)
Row: TypeAlias = "tuple[int, bytes, bytes]"  # version, hash, record


def hash_after(previous: bytes, record: bytes) -> bytes:
    """The chain's next hash, as ``codec.chain.link`` makes it, in bytes."""
    return sha256(previous.hex().encode("ascii") + record).digest()


def checked(stream: str, rows: Sequence[Row], first: int, chain: bytes) -> Iterator[Row]:
    """Rows that follow on a hash, each checked against its own before anybody sees it."""
    for version, row in enumerate(rows, first):
        found, hashed, record = row
        chain = hash_after(chain, record)
        if found != version or hashed != chain:
            raise StoreCorruptError(f"version {version} of {stream!r} is not what was written")
        yield row


def event_of(stream: str, row: Row) -> Event:
    """The event of a row that was checked."""
    version, _, record = row
    event = decode_event(record)
    if event.version != version or event.account != stream:
        raise StoreCorruptError(f"version {version} of {stream!r} holds {event!r:.200}")
    return event
