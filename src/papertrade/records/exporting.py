"""An account leaves its store as one file, which says by itself whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from typing import BinaryIO, NamedTuple

from papertrade.codec.chain import GENESIS, link
from papertrade.errors import StoreCorruptError
from papertrade.ports.store import Store
from papertrade.ports.store_extras import Commit, Moving
from papertrade.records.lines import Header, Trailer, commit_line, header_line, record_line, trailer_line
from papertrade.records.support import Target, known_head, moving, written_whole


class Exported(NamedTuple):
    """What went into the file. Who notes the chain hash elsewhere can tell later whether it is still the same file."""

    account: str
    version: int
    chain: str
    commits: int
    size: int


def export_account(store: Store, account: str, target: Target) -> Exported:
    """Write an account, as it stands now, to a file or a binary stream.

    The account may go on trading: what comes later is not in the file. A file of the same name is replaced, once the
    new one is complete and on the disk.

    >>> import io, papertrade as pt
    >>> store = pt.open_store("memory:")
    >>> broker = pt.open_paper_broker(cash=1_000, store=store, clock="data")
    >>> export_account(store, "main", io.BytesIO()).version
    2
    """
    source = moving(store)
    head = known_head(store, account)
    chain = store.chain_at(account, head)
    with written_whole(target) as stream:
        return _write(source, Header(account, chain, _version(), head), stream)


def _write(source: Moving, header: Header, stream: BinaryIO) -> Exported:
    whole, size, commits, chain, at = sha256(), 0, 0, GENESIS, 0
    waiting = _in_order(source.commits(header.account, 0, header.version))
    commit = next(waiting, None)

    def put(line: bytes) -> None:
        nonlocal size
        whole.update(line)
        size += len(line)
        stream.write(line)

    put(header_line(header))
    for record in source.records(header.account, 1, header.version):
        while commit is not None and commit.first <= record.version:
            put(commit_line(commit))
            commits, commit = commits + 1, next(waiting, None)
        chain, at = link(chain, record.data), at + 1
        if (record.version, record.chain) != (at, chain):
            raise StoreCorruptError(f"version {at} of {header.account!r} does not follow on what is before it")
        put(record_line(record))
    while commit is not None:
        put(commit_line(commit))
        commits, commit = commits + 1, next(waiting, None)
    if (at, chain) != (header.version, header.chain):
        raise StoreCorruptError(f"{header.account!r} ends at version {at}, and its store says {header.version}")
    put(trailer_line(Trailer(chain, commits, at, whole.hexdigest())))
    return Exported(header.account, at, chain, commits, size)


def _in_order(commits: Iterator[Commit]) -> Iterator[Commit]:
    """Commit ids that end at one version, in an order that does not depend on the store."""
    for _, same in groupby(commits, key=lambda commit: commit.last):
        yield from sorted(same, key=lambda commit: (commit.first, commit.commit_id))


def _version() -> str:
    """Of papertrade, for people who wonder what wrote a file."""
    try:
        return version("papertrade-core")
    except PackageNotFoundError:  # run from a checkout that nobody installed
        return "unknown"
