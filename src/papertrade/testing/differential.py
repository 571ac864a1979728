"""The differential proof: the exchange and the oracle get the same commands and have to make the same bytes.

``python -m papertrade.testing.differential --seeds 1000 --steps 300`` runs that many seeded runs and stops at the first
difference, with the seed and the commands that led there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from random import Random

from papertrade.codec.events import encode_event
from papertrade.domain.events import Event
from papertrade.errors import UsageError
from papertrade.testing.chance import draw_setup, with_hours, with_products, with_settlement
from papertrade.testing.drawing import Drawer
from papertrade.testing.driving import Driven
from papertrade.testing.invariants import check_account
from papertrade.testing.oracle import Command, Oracle, Setup
from papertrade.testing.oracle.vocabulary import Restart


class DifferenceError(AssertionError):
    """The exchange and the oracle disagree."""


class SideBySide:
    """An exchange and an oracle that are given the same commands."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.driven = Driven(setup)
        self.oracle = Oracle(setup)
        self.commands: list[Command] = []
        self.restarts: list[int] = []
        self._seen = self._booked = 0
        self.compare()

    def give(self, command: Command) -> list[Event]:
        """Give both a command and compare what they made of it; answers the new events."""
        self.commands.append(command)
        if isinstance(command, Restart):
            self.restarts.append(len(self.oracle.events))
        misuse = [self._misused(self.driven.give, command), self._misused(self.oracle.give, command)]
        if misuse[0] != misuse[1]:
            raise DifferenceError(f"misuse by the exchange, by the oracle: {misuse}\nat {command!r}{self._story()}")
        return self.compare()

    def _misused(self, give: Callable[[Command], object], command: Command) -> bool:
        """Give a command; answers whether it was called misuse. Any other error is a difference."""
        try:
            give(command)
        except UsageError:
            return True
        except Exception as why:
            raise DifferenceError(f"{type(why).__name__}: {why}\nat {command!r}{self._story()}") from why
        return False

    def compare(self) -> list[Event]:
        """Compare the events that are new since this was last asked."""
        fast, slow = self.driven.new_events(), self.oracle.events[self._seen :]
        self._seen = len(self.oracle.events)
        if [encode_event(e) for e in fast] != [encode_event(e) for e in slow]:
            lines = ["the exchange made", *map(repr, fast), "the oracle made", *map(repr, slow)]
            raise DifferenceError("\n".join(lines) + self._story())
        self._booked += sum(getattr(event, "held_units", 0) for event in slow)
        if self._booked != self.oracle.held():
            raise DifferenceError(f"holds booked {self._booked}, needed {self.oracle.held()}{self._story()}")
        return fast

    def check_state(self) -> None:
        """Every invariant holds: the live state is the fold of its journal, the books balance, fills are justified."""
        check_account(self.driven.broker, restarts=self.restarts)

    def _story(self) -> str:
        last = "\n".join(f"  {command!r}" for command in self.commands[-12:])
        return f"\nafter {len(self.commands)} commands, the last of them:\n{last}\nwith {self.setup!r}"


def run_seed(seed: int, steps: int, check_every: int = 100) -> int:
    """One seeded run; answers how many events it made. Raises ``DifferenceError`` at the first difference."""
    rng = Random(seed)
    setup = draw_setup(rng)
    if seed % 4 == 2:
        setup = with_hours(Random(-seed), setup)
    if seed % 8 in (1, 3):
        chance = Random(-seed)
        setup = with_settlement(chance, with_hours(chance, setup) if seed % 8 == 3 else setup)
    if seed % 16 in (5, 9, 11, 14):  # plain, with settlement, with hours too, with hours alone
        setup = with_products(Random(~seed), setup)
    both, drawer = SideBySide(setup), Drawer(rng, setup)
    try:
        for step in range(1, steps + 1):
            both.give(drawer.draw(both.oracle))
            if step % check_every == 0 or step == steps:
                both.check_state()
    except AssertionError as why:
        raise DifferenceError(f"seed {seed}: {why}") from why
    return len(both.oracle.events)


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m papertrade.testing.differential", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many runs")
    parser.add_argument("--steps", type=int, default=300, help="commands in each run")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args(args)
    began, events = time.monotonic(), 0
    for seed in range(options.first, options.first + options.seeds):
        events += run_seed(seed, options.steps)
    spent, steps = time.monotonic() - began, options.seeds * options.steps
    sys.stdout.write(
        f"{options.seeds} runs of {options.steps} commands, {events} events, 0 differences; "
        f"{steps / max(spent, 1e-9):.0f} commands/s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
