"""The resting index of one symbol: whose orders fire at which price, over all accounts.

A quote asks one question ("does anything fire between this bid and this ask?") and two integers answer it: ``floor``,
the highest price that fires when the market falls, and ``ceiling``, the lowest that fires when it rises. Only when
one of them is crossed are the heaps looked at, and then only at the entries that fire. What rests far away, what is
closed, and how many accounts there are cost nothing.

The index is derived: it is rebuilt from open orders when an account is opened and never stored.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

NOTHING_BELOW: Final = -1
FAR: Final = 1 << 80

# Which heap an entry lives in. The first two fire when the market falls, the last two when it rises.
BUY_LIMIT: Final = 0
SELL_STOP: Final = 1
LOW_WATCH: Final = 2
SELL_LIMIT: Final = 3
BUY_STOP: Final = 4
HIGH_WATCH: Final = 5
WAITING: Final = 6  # an order that waits for any datum
ASLEEP: Final = 7  # an order that no datum concerns before its hour

_NOT_IN_AUCTIONS: Final = (BUY_STOP, SELL_STOP)
_FALLING: Final = 3  # heaps below this index hold negated prices, so that the highest is on top


class Resting:
    """One entry: an order of an account (or its watch, number 0) at a price."""

    __slots__ = ("account", "alive", "number", "place", "price", "priority")

    def __init__(self, account: str, number: int, place: int, price: int, priority: int) -> None:
        self.account = account
        self.number = number
        self.place = place
        self.price = price
        self.priority = priority
        self.alive = True


class RestingIndex:
    """Everything that rests on one symbol."""

    __slots__ = ("_dead", "_heaps", "_serial", "_waiting", "ceiling", "entries", "floor", "stopped")

    def __init__(self) -> None:
        self.floor = NOTHING_BELOW
        self.ceiling = FAR
        self.stopped = False  # a halted market: nothing fires
        self._heaps: tuple[list[tuple[int, int, Resting]], ...] = ([], [], [], [], [], [])
        self._dead = [0, 0, 0, 0, 0, 0]
        self._waiting: dict[tuple[str, int], Resting] = {}
        self.entries: dict[tuple[str, int, int], Resting] = {}
        self._serial = 0

    def __len__(self) -> int:
        return len(self.entries)

    # -------------------------------------------------------------- writing

    def add(self, account: str, number: int, place: int, price: int, priority: int) -> None:
        """Rest an order (or a watch) at a price; what it had in the same place before is replaced."""
        slot = (account, number, _watch_slot(place))
        old = self.entries.get(slot)
        if old is not None:
            self._forget(old)
        entry = Resting(account, number, place, price, priority)
        self.entries[slot] = entry
        if place == WAITING:
            self._waiting[account, number] = entry
        elif place != ASLEEP:
            self._serial += 1
            key = -price if place < _FALLING else price
            heappush(self._heaps[place], (key, self._serial, entry))
        if old is not None or self.stopped or place >= WAITING:
            self._find_bounds()
        elif place < _FALLING:
            self.floor = max(self.floor, price)
        else:
            self.ceiling = min(self.ceiling, price)

    def remove(self, account: str, number: int, place: int = 0) -> None:
        """Take an order out; it need not be there."""
        entry = self.entries.pop((account, number, _watch_slot(place)), None)
        if entry is None:
            return
        self._forget(entry)
        # Only what stood at a bound can move it.
        if entry.place >= WAITING or entry.price == self.floor or entry.price == self.ceiling:
            self._find_bounds()

    def remove_watch(self, account: str) -> None:
        """Take both watches of an account out; they need not be there."""
        self.remove(account, 0, LOW_WATCH)
        self.remove(account, 0, HIGH_WATCH)

    def remove_account(self, account: str) -> None:
        """Take everything of an account out: for the rare account that has to be folded again."""
        for slot in [slot for slot in self.entries if slot[0] == account]:
            self._forget(self.entries.pop(slot))
        self._find_bounds()

    def stop(self, stopped: bool) -> None:
        """Halt or resume: while stopped no order fires; watches do, because marks may move."""
        self.stopped = stopped
        self._find_bounds()

    def _forget(self, entry: Resting) -> None:
        entry.alive = False
        if entry.place == WAITING:
            self._waiting.pop((entry.account, entry.number), None)
        if entry.place >= WAITING:
            return
        place = entry.place
        self._dead[place] += 1
        heap = self._heaps[place]
        # Dead entries leave when they reach the top; should they ever be half of the heap, it is built anew.
        if self._dead[place] * 2 > len(heap):
            heap[:] = [item for item in heap if item[2].alive]
            heapify(heap)
            self._dead[place] = 0

    def _top(self, place: int) -> int | None:
        heap = self._heaps[place]
        while heap and not heap[0][2].alive:
            heappop(heap)
            self._dead[place] -= 1
        return heap[0][2].price if heap else None

    def _find_bounds(self) -> None:
        if self.stopped:
            low, high = self._top(LOW_WATCH), self._top(HIGH_WATCH)
            self.floor = NOTHING_BELOW if low is None else low
            self.ceiling = FAR if high is None else high
            return
        self.floor = FAR if self._waiting else NOTHING_BELOW
        self.ceiling = FAR
        for place in (BUY_LIMIT, SELL_STOP, LOW_WATCH):
            top = self._top(place)
            if top is not None and top > self.floor:
                self.floor = top
        for place in (SELL_LIMIT, BUY_STOP, HIGH_WATCH):
            top = self._top(place)
            if top is not None and top < self.ceiling:
                self.ceiling = top

    # -------------------------------------------------------------- reading

    def reached(self, buys_down_to: int, sells_up_to: int, rise_to: int, fall_to: int) -> list[Resting]:
        """Every entry that fires: buy limits at or above the first price, sell limits at or below the second,

        buy stops and high watches at or below the third, sell stops and low watches at or above the fourth, and
        every waiting order.
        """
        if self.stopped:
            return self.watches(rise_to, fall_to)
        found = list(self._waiting.values())
        for place, key in (
            (SELL_STOP, -fall_to),
            (BUY_STOP, rise_to),
            (BUY_LIMIT, -buys_down_to),
            (SELL_LIMIT, sells_up_to),
            (LOW_WATCH, -fall_to),
            (HIGH_WATCH, rise_to),
        ):
            heap = self._heaps[place]
            if heap and heap[0][0] <= key:
                _collect(heap, key, found)
        return found

    def in_auction(self, price: int) -> list[Resting]:
        """Every order that is no stop, and the watches that fire at this price."""
        found = self.watches(price, price)
        if not self.stopped:
            found += [entry for entry in self.entries.values() if entry.number and entry.place not in _NOT_IN_AUCTIONS]
        return found

    def watches(self, rise_to: int, fall_to: int) -> list[Resting]:
        """Only the watches that fire: for data at which no order may fill."""
        found: list[Resting] = []
        for place, key in ((LOW_WATCH, -fall_to), (HIGH_WATCH, rise_to)):
            if self._heaps[place]:
                _collect(self._heaps[place], key, found)
        return found


def _watch_slot(place: int) -> int:
    """An order has one slot wherever it rests; an account has one slot for each of its watches."""
    return place if place in (LOW_WATCH, HIGH_WATCH) else 0


def _collect(heap: list[tuple[int, int, Resting]], key: int, found: list[Resting]) -> None:
    """Walk down a heap from the top, and no further than the entries that fire."""
    size, todo = len(heap), [0]
    while todo:
        i = todo.pop()
        if i < size and heap[i][0] <= key:
            entry = heap[i][2]
            if entry.alive:
                found.append(entry)
            todo.append(2 * i + 1)
            todo.append(2 * i + 2)
