"""A01, A02: the loss of power, and the control that has to lose by it."""

from __future__ import annotations

from random import Random

from papertrade.errors import StoreError
from papertrade.ports.store import Appended, Store
from papertrade.testing.contract import ContractViolation, expect
from papertrade.testing.store_cases.base import Level, at
from papertrade.testing.store_cases.durable import Diary
from papertrade.testing.store_cases.faults import FaultCases
from papertrade.testing.store_cases.nursery import Life
from papertrade.testing.store_cases.samples import numbered

NO_POWER = "the author lends no way to lose power: what was not synced has to be taken back"


class AttestedCases(FaultCases):
    """The evidence behind "survives a power loss"."""

    @at(Level.ATTESTED)
    def test_a01_power_loss(self) -> None:
        """What was answered is there after the power was lost; nothing is half there."""
        self._losing(self.target)

    @at(Level.ATTESTED)
    def test_a02_the_control_loses(self) -> None:
        """A store that does not sync loses by the same losses of power: so they were some."""
        self.need(self.control, "the author names no control, a target whose store does not sync")
        lost = False
        try:
            self._losing(self.control)
        except (ContractViolation, StoreError):
            lost = True
        expect(lost, "a store that does not sync loses what it acknowledged", self.control)

    def _losing(self, target: str) -> None:
        draw = Random(f"power {self.seed}")
        for _ in range(self.losses):
            place, diary = self.new_location(), Diary()
            for _ in range(3):
                store = self.open(place, target)
                diary.heard(self._writing(store, diary.first, draw.randint(1, 6)))
                self.need(self.lose_power(place), NO_POWER)
                store = self.open(place, target)
                diary.compare(store)
                store.close()

    def _writing(self, store: Store, first: int, rounds: int) -> Life:
        stored: dict[str, int] = {}
        for number in range(first, first + rounds):
            for stream in ("main", "other"):
                made = numbered(stream, number)
                outcome = store.append(made)
                wanted = (made.expected + 1, made.expected + len(made.events))
                expect(tuple(outcome) == tuple(Appended(*wanted)), "a writer is answered in order", outcome)
                stored[stream] = number
        return Life(stored, [], 0, False)
