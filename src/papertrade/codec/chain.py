"""The hash chain of a stream: each record's hash covers its bytes and the hash before it."""

from __future__ import annotations

from typing import Final

GENESIS: Final = "0" * 64


def link(previous: str, record: bytes) -> str:
    """The hash after one more record."""
    from hashlib import sha256  # opens a library of its own: not before somebody asks

    return sha256(previous.encode("ascii") + record).hexdigest()
