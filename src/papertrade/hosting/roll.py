"""The roll: the markets and accounts of a host, and how accounts are read again from the store.

What memory holds of an account counts only as long as the store has it too. An account whose step was not stored is
dropped, and folded again from its journal before anything else happens to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from papertrade.domain.events import Event
from papertrade.engine.budgets import charge_again
from papertrade.engine.engine import Engine
from papertrade.engine.evolve import fold
from papertrade.engine.profile import AccountProfile, by_calendar
from papertrade.engine.snapshot import digest, forgets, restore, snapshot
from papertrade.engine.state import AccountState
from papertrade.engine.step import Seat
from papertrade.errors import (
    AccountSuspendedError,
    CalendarRangeError,
    InvariantError,
    StoreConflictError,
    StoreCorruptError,
    StoreErasedError,
    StoreError,
    StoreFencedError,
    StoreTrimmedError,
    UnknownAccountError,
    UnsupportedError,
    UsageError,
)
from papertrade.hosting.delivery import Outbox
from papertrade.hosting.flow import Flow
from papertrade.hosting.history import History
from papertrade.hosting.listing import Listing, near
from papertrade.hosting.stops import STOPPING, Stop
from papertrade.ports.store import Store, StoredSnapshot

if TYPE_CHECKING:
    from papertrade.hosting.snapshots import SnapshotKeeper
    from papertrade.hosting.tabling import Tables

MOST_WAIT = 1024
PAGE = 8192  # events that are asked of the store at once


class Roll(Listing):
    """The markets and accounts of a host, and the journals behind them."""

    def __init__(self, store: Store) -> None:
        super().__init__(Engine())
        self.store = store
        self.tables = _tables(store)
        self.outbox = Outbox()
        # Accounts whose last step may not be what the store has: folded again before their next command.
        self.stale: dict[str, AccountProfile] = {}
        self.published: dict[str, int] = {}  # up to which version subscribers have heard of such an account
        self.stopped: dict[str, Stop] = {}  # accounts that take no commands, and why; each is among the stale too
        # Accounts at the end of a day after which their calendar knows none: they stand still until it does.
        self.waiting: dict[str, CalendarRangeError] = {}
        self.unheard: set[str] = set()  # accounts that may have begun here: the store's answer did not arrive
        self.fences: dict[str, int] = {}  # accounts that belong to this worker alone
        self.snapshots: SnapshotKeeper | None = None
        self.wanted: dict[str, None] = {}  # accounts whose snapshot is due when the host is done with its work
        self._healing: dict[str, tuple[int, int]] = {}  # data to let pass before asking again, and how many then

    def unknown_account(self, account: str) -> UnknownAccountError:
        """The error for an account that is not open here."""
        return UnknownAccountError(account, near(account, list(self.engine.seats)))

    def use_calendar(self, calendar: object) -> None:
        """A calendar of one's own, or one that was mended: from now on it is the one of that name."""
        hours = self.parse_calendar(calendar)
        self.stale.update({account: by_calendar(profile, hours) for account, profile in self.stale.items()})
        self.waiting.clear()  # whoever still has to wait says so again
        super().use_calendar(hours)

    # --------------------------------------------------------- from storage

    def spoil(self, account: str) -> None:
        """What memory holds of an account is not to be trusted any more."""
        self.waiting.pop(account, None)
        seat = self.engine.seats.get(account)
        profile = self.engine.drop(account)
        if seat is not None and profile is not None:
            self.stale[account] = profile
            self.published[account] = seat.state.committed
            if self.tables is not None:
                self.tables.forget(account)

    def reload(self, account: str) -> Flow[None]:
        """Fold an account again from its journal; raises while the store cannot say what it has."""
        if account in self.stopped:
            raise (yield from self.suspension(account))
        profile = self.stale[account]
        try:
            state = yield from self.stored_state(account)
        except STOPPING as fault:
            self.stop(account, fault)
            raise
        if state is None:
            del self.stale[account]
            raise self.unknown_account(account)
        first = self.published[account] + 1
        missed: Iterable[Event] = ()
        if first <= state.version:  # stored, but the store's answer did not arrive: subscribers have not heard of it
            missed = yield self.store.load, (account, first, state.version)
        news = list(missed)
        seat = self.seat_again(state, profile)
        charge_again(seat, self.engine.markets, news)
        del self.stale[account], self.published[account]
        self.outbox.put(news)

    def seat_again(self, state: AccountState, profile: AccountProfile) -> Seat:
        """Seat an account as it is stored; not by half, if something of it is not listed."""
        self.check_listed(state)
        ok = False
        try:
            seat = self.engine.adopt(state, profile)
            ok = True
        finally:
            if not ok:  # its calendars were asked, and one raised
                self.engine.drop(state.account)
        return seat

    def begun_before(self, state: AccountState, profile: AccountProfile) -> Flow[Seat]:
        """Seat an account from the store; if it began here without our hearing of it, subscribers hear of it now."""
        account, news = state.account, ()
        if account in self.unheard:
            news = tuple((yield self.store.load, (account, 1, state.version)))
        seat = self.seat_again(state, profile)
        self.unheard.discard(account)
        self.outbox.put(news)
        return seat

    def check_listed(self, state: AccountState) -> None:
        """Is everything listed that an account holds or trades?"""
        held = (position.symbol for position in state.holdings.values())
        unvalued = (part.symbol for part in state.unvalued)
        for symbol in (*held, *unvalued, *(order.terms.symbol for order in state.orders.values())):
            if self.unlisted_currency is not None:
                self.market(symbol)  # the one-account form lists it
            elif symbol not in self.engine.markets:
                raise UsageError(
                    f"account {state.account!r} holds or trades {symbol!r}, which is not listed; "
                    "list every instrument of the account before opening it"
                )

    def stored_state(self, account: str) -> Flow[AccountState | None]:
        """The state of an account as the store has it: its snapshot and the tail. None when it has no journal.

        A snapshot only speeds things up: with one that is damaged the whole journal is read, and that is said.
        """
        state: AccountState | None = None
        since = 0
        try:
            kept: StoredSnapshot | None = yield self.store.get_snapshot, (account,)
            if kept is not None:
                state, since = restore(kept.data), kept.version
                yield from self._check_snapshot(account, kept, state)
                if forgets(kept.data):
                    state = yield from self._from_the_first(account, state)
                state = yield from self._moved_on(state, account)
        except (StoreCorruptError, InvariantError) as why:
            self._damaged(account, why)
            state, since = None, 0
        if state is None:
            state = yield from self._moved_on(AccountState(), account)
        if self.snapshots is not None:
            self.snapshots.begin(account, since, self.engine.now_ns)
        if state.version and self.tables is not None:
            yield from self.tables.bring_up(account, state.version)
        return state if state.version else None

    def _from_the_first(self, account: str, lifted: AccountState) -> Flow[AccountState]:
        """The fold of the whole journal, where it is here; else what an old snapshot has of it."""
        try:
            return (yield from self._moved_on(AccountState(), account))
        except StoreTrimmedError:
            return lifted

    def _check_snapshot(self, account: str, kept: StoredSnapshot, state: AccountState) -> Flow[None]:
        """A snapshot has to be of this account, of the version it says, and of the journal that is there."""
        if (state.account, state.version) != (account, kept.version):
            found = f"version {state.version} of {state.account!r}"
            raise StoreCorruptError(f"the snapshot of {account!r} says version {kept.version}, holds {found}")
        chain: str = yield self.store.chain_at, (account, kept.version)
        if chain != kept.chain:
            raise StoreCorruptError(f"the snapshot of {account!r} belongs to another history")

    def _moved_on(self, state: AccountState, account: str) -> Flow[AccountState]:
        """A state moved on by what the store has after it, page by page, so that no store has to hand over it all."""
        state.committed = -1
        while True:
            before = state.version
            events = yield self.store.load, (account, before + 1, before + PAGE)
            state = fold(state, events)
            if state.version < before + PAGE:
                return state

    def _damaged(self, account: str, why: Exception) -> None:
        if self.snapshots is None:
            from papertrade.hosting.snapshots import SnapshotKeeper  # only those who need it

            self.snapshots = SnapshotKeeper(None)
        self.snapshots.damage(account, why)

    def keep_snapshot(self, account: str) -> Flow[int]:
        """Keep a snapshot of an account as it stands in memory."""
        state = self.engine.seats[account].state
        version, data = state.version, snapshot(state)
        chain: str = yield self.store.chain_at, (account, version)
        yield self.store.put_snapshot, (account, StoredSnapshot(version, chain, data))
        return version

    def keep_snapshots(self) -> Flow[None]:
        """Take the snapshots that are due, one of each account. One that fails fails nothing else."""
        keeper = self.snapshots
        while keeper is not None and keeper.wanted:
            account = next(iter(keeper.wanted))
            del keeper.wanted[account]
            seat = self.engine.seats.get(account)
            if seat is None:  # it has to be folded again first
                continue
            keeper.begin(account, seat.state.version, self.engine.now_ns)
            try:
                yield from self.keep_snapshot(account)
                keeper.taken += 1
            except Exception as why:  # whatever it is, the command it comes after was stored
                keeper.failure(account, why)

    def failed(self, account: str, fault: Exception) -> Flow[Exception]:
        """What to raise when a check failed, or the key of a command belongs to something else in the store.

        A check that failed stops the account. A key that is taken was stored by another process between our look and
        our append: a conflict like any other, and whoever asks again finds what that key brought.
        """
        if isinstance(fault, STOPPING):
            self.stop(account, fault)
            return fault
        committed = max(self.engine.seats[account].state.committed, 0)
        actual: int = yield self.store.head, (account,)
        return fault if actual == committed else StoreConflictError(account, committed, actual)

    # ---------------------------------------------------- stopped, and owned

    def stop(self, account: str, fault: Exception) -> None:
        """From now on the account takes no commands. The others go on."""
        if account in self.stopped:
            return
        seat = self.engine.seats.get(account)
        version = self.published.get(account, 0) if seat is None else seat.state.committed
        # A decision that broke off may have moved the state in part, whatever its version says.
        clean = seat is not None and seat.state.version == version and not isinstance(fault, InvariantError)
        self.spoil(account)
        self.stopped[account] = Stop(fault, version, seat if clean else None)
        if isinstance(fault, StoreFencedError):
            self.fences.pop(account, None)

    def last_view(self, account: str) -> Flow[Seat]:
        """A stopped account as it can be read: as it last stood, or as its owner moved it on."""
        stop = self.stopped[account]
        if stop.fenced:
            head: int = yield self.store.head, (account,)
            if stop.seat is not None and stop.seat.state.version != head:
                stop.seat = None
        if stop.seat is None:
            try:
                state = yield from self.stored_state(account)
            except STOPPING:
                state = None
            if state is None:
                raise stop.error(account)
            state.committed = state.version
            stop.seat = Seat(state, self.stale[account])
        return stop.seat

    def suspension(self, account: str) -> Flow[AccountSuspendedError]:
        """What a command for a stopped account hears."""
        with suppress(StoreError):  # if nothing can be read of it, the error says so
            yield from self.last_view(account)
        return self.stopped[account].error(account)

    def take(self, account: str) -> Flow[None]:
        """Own an account from now on: whoever owned it before cannot write any more."""
        from papertrade.ports.store_extras import Fencing  # only those who want it

        if not isinstance(self.store, Fencing):
            raise UnsupportedError("exclusive accounts on this store", ("accounts that workers share",))
        self.fences[account] = yield self.store.take, (account,)
        stop = self.stopped.get(account)
        if stop is not None and stop.fenced:
            del self.stopped[account]
        seat = self.engine.seats.get(account)
        if seat is not None:
            head: int = yield self.store.head, (account,)
            if head != seat.state.version:
                self.spoil(account)

    def give_up(self, account: str) -> Flow[None]:
        """Own an account no longer."""
        fence = self.fences.get(account)
        if fence is not None:
            with suppress(StoreErasedError):  # then there is nothing to own
                yield self.store.release, (account, fence)  # type: ignore[attr-defined]  # it was taken there
            del self.fences[account]  # until the store has heard of it, it is ours, and can be given up again

    def leave(self, account: str) -> Flow[None]:
        """Forget an account and give it up: what it did is in the store."""
        if account not in self.engine.seats and account not in self.stale:
            raise self.unknown_account(account)
        yield from self.give_up(account)
        self.engine.drop(account)
        for known in (self.stale, self.published, self.stopped, self.waiting, self._healing, self.wanted):
            known.pop(account, None)
        if self.snapshots is not None:
            self.snapshots.forget(account)
        if self.tables is not None:
            self.tables.forget(account)

    def give_up_all(self) -> Flow[None]:
        """Before the store is closed: nobody has to wait for a worker that left."""
        for account in sorted(self.fences):
            try:
                yield from self.give_up(account)
            except StoreError:  # whoever comes next takes it away
                continue

    def heal(self) -> Flow[None]:
        """Fold again whatever waits for it. What the store still cannot say is asked again after a while,

        longer each time, so that one account in trouble does not slow the market of all others.
        """
        for account in sorted(self.stale.keys() - self.stopped.keys()):
            left, wait = self._healing.get(account, (0, 1))
            if left:
                self._healing[account] = left - 1, wait
                continue
            try:
                yield from self.reload(account)
                self._healing.pop(account, None)
            except Exception:  # whatever it is, it concerns this account, and its next command will say so
                self._healing[account] = wait, min(2 * wait, MOST_WAIT)

    # -------------------------------------------------------------- reading

    def seat(self, account: str) -> Flow[Seat]:
        """An account for reading, folded again first if need be."""
        if account in self.stopped:
            return (yield from self.last_view(account))
        if account in self.stale:
            yield from self.reload(account)
        seat = self.engine.seats.get(account)
        if seat is None:
            raise self.unknown_account(account)
        return seat

    def able(self, account: str) -> Flow[Seat]:
        """An account that takes commands, folded again first if need be."""
        if account in self.stopped:
            raise (yield from self.suspension(account))
        return (yield from self.seat(account))

    def digest(self, account: str) -> Flow[str]:
        """A fingerprint of every field of an account."""
        seat = yield from self.seat(account)
        return digest(seat.state)

    def history(self, account: str) -> History:
        """The past of an account, as the store has it."""
        return History(self.store, account)


def _tables(store: Store) -> Tables | None:
    """The tables of a store that has some and wants rows for them."""
    if getattr(store, "wants_rows", False) is not True:
        return None
    from papertrade.hosting.tabling import tables_of  # nobody else needs it

    return tables_of(store)
