"""What the invariants look at: one account's events, its public views, and the rules it was opened with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from papertrade.domain.events import (
    AccountReset,
    Event,
    OrderAccepted,
    OrderFilled,
    OrderModified,
    OrdersLinked,
    PositionConverted,
    PositionImported,
)
from papertrade.domain.instruments import Instrument
from papertrade.domain.orders import OrderTerms
from papertrade.engine.state import AccountState
from papertrade.engine.step import Seat
from papertrade.paper import PaperBroker
from papertrade.testing.oracle.lots import Lot, Move, keys_of

E = TypeVar("E", bound=Event)


class BrokenInvariantError(AssertionError):
    """An invariant does not hold: its id, and what was found instead of what."""

    def __init__(self, name: str, account: str, found: object, expected: object) -> None:
        self.name, self.account, self.found, self.expected = name, account, found, expected
        super().__init__(f"{name} is broken in account {account!r}: found {found}; expected {expected}")


class Case:
    """One look at an account."""

    def __init__(self, broker: PaperBroker, restarts: Sequence[int] = ()) -> None:
        self.broker = broker
        self.restarts = restarts
        self.account = broker.account_id
        self.view = broker.account()
        self.events: list[Event] = broker.events()
        self.entries = broker.entries()
        self.orders = broker.orders("all")
        self.fills = self.of(OrderFilled)
        self.converted: dict[int, list[Lot]] = {}  # the lots that went over, by version
        self.priced: dict[int, list[int]] = {}  # and between which prices they were opened

    def of(self, kind: type[E]) -> list[E]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def life(self) -> list[Event]:
        """The events since the account began (again)."""
        resets = [place for place, event in enumerate(self.events) if isinstance(event, AccountReset)]
        return self.events[resets[-1] if resets else 0 :]

    def moves(self, key: str | None = None) -> list[Move]:
        """What moved positions since the account began (again), of one position if its key is given."""
        life = self.life
        found: list[Move] = [fill for fill in self.fills if fill.version >= life[0].version]
        found += [event for event in life if isinstance(event, (PositionImported, PositionConverted))]
        return sorted((move for move in found if key is None or key in keys_of(move)), key=lambda m: m.version)

    def equal(self, name: str, found: object, expected: object, about: str = "") -> None:
        """Raise unless the two are the same."""
        if found != expected:
            raise BrokenInvariantError(name, self.account, f"{about} {found}".strip(), expected)

    def need(self, name: str, holds: bool, found: object, expected: str) -> None:
        """Raise unless it holds."""
        if not holds:
            raise BrokenInvariantError(name, self.account, found, expected)

    # ------------------------------------------------------ what is behind it

    @property
    def seat(self) -> Seat:
        """The account's place in the engine."""
        return self.broker.exchange._desk.engine.seats[self.account]

    @property
    def state(self) -> AccountState:
        """The live state."""
        return self.seat.state

    def instrument(self, symbol: str) -> Instrument:
        """An instrument of a symbol that was traded."""
        return self.broker.exchange.market(symbol).instrument

    def terms(self) -> dict[int, OrderTerms]:
        """The terms of every accepted order."""
        return {event.number: event.terms for event in self.of(OrderAccepted)}

    def pairs(self) -> list[tuple[int, int, int]]:
        """(version, order, its linked order) of every link there ever was."""
        found = [(e.version, e.number, e.oco) for e in self.of(OrderAccepted) if e.oco]
        return found + [(e.version, e.number, e.other) for e in self.of(OrdersLinked)]

    def prices_at(self, number: int, version: int) -> tuple[int | None, int | None]:
        """The limit and stop price that an order had at a version."""
        terms = self.terms()[number]
        limit, stop = terms.limit_units, terms.stop_units
        for event in self.of(OrderModified):
            if event.number == number and event.version < version:
                limit, stop = event.limit_units, event.stop_units
        return limit, stop
