"""The file of an account: one line of canonical JSON for each thing, so that any tool can read it and none can bend it.

    {"account":"alice","chain":"…","format":"papertrade account","papertrade":"0.1.0","schema":1,"version":2}
    {"commit":"open:alice","first":1,"last":2}
    {"chain":"…","record":{"data":{…},"kind":"account_opened","schema":1},"version":1}
    {"end":{"chain":"…","commits":1,"records":2,"sha256":"…"}}

The record stands in its line byte for byte as it is stored. Its chain hash covers it and all records before it; the
``sha256`` of the last line covers every byte above it, commit ids and header included. A commit id stands before the
records that it leads to. The same account makes the same file, from whichever store it comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from papertrade.codec.canonical import MAX_BYTES, from_bytes, to_bytes
from papertrade.errors import StoreCorruptError
from papertrade.ports.store_extras import Commit, Record

FORMAT: Final = "papertrade account"
SCHEMA: Final = 1
MAX_LINE: Final = MAX_BYTES + 256
MAX_ID: Final = 4096  # bytes of a commit id
_HEX: Final = frozenset("0123456789abcdef")


class Header(NamedTuple):
    """What a file says it holds."""

    account: str
    chain: str
    papertrade: str
    version: int


class Trailer(NamedTuple):
    """What a file says it held."""

    chain: str
    commits: int
    records: int
    sha256: str


def header_line(header: Header) -> bytes:
    """The first line."""
    return to_bytes({"format": FORMAT, "schema": SCHEMA, **header._asdict()}) + b"\n"


def record_line(record: Record) -> bytes:
    """The line of a record, whose bytes are canonical JSON already."""
    return b'{"chain":"%b","record":%b,"version":%d}\n' % (record.chain.encode("ascii"), record.data, record.version)


def commit_line(commit: Commit) -> bytes:
    """The line of a commit id."""
    return to_bytes({"commit": commit.commit_id, "first": commit.first, "last": commit.last}) + b"\n"


def trailer_line(trailer: Trailer) -> bytes:
    """The last line."""
    return to_bytes({"end": trailer._asdict()}) + b"\n"


def read_header(line: bytes) -> Header:
    """The header, or why this is no file of ours."""
    value = _object(line)
    if value.get("format") != FORMAT:
        raise StoreCorruptError("this is not the file of an account")
    schema = value.get("schema")
    if type(schema) is not int or schema != SCHEMA:
        raise StoreCorruptError(f"the file has schema {schema!s:.20}; this version reads {SCHEMA}")
    _keys(value, "account", "chain", "format", "papertrade", "schema", "version")
    found = Header(value["account"], value["chain"], value["papertrade"], value["version"])
    _check(found.account, lambda text: type(text) is str and 0 < len(text) <= 255, "account")
    _check(found.papertrade, lambda text: type(text) is str, "papertrade")
    _check(found.chain, _is_hash, "chain")
    _check(found.version, lambda number: type(number) is int and number > 0, "version")
    return found


def read_record(line: bytes, version: int) -> Record:
    """The record of a version, cut out of its line: there is one way to write the line, so nothing is parsed here."""
    end = b',"version":%d}\n' % version
    chain = line[10:74].decode("ascii", "replace")
    if (line[:10], line[74:85]) != (b'{"chain":"', b'","record":') or not line.endswith(end) or not _is_hash(chain):
        raise StoreCorruptError(f"this is not the line of version {version}")
    return Record(version, chain, line[85 : -len(end)])


def read_commit(line: bytes) -> Commit:
    """A commit id and the versions it leads to."""
    value = _object(line)
    _keys(value, "commit", "first", "last")
    commit_id, first, last = value["commit"], value["first"], value["last"]
    _check(commit_id, lambda text: type(text) is str and len(text) <= MAX_ID, "commit")
    _check(first, lambda number: type(number) is int and number >= 1, "first")
    _check(last, lambda number: type(number) is int and number >= first - 1, "last")
    return Commit(commit_id, first, last)


def read_trailer(line: bytes) -> Trailer:
    """The last line."""
    value = _object(line)
    _keys(value, "end")
    end = value["end"]
    if not isinstance(end, dict):
        raise StoreCorruptError("the last line says nothing")
    _keys(end, "chain", "commits", "records", "sha256")
    found = Trailer(end["chain"], end["commits"], end["records"], end["sha256"])
    _check(found.chain, _is_hash, "chain")
    _check(found.sha256, _is_hash, "sha256")
    _check(found.commits, lambda number: type(number) is int, "commits")
    _check(found.records, lambda number: type(number) is int, "records")
    return found


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line: canonical, of bounded size and depth, no key twice."""
    value = from_bytes(line[:-1])
    if not isinstance(value, dict) or not line.endswith(b"\n"):
        raise StoreCorruptError("a line is not one whole JSON object")
    return value


def _keys(value: dict[str, Any], *names: str) -> None:
    if sorted(value) != sorted(names):
        raise StoreCorruptError(f"a line has other fields than {', '.join(names)}")


def _check(value: object, good: Callable[[Any], bool], name: str) -> None:
    if not good(value):
        raise StoreCorruptError(f"{name} cannot be {value!r:.60}")


def _is_hash(value: object) -> bool:
    return type(value) is str and len(value) == 64 and _HEX.issuperset(value)
