"""What processes are asked, and how their answers are sorted: an answer, misuse, a store error with a cause."""

from __future__ import annotations

from papertrade.errors import (
    AccountSuspendedError,
    InvariantError,
    KeyConflictError,
    StoreConflictError,
    StoreError,
    StoreFencedError,
    UsageError,
)
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Command

from .audit import AuditedWorld
from .auditor.broken import BrokenInvariantError
from .hosts import Host
from .store_sim import ProcessKilled
from .turns import Asked, Clone, Raw, Turn

Seen = list[tuple[str, tuple[int | None, ...]]]


class Asking(AuditedWorld):
    """Clients ask, feeds deliver."""

    def outcome(self, host: Host, turn: Turn, ask: object) -> tuple[str, object]:
        """Ask, and sort what comes back: an answer, misuse, or a store error with a cause. Nothing else may come."""
        try:
            return "answer", ask()  # type: ignore[operator]
        except UsageError as why:
            return "misuse", why
        except StoreError as why:
            self.need_cause(host, turn, why)
            self.marks[f"error: {type(why).__name__}"] += 1
            return "error", why
        except (AssertionError, InvariantError, ProcessKilled):
            raise
        except Exception as why:
            raise BrokenInvariantError("A1", turn.account, f"{type(why).__name__}: {why}", "a typed error") from why

    def need_cause(self, host: Host, turn: Turn, why: StoreError) -> None:
        """A store error has a cause: a fault that was planned, or another process that wrote first."""
        if isinstance(why, (StoreFencedError, AccountSuspendedError)) and self._is_late(host, why):
            return
        if host.store.met is None and (self.profile.hosts == 1 or not isinstance(why, StoreConflictError)):
            found = f"{type(why).__name__}: {why}"
            raise BrokenInvariantError("A1", turn.account, found, "no error: nothing went wrong in the store")

    def _is_late(self, host: Host, why: StoreFencedError | AccountSuspendedError) -> bool:
        """Has another process taken the account since, or this one without hearing that it has?

        Who took it may have given it up when it could not open it; it is late that had it before all the same.
        """
        account = why.stream if isinstance(why, StoreFencedError) else why.account
        owner = self.disk.owners.get(account)
        if owner is not None and owner.process == host.process and account not in host.unheard_takes:
            return False
        if not self.profile.exclusive:
            return False
        self.marks[f"late: {type(why).__name__}"] += 1
        return True

    def take(self, host: Host, turn: Turn) -> None:
        """A process takes an account; the one that had it hears of it when it writes next."""
        before = self.disk.owners.get(turn.account)
        if before is not None and before.process != host.process:
            back = turn.account in host.windows and host.live(turn.account) is None
            self.marks["account taken back" if back else "account taken from another"] += 1
        kind, _ = self.outcome(host, turn, lambda: host.take(turn.account))
        if kind == "answer":
            host.unheard_takes.discard(turn.account)
        elif self.disk.owners.get(turn.account) != before:
            host.unheard_takes.add(turn.account)

    def raw(self, host: Host, turn: Turn, deed: Raw) -> None:
        """A call as somebody typed it, which has to be refused as misuse."""

        def call() -> object:
            target = host.exchange if deed.call.startswith("on_") else host.broker(turn.account)
            return getattr(target, deed.call)(**deed.typed())

        kind, why = self.outcome(host, turn, call)
        if kind == "answer":
            raise BrokenInvariantError("A1", turn.account, f"{deed} was taken", "a refusal as misuse")
        if kind == "misuse":
            self.misused.add(self.turns)
            self.need_unchanged(host, why)

    def deliver(self, host: Host, turn: Turn, datum: Command) -> None:
        """A datum for a process. The auditors see what it saw, also if it died of it."""
        at_ns, seen = shown(datum)
        before = host.latest_ns
        host.latest_ns = max(before, at_ns or 0)
        kind = "killed"
        try:
            kind, why = self.outcome(host, turn, lambda: host.give(self.names[0], datum))
        finally:
            if kind == "misuse":
                host.latest_ns = before
            elif seen:
                stamped, sequence = at_ns is None, getattr(datum, "sequence", None)
                begins = getattr(datum, "start", None)
                auction = datum.kind if isinstance(datum, say.Auction) else None
                at_ns = host.exchange._desk.engine.now_ns if at_ns is None else at_ns
                for auditor in self.auditors.values():
                    for about, values in seen:
                        auditor.saw(
                            host.process,
                            datum.symbol,
                            about,
                            at_ns,
                            values,
                            stamped=stamped,
                            sequence=sequence,
                            begins=begins,
                            auction=auction,
                            now=host.peek_ns(),
                        )
        if kind == "misuse":
            self.misused.add(self.turns)
            self.need_unchanged(host, why)
        elif turn.wrong and kind == "answer":
            raise BrokenInvariantError("A1", "every account", f"{datum!r} was taken", "a refusal as misuse")
        else:
            if self.deliveries.came_before(host.process, datum):
                self.need_once(host, datum)
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

    def command(self, host: Host, turn: Turn, command: Asked) -> None:
        """A client asks. On a conflict it asks again: somebody else wrote first, and the account was folded again."""
        client = self.clients[turn.account]
        reuse = client.is_reuse(command)
        if not turn.wrong:
            client.asks(command, self.turns)
            if isinstance(command, Clone):
                self.copied.setdefault(command.target, turn.account)
        for attempt in range(4):
            kind, found = self.outcome(host, turn, lambda: host.give(turn.account, command))
            if not isinstance(found, StoreConflictError):
                break
            self.marks["conflict, asked again"] += attempt == 0
        if turn.wrong and kind == "answer":
            name = "K3" if reuse else "A1"
            raise BrokenInvariantError(name, turn.account, f"an answer to {command!r}", "a refusal as misuse")
        if kind == "answer":
            client.is_answered(command, found)
            self.need_stored(host, turn.account)
        elif kind == "misuse":
            if reuse and not isinstance(found, KeyConflictError):
                raise BrokenInvariantError("K3", turn.account, found, "a KeyConflictError")
            self.marks["key with another content"] += isinstance(found, KeyConflictError)
            if not turn.wrong and not isinstance(found, KeyConflictError):
                client.is_misuse(command)
            self.misused.add(self.turns)
            self.need_unchanged(host, found)


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
    if isinstance(datum, say.Auction):
        return datum.at, [("auction", (datum.price, datum.size))]
    assert isinstance(datum, say.Depth)
    sides = (datum.bids, datum.asks)
    return datum.at, [("depth", tuple(units for level in side for units in level)) for side in sides]
