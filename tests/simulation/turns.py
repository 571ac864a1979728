"""Turns: what can happen in a world, as plain values, so that a run can be repeated, cut short and written down."""

from __future__ import annotations

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


Deed: TypeAlias = Command | Start | Die | PowerLoss | Snapshot | SetClock | ReadAll


class Turn(NamedTuple):
    """One turn: at this true time, on this host, for this account, something happens; perhaps a store call fails."""

    at_ns: int
    host: int  # a slot, or EVERY_HOST
    account: str
    deed: Deed
    fault: Fault | None = None
    wrong: bool = False  # it must be refused as misuse
