"""Turns: what can happen in a world, as plain values, so that a run can be repeated, cut short and written down."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, TypeAlias

from papertrade.testing.oracle.vocabulary import Command

from .store_sim import Fault

EVERY_HOST = -1


class Start(NamedTuple):
    """A process starts in a slot and opens every account."""


class Die(NamedTuple):
    """A process dies between two turns."""


class PowerLoss(NamedTuple):
    """Every process dies at once, and the disk forgets what was not synced."""


class Snapshot(NamedTuple):
    """A snapshot of an account is kept."""


class SetClock(NamedTuple):
    """From now on a process's clock is wrong by so much, in either direction."""

    error_ns: int


class ReadAll(NamedTuple):
    """Somebody asks everything there is to ask; nothing may change by it."""


class Take(NamedTuple):
    """A process takes an account for itself; whoever had it before is late from now on."""


class Raw(NamedTuple):
    """A call with arguments as somebody typed them, one of them as text, Decimal or float: what no command can say."""

    call: str  # of the broker, or of the exchange if it begins with on_
    arguments: tuple[tuple[str, str], ...]
    field: str
    form: str = "text"

    def typed(self) -> dict[str, object]:
        """The arguments, the one in question in its form."""
        found: dict[str, object] = dict(self.arguments)
        found[self.field] = {"text": str, "decimal": Decimal, "float": float}[self.form](str(found[self.field]))
        return found


class Clone(NamedTuple):
    """The account of the turn is copied; the copy goes on as an account of its own."""

    target: str
    command_id: str | None = None
    note: str = ""


Asked: TypeAlias = Command | Clone
"""What a client asks for an account."""
Deed: TypeAlias = Asked | Start | Die | PowerLoss | Snapshot | SetClock | ReadAll | Take | Raw


class Turn(NamedTuple):
    """One turn: at this true time, on this host, for this account, something happens; perhaps a store call fails."""

    at_ns: int
    host: int  # a slot, or EVERY_HOST
    account: str
    deed: Deed
    fault: Fault | None = None
    wrong: bool = False  # it must be refused as misuse
