"""One world: processes over a disk, clients, a market, true time, and the auditors who look at everything.

``play`` carries out one turn and checks what it left behind. Where turns come from does not matter: a director draws
them, a kept failure lists them.
"""

from __future__ import annotations

from papertrade.errors import InvariantError, StoreError
from papertrade.testing.oracle import vocabulary as say

from .asking import Asking
from .audit import DEEP, FULL_EVERY
from .auditor.broken import BrokenInvariantError
from .hosts import Host
from .looks import look
from .noticing import Noticing
from .store_sim import ProcessKilled
from .swarm import Profile
from .turns import EVERY_HOST, Die, PowerLoss, Raw, ReadAll, SetClock, Snapshot, Start, Take, Turn

DATA = (say.Quote, say.LastPrice, say.Print, say.Bar, say.Depth, say.Auction, say.Halt)


class World(Asking):
    """A world in which turns are played."""

    def __init__(self, profile: Profile, full_every: int = FULL_EVERY, notices: bool = True) -> None:
        super().__init__(profile, full_every)
        self.noticing, self.notices = Noticing(self), notices

    # --------------------------------------------------------------- turns

    def play(self, turn: Turn) -> None:
        """One turn, and what must hold after it."""
        try:
            self._play(turn)
        except InvariantError as why:  # found by the engine's own checks, wherever somebody was looking
            raise BrokenInvariantError("A6", turn.account, f"the account stopped: {why}", "no broken books") from why

    def _play(self, turn: Turn) -> None:
        self.turns += 1
        self.true_ns = max(self.true_ns, turn.at_ns) + self.disk.slow_ns
        self.disk.slow_ns = 0
        acting = self._acting(turn)
        for host in self.up():
            host.set_time(self.true_ns)
        for host in acting:
            host.store.arm(turn.fault)
        was = self.noticing.before(turn, acting) if self.notices else None
        self._carry_out(turn, acting)
        if was is not None:
            self.noticing.after(turn, acting, was)
        for host in acting:
            if host.store.met is not None:
                self.marks[f"fault met: {host.store.met}"] += 1
            host.store.arm(None)
        self.audit(turn, acting)
        if self.turns % self.full_every == 0:
            self.look(deep=self.turns % (DEEP * self.full_every) == 0)

    def _acting(self, turn: Turn) -> list[Host]:
        """The processes that this turn is for. One that is down does nothing, nor does it matter.

        Nobody is asked about an account that there is not: when turns are left out, a copy may be among them.
        """
        if turn.account and turn.account not in self.setups:
            return []
        if turn.host == EVERY_HOST:
            return self.up()
        host = self.hosts[turn.host] if turn.host < len(self.hosts) else None
        return [] if host is None else [host]

    def _carry_out(self, turn: Turn, acting: list[Host]) -> None:
        deed = turn.deed
        if isinstance(deed, PowerLoss):
            self._power_loss()
        elif isinstance(deed, Start):
            self._start(turn)
        else:
            for host in acting:
                try:
                    self._act(host, turn)
                except ProcessKilled:
                    self._killed(host)

    def _act(self, host: Host, turn: Turn) -> None:
        """What one process does in a turn."""
        deed = turn.deed
        if isinstance(deed, Die):
            self.hosts[host.slot] = None
            self.marks["process died between turns"] += 1
        elif isinstance(deed, SetClock):
            if hasattr(host.clock, "error_ns"):
                self.marks["clock set back"] += deed.error_ns < host.clock.error_ns
                host.clock.error_ns = deed.error_ns
        elif isinstance(deed, Snapshot):
            self.outcome(host, turn, lambda: host.broker(turn.account).snapshot())
        elif isinstance(deed, Take):
            self.take(host, turn)
        elif isinstance(deed, ReadAll):
            self.outcome(host, turn, lambda: look(self, host, turn.account))
        elif isinstance(deed, (say.Advance, say.MoveClock)):
            self.outcome(host, turn, lambda: host.give("", deed))
        elif isinstance(deed, DATA):
            self.deliver(host, turn, deed)
        elif isinstance(deed, Raw):
            self.raw(host, turn, deed)
        else:
            assert not isinstance(deed, (PowerLoss, Start))
            self.command(host, turn, deed)

    # ----------------------------------------------------- life and death

    def _start(self, turn: Turn) -> None:
        """A process starts; it may die while it recovers, and then another one has to."""
        if self.hosts[turn.host] is not None:
            return
        self.processes += 1
        host = Host(turn.host, self.processes, self.disk, self.setups, self.true_ns, self.profile)
        host.store.arm(turn.fault)
        for name in self.names:
            self.restarts[name].append(self.disk.head(name))
        try:
            host.boot()
        except ProcessKilled:
            self.marks["killed while starting"] += 1
            self._killed(host)
            return
        except StoreError as why:
            self.need_cause(host, turn, why)
            self.marks["start failed"] += 1
            return
        except (AssertionError, InvariantError):
            raise
        except Exception as why:
            found = f"{type(why).__name__}: {why}"
            raise BrokenInvariantError("A1", turn.account, found, "a process that starts, or a store error") from why
        finally:
            host.store.arm(None)
        self.hosts[turn.host] = host
        self._mark_restart(host)

    def _mark_restart(self, host: Host) -> None:
        self.marks["second process beside a first"] += len(self.up()) > 1
        self.marks["restart with a copy"] += any(name in self.copied for name in host.windows)
        for name in self.names:
            state = host.live(name)
            if state is None or host.process == 1:
                continue
            stops = [o for o in state.orders.values() if o.stop_units is not None and o.triggered_ns is None]
            self.marks["restart with a waiting stop"] += bool(stops)
            self.marks["restart with a triggered stop"] += any(o.triggered_ns for o in state.orders.values())
            self.marks["restart with a position"] += bool(state.holdings)
            auctions = any(o.terms.tif.auction for o in state.orders.values())
            self.marks["restart with an order for an auction"] += auctions
            self.marks["restart with a linked pair"] += any(o.oco for o in state.orders.values())
            self.marks["restart with a partly filled order"] += any(o.filled_units for o in state.orders.values())
            self.marks["restart with a latch"] += bool(state.latches)
            self.marks["restart in a margin call"] += state.margin_call
            squared = any(part.stage != "warned" and state.at_ns < part.closes_ns for part in state.squared)
            self.marks["restart while squared off"] += squared
            stream = self.disk.streams.get(name)
            self.marks["restart from a snapshot"] += bool(stream and stream.snapshot)

    def _killed(self, host: Host) -> None:
        """A process died inside a store call; if the power went, all of them did."""
        if host.slot < len(self.hosts) and self.hosts[host.slot] is host:
            self.hosts[host.slot] = None
        self.marks["killed in a store call"] += 1
        if host.store.met == "power lost":
            self._power_loss()

    def _power_loss(self) -> None:
        before = self.disk.dropped
        self.hosts = [None] * len(self.hosts)
        self.disk.lose_power()
        self.marks["power lost"] += 1
        self.marks["unsynced records dropped"] += self.disk.dropped > before
        for name, version in self.acknowledged.items():
            if self.disk.head(name) < version:
                raise BrokenInvariantError("E9", name, f"{self.disk.head(name)} events left", f"{version} acknowledged")
        for name, stream in self.disk.streams.items():
            if len(stream.records) not in stream.ends:
                raise BrokenInvariantError("A2", name, f"{len(stream.records)} events left", "whole batches")
