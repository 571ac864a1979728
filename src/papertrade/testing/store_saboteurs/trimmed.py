"""The plain store as one of the trading day, which drops what was archived; and four that do it wrong."""

from __future__ import annotations

from collections.abc import Iterator

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import decode_event
from papertrade.errors import StoreCorruptError, StoreMismatchError, StoreTrimmedError
from papertrade.ports.store import AlreadyAppended, Append, Verification
from papertrade.ports.store_extras import Base, Record
from papertrade.testing.store_saboteurs.plain import PlainStore


class TrimmedStore(PlainStore):
    """The honest one. A base is a row of its own; what comes after it is held against its hash."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        with self.transaction():
            self.sql("CREATE TABLE IF NOT EXISTS bases (stream, version, chain)")

    def based(self, stream: str) -> Base:
        """Where a stream begins, inside a transaction."""
        found = self.sql("SELECT version, chain FROM bases WHERE stream = ?", self.key(stream))
        return Base(*found[0]) if found else Base(0, GENESIS)

    def keep_base(self, stream: str, base: Base) -> None:
        """Put where it begins."""
        self.sql("DELETE FROM bases WHERE stream = ?", self.key(stream))
        self.sql("INSERT INTO bases VALUES (?, ?, ?)", self.key(stream), *base)

    def base(self, stream: str) -> Base:
        """Where a stream begins."""
        with self.transaction():
            self.check(stream)
            return self.based(stream)

    def trim(self, stream: str, version: int) -> None:
        """Drop the beginning."""
        with self.transaction():
            self.check(stream)
            if version > self.tip(stream)[0]:
                raise StoreCorruptError(f"{stream!r} has no version {version}")
            if version > self.based(stream).version:
                self.keep_base(stream, Base(version, self.chain_of(stream, version)))
                self.drop(stream, version)

    def drop(self, stream: str, version: int) -> None:
        """What goes."""
        self.sql("DELETE FROM records WHERE stream = ? AND version <= ?", self.key(stream), version)
        self.sql(
            "DELETE FROM commits WHERE stream = ? AND last <= ? AND NOT (last = ? AND first > last)",
            self.key(stream), version, version,
        )  # fmt: skip
        self.sql("DELETE FROM snapshots WHERE stream = ? AND version < ?", self.key(stream), version)

    def seed(self, stream: str, version: int, chain: str) -> None:
        """Begin late."""
        with self.transaction():
            self.check(stream)
            if not self.tip(stream)[0]:
                self.keep_base(stream, Base(version, chain))
            elif self.chain_of(stream, version) != chain:
                raise StoreCorruptError(f"{stream!r} has another version {version}")

    # ------------------------------------------------- what begins at the base

    def tip(self, stream: str) -> tuple[int, str]:
        """The last version, which may be the base."""
        last, base = super().tip(stream), self.based(stream)
        return last if last[0] else (base.version, base.chain)

    def streams(self, after: str = "", limit: int = 1000) -> list[str]:
        """Also those of which nothing but the base is here."""
        with self.transaction():
            query = "SELECT stream FROM records UNION SELECT stream FROM bases"
            names = sorted(name.decode("utf-8") for (name,) in self.sql(query))
            return [name for name in names if name > after][: max(limit, 0)]

    def repeated(self, batch: Append, encoded: list[bytes]) -> AlreadyAppended | None:
        """What is left of a batch has to be the same."""
        done = None if batch.commit_id is None else self.commit_of(batch.stream, batch.commit_id)
        if done is None:
            return None
        gone = max(0, self.based(batch.stream).version + 1 - done.first)
        kept = [record.data for record in self.rows(batch.stream, done.first, done.last)]
        if len(encoded) != done.last + 1 - done.first or kept != encoded[gone:]:
            raise StoreMismatchError(batch.stream, batch.commit_id or "")
        return AlreadyAppended(*done)

    def chain_of(self, stream: str, version: int) -> str:
        """From the base on."""
        base = self.based(stream)
        if version < base.version:
            raise StoreTrimmedError(stream, version, base.version)
        return base.chain if version == base.version else super().chain_of(stream, version)

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """From the base on."""
        first, base = max(start, 1), self.base(stream)
        if first <= base.version and (stop is None or stop >= first):
            raise StoreTrimmedError(stream, first, base.version)
        return super().records(stream, start, stop)

    def rows(self, stream: str, start: int = 1, stop: int | None = None) -> list[Record]:
        """The first that is here follows on the base."""
        query = "SELECT version, chain, data FROM records WHERE stream = ? ORDER BY version"
        found = [Record(*row) for row in self.sql(query, self.key(stream))]
        version, chain = self.based(stream)
        for record in found:
            version, chain = version + 1, link(chain, record.data)
            if (record.version, record.chain) != (version, chain):
                raise StoreCorruptError(f"version {record.version} of {stream!r} does not follow on {version - 1}")
        return [record for record in found if start <= record.version and (stop is None or record.version <= stop)]

    def verify(self, stream: str) -> Verification:
        """What is here."""
        with self.transaction():
            self.check(stream)
            for record in self.rows(stream):
                if decode_event(record.data).version != record.version:
                    raise StoreCorruptError(f"version {record.version} of {stream!r} holds another")
            self.commits_of(stream)
            return Verification(stream, *self.tip(stream))

    def erase(self, stream: str, note: str = "") -> None:
        """The base, too."""
        super().erase(stream, note)
        with self.transaction():
            self.sql("DELETE FROM bases WHERE stream = ?", self.key(stream))


class ForgetsBase(TrimmedStore):
    """Drops the beginning, and with it the hash that the rest follows on."""

    def keep_base(self, stream: str, base: Base) -> None:
        """The version alone."""
        super().keep_base(stream, base._replace(chain=GENESIS))


class TrimsKeys(TrimmedStore):
    """Drops every key of the stream."""

    def drop(self, stream: str, version: int) -> None:
        """And those of what stays."""
        super().drop(stream, version)
        self.sql("DELETE FROM commits WHERE stream = ?", self.key(stream))


class TrimsFence(TrimmedStore):
    """Drops whom the stream belongs to."""

    def drop(self, stream: str, version: int) -> None:
        """And its owner."""
        super().drop(stream, version)
        self.sql("DELETE FROM owners WHERE stream = ?", self.key(stream))


class TrimsInSilence(TrimmedStore):
    """Reads on after what is missing, as if nothing was."""

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """From the base on, whatever was asked for."""
        return super().records(stream, max(start, self.base(stream).version + 1), stop)
