"""Hosts: processes that run an exchange over the disk and can die between any two turns, or in the middle of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.domain.orders import Order
from papertrade.engine.state import AccountState
from papertrade.exchange import Exchange
from papertrade.hosting.setup import SnapshotPolicy
from papertrade.matching.market import Market
from papertrade.paper import PaperBroker
from papertrade.ports.clock import DataClock
from papertrade.testing.driving import Giver, open_set_up
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Setup

from .auditor.broken import BrokenInvariantError
from .store_sim import Disk, SimStore
from .swarm import Profile
from .turns import Asked, Clone


class HostClock:
    """What one process believes the time is: the true time and an error that can change in both directions."""

    def __init__(self, ns: int) -> None:
        self.ns = ns
        self.error_ns = 0
        self.latest_ns = 0  # that it ever showed; a process never goes back behind it

    def now_ns(self) -> int:
        """The time it reads."""
        now = self.ns + self.error_ns
        self.latest_ns = max(self.latest_ns, now)
        return now

    def peek_ns(self) -> int:
        """What it would have shown by now, without showing it: the process has not heard of it."""
        return max(self.latest_ns, self.ns + self.error_ns)


class Window(Giver):
    """One account on a host."""

    def __init__(self, exchange: Exchange, broker: PaperBroker) -> None:
        self.exchange, self.broker = exchange, broker


class Host:
    """One process: an exchange, its accounts, its clock and what its subscribers heard."""

    def __init__(
        self, slot: int, process: int, disk: Disk, setups: Mapping[str, Setup], now_ns: int, profile: Profile
    ) -> None:
        self.exclusive = profile.exclusive
        self.snapshots: SnapshotPolicy | str = "off"
        if profile.every_events:
            self.snapshots = SnapshotPolicy(every_events=profile.every_events, every_minutes=60, at_least=5)
        self.slot, self.process, self.disk, self.setups = slot, process, disk, setups
        self.rules = next(iter(setups.values()))  # of the markets and the clock, which all accounts share
        self.data_clock = self.rules.data_clock
        self.clock = DataClock() if self.data_clock else HostClock(now_ns)
        self.latest_ns = 0  # of the data it was given
        self.store = SimStore(disk, process, self.now_ns, self.clock_ns)
        self.windows: dict[str, Window] = {}
        self.unheard_takes: set[str] = set()  # accounts that it perhaps owns without knowing
        self.heard: dict[str, int] = {}  # the last version that was published here
        self.news: list[Event] = []  # published in this turn
        self.broken: BrokenInvariantError | None = None  # what a subscriber found wrong

    def boot(self) -> None:
        """Start: list the instruments, subscribe, open every account as it is stored."""
        fill = self.rules.fill
        self.exchange = Exchange(self.store, self.clock, fill=fill, snapshots=self.snapshots, threadsafe=False)
        if self.rules.hours is not None:
            self.exchange.use_calendar(self.rules.hours)
        for instrument in self.rules.instruments:
            self.exchange.add_instrument(instrument)
        self.exchange.subscribe(self._hear)
        for account in self.setups:
            self.window(account)

    def window(self, account: str) -> Window:
        """An account here; one that was made by another process is opened when it is first asked for."""
        return self.windows[account] if account in self.windows else self._open(account)

    def _open(self, account: str) -> Window:
        if account not in self.windows:
            self._will_hear(account)
        broker = open_set_up(self.exchange, self.setups[account], exclusive=self.exclusive)
        self.windows[account] = Window(self.exchange, broker)
        return self.windows[account]

    def take(self, account: str) -> None:
        """Take an account for this process, or take it back."""
        self._open(account)

    def clone(self, source: str, asked: Clone) -> PaperBroker:
        """Copy an account."""
        self.window(source)
        if asked.target not in self.windows:
            self._will_hear(asked.target)
        broker = self.exchange.clone_account(source, asked.target, note=asked.note, command_id=asked.command_id)
        self.windows[asked.target] = Window(self.exchange, broker)
        return broker

    def _will_hear(self, account: str) -> None:
        """What is stored before an account is opened is no news, unless it began here without an answer."""
        if account not in self.exchange._desk.unheard:
            self.heard[account] = self.disk.head(account)

    def now_ns(self) -> int:
        """The time by which this process acts: the latest that its clock ever showed, or a later datum it was given."""
        return max(self.clock_ns(), self.latest_ns)

    def peek_ns(self) -> int:
        """The same as somebody outside works it out, who may not move the process's idea of the time by asking."""
        shown = self.clock.peek_ns() if isinstance(self.clock, HostClock) else self.clock.now_ns()
        return max(shown, self.latest_ns)

    def clock_ns(self) -> int:
        """The latest that its clock ever showed."""
        now = self.clock.now_ns()
        return getattr(self.clock, "latest_ns", now)

    def set_time(self, true_ns: int) -> None:
        """True time passes. Under the data clock nobody here notices."""
        if isinstance(self.clock, HostClock):
            self.clock.ns = true_ns

    def give(self, account: str, command: Asked) -> object:
        """Give a command for an account, a datum, or the time."""
        if isinstance(command, say.Advance):
            self.exchange.advance(command.to if self.data_clock else None)
            if self.data_clock:
                self.latest_ns = max(self.latest_ns, command.to)
            return None
        if isinstance(command, say.MoveClock):
            return None  # time passes with every turn; nobody is told
        if isinstance(command, Clone):
            return self.clone(account, command)
        return self.window(account).give(command)

    def _hear(self, event: Event) -> None:
        """E10: versions come in order without a gap, and E9: nothing is published that is not stored for good."""
        stream, expected = self.disk.streams[event.account], self.heard[event.account] + 1
        said = f"version {event.version} was published"
        if event.version != expected:
            self.broken = BrokenInvariantError("E10", event.account, said, expected)
        elif event.version > stream.synced:
            self.broken = BrokenInvariantError("E9", event.account, said, f"{stream.synced}, which is synced")
        elif (type(event), event) != (type(kept := stream.events()[event.version - 1]), kept):
            self.broken = _other_event(event, stream.records[event.version - 1].data)
        self.heard[event.account] = event.version
        self.news.append(event)

    # ------------------------------------------------------------ looking in

    def live(self, account: str) -> AccountState | None:
        """The state of an account in this process; None while it waits to be folded again."""
        seat = self.exchange._desk.engine.seats.get(account)
        return None if seat is None else seat.state

    def is_current(self, account: str) -> bool:
        """Does this process stand where the journal ends?"""
        state = self.live(account)
        return state is not None and state.version == self.disk.head(account)

    def distrusted(self) -> int:
        """How many snapshots it found damaged; whatever happens here, no snapshot is."""
        keeper = self.exchange._desk.snapshots
        return 0 if keeper is None else keeper.unread

    def broker(self, account: str) -> PaperBroker:
        """The account's broker here."""
        return self.window(account).broker


def _other_event(event: Event, stored: bytes) -> BrokenInvariantError:
    """What was published is not what is read: something else was stored (E9), or it is read as something else (E8)."""
    name = "E8" if encode_event(event) == stored else "E9"
    return BrokenInvariantError(name, event.account, event, stored)


class _Latches(NamedTuple):
    latches: tuple[str, ...]


class LiveSight:
    """What the client of an account sees of it on a host: enough to draw commands that make sense."""

    def __init__(self, host: Host, account: str, past: dict[int, Order]) -> None:
        state = host.live(account)
        self.state = AccountState() if state is None else state
        self.host, self.past = host, past
        self.clock = host.peek_ns()

    @property
    def orders(self) -> dict[int, Order]:
        """Orders that are open, and some that ended."""
        return {**self.past, **self.state.orders}

    @property
    def markets(self) -> dict[str, Market]:
        """Every market."""
        return self.host.exchange._desk.engine.markets

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Open orders, oldest first."""
        return [o for o in self.state.orders.values() if symbol is None or o.terms.symbol == symbol]

    def bases(self) -> _Latches:
        """Which limits have latched."""
        return _Latches(self.state.latches)

    def closable(self, symbol: str, sign: int) -> int:
        """How much an order of this side could close."""
        return max(0, -sign * self.state.quantity(symbol))

    def available(self) -> int:
        """Roughly what can be spent."""
        return self.state.cash

    def total(self) -> int:
        """All cash."""
        return self.state.total

    def held(self) -> int:
        """Held cash."""
        return self.state.held

    def held_keys(self) -> list[str]:
        """Keys of what is held."""
        return sorted(self.state.holdings)
