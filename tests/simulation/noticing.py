"""Rare situations that no record shows: they are noticed by looking at a turn before it is played and after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from papertrade.codec.events import decode_event
from papertrade.domain.events import Event, OrderAccepted, OrderFilled, OrderModifyRejected, OrdersLinked
from papertrade.domain.instants import to_datetime
from papertrade.domain.rejections import RejectReason
from papertrade.domain.words import OrderStatus
from papertrade.engine.state import AccountState
from papertrade.testing.oracle import vocabulary as say

from .clients import key_of
from .turns import EVERY_HOST, Clone, Snapshot, Start, Turn

if TYPE_CHECKING:
    from .hosts import Host
    from .world import World


class Before(NamedTuple):
    """What was so before a turn."""

    latest_ns: dict[int, int]  # of the data that each process was given
    waiting: str | None  # the key of this command, if it was sent before and never answered
    folding: set[tuple[int, str]]  # accounts that wait in a process to be folded again
    heads: dict[str, int]


class Noticing:
    """Counts into a world's marks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.marks = world.marks
        self._halted: set[tuple[int, str]] = set()  # by process and symbol

    # ---------------------------------------------------------------- before

    def before(self, turn: Turn, acting: list[Host]) -> Before:
        """Look at what a turn will meet."""
        world, deed = self.world, turn.deed
        waiting = self._asked_before(turn) if acting and turn.account and not turn.wrong else None
        if not acting:
            pass  # nobody is up to take it
        elif isinstance(deed, say.Halt):
            self._halt(deed, acting)
        elif isinstance(deed, (say.Quote, say.Print, say.Bar, say.Depth, say.LastPrice, say.Auction)):
            ups = sum(host is not None for host in world.hosts)
            self.marks["datum missed a process"] += turn.host != EVERY_HOST and ups > 1
            if isinstance(deed, say.Quote):
                self._at_the_band(deed)
        folding = {(host.process, name) for host in acting for name in host.windows if host.live(name) is None}
        heads = {name: world.disk.head(name) for name in world.names}
        return Before({host.process: host.latest_ns for host in acting}, waiting, folding, heads)

    def _asked_before(self, turn: Turn) -> str | None:
        """Has this been asked with its key before? Then it was refused then, or it has no answer yet."""
        client = self.world.clients[turn.account]
        key = key_of(turn.deed)
        if key is None or client.keyed.get(key) != turn.deed:
            return None
        numbers = client.numbers.get(key, ())
        first = client.ended.get(numbers[0]) if numbers else None
        self.marks["refused order asked again"] += first is not None and first.status is OrderStatus.REJECTED
        return key if key in client.waiting else None

    def _halt(self, deed: say.Halt, acting: list[Host]) -> None:
        for host in acting:
            slot = (host.process, deed.symbol)
            waits = any(o.terms.symbol == deed.symbol for state in self._live(host) for o in state.orders.values())
            if deed.halted:
                self._halted.add(slot)
                self.marks["halted while orders wait"] += waits
            elif slot in self._halted:
                self._halted.remove(slot)
                self.marks["resumed while orders wait"] += waits

    def _live(self, host: Host) -> Iterator[AccountState]:
        for name in self.world.names:
            state = host.live(name)
            if state is not None:
                yield state

    def _at_the_band(self, quote: say.Quote) -> None:
        instrument = next((i for i in self.world.profile.setups[0].instruments if i.symbol == quote.symbol), None)
        band = None if instrument is None else instrument.band_units
        if band is not None:
            self.marks["limit up without a seller"] += quote.ask is None and quote.bid == band[1]
            self.marks["limit down without a buyer"] += quote.bid is None and quote.ask == band[0]

    # ----------------------------------------------------------------- after

    def after(self, turn: Turn, acting: list[Host], was: Before) -> None:
        """Look at what a turn has left, before its records are audited."""
        deed = turn.deed
        if was.waiting is not None and was.waiting not in self.world.clients[turn.account].waiting:
            about = deed.target if isinstance(deed, Clone) else turn.account
            done_now = self.world.disk.head(about) > was.heads.get(about, 0)
            self.marks["asked again, and it is done now" if done_now else "asked again, and it was done"] += 1
            self.marks["copy asked for again"] += isinstance(deed, Clone)
        for host in acting:
            self._folded(turn, host, was)
            if isinstance(deed, (say.Quote, say.Print, say.Bar, say.Depth, say.LastPrice, say.Auction)):
                self._late(deed, was.latest_ns[host.process])
        if isinstance(deed, Snapshot):
            self._snapshot(turn, acting)
        elif isinstance(deed, Start):
            self._started(turn)
        for name in self.world.names:
            if self.world.disk.head(name) > was.heads[name]:
                self._recorded(name, was.heads[name])

    def _folded(self, turn: Turn, host: Host, was: Before) -> None:
        for name in self.world.names:
            if (host.process, name) in was.folding and host.live(name) is not None:
                who = "its own command" if turn.account == name else "what others did"
                self.marks[f"account folded again by {who}"] += 1

    def _late(self, datum: say.Quote | say.Print | say.Bar | say.Depth | say.LastPrice, latest_ns: int) -> None:
        at = datum.end if isinstance(datum, say.Bar) else datum.at
        if at is not None and at < latest_ns:
            days = {setup.trading_day for setup in self.world.setups.values()}
            ended = any(day.day_of(at) < day.day_of(latest_ns) for day in days)
            self.marks["late datum of a day that has ended"] += ended

    def _snapshot(self, turn: Turn, acting: list[Host]) -> None:
        stream = self.world.disk.streams.get(turn.account)
        for host in acting:
            state = host.live(turn.account)
            if state is not None and stream is not None and stream.snapshot is not None:
                open_pair = any(order.oco in state.orders for order in state.orders.values())
                self.marks["snapshot while a pair is open"] += open_pair and stream.snapshot.version == state.version

    def _started(self, turn: Turn) -> None:
        host = self.world.hosts[turn.host]
        for state in () if host is None else self._live(host):
            over = [o for o in state.orders.values() if o.expires_ns and o.expires_ns <= self.world.true_ns]
            self.marks["order expired while nobody was up"] += bool(over)

    # --------------------------------------------------------------- records

    def _recorded(self, name: str, head: int) -> None:
        """Only records that may show something are decoded: this is done after every turn."""
        records = self.world.disk.streams[name].records[head:]
        fills = []
        for record in records:
            if b'"kind":"order_modify_rejected"' in record.data:
                self.marks["change came after the fill"] += self._was_filled(decode_event(record.data))
            elif b'"kind":"day_opened"' in record.data:
                self._day(name, decode_event(record.data).at_ns)
            elif b'"rule":"B' in record.data and b'"kind":"order_filled"' in record.data:
                fills.append(decode_event(record.data))
        self._in_the_second_hour(name, records[-1].now_ns)
        if len(fills) > 1:
            self._both_legs(name, fills)

    def _was_filled(self, refused: Event) -> bool:
        """Was a change refused because of what had filled meanwhile?"""
        assert isinstance(refused, OrderModifyRejected)
        if refused.reason is RejectReason.BELOW_FILLED_QUANTITY:
            return True
        fills = self.world.disk.streams[refused.account].events()
        return any(isinstance(event, OrderFilled) and event.number == refused.number for event in fills)

    def _both_legs(self, name: str, fills: list[Event]) -> None:
        pairs = self._pairs(name)
        numbers = {fill.number for fill in fills if isinstance(fill, OrderFilled)}
        self.marks["both legs filled in one bar"] += any(pairs.get(number) in numbers for number in numbers)

    def _pairs(self, name: str) -> dict[int, int]:
        """Which orders were ever linked, both ways."""
        found: dict[int, int] = {}
        for event in self.world.disk.streams[name].events():
            one, two = 0, 0
            if isinstance(event, OrderAccepted):
                one, two = event.number, event.oco
            elif isinstance(event, OrdersLinked):
                one, two = event.number, event.other
            if two:
                found[one], found[two] = two, one
        return found

    def _day(self, name: str, at_ns: int) -> None:
        day = self.world.setups[name].trading_day
        zone, end = day.zone, day.ends(at_ns)
        self.marks["day in which clocks change"] += _local(zone, at_ns).utcoffset() != _local(zone, end).utcoffset()

    def _in_the_second_hour(self, name: str, at_ns: int) -> None:
        """In an hour that comes twice the same wall clock has two offsets; in one that is left out it says nothing."""
        local = _local(self.world.setups[name].trading_day.zone, at_ns)
        other = local.replace(fold=1 - local.fold)
        self.marks["record in an hour that comes twice"] += local.utcoffset() != other.utcoffset()


def _local(zone: ZoneInfo, at_ns: int) -> datetime:
    return to_datetime(at_ns).astimezone(zone)
