"""One world: processes over a disk, clients, a market, true time, and the auditors who look at everything.

``play`` carries out one turn and checks what it left behind. Where turns come from does not matter: a director draws
them, a kept failure lists them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from papertrade.engine.state import AccountState
from papertrade.errors import InvariantError, KeyConflictError, StoreConflictError, StoreError, UsageError
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Command

from .auditor import Auditor
from .auditor.broken import BrokenInvariantError
from .clients import Client
from .deliveries import Deliveries
from .hosts import Host
from .looks import folded_on, look, need_equal, rebuilt
from .noticing import Noticing
from .store_sim import Disk, ProcessKilled, Written
from .swarm import Profile, facts_of
from .turns import EVERY_HOST, Die, PowerLoss, Raw, ReadAll, SetClock, Snapshot, Start, Turn

DATA = (say.Quote, say.LastPrice, say.Print, say.Bar, say.Depth, say.Halt)
FULL_EVERY = 50
DEEP = 4  # every so many looks are deep
Seen = list[tuple[str, tuple[int | None, ...]]]


class World:
    """Everything there is in one run."""

    def __init__(self, profile: Profile, full_every: int = FULL_EVERY, notices: bool = True) -> None:
        self.profile = profile
        self.full_every = full_every
        self.disk = Disk()
        self.hosts: list[Host | None] = [None] * profile.hosts
        self.true_ns = profile.start_ns
        self.processes = 0
        self.turns = 0
        self.names = [setup.account for setup in profile.setups]
        self.clients = {name: Client(name) for name in self.names}
        self.auditors = {setup.account: Auditor(facts_of(setup)) for setup in profile.setups}
        self.audited = dict.fromkeys(self.names, 0)
        self.acknowledged = dict.fromkeys(self.names, 0)
        self.marks: Counter[str] = Counter()
        self.folded = {name: AccountState() for name in self.names}  # at the last look
        self.trail = sha256()  # of every live state that was looked at
        self.deliveries = Deliveries()
        self.noticing, self.notices = Noticing(self), notices
        self.restarts: dict[str, list[int]] = {name: [] for name in self.names}

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
        for host in self._up():
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
        self._audit(turn, acting)
        if self.turns % self.full_every == 0:
            self.look(deep=self.turns % (DEEP * self.full_every) == 0)

    def _acting(self, turn: Turn) -> list[Host]:
        """The processes that this turn is for. One that is down does nothing, nor does it matter."""
        if turn.host == EVERY_HOST:
            return self._up()
        host = self.hosts[turn.host] if turn.host < len(self.hosts) else None
        return [] if host is None else [host]

    def _up(self) -> list[Host]:
        return [host for host in self.hosts if host is not None]

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
            self._outcome(host, turn, host.broker(turn.account).snapshot)
        elif isinstance(deed, ReadAll):
            self._outcome(host, turn, lambda: look(self, host, turn.account))
        elif isinstance(deed, (say.Advance, say.MoveClock)):
            self._outcome(host, turn, lambda: host.give("", deed))
        elif isinstance(deed, DATA):
            self._deliver(host, turn, deed)
        elif isinstance(deed, Raw):
            self._raw(host, turn, deed)
        else:
            assert not isinstance(deed, (PowerLoss, Start))
            self._command(host, turn, deed)

    # ----------------------------------------------------- life and death

    def _start(self, turn: Turn) -> None:
        """A process starts; it may die while it recovers, and then another one has to."""
        if self.hosts[turn.host] is not None:
            return
        self.processes += 1
        host = Host(turn.host, self.processes, self.disk, list(self.profile.setups), self.true_ns)
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
            self._need_cause(host, turn, why)
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
        self.marks["second process beside a first"] += len(self._up()) > 1
        for name in self.names:
            state = host.live(name)
            if state is None or host.process == 1:
                continue
            stops = [o for o in state.orders.values() if o.stop_units is not None and o.triggered_ns is None]
            self.marks["restart with a waiting stop"] += bool(stops)
            self.marks["restart with a triggered stop"] += any(o.triggered_ns for o in state.orders.values())
            self.marks["restart with a position"] += bool(state.holdings)
            self.marks["restart with a linked pair"] += any(o.oco for o in state.orders.values())
            self.marks["restart with a partly filled order"] += any(o.filled_units for o in state.orders.values())
            self.marks["restart with a latch"] += bool(state.latches)
            self.marks["restart in a margin call"] += state.margin_call
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

    # ------------------------------------------------------ asking the host

    def _outcome(self, host: Host, turn: Turn, ask: object) -> tuple[str, object]:
        """Ask, and sort what comes back: an answer, misuse, or a store error with a cause. Nothing else may come."""
        try:
            return "answer", ask()  # type: ignore[operator]
        except UsageError as why:
            return "misuse", why
        except StoreError as why:
            self._need_cause(host, turn, why)
            self.marks[f"error: {type(why).__name__}"] += 1
            return "error", why
        except (AssertionError, InvariantError, ProcessKilled):
            raise
        except Exception as why:
            raise BrokenInvariantError("A1", turn.account, f"{type(why).__name__}: {why}", "a typed error") from why

    def _need_cause(self, host: Host, turn: Turn, why: StoreError) -> None:
        """A store error has a cause: a fault that was planned, or another process that was faster."""
        if host.store.met is None and self.profile.hosts == 1:
            found = f"{type(why).__name__}: {why}"
            raise BrokenInvariantError("A1", turn.account, found, "no error: nothing went wrong in the store")

    def _raw(self, host: Host, turn: Turn, deed: Raw) -> None:
        """A call as somebody typed it, which has to be refused as misuse."""
        target = host.exchange if deed.call.startswith("on_") else host.broker(turn.account)
        kind, why = self._outcome(host, turn, lambda: getattr(target, deed.call)(**deed.typed()))
        if kind == "answer":
            raise BrokenInvariantError("A1", turn.account, f"{deed} was taken", "a refusal as misuse")
        if kind == "misuse":
            self._need_unchanged(host, why)

    def _deliver(self, host: Host, turn: Turn, datum: Command) -> None:
        """A datum for a process. The auditors see what it saw, also if it died of it."""
        at_ns, seen = shown(datum)
        before = host.latest_ns
        host.latest_ns = max(before, at_ns or 0)
        kind = "killed"
        try:
            kind, why = self._outcome(host, turn, lambda: host.give(self.names[0], datum))
        finally:
            if kind == "misuse":
                host.latest_ns = before
            elif seen:
                stamped, sequence = at_ns is None, getattr(datum, "sequence", None)
                at_ns = host.exchange._desk.engine.now_ns if at_ns is None else at_ns
                for auditor in self.auditors.values():
                    for about, values in seen:
                        auditor.saw(
                            host.process, datum.symbol, about, at_ns, values, stamped=stamped, sequence=sequence
                        )
        if kind == "misuse":
            self._need_unchanged(host, why)
        elif turn.wrong and kind == "answer":
            raise BrokenInvariantError("A1", "every account", f"{datum!r} was taken", "a refusal as misuse")
        else:
            if self.deliveries.came_before(host.process, datum):
                self._need_once(host, datum)
            self._mark_datum(datum)
            self.marks["late datum"] += at_ns is not None and at_ns < before

    def _mark_datum(self, datum: Command) -> None:
        if isinstance(datum, say.Halt):
            self.marks["halted" if datum.halted else "resumed"] += 1
        if isinstance(datum, say.Quote):
            self.marks["one-sided quote"] += datum.bid is None or datum.ask is None
            if datum.bid is not None and datum.ask is not None:
                self.marks["crossed quote"] += datum.bid > datum.ask
                self.marks["locked quote"] += datum.bid == datum.ask
        if isinstance(datum, say.Bar):
            self.marks["bar without volume"] += datum.volume is None
            self.marks["bar of no volume"] += datum.volume == 0

    def _command(self, host: Host, turn: Turn, command: Command) -> None:
        """A client asks. On a conflict it asks again: somebody else wrote first, and the account was folded again."""
        client = self.clients[turn.account]
        reuse = client.is_reuse(command)
        if not turn.wrong:
            client.asks(command, self.turns)
        for attempt in range(4):
            kind, found = self._outcome(host, turn, lambda: host.give(turn.account, command))
            if not isinstance(found, StoreConflictError):
                break
            self.marks["conflict, asked again"] += attempt == 0
        if turn.wrong and kind == "answer":
            name = "K3" if reuse else "A1"
            raise BrokenInvariantError(name, turn.account, f"an answer to {command!r}", "a refusal as misuse")
        if kind == "answer":
            client.is_answered(command, found)
            self._need_stored(host, turn.account)
        elif kind == "misuse":
            if reuse and not isinstance(found, KeyConflictError):
                raise BrokenInvariantError("K3", turn.account, found, "a KeyConflictError")
            self.marks["key with another content"] += isinstance(found, KeyConflictError)
            if not turn.wrong and not isinstance(found, KeyConflictError):
                client.is_misuse(command)
            self._need_unchanged(host, found)

    # ------------------------------------------------------------- checking

    def _need_stored(self, host: Host, account: str) -> None:
        """E9: whoever is answered reads what is stored for good."""
        state = host.live(account)
        stream = self.disk.streams.get(account)
        if state is not None and (stream is None or state.committed > stream.synced):
            raise BrokenInvariantError("E9", account, f"answered at version {state.committed}", "a synced version")

    def _need_unchanged(self, host: Host, why: object) -> None:
        """A2: misuse changes nothing. What the clock did before it is not its doing."""
        self.marks["misuse refused"] += 1
        for name in self.names:
            for record in self._new_records(name):
                if b'"kind":"order_expired"' not in record.data and b'"kind":"day_opened"' not in record.data:
                    raise BrokenInvariantError("A2", name, f"{record.data.decode()} after {why}", "no event")

    def _need_once(self, host: Host, datum: Command) -> None:
        """K6: a datum that a process was given before does nothing there."""
        self.marks["datum delivered again"] += 1
        for name in self.names:
            for record in self._new_records(name):
                if record.process == host.process and b'"evidence":{' in record.data:
                    raise BrokenInvariantError("K6", name, f"{record.data.decode()} after {datum!r} again", "no event")

    def _new_records(self, name: str) -> Sequence[Written]:
        stream = self.disk.streams.get(name)
        return stream.records[self.audited[name] :] if stream else ()

    def _audit(self, turn: Turn, acting: list[Host]) -> None:
        """Let the auditors take what is new in the journals, and compare the live accounts with their books."""
        for host in self._up():
            if host.broken is not None:
                raise host.broken
            for event in host.news:
                self.acknowledged[event.account] = max(self.acknowledged[event.account], event.version)
            host.news.clear()
        for name in self.names:
            auditor, new = self.auditors[name], self._new_records(name)
            if not new:
                self._need_at_rest(turn, acting, name)
                continue
            for data, process, now_ns, commit_id in new:
                auditor.take(data, process, now_ns, commit_id)
            self.audited[name] = self.disk.head(name)
            for host in acting:
                if self.hosts[host.slot] is host and host.is_current(name):
                    auditor.after_step(host.broker(name))
            self._need_at_rest(turn, acting, name)

    def _need_at_rest(self, turn: Turn, acting: list[Host], name: str) -> None:
        """A4: with one process and no fault, every account stands where its journal ends."""
        if turn.fault is None and len(self.hosts) == 1 and acting and self.hosts[0] is acting[0]:
            state = acting[0].live(name)
            if state is None and self.profile.fault:
                return  # it waits to be folded again
            version = -1 if state is None else state.version
            if version != self.audited[name]:
                raise BrokenInvariantError("A4", name, f"version {version} live", f"{self.audited[name]} stored")

    def look(self, deep: bool = True) -> None:
        """The full comparison: every process that stands where the journal ends, and all that one of them shows.

        A deep look folds the whole journal again, also by way of a snapshot, and reads every entry.
        """
        for name in self.names:
            hosts = [host for host in self._up() if host.is_current(name)]
            if not hosts:
                continue
            folded = rebuilt(self, name) if deep else folded_on(self, name)
            for host in hosts:
                need_equal("E2", name, host.broker(name).digest(), folded)
            self.auditors[name].full(hosts[self.turns % len(hosts)].broker(name), entries=deep)
            self.trail.update(folded.encode())


def shown(datum: Command) -> tuple[int | None, Seen]:
    """When a datum is from, and what evidence made of it can show."""
    if isinstance(datum, say.Halt):
        return None, []
    if isinstance(datum, say.Quote):
        return datum.at, [("quote", (datum.bid, datum.ask, datum.bid_size, datum.ask_size))]
    if isinstance(datum, say.LastPrice):
        return datum.at, [("price", (datum.price,))]
    if isinstance(datum, say.Print):
        return datum.at, [("trade", (datum.price, datum.size))]
    if isinstance(datum, say.Bar):
        return datum.end, [("bar", (datum.open, datum.high, datum.low, datum.close, datum.volume))]
    assert isinstance(datum, say.Depth)
    sides = (datum.bids, datum.asks)
    return datum.at, [("depth", tuple(units for level in side for units in level)) for side in sides]
