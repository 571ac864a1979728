"""A world as the auditors see it: everything there is in one run, and what has to hold after each turn."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import attrs

from papertrade.domain.events import AccountCloned
from papertrade.engine.state import AccountState
from papertrade.testing.oracle.vocabulary import Command

from .auditor import Auditor
from .auditor.broken import BrokenInvariantError
from .clients import Client
from .deliveries import Deliveries
from .hosts import Host
from .looks import by_snapshot, folded_on, need_equal, rebuilt
from .store_sim import Disk, Written
from .swarm import Profile, facts_of
from .turns import Turn

FULL_EVERY = 50
DEEP = 4  # every so many looks are deep
LAST_PRICE = re.compile(b'"rule":"[QLDPB]8"')
BY_THE_CLOCK = (b"order_expired", b"day_opened", b"day_closed", b"equity_marked")
"""What the clock brings about before a process looks at what it is asked, also when that is misuse."""


class AuditedWorld:
    """Everything there is in one run."""

    def __init__(self, profile: Profile, full_every: int = FULL_EVERY) -> None:
        self.profile = profile
        self.full_every = full_every
        self.disk = Disk()
        self.hosts: list[Host | None] = [None] * profile.hosts
        self.true_ns = profile.start_ns
        self.processes = 0
        self.turns = 0
        self.setups = {setup.account: setup for setup in profile.setups}  # and of what was copied since
        self.copied: dict[str, str] = {}  # every copy that was ever asked for, and what it is a copy of
        self.names = list(self.setups)
        self.clients = {name: Client(name) for name in self.names}
        self.auditors = {setup.account: Auditor(facts_of(setup)) for setup in profile.setups}
        self.audited = dict.fromkeys(self.names, 0)
        self.acknowledged = dict.fromkeys(self.names, 0)
        self.marks: Counter[str] = Counter()
        self.misused: set[int] = set()  # turns that were refused as misuse
        self.folded = {name: AccountState() for name in self.names}  # at the last look
        self.trail = sha256()  # of every live state that was looked at
        self.deliveries = Deliveries()
        self.restarts: dict[str, list[int]] = {name: [] for name in self.names}

    def up(self) -> list[Host]:
        """The processes that run."""
        return [host for host in self.hosts if host is not None]

    # ------------------------------------------------------------- checking

    def need_stored(self, host: Host, account: str) -> None:
        """E9: whoever is answered reads what is stored for good."""
        state = host.live(account)
        stream = self.disk.streams.get(account)
        if state is not None and (stream is None or state.committed > stream.synced):
            raise BrokenInvariantError("E9", account, f"answered at version {state.committed}", "a synced version")

    def need_unchanged(self, host: Host, why: object) -> None:
        """A2: misuse changes nothing. What the clock did before it is not its doing."""
        self.marks["misuse refused"] += 1
        for name in self.disk.streams.keys() | self.setups.keys():
            for record in by_whoever_asked(self.new_records(name)):
                if not any(b'"kind":"%b"' % kind in record.data for kind in BY_THE_CLOCK):
                    raise BrokenInvariantError("A2", name, f"{record.data.decode()} after {why}", "no event")

    def need_once(self, host: Host, datum: Command) -> None:
        """K6: a datum that a process was given before does nothing there."""
        self.marks["datum delivered again"] += 1
        for name in self.names:
            for record in by_whoever_asked(self.new_records(name)):
                if record.process == host.process and b'"evidence":{' in record.data:
                    raise BrokenInvariantError("K6", name, f"{record.data.decode()} after {datum!r} again", "no event")

    def new_records(self, name: str) -> Sequence[Written]:
        stream = self.disk.streams.get(name)
        return stream.records[self.audited.get(name, 0) :] if stream else ()

    def audit(self, turn: Turn, acting: list[Host]) -> None:
        """Let the auditors take what is new in the journals, and compare the live accounts with their books."""
        self._meet_copies()
        for host in self.up():
            if host.broken is not None:
                raise host.broken
            if host.distrusted():
                raise BrokenInvariantError("E4", "somebody", "a snapshot that is distrusted", "what was written")
            for event in host.news:
                self.acknowledged[event.account] = max(self.acknowledged[event.account], event.version)
            host.news.clear()
        for name in self.names:
            auditor, new = self.auditors[name], self.new_records(name)
            if not new:
                self.need_at_rest(turn, acting, name)
                continue
            if name in self.copied and not self.audited[name]:
                self._begin_copy(turn, acting, name)
            for record in new:
                auditor.take(*record)
            self.audited[name] = self.disk.head(name)
            for host in acting:
                if self.hosts[host.slot] is host and host.is_current(name):
                    auditor.after_step(host.broker(name))
            self.need_at_rest(turn, acting, name)

    def _meet_copies(self) -> None:
        """Accounts that are stored and that nobody knew before: they have to be copies that somebody asked for."""
        for name, stream in self.disk.streams.items():
            if not stream.records or name in self.setups:
                continue
            if name not in self.copied:
                raise BrokenInvariantError("A2", name, "an account that nobody asked for", "none")
            setup = self.setups[name] = attrs.evolve(self.setups[self.copied[name]], account=name)
            self.names.append(name)
            self.clients[name], self.restarts[name], self.folded[name] = Client(name), [], AccountState()
            self.audited[name] = self.acknowledged[name] = 0
            self.auditors[name] = Auditor(attrs.evolve(facts_of(setup), start_cash_units=0))
            self.marks["account copied"] += 1
            self.marks["copy of a copy"] += self.copied[name] in self.copied

    def _begin_copy(self, turn: Turn, acting: list[Host], name: str) -> None:
        """P8: a copy has what its source had, as the process that copied it knew it.

        Only beside another process may that be less than is stored, as with everything else that it reads.
        """
        source, copied = self.copied[name], self.disk.streams[name].events()[1]
        assert isinstance(copied, AccountCloned)
        version = self.audited[source]
        if len(self.hosts) > 1 and copied.source_version < version:
            version = copied.source_version
            self.marks["copy of what a process knew"] += 1
        for host in acting:
            state = host.live(source)
            if self.hosts[host.slot] is host and state is not None:
                need_equal("P8", name, copied.source_version, state.version)
        self.auditors[name].begins_as(self.auditors[source], version)

    def need_at_rest(self, turn: Turn, acting: list[Host], name: str) -> None:
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
            hosts = [host for host in self.up() if host.is_current(name)]
            if not hosts:
                continue
            folded = rebuilt(self, name) if deep else folded_on(self, name)
            for host in hosts:
                if host.broker(name).digest() != folded:
                    by_snapshot(self, name, folded)  # is it what the process started from?
                    need_equal("E2", name, host.broker(name).digest(), folded)
            self.auditors[name].full(hosts[self.turns % len(hosts)].broker(name), entries=deep)
            self.trail.update(folded.encode())


def by_whoever_asked(records: Sequence[Written]) -> list[Written]:
    """These records without what the clock did by itself, and what belongs to it.

    That are stages of squaring off, and orders for a closing price that met their session's last one.
    """
    stages = {instant_of(record) for record in records if is_stage(record.data)}
    return [record for record in records if instant_of(record) not in stages] if stages else list(records)


def is_stage(data: bytes) -> bool:
    """Is this what the clock begins something with, at an instant of its own?"""
    return b'"kind":"squared_off"' in data or LAST_PRICE.search(data) is not None


def instant_of(record: Written) -> str:
    """The instant of a record, as it is written."""
    return str(json.loads(record.data)["data"]["at"])
