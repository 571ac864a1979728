"""What a store can do beyond keeping journals: be owned by a worker, be moved and erased, be followed, be queried.

A host asks by ``isinstance(store, Fencing)`` and says ``UnsupportedError`` when the answer is no. Every store that
ships with papertrade can do all of it, but for ``Trimming``, which is for stores of the trading day, and ``Tabled`` and
``Comparing``, which are for SQL databases. The methods raise ``StoreError`` as those of ``Store`` do, and retry
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from papertrade.ports.store import Outcome

if TYPE_CHECKING:
    from papertrade.domain.rows import WalletRow


class Record(NamedTuple):
    """One event as it is stored: bytes that were never rewritten, and the hash of the stream after them."""

    version: int
    chain: str
    data: bytes


class Commit(NamedTuple):
    """A commit id and the versions that it stored; an empty batch ends before it begins."""

    commit_id: str
    first: int
    last: int


@runtime_checkable
class Fencing(Protocol):
    """A stream can belong to one worker at a time, so that one who woke up late cannot write any more.

    Fences of a stream count up and are never given twice. While a stream is taken, an append must carry the latest
    fence; any other, and none at all, is a ``StoreFencedError``. While it is not taken, an append without a fence goes
    through, and one with a fence is a ``StoreFencedError`` too: its worker gave the stream up, or lost it. A commit id
    that was stored is answered first, whatever the fence: it is the truth. A stream can be taken before it exists.
    """

    def take(self, stream: str) -> int:
        """Own a stream from now on: the fence for its appends. Whoever owned it before is fenced off."""
        ...

    def release(self, stream: str, fence: int) -> None:
        """Give a stream up; a fence that does not own it any more is ignored."""
        ...


@runtime_checkable
class Moving(Protocol):
    """A stream can leave and enter as the bytes that are stored, so that its hash is the same everywhere."""

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        """The stored records from ``start`` to ``stop`` (both included), in order, each checked against its hash."""
        ...

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        """The commit ids whose last version is in a range, in the order of their versions."""
        ...

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        """Append records with their commit ids, all or nothing, at the version that the stream must be at.

        The chain of each record must follow on the stream's own, its bytes must be an event of this stream and
        version, and the commits must lead to these records, in order and apart: else a ``StoreCorruptError``, and
        nothing is stored. A fence does not apply. The same records again, at their versions, are ``AlreadyAppended``.
        """
        ...

    def erase(self, stream: str, note: str = "") -> None:
        """Delete everything of a stream for good, leaving a tombstone: its name cannot be used again.

        Afterwards every read and write of the name is a ``StoreErasedError``, except ``erase`` itself, which is fine to
        repeat, and ``streams``, which does not list it. A stream that never existed can be erased too.
        """
        ...


@runtime_checkable
class Waiting(Protocol):
    """Another process can wait for what is appended here."""

    def wait(self, stream: str, after: int, timeout_s: float) -> int:
        """Wait until a stream is past a version, or until the time is over; answers the version it is at."""
        ...


class Base(NamedTuple):
    """Where a trimmed stream begins: the last version that is not here, and the hash of the stream up to it."""

    version: int
    chain: str


@runtime_checkable
class Trimming(Protocol):
    """A stream can lose its beginning once that is kept elsewhere: the head, the chain and the fence stay.

    What was dropped is not passed over in silence: ``load`` and ``records`` of a range that begins at or before the
    base, and ``chain_at`` before it, are a ``StoreTrimmedError``; a reader who is content with less asks ``base`` and
    begins after it. ``verify`` begins at the base. A commit id whose last version was dropped is not found any more:
    who keeps the archive looks there before an append that has one.
    """

    def base(self, stream: str) -> Base:
        """Where a stream begins: version 0 unless it was trimmed or seeded."""
        ...

    def trim(self, stream: str, version: int) -> None:
        """Drop records up to a version, their commit ids, and a snapshot older than that. Dropping again is fine.

        The commit id of an empty batch that stands right behind the version is kept: one may be stored there at any
        moment, and whoever archived what is before it has not seen it.

        A version that the stream does not have is a ``StoreCorruptError``, and nothing is dropped.
        """
        ...

    def seed(self, stream: str, version: int, chain: str) -> None:
        """Begin a stream that is not here at a version, without what came before it.

        A stream that is here and has this version with this chain stays as it is; with another chain, or without the
        version, it is a ``StoreCorruptError``; if the version was trimmed since, a ``StoreTrimmedError``.
        """
        ...


class Tabling(NamedTuple):
    """How far the tables of a stream are kept, and the last of its days."""

    version: int  # 0: nothing is in them
    form: int  # of rows.ROWS_FORM
    wallet: WalletRow | None


class Search(NamedTuple):
    """A question to one table of one stream: which rows, as the journal has them or newest first, and what of them."""

    table: str  # orders, fills, entries or equity_points
    stream: str
    answer: str  # the column whose values are wanted, each once
    among: Sequence[tuple[str, Sequence[str]]] = ()  # column, values of which it must have one
    tags: Sequence[tuple[str, str]] = ()  # name and text, all of them; orders only
    since_ns: int | None = None
    until_ns: int | None = None  # not included
    after: tuple[int, int] | None = None  # where the last row that was seen stands in that order
    limit: int = 100
    newest_first: bool = False


@runtime_checkable
class Tabled(Protocol):
    """History as rows of SQL tables, written in the transaction of the events that made them.

    ``Append.rows`` begins with a ``rows.Upto``, and the rows that follow replace those of the same keys. They are taken
    only when the tables are kept up to the version that the append expects: after an append without rows the tables
    stay behind the stream until ``put_rows`` brings them up. Whoever erases a stream empties its tables too.
    """

    wants_rows: bool
    """Is it worth computing rows for this store?"""

    def tabled(self, stream: str) -> Tabling:
        """How far the tables of a stream are kept."""
        ...

    def put_rows(self, stream: str, kept: Tabling, rows: Sequence[object], anew: bool = False) -> bool:
        """Bring up tables that are still kept as ``tabled`` said; else False, and nothing is written.

        ``anew`` deletes the rows that the stream has, first and in the same transaction.
        """
        ...

    def search(self, query: Search) -> list[str | int]:
        """The values of a column in the order that is asked for: by instant, then by number (orders) or version."""
        ...


class Compared(NamedTuple):
    """How far the tables of a stream are kept, which rows are not as they should be, and how many rows there are."""

    version: int
    form: int
    wrong: Sequence[str]  # a sentence for each row that differs or is missing
    counts: Mapping[str, int]  # by table, where that was asked for


@runtime_checkable
class Comparing(Protocol):
    """Tables of history can be held against what a journal comes to."""

    def compare_rows(self, stream: str, rows: Sequence[object], counted: bool = False) -> Compared:
        """Look for rows as they are given here, all at one moment; nothing is written."""
        ...

    def strange_rows(self) -> list[str]:
        """What is wrong with the tables as a whole: rows of accounts without a journal, rows that no index has."""
        ...


EXTRAS: Final = (
    "take", "release", "records", "commits", "put_records", "erase", "wait", "base", "trim", "seed",
    "wants_rows", "tabled", "put_rows", "search", "compare_rows", "strange_rows",
)  # fmt: skip
"""What these protocols ask for. A store in front of another has to have them as attributes of its own: from Python 3.12

on, ``isinstance`` does not ask ``__getattr__``.
"""
