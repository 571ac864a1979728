"""Two hosts of one account: right in every order, whoever is lost on the way; and a fault in either is noticed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import cache
from typing import Any

import pytest

from papertrade.adapters.memory import MemoryStore
from papertrade.hosting.account import AccountDesk
from papertrade.hosting.desk import Desk
from papertrade.ports.store import Append, Appended, Outcome

from .every_interleaving import LOSSES, NO_LOSS, Scene, every_run, walk
from .pairs import PAIRS, Pair

DAILY = [pair for pair in PAIRS if not pair.long]
PAIR = {pair.name: pair for pair in PAIRS}
SHORT = [pair for pair in DAILY if pair.steps == 1]


def _named(pair: Pair) -> str:
    return pair.name


@cache
def orders_of(name: str) -> int:
    """How many orders the calls of a pair can come in; each of them was right."""
    return walk(PAIR[name])


@pytest.mark.parametrize("pair", DAILY, ids=_named)
def test_every_order_of_the_store_calls_is_right(pair: Pair) -> None:
    """K1, E1, E2, E9, E10 and every invariant, whichever host goes first at each of its store calls."""
    assert orders_of(pair.name) > 1


@pytest.mark.parametrize("pair", SHORT, ids=_named)
def test_a_host_lost_at_any_of_its_calls_is_made_up_for(pair: Pair) -> None:
    """K5: killed or interrupted, before the store did the call or after, asked again the command takes effect once."""
    assert walk(pair, LOSSES) > orders_of(pair.name)


def test_the_orders_are_all_there_are() -> None:
    """Two that never touch each other's path, with two calls each, go in each of the six orders, once."""
    scenes = every_run(lambda: Scene(PAIR["same deposit"]))
    orders = ["".join("AB"[move.host] for move in scene.moves) for scene in scenes]
    assert sorted({order[:4] for order in orders}) == ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"]
    assert len(orders) == 6


def test_every_call_is_lost_in_every_way() -> None:
    """The losses come at the first and at the second call of both hosts, in all four ways."""
    lost = set()
    for scene in every_run(lambda: Scene(PAIR["same deposit"], LOSSES)):
        before = 0
        for move in scene.moves:
            if move.kind != "step":
                lost.add((move.kind, move.host, before))
                break
            before += move.host == scene.lost
    assert lost == {(kind, host, call) for kind in LOSSES for host in (0, 1) for call in (0, 1)}


# ------------------------------------------------------------------ it can fail


def assert_noticed(go: Callable[[], object]) -> None:
    """A run is found wrong, and not because the fault was planted wrongly; the way there is told."""
    with pytest.raises(AssertionError) as found:
        go()
    told = str(found.value)
    assert "step A" in told or "step B" in told
    assert not any(word in told for word in ("TypeError", "AttributeError", "NameError"))


class HeedlessStore(MemoryStore):
    """Takes every append, whatever version it was meant for, and numbers it as it likes."""

    def append(self, batch: Append) -> Any:
        head = self.head(batch.stream)
        moved = [event._replace(version=head + place) for place, event in enumerate(batch.events, 1)]  # type: ignore[attr-defined]
        super().append(batch._replace(expected=head, events=moved))
        return Appended(batch.expected + 1, batch.expected + len(batch.events))


class TwoStepStore(MemoryStore):
    """Looks at the version in one step and writes in the next, as two statements without a transaction do."""

    def append(self, batch: Append) -> Any:
        return self._steps(batch)

    def _steps(self, batch: Append) -> Generator[None, None, Outcome]:
        repeated = batch.commit_id is not None and self.find(batch.stream, batch.commit_id) is not None
        if repeated or self.head(batch.stream) != batch.expected:
            return super().append(batch)
        yield
        stream, done = self._streams[batch.stream], Appended(batch.expected + 1, batch.expected + len(batch.events))
        stream.events.extend(batch.events)
        if batch.commit_id is not None:
            stream.commits = {**(stream.commits or {}), batch.commit_id: done}
        return done


class ForgetfulStore(MemoryStore):
    """Keeps no commit ids."""

    def append(self, batch: Append) -> Any:
        return super().append(batch._replace(commit_id=None))


STORES: list[tuple[type[MemoryStore], str]] = [
    (HeedlessStore, "two orders"),
    (HeedlessStore, "withdraw all, twice"),
    (HeedlessStore, "cancel and cancel"),
    (TwoStepStore, "same order"),
    (TwoStepStore, "same deposit"),
    (TwoStepStore, "withdraw all, twice"),
    (ForgetfulStore, "same order"),
    (ForgetfulStore, "same deposit"),
]


@pytest.mark.parametrize(("store", "name"), STORES)
def test_a_store_that_breaks_its_word_is_noticed(store: type[MemoryStore], name: str) -> None:
    """Versions that are not compared, compared too early, and keys that are lost: some order brings each to light."""
    assert_noticed(lambda: walk(PAIR[name], NO_LOSS, store))


def looks_up_no_keys(patch: pytest.MonkeyPatch) -> None:
    """A host that trusts the store to notice a repetition."""

    def never(*_: object) -> Iterator[Any]:
        return None
        yield

    for name in ("_first_order", "_repeated", "_modified_before"):
        patch.setattr(AccountDesk, name, never)


def goes_on_after_a_conflict(patch: pytest.MonkeyPatch) -> None:
    """A host that takes any answer for a yes."""
    patch.setattr(Desk, "_refuse", lambda self, step, answer: None)


def trusts_its_memory_after_a_conflict(patch: pytest.MonkeyPatch) -> None:
    """A host that does not read the account again."""
    patch.setattr(Desk, "spoil", lambda self, account: None)


def forgets_what_it_missed(patch: pytest.MonkeyPatch) -> None:
    """A host whose subscribers do not hear what was stored while it did not know."""
    true = Desk.reload

    def reload(self: Desk, account: str) -> Iterator[Any]:
        self.published[account] = self.store.head(account)
        yield from true(self, account)

    patch.setattr(Desk, "reload", reload)


def reads_again_after_the_clock(patch: pytest.MonkeyPatch) -> None:
    """A host that looks at the clock before it reads the account again, and not after."""

    def catch_up(self: Desk, now_ns: int) -> Iterator[Any]:
        for fault in (yield from self.wake_due(now_ns)).values():
            raise fault

    patch.setattr(Desk, "catch_up", catch_up)


HOSTS: list[tuple[Callable[[pytest.MonkeyPatch], None], str]] = [
    (looks_up_no_keys, "same order, clocks apart"),
    (looks_up_no_keys, "same deposit, clocks apart"),
    (looks_up_no_keys, "same change"),
    (goes_on_after_a_conflict, "two orders"),
    (trusts_its_memory_after_a_conflict, "place and deposit"),
    (forgets_what_it_missed, "two orders"),
    (reads_again_after_the_clock, "the day ends and place"),
]


@pytest.mark.parametrize(("bug", "name"), HOSTS, ids=lambda about: getattr(about, "__name__", about))
def test_a_host_that_is_wrong_is_noticed(
    bug: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys not looked up, conflicts not heeded, memory not read again: some order brings each to light."""
    bug(monkeypatch)
    assert_noticed(lambda: walk(PAIR[name], LOSSES))
