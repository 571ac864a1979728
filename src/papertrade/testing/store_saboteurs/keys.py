"""The keys of the plain store: each is kept with a hash over itself and what it leads to, and read against it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from papertrade.errors import StoreCorruptError
from papertrade.ports.store import Appended
from papertrade.ports.store_extras import Commit


class SealedKeys:
    """How a store of rows keeps its commit ids."""

    def sql(self, text: str, *values: object) -> list[Any]:
        """One statement."""
        raise NotImplementedError

    def key(self, stream: str) -> object:
        """A name as it is stored."""
        raise NotImplementedError

    def chain_of(self, stream: str, version: int) -> str:
        """The hash up to a version."""
        raise NotImplementedError

    def keep_commit(self, stream: str, commit: Commit) -> None:
        """Put a key."""
        name, seal = commit.commit_id.encode("utf-8"), self.seal(stream, commit)
        self.sql("INSERT INTO commits VALUES (?, ?, ?, ?, ?)", self.key(stream), name, commit.first, commit.last, seal)

    def seal(self, stream: str, commit: Commit) -> str:
        """What says that a key is the one that was put."""
        parts = (stream, commit.first, commit.last, self.chain_of(stream, commit.last), commit.commit_id)
        return sha256("\n".join(map(str, parts)).encode("utf-8")).hexdigest()

    def check_commit(self, stream: str, commit: Commit, seal: object) -> Commit:
        """A key as it is stored, which has to be as it was put."""
        try:
            whole = seal == self.seal(stream, commit)
        except StoreCorruptError:  # it leads to a version that is not there
            whole = False
        if not whole:
            raise StoreCorruptError(f"the key {commit.commit_id!r} of {stream!r} is not what was written")
        return commit

    def commit_of(self, stream: str, commit_id: str) -> Appended | None:
        """Where a key was stored, inside a transaction."""
        query = "SELECT first, last, seal FROM commits WHERE stream = ? AND id = ?"
        for first, last, seal in self.sql(query, self.key(stream), commit_id.encode("utf-8")):
            self.check_commit(stream, Commit(commit_id, first, last), seal)
            return Appended(first, last)
        return None

    def commits_of(self, stream: str) -> list[Commit]:
        """All keys of a stream, inside a transaction."""
        query = "SELECT id, first, last, seal FROM commits WHERE stream = ? ORDER BY rowid"
        return [
            self.check_commit(stream, Commit(name.decode("utf-8", "replace"), first, last), seal)
            for name, first, last, seal in self.sql(query, self.key(stream))
        ]
