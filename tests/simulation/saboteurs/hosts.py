"""Planted in the host: the order of its work, restarts, snapshots, publishing, time, and what it shares."""

from __future__ import annotations

from heapq import heapify
from typing import Any

from papertrade.codec.forms import Form
from papertrade.domain.events import DayClosed, DayOpened
from papertrade.engine import budgets, clockwork, engine, evolve, express, watch
from papertrade.engine import snapshot as snapshots
from papertrade.engine.engine import Engine
from papertrade.engine.step import Step
from papertrade.hosting import account_reading
from papertrade.hosting.delivery import Outbox
from papertrade.hosting.desk import Desk
from papertrade.ledger.chart import CASH, HOLDS
from papertrade.matching.market import NEVER, Market

from ..hosts import Host
from ..store_sim import SimStore
from .plant import Plant, saboteur

QUOTE = ("bid_units", "ask_units", "bid_size_units", "ask_size_units", "quote_ns", "standing")


# ------------------------------------------------------------------ state and log


@saboteur("E2")
def peak_moves_without_an_event(plant: Plant) -> None:
    """A new highest equity is remembered at once, and the journal is not told."""

    def make(true: Any) -> Any:
        def review(step: Any, now: Any) -> None:
            if step.profile.limits.drawdown_units is not None and not step.events:
                step.state.peak_units = max(step.state.peak_units, now.equity)
            true(step, now)

        return review

    plant.here(watch, "_review_losses", make)


@saboteur("E2", "P3")
def express_lane_forgets_the_fees_of_a_position(plant: Plant) -> None:
    """The short way to a fill leaves out what the position was charged."""

    def make(true: Any) -> Any:
        def apply(position: Any, fill: Any, fifo: bool) -> None:
            charged = position.fees_units
            true(position, fill, fifo)
            position.fees_units = charged

        return apply

    plant.here(express, "apply_fill", make)


@saboteur("E4", "E2")
def latches_left_out_of_a_snapshot(plant: Plant) -> None:
    """An account that is restored from a snapshot has no latch."""

    def make(true: Any) -> Any:
        def restored(record: Any) -> Any:
            state = true(record)
            state.latches = ()
            return state

        return restored

    plant.here(snapshots, "_restored", make)


@saboteur("E4", "A6", "E1")
def tail_begins_at_the_snapshot(plant: Plant) -> None:
    """The last event that a snapshot covers is folded once more."""

    def make(true: Any) -> Any:
        def get_snapshot(self: Any, stream: str) -> Any:
            kept = true(self, stream)
            self.overlap = kept is not None
            return kept

        return get_snapshot

    def load(true: Any) -> Any:
        def loaded(self: Any, stream: str, start: int = 1, stop: int | None = None) -> Any:
            early, self.overlap = getattr(self, "overlap", False) and start > 1, False
            return true(self, stream, start - early, stop)

        return loaded

    plant.here(SimStore, "get_snapshot", make)
    plant.here(SimStore, "load", load)


@saboteur("E7", "E2", "E4", "R4")
def asking_moves_the_peak(plant: Plant) -> None:
    """Whoever asks for the equity of an account sets its peak by it."""

    def make(true: Any) -> Any:
        def view(seat: Any, markets: Any, now_ns: int) -> Any:
            shown = true(seat, markets, now_ns)
            seat.state.peak_units = max(seat.state.peak_units, shown.equity_units)
            return shown

        return view

    plant.here(account_reading, "account_view", make)


@saboteur("E7", "E1", "A4", "A6", "A1", "E2", "E10")
def rehearsal_on_the_account_itself(plant: Plant) -> None:
    """A pair is rehearsed on the account and not on a copy of it."""
    plant.patch.setattr(
        Engine, "rehearsal", lambda self, account, now: Step(self.seats[account], self.markets, self.deadlines, now)
    )


@saboteur("E8", "A1")
def instants_with_an_offset(plant: Plant) -> None:
    """Instants are written with an offset of zero and not with a Z."""
    plant.here(Form, "write", lambda true: lambda self, record: true(self, record).replace('Z"', '+00:00"'))


@saboteur("E8", "E2", "K2")
def amount_asked_for_lost_in_reading(plant: Plant) -> None:
    """The amount of money that an order asked for is written, and not read."""

    def make(true: Any) -> Any:
        def read(self: Any, text: str) -> Any:
            event = true(self, text)
            if getattr(event, "terms", None) is None:
                return event
            return event._replace(terms=event.terms._replace(notional_units=None))

        return read

    plant.here(Form, "read", make)


@saboteur("E4", "E8", "A1")
def zeros_in_the_amounts_of_a_snapshot(plant: Plant) -> None:
    """A snapshot writes amounts with two places at least."""

    def make(true: Any) -> Any:
        def text_of(units: int) -> str:
            text = str(true(units))
            return text if "." in text else f"{text}.00"

        return text_of

    plant.here(snapshots, "text_of", make)


# -------------------------------------------------------------- storing and telling


@saboteur("E9", "E10")
def published_before_it_is_stored(plant: Plant) -> None:
    """Subscribers hear of what was decided while the store is still being asked."""

    def make(true: Any) -> Any:
        def boot(self: Any) -> None:
            append = self.store.append

            def told_first(batch: Any) -> Any:
                outbox = self.exchange._desk.outbox
                if batch.stream in self.disk.streams:
                    outbox.put(batch.events)
                    outbox.deliver()
                return append(batch)

            self.store.append = told_first
            true(self)

        return boot

    plant.here(Host, "boot", make)


@saboteur("E10")
def published_newest_first(plant: Plant) -> None:
    """The events of a step are published in the wrong order."""
    plant.here(Outbox, "put", lambda true: lambda self, events: true(self, events[::-1]))


@saboteur("E10")
def news_lost_when_an_answer_was_cut(plant: Plant) -> None:
    """What was stored without an answer is folded again, and nobody is told."""

    def make(true: Any) -> Any:
        def reload(self: Any, account: str) -> Any:
            self.published[account] = 2**40
            return (yield from true(self, account))

        return reload

    plant.here(Desk, "reload", make)


@saboteur("A2", "E7", "E1", "A4", "A1", "A6", "E2", "E10", "K5", "L1", "O4")
def failed_step_stays_in_memory(plant: Plant) -> None:
    """When the store refuses a step, the account goes on as if it had been stored."""
    plant.patch.setattr(Desk, "spoil", lambda self, account: None)


@saboteur("A4", "E1", "E10", "E9")
def new_day_alone_is_not_stored(plant: Plant) -> None:
    """A step in which only a day ended and began is not worth a write."""

    def make(true: Any) -> Any:
        def keep(self: Any, step: Any, commit_id: str | None) -> Any:
            if all(isinstance(event, (DayClosed, DayOpened)) for event in step.events):
                self.engine.commit(step)
            else:
                yield from true(self, step, commit_id)

        return keep

    plant.here(Desk, "keep", make)


@saboteur("A4", "M10")
def liquidity_shared_by_all_accounts(plant: Plant) -> None:
    """What one account took from a quote is gone for the others."""

    def used_up(market: Any, account: str, sign: int) -> int:
        return sum(used[0 if sign > 0 else 1] for used in market.used.values())

    plant.everywhere(budgets, "used_up", lambda true: used_up)


# ------------------------------------------------------------------------ restarts


@saboteur("M7", "M2", "L4", "R4")
def quotes_remembered_over_a_restart(plant: Plant) -> None:
    """A process that starts trades on the quotes of the one before it."""

    def make(true: Any) -> Any:
        def boot(self: Any) -> None:
            true(self)
            markets = self.exchange._desk.engine.markets
            for symbol, old in getattr(self.disk, "markets", {}).items():
                if old.quote_ns != NEVER and old.bids is None:
                    for name in QUOTE:
                        setattr(markets[symbol], name, getattr(old, name))
                    markets[symbol].number += 1
            self.disk.markets = markets

        return boot

    plant.here(Host, "boot", make)


@saboteur("E2", "A1", "A6", "E1", "E10", "K5", "A3")
def last_event_not_folded(plant: Plant) -> None:
    """An account is folded up to the event before the last."""

    def make(true: Any) -> Any:
        return lambda state, events: true(state, list(events)[:-1])

    plant.everywhere(evolve, "fold", make)


@saboteur("L5", "E2", "L2", "E4")
def holds_repaired_at_the_start(plant: Plant) -> None:
    """A process that starts puts the held cash right: the sum of what its orders hold, linked or not."""

    def make(true: Any) -> Any:
        def adopt(self: Any, state: Any, profile: Any) -> Any:
            held = sum(order.hold_units for order in state.orders.values())
            state.books[CASH] = state.books.get(CASH, 0) + state.books.get(HOLDS, 0) - held
            state.books[HOLDS] = held
            return true(self, state, profile)

        return adopt

    plant.here(Engine, "adopt", make)


@saboteur("T3", "O6", "T2")
def deadlines_forgotten_over_a_restart(plant: Plant) -> None:
    """After a start nobody remembers when orders end and days begin."""

    def make(true: Any) -> Any:
        def adopt(self: Any, state: Any, profile: Any) -> Any:
            seat = true(self, state, profile)
            self.deadlines[:] = [due for due in self.deadlines if due[1] != state.account]
            heapify(self.deadlines)
            return seat

        return adopt

    plant.here(Engine, "adopt", make)


# ---------------------------------------------------------------------------- time


@saboteur("T1", "M2")
def account_time_follows_the_clock_back(plant: Plant) -> None:
    """When the clock is set back, so is the account."""

    def make(true: Any) -> Any:
        def begin(self: Any, seat: Any, markets: Any, deadlines: Any, now_ns: int, live: bool = True) -> None:
            true(self, seat, markets, deadlines, now_ns, live)
            self.now_ns = now_ns

        return begin

    plant.here(Step, "__init__", make)


@saboteur("T3", "O6", "M10")
def one_order_expires_at_a_time(plant: Plant) -> None:
    """Of several orders that are due only the first expires, and nobody wakes up for the others."""

    def run_clock(true: Any) -> Any:
        def run(step: Any) -> None:
            orders = step.state.orders
            due = [number for number, o in sorted(orders.items()) if o.expires_ns and o.expires_ns <= step.now_ns]
            late = {number: orders[number].expires_ns for number in due[1:]}
            for number in late:
                orders[number].expires_ns = None
            true(step)
            for number in late.keys() & orders.keys():
                orders[number].expires_ns = late[number]

        return run

    def next_wake(step: Any) -> int:
        due = [order.expires_ns for order in step.state.orders.values() if order.expires_ns]
        return min((ns for ns in (*due, step.seat.day_ends_ns) if ns > step.now_ns), default=0)

    plant.here(engine, "run_clock", run_clock)
    plant.patch.setattr(engine, "next_wake", next_wake)


@saboteur("T2", "L4", "E2", "A6", "T3")
def day_opens_with_every_look(plant: Plant) -> None:
    """The day of an account begins again whenever the clock is asked."""

    def make(true: Any) -> Any:
        def begin(step: Any) -> None:
            step.state.day, step.state.today = "", None
            true(step)

        return begin

    plant.everywhere(clockwork, "begin_day", make)


@saboteur("T4", "M10", "M1", "M3")
def repeated_quote_renews_its_size(plant: Plant) -> None:
    """A quote that is delivered twice can be taken from twice."""

    def make(true: Any) -> Any:
        def is_stale(self: Any, *about: Any) -> bool:
            stale = bool(true(self, *about))
            if stale:
                self.used = {}
            return stale

        return is_stale

    plant.here(Market, "_is_stale", make)
