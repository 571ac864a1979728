"""The engine: many accounts, many markets, no I/O. It decides; a host appends, acknowledges and publishes.

Every method that decides returns a ``Step`` whose events are not yet acknowledged. The host appends them and then calls
``commit``; if anything went wrong it calls ``drop`` and gives the account back with ``adopt``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop

from papertrade.domain.events import Event
from papertrade.domain.hours import MarketHours
from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import Order
from papertrade.engine.clockwork import TOLD_NS, FirstStep, begin_day, next_wake, run_clock, schedule
from papertrade.engine.day_end import note_point
from papertrade.engine.evolve import fold
from papertrade.engine.profile import BOOKENDS, ON_CHANGE, AccountProfile, by_calendar
from papertrade.engine.state import AccountState
from papertrade.engine.step import Deadlines, Seat, Step
from papertrade.engine.watch import review, watch_from_storage
from papertrade.errors import UnknownAccountError
from papertrade.matching.market import Market
from papertrade.matching.resting import Resting


class Engine:
    """Markets and accounts, and the one way in which they meet."""

    __slots__ = ("clock_ns", "deadlines", "markets", "now_ns", "seats", "until_ns")

    def __init__(self) -> None:
        self.markets: dict[str, Market] = {}
        self.seats: dict[str, Seat] = {}
        self.deadlines: Deadlines = []
        self.now_ns = 0
        self.until_ns = 0  # how far somebody is catching up
        self.clock_ns = 0  # what the host's clock said last: the age of data is judged by it

    # ------------------------------------------------------- what is there

    def list_instrument(self, instrument: Instrument, hours: MarketHours | None = None) -> Market:
        """Begin a market for an instrument, open at these hours; its market if it is listed already."""
        market = self.markets.get(instrument.symbol)
        if market is None:
            market = self.markets[instrument.symbol] = Market(instrument, hours)
        return market

    def new_step(self, profile: AccountProfile, now_ns: int) -> Step:
        """A step for an account that does not exist yet; it takes its seat when the step is committed."""
        return Step(Seat(AccountState(), profile), self.markets, self.deadlines, now_ns)

    def step(self, account: str, now_ns: int) -> Step:
        """A step for an account that is there."""
        try:
            seat = self.seats[account]
        except KeyError:  # its broker was closed
            raise UnknownAccountError(account, []) from None
        step = Step(seat, self.markets, self.deadlines, now_ns)
        step.clock_ns = self.clock_ns or now_ns
        return step

    def rehearsal(self, account: str, now_ns: int) -> Step:
        """A step on a copy of the account: nothing it does is seen anywhere else."""
        seat = self.seats[account]
        twin = Seat(copy_state(seat.state), seat.profile)
        twin.day_ends_ns = seat.day_ends_ns
        step = Step(twin, self.markets, self.deadlines, now_ns, live=False)
        step.clock_ns = self.clock_ns or now_ns
        return step

    # ------------------------------------------------------------ deciding

    def decide(self, account: str, now_ns: int, decide: Callable[[Step], None], trades: bool = True) -> Step:
        """Decide something for an account: its day is open then. The first one opens with what can trade."""
        opens = trades or self.seats[account].state.day
        step = self.begin(account, now_ns) if opens else self.step(account, now_ns)
        decide(step)
        self.end(step)
        return step

    def begin(self, account: str, now_ns: int) -> Step:
        """A step that can fill or rest orders: its day opens first."""
        step = self.step(account, now_ns)
        if step.state.today is None or step.now_ns >= step.seat.day_ends_ns:
            begin_day(step)
        return step

    def end(self, step: Step) -> None:
        """Margin calls and loss limits are looked at last."""
        if step.profile.watches or step.state.unvalued or step.seat.watched:
            review(step)
        if step.profile.points_ns == ON_CHANGE:
            note_point(step)

    def meet(
        self,
        account: str,
        at_ns: int,
        fired: Iterable[Resting],
        match: Callable[[Step, list[int]], None],
    ) -> Step:
        """Let new data meet the orders of one account that it reaches."""
        seat = self.seats[account]
        came_in = bool(seat.state.open_positions) and not seat.state.day  # before anybody knew what day it was
        step = (Step if seat.state.day or came_in else FirstStep)(seat, self.markets, self.deadlines, at_ns)
        step.clock_ns = self.clock_ns or at_ns  # a late datum is as old as the clock says
        if came_in:
            begin_day(step)
        numbers = [entry.number for entry in fired if entry.number]
        if numbers:
            if seat.state.day:
                begin_day(step)
            match(step, numbers)
        if step.profile.watches or step.state.unvalued or seat.watched:
            review(step)
        if step.profile.points_ns == ON_CHANGE:
            note_point(step)
        return step

    # ---------------------------------------------------------------- time

    def next_deadline(self) -> int | None:
        """When to call again: the next expiry or end of a day; None when nothing is due by itself."""
        ns = self._first_due()
        return None if ns == TOLD_NS else ns  # nobody can call at an instant that is not known yet

    def _first_due(self) -> int | None:
        deadlines, seats = self.deadlines, self.seats
        while deadlines:
            ns, account = deadlines[0]
            seat = seats.get(account)
            if seat is not None and seat.wake_ns == ns:
                return ns
            heappop(deadlines)  # it was replaced by an earlier one, or its account was dropped
        return None

    def due(self, now_ns: int) -> tuple[int, str] | None:
        """The next deadline that has come, with its account."""
        ns = self._first_due()
        if ns is None or ns > now_ns:
            return None
        self.until_ns = now_ns
        return self.deadlines[0]

    def wake(self, account: str, due_ns: int) -> Step:
        """Do what is due for one account, at the instant it was due."""
        seat = self.seats[account]
        seat.until_ns = self.until_ns
        step = Step(seat, self.markets, self.deadlines, self.until_ns if due_ns == TOLD_NS else due_ns)
        run_clock(step)
        return step

    # ------------------------------------------------- after the host's append

    def commit(self, step: Step) -> list[Order]:
        """The step's events are stored: it becomes what readers see. Answers the orders that ended.

        What looks ahead asks the calendars and may raise. So the step counts as seen only after that: whoever folds the
        account again then knows that nobody has heard of it.
        """
        state, seat = step.state, step.seat
        finished = state.finished
        if finished:
            state.finished = []
            for order in finished:
                index = self.markets[order.terms.symbol].index
                if index.entries:
                    index.remove(order.account, order.number)
        if seat.taken:
            seat.taken.clear()
        if seat.wake_ns and seat.wake_ns <= step.now_ns:
            seat.wake_ns = 0
            wake = next_wake(step)
            if wake:
                step.wake_at(wake)
        sooner = step.profile.squares or step.profile.points_ns not in (0, ON_CHANGE)  # than the end of the day
        at_stake = state.today is not None or state.open_positions or state.orders
        if state.settling or (at_stake and (sooner or not 0 < seat.wake_ns <= seat.day_ends_ns)):
            schedule(step)
        if state.committed < 0:
            self.seats[state.account] = seat
        state.committed = state.version
        return finished

    def drop(self, account: str) -> AccountProfile | None:
        """Forget an account whose step was not stored; its profile is what ``adopt`` needs to bring it back."""
        seat = self.seats.pop(account, None)
        if seat is not None:
            for used, side, quantity in seat.taken:
                used[side] -= quantity
        for market in self.markets.values():
            market.index.remove_account(account)
        return None if seat is None else seat.profile

    def adopt(self, state: AccountState, profile: AccountProfile) -> Seat:
        """Seat an account from storage: its orders rest again, its deadlines stand again. Nothing is decided."""
        seat = self.seats[state.account] = Seat(state, profile)
        state.committed = state.version
        seat.until_ns = self.now_ns
        step = Step(seat, self.markets, self.deadlines, state.at_ns)
        if state.today is not None:
            seat.day_ends_ns = profile.trading_day.end_of(state.day)
        for _, order in sorted(state.orders.items()):
            step.rest(order)
        schedule(step)
        watch_from_storage(step)
        return seat

    def look_at_hours(self, hours: MarketHours) -> None:
        """This is the calendar of its name now: days go by it, and accounts are woken at its closes and auctions."""
        for account, seat in self.seats.items():
            seat.profile = by_calendar(seat.profile, hours)
            step = self.step(account, self.now_ns)
            for order in seat.state.orders.values():
                if order.terms.tif.auction is not None:
                    step.rest(order)
            if seat.profile.points_ns == BOOKENDS:
                seat.point_ns = 0  # of other hours
            schedule(step)

    def look_soon(self, account: str) -> None:
        """Look at the first datum of each position of an account that has just begun with some."""
        seat = self.seats[account]
        watch_from_storage(Step(seat, self.markets, self.deadlines, seat.state.at_ns))

    def folded(self, events: Iterable[Event]) -> AccountState:
        """The state of a stored journal."""
        return fold(AccountState(), events)


def copy_state(state: AccountState) -> AccountState:
    """A state that can be moved without moving the first: orders are shared until one of them changes."""
    twin = AccountState()
    for name in AccountState.__slots__:
        setattr(twin, name, getattr(state, name))
    twin.orders = dict(state.orders)
    twin.books = dict(state.books)
    twin.positions = {key: position.copy() for key, position in state.positions.items()}
    twin.today = None if state.today is None else state.today.copy()
    twin.find_holdings()
    twin.committed = state.version
    twin.finished = []
    return twin
