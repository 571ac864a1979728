"""What has to hold when two hosts have come to the end of a run, in whatever order they went.

The journal is the judge. Both were answered; what they were told is a state the journal went through by then; each key
took effect once; memory is the fold of the journal, before it is read again and after; subscribers heard the journal
itself, without a gap; and every invariant holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from papertrade.codec.events import decode_event, encode_event
from papertrade.domain.events import Event, OrderAccepted, OrderRejected, OrdersLinked
from papertrade.domain.orders import Order
from papertrade.domain.positions import Account
from papertrade.engine.evolve import fold
from papertrade.engine.order_moves import fold_order
from papertrade.engine.snapshot import digest
from papertrade.engine.state import AccountState
from papertrade.errors import UsageError
from papertrade.hosting.flow import drive
from papertrade.ports.store import Store
from papertrade.testing.invariants import check_account

from .pairs import Pair
from .stepping import ACCOUNT, SYMBOL, Host, Process

Journal = tuple[Event, ...]


class Seen:
    """What was worked out for a journal before: many runs end in the same one."""

    def __init__(self) -> None:
        self.judged: set[tuple[object, ...]] = set()  # journals and markets whose invariants were looked at
        self._folds: dict[Journal, tuple[AccountState, str]] = {}

    def folded(self, events: Journal) -> tuple[AccountState, str]:
        """The account and its fingerprint, folded from events that went through their bytes."""
        found = self._folds.get(events)
        if found is None:
            state = fold(AccountState(), [decode_event(encode_event(event)) for event in events])
            found = self._folds[events] = state, digest(state)
        return found


def key_of(event: Event) -> str | None:
    """The key of the command that an event is the decision of, if it had one."""
    if isinstance(event, (OrderAccepted, OrderRejected)):
        return event.terms.client_order_id
    found: str | None = getattr(event, "command_id", None)
    return found


class Aftermath:
    """A store after a run, and the two processes that were at it."""

    def __init__(
        self, store: Store, began: int, processes: Sequence[Process], heads: Mapping[int, int], seen: Seen
    ) -> None:
        self.began, self.processes, self.heads, self.seen = began, processes, heads, seen
        self.events: Journal = tuple(store.load(ACCOUNT))

    def folded(self, version: int) -> tuple[AccountState, str]:
        """The account at a version, and its fingerprint."""
        return self.seen.folded(self.events[:version])

    def check(self, pair: Pair) -> None:
        """All of it."""
        versions = [event.version for event in self.events]
        assert versions == list(range(1, len(versions) + 1)), f"E1: versions {versions}"
        self.check_keys(pair)
        pair.check(self.events[self.began :])
        for index, process in enumerate(self.processes):
            self.check_answer(process.answer, self.heads[index])
            self.check_memory(process.host)
            self.check_invariants(process.host)

    def check_keys(self, pair: Pair) -> None:
        """Every key that was used took effect, once."""
        found = Counter(key for event in self.events if (key := key_of(event)) is not None)
        assert found == Counter(pair.keys), f"K1: keys {dict(found)}, used were {pair.keys}"

    def check_answer(self, answer: Any, head: int) -> None:
        """What was acknowledged is stored: it is a state that the journal had gone through when it was said."""
        if isinstance(answer, Order):
            stood = [repr(self.order_at(answer.number, version)) for version in range(self.began, head + 1)]
            assert repr(answer) in stood, f"E9: answered {answer!r}, the journal knows {stood}"
        elif isinstance(answer, Account):
            assert answer.version <= head, f"E9: answered version {answer.version}, stored were {head}"
            state, _ = self.folded(answer.version)
            money = state.total, state.held
            assert (answer.total_units, answer.held_units) == money, f"E9: answered {answer!r}, stored {money}"
        elif isinstance(answer, tuple):
            for part in answer:
                self.check_answer(part, head)
        else:
            assert answer is None or isinstance(answer, (int, UsageError)), f"A1: answered {answer!r}"

    def order_at(self, number: int, version: int) -> Order | None:
        """An order as it stood at a version."""
        about = [
            event
            for event in self.events[:version]
            if getattr(event, "number", None) == number
            or (isinstance(event, OrderAccepted) and event.oco == number)
            or (isinstance(event, OrdersLinked) and event.other == number)
        ]
        return fold_order(about, number)

    def check_memory(self, host: Host) -> None:
        """E2, E10: as it stands, and read again, memory is the fold; the heard is the stored, in order, once."""
        host.exchange.stepping = False
        seat = host.desk.engine.seats.get(ACCOUNT)
        if seat is not None:
            known = seat.state.version
            assert digest(seat.state) == self.folded(known)[1], f"E2: memory at {known} is not the fold"
        else:
            assert ACCOUNT in host.desk.stale, "an account that is not in memory waits to be read again"
        host.desk.spoil(ACCOUNT)
        stored, fingerprint = self.folded(len(self.events))
        assert drive(host.desk.digest(ACCOUNT)) == fingerprint, "E2: read again"
        host.desk.outbox.deliver()
        heard = [event.version for event in host.heard]
        first = len(self.events) - len(heard)
        assert tuple(host.heard) == self.events[first:], f"E10: heard {heard} of {len(self.events)}"
        waiting = {entry[1] for entry in host.exchange.market(SYMBOL).index.entries if entry[1]}
        assert waiting == set(stored.orders), f"in the index wait {waiting}"

    def check_invariants(self, host: Host) -> None:
        """Every invariant, once for each journal and market it was read again with."""
        market = host.exchange.market(SYMBOL)
        about = (self.events, market.bid_units, market.ask_units, host.clock.now_ns())
        if about not in self.seen.judged:
            self.seen.judged.add(about)
            check_account(host.broker, restarts=range(len(self.events)))
