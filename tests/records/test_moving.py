"""An account leaves one store as a file and enters another: the same bytes, keys and hash, or nothing at all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from moved_accounts import STORES, exported, trade

import papertrade as pt
from papertrade.adapters.memory import MemoryStore
from papertrade.codec.chain import GENESIS, link
from papertrade.codec.events import encode_event
from papertrade.errors import (
    InvalidValueError,
    StoreConflictError,
    StoreCorruptError,
    StoreErasedError,
    StoreHistoryError,
    StoreUnavailableError,
    UnknownAccountError,
    UnsupportedError,
)
from papertrade.ports.store import Append, Outcome, Store
from papertrade.ports.store_extras import Commit, Record
from papertrade.records import erase_account, export_account, import_account, reading


@pytest.fixture(params=list(STORES))
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store that accounts can move to."""
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def test_everything_arrives(target: Store) -> None:
    """Events, hash, keys and books are the same in the other store, and the account goes on from there."""
    source = MemoryStore()
    before = trade(source)
    done = import_account(target, io.BytesIO(exported(source)))
    assert list(target.load("alice")) == list(source.load("alice"))
    assert done.chain == target.verify("alice").chain == source.verify("alice").chain
    assert done.added == done.version == target.head("alice")
    broker = trade(target)  # every key is answered, but for the cancels and the waiting orders, which have none
    assert [fill.id for fill in broker.fills()] == [fill.id for fill in before.fills()]
    assert target.find("alice", "order:in-0") == source.find("alice", "order:in-0")


def test_the_file_is_the_same_from_every_store(target: Store) -> None:
    """An account that moved on makes the file that it came in."""
    first = exported_from_memory()
    import_account(target, io.BytesIO(first))
    assert exported(target) == first


def test_every_line_can_be_read_without_papertrade() -> None:
    """Lines of JSON: a header, records with their hashes, keys before the records that they lead to, an end."""
    lines = [json.loads(line) for line in exported_from_memory().splitlines()]
    head, *rest, end = lines
    records = [line for line in rest if "record" in line]
    assert (head["format"], head["account"], head["version"]) == ("papertrade account", "alice", len(records))
    assert [line["version"] for line in records] == list(range(1, len(records) + 1))
    assert records[-1]["chain"] == head["chain"] == end["end"]["chain"]
    assert {line["commit"] for line in rest if "commit" in line} >= {"order:in-0", "order:refused-0"}


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """What cannot be written to its end leaves the old file as it was, and nothing beside it."""
    store = MemoryStore()
    trade(store)
    path = tmp_path / "alice.jsonl"
    export_account(store, "alice", path)
    kept = path.read_bytes()
    assert kept == exported(store)
    with pytest.raises(StoreUnavailableError):
        export_account(_Interrupted(store, after=3), "alice", path)
    assert path.read_bytes() == kept
    assert [found.name for found in tmp_path.iterdir()] == ["alice.jsonl"]


def test_whose_file_it_is(target: Store) -> None:
    """Who names the account gets that one or nothing."""
    with pytest.raises(InvalidValueError, match="alice"):
        import_account(target, io.BytesIO(exported_from_memory()), "bob")
    assert target.streams() == []


def test_unknown_and_erased_accounts(target: Store) -> None:
    """What is not there cannot be exported or erased; what was erased cannot come back under its name."""
    with pytest.raises(UnknownAccountError):
        export_account(target, "alice", io.BytesIO())
    with pytest.raises(UnknownAccountError):
        erase_account(target, "alice")
    file = exported_from_memory()
    import_account(target, io.BytesIO(file))
    erase_account(target, "alice", "on request")
    erase_account(target, "alice")
    with pytest.raises(StoreErasedError, match="on request"):
        import_account(target, io.BytesIO(file))
    assert target.streams() == []


def test_a_store_that_cannot_move_accounts_says_so() -> None:
    """A store with the methods of ``Store`` alone is refused by name."""

    class Plain:
        def head(self, stream: str) -> int:
            return 1

    with pytest.raises(UnsupportedError, match="Plain"):
        export_account(Plain(), "alice", io.BytesIO())  # type: ignore[arg-type]


# -------------------------------------------------------------- again, and beside what is there


def test_interrupted_anywhere_and_run_again(target: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After any number of pages the import can stop; run again it goes on, and the result is the same."""
    monkeypatch.setattr(reading, "PAGE", 4)
    file = exported_from_memory(rounds=3)
    reached = [0]
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            import_account(_Interrupted(target, after=1), io.BytesIO(file))
        reached.append(target.head("alice"))
        assert reached[-1] >= reached[-2] + 4  # a page, and what its last key leads to
    done = import_account(target, io.BytesIO(file))
    assert done.added == done.version - reached[-1] > 0
    assert exported(target) == file
    assert import_account(target, io.BytesIO(file)).added == 0


def test_an_older_file_of_the_same_history_changes_nothing(target: Store) -> None:
    """The store went on since: the file holds nothing new."""
    file = exported_from_memory()
    import_account(target, io.BytesIO(file))
    trade(target, rounds=2)
    head = target.head("alice")
    assert import_account(target, io.BytesIO(file)).added == 0
    assert target.head("alice") == head


@pytest.mark.parametrize("length", [1, 3, 40])
def test_another_history_is_refused(target: Store, length: int) -> None:
    """Another account of the same name stays as it is, shorter or longer than the file."""
    other = MemoryStore()
    exchange = pt.Exchange(other, clock="data")
    account = exchange.open_account("alice", cash=5)
    for _ in range(length):
        account.deposit(1)
    import_account(target, io.BytesIO(exported(other)))
    before = exported(target)
    with pytest.raises(StoreHistoryError, match="events"):
        import_account(target, io.BytesIO(exported_from_memory()))
    assert exported(target) == before


def test_other_keys_are_another_history(target: Store) -> None:
    """The same events under another key: a repeated command would be answered differently."""
    source, other = MemoryStore(), MemoryStore()
    trade(source)
    other.append(Append("alice", 0, list(source.load("alice", 1, 2)), "mine"))
    import_account(target, io.BytesIO(exported(other)))
    with pytest.raises(StoreHistoryError, match="commit ids"):
        import_account(target, io.BytesIO(exported(source)))


def test_somebody_else_writes_meanwhile(target: Store) -> None:
    """A conflict is said, and nothing is overwritten."""
    with pytest.raises(StoreConflictError):
        import_account(_Interrupted(target, after=0, rival=True), io.BytesIO(exported_from_memory()))
    assert target.head("alice") == 1


def test_a_file_that_changes_while_it_is_read(target: Store) -> None:
    """What was not checked is not stored."""
    file = exported_from_memory()

    class Turncoat(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            if line.startswith(b'{"end"'):
                self.getbuffer()[file.index(b"gift")] = ord("l")
            return line

    with pytest.raises(StoreCorruptError, match="changed while"):
        import_account(target, Turncoat(file))
    assert target.streams() == []


# ------------------------------------------------------------------ old schemas


def test_old_records_stay_as_they_are(target: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of an old schema is lifted when it is read; its bytes, its hash and its file keep the old form."""
    from papertrade.codec import events as codec

    source = MemoryStore()
    broker = pt.open_paper_broker(cash=5, account="alice", store=source, clock="data")
    stored = [encode_event(event) for event in broker.events()]
    old = [data.replace(b'"note":', b'"memo":') for data in stored]  # what schema 1 called it, in this test
    assert old[0] == stored[0]
    assert old[1] != stored[1]
    chain, records = GENESIS, list[Record]()
    for version, data in enumerate(old, 1):
        chain = link(chain, data)
        records.append(Record(version, chain, data))
    monkeypatch.setitem(codec.LATER, "cash_deposited", 2)
    monkeypatch.setattr(codec, "_BY_END", {})  # the quick reader knows the newest schema only
    monkeypatch.setitem(codec.UPCASTERS, ("cash_deposited", 1), _renamed)
    target.put_records("alice", 0, records, [Commit("open:alice", 1, 2)])  # type: ignore[attr-defined]
    assert list(target.load("alice")) == list(broker.events())
    assert target.verify("alice").chain == chain
    file = exported(target)
    assert old[1] in file
    other = MemoryStore()
    import_account(other, io.BytesIO(file))
    assert exported(other) == file
    for fields in (b"[]", b"null", b"{}", b'"memo"', b'{"memo":1}'):  # an upcaster meets whatever was stored
        with pytest.raises(StoreCorruptError, match="cash_deposited cannot be read"):
            codec.decode_event(b'{"data":' + fields + b',"kind":"cash_deposited","schema":1}')


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    """From schema 1 to 2: a memo is called note."""
    fields = dict(fields.items())
    fields["note"] = fields.pop("memo")
    return fields


# ------------------------------------------------------------------ helpers


def exported_from_memory(rounds: int = 1) -> bytes:
    """The same small account every time."""
    store = MemoryStore()
    trade(store, rounds=rounds)
    return exported(store)


class _Interrupted:
    """A store on which moving fails after some steps, or on which somebody else is quicker."""

    def __init__(self, store: Any, after: int, rival: bool = False) -> None:
        self._store, self._after, self._rival = store, after, rival

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _step(self) -> None:
        self._after -= 1
        if self._after < 0 and not self._rival:
            raise StoreUnavailableError("the power is off")

    def records(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Record]:
        for record in self._store.records(stream, start, stop):
            self._step()
            yield record

    def commits(self, stream: str, start: int = 1, stop: int | None = None) -> Iterator[Commit]:
        return iter(self._store.commits(stream, start, stop))

    def put_records(
        self, stream: str, expected: int, records: Sequence[Record], commits: Sequence[Commit] = ()
    ) -> Outcome:
        self._step()
        if self._rival:
            self._store.put_records(stream, 0, records[:1], ())
        return self._store.put_records(stream, expected, records, commits)  # type: ignore[no-any-return]

    def erase(self, stream: str, note: str = "") -> None:
        self._store.erase(stream, note)
