"""The file of an account, read in pages. Whatever it says is checked before anybody is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO, Final, NamedTuple

from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import decode_event
from papertrade.errors import StoreCorruptError
from papertrade.ports.store_extras import Commit, Record
from papertrade.records.lines import MAX_LINE, Header, read_commit, read_header, read_record, read_trailer

PAGE: Final = 500  # records put into a store at a time; what one commit id leads to is never cut in two
MAX_PAGE: Final = 100_000  # records of one commit id
MAX_EMPTY: Final = 1_000  # commit ids without records in one place


class Page(NamedTuple):
    """Some records with the commit ids that lead to them, and where they are in the file."""

    first: int
    last: int
    records: list[Record]
    commits: list[Commit]
    offset: int
    hash: bytes  # of the lines, so that a page that is read again is known to be the same


class AccountFile:
    """An account's file, read from its beginning."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start = stream.tell()
        self._number = 0  # of the line
        self._commits: set[str] = set()
        self._until = 0  # the last version that a commit id led to
        self._whole = sha256()
        self.offset = 0
        self.header: Header = read_header(self._checked(self._line(), True))

    def pages(self) -> Iterator[Page]:
        """Every page, checked down to the events; after the last one the end of the file is checked too."""
        chain, version = GENESIS, 0
        while version < self.header.version:
            page = self.page(self.offset, chain, version, first_time=True)
            yield page
            chain, version = page.records[-1].chain, page.last
        self._check_end(chain)

    def page(self, offset: int, chain: str, version: int, first_time: bool = False) -> Page:
        """The page at an offset, which follows on a version and its hash."""
        if not first_time:
            self._stream.seek(self._start + offset)
        self.offset, part = offset, sha256()
        first, until, records, commits = version + 1, version, list[Record](), list[Commit]()
        while True:
            before, line = self.offset, self._line()
            is_commit = line.startswith(b'{"commit":')
            if self._ends(records, version, until, is_commit):
                self._stream.seek(self._start + before)  # it belongs to the next page, or is the end
                self.offset, self._number = before, self._number - 1
                return Page(first, version, records, commits, offset, part.digest())
            part.update(self._checked(line, first_time))
            if is_commit:
                commits.append(self._commit(line, version, first_time))
                until = commits[-1].last
                if len(commits) > len(records) + MAX_EMPTY:
                    raise self._wrong("more commit ids than an account has")
            else:
                version += 1
                record = self._record(line, version, chain, first_time)
                chain = record.chain
                records.append(record)

    def _ends(self, records: list[Record], version: int, until: int, is_commit: bool) -> bool:
        """Whether a page ends before the next line. Keys without records at the end of the file are of the last one."""
        if version == self.header.version:
            return not is_commit
        return len(records) >= PAGE and version >= until

    def _record(self, line: bytes, version: int, chain: str, first_time: bool) -> Record:
        try:
            record = read_record(line, version)
            if link(chain, record.data) != record.chain:
                raise StoreCorruptError(f"version {version} does not have the hash of what is here")
            if first_time:
                event = decode_event(record.data)
                if (event.version, event.account) != (version, self.header.account):
                    raise StoreCorruptError(f"version {version} holds {event!r:.200}")
        except StoreCorruptError as why:
            raise self._wrong(str(why)) from None
        return record

    def _commit(self, line: bytes, version: int, first_time: bool) -> Commit:
        try:
            commit = read_commit(line)
        except StoreCorruptError as why:
            raise self._wrong(str(why)) from None
        if first_time:
            if commit.commit_id in self._commits:
                raise self._wrong(f"commit {commit.commit_id!r:.80} occurs twice")
            most = min(version + MAX_PAGE, self.header.version)
            fits = self._until < commit.first == version + 1 and commit.last <= most
            if not fits:
                raise self._wrong(f"commit {commit.commit_id!r:.80} leads to {commit.first}..{commit.last}")
            self._commits.add(commit.commit_id)
            self._until = commit.last
        return commit

    def _check_end(self, chain: str) -> None:
        """The last line agrees with everything before it, and nothing comes after."""
        found = self._whole.hexdigest()
        try:
            trailer = read_trailer(self._line())
        except StoreCorruptError as why:
            raise self._wrong(str(why)) from None
        said = (trailer.chain, trailer.commits, trailer.records, trailer.sha256)
        if said != (chain, len(self._commits), self.header.version, found) or chain != self.header.chain:
            raise self._wrong("the last line does not agree with those above it")
        if self._stream.read(1):
            raise self._wrong("something comes after the last line")

    def _line(self) -> bytes:
        line = self._stream.readline(MAX_LINE + 1)
        self._number += 1
        self.offset += len(line)
        if not line.endswith(b"\n"):
            raise self._wrong("the line is too long" if len(line) > MAX_LINE else "the file ends in the middle")
        return line

    def _checked(self, line: bytes, count: bool) -> bytes:
        if count:
            self._whole.update(line)
        return line

    def _wrong(self, why: str) -> StoreCorruptError:
        return StoreCorruptError(f"line {self._number} of the file: {why}")
