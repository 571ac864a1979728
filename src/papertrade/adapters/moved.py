"""Records that enter a store from another one: what every store checks before it takes them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from papertrade.codec.events import decode_event
from papertrade.domain.events import Event
from papertrade.errors import StoreCorruptError
from papertrade.ports.store_extras import Commit, Record


def events_of(stream: str, expected: int, records: Sequence[Record]) -> list[Event]:
    """The events of records that follow on a version, each of this stream and in its place."""
    found = []
    for version, record in enumerate(records, expected + 1):
        event = decode_event(record.data)
        if record.version != version or event.version != version or event.account != stream:
            raise StoreCorruptError(f"a record for version {version} of {stream!r} holds {event!r:.200}")
        found.append(event)
    return found


def check_links(stream: str, chain: str, records: Sequence[Record]) -> None:
    """Each record's hash follows on the one before, the first on the stream's own."""
    for record in records:
        chain = sha256(chain.encode("ascii") + record.data).hexdigest()
        if record.chain != chain:
            raise StoreCorruptError(f"version {record.version} of {stream!r} does not follow on what is stored")


def check_commits(stream: str, expected: int, last: int, commits: Sequence[Commit]) -> None:
    """Every key leads to versions after the expected one, no key comes twice, and no two share a version."""
    before = expected
    seen = set()
    for commit in commits:
        if type(commit.first) is not int or type(commit.last) is not int or type(commit.commit_id) is not str:
            raise StoreCorruptError(f"{commit!r:.200} is not a commit of {stream!r}")
        if not before < commit.first <= commit.last + 1 <= last + 1 or commit.commit_id in seen:
            raise StoreCorruptError(f"commit {commit.commit_id!r} of {stream!r} leads to {commit.first}..{commit.last}")
        before = commit.last
        seen.add(commit.commit_id)
