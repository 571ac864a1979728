"""G16 for exported files: whatever happens to a file on its way is noticed, and nothing of it is stored."""

from __future__ import annotations

import io
from collections.abc import Iterator
from hashlib import sha256

import pytest
from moved_accounts import exported, trade

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.canonical import MAX_BYTES
from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import encode_event
from papertrade.errors import StoreCorruptError
from papertrade.ports.store_extras import Commit, Record
from papertrade.records import import_account
from papertrade.records.lines import Header, Trailer, commit_line, header_line, record_line, trailer_line


def small() -> bytes:
    """An account of a few events."""
    store = MemoryStore()
    broker = pt.open_paper_broker(cash=1_000, account="alice", store=store, clock="data")
    broker.on_quote("AAPL", bid="187.10", ask="187.14", at="2026-01-05T15:00:00Z")
    broker.buy("AAPL", 1, client_order_id="in")
    broker.deposit(5, command_id="gift")
    return exported(store)


FILE = small()
LINES = FILE.splitlines(keepends=True)


def refused(file: bytes) -> bool:
    """Is a file reported as corrupt, with nothing of it stored? Any other error is a failure of the test."""
    store = MemoryStore()
    try:
        import_account(store, io.BytesIO(file))
    except StoreCorruptError:
        return store.streams() == []
    return False


def test_the_file_itself_is_fine() -> None:
    """The control."""
    store = MemoryStore()
    assert import_account(store, io.BytesIO(FILE)).version == len(list(store.load("alice"))) == 6
    assert len(LINES) == 1 + 6 + 2 + 1


@pytest.mark.parametrize("bit", [1, 4, 32, 128])
def test_every_flipped_byte(bit: int) -> None:
    """One bit of any byte, line ends included."""
    for place in range(len(FILE)):
        assert refused(FILE[:place] + bytes([FILE[place] ^ bit]) + FILE[place + 1 :]), place


def test_every_truncation() -> None:
    """Cut anywhere, down to the empty file."""
    for end in range(len(FILE)):
        assert refused(FILE[:end]), end


def test_every_byte_left_out_or_doubled() -> None:
    """One byte less, one byte more."""
    for place in range(len(FILE)):
        assert refused(FILE[:place] + FILE[place + 1 :]), place
        assert refused(FILE[:place] + FILE[place : place + 1] + FILE[place:]), place


def line_changes() -> Iterator[tuple[str, list[bytes]]]:
    for i in range(len(LINES)):
        yield f"without {i}", LINES[:i] + LINES[i + 1 :]
        yield f"{i} twice", LINES[: i + 1] + LINES[i:]
        for j in range(i + 1, len(LINES)):
            swapped = LINES.copy()
            swapped[i], swapped[j] = swapped[j], swapped[i]
            yield f"{i} and {j} swapped", swapped
            yield f"{i} after {j}", [*LINES[:i], *LINES[i + 1 : j + 1], LINES[i], *LINES[j + 1 :]]


def test_every_line_dropped_doubled_swapped_or_moved() -> None:
    """The same lines in any other order or number."""
    changes = [(name, b"".join(lines)) for name, lines in line_changes()]
    assert len(changes) > 100
    for name, file in changes:
        assert file == FILE or refused(file), name


def test_lines_of_another_account() -> None:
    """Each line of one file in the place of that of another."""
    store = MemoryStore()
    trade(store)
    other = exported(store).splitlines(keepends=True)
    for i, line in enumerate(other[: len(LINES)]):
        if line != LINES[i]:
            assert refused(b"".join([*LINES[:i], line, *LINES[i + 1 :]])), i


# ------------------------------------------- files that somebody made with care, hashes and all


def forged(
    records: list[bytes], commits: list[Commit] | None = None, account: str = "alice", version: int | None = None
) -> bytes:
    """A file whose every hash is right, whatever it holds."""
    chain, lines, stored = GENESIS, list[bytes](), list[Record]()
    for number, data in enumerate(records, 1):
        chain = link(chain, data)
        stored.append(Record(number, chain, data))
    lines.append(header_line(Header(account, chain, "0.1.0", len(records) if version is None else version)))
    waiting = list(commits or [])
    for record in stored:
        while waiting and waiting[0].first <= record.version:
            lines.append(commit_line(waiting.pop(0)))
        lines.append(record_line(record))
    lines += map(commit_line, waiting)
    whole = sha256(b"".join(lines)).hexdigest()
    lines.append(trailer_line(Trailer(chain, len(commits or []), len(records), whole)))
    return b"".join(lines)


def good() -> list[bytes]:
    store = MemoryStore()
    import_account(store, io.BytesIO(FILE))
    return [encode_event(event) for event in store.load("alice")]


def test_the_forger_can_forge() -> None:
    """The control: made with care from good records, a file is taken."""
    assert not refused(forged(good(), [Commit("a", 1, 2), Commit("none", 3, 2), Commit("b", 3, 6), Commit("c", 7, 6)]))


RECORDS = {
    "none": list,
    "no event": lambda: [b"{}"],
    "deep": lambda: [b"{" + b'"a":{' * 30_000 + b"}" * 30_001],
    "key twice": lambda: [good()[0].replace(b'"kind"', b'"kind":"account_opened","kind"')],
    "another account": lambda: [good()[0].replace(b"alice", b"bobby")],
    "out of order": lambda: [good()[1], good()[0]],
    "a gap": lambda: [good()[0], good()[2]],
    "spaces": lambda: [good()[0].replace(b":", b": ", 1)],
    "newer schema": lambda: [good()[0].replace(b'"schema":1', b'"schema":2')],
    "unknown kind": lambda: [good()[0].replace(b"account_opened", b"account_hacked")],
    "too long": lambda: [b'{"a":"' + b"x" * MAX_BYTES + b'"}'],
    "closes its line": lambda: [good()[0] + b',"version":1}\n{"chain":"x","record":{}'],
}


@pytest.mark.parametrize("name", list(RECORDS))
def test_records_that_are_none(name: str) -> None:
    """What decodes to no event of this account and version is refused, whatever its hashes say."""
    assert refused(forged(RECORDS[name]()))


COMMITS = {
    "twice": [Commit("a", 1, 2), Commit("a", 3, 5)],
    "overlapping": [Commit("a", 1, 2), Commit("b", 2, 5)],
    "beyond the end": [Commit("a", 1, 7)],
    "far beyond the end": [Commit("a", 1, 2**60)],
    "backwards": [Commit("a", 4, 2)],
    "from nothing": [Commit("a", 0, 2)],
    "no text": [Commit(5, 1, 2)],  # type: ignore[arg-type]
    "long": [Commit("x" * 5_000, 1, 2)],
    "true": [Commit("a", True, 2)],
    "many without records": [Commit(str(i), 1, 0) for i in range(1_002)],
}


@pytest.mark.parametrize("name", list(COMMITS))
def test_keys_that_lead_elsewhere(name: str) -> None:
    """Each key is there once and leads to events that no other key leads to."""
    assert refused(forged(good(), COMMITS[name]))


@pytest.mark.parametrize("version", [0, -1, 1, 5, 7, 10**15, True, 6.0, "6"])
def test_counts_that_are_wrong(version: object) -> None:
    """A header that promises another number of events, or no number."""
    assert refused(forged(good(), version=version))  # type: ignore[arg-type]


@pytest.mark.parametrize("account", ["", "a" * 256, 5, None, ["alice"]])
def test_accounts_that_are_none(account: object) -> None:
    """A header without a usable name."""
    assert refused(forged(good(), account=account))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "file",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"\x00" * 100,
        b"SQLite format 3\x00" + b"\x00" * 84,
        b"\xef\xbb\xbf" + FILE,
        FILE.replace(b"\n", b"\r\n"),
        FILE + b"\n",
        FILE + FILE,
        b"x" * (2 * MAX_BYTES),
        b"[" * 60_000 + b"\n",
        FILE.replace(b'"schema":1,"version":6', b'"schema":2,"version":6', 1),
        FILE.replace(b'"papertrade":"', b'"papertrade":"","papertrade":"', 1),
        FILE.replace(b'"papertrade account"', b'"papertrade accounts"', 1),
    ],
    ids=range(15),
)
def test_files_that_are_none(file: bytes) -> None:
    """Other people's files, and ours made over by a tool that meant well."""
    assert refused(file)


def test_a_newer_file_is_named() -> None:
    """A file of a later papertrade says so, instead of looking damaged."""
    with pytest.raises(StoreCorruptError, match="schema 2; this version reads 1"):
        import_account(MemoryStore(), io.BytesIO(FILE.replace(b'"schema":1,"version":6', b'"schema":2,"version":6', 1)))


def test_where_the_damage_is() -> None:
    """The line is named."""
    with pytest.raises(StoreCorruptError, match="line 3 of the file"):
        import_account(MemoryStore(), io.BytesIO(b"".join([*LINES[:2], LINES[2].replace(b"USD", b"EUR"), *LINES[3:]])))
