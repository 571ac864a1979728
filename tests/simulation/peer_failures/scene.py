"""What a scripted failure is made of: a setup, turns, the situation they reach, and guards that can be removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from papertrade.domain.instruments import Instrument
from papertrade.domain.numbers import parse_units
from papertrade.domain.orders import OrderTerms
from papertrade.domain.words import OrderType
from papertrade.errors import InvariantError
from papertrade.ledger.margin import FlatMargin
from papertrade.paper import PaperBroker
from papertrade.testing.chance import START
from papertrade.testing.drawing import Mix
from papertrade.testing.drawing_data import KINDS
from papertrade.testing.oracle import vocabulary as say
from papertrade.testing.oracle.vocabulary import Setup

from ..auditor.broken import BrokenInvariantError
from ..closing import close_books, settle
from ..run import digest_of, replayed
from ..spelling import PLAIN
from ..store_sim import Fault
from ..swarm import SECOND, Profile
from ..turns import EVERY_HOST, Deed, Die, Start, Turn
from ..world import DATA, World

Guard = Callable[[pytest.MonkeyPatch], None]
"""Takes away what protects us."""

AAA = Instrument("AAA", currency="USD", tick_size="0.01")
BBB = Instrument("BBB", currency="USD", tick_size="0.01")
CASH = Setup(instruments=(AAA, BBB), cash_units=1_000 * 10**9)
MARGIN = attrs.evolve(CASH, cash_units=10_000 * 10**9, margin=FlatMargin(initial="0.2", maintenance="0.1"))


class Scripted:
    """A world whose turns are told one by one."""

    name: ClassVar[str]
    setup: ClassVar[Setup] = CASH
    faults: ClassVar[bool] = False  # does the store fail in it?

    def turns(self) -> list[Turn]:
        """What happens."""
        raise NotImplementedError

    def reached(self, world: World) -> None:
        """Fails unless the situation came about that this is all about."""
        raise NotImplementedError

    def profile(self) -> Profile:
        """A world with one process, in which nothing happens by chance."""
        rest = dict.fromkeys(attrs.fields_dict(Profile), 0.0)
        rest.update(fault=float(self.faults), exclusive=False)
        known = {"setups": (self.setup,), "hosts": 1, "start_ns": START, "kinds": KINDS, "mix": Mix()}
        return Profile(**{**rest, **known})  # type: ignore[arg-type]

    def play(self) -> World:
        """The world after its turns, with everything looked at after each of them; raises what breaks."""
        world = World(self.profile(), full_every=1)
        for turn in self.turns():
            world.play(turn)
        return world


class Failure(Scripted):
    """A failure that a peer had in the field, as a world that must not have it."""

    source: ClassVar[str]
    guards: ClassVar[Mapping[str, Guard]]  # by the invariant that breaks without it


def broken_by(failure: Scripted) -> str | None:
    """Which invariant breaks, in the run itself, at its end or when it is run again; None when none does.

    Where a check of the library stops the account first, it is the invariant that this check is named after.
    """
    try:
        world = failure.play()
        drawn = digest_of(world)
        settle(world)
        close_books(world)
        if digest_of(replayed(failure.profile(), failure.turns())) != drawn:
            return "E3"
    except BrokenInvariantError as broken:
        cause = broken.__cause__
        return cause.check.split()[0] if isinstance(cause, InvariantError) else broken.name
    return None


# ------------------------------------------------------------------ turns


class Script:
    """Turns in order, written as a trader would tell them; times are seconds since the world began."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.at(0, Start(), account="").at(0, say.Advance(START))

    def at(
        self, seconds: float, *deeds: Deed, fault: Fault | None = None, wrong: bool = False, account: str = "main"
    ) -> Script:
        """Things that happen at one moment: data to everybody, the rest to the one process and its account."""
        for deed in deeds:
            everywhere = isinstance(deed, (*DATA, say.Advance))
            slot, name = (EVERY_HOST, "") if everywhere else (0, account)
            self.turns.append(Turn(moment(seconds), slot, name, deed, fault, wrong))
        return self

    def quote(self, seconds: float, bid: str, ask: str, size: str = "100", symbol: str = "AAA") -> Script:
        """A quote with the same size on both sides."""
        best = (units(bid), units(ask), units(size), units(size))
        return self.at(seconds, say.Quote(symbol, *best, at=moment(seconds)))

    def bar(self, seconds: float, prices: str, volume: str = "1000", symbol: str = "AAA", lasts: float = 0.5) -> Script:
        """A bar that ended at this moment: open, high, low and close, separated by spaces."""
        o, h, l, c = map(units, prices.split())
        return self.at(seconds, bar_of(seconds, (o, h, l, c), units(volume), symbol, lasts))

    def restart(self, seconds: float) -> Script:
        """The process dies, and another one opens what it left."""
        return self.at(seconds, Die(), Start(), account="")


def bar_of(
    seconds: float, prices: tuple[int, int, int, int], volume: int, symbol: str = "AAA", lasts: float = 0.5
) -> say.Bar:
    """A finished bar."""
    return say.Bar(symbol, *prices, volume, start=moment(seconds - lasts), end=moment(seconds))


def moment(seconds: float) -> int:
    """An instant, from seconds since the world began."""
    return START + int(seconds * SECOND)


def units(text: str) -> int:
    """Units of a number as it is written."""
    return parse_units(text)


def order(sign: int, quantity: str, limit: str = "", stop: str = "", key: str = "", **more: Any) -> say.Place:
    """An order: +1 buys, -1 sells; its type follows from its prices."""
    return say.Place(terms(sign, quantity, limit, stop, key, **more))


def terms(sign: int, quantity: str, limit: str = "", stop: str = "", key: str = "", **more: Any) -> OrderTerms:
    """The terms of such an order."""
    kinds = {(0, 0): OrderType.MARKET, (1, 0): OrderType.LIMIT, (0, 1): OrderType.STOP, (1, 1): OrderType.STOP_LIMIT}
    plain = PLAIN._replace(
        symbol="AAA",
        sign=sign,
        type=kinds[bool(limit), bool(stop)],
        quantity_units=units(quantity),
        limit_units=units(limit) if limit else None,
        stop_units=units(stop) if stop else None,
        client_order_id=key or None,
    )
    return plain._replace(**more)


# ---------------------------------------------------------------- looking


def records(world: World, kind: str, account: str = "main") -> list[dict[str, Any]]:
    """The stored records of a kind."""
    found = map(json.loads, world.disk.journal(account))
    return [record["data"] for record in found if record["kind"] == kind]


def broker_of(world: World) -> PaperBroker:
    """The account as the one process has it."""
    host = world.hosts[0]
    assert host is not None
    return host.broker("main")


def amounts(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """One field of several records."""
    return [row[name] for row in rows]
