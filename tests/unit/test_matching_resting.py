"""The resting index: what fires at which price, compared with a list that is searched from end to end."""

from __future__ import annotations

from random import Random

import pytest

from papertrade.matching.resting import (
    ASLEEP,
    BUY_LIMIT,
    BUY_STOP,
    FAR,
    HIGH_WATCH,
    LOW_WATCH,
    NOTHING_BELOW,
    SELL_LIMIT,
    SELL_STOP,
    WAITING,
    RestingIndex,
)

FALLING, RISING = (BUY_LIMIT, SELL_STOP, LOW_WATCH), (SELL_LIMIT, BUY_STOP, HIGH_WATCH)
WATCHES = (LOW_WATCH, HIGH_WATCH)
Entry = tuple[str, int, int, int, int]
"""Account, number, place, price, priority."""


class SlowIndex:
    """The same promises, kept by looking at everything each time."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.stopped = False

    def add(self, entry: Entry) -> None:
        self.remove(*entry[:3])
        self.entries.append(entry)

    def remove(self, account: str, number: int, place: int) -> None:
        def slot(of: int) -> int:
            return of if of in WATCHES else -1

        gone = (account, number, slot(place))
        self.entries = [e for e in self.entries if (*e[:2], slot(e[2])) != gone]

    def remove_account(self, account: str) -> None:
        self.entries = [e for e in self.entries if e[0] != account]

    def bounds(self) -> tuple[int, int]:
        able = [e for e in self.entries if not self.stopped or e[2] in WATCHES]
        floor = FAR if any(e[2] == WAITING for e in able) else NOTHING_BELOW
        low = [e[3] for e in able if e[2] in FALLING]
        return max([floor, *low]), min([FAR, *(e[3] for e in able if e[2] in RISING)])

    def reached(self, buys: int, sells: int, rise: int, fall: int) -> set[Entry]:
        def fires(entry: Entry) -> bool:
            place, price = entry[2], entry[3]
            if self.stopped and place not in WATCHES:
                return False
            return {
                BUY_LIMIT: price >= buys,
                SELL_LIMIT: price <= sells,
                BUY_STOP: price <= rise,
                HIGH_WATCH: price <= rise,
                SELL_STOP: price >= fall,
                LOW_WATCH: price >= fall,
                WAITING: True,
            }[place]

        return {entry for entry in self.entries if fires(entry)}


def found(entries: list[object]) -> list[Entry]:
    return [(e.account, e.number, e.place, e.price, e.priority) for e in entries]  # type: ignore[attr-defined]


def compare(fast: RestingIndex, slow: SlowIndex, rng: Random) -> None:
    """Both say the same of every price, and nothing fires twice."""
    assert (fast.floor, fast.ceiling) == slow.bounds()
    assert len(fast) == len(slow.entries)
    for _ in range(3):
        prices = [rng.randint(1, 30) for _ in range(4)]
        fired = found(fast.reached(*prices))  # type: ignore[arg-type]
        assert len(set(fired)) == len(fired)
        assert set(fired) == slow.reached(*prices)
        watched = found(fast.watches(*prices[2:]))  # type: ignore[arg-type]
        assert len(set(watched)) == len(watched)
        assert set(watched) == {e for e in slow.reached(FAR, 0, *prices[2:]) if e[2] in WATCHES}


@pytest.mark.parametrize("seed", range(12))
def test_the_index_says_what_a_full_search_says(seed: int) -> None:
    """Through adding, replacing, removing and halting, the same entries fire and the bounds are tight."""
    rng = Random(seed)
    fast, slow = RestingIndex(), SlowIndex()
    compare(fast, slow, rng)
    for step in range(250):
        account, number = rng.choice("abc"), rng.randint(1, 6)
        place = rng.randint(BUY_LIMIT, WAITING)
        number = 0 if place in WATCHES else number
        what = rng.random()
        if what < 0.55:
            entry = (account, number, place, rng.randint(1, 30), step)
            fast.add(*entry)
            slow.add(entry)
        elif what < 0.9:
            fast.remove(account, number, place) if place in WATCHES else fast.remove(account, number)
            slow.remove(account, number, place)
        elif what < 0.93:
            fast.remove_watch(account)
            for watch in WATCHES:
                slow.remove(account, 0, watch)
        elif what < 0.96:
            fast.remove_account(account)
            slow.remove_account(account)
        else:
            slow.stopped = not slow.stopped
            fast.stop(slow.stopped)
        compare(fast, slow, rng)


def test_an_empty_index_fires_at_no_price() -> None:
    """No price is at or below the lowest bound, none at or above the highest."""
    index = RestingIndex()
    assert (index.floor, index.ceiling, len(index)) == (-1, 1 << 80, 0)
    assert index.reached(1, FAR, FAR, 1) == []
    index.remove("a", 1)
    index.remove_watch("a")
    assert (index.floor, index.ceiling) == (NOTHING_BELOW, FAR)


def test_what_is_gone_leaves_the_memory() -> None:
    """Orders that come and go leave no more behind than those that rest, wherever they rested."""
    index = RestingIndex()
    for place in (*FALLING, *RISING):
        for number in range(50):
            index.add("a", number, place, 100 + number, 1)
    for place in (*FALLING, *RISING):
        for round_ in range(200):
            number = 0 if place in WATCHES else 1 + round_ % 49
            index.add("a", number, place, 500 + round_, 2)
            index.remove("a", number, place)
    kept = sum(len(heap) for heap in index._heaps)
    assert kept <= 2 * len(index)


def test_an_entry_that_is_replaced_no_longer_lives() -> None:
    """Who holds an entry that fired sees that it was replaced or taken out."""
    index = RestingIndex()
    index.add("a", 1, BUY_LIMIT, 10, 1)
    old = index.entries["a", 1, 0]
    assert old.alive
    index.add("a", 1, BUY_LIMIT, 11, 2)
    assert not old.alive
    assert found(index.reached(1, 1, 1, FAR)) == [("a", 1, BUY_LIMIT, 11, 2)]  # type: ignore[arg-type]
    new = index.entries["a", 1, 0]
    index.remove("a", 1)
    assert not new.alive


def test_what_is_asleep_moves_no_bound_and_is_in_the_auction() -> None:
    """No datum reaches it before it waits; an auction meets every order but stops, and watches at its price."""
    index = RestingIndex()
    index.add("a", 1, ASLEEP, 0, 1)
    index.add("a", 2, BUY_STOP, 110, 2)
    index.add("a", 3, SELL_LIMIT, 120, 3)
    index.add("a", 0, HIGH_WATCH, 105, 4)
    assert (index.floor, index.ceiling) == (NOTHING_BELOW, 105)
    assert index.reached(1, 1, 1, 1) == []
    assert sorted(entry.number for entry in index.in_auction(104)) == [1, 3]
    assert sorted(entry.number for entry in index.in_auction(105)) == [0, 1, 3]
    index.stop(True)
    assert [entry.number for entry in index.in_auction(105)] == [0]
    index.stop(False)
    index.add("a", 1, WAITING, 0, 1)
    assert index.floor == FAR
    index.add("a", 1, ASLEEP, 0, 1)
    assert index.floor == NOTHING_BELOW
    index.remove("a", 1)
    assert sorted(entry.number for entry in index.in_auction(100)) == [3]
