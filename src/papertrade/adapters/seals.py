"""Seals of commit ids: hashes that say that an id, and the versions it leads to, are what was written.

The chain covers the events of a stream; a commit id is in none of them. So each is kept with a seal over the hash at
its last version, the stream, the range and the id. What is changed, or comes from another stream or history, does not
fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from papertrade.errors import StoreCorruptError
from papertrade.ports.store_extras import Commit, Record


def sealed(stream: str, commit: Commit, chain: bytes) -> bytes:
    """The seal of a commit id whose last version has this hash. The migration of PostgreSQL makes it likewise."""
    name, (commit_id, first, last) = stream.encode("utf-8"), commit
    return sha256(b"%b%d %d %d %b %b" % (chain, first, last, len(name), name, commit_id.encode("utf-8"))).digest()


def check_seal(stream: str, commit: Commit, seal: object, chain: object) -> None:
    """A stored seal is that of its commit id; without the hash of its last version there is none."""
    if type(chain) is not bytes or seal != sealed(stream, commit, chain):
        raise StoreCorruptError(
            f"commit {commit.commit_id!r} of {stream!r} with {commit.first}..{commit.last} is not what was written"
        )


def seals_of(
    stream: str, chain: bytes, expected: int, records: Sequence[Record], commits: Sequence[Commit]
) -> list[bytes]:
    """The seals of commit ids that enter with records, which follow on a version with a hash."""
    hashes = [chain, *(bytes.fromhex(record.chain) for record in records)]
    return [sealed(stream, commit, hashes[commit.last - expected]) for commit in commits]


def check_ranges(stream: str, commits: Iterable[Commit], version: int, before: int = 0) -> int:
    """Commit ids in their order lead to versions that are there, no two to the same; answers the last one.

    They need not lead to all of them: a batch may have none.
    """
    for commit_id, first, last in commits:
        if not before < first <= last + 1 <= version + 1:
            raise StoreCorruptError(
                f"commit {commit_id!r} of {stream!r} leads to {first}..{last} of {version}, and one before to {before}"
            )
        before = last
    return before
