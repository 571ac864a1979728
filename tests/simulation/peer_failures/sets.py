"""Runs that differ from process to process, because the order of a set decided something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs
import pytest

from papertrade.domain.instruments import Instrument
from papertrade.engine import evolve
from papertrade.hosting import account
from papertrade.risk.limits import RiskLimits
from papertrade.testing.oracle import vocabulary as say

from ..reached import counted
from ..turns import ReadAll
from ..world import World
from .scene import MARGIN, Failure, Guard, Script, Turn, order, records


class HashseedMatrix(Failure):
    """The same run, the same seed, the hash seed pinned, and still another profit one time in a while.

    The peer had found that sets and maps decided what came first. Here nothing is decided by the order of a set: the
    same turns make the same bytes and the same state in processes whose sets are ordered differently. A process sees
    nothing of it, so the guards of this one are removed in several, and ``hashseed.py`` is what they run.
    """

    name = "hashseed_matrix"
    source = "nautilus_trader #3914, #4203 and pull 4480"
    names = ("ZULU", "ALFA", "MIKE", "KILO", "ECHO", "TANGO")
    setup = attrs.evolve(
        MARGIN,
        instruments=tuple(Instrument(name, currency="USD", tick_size="0.01") for name in names),
        limits=RiskLimits(max_daily_loss=100, max_drawdown=150),
    )

    def turns(self) -> list[Turn]:
        """Six positions, a fall in which both limits latch, the kill switch, and everything closed in one command."""
        script = Script()
        for number, name in enumerate(self.names, 1):
            script.quote(number, f"{10 + number}.00", f"{10 + number}.01", symbol=name)
            script.at(number, order(1, str(10 * number), symbol=name))
        script.quote(10, "12.00", "12.01", symbol="TANGO").at(11, say.Kill(), say.CloseAll())
        return script.at(12, ReadAll()).turns

    def reached(self, world: World) -> None:
        """All of them were closed in one command, and three restrictions were in force."""
        assert counted(world)["closed_to_flat"] == len(self.names)
        assert len(records(world, "limit_latched")) == 3

    @staticmethod
    def _sets_decide_what_closes_first(patch: pytest.MonkeyPatch) -> None:
        """Positions are closed in the order of a set of names."""
        patch.setattr(account, "sorted", lambda found, **how: list(set(found)), raising=False)

    @staticmethod
    def _sets_are_in_the_state(patch: pytest.MonkeyPatch) -> None:
        """Restrictions are kept in the order of a set of names."""
        patch.setattr(evolve, "sorted", list, raising=False)

    guards: ClassVar[Mapping[str, Guard]] = {"E3": _sets_decide_what_closes_first, "E2": _sets_are_in_the_state}


SETS: tuple[type[Failure], ...] = (HashseedMatrix,)
