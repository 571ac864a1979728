"""The director: draws the next turn of a run, from named streams of chance that leave each other alone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType, TimeInForce
from papertrade.testing.chance import START
from papertrade.testing.drawing import AUCTIONS, Drawer
from papertrade.testing.drawing_data import DataDrawer
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Command

from .hosts import Host, LiveSight
from .store_sim import FAULTS, Fault
from .swarm import DAY, SECOND, Profile
from .turns import EVERY_HOST, Asked, Clone, Deed, Die, PowerLoss, ReadAll, SetClock, Snapshot, Start, Take, Turn

if TYPE_CHECKING:
    from .world import World

HOUR = 3_600 * SECOND
MOST_COPIES = 4
KEYED = (say.Deposit, say.Withdraw, say.Modify, say.Import, say.Convert, say.Reset)


class Director:
    """Draws turns for a world that it looks at."""

    def __init__(self, seed: int, profile: Profile) -> None:
        def stream(name: str) -> Random:
            return Random(f"{seed}/{name}")

        self.seed = seed
        self.profile = profile
        self.rng = stream("director")
        self.faults = stream("faults")
        self.data = DataDrawer(stream("market"), profile.setups[0], profile.kinds, auctions=False)
        self.data.now = profile.start_ns
        self.drawers = {
            setup.account: Drawer(stream(setup.account), setup, mix=profile.mix, data=self.data, auctions=False)
            for setup in profile.setups
        }
        self._stream = stream
        self.names = list(self.drawers)
        # Drawn apart: runs without these are what they were.
        self.starts, self.takes = stream("starts"), stream("takes")
        self.auctions = stream("auctions")
        self.bidders: dict[str, Drawer] = {}
        self.keys = 0
        self._weights = self._weigh()

    def _weigh(self) -> tuple[tuple[Callable[[World, Host], Turn], float], ...]:
        p = self.profile
        return (
            (self._crash, p.crash),
            (self._clock, p.clock_error),
            (self._snapshot, p.snapshot),
            (self._jump, p.jump),
            (self._repeat, p.repeat),
            (self._misuse, p.misuse),
            (self._read, 0.005),
            (self._datum, p.datum),
            (self._command, 1.0),
        )

    def next(self, world: World) -> Turn:
        """The next turn."""
        rng = self.rng
        down = [slot for slot, host in enumerate(world.hosts) if host is None]
        up = [host for host in world.hosts if host is not None]
        if not up or (down and rng.random() < 0.15):
            return self._turn(rng.choice(down), Start(), chance=0.3)
        host = rng.choice(up)
        if self.profile.exclusive and self.takes.random() < 0.8:
            host = self._owner(world, host)
        self._meet_copies(world)
        if self.profile.start and self.starts.random() < self.profile.start:
            return self._start(world, host)
        if self.profile.exclusive and self.takes.random() < 0.03:
            return self._turn(host.slot, Take(), self.takes.choice(self.names))
        if self.profile.auction and self.auctions.random() < self.profile.auction:
            return self._auction(world, host)
        for draw, weight in self._weights:
            if rng.random() < weight:
                return draw(world, host)
        return self._command(world, host)

    def _turn(
        self, host: int, deed: Deed, account: str = "", chance: float = 1.0, wrong: bool = False
    ) -> Turn:
        """A turn, in which a store call goes wrong now and then."""
        fault = None
        if self.profile.fault and self.faults.random() < self.profile.fault * chance:
            fault = Fault(self.faults.choice(FAULTS), self.faults.choice((1, 1, 1, 2, 2, 3, 4, 6)))
        return Turn(self.data.now, host, account, deed, fault, wrong)

    # ------------------------------------------------- the machine room

    def _crash(self, world: World, host: Host) -> Turn:
        if self.rng.random() < 0.2:
            return self._turn(EVERY_HOST, PowerLoss())
        return self._turn(host.slot, Die())

    def _clock(self, world: World, host: Host) -> Turn:
        error = self.rng.choice((0, 0, -SECOND, SECOND, -HOUR, HOUR, -HOUR // 60, 20 * HOUR))
        return self._turn(host.slot, SetClock(error))

    def _snapshot(self, world: World, host: Host) -> Turn:
        return self._turn(host.slot, Snapshot(), self.rng.choice(self.names))

    def _read(self, world: World, host: Host) -> Turn:
        return self._turn(host.slot, ReadAll(), self.rng.choice(self.names))

    # ------------------------------------------------------- market and time

    def _jump(self, world: World, host: Host) -> Turn:
        self.data.now += self.rng.choice((HOUR, 8 * HOUR, DAY, 3 * DAY, 30 * DAY))
        return self._turn(host.slot, say.Advance(self.data.now))

    def _datum(self, world: World, host: Host) -> Turn:
        rng, data = self.rng, self.data
        if not self.profile.setups[0].data_clock:
            data.pass_time()
            if rng.random() < 0.1:
                return self._turn(host.slot, say.Advance(data.now))
        slot = host.slot if self.profile.hosts > 1 and rng.random() < self.profile.gap else EVERY_HOST
        return self._turn(slot, self._at_the_band() or data.datum())

    def _at_the_band(self) -> Command | None:
        """Limit up or limit down: the price is at its band and one side of the market is empty."""
        rng, data = self.rng, self.data
        instrument = rng.choice(self.profile.setups[0].instruments)
        if instrument.band_units is None or rng.random() > 0.04:
            return None
        lowest, highest = instrument.band_units
        if rng.random() < 0.5:
            data.prices[instrument.symbol] = highest
            return say.Quote(instrument.symbol, highest, None, 5 * instrument.lot_units, None, data.now)
        data.prices[instrument.symbol] = lowest
        return say.Quote(instrument.symbol, None, lowest, None, 5 * instrument.lot_units, data.now)

    def _auction(self, world: World, host: Host) -> Turn:
        """An order for an auction, the price of one, or one of the instants at which something changes for both."""
        rng, data, first = self.auctions, self.data, self.profile.setups[0]
        instruments = [i for i in first.instruments if first.hours_of(i) is not None]
        if not instruments or first.hours is None or data.now < START:
            return self._datum(world, host)
        instrument, roll = rng.choice(instruments), rng.random()
        bells = [bell for kind in ("open", "close") if (bell := first.hours.auction(kind, data.now - HOUR // 2))]
        bell = min(bells, key=lambda bell: abs(bell.at_ns - data.now))
        kind = "open" if bell.at_ns == bell.opens_ns else "close"
        if roll < 0.45:
            account = rng.choice(self.names)
            return self._turn(host.slot, say.Place(self._bid(world, account, instrument)), account)
        if roll < 0.75:
            slot = host.slot if self.profile.hosts > 1 and rng.random() < self.profile.gap else EVERY_HOST
            return self._turn(slot, data.price_of(instrument, rng.choice((kind, kind, kind, kind, "open", "close"))))
        instants = (bell.until_ns - SECOND, bell.until_ns, bell.at_ns - 1, bell.at_ns, bell.at_ns + 1)
        later = [ns for ns in (*instants, bell.at_ns + 15 * 60 * SECOND + 1_000) if ns > data.now]
        data.now = rng.choice(later) if later else data.now + 20 * 60 * SECOND
        return self._turn(host.slot, say.Advance(data.now))

    def _bid(self, world: World, account: str, instrument: Instrument) -> OrderTerms:
        """An order for an auction, perhaps with a key, or one that may only reduce."""
        rng, setup = self.auctions, world.setups[account]
        bidder = self.bidders.get(account)
        if bidder is None:
            bidder = Drawer(self._stream(f"{account} in auctions"), setup, mix=self.profile.mix, data=self.data)
            self.bidders[account] = bidder
        terms = bidder.for_auction(instrument)._replace(reduce_only=rng.random() < 0.1)
        if setup.hours is not None and rng.random() < 0.6:  # the one that has its price next
            bells = {tif: setup.hours.auction(tif.auction or "", self.data.now) for tif in AUCTIONS}
            terms = terms._replace(tif=min(AUCTIONS, key=lambda tif: bells[tif].at_ns if bells[tif] else 0))
        if rng.random() > self.profile.mix.keyed:
            return terms
        self.keys += 1
        return terms._replace(client_order_id=f"auction-{self.keys}")

    # ----------------------------------------------------------- the clients

    def _command(self, world: World, host: Host) -> Turn:
        rng, profile = self.rng, self.profile
        account = rng.choice(self.names)
        drawer, sight = self.drawers[account], LiveSight(host, account, world.clients[account].ended)
        roll = rng.random()
        if roll < profile.event:
            command = drawer.event(sight)
        elif roll < profile.event + profile.change:
            command = drawer.change(sight)
        else:
            command = drawer.order(sight)
        if isinstance(command, say.Restart):
            return self._turn(host.slot, Die()) if profile.crash else self._turn(host.slot, ReadAll(), account)
        return self._turn(host.slot, self._keyed(command), account)

    def _keyed(self, command: Command) -> Command:
        """Whoever may have to ask again gives a key with what he asks."""
        if not isinstance(command, KEYED) or self.rng.random() > self.profile.mix.keyed:
            return command
        self.keys += 1
        return command._replace(command_id=f"asked-{self.keys}")

    def _repeat(self, world: World, host: Host) -> Turn:
        """A client asks again: what was never answered first, else anything that it ever gave a key."""
        rng = self.rng
        account = rng.choice(self.names)
        client = world.clients[account]
        if not client.keyed:
            return self._command(world, host)
        waiting = list(client.waiting)
        key = rng.choice(waiting) if waiting and rng.random() < 0.7 else rng.choice(list(client.keyed))
        return self._turn(host.slot, client.keyed[key], account)

    def _start(self, world: World, host: Host) -> Turn:
        """Positions come in, an account begins again, or it is copied, perhaps from a copy."""
        rng, number = self.starts, len(world.copied) + 1
        if rng.random() < 0.5 or number > MOST_COPIES:
            account = rng.choice(self.names)
            sight = LiveSight(host, account, world.clients[account].ended)
            return self._turn(host.slot, self.drawers[account].start(sight), account)
        if rng.random() < 0.15:  # into a name that has a history, or into itself
            return self._turn(host.slot, Clone(rng.choice(self.names)), rng.choice(self.names), wrong=True)
        key = f"copied-{number}" if rng.random() < 0.8 else None
        deed = Clone(f"copy{number}", key, rng.choice(("", "to try something")))
        return self._turn(host.slot, deed, rng.choice(self.names))

    def _owner(self, world: World, host: Host) -> Host:
        """Mostly somebody is asked who owns something."""
        owners = {world.disk.owners[name].process for name in self.names if name in world.disk.owners}
        return next((owner for owner in world.up() if owner.process in owners), host)

    def _meet_copies(self, world: World) -> None:
        """A copy has a client of its own, who trades as that of the account it was copied from."""
        for name in world.names[len(self.names) :]:
            setup = world.setups[name]
            drawer = Drawer(self._stream(name), setup, mix=self.profile.mix, data=self.data, auctions=False)
            self.drawers[name] = drawer
            self.names.append(name)

    def _misuse(self, world: World, host: Host) -> Turn:
        """Something that must be refused as misuse: a key with another content, a price of nothing, a foreign order."""
        rng = self.rng
        account = rng.choice(self.names)
        instrument = rng.choice(self.profile.setups[0].instruments)
        client = world.clients[account]
        answered = [c for key, c in client.keyed.items() if key not in client.waiting]
        if answered and rng.random() < 0.5:
            return self._turn(host.slot, _other(rng.choice(answered), instrument.lot_units), account, wrong=True)
        lot = instrument.lot_units
        wrong: tuple[tuple[int, Command], ...] = (
            (EVERY_HOST, say.Quote(instrument.symbol, 0, 10**9, lot, lot, self.data.now)),
            (EVERY_HOST, say.Print("S9", 10**9, lot, 0, self.data.now)),
            (host.slot, say.Cancel(10**6)),
            (host.slot, say.Place(_nonsense(instrument.symbol, lot))),
            (host.slot, say.Deposit(0)),
            (host.slot, say.Reset(-(10**9))),
            (host.slot, say.Import((say.Row(instrument.symbol, lot, 10**9), say.Row("S9", lot, 10**9)))),
            (host.slot, say.Modify(1, -lot)),
        )
        slot, command = rng.choice(wrong)
        return self._turn(slot, command, account, wrong=True)


def _other(command: Asked, lot: int) -> Asked:
    """A command with the same key and another content."""
    if isinstance(command, say.Place):
        terms = command.terms
        more = (terms.quantity_units or lot) + lot
        return say.Place(terms._replace(quantity_units=more, notional_units=None))
    if isinstance(command, say.PlacePair):
        return say.PlacePair(command.second, command.first)
    if isinstance(command, say.Modify):
        return command._replace(quantity=(command.quantity or lot) + 977 * lot)  # what no order was changed to
    if isinstance(command, say.Import):
        first, *others = command.rows
        return command._replace(rows=(first._replace(price=first.price + 1), *others))
    if isinstance(command, say.Convert):
        return command._replace(quantity=command.quantity + lot)
    if isinstance(command, say.Reset):
        return command._replace(cash=command.cash + 10**9)
    if isinstance(command, (say.Deposit, Clone)):
        return command._replace(note=command.note + "!")
    assert isinstance(command, say.Withdraw)
    return command._replace(amount=command.amount * 2)


def _nonsense(symbol: str, lot: int) -> OrderTerms:
    """A stop below nothing."""
    return OrderTerms(
        symbol, 1, OrderType.STOP, lot, None, None, -lot, TimeInForce.GTC, None, False, False, 0, None, ()
    )
