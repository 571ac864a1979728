"""The desk: an engine, a store and a clock, brought together without a lock and without waiting.

The order of work for everything that changes an account: catch up with the clock, decide, append, commit, queue for
delivery, answer. Nothing is answered or published before it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from papertrade.domain.instants import DAY_NS, LATEST_NS, text_of_instant
from papertrade.domain.orders import Order
from papertrade.domain.straight import straight
from papertrade.engine.step import Seat, Step
from papertrade.errors import (
    CalendarRangeError,
    ClockMismatchError,
    InvalidValueError,
    OutcomeUnknownError,
    StoreConflictError,
    StoreError,
)
from papertrade.hosting.flow import Flow
from papertrade.hosting.requests import SeenTerms
from papertrade.hosting.roll import Roll
from papertrade.hosting.stops import FAILURES, STOPPING
from papertrade.matching.market import Market
from papertrade.matching.resting import Resting
from papertrade.ports.clock import Clock, DataClock, SystemClock
from papertrade.ports.store import AlreadyAppended, Append, Appended, Conflict, Store

Match = Callable[[Step, list[int]], None]
Batching = Callable[[Step, "str | None"], Append]
Faults = dict[str, Exception]  # what went wrong, by account
_append = straight(Append)


class Ears:
    """What a run over a feed hears while it gives a datum, so that it knows whose error it caught."""

    __slots__ = ("faults", "refusals")

    def __init__(self) -> None:
        self.faults: list[Exception] = []  # something went wrong for one account
        self.refusals: list[Exception] = []  # a datum is not one


def batch_of(step: Step, commit_id: str | None) -> Append:
    """What a step asks the store to keep."""
    committed = step.state.committed
    return _append((step.state.account, committed if committed > 0 else 0, step.events, commit_id, None, ()))


class Desk(Roll):
    """Everything a host does, except waiting and locking."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store)
        self.batch_of: Batching = batch_of if self.tables is None else self.tables.batch_of
        self._unfenced: Batching | None = None  # how batches were made before the first account was taken
        self.clock = clock
        self.data_clock = clock if isinstance(clock, DataClock) else None
        self.seen_terms: SeenTerms = {}
        self._dated = not isinstance(clock, SystemClock)  # was a first datum compared with the clock?
        self.ears: tuple[Ears, ...] = ()  # of runs under way

    def take(self, account: str) -> Flow[None]:
        """Own an account from now on; its appends carry the fence."""
        if self._unfenced is None:  # first: from the moment of taking, nothing goes through without it
            plain = self._unfenced = self.batch_of

            def fenced(step: Step, commit_id: str | None) -> Append:
                batch = plain(step, commit_id)
                fence = self.fences.get(batch.stream)
                return batch if fence is None else batch._replace(fence=fence)

            self.batch_of = fenced
        yield from super().take(account)

    # ----------------------------------------------------------------- time

    def now(self) -> int:
        """What time it is for decisions: the clock's answer, never earlier than the last one or than a datum taken."""
        engine = self.engine
        now = self._read_clock()
        if now > engine.clock_ns:
            engine.clock_ns = now
        if now > engine.now_ns:
            engine.now_ns = now
        return engine.now_ns

    def _read_clock(self) -> int:
        now = self.clock.now_ns()
        if type(now) is not int or now > LATEST_NS:
            raise InvalidValueError("now_ns() of the clock", now, "whole nanoseconds since 1970 (UTC)")
        return now

    def observe(self, at_ns: int) -> None:
        """A datum of this instant is about to be taken."""
        if self.data_clock is not None:
            self.data_clock.observe(at_ns)
        else:
            # A datum from the far future would do years of waiting work at once; one from the past is only late, unless
            # it is the first: then somebody replays yesterday under today's clock.
            now = self._read_clock()
            if at_ns - now > DAY_NS or (now - at_ns > DAY_NS and not self._dated):
                raise ClockMismatchError(text_of_instant(at_ns), text_of_instant(now))
            self._dated = True
            # A feed may be ahead of the clock. Whoever trades on its datum afterwards does so no earlier than it.
            self.engine.now_ns = max(self.engine.now_ns, now, at_ns)

    def is_due(self, at_ns: int) -> bool:
        """Has a deadline come, by the clock or by a datum of this instant?"""
        deadlines = self.engine.deadlines
        due = bool(deadlines) and deadlines[0][0] <= max(self.now(), at_ns)
        return due or len(self.stale) > len(self.stopped)

    def after_clock(self, take: Callable[[], Flow[None] | None], at_ns: int) -> Flow[None]:
        """Catch up with the clock first, so that what was due does not see the datum that comes after it.

        Accounts that wait to be folded again are, if the store can by now, so that no datum passes them by.
        """
        yield from self.heal()
        faults = yield from self.wake_due(max(self.now(), at_ns))
        flow = take()
        if flow is not None:
            yield from flow
        _raise_first(faults)

    def catch_up(self, now_ns: int) -> Flow[None]:
        """Do everything that was due by now, each at its own instant; then say what went wrong, if anything did.

        Accounts that wait to be folded again are first, or what is due for them would pass unseen.
        """
        yield from self.heal()
        _raise_first((yield from self.wake_due(now_ns)))

    def wake_due(self, now_ns: int) -> Flow[Faults]:
        """Do everything that was due by now; a fault stops its account only. Answers the faults."""
        engine = self.engine
        faults: Faults = {}
        while (due := engine.due(now_ns)) is not None:
            ns, account = due
            ok = False
            try:
                step = engine.wake(account, ns)
                yield from self.keep(step, None)
                ok = True
            except Exception as fault:
                self.fault(account, fault, faults, ns)
                ok = True
            finally:
                if not ok:
                    self.spoil(account)
        return faults

    # ------------------------------------------------------------- deciding

    def command(
        self, account: str, decide: Callable[[Step], None], commit_id: str | None = None, trades: bool = True
    ) -> Flow[tuple[Step, list[Order]]]:
        """Decide something for an account, store it, and let it be seen. Answers the orders that ended by it."""
        now = self.now()
        if self.unready(account, now):
            yield from self.make_ready(account, now)
        ok = False
        try:
            step = self.engine.decide(account, now, decide, trades)
            ended: list[Order] = []
            if step.events:
                answer = yield self.store.append, (self.batch_of(step, commit_id),)
                ended = self.settle(step, answer)
            else:
                self.engine.commit(step)
            ok = True
        except FAILURES as fault:
            raise (yield from self.failed(account, fault)) from None
        finally:
            if not ok:
                self.spoil(account)
        return step, ended

    def unready(self, account: str, now: int) -> bool:
        """Is something due, or must the account be folded again, before it can decide?"""
        deadlines = self.engine.deadlines
        halted = account in self.stale or account in self.stopped or account in self.waiting
        return halted or bool(deadlines and deadlines[0][0] <= now)

    def make_ready(self, account: str, now: int) -> Flow[None]:
        """Catch up with the store, then with the clock: an account that is folded again may have something due too.

        What went wrong for others they hear when they are asked.
        """
        if account in self.stale or account in self.stopped:
            yield from self.reload(account)
        faults = yield from self.wake_due(now)
        if account in faults:
            raise faults[account]
        if account in self.waiting:
            raise self.waiting[account]

    def keep(self, step: Step, commit_id: str | None) -> Flow[None]:
        """Store a step and commit it."""
        if step.events:
            answer = yield self.store.append, (self.batch_of(step, commit_id),)
            self.settle(step, answer)
        else:
            self.engine.commit(step)

    def begin_account(self, step: Step, commit_id: str | None) -> Flow[None]:
        """Store the beginning of an account."""
        account = step.state.account
        stored: bool | None = None  # nobody knows
        try:
            yield from self.keep(step, commit_id)
            stored = True
        except StoreError as why:
            stored = None if isinstance(why, OutcomeUnknownError) else False
            raise
        finally:
            if stored is None:
                self.unheard.add(account)
            elif stored:
                self.unheard.discard(account)
            if not stored and account not in self.engine.seats:
                self.engine.drop(account)  # nothing may wait in a market for an account that is not there

    def settle(self, step: Step, answer: object) -> list[Order]:
        """The store has answered: commit and queue for delivery, or raise what it said."""
        if type(answer) is not Appended or answer.last != step.state.version:
            self._refuse(step, answer)
        ended = self.engine.commit(step)
        if self.outbox.subscriptions:
            self.outbox.put(step.events)
        if self.snapshots is not None:
            self.snapshots.note(step.state.account, step.state.version, self.engine.now_ns)
        return ended

    def _refuse(self, step: Step, answer: object) -> None:
        """Raise what the store said, unless it was a repetition of this very append."""
        if isinstance(answer, Conflict):
            raise StoreConflictError(step.state.account, max(step.state.committed, 0), answer.actual)
        if isinstance(answer, StoreError):
            raise answer
        if not isinstance(answer, AlreadyAppended) or answer.last != step.state.version:
            raise OutcomeUnknownError(f"the store answered {answer!r:.80} to an append up to {step.state.version}")

    # ----------------------------------------------------------------- data

    def meet(self, market: Market, fired: Sequence[Resting], match: Match, at_ns: int) -> Flow[None]:
        """New data meets every account it reaches, each on its own; a fault stops that account only."""
        engine = self.engine
        self.now()  # what the age of data is judged by
        groups: dict[str, list[Resting]] = {}
        for entry in fired:
            groups.setdefault(entry.account, []).append(entry)
        for account in self.waiting:
            groups.pop(account, None)
        steps: list[Step] = []
        batches: list[Append] = []
        faults: Faults = {}
        ok = False
        try:
            for account in sorted(groups):
                try:
                    step = engine.meet(account, at_ns, groups[account], match)
                    batch = self.batch_of(step, None) if step.events else None  # with its rows, which may fail too
                    if batch is None:
                        engine.commit(step)
                except Exception as fault:
                    self.fault(account, fault, faults, at_ns)
                    continue
                if batch is not None:
                    steps.append(step)
                    batches.append(batch)
            ok = True
        finally:
            if not ok:  # interrupted: nobody may stay ahead of the journal
                for account in groups:
                    self.spoil(account)
        if steps:
            yield from self._keep_many(steps, batches, faults)
        _raise_first(faults)

    def _keep_many(self, steps: list[Step], batches: list[Append], faults: Faults) -> Flow[None]:
        done = 0
        try:
            answers = yield self.store.append_many, (batches,)
            if not isinstance(answers, (list, tuple)) or len(answers) != len(steps):
                raise OutcomeUnknownError(f"the store answered {answers!r:.80} to {len(steps)} appends")
            for step, answer in zip(steps, answers, strict=True):
                try:
                    self.settle(step, answer)
                except Exception as fault:  # what the store said, or a calendar that was asked for the next deadline
                    self.fault(step.state.account, fault, faults)
                done += 1
        finally:
            for step in steps[done:]:  # nobody answered for these
                self.spoil(step.state.account)

    def fault(self, account: str, fault: Exception, faults: Faults, at_ns: int = -1) -> None:
        """Something went wrong for one account: it is folded again (or stopped) and the others go on.

        One whose next day its calendar does not know stands still instead, as it is: said once, and to its commands.
        """
        for ears in self.ears:
            ears.faults.append(fault)
        faults[account] = fault
        seat = self.engine.seats.get(account)
        if seat is not None and isinstance(fault, CalendarRangeError) and not _knows_day(seat, at_ns):
            seat.wake_ns = 0
            self.waiting[account] = fault
            return
        if isinstance(fault, STOPPING):
            self.stop(account, fault)
        self.spoil(account)


def _knows_day(seat: Seat, at_ns: int) -> bool:
    """Can the day of an instant begin for an account; or has something happened already in the step that broke off?"""
    if at_ns < 0 or seat.state.version != seat.state.committed:
        return True
    try:
        seat.profile.trading_day.ends(at_ns)
    except CalendarRangeError:
        return False
    return True


def _raise_first(faults: Faults) -> None:
    for fault in faults.values():
        raise fault
