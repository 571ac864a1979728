"""The digest covers every field, and a snapshot is only ever an accelerator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from papertrade.adapters.memory import MemoryStore
from papertrade.codec.canonical import from_bytes, to_bytes
from papertrade.codec.events import decode_event
from papertrade.domain.events import Event
from papertrade.domain.orders import Order, OrderTerms
from papertrade.domain.position_keys import position_key
from papertrade.domain.positions import Lot
from papertrade.domain.words import OrderStatus, OrderType, TimeInForce
from papertrade.engine.evolve import evolve, fold
from papertrade.engine.snapshot import digest, forgets, restore, snapshot
from papertrade.engine.state import SNAPSHOT_FIELDS, AccountState, Squared
from papertrade.errors import StoreConflictError, StoreCorruptError, StoreTrimmedError
from papertrade.exchange import Exchange
from papertrade.ledger.days import DAY_FIELDS, DaySums
from papertrade.ledger.positions import PositionState, Unvalued
from papertrade.ledger.settling import Settling, Unpaid, Violated
from papertrade.ports.store import StoredSnapshot

OLD = Path(__file__).parents[1] / "golden" / "old"
KEY = position_key("AAPL", "MIS")
VOLATILE = {"committed", "finished", "holdings"}


@pytest.fixture(scope="module")
def log() -> ModuleType:
    """The command log of the determinism tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "properties"))
        import command_log

    return command_log


@pytest.fixture(scope="module")
def journals(log: ModuleType) -> dict[str, list[Event]]:
    """Both journals of the log, through their bytes."""
    player = log.play()
    return {who: [decode_event(data) for data in player.journal(who)] for who in player.brokers}


# -------------------------------------------------------- every field counts

TERMS = OrderTerms("AAPL", 1, OrderType.STOP_LIMIT, 5, 6, 7, 8, TimeInForce.GTD, 9, False, True, 3, "k", (("a", "b"),))
ORDER_VALUES: dict[str, Any] = {
    "account": "main", "terms": TERMS, "status": OrderStatus.TRIGGERED, "reason": None, "numbers": (("required", 5),),
}  # fmt: skip


def rich_order() -> Order:
    order = Order.__new__(Order)
    for number, name in enumerate(Order.__slots__, 11):
        setattr(order, name, ORDER_VALUES.get(name, number))
    return order


def rich_position() -> PositionState:
    position = PositionState("AAPL", "MIS")
    for number, name in enumerate(PositionState.__slots__, 31):
        if name not in ("symbol", "product", "lots"):
            setattr(position, name, number)
    position.lots = (Lot(1, 2, 3, 4), Lot(5, 6, 7, 8))
    return position


def rich_day() -> DaySums:
    day = DaySums.__new__(DaySums)
    for number, name in enumerate(DAY_FIELDS, 101):
        setattr(day, name, number)
    day.balances = (("assets:cash", 121), ("income:realized", 122))
    return day


def rich_state() -> AccountState:
    """A state in which no field has its default value, and none the value of another."""
    state = AccountState()
    for number, name in enumerate(SNAPSHOT_FIELDS, 51):
        old = getattr(state, name)
        if type(old) is int:
            setattr(state, name, number)
        elif type(old) is str:
            setattr(state, name, f"text {number}")
    order = rich_order()
    state.orders = {order.number: order}
    state.positions = {KEY: rich_position()}
    state.books = {"assets:cash": 5, "assets:holds": -5}
    state.latches = ("kill_switch",)
    state.squared = (Squared("XNYS", "warned", 49, "MIS"),)
    state.settling = (Settling(81, "AAPL", "2026-01-05", 82, 83, 84), Settling(85, "MSFT", "2026-01-06", 86, 87, 88))
    state.unpaid = (Unpaid(71, "AAPL", 72, 73), Unpaid(74, "MSFT", 75, 76))
    state.violated = (Violated("2026-01-04", 77), Violated("2026-01-05", 78))
    state.margin_call = True
    state.today = rich_day()
    state.unvalued = (Unvalued("AAPL", 91, 92, 97, 93, True, False), Unvalued("MSFT", 94, 95, 98, 96, False, True))
    return state


def other(value: Any) -> Iterator[Any]:
    """Values that differ from one in a single place; one for each place."""
    if isinstance(value, OrderType | TimeInForce | OrderStatus):
        yield next(word for word in type(value) if word is not value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 10**9, -value)
    elif isinstance(value, str):
        yield value + "x"
    elif isinstance(value, DaySums):
        yield None  # each of its fields has a case of its own
    elif value is None:
        yield from ("x", "")
    elif isinstance(value, tuple) and hasattr(value, "_replace"):
        for name in value._fields:
            yield from (value._replace(**{name: changed}) for changed in other(getattr(value, name)))
    elif isinstance(value, tuple):
        if not (len(value) == 2 and isinstance(value[0], str)):  # a pair stays a pair
            yield from (value[:-1], (*value, value[-1]), value[::-1])
        for place, part in enumerate(value):
            yield from ((*value[:place], changed, *value[place + 1 :]) for changed in other(part))
    elif isinstance(value, dict):
        for name, part in value.items():
            yield {n: p for n, p in value.items() if n != name}
            if isinstance(part, int):
                yield from ({**value, name: changed} for changed in other(part))
                yield {**{n: p for n, p in value.items() if n != name}, name + "x": part}
    else:
        raise TypeError(f"no other value is known for {value!r}: teach this test the new kind of field")


def cases() -> Iterator[tuple[str, Callable[[AccountState], list[Any]], str]]:
    """(what, where it is in a state, field) for each field of each object that a state consists of."""
    yield from (("account", lambda state: [state], name) for name in SNAPSHOT_FIELDS)
    yield from (("order", lambda state: list(state.orders.values()), name) for name in Order.__slots__)
    yield from (("day", lambda state: [state.today], name) for name in DAY_FIELDS)
    yield from (("position", lambda state: list(state.positions.values()), name) for name in PositionState.__slots__)


CASES = list(cases())


@pytest.mark.parametrize(("what", "where", "name"), CASES, ids=[f"{what}.{name}" for what, _, name in CASES])
def test_each_field_changes_the_digest(what: str, where: Callable[[AccountState], list[Any]], name: str) -> None:
    """E11: changing any one field of any state object, terms and lots included, changes the digest."""
    seen = {digest(rich_state())}
    value = getattr(where(rich_state())[0], name)
    changes = [changed for changed in other(value) if changed != value]
    assert changes
    for change in changes:
        state = rich_state()
        setattr(where(state)[0], name, change)
        found = digest(state)
        assert found not in seen, f"{what}.{name} = {change!r} leaves no trace"
        seen.add(found)


def test_only_volatile_fields_are_left_out() -> None:
    """A new slot of the state is in the snapshot, or it is named here as volatile."""
    assert set(AccountState.__slots__) == set(SNAPSHOT_FIELDS) | VOLATILE
    state = rich_state()
    before = digest(state)
    state.committed, state.finished = 7, [rich_order()]
    assert digest(state) == before


def test_rich_state_comes_back_whole() -> None:
    """Every field of every object survives a snapshot, with its type, and in no particular order of writing."""
    state = rich_state()
    again = restore(snapshot(state))
    for name in SNAPSHOT_FIELDS:
        if name not in ("positions", "today"):
            assert getattr(again, name) == getattr(state, name), name
    for name in PositionState.__slots__:
        assert getattr(again.positions[KEY], name) == getattr(state.positions[KEY], name), name
    for name in DAY_FIELDS:
        assert getattr(again.today, name) == getattr(state.today, name), name
    assert again.committed == state.version
    state.books = dict(reversed(state.books.items()))
    assert digest(state) == digest(again)


# ------------------------------------------------------ snapshot + tail = fold


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_snapshot_at_every_point_plus_tail_is_the_fold(journals: dict[str, list[Event]], who: str) -> None:
    """E4: wherever a snapshot is taken, what is folded onto it leads to the same state, and so do its own bytes."""
    events = journals[who]
    whole = digest(fold(AccountState(), events))
    state = AccountState()
    for number, event in enumerate(events, 1):
        evolve(state, event)
        state.finished.clear()
        kept = snapshot(state)
        again = restore(kept)
        assert snapshot(again) == kept
        if number % 7 == 0 or number > len(events) - 5:
            assert digest(fold(again, events[number:])) == whole


def test_opening_from_a_snapshot_is_opening_from_the_journal(log: ModuleType) -> None:
    """Two exchanges opened on one store, one with a snapshot and one without, go on alike to the last byte."""
    commands = log.commands()
    results = []
    for with_snapshot in (False, True):
        store = MemoryStore()
        first = log.Player(store=store)
        for command in commands[:90]:
            first.give(command)
        if with_snapshot:
            for who in ("alice", "bob"):
                first.exchange.account(who).snapshot()
                assert store.get_snapshot(who) is not None
        second = log.Player(store=store)
        second._placed = first._placed
        for who in ("alice", "bob"):
            assert second.brokers[who].digest() == first.brokers[who].digest()
            assert second.brokers[who].orders() == first.brokers[who].orders()
        for command in commands[90:]:
            second.give(command)
        results.append(log.fingerprint(second))
    assert results[0] == results[1]


def test_opening_makes_no_decision(log: ModuleType) -> None:
    """M7: opening an account again writes nothing and fills nothing."""
    store = MemoryStore()
    first = log.Player(store=store)
    for command in log.commands()[:120]:
        first.give(command)
    before = {who: first.journal(who) for who in first.brokers}
    for _ in range(2):
        again = log.Player(store=store)
        assert {who: again.journal(who) for who in again.brokers} == before


# ------------------------------------------------------------------ damage


def damaged() -> Iterator[tuple[str, Any]]:
    good = from_bytes(snapshot(rich_state()))
    for part in good:
        yield f"without {part}", to_bytes({n: v for n, v in good.items() if n != part})
        for value in (None, 5, "", "x", [], {}, [[]], [None], {"a": None}, True):
            if value != type(good[part])():
                yield f"{part} {value!r}", to_bytes({**good, part: value})
    for part in ("orders", "positions", "unvalued"):
        for name in good[part][0]:
            for value in ({}, "no", 10**20 // 10**4, [5]):
                record = {**good[part][0], name: value}
                yield f"{part}.{name} {value!r}", to_bytes({**good, part: [record]})
    for part in ("orders", "positions"):
        twice = [good[part][0], good[part][0]]
        yield f"{part} twice", to_bytes({**good, part: twice})
    later = {**good["positions"][0], "symbol": "ZZZZ"}
    yield "positions out of order", to_bytes({**good, "positions": [later, good["positions"][0]]})
    later = {**good["orders"][0], "number": good["orders"][0]["number"] + 1}
    yield "orders out of order", to_bytes({**good, "orders": [later, good["orders"][0]]})
    yield "another part", to_bytes({**good, "more": []})
    yield "schema 1 with what came later", to_bytes({**good, "schema": 1})
    yield "schema 2 with what came later", to_bytes({**good, "schema": 2})
    yield "schema 4 with what came later", to_bytes({**good, "schema": 4})
    yield "schema 5 with what came later", to_bytes({**good, "schema": 5})
    yield "schema 6 with what came later", to_bytes({**good, "schema": 6})
    yield "schema 7 with what came later", to_bytes({**good, "schema": 7})
    yield "schema 8 with what came later", to_bytes({**good, "schema": 8})
    yield "schema 10", to_bytes({**good, "schema": 10})
    yield "list", b"[]"
    yield "empty", b""
    yield "books of numbers", to_bytes({**good, "books": {"a": 1}})


def test_damaged_snapshots_are_corrupt_or_spelled_out() -> None:
    """A snapshot that is not one is StoreCorruptError; one that reads is written again as the same bytes."""
    refused = 0
    for what, data in damaged():
        try:
            state = restore(data)
        except StoreCorruptError:
            refused += 1
            continue
        assert snapshot(state) == data, what
    assert refused > 100
    kept = snapshot(rich_state())
    for end in range(0, len(kept), 7):
        with pytest.raises(StoreCorruptError):
            restore(kept[:end])


def counted_apart(state: AccountState) -> str:
    """The digest without what the open day has come to and without last prices, which old snapshots do not have."""
    state.today = None
    return unpriced(state)


def unpriced(state: AccountState) -> str:
    """The digest without last prices."""
    for position in state.positions.values():
        position.mark_units = position.marked_ns = None
    return digest(state)


def test_a_snapshot_of_schema_5_counts_from_itself() -> None:
    """It does not say what its day had come to; a host folds the journal instead, if it has all of it."""
    journal = [decode_event(line) for line in (OLD / "journal_5.jsonl").read_bytes().splitlines()]
    stored = (OLD / "snapshot_5.json").read_bytes()
    state, folded = restore(stored), fold(AccountState(), journal)
    assert forgets(stored)
    assert not forgets(snapshot(folded))
    assert state.today is not None
    assert folded.today is not None
    assert (state.today.turnover_units, state.today.opening_cash) == (0, state.total)
    assert (folded.today.turnover_units, folded.today.began_ns) == (1_000 * 10**9, journal[2].at_ns)
    assert counted_apart(state) == counted_apart(folded)


class Archived(MemoryStore):
    """A store without the beginning of its journals."""

    base = 0

    def load(self, stream: str, first: int = 1, last: int | None = None) -> Iterator[Event]:
        if first <= self.base:
            raise StoreTrimmedError(stream, first, self.base)
        return super().load(stream, first, last)


@pytest.mark.parametrize("kept", ["whole", "trimmed"])
def test_an_old_snapshot_is_passed_by_unless_the_journal_is_trimmed(kept: str) -> None:
    """What its day came to is then as if there were no snapshot."""
    store = Archived()
    exchange = Exchange(store, "data")
    exchange.list_unknown_in("USD")
    broker = exchange.open_account("main", cash=10_000)
    broker.on_quote("ABC", "99", "100", at="2026-01-05T04:00:00Z")
    broker.buy("ABC", 10)
    version = broker.account().version
    data = from_bytes(snapshot(fold(AccountState(), store.load("main", 1, version))))
    for later in ("today", "settling", "unpaid", "violated"):
        del data[later]
    for position in data["positions"]:
        del position["mark"], position["marked"]
    del data["account"]["restricted_until"]
    for position in data["positions"]:
        del position["product"]
    chain = store.chain_at("main", version)
    store.put_snapshot("main", StoredSnapshot(version, chain, to_bytes({**data, "schema": 5})))
    store.base = version if kept == "trimmed" else 0
    again = Exchange(store, "data")
    again.list_unknown_in("USD")
    again.open_account("main", cash=None)
    today = again._desk.engine.seats["main"].state.today
    assert today is not None
    assert today.turnover_units == (1_000 * 10**9 if kept == "whole" else 0)


def test_a_snapshot_of_schema_1_is_lifted() -> None:
    """What an older version kept is read, equals the fold of its journal, and is written again in today's schema."""
    journal = [decode_event(line) for line in (OLD / "journal_1.jsonl").read_bytes().splitlines()]
    stored = (OLD / "snapshot_1.json").read_bytes()
    state = restore(stored)
    assert counted_apart(state) == counted_apart(fold(AccountState(), journal))
    assert (len(state.orders), len(state.positions), state.latches) == (2, 2, ("kill_switch",))
    then, now = from_bytes(stored), from_bytes(snapshot(state))
    later = {"ttl_minutes": 0, "extended_hours": False, "after_market": False, "product": ""}
    then["account"]["restricted_until"] = "1970-01-01T00:00:00Z"
    for order in then["orders"]:
        order["terms"].update(later)
    for position in then["positions"]:
        position.update(mark=None, marked=None, product="")
    unsettled = {"settling": [], "unpaid": [], "violated": []}
    assert now == {**then, "schema": 9, "unvalued": [], "squared": [], "today": None, **unsettled}


def test_a_snapshot_of_schema_2_is_lifted() -> None:
    """Its holding at cost is one that the day counts, as the fold of its journal has it."""
    journal = [decode_event(line) for line in (OLD / "journal_2.jsonl").read_bytes().splitlines()]
    state = restore((OLD / "snapshot_2.json").read_bytes())
    assert counted_apart(state) == counted_apart(fold(AccountState(), journal))
    assert state.unvalued == (Unvalued("XYZ", 200 * 10**9, 20_000 * 10**9, None, None, True, True),)


def test_a_snapshot_of_schema_6_is_lifted() -> None:
    """Every trade had settled at once; how far squaring off had come, and what the day came to, is kept."""
    journal = [decode_event(line) for line in (OLD / "journal_6.jsonl").read_bytes().splitlines()]
    stored = (OLD / "snapshot_6.json").read_bytes()
    state = restore(stored)
    assert forgets(stored)
    assert unpriced(state) == unpriced(fold(AccountState(), journal))
    assert [part.stage for part in state.squared] == ["warned"]
    assert (state.settling, state.unpaid, state.violated, state.restricted_until_ns) == ((), (), (), 0)


def test_a_snapshot_of_schema_7_is_lifted() -> None:
    """It had no last prices, and what a day counted without a mark it counted at cost; so does the fold of its journal.

    Who has that journal knows the prices besides: those of fills and closes.
    """
    journal = [decode_event(line) for line in (OLD / "journal_7.jsonl").read_bytes().splitlines()]
    stored = (OLD / "snapshot_7.json").read_bytes()
    state, folded = restore(stored), fold(AccountState(), journal)
    assert forgets(stored)
    assert [(part.symbol, part.at_units) for part in folded.unvalued] == [("XYZ", None), ("ABC", None), ("XYZ", None)]
    assert (folded.positions["ABC"].mark_units, folded.positions["XYZ"].mark_units) == (109_500_000_000, None)
    assert unpriced(state) == unpriced(folded)


def test_a_snapshot_of_schema_8_is_lifted() -> None:
    """Positions, orders and stages were of no product; what has not settled is kept."""
    journal = [decode_event(line) for line in (OLD / "journal_8.jsonl").read_bytes().splitlines()]
    stored = (OLD / "snapshot_8.json").read_bytes()
    state = restore(stored)
    assert not forgets(stored)
    assert digest(state) == digest(fold(AccountState(), journal))
    assert [(part.stage, part.product) for part in state.squared] == [("warned", "")]
    assert [(key, position.product) for key, position in state.positions.items()] == [("NSE:INFY", "")]
    assert [order.product for order in state.orders.values()] == [""]
    assert len(state.settling) == 1


def test_snapshot_of_a_process_that_fell_behind_is_a_conflict() -> None:
    """Somebody else wrote meanwhile: that is a conflict like any other, not a damaged store, and asking again works."""
    store = MemoryStore()
    first, second = (Exchange(store, "data") for _ in range(2))
    brokers = [exchange.open_account("main", cash=1_000) for exchange in (first, second)]
    brokers[0].deposit(1)
    with pytest.raises(StoreConflictError):
        brokers[1].snapshot()
    assert brokers[1].snapshot() == brokers[0].account().version
